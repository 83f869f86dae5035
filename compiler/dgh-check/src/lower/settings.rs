//! `key: value` in braces: what they have in common wherever they stand.

use dgh_diag::{Code, Diagnostic, Place};
use dgh_ir::program::Settings;
use dgh_ir::{Expr, ExprKind, Kind, Type, Value};
use dgh_syntax::ast::{self, AstNode as _};

use rust_decimal::Decimal;

use super::{Cx, Lower};

/// A setting, with its places.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) value: ast::Expr,
    /// Place of the value.
    pub(crate) value_place: Place,
}

impl Lower<'_> {
    /// The settings in a pair of braces, each once.
    pub(crate) fn settings(&mut self, file: usize, config: Option<ast::Config>) -> Vec<Setting> {
        let all: Vec<ast::Setting> = config.into_iter().flat_map(|c| c.settings()).collect();
        self.each_once(file, all)
    }

    /// Settings, the second of two with one name reported and dropped.
    pub(crate) fn each_once(
        &mut self,
        file: usize,
        settings: impl IntoIterator<Item = ast::Setting>,
    ) -> Vec<Setting> {
        let mut found: Vec<Setting> = Vec::new();
        for setting in settings {
            let (Some(name), Some(value)) = (setting.name(), setting.value()) else { continue };
            let place = self.place(file, name.span());
            let value_place = self.place(file, value.span());
            let name = name.text();
            if let Some(first) = found.iter().find(|s| s.name == name) {
                let finding = Diagnostic::new(Code::Duplicate, place, format!("`{name}` is set twice"))
                    .with_related(first.place, "the first time")
                    .with_hint("Remove one of the two.");
                self.report.push(finding);
                continue;
            }
            found.push(Setting { name, place, value, value_place });
        }
        found
    }

    /// Reports a setting that does not exist. `of` says where: "a tool".
    pub(crate) fn unknown_setting(&mut self, setting: &Setting, of: &str, known: &[&str]) {
        let message = format!("{of} has no setting `{}`", setting.name);
        let finding = self.unknown(Code::UnknownSetting, setting.place, message, &setting.name, known);
        let finding = if finding.hint.is_some() {
            finding
        } else {
            finding.with_hint(format!(
                "It has {}.",
                dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(known))
            ))
        };
        self.report.push(finding);
    }

    /// The value of a setting that is the same for every call.
    pub(crate) fn fixed_value(&mut self, file: usize, setting: &Setting, want: &Type) -> Option<Value> {
        self.fixed(&Cx::fixed(file), &setting.value, want, &format!("`{}`", setting.name))
    }

    /// The value of an expression that is the same for every call.
    pub(crate) fn fixed(&mut self, cx: &Cx<'_>, value: &ast::Expr, want: &Type, what: &str) -> Option<Value> {
        let lowered = self.value(cx, value, want, what);
        match lowered.kind {
            _ if lowered.ty.kind == Kind::Hole => None,
            ExprKind::Const(value) => Some(value),
            ExprKind::List(items) => items
                .into_iter()
                .map(|i| match i.kind {
                    ExprKind::Const(value) => Some(value),
                    ExprKind::Hole => None,
                    _ => {
                        let place = self.report.place(i.origin);
                        self.not_constant(place, what);
                        None
                    }
                })
                .collect::<Option<Vec<_>>>()
                .map(Value::List),
            ExprKind::Hole => None,
            _ => {
                let place = self.report.place(lowered.origin);
                self.not_constant(place, what);
                None
            }
        }
    }

    /// A text that is the same for every call.
    pub(crate) fn fixed_text(&mut self, file: usize, setting: &Setting) -> Option<String> {
        match self.fixed_value(file, setting, &Type::of(Kind::Text))? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Texts that are the same for every call.
    pub(crate) fn fixed_texts(&mut self, file: usize, setting: &Setting) -> Option<Vec<(String, Place)>> {
        let want = Type::of(Kind::List(Box::new(Type::of(Kind::Text))));
        let places: Vec<Place> = match setting.value.clone().without_parens() {
            Some(ast::Expr::List(list)) => list.elements().map(|e| self.place(file, e.span())).collect(),
            _ => Vec::new(),
        };
        let Value::List(items) = self.fixed_value(file, setting, &want)? else { return None };
        let texts = items.into_iter().filter_map(|v| match v {
            Value::Text(text) => Some(text),
            _ => None,
        });
        Some(
            texts
                .enumerate()
                .map(|(i, t)| (t, places.get(i).copied().unwrap_or(setting.value_place)))
                .collect(),
        )
    }

    /// A length of time above zero, in milliseconds.
    pub(crate) fn fixed_ms(&mut self, cx: &Cx<'_>, value: &ast::Expr, what: &str) -> Option<u64> {
        let Value::Duration(ms) = self.fixed(cx, value, &Type::of(Kind::Duration), what)? else {
            return None;
        };
        match u64::try_from(ms) {
            Ok(ms) if ms > 0 => Some(ms),
            _ => {
                let place = self.at(cx, value);
                self.error(Code::OutOfRange, place, format!("{what} must be more than nothing"));
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(crate) fn fixed_int(&mut self, file: usize, setting: &Setting, low: i64, high: i64) -> Option<i64> {
        let Value::Int(n) = self.fixed_value(file, setting, &Type::of(Kind::Int))? else { return None };
        if (low..=high).contains(&n) {
            return Some(n);
        }
        self.error(
            Code::OutOfRange,
            setting.value_place,
            format!("`{}` is a number from {low} to {high}", setting.name),
        );
        None
    }

    /// A yes or no.
    pub(crate) fn fixed_bool(&mut self, file: usize, setting: &Setting) -> Option<bool> {
        match self.fixed_value(file, setting, &Type::of(Kind::Bool))? {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// One word of a closed list, written bare.
    pub(crate) fn word(&mut self, file: usize, setting: &Setting, known: &[&str]) -> Option<String> {
        let bare = match &setting.value {
            ast::Expr::Name(name) => name.name().map(|n| n.text()),
            ast::Expr::String(text) => {
                let quoted = text.plain_text().filter(|t| known.contains(&t.as_str()));
                if let Some(word) = quoted {
                    let finding = Diagnostic::new(
                        Code::WrongType,
                        setting.value_place,
                        format!("`{}` takes a word without quotes", setting.name),
                    )
                    .with_hint(format!("Write `{word}`."))
                    .with_fix(dgh_diag::Fix {
                        title: format!("Change to `{word}`"),
                        edits: vec![dgh_diag::Edit { place: setting.value_place, text: word.clone() }],
                        safe: true,
                    });
                    self.report.push(finding);
                    return Some(word);
                }
                None
            }
            _ => None,
        };
        let _ = file;
        match bare {
            Some(word) if known.contains(&word.as_str()) => Some(word),
            Some(word) => {
                let message = format!("`{}` cannot be `{word}`", setting.name);
                let finding = self.unknown(Code::UnknownCase, setting.value_place, message, &word, known);
                self.report.push(finding);
                None
            }
            None => {
                let names = dgh_diag::suggest::any_of(&dgh_diag::suggest::quoted(known));
                self.error(
                    Code::WrongType,
                    setting.value_place,
                    format!("`{}` is one of {names}", setting.name),
                );
                None
            }
        }
    }

    /// The settings of a group that the standard library declares: `limits`, `outbound`, `review`.
    pub(crate) fn group(
        &mut self,
        cx: &Cx<'_>,
        group: &str,
        place: Place,
        settings: &[Setting],
        damaged: bool,
    ) -> Settings {
        let mut found = Settings::new();
        let Some(fields) = self.library.group(group) else {
            // Its word could not be read, which is told.
            if group.is_empty() {
                return found;
            }
            let known = self.library.group_names();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let finding = self.unknown(
                Code::UnknownGroup,
                place,
                format!("there is no group of settings `{group}`"),
                group,
                &known,
            );
            self.report.push(finding);
            return found;
        };
        for setting in settings {
            match fields.iter().find(|f| f.name == setting.name) {
                Some(field) => {
                    let value = self.value(cx, &setting.value, &field.ty, &format!("`{}`", setting.name));
                    self.sensible(group, setting, &value);
                    found.insert(setting.name.clone(), value);
                }
                None => {
                    let known: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
                    self.unknown_setting(setting, &format!("`{group}`"), &known);
                }
            }
        }
        // A setting that is unknown may be the one that is missing, misspelt.
        let all_known = settings.iter().all(|s| fields.iter().any(|f| f.name == s.name));
        for field in fields.iter() {
            if found.contains_key(&field.name) {
                continue;
            }
            if let Some(default) = &field.default {
                found.insert(field.name.clone(), default.clone());
            } else if !field.ty.optional
                && all_known
                && !damaged
                && !settings.iter().any(|s| s.name == field.name)
            {
                self.error_hint(
                    Code::SettingRequired,
                    place,
                    format!("`{group}` needs `{}`", field.name),
                    field.about.clone().map_or_else(
                        || format!("Add `{}: …`.", field.name),
                        |about| format!("{about}: `{}: …`.", field.name),
                    ),
                );
            }
        }
        found
    }

    /// Reports a number, an amount or a time that makes no sense in a group. Numbers there are
    /// shares; what limits something is more than nothing.
    fn sensible(&mut self, group: &str, setting: &Setting, value: &Expr) {
        let ExprKind::Const(constant) = &value.kind else { return };
        if let Value::Number(n) = constant {
            if *n < Decimal::ZERO || *n > Decimal::ONE {
                self.error_hint(
                    Code::OutOfRange,
                    setting.value_place,
                    format!("`{}` is a share, from 0 to 1", setting.name),
                    "A quarter is written `0.25` or `25%`.",
                );
            }
            return;
        }
        let sign = match constant {
            Value::Int(n) | Value::Duration(n) => n.cmp(&0),
            Value::Money(n, _) => n.cmp(&Decimal::ZERO),
            _ => return,
        };
        let limits = matches!(group, "limits" | "outbound");
        if sign.is_lt() || (limits && sign.is_eq()) {
            let least = if limits { "more than nothing" } else { "not less than nothing" };
            self.error(Code::OutOfRange, setting.value_place, format!("`{}` must be {least}", setting.name));
        }
    }

    /// The value of a setting, in the order of nothing but the text.
    pub(crate) fn setting_expr(&mut self, cx: &Cx<'_>, setting: &Setting, want: &Type) -> Expr {
        self.value(cx, &setting.value, want, &format!("`{}`", setting.name))
    }
}
