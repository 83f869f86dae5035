//! Steps.

use dgh_diag::{Code, Diagnostic, Place, Span};
use dgh_ir::program::{Param, RING_MS, SlotId, SlotKind, Step, StepKind, ToolRef, TransferMode};
use dgh_ir::{Expr, ExprKind, Kind, Template, Type};
use dgh_syntax::ast::{self, AstNode as _};

use super::body::Body;
use super::{Cx, Lower};
use crate::names::Named;
use crate::types::{Mismatch, assign, describe, type_name};

impl Lower<'_> {
    pub(crate) fn steps(&mut self, cx: &Cx<'_>, body: &Body, block: Option<ast::Block>) -> Vec<Step> {
        let steps: Vec<ast::Step> = block.into_iter().flat_map(|b| b.steps()).collect();
        steps.iter().map(|s| self.step(cx, body, s)).collect()
    }

    pub(crate) fn step(&mut self, cx: &Cx<'_>, body: &Body, step: &ast::Step) -> Step {
        let origin = self.origin_of(cx.file, step_span(step), step);
        let kind = self.step_kind(cx, body, step).unwrap_or(StepKind::Hole);
        Step { kind, origin }
    }

    /// None where a part is missing, which the parser reported, or did not resolve.
    fn step_kind(&mut self, cx: &Cx<'_>, body: &Body, step: &ast::Step) -> Option<StepKind> {
        Some(match step {
            ast::Step::Say(say) => StepKind::Say {
                text: self.text(cx, &say.text()?, "`say`"),
                uninterrupted: say.uninterrupted().is_some(),
            },
            ast::Step::Ask(ask) => StepKind::Ask {
                text: self.text(cx, &ask.text()?, "`ask`"),
                uninterrupted: ask.uninterrupted().is_some(),
            },
            ast::Step::Tell(tell) => StepKind::Tell(self.text_template(cx, &tell.text()?, "`tell`")),
            ast::Step::Play(play) => StepKind::Play {
                recording: self.recording(cx, &play.recording()?)?,
                uninterrupted: play.uninterrupted().is_some(),
            },
            ast::Step::Wait(wait) => {
                StepKind::Wait(self.fixed_ms(&Cx::fixed(cx.file), &wait.time()?, "`wait`")?)
            }
            ast::Step::Call(call) => return self.call(cx, body, call),
            ast::Step::Run(run) => return self.run(cx, body, run),
            ast::Step::Set(set) => return self.set(cx, body, set),
            ast::Step::Clear(clear) => {
                let names: Vec<ast::NameRef> = clear.variables().collect();
                let slots: Vec<SlotId> =
                    names.iter().filter_map(|n| self.written(cx, body, n, "clear")).collect();
                if slots.is_empty() {
                    return None;
                }
                StepKind::Clear(slots)
            }
            ast::Step::Press(press) => StepKind::Press(self.keys(cx, &press.keys()?)),
            ast::Step::Transfer(transfer) => return self.transfer(cx, transfer),
        })
    }

    fn recording(&mut self, cx: &Cx<'_>, value: &ast::Expr) -> Option<Expr> {
        let lowered = self.expr(cx, value, None);
        match lowered.kind {
            ExprKind::Recording(_) => Some(lowered),
            ExprKind::Hole => None,
            _ => {
                let place = self.at(cx, value);
                self.error_hint(
                    Code::WrongType,
                    place,
                    "`play` plays a recording",
                    "Name one of dgh.toml: `play recording.welcome`. Words are spoken with `say \"…\"`.",
                );
                None
            }
        }
    }

    fn keys(&mut self, cx: &Cx<'_>, value: &ast::Expr) -> Template {
        let template = self.text_template(cx, value, "`press`");
        let bad = template.parts.iter().any(|p| match p {
            dgh_ir::Part::Text(text) => {
                !text.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#' | ','))
            }
            dgh_ir::Part::Value { .. } => false,
        });
        if bad || template.parts.is_empty() {
            let place = self.at(cx, value);
            self.error_hint(
                Code::BadFormat,
                place,
                "`press` takes the keys of a telephone",
                "Digits, `*` and `#`; a comma waits half a second: `press \"1,204#\"`.",
            );
        }
        template
    }

    /// A variable that a step writes.
    fn written(&mut self, cx: &Cx<'_>, body: &Body, name: &ast::NameRef, word: &str) -> Option<SlotId> {
        let text = name.text();
        let place = self.at(cx, name);
        match body.slot(&text) {
            Some((id, slot)) if slot.kind == SlotKind::Var => Some(id),
            Some((_, slot)) => {
                let (what, hint) = match slot.kind {
                    SlotKind::Input => (
                        "is an input, and inputs do not change",
                        format!(
                            "Declare a variable for it: `var …: {}`.",
                            type_name(&self.program, &slot.ty)
                        ),
                    ),
                    _ => (
                        "is the answer of a tool or flow",
                        format!(
                            "Declare `var {text}: {}`; then the answer is kept in it.",
                            type_name(&self.program, &slot.ty)
                        ),
                    ),
                };
                let related = self.report.place(slot.origin);
                let finding = Diagnostic::new(
                    Code::NotAssignable,
                    place,
                    format!("`{word}` cannot change `{text}`: it {what}"),
                )
                .with_related(related, "declared here")
                .with_hint(hint);
                self.report.push(finding);
                None
            }
            None => {
                self.unknown_var(cx, body, &text, place);
                None
            }
        }
    }

    fn set(&mut self, cx: &Cx<'_>, body: &Body, set: &ast::Set) -> Option<StepKind> {
        let slot = set.variable().and_then(|name| self.written(cx, body, &name, "set"));
        let value = set.value()?;
        let Some(slot) = slot else {
            self.lost_value(cx, &value);
            return None;
        };
        let (ty, name) = body.slots.get(slot).map(|s| (s.ty.clone(), s.name.clone()))?;
        let value = self.expr(cx, &value, Some(&ty));
        let want = if may_be_in_range(&ty, &value) { Type { kind: Kind::Int, ..ty } } else { ty };
        Some(StepKind::Set(slot, self.fit(value, &want, &format!("`{name}`"))))
    }

    fn call(&mut self, cx: &Cx<'_>, body: &Body, call: &ast::Call) -> Option<StepKind> {
        let callee = call.callee()?;
        let Some(path) = callee.path() else {
            let place = self.at(cx, &callee);
            self.error_hint(
                Code::NotCallable,
                place,
                "`call` calls a tool by its name",
                "Such as `call find_slots(day) as slots`.",
            );
            return None;
        };
        let place = self.at(cx, &callee);
        let what = format!("`{}`", path.iter().map(ast::NameRef::text).collect::<Vec<_>>().join("."));
        let tool = self.tool_ref(cx, &path);
        let (args, answer) = match &tool {
            ToolRef::Tool(id) if self.damaged.contains(&Named::Tool(*id)) => {
                self.lost_args(cx, call.args());
                (Vec::new(), Some(Type::hole()))
            }
            ToolRef::Tool(id) => {
                let params = self.program.tools[*id].params.clone();
                let result = self.program.tools[*id].result.clone();
                (self.args(cx, call.args(), &params, &what, place), result)
            }
            ToolRef::Mcp(id, Some(name)) => {
                let pinned = self.program.mcps[*id]
                    .tools
                    .as_ref()
                    .and_then(|t| t.iter().find(|t| t.name == *name))
                    .cloned();
                let args = match pinned {
                    Some(pinned) => {
                        let params = schema_params(&pinned.input_schema);
                        self.args(cx, call.args(), &params, &what, place)
                    }
                    None => self.named_args(cx, call.args(), &what),
                };
                (args, Some(Type::of(Kind::Json)))
            }
            ToolRef::Mcp(_, None) => {
                self.error_hint(
                    Code::NotCallable,
                    place,
                    format!("{what} is an MCP server, not one of its tools"),
                    "Name the tool: `call server.tool(…)`.",
                );
                return None;
            }
            ToolRef::Knowledge(_) => {
                self.error_hint(
                    Code::NotCallable,
                    place,
                    format!("{what} is knowledge, which only the model searches"),
                    format!("Let it: `use {}`.", what.trim_matches('`')),
                );
                return None;
            }
            ToolRef::Hole => {
                self.lost_args(cx, call.args());
                return None;
            }
        };
        let mut step = StepKind::Call { tool, args, bind: None, meanwhile: None, timeout_ms: None };
        let bound = call.bound_name().and_then(|name| self.bind(cx, body, &name, answer.as_ref(), &what));
        for setting in self.settings(cx.file, call.config()) {
            let StepKind::Call { meanwhile, timeout_ms, .. } = &mut step else { break };
            match setting.name.as_str() {
                "meanwhile" => *meanwhile = Some(self.setting_expr(cx, &setting, &Type::of(Kind::Text))),
                "timeout" => *timeout_ms = self.fixed_ms(&Cx::fixed(cx.file), &setting.value, "`timeout`"),
                _ => self.unknown_setting(&setting, "`call`", &["meanwhile", "timeout"]),
            }
        }
        if let StepKind::Call { bind, .. } = &mut step {
            *bind = bound;
        }
        Some(step)
    }

    /// Arguments of a tool whose parameters nobody knows.
    fn named_args(&mut self, cx: &Cx<'_>, args: Option<ast::ArgList>, what: &str) -> Vec<(String, Expr)> {
        let mut found: Vec<(String, Expr)> = Vec::new();
        let any = Type::of(Kind::Json).optional();
        for arg in args.into_iter().flat_map(|a| a.args()) {
            let Some(value) = arg.value() else { continue };
            let Some(name) = arg.name() else {
                let place = self.at(cx, &arg);
                self.error_hint(
                    Code::MissingArgument,
                    place,
                    format!("what {what} takes is given by name"),
                    "Such as `call server.tool(day: day)`.",
                );
                continue;
            };
            let value = self.value(cx, &value, &any, &format!("`{}`", name.text()));
            found.push((name.text(), value));
        }
        found
    }

    /// `as x`: where the answer goes.
    fn bind(
        &mut self,
        cx: &Cx<'_>,
        body: &Body,
        name: &ast::Name,
        answer: Option<&Type>,
        what: &str,
    ) -> Option<SlotId> {
        let place = self.at(cx, name);
        let text = name.text();
        let Some(answer) = answer else {
            self.error_hint(
                Code::WrongType,
                place,
                format!("{what} answers nothing that could be kept"),
                "Say what the tool answers, with `-> type` after its parameters, or remove `as`.",
            );
            return body.by_name.get(&text).copied();
        };
        let (id, slot) = body.slot(&text)?;
        match slot.kind {
            SlotKind::Input => {
                let related = self.report.place(slot.origin);
                let finding = Diagnostic::new(
                    Code::NotAssignable,
                    place,
                    format!("`{text}` is an input, and inputs do not change"),
                )
                .with_related(related, "declared here")
                .with_hint("Give the answer another name.");
                self.report.push(finding);
                None
            }
            SlotKind::Binding => Some(id),
            SlotKind::Var => {
                if let Err(why) = assign(&slot.ty, answer) {
                    let (var, got) =
                        (describe(&self.program, &slot.ty.kind), describe(&self.program, &answer.kind));
                    let related = self.report.place(slot.origin);
                    let (code, message, hint) = match why {
                        Mismatch::Missing => (
                            Code::MaybeMissing,
                            format!("{what} may answer nothing, and `{text}` cannot be missing"),
                            format!("Declare it as `{}?`.", type_name(&self.program, &slot.ty)),
                        ),
                        Mismatch::Unit => (
                            Code::MixedUnits,
                            format!("{what} answers {got}, and `{text}` is {var}"),
                            "Both need the same unit.".to_owned(),
                        ),
                        Mismatch::Kind | Mismatch::Range => (
                            Code::WrongType,
                            format!("{what} answers {got}, and `{text}` is {var}"),
                            "Change the type of the variable, or give the answer another name.".to_owned(),
                        ),
                    };
                    self.report.push(
                        Diagnostic::new(code, place, message)
                            .with_related(related, "the variable")
                            .with_hint(hint),
                    );
                }
                Some(id)
            }
        }
    }

    fn run(&mut self, cx: &Cx<'_>, body: &Body, run: &ast::Run) -> Option<StepKind> {
        let callee = run.callee()?;
        let place = self.at(cx, &callee);
        let ast::Expr::Name(name) = &callee else {
            self.error_hint(
                Code::NotCallable,
                place,
                "`run` runs a flow by its name",
                "Such as `run verify(full_name) as identity`.",
            );
            return None;
        };
        let name = name.name()?.text();
        let Some(flow) = self.flow_name(cx, &name, place) else {
            self.lost_args(cx, run.args());
            return None;
        };
        let what = format!("`{name}`");
        let result = self.program.flows[flow].result.clone();
        let args = if self.damaged.contains(&Named::Flow(flow)) {
            self.lost_args(cx, run.args());
            Vec::new()
        } else {
            let inputs = inputs_of(&self.program.flows[flow].dialogue);
            self.slot_args(cx, run.args(), &inputs, &what, place)
        };
        let bind = run.bound_name().and_then(|name| self.bind(cx, body, &name, Some(&result), &what));
        Some(StepKind::Run { flow, args, bind })
    }

    /// Arguments for the inputs of a flow or agent.
    pub(crate) fn slot_args(
        &mut self,
        cx: &Cx<'_>,
        args: Option<ast::ArgList>,
        inputs: &[(SlotId, Param)],
        what: &str,
        place: Place,
    ) -> Vec<(SlotId, Expr)> {
        let params: Vec<Param> = inputs.iter().map(|(_, p)| p.clone()).collect();
        let given = self.args(cx, args, &params, what, place);
        let id = |name: &str| inputs.iter().find(|(_, p)| p.name == name).map(|(id, _)| *id);
        given.into_iter().filter_map(|(name, value)| Some((id(&name)?, value))).collect()
    }

    fn transfer(&mut self, cx: &Cx<'_>, transfer: &ast::Transfer) -> Option<StepKind> {
        let number = self.value(cx, &transfer.number()?, &Type::of(Kind::Phone), "`transfer`");
        let (mut mode, mut ring_ms, mut brief) = (TransferMode::Warm, RING_MS, None);
        for setting in self.settings(cx.file, transfer.config()) {
            match setting.name.as_str() {
                "mode" => {
                    let words: Vec<&str> = TransferMode::ALL.iter().map(|m| m.name()).collect();
                    if let Some(word) = self.word(cx.file, &setting, &words) {
                        mode = TransferMode::parse(&word).unwrap_or(TransferMode::Warm);
                    }
                }
                "ring" => {
                    ring_ms = self.fixed_ms(&Cx::fixed(cx.file), &setting.value, "`ring`").unwrap_or(RING_MS);
                }
                "brief" => brief = Some(self.text_template(cx, &setting.value, "`brief`")),
                _ => self.unknown_setting(&setting, "`transfer`", &["mode", "ring", "brief"]),
            }
        }
        Some(StepKind::Transfer { number, mode, ring_ms, brief })
    }
}

/// The inputs of a dialogue as parameters, in the order of their slots.
pub(crate) fn inputs_of(dialogue: &dgh_ir::program::Dialogue) -> Vec<(SlotId, Param)> {
    let inputs = dialogue.slots.iter().filter(|(_, s)| s.kind == SlotKind::Input);
    let param = |s: &dgh_ir::program::Slot| Param {
        name: s.name.clone(),
        ty: s.ty.clone(),
        default: s.default.clone(),
        about: s.about.clone(),
        origin: s.origin,
    };
    inputs.map(|(id, s)| (id, param(s))).collect()
}

/// The words of a step to point at: what is called or changed, else the word that opens it.
fn step_span(step: &ast::Step) -> Span {
    let part = match step {
        ast::Step::Call(call) => call.callee().map(|c| c.span()),
        ast::Step::Run(run) => run.callee().map(|c| c.span()),
        ast::Step::Set(set) => set.variable().map(|v| v.span()),
        ast::Step::Clear(clear) => clear.variables().map(|v| v.span()).reduce(Span::cover),
        ast::Step::Transfer(transfer) => transfer.number().map(|n| n.span()),
        _ => None,
    };
    part.unwrap_or_else(|| step.span())
}

/// The parameters that a JSON Schema describes, as far as the language has types for them.
fn schema_params(schema: &serde_json::Value) -> Vec<Param> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(|r| r.as_array())
        .into_iter()
        .flatten()
        .filter_map(|r| r.as_str())
        .collect();
    let properties = schema.get("properties").and_then(|p| p.as_object()).into_iter().flatten();
    properties
        .map(|(name, property)| {
            let kind = match property.get("type").and_then(|t| t.as_str()) {
                Some("string") if property.get("enum").is_none() => {
                    match property.get("format").and_then(|f| f.as_str()) {
                        // Dates and times are sent as ISO 8601 texts.
                        Some("date") => Kind::Date,
                        Some("time") => Kind::Time,
                        Some("date-time") => Kind::DateTime,
                        _ => Kind::Json,
                    }
                }
                Some("integer") => Kind::Int,
                Some("number") => Kind::Number,
                Some("boolean") => Kind::Bool,
                _ => Kind::Json,
            };
            let ty = Type { kind, optional: !required.contains(&name.as_str()), private: false };
            let about = property.get("description").and_then(|d| d.as_str()).map(str::to_owned);
            Param { name: name.clone(), ty, default: None, about, origin: dgh_ir::Origin::NONE }
        })
        .collect()
}

/// Whether some numbers of a value go into a range: then it is looked at when it is set, and one
/// that does not go in is an `error`.
fn may_be_in_range(ty: &Type, value: &Expr) -> bool {
    let Kind::IntRange(low, high) = ty.kind else { return false };
    match (&value.kind, &value.ty.kind) {
        (ExprKind::Const(_), _) => false,
        (_, Kind::Int) => true,
        (_, Kind::IntRange(a, b)) => *a <= high && low <= *b,
        _ => false,
    }
}
