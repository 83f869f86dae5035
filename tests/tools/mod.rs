//! Tools as a program writes them, against a real server: from the source to the wire and back.

use std::collections::HashMap;
use std::sync::Arc;

use dgh_ir::Locale;
use dgh_net::testing::{Received, Reply, Server};
use dgh_net::{Client, NetErrorKind, Policy, Toolbox};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::support::{compile_text, complaints};

const PROGRAM: &str = r#"dgh 1

enum Reason { checkup, pain }

type Slot { id: text, at: datetime, price: money? }

/// Free slots.
tool find_slots(day: date, reason: Reason, dentist: text?, limit: int = 3) -> list<Slot> {
  about: "Free slots."
  get: "{{ env.API }}/slots/{{ reason }}?day={{ day }}&dentist={{ dentist ?? "any" }}&limit={{ limit }}"
  headers: { "X-Trace": "dgh" }
  result: "$.data.slots"
  auth: header("X-Key", secret.API_KEY)
  timeout: 2s
  retries: 1
}

/// Books one.
tool book(slot: text, name: text, phone: private phone, note: text?) -> Slot {
  about: "Books one."
  post: "{{ env.API }}/bookings"
  body: { slot_id: slot, patient: { name: name, phone: phone }, note: note? }
  auth: bearer(secret.API_KEY)
}

/// Cancels one.
tool cancel(slot: text) {
  about: "Cancels one."
  delete: "{{ env.API }}/bookings/{{ slot }}"
  auth: oauth2("{{ env.API }}/token", "client", secret.API_KEY)
}

agent clinic {
  outcome done
  start talk
  node talk {
    prompt "Book."
    use find_slots, book, cancel
    when finished: "They are done" -> end done { say "Goodbye." }
  }
}
"#;

async fn toolbox(answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> (Toolbox, Server) {
    let compiled = compile_text(PROGRAM);
    assert_eq!(complaints(&compiled), "");
    let server = Server::start(answer).await;
    let env = IndexMap::from([("API".to_owned(), server.url("/v1"))]);
    let secrets = HashMap::from([("API_KEY".to_owned(), "hush".to_owned().into())]);
    let client = Client::new(Policy::parse(["127.0.0.1"]).unwrap()).unwrap();
    let locale = Locale::new("America/New_York", "en-US");
    (Toolbox::new(Arc::new(compiled.program), client, Arc::new(secrets), env, locale), server)
}

async fn call(toolbox: &Toolbox, tool: &str, arguments: Json) -> Result<Json, dgh_net::NetError> {
    toolbox.call(tool, &arguments, Some("c1-2-3"), None, 0).await
}

#[tokio::test]
async fn a_get_finds_its_result_and_reads_it_in_the_agents_zone() {
    let body = json!({ "data": { "slots": [
        { "id": "a", "at": "2026-03-02T15:00:00Z", "price": { "amount": 20, "currency": "USD" }, "extra": true },
        { "id": "b", "at": "2026-03-02T11:30" },
    ] } });
    let (toolbox, server) = toolbox(move |_, _| Reply::json(&body)).await;
    let slots = call(&toolbox, "find_slots", json!({ "day": "2026-03-02", "reason": "checkup" })).await;
    assert_eq!(
        slots,
        Ok(json!([
            { "id": "a", "at": "2026-03-02T10:00:00", "price": { "amount": 20, "currency": "USD" } },
            { "id": "b", "at": "2026-03-02T11:30:00" },
        ]))
    );
    let received = &server.received()[0];
    assert_eq!(
        (received.method.as_str(), received.target.as_str()),
        ("GET", "/v1/slots/checkup?day=2026-03-02&dentist=any&limit=3")
    );
    assert_eq!((received.header("x-key"), received.header("x-trace")), (Some("hush"), Some("dgh")));
}

#[tokio::test]
async fn a_post_leaves_out_what_is_missing_and_carries_its_key() {
    let (toolbox, server) =
        toolbox(|_, _| Reply::json(&json!({ "id": "a", "at": "2026-03-02T09:00" }))).await;
    let arguments = json!({ "slot": "a", "name": "Ann \"Lee\"", "phone": "+14155550100" });
    assert_eq!(
        call(&toolbox, "book", arguments).await,
        Ok(json!({ "id": "a", "at": "2026-03-02T09:00:00" }))
    );
    let received = &server.received()[0];
    assert_eq!(
        received.json(),
        json!({ "slot_id": "a", "patient": { "name": "Ann \"Lee\"", "phone": "+14155550100" } })
    );
    assert_eq!(received.header("authorization"), Some("Bearer hush"));
    assert_eq!(received.header("idempotency-key"), Some("c1-2-3"));
}

#[tokio::test]
async fn a_delete_fetches_its_token_and_reads_nothing() {
    let (toolbox, server) = toolbox(|_, request| match request.target.as_str() {
        "/v1/token" => Reply::json(&json!({ "access_token": "t1", "expires_in": 600 })),
        _ => Reply::head(204, &[]),
    })
    .await;
    assert_eq!(call(&toolbox, "cancel", json!({ "slot": "a/b" })).await, Ok(Json::Null));
    let targets: Vec<_> = server.received().into_iter().map(|r| (r.method, r.target)).collect();
    assert_eq!(
        targets,
        [("POST".into(), "/v1/token".into()), ("DELETE".into(), "/v1/bookings/a%2Fb".into())]
    );
}

#[tokio::test]
async fn what_a_server_does_wrong_has_a_kind() {
    let (toolbox, server) = toolbox(|n, _| match n {
        0 => Reply::json(&json!({ "data": { "slots": [{ "id": "a", "at": "noon" }] } })),
        1 => Reply::head(302, &[("location", "http://10.0.0.1/"), ("content-length", "0")]),
        2 => Reply::new(404, "text/plain", "no"),
        _ => Reply::head(200, &[("content-length", "9")]).send("{\"data\""),
    })
    .await;
    let ask = || {
        call(
            &toolbox,
            "find_slots",
            json!({ "day": "2026-03-02", "reason": "pain", "dentist": "Dr. Wu & Co" }),
        )
    };
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(ask().await.unwrap_err().kind);
    }
    assert_eq!(kinds, [NetErrorKind::BadAnswer, NetErrorKind::Refused, NetErrorKind::Status]);
    assert_eq!(ask().await.unwrap_err().kind, NetErrorKind::Network);
    assert_eq!(server.received().len(), 5, "what was cut off is asked once more");
    assert!(server.received()[0].target.contains("&dentist=Dr.%20Wu%20%26%20Co&"));
    let error =
        call(&toolbox, "find_slots", json!({ "day": "2026-03-02", "reason": "boredom" })).await.unwrap_err();
    assert_eq!(error.kind, NetErrorKind::Refused);
}
