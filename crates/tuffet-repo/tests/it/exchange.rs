//! Changes that travel between people, and what they are shown before they sign.

use std::fs;
use std::path::Path;

use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;
use tuffet_repo::{
    Action, AddTarget, Class, Delegate, DelegatedPaths, Difference, Document, Plan, Publish,
    RotateKey, differences,
};
use tuffet_sign::Signer;

use crate::support::{NOW, World, code, delegated, key, named, path, run};

fn export(world: &World) -> Vec<u8> {
    world.repository().export_change().unwrap()
}

fn receive(world: &World, change: &[u8]) -> Result<Plan, tuffet_repo::Error> {
    world
        .repository()
        .receive_change(change, Path::new("change.tuf"))
}

fn signs(world: &World, signers: &[&dyn Signer]) {
    run(world.repository().sign(signers));
}

/// Ana has added a target; Ben and the vault have copies of the repository as it was before.
fn three() -> (World, World, World) {
    let ana = World::published();
    let (ben, vault) = (ana.fork(), ana.fork());
    ana.add("app.tar.2", b"app 2");
    (ana, ben, vault)
}

#[test]
fn signatures_made_on_several_machines_come_together_in_any_order() {
    let mut results = Vec::new();
    for ben_first in [true, false] {
        let (ana, ben, vault) = three();
        let change = export(&ana);
        let others: [(&World, &dyn Signer); 2] = [(&ben, ana.ben), (&vault, ana.vault)];
        let mut back: Vec<Vec<u8>> = others
            .iter()
            .map(|(world, signer)| {
                let drafted = run(receive(world, &change));
                assert!(matches!(
                    &drafted[0],
                    Action::Drafted {
                        role: RoleName::Targets,
                        ..
                    }
                ));
                signs(world, &[*signer]);
                export(world)
            })
            .collect();
        if !ben_first {
            back.reverse();
        }
        for change in &back {
            let taken = run(receive(&ana, change));
            assert_eq!(taken.len(), 1, "one signature each: {taken:?}");
            assert!(run(receive(&ana, change)).is_empty(), "and only once");
        }
        let open = ana.repository().change().unwrap();
        assert!(open.is_quorate());
        results.push(open.drafts[0].bytes().len());
        ana.publish(NOW);
        let (_, bytes) = ana.client().get(&ana.public(), NOW, "app.tar.2").unwrap();
        assert_eq!(bytes, b"app 2");
    }
    assert_eq!(results[0], results[1]);
}

#[test]
fn a_change_that_was_published_is_not_received_again() {
    let (ana, ben, _) = three();
    let change = export(&ana);
    ana.sign();
    ana.publish(NOW);
    assert_eq!(code(receive(&ana, &change)), "change.published");
    // Also when it is not the last one any more.
    ana.add("app.tar.3", b"app 3");
    ana.sign();
    ana.publish(NOW);
    let error = receive(&ana, &change).unwrap_err();
    assert_eq!(error.code(), "change.published");
    assert!(
        error.to_string().contains("published as targets v3"),
        "{error}"
    );
    // A change of the same version that says something else was overtaken.
    let other = String::from_utf8(change.clone()).unwrap();
    let other = other.replace("app.tar.2", "app.tar.x");
    assert_eq!(code(receive(&ana, other.as_bytes())), "change.stale");
    // Ben's copy has not seen that, so for him it is still open.
    run(receive(&ben, &change));
}

#[test]
fn a_change_of_another_repository_is_refused() {
    let (ana, ..) = three();
    let other = World::published();
    assert_eq!(code(receive(&other, &export(&ana))), "change.foreign");
    assert!(other.repository().change().unwrap().drafts.is_empty());
}

#[test]
fn a_change_on_versions_that_are_not_here_is_refused() {
    let (ana, ben, _) = three();
    ana.sign();
    ana.publish(NOW);
    ana.add("later", b"x");
    assert_eq!(code(receive(&ben, &export(&ana))), "change.foreign");
}

#[test]
fn a_change_without_the_digest_of_the_root_is_refused() {
    let (ana, ben, _) = three();
    let change = fs::read(ana.change()).unwrap();
    assert_eq!(code(receive(&ben, &change)), "change.foreign");
}

#[test]
fn another_change_is_not_mixed_with_the_open_one() {
    let (ana, ben, _) = three();
    ben.add("other", b"y");
    assert_eq!(code(receive(&ben, &export(&ana))), "change.differs");
}

#[test]
fn only_signatures_that_count_are_taken() {
    let (ana, ben, _) = three();
    signs(&ana, &[ana.ana]);
    // One more of a stranger.
    let more = edit(&ana, |draft| {
        let signatures = draft.get_mut("signatures").unwrap().as_array_mut().unwrap();
        signatures.push(Value::from_iter([
            ("keyid", Value::from("ab".repeat(32))),
            ("sig", Value::from("00".repeat(64))),
        ]));
    });
    run(receive(&ben, &more));
    let draft = &ben.repository().change().unwrap().drafts[0];
    assert_eq!(draft.needs[0].have, 1);
    let document = Document::parse(draft.bytes()).unwrap();
    assert_eq!(document.signature_keyids().count(), 1);
}

/// Ana's change with the draft of targets edited by hand.
fn edit(ana: &World, edit: impl Fn(&mut Value)) -> Vec<u8> {
    let mut change = Value::parse(&export(ana)).unwrap();
    let drafts = change.get_mut("drafts").unwrap();
    edit(drafts.get_mut("targets").unwrap());
    change.to_compact_json()
}

#[test]
fn a_signature_that_does_not_verify_is_a_reason_to_refuse_the_change() {
    let (ana, ben, _) = three();
    signs(&ana, &[ana.ana]);
    let signature = |member: &'static str, text: String| {
        move |draft: &mut Value| {
            let signatures = draft.get_mut("signatures").unwrap().as_array_mut().unwrap();
            *signatures[0].get_mut(member).unwrap() = Value::from(text.as_str());
        }
    };
    let changed = edit(&ana, |draft| {
        let target = draft.get_mut("signed").unwrap().get_mut("targets").unwrap();
        let target = target.get_mut("app.tar.2").unwrap();
        *target.get_mut("length").unwrap() = 6.into();
    });
    let bens = named("ben", ana.ben).keyid().as_str().to_owned();
    for (bad, whose) in [
        (changed.clone(), "ana "),
        (edit(&ana, signature("sig", "00".repeat(64))), "ana "),
        (
            edit(&ana, signature("sig", "not hexadecimal".to_owned())),
            "ana ",
        ),
        (edit(&ana, signature("keyid", bens)), "ben "),
    ] {
        let error = receive(&ben, &bad).unwrap_err();
        assert_eq!(error.code(), "change.signature");
        assert_eq!(error.class(), Class::Untrustworthy);
        let text = error.to_string();
        assert!(
            text.contains(whose) && text.contains(" on targets "),
            "{text}"
        );
        assert!(!ben.change().exists());
        // For signatures on the change that is open it is the same, unless that says something else.
        if bad != changed {
            assert_eq!(code(receive(&ana, &bad)), "change.signature");
        }
    }
    assert_eq!(code(receive(&ana, &changed)), "change.differs");
    run(receive(&ben, &export(&ana)));
}

/// Ana's change with a member of `keys` or `roles` put in.
fn with(world: &World, member: &str, name: &str, value: Value) -> Vec<u8> {
    let mut change = Value::parse(&export(world)).unwrap();
    let members = change.get_mut(member).unwrap().as_object_mut().unwrap();
    members.insert(name.to_owned(), value);
    change.to_compact_json()
}

fn key_entry(keyid: &str, of: &dyn Signer, online: bool) -> Value {
    let key = named("x", of);
    Value::from_iter([
        ("keyid", Value::from(keyid)),
        ("online", Value::from(online)),
        ("public", Value::from(key.key().metadata().public.as_str())),
        ("scheme", Value::from(key.key().scheme().name())),
    ])
}

fn own_entry(of: &dyn Signer, online: bool) -> Value {
    key_entry(named("x", of).keyid().as_str(), of, online)
}

#[test]
fn a_key_cannot_come_under_the_keyid_of_another() {
    let (ana, ben, _) = three();
    let entry = key_entry(named("ana", ana.ana).keyid().as_str(), key(), false);
    let change = with(&ana, "keys", "ana", entry);
    assert_eq!(code(receive(&ben, &change)), "repo.format");
}

#[test]
fn a_name_is_not_taken_over_and_what_no_draft_needs_is_not_learned() {
    let (ana, ben, _) = three();
    let before = ben.repository().policy().clone();
    // Nothing uses the stranger's key, so the name stays Ana's; targets delegates nothing, so nothing is asked of a role.
    run(receive(
        &ben,
        &with(&ana, "keys", "ana", own_entry(key(), false)),
    ));
    assert_eq!(*ben.repository().policy(), before);
    run(ben.repository().drop_change());
    let role = Value::parse(br#"{"period":"3653d","threshold":0}"#).unwrap();
    run(receive(&ben, &with(&ana, "roles", "team", role)));
    assert_eq!(*ben.repository().policy(), before);

    // A draft that does use it takes the name as little while Ana's key is still there.
    let ana = World::published();
    let ben = ana.fork();
    let stranger = key();
    ana.delegate("team", &[("sam", stranger)]);
    run(receive(&ben, &export(&ana)));
    assert_eq!(ben.repository().change().unwrap().named.len(), 1);
    assert_eq!(ben.repository().change().unwrap().asked[0].0, "team");
    run(ben.repository().drop_change());
    let stolen = with(&ana, "keys", "ana", own_entry(stranger, false));
    assert_eq!(code(receive(&ben, &stolen)), "change.foreign");
    let role = Value::parse(br#"{"period":"30d","threshold":0}"#).unwrap();
    assert_eq!(
        code(receive(&ben, &with(&ana, "roles", "team", role))),
        "change.foreign"
    );
}

#[test]
fn k01_a_received_change_cannot_make_a_key_of_automation_one_of_people() {
    let ana = World::published();
    let ben = ana.fork();
    run(ana.repository().renew(&[RoleName::Root], NOW));
    // Root lets the online key sign targets.
    let online = named("online", ana.online).keyid();
    ana.edit_draft("root", |root| {
        let roles = root.object("roles");
        let targets = roles.get_mut("targets").unwrap();
        let keyids = targets.get_mut("keyids").unwrap().as_array_mut().unwrap();
        keyids.push(Value::from(online.as_str()));
    });
    assert_eq!(code(receive(&ben, &export(&ana))), "policy.online-key");
    for entry in [own_entry(ana.online, false), own_entry(key(), false)] {
        let change = with(&ana, "keys", "online", entry);
        let code = code(receive(&ben, &change));
        assert!(
            ["policy.online-key", "change.foreign"].contains(&code),
            "{code}"
        );
    }
}

#[test]
fn snapshot_and_timestamp_are_no_part_of_a_change() {
    let (ana, ben, _) = three();
    for name in ["snapshot", "timestamp"] {
        let file = if name == "snapshot" {
            "2.snapshot.json"
        } else {
            "timestamp.json"
        };
        let mut draft = ana.document(file);
        draft.set("version", 3.into());
        draft.clear_signatures();
        let draft = Value::parse(&draft.to_bytes()).unwrap();
        let change = with(&ana, "drafts", name, draft.clone());
        assert_eq!(code(receive(&ben, &change)), "repo.format", "{name}");
        // Nor in the file of the open change.
        let world = ana.fork();
        world.edit_change(|drafts| drop(drafts.insert(name.to_owned(), draft)));
        assert_eq!(code(world.repository().change()), "repo.format", "{name}");
    }
}

#[test]
fn what_nobody_signs_does_not_travel() {
    let (ana, ben, _) = three();
    let mut change = Value::parse(&export(&ana)).unwrap();
    let targets = change
        .get_mut("drafts")
        .unwrap()
        .get_mut("targets")
        .unwrap();
    let members = targets.as_object_mut().unwrap();
    members.insert("x-note".to_owned(), Value::from("unseen"));
    run(receive(&ben, &change.to_compact_json()));
    let open = ben.repository().change().unwrap();
    assert!(!String::from_utf8_lossy(open.drafts[0].bytes()).contains("unseen"));
}

#[test]
fn a_rotation_travels_with_the_name_of_the_new_key() {
    let ana = World::published();
    let ben = ana.fork();
    let new = key();
    let rotate = RotateKey::new("vault", named("vault-2", new));
    run(ana.repository().rotate_key(&rotate, NOW));
    signs(&ana, &[ana.ana]);
    let actions = run(receive(&ben, &export(&ana)));
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::Named { .. }))
    );
    signs(&ben, &[ben.ben]);
    run(receive(&ana, &export(&ben)));
    ana.publish(NOW);
    assert!(ana.repository().policy().keys.contains_key("vault-2"));
}

#[test]
fn nothing_is_exported_when_nothing_is_open() {
    let world = World::published();
    assert_eq!(code(world.repository().export_change()), "change.none");
    let empty = br#"{"base":{},"drafts":{},"format":1,"keys":{},"roles":{}}"#;
    assert_eq!(code(receive(&world, empty)), "change.none");
    assert_eq!(code(receive(&world, b"{")), "repo.format");
}

#[test]
fn a_draft_shows_what_it_changes() {
    let (ana, ..) = three();
    let change = ana.repository().change().unwrap();
    let lines: Vec<String> = change.drafts[0]
        .differences
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("+ targets › app.tar.2 = {\"hashes\"")),
        "{lines:?}"
    );
    assert!(lines.contains(&"~ version: 2 → 3".to_owned()), "{lines:?}");
}

/// Every way to change one thing in a value: take a member or an element away, put one in, replace a leaf.
fn mutations(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let mut without = members.clone();
                without.remove(name);
                all.push(Value::Object(without));
                for changed in mutations(member) {
                    let mut with = members.clone();
                    with.insert(name.clone(), changed);
                    all.push(Value::Object(with));
                }
            }
            let mut more = members.clone();
            more.insert("x-new".to_owned(), 1.into());
            all.push(Value::Object(more));
        }
        Value::Array(elements) => {
            for (place, element) in elements.iter().enumerate() {
                let mut without = elements.clone();
                without.remove(place);
                all.push(Value::Array(without));
                let mut twice = elements.clone();
                twice.push(element.clone());
                all.push(Value::Array(twice));
                for changed in mutations(element) {
                    let mut with = elements.clone();
                    with[place] = changed;
                    all.push(Value::Array(with));
                }
            }
            let mut turned = elements.clone();
            turned.reverse();
            if turned != *elements {
                all.push(Value::Array(turned));
            }
        }
        Value::Text(text) => all.push(Value::from(format!("{text} ").as_str())),
        Value::Bool(is) => all.push(Value::from(!is)),
        Value::Integer(_) => all.push(Value::from(value.as_u64().unwrap() + 1)),
        Value::Null => all.push(Value::from(true)),
    }
    all
}

/// Puts into a value what a difference says.
fn apply(value: &mut Value, difference: &Difference) {
    let Some((first, rest)) = difference.place.split_first() else {
        if difference.order {
            let names = difference.after.as_ref().unwrap().as_array().unwrap();
            let old = value.as_array().unwrap().to_vec();
            let element = |name: &Value| old.iter().find(|one| one.get("name") == Some(name));
            *value = names
                .iter()
                .map(|name| element(name).unwrap().clone())
                .collect();
        } else {
            *value = difference.after.clone().unwrap();
        }
        return;
    };
    let mut deeper = difference.clone();
    deeper.place = rest.to_vec();
    let removed = rest.is_empty() && !difference.order && difference.after.is_none();
    let added = rest.is_empty() && !difference.order && difference.before.is_none();
    if let Value::Array(elements) = value {
        let named = |one: &Value| one.get("name").and_then(Value::as_str) == Some(first);
        if removed {
            elements.retain(|one| !named(one));
        } else if added {
            elements.push(difference.after.clone().unwrap());
        } else {
            apply(elements.iter_mut().find(|one| named(one)).unwrap(), &deeper);
        }
        return;
    }
    let members = value.as_object_mut().unwrap();
    if removed {
        members.remove(first).unwrap();
    } else if added {
        assert!(
            members
                .insert(first.clone(), difference.after.clone().unwrap())
                .is_none()
        );
    } else {
        apply(members.get_mut(first).unwrap(), &deeper);
    }
}

#[test]
fn nothing_in_a_difference_passes_for_something_else() {
    let after =
        Value::parse("{\"app\u{200b}.txt\":\"a\u{202e}   ~ version: 1 → 2\u{1f600}\"}".as_bytes())
            .unwrap();
    let shown = differences(None, &after)[0].to_string();
    assert_eq!(
        shown,
        r#"+ "app\u200b.txt" = "a\u202e \u0020\u0020~ version: 1 \u2192 2\ud83d\ude00""#
    );
}

#[test]
fn every_single_change_of_a_role_is_visible_at_its_place() {
    let world = World::published();
    let paths = DelegatedPaths::Patterns(vec!["team/*".to_owned(), "lib/*".to_owned()]);
    let keys = || vec![named("sam", key()), named("lin", key())];
    for name in ["team", "other"] {
        let delegate = Delegate::new(delegated(name), paths.clone(), keys());
        run(world.repository().delegate(&delegate, NOW));
    }
    let change = world.repository().change().unwrap();
    let mut count = 0;
    for bytes in [
        change.drafts[0].bytes().to_vec(),
        fs::read(world.metadata("1.root.json")).unwrap(),
    ] {
        let document = Document::parse(&bytes).unwrap();
        let before = document.signed();
        for after in mutations(before) {
            let shown = differences(Some(before), &after);
            assert!(!shown.is_empty(), "{after:?}");
            // Complete and at their places: with nothing but them the one becomes the other.
            let mut built = before.clone();
            shown.iter().for_each(|one| apply(&mut built, one));
            assert_eq!(built, after, "{shown:?}");
            count += 1;
        }
        assert!(differences(Some(before), before).is_empty());
    }
    assert!(count >= 60, "{count}");
}

#[test]
fn publishing_needs_the_artifacts_that_did_not_travel() {
    let (ana, ben, _) = three();
    signs(&ana, &[ana.ana]);
    run(receive(&ben, &export(&ana)));
    signs(&ben, &[ben.ben]);
    let publish = Publish::to(ben.public());
    let plan = ben.repository().publish(&publish, &[ben.online], NOW);
    assert_eq!(code(plan), "target.content-missing");
    let file = ben.file("app.tar.2", b"app 2");
    let again = AddTarget::new(path("app.tar.2"), file).replace();
    run(ben.repository().add_target(&again, NOW));
    assert!(
        ben.repository().change().unwrap().is_quorate(),
        "the same content keeps its signatures"
    );
    run(ben.repository().publish(&publish, &[ben.online], NOW));
}
