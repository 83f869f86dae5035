//! Something for every parameter of a path to name, in the owner's organisation.

use std::collections::BTreeMap;

use dgh_store::artifacts::{self, Artifact};
use dgh_store::calls::{self, Limits, NewCall, NewMessage};
use dgh_store::deliveries::{self, NewDelivery};
use dgh_store::{ArtifactId, CallId, InboxId};
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::house::House;

const AGENT: &str = "dgh 1\n\nagent desk {\n  outcome done\n  start hello\n  node hello {\n    ask \"Hello?\"\n    \
    when bye: \"They say goodbye\" -> end done\n  }\n}\n";

/// The names of parameters, and what they name.
pub(crate) async fn all(house: &House) -> BTreeMap<String, String> {
    let mut made = BTreeMap::new();
    let mut keep = |name: &str, value: &str| made.insert(name.to_owned(), value.to_owned());
    let make = async |method: Method, path: &str, body: Json| {
        let mut request = house.request(method, &format!("/api/v1{path}")).bearer_auth(&house.key);
        if path.ends_with("/bundle") {
            request = request.header("if-match", "*");
        }
        let answer = request.json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str::<Json>(&text).unwrap_or_default()
    };
    let text = |made: &Json, field: &str| made[field].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();

    let (_, session) = house.owner_session().await;
    keep("user", &text(&session["user"], "id"));
    let sessions = house.as_person(Method::GET, "/api/v1/sessions", None).await.json();
    keep("session", &text(&sessions["items"][0], "id"));
    keep(
        "key",
        &text(&make(Method::POST, "/api-keys", json!({ "name": "kept", "role": "viewer" })).await, "id"),
    );
    let invite =
        make(Method::POST, "/invites", json!({ "email": "new@example.org", "role": "viewer" })).await;
    keep("invite", &text(&invite, "id"));

    make(Method::POST, "/agents", json!({ "slug": "desk" })).await;
    let files = json!({ "files": { "agent.dgh": { "text": AGENT } } });
    let draft = make(Method::PUT, "/agents/desk/bundle", files).await;
    keep("agent", "desk");
    keep("sha256", &text(&draft["files"]["agent.dgh"], "sha256"));
    make(Method::POST, "/agents/desk/releases", json!({})).await;
    keep("number", "1");
    keep("range", "1...draft");
    make(Method::PUT, "/profiles/night", json!({})).await;
    keep("profile", "night");
    make(Method::PUT, "/profiles/night/secrets/TOKEN", json!({ "value": "hush" })).await;
    keep("name", "TOKEN");
    let route =
        json!({ "kind": "number", "address": "+14155550100", "agent": "desk", "profile": "production" });
    keep("route", &text(&make(Method::POST, "/routes", route).await, "id"));
    let signing = make(Method::POST, "/signing-secrets", json!({})).await;
    keep("secret", &text(&signing, "id"));

    let (org, now) = (&house.owner.org, house.platform.now());
    let mut tx = house.platform.db.begin().await.unwrap();
    let call = NewCall {
        id: CallId::fresh(),
        agent: "desk".to_owned(),
        version: "published".to_owned(),
        release: None,
        profile: None,
        profile_revision: None,
        program: "0".repeat(64),
        direction: "inbound",
        channel: "phone",
        line: "twilio".to_owned(),
        test: false,
        campaign: None,
        caller: None,
        called: None,
        inputs: None,
        node: None,
        due_at: Some(now + 3_600_000),
        ticket: None,
        carrier_call: None,
        tags: Vec::new(),
    };
    calls::create(&mut tx, org, &call, Limits::default(), now).await.unwrap();
    keep("call", call.id.as_str());
    let message = NewMessage {
        id: InboxId::fresh(),
        call: call.id.clone(),
        kind: "hangup".to_owned(),
        payload: "sealed".to_owned(),
        external: None,
        by_whom: None,
    };
    calls::post(&mut tx, org, &message, now).await.unwrap();
    keep("command", message.id.as_str());
    let file = Artifact {
        id: ArtifactId::fresh(),
        org_id: org.clone(),
        call_id: call.id.clone(),
        kind: "recording".to_owned(),
        path: "nowhere.wav".to_owned(),
        media_type: "audio/wav".to_owned(),
        bytes: Some(1),
        state: "stored".to_owned(),
        spool: None,
        created_at: now,
        delete_at: None,
    };
    artifacts::insert(&mut tx, org, &file).await.unwrap();
    keep("file", file.id.as_str());
    keep("kind", "recording");
    keep("word", "nothing");
    let new = NewDelivery {
        origin: "https://crm.example.org",
        agent: "desk",
        profile: None,
        webhook: "crm",
        event: "call.ended",
        call: Some(call.id.as_str()),
        unique_key: "once",
        lane: "lane",
        sealed: "sealed",
        shown: Some("{}"),
        simulated: true,
    };
    let delivery = deliveries::enqueue(&mut tx, org, &new, now).await.unwrap().unwrap();
    keep("delivery", delivery.as_str());
    let kept = deliveries::get(&mut tx, org, &delivery).await.unwrap();
    keep("endpoint", kept.endpoint_id.as_str());
    tx.commit().await.unwrap();
    made
}
