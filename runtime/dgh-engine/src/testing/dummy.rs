//! Made-up values of `env` for tests: what the profile sets is no business of a dialogue's test,
//! but a text that names it has to read somehow.

use dgh_ir::{Expr, ExprKind, Kind, Program};
use indexmap::IndexMap;

/// A value for every `env.NAME` of the program.
pub(crate) fn env(program: &Program) -> IndexMap<String, String> {
    let mut env = IndexMap::new();
    let mut visit = |expr: &Expr| {
        if let ExprKind::Env(name) = &expr.kind {
            let value = match expr.ty.kind {
                Kind::Phone => "+14155550199".to_owned(),
                Kind::Url => format!("https://{}.test", name.to_lowercase().replace('_', "-")),
                Kind::Email => "test@example.com".to_owned(),
                Kind::Int | Kind::Number => "1".to_owned(),
                Kind::Bool => "true".to_owned(),
                _ => name.to_lowercase().replace('_', " "),
            };
            env.entry(name.clone()).or_insert(value);
        }
    };
    for (_, agent) in program.agents.iter() {
        agent.prompt.iter().for_each(|prompt| prompt.walk(&mut visit));
        for step in agent.before_call.iter().flat_map(|block| &block.steps) {
            step.walk(&mut visit);
        }
        for (_, webhook) in agent.webhooks.iter() {
            webhook.request.each_expr(&mut |expr| expr.walk(&mut visit));
        }
        for setting in agent.groups.values().flat_map(IndexMap::values) {
            setting.walk(&mut visit);
        }
    }
    for (_, dialogue) in program.dialogues() {
        for (_, node) in dialogue.nodes.iter() {
            node.each_expr(&mut |expr| expr.walk(&mut visit));
        }
        for (_, route) in dialogue.routes.iter() {
            route.each_expr(&mut |expr| expr.walk(&mut visit));
        }
    }
    for (_, phrase) in program.phrases.iter() {
        phrase.texts.values().for_each(|text| text.walk(&mut visit));
    }
    env
}
