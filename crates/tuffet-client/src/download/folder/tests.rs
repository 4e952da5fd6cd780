use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;

use super::*;

#[test]
fn a_directory_that_is_held_stays_the_one_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    fs::create_dir_all(place("elsewhere/b")).unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    let folder = folder.child("a").unwrap().child("b").unwrap();
    // Somebody puts a link in the place of a directory that was looked at.
    fs::rename(place("a"), place("moved")).unwrap();
    symlink(place("elsewhere"), place("a")).unwrap();

    folder.create("new").unwrap().write_all(b"x").unwrap();
    folder.rename_new("new", "file").unwrap();
    folder.open_or_create("other").unwrap();
    folder.rename("other", "file").unwrap();
    assert!(folder.look("file").unwrap().is_some());
    folder.read("file").unwrap();
    folder.child("c").unwrap();
    folder.sync().unwrap();
    assert!(place("moved/b/file").is_file() && place("moved/b/c").is_dir());
    assert_eq!(fs::read_dir(place("elsewhere/b")).unwrap().count(), 0);
    folder.remove("file").unwrap();
    assert!(!place("moved/b/file").exists());
}

#[test]
fn a_link_or_a_file_is_no_directory_to_go_into() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    fs::create_dir(place("real")).unwrap();
    symlink(place("real"), place("link")).unwrap();
    symlink(place("nowhere"), place("dangling")).unwrap();
    fs::write(place("file"), b"x").unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    for name in ["link", "dangling", "file"] {
        folder.child(name).unwrap_err();
    }
    folder.child("real").unwrap();
    assert!(!place("nowhere").exists());
}

#[test]
fn a_new_file_takes_no_place_that_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    folder.create("taken").unwrap().write_all(b"old").unwrap();
    folder.create("new").unwrap().write_all(b"new").unwrap();
    let error = folder.rename_new("new", "taken").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(directory.path().join("taken")).unwrap(), b"old");
    folder.rename_new("new", "free").unwrap();
    assert!(folder.look("new").unwrap().is_none());
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(directory.path().join("pipe"))
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: there is no mkfifo");
        return;
    }
    let folder = Folder::open(directory.path()).unwrap();
    let file = folder.read("pipe").unwrap();
    assert!(!Entry::of(&file).unwrap().is_file());
}
