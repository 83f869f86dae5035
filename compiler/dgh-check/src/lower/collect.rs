//! `collect`.

use dgh_diag::{Code, Span};
use dgh_ir::program::{Collect, Confirm, InputMode, SlotId};
use dgh_ir::{Expr, ExprKind, Kind, Type, Value};
use dgh_syntax::ast::{self, AstNode as _};

use super::body::Body;
use super::settings::Setting;
use super::{Cx, Lower};
use crate::types::{assign, describe, literal};

const OPTIONS: &[&str] = &["confirm", "tries", "ask", "by", "until"];

impl Lower<'_> {
    pub(crate) fn collect(&mut self, cx: &Cx<'_>, body: &Body, item: &ast::Collect) -> Collect {
        let names: Vec<ast::NameRef> = item.names().collect();
        let span = names.iter().map(ast::AstNode::span).reduce(Span::cover).unwrap_or_else(|| item.span());
        let origin = self.origin_of(cx.file, span, item);
        let mut slots: Vec<SlotId> = Vec::new();
        for name in &names {
            let Some(slot) = self.learned(cx, body, name, "collect") else { continue };
            if slots.contains(&slot) {
                let place = self.at(cx, name);
                self.error_hint(
                    Code::Duplicate,
                    place,
                    format!("`{}` is collected twice here", name.text()),
                    "Remove one of the two.",
                );
            } else {
                slots.push(slot);
            }
        }
        let from = item.from_list().map(|list| self.choice_list(cx, body, &slots, &names, &list));
        let mut collect = Collect {
            slots,
            from,
            confirm: Confirm::Never,
            tries: None,
            ask: None,
            by: InputMode::Speech,
            until: None,
            origin,
        };
        for setting in self.settings(cx.file, item.config()) {
            self.collect_option(cx, &setting, &mut collect);
        }
        collect
    }

    fn collect_option(&mut self, cx: &Cx<'_>, setting: &Setting, collect: &mut Collect) {
        match setting.name.as_str() {
            "confirm" => {
                let words: Vec<&str> = Confirm::ALL.iter().map(|c| c.name()).collect();
                if let Some(word) = self.word(cx.file, setting, &words) {
                    collect.confirm = Confirm::parse(&word).unwrap_or(Confirm::Never);
                }
            }
            "by" => {
                let words: Vec<&str> = InputMode::ALL.iter().map(|c| c.name()).collect();
                if let Some(word) = self.word(cx.file, setting, &words) {
                    collect.by = InputMode::parse(&word).unwrap_or(InputMode::Speech);
                }
            }
            "tries" => {
                let value = self.setting_expr(cx, setting, &Type::of(Kind::Int));
                if let ExprKind::Const(Value::Int(n)) = &value.kind
                    && !(1..=100).contains(n)
                {
                    self.error(Code::OutOfRange, setting.value_place, "`tries` is a number from 1 to 100");
                }
                collect.tries = Some(value);
            }
            "ask" => collect.ask = Some(self.setting_expr(cx, setting, &Type::of(Kind::Text))),
            "until" => {
                if let Some(key) = self.fixed_text(cx.file, setting) {
                    if key.chars().count() == 1 && literal::is_keys(&key) {
                        collect.until = Some(key);
                    } else {
                        self.error_hint(
                            Code::BadFormat,
                            setting.value_place,
                            "`until` is one key of a telephone",
                            "Such as `until: \"#\"`.",
                        );
                    }
                }
            }
            _ => self.unknown_setting(setting, "`collect`", OPTIONS),
        }
    }

    /// `from list`: one variable, picked from a list of its type.
    fn choice_list(
        &mut self,
        cx: &Cx<'_>,
        body: &Body,
        slots: &[SlotId],
        names: &[ast::NameRef],
        list: &ast::Expr,
    ) -> Expr {
        let mut lowered = self.expr(cx, list, None);
        if lowered.ty.optional {
            super::path::require(&mut lowered);
        }
        let place = self.at(cx, list);
        if let Some(second) = names.get(1) {
            let place = self.at(cx, second);
            self.error_hint(
                Code::Conflict,
                place,
                "only one variable can be picked from a list",
                "Use one node for each choice.",
            );
        }
        let element = match &lowered.ty.kind {
            Kind::List(item) => item.as_ref().clone(),
            Kind::Hole | Kind::Json => return lowered,
            other => {
                let what = describe(&self.program, other);
                self.error(Code::WrongType, place, format!("`from` takes a list, and this is {what}"));
                return Expr::hole(lowered.origin);
            }
        };
        let Some(slot) = slots.first().and_then(|id| body.slots.get(*id)) else { return lowered };
        if assign(&slot.ty, &element).is_err() {
            let (var, entry) =
                (describe(&self.program, &slot.ty.kind), describe(&self.program, &element.kind));
            let message = format!("`{}` is {var}, and an entry of this list is {entry}", slot.name);
            let related = self.report.place(slot.origin);
            let finding = dgh_diag::Diagnostic::new(Code::WrongType, place, message)
                .with_related(related, "the variable")
                .with_hint(
                    "The variable holds the entry that the caller picks, so it has the type of the entries.",
                );
            self.report.push(finding);
        }
        lowered
    }
}
