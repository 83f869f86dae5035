//! Lets a model write an agent from one sentence, and sends it the findings and the tests that fail
//! until none is left.

use std::sync::Arc;

use anyhow::bail;
use dgh_compile::{Compiled, Memory, compile};
use dgh_diag::{Diagnostic, Severity, Style, render};
use dgh_engine::testing::{self, TestOptions};
use dgh_engine::{Message, Prepared};

use super::check::worst_first;
use super::test::place;
use crate::ui;
use dgh_platform::models::{self, Server};

/// The page that tells a model how to write programs.
const CHEATSHEET: &str = include_str!("../../../../grammar/cheatsheet.md");

/// How often the model may answer.
const ROUNDS: usize = 4;

/// A program that checks without errors.
pub fn write_agent(sentence: &str, llm: &str, server: Server<'_>) -> anyhow::Result<String> {
    if sentence.trim().is_empty() {
        bail!("--from needs a sentence that says what the agent does");
    }
    let model = models::alone(llm, server)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let system = format!("You write programs in the language that this page describes.\n\n{CHEATSHEET}");
    let mut history = vec![Message::Caller(format!(
        "Write one complete .dgh file for this agent, with two tests: {sentence}\nAnswer with the file alone, in a ```dgh fence."
    ))];
    // The last program without errors, whose tests fail.
    let mut nearly: Option<String> = None;
    let mut last = String::new();
    ui::note(ui::paint(ui::DIM, format!("{llm} writes …")));
    for round in 1..=ROUNDS {
        let answer = runtime.block_on(model.write(system.clone(), history.clone()))?;
        fenced(&answer).clone_into(&mut last);
        let compiled = compile(&Memory::new([("agent.dgh", last.as_str())]), "agent.dgh");
        let (what, complaint) = match complaint(&compiled) {
            None => return Ok(dgh_fmt::format(&last).text),
            Some(Complaint::Errors(errors)) => {
                let style = Style { color: false, unicode: false, width: 100 };
                let listing = render(&worst_first(&errors), compiled.sources.as_slice(), style);
                (ui::count(errors.len(), "error"), format!("The compiler says:\n{listing}"))
            }
            Some(Complaint::Tests(failures)) => {
                nearly = Some(last.clone());
                let what = ui::count(failures.len(), "failing test");
                (what, format!("It compiles, and tests of it fail:\n{}", failures.join("\n")))
            }
        };
        let next = if round < ROUNDS { "; asking again" } else { "" };
        ui::note(ui::paint(ui::DIM, format!("round {round}: {what}{next}")));
        history.push(Message::Agent(answer));
        history.push(Message::Caller(format!("{complaint}\nAnswer with the whole corrected file.")));
    }
    match nearly {
        Some(text) => {
            ui::note("the agent has no errors, and tests of it still fail: dgh test shows them");
            Ok(dgh_fmt::format(&text).text)
        }
        None => {
            ui::note(last);
            bail!(
                "the model did not write a program without errors in {ROUNDS} rounds; its last one is above"
            )
        }
    }
}

/// What is wrong with a program.
enum Complaint {
    Errors(Vec<Diagnostic>),
    Tests(Vec<String>),
}

fn complaint(compiled: &Compiled) -> Option<Complaint> {
    let errors: Vec<Diagnostic> =
        compiled.diagnostics.iter().filter(|d| d.severity() == Severity::Error).cloned().collect();
    if !errors.is_empty() {
        return Some(Complaint::Errors(errors));
    }
    let prepared = Prepared::new(Arc::new(compiled.program.clone()));
    let failures = compiled.tests.iter().filter_map(|test| {
        let failure = testing::run(&prepared, test, &TestOptions::default()).failure?;
        let (line, text) = place(compiled, failure.origin).or_else(|| place(compiled, test.origin))?;
        Some(format!("test \"{}\", line {line}, `{text}`: {}", test.name, failure.message))
    });
    let failures: Vec<String> = failures.collect();
    (!failures.is_empty()).then_some(Complaint::Tests(failures))
}

/// What stands in the first fence; the whole text when there is none.
fn fenced(answer: &str) -> &str {
    let Some((_, after)) = answer.split_once("```") else { return answer };
    let after = after.split_once('\n').map_or(after, |(_, rest)| rest);
    after.split_once("```").map_or(after, |(inside, _)| inside)
}
