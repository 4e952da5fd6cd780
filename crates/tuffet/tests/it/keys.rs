//! Keys: names for those that are elsewhere, trying them out, taking them away, and what the doctor finds.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::devices::Agent;
#[cfg(feature = "pkcs11")]
use crate::devices::SoftHsm;
use crate::home::{Home, Run};

const KEYS: &str = ".config/tuffet/keys";

fn succeeds(run: Run) -> Run {
    assert_eq!(run.exit, 0, "{run:?}");
    run
}

fn fails(run: Run, exit: i32, code: &str) -> Run {
    assert_eq!(run.exit, exit, "{run:?}");
    assert!(run.err.contains(&format!("error[{code}]: ")), "{run:?}");
    run
}

/// A home with the key `away` in another place than the key directory.
fn with_key_elsewhere() -> Home {
    let home = Home::new();
    home.ok(&["key", "new", "away", "--no-passphrase", "-o", "stick"]);
    home
}

#[test]
fn a_name_may_stand_for_a_key_that_is_elsewhere() {
    let home = with_key_elsewhere();
    let dry = home.ok(&["key", "add", "sam", "file:stick/away.key", "--dry-run"]);
    assert!(dry.err.contains("Would add"), "{dry:?}");
    assert!(!home.path(KEYS).exists());
    home.ok(&["key", "add", "sam", "file:stick/away.key"]);
    let stick = home.path("stick/away.key");
    // The name works from any directory.
    let expected = format!("file:{}\n", stick.display());
    assert_eq!(home.read(&format!("{KEYS}/sam.uri")), expected);
    assert_eq!(
        home.read(&format!("{KEYS}/sam.pub")),
        home.read("stick/away.pub")
    );
    home.fails(9, "key.exists", &["key", "add", "sam", "stick/away.key"]);
    home.fails(9, "key.exists", &["key", "new", "sam", "--no-passphrase"]);

    let tested = home.ok(&["key", "test", "sam", "stick/away.key"]);
    assert_eq!(tested.err.matches("Signs").count(), 2, "{tested:?}");
    let listed = home.ok(&["key", "list"]).out;
    assert!(listed.starts_with("sam  ed25519  "), "{listed}");
    assert!(listed.trim_end().ends_with("stick/away.key"), "{listed}");
    let shown = home.ok(&["key", "show", "sam"]).out;
    assert!(shown.contains("BEGIN PUBLIC KEY"), "{shown}");

    home.ok(&[
        "init",
        "acme",
        "--root",
        "1of1",
        "--key",
        "sam",
        "--new-online-key",
    ]);
    home.ok(&["publish", "--repo", "acme", "--key", "sam"]);
    let shown = home.ok(&["key", "show", "sam", "--repo", "acme"]).out;
    assert!(shown.contains("root, targets"), "{shown}");
}

#[test]
fn another_key_behind_a_name_is_refused() {
    let home = with_key_elsewhere();
    home.ok(&["key", "add", "sam", "stick/away.key"]);
    fs::remove_file(home.path("stick/away.key")).unwrap();
    home.fails(10, "key.unavailable", &["key", "test", "sam"]);
    fs::remove_file(home.path("stick/away.pub")).unwrap();
    home.ok(&["key", "new", "away", "--no-passphrase", "-o", "stick"]);
    home.fails(10, "key.changed", &["key", "test", "sam"]);
    home.ok(&["key", "test", "stick/away.key"]);
}

#[test]
fn the_public_key_of_somebody_else_gets_a_name() {
    let home = with_key_elsewhere();
    home.ok(&["key", "add", "vault", "stick/away.pub"]);
    assert!(!home.path(&format!("{KEYS}/vault.uri")).exists());
    let listed = home.ok(&["key", "list"]).out;
    assert!(listed.trim_end().ends_with("public key only"), "{listed}");
    home.fails(10, "key.unavailable", &["key", "test", "vault"]);
}

#[test]
fn a_key_with_a_name_signs_with_the_scheme_of_its_public_half() {
    let home = Home::new();
    let scheme = "rsa-pkcs1v15-sha256";
    home.ok(&["key", "new", "old", "--scheme", scheme, "--no-passphrase"]);
    let tested = home.ok(&["key", "test", "old"]);
    assert!(tested.err.contains(scheme), "{tested:?}");
    let file = format!("file:{KEYS}/old.key?scheme=rsassa-pss-sha512");
    let tested = home.ok(&["key", "test", &file]);
    assert!(tested.err.contains("rsassa-pss-sha512"), "{tested:?}");
}

#[test]
fn public_halves_are_imported_and_exported() {
    let home = with_key_elsewhere();
    let imported = home.ok(&["key", "import", "stick/away.key", "-o", "away.pub"]);
    assert!(imported.out.contains("scheme   ed25519\n"), "{imported:?}");
    assert_eq!(home.read("away.pub"), home.read("stick/away.pub"));
    home.fails(
        9,
        "key.exists",
        &["key", "import", "stick/away.key", "-o", "away.pub"],
    );

    let exported = home.ok(&["key", "export-public", "stick/away.pub"]);
    assert_eq!(exported.out, home.read("stick/away.pub"));
    home.ok(&[
        "key",
        "export-public",
        "away.pub",
        "--pem",
        "-o",
        "away.pem",
    ]);
    assert!(
        home.read("away.pem")
            .starts_with("-----BEGIN PUBLIC KEY-----\n")
    );
    home.ok(&[
        "key",
        "export-public",
        "away.pub",
        "-o",
        "no.pub",
        "--dry-run",
    ]);
    assert!(!home.path("no.pub").exists());
    home.fails(4, "key.unknown", &["key", "export-public", "nobody"]);
}

#[test]
fn what_a_token_says_of_its_key_is_verified_and_kept() {
    let home = Home::new();
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata");
    let data = std::env::var_os("TUFFET_TESTDATA").map_or_else(beside, PathBuf::from);
    let data = data.join("trust-material/yubikey-attestation");
    let openssl = |serial: &str| {
        let certificate = data.join(format!("{serial}.Slot9CAttestation.pem"));
        let mut command = home.program("openssl");
        command
            .args(["x509", "-noout", "-pubkey", "-in"])
            .arg(certificate);
        command.output()
    };
    if !data.is_dir() || openssl("").is_err() {
        println!("skipped: no TUFFET_TESTDATA, or no openssl");
        return;
    }
    let file = |serial: &str, slot: &str| {
        let path = data.join(format!("{serial}.{slot}.pem"));
        path.to_string_lossy().into_owned()
    };
    let public = String::from_utf8(openssl("28751258").unwrap().stdout).unwrap();
    let object = serde_json::json!({
        "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp384", "keyval": {"public": public},
    });
    home.write("card.pub", &object.to_string());
    let (slot, token) = ("Slot9CAttestation", "SlotF9Intermediate");
    let add = |name: &str, serial: &str, root: &str| {
        let (key, root) = (file(serial, slot), file(root, token));
        let add = ["key", "add", name, "card.pub", "--attestation", &key];
        home.run(&[&add[..], &["--attestation-root", &root]].concat())
    };
    let run = fails(add("card", "25515003", "25515003"), 10, "key.attestation");
    assert!(run.err.contains("one of another key"), "{run:?}");
    fails(add("card", "28751258", "25515003"), 10, "key.attestation");
    let run = succeeds(add("card", "28751258", "28751258"));
    let says = "token 28751258, firmware 5.4.3, PIN always, touch never";
    assert!(run.err.contains(says), "{run:?}");
    assert!(
        home.read(&format!("{KEYS}/card.pub"))
            .contains("BEGIN CERTIFICATE")
    );
    // It is kept when the key is given on.
    home.ok(&["key", "export-public", "card", "-o", "again.pub"]);
    home.ok(&["key", "add", "again", "again.pub"]);
    assert!(
        home.read(&format!("{KEYS}/again.pub"))
            .contains("BEGIN CERTIFICATE")
    );
}

#[test]
fn a_pin_in_a_uri_is_refused_and_not_repeated() {
    let home = Home::new();
    let uri = "pkcs11:token=card?pin-value=271828";
    let run = home.fails(2, "key.uri", &["key", "test", uri]);
    assert!(!run.err.contains("271828"), "{run:?}");
}

#[cfg(not(feature = "kms"))]
#[test]
fn kinds_of_keys_that_wait_for_their_code_name_it() {
    let home = Home::new();
    let run = home.fails(10, "key.feature", &["key", "test", "awskms:alias/root"]);
    assert!(run.err.contains("kms"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn the_program_of_the_recipe_signs() {
    let home = Home::new();
    if home.program("openssl").arg("version").output().is_err() {
        println!("skipped: openssl cannot be run");
        return;
    }
    let recipes = include_str!("../../../../docs/keys.md");
    let (_, program) = recipes.split_once("```sh\n").unwrap();
    home.write("sign.sh", program.split_once("```").unwrap().0);
    home.ok(&["key", "new", "other", "--no-passphrase", "-o", "."]);
    let uri = "exec:sh?arg=sign.sh&arg=other.key";
    home.ok(&["key", "add", "other", uri]);
    assert_eq!(
        home.read(&format!("{KEYS}/other.pub")),
        home.read("other.pub")
    );
}

#[test]
fn a_key_of_an_agent_founds_and_publishes() {
    let home = Home::new();
    let Some(agent) = Agent::start(&home, "sam@laptop") else {
        return;
    };
    succeeds(agent.run(&home, &["key", "add", "sam", "ssh-agent:sam@laptop"]));
    succeeds(agent.run(
        &home,
        &[
            "init",
            "acme",
            "--root",
            "1of1",
            "--key",
            "sam",
            "--new-online-key",
        ],
    ));
    succeeds(agent.run(&home, &["publish", "--repo", "acme", "--key", "sam"]));
    home.ok(&[
        "verify",
        "acme/public",
        "--root",
        "acme/public/metadata/1.root.json",
    ]);
    // Without the agent there is no key, and the doctor says what is in it.
    home.fails(10, "key.agent", &["key", "test", "sam"]);
    let gone = (7, vec!["doctor.key".to_owned()]);
    assert_eq!(findings(&home, &["--check"]), gone);
    let doctor = succeeds(agent.run(&home, &["key", "doctor", "--check"]));
    let identity = doctor.out.lines().find(|line| line.starts_with("identity"));
    let identity = identity.unwrap_or_default();
    assert!(identity.contains("sam@laptop"), "{doctor:?}");
    assert!(identity.contains("SHA256:"), "{doctor:?}");
}

#[cfg(feature = "pkcs11")]
#[test]
fn a_key_on_a_token_signs_and_its_pin_is_no_argument() {
    let home = Home::new();
    let Some(token) = SoftHsm::with_key(&home, "card") else {
        return;
    };
    let uri = format!(
        "pkcs11:token=card;id=%02?module-path={}",
        token.library.display()
    );
    let add = ["key", "add", "card", &uri];
    let run = fails(token.run(&home, &add), 2, "usage.no-terminal");
    assert!(run.err.contains("--pin-file"), "{run:?}");
    home.write("wrong", "000000\n");
    let wrong = [&add[..], &["--pin-file", "wrong"]].concat();
    fails(token.run(&home, &wrong), 10, "key.pin");
    succeeds(token.run(&home, &[&add[..], &["--pin-file", "pin"]].concat()));
    let test = ["key", "test", "card", &uri, "--pin-file", "pin"];
    let tested = succeeds(token.run(&home, &test));
    assert!(tested.err.contains("ecdsa-sha2-nistp256"), "{tested:?}");

    let doctor = succeeds(token.run(&home, &["key", "doctor"]));
    assert!(doctor.out.contains("token    card"), "{doctor:?}");
    assert!(
        doctor.out.contains("id 02  ecdsa-sha2-nistp256"),
        "{doctor:?}"
    );
}

#[test]
fn a_key_is_revoked_and_one_that_is_needed_is_not() {
    let home = Home::with_repository();
    home.fails(
        2,
        "policy.too-few-keys",
        &["key", "revoke", "ben", "--repo", "acme"],
    );
    let lower = ["--threshold", "root=1", "--threshold", "targets=1"];
    let revoke = [&["key", "revoke", "ben", "--repo", "acme"], &lower[..]].concat();
    let dry = home.ok(&[&revoke[..], &["--dry-run"]].concat());
    assert!(dry.err.contains("ben "), "{dry:?}");
    let change = ["change", "show", "--repo", "acme", "--json"];
    let before = home.ok(&change).out;
    assert!(!before.contains("\"root\""), "{before}");
    let run = home.ok(&revoke);
    assert_eq!(run.err.matches("Removed").count(), 2, "{run:?}");
    // The last root needed two keys.
    home.publish();
    home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
    home.fails(
        2,
        "key.not-there",
        &["key", "revoke", "ben", "--repo", "acme"],
    );
}

/// The codes of what the doctor finds.
fn findings(home: &Home, arguments: &[&str]) -> (i32, Vec<String>) {
    let (exit, objects) = home.json(&[&["key", "doctor"], arguments].concat());
    let findings = objects[0]["findings"].as_array().unwrap();
    let code = |finding: &Value| finding["code"].as_str().unwrap().to_owned();
    (exit, findings.iter().map(code).collect())
}

#[cfg(unix)]
#[test]
fn the_doctor_looks_at_key_files_that_are_elsewhere() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.ok(&["key", "new", "made", "-o", ".", "--no-passphrase"]);
    home.ok(&["key", "add", "alias", "made.key"]);
    assert_eq!(findings(&home, &[]).1, ["doctor.plain"]);
    let key = home.path("made.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(findings(&home, &[]).1, ["doctor.mode", "doctor.plain"]);
    fs::remove_file(key).unwrap();
    assert_eq!(findings(&home, &[]).1, ["doctor.file"]);
}

#[cfg(unix)]
#[test]
fn the_doctor_finds_what_is_wrong_with_files() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let (exit, found) = findings(&home, &["--check"]);
    assert_eq!((exit, found.len()), (0, 0), "{found:?}");

    home.write("passphrase", "correct horse\n");
    home.ok(&["key", "new", "ana", "--passphrase-file", "passphrase"]);
    assert_eq!(findings(&home, &["--check"]).1, [""; 0]);

    home.ok(&["key", "new", "ben", "--no-passphrase"]);
    let (exit, found) = findings(&home, &["--check"]);
    assert_eq!((exit, found), (7, vec!["doctor.plain".to_owned()]));
    assert_eq!(findings(&home, &[]).0, 0, "without --check nothing fails");

    let key = home.path(&format!("{KEYS}/ana.key"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let other = home.read(&format!("{KEYS}/ana.pub"));
    home.write(&format!("{KEYS}/ben.pub"), &other);
    home.write(&format!("{KEYS}/lin.uri"), "nonsense:1\n");
    fs::set_permissions(
        home.path(&format!("{KEYS}/lin.uri")),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    let (_, mut found) = findings(&home, &[]);
    found.sort();
    assert_eq!(
        found,
        ["doctor.file", "doctor.mode", "doctor.pair", "doctor.plain"]
    );
    let shown = home.ok(&["key", "doctor"]).out;
    assert!(shown.contains("finding[doctor.mode]: "), "{shown}");
    assert!(shown.contains("has mode 640"), "{shown}");
    assert!(shown.contains("fix  chmod 600"), "{shown}");
}

#[test]
fn the_doctor_finds_agents_and_libraries_that_are_of_no_use() {
    let home = Home::new();
    let mut command = home.command();
    command
        .args(["key", "doctor", "--check", "--module", "nothing.so"])
        .env("SSH_AUTH_SOCK", home.path("nothing"));
    let run = crate::home::finish(&mut command);
    assert_eq!(run.exit, 7, "{run:?}");
    for code in ["doctor.agent", "doctor.library"] {
        assert!(run.out.contains(&format!("finding[{code}]")), "{run:?}");
    }
}

#[test]
fn a_passphrase_file_that_is_too_long_is_refused_and_not_cut() {
    let home = Home::new();
    let new = |name: &str| home.run(&["key", "new", name, "--passphrase-file", "secret"]);
    home.write("secret", &"p".repeat(4096));
    succeeds(new("ana"));
    home.write("secret", &"p".repeat(4097));
    fails(new("ben"), 2, "usage.arguments");
    let test = ["key", "test", "ana", "--passphrase-file", "secret"];
    fails(home.run(&test), 2, "usage.arguments");
    // Only its first line is the passphrase, but what is that long is another file.
    home.write(
        "secret",
        &format!("{}\n{}", "p".repeat(4096), "x".repeat(9)),
    );
    fails(home.run(&test), 2, "usage.arguments");
}
