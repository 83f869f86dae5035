//! Several nodes on one database: a node that is killed in the middle of a call leaves nothing behind that
//! another does not end, tell and clear away.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dgh_store::testing::postgres_url;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::calls::phone::Phone;
use crate::calls::serve::{Served, Setup};

/// A lease, and what a busy box adds to it.
const PATIENCE: Duration = Duration::from_mins(3);

async fn node(database: &str) -> Served {
    let setup = Setup::example("clinic")
        .variable("DATABASE_URL", database)
        .variable("DGH_ENCRYPTION_KEY", &STANDARD.encode([5_u8; 32]))
        .variable("DGH_OWNER_PASSWORD", "a long password for a test");
    setup.start().await
}

/// A key of the API: the first start shows one.
fn key(served: &Served) -> String {
    let told = served.told();
    let key = told.split_whitespace().find(|word| word.starts_with("dgh_"));
    key.unwrap_or_else(|| panic!("no key was shown:\n{told}")).to_owned()
}

async fn get(served: &Served, key: &str, path: &str) -> Value {
    let asked = reqwest::Client::new().get(served.url(path)).bearer_auth(key).send().await.unwrap();
    assert!(asked.status().is_success(), "{path}: {}", asked.status());
    asked.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_leaves_no_call_and_no_place_behind() {
    let database = postgres_url().await;
    let first = node(&database).await;
    let key = key(&first);
    let second = node(&database).await;
    let phone = Phone::call(&first.address, "clinic").await;
    phone.has_the_floor(700).await;
    // What was said is known to the other node, too.
    let call = loop {
        let calls = get(&second, &key, "/api/v1/calls?state=live").await;
        if let Some(call) = calls["items"].as_array().unwrap().first() {
            let id = call["id"].as_str().unwrap().to_owned();
            let said = get(&second, &key, &format!("/api/v1/calls/{id}/transcript")).await;
            if !said["turns"].as_array().unwrap().is_empty() {
                break id;
            }
        }
        sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(get(&second, &key, "/api/v1/call-limits").await["going"], 1);
    // The server of a test is not asked to end.
    drop(first);
    let since = Instant::now();
    let ended = loop {
        let call = get(&second, &key, &format!("/api/v1/calls/{call}")).await;
        if call["state"] == "ended" {
            break call;
        }
        assert!(since.elapsed() < PATIENCE, "nobody ended it: {call}");
        sleep(Duration::from_millis(500)).await;
    };
    assert_eq!(ended["ended_by"], "lost", "{ended}");
    assert!(ended["node"].is_string(), "{ended}");
    assert_eq!(get(&second, &key, "/api/v1/call-limits").await["going"], 0, "its place is free");
    let said = get(&second, &key, &format!("/api/v1/calls/{call}/transcript")).await;
    assert!(!said["turns"].as_array().unwrap().is_empty(), "what was flushed is there");
    let again = Phone::call(&second.address, "clinic").await;
    again.has_the_floor(700).await;
}
