//! Calls over a carrier's media stream: what is said, pressed and interrupted, and what happens to
//! lines and callers that are not as they should be.

use std::process::Command;
use std::time::Duration;

use dgh_providers::double::stt::SttServer;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::calls::phone::{Phone, connect};
use crate::calls::serve::{Served, Setup};
use crate::calls::sound::{python, spoken};
use crate::calls::{ASK, CLINIC, WELCOME, deepgram, hears};

async fn clinic(stt: &SttServer) -> Served {
    Setup::example("clinic").hears(&deepgram(stt)).start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_telephone_is_greeted_understood_interrupts_presses_keys_and_is_handed_over() {
    let stt = hears(&["I would like to book an appointment", "I need a cleaning tomorrow"]).await;
    let served = clinic(&stt).await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    assert_eq!(phone.heard().heard_as(CLINIC), format!("{WELCOME} {ASK}"));

    phone.say(&spoken("I would like to book an appointment"));
    phone.is_answered().await;
    // Over what the agent says now.
    let before = phone.look(|ear| ear.clears.len());
    phone.say(&spoken("I need a cleaning tomorrow"));
    let cleared = phone.is_cleared(before).await;
    let began = phone.look(|ear| *ear.said.last().unwrap());
    assert!(cleared - began < 1_000, "the agent stopped {} ms after it was interrupted", cleared - began);
    phone.is_answered().await;
    phone.press("0");
    phone.is_hung_up(Duration::from_secs(20)).await;

    let log = served.log().await;
    assert_eq!(log.caller(), ["I would like to book an appointment", "I need a cleaning tomorrow"]);
    assert!(log.agent().iter().any(|said| said.ends_with("[cut]")), "{}", log.story());
    assert!(log.nodes().starts_with(&["welcome_node".into(), "request".into()]), "{}", log.story());
    assert!(log.nodes().contains(&"front_desk".into()), "{}", log.story());
    assert_eq!(log.ended(), (Some("transferred".into()), "transfer".into()), "{}", log.story());
}

/// A telephone that is greeted with these words.
async fn greeted(served: &Served, agent: &str, words: &str, known: &[&str]) -> Phone {
    let phone = Phone::call(&served.address, agent).await;
    phone.has_the_floor(900).await;
    let known: Vec<&str> = known.iter().copied().chain([words]).collect();
    assert_eq!(phone.heard().heard_as(&known), words, "{agent}");
    phone
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telephones_call_the_other_examples_are_understood_offline_interrupt_and_hang_up() {
    let served = Setup::examples().start().await;
    let lead = async {
        let words = "hi sam this is maya an ai assistant from acme solar do you have two minutes";
        let like = "hi tom this is maya an ai assistant from acme solar do you have ten minutes";
        let phone = greeted(&served, "lead_qualifier", words, &[like]).await;
        phone.say(&spoken("sure go ahead"));
        phone.is_answered().await;
        phone.interrupts(&spoken("hold on a second please")).await;
        phone.hang_up();
        phone
    };
    let collections = async {
        let words = "this call is recorded i am an ai assistant am i speaking with ana diaz";
        let like = "this call is not recorded i am a human am i speaking with anna dean";
        let phone = greeted(&served, "collections", words, &[like]).await;
        phone.say(&spoken("yes"));
        phone.is_answered().await;
        phone.has_the_floor(700).await;
        phone.press("1988#");
        phone.interrupts(&spoken("hold on a second please")).await;
        phone.hang_up();
        phone
    };
    let front_desk = async {
        let words = "larch and sons this is kim an ai assistant what can i do for you";
        let like = "larch and suns this is tim an ai assistant what can we do";
        let phone = greeted(&served, "front_desk", words, &[like]).await;
        phone.say(&spoken("I have a question about accounts"));
        phone.is_answered().await;
        phone.interrupts(&spoken("hold on a second please")).await;
        phone.hang_up();
        phone
    };
    let _phones = tokio::join!(lead, collections, front_desk);
    for log in served.logs(3).await {
        let (node, words) = match log.log.agent.as_str() {
            "lead_qualifier" => ("qualify", "sure go ahead"),
            "collections" => ("disclose", "yes"),
            _ => ("take_message", "i have a question about accounts"),
        };
        assert_eq!(log.caller()[0], words, "{}", log.story());
        assert!(log.nodes().contains(&node.into()), "{}", log.story());
        assert!(log.agent().iter().any(|said| said.ends_with("[cut]")), "{}", log.story());
        assert_eq!(log.ended().1, "caller", "{}", log.story());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_twilio_signed_opens_the_stream_once() {
    let token = "0123456789abcdef";
    let served = Setup::example("clinic")
        .without("--insecure-carriers")
        .variable("TWILIO_AUTH_TOKEN", token)
        .start()
        .await;
    let url = served.url("/carriers/twilio/clinic/voice");
    let parameters =
        [("CallSid", "CA1"), ("From", "+14155550123"), ("To", "+14155550100"), ("Caller", "+14155550123")];
    let script = "import json, sys; from twilio.request_validator import RequestValidator as V; \
                  url, token, form = json.loads(sys.argv[1]); print(V(token).compute_signature(url, dict(form)))";
    let signed = Command::new(python())
        .args(["-c", script, &json!([url, token, parameters]).to_string()])
        .output()
        .expect("the Python of DGH_TEST_PYTHON starts");
    assert!(
        signed.status.success(),
        "is the package `twilio` installed? {}",
        String::from_utf8_lossy(&signed.stderr)
    );
    let signature = String::from_utf8(signed.stdout).unwrap().trim().to_owned();

    let post = async |signature: &str, form: &[(&str, &str)]| {
        let body = form.iter().map(|(name, value)| format!("{name}={}", value.replace('+', "%2B")));
        let request = reqwest::Client::new()
            .post(&url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-twilio-signature", signature)
            .body(body.collect::<Vec<_>>().join("&"));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(post("AAAA", &parameters).await.0, 403);
    assert_eq!(post(&signature, &parameters[..3]).await.0, 403, "another request than the signed one");
    let (status, twiml) = post(&signature, &parameters).await;
    assert_eq!(status, 200, "{twiml}");
    let stream = twiml.split("<Stream url=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let socket = connect(stream).await.unwrap();
    let phone = Phone::on(socket, json!({ "from": "+14155550123", "to": "+14155550100" })).await;
    phone.is_spoken_to().await;
    assert_eq!(connect(stream).await.unwrap_err(), 403, "a ticket is good once");
    assert_eq!(connect(&format!("ws://{}/carriers/twilio/clinic", served.address)).await.unwrap_err(), 403);
    phone.hang_up();
    let log = served.log().await;
    assert_eq!(log.log.start.caller.phone.as_deref(), Some("+14155550123"));
    assert_eq!(log.ended().1, "caller");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_stalls_for_ten_seconds_is_the_same_call_afterwards() {
    let stt = hears(&["I would like to book an appointment"]).await;
    let served = clinic(&stt).await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.is_spoken_to().await;
    phone.stall(Duration::from_secs(10));
    phone.wait(Duration::from_secs(10)).await;
    phone.has_the_floor(900).await;
    phone.say(&spoken("I would like to book an appointment"));
    phone.is_answered().await;
    phone.hang_up();
    let log = served.log().await;
    assert_eq!(log.caller(), ["I would like to book an appointment"], "{}", log.story());
    assert!(log.nodes().contains(&"request".into()), "{}", log.story());
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("line: ")), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_the_line_is_passed_over() {
    let stt = hears(&["I would like to book an appointment"]).await;
    let served = clinic(&stt).await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.is_spoken_to().await;
    let garbage = [
        Message::text("not json"),
        Message::text("{"),
        Message::text("[]"),
        Message::text(json!({ "event": "media" }).to_string()),
        Message::text(
            json!({ "event": "media", "streamSid": "MZ1", "media": { "payload": "***" } }).to_string(),
        ),
        Message::text(
            json!({ "event": "media", "streamSid": "MZ2", "media": { "payload": "////" } }).to_string(),
        ),
        Message::text(
            json!({ "event": "dtmf", "streamSid": "MZ1", "dtmf": { "digit": "many" } }).to_string(),
        ),
        Message::text(json!({ "event": "start", "streamSid": "MZ9" }).to_string()),
        Message::text(json!({ "event": "of tomorrow", "streamSid": "MZ1" }).to_string()),
        Message::Binary(vec![0xff; 320].into()),
    ];
    for message in garbage {
        phone.send(message);
    }
    phone.has_the_floor(900).await;
    phone.say(&spoken("I would like to book an appointment"));
    phone.is_answered().await;
    phone.hang_up();
    let log = served.log().await;
    assert!(log.nodes().contains(&"request".into()), "{}", log.story());
    let troubles = log.troubles();
    for told in [
        "line: a message was skipped: no JSON",
        "line: 2 messages were skipped in all: a message of another stream",
    ] {
        assert!(troubles.iter().any(|trouble| trouble == told), "{troubles:?}");
    }
    assert!(troubles.len() < 16, "{troubles:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_never_speaks_is_let_go_with_words() {
    let stt = hears(&["nothing"]).await;
    let served =
        Setup::example("clinic").with("silence(7s", "silence(2s").hears(&deepgram(&stt)).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    let end = phone.is_hung_up(Duration::from_mins(1)).await;
    let goodbye = "i'll let you go call again any time";
    let last = phone.heard().between(end.saturating_sub(3_500), end);
    assert_eq!(last.heard_as(&[goodbye, "i'll let you know call again next time", "goodbye", ASK]), goodbye);
    let log = served.log().await;
    assert_eq!(log.ended(), (Some("gave_up".into()), "agent".into()), "{}", log.story());
    assert!(log.caller().is_empty(), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_never_stops_is_not_silent_and_is_ended_by_the_limit_with_words() {
    let stt = hears(&["and then he said that it would be no trouble and so on"]).await;
    let served = Setup::example("clinic")
        .with("duration: 10min", "duration: 14s")
        .hears(&deepgram(&stt))
        .start()
        .await;
    let phone = Phone::call(&served.address, "clinic").await;
    let words =
        spoken("and then he said that it would be no trouble and so on and so on and I told him that");
    for _ in 0..10 {
        phone.say(&words);
    }
    let end = phone.is_hung_up(Duration::from_mins(1)).await;
    let goodbye = "i am sorry we have run out of time for this call please call again goodbye";
    let last = phone.heard().between(end.saturating_sub(7_500), end);
    let log = served.log().await;
    let known = [goodbye, "i am glad we have all the time for this call", "goodbye"];
    assert_eq!(last.heard_as(&known), goodbye, "{}", log.story());
    assert_eq!(log.ended().1, "limit", "{}", log.story());
    let silences = log.records().filter(|record| format!("{record:?}").contains("silence")).count();
    assert_eq!(silences, 0, "who speaks is not silent: {}", log.story());
}
