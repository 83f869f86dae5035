#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::accounts::orgs::{self, Org};
use crate::agents::releases::{self, Release};
use crate::agents::{self, Agent, bundles};
use crate::testing::on_both;
use crate::{AgentId, Db, ReleaseId};

/// An organisation with an agent and a release.
async fn house(db: &Db) -> (OrgId, ReleaseId) {
    let (org, release) = (OrgId::fresh(), ReleaseId::fresh());
    let mut tx = db.begin().await.unwrap();
    orgs::insert(&mut tx, &Org { id: org.clone(), name: "a".to_owned(), created_at: 1 }).await.unwrap();
    bundles::insert(&mut tx, &org, "h0", &[], 1).await.unwrap();
    let agent = Agent {
        id: AgentId::fresh(),
        slug: "desk".to_owned(),
        name: "desk".to_owned(),
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
    };
    agents::insert(&mut tx, &org, &agent).await.unwrap();
    let row = Release {
        id: release.clone(),
        agent: agent.id,
        number: 1,
        bundle: "h0".to_owned(),
        entry: "agent.dgh".to_owned(),
        part: "desk".to_owned(),
        program_hash: "p".to_owned(),
        compiler: "0".to_owned(),
        profile: "production".to_owned(),
        profile_revision: 1,
        trusted: 0,
        author: None,
        note: String::new(),
        created_at: 1,
    };
    releases::insert(&mut tx, &org, &row, b"program").await.unwrap();
    tx.commit().await.unwrap();
    (org, release)
}

fn document(sha256: &str, texts: &[&str]) -> (Document, Vec<Passage>) {
    let count = |number: usize| i64::try_from(number).unwrap();
    let passage = |(index, text): (usize, &&str)| Passage {
        number: count(index) + 1,
        place: format!("page {}", index + 1),
        text: (*text).to_owned(),
        terms: text.to_lowercase(),
    };
    let words = texts.iter().map(|text| count(text.split(' ').count())).sum();
    let document = Document {
        id: DocumentId::fresh(),
        sha256: sha256.to_owned(),
        format: "text".to_owned(),
        language: "en".to_owned(),
        cutter: 1,
        passages: count(texts.len()),
        words,
        created_at: 1,
    };
    (document, texts.iter().enumerate().map(passage).collect())
}

async fn found(db: &Db, org: &OrgId, of: (&ReleaseId, &str), words: &[&str]) -> Vec<(String, i64)> {
    let mut conn = db.read().acquire().await.unwrap();
    let scope = Scope::of(&mut conn, org, of.0, of.1).await.unwrap();
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let found = candidates(&mut conn, org, of, &scope, &words).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|one| (one.source, one.number)).collect();
    found.sort();
    found
}

#[tokio::test]
async fn only_the_documents_of_the_knowledge_are_searched() {
    on_both(async |db| {
        let (org, release) = house(&db).await;
        let (other, others) = house(&db).await;
        let mut tx = db.begin().await.unwrap();
        let (faq, passages) = document("a", &["open monday größe", "parking behind 営業", "open saturday"]);
        let faq = keep(&mut tx, &org, &faq, &passages).await.unwrap();
        let (more, passages) = document("b", &["open never"]);
        let more = keep(&mut tx, &org, &more, &passages).await.unwrap();
        put_source(&mut tx, &org, &release, ("faq", 0), ("file", "faq.md"), &faq.id, 1).await.unwrap();
        put_source(&mut tx, &org, &release, ("prices", 1), ("url", "https://x"), &more.id, 1).await.unwrap();
        let (theirs, passages) = document("a", &["open monday"]);
        let theirs = keep(&mut tx, &other, &theirs, &passages).await.unwrap();
        put_source(&mut tx, &other, &others, ("faq", 0), ("file", "faq.md"), &theirs.id, 1).await.unwrap();
        tx.commit().await.unwrap();

        let file = |number| ("faq.md".to_owned(), number);
        assert_eq!(found(&db, &org, (&release, "faq"), &["open"]).await, [file(1), file(3)]);
        assert_eq!(found(&db, &org, (&release, "faq"), &["parking", "saturday"]).await, [file(2), file(3)]);
        assert_eq!(found(&db, &org, (&release, "faq"), &["größe"]).await, [file(1)]);
        assert_eq!(found(&db, &org, (&release, "faq"), &["営業"]).await, [file(2)]);
        assert_eq!(found(&db, &org, (&release, "prices"), &["open"]).await, [("https://x".to_owned(), 1)]);
        assert_eq!(found(&db, &other, (&release, "faq"), &["open"]).await, []);
        // Nothing that a question holds is a command of the search.
        for words in [&["never"][..], &["\"", "or", "*"], &["' | 'open"], &["_"], &[]] {
            assert_eq!(found(&db, &org, (&release, "faq"), words).await, [], "{words:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_unchanged_document_is_kept_once_and_swept_when_nobody_has_it() {
    on_both(async |db| {
        let (org, release) = house(&db).await;
        let mut tx = db.begin().await.unwrap();
        let (first, passages) = document("a", &["one", "two"]);
        let kept = keep(&mut tx, &org, &first, &passages).await.unwrap();
        let again = keep(&mut tx, &org, &document("a", &["one", "two"]).0, &passages).await.unwrap();
        assert_eq!(kept, again);
        put_source(&mut tx, &org, &release, ("faq", 0), ("url", "https://x"), &kept.id, 5).await.unwrap();
        assert_eq!(sweep_unscoped(&mut tx, 100).await.unwrap(), 0);
        let (newer, passages) = document("b", &["three"]);
        let newer = keep(&mut tx, &org, &newer, &passages).await.unwrap();
        assert!(swap(&mut tx, &org, &release, "https://x", &newer.id, 9).await.unwrap());
        assert!(!swap(&mut tx, &org, &release, "https://y", &newer.id, 9).await.unwrap());
        assert_eq!(sweep_unscoped(&mut tx, 1).await.unwrap(), 0, "it was cut just now");
        assert_eq!(sweep_unscoped(&mut tx, 100).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let mut conn = db.read().acquire().await.unwrap();
        let sources = of_release(&mut conn, &org, &release).await.unwrap();
        assert_eq!(sources.len(), 1);
        assert_eq!((sources[0].passages, sources[0].indexed_at, &sources[0].document), (1, 9, &newer.id));
        assert_eq!(super::passages(&mut conn, &org, &kept.id, 1, 9).await.unwrap(), []);
        assert_eq!(super::passages(&mut conn, &org, &newer.id, 1, 9).await.unwrap()[0].text, "three");
        drop(conn);
        assert_eq!(found(&db, &org, (&release, "faq"), &["one"]).await, [], "its words went with it");
        assert_eq!(found(&db, &org, (&release, "faq"), &["three"]).await.len(), 1);
    })
    .await;
}
