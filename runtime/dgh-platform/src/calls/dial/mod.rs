//! Calls that the agent makes: a carrier is asked to ring somebody up and to send the sound here. The
//! next carrier is one file beside `twilio.rs`, and a line in [`dialer`].

mod twilio;

use std::sync::Arc;

use dgh_net::{Client, Secrets};
use dgh_store::StoreError;
use dgh_store::calls::{self as rows, CallRow, CallState, Owner};
use futures::future::BoxFuture;
use thiserror::Error;

use super::Calls;
use super::book::{self, Book};
use crate::Agent;

/// How long it may ring, in seconds.
pub const RING_SECONDS: u32 = 45;
/// How long a call may be on its way until its sound comes: it rings, and a machine may be in between.
pub const ON_ITS_WAY_MS: i64 = 90_000;

/// A carrier that makes calls.
pub trait Dialer: Send + Sync {
    /// Its name, as its lines have it.
    fn name(&self) -> &'static str;

    /// What of its account is missing: the name of a secret.
    fn missing(&self, secrets: &dyn Secrets) -> Option<&'static str>;

    /// Asks it to ring somebody up.
    fn dial<'a>(
        &'a self,
        client: &'a Client,
        secrets: &'a dyn Secrets,
        dial: &'a Dial,
    ) -> BoxFuture<'a, Result<Dialed, DialError>>;
}

/// Who is rung up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// Who.
    pub to: String,
    /// Which number is shown.
    pub from: String,
    /// Where the sound goes when somebody answers: `wss://…`, with the ticket.
    pub socket: String,
    /// Where the carrier tells how it goes.
    pub status: String,
    /// Whether the carrier listens who answers.
    pub detects_machines: bool,
}

/// It is being rung up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialed {
    /// The carrier's name of the call.
    pub carrier_call: String,
}

/// Why it is not.
#[derive(Debug, Error)]
pub enum DialError {
    /// The carrier says no; it will do so again.
    #[error("{0}")]
    Refused(String),
    /// The carrier cannot be reached.
    #[error("the carrier cannot be reached: {0}")]
    Away(String),
}

/// The carrier with this name.
pub fn dialer(name: &str) -> Option<Arc<dyn Dialer>> {
    match name {
        "twilio" => Some(Arc::new(twilio::Twilio)),
        _ => None,
    }
}

/// The carrier that an agent has an account with, or what it lacks for one.
pub fn usual(agent: &Agent) -> Result<Arc<dyn Dialer>, &'static str> {
    let twilio: Arc<dyn Dialer> = Arc::new(twilio::Twilio);
    match twilio.missing(agent.secrets()) {
        None => Ok(twilio),
        Some(missing) => Err(missing),
    }
}

/// Rings somebody up for a call that was created. Its sound comes to whichever node the carrier reaches;
/// until then the call has no owner.
pub async fn ring(calls: Arc<Calls>, agent: Arc<Agent>, row: CallRow, dialer: Arc<dyn Dialer>, dial: Dial) {
    let Some(book) = calls.book().cloned() else { return };
    let owner = Owner { call: row.id.clone(), org: row.org_id.clone(), fence: row.fence };
    if let Err(error) = advance(&book, &owner, CallState::Dialing).await {
        tracing::warn!(call = row.id.as_str(), %error, "it cannot be written down that a call is made");
    }
    let dialed = dialer.dial(agent.client(), agent.secrets(), &dial).await;
    let done = match dialed {
        Ok(dialed) => named(&book, &row, &dialed.carrier_call).await,
        Err(error) => {
            tracing::warn!(call = row.id.as_str(), %error, "a call could not be made");
            book.not_connected(&row, Some(agent), &error.to_string()).await.map(drop)
        }
    };
    if let Err(error) = done {
        // It ends as nobody's call when its time is over.
        tracing::error!(call = row.id.as_str(), %error, "what became of a call is not written down");
    }
}

async fn advance(book: &Book, owner: &Owner, to: CallState) -> Result<(), StoreError> {
    let mut tx = book.db().begin().await?;
    rows::advance(&mut tx, owner, to, book::now()).await?;
    tx.commit().await?;
    Ok(())
}

async fn named(book: &Book, row: &CallRow, carrier_call: &str) -> Result<(), StoreError> {
    let mut tx = book.db().begin().await?;
    rows::set_carrier_call(&mut tx, &row.org_id, &row.id, carrier_call).await?;
    tx.commit().await?;
    Ok(())
}
