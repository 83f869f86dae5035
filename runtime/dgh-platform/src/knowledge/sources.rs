//! What the knowledge of a program is made of, and how one document of it is read.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::bail;
use dgh_ir::program::{Models, SlotId, ToolRef};
use dgh_ir::{Builtin, Program, Scope, Value, eval, to_json};
use dgh_knowledge::{Document, Format, open};
use indexmap::IndexMap;

use crate::agents::own_agents;

/// Letters to a token, roughly: as `dgh check` counts prompts.
const TOKEN: usize = 4;
/// Tokens that a model follows well when its provider does not say.
const BUDGET: i64 = 8_000;

/// Where a document comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The bundle.
    File,
    /// The web.
    Url,
}

/// A document that a program names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The key of its knowledge.
    pub knowledge: String,
    /// Whether models get it as a whole.
    pub full: bool,
    /// Where it comes from.
    pub kind: Kind,
    /// The path or the address.
    pub source: String,
}

/// The documents that a program names, in its order. An address that `env` does not complete is left
/// out: publishing has told that.
pub fn sources(program: &Program, env: &IndexMap<String, String>) -> Vec<Source> {
    let mut all = Vec::new();
    for (id, knowledge) in program.knowledge.iter() {
        let Some(key) = program.knowledge_key(id) else { continue };
        let source = |kind, source| Source { knowledge: key.clone(), full: knowledge.full, kind, source };
        all.extend(knowledge.files.iter().map(|path| source(Kind::File, path.clone())));
        for url in &knowledge.urls {
            let value = eval(program, url, &Env(env)).ok().map(|value| to_json(&value));
            let text = value.as_ref().and_then(|value| value.as_str()).unwrap_or("?").to_owned();
            all.push(source(Kind::Url, text));
        }
    }
    all
}

/// The language that documents are read in: the first of the first agent.
pub fn language_of(program: &Program) -> String {
    let first = own_agents(program).next().and_then(|(_, agent)| agent.languages.first().cloned());
    first.unwrap_or_else(|| "en".to_owned())
}

/// Reads a file of a bundle. Blocks.
pub fn read_file(path: &str, content: Option<Vec<u8>>, language: &str) -> anyhow::Result<Arc<Document>> {
    let Some(content) = content else { bail!("{path} is not in the bundle") };
    let Some(format) = Format::of_path(path) else {
        bail!("{path} is none of .pdf, .docx, .html, .md, .csv, .txt")
    };
    open(format, content, language).map_err(|error| anyhow::anyhow!("{path} {error}"))
}

/// Whether what models get as a whole is within what they follow well.
pub fn check_budget(program: &Program, whole: &IndexMap<String, Arc<str>>) -> Result<(), String> {
    for (id, dialogue) in program.dialogues() {
        let agent = match id {
            dgh_ir::DialogueId::Agent(agent) => program.agents.get(agent).map(|agent| &agent.models),
            dgh_ir::DialogueId::Flow(_) | dgh_ir::DialogueId::Last => None,
        };
        for (_, node) in dialogue.nodes.iter() {
            let keys = node.uses.iter().filter_map(|used| match used {
                ToolRef::Knowledge(id) => program.knowledge_key(*id),
                _ => None,
            });
            let used: Vec<(String, usize)> = keys
                .filter_map(|key| {
                    let tokens = whole.get(&key)?.chars().count().div_ceil(TOKEN);
                    Some((key, tokens))
                })
                .collect();
            let tokens: usize = used.iter().map(|(_, tokens)| tokens).sum();
            let own = budget(program, Some(&node.models)).or_else(|| budget(program, agent));
            let budget = own.unwrap_or(BUDGET);
            if i64::try_from(tokens).is_ok_and(|tokens| tokens > budget) {
                let names: Vec<String> =
                    used.iter().map(|(key, _)| format!("`{}`", super::name_of(key))).collect();
                return Err(format!(
                    "{} has about {tokens} tokens, more than the {budget} that the model of node `{}` follows well; \
                     write `mode: search`, or give it less",
                    names.join(" and "),
                    node.name
                ));
            }
        }
    }
    Ok(())
}

fn budget(program: &Program, models: Option<&Models>) -> Option<i64> {
    let provider = program.providers.get(models?.llm.first()?.provider)?;
    match provider.settings.get("budget") {
        Some(Value::Int(tokens)) => Some(*tokens),
        _ => None,
    }
}

/// What an address may be made of.
struct Env<'a>(&'a IndexMap<String, String>);

impl Scope for Env<'_> {
    fn slot(&self, _: SlotId) -> Option<&Value> {
        None
    }

    fn slot_name(&self, _: SlotId) -> &'static str {
        "?"
    }

    fn builtin(&self, _: Builtin) -> Value {
        Value::None
    }

    fn env(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(name).map(|value| value.as_str().into())
    }

    fn language(&self) -> &'static str {
        "en"
    }
}
