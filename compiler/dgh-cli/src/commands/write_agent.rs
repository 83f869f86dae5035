//! Lets a model write an agent from one sentence, and sends it the findings until none is left.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use chrono::Utc;
use dgh_compile::{Memory, compile};
use dgh_diag::{Diagnostic, Severity, Style, render};
use dgh_engine::event::ReplyId;
use dgh_engine::reply::{Card, Message, Purpose, ReplyRequest};
use dgh_providers::{Delta, Models as _};
use futures::StreamExt as _;

use crate::models;
use crate::project::Project;
use crate::ui;

/// The page that tells a model how to write programs.
const CHEATSHEET: &str = include_str!("../../../../grammar/cheatsheet.md");

/// How often the model may mend its program.
const ROUNDS: usize = 4;

/// A program that checks without errors.
pub fn write_agent(sentence: &str, llm: &str, url: Option<&str>) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut history = vec![Message::Caller(format!(
            "Write one complete .dgh file for this agent, with two tests: {sentence}\nAnswer with the file alone, in a ```dgh fence."
        ))];
        let mut last = String::new();
        for round in 0..ROUNDS {
            let answer = ask(history.clone(), llm, url).await?;
            last = fenced(&answer).to_owned();
            let compiled = compile(&Memory::new([("agent.dgh", last.as_str())]), "agent.dgh");
            let errors: Vec<Diagnostic> =
                compiled.diagnostics.iter().filter(|d| d.severity() == Severity::Error).cloned().collect();
            if errors.is_empty() {
                return Ok(dgh_fmt::format(&last).text);
            }
            ui::note(format!("round {}: {} errors, asking again", round + 1, errors.len()));
            let style = Style { color: false, unicode: false, width: 100 };
            history.push(Message::Agent(answer));
            history.push(Message::Caller(format!(
                "The compiler says:\n{}\nAnswer with the whole corrected file.",
                render(&errors, compiled.sources.as_slice(), style)
            )));
        }
        ui::note(last);
        bail!("the model did not write a program without errors in {ROUNDS} rounds; its last one is above")
    })
}

async fn ask(history: Vec<Message>, llm: &str, url: Option<&str>) -> anyhow::Result<String> {
    let model = models::model(llm, url)?;
    let here = Project { root: ".".into(), entry: String::new(), named: true };
    let (client, secrets) = (models::client(None, url)?, models::secrets(&here, None));
    let chosen = models::Chosen { name: llm.to_owned(), notice: None, list: vec![model.clone()], instead: true };
    let request = ReplyRequest {
        id: ReplyId(0),
        purpose: Purpose::Tell,
        persona: format!("You write programs in the language that this page describes.\n\n{CHEATSHEET}"),
        history: history.into(),
        card: Card {
            node: "write".to_owned(),
            prompt: None,
            instruction: Some("Answer with the whole file in one ```dgh fence and nothing else.".to_owned()),
            known: Vec::new(),
            wanted: Vec::new(),
            labels: Vec::new(),
            read_back: None,
            tools: Vec::new(),
            may_unclear: false,
            remarks: Vec::new(),
            now: Utc::now().naive_utc(),
            language: "en".to_owned(),
        },
        functions: Arc::new([]),
        may_call: false,
        models: vec![model.clone()],
        judge: Vec::new(),
    };
    // The pieces as they come: a reply would be cut into sentences, and its lines lost.
    let model = models::registry(&client, &secrets, &chosen).llm(&model)?;
    let mut pieces = model.stream(Arc::new(request));
    let mut text = String::new();
    while let Some(piece) = pieces.next().await {
        if let Delta::Text(more) = piece.with_context(|| format!("{llm} did not answer"))? {
            text.push_str(&more);
        }
    }
    Ok(text)
}

/// What stands in the first fence; the whole text when there is none.
fn fenced(answer: &str) -> &str {
    let Some((_, after)) = answer.split_once("```") else { return answer };
    let after = after.split_once('\n').map_or(after, |(_, rest)| rest);
    after.split_once("```").map_or(after, |(inside, _)| inside)
}
