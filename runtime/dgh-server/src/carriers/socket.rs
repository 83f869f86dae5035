//! `GET /carriers/{carrier}/{agent}/{ticket}`: a carrier's media stream becomes a call.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::Error;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use dgh_engine::Caller;
use dgh_ir::Channel;
use dgh_platform::{Agent, NewCall};
use dgh_transport::carrier;
use dgh_transport::socket::{MAX_MESSAGE_BYTES, SocketMessage, accept};
use futures::{Sink, Stream, StreamExt as _};

use super::tickets::Ticket;
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
    let ticket = app.tickets.take(&ticket, &carrier, &id, Instant::now()).ok_or_else(|| {
        ApiError::new(StatusCode::FORBIDDEN, "bad_ticket", "this ticket is not good, or not any more")
            .hint("The carrier's webhook hands out a fresh one for every call.")
    })?;
    open(app, ticket, socket)
}

/// A socket that shows none: only where that was asked for.
pub(crate) async fn without_ticket(
    State(app): State<Arc<App>>,
    Path((carrier, agent)): Path<(String, String)>,
    socket: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    if !app.settings.insecure_carriers {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "no_ticket", "a carrier must show a ticket")
            .hint("Its webhook hands one out; for tests on this machine serve with `--insecure-carriers`."));
    }
    open(app, Ticket { carrier, agent, from: None }, socket)
}

fn open(app: Arc<App>, ticket: Ticket, socket: WebSocketUpgrade) -> Result<Response, ApiError> {
    let protocol = carrier::named(&ticket.carrier)
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "no_carrier", "there is no such carrier"))?;
    let current = app.deployments.current();
    let agent = Arc::clone(current.get(&ticket.agent).ok_or_else(|| ApiError::no_agent(&ticket.agent))?);
    if app.calls.is_draining() {
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "draining", "no new calls are taken"));
    }
    Ok(socket
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| talk(app, agent, ticket, protocol, socket)))
}

async fn talk(
    app: Arc<App>,
    agent: Arc<Agent>,
    ticket: Ticket,
    protocol: Box<dyn carrier::Carrier>,
    socket: WebSocket,
) {
    let name = protocol.name();
    let (handshake, line) = match accept(Adapter(socket), protocol).await {
        Ok(accepted) => accepted,
        Err(error) => return tracing::warn!(carrier = name, %error, "a stream did not become a call"),
    };
    let pending = app.calls.begin(NewCall {
        id: ticket.agent,
        agent,
        channel: Channel::Phone,
        line: name,
        caller: Caller { phone: ticket.from.or(handshake.from), language: None },
        inputs: Vec::new(),
        watched: false,
    });
    match pending {
        // The task of a call holds its whole state: on the heap it is as large as it is, once.
        Ok(pending) => Box::pin(pending.run(line)).await,
        // To drop the line is to close it: the carrier goes on with what follows in its script.
        Err(error) => tracing::warn!(carrier = name, %error, "a call was not taken"),
    }
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
