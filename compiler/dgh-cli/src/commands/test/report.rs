//! How tests went, for people: a line a file, a failure as the dialogue with the line that failed.

use std::time::Duration;

use dgh_engine::effect::Record;
use dgh_engine::testing::{TestFailure, TestOutcome};
use dgh_ir::test::TestCase;

use super::{Suite, Tested};
use crate::ui;

/// Prints the tests of a file.
pub fn suite(suite: &Suite, verbose: bool) -> anyhow::Result<()> {
    ui::line(ui::paint(ui::DIM, suite.shown()))?;
    for (test, tested) in suite.tested() {
        let (mark, note) = match &tested.outcome.skipped {
            Some(reason) => (ui::paint(ui::NOTE, "-"), ui::paint(ui::DIM, format!("  skipped: {reason}"))),
            None if tested.failed() => (ui::paint(ui::BAD, "✗"), String::new()),
            None => (ui::paint(ui::GOOD, "✓"), String::new()),
        };
        ui::line(format!("  {mark} {}{note}", test.name))?;
        if verbose || tested.failed() {
            dialogue(suite, test, tested)?;
        }
        for difference in &tested.outcome.differences {
            let (number, text) = suite.line(difference.origin).unwrap_or((0, ""));
            ui::line(format!("    {} {}:{number}  {text}", ui::paint(ui::NOTE, "differs"), suite.shown()))?;
            ui::line(format!(
                "      the test means {}, the model did {}",
                difference.expected, difference.got
            ))?;
        }
    }
    Ok(())
}

/// Prints the closing line, and says whether anything failed.
pub fn summary(suites: &[Suite], took: Duration) -> anyhow::Result<bool> {
    let count = |wanted: fn(&TestOutcome) -> bool| {
        suites.iter().flat_map(|s| &s.results).filter(|t| wanted(&t.outcome)).count()
    };
    let passed = count(|outcome| outcome.passed);
    let failed = count(|outcome| outcome.failure.is_some());
    let skipped = count(|outcome| outcome.skipped.is_some());
    let turns: usize = suites.iter().flat_map(|s| &s.results).map(|t| t.outcome.differences.len()).sum();
    if turns > 0 {
        ui::line(format!("\nthe model differs on {}", ui::count(turns, "turn")))?;
    }
    let skips = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
    ui::line(format!("\n{passed} passed, {failed} failed{skips}"))?;
    if skipped > 0 {
        let hint = "skipped tests need a model that plays people: dgh test --llm openai/gpt-4.1-mini";
        ui::note(ui::paint(ui::DIM, hint));
    }
    ui::note(ui::paint(ui::DIM, format!("in {:.0} ms", took.as_secs_f64() * 1e3)));
    Ok(failed > 0 || turns > 0)
}

fn dialogue(suite: &Suite, test: &TestCase, tested: &Tested) -> anyhow::Result<()> {
    for record in &tested.outcome.dialogue {
        if let Some(line) = shown(record) {
            ui::line(format!("      {line}"))?;
        }
    }
    if let Some(TestFailure { origin, message }) = &tested.outcome.failure {
        let (number, text) = suite.line(*origin).or_else(|| suite.line(test.origin)).unwrap_or((0, ""));
        ui::line(format!("    {} {}:{number}", ui::paint(ui::BAD, "-->"), suite.shown()))?;
        ui::line(format!("      {text}"))?;
        ui::line(format!("      {}", ui::paint(ui::BAD, message)))?;
    }
    Ok(())
}

/// A record as a line of a dialogue; none for what a reader does not need to see.
pub fn shown(record: &Record) -> Option<String> {
    let dim = |text: String| Some(ui::paint(ui::DIM, text));
    match record {
        Record::Caller { text } => Some(format!("{} {text}", ui::paint(ui::CALLER, "caller"))),
        Record::Late { text } => Some(format!("{} (before) {text}", ui::paint(ui::CALLER, "caller"))),
        Record::Keys { keys } => Some(format!("{} keys {keys}", ui::paint(ui::CALLER, "caller"))),
        Record::Agent { text, cut } => {
            let cut = if *cut { " —" } else { "" };
            Some(format!("{}  {text}{cut}", ui::paint(ui::AGENT, "agent")))
        }
        Record::Entered { node, .. } => dim(format!("· {node}")),
        Record::Route { label, target, .. } => match target {
            Some(target) => dim(format!("→ {target}  ({label})")),
            None => dim(format!("({label})")),
        },
        Record::Value { name, shown: Some(value), .. } => dim(format!("  {name} = {}", short(value))),
        Record::Value { name, shown: None, .. } => dim(format!("  {name} cleared")),
        Record::Tool { tool, arguments } => dim(format!("  {tool} {}", short(&arguments.to_string()))),
        Record::ToolDone { tool, result: Ok(answer) } => {
            dim(format!("  {tool} answered {}", short(&answer.to_string())))
        }
        Record::ToolDone { tool, result: Err(error) } => {
            Some(ui::paint(ui::NOTE, format!("  {tool} failed: {error}")))
        }
        Record::Refused { message } | Record::Policy { message } => {
            Some(ui::paint(ui::NOTE, format!("  {message}")))
        }
        Record::Operator { did, note } => {
            dim(format!("  operator: {did} {}", note.as_deref().map_or_else(String::new, short)))
        }
        Record::Raised { event } => dim(format!("  {event}")),
        Record::Webhook { name, event } => dim(format!("  webhook {name} on {event}")),
        Record::Ended { outcome, ended_by } => {
            dim(format!("ended by {ended_by}: {}", outcome.as_deref().unwrap_or("no outcome")))
        }
        _ => None,
    }
}

/// Characters of a value that a dialogue shows.
const VALUE: usize = 90;

fn short(value: &str) -> String {
    match value.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or(value)),
        None => value.to_owned(),
    }
}
