//! Gemini Live as a server speaks it: it answers when an activity ends, waits for the answers to
//! its functions, and hangs up on who breaks the rules.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dgh_net::socket::{CloseFrame, Message};
use dgh_net::testing::{Handshake, ServerSocket, SocketServer, Welcome};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};

use super::lock;
use super::realtime::LETTER_MS;
use crate::wire::at;

/// What the server does.
#[derive(Debug, Clone, Default)]
pub struct GeminiScript {
    /// Answers, one for each activity that ends and each answer to functions. Then it says "All right.".
    pub answers: VecDeque<Vec<GeminiDoes>>,
    /// What it writes down of the caller's activities that hold sound.
    pub hears: VecDeque<String>,
    /// Between the parts of an answer.
    pub part: Duration,
    /// Whether it never accepts the setup.
    pub refuses: bool,
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub enum GeminiDoes {
    /// Speaks.
    Say(&'static str),
    /// Calls functions, all at once: id, name, arguments. The answer ends here until they answered.
    Call(Vec<(&'static str, &'static str, Json)>),
    /// Says this, whatever it is.
    Raw(Json),
    /// Hands out a handle that takes the session up again.
    Handle(&'static str),
    /// Says nothing more.
    Stall,
    /// Closes the connection: code and reason.
    Close(u16, &'static str),
    /// Cuts the connection.
    Drop,
}

/// A server of this kind.
pub struct GeminiServer {
    server: SocketServer,
    seen: Arc<Mutex<Vec<Json>>>,
}

impl GeminiServer {
    /// Starts a server; all its connections share the script.
    pub async fn start(script: GeminiScript) -> Self {
        let seen = Arc::<Mutex<Vec<Json>>>::default();
        let (messages, script) = (Arc::clone(&seen), Arc::new(Mutex::new(script)));
        let serve = move |_: Handshake, socket: ServerSocket| {
            let talk = Talk {
                script: Arc::clone(&script),
                seen: Arc::clone(&messages),
                socket,
                is_set_up: false,
                activity: None,
                speaks: VecDeque::new(),
                open: Vec::new(),
            };
            async move { talk.serve().await.unwrap_or_default() }
        };
        Self { server: SocketServer::start(|_| Welcome::Open, serve).await, seen }
    }

    /// `ws://127.0.0.1:PORT` with a path behind it.
    pub fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// The handshakes so far.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.server.handshakes()
    }

    /// What clients sent; of sound its milliseconds alone.
    pub fn received(&self) -> Vec<Json> {
        lock(&self.seen).clone()
    }
}

struct Talk {
    script: Arc<Mutex<GeminiScript>>,
    seen: Arc<Mutex<Vec<Json>>>,
    socket: ServerSocket,
    is_set_up: bool,
    /// Milliseconds of sound of the activity.
    activity: Option<u64>,
    /// Parts that are still to be said.
    speaks: VecDeque<GeminiDoes>,
    /// Calls that wait for their answer.
    open: Vec<String>,
}

impl Talk {
    /// None: the connection is over.
    async fn serve(mut self) -> Option<()> {
        loop {
            let part = lock(&self.script).part;
            let speaks = !self.speaks.is_empty();
            tokio::select! {
                biased;
                message = self.socket.next() => {
                    let Ok(Message::Text(text)) = message? else { continue };
                    let message: Json = serde_json::from_str(&text).ok()?;
                    self.told(message).await?;
                }
                () = tokio::time::sleep(part), if speaks => self.part().await?,
            }
        }
    }

    async fn told(&mut self, message: Json) -> Option<()> {
        let input = at(&message, "/realtimeInput");
        let sound = at(input, "/audio/data").as_str().and_then(|data| STANDARD.decode(data).ok());
        let ms = sound.map(|sound| sound.len() as u64 / 32);
        let has = |name: &str| input.get(name).is_some();
        lock(&self.seen).push(ms.map_or_else(|| message.clone(), |ms| json!({ "sound": ms })));
        if message.get("setup").is_some() == self.is_set_up {
            return self.close(1007, "setup comes first, and once").await;
        }
        if !self.is_set_up {
            self.is_set_up = true;
            if !lock(&self.script).refuses {
                self.send(&json!({ "setupComplete": {} })).await?;
            }
        } else if has("activityStart") {
            if self.activity.is_some() {
                return self.close(1007, "an activity in an activity").await;
            }
            self.activity = Some(0);
            if !self.speaks.is_empty() {
                self.speaks.clear();
                self.send(&json!({ "serverContent": { "interrupted": true } })).await?;
                self.send(&json!({ "serverContent": { "turnComplete": true } })).await?;
            }
            if !self.open.is_empty() {
                let ids = std::mem::take(&mut self.open);
                self.send(&json!({ "toolCallCancellation": { "ids": ids } })).await?;
            }
        } else if has("activityEnd") {
            let Some(ms) = self.activity.take() else {
                return self.close(1007, "no activity to end").await;
            };
            let heard = if ms > 0 { lock(&self.script).hears.pop_front() } else { None };
            for word in heard.iter().flat_map(|heard| heard.split_inclusive(' ')) {
                self.send(&json!({ "serverContent": { "inputTranscription": { "text": word } } })).await?;
            }
            self.begin();
        } else if let Some(ms) = ms {
            match &mut self.activity {
                Some(activity) => *activity += ms,
                None => return self.close(1007, "sound outside an activity").await,
            }
        } else if has("text") {
            if self.activity.is_none() {
                return self.close(1007, "text outside an activity").await;
            }
        } else if let Some(responses) = at(&message, "/toolResponse/functionResponses").as_array() {
            let ids: Vec<_> = responses.iter().filter_map(|r| at(r, "/id").as_str()).collect();
            if !self.open.iter().all(|id| ids.contains(&id.as_str())) || ids.len() != self.open.len() {
                return self.close(1007, "not the functions that were called").await;
            }
            self.open.clear();
            self.begin();
        } else {
            return self.close(1007, "no such message").await;
        }
        Some(())
    }

    fn begin(&mut self) {
        let answer = lock(&self.script).answers.pop_front();
        self.speaks.extend(answer.unwrap_or_else(|| vec![GeminiDoes::Say("All right.")]));
        self.speaks.push_back(GeminiDoes::Raw(json!({ "serverContent": { "generationComplete": true } })));
        let usage = json!({ "promptTokenCount": 50, "responseTokenCount": 9, "thoughtsTokenCount": 1 });
        self.speaks.push_back(GeminiDoes::Raw(
            json!({ "serverContent": { "turnComplete": true }, "usageMetadata": usage }),
        ));
    }

    async fn part(&mut self) -> Option<()> {
        match self.speaks.pop_front()? {
            GeminiDoes::Say(text) => {
                let samples = text.chars().count() as u64 * LETTER_MS * 24;
                let sound: Vec<u8> = (0..samples).flat_map(|_| 3_000_i16.to_le_bytes()).collect();
                let data = STANDARD.encode(sound);
                let part = json!({ "inlineData": { "mimeType": "audio/pcm;rate=24000", "data": data } });
                self.send(&json!({ "serverContent": {
                    "modelTurn": { "role": "model", "parts": [part] },
                    "outputTranscription": { "text": text },
                } }))
                .await
            }
            GeminiDoes::Call(calls) => {
                self.speaks.clear();
                self.open = calls.iter().map(|(id, ..)| (*id).to_owned()).collect();
                let calls: Vec<_> = calls
                    .into_iter()
                    .map(|(id, name, args)| json!({ "id": id, "name": name, "args": args }))
                    .collect();
                self.send(&json!({ "toolCall": { "functionCalls": calls } })).await
            }
            GeminiDoes::Raw(message) => self.send(&message).await,
            GeminiDoes::Handle(handle) => {
                self.send(&json!({ "sessionResumptionUpdate": { "newHandle": handle, "resumable": true } }))
                    .await
            }
            GeminiDoes::Stall => {
                self.speaks.clear();
                Some(())
            }
            GeminiDoes::Close(code, reason) => self.close(code, reason).await,
            GeminiDoes::Drop => None,
        }
    }

    /// Google sends its JSON as bytes.
    async fn send(&mut self, message: &Json) -> Option<()> {
        self.socket.send(Message::binary(message.to_string())).await.ok()
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Option<()> {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        let _ = self.socket.send(Message::Close(Some(frame))).await;
        None
    }
}
