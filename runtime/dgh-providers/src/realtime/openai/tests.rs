//! Against a server that speaks as OpenAI's does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use dgh_engine::event::ReplyId;
use dgh_engine::reply::{Message, Purpose, ReplyRequest, ToolExchange};
use dgh_net::Policy;
use dgh_net::testing::Welcome;
use secrecy::SecretString;

use super::*;
use crate::double::{self, Does, LETTER_MS, RealtimeScript, RealtimeServer};
use crate::realtime::{RealtimeEvent, RealtimeInput};
use crate::voice::{VoiceRegistry, Voices};

fn described(url: &str, settings: Json) -> Model {
    let mut all = json!({ "model": "gpt-test", "url": url }).as_object().unwrap().clone();
    all.extend(settings.as_object().unwrap().clone());
    Model {
        provider: "openai".into(),
        protocol: "openai_realtime".into(),
        settings: all,
        key: Some("THE_KEY".into()),
    }
}

fn secrets() -> HashMap<String, SecretString> {
    HashMap::from([("THE_KEY".to_owned(), "sk-hush-hush".to_owned().into())])
}

fn registry() -> VoiceRegistry {
    VoiceRegistry::new(Client::new(Policy::with_private()).unwrap(), Arc::new(secrets()))
}

struct Line {
    server: RealtimeServer,
    session: RealtimeSession,
}

impl Line {
    async fn open(script: RealtimeScript, settings: Json, start: RealtimeStart) -> Self {
        let server = RealtimeServer::start(script).await;
        let session =
            registry().realtime(&described(&server.url("/v1/realtime"), settings)).unwrap().open(start);
        Self { server, session }
    }

    async fn answering(answer: Vec<Does>) -> Self {
        let script = RealtimeScript { answers: VecDeque::from([answer]), ..RealtimeScript::default() };
        Self::open(script, json!({ "timeout": 2 }), wide()).await
    }

    async fn tell(&self, input: RealtimeInput) {
        self.session.input.send(input).await.unwrap();
    }

    async fn respond(&self, id: u32) {
        self.tell(RealtimeInput::Respond(Arc::new(request(id)))).await;
    }

    async fn next(&mut self) -> RealtimeEvent {
        let next = tokio::time::timeout(Duration::from_secs(10), self.session.events.recv());
        next.await.expect("an event").expect("an open session")
    }

    /// Events up to one that is wanted, that one included.
    async fn until(&mut self, wanted: impl Fn(&RealtimeEvent) -> bool) -> Vec<RealtimeEvent> {
        let mut events = Vec::new();
        loop {
            events.push(self.next().await);
            if wanted(events.last().unwrap()) {
                return events;
            }
        }
    }

    async fn until_done(&mut self) -> Vec<RealtimeEvent> {
        self.until(|e| matches!(e, RealtimeEvent::Done { .. })).await
    }

    async fn failure(&mut self) -> VoiceError {
        let events = self.until(|e| matches!(e, RealtimeEvent::Failed(_))).await;
        assert_eq!(self.session.events.recv().await, None, "nothing comes after a failure");
        match events.last().unwrap() {
            RealtimeEvent::Failed(error) => error.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the server has got a message of this type.
    async fn received(&self, kind: &str, count: usize) -> Vec<Json> {
        for _ in 0..1_000 {
            let found = self.server.received_of(kind);
            if found.len() >= count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no {kind}: {:?}", self.server.received());
    }
}

fn wide() -> RealtimeStart {
    RealtimeStart { rate: 48_000, languages: vec!["en-US".into()], ..RealtimeStart::default() }
}

fn request(id: u32) -> ReplyRequest {
    ReplyRequest { id: ReplyId(id), ..double::request() }
}

fn sound_of(events: &[RealtimeEvent]) -> usize {
    let pieces = events.iter().map(|e| if let RealtimeEvent::Audio { pcm, .. } = e { pcm.len() } else { 0 });
    pieces.sum()
}

fn words_of(events: &[RealtimeEvent]) -> String {
    let words =
        events.iter().map(|e| if let RealtimeEvent::Words { text, .. } = e { text.as_str() } else { "" });
    words.collect()
}

fn done_of(events: &[RealtimeEvent]) -> (ReplyId, Option<VoiceError>, Usage) {
    match events.last().unwrap() {
        RealtimeEvent::Done { reply, failure, usage } => (*reply, failure.clone(), *usage),
        other => panic!("{other:?}"),
    }
}

use dgh_engine::event::Usage;

fn frame(samples: usize, level: i16) -> RealtimeInput {
    RealtimeInput::Audio(Bytes::from(level.to_le_bytes().repeat(samples)))
}

#[tokio::test]
async fn the_session_is_asked_for_as_the_model_and_the_line_are() {
    let settings = json!({
        "voice": "marin", "speed": 1.1, "reasoning": "low", "max_tokens": 500,
        "transcribe": "gpt-4o-transcribe", "pause": 0.6,
    });
    let start = RealtimeStart { rate: 8_000, words: vec!["Kim".into(), "Dograh".into()], ..wide() };
    let line = Line::open(RealtimeScript::default(), settings, start).await;
    assert_eq!((line.session.hears, line.session.speaks), (8_000, 8_000));
    let sent = line.received("session.update", 1).await.remove(0);
    assert_eq!(
        sent["session"],
        json!({
            "type": "realtime",
            "output_modalities": ["audio"],
            "audio": {
                "input": {
                    "format": { "type": "audio/pcmu" },
                    "transcription": {
                        "model": "gpt-4o-transcribe", "language": "en", "prompt": "Expect these words: Kim, Dograh.",
                    },
                    "turn_detection": {
                        "type": "server_vad", "create_response": false, "interrupt_response": false,
                        "silence_duration_ms": 600,
                    },
                },
                "output": { "format": { "type": "audio/pcmu" }, "voice": "marin", "speed": 1.1 },
            },
            "max_output_tokens": 500,
            "reasoning": { "effort": "low" },
        })
    );
    let handshake = line.server.handshakes().remove(0);
    assert_eq!(handshake.target, "/v1/realtime?model=gpt-test");
    assert_eq!(handshake.header("authorization"), Some("Bearer sk-hush-hush"));
}

#[tokio::test]
async fn words_may_end_turns_instead_of_silence() {
    let line = Line::open(RealtimeScript::default(), json!({ "eagerness": "low" }), wide()).await;
    assert_eq!((line.session.hears, line.session.speaks), (24_000, 24_000));
    let sent = line.received("session.update", 1).await.remove(0);
    let input = &sent["session"]["audio"]["input"];
    assert_eq!(input["turn_detection"]["type"], "semantic_vad");
    assert_eq!(input["turn_detection"]["eagerness"], "low");
    assert_eq!(input["format"], json!({ "type": "audio/pcm", "rate": 24_000 }));
    assert_eq!(input["transcription"], json!({ "model": TRANSCRIBE, "language": "en" }));
    let both = described("ws://127.0.0.1:1", json!({ "eagerness": "low", "pause": 1 }));
    let error = registry().realtime(&both).err().unwrap();
    assert_eq!(error.kind, LlmErrorKind::Setup);
    assert!(error.message.contains("set one of them"), "{error}");
}

#[tokio::test]
async fn azure_has_the_deployment_in_the_address_and_a_header_of_its_own() {
    let server = RealtimeServer::start(RealtimeScript::default()).await;
    let mut model =
        described(&server.url("").replace("ws://", "http://"), json!({ "deployment": "my realtime" }));
    model.protocol = "azure_realtime".into();
    let mut session = registry().realtime(&model).unwrap().open(wide());
    session.input.send(RealtimeInput::Respond(Arc::new(request(1)))).await.unwrap();
    assert!(session.events.recv().await.is_some());
    let handshake = server.handshakes().remove(0);
    assert_eq!(handshake.target, "/openai/v1/realtime?model=my+realtime");
    assert_eq!(handshake.header("api-key"), Some("sk-hush-hush"));
    assert_eq!(handshake.header("authorization"), None);
}

#[tokio::test]
async fn it_hears_the_caller_and_speaks_at_both_rates() {
    for (rate, wire) in [(8_000, 8_000), (16_000, 24_000)] {
        let hears = VecDeque::from([Some("Tomorrow, please.".into()), None]);
        let script = RealtimeScript { hears, ..RealtimeScript::default() };
        let start = RealtimeStart { rate, ..wide() };
        let mut line = Line::open(script, json!({ "pause": 0.1 }), start).await;
        let samples = wire / 50;
        for expected in [Some("Tomorrow, please.".to_owned()), None] {
            for level in [4_000; 10].into_iter().chain([0; 10]) {
                line.tell(frame(samples, level)).await;
            }
            let events = line.until(|e| matches!(e, RealtimeEvent::Caller { .. })).await;
            assert_eq!(
                events,
                [
                    RealtimeEvent::SpeechStarted,
                    RealtimeEvent::SpeechStopped,
                    RealtimeEvent::Caller { text: expected }
                ]
            );
        }
        line.respond(3).await;
        let events = line.until_done().await;
        assert_eq!(words_of(&events), "All right.");
        let millis = "All right.".len() as u64 * LETTER_MS;
        assert_eq!(sound_of(&events) as u64, millis * wire as u64 / 500);
        let loud = events.iter().find_map(|e| match e {
            RealtimeEvent::Audio { reply, pcm } => Some((*reply, i16::from_le_bytes([pcm[0], pcm[1]]))),
            _ => None,
        });
        let (reply, first) = loud.unwrap();
        assert_eq!(reply, ReplyId(3));
        assert!((5_800..6_200).contains(&first), "{first}");
        let (reply, failure, usage) = done_of(&events);
        assert_eq!((reply, failure), (ReplyId(3), None));
        assert_eq!((usage.input_tokens, usage.cached_tokens, usage.output_tokens), (100, 64, 20));
    }
}

#[tokio::test]
async fn what_stays_the_same_is_told_once_and_the_card_stands_last() {
    let mut line = Line::answering(vec![]).await;
    line.respond(1).await;
    line.until_done().await;
    line.tell(RealtimeInput::Typed("Tomorrow.".into())).await;
    let silent = ReplyRequest { may_call: false, purpose: Purpose::Extract, ..request(2) };
    line.tell(RealtimeInput::Respond(Arc::new(silent))).await;
    let events = line.until_done().await;
    assert_eq!(sound_of(&events), 0, "what is learnt after the end is not spoken");
    let updates = line.server.received_of("session.update");
    assert_eq!(updates.len(), 2, "{updates:?}");
    assert_eq!(updates[1]["session"]["instructions"], "You are Kim of a dental clinic.");
    let tools = updates[1]["session"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 5);
    assert_eq!((&tools[0]["name"], &tools[0]["type"]), (&json!("go"), &json!("function")));
    // Whatever was read before stays as it was, so that the provider need not read it again.
    let sent: Vec<_> = line.server.received().iter().skip(2).map(described_shortly).collect();
    assert_eq!(
        sent,
        [
            "create card_1",
            "response.create",
            "create Tomorrow.",
            "delete card_1",
            "create card_2",
            "response.create",
        ]
    );
    let card = &line.server.received_of("conversation.item.create")[0]["item"];
    assert_eq!((&card["role"], &card["content"][0]["type"]), (&json!("system"), &json!("input_text")));
    let text = card["content"][0]["text"].as_str().unwrap();
    assert!(
        text.starts_with("[Notes for your next reply.")
            && text.contains("Find a time that suits the patient.")
    );
    let asked = line.server.received_of("response.create");
    assert_eq!(asked[0]["response"].get("instructions"), None, "they would stand before everything");
    assert_eq!(
        (&asked[0]["response"]["tool_choice"], &asked[0]["response"]["output_modalities"]),
        (&json!("auto"), &json!(["audio"]))
    );
    assert_eq!(
        (&asked[1]["response"]["tool_choice"], &asked[1]["response"]["output_modalities"]),
        (&json!("none"), &json!(["text"]))
    );
}

#[tokio::test]
async fn another_persona_is_told_as_soon_as_it_speaks() {
    let mut line = Line::answering(vec![]).await;
    for (id, persona) in [(1, "You are Kim."), (2, "You are Kim."), (3, "")] {
        let request = ReplyRequest { persona: persona.into(), ..request(id) };
        line.tell(RealtimeInput::Respond(Arc::new(request))).await;
        line.until_done().await;
    }
    let updates = line.server.received_of("session.update");
    let told: Vec<_> =
        updates.iter().skip(1).map(|update| update["session"]["instructions"].clone()).collect();
    assert_eq!(told, ["You are Kim.", ""]);
    assert_eq!(line.server.received_of("conversation.item.delete").len(), 2, "one card at a time");
}

fn described_shortly(message: &Json) -> String {
    let (kind, item) = (message["type"].as_str().unwrap(), &message["item"]);
    match kind {
        "conversation.item.create" => {
            let text = item["content"][0]["text"].as_str().unwrap_or_default();
            format!("create {}", item["id"].as_str().unwrap_or(text))
        }
        "conversation.item.delete" => format!("delete {}", message["item_id"].as_str().unwrap()),
        other => other.to_owned(),
    }
}

#[tokio::test]
async fn calls_are_told_and_answered_before_the_next_response() {
    let go = Does::Call("go".into(), r#"{"label":"cancel"}"#.into());
    let find = Does::Call("find_slots".into(), r#"{"day":"2026-03-03"}"#.into());
    let mut line = Line::answering(vec![Does::Say("Let me see.".into()), go, find]).await;
    line.respond(1).await;
    let events = line.until_done().await;
    let calls: Vec<_> = events
        .iter()
        .filter_map(|e| match e {
            RealtimeEvent::Call { id, name, arguments, .. } => {
                Some((id.clone(), name.as_str(), arguments.clone()))
            }
            _ => None,
        })
        .collect();
    assert_eq!((calls[0].1, &calls[0].2), ("go", &json!({ "label": "cancel" })));
    assert_eq!((calls[1].1, &calls[1].2), ("find_slots", &json!({ "day": "2026-03-03" })));
    let mut next = request(2);
    let answered = |id: &str, result: Json| ToolExchange {
        id: id.into(),
        name: "find_slots".into(),
        arguments: json!({}),
        result,
    };
    next.history =
        vec![Message::Tools(vec![answered("other", json!(1)), answered(&calls[1].0, json!(["10:00"]))])];
    line.tell(RealtimeInput::Respond(Arc::new(next))).await;
    let (_, failure, _) = done_of(&line.until_done().await);
    assert_eq!(failure, None, "every call has its answer");
    let mut items = line.server.received_of("conversation.item.create");
    items.retain(|item| item["item"]["type"] == "function_call_output");
    assert_eq!(items[0]["item"]["call_id"], calls[0].0.as_str());
    assert_eq!(items[1]["item"]["output"], r#"["10:00"]"#);
    assert_eq!(items.len(), 2);
}

#[tokio::test]
async fn a_tool_that_was_given_up_is_answered_too() {
    let mut line = Line::answering(vec![Does::Call("find_slots".into(), String::new())]).await;
    line.respond(1).await;
    line.until_done().await;
    line.respond(2).await;
    assert_eq!(done_of(&line.until_done().await).1, None);
    let items = line.server.received_of("conversation.item.create");
    let item = items.iter().find(|item| item["item"]["type"] == "function_call_output").unwrap();
    assert!(item["item"]["output"].as_str().unwrap().starts_with("It was not called"));
}

#[tokio::test]
async fn arguments_that_are_none_fail_the_response_alone() {
    let mut line = Line::answering(vec![Does::Call("go".into(), "{\"label\":".into())]).await;
    line.respond(1).await;
    let failure = done_of(&line.until_done().await).1.unwrap();
    assert_eq!(failure.kind, LlmErrorKind::BadAnswer);
    assert_eq!(failure.message, "the arguments of `go` are not a JSON object");
    line.respond(2).await;
    assert_eq!(done_of(&line.until_done().await).1, None);
}

#[tokio::test]
async fn what_was_not_heard_is_forgotten_while_it_is_made() {
    let say =
        vec![Does::Say("A rather long sentence that goes on.".into()), Does::Say("And another one.".into())];
    let script = RealtimeScript {
        answers: VecDeque::from([say]),
        piece: Duration::from_millis(40),
        ..RealtimeScript::default()
    };
    let mut line = Line::open(script, json!({}), wide()).await;
    line.respond(1).await;
    let mut events = line.until(|e| matches!(e, RealtimeEvent::Audio { .. })).await;
    events.extend(line.until(|e| matches!(e, RealtimeEvent::Audio { .. })).await);
    line.tell(RealtimeInput::Cut { reply: ReplyId(1), heard_ms: 250 }).await;
    // The next one is asked for while the server still stops.
    line.respond(2).await;
    let events = line.until_done().await;
    let (reply, failure, _) = done_of(&events);
    assert_eq!((reply, failure), (ReplyId(1), None));
    let events = line.until_done().await;
    assert_eq!(done_of(&events).0, ReplyId(2));
    assert!(events.iter().all(|e| !matches!(e, RealtimeEvent::Audio { reply: ReplyId(1), .. })));
    assert_eq!(words_of(&events), "All right.");
    let cancel = line.server.received_of("response.cancel");
    assert_eq!(cancel.len(), 1);
    assert!(cancel[0]["response_id"].is_string());
    let truncate = line.server.received_of("conversation.item.truncate").remove(0);
    assert_eq!((&truncate["audio_end_ms"], &truncate["content_index"]), (&json!(250), &json!(0)));
}

#[tokio::test]
async fn what_was_not_heard_is_forgotten_after_it_was_made() {
    let say =
        vec![Does::Say("First one.".into()), Does::Say("Second one.".into()), Does::Say("Third one.".into())];
    let mut line = Line::answering(say).await;
    line.respond(1).await;
    line.until_done().await;
    let first = 10 * LETTER_MS;
    line.tell(RealtimeInput::Cut { reply: ReplyId(1), heard_ms: u32::try_from(first).unwrap() + 60 }).await;
    line.respond(2).await;
    assert_eq!(done_of(&line.until_done().await).0, ReplyId(2));
    let truncated = line.server.received_of("conversation.item.truncate");
    let mut deleted = line.server.received_of("conversation.item.delete");
    deleted.retain(|deleted| deleted["item_id"] != "card_1");
    assert_eq!((truncated.len(), deleted.len()), (1, 1));
    assert_eq!(truncated[0]["audio_end_ms"], 60);
    assert_ne!(truncated[0]["item_id"], deleted[0]["item_id"]);
    assert!(line.server.received_of("response.cancel").is_empty());
}

#[tokio::test]
async fn words_of_others_become_items() {
    let past = vec![
        Message::Agent("Hello.".into()),
        Message::Caller("I have pain.".into()),
        Message::Caller("  ".into()),
        Message::Tools(vec![ToolExchange {
            id: "t1".into(),
            name: "find".into(),
            arguments: json!({}),
            result: json!("none"),
        }]),
    ];
    let start = RealtimeStart { history: past, ..wide() };
    let line = Line::open(RealtimeScript::default(), json!({}), start).await;
    line.tell(RealtimeInput::Said("This call is recorded.".into())).await;
    line.tell(RealtimeInput::Typed("12345".into())).await;
    let items = line.received("conversation.item.create", 6).await;
    let contents: Vec<_> = items.iter().map(|i| i["item"]["content"][0].clone()).collect();
    assert_eq!(contents[0], json!({ "type": "output_text", "text": "Hello." }));
    assert_eq!(contents[1], json!({ "type": "input_text", "text": "I have pain." }));
    assert_eq!(items[2]["item"]["type"], "function_call");
    assert_eq!(items[3]["item"]["output"], "none");
    assert_eq!(
        (&items[4]["item"]["role"], &contents[4]["text"]),
        (&json!("assistant"), &json!("This call is recorded."))
    );
    assert_eq!((&items[5]["item"]["role"], &contents[5]["text"]), (&json!("user"), &json!("12345")));
}

#[tokio::test]
async fn a_response_that_fails_leaves_the_session_alive() {
    let limited = vec![Does::Fail("rate_limit_error", "rate_limit_exceeded", "Slow down, sk-hush-hush.")];
    let refused = vec![Does::Refuse("invalid_request_error", "invalid_value", "No such thing.")];
    let broken = vec![Does::Say("I".into()), Does::Fail("server_error", "server_error", "Oops.")];
    let answers = VecDeque::from([limited, refused, broken]);
    let mut line =
        Line::open(RealtimeScript { answers, ..RealtimeScript::default() }, json!({}), wide()).await;
    for (id, kind, text) in [
        (1, LlmErrorKind::RateLimited, "Slow down, [key]."),
        (2, LlmErrorKind::Rejected, "No such thing."),
        (3, LlmErrorKind::Unavailable, "Oops."),
    ] {
        line.respond(id).await;
        let (reply, failure, _) = done_of(&line.until_done().await);
        let failure = failure.unwrap();
        assert_eq!((reply, failure.kind, failure.message.as_str()), (ReplyId(id), kind, text));
    }
    line.respond(4).await;
    assert_eq!(done_of(&line.until_done().await).1, None);
}

#[tokio::test]
async fn errors_about_other_things_disturb_nothing() {
    let error = json!({ "type": "error", "error": { "type": "invalid_request_error", "message": "no", "event_id": "forget" } });
    let mut line = Line::answering(vec![
        Does::Raw(error.to_string()),
        Does::Raw(r#"{"type":"of.tomorrow"}"#.into()),
        Does::Say("Fine.".into()),
    ])
    .await;
    line.respond(1).await;
    let events = line.until_done().await;
    assert_eq!(words_of(&events), "Fine.");
    assert_eq!(done_of(&events).1, None);
}

#[tokio::test]
async fn a_broken_session_fails_once_and_says_why() {
    let garbage = |raw: &str| vec![Does::Say("I".into()), Does::Raw(raw.into()), Does::Stall];
    let bad_sound =
        json!({ "type": "response.output_audio.delta", "item_id": "x", "delta": "***" }).to_string();
    let expired = json!({ "type": "error", "error": { "type": "invalid_request_error", "code": "session_expired", "message": "Your session hit the maximum duration of 60 minutes." } });
    for (answer, kind, text) in [
        (vec![Does::Say("I".into()), Does::Drop], LlmErrorKind::Network, "the socket was cut"),
        (garbage("{nonsense"), LlmErrorKind::BadAnswer, "a message is not JSON"),
        (garbage("[1]"), LlmErrorKind::BadAnswer, "a message has no type"),
        (garbage(&bad_sound), LlmErrorKind::BadAnswer, "sound that is not base64"),
        (
            vec![Does::Say("I".into()), Does::Raw(expired.to_string()), Does::Drop],
            LlmErrorKind::Rejected,
            "maximum duration",
        ),
    ] {
        let mut line = Line::answering(answer).await;
        line.respond(1).await;
        let error = line.failure().await;
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(text), "{error}");
        assert_eq!(error.provider, "openai");
    }
}

#[tokio::test]
async fn a_handshake_that_is_refused_says_why() {
    for (status, kind) in
        [(401, LlmErrorKind::Auth), (429, LlmErrorKind::RateLimited), (503, LlmErrorKind::Unavailable)]
    {
        let script = RealtimeScript { welcome: Welcome::Refuse(status), ..RealtimeScript::default() };
        let mut line = Line::open(script, json!({}), wide()).await;
        let error = line.failure().await;
        assert_eq!(error.kind, kind);
        assert!(!error.message.contains("sk-hush"), "{error}");
    }
}

#[tokio::test]
async fn who_never_accepts_the_session_or_never_answers_is_too_slow() {
    let script = RealtimeScript { accepts: false, ..RealtimeScript::default() };
    let mut line = Line::open(script, json!({ "timeout": 0.4 }), wide()).await;
    line.respond(1).await;
    let error = line.failure().await;
    assert_eq!(
        (error.kind, error.message.as_str()),
        (LlmErrorKind::Timeout, "did not accept the session in time")
    );

    let script = RealtimeScript { answers: VecDeque::from([vec![Does::Stall]]), ..RealtimeScript::default() };
    let mut line = Line::open(script, json!({ "timeout": 0.4 }), wide()).await;
    line.respond(1).await;
    let failure = done_of(&line.until_done().await).1.unwrap();
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (LlmErrorKind::Timeout, "did not begin to answer in time")
    );
    line.respond(2).await;
    assert_eq!(done_of(&line.until_done().await).1, None, "the one that was too slow was stopped");
}

#[tokio::test]
async fn what_is_told_before_the_session_stands_is_kept() {
    let script = RealtimeScript { ready: Duration::from_millis(150), ..RealtimeScript::default() };
    let mut line = Line::open(script, json!({ "pause": 0.1 }), wide()).await;
    for level in [4_000; 10].into_iter().chain([0; 10]) {
        line.tell(frame(480, level)).await;
    }
    line.respond(1).await;
    let events = line.until_done().await;
    assert!(events.contains(&RealtimeEvent::Caller { text: Some("Hello.".into()) }), "{events:?}");
    assert_eq!(words_of(&events), "All right.");
}

#[tokio::test]
async fn to_drop_the_session_is_to_close_it() {
    let line = Line::open(RealtimeScript::default(), json!({}), wide()).await;
    line.received("session.update", 1).await;
    let input = line.session.input.clone();
    drop(line.session);
    tokio::time::timeout(Duration::from_secs(5), input.closed()).await.expect("the task is over");
}
