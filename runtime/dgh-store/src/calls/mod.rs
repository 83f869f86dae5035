//! Calls: created, owned, ended, found again.
//!
//! A call goes one way, from `created` to `ended`, and has one owner at a time. Whoever changes it shows
//! the fence that it got with the call; a fence that is not the newest changes nothing.

mod create;
mod end;
mod inbox;
mod list;
mod log;
mod nodes;
mod own;
mod report;

pub use create::{Created, Limit, Limits, NewCall, Scope, create, set_limit, set_org_limit, usage_of_limits};
pub use end::{End, Usage, end, usage_of, values_of};
pub use inbox::{
    Message, NewMessage, finish_message_unscoped, forget_sealed_messages_unscoped, post, take_unscoped, told,
    waiting_unscoped,
};
pub use list::{Filter, Sort, list, tags_of};
pub use log::{LogPart, append_unscoped, forget_log, parts_after, whole_log};
pub use nodes::{
    Node, beat_unscoped, forget_dead_unscoped, join_unscoped, leave_unscoped, nodes_unscoped,
    shared_key_unscoped,
};
pub use own::{
    Owner, Ticket, adopt_unscoped, advance, by_carrier_unscoped, get, get_unscoped, of_node_unscoped,
    overdue_unscoped, progress, redeem_unscoped, renew_ticket, set_carrier_call, take_unowned,
};
pub use report::{Bucket, Day, report};

use serde::Serialize;
use sqlx::FromRow;

use crate::{CallId, NodeId, OrgId};

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// It is wanted.
    Created,
    /// A carrier was asked to call.
    Dialing,
    /// It rings.
    Ringing,
    /// Its line is set up.
    Connecting,
    /// It goes on.
    Live,
    /// It is over.
    Ended,
}

impl CallState {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Dialing => "dialing",
            Self::Ringing => "ringing",
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Ended => "ended",
        }
    }
}

/// A call, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct CallRow {
    /// Its id.
    pub id: CallId,
    /// Its organisation.
    pub org_id: OrgId,
    /// The agent's name in addresses.
    pub agent: String,
    /// `published`, `draft`, `folder`.
    pub version: String,
    /// The release.
    pub release: Option<String>,
    /// The profile.
    pub profile: Option<String>,
    /// Its revision.
    pub profile_revision: Option<i64>,
    /// Content hash of the program.
    pub program: String,
    /// `inbound`, `outbound`.
    pub direction: String,
    /// `phone`, `web`, `chat`.
    pub channel: String,
    /// `webrtc`, or the carrier.
    pub line: String,
    /// Whether it is a test.
    pub test: i64,
    /// The campaign.
    pub campaign: Option<String>,
    /// Who calls.
    pub caller: Option<String>,
    /// Who is called.
    pub called: Option<String>,
    /// Inputs, sealed.
    pub inputs: Option<String>,
    /// Where it stands.
    pub state: String,
    /// Who owns it.
    pub node: Option<NodeId>,
    /// Grows with every owner.
    pub fence: i64,
    /// By when somebody must have taken it.
    pub due_at: Option<i64>,
    /// The carrier's name of it.
    pub carrier_call: Option<String>,
    /// When it was created.
    pub created_at: i64,
    /// When it rang.
    pub ringing_at: Option<i64>,
    /// When its line stood.
    pub live_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// How long it was live.
    pub duration_ms: Option<i64>,
    /// Its outcome.
    pub outcome: Option<String>,
    /// Who or what ended it.
    pub ended_by: Option<String>,
    /// What went wrong.
    pub why: Option<String>,
    /// What answered.
    pub answered_by: Option<String>,
    /// Language tag.
    pub language: Option<String>,
    /// The node it is in, or ended in.
    pub at_node: Option<String>,
    /// Turns of the caller.
    pub turns: i64,
    /// What it cost, as far as prices are known.
    pub micro_usd: Option<i64>,
    /// Median times of a turn, JSON.
    pub timings: Option<String>,
    /// What went wrong in it, counted.
    pub troubles: i64,
}

/// The columns of a [`CallRow`].
macro_rules! columns {
    () => {
        "id, org_id, agent, version, release, profile, profile_revision, program, direction, channel, line, \
         test, campaign, caller, called, inputs, state, node, fence, due_at, carrier_call, created_at, \
         ringing_at, live_at, ended_at, duration_ms, outcome, ended_by, why, answered_by, language, at_node, \
         turns, micro_usd, timings, troubles"
    };
}
use columns;

#[cfg(test)]
mod tests;
