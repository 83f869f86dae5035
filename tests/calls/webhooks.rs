//! Webhooks of real calls: what arrives is what the agent says, and the official library of Standard
//! Webhooks believes it.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dgh_net::testing::{Received, Reply, Server};
use serde_json::{Value as Json, json};

use crate::calls::phone::Phone;
use crate::calls::serve::{Served, Setup};
use crate::calls::sound::python;
use crate::calls::until;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PATIENCE: Duration = Duration::from_mins(1);

/// The clinic, which tells a receiver when a call begins and ends.
fn clinic(to: &str) -> Setup {
    let webhook = format!(
        "  webhook crm on call.started, call.ended {{\n    post: \"{to}\"\n    sign: secret.SIGN\n    \
         body: {{ call: call.id, ended_by: call.ended_by?, outcome: call.outcome? }}\n  }}\n\n  review quality {{"
    );
    Setup::example("clinic")
        .with("  review quality {", &webhook)
        .with_settings("[profiles.dev.secrets]", "[profiles.dev.secrets]\nSIGN = \"env:CLINIC_SIGN\"")
        .argument("--allow-private")
        .argument("127.0.0.1")
        .variable("CLINIC_SIGN", SECRET)
}

/// Asks the official library what it thinks of a request.
fn official(secret: &str, request: &Received) -> Result<Json, String> {
    let script = "import json, sys\n\
        from standardwebhooks.webhooks import Webhook\n\
        asked = json.load(sys.stdin)\n\
        try:\n    print(json.dumps(Webhook(asked['secret']).verify(asked['body'], asked['headers'])))\n\
        except Exception as error:\n    sys.exit(f'{type(error).__name__}: {error}')\n";
    let mut child = Command::new(python())
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let headers: serde_json::Map<String, Json> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let asked = json!({ "secret": secret, "body": request.text(), "headers": headers });
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

async fn calls_and_hangs_up(served: &Served) {
    let phone = Phone::call(&served.address, "clinic").await;
    phone.is_spoken_to().await;
    phone.hang_up();
    served.is_idle().await;
}

#[tokio::test]
async fn what_a_call_tells_is_believed_by_the_official_library() {
    let receiver = Server::start(|_, _| Reply::new(200, "text/plain", "")).await;
    let served = clinic(&receiver.url("/hook")).start().await;
    calls_and_hangs_up(&served).await;
    let both = until(PATIENCE, || Some(receiver.received()).filter(|all| all.len() == 2)).await;
    let both = both.unwrap_or_else(|| panic!("{:?}\n{}", receiver.received(), served.told()));
    let events: Vec<_> = both.iter().map(|request| request.header("x-dgh-event").unwrap()).collect();
    assert_eq!(events, ["call.started", "call.ended"], "in their order");
    for request in &both {
        let believed = official(SECRET, request).unwrap();
        assert_eq!(believed["call"], request.header("x-dgh-call-id").unwrap());
    }
    assert_eq!(both[1].json()["ended_by"], "caller");
    assert_ne!(both[0].header("webhook-id"), both[1].header("webhook-id"));
    // Neither a body that was changed nor another secret is believed.
    let mut changed = both[1].clone();
    changed.body = br#"{"call":"another"}"#.to_vec();
    assert!(official(SECRET, &changed).unwrap_err().contains("WebhookVerificationError"));
    let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    assert!(official(other, &both[1]).unwrap_err().contains("WebhookVerificationError"));
}

#[tokio::test]
async fn what_is_left_when_a_server_stops_is_sent_by_the_next_one() {
    let up = Arc::new(Mutex::new(false));
    let answer = Arc::clone(&up);
    let receiver = Server::start(move |_, _| {
        let status = if *answer.lock().unwrap() { 200 } else { 503 };
        Reply::new(status, "text/plain", "")
    })
    .await;
    let mut served = clinic(&receiver.url("/hook")).start().await;
    calls_and_hangs_up(&served).await;
    assert!(until(PATIENCE, || (!receiver.received().is_empty()).then_some(())).await.is_some());
    served.kill();
    *up.lock().unwrap() = true;
    let before = receiver.received();
    served.start_again().await;
    let all = until(PATIENCE, || {
        let all = receiver.received();
        all.iter().any(|request| request.header("x-dgh-event") == Some("call.ended")).then_some(all)
    });
    let all = all.await.unwrap_or_else(|| panic!("{:?}\n{}", receiver.received(), served.told()));
    let started: Vec<_> =
        all.iter().filter(|request| request.header("x-dgh-event") == Some("call.started")).collect();
    let story: Vec<_> =
        all.iter().map(|request| (request.header("x-dgh-event"), request.header("x-dgh-attempt"))).collect();
    assert!(started.len() >= 2, "it was tried before and after: {story:?}");
    assert!(started.iter().all(|request| request.header("webhook-id") == before[0].header("webhook-id")));
}
