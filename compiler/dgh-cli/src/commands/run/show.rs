//! How a conversation looks in the terminal.

use dgh_engine::effect::Record;

use super::input::Line;
use crate::commands::test::report::shown as record_line;
use crate::session::{Audience, Shown};
use crate::ui;

/// Prints a conversation as it happens.
pub struct Terminal {
    quiet: bool,
    /// The last answer of a tool: the name it is bound to need not repeat it.
    answer: String,
}

impl Terminal {
    /// `quiet` leaves out nodes, routes and values.
    pub fn new(quiet: bool) -> Self {
        Self { quiet, answer: String::new() }
    }
}

/// Something that surrounds the conversation.
pub fn note(text: &str) -> anyhow::Result<()> {
    text.lines().try_for_each(|line| ui::line(ui::paint(ui::DIM, ui::wrapped(line, 0))))
}

/// A line of the caller that was not typed here.
pub fn caller(line: &Line) -> anyhow::Result<()> {
    let you = ui::paint(ui::CALLER, "you    ");
    match line {
        Line::Says(text) => ui::line(format!("{you}{}", ui::wrapped(text, 7))),
        Line::Keys(keys) => ui::line(format!("{you}{}", ui::paint(ui::DIM, format!("presses {keys}")))),
        Line::Silence => ui::line(format!("{you}{}", ui::paint(ui::DIM, "says nothing"))),
        Line::HangUp => ui::line(format!("{you}{}", ui::paint(ui::DIM, "hangs up"))),
        _ => Ok(()),
    }
}

impl Audience for Terminal {
    fn show(&mut self, shown: Shown<'_>) -> anyhow::Result<()> {
        match shown {
            Shown::Speech(text) => {
                ui::line(format!("{}{}", ui::paint(ui::AGENT, "agent  "), ui::wrapped(text, 7)))
            }
            Shown::Recording(name) => ui::line(format!(
                "{}{}",
                ui::paint(ui::AGENT, "agent  "),
                ui::paint(ui::DIM, format!("♪ {name}"))
            )),
            Shown::Note(text) => ui::line(format!("       {}", ui::paint(ui::DIM, ui::wrapped(&text, 7)))),
            Shown::Record(record) => self.record(record),
        }
    }
}

impl Terminal {
    fn record(&mut self, record: &Record) -> anyhow::Result<()> {
        match record {
            // Shown when they were said.
            Record::Caller { .. } | Record::Agent { .. } | Record::Keys { .. } | Record::Webhook { .. } => {
                Ok(())
            }
            Record::Ended { .. } => record_line(record).map_or(Ok(()), ui::line),
            _ if self.quiet => Ok(()),
            Record::Value { shown: Some(value), .. } if *value == self.answer => Ok(()),
            Record::ToolDone { result: Ok(answer), .. } => {
                self.answer = answer.to_string();
                record_line(record).map_or(Ok(()), |line| ui::line(format!("       {line}")))
            }
            _ => record_line(record).map_or(Ok(()), |line| ui::line(format!("       {line}"))),
        }
    }
}

/// Prints everything that happened.
pub fn log(records: &[Record]) -> anyhow::Result<()> {
    records.iter().filter_map(record_line).try_for_each(|line| ui::line(format!("  {line}")))
}
