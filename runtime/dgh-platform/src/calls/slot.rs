//! The place of a call among those that go on. It is given back when it is dropped, whatever happened,
//! and then the end is written down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::Utc;
use dgh_engine::event::Timestamp;

use super::book::{Ending, Whose, never_connected};
use super::live::{Live, State, Summary};
use super::tally::Tally;
use super::{Calls, NewCall, REMEMBERED, metrics};
use crate::webhooks::DueList;

/// What a call comes to, and what it has to tell.
pub(super) struct Account {
    pub(super) tally: Tally,
    pub(super) due: DueList,
    /// Webhooks that were handed on while the call went on.
    pub(super) handed: usize,
}

impl Account {
    pub(super) fn new(agent: &str, now: i64) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { tally: Tally::new(agent, now), due: DueList::default(), handed: 0 }))
    }
}

/// A place. Given back when it is dropped.
pub(super) struct Place {
    pub(super) calls: Arc<Calls>,
    pub(super) id: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut list = self.calls.list();
        if let Some(live) = list.live.remove(&self.id)
            && live.summary().state == State::Ended
        {
            list.ended.push_back(live);
        }
        if list.ended.len() > REMEMBERED {
            list.ended.pop_front();
        }
        self.calls.counted(list.live.len());
    }
}

/// A call in its place.
pub(super) struct Slot {
    pub(super) live: Arc<Live>,
    pub(super) whose: Option<Whose>,
    pub(super) account: Arc<Mutex<Account>>,
    pub(super) logged: bool,
    pub(super) recorded: bool,
    /// Until its line is there.
    new: Option<Box<NewCall>>,
    since: Instant,
    // Last: what is above is done while the call has its place.
    place: Place,
}

impl Slot {
    pub(super) fn new(
        place: Place,
        live: Arc<Live>,
        whose: Option<Whose>,
        account: Arc<Mutex<Account>>,
        new: NewCall,
    ) -> Self {
        let since = Instant::now();
        let new = Some(Box::new(new));
        Self { live, whose, account, logged: false, recorded: false, new, since, place }
    }

    pub(super) fn calls(&self) -> &Arc<Calls> {
        &self.place.calls
    }

    pub(super) fn id(&self) -> &str {
        &self.place.id
    }

    /// Its line is there.
    pub(super) fn take_new(&mut self) -> Option<Box<NewCall>> {
        self.new.take()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that never had a line ends like any other, with what it has to tell.
    fn end_without_line(&self, new: &NewCall) {
        let now = Utc::now().timestamp_millis();
        match self.calls().logged(new, self.id(), Timestamp(now)) {
            Ok(call) => {
                let (tally, due) = never_connected(call, &new.agent.name, now);
                let mut account = self.account();
                account.tally = tally;
                account.due = due;
            }
            Err(error) => tracing::error!(call = self.id(), %error, "a call cannot be ended as it should"),
        }
    }

    fn write_down(&self, summary: &Summary) {
        let (Some(book), Some(whose)) = (&self.calls().settings.book, &self.whose) else { return };
        let (tally, due) = {
            let account = self.account();
            (account.tally.clone(), account.due.all().to_vec())
        };
        if !tally.has_ended() {
            // Its task broke off. The log tells how far it came; it is ended from that.
            tracing::error!(call = self.id(), "a call broke off; it is ended from its log");
            return;
        }
        let files = if self.logged { book.files().left(self.id(), self.recorded) } else { Vec::new() };
        let now = Utc::now().timestamp_millis();
        let end = tally.end(now, summary.ended_by.as_deref(), summary.why.clone());
        book.writer.end(Ending { whose: whose.clone(), end, due, files });
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(new) = self.new.take() {
            if self.live.summary().ended_by.is_none() {
                self.live.ended_by("not_connected", "its line never came".to_owned());
            }
            self.end_without_line(&new);
        }
        let why = std::thread::panicking().then(|| "an internal error".to_owned());
        let summary = match self.live.summary() {
            ended if ended.state == State::Ended => ended,
            _ => self.live.ended(why),
        };
        let Summary { outcome, ended_by, why, .. } = &summary;
        let (outcome, ended_by) = (outcome.as_deref().unwrap_or("-"), ended_by.as_deref().unwrap_or("-"));
        tracing::info!(call = self.id(), outcome, ended_by, why = why.as_deref(), "a call ended");
        metrics::ended(&summary, self.since.elapsed().as_secs_f64());
        if let Some(journal) = self.calls().journal.as_ref().filter(|_| self.logged) {
            journal.end(self.id());
        }
        self.write_down(&summary);
    }
}
