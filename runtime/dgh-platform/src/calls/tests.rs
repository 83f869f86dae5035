#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::fs;
use std::task::{Context, Poll};

use dgh_engine::log::{Log, open, replay};
use dgh_engine::{Caller, Prepared};
use dgh_voice::audio::Frame;
use dgh_voice::line::{LineAbout, LineCommand, LineEvent};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::deployment::{Loaded, load};
use crate::{Agent, Options, Project, Wanted};

const KEY: [u8; KEY_LENGTH] = [7; KEY_LENGTH];

const AGENT: &str = r#"dgh 1

agent desk {
  outcome done, gone

  input name: text = "friend"

  start hello

  node hello {
    ask "Hello {{ name }}, shall I go on?"
    when agrees: "They want to go on" like ["yes please"] -> end done { say "Goodbye." }
    when denies: "They do not" like ["no thanks"] -> end gone { say "Goodbye." }
  }
}
"#;

/// A line that types and listens; none to type: the caller stays silent.
pub(super) struct Script {
    about: LineAbout,
    types: VecDeque<&'static str>,
    hears: usize,
}

impl Script {
    pub(super) fn new(types: &[&'static str]) -> Self {
        let about = LineAbout {
            kind: "webrtc",
            rate: 8_000,
            cancels_echo: true,
            shows: true,
            ..LineAbout::default()
        };
        Self { about, types: types.iter().copied().collect(), hears: 0 }
    }
}

impl Line for Script {
    fn about(&self) -> &LineAbout {
        &self.about
    }

    fn poll_event(&mut self, _: &mut Context<'_>, _: &mut Frame) -> Poll<LineEvent> {
        // Answers once the agent has said something.
        match self.types.front() {
            Some(_) if self.hears > 40 => {
                Poll::Ready(LineEvent::Typed(self.types.pop_front().unwrap_or_default().to_owned()))
            }
            _ => Poll::Pending,
        }
    }

    fn send(&mut self, command: LineCommand<'_>) {
        if let LineCommand::Audio(_) = command {
            self.hears += 1;
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

struct House {
    folder: TempDir,
    calls: Arc<Calls>,
    agent: Arc<Agent>,
}

fn house(max: usize) -> House {
    house_that(max, true)
}

fn house_that(max: usize, record: bool) -> House {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("agent.dgh"), AGENT).unwrap();
    let wanted = Wanted { stt: Some("none".into()), tts: Some("none".into()), ..Wanted::default() };
    let project = Project::one(folder.path()).unwrap();
    let options = Options { wanted, ..Options::default() };
    let Loaded::Ready(bundle) = load(&project, project.compile(), &options) else {
        panic!("it cannot be served")
    };
    let agent = Arc::clone(&bundle.agents[0]);
    let data = Some(Data { folder: folder.path().join(".dgh"), key: KEY });
    let calls = Calls::new(Settings { max, data, record, ..Settings::default() }).unwrap();
    House { folder, calls, agent }
}

impl House {
    fn new_call(&self, inputs: &[(&str, &str)]) -> NewCall {
        let agent = Arc::clone(&self.agent);
        NewCall {
            id: "desk".to_owned(),
            agent,
            channel: Channel::Web,
            line: "webrtc",
            caller: Caller::default(),
            inputs: inputs.iter().map(|(name, value)| ((*name).to_owned(), Json::from(*value))).collect(),
            watched: true,
            about: About::default(),
        }
    }

    async fn call(&self, types: &[&'static str]) -> (Arc<Live>, JoinHandle<()>) {
        let pending = self.calls.begin(self.new_call(&[])).await.unwrap();
        (Arc::clone(pending.live()), tokio::spawn(pending.run(Script::new(types))))
    }

    fn log(&self, id: &str) -> Log {
        let path = self.folder.path().join(".dgh/calls").join(format!("{id}.log"));
        open(&fs::read(path).unwrap(), &KEY).unwrap()
    }
}

fn told(live: &Live, kind: &str) -> Vec<Json> {
    let (lines, _) = live.after(0);
    let all = lines.iter().map(|(_, text)| serde_json::from_str::<Json>(text).unwrap());
    all.filter(|line| line["type"] == kind).collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_is_made_watched_logged_and_recorded() {
    let house = house(2);
    let (live, call) = house.call(&["yes please"]).await;
    call.await.unwrap();
    house.calls.drain(Duration::ZERO).await;
    let summary = live.summary();
    assert_eq!(summary.state, State::Ended);
    assert_eq!((summary.outcome.as_deref(), summary.ended_by.as_deref()), (Some("done"), Some("agent")));
    assert_eq!((summary.turns, summary.node.as_deref()), (1, Some("hello")));
    let words: Vec<Json> = told(&live, "speech").iter().map(|line| line["text"].clone()).collect();
    assert_eq!(words, ["Hello friend, shall I go on?", "Goodbye."]);
    let ended = told(&live, "ended");
    assert_eq!((ended.len(), &ended[0]["outcome"]), (1, &Json::from("done")));
    // What was written as the call went on replays.
    let log = house.log(&summary.id);
    let compiled = Project::one(house.folder.path()).unwrap().compile();
    let replayed = replay(&Prepared::new(Arc::new(compiled.program)), &log).unwrap();
    assert!(replayed.effects > 5 && replayed.call.is_over());
    let sound = house.folder.path().join(".dgh/calls").join(format!("{}.wav", summary.id));
    assert!(fs::metadata(sound).unwrap().len() > 1_000);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn what_a_call_leaves_behind_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = house(2);
    let (live, call) = house.call(&["yes please"]).await;
    call.await.unwrap();
    house.calls.drain(Duration::ZERO).await;
    let folder = house.folder.path().join(".dgh/calls");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for ending in ["log", "wav"] {
        assert_eq!(mode(&folder.join(format!("{}.{ending}", live.summary().id))), 0o600, "{ending}");
    }
    assert_eq!(fs::read_to_string(house.folder.path().join(".dgh/.gitignore")).unwrap(), "*\n");
}

#[tokio::test]
async fn there_are_no_more_calls_than_there_may_be() {
    let house = house(1);
    let first = house.calls.begin(house.new_call(&[])).await.unwrap();
    assert!(matches!(house.calls.begin(house.new_call(&[])).await, Err(Refused::Full(1))));
    let live = Arc::clone(first.live());
    first.fail("nobody there".to_owned());
    assert_eq!(house.calls.count(), 0);
    let summary = live.summary();
    assert_eq!(
        (summary.ended_by.as_deref(), summary.why.as_deref()),
        (Some("not_connected"), Some("nobody there"))
    );
    assert!(house.calls.begin(house.new_call(&[])).await.is_ok());
}

#[tokio::test]
async fn a_call_that_cannot_start_is_told_before_it_rings() {
    let house = house(1);
    let Err(Refused::Start(error)) = house.calls.begin(house.new_call(&[("nmae", "x")])).await else {
        panic!()
    };
    assert!(error.to_string().contains("did you mean `name`?"), "{error}");
    assert_eq!(house.calls.count(), 0);
    let mut phone = house.new_call(&[]);
    phone.line = "twilio";
    assert!(matches!(house.calls.begin(phone).await, Err(Refused::NoVoice(_))));
}

#[tokio::test(start_paused = true)]
async fn draining_lets_calls_end_and_ends_those_that_do_not() {
    // A disk takes real time, which passes here while nothing else happens.
    let house = house_that(5, false);
    let (polite, first) = house.call(&["yes please"]).await;
    let (silent, second) = house.call(&[]).await;
    tokio::task::yield_now().await;
    let calls = Arc::clone(&house.calls);
    let draining = tokio::spawn(async move { calls.drain(Duration::from_secs(20)).await });
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(matches!(house.calls.begin(house.new_call(&[])).await, Err(Refused::Draining)));
    assert_eq!(draining.await.unwrap(), 0);
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(polite.summary().outcome.as_deref(), Some("done"));
    assert_eq!(silent.summary().ended_by.as_deref(), Some("operator"));
    let words = told(&silent, "speech").pop().unwrap();
    assert_eq!(words["text"], "I am sorry, this call has to end now. Please call again. Goodbye.");
    let heard = told(&silent, "record").into_iter().map(|line| line["record"].clone());
    let heard: Vec<Json> = heard.filter(|record| record["what"] == "agent").collect();
    assert_eq!(heard.last().unwrap()["text"], words["text"], "it is heard to its end");
    assert_eq!(told(&polite, "speech").pop().unwrap()["text"], "Goodbye.");
}

#[tokio::test(start_paused = true)]
async fn the_caller_can_hang_up_by_other_means() {
    let house = house(1);
    let (live, call) = house.call(&[]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    live.hang_up();
    call.await.unwrap();
    assert_eq!(live.summary().ended_by.as_deref(), Some("caller"));
    assert!(house.calls.get(&live.summary().id).is_some(), "it is remembered");
    assert!(house.calls.live().is_empty());
}

#[test]
fn only_the_key_is_the_key() {
    let (send, _inbox) = mpsc::channel(1);
    let summary = Summary {
        id: "1".into(),
        agent: "a".into(),
        channel: "web",
        line: "webrtc",
        started: 0,
        state: State::Connecting,
        node: None,
        turns: 0,
        outcome: None,
        ended_by: None,
        why: None,
    };
    let live = Live::new(summary, "abcd".to_owned(), true, send);
    assert!(live.is_key("abcd"));
    for other in ["", "abc", "abcde", "abce", "xbcd"] {
        assert!(!live.is_key(other), "{other}");
    }
}
