//! What people are shown before they sign, and what is looked at once more.

use std::fs;

use tuffet_core::metadata::RoleName;
use tuffet_repo::{Action, AddTarget, Error};
use tuffet_sign::Signer;

use crate::support::{NOW, World, code, files, key, named, path, role, run};

#[test]
fn what_was_not_shown_is_not_signed() {
    let quiet = |_, _| {};
    let world = World::published();
    world.add("new", b"new");
    let signers: [&dyn Signer; 2] = [world.ana, world.ben];
    let before = world.repository().change().unwrap();

    // Somebody writes over the change while the question is asked: what was shown is what is signed.
    let forked = world.fork();
    let repository = forked.repository();
    let mut session = repository.begin_to_sign().unwrap();
    let shown = session.to_sign(&signers).unwrap();
    assert_eq!(shown.drafts, before.drafts);
    forked.edit_draft("targets", |draft| {
        draft.object("targets").clear();
    });
    run(session.sign_shown(&shown, &signers, &quiet));
    drop(session);
    let signed = forked.repository().change().unwrap();
    assert!(signed.is_quorate());
    assert_eq!(signed.drafts[0].differences, shown.drafts[0].differences);

    // What was shown before is not what a new session has read.
    world.edit_draft("targets", |draft| {
        draft.object("targets").clear();
    });
    let repository = world.repository();
    let mut session = repository.begin_to_sign().unwrap();
    let plan = session.sign_shown(&before, &signers, &quiet);
    assert_eq!(code(plan), "change.not-shown");
    let shown = session.to_sign(&signers).unwrap();
    run(session.sign_shown(&shown, &[world.ana], &quiet));
    // Signatures that have come since do not matter, and what everybody has signed is not shown again.
    run(session.sign_shown(&shown, &signers, &quiet));
    assert!(session.to_sign(&signers).unwrap().drafts.is_empty());
}

#[test]
fn artifacts_are_hashed_again_before_somebody_signs_for_them() {
    let world = World::published();
    world.add("new", b"new 1");
    world.delegate("team", &[("sam", world.vault)]);
    run(world.repository().add_target(
        &AddTarget::new(path("team/fw"), world.file("fw", b"fw 1")).role(role("team")),
        NOW,
    ));
    let objects = world.directory().join(".tuffet/objects");
    let holding = |content: &[u8]| {
        let all = files(&objects).into_iter().map(|name| objects.join(name));
        let mut found = all.filter(|object| fs::read(object).unwrap() == content);
        found.next().unwrap()
    };
    let (new, fw) = (holding(b"new 1"), holding(b"fw 1"));
    let signs = named("vault", world.vault).keyid().to_string();

    // Neither the same length nor another one gets through, and the error names what is wrong.
    for (object, content, target, of) in [
        (&new, &b"new 2"[..], "new", "targets"),
        (&new, b"new", "new", "targets"),
        (&fw, b"fw 2", "team/fw", "team"),
    ] {
        let good = fs::read(object).unwrap();
        fs::write(object, content).unwrap();
        let change = fs::read(world.change()).unwrap();
        let all: [&dyn Signer; 3] = [world.ana, world.ben, world.vault];
        let error = world.repository().sign(&all).unwrap_err();
        assert_eq!(error.code(), "target.content-differs");
        match &error {
            Error::ContentDiffers {
                path: at,
                role: by,
                file,
            } => {
                assert_eq!((at, by), (&path(target), &role(of)));
                assert_eq!(file, object);
            }
            other => panic!("{other}"),
        }
        assert_eq!(fs::read(world.change()).unwrap(), change);
        // Nor are bytes handed out that somebody signs elsewhere.
        let payload = world.repository().payload(&role(of), &signs);
        assert_eq!(code(payload), "target.content-differs");
        fs::write(object, good).unwrap();
        assert!(world.repository().payload(&role(of), &signs).is_ok());
    }
    // Whoever signs nothing of it does not answer for it.
    fs::write(&fw, b"fw 2").unwrap();
    run(world.repository().sign(&[world.ana]));

    // What is not here is said, and what was published before is not asked for.
    fs::remove_file(&fw).unwrap();
    fs::remove_file(holding(b"app 1")).unwrap();
    let actions = run(world.repository().sign(&[world.ben, world.vault]));
    let said = actions.iter().filter_map(|action| match action {
        Action::NotAtHand { role, path, count } => Some((role.clone(), path.clone(), *count)),
        _ => None,
    });
    let said: Vec<_> = said.collect();
    assert_eq!(said, [(role("team"), path("team/fw"), 1)]);
}

#[test]
fn a_payload_is_handed_out_for_what_was_shown_and_nothing_else() {
    let world = World::published();
    world.add("b", b"b");
    world.delegate("team", &[("sam", key())]);
    let repository = world.repository();
    let (targets, quiet) = (RoleName::Targets, |_, _| {});
    let session = repository.begin_to_sign().unwrap();
    let shown = session.to_sign_elsewhere(&targets, "ana").unwrap();
    let roles: Vec<&RoleName> = shown.drafts.iter().map(|draft| &draft.role).collect();
    assert_eq!(roles, [&targets]);
    assert!(!shown.drafts[0].differences.is_empty());
    let (payload, _) = session.payload(&shown, &targets, "ana", &quiet).unwrap();
    drop(session);
    let signature = world.ana.sign(&payload).unwrap();
    run(repository.attach_signature(&targets, "ana", signature.as_bytes()));
    // Signatures that came meanwhile do not matter.
    let session = repository.begin_to_sign().unwrap();
    assert!(session.payload(&shown, &targets, "ben", &quiet).is_ok());
    drop(session);
    let add = AddTarget::new(path("c"), world.file("c", b"c"));
    run(world.discarding().add_target(&add, NOW));
    let session = repository.begin_to_sign().unwrap();
    let payload = session.payload(&shown, &targets, "ben", &quiet);
    assert_eq!(code(payload), "change.not-shown");
}
