//! Names of rows: UUIDs of version 7, which sort by when they were made.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$about:meta])* $name:ident)*) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(String);

        impl $name {
            /// One that was never used.
            pub fn fresh() -> Self {
                Self(Uuid::now_v7().to_string())
            }

            /// Reads one; nothing if it is no id at all. Whether it exists is another question.
            pub fn parse(text: &str) -> Option<Self> {
                is_id(text).then(|| Self(text.to_owned()))
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NoId;

            fn from_str(text: &str) -> Result<Self, NoId> {
                Self::parse(text).ok_or(NoId)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// An organisation: everything belongs to one.
    OrgId
    /// A person with an account.
    UserId
    /// A person in an organisation.
    MemberId
    /// An invitation to an organisation.
    InviteId
    /// A key of the API.
    ApiKeyId
    /// A browser that is logged in.
    SessionId
    /// An entry of the audit log.
    AuditId
    /// An agent.
    AgentId
    /// A published state of an agent.
    ReleaseId
    /// A document that was cut into passages.
    DocumentId
    /// Where an agent runs: dev, staging, production.
    ProfileId
    /// A secret.
    SecretId
    /// What leads to an agent besides its name.
    RouteId
    /// A call.
    CallId
    /// A file of a call: a recording, a transcript, a log.
    ArtifactId
    /// Something that happens to a call elsewhere.
    InboxId
    /// Somewhere that events are sent to.
    EndpointId
    /// An event that is sent to an endpoint.
    DeliveryId
    /// An attempt to deliver.
    AttemptId
    /// A process that runs the server.
    NodeId
    /// A chat over the API.
    ChatId
    /// A telephone number.
    NumberId
    /// An account with a carrier.
    CarrierAccountId
    /// Work that is done later.
    JobId
}

/// A text that is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no id")]
pub struct NoId;

/// 36 characters in lower case, as ids are written here: another spelling would be another row.
fn is_id(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|id| id.to_string() == text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn later_ids_sort_behind_earlier_ones() {
        let ids: Vec<CallId> = (0..1_000).map(|_| CallId::fresh()).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 1_000);
    }

    #[test]
    fn only_the_spelling_of_ours_is_an_id() {
        let id = OrgId::fresh();
        assert_eq!(OrgId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
        for text in ["", "1", "../etc", &id.as_str().to_uppercase(), &id.as_str().replace('-', "")] {
            assert_eq!(OrgId::parse(text), None, "{text}");
        }
    }
}
