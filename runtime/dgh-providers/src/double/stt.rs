//! A recogniser as a server: Deepgram's live protocol (`/v1/listen`) over real sockets, with words
//! from a script, delays as wanted, and the ways in which servers fail. For tests of clients, of
//! calls, and for benchmarks.
//!
//! It hears: an utterance begins with loud sound, and is over when the sound has been quiet for
//! [`SttScript::endpoint`], or at `Finalize`. Its words are the next of the script.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dgh_net::socket::Message;
use dgh_net::testing::{Handshake, ServerSocket, SocketServer, Welcome, close};
use futures::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep_until};

use crate::double::lock;
use crate::stt::gate::is_loud;

/// What a server hears and tells.
#[derive(Debug, Clone)]
pub struct SttScript {
    /// The words of each utterance, in order and from the beginning again. Each connection counts
    /// for itself, unless `shared`.
    pub words: Vec<String>,
    /// All connections are one conversation: each utterance has its words once.
    pub shared: bool,
    /// Quiet sound that ends an utterance.
    pub endpoint: Duration,
    /// From the end of speech, as it arrived, to the final words, at the earliest. With `Finalize`
    /// they come no sooner.
    pub final_after: Duration,
    /// Sound between two interim results; zero: there are none.
    pub interim: Duration,
    /// What goes wrong with each connection in order; those beyond the list work.
    pub faults: Vec<Option<SttFault>>,
}

impl Default for SttScript {
    fn default() -> Self {
        Self {
            words: vec!["hello".to_owned()],
            shared: false,
            endpoint: Duration::from_millis(300),
            final_after: Duration::from_millis(150),
            interim: Duration::from_millis(200),
            faults: Vec::new(),
        }
    }
}

/// What goes wrong with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SttFault {
    /// The handshake is answered with this status.
    Refuse(u16),
    /// It hears and never says anything.
    Mute,
    /// Interim results, and never final ones.
    NoFinal,
    /// Without a word it cuts the connection after so much loud sound.
    Cut(Duration),
    /// It closes after so much loud sound, with a code and a reason.
    Close(Duration, u16, String),
    /// It says this after so much loud sound.
    Say(Duration, String),
    /// It does not read after so much loud sound.
    Deaf(Duration),
}

/// The server.
pub struct SttServer {
    server: SocketServer,
    heard: Arc<Mutex<Vec<SttHeard>>>,
}

/// What a connection heard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SttHeard {
    /// Bytes of sound.
    pub bytes: u64,
    /// Of them loud.
    pub loud: u64,
    /// Messages with sound.
    pub frames: u64,
    /// Types of control messages, in order.
    pub controls: Vec<String>,
}

impl SttServer {
    /// Starts a server.
    pub async fn start(script: SttScript) -> Self {
        let script = Arc::new(script);
        let (heard, told) = (Arc::<Mutex<Vec<SttHeard>>>::default(), Arc::<Mutex<usize>>::default());
        let (welcome, seen) = (Arc::clone(&script), Arc::clone(&heard));
        let server = SocketServer::start(
            move |handshake| match welcome.fault(handshake.index) {
                Some(SttFault::Refuse(status)) => Welcome::Refuse(*status),
                _ => Welcome::Open,
            },
            move |handshake, socket| {
                let index = {
                    let mut heard = lock(&seen);
                    heard.push(SttHeard::default());
                    heard.len() - 1
                };
                let fault = script.fault(handshake.index).cloned();
                let ear = Ear::new(&script, fault, &handshake, Arc::clone(&told));
                let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                async move { ear.listen(&script, socket, &seen, index).await }
            },
        )
        .await;
        Self { server, heard }
    }

    /// `ws://127.0.0.1:PORT/v1/listen`: the `url` of a model.
    pub fn url(&self) -> String {
        self.server.url("/v1/listen")
    }

    /// The handshakes so far.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.server.handshakes()
    }

    /// What each connection has heard so far.
    pub fn heard(&self) -> Vec<SttHeard> {
        lock(&self.heard).clone()
    }
}

impl SttScript {
    fn fault(&self, index: usize) -> Option<&SttFault> {
        self.faults.get(index)?.as_ref()
    }
}

/// One connection.
struct Ear {
    fault: Option<SttFault>,
    bytes_per_ms: f64,
    /// Bytes of sound, and of loud sound.
    bytes: u64,
    loud: u64,
    /// Where the utterance began, and where its last loud sound ends.
    began: Option<u64>,
    loud_end: u64,
    /// When that arrived.
    loud_at: Instant,
    /// Where the last interim result was told.
    interim_at: u64,
    /// When the final words are told, and whether they were asked for.
    due: Option<(Instant, bool)>,
    /// Utterances told.
    told: usize,
    all_told: Arc<Mutex<usize>>,
    shared: bool,
}

impl Ear {
    fn new(
        script: &SttScript,
        fault: Option<SttFault>,
        handshake: &Handshake,
        all_told: Arc<Mutex<usize>>,
    ) -> Self {
        let rate =
            handshake.query("sample_rate").first().and_then(|rate| rate.parse().ok()).unwrap_or(16_000.0);
        Self {
            fault,
            bytes_per_ms: rate / 500.0,
            bytes: 0,
            loud: 0,
            began: None,
            loud_end: 0,
            loud_at: Instant::now(),
            interim_at: 0,
            due: None,
            told: 0,
            all_told,
            shared: script.shared,
        }
    }

    async fn listen(
        mut self,
        script: &SttScript,
        mut socket: ServerSocket,
        seen: &Mutex<Vec<SttHeard>>,
        index: usize,
    ) {
        loop {
            let due = self.due;
            let message = tokio::select! {
                biased;
                message = socket.next() => message,
                () = sleep_until(due.map_or_else(Instant::now, |(at, _)| at)), if due.is_some() => {
                    let asked = self.due.take().is_some_and(|(_, asked)| asked);
                    if let Some(results) = self.last(script, asked)
                        && socket.send(results).await.is_err()
                    {
                        return;
                    }
                    continue;
                }
            };
            let answer = match message {
                Some(Ok(Message::Binary(pcm))) => {
                    let answer = self.hear(script, &pcm);
                    if let Some(heard) = lock(seen).get_mut(index) {
                        (heard.bytes, heard.loud, heard.frames) = (self.bytes, self.loud, heard.frames + 1);
                    }
                    answer
                }
                Some(Ok(Message::Text(text))) => {
                    let json: Json = serde_json::from_str(&text).unwrap_or_default();
                    let kind = json.get("type").and_then(Json::as_str).unwrap_or_default().to_owned();
                    if let Some(heard) = lock(seen).get_mut(index) {
                        heard.controls.push(kind.clone());
                    }
                    match kind.as_str() {
                        "Finalize" => self.finalize(script),
                        "CloseStream" => {
                            let _ =
                                socket.send(Message::text(json!({ "type": "Metadata" }).to_string())).await;
                            let _ = socket.close(None).await;
                            return;
                        }
                        _ => None,
                    }
                }
                Some(Ok(_)) => None,
                Some(Err(_)) | None => return,
            };
            if let Some(answer) = answer
                && socket.send(answer).await.is_err()
            {
                return;
            }
            if self.fails(&mut socket).await {
                return;
            }
        }
    }

    /// Takes sound. An interim result, if it is time for one.
    fn hear(&mut self, script: &SttScript, pcm: &[u8]) -> Option<Message> {
        self.bytes += pcm.len() as u64;
        if is_loud(pcm) {
            self.loud += pcm.len() as u64;
            (self.loud_end, self.loud_at, self.due) = (self.bytes, Instant::now(), None);
            if self.began.is_none() {
                self.began = Some(self.bytes - pcm.len() as u64);
                self.interim_at = self.bytes;
            }
        }
        let began = self.began?;
        if self.due.is_none() && self.ms(self.bytes - self.loud_end) >= script.endpoint {
            self.due = Some((self.loud_at + script.final_after, false));
        }
        if script.interim.is_zero() || self.ms(self.bytes - self.interim_at) < script.interim {
            return None;
        }
        self.interim_at = self.bytes;
        // A word for each step, and the last one only when it is over.
        let words = self.words(script);
        let steps = self.ms(self.bytes - began).as_millis() / script.interim.as_millis().max(1);
        let most = words.split_whitespace().count().saturating_sub(1).max(1);
        let count = usize::try_from(steps).unwrap_or(most).clamp(1, most);
        let text: Vec<&str> = words.split_whitespace().take(count).collect();
        self.says(&text.join(" "), json!({ "is_final": false, "speech_final": false }))
    }

    /// The words so far are wanted.
    fn finalize(&mut self, script: &SttScript) -> Option<Message> {
        if self.began.is_none() {
            return self.says("", json!({ "is_final": true, "speech_final": false, "from_finalize": true }));
        }
        self.due = Some((self.loud_at + script.final_after, true));
        None
    }

    /// The final words.
    fn last(&mut self, script: &SttScript, asked: bool) -> Option<Message> {
        let words = self.words(script);
        if self.fault == Some(SttFault::NoFinal) {
            return None;
        }
        self.told += 1;
        *lock(&self.all_told) += 1;
        let said =
            self.says(&words, json!({ "is_final": true, "speech_final": !asked, "from_finalize": asked }));
        self.began = None;
        said
    }

    fn words(&self, script: &SttScript) -> String {
        let told = if self.shared { *lock(&self.all_told) } else { self.told };
        script.words.get(told % script.words.len().max(1)).cloned().unwrap_or_default()
    }

    fn says(&self, transcript: &str, marks: Json) -> Option<Message> {
        if self.fault == Some(SttFault::Mute) {
            return None;
        }
        let seconds = |bytes: u64| self.ms(bytes).as_secs_f64();
        let start = self.began.unwrap_or(self.bytes);
        let mut results = json!({
            "type": "Results",
            "channel_index": [0, 1],
            "start": seconds(start),
            "duration": seconds(self.bytes - start),
            "channel": { "alternatives": [{ "transcript": transcript, "confidence": 0.98, "words": [] }] },
            "metadata": { "request_id": "00000000-0000-0000-0000-000000000000" },
        });
        if let (Some(results), Json::Object(marks)) = (results.as_object_mut(), marks) {
            results.extend(marks);
        }
        Some(Message::text(results.to_string()))
    }

    /// Does what goes wrong, if it is time. Whether that is the end.
    async fn fails(&mut self, socket: &mut ServerSocket) -> bool {
        let loud = self.ms(self.loud);
        match &self.fault {
            Some(SttFault::Cut(after)) if loud >= *after => true,
            Some(SttFault::Close(after, code, reason)) if loud >= *after => {
                let _ = socket.send(close(*code, reason)).await;
                true
            }
            Some(SttFault::Say(after, what)) if loud >= *after => {
                let _ = socket.send(Message::text(what.clone())).await;
                self.fault = None;
                false
            }
            Some(SttFault::Deaf(after)) if loud >= *after => {
                std::future::pending::<()>().await;
                true
            }
            _ => false,
        }
    }

    fn ms(&self, bytes: u64) -> Duration {
        #[allow(clippy::cast_precision_loss, reason = "calls are short")]
        Duration::try_from_secs_f64(bytes as f64 / self.bytes_per_ms / 1_000.0).unwrap_or_default()
    }
}
