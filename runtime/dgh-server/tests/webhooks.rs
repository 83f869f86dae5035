//! Deliveries, endpoints and signing secrets over the API.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dgh_ir::{Envelope, Method as Verb};
use dgh_net::testing::{Reply, Server};
use dgh_platform::calls::{Calls, Settings as CallSettings};
use dgh_platform::platform::Settings as PlatformSettings;
use dgh_platform::webhooks::{self, About, Due, EndedCall, Frozen};
use dgh_platform::{Agents, FirstStart, Options, Platform, Wanted};
use dgh_server::{Running, Settings, start};
use dgh_store::OrgId;
use reqwest::{Client, Method};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

struct House {
    _folder: TempDir,
    agents: Arc<Agents>,
    org: OrgId,
    running: Running,
    client: Client,
    key: String,
}

async fn house() -> House {
    let folder = TempDir::new().unwrap();
    let (platform, first) = Platform::open(PlatformSettings::in_folder(folder.path())).await.unwrap();
    let FirstStart::Made(owner) = first else { panic!("it is new") };
    let wanted = Wanted { stt: Some("none".into()), tts: Some("none".into()), ..Wanted::default() };
    let allow_private = vec!["127.0.0.1".to_owned()];
    let agents = Agents::new(Arc::new(platform), Options { wanted, allow_private, ..Options::default() });
    let org = agents.home().await.unwrap();
    let calls = Calls::new(CallSettings::default()).unwrap();
    let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let running = start(listen, Arc::clone(&agents), calls, Settings::default()).await.unwrap();
    House { _folder: folder, agents, org, running, client: Client::new(), key: owner.key }
}

impl House {
    /// A call ends that has this to tell.
    async fn ends(&self, call: &str, to: &str) {
        let platform = self.agents.platform();
        let body = json!({ "call": call, "account": "[account]" });
        let due = Due {
            webhook: "crm".to_owned(),
            event: "call.ended".to_owned(),
            number: 0,
            shown: Some(body),
            request: Frozen {
                envelope: Envelope {
                    method: Verb::Post,
                    url: to.to_owned(),
                    masked_url: to.to_owned(),
                    headers: Vec::new(),
                    auth: None,
                },
                sign: None,
                body: Some(json!({ "call": call, "account": "A-77" }).to_string()),
            },
        };
        let about = About { call, agent: "desk", profile: None, test: false };
        let mut tx = platform.db.begin().await.unwrap();
        let ended = EndedCall { about, due: &[due] };
        webhooks::at_end(&mut tx, &platform.vault, &self.org, &ended, platform.now()).await.unwrap();
        tx.commit().await.unwrap();
        webhooks::wake(&platform.db).await;
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Json>) -> (u16, Json) {
        let url = format!("http://{}/api/v1{path}", self.running.address);
        let mut request = self.client.request(method, url).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Json {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Waits until the deliveries of a list are so many.
    async fn list(&self, path: &str, count: usize) -> Vec<Json> {
        for _ in 0..500 {
            let items = self.get(path).await["items"].as_array().unwrap().clone();
            if items.len() == count {
                return items;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path}: {}", self.get(path).await)
    }
}

#[tokio::test]
async fn dead_letters_are_listed_shown_and_sent_again() {
    let house = house().await;
    let receiver = Server::start(|n, _| Reply::new(if n < 3 { 401 } else { 200 }, "text/plain", "no")).await;
    for call in ["c1", "c2", "c3"] {
        house.ends(call, &receiver.url("/hook")).await;
    }
    let dead = house.list("/deliveries?state=dead", 3).await;
    assert_eq!((dead[0]["status"].as_u64(), dead[0]["error"].as_str()), (Some(401), Some("HTTP 401: no")));
    assert_eq!(house.list("/deliveries?search=HTTP%20401&call=c2", 1).await[0]["call"], "c2");
    let id = dead[0]["id"].as_str().unwrap();
    let shown = house.get(&format!("/deliveries/{id}")).await;
    assert_eq!(shown["body"]["account"], "[account]");
    assert!(!shown.to_string().contains("A-77"), "private values are not shown");
    assert_eq!(shown["failed_attempts"].as_array().unwrap().len(), 1);
    let (status, again) = house.ask(Method::POST, &format!("/deliveries/{id}/replay"), None).await;
    assert_eq!((status, again["state"].as_str()), (202, Some("pending")));
    house.list("/deliveries?state=delivered", 1).await;
    let (status, all) = house.ask(Method::POST, "/deliveries/replay", Some(json!({ "agent": "desk" }))).await;
    assert_eq!((status, all), (202, json!({ "replayed": 2, "more": false })));
    house.list("/deliveries?state=delivered", 3).await;
    // The same ids arrived twice.
    let mut ids: Vec<_> =
        receiver.received().iter().map(|r| r.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 6);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let audit = house.get("/audit?action=delivery.").await;
    assert_eq!(audit["items"].as_array().unwrap().len(), 2);
    let (status, problem) =
        house.ask(Method::GET, "/deliveries/018f0000-0000-7000-8000-000000000000", None).await;
    assert_eq!((status, problem["code"].as_str()), (404, Some("not_found")));
    house.running.drain(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_that_is_disabled_gets_nothing_until_it_is_enabled() {
    let house = house().await;
    let receiver = Server::start(|_, _| Reply::new(200, "text/plain", "")).await;
    house.ends("c1", &receiver.url("/hook")).await;
    house.list("/deliveries?state=delivered", 1).await;
    let endpoint = house.list("/endpoints", 1).await.remove(0);
    assert_eq!((endpoint["state"].as_str(), endpoint["webhook"].as_str()), (Some("open"), Some("crm")));
    assert_eq!(endpoint["origin"], receiver.url(""));
    let id = endpoint["id"].as_str().unwrap();
    let (status, off) = house.ask(Method::POST, &format!("/endpoints/{id}/disable"), None).await;
    assert_eq!((status, off["state"].as_str()), (200, Some("disabled")));
    house.ends("c2", &receiver.url("/hook")).await;
    assert_eq!(house.list("/deliveries?state=parked", 1).await[0]["parked_for"], "endpoint");
    house.list("/endpoints?stopped=true", 1).await;
    let (status, on) = house.ask(Method::POST, &format!("/endpoints/{id}/enable"), None).await;
    assert_eq!((status, on["state"].as_str()), (200, Some("open")));
    house.list("/deliveries?state=delivered", 2).await;
    house.running.drain(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_signing_secret_is_shown_once_and_two_sign_at_once() {
    let house = house().await;
    let make = async || house.ask(Method::POST, "/signing-secrets", Some(json!({}))).await;
    let (status, first) = make().await;
    assert_eq!(status, 201);
    let secret = first["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.ends_with(first["ending"].as_str().unwrap()));
    let (status, second) = make().await;
    assert_eq!(status, 201);
    let (status, problem) = make().await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("two_already")));
    let all = house.get("/signing-secrets").await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert!(!all.to_string().contains("whsec_"), "it is shown once");
    assert!(all[0]["retires_at"].is_null() && all[1]["retires_at"].is_i64());
    let id = first["id"].as_str().unwrap();
    assert_eq!(house.ask(Method::DELETE, &format!("/signing-secrets/{id}"), None).await.0, 204);
    assert_eq!(house.ask(Method::DELETE, &format!("/signing-secrets/{id}"), None).await.0, 404);
    assert_eq!(house.get("/signing-secrets").await[0]["id"], second["id"]);
    let asked = Some(json!({ "overlap_hours": 1_000 }));
    assert_eq!(house.ask(Method::POST, "/signing-secrets", asked).await.0, 422);
    house.running.drain(Duration::ZERO).await.unwrap();
}
