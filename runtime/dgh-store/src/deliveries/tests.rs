#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::on_both;
use crate::{Conn, Db, DeliveryId, EndpointId, OrgId, StoreError};

const BREAKER: Breaker = Breaker { threshold: 3, first_pause: 1_000, longest_pause: 3_000 };

const CRM: &str = "https://crm.example.com";

/// An organisation.
struct World {
    db: Db,
    org: OrgId,
}

impl World {
    fn new(db: &Db) -> Self {
        Self { db: db.clone(), org: OrgId::fresh() }
    }

    async fn add(&self, call: &str, event: &str, now: i64) -> Option<DeliveryId> {
        self.add_to(CRM, call, event, now, false).await
    }

    async fn add_to(
        &self,
        origin: &str,
        call: &str,
        event: &str,
        now: i64,
        simulated: bool,
    ) -> Option<DeliveryId> {
        let mut tx = self.db.begin().await.unwrap();
        let new = NewDelivery {
            origin,
            agent: "desk",
            profile: Some("production"),
            webhook: "crm",
            event,
            call: Some(call),
            unique_key: &format!("{call}:{origin}:{event}"),
            lane: &format!("{call}:{origin}"),
            sealed: "sealed",
            shown: Some("{}"),
            simulated,
        };
        let id = enqueue(&mut tx, &self.org, &new, now).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn endpoint(&self, origin: &str) -> EndpointId {
        let filter = EndpointFilter::default();
        let all = self.write(async |conn| endpoints(conn, &self.org, &filter, None, 10, 0).await).await;
        all.into_iter().find(|endpoint| endpoint.origin == origin).unwrap().id
    }

    async fn claim(&self, most: i64, now: i64) -> Vec<Claimed> {
        let mut tx = self.db.begin().await.unwrap();
        let claimed = claim_unscoped(&mut tx, "n1", most, &[], now + 100, now).await.unwrap();
        tx.commit().await.unwrap();
        claimed
    }

    async fn write<T>(&self, write: impl AsyncFnOnce(&mut Conn) -> Result<T, StoreError>) -> T {
        let mut tx = self.db.begin().await.unwrap();
        let done = write(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        done
    }

    async fn state(&self, id: &DeliveryId) -> (String, i64, Option<i64>) {
        let delivery = self.write(async |conn| get(conn, &self.org, id).await).await;
        (delivery.state, delivery.attempts, delivery.due_at)
    }
}

fn ticket(claimed: &Claimed) -> Ticket<'_> {
    Ticket { id: &claimed.id, fence: claimed.fence }
}

fn failed<'a>(claimed: &'a Claimed, error: &'a str) -> Attempt<'a> {
    Attempt {
        org: &claimed.org_id,
        number: claimed.attempts + 1,
        at: 0,
        took_ms: 5,
        status: Some(503),
        error,
    }
}

#[tokio::test]
async fn what_is_told_twice_is_kept_once() {
    on_both(async |db| {
        let world = World::new(&db);
        assert!(world.add("c1", "call.ended", 0).await.is_some());
        assert!(world.add("c1", "call.ended", 5).await.is_none());
        assert!(world.add("c2", "call.ended", 5).await.is_some());
        // Another organisation has endpoints and deliveries of its own.
        let other = World::new(&db);
        assert!(other.add("c1", "call.ended", 5).await.is_some());
        assert_ne!(other.endpoint(CRM).await, world.endpoint(CRM).await);
        // What is simulated is kept, and never due.
        assert!(world.add_to(CRM, "c4", "call.ended", 5, true).await.is_some());
        assert_eq!(world.claim(10, 1_000).await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn of_many_that_claim_at_once_each_gets_others() {
    on_both(async |db| {
        let world = World::new(&db);
        for call in 0..60 {
            world.add(&format!("c{call}"), "call.ended", 0).await.unwrap();
        }
        let claims = futures::future::join_all((0..12).map(|_| world.claim(10, 1))).await;
        let mut ids: Vec<String> = claims.into_iter().flatten().map(|claimed| claimed.id).collect();
        let mut more = world.claim(100, 1).await;
        ids.extend(more.drain(..).map(|claimed| claimed.id));
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), all), (60, 60), "each once");
        assert!(world.claim(10, 1).await.is_empty(), "their leases go on");
        assert_eq!(world.claim(100, 102).await.len(), 60, "and end");
    })
    .await;
}

#[tokio::test]
async fn who_was_slower_than_its_lease_writes_nothing() {
    on_both(async |db| {
        let world = World::new(&db);
        let id = world.add("c1", "call.ended", 0).await.unwrap();
        let slow = world.claim(1, 1).await.remove(0);
        let fast = world.claim(1, 200).await.remove(0);
        assert!(fast.fence > slow.fence);
        let done = world.write(async |conn| delivered_unscoped(conn, &[ticket(&slow)], 200, 300).await).await;
        assert_eq!(done, 0);
        assert!(
            !world
                .write(async |conn| retry_unscoped(conn, &ticket(&slow), &failed(&slow, "x"), 900).await)
                .await
        );
        assert!(
            !world
                .write(async |conn| dead_unscoped(conn, &ticket(&slow), &failed(&slow, "x"), 900).await)
                .await
        );
        assert!(!world.write(async |conn| park_unscoped(conn, &ticket(&slow), "secret:K", "x").await).await);
        assert_eq!(world.write(async |conn| release_unscoped(conn, &[ticket(&slow)], 900).await).await, 0);
        assert_eq!(world.state(&id).await.0, "pending");
        let done = world.write(async |conn| delivered_unscoped(conn, &[ticket(&fast)], 200, 300).await).await;
        assert_eq!(done, 1);
        assert_eq!(world.state(&id).await, ("delivered".to_owned(), 1, None));
        // Even the one that had it cannot make it a dead letter any more.
        assert!(
            !world
                .write(async |conn| dead_unscoped(conn, &ticket(&fast), &failed(&fast, "x"), 900).await)
                .await
        );
        let attempts = world.write(async |conn| attempts(conn, &world.org, &id, 10).await).await;
        assert!(attempts.is_empty());
    })
    .await;
}

#[tokio::test]
async fn deliveries_of_one_lane_go_one_after_another() {
    on_both(async |db| {
        let world = World::new(&db);
        let first = world.add("c1", "call.started", 0).await.unwrap();
        world.add("c1", "call.ended", 0).await.unwrap();
        world.add("c2", "call.ended", 0).await.unwrap();
        let claimed = world.claim(10, 1).await;
        let events: Vec<&str> = claimed.iter().map(|c| c.event.as_str()).collect();
        assert_eq!(events.len(), 2, "{events:?}");
        assert!(world.claim(10, 1).await.is_empty());
        let started = claimed.iter().find(|c| c.id == first.as_str()).unwrap();
        let retry =
            async |conn: &mut Conn| retry_unscoped(conn, &ticket(started), &failed(started, "no"), 500).await;
        assert!(world.write(retry).await);
        assert!(world.claim(10, 50).await.is_empty(), "the second one waits until the first is through");
        let again = world.claim(10, 500).await;
        let again = again.iter().find(|c| c.id == first.as_str()).unwrap();
        assert_eq!((again.attempts, again.tries), (1, 1));
        world.write(async |conn| dead_unscoped(conn, &ticket(again), &failed(again, "no"), 600).await).await;
        let then = world.claim(10, 2_000).await;
        assert!(then.iter().any(|c| c.call_id.as_deref() == Some("c1") && c.event == "call.ended"));
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_keeps_failing_gets_one_attempt_until_it_works() {
    on_both(async |db| {
        let world = World::new(&db);
        for call in 0..6 {
            world.add(&format!("c{call}"), "call.ended", 0).await.unwrap();
        }
        let id = world.endpoint(CRM).await;
        let endpoint = id.as_str();
        let fail = async |probe: bool, now: i64| {
            world
                .write(async |conn| failed_unscoped(conn, endpoint, "HTTP 503", BREAKER, probe, now).await)
                .await
        };
        assert_eq!(fail(false, 10).await, None);
        assert_eq!(fail(false, 10).await, None);
        assert_eq!(fail(false, 10).await, Some(1_010), "the third failure trips it");
        assert_eq!(fail(false, 20).await, Some(1_010), "what was on its way does not trip it again");
        assert!(world.claim(10, 500).await.is_empty());
        let probe = async |now: i64| {
            world.write(async |conn| probe_unscoped(conn, endpoint, now + 100, now).await).await
        };
        assert!(!probe(900).await);
        assert!(probe(1_010).await);
        assert!(!probe(1_010).await, "one node has it");
        assert_eq!(fail(true, 1_050).await, Some(3_050), "twice as long");
        assert_eq!(fail(true, 3_100).await, Some(6_100), "up to a limit");
        world.write(async |conn| recovered_unscoped(conn, endpoint, 6_200).await).await;
        assert_eq!(world.claim(10, 6_200).await.len(), 6);
        let health = world.write(async |conn| health_unscoped(conn, &[endpoint]).await).await;
        assert_eq!((health[0].failures, health[0].trips, health[0].blocked_until), (0, 0, 0));
        // A receiver that asks for a pause gets one; a shorter one does not end it.
        world.write(async |conn| pause_unscoped(conn, endpoint, 9_000).await).await;
        world.write(async |conn| pause_unscoped(conn, endpoint, 8_000).await).await;
        assert!(world.claim(10, 8_999).await.is_empty());
        assert_eq!(world.claim(10, 9_000).await.len(), 6);
        let late = world.add("late", "call.ended", 8_500).await.unwrap();
        assert_eq!(world.state(&late).await.2, Some(9_000));
    })
    .await;
}

#[tokio::test]
async fn a_disabled_endpoint_parks_what_is_for_it_until_it_is_enabled() {
    on_both(async |db| {
        let world = World::new(&db);
        let before = world.add("c1", "call.ended", 0).await.unwrap();
        let taken = world.claim(1, 1).await.remove(0);
        let id = world.endpoint(CRM).await;
        world.write(async |conn| disable_unscoped(conn, id.as_str(), "410", 5).await).await;
        let after = world.add("c2", "call.ended", 10).await.unwrap();
        assert_eq!(world.state(&after).await, ("parked".to_owned(), 0, None));
        assert_eq!(world.state(&before).await.0, "pending", "somebody is sending it");
        world.write(async |conn| release_unscoped(conn, &[ticket(&taken)], 20).await).await;
        assert!(world.claim(10, 1_000).await.is_empty());
        let shown = world.write(async |conn| endpoint(conn, &world.org, &id).await).await;
        assert_eq!(
            (shown.disabled_at, shown.disabled_why.as_deref(), shown.waiting),
            (Some(5), Some("410"), 2)
        );
        let other = OrgId::fresh();
        assert!(!world.write(async |conn| enable(conn, &other, &id, 30).await).await);
        assert!(world.write(async |conn| enable(conn, &world.org, &id, 30).await).await);
        assert_eq!(world.claim(10, 30).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_secret_goes_when_it_is_there() {
    on_both(async |db| {
        let world = World::new(&db);
        let id = world.add("c1", "call.ended", 0).await.unwrap();
        let claimed = world.claim(1, 1).await.remove(0);
        world.write(async |conn| park_unscoped(conn, &ticket(&claimed), "secret:KEY", "not set").await).await;
        assert_eq!(world.state(&id).await, ("parked".to_owned(), 0, None));
        let waits = world.write(async |conn| parked_for_secrets_unscoped(conn).await).await;
        let wanted =
            (world.org.clone(), "desk".to_owned(), Some("production".to_owned()), "secret:KEY".to_owned());
        assert_eq!(waits, [wanted]);
        let free = async |org: &OrgId, profile: Option<&str>| {
            world
                .write(async |conn| unpark_unscoped(conn, org, "desk", profile, "secret:KEY", 50).await)
                .await
        };
        assert_eq!(free(&world.org, None).await, 0);
        assert_eq!(free(&OrgId::fresh(), Some("production")).await, 0);
        assert_eq!(free(&world.org, Some("production")).await, 1);
        assert_eq!(world.claim(1, 50).await[0].id, id.as_str());
        let backlog = world.write(async |conn| backlog_unscoped(conn).await).await;
        assert_eq!((backlog.pending, backlog.parked, backlog.oldest_due), (1, 0, Some(50)));
    })
    .await;
}

#[tokio::test]
async fn dead_letters_are_found_and_sent_again_with_their_ids() {
    on_both(async |db| {
        let world = World::new(&db);
        let mut ids = Vec::new();
        for call in 0..5 {
            ids.push(world.add(&format!("c{call}"), "call.ended", 10).await.unwrap());
        }
        for claimed in world.claim(10, 10).await {
            let error =
                if claimed.call_id.as_deref() == Some("c1") { "HTTP 401: 100%_Wrong" } else { "HTTP 500" };
            let dead = async |conn: &mut Conn| {
                dead_unscoped(conn, &ticket(&claimed), &failed(&claimed, error), 20).await
            };
            assert!(world.write(dead).await);
        }
        let find = async |filter: Filter<'_>| {
            let rows = world.write(async |conn| list(conn, &world.org, &filter, None, 100).await).await;
            rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        let dead = Filter { state: Some(DeliveryState::Dead), ..Filter::default() };
        let newest_first: Vec<DeliveryId> = ids.iter().rev().cloned().collect();
        assert_eq!(find(dead.clone()).await, newest_first);
        assert_eq!(find(Filter { search: Some("100%_wrong"), ..dead.clone() }).await, [ids[1].clone()]);
        assert!(find(Filter { search: Some("100__wrong"), ..dead.clone() }).await.is_empty());
        assert_eq!(find(Filter { search: Some("CRM.example"), ..dead.clone() }).await.len(), 5);
        assert_eq!(find(Filter { call: Some("c3"), ..Filter::default() }).await, [ids[3].clone()]);
        assert!(find(Filter { agent: Some("other"), ..Filter::default() }).await.is_empty());
        assert!(find(Filter { since: Some(11), ..Filter::default() }).await.is_empty());
        let page =
            world.write(async |conn| list(conn, &world.org, &dead, Some(ids[2].as_str()), 1).await).await;
        assert_eq!(page[0].id, ids[1]);
        let strange = OrgId::fresh();
        assert!(!world.write(async |conn| replay(conn, &strange, &ids[0], 30).await).await);
        assert!(world.write(async |conn| replay(conn, &world.org, &ids[0], 30).await).await);
        assert!(
            !world.write(async |conn| replay(conn, &world.org, &ids[0], 30).await).await,
            "it is pending"
        );
        let some = async |limit| {
            world.write(async |conn| replay_all(conn, &world.org, &dead, limit, 30).await).await
        };
        assert_eq!(some(2).await, 2);
        assert_eq!(world.write(async |conn| replay_all(conn, &strange, &dead, 9, 30).await).await, 0);
        assert_eq!(some(10).await, 2);
        let claimed = world.claim(10, 30).await;
        assert_eq!(claimed.len(), 5);
        assert!(claimed.iter().all(|c| c.attempts == 1 && c.tries == 0), "attempts go on, tries begin anew");
        let known = world.write(async |conn| attempts(conn, &world.org, &ids[1], 10).await).await;
        assert_eq!((known.len(), known[0].number, known[0].status), (1, 1, Some(503)));
    })
    .await;
}

#[tokio::test]
async fn what_is_old_goes_and_so_does_all_about_a_call() {
    on_both(async |db| {
        let world = World::new(&db);
        for call in ["c1", "c2", "c3"] {
            world.add(call, "call.ended", 0).await.unwrap();
        }
        for (at, claimed) in [100, 200].into_iter().zip(&world.claim(2, 1).await) {
            world.write(async |conn| delivered_unscoped(conn, &[ticket(claimed)], 204, at).await).await;
        }
        assert_eq!(world.write(async |conn| delete_done_unscoped(conn, 150, 10).await).await, 1);
        assert_eq!(world.write(async |conn| forget_call(conn, &world.org, "c3").await).await, 1);
        let left = world.write(async |conn| list(conn, &world.org, &Filter::default(), None, 10).await).await;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].status, Some(204));
    })
    .await;
}

#[tokio::test]
async fn two_signing_secrets_are_valid_while_one_takes_the_place_of_the_other() {
    on_both(async |db| {
        let world = World::new(&db);
        let (old, new) = (crate::SecretId::fresh(), crate::SecretId::fresh());
        let add = async |id: &crate::SecretId, until: i64, now: i64| {
            world
                .write(async |conn| {
                    add_signing_secret(conn, &world.org, id, "sealed", "abcd", until, now).await
                })
                .await;
        };
        add(&old, 0, 10).await;
        add(&new, 500, 100).await;
        let valid = async |now: i64| {
            let valid = world.write(async |conn| valid_signing_secrets(conn, &world.org, now).await).await;
            valid.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(valid(499).await, [new.clone(), old.clone()]);
        assert_eq!(valid(500).await, std::slice::from_ref(&new));
        assert!(!world.write(async |conn| retire(conn, &OrgId::fresh(), &new).await).await);
        assert!(world.write(async |conn| retire(conn, &world.org, &old).await).await);
        assert_eq!(valid(101).await, [new]);
        let shown = world.write(async |conn| signing_secrets(conn, &world.org, 101).await).await;
        assert_eq!(shown[0].ending, "abcd");
    })
    .await;
}

#[tokio::test]
async fn what_is_full_is_passed_over_and_a_lone_process_clears_leases() {
    on_both(async |db| {
        let world = World::new(&db);
        world.add("c1", "call.ended", 0).await.unwrap();
        let id = world.add_to("https://other.example.com", "c1", "call.ended", 0, false).await.unwrap();
        let full = [world.endpoint(CRM).await.to_string()];
        let claimed = world.write(async |conn| claim_unscoped(conn, "n1", 10, &full, 900, 1).await).await;
        assert_eq!(claimed.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), [id.as_str()]);
        assert!(world.write(async |conn| any_due_unscoped(conn, 1).await).await);
        assert_eq!(world.write(async |conn| clear_leases_unscoped(conn).await).await, 1);
        assert_eq!(world.claim(10, 1).await.len(), 2);
        assert!(!world.write(async |conn| any_due_unscoped(conn, 1).await).await);
        let stopped = EndpointFilter { stopped: Some(true), ..EndpointFilter::default() };
        let rows = world.write(async |conn| endpoints(conn, &world.org, &stopped, None, 10, 1).await).await;
        assert!(rows.is_empty());
        let rows = world
            .write(async |conn| endpoints(conn, &world.org, &EndpointFilter::default(), None, 10, 1).await)
            .await;
        assert_eq!(rows.len(), 2);
    })
    .await;
}
