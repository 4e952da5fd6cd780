//! What never becomes a target: files of the repository itself, of the place where it is published, and private keys.

use std::fs;
use std::path::Path;

use tuffet_repo::{AddTarget, Error, Plan, Repository};

use crate::support::{NOW, World, code, path, run};

const KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n";

fn add(repository: &Repository, file: &Path) -> Result<Plan, Error> {
    repository.add_target(&AddTarget::new(path("x"), file), NOW)
}

#[test]
fn no_file_of_the_repository_itself_becomes_a_target() {
    let world = World::published();
    world.add("open", b"1");
    let online = world.directory().join(".tuffet/online.key");
    fs::write(&online, "of a kind that nobody knows").unwrap();
    let before = fs::read(world.change()).unwrap();
    for file in [
        online,
        world.change(),
        world.directory().join("tuffet.toml"),
        world.directory().join("metadata/1.root.json"),
        world.directory().join("metadata/../.tuffet/lock"),
        world.file(".git/config", b"[core]"),
    ] {
        let error = add(&world.repository(), &file).unwrap_err();
        assert_eq!(error.code(), "target.private", "{}", file.display());
        assert!(
            error.to_string().contains(&file.display().to_string()),
            "{error}"
        );
    }
    // One of them keeps all from being added.
    let good = world.file("good", b"g");
    let both = [
        AddTarget::new(path("good"), good),
        AddTarget::new(path("x"), world.change()),
    ];
    let plan = world.repository().add_targets(&both, NOW);
    assert_eq!(code(plan), "target.private");
    assert_eq!(fs::read(world.change()).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn no_link_makes_a_private_file_a_target() {
    let world = World::published();
    let link = world.file("link", b"").with_file_name("leads-away");
    std::os::unix::fs::symlink(world.directory().join("tuffet.toml"), &link).unwrap();
    assert_eq!(code(add(&world.repository(), &link)), "target.private");
    let link = link.with_file_name("folder");
    std::os::unix::fs::symlink(world.directory().join(".tuffet"), &link).unwrap();
    let file = link.join(".gitignore");
    assert_eq!(code(add(&world.repository(), &file)), "target.private");
}

#[test]
fn what_is_published_and_what_the_caller_keeps_private_become_no_targets() {
    let world = World::published();
    let published = world.metadata("1.root.json");
    drop(add(&world.repository(), &published).unwrap());
    let policy = world.directory().join("tuffet.toml");
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, format!("publish-to = \"../public\"\n{text}")).unwrap();
    assert_eq!(code(add(&world.repository(), &published)), "target.private");

    let kept = world.file("keys/ana.uri", b"hsm:1");
    let beside = world.file("keys-of-doors", b"1");
    let keys = kept.parent().unwrap();
    let repository = world.repository().keeping_private(keys);
    assert_eq!(code(add(&repository, &kept)), "target.private");
    drop(add(&repository, &beside).unwrap());
    drop(add(&world.repository(), &kept).unwrap());
}

#[test]
fn no_private_key_becomes_a_target_wherever_it_lies() {
    let world = World::published();
    let error = add(&world.repository(), &world.file("release.pem", KEY)).unwrap_err();
    assert_eq!(error.code(), "target.private");
    assert!(
        error.to_string().ends_with("it is a private key"),
        "{error}"
    );
    let public = String::from_utf8(KEY.to_vec()).unwrap();
    let public = public.replace("PRIVATE", "PUBLIC");
    run(add(
        &world.repository(),
        &world.file("release.pub", public.as_bytes()),
    ));
}
