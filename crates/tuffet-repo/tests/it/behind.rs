//! Copies that others have overtaken: what they are told, and how they catch up.

use std::fs;

use tuffet_core::metadata::RoleName;
use tuffet_repo::{Action, Class, Destination, Error, Plan, Publish, RotateKey};
use tuffet_sign::Signer;

use crate::crash::crash;
use crate::support::{NOW, World, code, files, key, named, role, run, versions};

/// A repository and a copy of it.
fn two() -> (World, World) {
    let world = World::published();
    let copy = world.fork();
    (world, copy)
}

/// Publishes from a copy to where the other one publishes.
fn publish(copy: &World, place: &World, replace: &[&str]) -> Result<Plan, Error> {
    let mut publish = Publish::to(place.public());
    publish.replace = replace.iter().map(|&name| name.to_owned()).collect();
    copy.repository().publish(&publish, &[copy.online], NOW)
}

/// Brings a copy up to date as the documents say, without git.
fn catch_up(copy: &World, place: &World) {
    let published = place.public().join("metadata");
    for name in files(&published) {
        let own = copy.directory().join("metadata").join(&name);
        fs::copy(published.join(name), own).unwrap();
    }
}

#[test]
fn a_copy_that_is_behind_is_told_so_and_catches_up() {
    for publications in [1, 2, 5] {
        let (world, copy) = two();
        world.add("theirs", b"theirs");
        world.sign();
        for _ in 0..publications {
            world.publish(NOW);
        }
        for replace in [&[][..], &["timestamp.json"]] {
            let error = publish(&copy, &world, replace).unwrap_err();
            assert_eq!(error.code(), "publish.behind", "{error}");
            assert_eq!(error.class(), Class::Conflict);
            let said = error.to_string();
            let last = format!("is v{}, and the last one here is v2", 2 + publications);
            assert!(said.contains(&last), "{said}");
        }
        catch_up(&copy, &world);
        run(publish(&copy, &world, &[]));
        let view = world.client().refresh(&world.public(), NOW).unwrap();
        assert_eq!(versions(&view), [1, 3 + publications, 3, 3]);
    }
}

#[test]
fn a_copy_that_has_lost_its_timestamp_is_behind() {
    let world = World::published();
    fs::remove_file(world.directory().join("metadata/timestamp.json")).unwrap();
    let error = publish(&world, &world, &[]).unwrap_err();
    assert_eq!(error.code(), "publish.behind");
    assert!(error.to_string().contains("there is none here"), "{error}");
}

#[test]
fn a_draft_that_somebody_else_has_used_the_version_of_is_overtaken() {
    let (world, copy) = two();
    copy.add("ours", b"ours");
    world.add("theirs", b"theirs");
    world.sign();
    world.publish(NOW);
    assert!(!copy.repository().change().unwrap().is_overtaken());
    catch_up(&copy, &world);
    let change = copy.repository().change().unwrap();
    assert!(change.is_overtaken());
    assert!(change.drafts[0].overtaken);
    run(copy.repository().drop_change());
    assert!(!copy.repository().change().unwrap().is_overtaken());
    run(publish(&copy, &world, &[]));
}

#[test]
fn a_change_that_somebody_else_has_published_with_other_signatures_is_done() {
    let (world, copy) = two();
    world.add("same", b"same");
    let change = world.repository().export_change().unwrap();
    let from = std::path::Path::new("change.tuf");
    let receive = copy.repository().receive_change_of(&change, from, &[]);
    run(receive);
    run(copy.repository().sign(&[copy.vault]));
    world.sign();
    world.publish(NOW);
    assert_eq!(copy.repository().change().unwrap().drafts.len(), 1);
    catch_up(&copy, &world);
    let change = copy.repository().change().unwrap();
    assert!(change.drafts.is_empty() && !change.is_overtaken());
    assert_eq!(change.unpublished, None);
    run(publish(&copy, &world, &[]));
    assert!(!copy.change().exists());
}

#[test]
fn what_is_in_force_and_not_in_its_place_is_missing() {
    let missing = |world: &World| -> Vec<RoleName> {
        let roles = world.repository().roles().unwrap().into_iter();
        let missing = roles.filter(|status| status.missing);
        missing.map(|status| status.role).collect()
    };
    let gone = |name: &str| {
        let world = World::published();
        assert!(missing(&world).is_empty());
        fs::remove_file(world.directory().join("metadata").join(name)).unwrap();
        missing(&world)
    };
    assert_eq!(gone("timestamp.json"), [RoleName::Timestamp]);
    // The version before is still there.
    assert_eq!(gone("2.snapshot.json"), [RoleName::Snapshot]);
    assert_eq!(gone("2.targets.json"), [RoleName::Targets]);
    assert!(gone("1.targets.json").is_empty());
}

/// What a copy does to get past what others have published instead of its own.
fn give_way(copy: &World, place: &World) -> Option<Plan> {
    let place = Destination::from(place.public());
    copy.repository().give_way(Some(&place), NOW).unwrap()
}

/// Lets another one publish between the planning of a publication and its execution.
fn overtake(copy: &World, world: &World) {
    let plan = publish(copy, world, &[]).unwrap();
    world.add("theirs", b"theirs");
    world.sign();
    world.publish(NOW);
    assert_eq!(code(plan.execute()), "version.reused");
}

#[test]
fn r14_what_was_sealed_and_not_published_gives_way_to_what_others_have_published() {
    for publications in [0, 2] {
        let (world, copy) = two();
        copy.add("ours", b"ours");
        copy.sign();
        overtake(&copy, &world);
        let ours = fs::read(copy.directory().join("metadata/3.targets.json")).unwrap();
        for _ in 0..publications {
            world.publish(NOW);
        }
        let error = publish(&copy, &world, &[]).unwrap_err();
        assert_eq!(error.code(), "publish.diverged", "{error}");
        assert_eq!(error.class(), Class::Conflict);
        assert!(error.to_string().contains("another targets v3"), "{error}");
        let writes = give_way(&copy, &world).unwrap().writes().count();
        for writes in 0..writes {
            let copy = copy.fork();
            crash(give_way(&copy, &world).unwrap(), writes);
            let change = copy.repository().change();
            match give_way(&copy, &world) {
                Some(plan) => run(Ok(plan)),
                // Nothing was done yet, or all.
                None => match copy.change().exists() {
                    true => run(copy.repository().drop_change()),
                    false => Vec::new(),
                },
            };
            change.unwrap();
            for name in files(&world.public().join("metadata")) {
                let own = copy.directory().join("metadata").join(&name);
                assert_eq!(
                    fs::read(own).unwrap(),
                    fs::read(world.metadata(&name)).unwrap()
                );
            }
            assert!(!copy.change().exists());
        }
        let actions = run(Ok(give_way(&copy, &world).unwrap()));
        let gone = |role, version| Action::GivenUp {
            role,
            version: tuffet_core::metadata::Version::new(version).unwrap(),
        };
        assert!(actions.contains(&gone(RoleName::Targets, 3)), "{actions:?}");
        let kept = copy.directory().join(".tuffet/given-up/3.targets.json");
        assert_eq!(fs::read(kept).unwrap(), ours);
        assert!(give_way(&copy, &world).is_none());
        copy.add("ours", b"ours");
        copy.sign();
        run(publish(&copy, &world, &[]));
        let mut client = world.client();
        for name in ["ours", "theirs"] {
            let (_, bytes) = client.get(&world.public(), NOW, name).unwrap();
            assert_eq!(bytes, name.as_bytes());
        }
    }
}

#[test]
fn r14_all_of_a_change_gives_way_with_the_keys_that_it_would_have_named() {
    let (world, sam, new) = (World::published(), key(), key());
    world.delegate("edge", &[("sam", sam)]);
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    let copy = world.fork();
    let rotate = RotateKey::new("sam", named("sam-2", new));
    run(copy.repository().rotate_key(&rotate, NOW));
    let signers: [&dyn Signer; 3] = [copy.ana, copy.ben, new];
    run(copy.repository().sign(&signers));
    assert_eq!(copy.repository().change().unwrap().drafts.len(), 2);
    overtake(&copy, &world);
    run(Ok(give_way(&copy, &world).unwrap()));
    assert!(!copy.directory().join("metadata/2.edge.json").exists());
    assert!(copy.repository().change().unwrap().drafts.is_empty());
    run(copy.repository().renew(&[role("edge")], NOW));
    run(copy.repository().sign(&[sam]));
    run(publish(&copy, &world, &[]));
    world.client().refresh(&world.public(), NOW).unwrap();
}

#[test]
fn a_copy_that_has_used_the_number_of_a_timestamp_and_lacks_what_it_lists_is_behind() {
    let (world, copy) = two();
    let later = tuffet_core::metadata::UnixTime(NOW.0 + 1);
    let to = Publish::to(world.public());
    let plan = copy.repository().publish(&to, &[copy.online], later);
    world.add("theirs", b"theirs");
    world.sign();
    world.publish(NOW);
    assert_eq!(code(plan.unwrap().execute()), "publish.overtaken");
    let error = publish(&copy, &world, &[]).unwrap_err();
    assert_eq!(error.code(), "publish.behind", "{error}");
    assert!(
        error.to_string().contains("3.targets.json is v3"),
        "{error}"
    );
    catch_up(&copy, &world);
    run(publish(&copy, &world, &[]));
}

#[test]
fn r14_nothing_gives_way_that_clients_may_have_seen_or_may_still_see() {
    // Nobody else has published: whoever publishes again gets to the end.
    let (world, copy) = two();
    copy.add("ours", b"ours");
    copy.sign();
    let plan = publish(&copy, &world, &[]).unwrap();
    let writes = plan.writes().count();
    crash(plan, writes - 3);
    assert!(give_way(&copy, &world).is_none());
    run(publish(&copy, &world, &[]));
    // It was published elsewhere.
    let (world, copy) = two();
    copy.add("ours", b"ours");
    copy.sign();
    run(copy.plan(&[copy.online], NOW));
    world.add("theirs", b"theirs");
    world.sign();
    world.publish(NOW);
    assert_eq!(code(publish(&copy, &world, &[])), "version.reused");
    assert!(give_way(&copy, &world).is_none());
    // Clients may follow a root.
    let (world, copy) = two();
    copy.add("ours", b"ours");
    let rotate = RotateKey::new("vault", named("vault", key()));
    run(copy.repository().rotate_key(&rotate, NOW));
    copy.sign();
    overtake(&copy, &world);
    assert!(give_way(&copy, &world).is_none());
}

/// Breaks a publication off when all is sealed and nobody has seen anything of it.
fn break_off(copy: &World, place: &World) {
    let timestamp = copy.directory().join("metadata/timestamp.json");
    let before = fs::read(&timestamp).unwrap();
    let seen = files(&place.public().join("metadata"));
    for writes in 0.. {
        crash(publish(copy, place, &[]).unwrap(), writes);
        assert_eq!(files(&place.public().join("metadata")), seen);
        if fs::read(&timestamp).unwrap() != before {
            return;
        }
    }
}

/// Publishes a target of somebody else.
fn publish_theirs(world: &World, name: &str) {
    world.add(name, name.as_bytes());
    world.sign();
    world.publish(NOW);
}

fn gets(world: &World, names: &[&str]) {
    let mut client = world.client();
    for name in names {
        let (_, bytes) = client.get(&world.public(), NOW, name).unwrap();
        assert_eq!(bytes, name.as_bytes());
    }
}

#[test]
fn r14_what_gives_way_is_known_after_more_tries_and_when_others_have_gone_on() {
    for (tries, publications) in [(1, 1), (3, 1), (1, 2), (3, 4)] {
        let (world, copy) = two();
        copy.add("ours", b"ours");
        copy.sign();
        for _ in 0..tries {
            break_off(&copy, &world);
        }
        assert_eq!(code(copy.repository().drop_change()), "change.sealed");
        for number in 0..publications {
            publish_theirs(&world, &format!("theirs-{number}"));
        }
        let error = publish(&copy, &world, &[]).unwrap_err();
        assert_eq!(error.code(), "publish.diverged", "{error}");
        run(Ok(give_way(&copy, &world).unwrap()));
        let kept = copy.directory().join(".tuffet/given-up");
        assert!(kept.join("3.targets.json").exists());
        let change = |name: &String| name.starts_with("change.");
        assert!(files(&kept).iter().any(change));
        let change = copy.repository().change().unwrap();
        assert!(change.drafts.is_empty());
        assert_eq!(change.unpublished, None);
        copy.add("ours", b"ours");
        copy.sign();
        run(publish(&copy, &world, &[]));
        gets(&world, &["ours", "theirs-0"]);
    }
}

#[test]
fn r14_what_others_have_published_is_not_taken_out_by_a_later_version_here() {
    let (world, copy) = two();
    copy.add("ours", b"ours");
    copy.sign();
    break_off(&copy, &world);
    copy.add("more", b"more");
    copy.sign();
    publish_theirs(&world, "theirs");
    assert_eq!(code(publish(&copy, &world, &[])), "publish.diverged");
    // Also where nothing is remembered of the publication that broke off.
    let forgetful = copy.fork();
    fs::remove_file(forgetful.directory().join(".tuffet/published.json")).unwrap();
    let refused = code(publish(&forgetful, &world, &[]));
    assert!(
        ["version.reused", "publish.timestamp"].contains(&refused),
        "{refused}"
    );
    run(Ok(give_way(&copy, &world).unwrap()));
    copy.add("more", b"more");
    copy.sign();
    run(publish(&copy, &world, &[]));
    gets(&world, &["theirs", "more"]);
}

#[test]
fn a_change_that_builds_on_nothing_that_gives_way_stays_with_its_signatures() {
    let (world, copy) = two();
    copy.add("ours", b"ours");
    copy.sign();
    let change = fs::read(copy.change()).unwrap();
    let mut renewal = Publish::to(world.public()).in_force();
    renewal.new_snapshot = true;
    let later = tuffet_core::metadata::UnixTime(NOW.0 + 1);
    let plan = copy.repository().publish(&renewal, &[copy.online], later);
    let theirs = world.repository();
    run(theirs.publish(&renewal, &[world.online], NOW));
    assert_eq!(code(plan.unwrap().execute()), "version.reused");
    assert_eq!(code(publish(&copy, &world, &[])), "publish.diverged");
    let actions = run(Ok(give_way(&copy, &world).unwrap()));
    assert!(actions.contains(&Action::ChangeLeft), "{actions:?}");
    assert_eq!(fs::read(copy.change()).unwrap(), change);
    run(publish(&copy, &world, &[]));
    gets(&world, &["ours"]);
}

#[test]
fn r14_a_rotation_takes_out_nothing_that_others_have_published() {
    let (world, copy) = two();
    let elsewhere = copy.fork();
    let mut renewal = Publish::to(elsewhere.public()).in_force();
    renewal.new_snapshot = true;
    for _ in 0..3 {
        run(copy.repository().publish(&renewal, &[copy.online], NOW));
    }
    publish_theirs(&world, "theirs");
    let new = key();
    let rotate = RotateKey::new("online", named("new", new));
    run(copy.repository().rotate_key(&rotate, NOW));
    copy.sign();
    let to = Publish::to(world.public());
    let signers: [&dyn Signer; 2] = [new, copy.online];
    let refused = copy.repository().publish(&to, &signers, NOW);
    assert_eq!(code(refused), "publish.behind");
    gets(&world, &["theirs"]);
}

#[test]
fn r14_nothing_builds_on_a_version_that_others_have_published_another_one_of() {
    let (world, copy) = two();
    copy.add("ours", b"ours");
    copy.sign();
    break_off(&copy, &world);
    publish_theirs(&world, "theirs");
    // Of what was pulled, the file that conflicted was kept as it was here.
    let ours = copy.directory().join("metadata/3.targets.json");
    let kept = fs::read(&ours).unwrap();
    catch_up(&copy, &world);
    fs::write(&ours, kept).unwrap();
    copy.add("more", b"more");
    copy.sign();
    for replace in [&[][..], &["3.targets.json"]] {
        let refused = code(publish(&copy, &world, replace));
        assert_eq!(refused, "version.reused");
    }
    gets(&world, &["theirs"]);
}

#[test]
fn r14_what_broke_off_at_several_places_gives_way_at_each() {
    let (world, copy) = two();
    let elsewhere = copy.fork();
    copy.add("ours", b"ours");
    copy.sign();
    break_off(&copy, &world);
    break_off(&copy, &elsewhere);
    publish_theirs(&world, "theirs");
    assert_eq!(code(publish(&copy, &world, &[])), "publish.diverged");
    run(Ok(give_way(&copy, &world).unwrap()));
    copy.add("ours", b"ours");
    copy.sign();
    run(publish(&copy, &world, &[]));
    gets(&world, &["ours", "theirs"]);
}

#[test]
fn a_change_is_dropped_after_others_have_ended_the_publication_before_it() {
    let (world, copy) = two();
    copy.add("ours", b"ours");
    copy.sign();
    break_off(&copy, &world);
    // The others get it by git, and publish it.
    for name in files(&copy.directory().join("metadata")) {
        let to = world.directory().join("metadata").join(&name);
        fs::copy(copy.directory().join("metadata").join(&name), to).unwrap();
    }
    world.add("ours", b"ours");
    world.publish(NOW);
    catch_up(&copy, &world);
    copy.add("more", b"more");
    run(copy.repository().drop_change());
    assert!(!copy.change().exists());
}
