//! What other implementations do not do, as they say themselves.

use tuffet_core::crypto::{HashAlgorithm, Scheme};

use super::features::Feature;

/// Implementations that are not installed from a package registry, and what is missing for them.
pub(crate) const ELSEWHERE: &[(&str, &str)] = &[
    (
        "go-tuf",
        "needs a build of its conformance client, given with `--client`",
    ),
    (
        "sigstore-java",
        "needs a build of its conformance client (Gradle, packages of a Maven repository), given with `--client`",
    ),
];

/// Why nothing that go-tuf has written is read, unless a writer is given.
pub(crate) const NO_WRITER: &str = "needs a program that writes with it, given with `--writer`";

/// A row, or many, that an implementation cannot do.
struct Limit {
    project: &'static str,
    features: fn(Feature) -> bool,
    /// What it must say; another error is a failure.
    says: &'static str,
    reason: &'static str,
}

const LIMITS: &[Limit] = &[
    Limit {
        project: "tuf-js",
        features: |feature| is(feature, |scheme| !tuf_js_verifies(scheme)),
        says: "root was signed by 0/1 keys",
        reason: "tuf-js does not support this scheme: it has Ed25519, ECDSA on P-256 and P-384, and RSA-PSS",
    },
    Limit {
        project: "sigstore-tuf",
        features: |feature| is(feature, |scheme| !sigstore_tuf_verifies(scheme)),
        says: "signature threshold not met for role root: 0/1",
        reason: "sigstore-tuf does not support this scheme: it has Ed25519, ECDSA on P-256 and P-384, RSA-PSS and ML-DSA",
    },
    Limit {
        project: "sigstore-tuf",
        features: |feature| feature == Feature::Bins,
        says: "is not listed by any trusted targets role",
        reason: "sigstore-tuf does not support succinct hash bins",
    },
    Limit {
        project: "tough",
        features: |feature| is(feature, |scheme| !tough_verifies(scheme)),
        says: "Failed to parse trusted root metadata",
        reason: "tough does not support this scheme: it has Ed25519, ECDSA on P-256 and RSA-PSS with SHA-256",
    },
    Limit {
        project: "tough",
        features: |feature| feature == Feature::Hashes(&[HashAlgorithm::Sha512]),
        says: "missing field `sha256`",
        reason: "tough needs the SHA-256 of a target",
    },
    Limit {
        project: "tough",
        features: |feature| feature == Feature::Bins,
        says: "missing field `roles`",
        reason: "tough does not support succinct hash bins",
    },
    Limit {
        project: "tough",
        features: |feature| matches!(feature, Feature::Directories | Feature::Commands),
        says: "file not found",
        reason: TOUGH_DIRECTORIES,
    },
    Limit {
        project: "tough writes",
        features: |feature| feature == Feature::OddRoles,
        says: "missing.delegated",
        reason: "tough does not support such names of roles when it writes",
    },
    Limit {
        project: "rust-tuf",
        features: |feature| feature != Feature::OldVersion,
        says: "Unknown spec version 1.0.34",
        reason: "rust-tuf does not support files that say another `spec_version` than 1.0",
    },
    Limit {
        project: "python-tuf",
        features: |feature| feature == Feature::UrlTargets,
        says: "status 404",
        reason: URL_NAMES,
    },
    Limit {
        project: "tuf-js",
        features: |feature| feature == Feature::UrlTargets,
        says: "Failed to download",
        reason: URL_NAMES,
    },
    Limit {
        project: "sigstore-tuf",
        features: |feature| feature == Feature::UrlTargets,
        says: "not found",
        reason: URL_NAMES,
    },
    Limit {
        project: "tough",
        features: |feature| feature == Feature::UrlTargets,
        says: "file not found",
        reason: URL_NAMES,
    },
    Limit {
        project: "go-tuf",
        features: |feature| feature == Feature::UrlTargets,
        says: "invalid URL escape",
        reason: URL_NAMES,
    },
    Limit {
        project: "go-tuf",
        features: |feature| is(feature, |scheme| scheme.ml_dsa_parameters().is_some()),
        says: "unsupported public key type",
        reason: GO_SCHEMES,
    },
    Limit {
        project: "go-tuf",
        features: |feature| is(feature, |scheme| !go_tuf_verifies(scheme)),
        says: "Verifying root failed, not enough signatures, got 0",
        reason: GO_SCHEMES,
    },
    Limit {
        project: "go-tuf",
        features: |feature| feature == Feature::Prefixes,
        says: "target package-0.txt not found",
        reason: "go-tuf before its pull request 783 does not support hash prefixes as hexadecimal digits",
    },
];

const TOUGH_DIRECTORIES: &str =
    "tough does not support targets in directories with consistent snapshots";
const URL_NAMES: &str = "does not support such names of targets";
const GO_SCHEMES: &str = "go-tuf does not support this scheme: \
    it has Ed25519, ECDSA on P-256 and P-384, and RSA-PSS with SHA-256";

fn is(feature: Feature, scheme_is: fn(Scheme) -> bool) -> bool {
    matches!(feature, Feature::Scheme(scheme) if scheme_is(scheme))
}

fn tuf_js_verifies(scheme: Scheme) -> bool {
    scheme.ml_dsa_parameters().is_none() && sigstore_tuf_verifies(scheme)
}

fn sigstore_tuf_verifies(scheme: Scheme) -> bool {
    !matches!(scheme, Scheme::EcdsaP521Sha512 | Scheme::RsaPkcs1v15(_))
}

fn tough_verifies(scheme: Scheme) -> bool {
    go_tuf_verifies(scheme) && scheme != Scheme::EcdsaP384Sha384
}

fn go_tuf_verifies(scheme: Scheme) -> bool {
    matches!(
        scheme,
        Scheme::Ed25519
            | Scheme::EcdsaP256Sha256
            | Scheme::EcdsaP384Sha384
            | Scheme::RsaPss(HashAlgorithm::Sha256)
    )
}

fn limits(project: &str, feature: Feature) -> impl Iterator<Item = &'static Limit> {
    let of = move |limit: &&Limit| limit.project == project && (limit.features)(feature);
    LIMITS.iter().filter(of)
}

/// Whether it is known that it cannot do this.
pub(crate) fn is_unable(project: &str, feature: Feature) -> bool {
    limits(project, feature).next().is_some()
}

/// Why it cannot do this, if it said what it is known to say.
pub(crate) fn reason(project: &str, feature: Feature, said: &str) -> Option<&'static str> {
    let mut known = limits(project, feature);
    let limit = known.find(|limit| said.contains(limit.says))?;
    Some(limit.reason)
}
