//! The start of a call: its names, `before call`, the first node; and the hand-over to another
//! agent, which starts anew with what was said.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dgh_ir::convert::from_json;
use dgh_ir::{AgentId, CallEvent, Channel, DialogueId, Program, Purpose, SlotId, SlotKind, Value};

use crate::call::Call;
use crate::event::{AnsweredBy, Timestamp};
use crate::prepared::{Prepared, declared};
use crate::start::{CallStart, Direction, StartError};
use crate::state::{Answering, Counts, Frame, FrameKind, Owes, Phase, Scope, Slot, Stage, State, Timer};

/// Our own verdict about what answered is made by then.
const ANSWERED_BY_MS: i64 = 8_000;
/// The first word is held this long with `answer: wait`.
const HOLD_MS: i64 = 2_500;

impl State {
    pub(crate) fn new(prepared: &Prepared, agent: AgentId, start: CallStart) -> Result<Self, StartError> {
        let program = &prepared.program;
        let declared = program.agents.get(agent).ok_or(StartError::NoAgent)?;
        if declared.dialogue.start.is_none() {
            return Err(StartError::NoStart(declared.name.clone()));
        }
        let scope = Scope::new(program, DialogueId::Agent(agent));
        let language = starting_language(&declared.languages, start.caller.language.as_deref());
        let transfers = start.channel == Channel::Phone;
        let mut state = Self {
            now: start.now,
            start,
            phase: Phase::Fresh,
            agent,
            persona: String::new(),
            language,
            scopes: vec![scope],
            frames: vec![Frame::new(0, DialogueId::Agent(agent), FrameKind::Root)],
            activities: Vec::new(),
            reply: None,
            round: None,
            tools: Vec::new(),
            deferred: None,
            speech: VecDeque::new(),
            history: Vec::new(),
            held: None,
            remarks: Vec::new(),
            waiting: None,
            turn: None,
            keys: String::new(),
            owes: Owes::Nothing,
            spoke: false,
            counts: Counts::default(),
            timers: BTreeMap::new(),
            completed: BTreeSet::new(),
            answering: Answering {
                who: AnsweredBy::Unknown,
                decided: false,
                awaits_beep: false,
                is_heard: false,
            },
            outcome: None,
            ended_by: None,
            hung_up: false,
            transferred: false,
            transferring: false,
            limits_raised: BTreeSet::new(),
            untold: false,
            transfers,
        };
        state.take_inputs(prepared, agent)?;
        Ok(state)
    }

    fn take_inputs(&mut self, prepared: &Prepared, agent: AgentId) -> Result<(), StartError> {
        let program = &prepared.program;
        let slots = &declared(program, agent).dialogue.slots;
        let input = |name: &str| slots.find(|s| s.kind == SlotKind::Input && s.name == name);
        if let Some(unknown) = self.start.inputs.keys().find(|name| input(name).is_none()) {
            return Err(StartError::UnknownInput(unknown.clone()));
        }
        for (id, slot) in slots.iter().filter(|(_, slot)| slot.kind == SlotKind::Input) {
            let Some(json) = self.start.inputs.get(&slot.name) else {
                if slot.ty.optional || slot.default.is_some() {
                    continue;
                }
                return Err(StartError::MissingInput(slot.name.clone()));
            };
            let value =
                from_json(program, &slot.ty, json, prepared.agent(agent).locale).map_err(|error| {
                    StartError::BadInput { name: slot.name.clone(), expected: error.expected }
                })?;
            if let Some(slot) = self.slot_mut(0, id) {
                slot.value = Some(value);
            }
        }
        Ok(())
    }

    pub(crate) fn slot_mut(&mut self, scope: usize, id: SlotId) -> Option<&mut Slot> {
        self.scopes.get_mut(scope)?.slots.get_mut(id.0 as usize)
    }

    pub(crate) fn slot(&self, scope: usize, id: SlotId) -> Option<&Slot> {
        self.scopes.get(scope)?.slots.get(id.0 as usize)
    }
}

impl Scope {
    pub(crate) fn new(program: &Program, dialogue: DialogueId) -> Self {
        let slots = program.dialogue(dialogue).slots.iter().map(|_| Slot::default()).collect();
        Self { dialogue, slots }
    }
}

impl Frame {
    pub(crate) fn new(scope: usize, dialogue: DialogueId, kind: FrameKind) -> Self {
        Self {
            scope,
            dialogue,
            kind,
            node: None,
            visit: 0,
            stage: Stage::Steps,
            completed: false,
            asked: false,
            tries: 0,
            stalled: 0,
            read_back: None,
        }
    }
}

impl Call {
    /// The first thing that happens.
    pub(crate) fn begin(&mut self) {
        self.state.phase = Phase::Live;
        self.webhooks(CallEvent::Started);
        self.webhooks(CallEvent::Answered);
        self.start_limits();
        if self.screens() {
            self.after(Timer::Answered, ANSWERED_BY_MS);
        } else {
            self.state.answering.decided = true;
            if self.state.start.direction == Direction::Inbound {
                self.state.answering.who = AnsweredBy::Human;
            }
        }
        self.fill_defaults(0);
        self.run_hook(0);
        self.settle();
    }

    /// Values that names have before anything is learned. A default that needs what is not there
    /// leaves the name unset.
    pub(crate) fn fill_defaults(&mut self, scope: usize) {
        let program = self.prepared.program.clone();
        let Some(dialogue) = self.state.scopes.get(scope).map(|scope| scope.dialogue) else {
            return;
        };
        for (id, slot) in program.dialogue(dialogue).slots.iter() {
            let unset = self.state.slot(scope, id).is_some_and(|slot| slot.value.is_none());
            let Some(default) = slot.default.as_ref().filter(|_| unset) else { continue };
            if let Ok(value) = self.eval(scope, default)
                && let Some(slot) = self.state.slot_mut(scope, id)
            {
                slot.value = Some(value);
            }
        }
    }

    /// `before call` is done: the persona is written, and the conversation starts.
    pub(crate) fn hooks_done(&mut self) {
        let program = self.prepared.program.clone();
        let agent = declared(&program, self.state.agent);
        if let Some(prompt) = &agent.prompt {
            match self.template(0, prompt, Purpose::Prompt) {
                Ok(text) => self.state.persona = text.text,
                Err(failure) => return self.fail(&failure),
            }
        }
        if self.screens() && !self.state.answering.decided && self.answer_waits() {
            self.state.phase = Phase::Holding;
            self.after(Timer::Hold, HOLD_MS);
            return;
        }
        self.enter_start();
    }

    pub(crate) fn enter_start(&mut self) {
        self.state.phase = Phase::Live;
        let program = self.prepared.program.clone();
        if let Some(start) = declared(&program, self.state.agent).dialogue.start {
            self.enter(0, start);
        }
    }

    /// The call belongs to another agent from here on.
    pub(crate) fn hand_over(&mut self, agent: AgentId, inputs: Vec<(SlotId, Value)>) {
        let program = self.prepared.program.clone();
        let dialogue = DialogueId::Agent(agent);
        let mut scope = Scope::new(&program, dialogue);
        for (id, value) in inputs {
            if let Some(slot) = scope.slots.get_mut(id.0 as usize) {
                slot.value = Some(value);
            }
        }
        let state = &mut self.state;
        state.agent = agent;
        state.scopes = vec![scope];
        state.frames = vec![Frame::new(0, dialogue, FrameKind::Root)];
        state.activities.clear();
        state.completed.clear();
        state.remarks.clear();
        state.persona.clear();
        let languages = &declared(&program, agent).languages;
        if !languages.iter().any(|tag| same_language(tag, &state.language)) {
            state.language = starting_language(languages, None);
        }
        self.start_limits();
        self.fill_defaults(0);
        self.run_hook(0);
    }

    /// Whether it matters what answered.
    pub(crate) fn screens(&self) -> bool {
        let start = &self.state.start;
        start.direction == Direction::Outbound && start.channel == Channel::Phone
    }

    pub(crate) fn after(&mut self, timer: Timer, ms: i64) {
        let at = Timestamp(self.state.now.0.saturating_add(ms));
        self.state.timers.insert(timer, at);
    }
}

/// Whether two tags are of one language: `en` and `en-US`.
pub(crate) fn same_language(a: &str, b: &str) -> bool {
    let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    primary(a) == primary(b)
}

fn starting_language(languages: &[String], caller: Option<&str>) -> String {
    let known = caller.and_then(|caller| languages.iter().find(|tag| same_language(tag, caller)));
    known.or(languages.first()).cloned().unwrap_or_else(|| "en".into())
}
