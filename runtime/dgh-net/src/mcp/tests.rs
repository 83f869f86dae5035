//! Servers that do not speak MCP, or not for long. What one that does says is tried with the
//! official SDK, in the tests of the workspace.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashMap;

use secrecy::SecretString;
use url::Url;

use super::*;
use crate::policy::Policy;
use crate::testing::{Reply, Server};

fn servers(policy: Policy) -> Servers {
    Servers::new(Client::new(policy).unwrap())
}

fn http(url: &str) -> Endpoint {
    let url: Url = url.parse().unwrap();
    let transport = Transport::Http { url, headers: HashMap::new() };
    Endpoint { name: "calendar".into(), transport, timeout: Duration::from_secs(5), grant: None }
}

fn process(program: &str, arguments: &[&str]) -> Endpoint {
    let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
    let transport = Transport::Process { program: program.into(), arguments };
    Endpoint { name: "calendar".into(), transport, timeout: Duration::from_secs(5), grant: None }
}

async fn fails(servers: &Servers, endpoint: &Endpoint) -> NetError {
    servers.list(endpoint).await.expect_err("no server")
}

#[tokio::test]
async fn what_does_not_speak_mcp_is_told_apart() {
    let cases = [
        (Reply::new(200, "text/html", "<html>Sign in</html>"), NetErrorKind::BadAnswer, None),
        (Reply::new(200, "application/json", "{}"), NetErrorKind::BadAnswer, None),
        (Reply::new(404, "text/plain", "no"), NetErrorKind::Status, Some(404)),
        (Reply::new(403, "text/plain", "no"), NetErrorKind::Status, Some(403)),
        (Reply::new(503, "text/plain", "busy"), NetErrorKind::Status, Some(503)),
        (
            Reply::head(307, &[("location", "http://10.0.0.1/mcp?k=hush"), ("content-length", "0")]),
            NetErrorKind::Refused,
            Some(307),
        ),
        (Reply::default(), NetErrorKind::Network, None),
    ];
    for (reply, kind, status) in cases {
        let answer = reply.clone();
        let server = Server::start(move |_, _| answer.clone()).await;
        let error = fails(&servers(Policy::with_private()), &http(&server.url("/mcp?k=hush"))).await;
        assert_eq!((error.kind, error.status), (kind, status), "{reply:?}: {error}");
        assert!(!error.message.contains("hush"), "{error}");
    }
}

#[tokio::test]
async fn a_private_address_is_not_asked() {
    let server = Server::start(|_, _| Reply::default()).await;
    for host in ["127.0.0.1", "localhost"] {
        let endpoint = http(&format!("http://{host}:{}/mcp", server.port()));
        assert_eq!(fails(&servers(Policy::public()), &endpoint).await.kind, NetErrorKind::Refused, "{host}");
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn commands_need_leave_and_have_to_exist() {
    let refused = fails(&servers(Policy::with_private()), &process("true", &[])).await;
    assert_eq!(
        (refused.kind, refused.message.as_str()),
        (NetErrorKind::Refused, "`calendar` is a command, and commands are not started here")
    );
    let allowed = servers(Policy::public().allow_commands());
    let missing = fails(&allowed, &process("/no/such/program", &[])).await;
    assert_eq!(
        (missing.kind, missing.message.as_str()),
        (NetErrorKind::Setup, "`calendar`: the command `/no/such/program` does not start: entity not found")
    );
    let ended = fails(&allowed, &process("true", &[])).await;
    assert_eq!(ended.kind, NetErrorKind::Network, "{ended}");
    let chatty = fails(&allowed, &process("echo", &["this is no MCP"])).await;
    assert_eq!(chatty.kind, NetErrorKind::Network, "{chatty}");
}

#[tokio::test]
async fn a_process_gets_no_keys_of_ours() {
    // The server writes down its environment and ends.
    let file = std::env::temp_dir().join(format!("dgh-mcp-env-{}", std::process::id()));
    let command = format!("env > '{}'", file.display());
    fails(&servers(Policy::public().allow_commands()), &process("sh", &["-c", &command])).await;
    let environment = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let names: Vec<_> = environment.lines().filter_map(|l| l.split_once('=')).map(|(name, _)| name).collect();
    assert!(names.contains(&"PATH"));
    // Set by cargo for this very test.
    assert!(
        std::env::var_os("CARGO_MANIFEST_DIR").is_some() && !names.contains(&"CARGO_MANIFEST_DIR"),
        "{names:?}"
    );
}

#[test]
fn other_credentials_are_another_session() {
    let plain = http("https://example.com/mcp");
    let with = http("https://example.com/mcp").with_token(&SecretString::from("t")).unwrap();
    assert_ne!(plain.key(), with.key());
    assert_ne!(process("a", &["b"]).key(), process("a", &["c"]).key());
}
