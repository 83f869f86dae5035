#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use super::*;
use crate::accounts::orgs::{self, Org};
use crate::agents::bundles::File;
use crate::agents::releases::Release;
use crate::agents::routes::Route;
use crate::testing::on_both;
use crate::{Db, ReleaseId, RouteId};

async fn org(db: &Db, name: &str) -> OrgId {
    let org = OrgId::fresh();
    let mut tx = db.begin().await.unwrap();
    orgs::insert(&mut tx, &Org { id: org.clone(), name: name.to_owned(), created_at: 1 }).await.unwrap();
    tx.commit().await.unwrap();
    org
}

fn file(path: &str, blob: &str) -> File {
    File { path: path.to_owned(), blob: blob.to_owned(), size: 3 }
}

fn agent(slug: &str) -> Agent {
    Agent {
        id: AgentId::fresh(),
        slug: slug.to_owned(),
        name: slug.to_owned(),
        entry: None,
        part: None,
        profile: "production".to_owned(),
        source: "api".to_owned(),
        draft: "h0".to_owned(),
        draft_by: None,
        draft_at: 1,
        releases: 0,
        created_at: 1,
        updated_at: 1,
        archived_at: None,
    }
}

fn release(of: &Agent, number: i64) -> Release {
    Release {
        id: ReleaseId::fresh(),
        agent: of.id.clone(),
        number,
        bundle: "h0".to_owned(),
        entry: "agent.dgh".to_owned(),
        part: "desk".to_owned(),
        program_hash: "p".to_owned(),
        compiler: "0".to_owned(),
        profile: "production".to_owned(),
        profile_revision: 1,
        trusted: i64::from(number == 2),
        author: Some("kim".to_owned()),
        note: String::new(),
        created_at: number,
    }
}

async fn with_agent(conn: &mut Conn, org: &OrgId, slug: &str) -> Agent {
    blobs::put(conn, org, "b0", b"abc", 1).await.unwrap();
    bundles::insert(conn, org, "h0", &[file("agent.dgh", "b0"), file("a.wav", "b0")], 1).await.unwrap();
    let agent = agent(slug);
    insert(conn, org, &agent).await.unwrap();
    agent
}

#[tokio::test]
async fn a_draft_is_set_by_who_read_the_last_one() {
    on_both(async |db| {
        let (ours, theirs) = (org(&db, "ours").await, org(&db, "theirs").await);
        let mut tx = db.begin().await.unwrap();
        let desk = with_agent(&mut tx, &ours, "desk").await;
        bundles::insert(&mut tx, &ours, "h1", &[], 2).await.unwrap();
        assert!(!set_draft(&mut tx, &ours, &desk.id, ("h9", "h1"), None, 2).await.unwrap());
        assert!(!set_draft(&mut tx, &theirs, &desk.id, ("h0", "h1"), None, 2).await.unwrap());
        assert!(set_draft(&mut tx, &ours, &desk.id, ("h0", "h1"), Some("kim"), 2).await.unwrap());
        let now = find(&mut tx, &ours, "desk").await.unwrap();
        assert_eq!((now.draft.as_str(), now.draft_by.as_deref(), now.draft_at), ("h1", Some("kim"), 2));
        assert!(matches!(find(&mut tx, &theirs, "desk").await, Err(StoreError::NotFound { .. })));
        let twice = insert(&mut tx, &ours, &agent("desk")).await.unwrap_err();
        assert!(twice.conflicts_with("agents.slug"), "{twice}");
    })
    .await;
}

#[tokio::test]
async fn contents_are_kept_once_and_bundles_say_where() {
    on_both(async |db| {
        let (ours, theirs) = (org(&db, "ours").await, org(&db, "theirs").await);
        let mut tx = db.begin().await.unwrap();
        with_agent(&mut tx, &ours, "desk").await;
        blobs::put(&mut tx, &ours, "b0", b"abc", 5).await.unwrap();
        assert_eq!(blobs::get(&mut tx, &ours, "b0").await.unwrap(), b"abc");
        assert!(blobs::get(&mut tx, &theirs, "b0").await.is_err());
        let wanted = BTreeSet::from(["b0", "b1"]);
        assert_eq!(blobs::sizes(&mut tx, &ours, &wanted).await.unwrap(), [("b0".to_owned(), 3)]);
        assert!(blobs::sizes(&mut tx, &theirs, &wanted).await.unwrap().is_empty());
        let files = bundles::files(&mut tx, &ours, "h0").await.unwrap();
        assert_eq!(files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["a.wav", "agent.dgh"]);
        let texts = bundles::texts(&mut tx, &ours, "h0").await.unwrap();
        assert_eq!(texts, [("agent.dgh".to_owned(), b"abc".to_vec())]);
        let lost = bundles::insert(&mut tx, &ours, "h2", &[file("x", "none")], 1).await;
        assert!(matches!(lost, Err(StoreError::Dangling)), "{lost:?}");
    })
    .await;
}

#[tokio::test]
async fn releases_are_numbered_and_traffic_names_them() {
    on_both(async |db| {
        let ours = org(&db, "ours").await;
        let mut tx = db.begin().await.unwrap();
        let desk = with_agent(&mut tx, &ours, "desk").await;
        let mut ids = Vec::new();
        for expected in 1..=3 {
            let number = next_release(&mut tx, &ours, &desk.id, 2).await.unwrap();
            assert_eq!(number, expected);
            let release = release(&desk, number);
            releases::insert(&mut tx, &ours, &release, b"ir").await.unwrap();
            assert_eq!(releases::find(&mut tx, &ours, &desk.id, number).await.unwrap(), release);
            ids.push(release.id);
        }
        assert_eq!(releases::program(&mut tx, &ours, &ids[0]).await.unwrap(), b"ir");
        let page = releases::list(&mut tx, &ours, &desk.id, Some(3), 9).await.unwrap();
        assert_eq!(page.iter().map(|r| r.number).collect::<Vec<_>>(), [2, 1]);
        assert!(releases::is_trusted(&mut tx, &ours, &desk.id, "h0").await.unwrap());
        let shares = [(ids[2].clone(), 10), (ids[0].clone(), 90)];
        traffic::set(&mut tx, &ours, &desk.id, "production", &shares).await.unwrap();
        let found = traffic::of(&mut tx, &ours, &desk.id, "production").await.unwrap();
        assert_eq!(found.iter().map(|s| (s.number, s.percent)).collect::<Vec<_>>(), [(3, 10), (1, 90)]);
        let route = Route {
            id: RouteId::fresh(),
            kind: "number".to_owned(),
            address: "+14155550100".to_owned(),
            agent: desk.id.clone(),
            slug: "desk".to_owned(),
            profile: "production".to_owned(),
            release: Some(ids[1].clone()),
            number: Some(2),
            created_at: 3,
        };
        routes::insert(&mut tx, &ours, &route).await.unwrap();
        let found = routes::find(&mut tx, &ours, "number", "+14155550100").await.unwrap();
        assert_eq!(found, Some(route.clone()));
        assert!(profiles::is_used(&mut tx, &ours, "production").await.unwrap());
        set_archived(&mut tx, &ours, &desk.id, true, 4).await.unwrap();
        assert!(find(&mut tx, &ours, "desk").await.is_err());
        assert!(find_any(&mut tx, &ours, "desk").await.unwrap().is_some());
        assert!(routes::find(&mut tx, &ours, "number", "+14155550100").await.unwrap().is_none());
        assert!(!profiles::is_used(&mut tx, &ours, "production").await.unwrap());
        assert!(next_release(&mut tx, &ours, &desk.id, 5).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn profiles_have_revisions_and_secrets_versions() {
    on_both(async |db| {
        let (ours, theirs) = (org(&db, "ours").await, org(&db, "theirs").await);
        let mut tx = db.begin().await.unwrap();
        assert!(profiles::insert(&mut tx, &ours, "dev", "{}", None, 1).await.unwrap());
        assert!(!profiles::insert(&mut tx, &ours, "dev", "{\"x\":1}", None, 1).await.unwrap());
        let dev = profiles::find(&mut tx, &ours, "dev").await.unwrap();
        assert_eq!((dev.revision, dev.settings.as_str(), dev.secrets), (1, "{}", 0));
        let revised =
            profiles::revise(&mut tx, &ours, &dev.id, 1, "{\"a\":1}", Some("kim"), 2).await.unwrap();
        assert_eq!(revised, Some(2));
        assert_eq!(profiles::revise(&mut tx, &ours, &dev.id, 1, "{}", None, 3).await.unwrap(), None);
        assert_eq!(profiles::revision(&mut tx, &ours, &dev.id, 1).await.unwrap(), "{}");
        assert!(profiles::revision(&mut tx, &theirs, &dev.id, 1).await.is_err());
        assert_eq!(secrets::set(&mut tx, &ours, &dev.id, "KEY", "s1", None, 4).await.unwrap(), 1);
        assert_eq!(secrets::set(&mut tx, &ours, &dev.id, "KEY", "s2", None, 5).await.unwrap(), 2);
        assert_eq!(profiles::find(&mut tx, &ours, "dev").await.unwrap().secrets, 2);
        let all = secrets::sealed(&mut tx, &ours, &dev.id).await.unwrap();
        assert_eq!((all.len(), all[0].sealed.as_str()), (1, "s2"));
        assert!(secrets::sealed(&mut tx, &theirs, &dev.id).await.unwrap().is_empty());
        assert!(secrets::remove(&mut tx, &theirs, &dev.id, "KEY").await.is_err());
        secrets::remove(&mut tx, &ours, &dev.id, "KEY").await.unwrap();
        assert!(secrets::list(&mut tx, &ours, &dev.id, None, 9).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_nobody_names_is_swept_away() {
    on_both(async |db| {
        let ours = org(&db, "ours").await;
        let mut tx = db.begin().await.unwrap();
        with_agent(&mut tx, &ours, "desk").await;
        blobs::put(&mut tx, &ours, "b1", b"old", 2).await.unwrap();
        bundles::insert(&mut tx, &ours, "h1", &[file("agent.dgh", "b1")], 2).await.unwrap();
        blobs::put(&mut tx, &ours, "b2", b"new", 50).await.unwrap();
        assert_eq!(sweep::sweep_unscoped(&mut tx, 10, 10).await.unwrap(), (1, 1));
        assert_eq!(sweep::sweep_unscoped(&mut tx, 10, 10).await.unwrap(), (0, 0));
        assert!(blobs::get(&mut tx, &ours, "b2").await.is_ok(), "it may be on its way into a bundle");
        assert_eq!(bundles::files(&mut tx, &ours, "h0").await.unwrap().len(), 2);
    })
    .await;
}
