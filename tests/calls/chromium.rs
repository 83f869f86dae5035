//! A real Chromium that calls agents: what it is told to do, and what it saw and heard.
//!
//! There is one at a time: a call takes half a core of a small machine, and sound does not wait.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::calls::serve::Served;
use crate::calls::sound::{Sound, spoken, write_wav};
use crate::support::root;

/// A browser in which calls are made, as many at once as there are cores.
pub(crate) struct Browser {
    folder: TempDir,
    microphone: Sound,
    allowed: bool,
    pages: Vec<Json>,
}

/// What was seen and heard on one page.
pub(crate) struct Seen {
    pub(crate) json: Json,
    pub(crate) heard: Sound,
}

impl Browser {
    /// With a microphone that brings silence.
    pub(crate) fn quiet() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            microphone: Sound { rate: 48_000, samples: vec![0; 48_000] },
            allowed: true,
            pages: Vec::new(),
        }
    }

    /// With a microphone that brings these words again and again, with so much silence before them.
    pub(crate) fn saying(words: &str, silent_ms: usize) -> Self {
        let mut samples = vec![0; silent_ms * 48];
        samples.extend(spoken(words).at(48_000).samples);
        Self { microphone: Sound { rate: 48_000, samples }, ..Self::quiet() }
    }

    /// With a microphone that no page may use.
    pub(crate) fn refusing() -> Self {
        Self { allowed: false, ..Self::quiet() }
    }

    /// The step that says words when the agent is silent, until they lead to a node.
    pub(crate) fn answer(&self, words: &str, node: &str) -> Json {
        json!(["answer", self.wav(words), node])
    }

    /// The step that says words while the agent speaks, until it stops.
    pub(crate) fn interrupt(&self, words: &str) -> Json {
        // The recogniser needs a while on a busy machine.
        json!(["interrupt", self.wav(words), spoken(words).ms() + 4_000])
    }

    fn wav(&self, words: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{}.wav", words.replace(' ', "-")));
        write_wav(&path, &spoken(words).at(48_000));
        path
    }

    /// A page that calls an agent, and what is done on it, one after the other.
    pub(crate) fn page(&mut self, served: &Served, agent: &str, steps: Vec<Json>) {
        let heard = self.folder.path().join(format!("{}.pcm", self.pages.len()));
        self.pages.push(json!({ "url": served.url(&format!("/#{agent}")), "heard": heard, "steps": steps }));
    }

    /// The last page reaches the server through a relay alone.
    pub(crate) fn relayed(&mut self) {
        self.pages.last_mut().unwrap()["relayed"] = true.into();
    }

    /// Does everything; what was seen on each page.
    pub(crate) async fn run(self, served: &Served) -> Vec<Seen> {
        static ONE: Mutex<()> = Mutex::const_new(());
        let _one = ONE.lock().await;
        let screens = root().join("target/screens");
        std::fs::create_dir_all(&screens).unwrap();
        let microphone = self.folder.path().join("microphone.wav");
        write_wav(&microphone, &self.microphone);
        let plan = json!({
            "chromium": variable("DGH_TEST_CHROMIUM"), "packages": packages(), "screens": screens,
            "microphone": microphone, "allowed": self.allowed, "pages": self.pages,
        });
        let node = served.beside(&variable("DGH_TEST_NODE"));
        let all = tokio::task::spawn_blocking(move || drive(node, &plan)).await.unwrap();
        let all = all.as_array().unwrap();
        let failed = all.iter().any(|json| !json["failed"].is_null());
        assert!(!failed, "{all:#?}\n{}", served.stories().await);
        let seen = |(json, page): (&Json, &Json)| {
            let pcm = std::fs::read(page["heard"].as_str().unwrap()).unwrap();
            let samples = pcm.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
            Seen { json: json.clone(), heard: Sound { rate: 16_000, samples } }
        };
        all.iter().zip(&self.pages).map(seen).collect()
    }

    /// The same, for the only page.
    pub(crate) async fn run_one(self, served: &Served) -> Seen {
        self.run(served).await.remove(0)
    }
}

impl Seen {
    /// The lines of one side.
    pub(crate) fn lines(&self, who: &str) -> Vec<&str> {
        let all = self.json["lines"].as_array().unwrap().iter();
        all.filter(|line| line["who"] == who).map(|line| line["text"].as_str().unwrap()).collect()
    }

    /// The agent's first words reached the ear: a judge hears them, in the time that they take in the
    /// voice that the agent has and a little more, because what follows them may follow at once.
    pub(crate) fn is_greeted(&self, words: &str, known: &[&str]) {
        assert_eq!(self.lines("agent")[0], words);
        let loud = self.heard.samples.iter().position(|sample| sample.unsigned_abs() > 500);
        let first = loud.expect("something is heard") as u64 / 16;
        let until = first + spoken(words).ms();
        let plain: String =
            words.chars().filter(|letter| letter.is_alphanumeric() || " '".contains(*letter)).collect();
        let plain = plain.to_lowercase();
        let known: Vec<&str> = known.iter().copied().chain([plain.as_str()]).collect();
        // On a busy machine the browser may swallow the very last word.
        let but_last = plain.rsplit_once(' ').map_or(plain.as_str(), |(words, _)| words);
        let heard: Vec<String> = [250, 400, 550]
            .map(|more| self.heard.between(first, until + more).heard_as(&known))
            .into_iter()
            .collect();
        assert!(heard.iter().any(|heard| heard == &plain || heard == but_last), "{heard:?} is not `{plain}`");
    }

    /// The caller's words, as the transcript has them.
    pub(crate) fn understood(&self, words: &str) {
        let lines = self.lines("caller");
        assert!(lines.iter().any(|line| line.to_lowercase().contains(words)), "{:#}", self.json);
    }

    /// The caller talked over the agent.
    pub(crate) fn interrupted(&self) {
        let lines = self.json["lines"].as_array().unwrap();
        assert!(lines.iter().any(|line| line["who"] == "agent" && line["cut"] == true), "{:#}", self.json);
    }

    /// A part of the page, as it reads at the end.
    pub(crate) fn text(&self, part: &str) -> &str {
        self.json[part].as_str().unwrap()
    }

    /// The browser itself had nothing to complain about.
    pub(crate) fn is_clean(&self) {
        assert_eq!(self.json["complaints"], json!([]));
    }
}

fn drive(mut node: Command, plan: &Json) -> Json {
    let mut node = node
        .arg(root().join("tests/calls/browser.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the Node.js of DGH_TEST_NODE starts");
    node.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let seen = node.wait_with_output().unwrap();
    assert!(seen.status.success(), "the browser could not be driven");
    serde_json::from_slice(&seen.stdout).unwrap()
}

/// A part that is missing is no success.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: DGH_TEST_CHROMIUM is the path of Chromium, DGH_TEST_NODE that of Node.js; \
             tests/run sets both up"
        )
    })
}

/// Where `playwright-core` is.
fn packages() -> PathBuf {
    let folder = root().join("target/test-node");
    assert!(is_there(&folder), "playwright-core is not in {}; tests/run puts it there", folder.display());
    folder
}

fn is_there(folder: &Path) -> bool {
    folder.join("node_modules/playwright-core/package.json").is_file()
}
