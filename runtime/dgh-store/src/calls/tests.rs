#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::on_both;
use crate::{Conn, Db, InboxId, OrgId};

const NONE: Limits = Limits { org: None, agent: None };
const LEASE: i64 = 30_000;

fn wanted(agent: &str) -> NewCall {
    NewCall {
        id: CallId::fresh(),
        agent: agent.to_owned(),
        version: "folder".to_owned(),
        release: None,
        profile: None,
        profile_revision: None,
        program: "abc".to_owned(),
        direction: "inbound",
        channel: "phone",
        line: "twilio".to_owned(),
        test: false,
        campaign: None,
        caller: Some("+14155550100".to_owned()),
        called: None,
        inputs: None,
        node: None,
        due_at: Some(60_000),
        ticket: None,
        carrier_call: None,
        tags: vec!["vip".to_owned()],
    }
}

async fn node(conn: &mut Conn, until: i64) -> NodeId {
    let id = NodeId::fresh();
    let node = Node { id: id.clone(), name: "a".to_owned(), started_at: 0, lease_until: until };
    join_unscoped(conn, &node).await.unwrap();
    id
}

async fn made(db: &Db, org: &OrgId, new: &NewCall, limits: Limits, now: i64) -> Created {
    let mut tx = db.begin().await.unwrap();
    let created = create(&mut tx, org, new, limits, now).await.unwrap();
    tx.commit().await.unwrap();
    created
}

fn owner(new: &NewCall, org: &OrgId, fence: i64) -> Owner {
    Owner { call: new.id.clone(), org: org.clone(), fence }
}

fn ended(at: i64) -> End {
    End { at, ended_by: "caller".to_owned(), outcome: Some("done".to_owned()), turns: 3, ..End::default() }
}

#[tokio::test]
async fn a_call_goes_one_way_and_only_for_its_owner() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let mut tx = db.begin().await.unwrap();
        let me = node(&mut tx, LEASE).await;
        let new = NewCall { node: Some(me.clone()), due_at: None, ..wanted("desk") };
        assert_eq!(create(&mut tx, &org, &new, NONE, 5).await.unwrap(), Created::New);
        let mine = owner(&new, &org, 1);
        assert!(advance(&mut tx, &mine, CallState::Live, 10).await.unwrap());
        assert!(!advance(&mut tx, &mine, CallState::Ringing, 11).await.unwrap(), "it does not go back");
        assert!(!advance(&mut tx, &mine, CallState::Live, 12).await.unwrap());
        assert!(progress(&mut tx, &mine, Some("hello"), 2).await.unwrap());
        assert!(!end(&mut tx, &owner(&new, &org, 0), &ended(20)).await.unwrap(), "an old fence");
        assert!(!end(&mut tx, &owner(&new, &OrgId::fresh(), 1), &ended(20)).await.unwrap());
        let mut how = ended(1_010);
        how.values = vec![("day".to_owned(), "Monday".to_owned())];
        how.usage = vec![Usage { part: "llm".into(), provider: "x".into(), requests: 2, ..Usage::default() }];
        assert!(end(&mut tx, &mine, &how).await.unwrap());
        assert!(!end(&mut tx, &mine, &how).await.unwrap(), "once");
        let row = get(&mut tx, &org, &new.id).await.unwrap().unwrap();
        assert_eq!((row.state.as_str(), row.live_at, row.duration_ms), ("ended", Some(10), Some(1_000)));
        assert_eq!((row.at_node.as_deref(), row.turns), (Some("hello"), 3));
        assert_eq!(values_of(&mut tx, &org, &new.id).await.unwrap(), how.values);
        assert_eq!(usage_of(&mut tx, &org, &new.id).await.unwrap(), how.usage);
        assert_eq!(get(&mut tx, &OrgId::fresh(), &new.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn places_are_rows_and_a_dead_node_holds_none() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let mut tx = db.begin().await.unwrap();
        let me = node(&mut tx, LEASE).await;
        set_limit(&mut tx, &org, "agent", "desk", Some(1)).await.unwrap();
        tx.commit().await.unwrap();
        let two = Limits { org: Some(2), agent: Some(9) };
        let mine = |agent: &str| NewCall { node: Some(me.clone()), due_at: None, ..wanted(agent) };
        let first = mine("desk");
        assert_eq!(made(&db, &org, &first, two, 1).await, Created::New);
        assert_eq!(
            made(&db, &org, &mine("desk"), two, 2).await,
            Created::Full { scope: Scope::Agent, max: 1 }
        );
        assert_eq!(made(&db, &org, &mine("other"), two, 3).await, Created::New);
        assert_eq!(
            made(&db, &org, &mine("third"), two, 4).await,
            Created::Full { scope: Scope::Org, max: 2 }
        );
        assert_eq!(
            made(&db, &OrgId::fresh(), &mine("third"), two, 4).await,
            Created::New,
            "others have their own"
        );
        // Nobody ended them, and their node is dead.
        assert_eq!(made(&db, &org, &wanted("desk"), two, LEASE + 1).await, Created::New);
        // Nobody took this one in time.
        assert_eq!(made(&db, &org, &wanted("desk"), two, 60_000).await, Created::New);
    })
    .await;
}

#[tokio::test]
async fn of_many_that_want_the_last_place_one_gets_it() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let one = Limits { org: Some(3), agent: None };
        let all = (0..12).map(|_| {
            let (db, org) = (db.clone(), org.clone());
            async move { made(&db, &org, &wanted("desk"), one, 1).await }
        });
        let all = futures::future::join_all(all).await;
        assert_eq!(all.iter().filter(|created| **created == Created::New).count(), 3, "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn a_campaign_has_a_limit_of_its_own() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let mut tx = db.begin().await.unwrap();
        set_limit(&mut tx, &org, "campaign", "c1", Some(1)).await.unwrap();
        set_org_limit(&mut tx, &org, Some(2)).await.unwrap();
        let of = |campaign: &str| NewCall { campaign: Some(campaign.to_owned()), ..wanted("desk") };
        assert_eq!(create(&mut tx, &org, &of("c1"), NONE, 1).await.unwrap(), Created::New);
        let full = create(&mut tx, &org, &of("c1"), NONE, 1).await.unwrap();
        assert_eq!(full, Created::Full { scope: Scope::Campaign, max: 1 });
        assert_eq!(create(&mut tx, &org, &of("c2"), NONE, 1).await.unwrap(), Created::New);
        assert_eq!(usage_of_limits(&mut tx, &org, 2).await.unwrap().2, 2);
        let full = create(&mut tx, &org, &of("c3"), NONE, 1).await.unwrap();
        assert_eq!(full, Created::Full { scope: Scope::Org, max: 2 }, "its row goes before the default");
    })
    .await;
}

#[tokio::test]
async fn a_carrier_that_tells_twice_makes_one_call() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let new = NewCall { carrier_call: Some("CA1".to_owned()), ..wanted("desk") };
        assert_eq!(made(&db, &org, &new, NONE, 1).await, Created::New);
        let again = NewCall { id: CallId::fresh(), ..new.clone() };
        assert_eq!(made(&db, &org, &again, NONE, 2).await, Created::Already(new.id.clone()));
        assert_eq!(made(&db, &OrgId::fresh(), &again, NONE, 2).await, Created::New);
    })
    .await;
}

#[tokio::test]
async fn a_ticket_is_good_once_for_one_node() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let new = NewCall { ticket: Some(("hash".to_owned(), 1_000)), ..wanted("desk") };
        made(&db, &org, &new, NONE, 1).await;
        let ticket = Ticket { hash: "hash", line: "twilio", agent: "desk" };
        let take = async |ticket: Ticket<'_>, now: i64| {
            let mut tx = db.begin().await.unwrap();
            let row = redeem_unscoped(&mut tx, ticket, &NodeId::fresh(), now).await.unwrap();
            tx.commit().await.unwrap();
            row
        };
        assert!(take(Ticket { agent: "other", ..ticket }, 2).await.is_none());
        assert!(take(Ticket { line: "vonage", ..ticket }, 2).await.is_none());
        assert!(take(ticket, 1_000).await.is_none(), "it is too late");
        let both = futures::future::join_all((0..6).map(|_| take(ticket, 2))).await;
        let taken: Vec<_> = both.into_iter().flatten().collect();
        assert_eq!(taken.len(), 1);
        assert_eq!((taken[0].state.as_str(), taken[0].fence), ("connecting", 1));
        assert!(take(ticket, 3).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn what_a_dead_node_left_is_adopted_by_one() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let mut tx = db.begin().await.unwrap();
        let dead = node(&mut tx, 100).await;
        let (left, right) = (node(&mut tx, 900).await, node(&mut tx, 900).await);
        let new = NewCall { node: Some(dead.clone()), due_at: None, ..wanted("desk") };
        create(&mut tx, &org, &new, NONE, 1).await.unwrap();
        let late = NewCall { due_at: Some(150), ..wanted("desk") };
        create(&mut tx, &org, &late, NONE, 1).await.unwrap();
        assert!(overdue_unscoped(&mut tx, 99, 10).await.unwrap().is_empty());
        assert_eq!(overdue_unscoped(&mut tx, 100, 10).await.unwrap().len(), 1);
        let rows = overdue_unscoped(&mut tx, 200, 10).await.unwrap();
        assert_eq!(rows.len(), 2);
        tx.commit().await.unwrap();
        let adopt = async |row: &CallRow, node: &NodeId| {
            let mut tx = db.begin().await.unwrap();
            let owner = adopt_unscoped(&mut tx, row, node, 200).await.unwrap();
            tx.commit().await.unwrap();
            owner
        };
        let row = rows.iter().find(|row| row.id == new.id).unwrap();
        let (one, other) = futures::join!(adopt(row, &left), adopt(row, &right));
        let winner = match (one, other) {
            (Some(owner), None) | (None, Some(owner)) => owner,
            both => panic!("{both:?}"),
        };
        let mut tx = db.begin().await.unwrap();
        assert!(!end(&mut tx, &owner(&new, &org, 1), &ended(300)).await.unwrap(), "the dead one wakes up");
        assert!(end(&mut tx, &winner, &End { ended_by: "lost".into(), ..ended(300) }).await.unwrap());
        assert_eq!(forget_dead_unscoped(&mut tx, 200).await.unwrap(), 1);
        assert!(!beat_unscoped(&mut tx, &dead, 5_000).await.unwrap(), "it has to join again");
        assert_eq!(nodes_unscoped(&mut tx).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_call_whose_owner_lives_is_not_adopted() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let mut tx = db.begin().await.unwrap();
        let (alive, other) = (node(&mut tx, 900).await, node(&mut tx, 900).await);
        let new = NewCall { node: Some(alive), due_at: None, ..wanted("desk") };
        create(&mut tx, &org, &new, NONE, 1).await.unwrap();
        let row = get(&mut tx, &org, &new.id).await.unwrap().unwrap();
        assert_eq!(adopt_unscoped(&mut tx, &row, &other, 200).await.unwrap(), None);
        let unowned = wanted("desk");
        create(&mut tx, &org, &unowned, NONE, 1).await.unwrap();
        let row = get(&mut tx, &org, &unowned.id).await.unwrap().unwrap();
        assert_eq!(adopt_unscoped(&mut tx, &row, &other, 200).await.unwrap(), None, "somebody may come yet");
    })
    .await;
}

#[tokio::test]
async fn messages_reach_the_owner_once_and_in_order() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let mut tx = db.begin().await.unwrap();
        let (me, other) = (node(&mut tx, LEASE).await, node(&mut tx, LEASE).await);
        let new = NewCall { node: Some(me.clone()), due_at: None, ..wanted("desk") };
        create(&mut tx, &org, &new, NONE, 1).await.unwrap();
        let message = |kind: &str, external: Option<&str>| NewMessage {
            id: InboxId::fresh(),
            call: new.id.clone(),
            kind: kind.to_owned(),
            payload: "{}".to_owned(),
            external: external.map(str::to_owned),
            by_whom: None,
        };
        let first = message("say", None);
        assert!(post(&mut tx, &org, &first, 1).await.unwrap());
        assert!(post(&mut tx, &org, &message("status", Some("e1")), 2).await.unwrap());
        assert!(!post(&mut tx, &org, &message("status", Some("e1")), 3).await.unwrap(), "told twice");
        assert!(post(&mut tx, &org, &message("hangup", None), 4).await.unwrap());
        assert!(take_unscoped(&mut tx, &other, 5).await.unwrap().is_empty());
        let kinds: Vec<_> =
            take_unscoped(&mut tx, &me, 5).await.unwrap().into_iter().map(|message| message.kind).collect();
        assert_eq!(kinds, ["say", "status", "hangup"]);
        assert!(take_unscoped(&mut tx, &me, 6).await.unwrap().is_empty());
        assert_eq!(told(&mut tx, &org, &new.id, &first.id).await.unwrap(), Some(None));
        finish_message_unscoped(&mut tx, &first.id, "done").await.unwrap();
        assert_eq!(told(&mut tx, &org, &new.id, &first.id).await.unwrap(), Some(Some("done".to_owned())));
        assert_eq!(told(&mut tx, &OrgId::fresh(), &new.id, &first.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_log_is_read_up_to_the_first_part_that_is_missing() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let mut tx = db.begin().await.unwrap();
        let new = wanted("desk");
        create(&mut tx, &org, &new, NONE, 1).await.unwrap();
        for (number, bytes) in [(0, b"ab"), (1, b"cd"), (3, b"gh")] {
            let part = LogPart { number, bytes: bytes.to_vec() };
            append_unscoped(&mut tx, &org, &new.id, &part).await.unwrap();
            append_unscoped(&mut tx, &org, &new.id, &part).await.unwrap();
        }
        assert_eq!(whole_log(&mut tx, &org, &new.id).await.unwrap(), b"abcd");
        assert_eq!(parts_after(&mut tx, &org, &new.id, 0).await.unwrap().len(), 2);
        assert!(whole_log(&mut tx, &OrgId::fresh(), &new.id).await.unwrap().is_empty());
        forget_log(&mut tx, &org, &new.id).await.unwrap();
        assert!(whole_log(&mut tx, &org, &new.id).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn calls_are_found_by_everything_that_is_known_of_them() {
    on_both(async |db| {
        let org = OrgId::fresh();
        let mut tx = db.begin().await.unwrap();
        let mut ids = Vec::new();
        for (number, agent) in ["desk", "desk", "sales"].into_iter().enumerate() {
            let at = i64::try_from(number).unwrap() * 10;
            let new = NewCall {
                test: number == 1,
                caller: Some(format!("+1%{number}_")),
                tags: if number == 0 { vec!["a".into(), "b".into()] } else { Vec::new() },
                ..wanted(agent)
            };
            create(&mut tx, &org, &new, NONE, at).await.unwrap();
            ids.push(new.id.clone());
            let mine = take_unowned(&mut tx, &org, &new.id, &NodeId::fresh()).await.unwrap().unwrap();
            advance(&mut tx, &mine, CallState::Live, at).await.unwrap();
            let values = vec![("day".to_owned(), format!("day {number}"))];
            let how =
                End { values, micro_usd: Some(5), ..ended(at + 20_000 * i64::try_from(number).unwrap()) };
            end(&mut tx, &mine, &how).await.unwrap();
        }
        let mut found = async |filter: Filter| -> Vec<usize> {
            let rows = list(&mut tx, &org, &filter, Sort::Oldest, None, 10).await.unwrap();
            rows.iter().map(|row| ids.iter().position(|id| *id == row.id).unwrap()).collect()
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found(Filter::default()).await, [0, 1, 2]);
        assert_eq!(found(Filter { agent: text("desk"), ..Filter::default() }).await, [0, 1]);
        assert_eq!(found(Filter { from: Some(10), until: Some(20), ..Filter::default() }).await, [1]);
        assert_eq!(found(Filter { test: Some(false), ..Filter::default() }).await, [0, 2]);
        assert_eq!(found(Filter { caller: text("%1_"), ..Filter::default() }).await, [1], "no pattern");
        assert_eq!(found(Filter { min_duration: Some(20_000), ..Filter::default() }).await, [1, 2]);
        assert_eq!(found(Filter { max_duration: Some(19_999), ..Filter::default() }).await, [0]);
        assert_eq!(found(Filter { tags: vec!["a".into(), "b".into()], ..Filter::default() }).await, [0]);
        let value = ("day".to_owned(), "day 2".to_owned());
        assert_eq!(found(Filter { values: vec![value], ..Filter::default() }).await, [2]);
        assert_eq!(
            found(Filter { outcomes: vec!["done".into(), "x".into()], ..Filter::default() }).await,
            [0, 1, 2]
        );
        assert_eq!(found(Filter { ended_by: vec!["agent".into()], ..Filter::default() }).await, [0_usize; 0]);
        assert_eq!(found(Filter { direction: text("outbound"), ..Filter::default() }).await, [0_usize; 0]);
        let newest = list(&mut tx, &org, &Filter::default(), Sort::Newest, None, 2).await.unwrap();
        assert_eq!((&newest[0].id, &newest[1].id), (&ids[2], &ids[1]));
        let behind = Some((newest[1].created_at, &newest[1].id));
        let rest = list(&mut tx, &org, &Filter::default(), Sort::Newest, behind, 2).await.unwrap();
        assert_eq!((rest.len(), &rest[0].id), (1, &ids[0]));
        assert!(
            list(&mut tx, &OrgId::fresh(), &Filter::default(), Sort::Newest, None, 9)
                .await
                .unwrap()
                .is_empty()
        );
        let day = report(&mut tx, &org, &Filter { from: Some(0), ..Filter::default() }).await.unwrap();
        assert_eq!((day.calls, day.connected, day.millis, day.micro_usd), (3, 3, 60_000, 15));
        assert_eq!(day.outcomes, [Bucket { name: text("done"), calls: 3 }]);
        assert_eq!(day.agents[0], Bucket { name: text("desk"), calls: 2 });
        assert_eq!(day.hours, [Bucket { name: text("0"), calls: 3 }]);
        assert_eq!(day.durations.iter().map(|bucket| bucket.calls).sum::<i64>(), 3);
        assert_eq!(tags_of(&mut tx, &org, &ids[0]).await.unwrap(), ["a", "b"]);
    })
    .await;
}
