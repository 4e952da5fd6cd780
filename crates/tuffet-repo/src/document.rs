//! A metadata file while it is being written: the signed part, which may hold members that nobody here knows, and signatures.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tuffet_core::crypto::{PublicKey, Scheme, hex, signed_message};
use tuffet_core::json::{FormatError, Reason, Value};
use tuffet_core::metadata::{KeyId, Parsed, Root, Snapshot, Targets, Timestamp, UnixTime, Version};
use tuffet_sign::{ConfirmedSignature, PublicKeyInfo, SignError, Signer};

/// The version of the specification that this crate writes.
pub(crate) const SPEC_VERSION: &str = "1.0.34";

/// A metadata file for authoring: a JSON envelope whose unknown members, at every level, stay as they are (F-02).
///
/// ```
/// use tuffet_repo::Document;
/// let bytes = br#"{"signatures":[],"signed":{"version":1,"x-new":{"a":[1,2]}}}"#;
/// let mut document = Document::parse(bytes)?;
/// document.set("version", 2.into());
/// assert_eq!(document.to_bytes(), br#"{"signatures":[],"signed":{"version":2,"x-new":{"a":[1,2]}}}"#);
/// # Ok::<(), tuffet_core::json::FormatError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Document {
    /// An object.
    signed: Value,
    /// An array.
    signatures: Value,
    /// Members of the envelope beside the two.
    others: BTreeMap<String, Value>,
    /// The file as it came, if it is passed on as it is; whatever changes the document takes this away.
    exact: Option<Vec<u8>>,
    /// Members of the signed part that are kept as canonical text without escapes, because they are large and nobody looks into them.
    kept: BTreeMap<String, Vec<u8>>,
    /// The canonical form of the signed part, if it was needed for signing and is also what stands in the file.
    written: Option<Vec<u8>>,
    /// Signatures that are known to be good; whatever changes what is signed takes this away.
    confirmed: Vec<Confirmed>,
}

/// A signature that was verified over what is signed: the keyid that it stands under, and the key.
#[derive(Debug, Clone)]
struct Confirmed {
    keyid: KeyId,
    /// Not its identity: keys of one holder count once, but a signature of one is none of another.
    public: PublicKey,
    scheme: Scheme,
}

/// Two documents are the same if their files are, whatever is known of their signatures.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.signed == other.signed
            && self.signatures == other.signatures
            && self.others == other.others
            && self.exact == other.exact
            && self.kept == other.kept
    }
}

impl Eq for Document {}

impl Document {
    /// Begins a file of a role with what all roles have.
    #[must_use]
    pub fn new(kind: &str, version: Version, expires: UnixTime) -> Self {
        let mut document = Self {
            signed: Value::Object(BTreeMap::new()),
            signatures: Value::Array(Vec::new()),
            others: BTreeMap::new(),
            exact: None,
            kept: BTreeMap::new(),
            written: None,
            confirmed: Vec::new(),
        };
        document.set("_type", kind.into());
        document.set("spec_version", SPEC_VERSION.into());
        document.set_header(version, expires);
        document
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is not strict JSON, a file without `signed` or `signatures`, and numbers that are not integers.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::from_value(Value::parse(bytes)?)
    }

    pub(crate) fn from_value(value: Value) -> Result<Self, FormatError> {
        let Value::Object(mut others) = value else {
            return Err(FormatError::new(0, Reason::Expected("object")));
        };
        let wrong = |name, kind| FormatError::new(0, Reason::Expected(kind)).within(name);
        let Some(signed @ Value::Object(_)) = others.remove("signed") else {
            return Err(wrong("signed", "object"));
        };
        let Some(signatures @ Value::Array(_)) = others.remove("signatures") else {
            return Err(wrong("signatures", "array"));
        };
        Ok(Self {
            signed,
            signatures,
            others,
            exact: None,
            kept: BTreeMap::new(),
            written: None,
            confirmed: Vec::new(),
        })
    }

    /// Reads a file that somebody else has signed and that is passed on byte for byte, however it is laid out.
    pub(crate) fn exact(bytes: Vec<u8>) -> Result<Self, FormatError> {
        let mut document = Self::parse(&bytes)?;
        document.exact = Some(bytes);
        Ok(document)
    }

    /// Whether the file is passed on as it came.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact.is_some()
    }

    /// The signed part: an object.
    #[must_use]
    pub fn signed(&self) -> &Value {
        &self.signed
    }

    /// A member of the signed part.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.signed.get(name)
    }

    /// Sets a member of the signed part. Signatures made before are no longer valid and are kept until
    /// [`Document::clear_signatures`].
    pub fn set(&mut self, name: &str, value: Value) {
        self.signed_mut().insert(name.to_owned(), value);
    }

    /// A member of the signed part that is an object, made so if it is not.
    pub fn object(&mut self, name: &str) -> &mut BTreeMap<String, Value> {
        object_in(self.signed_mut(), name)
    }

    /// Whether the signed part holds the same as that of another file.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.signed == other.signed && self.kept == other.kept
    }

    /// Sets a member of the signed part that is kept as text: an object in canonical form in which nothing is escaped, so that it is
    /// written into the file as it is signed.
    pub(crate) fn keep(&mut self, name: &str, canonical: Vec<u8>) {
        self.signed_mut().remove(name);
        self.kept.insert(name.to_owned(), canonical);
    }

    pub(crate) fn set_header(&mut self, version: Version, expires: UnixTime) {
        self.set("version", version.number().into());
        self.set("expires", expires.to_string().into());
    }

    /// The version, if there is a valid one.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.member("version")
            .and_then(Value::as_u64)
            .and_then(Version::new)
    }

    /// The expiry, if there is a valid one.
    #[must_use]
    pub fn expires(&self) -> Option<UnixTime> {
        self.member("expires")
            .and_then(Value::as_str)
            .and_then(UnixTime::parse)
    }

    /// The canonical form of the signed part, over which signatures are made.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        self.signed_text(Value::canonical)
    }

    /// The same for whoever signs it now and writes it then: it is made once, unless control characters make the file another.
    pub(crate) fn message(&mut self) -> Cow<'_, [u8]> {
        if self.written.is_none() {
            let canonical = self.canonical();
            if canonical.iter().any(|byte| *byte < b' ') {
                return Cow::Owned(canonical);
            }
            self.written = Some(canonical);
        }
        Cow::Borrowed(self.written.as_deref().unwrap_or_default())
    }

    /// The signed part with those members in their places that are kept as text.
    fn signed_text(&self, write: fn(&Value) -> Vec<u8>) -> Vec<u8> {
        if self.kept.is_empty() {
            return write(&self.signed);
        }
        let members = self.signed.as_object().into_iter().flatten();
        let members = members.map(|(name, value)| (name, Cow::Owned(write(value))));
        let kept = self.kept.iter();
        let kept = kept.map(|(name, text)| (name, Cow::Borrowed(text.as_slice())));
        let length = kept.clone().map(|(_, text)| text.len()).sum::<usize>();
        let mut text = Vec::with_capacity(length.saturating_add(1024));
        for (name, value) in members.chain(kept).collect::<BTreeMap<_, _>>() {
            text.push(if text.is_empty() { b'{' } else { b',' });
            text.append(&mut write(&Value::from(name.as_str())));
            text.push(b':');
            text.extend_from_slice(&value);
        }
        text.push(b'}');
        text
    }

    /// Removes every signature.
    pub fn clear_signatures(&mut self) {
        self.exact = None;
        self.confirmed.clear();
        self.signatures = Value::Array(Vec::new());
    }

    /// Removes what stands beside the signed part and the signatures: nobody signs it and nobody is shown it.
    pub(crate) fn clear_unsigned(&mut self) {
        self.exact = None;
        self.others.clear();
    }

    /// The keyids of the signatures.
    pub fn signature_keyids(&self) -> impl Iterator<Item = &str> {
        let all = self.signatures.as_array().unwrap_or_default();
        all.iter().filter_map(keyid_of)
    }

    /// The signature with this keyid, if it has a readable one.
    #[must_use]
    pub fn signature(&self, keyid: &KeyId) -> Option<Vec<u8>> {
        let all = self.signatures.as_array().unwrap_or_default();
        let own = all
            .iter()
            .find(|one| keyid_of(one) == Some(keyid.as_str()))?;
        hex::decode(own.get("sig")?.as_str()?)
    }

    /// Attaches a signature, in place of an earlier one with the same keyid. The order of the keyids is that of their text, so
    /// that signing in another order gives the same bytes.
    pub fn attach(&mut self, keyid: &KeyId, signature: &[u8]) {
        self.exact = None;
        self.confirmed.retain(|other| other.keyid != *keyid);
        let Some(signatures) = self.signatures.as_array_mut() else {
            return;
        };
        signatures.retain(|other| keyid_of(other) != Some(keyid.as_str()));
        signatures.push(Value::from_iter([
            ("keyid", Value::from(keyid.as_str())),
            ("sig", Value::from(hex::encode(signature))),
        ]));
        signatures.sort_by(|one, other| keyid_of(one).cmp(&keyid_of(other)));
    }

    /// Has a signer sign [`Document::canonical`], and attaches what it makes; that is good, and is not verified a second time.
    pub(crate) fn sign_as(&mut self, keyid: &KeyId, signer: &dyn Signer) -> Result<(), SignError> {
        self.sign_for(keyid, signer.public(), signer)
    }

    /// The same under the keyid of a listed key, if it is a signature of that: it may be another value than that of the signer.
    pub(crate) fn sign_for(
        &mut self,
        keyid: &KeyId,
        listed: &PublicKeyInfo,
        signer: &dyn Signer,
    ) -> Result<(), SignError> {
        let signature = signer.sign_canonical(&self.message())?;
        if signature.public() != listed.public() {
            return self.attach_verified(keyid, listed, signature.as_bytes());
        }
        self.attach_confirmed(keyid, &signature);
        Ok(())
    }

    /// Attaches a signature that was made elsewhere, if it is one of this key over [`Document::canonical`].
    pub(crate) fn attach_verified(
        &mut self,
        keyid: &KeyId,
        key: &PublicKeyInfo,
        signature: &[u8],
    ) -> Result<(), SignError> {
        let signature = self.confirm(key, signature)?;
        self.attach_confirmed(keyid, &signature);
        Ok(())
    }

    /// Whether the signature under this keyid is one of this key. It is verified once.
    pub(crate) fn is_signed_by(&mut self, keyid: &KeyId, key: &PublicKeyInfo) -> bool {
        if self.is_confirmed(keyid, key.public(), key.scheme()) {
            return true;
        }
        let Some(signature) = self.signature(keyid) else {
            return false;
        };
        let confirmed = self.confirm(key, &signature);
        confirmed.is_ok_and(|signature| {
            self.remember(keyid, &signature);
            true
        })
    }

    /// The signature, if it is one of this key.
    pub(crate) fn confirm(
        &mut self,
        key: &PublicKeyInfo,
        signature: &[u8],
    ) -> Result<ConfirmedSignature, SignError> {
        let canonical = self.message();
        let message = signed_message(key.scheme(), &canonical, tuffet_crypto::aws_lc());
        key.confirm(&message, signature)
    }

    /// Attaches what [`Document::confirm`] or a signer has just made of this document.
    pub(crate) fn attach_confirmed(&mut self, keyid: &KeyId, signature: &ConfirmedSignature) {
        self.attach(keyid, signature.as_bytes());
        self.remember(keyid, signature);
    }

    fn remember(&mut self, keyid: &KeyId, signature: &ConfirmedSignature) {
        self.confirmed.push(Confirmed {
            keyid: keyid.clone(),
            public: signature.public().clone(),
            scheme: signature.scheme(),
        });
    }

    /// Whether the signature under this keyid is known to be a good one of this key.
    pub(crate) fn is_confirmed(&self, keyid: &KeyId, public: &PublicKey, scheme: Scheme) -> bool {
        let is =
            |one: &Confirmed| one.keyid == *keyid && one.public == *public && one.scheme == scheme;
        self.confirmed.iter().any(is)
    }

    /// The signatures that are known to be good, each with the key and scheme by which it is.
    pub(crate) fn confirmed(&self) -> impl Iterator<Item = (&PublicKey, Scheme, Vec<u8>)> {
        let all = self.confirmed.iter();
        all.filter_map(|one| Some((&one.public, one.scheme, self.signature(&one.keyid)?)))
    }

    /// What these are made over, if it is what stands in the file.
    pub(crate) fn confirmed_message(&self) -> Option<&[u8]> {
        self.written.as_deref()
    }

    /// Signs the file with every signer, each under the hash of its key as keyid.
    ///
    /// # Errors
    /// What keeps a signer from signing.
    pub fn sign(mut self, signers: &[&dyn Signer]) -> Result<Self, SignError> {
        for signer in signers {
            self.sign_as(&crate::keys::keyid(signer.public()), *signer)?;
        }
        Ok(self)
    }

    /// The file: canonical where it stands, unless a string holds control characters.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        if let Some(exact) = &self.exact {
            return exact.clone();
        }
        let signed = match &self.written {
            Some(written) => Cow::Borrowed(written.as_slice()),
            None => Cow::Owned(self.signed_text(Value::to_compact_json)),
        };
        let others = self.others.iter();
        let others =
            others.map(|(name, value)| (name.as_str(), Cow::Owned(value.to_compact_json())));
        let own = [
            ("signatures", Cow::Owned(self.signatures.to_compact_json())),
            ("signed", signed),
        ];
        let members: BTreeMap<&str, Cow<'_, [u8]>> = others.chain(own).collect();
        let length = members.values().map(|value| value.len()).sum::<usize>();
        let mut bytes = Vec::with_capacity(length.saturating_add(64));
        for (name, value) in members {
            bytes.push(if bytes.is_empty() { b'{' } else { b',' });
            bytes.append(&mut Value::from(name).to_compact_json());
            bytes.push(b':');
            bytes.extend_from_slice(&value);
        }
        bytes.push(b'}');
        bytes
    }

    /// The members of the signed part, for changing them.
    pub(crate) fn signed_mut(&mut self) -> &mut BTreeMap<String, Value> {
        self.exact = None;
        self.written = None;
        self.confirmed.clear();
        self.signed
            .as_object_mut()
            .expect("it is an object from the beginning and nothing replaces it")
    }

    /// Refuses what clients of this kind of file would refuse.
    pub(crate) fn check(&self, kind: &str) -> Result<(), FormatError> {
        let bytes = self.to_bytes();
        match kind {
            "root" => Parsed::<Root>::parse(bytes).map(drop),
            "timestamp" => Parsed::<Timestamp>::parse(bytes).map(drop),
            "snapshot" => Parsed::<Snapshot>::parse(bytes).map(drop),
            _ => Parsed::<Targets>::parse(bytes).map(drop),
        }
    }
}

fn keyid_of(signature: &Value) -> Option<&str> {
    signature.get("keyid").and_then(Value::as_str)
}

/// A member that is an object, made so if it is not.
pub(crate) fn object_in<'v>(
    members: &'v mut BTreeMap<String, Value>,
    name: &str,
) -> &'v mut BTreeMap<String, Value> {
    // Looked up before anything is allocated for it: targets are added one by one.
    if !matches!(members.get(name), Some(Value::Object(_))) {
        members.insert(name.to_owned(), Value::Object(BTreeMap::new()));
    }
    members
        .get_mut(name)
        .and_then(Value::as_object_mut)
        .expect("it has just been made an object")
}

#[cfg(test)]
mod tests {
    use tuffet_sign::FileKey;

    use super::*;

    #[test]
    fn f02_unknown_members_stay_at_every_level() {
        let bytes = br#"{"signatures":[{"bundle":{"a":"b"},"keyid":"k","sig":""}],"signed":{"keys":{"k":{"x-owner":"ana"}},"version":1},"x-envelope":[null,true]}"#;
        let mut document = Document::parse(bytes).unwrap();
        assert_eq!(document.to_bytes(), bytes);
        document.object("keys");
        document.attach(&KeyId::new("a").unwrap(), &[1]);
        let text = String::from_utf8(document.to_bytes()).unwrap();
        assert!(
            text.contains(r#"{"bundle":{"a":"b"},"keyid":"k","sig":""}"#),
            "{text}"
        );
        assert!(
            text.contains(r#""x-owner":"ana""#) && text.contains("x-envelope"),
            "{text}"
        );
    }

    #[test]
    fn what_is_passed_on_as_it_came_stays_so_until_it_is_changed() {
        let bytes = b"{ \"signed\": {\"version\":1}, \"signatures\": [] }\n".to_vec();
        let document = Document::exact(bytes.clone()).unwrap();
        assert_eq!(document.to_bytes(), bytes);
        let changes: [fn(&mut Document); 4] = [
            |document| document.set("x", 1.into()),
            |document| document.object("targets").clear(),
            Document::clear_signatures,
            |document| document.attach(&KeyId::new("a").unwrap(), &[1]),
        ];
        for change in changes {
            let mut changed = document.clone();
            change(&mut changed);
            assert!(!changed.is_exact());
            assert!(changed.to_bytes().starts_with(b"{\"signatures\":["));
        }
    }

    #[test]
    fn a_signature_is_known_to_be_good_of_the_very_key_and_until_something_changes() {
        let [signer, other] = [(); 2].map(|()| FileKey::generate(Scheme::Ed25519).unwrap());
        let key = signer.public().public().clone();
        let PublicKey::Ed25519(mut mirrored) = key else {
            panic!("another kind of key")
        };
        mirrored[31] ^= 0x80;
        let mirrored = PublicKey::Ed25519(mirrored);
        assert_eq!(mirrored.identity(), key.identity());
        let [a, b] = ["a", "b"].map(|keyid| KeyId::new(keyid).unwrap());
        let empty = Document::new("targets", Version::FIRST, UnixTime(0));
        let mut document = empty.clone();
        document.sign_as(&a, &signer).unwrap();
        let known = |document: &Document| document.is_confirmed(&a, &key, Scheme::Ed25519);
        assert!(known(&document));
        assert!(!document.is_confirmed(&b, &key, Scheme::Ed25519));
        assert!(!document.is_confirmed(&a, &key, Scheme::MlDsa44));
        assert!(!document.is_confirmed(&a, other.public().public(), Scheme::Ed25519));
        // Both count as one key, but what the one has signed the other has not.
        assert!(!document.is_confirmed(&a, &mirrored, Scheme::Ed25519));
        let changes: [fn(&mut Document, &KeyId); 4] = [
            |document, _| document.set("x", 1.into()),
            |document, _| document.keep("targets", b"{}".to_vec()),
            |document, _| document.clear_signatures(),
            |document, keyid| document.attach(keyid, &[1]),
        ];
        for change in changes {
            let mut changed = document.clone();
            change(&mut changed, &a);
            assert!(!known(&changed));
        }

        let signature = document.signature(&a).unwrap();
        let mut attached = empty;
        attached
            .attach_verified(&a, signer.public(), &signature)
            .unwrap();
        assert!(known(&attached));
        attached.set("version", 2.into());
        for (key, keyid) in [(signer.public(), &a), (other.public(), &b)] {
            let error = attached
                .attach_verified(keyid, key, &signature)
                .unwrap_err();
            assert_eq!(error.code(), "key.mismatch");
        }
        assert!(!known(&attached));
        assert_eq!(attached.signature_keyids().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn signing_order_does_not_show() {
        let (a, b) = (KeyId::new("a").unwrap(), KeyId::new("b").unwrap());
        let empty = Document::new("targets", Version::FIRST, UnixTime(0));
        let (mut one, mut other) = (empty.clone(), empty);
        one.attach(&a, &[1]);
        one.attach(&b, &[2]);
        other.attach(&b, &[9]);
        other.attach(&b, &[2]);
        other.attach(&a, &[1]);
        assert_eq!(one.to_bytes(), other.to_bytes());
    }

    #[test]
    fn what_is_not_an_envelope_is_refused() {
        for bytes in [
            &b"[]"[..],
            br#"{"signed":{}}"#,
            br#"{"signatures":[],"signed":[]}"#,
            br#"{"signatures":{},"signed":{}}"#,
            br#"{"signatures":[],"signed":{"a":1.5}}"#,
        ] {
            assert!(Document::parse(bytes).is_err());
        }
    }
}
