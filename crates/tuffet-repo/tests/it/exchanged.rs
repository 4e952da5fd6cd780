//! Files of one role under the name of another that has the same keys (R-16).

use std::fs;

use tuffet_repo::{Document, Publish, Write};
use tuffet_sign::FileKey;

use crate::crash::crash;
use crate::support::{NOW, World, after, code, key, role, run};

/// Two roles of the same key, one of which is a version ahead.
pub(crate) fn two_roles_of_one_key() -> (World, &'static FileKey) {
    let (world, sam) = (World::published(), key());
    for name in ["edge", "core"] {
        world.delegate(name, &[("sam", sam)]);
        run(world.repository().sign(&[world.ana, world.ben, sam]));
        world.publish(NOW);
    }
    run(world.repository().renew(&[role("edge")], NOW));
    run(world.repository().sign(&[sam]));
    world.publish(NOW);
    (world, sam)
}

#[test]
fn r16_the_file_of_another_role_is_neither_gone_on_from_nor_published() {
    let (world, sam) = two_roles_of_one_key();
    let metadata = world.directory().join("metadata");
    let planted = metadata.join("2.core.json");
    fs::copy(metadata.join("2.edge.json"), &planted).unwrap();
    let renew = || world.repository().renew(&[role("core")], NOW);
    assert_eq!(code(renew()), "repo.unsigned");
    assert_eq!(code(world.plan(&[world.online], NOW)), "repo.unsigned");
    fs::remove_file(planted).unwrap();
    run(renew());
    run(world.repository().sign(&[sam]));
    world.publish(NOW);
}

/// What editing and publishing say of the last version of core as it is here.
fn gone_on_from_core(world: &World) -> [&'static str; 3] {
    let repository = world.repository();
    let renewal = Publish::to(world.public()).in_force();
    [
        code(repository.renew(&[role("core")], NOW)),
        code(repository.publish(&renewal, &[world.online], NOW)),
        code(world.plan(&[world.online], NOW)),
    ]
}

#[test]
fn r16_the_file_of_another_role_is_known_however_it_is_laid_out() {
    let (world, _) = two_roles_of_one_key();
    let metadata = world.directory().join("metadata");
    let edge = fs::read_to_string(metadata.join("2.edge.json")).unwrap();
    for planted in [
        format!("{edge}\n"),
        edge.replacen('{', "{ ", 1),
        edge.replacen('{', r#"{"more":1,"#, 1),
        edge.replacen("targets", r"\u0074argets", 1),
    ] {
        assert_ne!(planted, edge);
        fs::write(metadata.join("2.core.json"), planted).unwrap();
        assert_eq!(gone_on_from_core(&world), ["repo.unsigned"; 3]);
    }
}

/// Three roles of one key, of which clients have seen edge in version 3, more in version 2, and core in version 1.
fn three_roles_of_one_key() -> (World, &'static FileKey) {
    let (world, sam) = two_roles_of_one_key();
    world.delegate("more", &[("sam", sam)]);
    run(world.repository().renew(&[role("edge")], NOW));
    run(world.repository().sign(&[world.ana, world.ben, sam]));
    world.publish(NOW);
    run(world.repository().renew(&[role("more")], after(1)));
    run(world.repository().sign(&[sam]));
    world.publish(NOW);
    (world, sam)
}

#[test]
fn r16_the_file_of_another_role_is_known_where_that_role_has_lost_it() {
    let (world, _) = three_roles_of_one_key();
    let metadata = world.directory().join("metadata");
    let edge = metadata.join("2.edge.json");
    let read = |name: &str| fs::read(metadata.join(name)).unwrap();
    let mut forged = Document::parse(&read("2.edge.json")).unwrap();
    forged.set("x", 1.into());
    // What may lie in its place instead: nothing, another version, the file of a third role, and what nobody has signed.
    let instead = [
        None,
        Some(read("3.edge.json")),
        Some(read("2.more.json")),
        Some(forged.to_bytes()),
    ];
    fs::rename(&edge, metadata.join("2.core.json")).unwrap();
    for instead in instead {
        let world = world.fork();
        if let Some(instead) = instead {
            fs::write(world.directory().join("metadata/2.edge.json"), instead).unwrap();
        }
        assert_eq!(gone_on_from_core(&world), ["repo.unsigned"; 3]);
        // Nor is it there any more where it was published.
        fs::remove_file(world.metadata("2.edge.json")).unwrap();
        assert_eq!(gone_on_from_core(&world), ["repo.unsigned"; 3]);
    }
}

#[test]
fn r16_what_a_publication_has_sealed_that_broke_off_is_gone_on_from_where_it_cannot_be_of_another_role()
 {
    let (world, sam) = three_roles_of_one_key();
    let copy = world.fork();
    run(copy.repository().renew(&[role("core")], after(2)));
    run(copy.repository().sign(&[sam]));
    let plan = copy.plan(&[copy.online], NOW).unwrap();
    let sealed = copy.directory().join("metadata/2.core.json");
    let is_sealed = |write: &Write| write.at.path() == Some(&sealed);
    let position = plan.writes().position(is_sealed).unwrap();
    crash(plan, position + 1);
    // The others get it by git.
    fs::copy(&sealed, world.directory().join("metadata/2.core.json")).unwrap();
    assert_eq!(gone_on_from_core(&world), ["no error"; 3]);
    for world in [&world, &copy] {
        fs::remove_file(world.directory().join("metadata/2.edge.json")).unwrap();
    }
    // Only where it is published they can see what edge said.
    let expected = ["repo.unsigned", "no error", "no error"];
    assert_eq!(gone_on_from_core(&world), expected);
    // Who has sealed it knows.
    fs::remove_file(copy.metadata("2.edge.json")).unwrap();
    assert_eq!(gone_on_from_core(&copy), ["no error"; 3]);
    // Also after another edit.
    run(copy.repository().renew(&[role("more")], after(2)));
    assert_eq!(gone_on_from_core(&copy)[0], "no error");
    run(copy.repository().sign(&[sam]));
    copy.publish(NOW);
}

#[test]
fn r16_a_file_that_the_keys_of_another_role_have_not_signed_is_gone_on_from_when_that_role_has_lost_its_own()
 {
    let (world, _) = three_roles_of_one_key();
    let tim = key();
    world.delegate("other", &[("tim", tim)]);
    run(world.repository().sign(&[world.ana, world.ben, tim]));
    world.publish(NOW);
    let copy = world.fork();
    run(copy.repository().renew(&[role("other")], after(2)));
    run(copy.repository().sign(&[tim]));
    let plan = copy.plan(&[copy.online], NOW).unwrap();
    let sealed = copy.directory().join("metadata/2.other.json");
    let is_sealed = |write: &Write| write.at.path() == Some(&sealed);
    let position = plan.writes().position(is_sealed).unwrap();
    crash(plan, position + 1);
    fs::copy(&sealed, world.directory().join("metadata/2.other.json")).unwrap();
    fs::remove_file(world.directory().join("metadata/2.edge.json")).unwrap();
    run(world.repository().renew(&[role("other")], after(3)));
}
