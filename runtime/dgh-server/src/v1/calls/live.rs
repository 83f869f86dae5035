//! A call that is watched, as it goes on, on whichever node it is: server-sent events, or a socket that
//! also takes commands.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use dgh_platform::access::{Role, Scope};
use dgh_platform::calls::book::{Book, Follower, Line};
use dgh_store::CallId;
use futures::{Stream, StreamExt as _, stream};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::steer::{self, Command};
use super::{book, row};
use crate::app::App;
use crate::guard;
use crate::v1::problem::Problem;
use crate::v1::take::Path;
use crate::v1::who::Who;

/// Proxies close what is silent for long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Longest message of a person who watches.
const MAX_MESSAGE: usize = 16 << 10;

/// Follows a call as server-sent events, from its first line or from behind `Last-Event-ID`. Each is
/// a line as `GET /calls/{call}/lines` has them; the last one has the event `ended`.
#[utoipa::path(
    get, path = "/calls/{call}/events", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(("call" = String, Path, description = "Its id.")),
    responses((status = 200, content_type = "text/event-stream", body = String)),
)]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<CallId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let book = book(&app)?;
    let permit = permit(book)?;
    let row = row(book, &who.org, &id).await?;
    let follower = book.follow(&row, seen.unwrap_or(0));
    let events = follow(follower, permit).map(Ok::<_, Infallible>);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Follows a call over a websocket: each message is `{"line": …}`, at the end `{"ended": true}`. A
/// message to it is a command as `POST /calls/{call}/commands` takes it, answered with
/// `{"command": …}` or `{"problem": …}`.
#[utoipa::path(
    get, path = "/calls/{call}/socket", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(("call" = String, Path, description = "Its id.")),
    responses((status = 101, description = "The socket."), (status = 426, description = "No socket was asked for.")),
)]
pub(crate) async fn socket(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<CallId>,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    // A browser opens sockets for pages of anybody, with our cookie.
    if who.session.is_some() && !guard::is_own_page(&headers, app.settings.public_url.as_ref()) {
        return Err(Problem::forbidden("foreign_origin", "a page from elsewhere may not do this"));
    }
    let ours = Arc::clone(book(&app)?);
    let row = row(&ours, &who.org, &id).await?;
    let permit = permit(&ours)?;
    let socket = socket.map_err(|_| {
        Problem::new(StatusCode::UPGRADE_REQUIRED, "no_socket", "this address is a websocket")
    })?;
    let follower = ours.follow(&row, 0);
    let socket = socket.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    Ok(socket.on_upgrade(async move |socket| {
        talk(socket, app, who, id, follower).await;
        drop(permit);
    }))
}

fn permit(book: &Book) -> Result<OwnedSemaphorePermit, Problem> {
    book.watch().ok_or_else(|| Problem::too_many("too_many_watchers", "too many people watch calls here", 10))
}

fn follow(follower: Follower, permit: OwnedSemaphorePermit) -> impl Stream<Item = Event> {
    let batches = stream::unfold(Some((follower, permit)), async |state| {
        let (mut follower, permit) = state?;
        match follower.more().await {
            Ok(Some(lines)) => Some((lines.iter().map(event).collect(), Some((follower, permit)))),
            Ok(None) => Some((vec![Event::default().event("ended").data("{}")], None)),
            Err(error) => {
                tracing::warn!(%error, "a call can no longer be followed");
                None
            }
        }
    });
    batches.flat_map(stream::iter)
}

fn event(line: &Line) -> Event {
    let text = serde_json::to_string(line).unwrap_or_default();
    Event::default().id(line.seq.to_string()).data(text)
}

async fn talk(mut socket: WebSocket, app: Arc<App>, who: Who, id: CallId, follower: Follower) {
    let mut lines = told(follower);
    loop {
        let answers = tokio::select! {
            lines = lines.recv() => match lines {
                Some(lines) => lines.iter().map(|line| json!({ "line": line })).collect(),
                None => {
                    let _ = socket.send(Message::text(json!({ "ended": true }).to_string())).await;
                    let _ = socket.send(Message::Close(None)).await;
                    return;
                }
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => vec![command(&app, &who, &id, text.as_str()).await],
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        };
        for answer in answers {
            if socket.send(Message::text(answer.to_string())).await.is_err() {
                return;
            }
        }
    }
}

/// The lines of a call from a task of their own: nothing of them is lost when a command comes in between.
fn told(mut follower: Follower) -> mpsc::Receiver<Vec<Line>> {
    let (send, lines) = mpsc::channel(8);
    tokio::spawn(async move {
        loop {
            match follower.more().await {
                Ok(Some(lines)) => {
                    if send.send(lines).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => return tracing::warn!(%error, "a call can no longer be followed"),
            }
        }
    });
    lines
}

async fn command(app: &App, who: &Who, id: &CallId, text: &str) -> serde_json::Value {
    let done = async {
        who.needs(Role::Editor, Scope::CallsWrite)?;
        let command: Command = serde_json::from_str(text)
            .map_err(|error| Problem::unprocessable("invalid", format!("this is no command: {error}")))?;
        steer::leave(book(app)?, who, id, &command, app.now()).await
    };
    match done.await {
        Ok(left) => json!({ "command": left }),
        Err(problem) => json!({ "problem": &*problem.0 }),
    }
}
