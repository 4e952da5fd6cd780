//! Figures of published documents, and figures made by us where none are published.

pub(crate) mod ecdsa;
pub(crate) mod ed25519;
pub(crate) mod rsa;
pub(crate) mod rsa_2049;

/// A signature with its expected verdict. All but the scheme is hexadecimal text.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) public: &'static str,
    pub(crate) message: &'static str,
    pub(crate) signature: &'static str,
    pub(crate) valid: bool,
}
