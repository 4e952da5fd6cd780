//! Dates, versions, members and envelopes of files.

use tuffet_core::metadata::Tolerance;

use super::Quirk;
use super::document::{Form, array, at, object, text};
use super::keys::Key;
use super::repository::{Repository, role_keys};
use super::schemes::of_key;

fn plain() -> Repository {
    of_key(Key::ed25519())
}

fn with(change: impl FnOnce(&mut Repository)) -> Repository {
    let mut repository = plain();
    change(&mut repository);
    repository
}

fn with_form(form: Form) -> Repository {
    with(|repository| {
        let path = "größe \u{1f980} \u{e000}";
        repository.add_target("targets", path, b"escapes");
        let custom = object([("\u{e000}", text("\"\\\n\u{1}/")), ("\u{1f980}", 1.into())]);
        repository.targets.set(&["targets", path, "custom"], custom);
        repository.set_form(form);
    })
}

pub(super) fn quirks() -> Vec<Quirk> {
    vec![
        Quirk::once("nothing odd", &[], plain()),
        Quirk::once("no targets", &[], Repository::new()),
        Quirk::once(
            "dates with a fraction and an offset",
            &[Tolerance::ExpiresForm],
            with(dates_with_fraction_and_offset),
        ),
        Quirk::once(
            "a date with an offset in a delegated role",
            &[Tolerance::ExpiresForm],
            with(|repository| {
                let team = repository.document("team");
                team.set(&["expires"], "2031-01-01T00:00:00+05:30");
            }),
        ),
        Quirk::once(
            "spec_version 1.0",
            &[Tolerance::SpecVersionForm],
            with(|repository| repository.each(|file| file.set(&["spec_version"], "1.0"))),
        ),
        Quirk::once(
            "other spec_versions of the same major",
            &[],
            with(|repository| repository.each(|file| file.set(&["spec_version"], "1.99.7"))),
        ),
        spec_version_changes(),
        Quirk::once("high versions", &[], with(high_versions)),
        Quirk::once(
            "members that nobody knows, everywhere",
            &[],
            with(unknown_members),
        ),
        Quirk::once(
            "no consistent_snapshot",
            &[],
            with(|repository| {
                let root = repository.root().signed.as_object_mut().unwrap();
                root.remove("consistent_snapshot");
            }),
        ),
        Quirk::once("compact files", &[], with_form(Form::Compact)),
        Quirk::once("files for people", &[], with_form(Form::Pretty)),
        Quirk::once("files in any order", &[], with_form(Form::Disorderly)),
        Quirk::once("DSSE envelopes", &[], with_form(Form::Dsse)),
        Quirk::once("envelopes of both kinds", &[], with(mixed_envelopes)),
        Quirk::once(
            "extra roles in root",
            &[Tolerance::ExtraRole],
            with(|repository| {
                add_role(repository, "auditor");
                add_role(repository, "key-holders");
            }),
        ),
        Quirk::once(
            "the mirrors role",
            &[],
            with(|repository| add_role(repository, "mirrors")),
        ),
    ]
}

/// A role in root that has a key and signs for nothing.
fn add_role(repository: &mut Repository, role: &str) {
    let key = Key::ed25519();
    repository.set(&["roles", role], role_keys(std::slice::from_ref(&key), 1));
    repository.set(&["keys", &key.id], key.object);
}

fn dates_with_fraction_and_offset(repository: &mut Repository) {
    let dates = [
        ("timestamp", "2031-12-18T13:28:12.99008-06:00"),
        ("snapshot", "2031-06-12T00:11:09.733402317Z"),
        ("targets", "2031-01-01T00:00:00+00:00"),
    ];
    repository.set(&["expires"], "2031-12-18T13:28:12.5-06:00");
    for (role, date) in dates {
        repository.document(role).set(&["expires"], date);
    }
}

/// From two numbers to three, as the tool behind the repository became newer.
fn spec_version_changes() -> Quirk {
    let mut before = with(|repository| repository.each(|file| file.set(&["spec_version"], "1.0")));
    before.publish();
    let mut after = before.clone();
    after.next_root();
    after.each(|file| file.set(&["spec_version"], "1.0.0"));
    after.raise_versions();
    after.publish();
    Quirk::new(
        "spec_version 1.0, then 1.0.0",
        &[Tolerance::SpecVersionForm],
        [before, after],
    )
}

fn high_versions(repository: &mut Repository) {
    let versions = [
        ("timestamp", 3340),
        ("snapshot", (1 << 53) + 1),
        ("targets", i64::MAX as u64),
        ("team", u64::from(u32::MAX) + 1),
    ];
    for (role, version) in versions {
        repository.document(role).set_version(version);
    }
}

fn unknown_members(repository: &mut Repository) {
    let odd = || {
        object([
            ("number", 1.into()),
            ("list", array([object([]), text("\u{7f}\n")])),
        ])
    };
    repository.each(|file| {
        file.set(&["x-unknown"], odd());
        file.beside = vec![("x-unknown", odd())];
        file.others.push(object([
            ("keyid", text("x-unknown")),
            ("sig", text("ab")),
            ("method", odd()),
        ]));
    });
    repository.set(&["roles", "root", "x-unknown"], odd());
    let places = [
        ("snapshot", &["meta", "targets.json"][..]),
        ("timestamp", &["meta", "snapshot.json"]),
        ("targets", &["targets", "app"]),
        ("targets", &["delegations"]),
        ("targets", &["delegations", "roles", "0"]),
    ];
    for (role, path) in places {
        let place = at(&mut repository.document(role).signed, path);
        *at(place, &["x-unknown"]) = odd();
    }
}

fn mixed_envelopes(repository: &mut Repository) {
    repository.timestamp.form = Form::Dsse;
    repository.targets.form = Form::Dsse;
    repository.document("team").form = Form::Pretty;
}

#[test]
fn ways_of_writing_files() {
    super::check(quirks());
}
