//! What is in force: roles, versions, expiries, keys.

use tuffet_core::metadata::{RoleName, UnixTime, Version};

use crate::Error;
use crate::document::Document;
use crate::graph::Graph;
use crate::keys::KeyName;
use crate::layout;
use crate::quorum::need;
use crate::repository::Repository;
use crate::store::Store;
use crate::write::read_optional;

/// What is known of a role, apart from the open change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleStatus {
    /// The role.
    pub role: RoleName,
    /// Who delegates to it; `None` for top-level roles.
    pub delegator: Option<RoleName>,
    /// The latest version that was sealed.
    pub version: Option<Version>,
    /// When that expires.
    pub expires: Option<UnixTime>,
    /// How many of its keys have to sign.
    pub threshold: u64,
    /// Its keys.
    pub keys: Vec<KeyName>,
    /// The keys that have signed that version.
    pub signed_by: Vec<KeyName>,
    /// Whether it is signed elsewhere: those who hold the keys make a new version, and nobody here can.
    pub external: bool,
}

impl Repository {
    /// Every role: the four of root in the order of trust, then the delegated ones, each once for every delegator.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`].
    pub fn roles(&self) -> Result<Vec<RoleStatus>, Error> {
        let store = Store::load(self.layout())?.without_drafts();
        let graph = Graph::load(&store)?;
        let top = [
            RoleName::Root,
            RoleName::Targets,
            RoleName::Snapshot,
            RoleName::Timestamp,
        ];
        let top = top.into_iter().map(|role| (None, role));
        let delegated = graph.delegated().into_iter();
        let delegated = delegated.map(|(by, name)| (Some(by), RoleName::Delegated(name)));
        let mut all = Vec::new();
        for (by, role) in top.chain(delegated) {
            all.extend(self.role_status(&store, &graph, role, by)?);
        }
        Ok(all)
    }

    fn role_status(
        &self,
        store: &Store,
        graph: &Graph,
        role: RoleName,
        delegator: Option<RoleName>,
    ) -> Result<Option<RoleStatus>, Error> {
        use tuffet_core::trust::Signers;
        let by = |signers: &Signers| match (&delegator, signers) {
            (Some(by), Signers::Delegator(of)) => by == of,
            (by, _) => by.is_none(),
        };
        let authorities = graph.authorities(&role);
        let Some(authority) = authorities.iter().rev().find(|one| by(&one.signers)) else {
            return Ok(None);
        };
        let bytes = match &role {
            RoleName::Timestamp => {
                let path = layout::file_name(&RoleName::Timestamp, None);
                read_optional(&self.layout().metadata().join(path))?
            }
            _ => store.head_bytes(&role)?,
        };
        let mut status = RoleStatus {
            threshold: authority.keys.threshold,
            keys: authority
                .keys
                .keyids
                .iter()
                .map(|keyid| self.policy().key_name(keyid))
                .collect(),
            signed_by: Vec::new(),
            version: None,
            expires: None,
            external: {
                let asked = self.policy().roles.get(role.as_str());
                asked.is_some_and(|asked| asked.external)
            },
            delegator,
            role,
        };
        if let Some(bytes) = bytes {
            let path = self.layout().metadata();
            let document = Document::parse(&bytes).map_err(|error| Error::format(&path, error))?;
            status.version = document.version();
            status.expires = document.expires();
            status.signed_by = need(&status.role, &bytes, authority, self.policy())?.signed;
        }
        Ok(Some(status))
    }
}
