//! A crash after any write leaves the old or the new repository, and the operation can be repeated.

use tuffet_core::metadata::RoleName;
use tuffet_repo::{
    Delegate, DelegatedPaths, Disk, Error, FileSystem, Plan, Recover, RotateKey, Write,
};
use tuffet_sign::Signer;

use crate::support::{Client, NOW, World, code, delegated, key, named, run, versions};

/// Makes so many changes and then stops, as a crash would.
struct Stops {
    left: usize,
    /// Changes of one step come in any order.
    backwards: bool,
}

impl Disk for Stops {
    fn apply(&mut self, write: &Write) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or(Error::NoChange)?;
        FileSystem.apply(write)
    }

    fn apply_all(&mut self, writes: &[Write]) -> Result<(), Error> {
        if self.backwards {
            return writes.iter().rev().try_for_each(|write| self.apply(write));
        }
        writes.iter().try_for_each(|write| self.apply(write))
    }
}

pub(crate) fn crash(plan: Plan, after: usize) {
    crash_in_order(plan, after, false);
}

fn crash_in_order(plan: Plan, left: usize, backwards: bool) {
    let mut disk = Stops { left, backwards };
    assert!(plan.execute_on(&mut disk).is_err());
}

/// Publishes with a crash after every write in turn. `states` are the versions that clients may see in between.
fn publish_with_crashes(world: &World, online: &[&dyn Signer], states: &[[u64; 4]], gap: bool) {
    let writes = world.plan(online, NOW).unwrap().writes().count();
    let mut old = world.client_if_published();
    if let Some(client) = &mut old {
        client.refresh(&world.public(), NOW).unwrap();
    }
    let last = states[states.len() - 1];
    let mut gaps = 0;
    for after in 0..writes {
        let world = world.fork();
        crash(world.plan(online, NOW).unwrap(), after);
        for client in [old.clone(), world.client_if_published()]
            .into_iter()
            .flatten()
        {
            match client.clone().refresh(&world.public(), NOW) {
                Ok(view) => {
                    let seen = versions(&view);
                    assert!(states.contains(&seen), "after {after} writes: {seen:?}");
                }
                // Before the first publication there is nothing to see.
                Err(error) if old.is_none() => assert_eq!(error.code(), "missing.timestamp"),
                Err(error) => {
                    assert!(gap, "after {after} writes: {error}");
                    gaps += 1;
                }
            }
        }
        // Whoever publishes again gets to the end; a timestamp that was sealed already is not used a second time.
        run(world.plan(online, NOW));
        for mut client in [old.clone(), Some(world.client())].into_iter().flatten() {
            let seen = versions(&client.refresh(&world.public(), NOW).unwrap());
            assert_eq!((seen[0], seen[2], seen[3]), (last[0], last[2], last[3]));
            assert!(seen[1] == last[1] || seen[1] == last[1] + 1, "{seen:?}");
        }
        assert!(world.repository().change().unwrap().drafts.is_empty());
        assert!(!world.change().exists());
    }
    assert_eq!(gaps > 0, gap);
}

impl World {
    fn client_if_published(&self) -> Option<Client> {
        self.metadata("1.root.json").exists().then(|| self.client())
    }
}

#[test]
fn the_first_publication_survives_a_crash_at_every_write() {
    let world = World::founded();
    world.add("app.tar", b"app");
    world.sign();
    publish_with_crashes(&world, &[world.online], &[[1, 1, 1, 1]], false);
}

#[test]
fn an_update_survives_a_crash_at_every_write() {
    let (world, sam) = (World::published(), key());
    world.add("b", b"b");
    world.delegate("edge", &[("sam", sam)]);
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    publish_with_crashes(
        &world,
        &[world.online],
        &[[1, 2, 2, 2], [1, 3, 3, 3]],
        false,
    );
}

#[test]
fn a_rotation_of_a_persons_key_survives_a_crash_at_every_write() {
    let world = World::published();
    let rotate = RotateKey::new("ben", named("ben", key()));
    run(world.repository().rotate_key(&rotate, NOW));
    run(world.repository().sign(&[world.ana, world.vault]));
    // What is published is not good under the new root, so the timestamp goes first.
    let states = [[1, 2, 2, 2], [1, 3, 3, 3], [2, 3, 3, 3]];
    publish_with_crashes(&world, &[world.online], &states, false);
}

/// Whatever the order in which a step was written, what is left is gone on from, and can be dropped.
fn goes_on_after_crashes(world: &World, online: &[&dyn Signer]) {
    let writes = world.plan(online, NOW).unwrap().writes().count();
    for (after, backwards) in (0..writes).flat_map(|after| [(after, false), (after, true)]) {
        let world = world.fork();
        crash_in_order(world.plan(online, NOW).unwrap(), after, backwards);
        let state = format!("after {after} writes, backwards: {backwards}");
        let dropped = world.fork();
        if dropped
            .repository()
            .drop_change()
            .is_ok_and(|plan| plan.execute().is_ok())
        {
            assert_eq!(code(dropped.repository().roles()), "no error", "{state}");
        }
        run(world.repository().renew(&[RoleName::Root], NOW));
        run(world.repository().undo());
        let plan = world.plan(online, NOW);
        plan.unwrap_or_else(|error| panic!("{state}: {error}"))
            .execute()
            .unwrap();
        assert!(!world.change().exists());
        world.client().refresh(&world.public(), NOW).unwrap();
    }
}

#[test]
fn what_keys_signed_that_a_publication_replaces_is_gone_on_from_when_it_breaks_off() {
    let world = World::published();
    let rotate = RotateKey::new("ben", named("ben", key()));
    run(world.repository().rotate_key(&rotate, NOW));
    run(world.repository().sign(&[world.ana, world.vault]));
    goes_on_after_crashes(&world, &[world.online]);

    let (world, new) = (World::published(), key());
    let rotate = RotateKey::new("online", named("online", new));
    run(world.repository().rotate_key(&rotate, NOW));
    world.sign();
    goes_on_after_crashes(&world, &[world.online, new]);
}

/// A version is left out where a thief has used its number in the published tree.
#[test]
fn what_delegated_keys_signed_is_gone_on_from_whatever_numbers_are_skipped() {
    for skips in [false, true] {
        let (world, sam, new) = (World::published(), key(), key());
        world.delegate("edge", &[("sam", sam)]);
        run(world.repository().sign(&[world.ana, world.ben, sam]));
        world.publish(NOW);
        let mut recover = Recover::stolen().key("sam", Some(named("sam", new)));
        if skips {
            std::fs::write(world.metadata("4.targets.json"), b"{}").unwrap();
            recover = recover.published(world.public());
        }
        run(world.repository().recover(&recover, NOW));
        run(world.repository().sign(&[world.ana, world.ben, new]));
        goes_on_after_crashes(&world, &[world.online]);
        run(world.plan(&[world.online], NOW));
        let last = if skips {
            "5.targets.json"
        } else {
            "4.targets.json"
        };
        assert!(world.directory().join("metadata").join(last).exists());
    }
}

#[test]
fn a_renewal_of_root_survives_a_crash_at_every_write() {
    let world = World::published();
    run(world.repository().renew(&[RoleName::Root], NOW));
    world.sign();
    let states = [[1, 2, 2, 2], [2, 2, 2, 2], [2, 3, 2, 2]];
    publish_with_crashes(&world, &[world.online], &states, false);
}

#[test]
fn a_rotation_of_the_online_key_survives_a_crash_at_every_write() {
    let (world, new) = (World::published(), key());
    let rotate = RotateKey::new("online", named("online", new));
    run(world.repository().rotate_key(&rotate, NOW));
    world.sign();
    let states = [[1, 2, 2, 2], [1, 3, 3, 2], [2, 3, 3, 2]];
    publish_with_crashes(&world, &[world.online, new], &states, false);
    // Without the old key clients fail between the last two writes, and never see a mixture.
    let states = [[1, 2, 2, 2], [2, 3, 3, 2]];
    publish_with_crashes(&world, &[new], &states, true);
}

#[test]
fn r14_what_publish_signs_itself_survives_a_crash_at_every_write() {
    let (world, machine) = (World::published(), key());
    let paths = DelegatedPaths::Bins { bit_length: 1 };
    let bins = Delegate::new(delegated("bin"), paths, vec![named("bins", machine)]).online();
    run(world.repository().delegate(&bins, NOW));
    run(world.repository().sign(&[world.ana, world.ben]));
    // Nobody has signed the bins: that is done while publishing.
    publish_with_crashes(
        &world,
        &[world.online, machine],
        &[[1, 2, 2, 2], [1, 3, 3, 3]],
        false,
    );
}

/// Many bins are written together: when that breaks off, drafts may be left in any state beside any part of the bins.
#[test]
fn r14_many_bins_survive_a_crash_that_leaves_drafts_beside_some_of_them() {
    let (world, machine) = (World::published(), key());
    let paths = DelegatedPaths::Bins { bit_length: 7 };
    let bins = Delegate::new(delegated("bin"), paths, vec![named("bins", machine)]).online();
    run(world.repository().delegate(&bins, NOW));
    run(world.repository().sign(&[world.ana, world.ben]));
    let online: [&dyn Signer; 2] = [world.online, machine];
    let plan = world.plan(&online, NOW).unwrap();
    let writes: Vec<bool> = plan
        .writes()
        .map(|write| write.at.to_string().contains("1.bin-"))
        .collect();
    assert_eq!(writes.iter().filter(|bin| **bin).count(), 2 * 128);
    let first = writes.iter().position(|bin| *bin).unwrap();
    let last = writes.iter().rposition(|bin| *bin).unwrap();
    for (after, backwards) in [
        (first, false),
        (first + 64, true),
        (last - 64, false),
        (last, true),
    ] {
        let world = world.fork();
        crash_in_order(world.plan(&online, NOW).unwrap(), after, backwards);
        for directory in [world.directory(), world.public()] {
            for (name, bytes) in [("a", &b""[..]), ("b", b"{\"signatures\":[")] {
                let name = format!("metadata/.tuffet-{name}.tmp");
                std::fs::write(directory.join(name), bytes).unwrap();
            }
        }
        let seen = world.client().refresh(&world.public(), NOW).unwrap();
        assert_eq!(versions(&seen), [1, 2, 2, 2]);
        assert_eq!(drafts(&world), 4);
        // A dry run leaves them.
        drop(world.plan(&online, NOW).unwrap());
        assert_eq!(drafts(&world), 4);
        run(world.plan(&online, NOW));
        // Those where it is published may be somebody else's, who writes at the moment.
        assert_eq!(drafts(&world), 2);
        let seen = world.client().refresh(&world.public(), NOW).unwrap();
        assert_eq!(versions(&seen)[2..], [3, 3]);
        assert!(!world.change().exists());
    }
}

/// How many drafts lie beside metadata.
fn drafts(world: &World) -> usize {
    let draft = |entry: &std::io::Result<std::fs::DirEntry>| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_str().unwrap().starts_with(".tuffet-")
    };
    let directories = [world.directory(), world.public()].into_iter();
    let drafts = directories.map(|directory| {
        let entries = std::fs::read_dir(directory.join("metadata"));
        entries.unwrap().filter(draft).count()
    });
    drafts.sum()
}

#[test]
fn an_edit_survives_a_crash_at_every_write() {
    let world = World::published();
    let file = world.file("b", b"b");
    let add = tuffet_repo::AddTarget::new(crate::support::path("b"), file);
    let writes = world
        .repository()
        .add_target(&add, NOW)
        .unwrap()
        .writes()
        .count();
    for after in 0..writes {
        let world = world.fork();
        crash(world.repository().add_target(&add, NOW).unwrap(), after);
        assert!(world.repository().change().unwrap().drafts.is_empty());
        run(world.repository().add_target(&add, NOW));
        world.sign();
        world.publish(NOW);
        world.client().get(&world.public(), NOW, "b").unwrap();
    }
}

#[test]
fn an_undo_survives_a_crash_at_every_write() {
    let world = World::published();
    world.add("one", b"1");
    let first = std::fs::read(world.change()).unwrap();
    world.add("two", b"2");
    let writes = world.repository().undo().unwrap().writes().count();
    // First a note of what only the edit has staged.
    assert_eq!(writes, 3);
    for after in 0..writes {
        let world = world.fork();
        crash(world.repository().undo().unwrap(), after);
        let undone = std::fs::read(world.change()).unwrap() == first;
        assert_eq!(undone, after > 1);
        if !undone {
            run(world.repository().undo());
        }
        // What is left of the past is the past, and nothing else.
        run(world.repository().undo());
        assert!(!world.change().exists());
    }
}

#[test]
fn a_promotion_survives_a_crash_at_every_write() {
    use tuffet_repo::{AddTarget, NewChannel, Promote};

    let world = World::published();
    let (beta, stable) = (delegated("beta"), delegated("stable"));
    for name in [&beta, &stable] {
        let channel = NewChannel::new(name.clone());
        run(world.repository().new_channel(&channel, NOW));
    }
    let path = crate::support::path("beta/app.tar");
    let add = AddTarget::new(path, world.file("app.tar", b"app 2"));
    let add = add.role(crate::support::role("beta"));
    run(world.repository().add_target(&add, NOW));
    world.sign();
    world.publish(NOW);
    std::fs::remove_dir_all(world.directory().join(".tuffet/objects")).unwrap();
    let promote = Promote::new("app.tar", beta, stable);
    run(world.repository().promote(&promote, NOW));
    world.sign();
    publish_with_crashes(
        &world,
        &[world.online],
        &[[1, 3, 3, 3], [1, 4, 4, 3]],
        false,
    );
}

#[test]
fn a_beginning_survives_a_crash_at_every_write() {
    let world = World::empty();
    let signers: [&dyn Signer; 2] = [world.ana, world.ben];
    let init = |world: &World| {
        tuffet_repo::Repository::init(&world.directory(), &world.options(), &signers, NOW)
    };
    let writes = init(&world).unwrap().writes().count();
    for after in 0..writes {
        let world = world.fork();
        crash(init(&world).unwrap(), after);
        run(init(&world));
        world.publish(NOW);
        world.client().refresh(&world.public(), NOW).unwrap();
    }
}

#[test]
fn what_was_sealed_before_a_crash_is_never_used_for_other_bytes() {
    let world = World::published();
    world.add("b", b"b");
    world.sign();
    let plan = world.plan(&[world.online], NOW).unwrap();
    let sealed = plan
        .writes()
        .position(|write| {
            let path = write.at.path().unwrap();
            path.ends_with("acme/metadata/3.targets.json")
        })
        .unwrap();
    crash(plan, sealed + 1);
    // The next edit begins after the sealed version, though nobody has seen it.
    world.add("c", b"c");
    let change = world.repository().change().unwrap();
    assert_eq!(
        (
            change.drafts[0].version.number(),
            change.drafts[0].needs[0].have
        ),
        (4, 0)
    );
    world.sign();
    world.publish(NOW);
    let mut client = world.client();
    for name in ["b", "c"] {
        client.get(&world.public(), NOW, name).unwrap();
    }
}
