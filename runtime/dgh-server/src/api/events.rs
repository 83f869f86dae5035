//! `GET /api/calls/{id}/events`: what happens in a call, as server-sent events, each a line of JSON.
//!
//! | type | what it tells |
//! |---|---|
//! | `state` | `connecting`, `talking` |
//! | `candidate` | a way to the server |
//! | `record` | a line of the call's record, masked: words, nodes, routes, values, tools |
//! | `speech` | words of the agent that begin to sound; their record follows when they were heard |
//! | `cut` | the caller talked over them |
//! | `late` | words of a turn that was answered before they were written down |
//! | `partial` | what the caller is saying, not final |
//! | `speaking` | who: `caller`, `agent` |
//! | `timing` | how long an answer took, in microseconds |
//! | `trouble` | what went wrong, and in which part |
//! | `ended` | the outcome, who ended it, and why; the last one |

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use dgh_platform::calls::Live;
use futures::{Stream, StreamExt as _, stream};
use tokio::sync::watch;

use super::calls::theirs;
use crate::app::App;
use crate::error::ApiError;

/// Proxies close what is silent for long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Follows a call from its first line, or from behind `Last-Event-ID`.
pub(crate) async fn follow(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let live = theirs(&app, &id, &headers)?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    Ok(Sse::new(lines(live, last.unwrap_or(0))).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

struct Follow {
    live: Arc<Live>,
    changes: watch::Receiver<u64>,
    last: u64,
    done: bool,
}

fn lines(live: Arc<Live>, last: u64) -> impl Stream<Item = Result<Event, Infallible>> {
    let changes = live.changes();
    let follow = Follow { live, changes, last, done: false };
    let batches = stream::unfold(follow, |mut follow| async move {
        while !follow.done {
            follow.changes.mark_unchanged();
            let (lines, more) = follow.live.after(follow.last);
            follow.done = !more;
            if let Some((number, _)) = lines.last() {
                follow.last = *number;
                return Some((lines, follow));
            }
            if more && follow.changes.changed().await.is_err() {
                follow.done = true;
            }
        }
        None
    });
    batches.flat_map(|lines| {
        stream::iter(
            lines.into_iter().map(|(number, text)| Ok(Event::default().id(number.to_string()).data(text))),
        )
    })
}
