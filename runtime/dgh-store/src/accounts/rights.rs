//! What somebody may do: a role in the organisation, and for keys the parts of the product.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A role in an organisation; a later one may do all that an earlier one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees everything but secrets, changes nothing.
    Viewer,
    /// Changes agents, makes calls.
    Editor,
    /// Decides who may do what.
    Owner,
}

/// A part of the product, to look at or to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Scope {
    /// Agents, releases, profiles, documents.
    AgentsRead,
    /// To edit, publish, remove them.
    AgentsWrite,
    /// Calls and chats, their recordings and figures.
    CallsRead,
    /// To begin, steer, end and delete them.
    CallsWrite,
    /// Names of secrets.
    SecretsRead,
    /// To set and remove secrets. Nobody reads one.
    SecretsWrite,
    /// Endpoints and deliveries.
    WebhooksRead,
    /// To change endpoints, to send again.
    WebhooksWrite,
    /// Carriers and numbers.
    CarriersRead,
    /// To change them.
    CarriersWrite,
    /// Campaigns, contacts, suppressions.
    CampaignsRead,
    /// To change and run them.
    CampaignsWrite,
    /// The organisation, its members, invitations and keys.
    OrgRead,
    /// To change them.
    OrgWrite,
    /// Who changed what.
    AuditRead,
    /// Figures of the server.
    MetricsRead,
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scopes(u32);

/// A word that names no role and no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {kind} `{word}`")]
pub struct UnknownRight {
    kind: &'static str,
    word: String,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::AgentsRead,
        Self::AgentsWrite,
        Self::CallsRead,
        Self::CallsWrite,
        Self::SecretsRead,
        Self::SecretsWrite,
        Self::WebhooksRead,
        Self::WebhooksWrite,
        Self::CarriersRead,
        Self::CarriersWrite,
        Self::CampaignsRead,
        Self::CampaignsWrite,
        Self::OrgRead,
        Self::OrgWrite,
        Self::AuditRead,
        Self::MetricsRead,
    ];

    /// Its word: `agents:read`.
    pub fn word(self) -> &'static str {
        match self {
            Self::AgentsRead => "agents:read",
            Self::AgentsWrite => "agents:write",
            Self::CallsRead => "calls:read",
            Self::CallsWrite => "calls:write",
            Self::SecretsRead => "secrets:read",
            Self::SecretsWrite => "secrets:write",
            Self::WebhooksRead => "webhooks:read",
            Self::WebhooksWrite => "webhooks:write",
            Self::CarriersRead => "carriers:read",
            Self::CarriersWrite => "carriers:write",
            Self::CampaignsRead => "campaigns:read",
            Self::CampaignsWrite => "campaigns:write",
            Self::OrgRead => "org:read",
            Self::OrgWrite => "org:write",
            Self::AuditRead => "audit:read",
            Self::MetricsRead => "metrics:read",
        }
    }

    fn bit(self) -> u32 {
        1 << self as u8
    }
}

impl Scopes {
    /// Everything, also what is added one day.
    pub const ALL: Self = Self(u32::MAX);
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// Whether this one is among them.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether all of these are among them.
    pub fn hold(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// One by one. All of them are all that are known today.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | scope.bit()))
    }
}

/// As it is kept: words with spaces between them, or `*`.
impl fmt::Display for Scopes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return out.write_str("*");
        }
        let words: Vec<_> = self.iter().map(Scope::word).collect();
        out.write_str(&words.join(" "))
    }
}

impl FromStr for Scopes {
    type Err = UnknownRight;

    fn from_str(text: &str) -> Result<Self, UnknownRight> {
        if text == "*" {
            return Ok(Self::ALL);
        }
        text.split_whitespace().map(Scope::from_str).collect()
    }
}

impl TryFrom<String> for Scopes {
    type Error = UnknownRight;

    fn try_from(text: String) -> Result<Self, UnknownRight> {
        text.parse()
    }
}

/// Words of an enum, in JSON and in the database.
macro_rules! words {
    ($type:ident, $kind:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.word())
            }
        }

        impl FromStr for $type {
            type Err = UnknownRight;

            fn from_str(word: &str) -> Result<Self, UnknownRight> {
                let found = Self::ALL.into_iter().find(|known| known.word() == word);
                found.ok_or_else(|| UnknownRight { kind: $kind, word: word.chars().take(40).collect() })
            }
        }

        impl TryFrom<String> for $type {
            type Error = UnknownRight;

            fn try_from(word: String) -> Result<Self, UnknownRight> {
                word.parse()
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.word())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

words!(Role, "role");
words!(Scope, "scope");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_later_role_may_more() {
        assert!(Role::Viewer < Role::Editor && Role::Editor < Role::Owner);
        for role in Role::ALL {
            assert_eq!(role.word().parse::<Role>().unwrap(), role);
        }
        assert!("admin".parse::<Role>().is_err());
    }

    #[test]
    fn scopes_are_kept_as_words() {
        let some: Scopes = [Scope::CallsRead, Scope::AgentsWrite].into_iter().collect();
        assert_eq!(some.to_string(), "agents:write calls:read");
        assert_eq!("agents:write calls:read".parse::<Scopes>().unwrap(), some);
        assert!(some.has(Scope::CallsRead) && !some.has(Scope::CallsWrite));
        assert!(Scopes::ALL.hold(some) && !some.hold(Scopes::ALL));
        assert_eq!((Scopes::ALL.to_string().as_str(), "*".parse::<Scopes>().unwrap()), ("*", Scopes::ALL));
        assert!("calls:read everything".parse::<Scopes>().is_err());
        for scope in Scope::ALL {
            assert_eq!(scope.word().parse::<Scope>().unwrap(), scope);
        }
    }
}
