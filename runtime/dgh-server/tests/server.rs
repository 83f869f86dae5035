//! The routes over real HTTP: who may ask, what is answered, and how a carrier's call is made.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dgh_net::testing::{Reply, Server as Stub};
use dgh_platform::calls::book::{Book, BookSettings};
use dgh_platform::calls::{Calls, Settings as CallSettings};
use dgh_platform::platform::Settings as PlatformSettings;
use dgh_platform::{Agents, Folder, Options, Platform, Told, Wanted};
use dgh_server::{Running, Settings, start};
use futures::{SinkExt as _, StreamExt as _};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

struct House {
    _folder: TempDir,
    running: Running,
    calls: Arc<Calls>,
    client: Client,
}

const TOKEN: &str = "12345";

async fn house(settings: Settings, tts: &str) -> House {
    let folder = TempDir::new().unwrap();
    let text = format!(
        "dgh 1\n\nagent desk {{\n  {tts}\n  outcome done\n  input ticket: text?\n  start hello\n\n  node hello {{\n    \
         ask \"Hello, who is there?\"\n    when bye: \"They say goodbye\" like [\"goodbye\"] -> end done {{ say \"Bye.\" }}\n  }}\n}}\n"
    );
    fs::write(folder.path().join("agent.dgh"), text).unwrap();
    fs::write(folder.path().join("token"), TOKEN).unwrap();
    fs::write(folder.path().join("dgh.toml"), "[profiles.dev.secrets]\nTWILIO_AUTH_TOKEN = \"file:token\"\n")
        .unwrap();
    let spoken = if tts.is_empty() { Some("none".to_owned()) } else { None };
    let wanted = Wanted { stt: Some("none".into()), tts: spoken, ..Wanted::default() };
    let agents = agents(&folder, Options { wanted, ..Options::default() }).await;
    let served = Folder::new(Arc::clone(&agents), agents.home().await.unwrap(), folder.path());
    served.sync(|told| assert!(matches!(told, Told::Serves(..)))).await.unwrap();
    let (platform, home) = (Arc::clone(agents.platform()), agents.home().await.unwrap());
    let book = Book::open(platform, home, [7; 32], BookSettings::default()).await.unwrap();
    let calls = Calls::new(CallSettings { book: Some(book), ..CallSettings::default() }).unwrap();
    let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let running = start(listen, agents, Arc::clone(&calls), settings).await.unwrap();
    House { _folder: folder, running, calls, client: Client::new() }
}

/// The agents of a database in a folder.
async fn agents(folder: &TempDir, options: Options) -> Arc<Agents> {
    let (platform, _) =
        Platform::open(PlatformSettings::in_folder(folder.path().join(".dgh"))).await.unwrap();
    Agents::new(Arc::new(platform), options)
}

impl House {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Json) -> Response {
        self.client.post(self.url(path)).json(body).send().await.unwrap()
    }
}

/// Status and code of an error.
async fn refused(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Json = response.json().await.unwrap();
    assert!(body["message"].is_string() && body.get("hint").is_some(), "{body}");
    (status, body["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_page_comes_with_everything_from_here_and_nothing_inline() {
    let house = house(Settings::default(), "").await;
    let page = house.get("/").await;
    assert_eq!(page.status(), StatusCode::OK);
    let headers = page.headers().clone();
    assert!(headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let html = page.text().await.unwrap();
    for forbidden in ["<style", " style=", "onclick", "http://", "https://"] {
        assert!(!html.contains(forbidden), "the page holds {forbidden}");
    }
    // Everything that it names is there.
    let named = html.split('"').filter(|part| part.starts_with("/page/")).collect::<Vec<_>>();
    assert!(named.len() >= 3);
    for path in named {
        let asset = house.get(path).await;
        assert_eq!(asset.status(), StatusCode::OK, "{path}");
        let tag = asset.headers()["etag"].clone();
        let again = house.client.get(house.url(path)).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
    }
    assert_eq!(refused(house.get("/page/../Cargo.toml").await).await, (404, "not_found".into()));
    assert_eq!(refused(house.get("/page/%2e%2e/Cargo.toml").await).await, (404, "not_found".into()));
}

#[tokio::test]
async fn agents_are_listed_with_what_they_use() {
    let house = house(Settings::default(), "").await;
    let body: Json = house.get("/api/agents").await.json().await.unwrap();
    let agent = &body["agents"][0];
    assert_eq!((&agent["id"], &agent["uses"]["llm"]), (&json!("desk"), &json!("offline model")));
    assert_eq!(agent["inputs"], json!([{ "name": "ticket", "about": null, "required": false }]));
    assert_eq!((&agent["uses"]["stt"], &body["broken"]), (&Json::Null, &json!([])));
    assert!(!body.to_string().contains(TOKEN));
}

#[tokio::test]
async fn pages_of_others_can_do_nothing() {
    let house = house(Settings::default(), "").await;
    let body = json!({ "agent": "desk", "offer": "x" });
    for path in ["/api/calls", "/api/calls/x/hangup"] {
        let request = house.client.post(house.url(path)).json(&body).header("origin", "https://evil.example");
        assert_eq!(refused(request.send().await.unwrap()).await, (403, "foreign_origin".into()), "{path}");
    }
    let rebound = house.client.get(house.url("/api/agents")).header("host", "evil.example");
    assert_eq!(refused(rebound.send().await.unwrap()).await, (421, "unknown_host".into()));
    // A form of another page cannot send JSON.
    let form = house
        .client
        .post(house.url("/api/calls"))
        .header("content-type", "text/plain")
        .body(body.to_string());
    assert_eq!(refused(form.send().await.unwrap()).await, (415, "bad_request".into()));
}

#[tokio::test]
async fn what_cannot_be_taken_is_said_so() {
    let house = house(Settings::default(), "").await;
    let cases = [
        (json!({ "agent": "desk" }), 422, "bad_request"),
        (json!({ "agent": "desk", "offer": "x", "more": 1 }), 422, "bad_request"),
        (json!({ "agent": "nobody", "offer": "x" }), 404, "no_agent"),
        (json!({ "agent": "desk", "offer": "not an offer" }), 422, "bad_offer"),
        (json!({ "agent": "desk", "offer": "x", "inputs": { "tickt": "1" } }), 422, "cannot_start"),
        (json!({ "agent": "desk", "offer": "x".repeat(200 << 10) }), 413, "bad_request"),
    ];
    for (body, status, code) in cases {
        let answer = refused(house.post("/api/calls", &body).await).await;
        assert_eq!(answer, (status, code.to_owned()), "{:.80}", body.to_string());
    }
    assert_eq!(house.calls.count(), 0, "none of them holds a place");
    assert_eq!(refused(house.get("/nowhere").await).await, (404, "not_found".into()));
    assert_eq!(refused(house.get("/api/calls/x/hangup").await).await, (405, "method_not_allowed".into()));
    assert_eq!(refused(house.get("/api/calls/x").await).await, (404, "no_call".into()));
    assert_eq!(refused(house.get("/api/calls/x/events").await).await, (404, "no_call".into()));
}

#[tokio::test]
async fn a_server_that_stops_takes_no_calls() {
    let house = house(Settings::default(), "").await;
    assert_eq!(house.get("/healthz").await.text().await.unwrap(), "ok\n");
    let figures = house.get("/metrics").await.text().await.unwrap();
    assert!(figures.contains("# TYPE dgh_calls_live gauge"), "{figures}");
    house.calls.drain(Duration::ZERO).await;
    assert_eq!(refused(house.get("/healthz").await).await, (503, "draining".into()));
    let answer = house.post("/api/calls", &json!({ "agent": "desk", "offer": "x" })).await;
    assert_eq!(answer.headers()["retry-after"], "30");
    assert_eq!(refused(answer).await, (503, "draining".into()));
    let address = house.running.address;
    assert_eq!(house.running.drain(Duration::from_secs(1)).await.unwrap(), 0);
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

/// What Twilio sends when a number is called, signed for this address.
fn webhook(house: &House, url: &str, token: &str) -> reqwest::RequestBuilder {
    let parameters = [("CallSid", "CA1"), ("From", "+14155550100"), ("To", "+14155550101")];
    let text = parameters.map(|(name, value)| [name, value].concat()).concat();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, format!("{url}{text}").as_bytes()));
    let path = url::Url::parse(url).unwrap().path().to_owned();
    house.client.post(house.url(&path)).form(&parameters).header("x-twilio-signature", signature)
}

#[tokio::test]
async fn a_webhook_is_taken_from_twilio_alone() {
    let public = "https://calls.example.org/";
    let settings = Settings { public_url: Some(public.parse().unwrap()), ..Settings::default() };
    let house = house(settings, "").await;
    let url = format!("{public}carriers/twilio/desk/voice");
    let forged = webhook(&house, &url, "other").send().await.unwrap();
    assert_eq!(refused(forged).await, (403, "bad_signature".into()));
    let elsewhere = webhook(&house, "https://other.example.org/carriers/twilio/desk/voice", TOKEN);
    assert_eq!(refused(elsewhere.send().await.unwrap()).await, (403, "bad_signature".into()));
    let answer = webhook(&house, &url, TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let xml = answer.text().await.unwrap();
    assert!(xml.contains(r#"<Stream url="wss://calls.example.org/carriers/twilio/desk/"#), "{xml}");
    assert!(xml.contains(r#"<Parameter name="from" value="+14155550100"/>"#), "{xml}");
}

#[tokio::test]
async fn a_carriers_call_needs_a_ticket_that_is_good_once() {
    let stub = Stub::start(|_, _| Reply::new(200, "audio/pcm", vec![1; 48_000])).await;
    let tts = format!("tts: kokoro(\"af_heart\", url: \"{}\")", stub.url("/v1"));
    let house = house(Settings::default(), &tts).await;
    let base = format!("ws://{}/carriers/twilio/desk", house.running.address);
    assert!(tokio_tungstenite::connect_async(&base).await.is_err(), "without a ticket");
    assert!(tokio_tungstenite::connect_async(format!("{base}/guess")).await.is_err(), "with a guess");

    let webhook = webhook(&house, &house.url("/carriers/twilio/desk/voice"), TOKEN).send().await.unwrap();
    let xml = webhook.text().await.unwrap();
    let url = xml.split('"').find(|part| part.starts_with("ws://")).unwrap().to_owned();
    let (mut socket, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    assert!(tokio_tungstenite::connect_async(&url).await.is_err(), "a second time");
    let start = json!({
        "event": "start", "sequenceNumber": "1", "streamSid": "MZ1",
        "start": {
            "streamSid": "MZ1", "callSid": "CA1", "accountSid": "AC1", "tracks": ["inbound"],
            "customParameters": { "from": "+14155550100" },
            "mediaFormat": { "encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1 },
        },
    });
    for message in [json!({ "event": "connected", "protocol": "Call", "version": "1.0.0" }), start] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    let mut heard = 0;
    while heard < 10 {
        let message =
            tokio::time::timeout(Duration::from_secs(20), socket.next()).await.unwrap().unwrap().unwrap();
        if let Message::Text(text) = message {
            let message: Json = serde_json::from_str(&text).unwrap();
            heard += usize::from(message["event"] == "media" && message["streamSid"] == "MZ1");
        }
    }
    let live = house.calls.live();
    assert_eq!((live.len(), live[0].line, live[0].channel), (1, "twilio", "phone"));
    let listed: Json = house.get("/api/calls").await.json().await.unwrap();
    assert_eq!((&listed["calls"][0]["node"], listed["calls"][0].get("key")), (&json!("hello"), None));
    socket.send(Message::text(json!({ "event": "stop", "streamSid": "MZ1" }).to_string())).await.unwrap();
    let empty = async {
        while house.calls.count() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), empty).await.unwrap();
    let summary = house.calls.get(&live[0].id).unwrap().summary();
    assert_eq!(summary.ended_by.as_deref(), Some("caller"));
}

#[tokio::test]
async fn carriers_without_a_signature_are_for_this_machine_alone() {
    let settings = || Settings { insecure_carriers: true, ..Settings::default() };
    let folder = TempDir::new().unwrap();
    let agents = agents(&folder, Options::default()).await;
    let calls = Calls::new(CallSettings::default()).unwrap();
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let error = start(everywhere, agents, calls, settings()).await.err().unwrap();
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    let house = house(settings(), "").await;
    let address = format!("ws://{}/carriers/nobody/desk", house.running.address);
    assert!(tokio_tungstenite::connect_async(&address).await.is_err(), "no such carrier");
    let open = format!("ws://{}/carriers/twilio/desk", house.running.address);
    assert!(tokio_tungstenite::connect_async(&open).await.is_ok());
}
