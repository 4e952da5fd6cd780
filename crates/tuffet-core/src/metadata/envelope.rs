//! The two envelopes, `signed` with `signatures` (TUF §4.2) and DSSE (TAP 17), around one model.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use base64ct::{Base64, Base64Url, Encoding};

use super::date;
use super::listed::parse_version;
use super::{KeyId, Note, Notes, Tolerance, UnixTime, Version};
use crate::crypto::hex;
use crate::json::{FormatError, Kind, Reader, Reason, SignedSpan, Span, canonicalize};

/// How many signatures one file may carry (A-07).
const SIGNATURES: usize = 1024;

/// The payload type of TUF metadata in a DSSE envelope.
const DSSE_TYPE: &str = "application/vnd.tuf+json";

/// The content of a metadata file of one role.
pub trait Role: Sized + sealed::Sealed {
    /// The `_type` of the role.
    const TYPE: &'static str;

    /// The version of the file.
    fn version(&self) -> Version;

    /// When the file stops being valid.
    fn expires(&self) -> UnixTime;

    #[doc(hidden)]
    fn parse(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<Self, FormatError>;
}

mod sealed {
    /// Only the four roles of this crate are roles.
    pub trait Sealed {}
    impl Sealed for super::super::Root {}
    impl Sealed for super::super::Timestamp {}
    impl Sealed for super::super::Snapshot {}
    impl Sealed for super::super::Targets {}
}

/// What every role's content begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: Version,
    pub(super) expires: UnixTime,
}

/// Collects the members of a [`Header`].
pub(super) struct HeaderFields {
    expected: &'static str,
    kind: bool,
    version: Option<Version>,
    expires: Option<UnixTime>,
    spec_version: bool,
}

impl HeaderFields {
    pub(super) fn of<R: Role>() -> Self {
        Self {
            expected: R::TYPE,
            kind: false,
            version: None,
            expires: None,
            spec_version: false,
        }
    }

    /// Consumes the value of a member that no role claims for itself.
    pub(super) fn member(
        &mut self,
        reader: &mut Reader<'_>,
        name: &str,
        notes: &mut Notes,
    ) -> Result<(), FormatError> {
        match name {
            "_type" => {
                let text = reader.text()?;
                // At once, because a file of another role is wrong in other ways too, and this is the one to name.
                if !text.equals(self.expected) {
                    return Err(FormatError::new(
                        text.offset(),
                        Reason::Expected(self.expected),
                    ));
                }
                self.kind = true;
            }
            "version" => self.version = Some(parse_version(reader)?),
            "expires" => {
                let text = reader.text()?;
                let date = date::parse(&text.decode()).ok_or_else(|| {
                    FormatError::new(
                        text.offset(),
                        Reason::Invalid("a date that is not YYYY-MM-DDTHH:MM:SSZ"),
                    )
                })?;
                if !date.plain {
                    notes.add(Tolerance::ExpiresForm, || "expires".into());
                }
                self.expires = Some(date.at);
            }
            "spec_version" => {
                let text = reader.text()?;
                match spec_version_numbers(&text.decode()) {
                    Some(3) => {}
                    Some(_) => notes.add(Tolerance::SpecVersionForm, || "spec_version".into()),
                    None => {
                        return Err(FormatError::new(
                            text.offset(),
                            Reason::Invalid("a specification version other than 1.x.y"),
                        ));
                    }
                }
                self.spec_version = true;
            }
            _ => {
                reader.skip()?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, start: usize) -> Result<Header, FormatError> {
        let missing = |name| FormatError::new(start, Reason::Missing(name));
        if !self.kind {
            return Err(missing("_type"));
        }
        if !self.spec_version {
            return Err(missing("spec_version"));
        }
        Ok(Header {
            version: self.version.ok_or_else(|| missing("version"))?,
            expires: self.expires.ok_or_else(|| missing("expires"))?,
        })
    }
}

/// How many numbers a specification version of major 1 has: two or three (A-12).
fn spec_version_numbers(text: &str) -> Option<usize> {
    let numeric = |part: &str| {
        !part.is_empty() && part.len() <= 9 && part.bytes().all(|digit| digit.is_ascii_digit())
    };
    let mut count = 0_usize;
    for part in text.split('.') {
        if !numeric(part) || (count == 0 && part != "1") {
            return None;
        }
        count = count.checked_add(1)?;
    }
    (2..=3).contains(&count).then_some(count)
}

/// Which envelope a file came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeKind {
    /// `{"signatures": …, "signed": …}`.
    Json,
    /// A DSSE envelope of TAP 17.
    Dsse,
}

/// One entry of `signatures`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignatureEntry {
    pub(crate) keyid: KeyId,
    /// The decoded value; empty when it was not hexadecimal, which counts as no signature (A-06).
    pub(crate) bytes: Vec<u8>,
    /// The whole object in the received bytes: later kinds of key need its other members.
    pub(crate) span: Span,
}

/// A file that has been read and not verified.
#[derive(Debug)]
pub struct Parsed<R> {
    pub(crate) content: R,
    pub(crate) received: Arc<Vec<u8>>,
    /// The decoded payload of a DSSE envelope.
    pub(crate) payload: Option<Vec<u8>>,
    pub(crate) message: Message,
    pub(crate) signatures: Vec<SignatureEntry>,
    pub(crate) notes: Vec<Note>,
}

/// What was signed.
#[derive(Debug)]
pub(crate) enum Message {
    /// The received bytes are the canonical form.
    InPlace(Span),
    /// A canonical form, or the pre-authentication encoding of a DSSE payload.
    Built(Vec<u8>),
}

impl<R: Role> Parsed<R> {
    /// Reads a metadata file in either envelope.
    ///
    /// # Errors
    /// Where and why the bytes are not a file of this role.
    ///
    /// ```
    /// # use tuffet_core::metadata::{Parsed, Timestamp};
    /// let error = Parsed::<Timestamp>::parse(br#"{"signatures": [], "signed": {"_type": "root"}}"#.to_vec()).unwrap_err();
    /// assert_eq!(error.path, "signed._type");
    /// ```
    pub fn parse(bytes: Vec<u8>) -> Result<Self, FormatError> {
        Self::parse_shared(Arc::new(bytes))
    }

    pub(crate) fn parse_shared(received: Arc<Vec<u8>>) -> Result<Self, FormatError> {
        let mut notes = Notes::default();
        let outer = Outer::<R>::read(&received, &mut notes)?;
        let signatures = outer
            .signatures
            .ok_or_else(|| FormatError::new(0, Reason::Missing("signatures")))?;
        match (outer.signed, outer.payload) {
            (Some((content, signed)), None) => {
                let message =
                    message_of(&received, signed).map_err(|error| error.within("signed"))?;
                let signatures = signatures.read(&received, EnvelopeKind::Json, &mut notes)?;
                Ok(Self {
                    content,
                    payload: None,
                    message,
                    signatures,
                    notes: notes.into_vec(),
                    received,
                })
            }
            (None, Some(payload)) => {
                let kind = outer
                    .payload_type
                    .ok_or_else(|| FormatError::new(0, Reason::Missing("payloadType")))?;
                if kind != DSSE_TYPE {
                    return Err(
                        FormatError::new(0, Reason::Expected(DSSE_TYPE)).within("payloadType")
                    );
                }
                let signatures = signatures.read(&received, EnvelopeKind::Dsse, &mut notes)?;
                let mut reader = Reader::new(&payload).map_err(|error| error.within("payload"))?;
                let signed = notes.within(
                    || "payload".to_string(),
                    |notes| reader.signed(|reader| R::parse(reader, notes)),
                );
                let (content, _) = signed.map_err(|error| error.within("payload"))?;
                reader.finish().map_err(|error| error.within("payload"))?;
                let message = Message::Built(pre_authentication_encoding(&payload));
                Ok(Self {
                    content,
                    payload: Some(payload),
                    message,
                    signatures,
                    notes: notes.into_vec(),
                    received,
                })
            }
            (Some(_), Some(_)) => Err(FormatError::new(
                0,
                Reason::Invalid("signed and payload together"),
            )),
            (None, None) => Err(FormatError::new(0, Reason::Missing("signed"))),
        }
    }
}

impl<R> Parsed<R> {
    /// The content, which nobody has vouched for yet.
    #[must_use]
    pub fn unverified(&self) -> &R {
        &self.content
    }

    /// Which envelope the file came in.
    #[must_use]
    pub fn envelope(&self) -> EnvelopeKind {
        if self.payload.is_some() {
            EnvelopeKind::Dsse
        } else {
            EnvelopeKind::Json
        }
    }

    /// The keyids of the signatures, in order.
    pub fn signature_keyids(&self) -> impl Iterator<Item = &KeyId> {
        self.signatures.iter().map(|signature| &signature.keyid)
    }

    /// The bytes that the signatures are over.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        match &self.message {
            Message::InPlace(span) => span.of(&self.received).unwrap_or_default(),
            Message::Built(bytes) => bytes,
        }
    }

    /// What reading forgave.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The bytes that the content indexes.
    pub(crate) fn document(&self) -> &[u8] {
        self.payload.as_deref().unwrap_or(&self.received)
    }
}

fn message_of(received: &[u8], signed: SignedSpan) -> Result<Message, FormatError> {
    if signed.canonical {
        return Ok(Message::InPlace(signed.span));
    }
    let bytes = signed.span.of(received).unwrap_or_default();
    Ok(match canonicalize(bytes)? {
        Cow::Borrowed(_) => Message::InPlace(signed.span),
        Cow::Owned(built) => Message::Built(built),
    })
}

/// What the signatures of a DSSE envelope around TUF metadata are over: `DSSEv1 LEN(type) type LEN(payload) payload`.
#[must_use]
pub fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
    let mut message =
        format!("DSSEv1 {} {DSSE_TYPE} {} ", DSSE_TYPE.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

/// The members of the outermost object.
struct Outer<R> {
    signed: Option<(R, SignedSpan)>,
    payload: Option<Vec<u8>>,
    payload_type: Option<String>,
    signatures: Option<SignatureSpans>,
}

impl<R: Role> Outer<R> {
    fn read(received: &[u8], notes: &mut Notes) -> Result<Self, FormatError> {
        let mut outer = Self {
            signed: None,
            payload: None,
            payload_type: None,
            signatures: None,
        };
        let mut reader = Reader::new(received)?;
        reader.object(|reader, name| {
            match &*name.decode() {
                "signed" => {
                    let signed = notes.within(
                        || "signed".to_string(),
                        |notes| reader.signed(|reader| R::parse(reader, notes)),
                    );
                    outer.signed = Some(signed?);
                }
                "signatures" => outer.signatures = Some(SignatureSpans::scan(reader)?),
                "payload" if reader.kind()? == Kind::Text => {
                    let text = reader.text()?;
                    let payload = decode_base64(&text.decode()).ok_or_else(|| {
                        FormatError::new(
                            text.offset(),
                            Reason::Invalid("a payload that is not base64"),
                        )
                    })?;
                    outer.payload = Some(payload);
                }
                "payloadType" if reader.kind()? == Kind::Text => {
                    outer.payload_type = Some(reader.text()?.decode().into_owned())
                }
                _ => {
                    reader.skip()?;
                }
            }
            Ok(())
        })?;
        reader.finish()?;
        Ok(outer)
    }
}

/// The signatures, before it is known which envelope they belong to: the members of an object come in any order.
struct SignatureSpans(Vec<(KeyId, String, Span)>);

impl SignatureSpans {
    fn scan(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let start = reader.offset();
        let mut all: Vec<(KeyId, String, Span)> = Vec::new();
        reader.array(|reader, place| {
            if place >= SIGNATURES {
                return Err(FormatError::new(
                    reader.offset(),
                    Reason::Invalid("more than 1024 signatures"),
                ));
            }
            let ((keyid, value), span) = reader.spanned(scan_signature)?;
            all.push((keyid, value, span));
            Ok(())
        })?;
        let mut keyids: Vec<&KeyId> = all.iter().map(|(keyid, ..)| keyid).collect();
        keyids.sort_unstable();
        match keyids
            .iter()
            .zip(keyids.iter().skip(1))
            .find(|(one, next)| one == next)
        {
            Some(_) => Err(FormatError::new(
                start,
                Reason::Invalid("two signatures with one keyid"),
            )),
            None => Ok(Self(all)),
        }
    }

    fn read(
        self,
        received: &[u8],
        kind: EnvelopeKind,
        notes: &mut Notes,
    ) -> Result<Vec<SignatureEntry>, FormatError> {
        debug_assert!(self.0.iter().all(|(.., span)| span.of(received).is_some()));
        let decode = |value: &str| match kind {
            EnvelopeKind::Json => hex::decode(value),
            EnvelopeKind::Dsse => decode_base64(value),
        };
        let mut entries = Vec::with_capacity(self.0.len());
        for (place, (keyid, value, span)) in self.0.into_iter().enumerate() {
            let bytes = decode(&value).unwrap_or_default();
            if bytes.is_empty() {
                notes.add(Tolerance::SignatureForm, || {
                    format!("signatures[{place}].sig")
                });
            }
            entries.push(SignatureEntry { keyid, bytes, span });
        }
        Ok(entries)
    }
}

fn scan_signature(reader: &mut Reader<'_>) -> Result<(KeyId, String), FormatError> {
    let start = reader.offset();
    let (mut keyid, mut value) = (None, None);
    reader.object(|reader, name| {
        match &*name.decode() {
            "keyid" => {
                let text = reader.text()?;
                keyid = Some(KeyId::new(&text.decode()).map_err(|_| {
                    FormatError::new(text.offset(), Reason::Invalid("an empty keyid"))
                })?);
            }
            "sig" => value = Some(reader.text()?.decode().to_string()),
            _ => {
                reader.skip()?;
            }
        }
        Ok(())
    })?;
    Ok((
        keyid.ok_or_else(|| FormatError::new(start, Reason::Missing("keyid")))?,
        value.ok_or_else(|| FormatError::new(start, Reason::Missing("sig")))?,
    ))
}

/// Standard or URL-safe base64, as DSSE asks of readers.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text)
        .or_else(|_| Base64Url::decode_vec(text))
        .ok()
}
