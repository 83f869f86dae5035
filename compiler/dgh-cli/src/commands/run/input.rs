//! What a person types, from `--say`, a terminal or a pipe.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::mpsc::{Receiver, Sender, channel};

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use tokio::sync::oneshot;

use crate::ui;

/// Printed by `:help`.
pub const HELP: &str = "type what the caller says; an empty line is silence
  :keys 12#   press keys (digits alone are keys where keys are expected)
  :vars       what is known          :log    what happened
  :back       take the last turn back
  :hangup     hang up                :quit   leave at once";

/// A line.
pub enum Line {
    Says(String),
    Keys(String),
    Silence,
    HangUp,
    Back,
    Variables,
    Log,
    Help,
    Quit,
    Unknown(String),
}

/// Where lines come from.
pub struct Input {
    first: VecDeque<String>,
    source: Source,
}

enum Source {
    /// A line editor in a thread of its own: it blocks.
    Terminal(Sender<oneshot::Sender<Option<String>>>),
    Pipe(Receiver<String>),
    /// Only what was given on the command line.
    Nothing,
}

impl Input {
    /// Lines of `--say` first; then the terminal, or the pipe when nothing was given.
    pub fn new(say: &[String]) -> Self {
        let first: VecDeque<String> = say.iter().cloned().collect();
        let source = if io::stdin().is_terminal() && io::stdout().is_terminal() {
            Source::Terminal(editor())
        } else if first.is_empty() {
            Source::Pipe(pipe())
        } else {
            Source::Nothing
        };
        Self { first, source }
    }

    /// Whether a person types.
    pub fn is_terminal(&self) -> bool {
        matches!(self.source, Source::Terminal(_))
    }

    /// Whether the caller's words must be printed: nobody sees them otherwise.
    pub fn echoes(&self) -> bool {
        !matches!(self.source, Source::Terminal(_)) || !self.first.is_empty()
    }

    /// The next line. The caller hangs up when there are no more.
    pub async fn next(&mut self) -> anyhow::Result<Line> {
        if let Some(line) = self.first.pop_front() {
            return Ok(read(&line));
        }
        let line = match &self.source {
            Source::Terminal(ask) => {
                let (answer, answered) = oneshot::channel();
                ask.send(answer).ok();
                answered.await.unwrap_or(None)
            }
            Source::Pipe(lines) => lines.recv().ok(),
            Source::Nothing => None,
        };
        Ok(line.map_or(Line::HangUp, |line| read(&line)))
    }
}

fn read(line: &str) -> Line {
    let line = line.trim();
    let Some(command) = line.strip_prefix(':') else {
        return if line.is_empty() { Line::Silence } else { Line::Says(line.to_owned()) };
    };
    let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
    match word {
        "keys" | "key" | "k" => {
            Line::Keys(rest.chars().filter(|c| matches!(c, '0'..='9' | '*' | '#')).collect())
        }
        "silence" => Line::Silence,
        "vars" | "v" => Line::Variables,
        "log" | "l" => Line::Log,
        "back" | "b" => Line::Back,
        "hangup" | "h" => Line::HangUp,
        "quit" | "q" => Line::Quit,
        "help" | "?" => Line::Help,
        _ => Line::Unknown(line.to_owned()),
    }
}

fn editor() -> Sender<oneshot::Sender<Option<String>>> {
    let (ask, asked) = channel::<oneshot::Sender<Option<String>>>();
    std::thread::spawn(move || {
        let Ok(mut editor) = DefaultEditor::new() else { return };
        let prompt = ui::paint(ui::CALLER, "you    ");
        for answer in asked {
            let line = match editor.readline(&prompt) {
                Ok(line) => {
                    let _ = editor.add_history_entry(&line);
                    Some(line)
                }
                Err(ReadlineError::Interrupted) => Some(":quit".to_owned()),
                Err(_) => None,
            };
            if answer.send(line).is_err() {
                return;
            }
        }
    });
    ask
}

fn pipe() -> Receiver<String> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if line.map_or(true, |line| send.send(line).is_err()) {
                return;
            }
        }
    });
    lines
}
