//! Who may do what. The routes are those of the OpenAPI document, so that none is forgotten: a new
//! one is asked by a stranger, by another organisation and by a viewer as soon as it is there. What
//! a path parameter names is made in `made`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "support/house.rs"]
mod house;
#[path = "support/made.rs"]
mod made;
#[path = "support/operations.rs"]
mod operations;

use std::collections::{BTreeMap, BTreeSet};

use dgh_server::Settings;
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

use house::{Answer, House};

/// What anybody may ask without being known, and what guards it instead.
const PUBLIC: &[&str] = &[
    // A password.
    "POST /api/v1/session",
    // The word in a link.
    "POST /api/v1/invites/look",
    "POST /api/v1/invites/accept",
    "GET /api/v1/shared/{word}",
    // A signature.
    "GET /api/v1/files/{file}",
];

#[tokio::test]
async fn a_stranger_finds_nothing_to_read_and_nothing_to_change() {
    let house = House::closed().await;
    let mut public = BTreeSet::new();
    for operation in house.operations().await {
        if operation.needs.is_empty() {
            public.insert(operation.name());
            continue;
        }
        let path = operation.path(|_| "01919191-9191-7191-9191-919191919191".to_owned());
        for key in [None, Some("dgh_0000000000000000000000000000000000000000"), Some("nonsense")] {
            let answer = house.ask(operation.method.clone(), &path, key, operation.body().as_ref()).await;
            assert_eq!(answer.code(), (401, "unauthorized"), "{} with {key:?}", operation.name());
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            assert!(answer.headers.contains_key("www-authenticate"));
        }
    }
    assert_eq!(public, PUBLIC.iter().map(|name| (*name).to_owned()).collect(), "what is open is a decision");
}

#[tokio::test]
async fn another_organisation_finds_nothing_and_changes_nothing() {
    let house = House::closed().await;
    let before = house.everything().await;
    for operation in house.operations().await {
        if operation.needs.is_empty() || !operation.path.contains('{') || operation.is_personal() {
            continue;
        }
        let path = operation.path(|name| house.made[name].clone());
        let others = house.other_owner().await;
        let answer =
            house.ask(operation.method.clone(), &path, Some(&others), operation.body().as_ref()).await;
        // Whoever writes to a name of their own finds the name free, also when others use it.
        let own = operation.method == Method::PUT && answer.status.is_success();
        assert!(
            answer.status == StatusCode::NOT_FOUND || own,
            "{} is answered with {} {}",
            operation.name(),
            answer.status,
            answer.text
        );
    }
    let after = house.everything().await;
    for (path, text) in before {
        assert_eq!(after[&path], text, "another organisation changed what {path} shows");
    }
}

#[tokio::test]
async fn a_viewer_changes_nothing_and_a_key_does_what_its_scopes_say() {
    let house = House::closed().await;
    let viewer = house.key(&json!({ "name": "viewer", "role": "viewer" })).await;
    let editor = house.key(&json!({ "name": "editor", "role": "editor" })).await;
    let session = house.owner_session().await;
    let all: Vec<Json> = session.1["scopes"].as_array().unwrap().clone();
    let mut lacking = BTreeMap::new();
    for scope in &all {
        let rest: Vec<_> = all.iter().filter(|other| *other != scope).collect();
        let key = house.key(&json!({ "name": "lacks one", "role": "owner", "scopes": rest })).await;
        lacking.insert(scope.as_str().unwrap().to_owned(), key);
    }
    for operation in house.operations().await {
        let Some(role) = operation.needs.first() else { continue };
        let path = operation.path(|name| house.made[name].clone());
        let body = operation.body();
        let ask =
            async |key: &str| house.ask(operation.method.clone(), &path, Some(key), body.as_ref()).await;
        if operation.is_personal() {
            assert_eq!(ask(&viewer).await.code(), (403, "not_a_person"), "{}", operation.name());
            continue;
        }
        if role != "viewer" {
            assert_eq!(ask(&viewer).await.code(), (403, "role"), "{} by a viewer", operation.name());
        }
        if role == "owner" {
            assert_eq!(ask(&editor).await.code(), (403, "role"), "{} by an editor", operation.name());
        }
        if let Some(scope) = operation.needs.get(1) {
            let key = &lacking[scope];
            assert_eq!(ask(key).await.code(), (403, "scope"), "{} without {scope}", operation.name());
        }
        let changes = ![Method::GET, Method::HEAD].contains(&operation.method);
        let only_looks = ["agents_check", "documents_search"].contains(&operation.id.as_str());
        assert!(
            !changes || only_looks || role != "viewer",
            "{} changes something, and viewers may",
            operation.name()
        );
    }
}

#[tokio::test]
async fn what_is_made_has_routes_that_find_it() {
    let house = House::closed().await;
    for operation in house.operations().await {
        if operation.method != Method::GET || operation.needs.is_empty() || operation.is_endless() {
            continue;
        }
        let path = operation.path(|name| house.made[name].clone());
        let answer = if operation.is_personal() {
            house.as_person(Method::GET, &path, None).await
        } else {
            house.ask(Method::GET, &path, Some(&house.key), None).await
        };
        let found = answer.status.is_success() || answer.code().1 == "file_away";
        assert!(found, "{} is answered with {} {}", operation.name(), answer.status, answer.text);
    }
}

#[tokio::test]
async fn every_create_takes_an_idempotency_key() {
    let house = House::closed().await;
    let mut creates = 0;
    for operation in house.operations().await.into_iter().filter(|operation| operation.creates) {
        creates += 1;
        let path = operation.path(|name| house.made[name].clone());
        let body = operation.body().unwrap_or(json!({}));
        let mut request =
            house.request(Method::POST, &path).header("idempotency-key", "two words").json(&body);
        request =
            if operation.is_personal() { house.of_person(request) } else { request.bearer_auth(&house.key) };
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.code(), (400, "bad_idempotency_key"), "{}", operation.name());
    }
    assert!(creates >= 5, "only {creates} creates in the document");
    let make = async |name: &str, key: &str| {
        let request = house.request(Method::POST, "/api/v1/api-keys").bearer_auth(&house.key);
        let body = json!({ "name": name, "role": "viewer" });
        Answer::of(request.header("idempotency-key", key).json(&body).send().await.unwrap()).await
    };
    let (first, again) = (make("a", "k1").await, make("a", "k1").await);
    assert_eq!((first.status, &first.text), (StatusCode::CREATED, &again.text));
    assert_eq!(first.headers["location"], again.headers["location"]);
    assert_eq!(
        (first.headers.get("idempotency-replayed"), &again.headers["idempotency-replayed"]),
        (None, &"true".parse().unwrap())
    );
    assert_eq!(make("b", "k1").await.code(), (422, "idempotency_key_reused"));
    assert_ne!(make("a", "k2").await.text, first.text);
    // Of those that come at the same moment one makes it.
    let all = futures::future::join_all((0..8).map(|_| make("c", "k3"))).await;
    assert!(all.iter().all(|answer| answer.text == all[0].text), "{all:?}");
    let listed = house.ask(Method::GET, "/api/v1/api-keys?limit=200", Some(&house.key), None).await;
    let named_c = listed.json()["items"].as_array().unwrap().iter().filter(|key| key["name"] == "c").count();
    assert_eq!(named_c, 1);
    // The answer that is kept holds a key, and the database none.
    let kept: Vec<u8> = house.database();
    let secret = first.json()["key"].as_str().unwrap().as_bytes().to_vec();
    assert!(!kept.windows(secret.len()).any(|window| window == secret), "the database holds a key");
}

#[tokio::test]
async fn every_other_address_is_closed_too() {
    let house = House::closed().await;
    for (path, status) in [
        ("/metrics", 401),
        ("/api/agents", 401),
        ("/api/calls", 401),
        ("/api/v1/openapi.json", 401),
        ("/api/v1", 404),
        ("/api/v1/nothing", 404),
        ("/api/calls/x", 404),
        ("/api/calls/x/events", 404),
        ("/", 303),
    ] {
        let answer = house.ask(Method::GET, path, None, None).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        assert!(!answer.text.contains("desk"), "{path} names an agent");
    }
    let start =
        house.ask(Method::POST, "/api/calls", None, Some(&json!({ "agent": "desk", "offer": "x" }))).await;
    assert_eq!(start.code(), (401, "unauthorized"));
    // Whoever belongs here gets in; whoever belongs elsewhere does not.
    let others = house.other_owner().await;
    for path in ["/metrics", "/api/agents", "/api/calls", "/"] {
        assert_eq!(
            house.ask(Method::GET, path, Some(&house.key), None).await.status,
            StatusCode::OK,
            "{path}"
        );
        assert_eq!(
            house.ask(Method::GET, path, Some(&others), None).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let blind = house.key(&json!({ "name": "x", "role": "viewer", "scopes": ["calls:read"] })).await;
    assert_eq!(house.ask(Method::GET, "/metrics", Some(&blind), None).await.code(), (403, "scope"));
    assert_eq!(
        house.ask(Method::GET, "/api/v1/openapi.json", Some(&others), None).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn on_a_laptop_the_page_is_open_and_through_a_proxy_it_is_not() {
    let house = House::with(Settings::default()).await;
    for path in ["/", "/api/agents", "/api/calls", "/metrics", "/api/v1/openapi.json"] {
        let ask = |name: &str, value: &str| house.request(Method::GET, path).header(name, value).send();
        let plain = house.request(Method::GET, path).send().await.unwrap();
        assert_eq!(plain.status(), StatusCode::OK, "{path}");
        for (name, value) in [
            ("x-forwarded-for", "203.0.113.9"),
            ("forwarded", "for=203.0.113.9"),
            ("via", "1.1 proxy"),
            ("cf-connecting-ip", "203.0.113.9"),
            ("host", "203.0.113.9"),
        ] {
            let status = ask(name, value).await.unwrap().status();
            let closed = [StatusCode::UNAUTHORIZED, StatusCode::SEE_OTHER].contains(&status);
            assert!(closed, "{path} with {name}: {status}");
        }
        let rebound = ask("host", "evil.example").await.unwrap().status();
        assert_eq!(rebound, StatusCode::MISDIRECTED_REQUEST, "{path}");
    }
    // The API itself asks everywhere.
    assert_eq!(house.ask(Method::GET, "/api/v1/members", None, None).await.code(), (401, "unauthorized"));
}
