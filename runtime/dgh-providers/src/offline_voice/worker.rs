//! A process that recognises: the interpreter with PocketSphinx, spoken to through pipes.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use crate::offline_voice::grammar::Grammar;
use crate::offline_voice::program;

/// What the process runs.
const SCRIPT: &str = include_str!("recogniser.py");
/// Names the interpreter, when it is not the `python3` of the search path.
const PYTHON: &str = "DGH_PYTHON";
/// Bytes of an answer.
const MAX_ANSWER: u64 = 1 << 20;
/// Grammars that a process keeps, as its script says.
const KEPT: usize = 5;
/// Stands for the language as a whole.
const FREE: &str = "                ";

/// How to get the recogniser.
const INSTALL: &str = "no offline recogniser is installed: python3 -m pip install pocketsphinx \
                       (in a virtual environment; name its python in DGH_PYTHON)";
const INSTALL_PYTHON: &str = "no offline recogniser is installed: apt-get install python3-venv, \
                              then python3 -m pip install pocketsphinx (name its python in DGH_PYTHON)";

/// Why a process is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Something is not installed: how to get it.
    Missing(String),
    /// It did not answer in time.
    Hung,
    /// It ended, or said what makes no sense.
    Broken(String),
}

/// What was recognised.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Heard {
    pub(super) text: String,
    /// How sure it is of the whole, up to 1.
    pub(super) sure: f64,
}

/// The interpreter that is to be used.
pub(super) fn python() -> Result<PathBuf, String> {
    let named = std::env::var_os(PYTHON).map(PathBuf::from);
    named.or_else(|| program::find("python3")).ok_or_else(|| INSTALL_PYTHON.to_owned())
}

/// A process, that ends with this.
pub(super) struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// Which version of PocketSphinx it has.
    pub(super) version: String,
    /// Grammars that it knows; the one used last is the last.
    known: Vec<String>,
    patience: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
struct Answer {
    ready: Option<String>,
    missing: Option<String>,
    dropped: Option<Vec<String>>,
    text: Option<String>,
    prob: Option<f64>,
    error: Option<String>,
}

impl Worker {
    /// Starts a process, and waits until it can recognise.
    pub(super) async fn start(python: &Path, patience: Duration) -> Result<Self, Trouble> {
        let mut command = program::command(python);
        command.arg("-c").arg(SCRIPT).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| {
            Trouble::Missing(format!("{} cannot be started ({e}): {INSTALL_PYTHON}", python.display()))
        })?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Trouble::Broken("it has no pipes".into()));
        };
        let stdout = BufReader::new(stdout);
        let mut worker = Self { child, stdin, stdout, version: String::new(), known: Vec::new(), patience };
        let answer = match timeout(patience, worker.answer()).await {
            Ok(answer) => answer?,
            Err(_) => return Err(worker.hung().await),
        };
        match answer {
            Answer { ready: Some(version), .. } => worker.version = version,
            Answer { missing: Some(_), .. } => return Err(Trouble::Missing(INSTALL.to_owned())),
            _ => return Err(Trouble::Broken("it does not start".into())),
        }
        Ok(worker)
    }

    /// Whether its process has not ended.
    pub(super) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it has learned a grammar.
    pub(super) fn knows(&self, grammar: &Grammar) -> bool {
        self.known.contains(&grammar.id)
    }

    /// Learns a grammar, if it does not know it. Answers the words that it does not know.
    pub(super) async fn learn(&mut self, grammar: &Grammar) -> Result<Vec<String>, Trouble> {
        if let Some(at) = self.known.iter().position(|id| *id == grammar.id) {
            let id = self.known.remove(at);
            self.known.push(id);
            return Ok(Vec::new());
        }
        let body = serde_json::json!({ "id": grammar.id, "sentences": grammar.sentences }).to_string();
        let answer = self.ask(b'G', &[body.as_bytes()]).await?;
        let dropped = answer.dropped.ok_or_else(|| Trouble::Broken("it does not learn".into()))?;
        if self.known.len() == KEPT {
            self.known.remove(0);
        }
        self.known.push(grammar.id.clone());
        Ok(dropped)
    }

    /// Recognises sound of 16,000 Hz by a grammar that it has learned, or without one.
    pub(super) async fn recognise(
        &mut self,
        grammar: Option<&Grammar>,
        sound: &[u8],
    ) -> Result<Heard, Trouble> {
        let id = grammar.map_or(FREE, |grammar| grammar.id.as_str());
        let answer = self.ask(b'U', &[id.as_bytes(), sound]).await?;
        let text = answer.text.ok_or_else(|| Trouble::Broken("it forgot what it learned".into()))?;
        Ok(Heard { text, sure: answer.prob.unwrap_or_default().clamp(0.0, 1.0) })
    }

    async fn ask(&mut self, kind: u8, parts: &[&[u8]]) -> Result<Answer, Trouble> {
        let patience = self.patience;
        let exchange = async {
            let length: usize = parts.iter().map(|part| part.len()).sum();
            let mut head = vec![kind];
            head.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
            // One that does not read says why by its end.
            let mut sent = self.stdin.write_all(&head).await;
            for part in parts {
                sent = sent.and(self.stdin.write_all(part).await);
            }
            let _ = sent.and(self.stdin.flush().await);
            self.answer().await
        };
        let answer = match timeout(patience, exchange).await {
            Ok(answer) => answer?,
            Err(_) => return Err(self.hung().await),
        };
        match answer.error {
            Some(error) => Err(Trouble::Broken(format!("it failed with {error}"))),
            None => Ok(answer),
        }
    }

    async fn answer(&mut self) -> Result<Answer, Trouble> {
        let mut line = Vec::new();
        let read = (&mut self.stdout).take(MAX_ANSWER).read_until(b'\n', &mut line).await;
        if read.is_err() || line.last() != Some(&b'\n') {
            let _ = self.child.start_kill();
            let status = self.child.wait().await.map(|status| status.to_string()).unwrap_or_default();
            return Err(Trouble::Broken(format!("its process ended ({status})")));
        }
        serde_json::from_slice(&line).map_err(|_| Trouble::Broken("it says what makes no sense".into()))
    }

    /// Ends it, and waits until it is gone.
    async fn hung(&mut self) -> Trouble {
        let _ = self.child.kill().await;
        Trouble::Hung
    }

    #[cfg(test)]
    pub(super) fn process(&self) -> Option<u32> {
        self.child.id()
    }
}
