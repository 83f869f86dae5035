#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::large_futures)]

use std::fs;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::platform::Settings;
use crate::{Platform, Wanted, watcher};

fn agent(name: &str, words: &str) -> String {
    format!(
        "dgh 1\n\nagent {name} {{\n  outcome done\n  start hello\n  node hello {{\n    ask \"{words}\"\n    \
         when bye: \"They say goodbye\" -> end done\n  }}\n}}\n"
    )
}

struct House {
    folder: TempDir,
    data: TempDir,
    agents: Arc<Agents>,
    served: Arc<Folder>,
}

impl House {
    async fn new() -> Self {
        let (folder, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        Self::open(folder, data).await
    }

    async fn open(folder: TempDir, data: TempDir) -> Self {
        let (platform, _) = Platform::open(Settings::in_folder(data.path())).await.unwrap();
        let wanted = Wanted { stt: Some("none".into()), tts: Some("none".into()), ..Wanted::default() };
        let agents = Agents::new(Arc::new(platform), Options { wanted, ..Options::default() });
        let home = agents.home().await.unwrap();
        let served = Folder::new(Arc::clone(&agents), home, folder.path());
        Self { folder, data, agents, served }
    }

    /// The process ends, and another one begins.
    async fn again(self) -> Self {
        let Self { folder, data, agents, served } = self;
        let db = agents.platform().db.clone();
        drop((agents, served));
        db.close().await;
        Self::open(folder, data).await
    }

    async fn told(&self) -> Vec<String> {
        let mut all = Vec::new();
        self.served.sync(|told| all.push(line(&told))).await.unwrap();
        all
    }

    async fn served(&self) -> Vec<String> {
        let home = self.agents.home().await.unwrap();
        self.agents.live(&home).await.unwrap().into_iter().map(|(slug, _)| slug).collect()
    }

    async fn get(&self, slug: &str) -> Arc<Agent> {
        self.served.warm(slug).await.unwrap()
    }
}

fn line(told: &Told<'_>) -> String {
    match told {
        Told::Serves(project, _) => format!("serves {}", project.entry),
        Told::Broken(project, compiled) => format!("broken {} {}", project.entry, compiled.has_errors()),
        Told::Unusable(project, error) => format!("unusable {} {error:#}", project.entry),
        Told::Gone(_) => "gone".to_owned(),
    }
}

fn number(agent: &Arc<Agent>) -> i64 {
    agent.pinned.as_ref().unwrap().release.as_ref().unwrap().1
}

#[tokio::test]
async fn a_broken_file_keeps_what_was_served() {
    let house = House::new().await;
    let file = house.folder.path().join("agent.dgh");
    fs::write(&file, agent("desk", "Hello?")).unwrap();
    assert_eq!(house.told().await, ["serves agent.dgh"]);
    let before = house.get("desk").await;
    assert!(house.told().await.is_empty(), "nothing changed");
    assert!(Arc::ptr_eq(&before, &house.get("desk").await), "connections stay");

    fs::write(&file, "dgh 1\nagent desk {\n").unwrap();
    assert_eq!(house.told().await, ["broken agent.dgh true"]);
    assert!(Arc::ptr_eq(&before, &house.get("desk").await));
    assert_eq!(house.agents.broken().len(), 1);

    fs::write(&file, agent("desk", "Who is there?")).unwrap();
    assert_eq!(house.told().await, ["serves agent.dgh"]);
    let after = house.get("desk").await;
    assert_ne!(after.hash(), before.hash());
    assert_eq!((number(&before), number(&after)), (1, 2));
    assert!(house.agents.broken().is_empty());
}

#[tokio::test]
async fn what_was_published_is_there_after_a_restart_and_published_once() {
    let house = House::new().await;
    let file = house.folder.path().join("agent.dgh");
    fs::write(&file, agent("desk", "Hello?")).unwrap();
    assert_eq!(house.told().await, ["serves agent.dgh"]);
    let house = house.again().await;
    assert_eq!(house.told().await, ["serves agent.dgh"]);
    assert_eq!(number(&house.get("desk").await), 1, "nothing changed");
    // A file that is broken from the start on takes nothing away either.
    fs::write(&file, "dgh 1\nagent desk {\n").unwrap();
    let house = house.again().await;
    assert_eq!(house.told().await, ["broken agent.dgh true"]);
    assert_eq!(number(&house.get("desk").await), 1);
}

#[tokio::test]
async fn a_folder_serves_all_agents_each_under_a_name_of_its_own() {
    let house = House::new().await;
    for (place, name) in [("north", "desk"), ("south", "desk"), ("west", "lead")] {
        let place = house.folder.path().join(place);
        fs::create_dir(&place).unwrap();
        fs::write(place.join("agent.dgh"), agent(name, "Hello?")).unwrap();
    }
    assert_eq!(house.told().await.len(), 3);
    assert_eq!(house.served().await, ["lead", "north-desk", "south-desk"]);
    fs::remove_dir_all(house.folder.path().join("south")).unwrap();
    assert_eq!(house.told().await, ["gone"]);
    assert_eq!(house.served().await, ["desk", "lead"]);
}

#[tokio::test]
async fn a_key_that_is_missing_leaves_the_offline_model() {
    let house = House::new().await;
    let text = agent("desk", "Hello?")
        .replace("  outcome", "  llm: [openai(\"gpt-4.1\"), ollama(\"qwen3:32b\")]\n  outcome");
    fs::write(house.folder.path().join("agent.dgh"), text).unwrap();
    fs::write(
        house.folder.path().join("dgh.toml"),
        "[profiles.dev.secrets]\nOPENAI_API_KEY = \"env:DGH_TEST_KEY_THAT_IS_NOT_SET\"\n",
    )
    .unwrap();
    assert_eq!(house.told().await, ["serves agent.dgh"]);
    let agent = house.get("desk").await;
    let uses = &agent.chosen.uses;
    // A server on this machine that nobody started is no better.
    assert_eq!(uses.llm, "offline model");
    assert!(uses.notices.iter().any(|notice| notice.contains("OPENAI_API_KEY")), "{:?}", uses.notices);
}

#[tokio::test]
async fn secrets_of_the_folder_are_found_and_those_of_the_store_go_before() {
    use secrecy::ExposeSecret as _;
    let house = House::new().await;
    fs::write(house.folder.path().join("agent.dgh"), agent("desk", "Hello?")).unwrap();
    fs::write(house.folder.path().join("token"), "of the file\n").unwrap();
    fs::write(house.folder.path().join("dgh.toml"), "[profiles.dev.secrets]\nTOKEN = \"file:token\"\n")
        .unwrap();
    house.told().await;
    let desk = house.get("desk").await;
    assert_eq!(desk.secrets().secret("TOKEN").unwrap().expose_secret(), "of the file");
    assert!(desk.secrets().secret("PATH").is_some(), "the operator's own environment");
    let (platform, home) = (house.agents.platform(), house.agents.home().await.unwrap());
    let mut tx = platform.db.begin().await.unwrap();
    let value = "of the store".to_owned().into();
    let to = ("dev", "TOKEN");
    crate::secrets::set(&mut tx, &platform.vault, &home, to, &value, &Actor::server(), 1).await.unwrap();
    tx.commit().await.unwrap();
    house.get("desk").await;
    assert_eq!(
        desk.secrets().secret("TOKEN").unwrap().expose_secret(),
        "of the store",
        "also in calls that go on"
    );
    // What holds a secret is no part of what is kept of the folder.
    let mut conn = platform.db.read().acquire().await.unwrap();
    let row = agents::find(&mut conn, &home, "desk").await.unwrap();
    let files = dgh_store::agents::bundles::files(&mut conn, &home, &row.draft).await.unwrap();
    assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["agent.dgh", "dgh.toml"]);
}

#[tokio::test]
async fn a_saved_file_is_noticed() {
    let house = House::new().await;
    let file = house.folder.path().join("agent.dgh");
    fs::write(&file, agent("desk", "Hello?")).unwrap();
    house.told().await;
    let (send, mut heard) = mpsc::unbounded_channel();
    let watching = watcher::watch(Arc::clone(&house.served), move |told| {
        let _ = send.send(line(&told));
    });
    let _watching = watching.unwrap();
    fs::write(&file, agent("desk", "Who is there?")).unwrap();
    let next = timeout(Duration::from_secs(20), heard.recv()).await.unwrap();
    assert_eq!(next.as_deref(), Some("serves agent.dgh"));
}
