//! Webhook deliveries: kept with what they are about, claimed, sent by others, finished.
//!
//! A delivery is claimed by one node at a time, with a lease and a fence. Whoever writes how it went
//! shows the fence; one that is not the newest changes nothing, so a node that was slow cannot undo
//! what another did.

mod claim;
mod endpoints;
mod enqueue;
mod finish;
mod list;
mod signing;

pub use claim::{Claimed, any_due_unscoped, claim_unscoped, clear_leases_unscoped};
pub use endpoints::{
    Breaker, Endpoint, EndpointFilter, disable_unscoped, enable, endpoint, endpoints, failed_unscoped,
    health_unscoped, pause_unscoped, probe_unscoped, recovered_unscoped,
};
pub use enqueue::{NewDelivery, enqueue};
pub use finish::{
    Attempt, Ticket, dead_unscoped, delivered_unscoped, park_unscoped, release_unscoped, retry_unscoped,
};
pub use list::{
    Delivery, Failed, Filter, Waiting, attempts, backlog_unscoped, delete_done_unscoped, forget_call, get,
    list, parked_for_secrets_unscoped, replay, replay_all, unpark_unscoped,
};
pub use signing::{SigningSecret, add_signing_secret, retire, signing_secrets, valid_signing_secrets};

use serde::{Deserialize, Serialize};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is sent when it is due.
    Pending,
    /// Something is missing that somebody has to set up.
    Parked,
    /// The receiver has it.
    Delivered,
    /// It was given up, or refused for good.
    Dead,
    /// It is of a test call and was not sent.
    Simulated,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Parked, Self::Delivered, Self::Dead, Self::Simulated];

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Parked => "parked",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Simulated => "simulated",
        }
    }

    /// The one with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests;
