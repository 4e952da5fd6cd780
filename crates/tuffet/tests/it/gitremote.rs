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
    ana.ok(&[
        "init",
        "acme",
        "--root",
        "2of2",
        "--key",
        "ana",
        "--public",
        "ben.pub",
        "--new-online-key",
        "--publish-to",
        "../web",
    ]);
    let directory = ana.path("acme");
    git(&directory, &["init", "--quiet", "-b", "main"]);
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
        "change.stale",
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
    ben.ok(&["change", "receive", "--git", "origin", "--repo", "acme"]);
    ben.ok(&["change", "sign", "--key", "./ben.key", "--repo", "acme"]);
    ben.ok(&["change", "send", "--git", "origin", "--repo", "acme"]);
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
    let kept = ben.path("acme/.git/refs/tuffet");
    assert!(!kept.exists(), "nothing was fetched");
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
    let directory = ben.path("acme");
    let fetched = git(&directory, &["rev-list", "--count", "refs/tuffet/change"]);
    assert_eq!(fetched.trim(), "1");
}
