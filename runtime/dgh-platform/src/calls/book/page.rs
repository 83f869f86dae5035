//! What people see of a call: views of its log, masked, as it grows or when it is whole.

use std::sync::Arc;
use std::time::Duration;

use dgh_engine::effect::{Effect, Record};
use dgh_engine::event::{Event, Timestamp, UNWRITTEN};
use dgh_engine::log::{Entry, Log, OpenError, Opener, Voice, What, open};
use dgh_store::calls::{self, CallRow};
use dgh_store::{CallId, OrgId, StoreError};
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::time::sleep;

use super::Book;
use crate::latency::Turn;

/// How often a call that is watched is looked at.
const LOOK: Duration = Duration::from_millis(400);

/// A line of a call, for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Its number in the log.
    pub seq: u64,
    /// Milliseconds since the call began.
    pub at_ms: i64,
    /// `record`, `timing`, `trouble`, `provider`, `asked`, `answered`, `fact`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What.
    pub what: Json,
}

/// Why a call cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The database is away, or fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log was sealed with another key, or is broken.
    #[error("the log of the call cannot be opened: {0}")]
    Sealed(#[from] OpenError),
    /// It is on another node, or was deleted.
    #[error("the log of the call is not here: {0:#}")]
    Away(anyhow::Error),
}

/// Follows a call, on whichever node it goes on.
pub struct Follower {
    book: Arc<Book>,
    org: OrgId,
    call: CallId,
    opener: Opener,
    part: i64,
    /// Lines up to here are known already.
    seen: u64,
    ended: bool,
}

impl Book {
    /// The lines of a call so far.
    pub async fn lines(&self, row: &CallRow) -> Result<Vec<Line>, PageError> {
        let Some(log) = self.log(row).await? else { return Ok(Vec::new()) };
        Ok(lines(&log.entries, log.start.now))
    }

    /// Who said what so far.
    pub async fn transcript(&self, row: &CallRow) -> Result<Option<Json>, PageError> {
        Ok(self.log(row).await?.map(|log| transcript(&log)))
    }

    /// The log as it was written, sealed: for `dgh replay`.
    pub async fn sealed_log(&self, row: &CallRow) -> Result<Vec<u8>, PageError> {
        let flushed = {
            let mut conn = self.read().await?;
            calls::whole_log(&mut conn, &row.org_id, &row.id).await?
        };
        if !flushed.is_empty() || row.state != "ended" {
            return Ok(flushed);
        }
        self.files.log(row.id.as_str()).await.map_err(PageError::Away)
    }

    /// Follows a call from behind a line.
    pub fn follow(self: &Arc<Self>, row: &CallRow, seen: u64) -> Follower {
        Follower {
            book: Arc::clone(self),
            org: row.org_id.clone(),
            call: row.id.clone(),
            opener: Opener::new(self.key),
            part: -1,
            seen,
            ended: false,
        }
    }

    /// None: it never had a line.
    async fn log(&self, row: &CallRow) -> Result<Option<Log>, PageError> {
        if row.live_at.is_none() && row.state == "ended" && row.turns == 0 {
            return Ok(None);
        }
        let bytes = self.sealed_log(row).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        Ok(Some(open(&bytes, &self.key)?))
    }
}

impl Follower {
    /// More lines; none: the call has ended, and there are no more.
    pub async fn more(&mut self) -> Result<Option<Vec<Line>>, PageError> {
        loop {
            if self.ended {
                return Ok(None);
            }
            let (row, parts) = {
                let mut conn = self.book.read().await?;
                // The row first: what was flushed before its end is read after it.
                let row = calls::get(&mut conn, &self.org, &self.call).await?;
                let parts = calls::parts_after(&mut conn, &self.org, &self.call, self.part).await?;
                (row, parts)
            };
            let row = row.ok_or(StoreError::not_found("call"))?;
            let mut entries = Vec::new();
            for part in parts {
                if part.number != self.part + 1 {
                    break;
                }
                entries.extend(self.opener.feed(&part.bytes)?);
                self.part = part.number;
            }
            let mut start = self.opener.start().map(|log| log.start.now);
            if row.state == "ended" {
                self.ended = true;
                // Its parts may be a file by now.
                if let Some(log) = self.book.log(&row).await.unwrap_or_default() {
                    start = Some(log.start.now);
                    let last = entries.last().map_or(self.seen, |entry: &Entry| entry.seq);
                    entries.extend(log.entries.into_iter().filter(|entry| entry.seq > last));
                }
            }
            entries.retain(|entry| entry.seq > self.seen);
            if let Some(last) = entries.last() {
                self.seen = last.seq;
                return Ok(Some(lines(&entries, start.unwrap_or(Timestamp(row.created_at)))));
            }
            if !self.ended {
                sleep(LOOK).await;
            }
        }
    }
}

/// Lines that people may see: records are masked, and of everything else what was measured.
pub(crate) fn lines(entries: &[Entry], start: Timestamp) -> Vec<Line> {
    let shown = entries.iter().filter_map(|entry| {
        let (kind, what) = line(&entry.what)?;
        Some(Line { seq: entry.seq, at_ms: entry.at.0.saturating_sub(start.0), kind, what })
    });
    shown.collect()
}

/// Who said what, when, and where in the dialogue. Masked.
pub(crate) fn transcript(log: &Log) -> Json {
    let mut node = None;
    let mut turns = Vec::new();
    for entry in &log.entries {
        let What::Effect(Effect::Emit(record)) = &entry.what else { continue };
        let at_ms = entry.at.0.saturating_sub(log.start.now.0);
        let (who, text, cut) = match record {
            Record::Entered { node: entered, .. } => {
                node = Some(entered.clone());
                continue;
            }
            Record::Caller { text } => ("caller", text, false),
            Record::Late { text } => {
                written_late(&mut turns, text);
                continue;
            }
            Record::Keys { keys } => ("keys", keys, false),
            Record::Agent { text, cut } => ("agent", text, *cut),
            _ => continue,
        };
        turns.push(json!({ "at_ms": at_ms, "who": who, "text": text, "cut": cut, "node": node }));
    }
    json!({
        "call": log.start.call_id,
        "agent": log.agent,
        "started_at": log.start.now.0,
        "turns": turns,
    })
}

/// The words of the first turn that had none.
fn written_late(turns: &mut [Json], words: &str) {
    let texts = turns.iter_mut().filter(|turn| turn["who"] == "caller");
    let mut texts = texts.filter_map(|turn| turn.get_mut("text"));
    let unwritten = texts.find(|text| text.as_str().is_some_and(|text| text.contains(UNWRITTEN)));
    if let Some(text) = unwritten {
        *text = text.as_str().unwrap_or_default().replacen(UNWRITTEN, words, 1).into();
    }
}

fn line(what: &What) -> Option<(&'static str, Json)> {
    let json = |value: serde_json::Result<Json>| value.unwrap_or(Json::Null);
    Some(match what {
        What::Effect(Effect::Emit(record)) => ("record", json(serde_json::to_value(record))),
        What::Effect(Effect::StartReply(request)) => {
            let models: Vec<Json> = request
                .models
                .iter()
                .map(|model| json!({ "provider": model.provider, "model": model.settings.get("model") }))
                .collect();
            ("asked", json!({ "reply": request.id, "purpose": request.purpose, "models": models }))
        }
        What::Event(Event::ReplyClosed { reply, failure, usage }) => {
            ("answered", json!({ "reply": reply, "failure": failure, "usage": usage }))
        }
        What::Event(
            fact @ (Event::SpeechCut { .. }
            | Event::SpeechFailed { .. }
            | Event::TransferOutcome { .. }
            | Event::AnsweredBy { .. }
            | Event::Hangup
            | Event::Stop { .. }),
        ) => ("fact", json(serde_json::to_value(fact))),
        What::Voice(Voice::Timing(timing)) => ("timing", json(serde_json::to_value(Turn::from(timing)))),
        What::Voice(Voice::Trouble { part, message }) => {
            ("trouble", json!({ "part": part, "message": message }))
        }
        What::Voice(Voice::Provider { part, provider, connect_ms }) => {
            ("provider", json!({ "part": part, "provider": provider, "connect_ms": connect_ms }))
        }
        What::Event(_) | What::Effect(_) | What::Voice(_) => return None,
    })
}
