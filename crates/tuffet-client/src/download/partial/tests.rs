use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown, symlink};

use super::*;

fn scene() -> (tempfile::TempDir, Folder) {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    (directory, folder)
}

#[test]
fn a_link_that_leads_nowhere_creates_nothing_there() {
    let (directory, folder) = scene();
    let place = |name: &str| directory.path().join(name);
    symlink(place("elsewhere"), place("part")).unwrap();
    folder.open_or_create("part").unwrap_err();
    folder.create("part").unwrap_err();
    assert!(!place("elsewhere").exists());
    assert!(open_owned(&folder, "part").unwrap().is_some());
    assert!(!place("part").is_symlink() && !place("elsewhere").exists());
}

#[test]
fn a_link_to_another_file_is_neither_read_nor_written() {
    let (directory, folder) = scene();
    let place = |name: &str| directory.path().join(name);
    fs::write(place("other"), b"kept").unwrap();
    symlink(place("other"), place("symbolic")).unwrap();
    fs::hard_link(place("other"), place("hard")).unwrap();
    folder.read("symbolic").unwrap_err();
    assert_eq!(read_note(&folder, "symbolic"), None);
    for name in ["symbolic", "hard"] {
        let mut file = open_owned(&folder, name).unwrap().unwrap();
        file.write_all(b"new").unwrap();
        write_note(&folder, name, "new").unwrap();
        assert_eq!(fs::read(place("other")).unwrap(), b"kept", "{name}");
    }
}

#[test]
fn a_file_of_another_user_is_not_continued() {
    let (directory, folder) = scene();
    let path = directory.path().join("part");
    fs::write(&path, b"x").unwrap();
    if chown(&path, Some(65_534), None).is_err() {
        println!("skipped: only root can give files away");
        return;
    }
    let own = open_owned(&folder, "part").unwrap().unwrap();
    let own = own.metadata().unwrap();
    assert!(own.uid() != 65_534 && own.len() == 0);
}

#[test]
fn a_file_that_another_process_writes_to_is_left_to_it() {
    let (_directory, folder) = scene();
    let owner = open_owned(&folder, "part").unwrap();
    assert!(owner.is_some());
    assert!(open_owned(&folder, "part").unwrap().is_none());
}
