//! A test as a scene for another driver: what everybody beside the agent does in it. A runner of its
//! own plays a call line by line; a call that takes its time is played with this.

use std::sync::Arc;

use dgh_ir::test::{Meaning, TestCase, TestStepKind};
use serde_json::Value as Json;

use super::TestOptions;
use super::live::{LiveReply, needs_model};
use super::mocks::{Mocks, TransferEnd};
use super::model::{Calls, is_silent, meant, understood, words};
use super::runner::{acts, start};
use crate::effect::ToolRequest;
use crate::event::ToolFailure;
use crate::prepared::Prepared;
use crate::reply::{Message, Purpose, ReplyRequest};
use crate::start::CallStart;

/// The model, the tools and the other lines of a test. A reply depends on its request and on how far
/// the caller has come, and on nothing else: it may be asked for twice.
#[derive(Debug, Clone)]
pub struct Scene {
    prepared: Arc<Prepared>,
    case: Arc<TestCase>,
    mocks: Mocks,
    reached: usize,
}

impl Scene {
    /// The scene of a test. None where only a model could play it.
    pub fn new(prepared: Arc<Prepared>, case: Arc<TestCase>) -> Option<Self> {
        if needs_model(&case.steps).is_some() {
            return None;
        }
        let mocks = Mocks::new(prepared.program(), &case);
        Some(Self { prepared, case, mocks, reached: 0 })
    }

    /// What the call starts with.
    pub fn start(&self) -> CallStart {
        start(&self.prepared, &self.case, &TestOptions::default())
    }

    /// The caller has come to this step of the test: what it and those before mean is known.
    pub fn reach(&mut self, step: usize) {
        self.reached = self.reached.max(step + 1);
    }

    /// What the model answers. Words that mean nothing where the call is are answered with nothing.
    pub fn reply(&self, request: &ReplyRequest) -> LiveReply {
        let said = self.said(request);
        let mut calls = Calls::new();
        if request.purpose == Purpose::Turn
            && let Some((_, text, meaning)) = said
        {
            calls = match meaning {
                Some(meaning) => meant(meaning, &request.card),
                None => understood(text, &request.card),
            }
            .unwrap_or_default();
        }
        let fixed =
            if is_silent(request, &calls) { None } else { self.fixed(request, said.map(|(step, ..)| step)) };
        LiveReply { sentences: words(request, &calls, fixed).into_iter().collect(), calls }
    }

    /// What a tool answers; none: the test does not say.
    pub fn tool(&mut self, request: &ToolRequest) -> Option<Result<Json, ToolFailure>> {
        self.mocks.answer(request)
    }

    /// How a transfer ends; none: the test does not say.
    pub fn transfer(&mut self) -> Option<TransferEnd> {
        self.mocks.transfer()
    }

    /// The step whose words the caller said last.
    fn said(&self, request: &ReplyRequest) -> Option<(usize, &str, Option<&Meaning>)> {
        let heard = request.history.iter().rev().find_map(|message| match message {
            Message::Caller(text) => Some(text.as_str()),
            _ => None,
        })?;
        let mut steps = self.case.steps.iter().enumerate().take(self.reached).rev();
        steps.find_map(|(index, step)| match &step.kind {
            TestStepKind::Says(text, meaning) | TestStepKind::Interrupts(text, meaning) => {
                heard.contains(text.as_str()).then_some((index, text.as_str(), meaning.as_ref()))
            }
            _ => None,
        })
    }

    /// The words that the test gives the model after a step, if they were not said yet.
    fn fixed(&self, request: &ReplyRequest, after: Option<usize>) -> Option<&str> {
        let from = after.map_or(0, |step| step + 1);
        let next = self.case.steps.iter().skip(from).take_while(|step| !acts(step));
        let mut given = next.filter_map(|step| match &step.kind {
            TestStepKind::AgentSays(words) => Some(words.as_str()),
            _ => None,
        });
        given.find(|words| {
            !request.history.iter().any(|said| matches!(said, Message::Agent(text) if text == words))
        })
    }
}
