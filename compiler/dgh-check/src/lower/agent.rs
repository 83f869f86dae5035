//! `agent`.

use std::collections::HashMap;

use dgh_diag::{Code, Diagnostic, Place};
use dgh_ir::program::{AgentId, Channel, DialogueId, EnumDef, Models, Named as NamedPlace, SlotKind};
use dgh_syntax::ast::{self, AstNode as _};

use super::body::Body;
use super::member::{Declaration, Members, is_torn};
use super::models::MODELS;
use super::settings::Setting;
use super::{Cx, Lower, Names};
use crate::names::{Named, empty_knowledge, whole_span};
use crate::report::{Item, ItemKind};
use crate::types::literal;

/// The settings of an agent that name no models.
pub(crate) const AGENT_SETTINGS: &[&str] =
    &["language", "languages", "time_zone", "channels", "words", "tags"];

impl Lower<'_> {
    /// Inputs, which a hand-over needs, and outcomes.
    pub(crate) fn agent_signature(&mut self, file: usize, item: &ast::Agent, id: AgentId) {
        let mut body = Body::new(DialogueId::Agent(id));
        for input in item.inputs() {
            let declared = Declaration {
                name: input.name(),
                ty: input.ty(),
                default: input.default_value(),
                about: input.about(),
                whole: whole_span(input.syntax()),
            };
            self.declare_slot(file, &mut body, SlotKind::Input, declared);
        }
        self.program.agents[id].dialogue.slots = body.slots.clone();
        if is_torn(item) {
            self.damaged.insert(Named::Agent(id));
        }
        let vars: Vec<ast::Var> = item.vars().collect();
        self.declare_vars(file, &mut body, &vars);
        self.outcomes(file, item, id, &mut body);
        self.bodies.insert(DialogueId::Agent(id), body);
    }

    fn outcomes(&mut self, file: usize, item: &ast::Agent, id: AgentId, body: &mut Body) {
        let mut seen: HashMap<String, Place> = HashMap::new();
        let mut cases = Vec::new();
        for name in item.outcomes().flat_map(|o| o.names()) {
            let place = self.place(file, name.span());
            let text = name.text();
            if let Some(first) = seen.get(&text) {
                let first = *first;
                self.duplicate(place, first, &format!("the outcome `{text}`"));
                continue;
            }
            seen.insert(text.clone(), place);
            let origin = self.report.origin(place);
            let outcome = self.program.agents[id].outcomes.push(NamedPlace { name: text.clone(), origin });
            body.outcomes.insert(text.clone(), outcome);
            cases.push(text);
        }
        let name = format!("{}.outcome", self.program.agents[id].name);
        let origin = self.program.agents[id].origin;
        let outcome_enum = self.program.enums.push(EnumDef { name, cases, origin });
        self.program.agents[id].outcome_enum = outcome_enum;
        body.outcome_enum = Some(outcome_enum);
    }

    pub(crate) fn agent(&mut self, file: usize, item: &ast::Agent, id: AgentId) {
        let Some(mut body) = self.bodies.remove(&DialogueId::Agent(id)) else { return };
        let members = Members::of(item.members());
        for knowledge in &members.knowledge {
            self.local_knowledge(file, &mut body, knowledge);
        }
        let webhooks = self.declare_webhooks(file, &mut body, &members.webhooks);
        self.agent_settings(file, &body, &members, id);
        self.agent_groups(file, &body, &members, id);
        let owner = self.place(file, item.name().map_or_else(|| item.span(), |n| n.span()));
        let damaged = members.starts.is_empty() && item.has_errors();
        let dialogue = self.dialogue(file, &mut body, &members, owner, damaged);
        self.program.agents[id].dialogue = dialogue;
        let cx = Cx::body(file, &body);
        self.persona(&cx, &members, id);
        let before_call = self.before_call(file, &body, &members.before_calls);
        self.program.agents[id].before_call = before_call;
        let webhooks = self.webhooks(file, &body, &webhooks);
        self.program.agents[id].webhooks = webhooks;
        let reviews = self.reviews(file, &body, &members.reviews);
        self.program.agents[id].reviews = reviews;
        let policies = members.policies.iter().flat_map(|p| self.policy(&cx, &body, p)).collect();
        self.program.agents[id].policies = policies;
        self.moved(file, &body, &members, id);
        self.channels(&members, id);
        self.bodies.insert(DialogueId::Agent(id), body);
    }

    fn persona(&mut self, cx: &Cx<'_>, members: &Members, id: AgentId) {
        let Some(prompt) = members.prompts.first() else { return };
        if let Some(second) = members.prompts.get(1) {
            let (place, first) = (self.at(cx, second), self.at(cx, prompt));
            let finding =
                Diagnostic::new(Code::Conflict, place, "an agent has one `prompt`, and this is the second")
                    .with_related(first, "the first one")
                    .with_hint("Put both texts into one.");
            self.report.push(finding);
        }
        if let Some(alone) = prompt.alone() {
            let place = self.place(cx.file, ast::token_span(&alone));
            self.error_hint(
                Code::Misplaced,
                place,
                "`alone` belongs to the prompt of a node",
                "There it leaves out the persona, which is this prompt.",
            );
        }
        if let Some(text) = prompt.text() {
            self.program.agents[id].prompt = Some(self.text_template(&cx.with_json(), &text, "`prompt`"));
        }
    }

    fn agent_settings(&mut self, file: usize, body: &Body, members: &Members, id: AgentId) {
        let cx = Cx::new(file, Names::Setting(body));
        let settings = self.each_once(file, members.settings.clone());
        let mut models = Models::default();
        for setting in &settings {
            if self.model_setting(&cx, setting, &mut models) {
                continue;
            }
            match setting.name.as_str() {
                "language" => {
                    if let Some(tag) = self.fixed_text(file, setting) {
                        self.languages(id, vec![(tag, setting.value_place)]);
                    }
                }
                "languages" => {
                    if let Some(tags) = self.fixed_texts(file, setting) {
                        self.languages(id, tags);
                    }
                }
                "time_zone" => self.time_zone(file, setting, id),
                "words" => self.program.agents[id].words = self.strings(file, setting),
                "tags" => self.program.agents[id].tags = self.strings(file, setting),
                "channels" => self.channel_list(file, setting, id),
                _ => self.unknown_agent_setting(setting),
            }
        }
        self.conflicts(&settings);
        let find = |name: &str| settings.iter().any(|s| s.name == name);
        let defaults = self.input.config.defaults.clone();
        if !find("language")
            && !find("languages")
            && let Some(tag) = defaults.language
            && literal::is_language_tag(&tag)
        {
            self.program.agents[id].languages = vec![tag];
        }
        if !find("time_zone")
            && let Some(zone) = defaults.time_zone
            && literal::is_time_zone(&zone)
        {
            self.program.agents[id].time_zone = zone;
        }
        // A model that did not resolve was reported; the default is not what its author wants.
        self.default_models_unless(&settings, &mut models);
        self.program.agents[id].models = models;
    }

    fn default_models_unless(&mut self, settings: &[Setting], models: &mut Models) {
        let written = |name: &str| settings.iter().any(|s| s.name == name);
        let own = models.clone();
        self.default_models(models);
        let realtime = written("realtime");
        if written("llm") || realtime {
            models.llm = own.llm;
        }
        if written("stt") || realtime {
            models.stt = own.stt;
        }
        if written("tts") {
            models.tts = own.tts;
        }
        if written("judge") {
            models.judge = own.judge;
        }
        if realtime || written("llm") || written("stt") {
            models.realtime = own.realtime;
        }
    }

    fn unknown_agent_setting(&mut self, setting: &Setting) {
        let known: Vec<&str> = MODELS.iter().map(|(m, _)| *m).chain(AGENT_SETTINGS.iter().copied()).collect();
        let groups = self.library.group_names();
        for group in &groups {
            let of_group =
                self.library.group(group).is_some_and(|f| f.iter().any(|f| f.name == setting.name));
            if of_group && group != "review" {
                self.error_hint(
                    Code::Misplaced,
                    setting.place,
                    format!("`{}` belongs to the group `{group}`", setting.name),
                    format!("Write `{group} {{ {}: … }}`.", setting.name),
                );
                return;
            }
        }
        let hint = match setting.name.as_str() {
            "model" => Some("Language models are named by their provider: `llm: openai(\"gpt-4.1-mini\")`."),
            "voice" => Some(
                "A voice is a parameter of its provider: `tts: elevenlabs(\"flash-2.5\", voice: \"adam\")`.",
            ),
            "name" => Some("The name of an agent is the word behind `agent`."),
            "prompt" | "system" | "instructions" | "persona" => {
                Some("The persona has no colon: `prompt \"You are …\"`.")
            }
            "start" => Some("The start has no colon: `start hello`."),
            "greeting" | "first_message" => Some("The first words stand in the first node: `ask \"…\"`."),
            "timezone" | "tz" => Some("Did you mean `time_zone`?"),
            _ => None,
        };
        if let Some(hint) = hint {
            self.error_hint(
                Code::UnknownSetting,
                setting.place,
                format!("an agent has no setting `{}`", setting.name),
                hint,
            );
        } else {
            self.unknown_setting(setting, "an agent", &known);
        }
    }

    fn conflicts(&mut self, settings: &[Setting]) {
        let find = |name: &str| settings.iter().find(|s| s.name == name);
        let pairs = [
            (
                "language",
                "languages",
                "an agent has `language` or `languages`, and this has both",
                "Keep `languages`; its first one is the one that the call starts in.",
            ),
            (
                "realtime",
                "llm",
                "a speech-to-speech model needs no `llm` beside it",
                "Remove one of the two. A `tts` may stand beside `realtime`, for exact words.",
            ),
            (
                "realtime",
                "stt",
                "a speech-to-speech model needs no `stt` beside it",
                "Remove one of the two. A `tts` may stand beside `realtime`, for exact words.",
            ),
            (
                "realtime",
                "judge",
                "a speech-to-speech model decides by itself, without a `judge`",
                "Remove one of the two.",
            ),
        ];
        for (first, second, message, hint) in pairs {
            if let (Some(first), Some(second)) = (find(first), find(second)) {
                let finding = Diagnostic::new(Code::Conflict, second.place, message)
                    .with_related(first.place, "the other one")
                    .with_hint(hint);
                self.report.push(finding);
            }
        }
    }

    fn languages(&mut self, id: AgentId, tags: Vec<(String, Place)>) {
        let mut found: Vec<String> = Vec::new();
        for (tag, place) in tags {
            if !literal::is_language_tag(&tag) {
                self.bad_language(&tag, Self::inside(place));
            } else if found.contains(&tag) {
                self.error_hint(
                    Code::Duplicate,
                    place,
                    format!("`{tag}` stands twice"),
                    "Remove one of the two.",
                );
            } else {
                found.push(tag);
            }
        }
        if !found.is_empty() {
            self.program.agents[id].languages = found;
        }
    }

    fn time_zone(&mut self, file: usize, setting: &Setting, id: AgentId) {
        let Some(zone) = self.fixed_text(file, setting) else { return };
        if literal::is_time_zone(&zone) {
            self.program.agents[id].time_zone = zone;
            return;
        }
        let known: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|z| z.name()).collect();
        let city =
            |z: &&&str| z.rsplit('/').next().is_some_and(|c| c.eq_ignore_ascii_case(&zone.replace(' ', "_")));
        let place = Self::inside(setting.value_place);
        let message = format!("there is no time zone `{zone}`");
        let finding = match known.iter().find(city) {
            Some(meant) => self.unknown(Code::BadFormat, place, message, meant, &[meant]),
            None => self.unknown(Code::BadFormat, place, message, &zone, &known),
        };
        let finding = if finding.hint.is_none() {
            finding.with_hint("Time zones are named by continent and city: `Europe/Berlin`.")
        } else {
            finding
        };
        self.report.push(finding);
    }

    fn strings(&mut self, file: usize, setting: &Setting) -> Vec<String> {
        self.fixed_texts(file, setting).unwrap_or_default().into_iter().map(|(t, _)| t).collect()
    }

    fn channel_list(&mut self, file: usize, setting: &Setting, id: AgentId) {
        let words: Vec<&str> = Channel::ALL.iter().map(|c| c.name()).collect();
        let elements: Vec<ast::Expr> = match &setting.value {
            ast::Expr::List(list) => list.elements().collect(),
            one => vec![one.clone()],
        };
        if elements.is_empty() {
            self.error_hint(
                Code::OutOfRange,
                setting.value_place,
                "an agent without a channel can be reached by nobody",
                "Name some of `phone`, `web` and `chat`, or leave the line out.",
            );
        }
        let mut found = Vec::new();
        for element in elements {
            let place = self.place(file, element.span());
            let one = Setting {
                name: setting.name.clone(),
                place: setting.place,
                value: element,
                value_place: place,
            };
            if let Some(channel) = self.word(file, &one, &words).and_then(|w| Channel::parse(&w))
                && !found.contains(&channel)
            {
                found.push(channel);
            }
        }
        self.program.agents[id].channels = found;
    }

    /// Where the agent can be reached, when it does not say.
    fn channels(&mut self, members: &Members, id: AgentId) {
        let agent = &mut self.program.agents[id];
        if !agent.channels.is_empty() {
            return;
        }
        let by_phone = members.groups.iter().any(|g| matches!(g.kind().as_str(), "inbound" | "outbound"));
        agent.channels = if by_phone { vec![Channel::Phone] } else { vec![Channel::Web, Channel::Chat] };
    }

    fn agent_groups(&mut self, file: usize, body: &Body, members: &Members, id: AgentId) {
        let cx = Cx::new(file, Names::Setting(body));
        let mut seen: HashMap<String, Place> = HashMap::new();
        for item in &members.groups {
            let word = item.kind();
            let place = self.place(file, item.word().map_or_else(|| item.span(), |t| ast::token_span(&t)));
            if let Some(first) = seen.get(&word) {
                let first = *first;
                self.duplicate(place, first, &format!("`{word}`"));
                continue;
            }
            seen.insert(word.clone(), place);
            let settings = self.settings(file, item.config());
            let group = self.group(&cx, &word, place, &settings, item.has_errors());
            self.program.agents[id].groups.insert(word, group);
        }
    }

    fn moved(&mut self, file: usize, body: &Body, members: &Members, id: AgentId) {
        for item in &members.moved {
            let (Some(old), Some(new)) = (item.old(), item.new_name()) else { continue };
            let text = old.text();
            if let Some((_, first)) = body.nodes.get(&text) {
                let place = self.place(file, old.span());
                let finding = Diagnostic::new(
                    Code::Conflict,
                    place,
                    format!("`{text}` has not moved: there is still a node of this name"),
                )
                .with_related(*first, "the node")
                .with_hint("`moved old -> new` says that a node of a former release has a new name.");
                self.report.push(finding);
                continue;
            }
            // A later `moved` may rename the same node again.
            let renamed_again = members.moved.iter().any(|m| m.old().is_some_and(|o| o.text() == new.text()));
            if renamed_again || self.node_name(file, body, &new).is_some() {
                self.program.agents[id].moved.push((text, new.text()));
            }
        }
    }

    /// `knowledge` inside of an agent or flow.
    pub(crate) fn local_knowledge(&mut self, file: usize, body: &mut Body, item: &ast::Knowledge) {
        let Some(name) = item.name() else { return };
        let place = self.place(file, name.span());
        let text = name.text();
        if let Some((first, _)) = body.knowledge.get(&text) {
            let first = self.report.place(self.program.knowledge[*first].origin);
            self.duplicate(place, first, &format!("the knowledge `{text}`"));
            return;
        }
        let origin = self.origin_of(file, name.span(), item);
        let id = self.program.knowledge.push(empty_knowledge(text.clone(), origin));
        let whole = self.place(file, whole_span(item.syntax()));
        let leftover = self.local_items.len();
        self.local_items.push(Item {
            kind: ItemKind::Knowledge,
            name: text.clone(),
            place,
            whole,
            used: false,
        });
        body.knowledge.insert(text, (id, leftover));
        self.knowledge(file, item, id);
    }
}
