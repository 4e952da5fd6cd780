//! Keys that have to be made on a token, and to be touched.

use serde::{Deserialize, Serialize};
use tuffet_core::crypto::KeyIdentity;
use tuffet_core::metadata::{KeyId, RoleName};
use tuffet_sign::Attestation;

use super::Policy;
use crate::Error;

/// Which roles only take keys that a token vouches for, and whose word counts for that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct AttestationPolicy {
    /// Roles whose keys were all made on a token and cannot leave it.
    #[serde(default)]
    pub require_attested: Vec<String>,
    /// Roles whose keys also sign only when somebody touches the token.
    #[serde(default)]
    pub require_touch: Vec<String>,
    /// The certificates of makers, or of single tokens, whose word counts: PEM, one after the other.
    pub roots: String,
}

impl Policy {
    /// Refuses a key of a role for which the policy wants the word of a token (`require-attested`, `require-touch`).
    pub(super) fn check_attestation(
        &self,
        role: &RoleName,
        keyid: &KeyId,
        identity: &KeyIdentity,
    ) -> Result<(), Error> {
        let Some(policy) = &self.attestation else {
            return Ok(());
        };
        let names = |roles: &[String]| roles.iter().any(|name| name == role.as_str());
        let wants_touch = names(&policy.require_touch);
        if !wants_touch && !names(&policy.require_attested) {
            return Ok(());
        }
        let refused = |why: String| Error::NotAttested {
            role: role.clone(),
            key: self.key_name(keyid),
            why,
        };
        let known = self.keys.values().find(|key| key.keyid == keyid.as_str());
        let chain = known.and_then(|key| key.attestation.as_deref());
        let chain = chain.ok_or_else(|| refused("nothing vouches for it".to_owned()))?;
        let attested = Attestation::verify(chain, &policy.roots)
            .map_err(|error| refused(error.to_string()))?;
        if attested.key.identity() != *identity {
            return Err(refused("the certificate is one of another key".to_owned()));
        }
        if wants_touch && !attested.wants_touch() {
            return Err(refused(format!("it signs without a touch: {attested}")));
        }
        Ok(())
    }
}
