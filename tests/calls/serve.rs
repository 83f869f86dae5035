//! `dgh serve` as a process of its own, on a free port, with a copy of an example.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use dgh_engine::effect::{Effect, Record};
use dgh_engine::event::Event;
use dgh_engine::log::{KEY_LENGTH, Log, Voice, What, open};
use tempfile::TempDir;

use crate::calls::namespace::Namespace;
use crate::calls::sound::python;
use crate::calls::until;
use crate::support::root;

/// What did not happen in this time does not happen, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a server is started with.
pub(crate) struct Setup {
    folder: TempDir,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    within: Option<Arc<Namespace>>,
}

/// A server. It ends with the test.
pub(crate) struct Served {
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    child: Child,
    folder: TempDir,
    told: Arc<Mutex<String>>,
    within: Option<Arc<Namespace>>,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Setup {
    /// A copy of an example, with the embedded model, the offline voice, and nobody who listens.
    pub(crate) fn example(name: &str) -> Self {
        let setup = Self::empty();
        copy_files(&root().join("examples").join(name), &setup.agent());
        setup
    }

    /// A copy of all examples, with the embedded model, the offline voice and the offline recogniser.
    /// They are patient with callers whose machine is busy.
    pub(crate) fn examples() -> Self {
        let setup = Self::empty();
        for example in std::fs::read_dir(root().join("examples")).unwrap() {
            let from = example.unwrap().path();
            if from.join("agent.dgh").is_file() {
                let to = setup.agent().join(from.file_name().unwrap());
                std::fs::create_dir(&to).unwrap();
                copy_files(&from, &to);
                let agent = to.join("agent.dgh");
                let text = std::fs::read_to_string(&agent).unwrap();
                let parts: Vec<&str> = text.split("on silence(").collect();
                let patient = parts.iter().map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
                std::fs::write(agent, patient.collect::<Vec<_>>().join("on silence(60")).unwrap();
            }
        }
        setup.listens()
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("agent")).unwrap();
        let arguments = ["--llm", "offline", "--insecure-carriers"].map(str::to_owned).to_vec();
        Self { folder, arguments, variables: Vec::new(), within: None }
    }

    fn agent(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    /// The agent is changed before it is served: one text for another.
    pub(crate) fn with(self, old: &str, new: &str) -> Self {
        let path = self.agent().join("agent.dgh");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "the example has no `{old}` any more");
        std::fs::write(path, text.replace(old, new)).unwrap();
        self
    }

    /// What surrounds it is changed before it is served: one text of `dgh.toml` for another.
    pub(crate) fn with_settings(self, old: &str, new: &str) -> Self {
        let path = self.agent().join("dgh.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "the settings of the example have no `{old}` any more");
        std::fs::write(path, text.replace(old, new)).unwrap();
        self
    }

    /// Whoever listens, in words of the language: `deepgram("nova-3", url: "…")`. Its key is there,
    /// and it may be on this machine.
    pub(crate) fn hears(self, stt: &str) -> Self {
        self.provider("stt", stt, "DEEPGRAM_API_KEY")
    }

    /// Whoever speaks.
    pub(crate) fn speaks(self, tts: &str) -> Self {
        self.provider("tts", tts, "CARTESIA_API_KEY")
    }

    /// The offline recogniser listens.
    pub(crate) fn listens(self) -> Self {
        self.argument("--stt").argument("offline").variable("DGH_PYTHON", &python())
    }

    /// Whoever thinks.
    pub(crate) fn thinks(mut self, llm: &str) -> Self {
        let at = self.arguments.iter().position(|argument| argument == "offline").unwrap();
        self.arguments.drain(at - 1..=at);
        self.provider("llm", llm, "OPENAI_API_KEY")
    }

    /// On a network of its own.
    pub(crate) fn within(mut self, namespace: &Arc<Namespace>) -> Self {
        self.within = Some(Arc::clone(namespace));
        self
    }

    fn provider(mut self, kind: &str, used: &str, key: &str) -> Self {
        let path = self.agent().join("agent.dgh");
        let text = std::fs::read_to_string(&path).unwrap();
        let own = format!("  {kind}: ");
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(&own)).collect();
        let at = lines.iter().position(|line| line.starts_with("agent ")).unwrap();
        let line = format!("{own}{used}");
        lines.insert(at + 1, &line);
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
        self.variables.push((key.to_owned(), "stub".to_owned()));
        self.private().argument(&format!("--{kind}")).argument("agent")
    }

    /// The logs of calls that ended, the oldest first.
    pub(crate) fn logs_in(folder: &Path) -> Vec<Kept> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder.join("data/calls"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
            .collect();
        paths.sort();
        let key: [u8; KEY_LENGTH] =
            std::fs::read(folder.join("home/dgh/log.key")).unwrap().try_into().unwrap();
        let opened = |path: PathBuf| {
            let log = open(&std::fs::read(&path).ok()?, &key).ok()?;
            let kept = Kept { path, log };
            kept.ended_by().is_some().then_some(kept)
        };
        paths.into_iter().filter_map(opened).collect()
    }

    fn private(self) -> Self {
        let path = self.agent().join("dgh.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.contains("allow_private") {
            let open = "[profiles.dev]\nallow_private = [\"127.0.0.1\"]\n";
            std::fs::write(path, format!("{open}{}", text.replace("[profiles.dev]\n", ""))).unwrap();
        }
        self
    }

    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    pub(crate) fn without(mut self, argument: &str) -> Self {
        self.arguments.retain(|other| other != argument);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(mut self) -> Served {
        for kind in ["stt", "tts"] {
            if !self.arguments.contains(&format!("--{kind}")) {
                let nobody = if kind == "stt" { "none" } else { "offline" };
                self.arguments.extend([format!("--{kind}"), nobody.to_owned()]);
            }
        }
        let Self { folder, arguments, variables, within } = self;
        let started = with(folder.path(), &arguments, &variables, within.as_deref()).await;
        let (address, child, told) = started;
        Served { address, child, folder, told, within, arguments, variables }
    }
}

/// Starts a server and waits until it listens: where, its process, what it tells.
async fn with(
    folder: &Path,
    arguments: &[String],
    variables: &[(String, String)],
    within: Option<&Namespace>,
) -> (String, Child, Arc<Mutex<String>>) {
    let mut command = dgh(folder, within);
    command
        .args(["serve", "--port", "0"])
        .args(arguments)
        .args(["--data".as_ref(), folder.join("data").as_os_str()])
        .arg(folder.join("agent"))
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let told = Arc::<Mutex<String>>::default();
    for pipe in [Pipe::Out(child.stdout.take().unwrap()), Pipe::Err(child.stderr.take().unwrap())] {
        let told = Arc::clone(&told);
        // It must never wait for us to read.
        std::thread::spawn(move || pipe.read_into(&told));
    }
    let listens = || {
        let told = told.lock().unwrap();
        told.split_whitespace()
            .find_map(|word| Some(word.strip_prefix("http://")?.trim_end_matches('/').to_owned()))
    };
    let address = until(PATIENCE, listens).await;
    let address = address.unwrap_or_else(|| panic!("it does not serve:\n{}", told.lock().unwrap()));
    (address, child, told)
}

impl Served {
    /// What it printed so far.
    pub(crate) fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where everything is.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// The file of the agent.
    pub(crate) fn agent(&self) -> PathBuf {
        self.folder.path().join("agent/agent.dgh")
    }

    /// A figure of `/metrics` by its name and labels as they stand there; none: it is not there.
    pub(crate) async fn figure(&self, name: &str) -> Option<f64> {
        let text = reqwest::get(self.url("/metrics")).await.unwrap().text().await.unwrap();
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Calls that go on.
    pub(crate) async fn live(&self) -> usize {
        let body: serde_json::Value =
            reqwest::get(self.url("/api/calls")).await.unwrap().json().await.unwrap();
        body["calls"].as_array().unwrap().len()
    }

    /// Waits until no call goes on.
    pub(crate) async fn is_idle(&self) {
        let patience = tokio::time::Instant::now() + PATIENCE;
        while self.live().await > 0 {
            assert!(tokio::time::Instant::now() < patience, "a call goes on:\n{}", self.told());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The logs of all calls, the oldest first. They are there soon after a call ended.
    pub(crate) async fn logs(&self, count: usize) -> Vec<Kept> {
        let list = || {
            let logs = Setup::logs_in(&self.folder());
            (logs.len() >= count).then_some(logs)
        };
        until(PATIENCE, list).await.unwrap_or_else(|| panic!("logs are missing:\n{}", self.told()))
    }

    /// The log of the call with this name.
    pub(crate) async fn log_of(&self, call: &str) -> Kept {
        let find = || {
            let mut logs = Setup::logs_in(&self.folder()).into_iter();
            logs.find(|log| log.path.file_stem().is_some_and(|stem| stem == call))
        };
        until(PATIENCE, find).await.unwrap_or_else(|| panic!("the log is missing:\n{}", self.told()))
    }

    /// All calls, for messages; those that are about to end are waited for.
    pub(crate) async fn stories(&self) -> String {
        if self.within.is_none() {
            self.is_idle().await;
        }
        until(Duration::from_secs(5), || (!Setup::logs_in(&self.folder()).is_empty()).then_some(())).await;
        let logs = Setup::logs_in(&self.folder());
        logs.iter().flat_map(|log| [log.log.agent.clone(), ":\n".into(), log.story(), "\n".into()]).collect()
    }

    /// A program on the network on which this server is.
    pub(crate) fn beside(&self, program: &str) -> Command {
        match &self.within {
            Some(namespace) => namespace.command(program),
            None => Command::new(program),
        }
    }

    /// The processes that it started.
    pub(crate) fn children(&self) -> Vec<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).ok();
        let lists: Vec<String> = tasks.flatten().filter_map(of).collect();
        lists.iter().flat_map(|list| list.split_whitespace()).map(|id| id.parse().unwrap()).collect()
    }

    /// The log of the only call.
    pub(crate) async fn log(&self) -> Kept {
        self.logs(1).await.remove(0)
    }

    /// Runs another command of `dgh` beside it.
    pub(crate) fn dgh(&self, arguments: &[&str], path: &Path) -> Output {
        dgh(self.folder.path(), None).args(arguments).arg(path).output().unwrap()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Kills it: SIGKILL, no last words.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, after its end.
    pub(crate) async fn start_again(&mut self) {
        let started =
            with(self.folder.path(), &self.arguments, &self.variables, self.within.as_deref()).await;
        (self.address, self.child, self.told) = started;
    }

    /// Waits for its end.
    pub(crate) async fn exit(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until(PATIENCE, || child.try_wait().unwrap()).await.expect("it ends")
    }

    /// Open files, and resident memory in KiB.
    pub(crate) fn holds(&self) -> (usize, u64) {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count();
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        (files, line.split_whitespace().next().unwrap().parse().unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the server told:\n{}", self.told());
        }
    }
}

/// The log of a call.
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    pub(crate) log: Log,
}

impl Kept {
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.log.entries.iter().filter_map(|entry| match &entry.what {
            What::Effect(Effect::Emit(record)) => Some(record),
            _ => None,
        })
    }

    /// What the caller said, by the transcript.
    pub(crate) fn caller(&self) -> Vec<String> {
        self.of(|record| match record {
            Record::Caller { text } => Some(text.clone()),
            _ => None,
        })
    }

    /// What was heard of the agent.
    pub(crate) fn agent(&self) -> Vec<String> {
        self.of(|record| match record {
            Record::Agent { text, cut } => Some(format!("{text}{}", if *cut { " [cut]" } else { "" })),
            _ => None,
        })
    }

    /// The nodes that were entered.
    pub(crate) fn nodes(&self) -> Vec<String> {
        self.of(|record| match record {
            Record::Entered { node, .. } => Some(node.clone()),
            _ => None,
        })
    }

    /// The outcome, and who ended the call.
    pub(crate) fn ended(&self) -> (Option<String>, String) {
        let ended = self.records().find_map(|record| match record {
            Record::Ended { outcome, ended_by } => Some((outcome.clone(), ended_by.clone())),
            _ => None,
        });
        ended.unwrap_or_else(|| panic!("it did not end: {}", self.story()))
    }

    fn ended_by(&self) -> Option<&str> {
        self.records().find_map(|record| match record {
            Record::Ended { ended_by, .. } => Some(ended_by.as_str()),
            _ => None,
        })
    }

    /// What went wrong, by part.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let trouble = |entry: &dgh_engine::log::Entry| match &entry.what {
            What::Voice(Voice::Trouble { part, message }) => Some(format!("{part}: {message}")),
            _ => None,
        };
        self.log.entries.iter().filter_map(trouble).collect()
    }

    /// Answers of models that failed: why.
    pub(crate) fn failures(&self) -> Vec<String> {
        let failure = |entry: &dgh_engine::log::Entry| match &entry.what {
            What::Event(Event::ReplyClosed { failure: Some(failure), .. }) => Some(failure.clone()),
            _ => None,
        };
        self.log.entries.iter().filter_map(failure).collect()
    }

    /// Events that were raised, as they read.
    pub(crate) fn raised(&self) -> Vec<String> {
        self.of(|record| match record {
            Record::Raised { event } => Some(event.clone()),
            _ => None,
        })
    }

    /// The recording beside it.
    pub(crate) fn recording(&self) -> PathBuf {
        self.path.with_extension("wav")
    }

    /// All of it, for messages.
    pub(crate) fn story(&self) -> String {
        let start = self.log.entries.first().map_or(0, |entry| entry.at.0);
        let line = |entry: &dgh_engine::log::Entry| {
            let told = match &entry.what {
                What::Effect(Effect::Emit(record)) => format!("{record:?}"),
                What::Voice(voice @ (Voice::Trouble { .. } | Voice::FalseInterruption)) => {
                    format!("{voice:?}")
                }
                _ => return None,
            };
            Some(format!("{:>6} ms  {told}", entry.at.0 - start))
        };
        self.log.entries.iter().filter_map(line).collect::<Vec<_>>().join("\n")
    }

    fn of(&self, pick: impl Fn(&Record) -> Option<String>) -> Vec<String> {
        self.records().filter_map(pick).collect()
    }
}

enum Pipe {
    Out(std::process::ChildStdout),
    Err(std::process::ChildStderr),
}

impl Pipe {
    fn read_into(self, told: &Mutex<String>) {
        let read: Box<dyn std::io::Read> = match self {
            Self::Out(out) => Box::new(out),
            Self::Err(err) => Box::new(err),
        };
        let mut lines = BufReader::new(read.take(1 << 20)).lines();
        while let Some(Ok(line)) = lines.next() {
            let mut told = told.lock().unwrap();
            told.push_str(&line);
            told.push('\n');
        }
    }
}

fn copy_files(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// The binary as it is now, or that of `DGH_TEST_DGH`, away from the keys and settings of this machine.
fn dgh(folder: &Path, within: Option<&Namespace>) -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let binary = BUILT.get_or_init(|| {
        if let Ok(other) = std::env::var("DGH_TEST_DGH") {
            return PathBuf::from(other);
        }
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let built = Command::new(cargo).args(["build", "-q", "-p", "dgh-cli"]).current_dir(root()).status();
        assert!(built.expect("cargo runs").success(), "dgh does not build");
        // This test runs in `deps` beside it.
        std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("dgh")
    });
    let mut command = match within {
        Some(namespace) => namespace.command(binary.to_str().unwrap()),
        None => Command::new(binary),
    };
    command.env("XDG_DATA_HOME", folder.join("home")).env("NO_COLOR", "1").env_remove("RUST_LOG");
    for key in
        ["DEEPGRAM_API_KEY", "CARTESIA_API_KEY", "ELEVENLABS_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"]
    {
        command.env_remove(key);
    }
    command
}
