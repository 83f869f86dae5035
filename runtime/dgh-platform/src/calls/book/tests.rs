#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use dgh_engine::event::Command;
use dgh_engine::{Caller, Direction};
use dgh_ir::program::Channel;
use dgh_store::accounts::orgs;
use dgh_store::calls::{CallRow, Filter, Sort};
use dgh_store::deliveries;
use dgh_store::testing::postgres_url;
use futures::FutureExt as _;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::*;
use crate::calls::tests::Script;
use crate::calls::{About, Calls, Data, Live, NewCall, Refused, Settings};
use crate::deployment::{Loaded, load};
use crate::platform::Settings as PlatformSettings;
use crate::{Options, Project, Wanted};

const KEY: [u8; KEY_LENGTH] = [7; KEY_LENGTH];
/// Long enough for a box that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

const AGENT: &str = r#"dgh 1

agent desk {
  outcome done, gone
  tags: ["front"]

  var day: text = "Monday" "The day"

  start hello

  node hello {
    ask "Shall I go on?"
    when agrees: "They want to go on" like ["yes please"] -> end done {
      set day = "Tuesday"
      say "Goodbye."
    }
    when denies: "They do not" like ["no thanks"] -> end gone { say "Goodbye." }
  }

  webhook crm on call.ended {
    post: "https://crm.example.org/calls"
    body: { outcome: call.outcome?, ended_by: call.ended_by, day: day? }
  }
}
"#;

/// A node: a process of its own, but for the process.
struct Node {
    platform: Arc<Platform>,
    calls: Arc<Calls>,
    book: Arc<Book>,
    agent: Arc<Agent>,
    org: OrgId,
}

/// Knows one agent.
struct One(Arc<Agent>, Mutex<bool>);

impl Roster for One {
    fn pinned<'a>(&'a self, _: &'a CallRow) -> BoxFuture<'a, Option<Arc<Agent>>> {
        let found = (*self.1.lock().unwrap()).then(|| Arc::clone(&self.0));
        async move { found }.boxed()
    }
}

async fn node(data: &Path, database: Option<&String>, lease: Duration) -> Node {
    node_with(data, database, lease, false).await
}

async fn node_with(data: &Path, database: Option<&String>, lease: Duration, files_elsewhere: bool) -> Node {
    fs::create_dir_all(data).unwrap();
    fs::write(data.join("agent.dgh"), AGENT).unwrap();
    let shared = data.parent().unwrap().join("keys");
    let keys = fs::read_to_string(&shared).ok().map(|text| {
        let keys: Vec<&str> =
            text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        keys.join(",").into()
    });
    let settings =
        PlatformSettings { database: database.cloned(), keys, ..PlatformSettings::in_folder(data) };
    let (platform, _) = Platform::open(settings).await.unwrap();
    let platform = Arc::new(platform);
    if !shared.exists() {
        fs::copy(data.join("keys"), shared).unwrap();
    }
    let org = {
        let mut conn = platform.db.read().acquire().await.unwrap();
        orgs::first_unscoped(&mut conn).await.unwrap().unwrap().id
    };
    let wanted = Wanted { stt: Some("none".into()), tts: Some("none".into()), ..Wanted::default() };
    let project = Project::one(data).unwrap();
    let options = Options { wanted, ..Options::default() };
    let Loaded::Ready(bundle) = load(&project, project.compile(), &options) else {
        panic!("it cannot be served")
    };
    let agent = Arc::clone(&bundle.agents[0]);
    let settings = BookSettings {
        lease,
        beat: Duration::from_millis(100),
        poll: Duration::from_millis(50),
        files_elsewhere,
        ..BookSettings::default()
    };
    let book = Book::open(Arc::clone(&platform), org.clone(), KEY, settings).await.unwrap();
    let folder = data.to_path_buf();
    let calls = Calls::new(Settings {
        data: Some(Data { folder, key: KEY }),
        record: true,
        book: Some(Arc::clone(&book)),
        ..Settings::default()
    })
    .unwrap();
    calls.serve(Arc::new(One(Arc::clone(&agent), Mutex::new(true))));
    Node { platform, calls, book, agent, org }
}

impl Node {
    fn wanted(&self) -> NewCall {
        NewCall {
            id: "desk".to_owned(),
            agent: Arc::clone(&self.agent),
            channel: Channel::Web,
            line: "webrtc",
            caller: Caller { phone: Some("+14155550100".into()), language: None },
            inputs: Vec::new(),
            watched: false,
            about: About { direction: Some(Direction::Inbound), ..About::default() },
        }
    }

    async fn call(&self, types: &[&'static str]) -> (CallId, Arc<Live>, JoinHandle<()>) {
        let pending = self.calls.begin(self.wanted()).await.unwrap();
        let live = Arc::clone(pending.live());
        let id = CallId::parse(&live.summary().id).unwrap();
        (id, live, tokio::spawn(pending.run(Script::new(types))))
    }

    async fn row(&self, id: &CallId) -> CallRow {
        let mut conn = self.book.read().await.unwrap();
        calls::get(&mut conn, &self.org, id).await.unwrap().unwrap()
    }

    async fn until(&self, id: &CallId, holds: impl Fn(&CallRow) -> bool) -> CallRow {
        let since = Instant::now();
        loop {
            let row = self.row(id).await;
            if holds(&row) {
                return row;
            }
            assert!(since.elapsed() < PATIENCE, "{row:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn deliveries(&self, id: &CallId) -> Vec<deliveries::Delivery> {
        let mut conn = self.book.read().await.unwrap();
        let filter = deliveries::Filter { call: Some(id.as_str()), ..deliveries::Filter::default() };
        deliveries::list(&mut conn, &self.org, &filter, None, 10).await.unwrap()
    }

    async fn going(&self) -> i64 {
        let mut conn = self.book.read().await.unwrap();
        calls::usage_of_limits(&mut conn, &self.org, now()).await.unwrap().2
    }
}

/// A folder, and a database of each kind.
async fn places() -> [(TempDir, Option<String>); 2] {
    [(TempDir::new().unwrap(), None), (TempDir::new().unwrap(), Some(postgres_url().await))]
}

const LONG: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_written_down_from_its_place_to_its_files() {
    for (folder, url) in places().await {
        let (data, elsewhere) = (folder.path().join("a"), url.is_some());
        let node = node_with(&data, url.as_ref(), LONG, elsewhere).await;
        let (id, _, call) = node.call(&["yes please"]).await;
        node.until(&id, |row| row.state == "live" && row.at_node.is_some()).await;
        assert_eq!(node.going().await, 1);
        call.await.unwrap();
        let row = node.until(&id, |row| row.state == "ended").await;
        assert_eq!((row.outcome.as_deref(), row.ended_by.as_deref()), (Some("done"), Some("agent")));
        assert_eq!(
            (row.turns, row.at_node.as_deref(), row.direction.as_str()),
            (1, Some("hello"), "inbound")
        );
        assert!(row.duration_ms.unwrap() > 0 && row.caller.as_deref() == Some("+14155550100"));
        assert_eq!(node.going().await, 0);
        let crm = node.deliveries(&id).await;
        assert_eq!(crm.len(), 1);
        assert_eq!((crm[0].webhook.as_str(), crm[0].event.as_str()), ("crm", "call.ended"));
        let mut conn = node.book.read().await.unwrap();
        assert_eq!(
            calls::values_of(&mut conn, &node.org, &id).await.unwrap(),
            [("day".into(), "Tuesday".into())]
        );
        assert_eq!(calls::tags_of(&mut conn, &node.org, &id).await.unwrap(), ["front"]);
        let usage = calls::usage_of(&mut conn, &node.org, &id).await.unwrap();
        assert!(usage.iter().any(|used| used.part == "llm" && used.requests > 0), "{usage:?}");
        drop(conn);
        // The files are stored, and the parts of the log are no longer needed.
        let since = Instant::now();
        let files = loop {
            let mut conn = node.book.read().await.unwrap();
            let files = artifacts::of_call(&mut conn, &node.org, &id).await.unwrap();
            if files.len() == 3 && files.iter().all(|file| file.state == "stored") {
                assert!(calls::whole_log(&mut conn, &node.org, &id).await.unwrap().is_empty());
                break files;
            }
            assert!(since.elapsed() < PATIENCE, "{files:?}");
            drop(conn);
            sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(
            files.iter().map(|file| file.kind.as_str()).collect::<Vec<_>>(),
            [LOG, RECORDING, TRANSCRIPT]
        );
        assert!(files.iter().all(|file| file.bytes.unwrap() > 0));
        for ending in ["log", "wav"] {
            let (here, there) =
                (path_of(&data, id.as_str(), ending), path_of(&data.join("objects"), id.as_str(), ending));
            assert_eq!(there.exists(), elsewhere, "{ending}");
            // It goes here when everybody knows that it is there.
            let since = Instant::now();
            while elsewhere && here.exists() {
                assert!(since.elapsed() < PATIENCE, "{ending}");
                sleep(Duration::from_millis(20)).await;
            }
            assert_eq!(here.exists(), !elsewhere, "{ending}");
        }
        let row = node.row(&id).await;
        let said = node.book.transcript(&row).await.unwrap().unwrap();
        let words: Vec<&str> =
            said["turns"].as_array().unwrap().iter().map(|turn| turn["text"].as_str().unwrap()).collect();
        // A caller who is slow to answer may be asked once more in between.
        assert_eq!(words.first(), Some(&"Shall I go on?"), "{words:?}");
        assert!(words.ends_with(&["yes please", "Goodbye."]), "{words:?}");
        let lines = node.book.lines(&row).await.unwrap();
        let route = lines.iter().find(|line| line.what["what"] == "route").unwrap();
        assert!(route.what["why"].as_str().is_some(), "{route:?}");
        // Whoever follows it now sees all of it, and its end.
        let mut follower = node.book.follow(&row, 0);
        let mut seen = Vec::new();
        while let Some(lines) = follower.more().await.unwrap() {
            seen.extend(lines);
        }
        assert_eq!(seen, lines);
        let file = files.iter().find(|file| file.kind == RECORDING).unwrap();
        let opened = node.book.files().open(file, ByteRange::read("bytes=0-3")).await.unwrap();
        let bytes: Vec<u8> =
            futures::TryStreamExt::try_collect::<Vec<_>>(opened.bytes).await.unwrap().concat();
        assert_eq!(bytes, b"RIFF");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_never_connects_ends_and_tells_it() {
    for (folder, url) in places().await {
        let node = node(&folder.path().join("a"), url.as_ref(), LONG).await;
        let pending = node.calls.begin(node.wanted()).await.unwrap();
        let id = CallId::parse(&pending.live().summary().id).unwrap();
        assert_eq!(node.row(&id).await.state, "connecting");
        pending.fail("the browser went away".to_owned());
        let row = node.until(&id, |row| row.state == "ended").await;
        assert_eq!(row.ended_by.as_deref(), Some("not_connected"));
        assert_eq!((row.why.as_deref(), row.duration_ms), (Some("the browser went away"), Some(0)));
        assert_eq!(node.deliveries(&id).await.len(), 1, "call.ended is told for every call");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_is_of_the_organisation_wherever_its_calls_are() {
    let folder = TempDir::new().unwrap();
    let url = postgres_url().await;
    let one = node(&folder.path().join("a"), Some(&url), LONG).await;
    let two = node(&folder.path().join("b"), Some(&url), LONG).await;
    let mut tx = one.platform.db.begin().await.unwrap();
    calls::set_org_limit(&mut tx, &one.org, Some(1)).await.unwrap();
    tx.commit().await.unwrap();
    let first = one.calls.begin(one.wanted()).await.unwrap();
    let refused = two.calls.begin(two.wanted()).await;
    assert!(matches!(refused, Err(Refused::NoPlace { max: 1, .. })));
    assert_eq!(two.calls.count(), 0, "a call that is refused has no place here either");
    let id = CallId::parse(&first.live().summary().id).unwrap();
    drop(first);
    one.until(&id, |row| row.state == "ended").await;
    assert!(two.calls.begin(two.wanted()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_node_left_is_ended_by_another_with_all_that_follows() {
    let folder = TempDir::new().unwrap();
    let url = postgres_url().await;
    let dead = node(&folder.path().join("a"), Some(&url), Duration::from_millis(700)).await;
    let heir = node(&folder.path().join("b"), Some(&url), Duration::from_millis(700)).await;
    let (id, _, call) = dead.call(&[]).await;
    // What was said is flushed.
    let since = Instant::now();
    loop {
        let mut conn = heir.book.read().await.unwrap();
        if calls::whole_log(&mut conn, &heir.org, &id).await.unwrap().len() > 500 {
            break;
        }
        assert!(since.elapsed() < PATIENCE);
        drop(conn);
        sleep(Duration::from_millis(50)).await;
    }
    // It says nothing more, and its call is not ended: as after a kill.
    call.abort();
    let Node { calls, book, .. } = dead;
    drop(calls);
    let row = heir.until(&id, |row| row.state == "ended").await;
    assert_eq!((row.ended_by.as_deref(), row.outcome.as_deref()), (Some("lost"), None));
    assert_eq!(row.at_node.as_deref(), Some("hello"));
    let crm = heir.deliveries(&id).await;
    assert_eq!(crm.len(), 1);
    let shown: Json = serde_json::from_str(crm[0].shown.as_deref().unwrap()).unwrap();
    assert_eq!(shown, json!({ "ended_by": "lost", "day": "Monday" }));
    assert_eq!(heir.going().await, 0, "its place is free");
    let said = heir.book.transcript(&row).await.unwrap().unwrap();
    assert_eq!(said["call"], id.as_str());
    drop(book);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_task_broke_off_is_ended_from_its_log() {
    for (folder, url) in places().await {
        let node = node(&folder.path().join("a"), url.as_ref(), LONG).await;
        let (id, live, call) = node.call(&[]).await;
        node.until(&id, |row| row.state == "live" && row.at_node.is_some()).await;
        call.abort();
        let row = node.until(&id, |row| row.state == "ended").await;
        assert_eq!(row.ended_by.as_deref(), Some("lost"));
        assert_eq!(node.deliveries(&id).await.len(), 1);
        assert_eq!(node.calls.count(), 0);
        assert_eq!(live.summary().state, crate::calls::State::Ended);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_reach_the_call_on_whichever_node_they_are_left() {
    let folder = TempDir::new().unwrap();
    let url = postgres_url().await;
    let here = node(&folder.path().join("a"), Some(&url), LONG).await;
    let there = node(&folder.path().join("b"), Some(&url), LONG).await;
    let (id, _, call) = here.call(&[]).await;
    here.until(&id, |row| row.state == "live").await;
    let leave = async |kind: &'static str, payload: Json| {
        let told = Told { kind, payload, external: None, by_whom: None };
        let mut tx = there.platform.db.begin().await.unwrap();
        let left = there.book.post(&mut tx, &there.org, &id, told, now()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        there.book.hint(&id).await;
        left
    };
    let set = Command::Set { name: "day".into(), value: json!("Friday") };
    leave("operator", serde_json::to_value(set).unwrap()).await;
    let whisper = Command::Whisper { text: "Be brief".into() };
    leave("operator", serde_json::to_value(whisper).unwrap()).await;
    let say = Command::Say { text: "A colleague joins us.".into() };
    let left = leave("operator", serde_json::to_value(say).unwrap()).await;
    let since = Instant::now();
    loop {
        let mut conn = there.book.read().await.unwrap();
        let told = calls::told(&mut conn, &there.org, &id, &left).await.unwrap().unwrap();
        if told.as_deref() == Some("taken") {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "{told:?}");
        drop(conn);
        sleep(Duration::from_millis(50)).await;
    }
    leave("hangup", json!({})).await;
    call.await.unwrap();
    let row = there.until(&id, |row| row.state == "ended").await;
    assert_eq!(row.ended_by.as_deref(), Some("operator"));
    let mut conn = there.book.read().await.unwrap();
    assert_eq!(
        calls::values_of(&mut conn, &there.org, &id).await.unwrap(),
        [("day".into(), "Friday".into())]
    );
    drop(conn);
    let lines = there.book.lines(&row).await;
    // The file may still be where the call was; what was flushed is everywhere.
    let lines = match lines {
        Ok(lines) => lines,
        Err(_) => here.book.lines(&row).await.unwrap(),
    };
    let did: Vec<&str> = lines
        .iter()
        .filter(|line| line.what["what"] == "operator")
        .map(|line| line.what["did"].as_str().unwrap())
        .collect();
    assert_eq!(did, ["set", "whisper", "say"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_while_the_database_is_away_and_nothing_is_lost() {
    use dgh_store::testing::Gate;
    let folder = TempDir::new().unwrap();
    let gate = Gate::to(&postgres_url().await).await;
    let node = node(&folder.path().join("a"), Some(&gate.url().to_owned()), LONG).await;
    let (id, live, call) = node.call(&["yes please"]).await;
    node.until(&id, |row| row.state == "live").await;
    gate.shut();
    call.await.unwrap();
    assert_eq!(live.summary().outcome.as_deref(), Some("done"), "the caller noticed nothing");
    assert!(node.calls.begin(node.wanted()).await.is_err(), "a call that cannot be written down is refused");
    assert_eq!(node.calls.count(), 0);
    gate.open();
    let since = Instant::now();
    loop {
        if let Ok(mut conn) = node.book.read().await
            && let Ok(Some(row)) = calls::get(&mut conn, &node.org, &id).await
            && row.state == "ended"
        {
            assert_eq!(row.outcome.as_deref(), Some("done"));
            break;
        }
        assert!(since.elapsed() < PATIENCE);
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(node.deliveries(&id).await.len(), 1);
    let mut conn = node.book.read().await.unwrap();
    let all = calls::list(&mut conn, &node.org, &Filter::default(), Sort::Newest, None, 10).await.unwrap();
    assert_eq!(all.len(), 1);
}
