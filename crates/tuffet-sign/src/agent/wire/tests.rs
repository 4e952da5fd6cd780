use proptest::prelude::*;

use super::*;

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes(), bytes].concat()
}

fn strings(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| string(part)).collect()
}

/// The answer of an agent with these keys and comments.
fn answer(keys: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut answer = vec![IDENTITIES_ANSWER];
    answer.extend(u32::try_from(keys.len()).unwrap().to_be_bytes());
    for (blob, comment) in keys {
        answer.extend(strings(&[blob, comment]));
    }
    answer
}

fn signed(format: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut answer = vec![SIGN_RESPONSE];
    answer.extend(string(&strings(&[format, bytes])));
    answer
}

#[test]
fn identities_are_listed_and_those_of_no_use_have_no_key() {
    let ed25519 = strings(&[b"ssh-ed25519", &[7; 32]]);
    let short = strings(&[b"ssh-ed25519", &[7; 31]]);
    let foreign = strings(&[b"sk-ssh-ed25519@openssh.com", &[7; 32], b"ssh:"]);
    let wrong_curve = strings(&[b"ecdsa-sha2-nistp256", b"nistp384", &[4; 65]]);
    let short_rsa = strings(&[b"ssh-rsa", &[1, 0, 1], &[0xff; 128]]);
    let more = [ed25519.as_slice(), &[0]].concat();
    let all = [&ed25519, &short, &foreign, &wrong_curve, &short_rsa, &more];
    let keys: Vec<(&[u8], &[u8])> = all
        .iter()
        .map(|blob| (blob.as_slice(), &b"sam"[..]))
        .collect();
    let identities = identities(&answer(&keys)).unwrap();
    let found: Vec<Option<PublicKey>> = identities.iter().map(|one| one.key.clone()).collect();
    assert_eq!(found[0], Some(PublicKey::Ed25519([7; 32])));
    assert!(found[1..].iter().all(Option::is_none), "{found:?}");
    assert!(identities.iter().all(|one| one.comment == "sam"));
}

#[test]
fn answers_that_are_none_are_refused() {
    for (answer, what) in [
        (&[][..], "another answer"),
        (&[SIGN_RESPONSE], "another answer"),
        (&[FAILURE], "refuses"),
        (&[IDENTITIES_ANSWER, 0, 0, 0], "too early"),
        (&[IDENTITIES_ANSWER, 0xff, 0xff, 0xff, 0xff], "too early"),
        (
            &[IDENTITIES_ANSWER, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
            "too early",
        ),
        (&[IDENTITIES_ANSWER, 0, 0, 0, 0, 0], "more in it"),
    ] {
        assert!(identities(answer).unwrap_err().contains(what), "{answer:?}");
    }
}

#[test]
fn signatures_are_put_into_the_form_of_metadata() {
    let rsa = PublicKey::Rsa {
        modulus: [0xff; 256].into(),
        exponent: [1, 0, 1].into(),
    };
    let scheme = Scheme::RsaPkcs1v15(HashAlgorithm::Sha256);
    let short = signature(&signed(b"rsa-sha2-256", &[9; 255]), scheme, &rsa).unwrap();
    assert_eq!(short, [&[0][..], &[9; 255]].concat());
    assert!(signature(&signed(b"rsa-sha2-256", &[9; 257]), scheme, &rsa).is_err());
    let other_hash = signature(&signed(b"ssh-rsa", &[9; 256]), scheme, &rsa);
    assert!(other_hash.unwrap_err().contains("another algorithm"));

    let ecdsa = PublicKey::Ecdsa {
        curve: Curve::P256,
        point: [2; 33].into(),
    };
    let numbers = strings(&[&[0, 0x80], &[1]]);
    let der = signature(
        &signed(b"ecdsa-sha2-nistp256", &numbers),
        Scheme::EcdsaP256Sha256,
        &ecdsa,
    );
    assert_eq!(der.unwrap(), [0x30, 7, 2, 2, 0, 0x80, 2, 1, 1]);
}

#[test]
fn only_schemes_of_ssh_are_asked_for() {
    let possible: Vec<Scheme> = Scheme::ALL
        .into_iter()
        .filter(|scheme| sign_request(&[], &[], *scheme).is_some())
        .collect();
    assert_eq!(
        possible,
        [
            Scheme::Ed25519,
            Scheme::EcdsaP256Sha256,
            Scheme::EcdsaP384Sha384,
            Scheme::EcdsaP521Sha512,
            Scheme::RsaPkcs1v15(HashAlgorithm::Sha256),
            Scheme::RsaPkcs1v15(HashAlgorithm::Sha512),
        ]
    );
    assert!(sign_request(&[], &vec![0; LONGEST], Scheme::Ed25519).is_none());
}

proptest! {
    #[test]
    fn any_answer_is_read_or_refused_and_never_too_costly(
        kind in prop::sample::select(vec![IDENTITIES_ANSWER, SIGN_RESPONSE, FAILURE, 0]),
        content in prop::collection::vec(any::<u8>(), 0..200),
        scheme in prop::sample::select(Scheme::ALL.to_vec()),
    ) {
        let answer = [&[kind][..], &content].concat();
        if let Ok(identities) = identities(&answer) {
            // Each takes eight bytes at least, whatever number the agent says there are.
            prop_assert!(identities.len() <= content.len() / 8);
        }
        let key = PublicKey::Ed25519([7; 32]);
        if let Ok(signature) = signature(&answer, scheme, &key) {
            prop_assert!(signature.len() <= content.len());
        }
    }

    #[test]
    fn whatever_an_agent_lists_is_read(
        keys in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..40), "[a-z@. ]{0,12}"),
            0..6,
        ),
    ) {
        let pairs: Vec<(&[u8], &[u8])> =
            keys.iter().map(|(blob, comment)| (blob.as_slice(), comment.as_bytes())).collect();
        let identities = identities(&answer(&pairs)).unwrap();
        prop_assert_eq!(identities.len(), keys.len());
        for (identity, (blob, comment)) in identities.iter().zip(&keys) {
            prop_assert_eq!((&identity.blob, &identity.comment), (blob, comment));
        }
    }
}
