//! Changes on a branch of a git remote, with the real git.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::home::Home;

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(["-c", "user.name=x", "-c", "user.email=x@example"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether git is there; if not, says that the test is skipped.
fn has_git() -> bool {
    let has = Command::new("git").arg("--version").output().is_ok();
    if !has {
        eprintln!("skipped: git is not installed");
    }
    has
}

/// Ana's machine, Ben's, and a bare remote that both have cloned.
fn three() -> (Home, Home, Home) {
    let (ana, ben, server) = (Home::new(), Home::new(), Home::new());
    let remote = server.path("acme.git");
    fs::create_dir(&remote).unwrap();
    git(&remote, &["init", "--quiet", "--bare"]);
    ana.ok(&["key", "new", "ana", "--no-passphrase"]);
    ben.ok(&["key", "new", "ben", "--no-passphrase", "-o", "."]);
    fs::copy(ben.path("ben.pub"), ana.path("ben.pub")).unwrap();
    // The open change of a work tree is in the git directory.
    let directory = ana.path("acme");
    fs::create_dir(&directory).unwrap();
    git(&directory, &["init", "--quiet", "-b", "main"]);
    ana.found(&["--root", "2of2", "--key", "ana", "--public", "ben.pub"]);
    git(&directory, &["add", "tuffet.toml"]);
    git(&directory, &["commit", "--quiet", "-m", "a repository"]);
    let url = remote.to_str().unwrap();
    git(&directory, &["remote", "add", "origin", url]);
    git(&directory, &["push", "--quiet", "origin", "main"]);
    git(
        &ben.path("."),
        &["clone", "--quiet", "-b", "main", url, "acme"],
    );
    (ana, ben, server)
}

/// Ben takes the change, signs it and sends it back.
fn signs_what_is_on_the_branch(ben: &Home) {
    ben.ok(&["change", "receive", "--git", "origin", "--repo", "acme"]);
    ben.ok(&["change", "sign", "--key", "./ben.key", "--repo", "acme"]);
    ben.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
}

#[test]
fn two_people_pass_a_change_round_by_git() {
    if !has_git() {
        return;
    }
    let (ana, ben, server) = three();
    ben.fails(
        4,
        "git.no-change",
        &["change", "receive", "--git", "origin", "--repo", "acme"],
    );
    ana.ok(&[
        "change",
        "send",
        "--git",
        "origin",
        "--dry-run",
        "--repo",
        "acme",
    ]);
    let branches = || git(&server.path("acme.git"), &["branch", "--list"]);
    assert!(!branches().contains("tuffet/change"));
    ana.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
    assert!(branches().contains("tuffet/change"));
    let shown = ben
        .ok(&["change", "receive", "--git", "origin", "--repo", "acme"])
        .out;
    assert!(shown.contains("root v1, the first"), "{shown}");
    ben.ok(&["change", "sign", "--key", "./ben.key", "--repo", "acme"]);
    ben.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
    let text = git(
        &server.path("acme.git"),
        &["show", "tuffet/change:change.txt"],
    );
    assert!(text.contains("signed by 2 of 2"), "{text}");
    // The same again is nothing new.
    let run = ben.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
    assert!(run.err.contains("Unchanged"), "{}", run.err);
    ana.ok(&["change", "receive", "--git", "origin", "--repo", "acme"]);
    ana.ok(&["publish", "--repo", "acme"]);

    // What is on the branch was published: it gives way to the next change.
    ana.write("app.txt", "hello\n");
    ana.ok(&["target", "add", "app.txt", "--repo", "acme"]);
    ana.ok(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    ana.fails(
        9,
        "change.published",
        &["change", "receive", "--git", "origin", "--repo", "acme"],
    );
    ana.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
    let commits = git(
        &server.path("acme.git"),
        &["rev-list", "--count", "tuffet/change"],
    );
    assert_eq!(commits.trim(), "3");
    // The working trees were never touched.
    assert_eq!(
        git(&ana.path("acme"), &["status", "--porcelain", "-uno"]),
        ""
    );
}

#[test]
fn signatures_that_others_have_put_on_the_branch_are_kept() {
    if !has_git() {
        return;
    }
    let (ana, ben, server) = three();
    ana.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
    signs_what_is_on_the_branch(&ben);
    // Ana has not fetched: what she sends holds Ben's signature all the same.
    ana.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
    let text = git(
        &server.path("acme.git"),
        &["show", "tuffet/change:change.txt"],
    );
    assert!(text.contains("signed by 2 of 2"), "{text}");
    ana.ok(&["change", "show", "--check", "--repo", "acme"]);
}

#[test]
fn what_git_refuses_is_said() {
    if !has_git() {
        return;
    }
    let (ana, ..) = three();
    let run = ana.fails(
        8,
        "git.failed",
        &["change", "send", "--git", "nowhere", "--repo", "acme"],
    );
    assert!(run.err.contains("nowhere"), "{}", run.err);
    for remote in ["", "--upload-pack=touch x"] {
        let flag = format!("--git={remote}");
        ana.fails(
            2,
            "usage.arguments",
            &["change", "send", &flag, "--repo", "acme"],
        );
    }
    let loose = Home::with_repository();
    loose.ok(&["renew", "targets", "--repo", "acme"]);
    loose.fails(
        8,
        "git.failed",
        &["change", "send", "--git", "origin", "--repo", "acme"],
    );
}

#[test]
fn sending_never_begins_a_change_and_never_overwrites_another_one() {
    if !has_git() {
        return;
    }
    let (ana, ben, server) = three();
    let remote = server.path("acme.git");
    let send = ["change", "send", "--git", "origin", "--repo", "acme"];
    // Ben has no change, and gets none by sending it.
    ben.fails(2, "change.none", &send);
    ana.ok(&send);
    ben.fails(2, "change.none", &send);
    let shown = ben.ok(&["change", "show", "--repo", "acme"]).out;
    assert!(shown.contains("nothing is open"), "{shown}");

    // Whatever else is on the branch stays there, unless it is to go.
    let put = |content: &str| {
        let work = server.path("work");
        let _ = fs::remove_dir_all(&work);
        let url = remote.to_str().unwrap();
        git(&server.path("."), &["clone", "--quiet", url, "work"]);
        git(&work, &["checkout", "--quiet", "tuffet/change"]);
        fs::write(work.join("change.json"), content).unwrap();
        git(&work, &["commit", "--quiet", "-am", "another"]);
        git(&work, &["push", "--quiet", "origin", "tuffet/change"]);
    };
    let there = || git(&remote, &["show", "tuffet/change:change.json"]);
    let ours = there();
    let other = ours.replacen("\"version\":1", "\"version\":1,\"x\":1", 1);
    assert_ne!(other, ours);
    for (content, exit, code) in [("{", 1, "repo.format"), (&other, 9, "change.differs")] {
        put(content);
        let run = ana.fails(exit, code, &send);
        assert!(run.err.contains("add --replace"), "{}", run.err);
        assert_eq!(there(), content);
        ana.ok(&[&send[..], &["--replace", "--dry-run"]].concat());
        assert_eq!(there(), content);
        ana.ok(&[&send[..], &["--replace"]].concat());
        assert_eq!(there(), ours);
    }
    let commits = git(&remote, &["rev-list", "--count", "tuffet/change"]);
    assert_eq!(commits.trim(), "5", "each is put after what it replaces");
    ana.fails(
        2,
        "usage.arguments",
        &["change", "send", "x.tuf", "--replace", "--repo", "acme"],
    );
}

#[test]
fn only_the_tip_of_the_branch_is_fetched_and_no_branch_that_ends_like_it() {
    if !has_git() {
        return;
    }
    let (ana, ben, server) = three();
    let remote = server.path("acme.git");
    let trap = "refs/heads/a/refs/heads/tuffet/change";
    git(&remote, &["update-ref", trap, "main"]);
    let receive = ["change", "receive", "--git", "origin", "--repo", "acme"];
    ben.fails(4, "git.no-change", &receive);
    let send = ["change", "send", "--git", "origin", "--repo", "acme"];
    ana.ok(&send);
    ana.ok(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    ana.ok(&["change", "show", "--repo", "acme"]);
    ana.ok(&[&send[..], &["--replace"]].concat());
    ben.ok(&receive);
}

/// What a git repository holds besides what people put there.
fn traces(home: &Home) -> (String, String, bool) {
    let directory = home.path("acme");
    let refs = git(&directory, &["for-each-ref"]);
    let objects = git(&directory, &["count-objects", "-v"]);
    (refs, objects, directory.join(".git/shallow").exists())
}

#[test]
fn nothing_is_left_behind_in_the_repository_of_the_user() {
    if !has_git() {
        return;
    }
    let (ana, ben, server) = three();
    let send = ["change", "send", "--git", "origin", "--repo", "acme"];
    let receive = ["change", "receive", "--git", "origin", "--repo", "acme"];
    let before = (traces(&ana), traces(&ben));
    assert!(!before.0.2);
    ana.ok(&send);
    ben.ok(&receive);
    ben.ok(&["change", "sign", "--key", "./ben.key", "--repo", "acme"]);
    ben.ok(&send);
    ana.ok(&receive);
    assert_eq!((traces(&ana), traces(&ben)), before);
    // A remote may be a path, from the top of the work tree.
    let below = ana.path("acme/below");
    git(
        &ana.path("."),
        &[
            "clone",
            "--quiet",
            "--bare",
            server.path("acme.git").to_str().unwrap(),
            "near.git",
        ],
    );
    fs::create_dir(&below).unwrap();
    ana.ok(&[
        "init",
        "acme/below/own",
        "--root",
        "1of1",
        "--key",
        "ana",
        "--new-online-key",
    ]);
    git(&ana.path("acme"), &["remote", "add", "near", "../near.git"]);
    let own = "acme/below/own";
    ana.ok(&[
        "change",
        "send",
        "--git",
        "near",
        "--replace",
        "--repo",
        own,
    ]);
    ana.ok(&["change", "receive", "--git", "near", "--repo", own]);
    assert_eq!(traces(&ana), before.0);
    // A path is as good as the name of a remote.
    let url = server.path("acme.git");
    ana.ok(&[
        "change",
        "receive",
        "--git",
        url.to_str().unwrap(),
        "--repo",
        "acme",
    ]);
    assert_eq!(traces(&ana), before.0);
}

/// Puts a file on the branch as whoever has access to the remote can.
fn put_on_branch(server: &Home, content: &[u8]) {
    let (remote, work) = (server.path("acme.git"), server.path("work"));
    let _ = fs::remove_dir_all(&work);
    let url = remote.to_str().unwrap();
    git(&server.path("."), &["clone", "--quiet", url, "work"]);
    git(&work, &["checkout", "--quiet", "-B", "tuffet/change"]);
    fs::write(work.join("change.json"), content).unwrap();
    git(&work, &["add", "change.json"]);
    git(&work, &["commit", "--quiet", "-m", "another"]);
    git(&work, &["push", "--quiet", "-f", "origin", "tuffet/change"]);
}

#[test]
fn a_change_of_another_repository_on_the_branch_is_refused() {
    if !has_git() {
        return;
    }
    let (ana, ben, server) = three();
    ana.ok(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    ana.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
    signs_what_is_on_the_branch(&ben);
    ana.ok(&["change", "receive", "--git", "origin", "--repo", "acme"]);
    ana.ok(&["publish", "--repo", "acme"]);
    let other = Home::with_repository();
    other.ok(&["renew", "targets", "--repo", "acme"]);
    other.ok(&["change", "send", "c.tuf", "--repo", "acme"]);
    put_on_branch(&server, &fs::read(other.path("c.tuf")).unwrap());
    let receive = ["change", "receive", "--git", "origin", "--repo", "acme"];
    ana.fails(3, "change.foreign", &receive);
    let shown = ana.ok(&["change", "show", "--repo", "acme"]).out;
    assert!(shown.contains("nothing is open"), "{shown}");
}

#[test]
fn an_oversized_change_on_the_branch_is_not_read() {
    if !has_git() {
        return;
    }
    let (_, ben, server) = three();
    // Blanks: git stores half a gigabyte of them in half a megabyte.
    put_on_branch(&server, &vec![b' '; 512 * 1024 * 1024 + 1]);
    let receive = ["change", "receive", "--git", "origin", "--repo", "acme"];
    let run = ben.fails(2, "file.too-large", &receive);
    assert!(run.err.contains("tuffet/change"), "{}", run.err);
}

#[test]
fn a_history_that_somebody_has_pushed_in_the_place_of_ours_is_refused() {
    if !has_git() {
        return;
    }
    let (ana, ben, server) = three();
    ana.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
    signs_what_is_on_the_branch(&ben);
    ana.ok(&["change", "receive", "--git", "origin", "--repo", "acme"]);
    ana.ok(&["publish", "--repo", "acme"]);
    let directory = ana.path("acme");
    git(&directory, &["add", "."]);
    git(&directory, &["commit", "--quiet", "-m", "version 1"]);
    git(&directory, &["push", "--quiet", "origin", "main"]);
    git(&ben.path("acme"), &["pull", "--quiet", "origin", "main"]);
    ben.ok(&[
        "adopt",
        "--root",
        "acme/metadata/1.root.json",
        "--repo",
        "acme",
    ]);
    ben.ok(&["status", "--repo", "acme"]);

    // The thief forces other metadata onto the remote, with what would make a copy trust it where git ignores it.
    let thief = Home::with_repository();
    let remote = server.path("acme.git");
    let url = remote.to_str().unwrap();
    git(
        &thief.path("."),
        &["clone", "--quiet", "-b", "main", url, "clone"],
    );
    let (clone, theirs) = (thief.path("clone"), thief.path("acme"));
    fs::remove_dir_all(clone.join("metadata")).unwrap();
    fs::create_dir(clone.join("metadata")).unwrap();
    for entry in fs::read_dir(theirs.join("metadata")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(
            &path,
            clone.join("metadata").join(path.file_name().unwrap()),
        )
        .unwrap();
    }
    let pin = theirs.join(".tuffet/root.json");
    fs::create_dir_all(clone.join(".tuffet")).unwrap();
    fs::copy(&pin, clone.join(".tuffet/root.json")).unwrap();
    git(&clone, &["add", "-f", "."]);
    git(&clone, &["commit", "--quiet", "-m", "another history"]);
    git(&clone, &["push", "--quiet", "origin", "main"]);
    for home in [&ana, &ben] {
        git(&home.path("acme"), &["pull", "--quiet", "origin", "main"]);
        assert!(home.path("acme/.tuffet/root.json").is_file());
        for command in [&["status"][..], &["renew", "targets"], &["publish"]] {
            let run = home.fails(
                3,
                "anchor.differs",
                &[command, &["--repo", "acme"]].concat(),
            );
            assert!(run.err.contains("Sign nothing"), "{}", run.err);
        }
    }
    // A fresh clone has to be told.
    let new = Home::new();
    git(
        &new.path("."),
        &["clone", "--quiet", "-b", "main", url, "acme"],
    );
    new.fails(3, "anchor.unknown", &["status", "--repo", "acme"]);
    let root = ben.path("first.json");
    fs::copy(ana.path("web/metadata/1.root.json"), &root).unwrap();
    let root = root.to_str().unwrap();
    new.fails(
        3,
        "anchor.differs",
        &["adopt", "--root", root, "--repo", "acme"],
    );
}

#[test]
fn a_remote_that_says_nothing_is_given_up() {
    if !has_git() {
        return;
    }
    let (ana, _, _) = three();
    let mut command = ana.command();
    command
        .args(["change", "send", "--git", "ssh://x@localhost/acme.git"])
        .args(["--repo", "acme"])
        .env("GIT_SSH_COMMAND", "sleep 60; :")
        .env("TUFFET_GIT_TIMEOUT", "1");
    let run = crate::home::finish(&mut command);
    assert_eq!(run.exit, 8, "{run:?}");
    assert!(run.err.contains("error[git.timeout]"), "{run:?}");
}

#[test]
fn a_server_that_can_leave_out_what_is_large_sends_a_change_as_others_do() {
    if !has_git() {
        return;
    }
    let (ana, ben, server) = three();
    let bare = server.path("acme.git");
    git(&bare, &["config", "uploadpack.allowFilter", "true"]);
    ana.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
    let url = format!("file://{}", bare.display());
    ben.ok(&["change", "receive", "--git", &url, "--repo", "acme"]);
}
