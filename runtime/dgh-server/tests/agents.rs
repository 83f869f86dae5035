//! Agents over the API: drafts, releases, traffic, profiles, secrets, routes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::net::SocketAddr;
use std::sync::Arc;

use dgh_platform::calls::{Calls, Settings as CallSettings};
use dgh_platform::platform::Settings as PlatformSettings;
use dgh_platform::{Agents, FirstStart, Options, Platform, Wanted};
use dgh_server::{Running, Settings, start};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

struct House {
    _folder: TempDir,
    running: Running,
    client: Client,
    key: String,
}

const AGENT: &str = "dgh 1\n\nagent desk {\n  outcome done\n  start hello\n  node hello {\n    ask \"Hello?\"\n    \
    when bye: \"They say goodbye\" -> end done\n  }\n}\n";

async fn house() -> House {
    let folder = TempDir::new().unwrap();
    let (platform, first) = Platform::open(PlatformSettings::in_folder(folder.path())).await.unwrap();
    let FirstStart::Made(owner) = first else { panic!("it is new") };
    let wanted = Wanted { stt: Some("none".into()), tts: Some("none".into()), ..Wanted::default() };
    let agents = Agents::new(Arc::new(platform), Options { wanted, ..Options::default() });
    let calls = Calls::new(CallSettings::default()).unwrap();
    let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let running = start(listen, agents, calls, Settings::default()).await.unwrap();
    House { _folder: folder, running, client: Client::new(), key: owner.key }
}

impl House {
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}/api/v1{path}", self.running.address);
        self.client.request(method, url).bearer_auth(&self.key)
    }

    async fn get(&self, path: &str) -> Json {
        let answer = self.ask(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn send(&self, method: Method, path: &str, body: &Json) -> (u16, Json) {
        told(self.ask(method, path).json(body).send().await.unwrap()).await
    }

    /// Writes the draft over whatever is there.
    async fn put(&self, agent: &str, files: &Json) -> (u16, Json) {
        let request = self.ask(Method::PUT, &format!("/agents/{agent}/bundle")).header("if-match", "*");
        told(request.json(&json!({ "files": files })).send().await.unwrap()).await
    }

    async fn create(&self, slug: &str) {
        let (status, body) = self.send(Method::POST, "/agents", &json!({ "slug": slug })).await;
        assert_eq!(status, 201, "{body}");
    }
}

async fn told(answer: Response) -> (u16, Json) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Json::Null))
}

#[tokio::test]
async fn a_draft_is_written_with_if_match_alone() {
    let house = house().await;
    house.create("desk").await;
    let empty = house.ask(Method::GET, "/agents/desk/bundle").send().await.unwrap();
    let tag = empty.headers()["etag"].clone();
    let files = json!({ "files": { "agent.dgh": { "text": AGENT }, "a.bin": { "base64": "AAEC" } } });
    let without = house.ask(Method::PUT, "/agents/desk/bundle").json(&files).send().await.unwrap();
    assert_eq!(told(without).await.1["code"], "if_match_needed");
    let put = || house.ask(Method::PUT, "/agents/desk/bundle").header("if-match", tag.clone());
    let written = put().json(&files).send().await.unwrap();
    assert_eq!(written.status(), 200);
    let now = written.headers()["etag"].to_str().unwrap().to_owned();
    let body: Json = written.json().await.unwrap();
    assert_eq!(
        (format!("\"{}\"", body["hash"].as_str().unwrap()), &body["files"]["a.bin"]["size"]),
        (now.clone(), &json!(3))
    );
    let late = put().json(&files).send().await.unwrap();
    assert_eq!((late.status().as_u16(), late.headers()["etag"].to_str().unwrap()), (412, now.as_str()));
    let sha256 = body["files"]["agent.dgh"]["sha256"].as_str().unwrap();
    let blob = house.ask(Method::GET, &format!("/blobs/{sha256}")).send().await.unwrap();
    assert_eq!(blob.headers()["content-type"], "application/octet-stream");
    assert_eq!(blob.text().await.unwrap(), AGENT);
    let (status, body) = house.put("desk", &json!({ "x": { "sha256": "0".repeat(64) } })).await;
    assert_eq!(
        (status, &body["code"], &body["errors"][0]["at"]),
        (422, &json!("missing_contents"), &json!("0".repeat(64)))
    );
    for (files, at) in [
        (json!({ "x": {} }), "files.x"),
        (json!({ "x": { "text": "a", "base64": "AA==" } }), "files.x"),
        (json!({ "x": { "base64": "?" } }), "files.x"),
    ] {
        let (status, body) = house.put("desk", &files).await;
        assert_eq!((status, &body["errors"][0]["at"]), (422, &json!(at)), "{body}");
    }
    assert_eq!(house.put("desk", &json!({ "../x": { "text": "a" } })).await.1["code"], "bad_bundle");
    let kept = told(house.ask(Method::POST, "/blobs").body("x").send().await.unwrap()).await;
    let sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    assert_eq!(kept, (200, json!({ "sha256": sha256, "size": 1 })));
    assert_eq!(house.put("desk", &json!({ "x": { "sha256": sha256 } })).await.0, 200);
}

#[tokio::test]
async fn publishing_tells_errors_with_their_places_and_is_repeated_safely() {
    let house = house().await;
    house.create("desk").await;
    house.put("desk", &json!({ "agent.dgh": { "text": AGENT.replace("end done", "end dnoe") } })).await;
    let (status, body) = house.send(Method::POST, "/agents/desk/releases", &json!({})).await;
    assert_eq!((status, &body["code"]), (422, &json!("has_errors")), "{body}");
    let error = &body["errors"][0];
    assert!(error["at"].as_str().unwrap().starts_with("agent.dgh:8:") && error["code"].is_string(), "{body}");
    let (_, report) = house.send(Method::POST, "/agents/desk/check", &json!({})).await;
    assert_eq!((&report["errors"], &report["report"]["version"]), (&json!(1), &json!(1)));
    let (_, draft) = house.put("desk", &json!({ "agent.dgh": { "text": AGENT } })).await;
    let publish = || {
        let body = json!({ "draft": draft["hash"], "note": "The first" });
        house.ask(Method::POST, "/agents/desk/releases").header("idempotency-key", "k1").json(&body)
    };
    let first = told(publish().send().await.unwrap()).await;
    assert_eq!(
        (first.0, &first.1["number"], &first.1["traffic"][0]["percent"]),
        (201, &json!(1), &json!(100))
    );
    // The draft is another one by now: the same request is answered as before all the same.
    house.put("desk", &json!({ "agent.dgh": { "text": AGENT.replace("Hello?", "Who is there?") } })).await;
    let again = publish().send().await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(told(again).await.1["number"], 1);
    let stale = house.send(Method::POST, "/agents/desk/releases", &json!({ "draft": draft["hash"] })).await;
    assert_eq!(stale.0, 412);
    let (_, second) = house.send(Method::POST, "/agents/desk/releases", &json!({ "percent": 10 })).await;
    assert_eq!(second["traffic"], json!([{ "release": 2, "percent": 10 }, { "release": 1, "percent": 90 }]));
    let diff = house.get("/agents/desk/releases/1...2/diff").await;
    assert_eq!((&diff["breaks"], &diff["changes"][0]["aspect"]), (&json!(false), &json!("steps")));
    assert_eq!(house.get("/agents/desk/releases/2...draft/diff").await["changes"], json!([]));
    let (_, back) = house.send(Method::POST, "/agents/desk/releases/1/serve", &json!({})).await;
    assert_eq!(back["shares"], json!([{ "release": 1, "percent": 100 }]));
    let half = json!({ "shares": [{ "release": 1, "percent": 50 }, { "release": 2, "percent": 50 }] });
    assert_eq!(house.send(Method::PUT, "/agents/desk/traffic/production", &half).await.0, 200);
    let (status, _) = house
        .send(
            Method::PUT,
            "/agents/desk/traffic/production",
            &json!({ "shares": [{ "release": 1, "percent": 50 }] }),
        )
        .await;
    assert_eq!(status, 422);
    let shown = house.get("/agents/desk").await;
    assert_eq!((&shown["releases"], &shown["traffic"][0]["shares"][0]["release"]), (&json!(2), &json!(2)));
    let page = house.get("/agents/desk/releases?limit=1").await;
    assert_eq!((&page["items"][0]["number"], &page["next"]), (&json!(2), &json!("2")));
    assert_eq!(house.get("/agents/desk/releases?limit=1&after=2").await["items"][0]["note"], "The first");
}

#[tokio::test]
async fn a_secret_is_told_to_nobody() {
    let house = house().await;
    let (status, body) =
        house.send(Method::PUT, "/profiles/production/secrets/TOKEN", &json!({ "value": "planted" })).await;
    assert_eq!((status, body), (200, json!({ "name": "TOKEN", "version": 1 })));
    assert_eq!(
        house
            .send(Method::PUT, "/profiles/production/secrets/TOKEN", &json!({ "value": "planted2" }))
            .await
            .1["version"],
        2
    );
    let list = house.get("/profiles/production/secrets").await;
    assert_eq!((&list["items"][0]["name"], list.to_string().contains("planted")), (&json!("TOKEN"), false));
    for path in ["/profiles/production", "/profiles", "/audit"] {
        assert!(!house.get(path).await.to_string().contains("planted"), "{path}");
    }
    let bad =
        house.send(Method::PUT, "/profiles/production/secrets/T-1", &json!({ "value": "planted" })).await;
    assert!(bad.0 == 422 && !bad.1.to_string().contains("planted"), "{bad:?}");
    let gone = house.ask(Method::DELETE, "/profiles/production/secrets/TOKEN").send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(house.get("/profiles/production/secrets").await["items"], json!([]));
}

#[tokio::test]
async fn profiles_have_revisions_and_routes_lead_to_agents() {
    let house = house().await;
    let names = house.get("/profiles").await;
    let names: Vec<_> = names["items"].as_array().unwrap().iter().map(|p| p["name"].clone()).collect();
    assert_eq!(names, ["dev", "production", "staging"]);
    let put = |tag: &'static str, body: Json| {
        house.ask(Method::PUT, "/profiles/staging").header("if-match", tag).json(&body)
    };
    let first = put("\"1\"", json!({ "env": { "HOST": "x" }, "models": { "llm": ["openai/gpt-4.1"] } }))
        .send()
        .await
        .unwrap();
    assert_eq!((first.status().as_u16(), first.headers()["etag"].to_str().unwrap()), (200, "\"2\""));
    assert_eq!(put("\"1\"", json!({})).send().await.unwrap().status(), 412);
    let wrong = told(put("\"2\"", json!({ "models": { "llm": ["opnai/x"] } })).send().await.unwrap()).await;
    assert_eq!((wrong.0, &wrong.1["errors"][0]["at"]), (422, &json!("models.llm[0]")), "{wrong:?}");
    assert_eq!(house.ask(Method::DELETE, "/profiles/staging").send().await.unwrap().status(), 409);
    house.create("desk").await;
    let new = json!({ "kind": "number", "address": "+14155550100", "agent": "desk" });
    let (status, made) = house.send(Method::POST, "/routes", &new).await;
    assert_eq!((status, &made["profile"]), (201, &json!("production")));
    assert_eq!(house.send(Method::POST, "/routes", &new).await.0, 409);
    assert_eq!(house.get("/routes").await["items"][0]["address"], "+14155550100");
    let gone = format!("/routes/{}", made["id"].as_str().unwrap());
    assert_eq!(house.ask(Method::DELETE, &gone).send().await.unwrap().status(), 204);
    assert_eq!(house.ask(Method::DELETE, "/agents/desk").send().await.unwrap().status(), 204);
    assert_eq!(house.ask(Method::GET, "/agents/desk").send().await.unwrap().status(), 404);
    assert_eq!(house.send(Method::PATCH, "/agents/desk", &json!({ "name": "x" })).await.0, 404);
}
