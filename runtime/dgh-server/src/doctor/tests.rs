#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::net::TcpListener;

use dgh_platform::Platform;
use dgh_platform::config::Sources;

use super::*;

fn config(environment: &[(&str, &str)]) -> Config {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Config::read(Sources { environment: environment.iter().map(owned).collect(), ..Sources::default() })
        .unwrap()
}

async fn found(data: &Path, environment: &[(&str, &str)], part: &str) -> Vec<Finding> {
    let config = config(environment);
    let patient = Patient { config: &config, data: data.to_path_buf(), agents: None };
    look(&patient).await.into_iter().filter(|finding| finding.part == part).collect()
}

#[tokio::test]
async fn a_folder_that_is_not_there_yet_is_fine_and_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for part in ["disk", "keys", "database", "clock"] {
        let found = found(&data, &[("DGH_PORT", "0")], part).await;
        assert_eq!((found.len(), found[0].health), (1, Health::Good), "{found:?}");
    }
    assert!(!data.exists());
}

#[tokio::test]
async fn a_server_that_runs_is_looked_at_without_being_in_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&[]);
    let (platform, _) = Platform::open(config.platform(folder.path())).await.unwrap();
    let here = found(folder.path(), &[("DGH_PORT", "0")], "database").await;
    assert!(here[0].health == Health::Good && here[0].seen.contains("answers"), "{here:?}");
    std::fs::remove_file(folder.path().join("keys")).unwrap();
    let keys = found(folder.path(), &[("DGH_PORT", "0")], "keys").await;
    assert!(
        keys.iter().any(|one| one.health == Health::Bad && one.seen.contains(&platform.vault.current())),
        "{keys:?}"
    );
}

#[tokio::test]
async fn what_is_in_the_way_comes_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let port = found(folder.path(), &[("DGH_PORT", &port)], "port").await;
    assert_eq!(port[0].health, Health::Fair, "{port:?}");
    let away = [("DGH_PORT", "0"), ("DATABASE_URL", "postgres://kim:hunter2@127.0.0.1:1/x")];
    let database = found(folder.path(), &away, "database").await;
    assert_eq!(database[0].health, Health::Bad);
    assert!(!format!("{database:?}").contains("hunter2"));
    let open = found(folder.path(), &[("DGH_PORT", "0"), ("DGH_HOST", "0.0.0.0")], "turn").await;
    assert_eq!((open[0].health, open.len()), (Health::Fair, 1));
    let turn = [("DGH_PORT", "0"), ("DGH_TURN", "turn:127.0.0.1:9")];
    let without = found(folder.path(), &turn, "turn").await;
    assert!(without[0].seen.contains("no login"), "{without:?}");
    assert!(without.iter().all(|finding| finding.advice.is_some()));
}
