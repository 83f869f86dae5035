//! Lets a model write an agent from one sentence, and sends it the findings until none is left.

use anyhow::bail;
use dgh_compile::{Memory, compile};
use dgh_diag::{Diagnostic, Severity, Style, render};
use dgh_engine::Message;

use crate::models;
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
    let system = format!("You write programs in the language that this page describes.\n\n{CHEATSHEET}");
    let model = models::alone(llm, url)?;
    model.write(system, history, "Answer with the whole file in one ```dgh fence and nothing else.").await
}

/// What stands in the first fence; the whole text when there is none.
fn fenced(answer: &str) -> &str {
    let Some((_, after)) = answer.split_once("```") else { return answer };
    let after = after.split_once('\n').map_or(after, |(_, rest)| rest);
    after.split_once("```").map_or(after, |(inside, _)| inside)
}
