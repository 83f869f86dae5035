//! Whose secrets a delivery is sent with. They are looked up when it leaves, never before.

use std::collections::HashMap;

use async_trait::async_trait;
use dgh_store::{OrgId, StoreError};
use secrecy::SecretString;

use crate::bundles::{Agents, BundleError, Version};

/// Whose webhook it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The organisation.
    pub org: OrgId,
    /// The agent, by its name in addresses.
    pub agent: String,
    /// The profile.
    pub profile: Option<String>,
}

/// What a delivery is sent with.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Those of the named secrets that are there.
    pub secrets: HashMap<String, SecretString>,
    /// Private addresses that may be asked, as `allow_private` of the profile lists them.
    pub allow_private: Vec<String>,
}

/// Looks up what deliveries are sent with.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The named secrets of this profile as they are now. A secret that is not there is left out;
    /// an error is only that they cannot be looked up at the moment.
    async fn surroundings(&self, owner: &Owner, names: &[String]) -> Result<Surroundings, StoreError>;
}

#[async_trait]
impl Secrets for Agents {
    async fn surroundings(&self, owner: &Owner, names: &[String]) -> Result<Surroundings, StoreError> {
        let version = owner.profile.clone().map_or(Version::Production, Version::Profile);
        // An agent that came from a folder may use what that folder's own settings name.
        let (secrets, own) = match self.resolve(&owner.org, &owner.agent, &version, None).await {
            Ok(agent) => {
                let own = agent.allow_private().to_vec();
                let all = names.iter().filter_map(|name| Some((name.clone(), agent.secrets().secret(name)?)));
                (all.collect(), own)
            }
            Err(BundleError::Store(error)) if error.is_passing() => return Err(error),
            // It has no release there any more, or cannot be prepared: its profile still has secrets.
            Err(_) => (self.of_profile(owner, names).await?, Vec::new()),
        };
        let allow_private = own.into_iter().chain(self.options().allow_private.iter().cloned()).collect();
        Ok(Surroundings { secrets, allow_private })
    }
}

impl Agents {
    async fn of_profile(
        &self,
        owner: &Owner,
        names: &[String],
    ) -> Result<HashMap<String, SecretString>, StoreError> {
        let Some(profile) = &owner.profile else { return Ok(HashMap::new()) };
        match self.secrets(&owner.org, profile).await {
            Ok(secrets) => {
                Ok(names.iter().filter_map(|name| Some((name.clone(), secrets.secret(name)?))).collect())
            }
            Err(BundleError::Store(error)) if error.is_passing() => Err(error),
            Err(_) => Ok(HashMap::new()),
        }
    }
}
