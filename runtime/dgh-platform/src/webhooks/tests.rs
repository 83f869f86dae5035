#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dgh_ir::Method;
use dgh_ir::request::{Credentials, Envelope, Word, Words};
use dgh_net::testing::{Received, Reply, Server};
use dgh_store::deliveries::{self, Breaker, Delivery, Filter};
use dgh_store::testing::{on_both, sqlite};
use dgh_store::{Db, OrgId, StoreError};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::sweep::sweep;
use super::*;
use crate::vault::Vault;

const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Secrets that a test sets.
#[derive(Default)]
struct Known(Mutex<HashMap<String, SecretString>>);

#[async_trait]
impl Secrets for Known {
    async fn surroundings(&self, _: &Owner, names: &[String]) -> Result<Surroundings, StoreError> {
        let known = self.0.lock().await;
        let secrets =
            names.iter().filter_map(|name| Some((name.clone(), known.get(name)?.clone()))).collect();
        Ok(Surroundings { secrets, allow_private: vec!["127.0.0.1".to_owned()] })
    }
}

/// A database, an organisation, and a clock that the test moves.
struct World {
    db: Db,
    org: OrgId,
    vault: Vault,
    known: Arc<Known>,
    ahead: Arc<AtomicI64>,
    settings: Settings,
    _keys: tempfile::TempDir,
}

impl World {
    fn new(db: &Db) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let (vault, _) = Vault::in_folder(keys.path()).unwrap();
        let settings = Settings {
            timeout: Duration::from_secs(2),
            poll: Duration::from_millis(20),
            sweep: Duration::from_hours(1),
            breaker: Breaker { threshold: 100, first_pause: 1_000, longest_pause: 60_000 },
            ..Settings::default()
        };
        let (known, ahead) = (Arc::default(), Arc::default());
        Self { db: db.clone(), org: OrgId::fresh(), vault, known, ahead, settings, _keys: keys }
    }

    fn parts(&self, node: &str) -> Parts {
        let ahead = Arc::clone(&self.ahead);
        Parts {
            db: self.db.clone(),
            vault: self.vault.clone(),
            secrets: Arc::clone(&self.known) as Arc<dyn Secrets>,
            clock: Arc::new(move || chrono::Utc::now().timestamp_millis() + ahead.load(Ordering::Relaxed)),
            node: node.to_owned(),
            jitter: Arc::new(|| 1.0),
            settings: self.settings.clone(),
        }
    }

    /// Time goes by for the workers.
    fn pass(&self, time: Duration) {
        self.ahead.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    fn now(&self) -> i64 {
        (self.parts("").clock)()
    }

    async fn keep(&self, call: &str, due: &[Due]) -> usize {
        self.keep_about(About { call, agent: "desk", profile: Some("production"), test: false }, due).await
    }

    async fn keep_about(&self, about: About<'_>, due: &[Due]) -> usize {
        let mut tx = self.db.begin().await.unwrap();
        let ended = EndedCall { about, due };
        let kept = at_end(&mut tx, &self.vault, &self.org, &ended, self.now()).await.unwrap();
        tx.commit().await.unwrap();
        wake(&self.db).await;
        kept
    }

    async fn all(&self) -> Vec<Delivery> {
        let mut conn = self.db.read().acquire().await.unwrap();
        deliveries::list(&mut conn, &self.org, &Filter::default(), None, 1_000).await.unwrap()
    }

    /// Waits until the one delivery is like this.
    async fn until(&self, what: &str, like: impl Fn(&Delivery) -> bool) -> Delivery {
        for _ in 0..500 {
            if let Some(found) = self.all().await.into_iter().find(&like) {
                return found;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("no delivery is {what}: {:?}", self.all().await)
    }

    async fn in_state(&self, state: &str) -> Delivery {
        self.until(state, |delivery| delivery.state == state).await
    }

    async fn set(&self, name: &str, secret: &str) {
        self.known.0.lock().await.insert(name.to_owned(), secret.into());
    }
}

fn due(url: &str, body: Option<Json>) -> Due {
    Due {
        webhook: "crm".to_owned(),
        event: "call.ended".to_owned(),
        number: 0,
        shown: body.clone(),
        request: Frozen {
            envelope: Envelope {
                method: Method::Post,
                url: url.to_owned(),
                masked_url: url.to_owned(),
                headers: Vec::new(),
                auth: None,
            },
            sign: None,
            body: body.map(|body| body.to_string()),
        },
    }
}

fn status(status: u16) -> Reply {
    Reply::new(status, "text/plain", "because")
}

async fn answers(status_of: impl Fn(usize) -> u16 + Send + Sync + 'static) -> Server {
    Server::start(move |n, _| status(status_of(n))).await
}

fn verify(secret: &str, request: &Received) -> bool {
    let keys = SigningKey::all(&secret.into()).unwrap();
    let (id, at) = (request.header("webhook-id").unwrap(), request.header("webhook-timestamp").unwrap());
    let signed = signature(&keys, id, at.parse().unwrap(), &request.body);
    request.header("webhook-signature").is_some_and(|all| all.split(' ').any(|one| one == signed))
}

#[tokio::test]
async fn a_webhook_arrives_signed_and_with_its_ids() {
    on_both(async |db| {
        let (world, server) = (World::new(&db), answers(|_| 204).await);
        world.set("SIGN", SIGNING).await;
        world.set("TOKEN", "hush").await;
        let mut due = due(&server.url("/calls?x=1"), Some(json!({ "topic": "sales" })));
        due.request.sign = Some("SIGN".to_owned());
        due.request.envelope.headers = vec![
            ("X-Source".to_owned(), Words(vec![Word::Text("desk".to_owned())])),
            ("X-Dgh-Attempt".to_owned(), Words(vec![Word::Text("99".to_owned())])),
            ("Content-Type".to_owned(), Words(vec![Word::Text("application/vnd.own+json".to_owned())])),
        ];
        let token = vec![("token".to_owned(), Words(vec![Word::Secret("TOKEN".to_owned())]))];
        due.request.envelope.auth = Some(Credentials { kind: "bearer".to_owned(), args: token });
        assert_eq!(world.keep("c1", &[due.clone()]).await, 1);
        assert_eq!(world.keep("c1", &[due]).await, 0, "told twice, kept once");
        let worker = start(world.parts("n1"));
        let delivery = world.in_state("delivered").await;
        worker.drain().await;
        assert_eq!((delivery.attempts, delivery.status, delivery.due_at), (1, Some(204), None));
        let all = server.received();
        assert_eq!(all.len(), 1);
        let request = &all[0];
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/calls?x=1"));
        assert_eq!(request.json(), json!({ "topic": "sales" }));
        let header = |name| request.header(name).unwrap();
        assert_eq!(header("webhook-id"), delivery.id.as_str());
        assert_eq!(header("x-dgh-delivery-id"), delivery.id.as_str());
        assert_eq!(header("x-dgh-call-id"), "c1");
        assert_eq!(header("x-dgh-event"), "call.ended");
        assert_eq!(header("x-dgh-attempt"), "1", "it cannot be overridden");
        assert_eq!(header("x-source"), "desk");
        assert_eq!(header("content-type"), "application/vnd.own+json");
        assert_eq!(header("authorization"), "Bearer hush");
        assert!(verify(SIGNING, request));
        // What is kept shows neither the secret nor, sealed, the request.
        let mut tx = db.begin().await.unwrap();
        let claimed = deliveries::claim_unscoped(&mut tx, "n", 1, &[], 0, i64::MAX).await.unwrap();
        assert!(claimed.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_cannot_is_a_dead_letter() {
    for code in [408, 425, 429, 500, 502, 503, 504] {
        let (_folder, db) = sqlite().await;
        let (world, server) = (World::new(&db), answers(move |n| if n == 0 { code } else { 200 }).await);
        world.keep("c1", &[due(&server.url("/"), None)]).await;
        let worker = start(world.parts("n1"));
        let failed = world.until("tried", |d| d.attempts == 1 && d.state == "pending").await;
        assert_eq!(
            (failed.status, failed.error.as_deref()),
            (Some(code.into()), Some(&*format!("HTTP {code}: because")))
        );
        let pause = failed.due_at.unwrap() - world.now();
        assert!((4_000..=5_000).contains(&pause), "{pause} ms");
        world.pass(Duration::from_secs(6));
        let delivered = world.in_state("delivered").await;
        assert_eq!((delivered.attempts, &delivered.error), (2, &None));
        worker.drain().await;
        let seen: Vec<_> =
            server.received().iter().map(|r| r.header("x-dgh-attempt").map(str::to_owned)).collect();
        assert_eq!(seen, [Some("1".to_owned()), Some("2".to_owned())]);
    }
    for code in [301, 304, 400, 401, 403, 404, 409, 422, 501, 505] {
        let (_folder, db) = sqlite().await;
        let (world, server) = (World::new(&db), answers(move |_| code).await);
        world.keep("c1", &[due(&server.url("/"), None)]).await;
        let worker = start(world.parts("n1"));
        let dead = world.in_state("dead").await;
        assert_eq!(
            (dead.attempts, dead.status, dead.due_at),
            (1, Some(code.into()), None),
            "{:?}",
            dead.error
        );
        worker.drain().await;
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn a_receiver_that_is_away_is_tried_until_the_schedule_ends() {
    let (_folder, db) = sqlite().await;
    let mut world = World::new(&db);
    world.settings.schedule.give_up_after = Duration::from_secs(30);
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    world.keep("c1", &[due(&format!("http://{free}/"), None)]).await;
    let worker = start(world.parts("n1"));
    for attempt in 1..=2 {
        let failed = world.until("tried", |d| d.attempts == attempt && d.state == "pending").await;
        assert!(failed.status.is_none() && failed.error.unwrap().contains("no connection"));
        world.pass(Duration::from_secs(11));
    }
    let dead = world.in_state("dead").await;
    assert_eq!(dead.attempts, 3);
    worker.drain().await;
    let mut conn = db.read().acquire().await.unwrap();
    assert_eq!(deliveries::attempts(&mut conn, &world.org, &dead.id, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_receiver_that_stalls_is_a_timeout_and_one_that_asks_for_a_pause_gets_it() {
    let (_folder, db) = sqlite().await;
    let mut world = World::new(&db);
    world.settings.timeout = Duration::from_millis(150);
    let server = Server::start(|n, _| match n {
        0 => Reply::default().stall(),
        1 => Reply::head(429, &[("retry-after", "90"), ("content-length", "0")]),
        _ => status(200),
    })
    .await;
    world.keep("c1", &[due(&server.url("/"), None)]).await;
    let worker = start(world.parts("n1"));
    let failed = world.until("late", |d| d.attempts == 1 && d.state == "pending").await;
    assert!(failed.error.unwrap().contains("did not answer within 150 ms"));
    world.pass(Duration::from_secs(6));
    let asked = world.until("asked to wait", |d| d.attempts == 2 && d.state == "pending").await;
    let pause = asked.due_at.unwrap() - world.now();
    assert!((88_000..=90_000).contains(&pause), "{pause} ms");
    // Nothing else goes there meanwhile.
    world.keep("c2", &[due(&server.url("/"), None)]).await;
    sleep(Duration::from_millis(150)).await;
    assert_eq!(server.received().len(), 2);
    world.pass(Duration::from_secs(95));
    world.until("delivered", |d| d.call_id.as_deref() == Some("c2") && d.state == "delivered").await;
    world.until("delivered", |d| d.call_id.as_deref() == Some("c1") && d.state == "delivered").await;
    worker.drain().await;
}

#[tokio::test]
async fn a_missing_secret_parks_the_delivery_and_nothing_leaves_bare() {
    on_both(async |db| {
        let (world, server) = (World::new(&db), answers(|_| 200).await);
        let mut due = due(&server.url("/"), Some(json!({})));
        let token = vec![("token".to_owned(), Words(vec![Word::Secret("TOKEN".to_owned())]))];
        due.request.envelope.auth = Some(Credentials { kind: "bearer".to_owned(), args: token });
        world.keep("c1", &[due]).await;
        let worker = start(world.parts("n1"));
        let parked = world.in_state("parked").await;
        assert_eq!((parked.attempts, parked.parked_for.as_deref()), (0, Some("secret:TOKEN")));
        sweep(&world.parts("n1")).await.unwrap();
        assert_eq!(world.in_state("parked").await.attempts, 0);
        assert!(server.received().is_empty());
        world.set("TOKEN", "hush").await;
        sweep(&world.parts("n1")).await.unwrap();
        world.in_state("delivered").await;
        worker.drain().await;
        assert_eq!(server.received()[0].header("authorization"), Some("Bearer hush"));
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_signs_nothing_parks_too() {
    let (_folder, db) = sqlite().await;
    let (world, server) = (World::new(&db), answers(|_| 200).await);
    world.set("SIGN", "whsec_!!!").await;
    let mut due = due(&server.url("/"), None);
    due.request.sign = Some("SIGN".to_owned());
    world.keep("c1", &[due]).await;
    let worker = start(world.parts("n1"));
    let parked = world.in_state("parked").await;
    assert!(parked.error.unwrap().contains("base64"));
    worker.drain().await;
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn gone_disables_the_endpoint_until_somebody_enables_it() {
    let (_folder, db) = sqlite().await;
    let (world, server) = (World::new(&db), answers(|n| if n == 0 { 410 } else { 200 }).await);
    world.keep("c1", &[due(&server.url("/"), None)]).await;
    let worker = start(world.parts("n1"));
    let dead = world.in_state("dead").await;
    world.keep("c2", &[due(&server.url("/"), None)]).await;
    let parked = world.in_state("parked").await;
    assert_eq!(parked.parked_for.as_deref(), Some("endpoint"));
    let mut tx = db.begin().await.unwrap();
    assert!(deliveries::enable(&mut tx, &world.org, &dead.endpoint_id, world.now()).await.unwrap());
    tx.commit().await.unwrap();
    wake(&db).await;
    assert_eq!(world.in_state("delivered").await.id, parked.id);
    worker.drain().await;
}

#[tokio::test]
async fn a_breaker_that_tripped_lets_one_attempt_through_and_then_all() {
    let (_folder, db) = sqlite().await;
    let mut world = World::new(&db);
    world.settings.breaker = Breaker { threshold: 3, first_pause: 3_600_000, longest_pause: 3_600_000 };
    let up = Arc::new(AtomicUsize::new(0));
    let answer = Arc::clone(&up);
    let server = answers(move |_| if answer.load(Ordering::Relaxed) == 0 { 503 } else { 200 }).await;
    let worker = start(world.parts("n1"));
    for call in 0..3 {
        world.keep(&format!("c{call}"), &[due(&server.url("/"), None)]).await;
    }
    while server.received().len() < 3 {
        sleep(Duration::from_millis(10)).await;
    }
    world.until("failed", |d| d.call_id.as_deref() == Some("c2") && d.attempts == 1).await;
    for call in 3..20 {
        world.keep(&format!("c{call}"), &[due(&server.url("/"), None)]).await;
    }
    sleep(Duration::from_millis(200)).await;
    assert_eq!(server.received().len(), 3, "nothing is sent while it is open");
    world.pass(Duration::from_secs(3_601));
    while server.received().len() < 4 {
        sleep(Duration::from_millis(10)).await;
    }
    sleep(Duration::from_millis(200)).await;
    assert_eq!(server.received().len(), 4, "one attempt");
    up.store(1, Ordering::Relaxed);
    world.pass(Duration::from_secs(3_601));
    for _ in 0..500 {
        world.pass(Duration::from_secs(10));
        if world.all().await.iter().all(|d| d.state == "delivered") {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert!(world.all().await.iter().all(|d| d.state == "delivered"), "{:?}", world.all().await);
    worker.drain().await;
}

#[tokio::test]
async fn deliveries_of_one_call_arrive_in_their_order() {
    let (_folder, db) = sqlite().await;
    let (world, server) = (World::new(&db), answers(|n| if n == 0 { 500 } else { 200 }).await);
    let events = ["call.started", "call.answered", "call.ended"];
    let all: Vec<Due> = events
        .iter()
        .map(|event| Due { event: (*event).to_owned(), ..due(&server.url("/"), None) })
        .collect();
    world.keep("c1", &all).await;
    let worker = start(world.parts("n1"));
    world.until("tried", |d| d.attempts == 1).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(server.received().len(), 1);
    world.pass(Duration::from_secs(6));
    world.until("the last", |d| d.event == "call.ended" && d.state == "delivered").await;
    worker.drain().await;
    let seen: Vec<_> =
        server.received().iter().map(|r| r.header("x-dgh-event").unwrap().to_owned()).collect();
    assert_eq!(seen, ["call.started", "call.started", "call.answered", "call.ended"]);
}

#[tokio::test]
async fn several_nodes_share_the_work_and_each_delivery_is_sent_once() {
    on_both(async |db| {
        let (world, server) = (World::new(&db), answers(|_| 200).await);
        for call in 0..150 {
            world.keep(&format!("c{call}"), &[due(&server.url("/"), Some(json!({ "n": call })))]).await;
        }
        let workers: Vec<Worker> = ["n1", "n2", "n3"].iter().map(|node| start(world.parts(node))).collect();
        for _ in 0..1_000 {
            if world.all().await.iter().all(|d| d.state == "delivered") {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        for worker in workers {
            worker.drain().await;
        }
        let mut ids: Vec<_> =
            server.received().iter().map(|r| r.header("webhook-id").unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 150);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 150);
    })
    .await;
}

#[tokio::test]
async fn a_slow_host_does_not_keep_the_others_waiting() {
    let (_folder, db) = sqlite().await;
    let mut world = World::new(&db);
    (world.settings.in_flight, world.settings.per_host) = (8, 2);
    let slow = Server::start(|_, _| Reply::default().stall()).await;
    let fast = answers(|_| 200).await;
    for call in 0..40 {
        world.keep(&format!("s{call}"), &[due(&slow.url("/"), None)]).await;
    }
    for call in 0..20 {
        world.keep(&format!("f{call}"), &[due(&fast.url("/"), None)]).await;
    }
    let worker = start(world.parts("n1"));
    for _ in 0..150 {
        if fast.received().len() == 20 {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(fast.received().len(), 20, "before the first of the slow ones has given up");
    assert!(slow.received().len() <= 2);
    drop(worker);
}

#[tokio::test]
async fn a_webhook_of_a_test_call_is_shown_and_not_sent() {
    let (_folder, db) = sqlite().await;
    let (world, server) = (World::new(&db), answers(|_| 200).await);
    let about = About { call: "c1", agent: "desk", profile: None, test: true };
    world.keep_about(about, &[due(&server.url("/"), Some(json!({ "a": 1 })))]).await;
    let worker = start(world.parts("n1"));
    sleep(Duration::from_millis(150)).await;
    worker.drain().await;
    let all = world.all().await;
    assert_eq!((all[0].state.as_str(), all[0].shown.as_deref()), ("simulated", Some(r#"{"a":1}"#)));
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn private_addresses_are_asked_only_where_the_profile_allows_it() {
    struct Strict;
    #[async_trait]
    impl Secrets for Strict {
        async fn surroundings(&self, _: &Owner, _: &[String]) -> Result<Surroundings, StoreError> {
            Ok(Surroundings::default())
        }
    }
    let (_folder, db) = sqlite().await;
    let (world, server) = (World::new(&db), answers(|_| 200).await);
    world.keep("c1", &[due(&server.url("/"), None)]).await;
    let worker = start(Parts { secrets: Arc::new(Strict), ..world.parts("n1") });
    let dead = world.in_state("dead").await;
    assert_eq!((dead.attempts, dead.status), (1, None), "{:?}", dead.error);
    worker.drain().await;
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn an_organisation_signs_with_two_secrets_while_it_changes_them() {
    let (_folder, db) = sqlite().await;
    let (world, server) = (World::new(&db), answers(|_| 200).await);
    let turn = async || {
        let mut tx = db.begin().await.unwrap();
        let made = rotate(&mut tx, &world.vault, &world.org, OVERLAP, world.now()).await;
        tx.commit().await.unwrap();
        made
    };
    let worker = start(world.parts("n1"));
    world.keep("c0", &[due(&server.url("/"), None)]).await;
    world.in_state("delivered").await;
    assert_eq!(server.received()[0].header("webhook-signature"), None, "there is nothing to sign with yet");
    let old = turn().await.unwrap();
    assert!(old.secret.expose_secret().ends_with(&old.ending));
    let new = turn().await.unwrap();
    assert!(matches!(turn().await, Err(RotateError::TwoAlready)));
    world.keep("c1", &[due(&server.url("/"), Some(json!({})))]).await;
    world.until("the second", |d| d.call_id.as_deref() == Some("c1") && d.state == "delivered").await;
    world.pass(OVERLAP);
    world.keep("c2", &[due(&server.url("/"), Some(json!({})))]).await;
    world.until("the third", |d| d.call_id.as_deref() == Some("c2") && d.state == "delivered").await;
    worker.drain().await;
    let all = server.received();
    let by = |secret: &NewSecret, at: usize| verify(secret.secret.expose_secret(), &all[at]);
    assert!(by(&old, 1) && by(&new, 1));
    assert!(!by(&old, 2) && by(&new, 2));
}

#[tokio::test]
async fn what_was_delivered_is_never_a_dead_letter_even_if_nobody_could_write_it_down() {
    let (_folder, db) = sqlite().await;
    let (world, server) = (World::new(&db), answers(|_| 200).await);
    world.keep("c1", &[due(&server.url("/"), None)]).await;
    // A worker that dies between the answer and the result: its lease is all that it leaves.
    let now = world.now();
    let mut tx = db.begin().await.unwrap();
    assert_eq!(
        deliveries::claim_unscoped(&mut tx, "dead", 1, &[], now + 10_000, now).await.unwrap().len(),
        1
    );
    tx.commit().await.unwrap();
    let worker = start(world.parts("n1"));
    sleep(Duration::from_millis(100)).await;
    assert!(server.received().is_empty());
    world.pass(Duration::from_secs(11));
    let delivered = world.in_state("delivered").await;
    worker.drain().await;
    assert_eq!(server.received()[0].header("webhook-id"), Some(delivered.id.as_str()));
    assert_eq!(delivered.attempts, 1);
}
