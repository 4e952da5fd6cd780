//! What a quirk must not be mistaken for, and what looks like one and is refused.

use tuffet_client::{Error, Policy, Rejected};

use super::keys::Key;
use super::repository::Repository;
use super::{Client, roots, schemes, signatures};

fn refused(client: &Client, repository: &Repository) -> Error {
    match client.visit(repository) {
        Ok(_) => panic!("accepted"),
        Err(error) => error,
    }
}

/// The keys are the same under their new ids, so what is stored stays the floor: it has signatures under both ids here, as
/// it must to verify under either root.
#[test]
fn keys_that_are_listed_in_another_way_make_nothing_void() {
    for (role, code) in [
        ("timestamp", "rollback.timestamp"),
        ("snapshot", "rollback.snapshot"),
    ] {
        let [mut before, mut after] = roots::points_become_pem();
        let both = [&before, &after].map(|state| state.timestamp.signers.clone());
        for document in [&mut before.timestamp, &mut before.snapshot] {
            document.signers = both.concat();
        }
        before.timestamp.set_version(5);
        before.document(role).set_version(7);
        before.publish();
        let client = Client::new(Policy::default());
        client.visit(&before).unwrap();

        // Of the role in question an older version, of the other a newer one.
        after.timestamp.set_version(6);
        after.snapshot.set_version(6);
        after.publish();
        assert_eq!(refused(&client, &after).code(), code);
        assert_eq!(client.reports.others(), [""; 0]);
        after.timestamp.set_version(8);
        after.snapshot.set_version(8);
        after.publish();
        client.visit(&after).unwrap();
    }
}

/// A root for which nobody but an identity may sign: the error says which kind of key did not count, and why.
#[test]
fn an_identity_alone_is_refused_and_named() {
    let identity = Key::identity();
    for signed in [false, true] {
        let mut repository = Repository::signed_by(std::slice::from_ref(&identity), 1);
        if signed {
            signatures::sign_as_identity(&mut repository, &identity);
        }
        repository.publish();
        for policy in [Policy::default(), Policy::strict()] {
            let strict = signed && policy == Policy::strict();
            let error = refused(&Client::new(policy), &repository);
            if strict {
                assert_eq!(error.code(), "strict.signature-form");
                continue;
            }
            assert_eq!(error.code(), "threshold.root");
            assert!(matches!(
                error.rejected(),
                Some(Rejected::Threshold {
                    have: 0,
                    need: 1,
                    ..
                })
            ));
            let text = error.to_string();
            assert!(
                text.contains("unsupported key sigstore-oidc/Fulcio"),
                "{text}"
            );
        }
    }
}

/// An identity for another role than root: the error is about that role.
#[test]
fn an_identity_alone_is_refused_in_the_role_that_has_it() {
    let mut repository = schemes::of_key(Key::ed25519());
    repository.set_role("timestamp", &[Key::identity()], 1);
    repository.publish();
    let error = refused(&Client::new(Policy::default()), &repository);
    assert_eq!(error.code(), "threshold.timestamp");
    assert!(
        error.to_string().contains("sigstore-oidc/Fulcio"),
        "{error}"
    );
}

/// Published every day, although root expired months ago.
#[test]
fn a_repository_whose_root_has_expired_is_refused_however_fresh_the_rest_is() {
    let mut repository = schemes::of_key(Key::ed25519());
    repository.next_root();
    repository.set(&["expires"], "2026-01-31T15:20:03Z");
    repository.publish();
    let error = refused(&Client::new(Policy::default()), &repository);
    assert_eq!(error.code(), "expired.root");
    let text = error.to_string();
    assert!(
        text.contains("version 2") && text.contains("2026-01-31T15:20:03Z"),
        "{text}"
    );
}
