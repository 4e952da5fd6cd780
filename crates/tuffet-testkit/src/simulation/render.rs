//! Metadata files as bytes.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use tuffet_core::crypto::hex;
use tuffet_core::metadata::UnixTime;

use super::artifact::{
    Body, Content, Delegation, Delegations, Draft, Grant, Listed, Named, PATTERNS, Paths, Role,
    TARGETS, digest,
};
use super::deviation::Deviation;
use super::signing::Signing;
use crate::document::base64;

/// What a payload is said to be.
const DSSE_TYPE: &str = "application/vnd.tuf+json";

/// The bytes of a file, signed by whoever is to have signed it. `hashed`: keys have their hash for an id.
pub(super) fn render(draft: &Draft, hashed: bool, signing: &dyn Signing) -> Vec<u8> {
    let canonical = Canonical {
        draft,
        hashed,
        signing,
    };
    let signed = canonical.signed().expect("a string takes anything");
    // Only keys in PEM have line ends. The canonical form has them as they are, and is no JSON.
    let text = match signed.contains('\n') {
        true => Cow::Owned(signed.replace('\n', "\\n")),
        false => Cow::Borrowed(signed.as_str()),
    };
    let wrapped = LazyCell::new(|| {
        let length = DSSE_TYPE.len();
        format!("DSSEv1 {length} {DSSE_TYPE} {} {text}", text.len())
    });
    let mut file = String::with_capacity(text.len() * 3 / 2 + 128);
    if draft.dsse {
        let payload = base64(text.as_bytes());
        write!(
            file,
            "{{\"payload\":\"{payload}\",\"payloadType\":\"{DSSE_TYPE}\",\"signatures\":["
        )
        .expect("a string");
    } else {
        file.push_str("{\"signatures\":[");
    }
    if draft.odd.contains(Deviation::SignatureForm) {
        let comma = if draft.signatures.is_empty() { "" } else { "," };
        write!(file, "{{\"keyid\":\"nobody\",\"sig\":\"\"}}{comma}").expect("a string");
    }
    for (place, signature) in draft.signatures.iter().enumerate() {
        let message = if draft.dsse == signature.moved {
            &signed
        } else {
            &*wrapped
        };
        let value = match signature.by {
            Some(key) => signing.sign(key, message.as_bytes()),
            None => vec![0x5a; 12],
        };
        let comma = if place > 0 { "," } else { "" };
        let keyid = canonical.keyid(signature.named);
        let value = if draft.dsse {
            base64(&value)
        } else {
            hex::encode(&value)
        };
        write!(file, "{comma}{{\"keyid\":\"{keyid}\",\"sig\":\"{value}\"}}").expect("a string");
    }
    file.push(']');
    if !draft.dsse {
        file.push_str(",\"signed\":");
        file.push_str(&text);
    }
    file.push('}');
    file.extend((0..draft.padding).map(|_| ' '));
    file.into_bytes()
}

/// Keys that nobody uses, as other tools wrote them: a point in hexadecimal, another keytype, PEM.
const ODD_KEYS: [(Deviation, &str); 3] = [
    (
        Deviation::HexPoint,
        concat!(
            r#"{"keytype":"ecdsa","keyval":{"public":"04"#,
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
            r#""},"scheme":"ecdsa-sha2-nistp256"}"#,
        ),
    ),
    (
        Deviation::KeytypeAlias,
        concat!(
            r#"{"keytype":"ecdsa-sha2-nistp256","keyval":{"public":"-----BEGIN PUBLIC KEY-----"#,
            "\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt",
            "\n6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==",
            "\n-----END PUBLIC KEY-----\n",
            r#""},"scheme":"ecdsa-sha2-nistp256"}"#,
        ),
    ),
    (
        Deviation::KeyForm,
        concat!(
            r#"{"keytype":"ed25519","keyval":{"public":"-----BEGIN PUBLIC KEY-----"#,
            "\nMCowBQYDK2VwAyEABwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
            "\n-----END PUBLIC KEY-----\n",
            r#""},"scheme":"ed25519"}"#,
        ),
    ),
];

/// Writes the canonical form at once: members in order, no white space.
struct Canonical<'d> {
    draft: &'d Draft,
    hashed: bool,
    signing: &'d dyn Signing,
}

impl Canonical<'_> {
    fn is_odd(&self, how: Deviation) -> bool {
        self.draft.odd.contains(how)
    }

    fn key(&self, key: u16) -> String {
        let public = self.signing.public(key);
        format!(
            "{{\"keytype\":\"ed25519\",\"keyval\":{{\"public\":\"{public}\"}},\"scheme\":\"ed25519\"}}"
        )
    }

    /// What a key is called in the file.
    fn keyid(&self, named: Named) -> String {
        if !self.hashed {
            return named.to_string();
        }
        let alias = "'".repeat(usize::from(named.alias));
        self.hash(&self.key(named.key)) + &alias
    }

    fn hash(&self, text: &str) -> String {
        hex::encode(&digest(text.as_bytes(), self.signing))
    }

    fn signed(&self) -> Result<String, fmt::Error> {
        let draft = self.draft;
        let mut text = String::with_capacity(512);
        let out = &mut text;
        write!(out, "{{\"_type\":\"{}\"", draft.body.kind())?;
        match &draft.body {
            Body::Root { consistent, .. } => write!(out, ",\"consistent_snapshot\":{consistent}")?,
            Body::Targets { delegations, .. } => self.delegations(out, delegations)?,
            _ => {}
        }
        let mut expires = UnixTime(draft.expires).to_string();
        if self.is_odd(Deviation::ExpiresForm) {
            expires = expires.replace('Z', "+00:00");
        }
        write!(out, ",\"expires\":\"{expires}\"")?;
        match &draft.body {
            Body::Root { grants, .. } => self.grants(out, grants)?,
            Body::Timestamp(listed) => self.meta(out, [(Role::Snapshot, listed)])?,
            Body::Snapshot(listed) => {
                self.meta(out, listed.iter().map(|(role, listed)| (*role, listed)))?;
            }
            Body::Targets { .. } | Body::Garbage => {}
        }
        let spec_version = match self.is_odd(Deviation::SpecVersionForm) {
            true => "1.0",
            false => "1.0.34",
        };
        write!(out, ",\"spec_version\":\"{spec_version}\"")?;
        if let Body::Targets { targets, .. } = &draft.body {
            self.targets(out, targets)?;
        }
        write!(out, ",\"version\":{}}}", draft.version)?;
        Ok(text)
    }

    fn keys<'k>(&self, out: &mut String, keys: impl Iterator<Item = &'k Named>) -> fmt::Result {
        let mut keys: Vec<(String, Result<u16, &str>)> = keys
            .map(|named| (self.keyid(*named), Ok(named.key)))
            .collect();
        let odd = ODD_KEYS.iter().filter(|(how, _)| self.is_odd(*how));
        keys.extend(odd.map(|(_, key)| (self.hash(key), Err(*key))));
        keys.sort_unstable();
        keys.dedup();
        out.push_str("\"keys\":{");
        for (place, (keyid, key)) in keys.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(out, "{comma}\"{keyid}\":")?;
            match key {
                Ok(key) => out.push_str(&self.key(*key)),
                Err(key) => out.push_str(key),
            }
        }
        out.push('}');
        Ok(())
    }

    fn grants(&self, out: &mut String, grants: &[Grant; 4]) -> fmt::Result {
        let [root, timestamp, snapshot, targets] = grants;
        out.push(',');
        self.keys(out, grants.iter().flat_map(|grant| &grant.keys))?;
        out.push_str(",\"roles\":{");
        if self.is_odd(Deviation::ExtraRole) {
            out.push_str("\"reviewers\":{");
            self.grant(out, root)?;
            out.push_str("},");
        }
        let roles = [("root", root), ("snapshot", snapshot), ("targets", targets)];
        for (name, grant) in roles {
            write!(out, "\"{name}\":{{")?;
            self.grant(out, grant)?;
            out.push_str("},");
        }
        out.push_str("\"timestamp\":{");
        self.grant(out, timestamp)?;
        out.push_str("}}");
        Ok(())
    }

    fn grant(&self, out: &mut String, grant: &Grant) -> fmt::Result {
        self.keyids(out, grant)?;
        write!(out, ",\"threshold\":{}", grant.threshold)
    }

    fn keyids(&self, out: &mut String, grant: &Grant) -> fmt::Result {
        out.push_str("\"keyids\":[");
        for (place, named) in grant.keys.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(out, "{comma}\"{}\"", self.keyid(*named))?;
        }
        if self.is_odd(Deviation::KeyidUndefined) {
            out.push_str(",\"nobody\"");
        }
        out.push(']');
        Ok(())
    }

    fn delegations(&self, out: &mut String, delegations: &Delegations) -> fmt::Result {
        match delegations {
            Delegations::None => return Ok(()),
            Delegations::Named(roles) => {
                out.push_str(",\"delegations\":{");
                self.keys(out, roles.iter().flat_map(|role| &role.grant.keys))?;
                out.push_str(",\"roles\":[");
                for (place, role) in roles.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    self.delegation(out, role)?;
                }
                out.push_str("]}");
            }
            Delegations::Bins { grant, bits } => {
                out.push_str(",\"delegations\":{");
                self.keys(out, grant.keys.iter())?;
                write!(out, ",\"succinct_roles\":{{\"bit_length\":{bits},")?;
                self.keyids(out, grant)?;
                write!(
                    out,
                    ",\"name_prefix\":\"bin\",\"threshold\":{}}}}}",
                    grant.threshold
                )?;
            }
        }
        Ok(())
    }

    fn delegation(&self, out: &mut String, delegation: &Delegation) -> fmt::Result {
        out.push('{');
        self.keyids(out, &delegation.grant)?;
        write!(out, ",\"name\":\"{}\",", delegation.role)?;
        let (member, paths): (&str, Vec<String>) = match delegation.paths {
            Paths::Patterns(bits) => {
                let chosen = (0..PATTERNS.len()).filter(|place| bits & 1 << place != 0);
                (
                    "paths",
                    chosen.map(|place| PATTERNS[place].to_owned()).collect(),
                )
            }
            Paths::Prefixes(bits) => {
                let chosen = (0..16).filter(|digit| bits & 1 << digit != 0);
                (
                    "path_hash_prefixes",
                    chosen.map(|digit| format!("{digit:x}")).collect(),
                )
            }
        };
        let paths: Vec<String> = paths.iter().map(|path| format!("\"{path}\"")).collect();
        write!(out, "\"{member}\":[{}],", paths.join(","))?;
        let (terminating, threshold) = (delegation.terminating, delegation.grant.threshold);
        write!(
            out,
            "\"terminating\":{terminating},\"threshold\":{threshold}}}"
        )
    }

    fn targets(&self, out: &mut String, targets: &BTreeMap<u8, Content>) -> fmt::Result {
        let mut entries: Vec<(&str, Content)> = targets
            .iter()
            .map(|(place, content)| (TARGETS[usize::from(*place)], *content))
            .collect();
        entries.sort_unstable_by_key(|(path, _)| *path);
        out.push_str(",\"targets\":{");
        for (place, (path, content)) in entries.into_iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(
                out,
                "{comma}\"{path}\":{{{}\"hashes\":{{{}",
                self.custom(),
                self.unknown_hash()
            )?;
            for (place, (name, hash)) in content.listed_hashes(self.signing).iter().enumerate() {
                let comma = if place > 0 { "," } else { "" };
                write!(out, "{comma}\"{name}\":\"{}\"", hex::encode(hash))?;
            }
            write!(out, "}},\"length\":{}}}", content.bytes().len())?;
        }
        out.push('}');
        Ok(())
    }

    fn custom(&self) -> &'static str {
        match self.is_odd(Deviation::CustomForm) {
            true => "\"custom\":\"a text\",",
            false => "",
        }
    }

    fn unknown_hash(&self) -> &'static str {
        match self.is_odd(Deviation::HashUnknown) {
            true => "\"md5\":\"00\",",
            false => "",
        }
    }

    fn meta<'l>(
        &self,
        out: &mut String,
        listed: impl IntoIterator<Item = (Role, &'l Listed)>,
    ) -> fmt::Result {
        let mut entries: Vec<(String, &Listed)> = listed
            .into_iter()
            .map(|(role, listed)| (role.name() + ".json", listed))
            .collect();
        let other = Listed {
            version: 1,
            length: None,
            hash: None,
        };
        if self.is_odd(Deviation::SnapshotExtra) {
            entries.push(("root.json".to_owned(), &other));
        }
        entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        out.push_str(",\"meta\":{");
        for (place, (file, listed)) in entries.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(out, "{comma}\"{file}\":{{")?;
            if let Some(hash) = &listed.hash {
                write!(
                    out,
                    "\"hashes\":{{{}\"sha256\":\"{}\"}},",
                    self.unknown_hash(),
                    hex::encode(hash)
                )?;
            }
            if let Some(length) = listed.length {
                write!(out, "\"length\":{length},")?;
            }
            write!(out, "\"version\":{}}}", listed.version)?;
        }
        out.push('}');
        Ok(())
    }
}
