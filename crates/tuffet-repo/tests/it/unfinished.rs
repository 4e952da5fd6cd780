//! Publications that broke off: nothing says that all is well before clients see what was made.

use std::fs;

use tuffet_core::metadata::{RoleName, UnixTime, Version};
use tuffet_repo::{Action, Publish};

use crate::crash::crash;
use crate::support::{NOW, World, code, run};

#[test]
fn a_publication_that_broke_off_is_told_of_until_it_is_ended() {
    for edits in [false, true] {
        let base = World::published();
        if edits {
            base.add("b", b"b");
            base.sign();
        }
        assert_eq!(base.repository().change().unwrap().unpublished, None);
        let plan = base.plan(&[base.online], NOW).unwrap();
        let all: Vec<_> = plan.writes().cloned().collect();
        drop(plan);
        let own = base.directory().join("metadata/timestamp.json");
        let place = base.metadata("timestamp.json");
        let position = |path| {
            let is = |write: &tuffet_repo::Write| write.at.path() == Some(path);
            all.iter().position(is).unwrap()
        };
        let (sealed, switched) = (position(own.as_path()), position(place.as_path()));
        assert!(sealed < switched);
        for writes in 0..all.len() {
            let world = base.fork();
            crash(world.plan(&[world.online], NOW).unwrap(), writes);
            let unpublished = world.repository().change().unwrap().unpublished;
            if writes > sealed && writes <= switched {
                assert_eq!(unpublished, Version::new(3), "after {writes} writes");
                let error = world.repository().undo();
                let expected = if edits {
                    "change.no-edit"
                } else {
                    "change.none"
                };
                assert_eq!(code(error), expected);
            }
            let actions = world.publish(NOW);
            let targets = |action: &Action| {
                matches!(
                    action,
                    Action::Published {
                        role: RoleName::Targets,
                        ..
                    }
                )
            };
            // What clients come to see is told, also if it was sealed before.
            let told = actions.iter().filter(|action| targets(action)).count();
            let new = edits && writes <= switched;
            assert_eq!(told, usize::from(new), "after {writes} writes: {actions:?}");
            assert_eq!(world.repository().change().unwrap().unpublished, None);
        }
    }
}

#[test]
fn a_copy_that_has_got_what_others_have_published_has_nothing_to_end() {
    let world = World::published();
    let copy = world.fork();
    let to = Publish::to(world.public());
    let plan = copy.repository().publish(&to, &[copy.online], NOW).unwrap();
    let writes = plan.writes().count();
    // All but the switch, what is remembered, and the end of the change.
    crash(plan, writes - 3);
    assert_eq!(
        copy.repository().change().unwrap().unpublished,
        Version::new(3)
    );
    let later = UnixTime(NOW.0 + 1);
    run(world.plan(&[world.online], later));
    let own = copy.directory().join("metadata/timestamp.json");
    fs::copy(world.metadata("timestamp.json"), own).unwrap();
    assert_eq!(copy.repository().change().unwrap().unpublished, None);
}
