//! Clients that come while somebody publishes.

use std::path::PathBuf;

use tuffet_core::metadata::RoleName;
use tuffet_repo::{
    Action, Delegate, DelegatedPaths, Disk, Error, FileSystem, Period, Repository, RotateKey, Write,
};
use tuffet_sign::Signer;

use crate::support::{NOW, World, code, delegated, key, named, run, versions};

/// Keeps a copy of the repository as it is after every write that clients can see.
struct Moments<'w> {
    world: &'w World,
    seen: Vec<World>,
}

impl Disk for Moments<'_> {
    fn apply(&mut self, write: &Write) -> Result<(), Error> {
        FileSystem.apply(write)?;
        if write.at.path().unwrap().starts_with(self.world.public()) {
            self.seen.push(self.world.fork());
        }
        Ok(())
    }
}

/// Publishes, with clients at work that have seen the last version or nothing, and whose requests fall into any two moments.
/// Returns what was done, and in how many ways a client was refused.
fn publish_among_clients(world: &World, online: &[&dyn Signer]) -> (Vec<Action>, usize) {
    let mut old = world.client();
    let before = versions(&old.refresh(&world.public(), NOW).unwrap());
    let mut moments = Moments {
        world,
        seen: vec![world.fork()],
    };
    let plan = world.plan(online, NOW).unwrap();
    let actions = plan.execute_on(&mut moments).unwrap();
    let places: Vec<PathBuf> = moments.seen.iter().map(World::public).collect();
    let last = versions(&world.client().refresh(&world.public(), NOW).unwrap());
    let mut refused = 0;
    for (from, early) in places.iter().enumerate() {
        for late in places.iter().skip(from) {
            // Of the requests of a refresh so many come early, the others late.
            for split in 0..6 {
                for mut client in [old.clone(), world.client()] {
                    let place = |request| if request < split { early } else { late };
                    let result = client.refresh_while_published(|n| place(n).as_path(), NOW);
                    match result.as_ref().map(versions) {
                        Ok(seen) => {
                            let all = seen.iter().zip(before.iter().zip(&last));
                            for (seen, (before, last)) in all {
                                assert!(before <= seen && seen <= last, "{from} {split}");
                            }
                        }
                        Err(_) => refused += 1,
                    }
                    // Whatever it met, the next refresh brings everything.
                    let next = client.refresh(&world.public(), NOW).unwrap();
                    assert_eq!(versions(&next), last, "{from} {split}");
                }
            }
        }
    }
    (actions, refused)
}

#[test]
fn r13_a_rotation_of_any_top_level_role_has_no_moment_in_which_clients_fail() {
    for role in [
        RoleName::Root,
        RoleName::Timestamp,
        RoleName::Snapshot,
        RoleName::Targets,
    ] {
        let (world, one, other) = (World::published(), key(), key());
        let online = matches!(role, RoleName::Timestamp | RoleName::Snapshot);
        // Of root and targets two of the three keys go, so that those that stay are not enough for either root.
        let pairs: &[(&str, &'static tuffet_sign::FileKey)] = if online {
            &[("online", one)]
        } else {
            &[("ben", one), ("vault", other)]
        };
        for (old, new) in pairs {
            let rotate = RotateKey::new(old, named(&format!("{old}-2"), *new));
            run(world
                .repository()
                .rotate_key(&rotate.role(role.clone()), NOW));
        }
        let people: &[&dyn Signer] = match role {
            RoleName::Timestamp | RoleName::Snapshot => &[world.ana, world.ben],
            _ => &[world.ana, world.ben, one],
        };
        let machines: &[&dyn Signer] = if online {
            &[world.online, one]
        } else {
            &[world.online]
        };

        run(world.repository().sign(people));
        let (actions, refused) = publish_among_clients(&world, machines);
        assert!(!actions.contains(&Action::Gap), "{role}: {actions:?}");
        assert_eq!(refused, 0, "{role}");
    }
}

#[test]
fn r13_without_the_old_key_there_is_a_moment_and_it_is_said() {
    // Every role has a key of its own, so that one can be lost while the others are there.
    let roles = [RoleName::Timestamp, RoleName::Snapshot, RoleName::Targets];
    for lost in &roles {
        let (world, new) = (World::empty(), key());
        let keys = [key(), key(), key()];
        let mut options = world.options();
        let places = [
            &mut options.timestamp,
            &mut options.snapshot,
            &mut options.targets,
        ];
        for ((place, role), key) in places.into_iter().zip(&roles).zip(keys) {
            place.keys = vec![named(role.as_str(), key)];
            place.threshold = 1;
        }
        let people: [&dyn Signer; 2] = [world.ana, world.ben];
        run(Repository::init(&world.directory(), &options, &people, NOW));
        run(world.plan(&keys.map(|key| key as &dyn Signer), NOW));

        let rotate = RotateKey::new(lost.as_str(), named("new", new));
        run(world.repository().rotate_key(&rotate, NOW));
        run(world.repository().sign(&people));
        let left = keys.iter().zip(&roles).filter(|(_, role)| *role != lost);
        let left = left.map(|(key, _)| *key as &dyn Signer);
        let left: Vec<&dyn Signer> = left.chain([new as &dyn Signer]).collect();
        let (actions, refused) = publish_among_clients(&world, &left);
        assert!(actions.contains(&Action::Gap), "{lost}: {actions:?}");
        assert!(refused > 0, "{lost}");
    }
}

/// A repository with bins, and where the targets are that were added to it.
fn with_bins(bit_length: u32) -> (World, &'static tuffet_sign::FileKey, Vec<String>) {
    let (world, machine) = (World::published(), key());
    let paths = DelegatedPaths::Bins { bit_length };
    let bins = Delegate::new(delegated("bin"), paths, vec![named("bins", machine)]).online();
    run(world.repository().delegate(&bins, NOW));
    let names: Vec<String> = (0..16).map(|number| format!("files/{number}")).collect();
    for name in &names {
        world.add(name, name.as_bytes());
    }
    run(world.repository().sign(&[world.ana, world.ben]));
    run(world.plan(&[world.online, machine], NOW));
    (world, machine, names)
}

#[test]
fn r13_another_number_of_bins_has_no_moment_in_which_clients_fail() {
    for (old, new) in [(2, 5), (5, 2), (3, 4), (4, 1)] {
        let (world, machine, names) = with_bins(old);
        let mut client = world.client();
        for name in &names {
            client.get(&world.public(), NOW, name).unwrap();
        }
        run(world.repository().rebin(&RoleName::Targets, new, NOW));
        run(world.repository().sign(&[world.ana, world.ben]));
        let mut moments = Moments {
            world: &world,
            seen: vec![world.fork()],
        };
        let plan = world.plan(&[world.online, machine], NOW).unwrap();
        plan.execute_on(&mut moments).unwrap();
        for (number, moment) in moments.seen.iter().enumerate() {
            for mut client in [client.clone(), world.client()] {
                for name in names.iter().skip(number % 7).step_by(7) {
                    let (_, bytes) = client.get(&moment.public(), NOW, name).unwrap();
                    assert_eq!(bytes, name.as_bytes(), "{old} {new} {number}");
                }
            }
        }
        for mut client in [client, world.client()] {
            for name in &names {
                let found = client.find(&world.public(), NOW, name).unwrap();
                let digits = usize::try_from(new).unwrap().div_ceil(4);
                assert_eq!(found.role.as_str().len(), "bin-".len() + digits);
            }
        }
        let listed = world.repository().targets(None).unwrap();
        assert_eq!(listed.len(), names.len() + 1, "each once, and app.tar");
    }
}

#[test]
fn bins_that_nobody_looked_for_are_asked_when_they_expire_or_counted() {
    for (bit_length, early, looked) in [(3, 8, None), (9, 0, Some("0 of 512"))] {
        let (world, machine) = (World::published(), key());
        let paths = DelegatedPaths::Bins { bit_length };
        let bins = Delegate::new(delegated("bin"), paths, vec![named("bins", machine)]);
        // The next publication is due in half a day.
        let bins = bins.online().period(Period::parse("6h").unwrap());
        run(world.repository().delegate(&bins, NOW));
        world.sign();
        run(world.plan(&[world.online, machine], NOW));
        let actions = run(world.plan(&[world.online], NOW));
        let found = |action: &&Action| matches!(action, Action::ExpiresEarly { .. });
        assert_eq!(actions.iter().filter(found).count(), early);
        let found = |action: &&Action| matches!(action, Action::BinsAsked { .. });
        let said = actions.iter().find(found).map(ToString::to_string);
        assert_eq!(said.is_some(), looked.is_some());
        assert!(
            said.unwrap_or_default()
                .contains(looked.unwrap_or_default())
        );
    }
}

#[test]
fn bins_are_only_shared_out_among_another_number_of_them() {
    let (world, ..) = with_bins(3);
    let rebin = |by: RoleName, bits| code(world.repository().rebin(&by, bits, NOW));
    assert_eq!(rebin(RoleName::Targets, 3), "role.unsuited");
    assert_eq!(rebin(RoleName::Targets, 17), "role.paths");
    assert_eq!(rebin(RoleName::Root, 4), "role.unsuited");
}
