//! What a node does for its calls besides making them: it says that it is alive, hands messages from
//! elsewhere to them, and ends what dead nodes left behind.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use dgh_engine::event::{Command, Event, StoppedBy};
use dgh_store::calls::{self, CallRow, Message};
use dgh_store::{CallId, StoreError, artifacts};
use metrics::counter;
use serde_json::Value as Json;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::{Book, INBOX, Roster, files, lost, millis, now};
use crate::calls::Calls;

/// Calls that are looked at in one round.
const MOST: i64 = 100;
/// How long one round of queries may take before the next duty is due.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Does the duties of a node until its calls are gone.
pub(crate) fn start(book: Arc<Book>, calls: Weak<Calls>, roster: Arc<dyn Roster>) {
    tokio::spawn(beats(Arc::clone(&book), calls.clone(), Arc::clone(&roster)));
    tokio::spawn(messages(book, calls));
}

/// The heartbeat, and after it what is overdue.
async fn beats(book: Arc<Book>, calls: Weak<Calls>, roster: Arc<dyn Roster>) {
    let mut ticks = interval(book.settings.beat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Since when nothing kept us from the database. Who could not reach it knows nothing of the
    // others, and gives them the time that they need to say that they are alive.
    let mut since = Instant::now();
    let mut suspects = HashSet::new();
    loop {
        ticks.tick().await;
        let Some(calls) = calls.upgrade() else { return };
        let round = async {
            beat(&book).await?;
            let rows = {
                let mut conn = book.read().await?;
                calls::of_node_unscoped(&mut conn, &book.node).await?
            };
            stop_those_of_others(&book, &calls, &rows).await?;
            adopt_broken(&book, &calls, &*roster, rows, &mut suspects).await?;
            store_files(&book, &calls).await;
            if since.elapsed() >= book.settings.lease {
                sweep(&book, &*roster).await?;
            }
            Ok::<_, StoreError>(())
        };
        let failed = match timeout(PATIENCE, round).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it takes too long".to_owned(),
        };
        tracing::warn!(error = failed, "the duties of this node wait for the database");
        since = Instant::now();
    }
}

async fn beat(book: &Book) -> Result<(), StoreError> {
    let mut tx = book.db.begin().await?;
    let known = calls::beat_unscoped(&mut tx, &book.node, now() + millis(book.settings.lease)).await?;
    tx.commit().await?;
    if !known {
        tracing::warn!("this node was taken for dead; it joins again");
        book.join().await?;
    }
    Ok(())
}

/// Ends what nobody owns any more.
async fn sweep(book: &Arc<Book>, roster: &dyn Roster) -> Result<(), StoreError> {
    let at = now();
    let rows = {
        let mut conn = book.read().await?;
        calls::overdue_unscoped(&mut conn, at, MOST).await?
    };
    for row in rows {
        adopt(book, roster, &row).await?;
    }
    let mut tx = book.db.begin().await?;
    calls::forget_dead_unscoped(&mut tx, at - millis(book.settings.lease) * 10).await?;
    calls::forget_sealed_messages_unscoped(&mut tx, at).await?;
    tx.commit().await?;
    delete_old(book, at).await
}

async fn adopt(book: &Arc<Book>, roster: &dyn Roster, row: &CallRow) -> Result<(), StoreError> {
    let mut tx = book.db.begin().await?;
    let owner = calls::adopt_unscoped(&mut tx, row, &book.node, now()).await?;
    tx.commit().await?;
    let Some(owner) = owner else { return Ok(()) };
    let agent = roster.pinned(row).await;
    let how = lost::finish(book, row, owner, agent, None).await?;
    counter!("dgh_calls_swept_total", "ended_by" => how).increment(1);
    tracing::warn!(call = row.id.as_str(), ended_by = how, "a call that nobody had any more was ended");
    Ok(())
}

/// Calls that this node owns and that neither go on here nor were ended: their tasks broke off. One that
/// is on its way into the list, or out of it, is seen once at most.
async fn adopt_broken(
    book: &Arc<Book>,
    calls: &Calls,
    roster: &dyn Roster,
    rows: Vec<CallRow>,
    suspects: &mut HashSet<CallId>,
) -> Result<(), StoreError> {
    let unseen: Vec<CallRow> = rows.into_iter().filter(|row| !calls.goes_on(row.id.as_str())).collect();
    let (broken, fresh): (Vec<_>, Vec<_>) = unseen.into_iter().partition(|row| suspects.contains(&row.id));
    *suspects = fresh.into_iter().map(|row| row.id).collect();
    if broken.is_empty() {
        return Ok(());
    }
    // What ended a moment ago is on its way.
    calls.flush_logs().await;
    book.writer.flush().await;
    for row in broken {
        adopt(book, roster, &row).await?;
    }
    Ok(())
}

/// Calls that go on here although another node took them: ours was taken for dead. Their rows are
/// ended; nobody must go on talking unseen.
async fn stop_those_of_others(book: &Book, calls: &Calls, rows: &[CallRow]) -> Result<(), StoreError> {
    let ours: HashSet<&CallId> = rows.iter().map(|row| &row.id).collect();
    for (owner, live) in calls.owned() {
        if ours.contains(&owner.call) {
            continue;
        }
        let row = {
            let mut conn = book.read().await?;
            calls::get(&mut conn, &owner.org, &owner.call).await?
        };
        if row.is_some_and(|row| row.fence != owner.fence) {
            tracing::error!(call = owner.call.as_str(), "a call belongs to another node: it is ended here");
            live.tell_event(Event::Stop { by: StoppedBy::Lost });
        }
    }
    Ok(())
}

async fn store_files(book: &Book, calls: &Calls) {
    // A file is whole when its log is.
    calls.flush_logs().await;
    if let Err(error) = files::store_waiting(book).await {
        tracing::warn!(error = format!("{error:#}"), "files of calls wait to be stored");
    }
}

async fn delete_old(book: &Book, at: i64) -> Result<(), StoreError> {
    let due = {
        let mut conn = book.read().await?;
        artifacts::due_unscoped(&mut conn, at, MOST).await?
    };
    for file in due {
        match book.files.delete(&file).await {
            Ok(()) => {
                let mut tx = book.db.begin().await?;
                artifacts::deleted_unscoped(&mut tx, &file.id).await?;
                tx.commit().await?;
            }
            Err(error) => tracing::warn!(file = file.path, %error, "a file whose time is over stays"),
        }
    }
    let mut tx = book.db.begin().await?;
    artifacts::delete_old_calls_unscoped(&mut tx, at, MOST).await?;
    tx.commit().await?;
    Ok(())
}

/// Messages from elsewhere: a hint, or a look now and then.
async fn messages(book: Arc<Book>, calls: Weak<Calls>) {
    let mut hints = book.db.listen(INBOX);
    loop {
        // Whatever it is: there may be something.
        let _ = timeout(book.settings.poll, hints.recv()).await;
        let Some(calls) = calls.upgrade() else { return };
        if calls.count() == 0 {
            continue;
        }
        if let Err(error) = hand_out(&book, &calls).await {
            tracing::debug!(%error, "no messages can be read");
        }
    }
}

async fn hand_out(book: &Book, calls: &Calls) -> Result<(), StoreError> {
    let waiting = {
        let mut conn = book.read().await?;
        calls::waiting_unscoped(&mut conn, &book.node).await?
    };
    if waiting == 0 {
        return Ok(());
    }
    let mut tx = book.db.begin().await?;
    let all = calls::take_unscoped(&mut tx, &book.node, now()).await?;
    tx.commit().await?;
    for message in all {
        let what = do_it(book, calls, &message);
        book.writer.done(message.id, what);
    }
    Ok(())
}

fn do_it(book: &Book, calls: &Calls, message: &Message) -> &'static str {
    let Ok(payload) = book.payload(message) else { return "unreadable" };
    let Some(event) = event(&message.kind, &payload) else { return "noted" };
    let Some(live) = calls.get(message.call_id.as_str()) else { return "gone" };
    if live.tell_event(event) { "taken" } else { "busy" }
}

/// What a message is for the dialogue.
fn event(kind: &str, payload: &Json) -> Option<Event> {
    match kind {
        "hangup" => Some(Event::Stop { by: StoppedBy::Operator }),
        "operator" => {
            let command: Command = serde_json::from_value(payload.clone()).ok()?;
            Some(Event::Operator { command })
        }
        "answered_by" => {
            let who = serde_json::from_value(payload.get("who")?.clone()).ok()?;
            Some(Event::AnsweredBy { who })
        }
        // The carrier says that it is over; the line says so too, as a rule.
        "over" => Some(Event::Hangup),
        _ => None,
    }
}
