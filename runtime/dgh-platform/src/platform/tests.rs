#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use dgh_store::testing::postgres_url;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;

/// A place for each kind of database.
async fn places() -> [(TempDir, Option<String>); 2] {
    let folder = || tempfile::tempdir().unwrap();
    [(folder(), None), (folder(), Some(postgres_url().await))]
}

fn settings(data: &Path, database: Option<&String>) -> Settings {
    Settings { database: database.cloned(), clock: Arc::new(|| 1_000), ..Settings::in_folder(data) }
}

async fn fault(settings: Settings) -> Fault {
    let Err(fault) = Platform::open(settings).await else { panic!("it started") };
    assert!(!fault.to_string().contains('\n'), "{fault}");
    fault
}

#[tokio::test]
async fn the_first_start_makes_an_owner_and_later_ones_find_it() {
    for (folder, url) in places().await {
        let data = folder.path().join("data");
        let (platform, first) = Platform::open(settings(&data, url.as_ref())).await.unwrap();
        let FirstStart::Made(owner) = first else { panic!("it is new") };
        assert_eq!(owner.email, OWNER);
        let sealed = platform.vault.seal("x", "planted").unwrap();
        drop(platform);
        let (platform, first) = Platform::open(settings(&data, url.as_ref())).await.unwrap();
        assert!(matches!(first, FirstStart::Known));
        assert_eq!(platform.vault.open("x", &sealed).unwrap().expose_secret(), "planted");
        assert_eq!(platform.now(), 1_000);
    }
}

#[tokio::test]
async fn of_nodes_that_start_at_once_one_makes_the_owner() {
    let url = postgres_url().await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let start = || Platform::open(settings(data, Some(&url)));
    let all = futures::future::join_all((0..4).map(|_| start())).await;
    let made = all.iter().filter(|start| matches!(start.as_ref().unwrap().1, FirstStart::Made(_))).count();
    assert_eq!(made, 1);
    let ids: Vec<String> = all.iter().map(|start| start.as_ref().unwrap().0.vault.current()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn folders_and_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (platform, _) = Platform::open(settings(&data, None)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for name in [KEY_FILE, DATABASE_FILE, "dgh.db-wal", LOCK_FILE] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&data.join(OBJECTS_FOLDER)), 0o700);
    assert_eq!(fault(settings(&data, None)).await.code, "in_use");
    drop(platform);
    Platform::open(settings(&data, None)).await.unwrap();
}

#[tokio::test]
async fn other_keys_than_those_of_the_database_are_refused_before_anything_is_sealed() {
    for (folder, url) in places().await {
        drop(Platform::open(settings(folder.path(), url.as_ref())).await.unwrap());
        let file = folder.path().join(KEY_FILE);
        let keys = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let lost = fault(settings(folder.path(), url.as_ref())).await;
        assert_eq!(lost.code, "wrong_keys");
        assert!(!file.exists(), "no new key hides that the old one is lost");
        let other = tempfile::tempdir().unwrap();
        Vault::in_folder(other.path()).unwrap();
        fs::copy(other.path().join(KEY_FILE), &file).unwrap();
        assert_eq!(fault(settings(folder.path(), url.as_ref())).await.code, "wrong_keys");
        fs::write(&file, "garbage").unwrap();
        assert_eq!(fault(settings(folder.path(), url.as_ref())).await.code, "bad_keys");
        fs::write(&file, keys).unwrap();
        Platform::open(settings(folder.path(), url.as_ref())).await.unwrap();
    }
}

#[tokio::test]
async fn a_new_key_seals_all_rows_again() {
    for (folder, url) in places().await {
        let (platform, _) = Platform::open(settings(folder.path(), url.as_ref())).await.unwrap();
        let mut tx = platform.db.begin().await.unwrap();
        let org = dgh_store::accounts::orgs::first_unscoped(&mut tx).await.unwrap().unwrap().id;
        let old = platform.vault.seal("inputs", "planted").unwrap();
        dgh_store::instance::testing::insert_sealed(&mut tx, &org, &old).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(platform.rotate().await.unwrap(), 1);
        let mut tx = platform.db.begin().await.unwrap();
        let now = dgh_store::instance::testing::sealed(&mut tx).await.unwrap();
        assert!(now.starts_with(&platform.vault.mark()) && now != old);
        assert_eq!(platform.vault.open("inputs", &now).unwrap().expose_secret(), "planted");
        drop(tx);
        drop(platform);
        // The older key may be thrown away now.
        let file = folder.path().join(KEY_FILE);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.trim_end().rsplit_once('\n').unwrap().0).unwrap();
        let (platform, _) = Platform::open(settings(folder.path(), url.as_ref())).await.unwrap();
        assert!(platform.vault.open("inputs", &now).is_ok());
        assert!(platform.vault.open("inputs", &old).is_err());
    }
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_start_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let with = |database: &str| settings(folder.path(), Some(&database.to_owned()));
    let url = postgres_url().await;
    assert_eq!(fault(settings(&file.join("data"), None)).await.code, "bad_file");
    assert_eq!(fault(with("mysql://host/x")).await.code, "bad_database_url");
    assert_eq!(fault(with("postgres://kim:hunter2@127.0.0.1:1/x")).await.code, "database_away");
    let unknown = fault(with(&url.replace("/dgh_", "/none_"))).await;
    assert_eq!(unknown.code, "database_refuses");
    fs::write(folder.path().join(DATABASE_FILE), "this is text, and no database at all").unwrap();
    assert_eq!(fault(settings(folder.path(), None)).await.code, "database_refuses");
    let artifacts = Some(Url::parse("s3://").unwrap_or_else(|_| Url::parse("ftp://x/y").unwrap()));
    let other = tempfile::tempdir().unwrap();
    assert_eq!(fault(Settings { artifacts, ..settings(other.path(), None) }).await.code, "bad_artifacts");
}
