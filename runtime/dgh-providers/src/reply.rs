//! A reply: from what the engine asks for to the events that it is told. The piece that every
//! driver shares.
//!
//! Sentences are handed on as they complete; calls with the first sentence, at the latest at the
//! end; a `go` that the card offers at once, and after it no words. Exactly one `ReplyClosed` comes
//! last. To drop the stream is to cancel the reply.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dgh_engine::event::{Event, ReplyId, Usage};
use dgh_engine::reply::{Purpose, ReplyRequest};
use dgh_net::retry::{self, Pause};
use futures::channel::mpsc::{self, UnboundedSender};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use serde_json::Value as Json;
use tokio::time::Instant;

use crate::ask::{Commit, Heard, ON_THE_LINE, ask};
use crate::judge;
use crate::llm::Delta;
use crate::registry::Models;
use crate::sentences::Sentences;

/// How long notes are waited for after a `go`.
pub const AFTER_GO: Duration = Duration::from_millis(300);
/// Bytes of text of one reply that are handed on; nobody says more at a time.
pub const MAX_TEXT_BYTES: usize = 16 << 10;
/// Calls of one reply that are handed on.
pub const MAX_CALLS: usize = 32;

/// Asks for a reply.
pub fn run(request: ReplyRequest, models: Arc<dyn Models>) -> BoxStream<'static, Event> {
    run_with(request, models, retry::sleep(), FirstPiece::default())
}

/// The same; `first` is set when the first piece of an answer has come.
pub fn run_timed(
    request: ReplyRequest,
    models: Arc<dyn Models>,
    first: FirstPiece,
) -> BoxStream<'static, Event> {
    run_with(request, models, retry::sleep(), first)
}

/// When the first piece of an answer came.
#[derive(Debug, Clone, Default)]
pub struct FirstPiece(Arc<OnceLock<Instant>>);

impl FirstPiece {
    /// When; none: not yet.
    pub fn at(&self) -> Option<Instant> {
        self.0.get().copied()
    }

    fn came(&self) {
        self.0.get_or_init(Instant::now);
    }
}

/// The same, with pauses of another making.
pub(crate) fn run_with(
    request: ReplyRequest,
    models: Arc<dyn Models>,
    pause: Pause,
    first: FirstPiece,
) -> BoxStream<'static, Event> {
    let (out, events) = mpsc::unbounded();
    let work = async move {
        let request = Arc::new(request);
        if !request.judge.is_empty() && request.purpose == Purpose::Turn && request.may_call {
            judge::reply(&request, &models, &pause, out, first).await;
        } else {
            plain(&request, &models, &pause, Mouth::new(&request, out, first)).await;
        }
    };
    stream::select(events, work.into_stream().filter_map(|()| async { None })).boxed()
}

/// One model speaks and decides.
pub(crate) async fn plain(
    request: &Arc<ReplyRequest>,
    models: &Arc<dyn Models>,
    pause: &Pause,
    mut mouth: Mouth,
) {
    let list = request.models.clone();
    let mut answer = ask(
        Arc::clone(request),
        list,
        Arc::clone(models),
        mouth.commit.clone(),
        Arc::clone(pause),
        ON_THE_LINE,
    );
    let failure = loop {
        let heard = match mouth.gone {
            Some(by) => tokio::time::timeout_at(by, answer.next()).await.unwrap_or(None),
            None => answer.next().await,
        };
        match heard {
            Some(Heard::Delta(Delta::Text(text))) => mouth.text(&text),
            Some(Heard::Delta(Delta::Call { id, name, arguments })) => mouth.call(id, name, arguments),
            Some(Heard::Delta(Delta::Usage(usage))) => mouth.usage = usage,
            Some(Heard::Restart) => mouth.restart(),
            Some(Heard::Failed(error)) => break Some(error.message),
            None => break None,
        }
    };
    mouth.close(failure);
}

/// What is handed on of an answer, and when.
pub(crate) struct Mouth {
    reply: ReplyId,
    out: UnboundedSender<Event>,
    labels: Vec<String>,
    may_speak: bool,
    sentences: Sentences,
    /// Calls that wait for the first sentence or the end.
    held: Vec<Event>,
    calls: usize,
    text_bytes: usize,
    /// Whether a sentence was handed on.
    pub(crate) spoken: bool,
    /// Set with the first sentence, and with a `go`.
    pub(crate) commit: Commit,
    /// A `go` was handed on; until when notes are waited for.
    pub(crate) gone: Option<Instant>,
    /// Of the whole reply.
    pub(crate) usage: Usage,
    first: FirstPiece,
}

impl Mouth {
    pub(crate) fn new(request: &ReplyRequest, out: UnboundedSender<Event>, first: FirstPiece) -> Self {
        Self {
            reply: request.id,
            out,
            labels: request.card.labels.iter().map(|l| l.name.clone()).collect(),
            may_speak: request.purpose != Purpose::Extract,
            sentences: Sentences::default(),
            held: Vec::new(),
            calls: 0,
            text_bytes: 0,
            spoken: false,
            commit: Commit::default(),
            gone: None,
            usage: Usage::default(),
            first,
        }
    }

    /// More words.
    pub(crate) fn text(&mut self, text: &str) {
        self.first.came();
        if self.gone.is_some() || !self.may_speak {
            return;
        }
        self.text_bytes = self.text_bytes.saturating_add(text.len());
        if self.text_bytes > MAX_TEXT_BYTES {
            return;
        }
        for sentence in self.sentences.push(text) {
            self.say(sentence);
        }
    }

    /// No word follows that belongs to those before.
    pub(crate) fn finish_text(&mut self) {
        if let Some(rest) = self.sentences.finish().filter(|_| self.gone.is_none()) {
            self.say(rest);
        }
    }

    /// A call of the model that speaks.
    pub(crate) fn call(&mut self, id: String, name: String, arguments: Json) {
        self.first.came();
        if self.gone.is_some() || self.goes(&name, &arguments) {
            return self.hand_on(id, name, arguments);
        }
        // Words before a call are complete; what follows is another thought.
        self.finish_text();
        if self.spoken {
            return self.hand_on(id, name, arguments);
        }
        self.calls += 1;
        if self.calls <= MAX_CALLS {
            self.held.push(Event::ReplyCall { reply: self.reply, id, name, arguments });
        }
    }

    /// A call that is final, and handed on at once.
    pub(crate) fn hand_on(&mut self, id: String, name: String, arguments: Json) {
        if self.gone.is_none() && self.goes(&name, &arguments) {
            self.gone = Some(Instant::now() + AFTER_GO);
            self.sentences = Sentences::default();
            self.commit.set();
            self.release();
        }
        self.calls += 1;
        if self.calls <= MAX_CALLS {
            self.emit(Event::ReplyCall { reply: self.reply, id, name, arguments });
        }
    }

    /// Another model begins; nothing of this one was handed on.
    pub(crate) fn restart(&mut self) {
        self.sentences = Sentences::default();
        self.held.clear();
        self.calls = 0;
        self.text_bytes = 0;
    }

    /// The reply is over.
    pub(crate) fn close(mut self, failure: Option<String>) {
        // After a `go` the decision is made; that the rest was lost changes nothing.
        let failure = failure.filter(|_| self.gone.is_none());
        if failure.is_none() {
            self.finish_text();
            self.release();
        }
        self.emit(Event::ReplyClosed { reply: self.reply, failure, usage: self.usage });
    }

    /// Whether this is a `go` with a label that the card offers.
    fn goes(&self, name: &str, arguments: &Json) -> bool {
        name == "go"
            && arguments
                .get("label")
                .and_then(Json::as_str)
                .is_some_and(|label| self.labels.iter().any(|l| l == label))
    }

    fn say(&mut self, text: String) {
        self.commit.set();
        self.release();
        self.spoken = true;
        self.emit(Event::ReplySentence { reply: self.reply, text });
    }

    fn release(&mut self) {
        for call in std::mem::take(&mut self.held) {
            self.emit(call);
        }
    }

    fn emit(&self, event: Event) {
        // Nobody listens: the reply was cancelled.
        let _ = self.out.unbounded_send(event);
    }
}

#[cfg(test)]
mod tests;
