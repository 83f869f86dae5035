//! What a program takes from the profile it runs in: values by name, and names of secrets.

use std::collections::BTreeSet;

use crate::expr::{Expr, ExprKind, Template};
use crate::program::{Agent, Dialogue, HttpRequest, Models, Program, Settings, ToolAction};
use crate::value::Value;

/// Names that a profile must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// `env.NAME`
    pub env: BTreeSet<String>,
    /// `secret.NAME`. Keys of providers are not among them: an agent without one has others to
    /// fall back to.
    pub secrets: BTreeSet<String>,
    /// Keys of the providers that it names.
    pub keys: BTreeSet<String>,
}

impl Needs {
    /// What a program needs, wherever in it.
    pub fn of(program: &Program) -> Self {
        let mut needs = Self::default();
        let mut visit = |outer: &Expr| outer.walk(&mut |expr| needs.add(expr));
        for (_, tool) in program.tools.iter() {
            if let ToolAction::Http(request) = &tool.action {
                of_request(request, &mut visit);
            }
            tool.params.iter().filter_map(|param| param.default.as_ref()).for_each(&mut visit);
        }
        for (_, server) in program.mcps.iter() {
            server.url.iter().chain(&server.command).for_each(&mut visit);
            server.auth.iter().for_each(|auth| auth.each_expr(&mut visit));
        }
        for (_, phrase) in program.phrases.iter() {
            phrase.texts.values().flat_map(Template::exprs).for_each(&mut visit);
        }
        for (_, knowledge) in program.knowledge.iter() {
            knowledge.urls.iter().for_each(&mut visit);
        }
        for (_, dialogue) in program.dialogues() {
            of_dialogue(dialogue, &mut visit);
        }
        for (_, agent) in program.agents.iter() {
            of_agent(agent, &mut visit);
        }
        for (_, provider) in program.providers.iter() {
            if let Some(Value::Text(key)) = provider.settings.get("key") {
                needs.keys.insert(key.clone());
            }
        }
        needs
    }

    fn add(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Env(name) => drop(self.env.insert(name.clone())),
            ExprKind::Secret(name) => drop(self.secrets.insert(name.clone())),
            _ => {}
        }
    }
}

fn of_request<'a>(request: &'a HttpRequest, visit: &mut dyn FnMut(&'a Expr)) {
    request.each_expr(visit);
}

fn of_settings<'a>(settings: &'a Settings, visit: &mut dyn FnMut(&'a Expr)) {
    settings.values().for_each(visit);
}

fn of_models<'a>(models: &'a Models, visit: &mut dyn FnMut(&'a Expr)) {
    let all = [&models.llm, &models.stt, &models.tts, &models.judge, &models.realtime];
    all.into_iter().flatten().flat_map(|used| &used.args).for_each(|(_, value)| visit(value));
}

fn of_dialogue<'a>(dialogue: &'a Dialogue, visit: &mut dyn FnMut(&'a Expr)) {
    dialogue.slots.iter().filter_map(|(_, slot)| slot.default.as_ref()).for_each(&mut *visit);
    for (_, node) in dialogue.nodes.iter() {
        node.each_expr(visit);
        of_models(&node.models, visit);
        of_settings(&node.turn, visit);
    }
    dialogue.routes.iter().for_each(|(_, route)| route.each_expr(visit));
}

fn of_agent<'a>(agent: &'a Agent, visit: &mut dyn FnMut(&'a Expr)) {
    agent.prompt.iter().flat_map(Template::exprs).for_each(&mut *visit);
    of_models(&agent.models, visit);
    agent.groups.values().for_each(|group| of_settings(group, visit));
    for block in &agent.before_call {
        block.guard.iter().for_each(&mut *visit);
        block.steps.iter().for_each(|step| step.each_expr(visit));
    }
    for (_, hook) in agent.webhooks.iter() {
        hook.guard.iter().chain(&hook.sign).for_each(&mut *visit);
        of_request(&hook.request, visit);
    }
    agent.reviews.iter().for_each(|review| of_settings(&review.settings, visit));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixture::sample;

    #[test]
    fn what_stands_anywhere_in_a_program_is_found() {
        let needs = Needs::of(&sample());
        assert!(!needs.env.is_empty() && !needs.secrets.is_empty(), "{needs:?}");
        let text = String::from_utf8(crate::wire::to_bytes(&sample())).unwrap();
        for (op, names) in [("env", &needs.env), ("secret", &needs.secrets)] {
            let all: BTreeSet<_> = text
                .split(&format!("\"op\":{{\"{op}\":\""))
                .skip(1)
                .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
                .collect();
            assert_eq!(&all, names, "{op}");
        }
    }
}
