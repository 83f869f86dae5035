//! One answer out of a list of models: bounds the time, asks again, goes on to the next one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dgh_engine::event::Usage;
use dgh_engine::reply::{Model, ReplyRequest};
use dgh_net::retry::{self, Pause};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::time::Instant;

use crate::llm::{Delta, LlmError, LlmErrorKind};
use crate::registry::Models;
use crate::settings::Settings;

/// Longest wait for the first word or call, with the connection, when the model does not say
/// (`timeout:`). A caller hears nothing meanwhile.
pub const FIRST_PIECE: Duration = Duration::from_secs(8);
/// Longest wait for the next piece.
pub const NEXT_PIECE: Duration = Duration::from_secs(5);
/// Longest answer, with everything that was tried.
pub const WHOLE_REPLY: Duration = Duration::from_mins(1);
/// The limits of time of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// For the first piece, when the model does not say.
    pub(crate) first: Duration,
    /// For each further one.
    pub(crate) next: Duration,
    /// For everything.
    pub(crate) whole: Duration,
}

/// What a caller on the line bears.
pub(crate) const ON_THE_LINE: Patience =
    Patience { first: FIRST_PIECE, next: NEXT_PIECE, whole: WHOLE_REPLY };

/// How often one model is asked in one reply, when it fails in a way that may pass.
pub const ATTEMPTS: u32 = 2;
/// The longest pause before the same model is asked again; one that asks for more is passed over.
pub const MAX_PAUSE: Duration = Duration::from_secs(2);

/// What comes of asking.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    /// A piece.
    Delta(Delta),
    /// A model failed and another begins: what came since the beginning is void.
    Restart,
    /// Every model failed, or one did when it could no longer be replaced. The last thing heard.
    Failed(LlmError),
}

/// Whether something of the answer was used, so that no other model may begin anew.
#[derive(Debug, Clone, Default)]
pub(crate) struct Commit(Arc<AtomicBool>);

impl Commit {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Asks the models in order. Ends after a whole answer, or after [`Heard::Failed`].
pub(crate) fn ask(
    request: Arc<ReplyRequest>,
    list: Vec<Model>,
    models: Arc<dyn Models>,
    commit: Commit,
    pause: Pause,
    patience: Patience,
) -> BoxStream<'static, Heard> {
    let deadline = Instant::now() + patience.whole;
    let asking = Asking {
        request,
        list: list.into(),
        models,
        commit,
        pause,
        patience,
        deadline,
        attempt: 0,
        answer: None,
        failures: Vec::new(),
        spent: Usage::default(),
        over: false,
    };
    stream::unfold(asking, |mut asking| async move { Some((asking.next().await?, asking)) }).boxed()
}

struct Asking {
    request: Arc<ReplyRequest>,
    /// The first one is being asked.
    list: VecDeque<Model>,
    models: Arc<dyn Models>,
    commit: Commit,
    pause: Pause,
    patience: Patience,
    deadline: Instant,
    attempt: u32,
    answer: Option<Answer>,
    failures: Vec<LlmError>,
    /// Of answers that failed.
    spent: Usage,
    over: bool,
}

struct Answer {
    stream: BoxStream<'static, Result<Delta, LlmError>>,
    begun: bool,
    first_by: Instant,
    usage: Usage,
}

impl Asking {
    async fn next(&mut self) -> Option<Heard> {
        while !self.over {
            if self.answer.is_none() {
                match self.begin() {
                    Ok(Some(answer)) => self.answer = Some(answer),
                    Ok(None) => return Some(self.fail()),
                    Err(error) => {
                        self.failures.push(error);
                        self.pass_over();
                        continue;
                    }
                }
            }
            let Some(answer) = &mut self.answer else { continue };
            let by = if answer.begun { Instant::now() + self.patience.next } else { answer.first_by };
            let by = by.min(self.deadline);
            match tokio::time::timeout_at(by, answer.stream.next()).await {
                Ok(Some(Ok(Delta::Usage(usage)))) => {
                    answer.usage = usage;
                    return Some(Heard::Delta(Delta::Usage(add(self.spent, usage))));
                }
                Ok(Some(Ok(delta))) => {
                    answer.begun = true;
                    return Some(Heard::Delta(delta));
                }
                Ok(Some(Err(error))) => {
                    if let Some(heard) = self.failed(error).await {
                        return Some(heard);
                    }
                }
                Ok(None) => self.over = true,
                Err(_) => {
                    let error = self.too_slow();
                    if let Some(heard) = self.failed(error).await {
                        return Some(heard);
                    }
                }
            }
        }
        None
    }

    /// Begins the next answer; none: no model is left.
    fn begin(&mut self) -> Result<Option<Answer>, LlmError> {
        let Some(model) = self.list.front() else { return Ok(None) };
        if Instant::now() >= self.deadline {
            self.list.clear();
            return Ok(None);
        }
        self.attempt += 1;
        let patience = Settings::of(model).duration("timeout")?.unwrap_or(self.patience.first);
        let stream = self.models.llm(model)?.stream(Arc::clone(&self.request));
        Ok(Some(Answer {
            stream,
            begun: false,
            first_by: Instant::now() + patience,
            usage: Usage::default(),
        }))
    }

    /// An answer failed. What is to be told of it; none: ask on.
    async fn failed(&mut self, error: LlmError) -> Option<Heard> {
        let answer = self.answer.take()?;
        self.spent = add(self.spent, answer.usage);
        if self.commit.is_set() {
            self.over = true;
            return Some(Heard::Failed(error));
        }
        // Who was too slow once is not waited for again while the caller hears nothing.
        let again = error.is_transient() && error.kind != LlmErrorKind::Timeout && self.attempt < ATTEMPTS;
        let delay = retry::delay(self.attempt, error.retry_after).filter(|d| again && *d <= MAX_PAUSE);
        self.failures.push(error);
        match delay {
            Some(delay) => (self.pause)(delay).await,
            None => self.pass_over(),
        }
        if answer.begun { Some(Heard::Restart) } else { None }
    }

    fn pass_over(&mut self) {
        self.list.pop_front();
        self.attempt = 0;
    }

    fn fail(&mut self) -> Heard {
        self.over = true;
        let mut messages: Vec<_> = self.failures.iter().map(|f| f.message.as_str()).collect();
        messages.dedup();
        let kind = self.failures.last().map_or(LlmErrorKind::Setup, |f| f.kind);
        let message = if messages.is_empty() { "no model is set".to_owned() } else { messages.join("; ") };
        Heard::Failed(LlmError::new(kind, message))
    }

    fn too_slow(&self) -> LlmError {
        let provider = self.list.front().map_or("", |m| m.provider.as_str());
        let begun = self.answer.as_ref().is_some_and(|a| a.begun);
        let what = match begun {
            _ if Instant::now() >= self.deadline => "took too long for the whole answer",
            true => "stopped in the middle of its answer",
            false => "did not begin to answer in time",
        };
        LlmError::new(LlmErrorKind::Timeout, format!("{provider}: {what}"))
    }
}

pub(crate) fn add(a: Usage, b: Usage) -> Usage {
    Usage {
        input_tokens: a.input_tokens.saturating_add(b.input_tokens),
        cached_tokens: a.cached_tokens.saturating_add(b.cached_tokens),
        output_tokens: a.output_tokens.saturating_add(b.output_tokens),
        micro_usd: a.micro_usd.saturating_add(b.micro_usd),
    }
}
