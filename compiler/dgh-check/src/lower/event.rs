//! What stands behind `on`, against the declarations of `std/events`.

use dgh_diag::{Code, Place};
use dgh_ir::program::SlotKind;
use dgh_ir::{Event, Expr, ExprKind, Kind, LimitKind, TransferFailure, Type, Value};
use dgh_syntax::ast::{self, AstNode as _};

use super::args::Given;
use super::body::Body;
use super::{Cx, Lower};
use crate::types::literal;

impl Lower<'_> {
    pub(crate) fn event(&mut self, cx: &Cx<'_>, body: &Body, item: &ast::Event) -> Event {
        let Some(name) = item.name() else { return Event::Hole };
        let text = name.text();
        let place = self.at(cx, &name);
        let Some(params) = self.library.event(&text) else {
            self.unknown_event(&text, place);
            return Event::Hole;
        };
        if text == "transfer_failed" {
            return self.transfer_failed(cx, item.args());
        }
        let names: Vec<&str> = params.iter().map(|p| p.name.as_str()).collect();
        let what = format!("`on {text}`");
        let (given, lost) = self.match_args(cx, item.args(), &names, &what);
        let missing: Vec<String> = params
            .iter()
            .enumerate()
            .filter(|(i, p)| p.default.is_none() && !p.ty.optional && !given.iter().any(|g| g.index == *i))
            .map(|(_, p)| p.name.clone())
            .collect();
        if !missing.is_empty() {
            if !item.has_errors() && !lost {
                self.event_lacks(&text, place, &missing);
            }
            return Event::Hole;
        }
        let find = |name: &str| given.iter().find(|g| names.get(g.index) == Some(&name));
        match text.as_str() {
            "silence" => {
                let Some(after) = find("after") else { return Event::Hole };
                let after = self.silence_after(cx, after);
                Event::Silence { after, times: self.count(cx, find("times"), 1) }
            }
            "unclear" => Event::Unclear { times: self.count(cx, find("times"), 1) },
            "stalled" => Event::Stalled { turns: self.count(cx, find("turns"), 1) },
            "key" => match given.first() {
                None => Event::Key(None),
                Some(given) => self.key(cx, given),
            },
            "interrupted" => Event::Interrupted,
            "corrected" => self.corrected(cx, body, given.first()),
            "hangup" => Event::Hangup,
            "voicemail" => Event::Voicemail,
            "screening" => Event::Screening,
            "error" => Event::Error,
            "failed" => self.failed(cx, given.first()),
            "transferred" => Event::Transferred,
            "language" => match given.first() {
                None => Event::Language(None),
                Some(given) => self.language_event(cx, given),
            },
            "limit" => self.limit(cx, given.first()),
            "slow" => Event::Slow,
            // Declared in the library, and nothing here knows what it means.
            _ => Event::Hole,
        }
    }

    fn unknown_event(&mut self, name: &str, place: Place) {
        let known = self.library.event_names();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let meant = match name {
            "timeout" | "no_input" | "no_speech" | "quiet" => "silence",
            "no_match" | "fallback" | "not_understood" | "misunderstood" => "unclear",
            "dtmf" | "digit" | "keypad" | "keypress" => "key",
            "hang_up" | "hangs_up" | "hungup" | "disconnect" | "disconnected" => "hangup",
            "machine" | "answering_machine" | "amd" => "voicemail",
            "failure" | "fail" | "exception" => "error",
            other => other,
        };
        let finding =
            self.unknown(Code::UnknownEvent, place, format!("there is no event `{name}`"), meant, &known);
        let finding = if finding.hint.is_none() {
            finding.with_hint(format!(
                "The events are {}.",
                dgh_diag::suggest::all_of(&known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>())
            ))
        } else {
            finding
        };
        self.report.push(finding);
    }

    fn event_lacks(&mut self, event: &str, place: Place, missing: &[String]) {
        let example = match event {
            "silence" => "on silence(6s)",
            "stalled" => "on stalled(turns: 8)",
            "corrected" => "on corrected(day)",
            "failed" => "on failed(collect)",
            "limit" => "on limit(duration)",
            _ => event,
        };
        let names = dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(missing));
        self.error_hint(
            Code::MissingArgument,
            place,
            format!("`on {event}` needs {names}"),
            format!("Such as `{example}`."),
        );
    }

    fn silence_after(&mut self, cx: &Cx<'_>, given: &Given) -> Expr {
        let value = self.value(cx, &given.value, &Type::of(Kind::Duration), "`silence`");
        if let ExprKind::Const(Value::Duration(ms)) = &value.kind
            && *ms <= 0
        {
            let place = self.at(cx, &given.value);
            self.error(Code::OutOfRange, place, "a silence must be longer than nothing");
        }
        value
    }

    fn count(&mut self, cx: &Cx<'_>, given: Option<&Given>, default: u32) -> u32 {
        let Some(given) = given else { return default };
        let found = self.fixed(&Cx::fixed(cx.file), &given.value, &Type::of(Kind::Int), "this count");
        match found {
            Some(Value::Int(n)) if (1..=1000).contains(&n) => u32::try_from(n).unwrap_or(default),
            Some(Value::Int(_)) => {
                let place = self.at(cx, &given.value);
                self.error(Code::OutOfRange, place, "this count is a number from 1 to 1000");
                default
            }
            _ => default,
        }
    }

    fn key(&mut self, cx: &Cx<'_>, given: &Given) -> Event {
        let place = self.at(cx, &given.value);
        let key = match &given.value {
            ast::Expr::String(text) => text.plain_text(),
            _ => None,
        };
        match key {
            Some(key) if key.chars().count() == 1 && literal::is_keys(&key) => Event::Key(Some(key)),
            _ => {
                self.error_hint(
                    Code::BadFormat,
                    place,
                    "a key is one of `0` to `9`, `*` and `#`, in quotes",
                    "Such as `on key(\"1\")`. Without brackets it is any other key: `on key`.",
                );
                Event::Hole
            }
        }
    }

    /// The bare word that an argument is.
    fn bare(&mut self, cx: &Cx<'_>, given: Option<&Given>) -> Option<(String, Place)> {
        let given = given?;
        let place = self.at(cx, &given.value);
        match &given.value {
            ast::Expr::Name(name) => Some((name.name()?.text(), place)),
            _ => {
                self.error(Code::WrongType, place, "here stands a name");
                None
            }
        }
    }

    fn corrected(&mut self, cx: &Cx<'_>, body: &Body, given: Option<&Given>) -> Event {
        let Some((name, place)) = self.bare(cx, given) else { return Event::Hole };
        match body.slot(&name) {
            Some((id, slot)) if slot.kind == SlotKind::Var => Event::Corrected(id),
            Some(_) => {
                self.error_hint(
                    Code::NotAssignable,
                    place,
                    format!("the caller cannot correct `{name}`"),
                    "Only variables are learned from the caller, and only they can be corrected.",
                );
                Event::Hole
            }
            None => {
                self.unknown_var(cx, body, &name, place);
                Event::Hole
            }
        }
    }

    fn failed(&mut self, cx: &Cx<'_>, given: Option<&Given>) -> Event {
        match self.bare(cx, given) {
            Some((name, _)) if name == "collect" => Event::FailedCollect,
            Some((name, place)) => {
                let finding = self.unknown(
                    Code::UnknownName,
                    place,
                    format!("`{name}` cannot fail in this way"),
                    &name,
                    &["collect"],
                );
                let finding = finding.with_hint("`on failed(collect)` is what there is. A tool that fails is `on error`, a transfer `on transfer_failed`.");
                self.report.push(finding);
                Event::Hole
            }
            None => Event::Hole,
        }
    }

    fn language_event(&mut self, cx: &Cx<'_>, given: &Given) -> Event {
        let place = self.at(cx, &given.value);
        let Some(Value::Text(tag)) =
            self.fixed(&Cx::fixed(cx.file), &given.value, &Type::of(Kind::Text), "`language`")
        else {
            return Event::Hole;
        };
        if !literal::is_language_tag(&tag) {
            self.bad_language(&tag, place);
            return Event::Hole;
        }
        Event::Language(Some(tag))
    }

    fn limit(&mut self, cx: &Cx<'_>, given: Option<&Given>) -> Event {
        let Some((name, place)) = self.bare(cx, given) else { return Event::Hole };
        if let Some(kind) = LimitKind::parse(&name) {
            return Event::Limit(kind);
        }
        let known: Vec<&str> = LimitKind::ALL.iter().map(|k| k.name()).collect();
        let finding =
            self.unknown(Code::UnknownName, place, format!("there is no limit `{name}`"), &name, &known);
        self.report.push(finding);
        Event::Hole
    }

    fn transfer_failed(&mut self, cx: &Cx<'_>, args: Option<ast::ArgList>) -> Event {
        let known: Vec<&str> = TransferFailure::ALL.iter().map(|f| f.name()).collect();
        let mut reasons = Vec::new();
        let mut hole = false;
        for value in args.into_iter().flat_map(|a| a.args()).filter_map(|a| a.value()) {
            let place = self.at(cx, &value);
            let word = match &value {
                ast::Expr::Name(name) => name.name().map(|n| n.text()),
                _ => None,
            };
            let Some(word) = word else {
                self.error(
                    Code::WrongType,
                    place,
                    format!(
                        "a reason is one of {}",
                        dgh_diag::suggest::any_of(&dgh_diag::suggest::quoted(&known))
                    ),
                );
                hole = true;
                continue;
            };
            match TransferFailure::parse(&word) {
                Some(reason) if reasons.contains(&reason) => {
                    self.error_hint(
                        Code::Duplicate,
                        place,
                        format!("`{word}` stands twice here"),
                        "Remove one of the two.",
                    );
                }
                Some(reason) => reasons.push(reason),
                None => {
                    let meant = if word == "timeout" { "no_answer" } else { &word };
                    let finding = self.unknown(
                        Code::UnknownTransferReason,
                        place,
                        format!("a transfer does not fail for the reason `{word}`"),
                        meant,
                        &known,
                    );
                    self.report.push(finding);
                    hole = true;
                }
            }
        }
        if hole { Event::Hole } else { Event::TransferFailed(reasons) }
    }
}
