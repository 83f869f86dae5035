//! The API against its own document: Schemathesis reads what the server says it takes and answers,
//! and asks for all of it, rightly and wrongly.

use std::process::Command;
use std::time::Duration;

use crate::calls::serve::Setup;
use crate::calls::until;
use crate::support::root;

/// Seconds of a run.
const SECONDS: &str = "40";
/// What would end the run for itself: it would revoke the key that it asks with.
const NOT_ASKED: &str = "api_keys_revoke";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_does_what_its_document_says() {
    let program = std::env::var("DGH_TEST_PYTHON").expect(
        "DGH_TEST_PYTHON is not set: the path of a Python with the package `schemathesis`; tests/run sets both up",
    );
    let served = Setup::example("clinic").argument("--api-rate").argument("0").start().await;
    let key = || served.told().split_whitespace().find(|word| word.starts_with("dgh_")).map(str::to_owned);
    let key = until(Duration::from_secs(10), key).await.expect("the first start tells a key");
    let reports = tempfile::tempdir().unwrap();
    let run = Command::new(program)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(root().join("tests/api/schemathesis.toml"))
        .args(["run", &served.url("/api/v1/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {key}")])
        .args(["--max-time", SECONDS, "--exclude-operation-id", NOT_ASKED, "--no-color", "--seed", "7"])
        .current_dir(reports.path())
        .output()
        .expect("the Python of DGH_TEST_PYTHON starts");
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{told}\n{}\n{}", String::from_utf8_lossy(&run.stderr), served.told());
    // A run that asked for nothing proves nothing.
    let cases = told.lines().find_map(|line| line.split_once(" generated")?.0.trim().parse::<u32>().ok());
    assert!(cases.is_some_and(|cases| cases > 1_000), "{told}");
}
