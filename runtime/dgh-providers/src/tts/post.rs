//! A session over requests, one per sentence, whose answers are read as they come. The connection
//! is opened ahead of the first sentence and kept warm; the next sentence is asked for while one
//! sounds, and its answer waits unread.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgh_net::header::CONTENT_TYPE;
use dgh_net::{Incoming, Method, Request};
use serde_json::Value as Json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::llm::LlmErrorKind;
use crate::tts::line::Line;
use crate::tts::private::strike;
use crate::tts::socket::until;
use crate::tts::wav::Unwrap;
use crate::tts::{TtsEvent, TtsInput, TtsSession};
use crate::voice::endpoint::Endpoint;
use crate::voice::{EVENT_QUEUE, INPUT_QUEUE, VoiceError};
use crate::wire::{error_message, kind_of_status};

/// Requests that are under way at once: the one whose turn it is, and the next.
const UNDER_WAY: usize = 2;
/// Longest answer: five minutes at 24 kHz.
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// Bytes of an error that are read.
const MAX_ERROR_BYTES: usize = 64 << 10;
/// Silence after which the connection is used again, before the other side closes it.
const KEEP_WARM: Duration = Duration::from_secs(45);

/// What one provider is sent.
pub(super) trait Recipe: Send + Sync + 'static {
    /// Who is asked.
    fn endpoint(&self) -> &Endpoint;
    /// The request for a sentence.
    fn request(
        &self,
        text: &str,
        language: &str,
        rate: u32,
    ) -> impl Future<Output = Result<Request, VoiceError>> + Send;
}

/// Opens a session.
pub(super) fn open<R: Recipe>(recipe: R, rate: u32, language: String) -> TtsSession {
    let (input, commands) = mpsc::channel(INPUT_QUEUE);
    let (events, receiver) = mpsc::channel(EVENT_QUEUE);
    let now = Instant::now();
    let session = Session {
        recipe: Arc::new(recipe),
        rate,
        language,
        line: Line::default(),
        answers: Vec::new(),
        free_since: now,
        progress: now,
        used: now,
    };
    tokio::spawn(session.run(commands, events));
    TtsSession { rate, input, events: receiver }
}

struct Session<R> {
    recipe: Arc<R>,
    rate: u32,
    /// Of the call, for sentences that do not say.
    language: String,
    line: Line,
    /// By request.
    answers: Vec<(u32, Answer)>,
    /// When the provider had done all that was asked before.
    free_since: Instant,
    /// When the provider last did something.
    progress: Instant,
    /// When the connection was last used.
    used: Instant,
}

enum Answer {
    Opening(Task<Result<Incoming, VoiceError>>),
    Reading(Box<(Incoming, Unwrap)>),
}

/// A task that ends with what waits for it.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What happens next.
enum Turn {
    Told(TtsInput),
    Read(u32, Result<Option<Bytes>, VoiceError>),
    Late,
    Warm(u32),
    Sent,
    Closed,
}

impl<R: Recipe> Session<R> {
    async fn run(mut self, mut commands: mpsc::Receiver<TtsInput>, events: mpsc::Sender<TtsEvent>) {
        let mut warming = Some(self.warm());
        let mut is_new = true;
        let recipe = Arc::clone(&self.recipe);
        loop {
            self.ask();
            let (waiting, deadline) = (self.line.has_event(), self.deadline());
            let cold = warming.is_none().then(|| self.used + KEEP_WARM);
            let front = self.line.front().filter(|front| front.is_open()).map(|front| front.id);
            let turn = tokio::select! {
                command = commands.recv() => command.map_or(Turn::Closed, Turn::Told),
                permit = events.reserve(), if waiting => match (permit, self.line.event()) {
                    (Ok(permit), Some(event)) => { permit.send(event); Turn::Sent }
                    (Ok(_), None) => Turn::Sent,
                    (Err(_), _) => Turn::Closed,
                },
                () = events.closed() => Turn::Closed,
                // A call that does not take its sound stops the provider by not reading.
                (id, read) = read(&mut self.answers, front, recipe.endpoint(), self.rate), if !waiting && front.is_some() => Turn::Read(id, read),
                () = until(deadline), if !waiting => Turn::Late,
                ms = warmed(&mut warming) => Turn::Warm(ms),
                () = until(cold) => { warming = Some(self.warm()); continue }
            };
            match turn {
                Turn::Told(TtsInput::Speak { id, text, language }) => {
                    let language = if language.is_empty() { self.language.clone() } else { language };
                    self.line.push(id, text, language);
                }
                Turn::Told(TtsInput::Cancel { id }) => {
                    let first = self.line.place(id) == Some(0);
                    // To drop the answer is to stop it.
                    self.answers.retain(|(asked, _)| *asked != id);
                    self.line.remove(id);
                    if first {
                        self.next_turn();
                    }
                }
                Turn::Read(id, read) => self.take(id, read),
                Turn::Late => {
                    let error = self.recipe.endpoint().error(LlmErrorKind::Timeout, "no sound came in time");
                    self.finish(front, Err(error));
                }
                Turn::Warm(ms) => {
                    (warming, self.used) = (None, Instant::now());
                    if std::mem::take(&mut is_new) {
                        let provider = self.recipe.endpoint().provider.clone();
                        let _ = events.try_send(TtsEvent::Connected { provider, ms });
                    }
                }
                Turn::Sent => {
                    // The provider is not late while nobody listens to it.
                    self.progress = Instant::now();
                    self.next_turn();
                }
                Turn::Closed => return,
            }
        }
    }

    /// Opens a connection, or uses the one there is, by asking for nothing. The answer is its time.
    fn warm(&mut self) -> Task<u32> {
        self.used = Instant::now();
        let recipe = Arc::clone(&self.recipe);
        Task(tokio::spawn(async move {
            let start = Instant::now();
            let endpoint = recipe.endpoint();
            let mut url = endpoint.http(&[]);
            url.set_path("/");
            let mut request = Request::new(Method::HEAD, url);
            request.timeout = endpoint.patience.connect;
            // Whatever is answered, there is a connection; if there is none, the first sentence says why.
            let _ = endpoint.client.send(request).await;
            u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX)
        }))
    }

    /// Asks for what can be asked for.
    fn ask(&mut self) {
        for place in 0..self.line.len().min(UNDER_WAY) {
            // What is heard first comes first: the next is asked for once this one sounds.
            let ahead = self.line.front().is_some_and(|front| front.sounded);
            if place > 0 && !ahead {
                break;
            }
            let Some(request) = self.line.get(place).filter(|request| request.is_new()) else { continue };
            let now = Instant::now();
            request.asked = Some(now);
            let (id, text, language) = (request.id, request.text.clone(), request.language.clone());
            let (recipe, rate) = (Arc::clone(&self.recipe), self.rate);
            let opening = async move {
                let request = recipe.request(&text, &language, rate).await?;
                answer(recipe.endpoint(), request).await
            };
            self.answers.push((id, Answer::Opening(Task(tokio::spawn(opening)))));
            self.used = now;
            if place == 0 {
                (self.free_since, self.progress) = (now, now);
            }
        }
    }

    /// When the request whose turn it is will be late.
    fn deadline(&self) -> Option<Instant> {
        let patience = self.recipe.endpoint().patience;
        let front = self.line.front().filter(|front| front.is_open())?;
        Some(if front.sounded { self.progress + patience.next } else { self.free_since + patience.first })
    }

    /// The next request may have its turn now.
    fn next_turn(&mut self) {
        if self.line.front().is_none_or(|front| !front.sounded) {
            let now = Instant::now();
            (self.free_since, self.progress) = (now, now);
        }
    }

    fn take(&mut self, id: u32, read: Result<Option<Bytes>, VoiceError>) {
        (self.progress, self.used) = (Instant::now(), Instant::now());
        let recipe = Arc::clone(&self.recipe);
        let endpoint = recipe.endpoint();
        let Some(request) = self.line.place(id).and_then(|place| self.line.get(place)) else { return };
        let since = self.free_since.max(request.asked.unwrap_or(self.free_since));
        let result = match read {
            Ok(Some(sound)) => return request.sound(sound, &endpoint.provider, since),
            Ok(None) if request.sounded => Ok(()),
            Ok(None) => Err(endpoint.error(LlmErrorKind::BadAnswer, "answered without sound")),
            Err(error) => Err(error),
        };
        self.finish(Some(id), result);
    }

    fn finish(&mut self, id: Option<u32>, result: Result<(), VoiceError>) {
        let texts = self.line.texts();
        let result = result.map_err(|error| VoiceError { message: strike(&error.message, texts), ..error });
        self.answers.retain(|(asked, _)| Some(*asked) != id);
        let place = id.and_then(|id| self.line.place(id));
        if let Some(request) = place.and_then(|place| self.line.get(place)) {
            request.finish(result);
        }
    }
}

/// Reads of the answer to this request; it is the caller's to ask only for one that is open.
async fn read(
    answers: &mut [(u32, Answer)],
    front: Option<u32>,
    endpoint: &Endpoint,
    rate: u32,
) -> (u32, Result<Option<Bytes>, VoiceError>) {
    let Some((id, answer)) = answers.iter_mut().find(|(id, _)| Some(*id) == front) else {
        return std::future::pending().await;
    };
    (*id, answer.read(endpoint, rate).await)
}

impl Answer {
    /// The next piece; may be empty. To drop this before it is ready loses nothing.
    async fn read(&mut self, endpoint: &Endpoint, rate: u32) -> Result<Option<Bytes>, VoiceError> {
        if let Self::Opening(task) = self {
            match (&mut task.0).await {
                Ok(opened) => *self = Self::Reading(Box::new((opened?, Unwrap::default()))),
                // The task is ended by nobody else, and does not panic.
                Err(_) => return Ok(None),
            }
        }
        let Self::Reading(reading) = self else { return Ok(None) };
        let (incoming, unwrap) = reading.as_mut();
        let Some(piece) = incoming.chunk().await.map_err(|e| endpoint.network(&e))? else { return Ok(None) };
        let sound = unwrap.push(piece, rate);
        sound.map(Some).map_err(|found| endpoint.error(LlmErrorKind::BadAnswer, &format!("sends {found}")))
    }
}

/// Sends a request and opens its answer. An answer that is no sound is an error.
async fn answer(endpoint: &Endpoint, mut request: Request) -> Result<Incoming, VoiceError> {
    request.timeout = endpoint.patience.connect + endpoint.patience.first;
    request.max_bytes = MAX_ANSWER_BYTES;
    let mut incoming = endpoint.client.open(request).await.map_err(|e| endpoint.network(&e))?;
    if !(200..300).contains(&incoming.status) {
        let status = incoming.status_error();
        let mut text = Vec::new();
        while text.len() < MAX_ERROR_BYTES {
            match timeout(endpoint.patience.next, incoming.chunk()).await {
                Ok(Ok(Some(chunk))) => text.extend_from_slice(&chunk),
                _ => break,
            }
        }
        let said = serde_json::from_slice::<Json>(&text).ok().and_then(|json| error_message(&json));
        let message = said.map_or(status.message, |said| format!("{said} ({})", incoming.status));
        return Err(endpoint.error(kind_of_status(incoming.status), &message));
    }
    let kind = incoming.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind.starts_with("text/")
        || kind.ends_with("json")
        || matches!(kind.as_str(), "audio/mpeg" | "audio/ogg")
    {
        let message = format!("answered with {kind} instead of raw sound");
        return Err(endpoint.error(LlmErrorKind::BadAnswer, &message));
    }
    Ok(incoming)
}

async fn warmed(warming: &mut Option<Task<u32>>) -> u32 {
    match warming {
        Some(task) => (&mut task.0).await.unwrap_or_default(),
        None => std::future::pending().await,
    }
}
