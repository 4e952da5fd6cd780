//! `tuffet change show FILE`: a change that somebody has sent, before anything is done with it.

use std::path::Path;

use serde_json::{Value, json};
use tuffet_repo::{ChangeContents, DraftContents, Import, Preview, Repository};

use super::{ShowArguments, View, differences, ending, print};
use crate::action;
use crate::author;
use crate::commands::import;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring;
use crate::moment;
use crate::run::App;
use crate::text::visible;
use crate::whole;

/// What stands above a change of which nothing could be verified.
const UNVERIFIED: &str =
    "NOT VERIFIED: there is nothing to compare this with, and no signature was looked at";

pub(super) fn show(arguments: &ShowArguments, file: &Path, app: &App) -> Result<Exit, Failure> {
    let bytes = whole::read(file, whole::CHANGE)?;
    let Preview { change, refused } = match (&arguments.against, &arguments.root) {
        (Some(published), Some(root)) => against(published, root, &bytes, file, app)?,
        _ => match author::repository_if_any(app)? {
            Some(repository) => previewed(&repository, &bytes, file)?,
            None if arguments.check => {
                let message = "there is nothing to check the signatures of the file by";
                return Err(Failure::usage(message).fix("add --against DIR --root FILE"));
            }
            None => return unverified(&bytes, file, app),
        },
    };
    if app.console.json {
        let mut object = super::object(&change);
        object["verified"] = true.into();
        if let Some(error) = &refused {
            object["refused"] = json!({"code": error.code(), "message": error.to_string()});
        }
        app.console.result(View::Whole.name(), object)?;
    } else {
        print(&change, View::Whole, app)?;
        if let Some(error) = &refused {
            app.console.warn(format!(
                "it would not be received: {} ({})",
                visible(&error.to_string()),
                error.code()
            ));
        }
    }
    Ok(ending(&change, arguments.check))
}

fn previewed(repository: &Repository, bytes: &[u8], file: &Path) -> Result<Preview, Failure> {
    let preview = repository.preview_change(bytes, file);
    preview.map_err(|error| Failure::from(&error))
}

/// Compares with what is published, in a copy of it that lasts as long as the command. It has no policy but one that was made up for it,
/// which forbids nothing and gives no names.
fn against(
    published: &Path,
    root: &Path,
    bytes: &[u8],
    file: &Path,
    app: &App,
) -> Result<Preview, Failure> {
    let failed = |error: tuffet_repo::Error| Failure::from(&error);
    let passing =
        tempfile::tempdir().map_err(|error| Failure::writing(&std::env::temp_dir(), &error))?;
    let copy = passing.path().join("copy");
    let mut import = Import::new("published", import::metadata(published));
    import.root = Some(whole::read(root, whole::METADATA)?);
    let plan = Repository::import(&copy, &import, author::moment(app)).map_err(failed)?;
    plan.execute().map_err(failed)?;
    let copy = Repository::open(&copy).map_err(failed)?;
    let preview = previewed(&copy.without_key_names(), bytes, file)?;
    Ok(Preview {
        refused: None,
        ..preview
    })
}

fn unverified(bytes: &[u8], file: &Path, app: &App) -> Result<Exit, Failure> {
    let contents = ChangeContents::parse(bytes, file);
    let mut contents = contents.map_err(|error| Failure::from(&error))?;
    contents.names.add(keyring::known(app));
    if app.console.json {
        app.console.result(View::Whole.name(), object(&contents))?;
    } else {
        app.console.data(lines(&contents, app).join("\n"))?;
        app.console
            .next("tuffet change show FILE --against DIR --root FILE");
    }
    Ok(Exit::Done)
}

fn lines(contents: &ChangeContents, app: &App) -> Vec<String> {
    let mut lines = vec![UNVERIFIED.to_owned()];
    for draft in &contents.drafts {
        let follows = match &draft.follows {
            Some(sha256) => format!("says to follow the version with SHA-256 {sha256}"),
            None => "says to be the first".to_owned(),
        };
        lines.push(visible(&format!(
            "{} v{}, {follows}, expires {}",
            draft.role,
            draft.version,
            moment::both(draft.expires, author::moment(app))
        )));
        let members = draft.members.iter();
        let members = members.map(|one| one.with_names(&contents.names).to_string());
        lines.extend(members.map(|one| format!("  {}", visible(&one))));
        lines.push(format!("  {}", visible(&signed(draft))));
    }
    let named = contents.named.iter();
    lines.extend(named.map(|key| visible(&format!("calls a key {key}"))));
    let given_up = contents.given_up.iter();
    lines.extend(given_up.map(|(role, version)| visible(&format!("gives up {role} v{version}"))));
    lines
}

fn signed(draft: &DraftContents) -> String {
    if draft.signed_by.is_empty() {
        return "holds no signature".to_owned();
    }
    format!(
        "holds what may be signatures of {}",
        draft.signed_by.join(", ")
    )
}

fn object(contents: &ChangeContents) -> Value {
    let drafts = contents.drafts.iter().map(|draft| {
        json!({
            "role": draft.role.as_str(),
            "version": draft.version.number(),
            "expires": draft.expires.to_string(),
            "follows": draft.follows,
            "signed_by": draft.signed_by,
            "differences": differences(&draft.members),
        })
    });
    let given_up = contents
        .given_up
        .iter()
        .map(|(role, version)| json!({"role": role.as_str(), "version": version.number()}));
    json!({
        "verified": false,
        "drafts": drafts.collect::<Vec<Value>>(),
        "named": action::names(&contents.named),
        "given_up": given_up.collect::<Vec<Value>>(),
    })
}
