use super::*;
use tuffet_core::crypto::PublicKey;

fn key(name: &str, byte: u8) -> NamedKey {
    let info = PublicKeyInfo::new(Scheme::Ed25519, PublicKey::Ed25519([byte; 32])).unwrap();
    NamedKey::new(name, info).unwrap()
}

fn policy() -> Policy {
    let mut policy = Policy::new("acme");
    policy.publish_to = Some(Destination::Directory("public".into()));
    for (role, threshold, days) in [("root", 2, 365), ("targets", 1, 90)] {
        let period = Period::days(days);
        policy
            .roles
            .insert(role.to_owned(), RolePolicy::new(threshold, period));
    }
    policy.name_key(&key("ana", 1), false);
    policy.name_key(&key("online", 2), true);
    policy
}

#[test]
fn a_policy_can_be_read_again() {
    let policy = policy();
    assert_eq!(Policy::parse(&policy.to_toml()), Ok(policy));
}

#[test]
fn certificates_keep_their_lines_when_a_policy_is_written_and_rewritten() {
    const CHAIN: &str = "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n";
    let mut asking = policy();
    asking.attestation = Some(AttestationPolicy {
        require_attested: vec!["root".to_owned()],
        require_touch: Vec::new(),
        roots: CHAIN.to_owned(),
    });
    asking.name_key(&key("ana", 1).with_attestation(CHAIN), false);
    let text = asking.to_toml();
    assert_eq!(Policy::parse(&text).as_ref(), Ok(&asking));
    // A key that is named again keeps its certificates, and new keys leave those of others alone.
    asking.name_key(&key("ana", 1), false);
    asking.name_key(&key("ben", 3), false);
    assert_eq!(asking.key("ana").unwrap().attestation(), Some(CHAIN));
    let rewritten = asking.rewrite(&format!("# ours\n{text}"));
    assert!(rewritten.starts_with("# ours\n"), "{rewritten}");
    assert_eq!(Policy::parse(&rewritten), Ok(asking));
}

#[test]
fn mistakes_are_named() {
    let table = [
        ("format = 2\nname = \"a\"\n[roles]\n", "later version"),
        ("format = 1\nname = \"a\"\ncolour = 1\n[roles]\n", "colour"),
        (
            "format = 1\nname = \"a\"\n[roles.root]\nthreshold = 1\nperiod = \"1y\"\n",
            "365d",
        ),
        (
            "format = 1\nname = \"a\"\n[roles]\n[keys.x]\nkeyid = \"a\"\nscheme = \"ed25519\"\npublic = \"zz\"\n",
            "keys.x",
        ),
        ("format = 1\nname = \"a\"\njunk = [\n", "line 3: "),
    ];
    for (text, expected) in table {
        let error = Policy::parse(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn k05_every_period_ends() {
    assert_eq!(Period::days(0), Period::days(1));
    assert_eq!(Period::days(u32::MAX), Period::days(3653));
    for (text, seconds) in [("1m", 60), ("12h", 43_200), ("365d", 31_536_000)] {
        let period = Period::parse(text).unwrap();
        assert_eq!(
            (period.seconds(), period.to_string().as_str()),
            (seconds, text)
        );
    }
    for text in [
        "",
        "d",
        "0d",
        "-1d",
        "+1d",
        "3654d",
        "1",
        "1y",
        "1 d",
        "99999999999d",
    ] {
        assert_eq!(Period::parse(text), None, "{text}");
    }
}

#[test]
fn rewriting_keeps_what_people_wrote() {
    let mut policy = policy();
    let text = format!(
        "# ours\n{}\n# the end\n",
        policy
            .to_toml()
            .replace("[roles.targets]", "# often\n[roles.targets]")
    );
    assert_eq!(policy.rewrite(&text), text);

    policy.name_key(&key("ana", 3), false);
    policy.name_key(&key("Ægir", 4), false);
    let after = policy.rewrite(&text);
    for kept in ["# ours\n", "# often\n[roles.targets]", "# the end\n"] {
        assert!(after.contains(kept), "{after}");
    }
    assert_eq!(Policy::parse(&after), Ok(policy));
}

#[test]
fn text_of_another_style_is_replaced() {
    let mut policy = policy();
    let inline = policy
        .to_toml()
        .replace("[roles.root]\nthreshold = 2\nperiod = \"365d\"\n", "")
        .replace(
            "name = \"acme\"",
            "name = \"acme\"\nroles.root = { threshold = 2, period = \"365d\" }",
        )
        .replace("[roles.targets]\nthreshold = 1\nperiod = \"90d\"\n", "");
    policy.roles.remove("targets");
    assert_eq!(Policy::parse(&inline).unwrap(), policy, "{inline}");
    policy
        .roles
        .insert("root".to_owned(), RolePolicy::new(1, Period::days(9)));
    assert_eq!(Policy::parse(&policy.rewrite(&inline)), Ok(policy));
}

#[test]
fn a_replaced_key_keeps_its_name() {
    let mut policy = policy();
    let (old, new) = (key("ana", 1), key("ana", 3));
    assert!(policy.name_key(&new, false));
    assert!(!policy.name_key(&new, false));
    assert_eq!(policy.key_name(&new.keyid()).name.as_deref(), Some("ana"));
    assert_eq!(
        policy.key_name(&old.keyid()).name.as_deref(),
        Some("ana (former)")
    );
    assert_eq!(policy.key("ana"), Some(new));
}

#[test]
fn a_role_that_is_forgotten_leaves_the_text_and_nothing_else_does() {
    let mut policy = policy();
    let period = Period::days(30);
    let asked = RolePolicy {
        external: true,
        ..RolePolicy::new(1, period)
    };
    policy.roles.insert("edge".to_owned(), asked);
    let text = format!("# ours\n{}\n# the end\n", policy.to_toml());
    let text = text.replace("[roles.edge]", "[roles.edge]\n# who knows");
    policy.roles.remove("edge");
    let after = policy.rewrite(&text);
    assert_eq!(Policy::parse(&after), Ok(policy));
    assert!(!after.contains("edge"), "{after}");
    for kept in ["# ours\n", "# who knows\n", "# the end\n"] {
        assert!(after.contains(kept), "{after}");
    }
}
