//! `GET /carriers/{carrier}/{agent}/{ticket}`: a carrier's media stream becomes a call.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Error;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use dgh_engine::{Caller, Direction};
use dgh_ir::Channel;
use dgh_platform::calls::About;
use dgh_platform::calls::book::Roster;
use dgh_platform::{Agent, NewCall, Version};
use dgh_transport::carrier;
use dgh_transport::socket::{MAX_MESSAGE_BYTES, SocketMessage, accept};
use futures::{Sink, Stream, StreamExt as _};
use serde_json::Value;

use super::tickets;
use crate::app::App;
use crate::error::ApiError;

/// A message of 20 ms is 300 bytes; each call has these twice.
const READ_BUFFER: usize = 4 << 10;
const WRITE_BUFFER: usize = 4 << 10;
/// What may wait to be sent: a carrier that reads nothing is given up by its line before.
const MAX_WRITE_BUFFER: usize = 256 << 10;

/// A socket that shows a ticket.
pub(crate) async fn with_ticket(
    State(app): State<Arc<App>>,
    Path((carrier, id, ticket)): Path<(String, String, String)>,
    socket: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let protocol = protocol(&carrier)?;
    let row = tickets::redeem(&app, &carrier, &id, &ticket).await?;
    let Some(agent) = Roster::pinned(&*app.agents, &row).await else {
        return Err(ApiError::no_agent(&id));
    };
    let book = app.calls.book().ok_or_else(|| ApiError::internal("there is no book of calls"))?;
    let inputs = book.inputs(&row)?;
    let outbound = row.direction == "outbound";
    let (phone, number) = if outbound {
        (row.called.clone(), row.caller.clone())
    } else {
        (row.caller.clone(), row.called.clone())
    };
    let about = About {
        direction: Some(if outbound { Direction::Outbound } else { Direction::Inbound }),
        number,
        test: row.test == 1,
        campaign: row.campaign.clone(),
        owner: Some(tickets::owner(&row)),
    };
    let new = wanted(id, agent, protocol.name(), phone, inputs, about);
    // It is ours from here on: dropped, it ends as one that never connected.
    let pending = app.calls.begin(new).await?;
    Ok(upgrade(socket, move |socket| async move {
        match accept(Adapter(socket), protocol).await {
            // The task of a call holds its whole state: on the heap it is as large as it is, once.
            Ok((_, line)) => Box::pin(pending.run(line)).await,
            Err(error) => pending.fail(error.to_string()),
        }
    }))
}

/// A socket that shows none: only where that was asked for.
pub(crate) async fn without_ticket(
    State(app): State<Arc<App>>,
    Path((carrier, id)): Path<(String, String)>,
    socket: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    if !app.settings.insecure_carriers {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "no_ticket", "a carrier must show a ticket")
            .hint("Its webhook hands one out; for tests on this machine serve with `--insecure-carriers`."));
    }
    let protocol = protocol(&carrier)?;
    let agent = app.agents.resolve(&app.home, &id, &Version::Production, None).await;
    let agent = agent.map_err(|error| ApiError::of_agent(&id, error))?;
    if app.calls.is_draining() {
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "draining", "no new calls are taken"));
    }
    Ok(upgrade(socket, move |socket| async move {
        let name = protocol.name();
        let (handshake, line) = match accept(Adapter(socket), protocol).await {
            Ok(accepted) => accepted,
            Err(error) => return tracing::warn!(carrier = name, %error, "a stream did not become a call"),
        };
        let new = wanted(id, agent, name, handshake.from, Vec::new(), About::default());
        match app.calls.begin(new).await {
            Ok(pending) => Box::pin(pending.run(line)).await,
            // To drop the line is to close it: the carrier goes on with what follows in its script.
            Err(error) => tracing::warn!(carrier = name, %error, "a call was not taken"),
        }
    }))
}

fn protocol(name: &str) -> Result<Box<dyn carrier::Carrier>, ApiError> {
    carrier::named(name)
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "no_carrier", "there is no such carrier"))
}

fn wanted(
    id: String,
    agent: Arc<Agent>,
    line: &'static str,
    phone: Option<String>,
    inputs: Vec<(String, Value)>,
    about: About,
) -> NewCall {
    let caller = Caller { phone, language: None };
    NewCall { id, agent, channel: Channel::Phone, line, caller, inputs, watched: false, about }
}

fn upgrade<F: Future<Output = ()> + Send + 'static>(
    socket: WebSocketUpgrade,
    talk: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Response {
    socket
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(talk)
}

/// The socket of axum as the lines take it. Pings are answered by the socket itself.
struct Adapter(WebSocket);

impl Stream for Adapter {
    type Item = Result<SocketMessage, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let message = match ready!(self.0.poll_next_unpin(cx)) {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            };
            return Poll::Ready(Some(Ok(match message {
                Message::Text(text) => SocketMessage::Text(text.into()),
                Message::Binary(bytes) => SocketMessage::Binary(bytes),
                Message::Close(_) => SocketMessage::Close,
                Message::Ping(_) | Message::Pong(_) => continue,
            })));
        }
    }
}

impl Sink<SocketMessage> for Adapter {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.0).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: SocketMessage) -> Result<(), Error> {
        let message = match message {
            SocketMessage::Text(text) => Message::Text(utf8(text)?),
            SocketMessage::Binary(bytes) => Message::Binary(bytes),
            SocketMessage::Close => Message::Close(None),
        };
        Pin::new(&mut self.0).start_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

fn utf8(text: Bytes) -> Result<Utf8Bytes, Error> {
    Utf8Bytes::try_from(text).map_err(Error::new)
}
