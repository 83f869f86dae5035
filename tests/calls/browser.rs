//! A real Chromium calls every example over WebRTC: it is greeted, understood, interrupts, types,
//! hangs up. Pictures of the page go to `target/screens`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dgh_providers::double::stt::SttServer;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::calls::serve::{Served, Setup};
use crate::calls::sound::{Sound, spoken, write_wav};
use crate::calls::{ASK, CLINIC, WELCOME, deepgram, hears};
use crate::support::root;

/// A browser in which a call is made.
struct Browser {
    folder: TempDir,
    microphone: Sound,
}

/// What it saw.
struct Seen {
    json: Json,
    heard: Sound,
}

impl Browser {
    /// With a microphone that brings silence.
    fn quiet() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            microphone: Sound { rate: 48_000, samples: vec![0; 48_000] },
        }
    }

    /// With a microphone that brings these words, so long after it was opened.
    fn saying(words: &str, after_ms: usize) -> Self {
        let mut samples = vec![0; after_ms * 48];
        samples.extend(spoken(words).at(48_000).samples);
        samples.extend(vec![0; 48_000 * 30]);
        Self { microphone: Sound { rate: 48_000, samples }, ..Self::quiet() }
    }

    /// The step that says words now.
    fn say(&self, words: &str) -> Json {
        let path = self.folder.path().join(format!("{}.wav", words.replace(' ', "-")));
        write_wav(&path, &spoken(words).at(48_000));
        json!(["say", path])
    }

    /// Does what is asked for, one after the other.
    async fn run(self, served: &Served, steps: Vec<Json>) -> Seen {
        let screens = root().join("target/screens");
        std::fs::create_dir_all(&screens).unwrap();
        let microphone = self.folder.path().join("microphone.wav");
        write_wav(&microphone, &self.microphone);
        let heard = self.folder.path().join("heard.pcm");
        let plan = json!({
            "url": served.url("/"), "chromium": variable("DGH_TEST_CHROMIUM"), "packages": packages(),
            "microphone": microphone, "heard": heard, "screens": screens, "steps": steps,
        });
        let json = tokio::task::spawn_blocking(move || drive(&plan)).await.unwrap();
        if !json["failed"].is_null() {
            served.is_idle().await;
            let story = Setup::logs_in(&served.folder()).pop().map(|log| log.story());
            panic!("{json:#}\n{}", story.unwrap_or_default());
        }
        let pcm = std::fs::read(&heard).unwrap();
        let samples = pcm.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        Seen { json, heard: Sound { rate: 16_000, samples } }
    }
}

impl Seen {
    /// The lines of one side.
    fn lines(&self, who: &str) -> Vec<&str> {
        let all = self.json["lines"].as_array().unwrap().iter();
        all.filter(|line| line["who"] == who).map(|line| line["text"].as_str().unwrap()).collect()
    }

    /// What the judge hears first: as much as these words take in the voice that the agent has, and
    /// a little more, because what follows them may follow at once.
    fn greeting(&self, words: &str, known: &[&str]) -> String {
        let loud = self.heard.samples.iter().position(|sample| sample.unsigned_abs() > 500);
        let first = loud.expect("something is heard") as u64 / 16;
        let until = first + spoken(words).ms();
        let heard = [250, 400, 550].map(|more| self.heard.between(first, until + more).heard_as(known));
        heard.into_iter().find(|heard| !heard.is_empty()).unwrap_or_default()
    }

    fn state(&self) -> &str {
        self.json["state"].as_str().unwrap()
    }

    /// The browser itself had nothing to complain about.
    fn is_clean(&self) {
        assert_eq!(self.json["complaints"], json!([]));
    }
}

fn drive(plan: &Json) -> Json {
    let script = root().join("tests/calls/browser.mjs");
    let mut node = Command::new(variable("DGH_TEST_NODE"))
        .arg(script)
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

async fn served(example: &str, stt: &SttServer) -> Served {
    Setup::example(example).hears(&deepgram(stt)).start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_calls_the_clinic_and_talks_over_the_greeting_with_its_microphone() {
    let words = "I would like to book an appointment";
    let stt = hears(&[words]).await;
    let served = served("clinic", &stt).await;
    // The welcome takes 5.2 s and cannot be talked over; the question behind it can.
    let browser = Browser::saying(words, 8_500);
    let steps = vec![
        json!(["shot", "1-ready"]),
        json!(["call"]),
        json!(["state", "talking"]),
        json!(["cut"]),
        json!(["line", words]),
        json!(["node", "request"]),
        json!(["shot", "2-interrupted"]),
        json!(["listens", 600]),
        json!(["type", "Ann Lee, and I need a cleaning tomorrow"]),
        json!(["line", "Ann Lee"]),
        json!(["listens", 1_200]),
        json!(["keys", "1"]),
        json!(["shot", "3-keys"]),
        json!(["hangup"]),
        json!(["state", "ended"]),
        json!(["shot", "4-ended"]),
    ];
    let seen = browser.run(&served, steps).await;
    seen.is_clean();
    let first = "Bright Dental, this is Ada, the automated assistant. This call is recorded.";
    assert_heard(&seen.greeting(first, CLINIC), WELCOME);
    assert_eq!(seen.lines("agent")[0], first);
    assert!(seen.lines("caller").contains(&words), "{:#}", seen.json);
    assert_eq!(seen.state(), "Ended: you hung up");
    let log = served.log().await;
    assert_eq!(log.ended().1, "caller");
    assert!(log.nodes().contains(&"request".into()), "{}", log.story());
    let known: Vec<&str> =
        vec!["i would like to book an appointment", "i would like to cook an ointment", ASK];
    let sides = crate::calls::sound::read_wav(&log.recording());
    assert_eq!(
        sides[0].between(0, 13_000).heard_as(&known),
        words.to_lowercase(),
        "what the microphone brought is recorded"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_calls_the_lead_agent_interrupts_it_and_types() {
    let stt = hears(&["sure", "wait a moment"]).await;
    let served = served("lead", &stt).await;
    let browser = Browser::quiet();
    let steps = vec![
        json!(["call"]),
        json!(["listens", 600]),
        browser.say("sure go ahead"),
        json!(["node", "qualify"]),
        json!(["speaks"]),
        json!(["wait", 400]),
        browser.say("wait a moment I have got to say something"),
        json!(["cut"]),
        json!(["listens", 600]),
        json!(["type", "20 thousand dollars, and we want to start now"]),
        json!(["node", "book"]),
        json!(["shot", "lead"]),
        json!(["hangup"]),
        json!(["state", "ended"]),
    ];
    let seen = browser.run(&served, steps).await;
    seen.is_clean();
    let greeting = "hi sam this is maya an ai assistant from acme solar do you have two minutes";
    let known = [
        greeting,
        "hi tom this is maya an ai assistant from acme solar do you have ten minutes",
        "what is your budget",
    ];
    assert_heard(
        &seen.greeting(
            "Hi Sam, this is Maya, an AI assistant from Acme Solar. Do you have two minutes?",
            &known,
        ),
        greeting,
    );
    assert!(seen.lines("caller").contains(&"sure"), "{:#}", seen.json);
    assert_eq!(seen.state(), "Ended: you hung up (hung_up)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_calls_the_collections_agent_which_ends_the_call() {
    let stt = hears(&["Yes, that is me", "I refuse to pay that"]).await;
    let served = served("collections", &stt).await;
    let browser = Browser::quiet();
    let steps = vec![
        json!(["call"]),
        json!(["node", "ask_name"]),
        json!(["listens", 600]),
        browser.say("yes that is me"),
        json!(["node", "ask_year"]),
        json!(["listens", 600]),
        json!(["keys", "1988#"]),
        json!(["node", "disclose"]),
        json!(["speaks"]),
        json!(["wait", 1_500]),
        browser.say("I refuse to pay that"),
        json!(["state", "ended"]),
        json!(["shot", "collections"]),
    ];
    let seen = browser.run(&served, steps).await;
    seen.is_clean();
    let greeting = "this call is recorded i am an ai assistant";
    let known = [greeting, "this call is not recorded i am a human", "am i speaking with ana diaz"];
    assert_heard(&seen.greeting("This call is recorded. I am an AI assistant.", &known), greeting);
    assert!(seen.lines("caller").contains(&"Yes, that is me"), "{:#}", seen.json);
    assert!(!seen.json["lines"].to_string().contains("1988"), "private keys are not shown: {:#}", seen.json);
    assert_eq!(seen.state(), "Ended: the agent ended the call (refused)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_calls_the_front_desk() {
    let stt = hears(&["I want to buy a saw", "Tell them that Ann Lee called"]).await;
    let served = served("front_desk", &stt).await;
    let browser = Browser::quiet();
    let steps = vec![
        json!(["call"]),
        json!(["listens", 600]),
        browser.say("I want to buy a saw"),
        json!(["node", "take_message"]),
        json!(["speaks"]),
        json!(["wait", 700]),
        browser.say("Tell them that Ann Lee called"),
        json!(["cut"]),
        json!(["listens", 600]),
        json!(["type", "yes, that is right"]),
        json!(["state", "ended"]),
        json!(["shot", "front_desk"]),
    ];
    let seen = browser.run(&served, steps).await;
    seen.is_clean();
    let greeting = "larch and sons this is kim an ai assistant what can i do for you";
    let known = [greeting, "larch and suns this is tim an ai assistant what can we do", WELCOME];
    assert_heard(
        &seen.greeting("Larch and Sons, this is Kim, an AI assistant. What can I do for you?", &known),
        greeting,
    );
    assert!(seen.lines("caller").contains(&"I want to buy a saw"), "{:#}", seen.json);
    assert_eq!(seen.state(), "Ended: the agent ended the call (message_taken)");
}

/// The judge heard these words. On a busy machine the browser may swallow the very last one.
fn assert_heard(heard: &str, words: &str) {
    let all_but_last = words.rsplit_once(' ').map_or(words, |(words, _)| words);
    assert!(heard == words || heard == all_but_last, "heard `{heard}` instead of `{words}`");
}
