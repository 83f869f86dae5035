//! Asking for a reply: the node card, and what was said.

use std::sync::Arc;

use dgh_ir::convert::Locale;
use dgh_ir::render::value_text;
use dgh_ir::{
    Decider, Kind, Program, ProviderUse, Purpose as Sink, SlotKind, ToolRef, Type, Value, mask_json, shown,
};
use serde_json::{Map, Value as Json};

use crate::call::Call;
use crate::effect::{Effect, Record};
use crate::event::ReplyId;
use crate::functions;
use crate::prepared::declared;
use crate::reply::{Card, Known, Label, Message, Model, Purpose, ReplyRequest, Shape, Wanted};
use crate::state::{Offered, Reply, Said};
use crate::tools::ROUNDS;
use crate::visible::{Found, Raised};

impl Call {
    /// Asks for a reply.
    pub(crate) fn request(&mut self, purpose: Purpose, rounds: u32, instruction: Option<String>) -> ReplyId {
        self.state.counts.replies += 1;
        let id = ReplyId(self.state.counts.replies);
        let prepared = Arc::clone(&self.prepared);
        let program = &prepared.program;
        let (card, offered) = self.card(program, purpose, rounds, instruction);
        self.state.untold = false;
        let alone = self.node(program).is_some_and(|node| node.alone);
        let may_call = offered.notes
            || offered.confirm
            || offered.unclear
            || !offered.labels.is_empty()
            || !offered.tools.is_empty();
        let (models, judge) = self.models(program);
        let judged = purpose == Purpose::Turn;
        let request = ReplyRequest {
            id,
            purpose,
            persona: self.persona_here(program, alone),
            history: self.messages(),
            card,
            functions: Arc::clone(&prepared.agent(self.state.agent).functions),
            may_call,
            models,
            judge: if judged { judge } else { Vec::new() },
        };
        self.state.reply = Some(Reply {
            id,
            purpose,
            rounds,
            offered,
            go: None,
            notes: Vec::new(),
            confirm: None,
            unclear: false,
            tools: Vec::new(),
            spoke: false,
            muted: false,
            withheld: Vec::new(),
        });
        self.emit(Effect::StartReply(Box::new(request)));
        id
    }

    /// The labels that may be chosen now, the innermost of each name.
    pub(crate) fn labels(&self) -> Vec<(Label, Found)> {
        let mut labels: Vec<(Label, Found)> = Vec::new();
        for found in self.visible() {
            let Some(Decider::When(when)) = self.route(found).map(|route| &route.decider) else {
                continue;
            };
            let scope = self.state.frames.get(found.frame).map_or(0, |frame| frame.scope);
            let guarded = when.guard.as_ref();
            let holds = guarded.is_none_or(|guard| self.holds(scope, guard).unwrap_or(false));
            if !holds || labels.iter().any(|(label, _)| label.name == when.label) {
                continue;
            }
            let sentence = self.template(scope, &when.sentence, Sink::Prompt);
            labels.push((
                Label {
                    name: when.label.clone(),
                    sentence: sentence.map(|s| s.text).unwrap_or_default(),
                    like: when.like.clone(),
                    unlike: when.unlike.clone(),
                },
                found,
            ));
        }
        labels
    }

    /// Whether a model may note anything in the current node.
    pub(crate) fn anything_to_note(&self) -> bool {
        let program = &self.prepared.program;
        self.prepared.noteable(self.dialogue()).iter().any(|n| self.may_note(program, n))
    }

    /// A value as the caller hears or reads it. A record is its fields, but for those that only a
    /// machine reads.
    pub(crate) fn said(&self, program: &Program, ty: &Type, value: &Value) -> String {
        let text = value_text(value, &ty.kind, self.sounding(), &self.state.language, Some(self.local_now()));
        match (text, &ty.kind, value) {
            (Ok(text), Kind::Enum(_), _) => text.replace('_', " "),
            (Ok(text), ..) => text,
            (Err(_), Kind::Record(id), Value::Record(values)) => {
                let fields = program.records.get(*id).map_or(&[][..], |def| &def.fields);
                let is_key = |name: &str| name == "id" || name.ends_with("_id");
                let spoken = fields.iter().filter(|field| !field.ty.private && !is_key(&field.name));
                let spoken: Vec<_> = spoken
                    .filter_map(|field| {
                        let value = values.get(&field.name).filter(|v| **v != Value::None)?;
                        Some(self.said(program, &field.ty, value))
                    })
                    .collect();
                spoken.join(", ")
            }
            (Err(_), Kind::List(item), Value::List(values)) => {
                let items: Vec<_> = values.iter().map(|v| self.said(program, item, v)).collect();
                items.join("; ")
            }
            (Err(_), ..) => String::new(),
        }
    }

    fn card(
        &mut self,
        program: &Program,
        purpose: Purpose,
        rounds: u32,
        instruction: Option<String>,
    ) -> (Card, Offered) {
        let scope = self.scope();
        let node = self.node(program);
        let answers = matches!(purpose, Purpose::Turn | Purpose::AfterTools) && self.state.turn.is_some();
        let learns = answers || matches!(purpose, Purpose::Opening | Purpose::Extract | Purpose::AfterTools);
        let labels = if answers { self.labels() } else { Vec::new() };
        // Whoever asks again has to know for what, even where nothing may be noted.
        let asks = learns || purpose == Purpose::Resume;
        let wanted = if asks { self.wanted(program) } else { Vec::new() };
        let tools = if learns && purpose != Purpose::Extract && rounds < ROUNDS {
            self.tools_here(program)
        } else {
            Vec::new()
        };
        let read_back = self.top().and_then(|frame| frame.read_back.as_ref());
        let read_back = read_back.filter(|_| answers || purpose == Purpose::Extract);
        let read_back = read_back.map(|read_back| read_back.masked.clone());
        // The first turn of three that end the call is unclear too.
        let may_unclear = answers && self.handler(&Raised::Unclear(u32::MAX)).is_some();
        let prompt = node.and_then(|node| node.prompt.as_ref());
        let prompt = match prompt.map(|prompt| self.template(scope, prompt, Sink::Prompt)) {
            Some(Ok(prompt)) => Some(prompt.text),
            Some(Err(failure)) => {
                self.record(Record::Raised { event: format!("error: prompt: {}", failure.0) });
                None
            }
            None => None,
        };
        let offered = Offered {
            labels: labels
                .iter()
                .map(|(label, found)| (label.name.clone(), found.frame, found.dialogue, found.route))
                .collect(),
            notes: learns && !wanted.is_empty(),
            confirm: read_back.is_some(),
            unclear: may_unclear,
            tools: tools.clone(),
        };
        let card = Card {
            node: node.map(|node| node.name.clone()).unwrap_or_default(),
            prompt,
            instruction,
            known: self.known(program),
            wanted,
            labels: labels.into_iter().map(|(label, _)| label).collect(),
            read_back,
            tools,
            may_unclear,
            remarks: std::mem::take(&mut self.state.remarks),
            now: self.local_now(),
            language: self.state.language.clone(),
        };
        (card, offered)
    }

    fn known(&self, program: &Program) -> Vec<Known> {
        let Some(scope) = self.state.scopes.get(self.scope()) else { return Vec::new() };
        let slots = program.dialogue(scope.dialogue).slots.iter();
        slots
            .zip(&scope.slots)
            .filter(|((_, declared), _)| declared.kind != SlotKind::Binding)
            .filter_map(|((_, declared), slot)| {
                let value = slot.value.as_ref()?;
                let value = match value {
                    Value::None if declared.kind == SlotKind::Input => return None,
                    Value::None => functions::DECLINED.into(),
                    value => shown(program, &declared.ty, &declared.name, value),
                };
                Some(Known { name: declared.name.clone(), about: declared.about.clone(), value })
            })
            .collect()
    }

    pub(crate) fn wanted(&self, program: &Program) -> Vec<Wanted> {
        let scope = self.scope();
        let slots = &program.dialogue(self.dialogue()).slots;
        let collect = self.node(program).and_then(|node| node.collect.as_ref());
        let mut wanted: Vec<Wanted> = Vec::new();
        for noteable in self.prepared.noteable(self.dialogue()) {
            let Some(declared) = slots.get(noteable.slot) else { continue };
            if !self.may_note(program, noteable) {
                continue;
            }
            let own = collect.filter(|collect| collect.slots.contains(&noteable.slot));
            let known = self.state.slot(scope, noteable.slot);
            let open = known.is_none_or(|known| known.value.is_none() || known.disputed);
            let ask = own.and_then(|collect| collect.ask.as_ref());
            let shape = match self.list_of(program, noteable.slot) {
                Some(list) => Shape::Choice { options: self.choices(program, list) },
                None => shape(program, &declared.ty.kind),
            };
            wanted.push(Wanted {
                name: declared.name.clone(),
                about: declared.about.clone(),
                shape,
                missing: own.is_some() && open,
                optional: declared.ty.optional,
                ask: ask.and_then(|ask| self.words(scope, ask).ok()).map(|words| words.masked),
            });
        }
        // What the node asks for stands first, in the order in which it asks.
        wanted.sort_by_key(|wanted| !wanted.missing);
        wanted
    }

    fn choices(&self, program: &Program, list: &dgh_ir::Expr) -> Vec<String> {
        let Kind::List(item) = &list.ty.kind else { return Vec::new() };
        let options = self.options(list).unwrap_or_default();
        let text = |value: &Value| {
            let exact = value_text(value, &item.kind, Sink::Prompt, &self.state.language, None);
            exact.unwrap_or_else(|_| mask_json(program, item, "private", &dgh_ir::to_json(value)).to_string())
        };
        options.iter().map(text).collect()
    }

    /// The persona, and below it the knowledge of the node that is given as a whole: it is the same
    /// in every request of the node, so that the provider's cache of the prompt holds.
    fn persona_here(&self, program: &Program, alone: bool) -> String {
        let mut persona = if alone { String::new() } else { self.state.persona.clone() };
        for used in self.node(program).map_or(&[][..], |node| &node.uses) {
            let Some(text) = self.whole(program, used) else { continue };
            if !persona.is_empty() {
                persona.push_str("\n\n");
            }
            persona.push_str("What you know. Answer questions about it from these words alone:\n\n");
            persona.push_str(text);
        }
        persona
    }

    /// The text of knowledge that is given as a whole.
    fn whole(&self, program: &Program, used: &ToolRef) -> Option<&str> {
        let ToolRef::Knowledge(id) = used else { return None };
        self.state.start.knowledge.get(&program.knowledge_key(*id)?).map(AsRef::as_ref)
    }

    fn tools_here(&self, program: &Program) -> Vec<String> {
        let uses = self.node(program).map_or(&[][..], |node| &node.uses);
        // What stands in the request is not looked up.
        let uses = uses.iter().filter(|used| self.whole(program, used).is_none());
        let here: Vec<_> = uses.flat_map(|tool| functions::spelled_out(program, tool)).collect();
        let named = &self.prepared.agent(self.state.agent).tools;
        named.iter().filter(|(_, tool)| here.contains(tool)).map(|(name, _)| name.clone()).collect()
    }

    /// The history as heard, what is still sounding taken for heard; words of one side in a row
    /// are one message.
    fn messages(&self) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::with_capacity(self.state.history.len());
        for said in &self.state.history {
            match (said, messages.last_mut()) {
                (Said::Agent(_, text), Some(Message::Agent(before))) => {
                    before.push(' ');
                    before.push_str(text);
                }
                (Said::Agent(_, text), _) => messages.push(Message::Agent(text.clone())),
                (Said::Caller(text), Some(Message::Caller(before))) => {
                    before.push(' ');
                    before.push_str(text);
                }
                (Said::Caller(text), _) => messages.push(Message::Caller(text.clone())),
                (Said::Tools(exchanges), _) => messages.push(Message::Tools(exchanges.clone())),
            }
        }
        messages
    }

    /// The models of the node, else of the agent, else those that the call was started with.
    fn models(&self, program: &Program) -> (Vec<Model>, Vec<Model>) {
        let agent = &declared(program, self.state.agent).models;
        let node = self.node(program).map(|node| &node.models);
        let pick = |of: fn(&dgh_ir::Models) -> &Vec<ProviderUse>, default: &[Model]| {
            let own = node.map(of).filter(|own| !own.is_empty()).unwrap_or_else(|| of(agent));
            if own.is_empty() {
                return default.to_vec();
            }
            own.iter().filter_map(|used| self.model(program, used)).collect::<Vec<_>>()
        };
        let start = &self.state.start;
        (pick(|models| &models.llm, &start.models), pick(|models| &models.judge, &start.judge))
    }

    pub(crate) fn model(&self, program: &Program, used: &ProviderUse) -> Option<Model> {
        let provider = program.providers.get(used.provider)?;
        let mut settings = Map::new();
        for (name, value) in &provider.settings {
            settings.insert(name.clone(), dgh_ir::to_json(value));
        }
        let mut key = settings.get("key").and_then(Json::as_str).map(str::to_owned);
        let root = self.base(0);
        for param in &provider.params {
            if let Some(value) = param.default.as_ref().and_then(|value| self.eval(root, value).ok()) {
                settings.insert(param.name.clone(), dgh_ir::to_json(&value));
            }
        }
        for (name, value) in &used.args {
            match &value.kind {
                // Secrets are resolved where the request is sent.
                dgh_ir::ExprKind::Secret(secret) if name == "key" => key = Some(secret.clone()),
                _ => {
                    if let Ok(value) = self.eval(root, value) {
                        settings.insert(name.clone(), dgh_ir::to_json(&value));
                    }
                }
            }
        }
        let protocol = settings.get("protocol").and_then(Json::as_str).unwrap_or_default().to_owned();
        Some(Model { provider: provider.name.clone(), protocol, settings, key })
    }

    /// Zone and country of the agent.
    pub(crate) fn locale(&self) -> Locale {
        self.prepared.agent(self.state.agent).locale
    }
}

/// What values of a kind look like, for a model that does not read JSON Schema.
fn shape(program: &Program, kind: &Kind) -> Shape {
    match kind {
        Kind::Bool => Shape::Bool,
        Kind::Int => Shape::Int { min: None, max: None },
        Kind::IntRange(min, max) => Shape::Int { min: Some(*min), max: Some(*max) },
        Kind::Number => Shape::Number,
        Kind::Money(currency) => Shape::Money { currency: currency.map(|c| c.code().to_owned()) },
        Kind::Date => Shape::Date,
        Kind::Time => Shape::Time,
        Kind::DateTime => Shape::DateTime,
        Kind::Duration => Shape::Duration,
        Kind::Phone => Shape::Phone,
        Kind::Email => Shape::Email,
        Kind::Url => Shape::Url,
        Kind::Digits(count) => Shape::Digits { count: *count },
        Kind::Enum(id) => {
            Shape::Enum { cases: program.enums.get(*id).map(|def| def.cases.clone()).unwrap_or_default() }
        }
        Kind::List(item) => Shape::List { of: Box::new(shape(program, &item.kind)) },
        Kind::Record(id) => Shape::Record {
            fields: program
                .records
                .get(*id)
                .map(|def| {
                    let field =
                        |f: &dgh_ir::FieldDef| (f.name.clone(), shape(program, &f.ty.kind), f.ty.optional);
                    def.fields.iter().map(field).collect()
                })
                .unwrap_or_default(),
        },
        Kind::Text | Kind::Range(_) | Kind::Secret | Kind::Json | Kind::Nothing | Kind::Hole => Shape::Text,
    }
}
