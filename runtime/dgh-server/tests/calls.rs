//! Calls over the API: asked for, rung up through a carrier, watched, steered, found again, exported.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dgh_net::testing::{Reply, Server as Stub};
use dgh_platform::calls::book::{Book, BookSettings};
use dgh_platform::calls::{Calls, Data, Settings as CallSettings};
use dgh_platform::platform::Settings as PlatformSettings;
use dgh_platform::{Agents, FirstStart, Folder, Options, Platform, Told, Wanted};
use dgh_server::{Running, Settings, start};
use futures::{SinkExt as _, StreamExt as _};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const TOKEN: &str = "12345";
const KEY: [u8; 32] = [7; 32];
/// Long enough for a box that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

struct House {
    _folder: TempDir,
    running: Running,
    client: Client,
    key: String,
    carrier: Stub,
    _voice: Stub,
}

async fn house() -> House {
    let folder = TempDir::new().unwrap();
    let voice = Stub::start(|_, _| Reply::new(200, "audio/pcm", vec![1; 24_000])).await;
    let carrier = Stub::start(|_, asked| {
        if asked.headers.iter().any(|(name, value)| name == "authorization" && *value == login()) {
            Reply::new(201, "application/json", json!({ "sid": "CA77", "status": "queued" }).to_string())
        } else {
            Reply::new(
                401,
                "application/json",
                json!({ "code": 20003, "message": "Authenticate" }).to_string(),
            )
        }
    })
    .await;
    let text = format!(
        r#"dgh 1

agent desk {{
  tts: kokoro("af_heart", url: "{}")
  channels: [phone]
  outbound {{ from: "+14155550199", hours: 0:00..23:59, attempts: 1, answer: talk }}
  tags: ["sales"]
  outcome done, gone
  input name: text
  input age: int?
  var day: text? "The day"
  start hello

  node hello {{
    ask "Hello {{{{ name }}}}, who is there?"
    when bye: "They say goodbye" like ["goodbye"] -> end done {{ say "Bye." }}
  }}
  anywhere {{ on voicemail -> end gone on silence(120s) {{ say "Hello?" }} }}
}}
"#,
        voice.url("/v1")
    );
    fs::write(folder.path().join("agent.dgh"), text).unwrap();
    fs::write(folder.path().join("token"), TOKEN).unwrap();
    fs::write(folder.path().join("account"), "AC1").unwrap();
    fs::write(folder.path().join("api"), carrier.url("")).unwrap();
    fs::write(
        folder.path().join("dgh.toml"),
        "[profiles.dev]\nallow_private = [\"127.0.0.1\"]\n[profiles.dev.secrets]\nTWILIO_AUTH_TOKEN = \"file:token\"\n\
         TWILIO_ACCOUNT_SID = \"file:account\"\nTWILIO_API_URL = \"file:api\"\n",
    )
    .unwrap();
    let wanted = Wanted { stt: Some("none".into()), ..Wanted::default() };
    let data = folder.path().join(".dgh");
    let (platform, first) = Platform::open(PlatformSettings::in_folder(&data)).await.unwrap();
    let FirstStart::Made(owner) = first else { panic!("it is new") };
    let agents = Agents::new(Arc::new(platform), Options { wanted, ..Options::default() });
    let home = agents.home().await.unwrap();
    let served = Folder::new(Arc::clone(&agents), home.clone(), folder.path());
    served.sync(|told| assert!(matches!(told, Told::Serves(..)))).await.unwrap();
    let settings = BookSettings {
        beat: Duration::from_millis(100),
        poll: Duration::from_millis(50),
        ..BookSettings::default()
    };
    let book = Book::open(Arc::clone(agents.platform()), home, KEY, settings).await.unwrap();
    let calls = Calls::new(CallSettings {
        data: Some(Data { folder: data, key: KEY }),
        record: true,
        book: Some(book),
        ..CallSettings::default()
    })
    .unwrap();
    let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let running = start(listen, agents, calls, Settings::default()).await.unwrap();
    House { _folder: folder, running, client: Client::new(), key: owner.key, carrier, _voice: voice }
}

fn login() -> String {
    format!("Basic {}", STANDARD.encode(format!("AC1:{TOKEN}")))
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl House {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(&self.key)
    }

    async fn get(&self, path: &str) -> Json {
        let answer = self.ask(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn wants(&self, body: &Json) -> Response {
        self.ask(Method::POST, "/api/v1/agents/desk/calls").json(body).send().await.unwrap()
    }

    /// What the carrier was asked for, field by field.
    async fn dialed(&self) -> HashMap<String, String> {
        let since = Instant::now();
        loop {
            if let Some(asked) = self.carrier.received().pop() {
                assert_eq!(asked.target, "/2010-04-01/Accounts/AC1/Calls.json");
                return url::form_urlencoded::parse(&asked.body).into_owned().collect();
            }
            assert!(since.elapsed() < PATIENCE, "nobody was rung up");
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn until(&self, id: &str, holds: impl Fn(&Json) -> bool) -> Json {
        let since = Instant::now();
        loop {
            let call = self.get(&format!("/api/v1/calls/{id}")).await;
            if holds(&call) {
                return call;
            }
            assert!(since.elapsed() < PATIENCE, "{call}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Tells how a call goes, signed as the carrier does.
    async fn tells(&self, url: &str, parameters: &[(&str, &str)], token: &str) -> u16 {
        let mut sorted = parameters.to_vec();
        sorted.sort_unstable();
        let text: String = sorted.iter().map(|(name, value)| [*name, *value].concat()).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
        let signature = STANDARD.encode(hmac::sign(&key, format!("{url}{text}").as_bytes()));
        let told = self.client.post(url).form(parameters).header("x-twilio-signature", signature);
        told.send().await.unwrap().status().as_u16()
    }
}

/// The address of the stream in the answer of a webhook, or in what the carrier was asked for.
fn stream(xml: &str) -> String {
    xml.split('"').find(|part| part.starts_with("ws://")).unwrap().to_owned()
}

async fn answers(url: &str) -> Socket {
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let start = json!({
        "event": "start", "sequenceNumber": "1", "streamSid": "MZ1",
        "start": {
            "streamSid": "MZ1", "callSid": "CA77", "accountSid": "AC1", "tracks": ["inbound"],
            "customParameters": {},
            "mediaFormat": { "encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1 },
        },
    });
    for message in [json!({ "event": "connected", "protocol": "Call", "version": "1.0.0" }), start] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    socket
}

/// Reads what the agent sends until the line is hung up.
fn listens(mut socket: Socket) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move { while let Some(Ok(_)) = socket.next().await {} })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_asked_for_rings_is_answered_steered_and_found_again() {
    let house = house().await;
    let wanted =
        json!({ "to": "+14155550100", "inputs": { "name": "=Ann" }, "test": true, "detect_machines": true });
    let made = house.wants(&wanted).await;
    assert_eq!(made.status(), 201);
    let made: Json = made.json().await.unwrap();
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        (&made["direction"], &made["test"], &made["version"]),
        (&json!("outbound"), &json!(true), &json!("published"))
    );
    assert_eq!((&made["caller"], &made["called"]), (&json!("+14155550199"), &json!("+14155550100")));
    let dialed = house.dialed().await;
    assert_eq!((dialed["To"].as_str(), dialed["From"].as_str()), ("+14155550100", "+14155550199"));
    assert_eq!(dialed["AsyncAmd"], "true");
    let status = dialed["StatusCallback"].clone();
    let ringing = [("CallSid", "CA77"), ("CallStatus", "ringing"), ("SequenceNumber", "1")];
    assert_eq!(house.tells(&status, &ringing, "other").await, 403);
    assert_eq!(house.tells(&status, &ringing, TOKEN).await, 204);
    assert_eq!(house.tells(&status, &ringing, TOKEN).await, 204, "told twice, done once");
    house.until(id, |call| call["state"] == "ringing").await;
    let url = stream(&dialed["Twiml"]);
    let socket = answers(&url).await;
    assert!(tokio_tungstenite::connect_async(&url).await.is_err(), "a ticket is good once");
    let ear = listens(socket);
    house.until(id, |call| call["state"] == "live").await;
    assert_eq!(house.tells(&status, &[("CallSid", "CA77"), ("AnsweredBy", "human")], TOKEN).await, 204);
    // Somebody watches and steers.
    let command =
        |body: Json| house.ask(Method::POST, &format!("/api/v1/calls/{id}/commands")).json(&body).send();
    assert_eq!(
        command(json!({ "do": "set", "name": "day", "value": "Friday" })).await.unwrap().status(),
        202
    );
    assert_eq!(command(json!({ "do": "say", "text": "" })).await.unwrap().status(), 422);
    assert_eq!(command(json!({ "do": "dance" })).await.unwrap().status(), 422);
    let events = house.ask(Method::GET, &format!("/api/v1/calls/{id}/events")).send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let watch = format!("ws://{}/api/v1/calls/{id}/socket", house.running.address);
    let mut watch =
        tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(watch).unwrap();
    watch.headers_mut().insert("authorization", format!("Bearer {}", house.key).parse().unwrap());
    let (mut watch, _) = tokio_tungstenite::connect_async(watch).await.unwrap();
    watch.send(Message::text(json!({ "do": "hangup" }).to_string())).await.unwrap();
    let call = house.until(id, |call| call["state"] == "ended").await;
    assert_eq!((&call["ended_by"], &call["answered_by"]), (&json!("operator"), &json!("human")));
    assert_eq!((&call["values"]["day"], &call["tags"]), (&json!("Friday"), &json!(["sales"])));
    assert!(call["duration_ms"].as_i64().unwrap() > 0, "{call}");
    let mut told = Vec::new();
    while let Ok(Some(Ok(message))) = timeout(PATIENCE, watch.next()).await {
        if let Message::Text(text) = message {
            told.push(serde_json::from_str::<Json>(&text).unwrap());
        }
    }
    assert!(told.iter().any(|message| message["command"]["id"].is_string()), "{told:?}");
    assert_eq!(told.last().unwrap(), &json!({ "ended": true }));
    let events = timeout(PATIENCE, events.text()).await.unwrap().unwrap();
    assert!(events.contains("\"what\":\"operator\"") && events.trim_end().ends_with("data: {}"), "{events}");
    timeout(PATIENCE, ear).await.unwrap().unwrap();
    // It is found by what is known of it, and the transcript says who said what.
    for filter in
        ["agent=desk", "test=true", "direction=outbound", "tag=sales", "value=day:Friday", "called=5550100"]
    {
        let found = house.get(&format!("/api/v1/calls?{filter}")).await;
        assert_eq!(found["items"][0]["id"], id, "{filter}");
    }
    for filter in ["agent=other", "test=false", "outcome=done", "called=999", "until=1"] {
        let found = house.get(&format!("/api/v1/calls?{filter}")).await;
        assert_eq!(found["items"], json!([]), "{filter}");
    }
    let said = house.get(&format!("/api/v1/calls/{id}/transcript")).await;
    assert_eq!(said["turns"][0]["who"], "agent", "{said}");
    let lines = house.get(&format!("/api/v1/calls/{id}/lines")).await;
    assert!(lines["items"].as_array().unwrap().len() > 3);
    let report = house.get("/api/v1/reports/calls").await;
    assert_eq!((&report["calls"], &report["ended_by"][0]["name"]), (&json!(1), &json!("operator")));
    let table = house.ask(Method::GET, "/api/v1/calls.csv").send().await.unwrap().text().await.unwrap();
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.contains("\"'+14155550100\"") && table.contains("day=Friday"), "{table}");
    let log = house
        .ask(Method::GET, &format!("/api/v1/calls/{id}/log"))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let log = dgh_engine::log::open(&log, &KEY).unwrap();
    assert_eq!(log.start.call_id, id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_private_signed_for_a_while_and_shared_until_that_is_taken_back() {
    let house = house().await;
    let made: Json = house
        .wants(&json!({ "to": "+14155550100", "inputs": { "name": "Ann" } }))
        .await
        .json()
        .await
        .unwrap();
    let id = made["id"].as_str().unwrap();
    let mut socket = answers(&stream(&house.dialed().await["Twiml"])).await;
    house.until(id, |call| call["state"] == "live" && call["node"] == "hello").await;
    socket.send(Message::text(json!({ "event": "stop", "streamSid": "MZ1" }).to_string())).await.unwrap();
    let kinds =
        |call: &Json| call["files"].as_array().unwrap().iter().filter(|file| file["bytes"].is_i64()).count();
    let call = house.until(id, |call| call["state"] == "ended" && kinds(call) == 2).await;
    assert_eq!(call["ended_by"], "caller");
    let file = call["files"].as_array().unwrap().iter().find(|file| file["kind"] == "recording").unwrap();
    let url = file["url"].as_str().unwrap();
    let open = async |url: &str| house.client.get(url).send().await.unwrap();
    let signed = open(url).await;
    assert_eq!(
        (signed.status().as_u16(), &signed.headers()["content-type"]),
        (200, &"audio/wav".parse().unwrap())
    );
    assert!(signed.bytes().await.unwrap().starts_with(b"RIFF"));
    let part = house.client.get(url).header("range", "bytes=4-7").send().await.unwrap();
    assert_eq!(
        (part.status().as_u16(), part.headers()["content-range"].to_str().unwrap().starts_with("bytes 4-7/")),
        (206, true)
    );
    assert_eq!(part.bytes().await.unwrap().len(), 4);
    assert_eq!(open(&url.replace("until=1", "until=2")).await.status(), 403, "nobody else says until when");
    let path = format!("/api/v1/calls/{id}/files/recording");
    assert_eq!(open(&house.url(&path)).await.status(), 401, "private");
    let share = async |method: Method| {
        house.ask(method, &format!("{path}/link")).json(&json!({})).send().await.unwrap()
    };
    let shared: Json = share(Method::POST).await.json().await.unwrap();
    let public = shared["url"].as_str().unwrap();
    assert_eq!(open(public).await.status(), 200);
    assert_eq!(share(Method::DELETE).await.status(), 204);
    assert_eq!(open(public).await.status(), 404);
    // A rule takes it away, also what is there.
    let rule = json!({ "kind": "recording", "days": 0 });
    let set = house.ask(Method::PUT, "/api/v1/retention-rule").json(&rule).send().await.unwrap();
    assert_eq!(set.status(), 204);
    let rules = house.get("/api/v1/retention").await;
    assert_eq!(rules["items"][0]["days"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_cannot_be_is_refused_where_it_is_wrong() {
    let house = house().await;
    let refused = async |body: Json| {
        let answer = house.wants(&body).await;
        let status = answer.status().as_u16();
        (status, answer.json::<Json>().await.unwrap())
    };
    let (status, told) = refused(json!({ "to": "0123", "inputs": { "name": "Ann" } })).await;
    assert_eq!((status, &told["errors"][0]["at"]), (422, &json!("to")), "{told}");
    let (status, told) =
        refused(json!({ "to": "+14155550100", "inputs": { "age": "old", "nmae": 1 } })).await;
    let places: Vec<&str> =
        told["errors"].as_array().unwrap().iter().map(|at| at["at"].as_str().unwrap()).collect();
    assert_eq!((status, places), (422, vec!["inputs.age", "inputs.nmae", "inputs.name"]), "{told}");
    assert!(told.to_string().contains("did you mean `name`") && !told.to_string().contains("old"), "{told}");
    let none = house.ask(Method::POST, "/api/v1/agents/nobody/calls").json(&json!({ "to": "+14155550100" }));
    assert_eq!(none.send().await.unwrap().status(), 404);
    let limit = json!({ "scope": "agent", "name": "desk", "max": 1 });
    assert_eq!(house.ask(Method::PUT, "/api/v1/call-limit").json(&limit).send().await.unwrap().status(), 204);
    let good = json!({ "to": "+14155550100", "inputs": { "name": "Ann" } });
    let once = |key: &str| {
        let asked = house.ask(Method::POST, "/api/v1/agents/desk/calls").header("idempotency-key", key);
        asked.json(&good).send()
    };
    let first: Json = once("k1").await.unwrap().json().await.unwrap();
    let again: Json = once("k1").await.unwrap().json().await.unwrap();
    assert_eq!(first["id"], again["id"], "one key, one call");
    let full = once("k2").await.unwrap();
    assert_eq!((full.status().as_u16(), full.headers().contains_key("retry-after")), (429, true));
    // Nobody picks up: the call is over, and its place is free.
    let dialed = house.dialed().await;
    let busy = [("CallSid", "CA77"), ("CallStatus", "busy"), ("SequenceNumber", "3")];
    assert_eq!(house.tells(&dialed["StatusCallback"], &busy, TOKEN).await, 204);
    let call = house.until(first["id"].as_str().unwrap(), |call| call["state"] == "ended").await;
    assert_eq!((&call["ended_by"], &call["why"]), (&json!("not_connected"), &json!("busy")));
    assert_eq!(once("k2").await.unwrap().status(), 201, "what was refused was not made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_that_tells_of_a_call_twice_gets_one_call() {
    let house = house().await;
    let url = house.url("/carriers/twilio/desk/voice");
    let parameters = [("CallSid", "CA9"), ("From", "+14155550100"), ("To", "+14155550199")];
    for _ in 0..2 {
        assert_eq!(house.tells(&url, &parameters, TOKEN).await, 200);
    }
    let found = house.get("/api/v1/calls?direction=inbound").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(found["items"][0]["caller"], "+14155550100");
}
