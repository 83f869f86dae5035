//! `ensure`, `always`, `never`.

use dgh_diag::Code;
use dgh_ir::program::{Fact, Policy, PolicyKind, Sink};
use dgh_syntax::ast::{self, AstNode as _, Ensured};

use super::body::Body;
use super::{Cx, Lower};

impl Lower<'_> {
    pub(crate) fn policy(&mut self, cx: &Cx<'_>, body: &Body, member: &ast::Member) -> Vec<Policy> {
        match member {
            ast::Member::Ensure(item) => self.ensure(cx, body, item).into_iter().collect(),
            ast::Member::Always(item) => self.always(cx, item).into_iter().collect(),
            ast::Member::Never(item) => self.never(cx, body, item),
            _ => Vec::new(),
        }
    }

    fn ensure(&mut self, cx: &Cx<'_>, body: &Body, item: &ast::Ensure) -> Option<Policy> {
        let origin = self.origin_of(cx.file, item.span(), item);
        let fact = self.fact(cx, body, &item.condition()?);
        let before = match item.before()? {
            Ensured::Everything(_) => Some(None),
            Ensured::Node(name) => self.node_name(cx.file, body, &name).map(Some),
        };
        Some(Policy { kind: PolicyKind::Ensure { fact: fact?, before: before? }, origin })
    }

    /// A node that is completed, or a condition that holds. A bare name that is both stands for
    /// the node.
    fn fact(&mut self, cx: &Cx<'_>, body: &Body, condition: &ast::Expr) -> Option<Fact> {
        if let Some(ast::Expr::Name(name)) = condition.clone().without_parens() {
            let name = name.name()?;
            let text = name.text();
            if let Some((id, _)) = body.nodes.get(&text) {
                return Some(Fact::Completed(*id));
            }
            if !self.is_value_name(cx, &text) {
                self.unknown_fact(cx, body, &name);
                return None;
            }
        }
        let condition = self.condition(cx, condition);
        (condition.ty.kind != dgh_ir::Kind::Hole).then_some(Fact::Holds(condition))
    }

    fn unknown_fact(&mut self, cx: &Cx<'_>, body: &Body, name: &ast::NameRef) {
        let text = name.text();
        if self.is_lost(cx.file, &text) {
            return;
        }
        let place = self.at(cx, name);
        let known: Vec<&str> = body.node_list().into_iter().chain(body.slot_names(|_| true)).collect();
        let finding = self.unknown(
            Code::UnknownName,
            place,
            format!("there is no node and no variable `{text}`"),
            &text,
            &known,
        );
        let finding = if finding.fixes.is_empty() {
            finding.with_hint("`ensure` takes a node that must have been completed, or a condition.")
        } else {
            finding
        };
        self.report.push(finding);
    }

    fn always(&mut self, cx: &Cx<'_>, item: &ast::Always) -> Option<Policy> {
        let origin = self.origin_of(cx.file, item.span(), item);
        let condition = self.condition(cx, &item.condition()?);
        let reason = item.reason().map(|text| {
            let plain = text.plain_text();
            if plain.is_none() {
                let place = self.at(cx, &text);
                self.error_hint(
                    Code::WrongType,
                    place,
                    "this sentence is the same for every call",
                    "Write it without `{{ }}`.",
                );
            }
            plain.unwrap_or_default()
        });
        Some(Policy { kind: PolicyKind::Always { condition, reason }, origin })
    }

    fn never(&mut self, cx: &Cx<'_>, body: &Body, item: &ast::Never) -> Vec<Policy> {
        let mut sinks: Vec<Sink> = Vec::new();
        for sink in item.sinks() {
            let Some(name) = sink.name() else { continue };
            let text = name.text();
            let place = self.at(cx, &name);
            match Sink::parse(&text) {
                Some(sink) if !sinks.contains(&sink) => sinks.push(sink),
                Some(_) => {}
                None => {
                    let known: Vec<&str> = Sink::ALL.iter().map(|s| s.name()).collect();
                    let finding = self.unknown(
                        Code::UnknownName,
                        place,
                        format!("there is no place `{text}` that a value could enter"),
                        &text,
                        &known,
                    );
                    let all = dgh_diag::suggest::all_of(
                        &known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>(),
                    );
                    let finding = if finding.fixes.is_empty() {
                        finding.with_hint(format!("The places are {all}."))
                    } else {
                        finding
                    };
                    self.report.push(finding);
                }
            }
        }
        let mut policies = Vec::new();
        for path in item.values() {
            let segments: Vec<ast::NameRef> = path.segments().collect();
            let Some(name) = segments.first() else { continue };
            let text = name.text();
            let place = self.at(cx, name);
            match body.slot(&text) {
                Some((slot, _)) if segments.len() == 1 => {
                    if !sinks.is_empty() {
                        let origin = self.origin_of(cx.file, item.span(), item);
                        policies
                            .push(Policy { kind: PolicyKind::Never { slot, sinks: sinks.clone() }, origin });
                    }
                }
                Some(_) => {
                    let place = self.at(cx, &path);
                    self.error_hint(
                        Code::NotAssignable,
                        place,
                        "`never` speaks of a whole variable",
                        format!("Write `never {text} in …`."),
                    );
                }
                None => {
                    if !self.is_lost(cx.file, &text) {
                        let known = body.slot_names(|_| true);
                        let finding = self.unknown(
                            Code::UnknownName,
                            place,
                            format!("there is no input and no variable `{text}`"),
                            &text,
                            &known,
                        );
                        self.report.push(finding);
                    }
                }
            }
        }
        policies
    }
}
