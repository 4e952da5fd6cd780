//! Beginning, editing, signing: what the policy and the rules of authoring refuse.

use std::fs;

use tuffet_core::json::Value;
use tuffet_core::metadata::{KeyId, RoleName};
use tuffet_repo::{Action, AddTarget, Class, Error, NamedKey, Repository, RotateKey};
use tuffet_sign::{FileKey, PublicKeyInfo, SignError, SigningBackend};

use crate::support::{NOW, World, after, code, files, key, named, path, role, run};

#[test]
fn k01_o03_o07_keys_of_automation_do_not_sign_root_or_targets_unless_said_so() {
    for which in ["root", "targets"] {
        let world = World::empty();
        let mut options = world.options();
        let keys = if which == "root" {
            &mut options.root.keys
        } else {
            &mut options.targets.keys
        };
        keys.push(named("online", world.online));
        let init = |options: &_| Repository::init(&world.directory(), options, &[], NOW);
        assert_eq!(code(init(&options)), "policy.online-key", "{which}");
        options.allow_online = true;
        assert_eq!(code(init(&options)), "no error", "{which}");
    }
}

#[test]
fn k05_every_role_expires_when_the_policy_says() {
    let world = World::published();
    for (name, days) in [
        ("1.root.json", 365),
        ("1.targets.json", 90),
        ("2.targets.json", 90),
        ("1.snapshot.json", 7),
        ("timestamp.json", 1),
    ] {
        assert_eq!(world.document(name).expires(), Some(after(days)), "{name}");
    }
}

#[test]
fn f07_f13_f20_keyids_are_hashes_dates_are_plain_and_the_specification_is_named() {
    let world = World::published();
    // The strict client refuses other keyids and other dates.
    world.client().refresh(&world.public(), NOW).unwrap();
    for name in files(&world.public().join("metadata")) {
        let document = world.document(&name);
        assert_eq!(
            document.member("spec_version").and_then(Value::as_str),
            Some("1.0.34")
        );
        assert_eq!(
            document
                .member("expires")
                .and_then(Value::as_str)
                .map(str::len),
            Some(20)
        );
    }
}

#[test]
fn a_repository_is_made_once() {
    let world = World::founded();
    let again = Repository::init(&world.directory(), &world.options(), &[], NOW);
    assert_eq!(code(again), "repo.exists");
}

#[test]
fn thresholds_that_nobody_can_reach_are_refused() {
    let world = World::empty();
    let mut options = world.options();
    options.root.threshold = 4;
    let init = Repository::init(&world.directory(), &options, &[], NOW);
    assert_eq!(code(init), "policy.too-few-keys");
    options.root.threshold = 0;
    let init = Repository::init(&world.directory(), &options, &[], NOW);
    assert_eq!(code(init), "policy.threshold");

    // One key under two names is one key.
    options.root.threshold = 3;
    options.root.keys = vec![
        named("ana", world.ana),
        named("ana-2", world.ana),
        named("ben", world.ben),
    ];
    let init = Repository::init(&world.directory(), &options, &[], NOW);
    assert_eq!(code(init), "key.duplicate");
}

#[test]
fn a_threshold_below_the_policy_is_refused() {
    let world = World::published();
    run(world.repository().renew(&[RoleName::Root], NOW));
    world.edit_draft("root", |root| {
        let roles = root.object("roles");
        let own = roles
            .get_mut("root")
            .and_then(Value::as_object_mut)
            .unwrap();
        own.insert("threshold".to_owned(), 1.into());
    });
    run(world.repository().sign(&[world.ana, world.ben]));
    assert_eq!(code(world.plan(&[world.online], NOW)), "policy.threshold");
}

#[test]
fn a_plan_that_is_dropped_has_done_nothing() {
    let world = World::published();
    let before = files(&world.directory());
    let file = world.file("new", b"new");
    let plan = world
        .repository()
        .add_target(&AddTarget::new(path("new"), file), NOW)
        .unwrap();
    assert_eq!(
        plan.actions().iter().map(Action::verb).collect::<Vec<_>>(),
        ["Drafted", "Added"]
    );
    assert!(plan.writes().next().is_some());
    drop(plan);
    assert_eq!(files(&world.directory()), before);
    let plan = world.plan(&[world.online], NOW).unwrap();
    let published = files(&world.public());
    drop(plan);
    assert_eq!(files(&world.public()), published);
}

#[test]
fn two_operations_do_not_work_at_once() {
    let world = World::published();
    let first = world.repository().renew(&[RoleName::Targets], NOW).unwrap();
    let second = world.repository().renew(&[RoleName::Root], NOW);
    assert_eq!(code(second), "repo.locked");
    drop(first);
    run(world.repository().renew(&[RoleName::Root], NOW));
}

#[test]
fn signatures_come_in_any_order_and_an_edit_voids_them() {
    let world = World::published();
    let needs = |world: &World| {
        let change = world.repository().change().unwrap();
        let need = change.drafts[0].needs[0].clone();
        let names = need.signed.iter().filter_map(|key| key.name.clone());
        (need.have, names.collect::<Vec<_>>(), change.is_quorate())
    };
    let list = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    world.add("b", b"b");
    assert_eq!(needs(&world), (0, list(&[]), false));
    let other = world.fork();
    for signer in [world.ana, world.vault] {
        run(world.repository().sign(&[signer]));
    }
    for signer in [world.vault, world.ana] {
        run(other.repository().sign(&[signer]));
    }
    assert_eq!(needs(&world), (2, list(&["ana", "vault"]), true));
    let draft = |world: &World| {
        world.repository().change().unwrap().drafts[0]
            .bytes()
            .to_vec()
    };
    assert_eq!(draft(&world), draft(&other));

    // Signing again is no second signature.
    assert_eq!(run(world.repository().sign(&[world.ana])), []);
    assert_eq!(needs(&world).0, 2);

    let add = AddTarget::new(path("c"), world.file("c", b"c"));
    assert_eq!(
        code(world.repository().add_target(&add, NOW)),
        "change.signed"
    );
    run(world.discarding().add_target(&add, NOW));
    assert_eq!(needs(&world), (0, list(&[]), false));
    // They are not even kept: a draft says what was signed, and nothing else.
    assert!(draft(&world).starts_with(br#"{"signatures":[],"#));
}

#[test]
fn a_change_with_too_few_signatures_is_not_published_and_the_missing_are_named() {
    let world = World::published();
    world.add("b", b"b");
    run(world.repository().sign(&[world.vault]));
    let error = world.plan(&[world.online], NOW).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("signatures.missing", Class::NeedsSignatures)
    );
    let text = error.to_string();
    assert!(
        text.contains("targets v3 has 1 of 2 by root version 1"),
        "{text}"
    );
    for (name, waited_for) in [("ana ", true), ("ben ", true), ("vault ", false)] {
        assert_eq!(text.contains(name), waited_for, "{text}");
    }
    let Error::SignaturesMissing(missing) = error else {
        panic!("{error}");
    };
    assert_eq!(missing.0[0].0, RoleName::Targets);
}

#[test]
fn a_signature_over_another_version_does_not_count() {
    let world = World::published();
    world.add("b", b"b");
    world.sign();
    let keyid = |signer| named("x", signer).keyid();
    let old = world.document("2.targets.json");
    world.edit_draft("targets", |draft| {
        for signer in [world.ana, world.ben] {
            let signature = old.signature(&keyid(signer)).unwrap();
            draft.attach(&keyid(signer), &signature);
        }
    });
    assert_eq!(
        world.repository().change().unwrap().drafts[0].needs[0].have,
        0
    );
    assert_eq!(code(world.plan(&[world.online], NOW)), "signatures.missing");
}

/// Declares one key and signs with another.
struct Liar<'k>(&'k FileKey, &'k FileKey);

impl SigningBackend for Liar<'_> {
    fn public_key(&self) -> &PublicKeyInfo {
        self.0.public_key()
    }

    fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.1.sign_unconfirmed(message)
    }
}

#[test]
fn what_a_signer_makes_with_another_key_than_it_declares_is_refused() {
    let world = World::published();
    world.add("b", b"b");
    let liar = Liar(world.ana, world.ben);
    assert_eq!(code(world.repository().sign(&[&liar])), "key.mismatch");
    assert_eq!(
        world.repository().change().unwrap().drafts[0].needs[0].have,
        0
    );
    world.sign();
    let liar = Liar(world.online, world.ben);
    assert_eq!(code(world.plan(&[&liar], NOW)), "key.mismatch");
    run(world.plan(&[&Liar(world.online, world.online)], NOW));
}

#[test]
fn a_key_that_is_not_asked_for_says_so() {
    let world = World::published();
    assert_eq!(code(world.repository().sign(&[world.ana])), "change.none");
    world.add("b", b"b");
    assert_eq!(code(world.repository().sign(&[key()])), "key.not-needed");
    // It signs when this is published, and nothing before.
    assert!(run(world.repository().sign(&[world.online])).is_empty());
    let change = world.repository().change().unwrap();
    assert_eq!(change.drafts[0].needs[0].have, 0);
}

#[test]
fn online_keys_that_are_missing_are_named() {
    let world = World::founded();
    let error = world.plan(&[], NOW).unwrap_err();
    assert_eq!(error.code(), "signatures.missing");
    assert!(
        error.to_string().contains("snapshot v1 has 0 of 1"),
        "{error}"
    );
}

#[test]
fn r14_a_draft_whose_version_was_used_by_somebody_else_is_stale() {
    let world = World::published();
    let other = world.fork();
    other.add("theirs", b"theirs");
    other.sign();
    let publish = tuffet_repo::Publish::to(world.public());
    run(other.repository().publish(&publish, &[world.online], NOW));
    world.add("ours", b"ours");
    world.sign();
    // The other copy's history arrives, as through version control.
    for name in ["3.targets.json", "3.snapshot.json", "timestamp.json"] {
        let of = |world: &World| world.directory().join("metadata").join(name);
        fs::copy(of(&other), of(&world)).unwrap();
    }
    let repository = world.repository();
    for result in [
        code(repository.sign(&[world.ana])),
        code(world.plan(&[world.online], NOW)),
        code(repository.renew(&[RoleName::Root], NOW)),
    ] {
        assert_eq!(result, "change.stale");
    }
    run(repository.drop_change());
    world.add("ours", b"ours");
    world.sign();
    let published = world.publish(NOW);
    assert!(published.contains(&Action::Applied {
        role: RoleName::Targets,
        version: tuffet_core::metadata::Version::new(4).unwrap()
    }));
}

#[test]
fn targets_have_names_that_files_can_have() {
    let world = World::published();
    let file = world.file("x", b"x");
    let long = "a".repeat(200);
    for name in [
        "../x",
        "/x",
        "a//b",
        "a/./b",
        "C:/x",
        "a\\b",
        "nul",
        "x.",
        "a\nb",
        long.as_str(),
    ] {
        let add = AddTarget::new(path(name), &file);
        assert_eq!(
            code(world.repository().add_target(&add, NOW)),
            "target.name",
            "{name}"
        );
    }
    let longest = "a".repeat(190);
    run(world
        .repository()
        .add_target(&AddTarget::new(path(&longest), &file), NOW));
    world.sign();
    world.publish(NOW);
    world.client().get(&world.public(), NOW, &longest).unwrap();
}

#[test]
fn an_entry_is_not_overwritten_unless_said_so() {
    let world = World::published();
    let (same, other) = (world.file("same", b"app 1"), world.file("other", b"app 2"));
    let repository = world.repository();
    run(repository.add_target(&AddTarget::new(path("app.tar"), same), NOW));
    let add = AddTarget::new(path("app.tar"), other);
    assert_eq!(code(repository.add_target(&add, NOW)), "target.exists");
    run(repository.add_target(&add.replace(), NOW));
    world.sign();
    world.publish(NOW);
    let (_, bytes) = world.client().get(&world.public(), NOW, "app.tar").unwrap();
    assert_eq!(bytes, b"app 2");
}

#[test]
fn custom_data_is_an_object() {
    let world = World::published();
    let add = |custom| AddTarget::new(path("c"), world.file("c", b"c")).custom(custom);
    let text = add(Value::from("text"));
    assert_eq!(
        code(world.repository().add_target(&text, NOW)),
        "target.custom"
    );
    let object = add(Value::from_iter([("version", Value::from("1.4.0"))]));
    run(world.repository().add_target(&object, NOW));
    world.sign();
    world.publish(NOW);
    let (found, _) = world.client().get(&world.public(), NOW, "c").unwrap();
    assert_eq!(
        found.target.custom.as_deref(),
        Some(r#"{"version":"1.4.0"}"#)
    );
}

#[test]
fn targets_are_removed_and_their_bytes_stay() {
    let world = World::published();
    let repository = world.repository();
    assert_eq!(
        code(repository.remove_target(&path("nothing"), None, NOW)),
        "target.not-listed"
    );
    run(repository.remove_target(&path("app.tar"), None, NOW));
    assert_eq!(repository.targets(None).unwrap(), []);
    world.sign();
    world.publish(NOW);
    let error = world
        .client()
        .get(&world.public(), NOW, "app.tar")
        .unwrap_err();
    assert_eq!(error.code(), "target.not-found");
    assert_eq!(files(&world.public().join("targets")).len(), 1);
}

#[test]
fn the_content_is_what_it_was_when_it_was_added() {
    let world = World::published();
    let file = world.file("late", b"first");
    let plan = world
        .repository()
        .add_target(&AddTarget::new(path("late"), &file), NOW)
        .unwrap();
    fs::write(&file, b"other").unwrap();
    let error = plan.execute().unwrap_err();
    assert_eq!(error.code(), "target.content-changed");
    assert!(world.repository().change().unwrap().drafts.is_empty());
}

#[test]
fn keys_are_found_by_name_and_by_the_beginning_of_their_id() {
    let world = World::published();
    let repository = world.repository();
    let ana = named("ana", world.ana);
    let id = ana.keyid().as_str().to_owned();
    for name in ["ana", &id, &id[..8]] {
        assert_eq!(repository.key(name).unwrap(), ana, "{name}");
    }
    for name in ["anna", &id[..7], "00000000"] {
        assert_eq!(code(repository.key(name)), "key.unknown", "{name}");
    }
    let shown = repository.policy().key_name(&KeyId::new(&id).unwrap());
    assert_eq!(shown.to_string(), format!("ana {}", &id[..8]));
}

#[test]
fn a_repository_is_found_from_below() {
    let world = World::founded();
    let below = world.directory().join("a/b");
    fs::create_dir_all(&below).unwrap();
    assert_eq!(
        Repository::find(&below).unwrap().directory(),
        world.directory()
    );
    let above = world.directory().parent().unwrap().to_owned();
    assert_eq!(code(Repository::find(&above)), "repo.not-found");
    assert_eq!(code(Repository::open(&below)), "repo.not-found");
}

#[test]
fn a_change_can_be_dropped() {
    let world = World::published();
    world.add("b", b"b");
    run(world.repository().drop_change());
    assert!(world.repository().change().unwrap().drafts.is_empty());
    assert_eq!(code(world.repository().drop_change()), "change.none");
    assert_eq!(world.repository().targets(None).unwrap().len(), 1);
}

#[test]
fn renewal_changes_the_expiry_and_nothing_else() {
    let world = World::published();
    let (was, later) = (world.document("2.targets.json"), after(60));
    run(world.repository().renew(&[RoleName::Targets], later));
    world.sign();
    world.publish(later);
    let is = world.document("3.targets.json");
    assert_eq!(is.expires(), Some(after(150)));
    assert_eq!(is.member("targets"), was.member("targets"));
    let timestamp = world.repository().renew(&[RoleName::Timestamp], later);
    assert_eq!(code(timestamp), "role.unsuited");
    let nobody = world.repository().renew(&[role("nobody")], later);
    assert_eq!(code(nobody), "role.unknown");
}

#[test]
fn status_names_roles_versions_and_signers() {
    let world = World::published();
    let roles = world.repository().roles().unwrap();
    let lines: Vec<String> = roles
        .iter()
        .map(|status| {
            let names = status.signed_by.iter().filter_map(|key| key.name.clone());
            let version = status.version.map(|version| version.number());
            format!(
                "{} {version:?} {} of {}: {}",
                status.role,
                status.threshold,
                status.keys.len(),
                names.collect::<Vec<_>>().join(" ")
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "root Some(1) 2 of 3: ana ben",
            "targets Some(2) 2 of 3: ana ben",
            "snapshot Some(2) 1 of 1: online",
            "timestamp Some(2) 1 of 1: online",
        ]
    );
    assert_eq!(roles[3].expires, Some(after(1)));
}

#[test]
fn the_policy_learns_names_with_the_change_and_keeps_comments() {
    let world = World::published();
    let file = world.directory().join("tuffet.toml");
    let text = fs::read_to_string(&file).unwrap();
    let commented = format!("# kept\n{text}");
    fs::write(&file, &commented).unwrap();
    let new = key();
    let rotate = RotateKey::new("ben", named("ben", new));
    let read = || fs::read_to_string(&file).unwrap();
    let check = || {
        let repository = world.repository();
        assert_eq!(repository.policy().key("ben"), Some(named("ben", new)));
        let former = named("x", world.ben).keyid();
        let former = repository.policy().key_name(&former).name;
        assert_eq!(former.as_deref(), Some("ben (former)"));
    };

    // A change that is dropped leaves nothing behind.
    run(world.repository().rotate_key(&rotate, NOW));
    check();
    assert_eq!(read(), commented);
    run(world.repository().drop_change());
    assert_eq!(
        world.repository().policy().key("ben"),
        Some(named("ben", world.ben))
    );

    run(world.repository().rotate_key(&rotate, NOW));
    run(world.repository().sign(&[world.ana, world.vault]));
    fs::write(&file, format!("{commented}# and this\n")).unwrap();
    world.publish(NOW);
    check();
    assert!(read().starts_with("# kept\n") && read().contains("# and this\n"));
    assert!(NamedKey::of("no name", new).is_err());
}

#[test]
fn names_that_other_clients_take_for_parts_of_a_url_are_pointed_out() {
    let world = World::published();
    let file = world.file("file", b"content");
    let add = |names: &[&str]| {
        let all = names.iter();
        let all: Vec<AddTarget> = all.map(|name| AddTarget::new(path(name), &file)).collect();
        let actions = run(world.repository().add_targets(&all, NOW));
        actions.into_iter().find_map(|action| match action {
            Action::NamesOfUrls { path, count } => Some((path.to_string(), count)),
            _ => None,
        })
    };
    assert_eq!(add(&["a b.txt", "größe.txt", "a+b&c=(d);e@f!.txt"]), None);
    let odd = ["plain", "100%.txt", "a%20b", "c#1"];
    assert_eq!(add(&odd), Some(("100%.txt".to_owned(), 3)));
}
