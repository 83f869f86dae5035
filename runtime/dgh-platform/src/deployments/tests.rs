#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::{Wanted, watcher};

fn agent(name: &str, words: &str) -> String {
    format!(
        "dgh 1\n\nagent {name} {{\n  outcome done\n  start hello\n  node hello {{\n    ask \"{words}\"\n    \
         when bye: \"They say goodbye\" -> end done\n  }}\n}}\n"
    )
}

fn served(folder: &TempDir) -> Deployments {
    let wanted = Wanted { stt: Some("none".into()), tts: Some("none".into()), ..Wanted::default() };
    Deployments::new(folder.path(), Options { wanted, ..Options::default() })
}

fn told(deployments: &Deployments) -> Vec<String> {
    let mut all = Vec::new();
    let tell = |told: Told<'_>| all.push(line(&told));
    deployments.reload(tell).unwrap();
    all
}

fn line(told: &Told<'_>) -> String {
    match told {
        Told::Serves(project, _) => format!("serves {}", project.entry),
        Told::Broken(project, compiled) => format!("broken {} {}", project.entry, compiled.has_errors()),
        Told::Unusable(project, error) => format!("unusable {} {error}", project.entry),
        Told::Gone(_) => "gone".to_owned(),
    }
}

#[test]
fn a_broken_file_keeps_what_was_served() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("agent.dgh");
    fs::write(&file, agent("desk", "Hello?")).unwrap();
    let deployments = served(&folder);
    assert_eq!(told(&deployments), ["serves agent.dgh"]);
    let before = Arc::clone(deployments.current().get("desk").unwrap());
    assert!(told(&deployments).is_empty(), "nothing changed");
    assert!(Arc::ptr_eq(&before, deployments.current().get("desk").unwrap()), "connections stay");

    fs::write(&file, "dgh 1\nagent desk {\n").unwrap();
    assert_eq!(told(&deployments), ["broken agent.dgh true"]);
    assert!(Arc::ptr_eq(&before, deployments.current().get("desk").unwrap()));
    assert_eq!(deployments.current().broken.len(), 1);

    fs::write(&file, agent("desk", "Who is there?")).unwrap();
    assert_eq!(told(&deployments), ["serves agent.dgh"]);
    let after = Arc::clone(deployments.current().get("desk").unwrap());
    assert_ne!(after.hash(), before.hash());
    assert!(deployments.current().broken.is_empty());
}

#[test]
fn a_folder_serves_all_agents_each_under_a_name_of_its_own() {
    let folder = TempDir::new().unwrap();
    for (place, name) in [("north", "desk"), ("south", "desk"), ("west", "lead")] {
        let place = folder.path().join(place);
        fs::create_dir(&place).unwrap();
        fs::write(place.join("agent.dgh"), agent(name, "Hello?")).unwrap();
    }
    let deployments = served(&folder);
    assert_eq!(told(&deployments).len(), 3);
    let ids: Vec<String> = deployments.current().iter().map(|(id, _)| id.to_owned()).collect();
    assert_eq!(ids, ["north-desk", "south-desk", "lead"]);
    fs::remove_dir_all(folder.path().join("south")).unwrap();
    assert_eq!(told(&deployments), ["gone"]);
    let ids: Vec<String> = deployments.current().iter().map(|(id, _)| id.to_owned()).collect();
    assert_eq!(ids, ["desk", "lead"]);
}

#[test]
fn a_key_that_is_missing_leaves_the_offline_model() {
    let folder = TempDir::new().unwrap();
    let text = agent("desk", "Hello?")
        .replace("  outcome", "  llm: [openai(\"gpt-4.1\"), ollama(\"qwen3:32b\")]\n  outcome");
    fs::write(folder.path().join("agent.dgh"), text).unwrap();
    fs::write(
        folder.path().join("dgh.toml"),
        "[profiles.dev.secrets]\nOPENAI_API_KEY = \"env:DGH_TEST_KEY_THAT_IS_NOT_SET\"\n",
    )
    .unwrap();
    let deployments = served(&folder);
    assert_eq!(told(&deployments), ["serves agent.dgh"]);
    let current = deployments.current();
    let uses = &current.get("desk").unwrap().chosen.uses;
    // A server on this machine that nobody started is no better.
    assert_eq!(uses.llm, "offline model");
    assert!(uses.notices.iter().any(|notice| notice.contains("OPENAI_API_KEY")), "{:?}", uses.notices);
}

#[tokio::test]
async fn a_saved_file_is_noticed() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("agent.dgh");
    fs::write(&file, agent("desk", "Hello?")).unwrap();
    let deployments = Arc::new(served(&folder));
    told(&deployments);
    let (send, mut heard) = mpsc::unbounded_channel();
    let watching = watcher::watch(Arc::clone(&deployments), move |told| {
        let _ = send.send(line(&told));
    });
    let _watching = watching.unwrap();
    fs::write(&file, agent("desk", "Who is there?")).unwrap();
    let next = timeout(Duration::from_secs(20), heard.recv()).await.unwrap();
    assert_eq!(next.as_deref(), Some("serves agent.dgh"));
}
