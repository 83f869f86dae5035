//! A session over one socket: requests in order, one asked for ahead, time limits, cancelling,
//! keeping an idle connection open. What is said on the wire is each provider's own: [`Protocol`].

use std::time::Duration;

use bytes::Bytes;
use dgh_net::Socket;
use dgh_net::socket::Message;
use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::llm::LlmErrorKind;
use crate::tts::line::{Line, Request};
use crate::tts::private::strike;
use crate::tts::{TtsEvent, TtsInput, TtsSession};
use crate::voice::endpoint::Endpoint;
use crate::voice::{EVENT_QUEUE, INPUT_QUEUE, VoiceError};

/// Requests that are under way at once: the one whose turn it is, and the next.
const UNDER_WAY: usize = 2;
/// Sound of the next request that is held while its turn has not come: 4 s at 16 kHz. Beyond, it is
/// cancelled and asked for again at its turn.
const MAX_HELD_BYTES: usize = 128 << 10;
/// Silence after which an idle connection is told that we are here. The shortest limit is
/// Deepgram's, a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Time for a close to be written.
const GOODBYE: Duration = Duration::from_secs(1);

/// What one provider says on the wire. One value speaks for one session.
pub(super) trait Protocol: Send + 'static {
    /// Who is asked.
    fn endpoint(&self) -> &Endpoint;
    /// Opens a connection that speaks this language.
    fn connect(&mut self, language: &str) -> impl Future<Output = Result<Socket, VoiceError>> + Send;
    /// Whether a request in this language needs a connection of its own.
    fn is_worn(&self, _language: &str) -> bool {
        false
    }
    /// Whether a request may be asked for while another is under way.
    fn is_free(&self) -> bool {
        true
    }
    /// Asks for a request.
    fn speak(&mut self, id: u32, text: &str, language: &str, out: &mut Vec<Message>);
    /// Stops a request. Answers whether everything else that was asked for is lost as well.
    fn cancel(&mut self, id: u32, out: &mut Vec<Message>) -> bool;
    /// What keeps an idle connection open.
    fn keep_alive(&self) -> Message {
        Message::Ping(Bytes::new())
    }
    /// Reads a message.
    fn read(&mut self, message: &Message, said: &mut Vec<Said>) -> Result<(), Problem>;
}

/// What a provider said of a request.
pub(super) enum Said {
    /// Sound, cut anywhere.
    Sound(u32, Bytes),
    /// Words, and when each starts in milliseconds of the request's sound.
    Words(u32, Vec<(String, u32)>),
    /// Letters, and when each starts in milliseconds of the sound that follows.
    Letters(u32, Vec<(char, u32)>),
    /// All of it was told.
    Done(u32),
    /// It failed.
    Failed(u32, Problem),
}

/// What went wrong, in the provider's words.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) kind: LlmErrorKind,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(kind: LlmErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A message that the protocol does not have.
    pub(super) fn garbage() -> Self {
        Self::new(LlmErrorKind::BadAnswer, "a message is not of the protocol")
    }
}

/// Opens a session.
pub(super) fn open<P: Protocol>(protocol: P, rate: u32, language: String) -> TtsSession {
    let (input, commands) = mpsc::channel(INPUT_QUEUE);
    let (events, receiver) = mpsc::channel(EVENT_QUEUE);
    let session = Session {
        protocol,
        rate,
        line: Line::default(),
        out: Vec::new(),
        said: Vec::new(),
        free_since: Instant::now(),
        progress: Instant::now(),
        wrote: Instant::now(),
    };
    tokio::spawn(session.run(commands, events, language));
    TtsSession { rate, input, events: receiver }
}

struct Session<P> {
    protocol: P,
    rate: u32,
    line: Line,
    out: Vec<Message>,
    said: Vec<Said>,
    /// When the provider had done all that was asked before.
    free_since: Instant,
    /// When the provider last did something.
    progress: Instant,
    /// When we last said something.
    wrote: Instant,
}

/// What happens next.
enum Turn {
    Told(TtsInput),
    Read(Option<Result<Message, dgh_net::socket::SocketError>>),
    Late,
    KeepAlive,
    Sent,
    Closed,
}

impl<P: Protocol> Session<P> {
    async fn run(
        mut self,
        mut commands: mpsc::Receiver<TtsInput>,
        events: mpsc::Sender<TtsEvent>,
        language: String,
    ) {
        let end = self.speak(&mut commands, &events, language).await;
        let Err(error) = end else { return };
        // What came before the failure is told before it.
        while let Some(event) = self.line.event() {
            if events.send(event).await.is_err() {
                return;
            }
        }
        let _ = events.send(TtsEvent::Failed { id: None, error }).await;
    }

    async fn speak(
        &mut self,
        commands: &mut mpsc::Receiver<TtsInput>,
        events: &mpsc::Sender<TtsEvent>,
        language: String,
    ) -> Result<(), VoiceError> {
        let mut socket = tokio::select! {
            socket = self.connect(&language, events) => socket?,
            // Who drops the session while it connects must not wait for that.
            () = events.closed() => return Ok(()),
        };
        loop {
            socket = self.ask(socket, events).await?;
            self.write(&mut socket).await?;
            let (waiting, deadline) = (self.line.has_event(), self.deadline());
            let turn = tokio::select! {
                command = commands.recv() => command.map_or(Turn::Closed, Turn::Told),
                permit = events.reserve(), if waiting => match (permit, self.line.event()) {
                    (Ok(permit), Some(event)) => { permit.send(event); Turn::Sent }
                    (Ok(_), None) => Turn::Sent,
                    (Err(_), _) => Turn::Closed,
                },
                // A call that does not take its sound stops the provider by not reading.
                message = socket.next(), if !waiting => Turn::Read(message),
                () = until(deadline), if !waiting => Turn::Late,
                () = tokio::time::sleep_until(self.wrote + KEEP_ALIVE) => Turn::KeepAlive,
            };
            match turn {
                Turn::Told(TtsInput::Speak { id, text, language: wanted }) => {
                    let language = if wanted.is_empty() { language.clone() } else { wanted };
                    self.line.push(id, text, language);
                }
                Turn::Told(TtsInput::Cancel { id }) => self.cancel(id),
                Turn::Read(Some(Ok(message))) => self.read(&message)?,
                Turn::Read(Some(Err(error))) => return Err(self.clear(self.endpoint().broken(&error))),
                Turn::Read(None) => return Err(self.clear(self.endpoint().closed(None))),
                Turn::Late => {
                    let message = "no sound came in time";
                    return Err(self.endpoint().error(LlmErrorKind::Timeout, message));
                }
                Turn::KeepAlive => self.out.push(self.protocol.keep_alive()),
                Turn::Sent => {
                    // The provider is not late while nobody listens to it.
                    self.progress = Instant::now();
                    self.clear_turn();
                }
                Turn::Closed => {
                    let _ = timeout(GOODBYE, socket.close(None)).await;
                    return Ok(());
                }
            }
        }
    }

    fn endpoint(&self) -> &Endpoint {
        self.protocol.endpoint()
    }

    async fn connect(
        &mut self,
        language: &str,
        events: &mpsc::Sender<TtsEvent>,
    ) -> Result<Socket, VoiceError> {
        let start = Instant::now();
        let socket = self.protocol.connect(language).await?;
        let ms = u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX);
        let provider = self.endpoint().provider.clone();
        // Metrics may get lost, sound may not.
        let _ = events.try_send(TtsEvent::Connected { provider, ms });
        self.wrote = Instant::now();
        Ok(socket)
    }

    /// Asks for what can be asked for, over a new connection if that is needed.
    async fn ask(
        &mut self,
        mut socket: Socket,
        events: &mpsc::Sender<TtsEvent>,
    ) -> Result<Socket, VoiceError> {
        for place in 0..self.line.len().min(UNDER_WAY) {
            // What is heard first comes first: the next is asked for once this one sounds.
            let ahead = self.line.front().is_some_and(|front| front.sounded);
            let free = self.protocol.is_free();
            let Some(request) = self.line.get(place) else { break };
            if !request.is_new() {
                continue;
            }
            if place > 0 && (request.waits || !ahead || !free) {
                break;
            }
            let (id, text, language) = (request.id, request.text.clone(), request.language.clone());
            if self.protocol.is_worn(&language) {
                if place > 0 {
                    break;
                }
                let _ = timeout(GOODBYE, socket.close(None)).await;
                socket = self.connect(&language, events).await?;
            }
            self.protocol.speak(id, &text, &language, &mut self.out);
            let now = Instant::now();
            if let Some(request) = self.line.get(place) {
                request.asked = Some(now);
            }
            if place == 0 {
                (self.free_since, self.progress) = (now, now);
            }
        }
        Ok(socket)
    }

    async fn write(&mut self, socket: &mut Socket) -> Result<(), VoiceError> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.wrote = Instant::now();
        let limit = self.endpoint().patience.next;
        let writing = async {
            for message in self.out.drain(..) {
                socket.feed(message).await?;
            }
            socket.flush().await
        };
        match timeout(limit, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.clear(self.endpoint().broken(&error))),
            Err(_) => Err(self.endpoint().error(LlmErrorKind::Timeout, "does not take what it is sent")),
        }
    }

    /// When the request whose turn it is will be late.
    fn deadline(&self) -> Option<Instant> {
        let patience = self.endpoint().patience;
        let front = self.line.front().filter(|front| front.is_open())?;
        Some(if front.sounded { self.progress + patience.next } else { self.free_since + patience.first })
    }

    fn cancel(&mut self, id: u32) {
        let first = self.line.place(id) == Some(0);
        let Some(request) = self.line.remove(id) else { return };
        if request.is_open() && self.protocol.cancel(id, &mut self.out) {
            for place in 0..self.line.len() {
                self.line.get(place).filter(|r| r.is_open()).into_iter().for_each(Request::reset);
            }
        }
        if first {
            self.clear_turn();
        }
    }

    /// The next request may have its turn now.
    fn clear_turn(&mut self) {
        if self.line.front().is_none_or(|front| !front.sounded) {
            let now = Instant::now();
            (self.free_since, self.progress) = (now, now);
        }
    }

    fn read(&mut self, message: &Message) -> Result<(), VoiceError> {
        match message {
            Message::Close(_) => return Err(self.closed(message)),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
            Message::Text(_) | Message::Binary(_) => {}
        }
        let mut said = std::mem::take(&mut self.said);
        let read = self.protocol.read(message, &mut said);
        said.drain(..).for_each(|said| self.take(said));
        self.said = said;
        read.map_err(|problem| self.error(&problem))
    }

    fn take(&mut self, said: Said) {
        let (Said::Sound(id, _)
        | Said::Words(id, _)
        | Said::Letters(id, _)
        | Said::Done(id)
        | Said::Failed(id, _)) = &said;
        let Some(place) = self.line.place(*id) else { return };
        let failed = match &said {
            Said::Failed(_, problem) => Some(self.error(problem)),
            Said::Done(_) => Some(self.endpoint().error(LlmErrorKind::BadAnswer, "answered without sound")),
            _ => None,
        };
        let Self { protocol, line, rate, free_since: free, .. } = self;
        let (rate, free) = (*rate, *free);
        let Some(request) = line.get(place).filter(|r| r.is_open()) else { return };
        match said {
            Said::Sound(_, pcm) => {
                let since = free.max(request.asked.unwrap_or(free));
                request.sound(pcm, &protocol.endpoint().provider, since);
            }
            Said::Words(_, words) => request.words(rate, |aligner, _, marks| {
                for (word, at) in &words {
                    aligner.word(word, *at, marks);
                }
            }),
            Said::Letters(_, letters) => request.words(rate, |aligner, from, marks| {
                for (letter, at) in &letters {
                    aligner.letter(*letter, from + at, marks);
                }
            }),
            Said::Done(_) if request.sounded => {
                request.words(rate, |aligner, _, marks| aligner.finish(marks));
                request.finish(Ok(()));
            }
            Said::Done(_) | Said::Failed(..) => request.finish(failed.map_or(Ok(()), Err)),
        }
        if place == 0 {
            self.progress = Instant::now();
        } else if request.held() > MAX_HELD_BYTES {
            let id = request.id;
            request.reset();
            request.waits = true;
            let _ = protocol.cancel(id, &mut self.out);
        }
    }

    /// An error that does not repeat what was to be spoken.
    fn error(&self, problem: &Problem) -> VoiceError {
        self.endpoint().error(problem.kind, &strike(&problem.message, self.line.texts()))
    }

    /// What it means that the provider says goodbye. With 1008 ("policy") ElevenLabs ends what was idle
    /// for too long or had too many contexts: that the key is wrong must be said.
    fn closed(&self, message: &Message) -> VoiceError {
        let mut error = self.clear(self.endpoint().closed(Some(message)));
        let reason = error.message.to_lowercase();
        let key = ["auth", "api key", "api_key", "forbidden", "permission"]
            .iter()
            .any(|word| reason.contains(word));
        if error.kind == LlmErrorKind::Auth && !key {
            error.kind = LlmErrorKind::Unavailable;
        }
        error
    }

    fn clear(&self, error: VoiceError) -> VoiceError {
        VoiceError { message: strike(&error.message, self.line.texts()), ..error }
    }
}

/// Waits until then; without a time, for ever.
pub(super) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
