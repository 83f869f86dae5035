//! Providers that answer after a fixed time, in their real wire protocols, on one port: Deepgram's
//! live recognition, chat completions over server-sent events, Cartesia's voice over a websocket.

#![allow(clippy::cast_precision_loss, reason = "a tone needs no more digits")]

use std::time::{Duration, Instant};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request as Handshake, Response};

use crate::clock::until;
use crate::{Stub, speech};

/// What the recogniser understands of the words: what is said before their pause, and behind it.
const FIRST: &str = "Yes, hello.";
const REST: &str = "I would like to book an appointment for Tuesday.";
/// What the model answers: about three seconds of speech.
const ANSWER: &str = "Certainly, I can help you with that appointment on Tuesday morning.";
/// Milliseconds of speech for a character.
const CHARACTER_MS: usize = 45;
/// Longest request of a model that is read.
const MAX_REQUEST: usize = 4 << 20;

pub(crate) async fn serve(delays: Stub) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", delays.port)).await.context("the port is taken")?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // A connection that breaks off is the end of a call.
            let _ = Box::pin(connection(stream, delays)).await;
        });
    }
}

async fn connection(stream: TcpStream, delays: Stub) -> anyhow::Result<()> {
    let mut first = [0; 5];
    while stream.peek(&mut first).await? < first.len() {
        tokio::task::yield_now().await;
    }
    if &first == b"POST " {
        return model(stream, delays).await;
    }
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the signature is the library's")]
    let socket = accept_hdr_async(stream, |request: &Handshake, response: Response| {
        path = request.uri().path().to_owned();
        Ok(response)
    })
    .await?;
    if path.contains("listen") { recogniser(socket, delays).await } else { voice(socket, delays).await }
}

type Socket = tokio_tungstenite::WebSocketStream<TcpStream>;

/// What a recogniser has heard of the words. They are known, so it counts loud frames: it has heard
/// all of them when it has heard as many as there are.
#[derive(Default)]
struct Hearing {
    frames: u64,
    loud: usize,
    /// Words that were told as final.
    told_first: bool,
    /// Seconds of the stream up to which words were told.
    told_until: f64,
}

impl Hearing {
    /// Words that are there and were not told.
    fn pending(&self, whole: usize) -> &'static str {
        match (self.told_first, self.loud >= whole) {
            (false, true) => "Yes, hello. I would like to book an appointment for Tuesday.",
            (true, true) => REST,
            (false, false) if self.loud >= whole / 8 => FIRST,
            _ => "",
        }
    }

    fn results(&mut self, text: &str, last: bool, finalized: bool) -> Json {
        let now = self.frames as f64 * 0.02;
        let (start, duration) = (self.told_until, now - self.told_until);
        if last {
            self.told_until = now;
        }
        json!({
            "type": "Results", "channel_index": [0, 1], "start": start, "duration": duration,
            "is_final": last, "speech_final": last, "from_finalize": finalized,
            "channel": { "alternatives": [{ "transcript": text, "confidence": 0.98, "words": [] }] },
        })
    }
}

async fn recogniser(mut socket: Socket, delays: Stub) -> anyhow::Result<()> {
    let whole = speech::loud_frames();
    let wait = Duration::from_millis(delays.stt_ms);
    let mut heard = Hearing::default();
    // When words become final, and whether somebody asked for that.
    let mut final_at: Option<(Instant, bool)> = None;
    let mut over_at = Instant::now();
    let mut pending = Vec::new();
    loop {
        let due = final_at.map_or_else(|| Instant::now() + Duration::from_hours(1), |(at, _)| at);
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Binary(pcm))) => {
                    pending.extend_from_slice(&pcm);
                    while pending.len() >= 320 {
                        heard.frames += 1;
                        if speech::is_loud_pcm(pending.get(..320).unwrap_or_default()) {
                            heard.loud += 1;
                            if heard.loud == whole / 8 {
                                let partial = heard.results(FIRST, false, false);
                                socket.send(Message::text(partial.to_string())).await?;
                            }
                            if heard.loud >= whole {
                                over_at = Instant::now();
                                final_at = Some((over_at + wait, false));
                            }
                        }
                        pending.drain(..320);
                    }
                }
                Some(Ok(Message::Text(text))) if text.contains("CloseStream") => return Ok(()),
                Some(Ok(Message::Text(text))) if text.contains("Finalize") => {
                    // The words are final so long after the speech, whoever asks for them when.
                    let at = if heard.loud >= whole { over_at + wait } else { Instant::now() + wait };
                    final_at = Some((at, true));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
            () = until(due), if final_at.is_some() => {
                let finalized = final_at.take().is_some_and(|(_, asked)| asked);
                let text = heard.pending(whole);
                let results = heard.results(text, true, finalized);
                if text == FIRST {
                    heard.told_first = true;
                }
                if heard.loud >= whole {
                    (heard.loud, heard.told_first) = (0, false);
                }
                socket.send(Message::text(results.to_string())).await?;
            }
        }
    }
}

/// One answer after another on one connection.
async fn model(mut stream: TcpStream, delays: Stub) -> anyhow::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let Some(length) = read_request(&mut stream, &mut buffer).await? else { return Ok(()) };
        buffer.drain(..length);
        let asked = Instant::now();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        until(asked + Duration::from_millis(delays.llm_ms)).await;
        if delays.token_ms == 0 {
            send_event(&mut stream, &delta(ANSWER)).await?;
        } else {
            for (index, token) in ANSWER.split_inclusive(' ').enumerate() {
                let at = delays.llm_ms + delays.token_ms * index as u64;
                until(asked + Duration::from_millis(at)).await;
                send_event(&mut stream, &delta(token)).await?;
            }
        }
        let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
        send_event(&mut stream, &end.to_string()).await?;
        send_event(&mut stream, "[DONE]").await?;
        stream.write_all(b"0\r\n\r\n").await?;
    }
}

fn delta(text: &str) -> String {
    json!({
        "id": "1", "object": "chat.completion.chunk", "model": "stub",
        "choices": [{ "index": 0, "delta": { "role": "assistant", "content": text }, "finish_reason": null }],
    })
    .to_string()
}

async fn send_event(stream: &mut TcpStream, data: &str) -> std::io::Result<()> {
    let event = format!("data: {data}\n\n");
    stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await
}

/// Reads a request; answers its length, or none at the end of the connection.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<Option<usize>> {
    let mut piece = vec![0; 16 << 10];
    loop {
        if let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(buffer.get(..head).unwrap_or_default()).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
            if buffer.len() >= head + 4 + length {
                return Ok(Some(head + 4 + length));
            }
        }
        anyhow::ensure!(buffer.len() < MAX_REQUEST, "the request is too long");
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
}

/// A request of a voice.
#[derive(serde::Deserialize)]
struct Request {
    context_id: Json,
    #[serde(default)]
    transcript: String,
    #[serde(default)]
    cancel: bool,
    #[serde(default)]
    output_format: Format,
}

#[derive(serde::Deserialize)]
#[serde(default)]
struct Format {
    sample_rate: usize,
}

impl Default for Format {
    fn default() -> Self {
        Self { sample_rate: 8_000 }
    }
}

/// Makes a tone as long as the words would take.
async fn voice(mut socket: Socket, delays: Stub) -> anyhow::Result<()> {
    let mut queue = std::collections::VecDeque::<(Instant, Message)>::new();
    loop {
        let due = queue.front().map_or_else(|| Instant::now() + Duration::from_hours(1), |(at, _)| *at);
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let request: Request = serde_json::from_str(&text)?;
                    if request.cancel {
                        queue.clear();
                    } else if !request.transcript.is_empty() {
                        speak(&mut queue, &request, delays);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
            () = until(due), if !queue.is_empty() => {
                if let Some((_, message)) = queue.pop_front() {
                    socket.send(message).await?;
                }
            }
        }
    }
}

fn speak(queue: &mut std::collections::VecDeque<(Instant, Message)>, request: &Request, delays: Stub) {
    let context = &request.context_id;
    let rate = request.output_format.sample_rate;
    let text = &request.transcript;
    let ms = text.len() * CHARACTER_MS;
    let first = Instant::now() + Duration::from_millis(delays.tts_ms);
    let chunk_ms = 100;
    let chunks = ms.div_ceil(chunk_ms);
    let mut pcm = Vec::with_capacity(rate / 10 * 2);
    for chunk in 0..chunks {
        pcm.clear();
        for at in 0..rate / 10 {
            let angle = (chunk * rate / 10 + at) as f32 * 440.0 * std::f32::consts::TAU / rate as f32;
            pcm.extend_from_slice(&((angle.sin() * 9_000.0) as i16).to_le_bytes());
        }
        let wait = ((chunk * chunk_ms) as u64).checked_div(delays.tts_speed).unwrap_or(0);
        let message = json!({
            "type": "chunk", "context_id": context, "done": false, "status_code": 206, "step_time": 1.0,
            "data": STANDARD.encode(&pcm),
        });
        queue.push_back((first + Duration::from_millis(wait), Message::text(message.to_string())));
    }
    let last = queue.back().map_or(first, |(at, _)| *at);
    let done = json!({ "type": "done", "context_id": context, "done": true, "status_code": 200 });
    queue.push_back((last, Message::text(done.to_string())));
}
