//! Changing the text of a policy table by table, so that what people wrote around the changed ones stays.

use super::Policy;

/// Returns text that says what `policy` says, as close to `old` as can be.
pub(super) fn rewrite(policy: &Policy, old: &str) -> String {
    let before = Policy::parse(old);
    if before.as_ref() == Ok(policy) {
        return old.to_owned();
    }
    let mut text = old.to_owned();
    let wanted = tables(&policy.to_toml());
    let had = before.map(|before| tables(&before.to_toml()));
    for (header, _) in had.unwrap_or_default() {
        if !wanted.iter().any(|(kept, _)| *kept == header) {
            text = without_table(&text, &header);
        }
    }
    for (header, body) in wanted {
        if body_of(&text, &header).as_deref() != Some(body.as_str()) {
            text = with_table(&text, &header, &body);
        }
    }
    // Text that is written in another way than ours, such as inline tables, is replaced as a whole.
    match Policy::parse(&text) {
        Ok(said) if said == *policy => text,
        _ => policy.to_toml(),
    }
}

/// The tables of our own text: header line and body.
fn tables(text: &str) -> Vec<(String, String)> {
    let mut tables: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            tables.push((line.to_owned(), String::new()));
        } else if let Some((_, body)) = tables.last_mut()
            && !line.trim().is_empty()
        {
            body.push_str(line);
            body.push('\n');
        }
    }
    tables
}

fn body_of(text: &str, header: &str) -> Option<String> {
    tables(text)
        .into_iter()
        .find_map(|(found, body)| (found.trim_end() == header).then_some(body))
}

/// Puts a table in the place of the one with the same header, or at the end.
fn with_table(text: &str, header: &str, body: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let (mut inside, mut done) = (false, false);
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.trim_end() == header;
            if inside {
                done = true;
                result.push_str(header);
                result.push('\n');
                result.push_str(body);
                continue;
            }
        }
        // Comments and space inside a table that is replaced stay behind it.
        if !inside || line.trim().is_empty() || line.trim_start().starts_with('#') {
            result.push_str(line);
            result.push('\n');
        }
    }
    if !done {
        if !result.is_empty() {
            result.push('\n');
        }
        result.push_str(header);
        result.push('\n');
        result.push_str(body);
    }
    result
}

/// Takes a table out; comments in it stay, because they may be about what follows.
fn without_table(text: &str, header: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.trim_end() == header;
        }
        if !inside || line.trim_start().starts_with('#') {
            result.push_str(line);
            result.push('\n');
        }
    }
    result
}
