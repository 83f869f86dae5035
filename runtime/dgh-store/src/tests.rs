//! What both databases do alike.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::testing::{Gate, on_both, on_both_empty, postgres_url};
use crate::{Conn, Db, Hint, Query, StoreError, claiming};

/// Name, size, part, bytes.
type Row = (Option<String>, i64, Option<f64>, Option<Vec<u8>>);

/// A table for everything that is asked of one.
async fn things(db: &Db) {
    let text = "CREATE TABLE thing (id TEXT PRIMARY KEY, org TEXT, name TEXT, size BIGINT, part DOUBLE PRECISION, \
        bytes BLOB, UNIQUE (org, name)); CREATE UNIQUE INDEX thing_lower ON thing (org, lower(name)) WHERE size < 0; \
        CREATE TABLE piece (thing TEXT NOT NULL REFERENCES thing (id));";
    let mut tx = db.begin().await.unwrap();
    let text = sqlx::AssertSqlSafe(db.dialect().migration(text));
    sqlx::raw_sql(text).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn insert(
    conn: &mut Conn,
    id: &str,
    org: &str,
    name: Option<&str>,
    size: i64,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO thing (id, org, name, size) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(org)
        .bind(name)
        .bind(size)
        .execute(conn)
        .await?;
    Ok(())
}

#[tokio::test]
async fn values_come_back_as_they_went_and_texts_compare_byte_by_byte() {
    on_both_empty(async |db| {
        things(&db).await;
        let mut tx = db.begin().await.unwrap();
        for (id, name) in [("1", "b"), ("2", "A"), ("3", "a"), ("4", "Ä"), ("5", "B")] {
            insert(&mut tx, id, "o", Some(name), i64::MAX).await.unwrap();
        }
        insert(&mut tx, "6", "o", None, -1).await.unwrap();
        sqlx::query("UPDATE thing SET bytes = $1, part = $2 WHERE id = '1'")
            .bind(&[0_u8, 255][..])
            .bind(0.5)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let all: Vec<Row> = sqlx::query_as("SELECT name, size, part, bytes FROM thing ORDER BY name")
            .fetch_all(db.read())
            .await
            .unwrap();
        let names: Vec<&str> = all.iter().filter_map(|row| row.0.as_deref()).collect();
        assert_eq!(names, ["A", "B", "a", "b", "Ä"]);
        let one = all.iter().find(|row| row.0.as_deref() == Some("b")).unwrap();
        assert_eq!((one.1, one.2, one.3.clone()), (i64::MAX, Some(0.5), Some(vec![0, 255])));
        let sums: (i64, i64) =
            sqlx::query_as("SELECT COUNT(*), CAST(SUM(size / 100) AS BIGINT) FROM thing WHERE size > 0")
                .fetch_one(db.read())
                .await
                .unwrap();
        assert_eq!(sums, (5, i64::MAX / 100 * 5));
    })
    .await;
}

#[tokio::test]
async fn errors_are_told_apart_in_the_same_words() {
    on_both_empty(async |db| {
        things(&db).await;
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, "1", "o", Some("a"), -1).await.unwrap();
        tx.commit().await.unwrap();
        let fails = async |id: &str, name: &str, size: i64| {
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx, id, "o", Some(name), size).await.unwrap_err()
        };
        let error = fails("1", "b", 1).await;
        assert!(matches!(&error, StoreError::Conflict { what } if what == "thing.id"), "{error:?}");
        let error = fails("2", "a", 1).await;
        assert!(error.conflicts_with("thing.name") && error.conflicts_with("thing.org"), "{error:?}");
        assert!(!error.conflicts_with("thing.id"));
        let error = fails("2", "A", -1).await;
        assert!(error.conflicts_with("thing_lower"), "{error:?}");
        let mut tx = db.begin().await.unwrap();
        let piece = sqlx::query("INSERT INTO piece (thing) VALUES ('none')").execute(&mut *tx).await;
        assert!(matches!(StoreError::from(piece.unwrap_err()), StoreError::Dangling));
        drop(tx);
        let wrong = sqlx::query("SELECT nothing FROM thing").execute(db.read()).await;
        assert!(matches!(StoreError::from(wrong.unwrap_err()), StoreError::Broken(_)));
        let none: Result<(String,), _> =
            sqlx::query_as("SELECT id FROM thing WHERE id = '9'").fetch_one(db.read()).await;
        assert!(matches!(StoreError::from(none.unwrap_err()), StoreError::NotFound { .. }));
    })
    .await;
}

#[tokio::test]
async fn a_query_is_put_together_with_values_that_stay_values() {
    on_both_empty(async |db| {
        things(&db).await;
        let mut tx = db.begin().await.unwrap();
        for (id, size) in [("1", 1), ("2", 2), ("3", 3)] {
            insert(&mut tx, id, "o", Some(id), size).await.unwrap();
        }
        let find = |org: &'static str, ids: &'static [&'static str]| {
            let mut query = Query::new("SELECT id FROM thing WHERE org = ");
            query
                .bind(org)
                .push(" AND id IN (")
                .bind_all(ids.iter().copied())
                .push(") AND size > ")
                .bind(1_i64);
            query.push(" ORDER BY id");
            query
        };
        let found: Vec<(String,)> = find("o", &["1", "2", "3", "4"]).all(&mut tx).await.unwrap();
        assert_eq!(found, [("2".to_owned(),), ("3".to_owned(),)]);
        assert_eq!(find("o", &[]).all::<(String,)>(&mut tx).await.unwrap(), []);
        assert_eq!(find("' OR '1' = '1", &["2"]).optional::<(String,)>(&mut tx).await.unwrap(), None);
        let mut update = Query::new("UPDATE thing SET name = ");
        update.bind(None::<String>).push(" WHERE size < ").bind(3_i64);
        assert_eq!(update.run(&mut tx).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_committed_was_never_there_and_readers_write_nothing() {
    on_both_empty(async |db| {
        things(&db).await;
        let count = async || {
            let (count,): (i64,) =
                sqlx::query_as("SELECT COUNT(*) FROM thing").fetch_one(db.read()).await.unwrap();
            count
        };
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, "1", "o", None, 1).await.unwrap();
        assert_eq!(count().await, 0);
        drop(tx);
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, "1", "o", None, 1).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(count().await, 1);
        if db.file().is_some() {
            let write = sqlx::query("DELETE FROM thing").execute(db.read()).await;
            assert!(matches!(StoreError::from(write.unwrap_err()), StoreError::ReadOnly));
        }
    })
    .await;
}

#[tokio::test]
async fn workers_that_claim_at_once_get_different_rows() {
    on_both_empty(async |db| {
        things(&db).await;
        let mut tx = db.begin().await.unwrap();
        for id in 0..40 {
            insert(&mut tx, &id.to_string(), "o", None, 1).await.unwrap();
        }
        tx.commit().await.unwrap();
        let claim = async || {
            let mut tx = db.begin().await.unwrap();
            let text = claiming!(
                db.dialect(),
                "UPDATE thing SET size = 0 WHERE id IN (SELECT id FROM thing WHERE size = 1 LIMIT 5",
                ") RETURNING id"
            );
            let mine: Vec<(String,)> = sqlx::query_as(text).fetch_all(&mut *tx).await.unwrap();
            sleep(Duration::from_millis(20)).await;
            tx.commit().await.unwrap();
            mine.into_iter().map(|(id,)| id).collect::<Vec<_>>()
        };
        let all = futures::future::join_all((0..8).map(|_| claim())).await;
        let mut ids: Vec<String> = all.into_iter().flatten().collect();
        assert_eq!(ids.len(), 40);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 40, "two had the same");
    })
    .await;
}

#[tokio::test]
async fn a_hint_reaches_those_who_listen_to_its_channel() {
    on_both(async |db| {
        let (mut first, mut second, mut other) = (db.listen("calls"), db.listen("calls"), db.listen("jobs"));
        // Of Postgres they hear first that something may have been missed.
        let listening = timeout(Duration::from_secs(5), async {
            loop {
                db.notify("calls", "ready").await.unwrap();
                if let Ok(Hint::Payload(_)) = timeout(Duration::from_millis(50), first.recv()).await {
                    break;
                }
            }
        });
        listening.await.unwrap();
        db.notify("calls", "c1 with spaces").await.unwrap();
        for listener in [&mut first, &mut second] {
            let heard = timeout(Duration::from_secs(5), async {
                loop {
                    match listener.recv().await {
                        Hint::Payload(text) if &*text != "ready" => return text,
                        _ => {}
                    }
                }
            });
            assert_eq!(&*heard.await.unwrap(), "c1 with spaces");
        }
        while let Ok(hint) = timeout(Duration::from_millis(50), other.recv()).await {
            assert_eq!(hint, Hint::Missed);
        }
    })
    .await;
}

#[tokio::test]
async fn a_database_that_was_away_is_used_again_and_listeners_look_at_everything() {
    let gate = Gate::to(&postgres_url().await).await;
    let db = Db::open(gate.url()).await.unwrap();
    db.migrate().await.unwrap();
    let mut listener = db.listen("calls");
    assert_eq!(timeout(Duration::from_secs(5), listener.recv()).await.unwrap(), Hint::Missed);
    gate.shut();
    let away = db.ping().await.unwrap_err();
    assert!(away.is_passing(), "{away:?}");
    assert!(db.begin().await.is_err_and(|error| error.is_passing()));
    let short = db.patiently(Duration::from_millis(200), async || db.ping().await).await;
    assert!(short.unwrap_err().is_passing());
    let start = Instant::now();
    let back = db.patiently(Duration::from_secs(30), async || db.ping().await);
    let open = async {
        sleep(Duration::from_millis(300)).await;
        gate.open();
    };
    let (back, ()) = tokio::join!(back, open);
    back.unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(timeout(Duration::from_secs(10), listener.recv()).await.unwrap(), Hint::Missed);
    let wrong = db
        .patiently(Duration::from_secs(30), async || {
            Ok(sqlx::query("SELECT nothing").execute(db.read()).await.map(drop)?)
        })
        .await;
    assert!(matches!(wrong, Err(StoreError::Broken(_))), "a fault of ours is not tried again");
}
