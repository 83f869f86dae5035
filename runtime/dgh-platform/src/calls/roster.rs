//! Finds the agent that a call is pinned to, for whoever takes it or ends it later.

use std::sync::Arc;

use dgh_store::ReleaseId;
use dgh_store::calls::CallRow;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::book::Roster;
use crate::bundles::Version;
use crate::{Agent, Agents};

impl Roster for Agents {
    fn pinned<'a>(&'a self, call: &'a CallRow) -> BoxFuture<'a, Option<Arc<Agent>>> {
        async move {
            let release = call.release.as_deref().and_then(ReleaseId::parse);
            let found = match (release, &call.profile) {
                (Some(release), Some(profile)) => Agents::pinned(self, &call.org_id, &release, profile).await,
                _ => self.resolve(&call.org_id, &call.agent, &Version::Draft, None).await,
            };
            match found {
                // A draft that was written since is another program.
                Ok(agent) if agent.hash() == call.program => Some(agent),
                Ok(_) => None,
                Err(error) => {
                    tracing::warn!(call = call.id.as_str(), %error, "the agent of a call is not to be had");
                    None
                }
            }
        }
        .boxed()
    }
}
