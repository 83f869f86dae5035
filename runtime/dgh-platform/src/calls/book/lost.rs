//! Ends a call whose owner is dead, from its flushed log, or one that never connected: the dialogue is
//! done again up to where it was, told how it ended, and asked what there is to deliver.

use std::sync::Arc;

use dgh_engine::event::{Event, StoppedBy, Timestamp};
use dgh_engine::log::{Entry, Log, LoggedCall, What, open, replay};
use dgh_engine::{Call, CallStart, Caller, Direction, Poll};
use dgh_ir::program::Channel;
use dgh_store::StoreError;
use dgh_store::calls::{CallRow, Owner, take_unowned, whole_log};

use super::writer::{self, Ending, Whose};
use super::{Book, now};
use crate::Agent;
use crate::calls::tally::Tally;
use crate::webhooks::{self, DueList};

impl Book {
    /// Ends a call that nobody has taken, and that nobody will: it was busy, refused, or rung for too long.
    /// False: somebody has taken it.
    pub async fn not_connected(
        &self,
        row: &CallRow,
        agent: Option<Arc<Agent>>,
        why: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let owner = take_unowned(&mut tx, &row.org_id, &row.id, &self.node).await?;
        tx.commit().await?;
        let Some(owner) = owner else { return Ok(false) };
        finish(self, row, owner, agent, Some(why)).await?;
        Ok(true)
    }
}

/// Ends it. Answers who is said to have ended it.
pub(super) async fn finish(
    book: &Book,
    row: &CallRow,
    owner: Owner,
    agent: Option<Arc<Agent>>,
    reason: Option<&str>,
) -> Result<&'static str, StoreError> {
    let flushed = {
        let mut conn = book.read().await?;
        whole_log(&mut conn, &row.org_id, &row.id).await?
    };
    // The disk may know more than was flushed, if it is ours.
    let written = book.files.written(row.id.as_str()).await.filter(|bytes| bytes.len() >= flushed.len());
    let bytes = written.unwrap_or(flushed);
    let log = open(&bytes, &book.key).ok();
    let by = if row.live_at.is_some() || log.is_some() { "lost" } else { "not_connected" };
    let story = match (log, agent) {
        (Some(log), agent) => of_log(&log, agent.as_deref()),
        (None, Some(agent)) => of_row(book, row, &agent),
        (None, None) => None,
    };
    if story.is_none() {
        metrics::counter!("dgh_calls_unfinished_total").increment(1);
        tracing::error!(
            call = row.id.as_str(),
            "the program of a call is not there: it is ended without the webhooks of its end"
        );
    }
    let Story { tally, due } = story
        .unwrap_or_else(|| Story { tally: Tally::new(&row.agent, row.created_at), due: DueList::default() });
    let at = now();
    let files =
        if bytes.is_empty() { Vec::new() } else { book.files.keep_log(row.id.as_str(), bytes.into()).await };
    let ending = Ending {
        whose: Whose { owner, agent: row.agent.clone(), profile: row.profile.clone(), test: row.test == 1 },
        end: tally.end(at, Some(by), Some(reason.unwrap_or(why(by)).to_owned())),
        due: due.all().to_vec(),
        files,
    };
    let mut tx = book.db.begin().await?;
    writer::end(&mut tx, &book.platform.vault, &ending).await?;
    tx.commit().await?;
    webhooks::wake(&book.db).await;
    Ok(by)
}

/// What a call came to.
struct Story {
    tally: Tally,
    due: DueList,
}

fn why(by: &str) -> &'static str {
    if by == "lost" { "the node that had the call is gone" } else { "nobody took the call in time" }
}

/// From its log. Without its program, or with one that goes another way, what was logged is all.
fn of_log(log: &Log, agent: Option<&Agent>) -> Option<Story> {
    let (mut tally, mut due) = (Tally::of(log), DueList::default());
    for entry in &log.entries {
        if let What::Effect(effect) = &entry.what {
            due.see(effect);
        }
    }
    if tally.has_ended() {
        return Some(Story { tally, due });
    }
    let replayed = replay(agent?.prepared(), log);
    let mut call = match replayed {
        Ok(replayed) => replayed.call,
        Err(error) => {
            tracing::error!(%error, "the log of a lost call cannot be done again");
            return None;
        }
    };
    over(&mut call, StoppedBy::Lost, Timestamp(tally.last()), &mut tally, &mut due);
    Some(Story { tally, due })
}

/// A call that nobody took.
fn of_row(book: &Book, row: &CallRow, agent: &Agent) -> Option<Story> {
    let inputs = book.inputs(row).ok()?;
    let mut start = CallStart::new(row.id.as_str(), channel(&row.channel), Timestamp(row.created_at));
    let outbound = row.direction == "outbound";
    start.direction = if outbound { Direction::Outbound } else { Direction::Inbound };
    let phone = if outbound { row.called.clone() } else { row.caller.clone() };
    start.caller = Caller { phone, language: None };
    let call = agent.call(start, inputs).ok()?;
    let (tally, due) = never_connected(call, &row.agent, now());
    Some(Story { tally, due })
}

/// What a call comes to that never had a line.
pub(crate) fn never_connected(mut call: LoggedCall, agent: &str, at: i64) -> (Tally, DueList) {
    let (mut tally, mut due) = (Tally::new(agent, at), DueList::default());
    call.handle(Event::Stop { by: StoppedBy::NotConnected }, Timestamp(at));
    while let Poll::Effect(_) = call.poll() {}
    for entry in call.drain() {
        if let What::Effect(effect) = &entry.what {
            due.see(effect);
        }
        tally.take(&entry);
    }
    (tally, due)
}

/// Tells the dialogue how it ended and takes in what follows.
fn over(call: &mut Call, by: StoppedBy, at: Timestamp, tally: &mut Tally, due: &mut DueList) {
    let mut take = |call: &mut Call| {
        while let Poll::Effect(effect) = call.poll() {
            due.see(&effect);
            tally.take(&Entry { seq: 0, at, what: What::Effect(effect) });
        }
    };
    // What it had asked for and nobody had written down yet.
    take(call);
    call.handle(Event::Stop { by }, at);
    take(call);
}

fn channel(name: &str) -> Channel {
    match name {
        "web" => Channel::Web,
        "chat" => Channel::Chat,
        _ => Channel::Phone,
    }
}
