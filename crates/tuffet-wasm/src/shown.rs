//! Steps, results and errors as JSON.

use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;
use tuffet_core::trust::{
    Class, Error, Event, Fetch, Found, Item, Limits, Step, TrustedView, Write, WriteKind,
    percent_encode,
};

pub(crate) fn nothing() -> Value {
    object([])
}

pub(crate) fn step(step: &Step, limits: &Limits) -> Value {
    match step {
        Step::Load(wanted) => object([
            ("step", "load".into()),
            ("item", item(wanted).into()),
            ("limit", limits.of_stored(wanted).into()),
        ]),
        Step::Fetch(wanted) => fetch(wanted),
        Step::Store(writes) => object([
            ("step", "store".into()),
            ("writes", writes.iter().map(write).collect()),
        ]),
        Step::Done => object([("step", "done".into())]),
    }
}

fn fetch(wanted: &Fetch) -> Value {
    let mut members = vec![
        ("step", "fetch".into()),
        ("file", wanted.file.url_path().into()),
        ("root", (wanted.file.role == RoleName::Root).into()),
        ("limit", wanted.limit.into()),
    ];
    members.extend(wanted.length.map(|length| ("length", length.into())));
    object(members)
}

fn write(write: &Write) -> Value {
    object([
        ("item", item(&write.item).into()),
        ("put", matches!(write.kind, WriteKind::Put(_)).into()),
    ])
}

/// The name of an item: a store keeps it as it is, or maps it to names of its own.
///
/// Every byte of a role's name outside `A-Za-z0-9_.-~` is percent-encoded; the names of delegated roles have a prefix.
fn item(item: &Item) -> String {
    match item {
        Item::Role(RoleName::Delegated(name)) => {
            format!("role/{}.json", percent_encode(name.as_str(), false))
        }
        Item::Role(role) => format!("{}.json", role.as_str()),
        Item::Root(version) => format!("roots/{version}.json"),
        // The record, and whatever a newer core wants to keep.
        _ => "record".to_owned(),
    }
}

pub(crate) fn view(view: &TrustedView) -> Value {
    let delegated = view.snapshot().roles().filter_map(|(role, listed)| {
        (role != RoleName::Targets)
            .then(|| (role.as_str().to_owned(), listed.version.number().into()))
    });
    object([
        ("step", "done".into()),
        ("root", view.root().version().number().into()),
        ("timestamp", view.timestamp().version().number().into()),
        ("snapshot", view.snapshot().version().number().into()),
        ("targets", view.targets().version().number().into()),
        ("delegated", delegated.collect::<Value>()),
        ("freshUntil", view.fresh_until().to_string().into()),
    ])
}

pub(crate) fn found(found: &Found) -> Value {
    let hashes = found.target.hashes.digests().iter();
    object([
        ("step", "done".into()),
        ("path", found.path.as_str().into()),
        ("role", found.role.as_str().into()),
        ("length", found.target.length.into()),
        (
            "hashes",
            hashes
                .map(|digest| (digest.algorithm().name(), digest.to_hex().into()))
                .collect(),
        ),
        (
            "urlPaths",
            found.url_paths().into_iter().map(Value::from).collect(),
        ),
    ])
}

pub(crate) fn events(events: &[Event]) -> Value {
    events
        .iter()
        .map(|event| Value::from(event.to_string()))
        .collect()
}

pub(crate) fn error(error: &Error) -> Value {
    let (code, class) = match error {
        Error::Rejected(rejected) => (rejected.code(), class(rejected.class())),
        _ => ("misuse", "misuse"),
    };
    object([(
        "error",
        object([
            ("code", code.into()),
            ("class", class.into()),
            ("message", error.to_string().into()),
        ]),
    )])
}

pub(crate) fn bad_path(path: &str) -> Value {
    let message = format!("{path:?} is no target path: relative, without empty, . or .. parts");
    object([(
        "error",
        object([
            ("code", "target.path".into()),
            ("class", "misuse".into()),
            ("message", message.into()),
        ]),
    )])
}

fn class(class: Class) -> &'static str {
    match class {
        Class::NotFound => "not-found",
        Class::Stale => "stale",
        Class::Local => "local",
        _ => "untrustworthy",
    }
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    members.into_iter().collect()
}
