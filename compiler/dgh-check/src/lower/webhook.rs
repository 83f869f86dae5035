//! What happens about a call, beside the conversation: `before call`, `webhook`, `review`.

use std::collections::HashMap;

use dgh_diag::{Code, Place};
use dgh_ir::program::{FieldDef, HookBlock, Review, Webhook, WebhookId};
use dgh_ir::{Arena, CallEvent, Kind};
use dgh_syntax::ast::{self, AstNode as _};

use super::body::Body;
use super::request::Whose;
use super::{Cx, Lower, plain};
use crate::names::empty_request;

const SETTINGS: &[&str] = &["post", "put", "patch", "get", "delete", "body", "headers", "auth", "sign"];

impl Lower<'_> {
    pub(crate) fn before_call(
        &mut self,
        file: usize,
        body: &Body,
        hooks: &[ast::BeforeCall],
    ) -> Vec<HookBlock> {
        let cx = Cx::body(file, body);
        let mut blocks: Vec<HookBlock> = Vec::new();
        for step in hooks.iter().flat_map(ast::BeforeCall::steps) {
            match step {
                ast::HookStep::Step(step) => {
                    let step = self.step(&cx, body, &step);
                    match blocks.last_mut() {
                        Some(HookBlock { guard: None, steps }) => steps.push(step),
                        _ => blocks.push(HookBlock { guard: None, steps: vec![step] }),
                    }
                }
                ast::HookStep::Guarded(item) => {
                    let guard = item.condition().map(|c| self.condition(&cx, &c));
                    let steps = self.steps(&cx, body, item.block());
                    blocks.push(HookBlock { guard, steps });
                }
            }
        }
        blocks
    }

    /// Gives the webhooks their ids; of two with one name only the first is kept.
    pub(crate) fn declare_webhooks(
        &mut self,
        file: usize,
        body: &mut Body,
        items: &[ast::Webhook],
    ) -> Vec<ast::Webhook> {
        let mut kept: Vec<ast::Webhook> = Vec::new();
        let mut seen: HashMap<String, Place> = HashMap::new();
        for item in items {
            let Some(name) = item.name() else { continue };
            let place = self.place(file, name.span());
            if let Some(first) = seen.get(&name.text()) {
                let first = *first;
                self.duplicate(place, first, &format!("the webhook `{}`", name.text()));
                continue;
            }
            seen.insert(name.text(), place);
            body.webhooks.insert(name.text(), WebhookId(u32::try_from(kept.len()).unwrap_or(u32::MAX)));
            kept.push(item.clone());
        }
        kept
    }

    pub(crate) fn webhooks(
        &mut self,
        file: usize,
        body: &Body,
        items: &[ast::Webhook],
    ) -> Arena<WebhookId, Webhook> {
        items.iter().map(|item| self.webhook(file, body, item)).collect()
    }

    fn webhook(&mut self, file: usize, body: &Body, item: &ast::Webhook) -> Webhook {
        let cx = Cx::body(file, body);
        let span = item.name().map_or_else(|| item.span(), |n| n.span());
        let place = self.place(file, span);
        let origin = self.origin_of(file, span, item);
        let mut events = Vec::new();
        for path in item.events() {
            let text = path.text();
            match CallEvent::parse(&text) {
                Some(event) if !events.contains(&event) => events.push(event),
                Some(_) => {}
                None => {
                    let known: Vec<&str> = CallEvent::ALL.iter().map(|e| e.name()).collect();
                    let place = self.at(&cx, &path);
                    let finding = self.unknown(
                        Code::UnknownEvent,
                        place,
                        format!("there is no `{text}` to send a webhook on"),
                        &text,
                        &known,
                    );
                    self.report.push(finding);
                }
            }
        }
        let guard = item.guard().and_then(|g| g.condition()).map(|c| self.condition(&cx, &c));
        let settings = self.settings(file, item.config());
        for setting in settings.iter().filter(|s| !SETTINGS.contains(&s.name.as_str())) {
            self.unknown_setting(setting, "a webhook", SETTINGS);
        }
        let request = self.request(&cx, &settings, Whose::Webhook);
        if request.is_none() && !item.has_errors() {
            self.error_hint(
                Code::SettingRequired,
                place,
                "this webhook does not say where it is sent",
                "Add an address: `post: \"https://…\"`.",
            );
        }
        let sign = settings.iter().find(|s| s.name == "sign").and_then(|s| self.secret(&cx, s));
        Webhook {
            name: item.name().map(|n| n.text()).unwrap_or_default(),
            events,
            guard,
            request: request.unwrap_or_else(empty_request),
            sign,
            origin,
        }
    }

    pub(crate) fn reviews(&mut self, file: usize, body: &Body, items: &[ast::Review]) -> Vec<Review> {
        let mut seen: HashMap<String, Place> = HashMap::new();
        let mut found = Vec::new();
        for item in items {
            let span = item.name().map_or_else(|| item.span(), |n| n.span());
            let place = self.place(file, span);
            let name = item.name().map(|n| n.text()).unwrap_or_default();
            if let Some(first) = seen.insert(name.clone(), place) {
                self.duplicate(place, first, &format!("the review `{name}`"));
                continue;
            }
            found.push(self.review(file, body, item, name, place));
        }
        found
    }

    fn review(&mut self, file: usize, body: &Body, item: &ast::Review, name: String, place: Place) -> Review {
        let origin = self.origin_of(file, place.span, item);
        let settings: Vec<ast::Setting> = item.settings().collect();
        let settings = self.each_once(file, settings);
        let cx = Cx::new(file, super::Names::Setting(body));
        let settings = self.group(&cx, "review", place, &settings, item.has_errors());
        let mut scores: Vec<FieldDef> = Vec::new();
        let mut seen: HashMap<String, Place> = HashMap::new();
        for score in item.scores() {
            let Some(name) = score.name() else { continue };
            let place = self.place(file, name.span());
            if let Some(first) = seen.get(&name.text()) {
                let first = *first;
                self.duplicate(place, first, &format!("the score `{}`", name.text()));
                continue;
            }
            seen.insert(name.text(), place);
            let ty = score.ty().map_or_else(dgh_ir::Type::hole, |t| self.ty(file, &t));
            if !matches!(
                ty.kind,
                Kind::Bool
                    | Kind::Int
                    | Kind::Number
                    | Kind::IntRange(..)
                    | Kind::Enum(_)
                    | Kind::Text
                    | Kind::Hole
            ) {
                let what = crate::types::describe(&self.program, &ty.kind);
                self.error_hint(
                    Code::WrongType,
                    place,
                    format!("a score cannot be {what}"),
                    "A score is a range like `1..5`, a `bool`, a number, a text or an `enum`.",
                );
            }
            let origin = self.report.origin(place);
            scores.push(FieldDef { name: name.text(), ty, about: plain(score.about()), origin });
        }
        if scores.is_empty() && !item.has_errors() {
            self.error_hint(
                Code::MissingPart,
                place,
                format!("the review `{name}` scores nothing"),
                "Add a score: `score polite: 1..5 \"The agent was polite\"`.",
            );
        }
        Review { name, settings, scores, origin }
    }
}
