//! The task of a session: one socket, what is told on one side and heard on the other. What the
//! messages mean is each protocol's own, a [`Dialect`] without IO.

use std::sync::Arc;
use std::time::Duration;

use dgh_net::Socket;
use dgh_net::header::HeaderMap;
use dgh_net::socket::Message;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::Value as Json;
use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use crate::llm::LlmErrorKind;
use crate::realtime::{RealtimeEvent, RealtimeInput, RealtimeSession};
use crate::voice::endpoint::Endpoint;
use crate::voice::{EVENT_QUEUE, INPUT_QUEUE, VoiceError};

/// How long a socket may take to say goodbye.
const GOODBYE: Duration = Duration::from_millis(300);

/// A protocol of sessions.
pub(super) trait Dialect: Send + 'static {
    /// Something that the session is told. Before the connection stands too.
    fn input(&mut self, input: RealtimeInput, now: Instant, out: &mut Out);
    /// A connection stands; another one may follow when it was lost.
    fn opened(&mut self, now: Instant, out: &mut Out);
    /// A message of the server.
    fn message(&mut self, message: &Json, now: Instant, out: &mut Out) -> Result<(), VoiceError>;
    /// The connection is gone. Without an error it is opened again.
    fn lost(&mut self, error: VoiceError) -> Result<(), VoiceError>;
    /// When [`Self::tick`] is due.
    fn due(&self) -> Option<Instant>;
    /// That time has come.
    fn tick(&mut self, now: Instant, out: &mut Out) -> Result<(), VoiceError>;
}

/// What follows from an input, a message or the time.
#[derive(Default)]
pub(super) struct Out {
    /// Messages for the server.
    pub(super) send: Vec<String>,
    /// Events for the call.
    pub(super) events: Vec<RealtimeEvent>,
    /// A new connection is wanted, after the messages.
    pub(super) reconnect: bool,
}

/// Where a session goes and at which rates.
pub(super) struct Plan {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) hears: u32,
    pub(super) speaks: u32,
}

/// Opens a session.
pub(super) fn start(plan: Plan, dialect: impl Dialect) -> RealtimeSession {
    let (input, inputs) = mpsc::channel(INPUT_QUEUE);
    let (events, receiver) = mpsc::channel(EVENT_QUEUE);
    let session = RealtimeSession { hears: plan.hears, speaks: plan.speaks, input, events: receiver };
    tokio::spawn(async move {
        let mut pump = Pump { plan, dialect, inputs, events, out: Out::default() };
        if let Err(error) = pump.run().await {
            // Nobody listens: it was dropped.
            let _ = pump.events.send(RealtimeEvent::Failed(error)).await;
        }
    });
    session
}

struct Pump<D> {
    plan: Plan,
    dialect: D,
    inputs: mpsc::Receiver<RealtimeInput>,
    events: mpsc::Sender<RealtimeEvent>,
    out: Out,
}

/// Why a connection is over.
enum Over {
    /// The session was dropped.
    Dropped,
    /// Another one is wanted.
    Again,
}

impl<D: Dialect> Pump<D> {
    async fn run(&mut self) -> Result<(), VoiceError> {
        loop {
            let Some(mut socket) = self.connect().await? else { return Ok(()) };
            self.dialect.opened(Instant::now(), &mut self.out);
            let over = self.talk(&mut socket).await?;
            // The other side may be gone already.
            let _ = tokio::time::timeout(GOODBYE, socket.close(None)).await;
            if matches!(over, Over::Dropped) {
                return Ok(());
            }
        }
    }

    /// Opens the socket, and listens to what is told meanwhile.
    async fn connect(&mut self) -> Result<Option<Socket>, VoiceError> {
        let endpoint = Arc::clone(&self.plan.endpoint);
        let mut opening = Box::pin(endpoint.socket(self.plan.url.clone(), self.plan.headers.clone()));
        loop {
            tokio::select! {
                opened = &mut opening => return opened.map(Some),
                input = self.inputs.recv() => {
                    let Some(input) = input else { return Ok(None) };
                    self.dialect.input(input, Instant::now(), &mut self.out);
                    if !self.tell().await {
                        return Ok(None);
                    }
                }
            }
        }
    }

    async fn talk(&mut self, socket: &mut Socket) -> Result<Over, VoiceError> {
        loop {
            if !self.out.send.is_empty()
                && let Err(error) = self.write(socket).await
            {
                self.dialect.lost(error)?;
                return Ok(Over::Again);
            }
            if !self.tell().await {
                return Ok(Over::Dropped);
            }
            if std::mem::take(&mut self.out.reconnect) {
                return Ok(Over::Again);
            }
            let due = self.dialect.due();
            let waiting = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            let message = tokio::select! {
                input = self.inputs.recv() => {
                    let Some(input) = input else { return Ok(Over::Dropped) };
                    self.dialect.input(input, Instant::now(), &mut self.out);
                    continue;
                }
                message = socket.next() => message,
                () = waiting => {
                    self.dialect.tick(Instant::now(), &mut self.out)?;
                    continue;
                }
                () = self.events.closed() => return Ok(Over::Dropped),
            };
            let endpoint = &self.plan.endpoint;
            let lost = match message {
                Some(Ok(Message::Text(text))) => {
                    self.read(text.as_bytes())?;
                    continue;
                }
                // Some servers send their JSON as bytes.
                Some(Ok(Message::Binary(bytes))) => {
                    self.read(&bytes)?;
                    continue;
                }
                Some(Ok(close @ Message::Close(_))) => endpoint.closed(Some(&close)),
                Some(Ok(_)) => continue,
                Some(Err(error)) => endpoint.broken(&error),
                None => endpoint.closed(None),
            };
            self.dialect.lost(lost)?;
            return Ok(Over::Again);
        }
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), VoiceError> {
        let message: Json = serde_json::from_slice(bytes)
            .map_err(|_| self.plan.endpoint.error(LlmErrorKind::BadAnswer, "a message is not JSON"))?;
        self.dialect.message(&message, Instant::now(), &mut self.out)
    }

    async fn write(&mut self, socket: &mut Socket) -> Result<(), VoiceError> {
        let endpoint = &self.plan.endpoint;
        let writing = async {
            for text in self.out.send.drain(..) {
                socket.feed(Message::text(text)).await?;
            }
            socket.flush().await
        };
        match tokio::time::timeout(endpoint.patience.next, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(endpoint.broken(&error)),
            Err(_) => Err(endpoint.error(LlmErrorKind::Timeout, "takes nothing more")),
        }
    }

    /// Hands events on. Whether somebody listens.
    async fn tell(&mut self) -> bool {
        for event in self.out.events.drain(..) {
            if self.events.send(event).await.is_err() {
                return false;
            }
        }
        true
    }
}
