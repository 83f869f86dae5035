//! Nodes that are killed with SIGKILL while they deliver: nothing is lost, and what arrives twice has
//! one id.
//!
//! `DGH_TEST_DELIVERIES=10000 cargo test -p dgh-platform --lib webhooks::killed` does it with more.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dgh_ir::{Envelope, Method};
use dgh_net::testing::{Reply, Server};
use dgh_store::deliveries::Breaker;
use dgh_store::testing::postgres_url;
use dgh_store::{Db, OrgId, StoreError};
use serde_json::json;
use tokio::time::sleep;

use super::*;
use crate::vault::Vault;

const URL: &str = "DGH_KILLED_URL";
const KEYS: &str = "DGH_KILLED_KEYS";
const DELIVERIES: &str = "DGH_TEST_DELIVERIES";
/// Deliveries when nobody says.
const FEW: usize = 300;
/// Kills at least; more while deliveries are still being made.
const KILLS: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_lose_nothing_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("dgh.db").display());
    // One process may use a file of SQLite for a server: one node.
    lose_nothing(&url, folder.path(), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_lose_nothing_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    lose_nothing(&postgres_url().await, folder.path(), 3).await;
}

/// A node: a process of its own, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is started by the tests above"]
async fn node() {
    let (Ok(url), Ok(keys)) = (std::env::var(URL), std::env::var(KEYS)) else {
        panic!("{URL} and {KEYS} say where to work");
    };
    let db = Db::open(&url).await.unwrap();
    if db.dialect() == dgh_store::Dialect::Sqlite {
        let mut tx = db.begin().await.unwrap();
        deliveries::clear_leases_unscoped(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }
    let _worker = start(Parts {
        db,
        vault: Vault::in_folder(Path::new(&keys)).unwrap().0,
        secrets: Arc::new(Near),
        clock: Arc::new(now),
        node: std::process::id().to_string(),
        jitter: jitter(),
        settings: Settings {
            // The lease of a killed node is this and a little more.
            timeout: Duration::from_millis(500),
            poll: Duration::from_millis(50),
            schedule: Schedule { first: Duration::from_secs(1), ..Schedule::default() },
            breaker: Breaker { threshold: i64::MAX, first_pause: 1, longest_pause: 1 },
            ..Settings::default()
        },
    });
    std::future::pending::<()>().await;
}

struct Near;

#[async_trait]
impl Secrets for Near {
    async fn surroundings(&self, _: &Owner, _: &[String]) -> Result<Surroundings, StoreError> {
        Ok(Surroundings { allow_private: vec!["127.0.0.1".to_owned()], ..Surroundings::default() })
    }
}

async fn lose_nothing(url: &str, keys: &Path, nodes: usize) {
    let wanted = std::env::var(DELIVERIES).ok().map_or(FEW, |text| text.parse().unwrap());
    let db = Db::open(url).await.unwrap();
    db.migrate().await.unwrap();
    let (vault, _) = Vault::in_folder(keys).unwrap();
    let (org, chance) = (OrgId::fresh(), Arc::new(AtomicUsize::new(1)));
    // Which ids came with which call.
    let seen: Arc<Mutex<HashMap<String, Vec<String>>>> = Arc::default();
    let (book, dice) = (Arc::clone(&seen), Arc::clone(&chance));
    let server = Server::start(move |_, request| {
        // Some fail before they count, some after: as a proxy does that loses the answer.
        let fate = random(&dice) % 20;
        if fate == 0 {
            return Reply::new(503, "text/plain", "busy");
        }
        let (call, id) = (request.header("x-dgh-call-id").unwrap(), request.header("webhook-id").unwrap());
        book.lock().unwrap().entry(call.to_owned()).or_default().push(id.to_owned());
        if fate == 1 { Reply::default() } else { Reply::new(200, "text/plain", "") }
    })
    .await;
    let address = server.url("/hook");
    let maker = {
        let (db, org, address) = (db.clone(), org.clone(), address.clone());
        tokio::spawn(async move { make(&db, &vault, &org, &address, wanted).await })
    };
    let mut running: Vec<Child> = (0..nodes).map(|_| spawn(url, keys)).collect();
    let mut kills = 0;
    while kills < KILLS || !maker.is_finished() {
        sleep(Duration::from_millis(100 + random(&chance) as u64 % 400)).await;
        let at = random(&chance) % nodes;
        running[at].kill().unwrap();
        running[at].wait().unwrap();
        running[at] = spawn(url, keys);
        kills += 1;
    }
    maker.await.unwrap();
    let end = Instant::now() + Duration::from_secs(60 + wanted as u64 / 50);
    let left = loop {
        let left = left(&db, &org).await;
        if left == 0 || Instant::now() > end {
            break left;
        }
        sleep(Duration::from_millis(50)).await;
    };
    for node in &mut running {
        node.kill().unwrap();
        node.wait().unwrap();
    }
    let seen = seen.lock().unwrap().clone();
    assert_eq!(left, 0, "all were delivered, after {kills} kills; {} arrived", seen.len());
    assert_eq!(seen.len(), wanted, "each arrived");
    let mut all = HashSet::new();
    for (call, ids) in &seen {
        assert!(ids.iter().all(|id| id == &ids[0]), "{call} came with the ids {ids:?}");
        assert!(all.insert(ids[0].clone()), "an id is that of one delivery");
    }
    let arrived: usize = seen.values().map(Vec::len).sum();
    eprintln!("{kills} kills: {wanted} deliveries arrived {arrived} times");
    db.close().await;
}

/// Ends one call after the other.
async fn make(db: &Db, vault: &Vault, org: &OrgId, address: &str, wanted: usize) {
    for number in 0..wanted {
        let call = format!("call-{number}");
        let due = Due {
            webhook: "crm".to_owned(),
            event: "call.ended".to_owned(),
            number: 0,
            shown: None,
            request: Frozen {
                envelope: Envelope {
                    method: Method::Post,
                    url: address.to_owned(),
                    masked_url: address.to_owned(),
                    headers: Vec::new(),
                    auth: None,
                },
                sign: None,
                body: Some(json!({ "call": call }).to_string()),
            },
        };
        let about = About { call: &call, agent: "desk", profile: None, test: false };
        let mut tx = db.begin().await.unwrap();
        at_end(&mut tx, vault, org, &EndedCall { about, due: &[due] }, now()).await.unwrap();
        tx.commit().await.unwrap();
        wake(db).await;
        sleep(Duration::from_millis(5)).await;
    }
}

async fn left(db: &Db, org: &OrgId) -> usize {
    let mut conn = db.read().acquire().await.unwrap();
    let waiting = deliveries::backlog_unscoped(&mut conn).await.unwrap();
    let filter =
        deliveries::Filter { state: Some(deliveries::DeliveryState::Dead), ..deliveries::Filter::default() };
    let dead = deliveries::list(&mut conn, org, &filter, None, 10).await.unwrap();
    assert!(dead.is_empty(), "{dead:?}");
    usize::try_from(waiting.pending + waiting.parked).unwrap()
}

fn spawn(url: &str, keys: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "webhooks::killed::node", "--ignored", "--nocapture"])
        .env(URL, url)
        .env(KEYS, keys)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Numbers that look random, the same in every run (xorshift).
fn random(state: &AtomicUsize) -> usize {
    let next = |mut x: usize| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^ (x << 17)
    };
    let step = |x| Some(next(x));
    state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).map_or(0, next)
}
