//! Voices as their servers speak: the sockets of Cartesia, ElevenLabs, Deepgram and Rime, told apart
//! by the path, with delays and faults as wanted. For tests of clients, of calls, and for benchmarks.

mod speak;
mod wire;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

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

/// What a server was told, in order.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Path and query of each connection, and its headers.
    pub handshakes: Vec<(String, HashMap<String, String>)>,
    /// Every message that is JSON.
    pub messages: Vec<Json>,
    /// Every text that was to be spoken.
    pub texts: Vec<String>,
    /// Requests that were cancelled before their end.
    pub cancelled: usize,
    /// Connections that were closed properly.
    pub closed: usize,
    /// Pings that came.
    pub pings: usize,
}

/// A server on 127.0.0.1. It stops when it is dropped.
pub struct TtsServer {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
    task: JoinHandle<()>,
}

/// How the `n`th text (from 0) is answered.
type Deliver = dyn Fn(usize, &str) -> Delivery + Send + Sync;

impl TtsServer {
    /// Starts a server that answers the `n`th request (from 0) this way.
    ///
    /// # Panics
    /// If this machine has no free port.
    pub async fn start(deliver: impl Fn(usize, &str) -> Delivery + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(deliver), None).await
    }

    /// Starts a server that opens no socket but answers with this status.
    ///
    /// # Panics
    /// If this machine has no free port.
    pub async fn refusing(status: u16) -> Self {
        Self::listen(Arc::new(|_, _| Delivery::default()), Some(status)).await
    }

    /// `ws://127.0.0.1:PORT` with a path behind it.
    pub fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// What it was told so far.
    pub fn log(&self) -> Log {
        lock(&self.log).clone()
    }

    #[allow(clippy::expect_used, reason = "a test without a socket has failed")]
    async fn listen(deliver: Arc<Deliver>, refuse: Option<u16>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let log = Arc::new(Mutex::new(Log::default()));
        let seen = Arc::clone(&log);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                connections.spawn(serve(stream, Arc::clone(&seen), Arc::clone(&deliver), refuse));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, log, task }
    }
}

impl Drop for TtsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Mutex<Log>>, deliver: Arc<Deliver>, refuse: Option<u16>) {
    if !is_upgrade(&stream).await {
        return voices(&mut stream).await;
    }
    let mut target = String::new();
    let handshake = |request: &Request, response: Response| shake(request, response, refuse, &log, &mut target);
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, handshake).await else { return };
    let Some(mut wire) = Wire::of(&target) else { return };
    // Small, so that who does not read stops the voice, as a real one is stopped.
    let (out, mut ready) = mpsc::channel::<Out>(2);
    let mut speaking: JoinSet<()> = JoinSet::new();
    let mut running: Vec<(String, AbortHandle)> = Vec::new();
    let mut queue: std::collections::VecDeque<(String, String)> = std::collections::VecDeque::new();
    loop {
        // Who has no contexts speaks one after the other.
        if wire.is_parallel() || speaking.is_empty() {
            if let Some((context, text)) = queue.pop_front() {
                let n = lock(&log).texts.len();
                lock(&log).texts.push(text.clone());
                let delivery = deliver(n, &text);
                let handle = speaking.spawn(say(wire.voice(context.clone()), text, delivery, out.clone()));
                running.push((context, handle));
                continue;
            }
        }
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let json: Json = serde_json::from_str(&text).unwrap_or_default();
                    lock(&log).messages.push(json.clone());
                    for heard in wire.hear(&json) {
                        match heard {
                            Heard::Speak { context, text } => queue.push_back((context, text)),
                            Heard::Cancel(context) => {
                                let hit = |name: &str| context.as_deref().is_none_or(|c| c == name);
                                queue.retain(|(name, _)| !hit(name));
                                let stopped = running.extract_if(.., |(name, task)| hit(name) && !task.is_finished());
                                let count = stopped.map(|(_, task)| task.abort()).count();
                                lock(&log).cancelled += count;
                                while speaking.try_join_next().is_some() {}
                                if context.is_none() {
                                    // What it said before is gone as well.
                                    speaking.shutdown().await;
                                    while ready.try_recv().is_ok() {}
                                }
                            }
                            Heard::Answer(answer) => {
                                if socket.send(Message::text(answer.to_string())).await.is_err() { return; }
                            }
                        }
                    }
                }
                Some(Ok(Message::Ping(_))) => lock(&log).pings += 1,
                Some(Ok(Message::Close(_))) | None => { lock(&log).closed += 1; return; }
                Some(Ok(_)) => {}
                Some(Err(_)) => return,
            },
            Some(piece) = ready.recv() => match piece {
                Out::Message(message) => if socket.send(message).await.is_err() { return },
                Out::Cut => return,
            },
            Some(_) = speaking.join_next(), if !speaking.is_empty() => {}
        }
    }
}

#[allow(clippy::result_large_err, reason = "the type of the library's callback")]
fn shake(
    request: &Request,
    response: Response,
    refuse: Option<u16>,
    log: &Mutex<Log>,
    target: &mut String,
) -> Result<Response, ErrorResponse> {
    *target = request.uri().to_string();
    let headers = request.headers().iter();
    let headers = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap_or_default().to_owned())).collect();
    lock(log).handshakes.push((target.clone(), headers));
    let Some(status) = refuse else { return Ok(response) };
    let mut refusal = ErrorResponse::new(Some("no".into()));
    *refusal.status_mut() = status.try_into().unwrap_or_default();
    Err(refusal)
}

/// Whether a socket is asked for; the request is not taken.
async fn is_upgrade(stream: &TcpStream) -> bool {
    let mut head = [0; 4096];
    loop {
        let Ok(read) = stream.peek(&mut head).await else { return false };
        let text = String::from_utf8_lossy(head.get(..read).unwrap_or_default()).to_lowercase();
        if text.contains("\r\n\r\n") || read == 0 {
            return text.contains("upgrade: websocket");
        }
        tokio::task::yield_now().await;
    }
}

/// The list of voices, as ElevenLabs has it.
async fn voices(stream: &mut TcpStream) {
    let mut head = [0; 4096];
    let _ = stream.read(&mut head).await;
    let body = json!({ "voices": [
        { "voice_id": "21m00Tcm4TlvDq8ikWAM", "name": "Rachel" },
        { "voice_id": "pNInz6obpgDQGcFmaJgB", "name": "Adam - Dominant, Firm" },
    ] })
    .to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes()).await;
    let _ = stream.shutdown().await;
}
