//! One test, line by line.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use dgh_ir::convert::Locale;
use dgh_ir::test::{GivenWhat, Meaning, MockWhat, TestCase, TestStep, TestStepKind};
use dgh_ir::{Channel, Origin, Program, Template, ToolRef, Value};
use serde_json::{Value as Json, json};

use super::expect::{Seen, wrong};
use super::line::ScriptedCall;
use super::live::{HOLDS_FROM, Live, LiveReply, MOST_TURNS, difference, needs_model};
use super::mocks::{Mocks, label, tool_name};
use super::model::{self, Calls, meant, understood};
use super::{Difference, Searches, TestFailure, TestOptions, TestOutcome, dummy};
use crate::effect::{Record, ToolName};
use crate::event::{Event, Timestamp};
use crate::prepared::{Prepared, declared};
use crate::reply::{Purpose, ReplyRequest};
use crate::start::{CallStart, Direction};

/// When a test does not say: Monday, 2 March 2026, 10:00.
const NOW: (i32, u32, u32, u32) = (2026, 3, 2, 10);
/// Who calls when a test does not say.
const CALLER: &str = "+14155550123";
/// What one line may set off; more is a call that goes in circles.
const MOST_STEPS: usize = 2_000;

type Check = Result<(), TestFailure>;

/// What the caller's line means: what the model answers the turn with.
struct Script {
    text: String,
    meaning: Option<Meaning>,
    origin: Origin,
}

struct Runner<'a, 'm> {
    program: &'a Program,
    prepared: &'a Arc<Prepared>,
    case: &'a TestCase,
    line: ScriptedCall,
    mocks: Mocks,
    /// Words that the test puts into the model's mouth.
    words: VecDeque<(&'a str, Origin)>,
    script: Option<Script>,
    /// The line that is being run.
    origin: Origin,
    /// The model beside the script.
    live: Option<&'m mut dyn Live>,
    /// Whether it is asked on scripted turns, too.
    compare: bool,
    /// Where knowledge is searched that the test does not mock.
    knowledge: Option<Arc<dyn Searches>>,
    differences: Vec<Difference>,
}

pub(super) fn run(
    prepared: &Arc<Prepared>,
    case: &TestCase,
    options: &TestOptions,
    live: Option<&mut dyn Live>,
) -> TestOutcome {
    let mut outcome = TestOutcome {
        passed: false,
        skipped: None,
        failure: None,
        differences: Vec::new(),
        events: 0,
        dialogue: Vec::new(),
        visited: Vec::new(),
        routes: BTreeSet::new(),
    };
    if let Some(reason) = needs_model(&case.steps).filter(|_| live.is_none()) {
        outcome.skipped = Some(reason.into());
        return outcome;
    }
    let fail = |origin, message: String| Some(TestFailure { origin, message });
    let program = prepared.program();
    if program.agents.get(case.agent).is_none() {
        outcome.failure = fail(case.origin, "the test names no agent".into());
        return outcome;
    }
    let start = start(prepared, case, options);
    // What a test says about the other line holds on every channel.
    let transfers = case.mocks.iter().any(|mock| mock.what == MockWhat::Transfer);
    let new = if transfers { ScriptedCall::transferable } else { ScriptedCall::new };
    let line = match new(Arc::clone(prepared), case.agent, start) {
        Ok(line) => line,
        Err(error) => {
            let message = format!("the call cannot start: {error}; add it to `given`");
            outcome.failure = fail(case.origin, message);
            return outcome;
        }
    };
    let mut runner = Runner {
        program,
        prepared,
        case,
        line,
        mocks: Mocks::new(program, case),
        words: VecDeque::new(),
        script: None,
        origin: case.origin,
        live,
        compare: options.compare,
        knowledge: options.knowledge.clone(),
        differences: Vec::new(),
    };
    outcome.failure = runner.run().err();
    outcome.passed = outcome.failure.is_none();
    for record in &runner.line.records {
        match record {
            Record::Entered { dialogue, node } => {
                outcome.visited.push((dialogue.clone(), node.clone()));
            }
            Record::Route { dialogue, route, .. } => {
                outcome.routes.insert((dialogue.clone(), *route));
            }
            _ => {}
        }
    }
    outcome.differences = runner.differences;
    outcome.events = runner.line.events;
    outcome.dialogue = runner.line.records;
    outcome
}

impl<'a> Runner<'a, '_> {
    fn run(&mut self) -> Check {
        let acts: Vec<(usize, &'a TestStep)> =
            self.case.steps.iter().enumerate().filter(|(_, step)| acts(step)).collect();
        self.load_words(0);
        self.settle(acts.first().is_some_and(|(_, step)| interrupts(step)))?;
        for (nth, (index, step)) in acts.iter().enumerate() {
            self.origin = step.origin;
            self.load_words(index + 1);
            if self.line.call().is_over() {
                return self.fail("the call is over already".into());
            }
            self.act(step)?;
            self.settle(acts.get(nth + 1).is_some_and(|(_, next)| interrupts(next)))?;
        }
        if let Some((words, origin)) = self.words.pop_front() {
            self.origin = origin;
            return self.fail(format!("the model was never asked for words, so {words:?} was not said"));
        }
        self.expectations()
    }

    /// Does a line of the test.
    fn act(&mut self, step: &'a TestStep) -> Check {
        match &step.kind {
            TestStepKind::Says(text, meaning) => {
                self.script =
                    Some(Script { text: text.clone(), meaning: meaning.clone(), origin: step.origin });
                self.line.says(text);
            }
            TestStepKind::Interrupts(text, meaning) => {
                if !self.line.interrupt() {
                    return self.fail("the agent is not speaking".into());
                }
                self.script =
                    Some(Script { text: text.clone(), meaning: meaning.clone(), origin: step.origin });
                self.line.says(text);
            }
            TestStepKind::Keys(keys) => self.line.handle(Event::Keys { keys: keys.clone() }),
            TestStepKind::Waits(ms) => self.wait(*ms)?,
            TestStepKind::HangsUp => self.line.handle(Event::Hangup),
            TestStepKind::Caller(who) => self.person(who)?,
            TestStepKind::AgentSays(_) | TestStepKind::Expect(_) | TestStepKind::Judge(..) => {}
        }
        Ok(())
    }

    /// A simulated person talks until the call is over.
    fn person(&mut self, who: &Template) -> Check {
        let who = dgh_ir::render(self.program, who, &self.line.call().view(0), dgh_ir::Purpose::Prompt);
        let who = who.map_err(|error| self.failure(error.to_string()))?.text;
        for _ in 0..MOST_TURNS {
            self.settle(false)?;
            if self.line.call().is_over() {
                return Ok(());
            }
            let Some(live) = self.live.as_deref_mut() else { return Ok(()) };
            match live.person(&who, &self.line.records) {
                Err(error) => return self.fail(error),
                Ok(None) => self.line.handle(Event::Hangup),
                Ok(Some(words)) => self.line.says(&words),
            }
        }
        self.fail(format!("the call was not over after {MOST_TURNS} turns of the simulated caller"))
    }

    /// Lets time pass; what it sets off happens at its own time.
    fn wait(&mut self, ms: i64) -> Check {
        let until = Timestamp(self.line.now().0.saturating_add(ms));
        for _ in 0..MOST_STEPS {
            while self.answer_one()? || (self.line.now() < until && self.line.play_one()) {}
            let left = until.0 - self.line.now().0;
            if left <= 0 || self.line.call().is_over() {
                return Ok(());
            }
            // One deadline after the other, so that what it asks for is answered then.
            self.line.pass_until(until);
        }
        self.fail("the call goes in circles".into())
    }

    /// Until the caller has the floor, or the call is over. With `hold`, the last words are left
    /// sounding, to be talked over.
    fn settle(&mut self, hold: bool) -> Check {
        for _ in 0..MOST_STEPS {
            if self.answer_one()? {
                continue;
            }
            if self.line.is_speaking() {
                if hold {
                    return Ok(());
                }
                self.line.play_one();
                continue;
            }
            let call = self.line.call();
            if call.is_over() || call.caller_has_floor() {
                return Ok(());
            }
            if !self.line.pass_to_deadline() {
                return Ok(());
            }
        }
        self.fail("the call goes in circles".into())
    }

    /// Answers one question of the call: a reply, a tool, a transfer.
    fn answer_one(&mut self) -> Result<bool, TestFailure> {
        if let Some(request) = self.line.replies.pop_front() {
            self.answer_reply(&request)?;
            return Ok(true);
        }
        if let Some(tool) = self.line.tools.pop_front() {
            let answer = self.mocks.answer(&tool).or_else(|| self.found(&tool.tool, &tool.arguments).map(Ok));
            let Some(result) = answer else {
                let name = label(&tool.tool);
                return Err(self.failure(format!(
                    "`{name}` is called, and the test does not say what it answers; add `mock {name} = …`"
                )));
            };
            self.line.tool_answers(&tool, result);
            return Ok(true);
        }
        if !self.line.transfers.is_empty() {
            let Some(end) = self.mocks.transfer() else {
                return Err(self.failure(
                    "the call is transferred, and the test does not say how that ends; add `mock transfer = answered`".into(),
                ));
            };
            self.line.transfer_ends(end.err());
            return Ok(true);
        }
        Ok(false)
    }

    fn answer_reply(&mut self, request: &ReplyRequest) -> Check {
        let scripted = self.script.is_some() || self.live.is_none();
        let at = self.script.as_ref().map_or(self.origin, |script| script.origin);
        let mut calls = Calls::new();
        if request.purpose == Purpose::Turn {
            calls = self.turn_means(request)?;
        }
        let decides = !scripted || request.purpose != Purpose::Turn;
        if let Some(live) = self.live.as_deref_mut().filter(|_| decides || self.compare) {
            let reply = live.reply(request).map_err(|message| TestFailure { origin: at, message })?;
            if decides {
                self.answer_live(request, reply);
                return Ok(());
            }
            let at = TestFailure { origin: at, message: String::new() };
            self.differences.extend(difference(&at, &calls, &reply));
        }
        if calls.is_empty() && request.purpose != Purpose::Extract {
            calls.extend(self.searches(request));
        }
        let fixed = if model::is_silent(request, &calls) { None } else { self.words.pop_front() };
        let words = model::words(request, &calls, fixed.map(|(words, _)| words));
        let calls: Vec<(&str, Json)> =
            calls.iter().map(|(name, args)| (name.as_str(), args.clone())).collect();
        self.line.answer(request.id, &words.as_deref().into_iter().collect::<Vec<_>>(), &calls);
        Ok(())
    }

    /// The model's own answer. Words that the test fixes stand in its place.
    fn answer_live(&mut self, request: &ReplyRequest, mut reply: LiveReply) {
        if let Some((words, _)) = self.words.pop_front() {
            reply.sentences = vec![words.to_owned()];
        }
        let sentences: Vec<&str> = reply.sentences.iter().map(String::as_str).collect();
        let calls: Vec<(&str, Json)> =
            reply.calls.iter().map(|(name, args)| (name.as_str(), args.clone())).collect();
        self.line.answer(request.id, &sentences, &calls);
    }

    fn turn_means(&mut self, request: &ReplyRequest) -> Result<Calls, TestFailure> {
        let Some(script) = self.script.take() else { return Ok(Calls::new()) };
        let calls = match &script.meaning {
            Some(meaning) => meant(meaning, &request.card),
            None => understood(&script.text, &request.card),
        };
        calls.map_err(|message| TestFailure { origin: script.origin, message })
    }

    /// What is found in knowledge that the test does not mock.
    fn found(&self, tool: &ToolName, arguments: &Json) -> Option<Json> {
        let ToolName::Knowledge(key) = tool else { return None };
        let question = arguments.get("query").and_then(Json::as_str).unwrap_or_default();
        self.knowledge.as_ref()?.search(key, question)
    }

    /// A search that the test mocks, or that finds something in the files, is made once in a node that
    /// may use it, for the words of the caller.
    fn searches(&self, request: &ReplyRequest) -> Option<(String, Json)> {
        if matches!(request.purpose, Purpose::AfterTools | Purpose::Tell | Purpose::Resume) {
            return None;
        }
        let query = request.history.iter().rev().find_map(|message| match message {
            crate::reply::Message::Caller(text) => Some(text.clone()),
            _ => None,
        });
        let arguments = json!({ "query": query.unwrap_or_default() });
        let tools = &self.prepared.agent(self.line.call().agent()).tools;
        let name = request.card.tools.iter().find(|name| {
            let tool = tools.get(*name).and_then(|tool| tool_name(self.program, tool));
            let finds = |tool: &ToolName| {
                self.found(tool, &arguments).is_some_and(|found| found.pointer("/passages/0").is_some())
            };
            tool.is_some_and(|t| matches!(t, ToolName::Knowledge(_)) && (self.mocks.has(&t) || finds(&t)))
        })?;
        Some((name.clone(), arguments))
    }

    /// The `agent_says` lines from here to the next thing that the caller does.
    fn load_words(&mut self, from: usize) {
        for step in self.case.steps.iter().skip(from).take_while(|step| !acts(step)) {
            if let TestStepKind::AgentSays(words) = &step.kind {
                self.words.push_back((words, step.origin));
            }
        }
    }

    fn expectations(&mut self) -> Check {
        let program = self.program;
        for step in &self.case.steps {
            if let TestStepKind::Judge(opinion, least) = &step.kind {
                self.origin = step.origin;
                self.judge(opinion, least.unwrap_or(HOLDS_FROM))?;
            }
            let TestStepKind::Expect(expr) = &step.kind else { continue };
            let seen = Seen { program, line: &self.line, mocks: &self.mocks };
            if let Some(mut message) = wrong(&seen, expr) {
                if !self.line.call().is_over() {
                    let (_, node) = self.line.call().position();
                    message += " (the call was still going on, in node `";
                    message += &node;
                    message += "`)";
                }
                self.origin = step.origin;
                return self.fail(message);
            }
        }
        Ok(())
    }

    fn judge(&mut self, opinion: &str, least: u32) -> Check {
        let Some(live) = self.live.as_deref_mut() else { return Ok(()) };
        match live.judge(opinion, &self.line.records) {
            Err(error) => self.fail(error),
            Ok((percent, _)) if percent >= least => Ok(()),
            Ok((percent, why)) => self.fail(format!("the judge gives {percent}%, wanted {least}%: {why}")),
        }
    }

    fn fail(&self, message: String) -> Check {
        Err(self.failure(message))
    }

    fn failure(&self, message: String) -> TestFailure {
        TestFailure { origin: self.origin, message }
    }
}

/// Whether a line does something, now.
pub(super) fn acts(step: &TestStep) -> bool {
    !matches!(step.kind, TestStepKind::AgentSays(_) | TestStepKind::Expect(_) | TestStepKind::Judge(..))
}

fn interrupts(step: &TestStep) -> bool {
    matches!(step.kind, TestStepKind::Interrupts(..))
}

/// What a call under test starts with.
pub(super) fn start(prepared: &Prepared, case: &TestCase, options: &TestOptions) -> CallStart {
    let program = prepared.program();
    let agent = declared(program, case.agent);
    let channel = [Channel::Phone, Channel::Web, Channel::Chat]
        .into_iter()
        .find(|channel| agent.channels.contains(channel))
        .unwrap_or(Channel::Phone);
    let locale = prepared.agent(case.agent).locale;
    let mut start = CallStart::new(format!("test {}", case.name), channel, default_now(&locale));
    if agent.groups.contains_key("outbound") && !agent.groups.contains_key("inbound") {
        start.direction = Direction::Outbound;
    }
    start.env = dummy::env(program);
    start.env.extend(options.env.iter().map(|(name, value)| (name.clone(), value.clone())));
    if channel == Channel::Phone {
        start.caller.phone = Some(CALLER.into());
    }
    for given in &case.given {
        let text = || match &given.value {
            Value::None => None,
            value => dgh_ir::to_json(value).as_str().map(str::to_owned),
        };
        match &given.what {
            GivenWhat::Input(slot) => {
                if let Some(slot) = agent.dialogue.slots.get(*slot) {
                    start.inputs.insert(slot.name.clone(), dgh_ir::to_json(&given.value));
                }
            }
            GivenWhat::Now => {
                if let Value::DateTime(at) = &given.value {
                    start.now = timestamp(&locale, *at);
                }
            }
            GivenWhat::CallerPhone => start.caller.phone = text(),
            GivenWhat::CallerLanguage => start.caller.language = text(),
            GivenWhat::Env(name) => {
                let value = text().unwrap_or_else(|| dgh_ir::to_json(&given.value).to_string());
                start.env.insert(name.clone(), value);
            }
            GivenWhat::Hole => {}
        }
    }
    if let Some(knowledge) = &options.knowledge {
        let mocked = |key: &String| {
            let name = ToolName::Knowledge(key.clone());
            case.mocks.iter().any(|mock| match &mock.what {
                MockWhat::Knowledge(id) => {
                    tool_name(program, &ToolRef::Knowledge(*id)).as_ref() == Some(&name)
                }
                _ => false,
            })
        };
        let whole = knowledge.whole().iter().filter(|(key, _)| !mocked(key));
        start.knowledge = whole.map(|(key, text)| (key.clone(), Arc::clone(text))).collect();
    }
    start.transcript_url = Some("https://example.com/transcript".into());
    start.recording_url = Some("https://example.com/recording".into());
    start
}

fn default_now(locale: &Locale) -> Timestamp {
    let (year, month, day, hour) = NOW;
    let at = chrono::NaiveDate::from_ymd_opt(year, month, day).and_then(|d| d.and_hms_opt(hour, 0, 0));
    timestamp(locale, at.unwrap_or_default())
}

/// A local time that a clock change skips is the one after it.
fn timestamp(locale: &Locale, at: chrono::NaiveDateTime) -> Timestamp {
    let zoned = at.and_local_timezone(locale.zone).earliest();
    Timestamp(zoned.map_or_else(|| at.and_utc().timestamp_millis(), |at| at.timestamp_millis()))
}
