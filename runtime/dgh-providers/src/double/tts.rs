//! Voices as their servers speak: the sockets of Cartesia, ElevenLabs, Deepgram and Rime, told apart
//! by the path, with delays and faults as wanted. For tests of clients, of calls, and for benchmarks.

mod speak;
mod wire;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use dgh_net::socket::Message;
use dgh_net::testing::{Handshake, ServerSocket, SocketServer, Welcome};
use futures::{SinkExt, StreamExt};
use serde_json::Value as Json;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use crate::double::lock;
use crate::double::tts::speak::{Out, say};
use crate::double::tts::wire::{Heard, Wire};

/// How a request is answered.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Until the first sound.
    pub first: Duration,
    /// How many times faster than it sounds; infinite: all at once.
    pub speed: f64,
    /// Sound of one message, in milliseconds.
    pub piece_ms: u32,
    /// The sound.
    pub content: Content,
    /// The words as they are spoken, when not those of the text.
    pub spoken: Option<String>,
    /// What goes wrong.
    pub fault: Option<Fault>,
}

/// What is heard.
#[derive(Debug, Clone)]
pub enum Content {
    /// A tone, for as long as the words take.
    Tone {
        /// Its frequency.
        hz: f64,
        /// Length of a word.
        word_ms: u32,
    },
    /// 16-bit little-endian PCM, one channel.
    Pcm {
        /// Its rate.
        rate: u32,
        /// The samples.
        pcm: Bytes,
    },
    /// No sound at all.
    Nothing,
}

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing more comes after so many milliseconds of sound.
    Stall {
        /// Of sound.
        after_ms: u32,
    },
    /// The connection breaks after so many milliseconds of sound.
    Cut {
        /// Of sound.
        after_ms: u32,
    },
    /// The provider reports an error after so many milliseconds of sound.
    Error {
        /// Of sound.
        after_ms: u32,
        /// In these words.
        message: String,
    },
    /// What comes is not of the protocol.
    Garbage,
    /// Pieces end within a sample.
    Halves,
}

impl Default for Delivery {
    /// 120 ms to the first sound, then four times real time.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(120),
            speed: 4.0,
            piece_ms: 40,
            content: Content::Tone { hz: 440.0, word_ms: 300 },
            spoken: None,
            fault: None,
        }
    }
}

impl Delivery {
    /// Everything at once.
    pub fn at_once() -> Self {
        Self { first: Duration::ZERO, speed: f64::INFINITY, ..Self::default() }
    }

    /// With a fault.
    pub fn fault(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }
}

/// Messages and texts that are kept; a benchmark sends more than anybody reads.
const MAX_LOGGED: usize = 10_000;

/// What a server was told, in order; of messages and texts the first 10,000.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Every message that is JSON.
    pub messages: Vec<Json>,
    /// Every text that was to be spoken.
    pub texts: Vec<String>,
    /// How many texts were to be spoken.
    pub asked: usize,
    /// Requests that were cancelled before their end.
    pub cancelled: usize,
    /// Connections that were closed properly.
    pub closed: usize,
    /// Pings that came.
    pub pings: usize,
}

/// A server on 127.0.0.1. It stops when it is dropped.
pub struct TtsServer {
    server: SocketServer,
    log: Arc<Mutex<Log>>,
}

/// How the `n`th text (from 0) is answered.
type Deliver = dyn Fn(usize, &str) -> Delivery + Send + Sync;

impl TtsServer {
    /// Starts a server that answers the `n`th request (from 0) this way.
    ///
    /// # Panics
    /// If this machine has no free port.
    pub async fn start(deliver: impl Fn(usize, &str) -> Delivery + Send + Sync + 'static) -> Self {
        Self::welcoming(|_| Welcome::Open, deliver).await
    }

    /// Starts a server that welcomes connections one way and answers requests the other way.
    ///
    /// # Panics
    /// If this machine has no free port.
    pub async fn welcoming(
        welcome: impl Fn(&Handshake) -> Welcome + Send + Sync + 'static,
        deliver: impl Fn(usize, &str) -> Delivery + Send + Sync + 'static,
    ) -> Self {
        let log = Arc::new(Mutex::new(Log::default()));
        let (seen, deliver): (_, Arc<Deliver>) = (Arc::clone(&log), Arc::new(deliver));
        let serve = move |handshake: Handshake, socket| {
            let (seen, deliver) = (Arc::clone(&seen), Arc::clone(&deliver));
            async move {
                if let Some(wire) = Wire::of(&handshake.target) {
                    Connection::new(wire, seen, deliver).serve(socket).await;
                }
            }
        };
        Self { server: SocketServer::start(welcome, serve).await, log }
    }

    /// `ws://127.0.0.1:PORT` with a path behind it.
    pub fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// The connections so far, those that were refused included.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.server.handshakes()
    }

    /// What it was told so far.
    pub fn log(&self) -> Log {
        lock(&self.log).clone()
    }
}

struct Connection {
    wire: Wire,
    log: Arc<Mutex<Log>>,
    deliver: Arc<Deliver>,
    /// Texts that wait for those before them.
    queue: VecDeque<(String, String)>,
    speaking: JoinSet<()>,
    running: Vec<(String, AbortHandle)>,
    out: mpsc::Sender<Out>,
    ready: mpsc::Receiver<Out>,
}

impl Connection {
    fn new(wire: Wire, log: Arc<Mutex<Log>>, deliver: Arc<Deliver>) -> Self {
        // Small, so that who does not read stops the voice, as a real one is stopped.
        let (out, ready) = mpsc::channel(2);
        let (queue, speaking, running) = (VecDeque::new(), JoinSet::new(), Vec::new());
        Self { wire, log, deliver, queue, speaking, running, out, ready }
    }

    async fn serve(mut self, mut socket: ServerSocket) {
        loop {
            self.speak();
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        let json: Json = serde_json::from_str(&text).unwrap_or_default();
                        self.keep(&json);
                        for answer in self.hear(&json).await {
                            if socket.send(Message::text(answer.to_string())).await.is_err() {
                                return;
                            }
                        }
                    }
                    Some(Ok(Message::Ping(_))) => lock(&self.log).pings += 1,
                    Some(Ok(Message::Close(_))) | None => {
                        lock(&self.log).closed += 1;
                        return;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) => return,
                },
                Some(piece) = self.ready.recv() => match piece {
                    Out::Message(message) => if socket.send(message).await.is_err() { return },
                    Out::Cut => return,
                },
                Some(_) = self.speaking.join_next(), if !self.speaking.is_empty() => {}
            }
        }
    }

    fn keep(&self, json: &Json) {
        let mut log = lock(&self.log);
        if log.messages.len() < MAX_LOGGED {
            log.messages.push(json.clone());
        }
    }

    /// Begins what can be spoken. Who has no contexts speaks one after the other.
    fn speak(&mut self) {
        while self.wire.is_parallel() || self.speaking.is_empty() {
            let Some((context, text)) = self.queue.pop_front() else { return };
            let n = {
                let mut log = lock(&self.log);
                if log.texts.len() < MAX_LOGGED {
                    log.texts.push(text.clone());
                }
                log.asked += 1;
                log.asked - 1
            };
            let delivery = (self.deliver)(n, &text);
            let speaking = say(self.wire.voice(context.clone()), text, delivery, self.out.clone());
            self.running.push((context, self.speaking.spawn(speaking)));
        }
    }

    async fn hear(&mut self, json: &Json) -> Vec<Json> {
        let mut answers = Vec::new();
        for heard in self.wire.hear(json) {
            match heard {
                Heard::Speak { context, text } => self.queue.push_back((context, text)),
                Heard::Cancel(context) => self.cancel(context.as_deref()).await,
                Heard::Answer(answer) => answers.push(answer),
            }
        }
        answers
    }

    async fn cancel(&mut self, context: Option<&str>) {
        let hit = |name: &str| context.is_none_or(|wanted| wanted == name);
        self.queue.retain(|(name, _)| !hit(name));
        let stopped = self.running.extract_if(.., |(name, task)| hit(name) && !task.is_finished());
        lock(&self.log).cancelled += stopped.map(|(_, task)| task.abort()).count();
        if context.is_none() {
            // What it made before and did not send is gone as well.
            self.speaking.shutdown().await;
            while self.ready.try_recv().is_ok() {}
        }
    }
}
