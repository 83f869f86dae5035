//! `node`.

use dgh_diag::{Code, Diagnostic};
use dgh_ir::Arena;
use dgh_ir::program::{Models, Node, NodeId, Route, RouteId, Settings, SlotId, SlotKind};
use dgh_syntax::ast::{self, AstNode as _, NodeItem};

use super::agent::AGENT_SETTINGS;
use super::body::Body;
use super::models::MODELS;
use super::{Cx, Lower};

impl Lower<'_> {
    pub(crate) fn node(
        &mut self,
        file: usize,
        body: &Body,
        id: NodeId,
        item: &ast::Node,
        routes: &mut Arena<RouteId, Route>,
    ) -> Node {
        let cx = Cx::body(file, body);
        let name = item.name();
        let span = name.as_ref().map_or_else(|| item.span(), ast::AstNode::span);
        let origin = self.origin_of(file, span, item);
        let mut node = Node {
            name: name.map(|n| n.text()).unwrap_or_default(),
            prompt: None,
            alone: false,
            steps: Vec::new(),
            collect: None,
            note: Vec::new(),
            uses: Vec::new(),
            routes: Vec::new(),
            models: Models::default(),
            turn: Settings::new(),
            origin,
        };
        let mut prompt: Option<ast::Prompt> = None;
        let mut collect: Option<ast::Collect> = None;
        let mut settings: Vec<ast::Setting> = Vec::new();
        for item in item.items() {
            match item {
                NodeItem::Prompt(item) => {
                    if let Some(first) = &prompt {
                        self.second(
                            file,
                            &item,
                            first,
                            "a node has one `prompt`, and this is the second",
                            "Put both texts into one.",
                        );
                        continue;
                    }
                    node.alone = item.is_alone();
                    node.prompt =
                        item.text().map(|text| self.text_template(&cx.with_json(), &text, "`prompt`"));
                    prompt = Some(item);
                }
                NodeItem::Collect(item) => {
                    if let Some(first) = &collect {
                        self.second(
                            file,
                            &item,
                            first,
                            "a node has one `collect`, and this is the second",
                            "Put all names into one: `collect a, b`. Or use two nodes.",
                        );
                        continue;
                    }
                    node.collect = Some(self.collect(&cx, body, &item));
                    collect = Some(item);
                }
                NodeItem::Note(item) => {
                    for name in item.names() {
                        if let Some(slot) = self.learned(&cx, body, &name, "note")
                            && !node.note.contains(&slot)
                        {
                            node.note.push(slot);
                        }
                    }
                }
                NodeItem::Use(item) => {
                    for path in item.paths() {
                        let segments: Vec<ast::NameRef> = path.segments().collect();
                        let used = self.tool_ref(&cx, &segments);
                        if !node.uses.contains(&used) {
                            node.uses.push(used);
                        }
                    }
                }
                NodeItem::Group(item) => node.turn = self.node_group(file, body, &item),
                NodeItem::Setting(item) => settings.push(item),
                NodeItem::Step(item) => {
                    let step = self.step(&cx, body, &item);
                    node.steps.push(step);
                }
                NodeItem::Route(item) => {
                    let route = self.route(&cx, body, Some(id), &item);
                    node.routes.push(routes.push(route));
                }
            }
        }
        self.node_settings(file, body, settings, &mut node.models);
        node
    }

    fn second(
        &mut self,
        file: usize,
        second: &impl ast::AstNode,
        first: &impl ast::AstNode,
        message: &str,
        hint: &str,
    ) {
        let place = self.place(file, second.span());
        let related = self.place(file, first.span());
        let finding = Diagnostic::new(Code::Conflict, place, message)
            .with_related(related, "the first one")
            .with_hint(hint);
        self.report.push(finding);
    }

    fn node_settings(&mut self, file: usize, body: &Body, settings: Vec<ast::Setting>, models: &mut Models) {
        let cx = Cx::new(file, super::Names::Setting(body));
        for setting in self.each_once(file, settings) {
            if matches!(setting.name.as_str(), "llm" | "tts") {
                self.model_setting(&cx, &setting, models);
                continue;
            }
            let of_agent = AGENT_SETTINGS.contains(&setting.name.as_str())
                || MODELS.iter().any(|(m, _)| *m == setting.name);
            if of_agent {
                self.error_hint(
                    Code::Misplaced,
                    setting.place,
                    format!("`{}` belongs to the agent, not to a node", setting.name),
                    "Only `llm`, `tts` and `turn` can differ from node to node.",
                );
                continue;
            }
            if matches!(setting.name.as_str(), "confirm" | "tries" | "by" | "until" | "ask") {
                self.error_hint(
                    Code::Misplaced,
                    setting.place,
                    format!("`{}` belongs to a `collect`", setting.name),
                    format!("Put it into its braces: `collect x {{ {}: … }}`.", setting.name),
                );
                continue;
            }
            self.unknown_setting(&setting, "a node", &["llm", "tts"]);
        }
    }

    fn node_group(&mut self, file: usize, body: &Body, item: &ast::Group) -> Settings {
        let word = item.kind();
        let place = self.place(file, item.word().map_or_else(|| item.span(), |t| ast::token_span(&t)));
        if word != "turn" {
            self.error_hint(
                Code::Misplaced,
                place,
                format!("`{word}` belongs to the agent, not to a node"),
                "Only `llm`, `tts` and `turn` can differ from node to node.",
            );
            return Settings::new();
        }
        let settings = self.settings(file, item.config());
        let cx = Cx::new(file, super::Names::Setting(body));
        self.group(&cx, &word, place, &settings, item.has_errors())
    }

    /// A variable that is learned: of `collect` and `note`.
    pub(crate) fn learned(
        &mut self,
        cx: &Cx<'_>,
        body: &Body,
        name: &ast::NameRef,
        word: &str,
    ) -> Option<SlotId> {
        let text = name.text();
        let place = self.at(cx, name);
        match body.slot(&text) {
            Some((id, slot)) if slot.kind == SlotKind::Var => Some(id),
            Some((_, slot)) => {
                let what = if slot.kind == SlotKind::Input {
                    "is given when the call starts"
                } else {
                    "is the answer of a tool or flow"
                };
                self.error_hint(
                    Code::NotAssignable,
                    place,
                    format!("`{text}` {what}, so it cannot be asked for"),
                    format!("`{word}` fills variables: declare `var {text}: …`."),
                );
                None
            }
            None => {
                self.unknown_var(cx, body, &text, place);
                None
            }
        }
    }

    /// Reports a name that is no variable.
    pub(crate) fn unknown_var(&mut self, cx: &Cx<'_>, body: &Body, name: &str, place: dgh_diag::Place) {
        if self.is_lost(cx.file, name) {
            return;
        }
        let known = body.slot_names(|k| k == SlotKind::Var);
        let finding =
            self.unknown(Code::UnknownName, place, format!("there is no variable `{name}`"), name, &known);
        let finding = if finding.fixes.is_empty() {
            finding.with_hint(format!("Declare it: `var {name}: text \"What it is\"`."))
        } else {
            finding
        };
        self.report.push(finding);
    }
}
