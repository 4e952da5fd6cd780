//! What people have signed is not changed by the way.

use std::fs;

use tuffet_core::metadata::RoleName;
use tuffet_repo::{
    Action, AddTarget, Delegate, DelegatedPaths, Error, Period, Plan, Repository, SetRole,
};
use tuffet_sign::Signer;

use crate::support::{NOW, World, after, code, delegated, key, named, path, role, run};

/// A target waits for nobody any more: Ana and the vault have signed it.
fn signed() -> World {
    let world = World::published();
    world.add("two", b"2");
    run(world.repository().sign(&[world.ana, world.vault]));
    assert!(world.repository().change().unwrap().is_quorate());
    world
}

fn add(repository: &Repository, world: &World, name: &str) -> Result<Plan, Error> {
    let file = world.file(name, name.as_bytes());
    repository.add_target(&AddTarget::new(path(name), file), NOW)
}

/// Whose signatures an edit discarded, by role.
fn discarded(actions: &[Action]) -> Vec<(RoleName, Vec<String>)> {
    let discarded = actions.iter().filter_map(|action| match action {
        Action::Discarded { role, keys, .. } => {
            let names = keys.iter().filter_map(|key| key.name.clone());
            Some((role.clone(), names.collect()))
        }
        _ => None,
    });
    discarded.collect()
}

#[test]
fn an_edit_of_what_somebody_has_signed_is_refused_and_names_them() {
    let world = signed();
    let before = fs::read(world.change()).unwrap();
    let repository = world.repository();
    let targets = [RoleName::Targets];
    let team = Delegate::new(
        delegated("team"),
        DelegatedPaths::Patterns(vec!["team/*".to_owned()]),
        vec![named("sam", key())],
    );
    for plan in [
        add(&repository, &world, "three"),
        repository.remove_target(&path("two"), None, NOW),
        repository.yank_target(&path("app.tar"), NOW),
        repository.renew(&targets, after(1)),
        repository.set_role(&SetRole::new("targets").expires(Period::days(3)), NOW),
        repository.delegate(&team, NOW),
    ] {
        let error = plan.unwrap_err();
        assert_eq!(error.code(), "change.signed");
        let text = error.to_string();
        assert!(text.contains("targets is signed by "), "{text}");
        assert!(text.contains("ana ") && text.contains("vault "), "{text}");
    }
    assert_eq!(fs::read(world.change()).unwrap(), before);
}

#[test]
fn signatures_stay_on_roles_that_an_edit_does_not_change() {
    let world = signed();
    let root = SetRole::new("root").expires(Period::days(9));
    let actions = run(world.repository().set_role(&root, NOW));
    assert_eq!(discarded(&actions), []);
    // Nor does an edit change what is said already.
    world.add("two", b"2");
    let change = world.repository().change().unwrap();
    let targets = change
        .drafts
        .iter()
        .find(|one| one.role == RoleName::Targets);
    assert!(targets.unwrap().is_quorate());
}

#[test]
fn signatures_are_discarded_where_that_is_asked_for_and_it_is_said() {
    let world = signed();
    let repository = world.discarding();
    let actions = run(add(&repository, &world, "three"));
    let [(of, mut names)] = <[_; 1]>::try_from(discarded(&actions)).unwrap();
    names.sort();
    assert_eq!(
        (of, names),
        (
            RoleName::Targets,
            vec!["ana".to_owned(), "vault".to_owned()]
        )
    );
    let change = world.repository().change().unwrap();
    assert_eq!(change.drafts[0].needs[0].have, 0);
    // Nobody has signed this, so nothing is asked for.
    run(add(&world.repository(), &world, "four"));

    run(world.repository().sign(&[world.ben]));
    assert_eq!(code(world.repository().undo()), "change.signed");
    let repository = world.discarding();
    let actions = run(repository.undo());
    assert_eq!(
        discarded(&actions),
        [(RoleName::Targets, vec!["ben".to_owned()])]
    );
}

#[test]
fn a_founder_fills_what_was_signed_empty_and_nothing_else() {
    let world = World::founded();
    let actions = run(add(&world.repository(), &world, "one"));
    assert_eq!(discarded(&actions)[0].0, RoleName::Targets);
    world.sign();
    assert_eq!(
        code(add(&world.repository(), &world, "two")),
        "change.signed"
    );
    let root = SetRole::new("root").expires(Period::days(9));
    assert_eq!(
        code(world.repository().set_role(&root, NOW)),
        "change.signed"
    );
}

#[test]
fn the_draft_of_a_role_is_not_taken_from_those_who_have_signed_it() {
    let world = World::published();
    let sam = key();
    world.delegate("edge", &[("sam", sam)]);
    world.sign();
    run(world.repository().sign(&[sam]));
    world.publish(NOW);
    let file = world.file("fw", b"fw");
    let edge = AddTarget::new(path("edge/fw"), file).role(role("edge"));
    run(world.repository().add_target(&edge, NOW));
    let unsigned = fs::read(world.change()).unwrap();
    run(world.repository().sign(&[sam]));
    let removed = || world.repository().remove_delegation("edge", None, NOW);
    assert_eq!(code(removed()), "change.signed");
    fs::write(world.change(), unsigned).unwrap();
    run(removed());
}

#[test]
fn what_automation_signs_is_edited_on() {
    let world = World::published();
    let paths = DelegatedPaths::Patterns(vec!["bot/*".to_owned()]);
    let keys = vec![named("online", world.online)];
    let bot = Delegate::new(delegated("bot"), paths, keys).online();
    run(world.repository().delegate(&bot, NOW));
    world.sign();
    world.publish(NOW);
    for name in ["bot/one", "bot/two"] {
        let file = world.file("content", name.as_bytes());
        let add = AddTarget::new(path(name), file).role(role("bot"));
        run(world.repository().add_target(&add, NOW));
        let online: [&dyn Signer; 1] = [world.online];
        run(world.repository().sign(&online));
    }
}
