//! Against a server that speaks as Google's does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use dgh_engine::event::ReplyId;
use dgh_engine::reply::{Message, ReplyRequest, ToolExchange};
use dgh_net::Policy;
use secrecy::SecretString;

use super::*;
use crate::double::{self, GeminiDoes as Does, GeminiScript, GeminiServer, LETTER_MS};
use crate::llm::LlmErrorKind;
use crate::realtime::{RealtimeEvent, RealtimeInput};
use crate::voice::{VoiceRegistry, Voices};

struct Line {
    server: GeminiServer,
    session: RealtimeSession,
}

impl Line {
    async fn open(script: GeminiScript, settings: Json) -> Self {
        let server = GeminiServer::start(script).await;
        let mut all =
            json!({ "model": "gemini-test", "url": server.url("/ws") }).as_object().unwrap().clone();
        all.extend(settings.as_object().unwrap().clone());
        let model = Model {
            provider: "google".into(),
            protocol: "gemini_live".into(),
            settings: all,
            key: Some("THE_KEY".into()),
        };
        let secrets: HashMap<String, SecretString> =
            HashMap::from([("THE_KEY".to_owned(), "AIza-hush".to_owned().into())]);
        let client = Client::new(Policy::with_private()).unwrap();
        let model = VoiceRegistry::new(client, Arc::new(secrets)).realtime(&model).unwrap();
        assert!(!model.hears_turns());
        let start = RealtimeStart { rate: 8_000, words: vec!["Dograh".into()], ..RealtimeStart::default() };
        Self { server, session: model.open(start) }
    }

    async fn answering(answers: impl IntoIterator<Item = Vec<Does>>) -> Self {
        Self::open(
            GeminiScript { answers: answers.into_iter().collect(), ..GeminiScript::default() },
            json!({}),
        )
        .await
    }

    async fn tell(&self, input: RealtimeInput) {
        self.session.input.send(input).await.unwrap();
    }

    async fn respond(&self, request: ReplyRequest) {
        self.tell(RealtimeInput::Respond(Arc::new(request))).await;
    }

    async fn caller_speaks(&self, ms: usize) {
        self.tell(RealtimeInput::CallerStarted).await;
        for _ in 0..ms / 20 {
            self.sound().await;
        }
        self.tell(RealtimeInput::CallerStopped).await;
    }

    async fn sound(&self) {
        self.tell(RealtimeInput::Audio(Bytes::from(vec![1; 640]))).await;
    }

    async fn next(&mut self) -> RealtimeEvent {
        let next = tokio::time::timeout(Duration::from_secs(10), self.session.events.recv());
        next.await.expect("an event").expect("an open session")
    }

    async fn until(&mut self, wanted: impl Fn(&RealtimeEvent) -> bool) -> Vec<RealtimeEvent> {
        let mut events = Vec::new();
        loop {
            events.push(self.next().await);
            if wanted(events.last().unwrap()) {
                return events;
            }
        }
    }

    async fn done(&mut self) -> Vec<RealtimeEvent> {
        self.until(|e| matches!(e, RealtimeEvent::Done { .. })).await
    }

    /// The texts of the notes so far.
    fn notes(&self) -> Vec<String> {
        let received = self.server.received();
        received
            .iter()
            .filter_map(|m| m.pointer("/realtimeInput/text")?.as_str().map(str::to_owned))
            .collect()
    }
}

fn request(id: u32) -> ReplyRequest {
    ReplyRequest { id: ReplyId(id), ..double::request() }
}

fn words_of(events: &[RealtimeEvent]) -> String {
    let words =
        events.iter().map(|e| if let RealtimeEvent::Words { text, .. } = e { text.as_str() } else { "" });
    words.collect()
}

fn done_of(events: &[RealtimeEvent]) -> (u32, Option<LlmErrorKind>) {
    match events.last().unwrap() {
        RealtimeEvent::Done { reply, failure, .. } => (reply.0, failure.as_ref().map(|f| f.kind)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_opening_is_an_activity_of_notes_alone() {
    let settings = json!({
        "voice": "Kore", "temperature": 0.4, "language": "en-US", "max_tokens": 900, "thinking": "minimal",
    });
    let mut line = Line::open(GeminiScript::default(), settings).await;
    assert_eq!((line.session.hears, line.session.speaks), (16_000, 24_000));
    line.respond(request(1)).await;
    let events = line.done().await;
    assert_eq!((words_of(&events).as_str(), done_of(&events)), ("All right.", (1, None)));
    let sound: usize =
        events.iter().map(|e| if let RealtimeEvent::Audio { pcm, .. } = e { pcm.len() } else { 0 }).sum();
    assert_eq!(sound as u64, "All right.".len() as u64 * LETTER_MS * 48);
    let received = line.server.received();
    let setup = &received[0]["setup"];
    assert_eq!(setup["model"], "models/gemini-test");
    assert_eq!(
        setup["generationConfig"],
        json!({
            "responseModalities": ["AUDIO"], "temperature": 0.4, "maxOutputTokens": 900,
            "thinkingConfig": { "thinkingLevel": "minimal" },
            "speechConfig": {
                "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": "Kore" } }, "languageCode": "en-US",
            },
        })
    );
    assert_eq!(setup["realtimeInputConfig"], json!({ "automaticActivityDetection": { "disabled": true } }));
    assert_eq!(setup["sessionResumption"], json!({}));
    assert_eq!(setup["tools"][0]["functionDeclarations"].as_array().unwrap().len(), 5);
    let instruction = setup["systemInstruction"]["parts"][0]["text"].as_str().unwrap();
    assert!(instruction.starts_with("You are Kim of a dental clinic."), "{instruction}");
    assert!(instruction.ends_with("Names and words that may come up: Dograh."), "{instruction}");
    assert_eq!(received[1], json!({ "realtimeInput": { "activityStart": {} } }));
    assert!(line.notes()[0].starts_with("[Notes for your next reply"));
    assert_eq!(received[3], json!({ "realtimeInput": { "activityEnd": {} } }));
    let handshake = line.server.handshakes().remove(0);
    assert_eq!(
        handshake.target,
        "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    );
    assert_eq!(handshake.header("x-goog-api-key"), Some("AIza-hush"));
}

#[tokio::test]
async fn the_end_of_the_callers_activity_waits_for_the_card() {
    let hears = VecDeque::from(["Tomorrow at ten.".to_owned()]);
    let mut line = Line::open(GeminiScript { hears, ..GeminiScript::default() }, json!({})).await;
    line.respond(request(1)).await;
    line.done().await;
    // What came before the caller was heard to speak belongs to the turn, up to a bound.
    for _ in 0..50 {
        line.sound().await;
    }
    line.caller_speaks(200).await;
    line.respond(request(2)).await;
    let events = line.done().await;
    assert!(!events.iter().any(|e| matches!(e, RealtimeEvent::Audio { reply: ReplyId(1), .. })));
    let caller = events.iter().find(|e| matches!(e, RealtimeEvent::Caller { .. })).cloned();
    let caller = match caller {
        Some(caller) => caller,
        None => line.until(|e| matches!(e, RealtimeEvent::Caller { .. })).await.pop().unwrap(),
    };
    assert_eq!(caller, RealtimeEvent::Caller { text: Some("Tomorrow at ten.".into()) });
    let received = line.server.received();
    let second = received.iter().rposition(|m| m.pointer("/realtimeInput/activityStart").is_some()).unwrap();
    let sound: u64 = received[second..].iter().filter_map(|m| m["sound"].as_u64()).sum();
    assert_eq!(sound, 500);
    let text = received[second..].iter().position(|m| m.pointer("/realtimeInput/text").is_some()).unwrap();
    assert!(received[second + text + 1].pointer("/realtimeInput/activityEnd").is_some());
    assert!(received[second + 1..second + text].iter().all(|m| m["sound"].is_u64()));
}

#[tokio::test]
async fn notes_are_answered_at_once_and_tools_with_the_next_card() {
    let note = Does::Call(vec![("c1", "note", json!({ "day": "2026-03-03" }))]);
    let find = Does::Call(vec![("c2", "find_slots", json!({}))]);
    let mut line =
        Line::answering([vec![note], vec![Does::Say("Let me see."), find], vec![Does::Say("At ten.")]]).await;
    line.respond(request(1)).await;
    let events = line.done().await;
    let calls: Vec<_> = events
        .iter()
        .filter_map(|e| {
            if let RealtimeEvent::Call { id, name, .. } = e {
                Some((id.as_str(), name.as_str()))
            } else {
                None
            }
        })
        .collect();
    assert_eq!(calls, [("c1", "note"), ("c2", "find_slots")]);
    assert_eq!((words_of(&events).as_str(), done_of(&events)), ("Let me see.", (1, None)));
    let exchange = ToolExchange {
        id: "c2".into(),
        name: "find_slots".into(),
        arguments: json!({}),
        result: json!(["10:00"]),
    };
    line.respond(ReplyRequest { history: vec![Message::Tools(vec![exchange])], ..request(2) }).await;
    let events = line.done().await;
    assert_eq!((words_of(&events).as_str(), done_of(&events)), ("At ten.", (2, None)));
    let received = line.server.received();
    let answers: Vec<_> =
        received.iter().filter_map(|m| m.pointer("/toolResponse/functionResponses")).collect();
    assert_eq!(answers[0], &json!([{ "id": "c1", "name": "note", "response": { "result": "Noted." } }]));
    assert_eq!(answers[1][0]["response"]["result"], json!(["10:00"]));
    assert!(answers[1][0]["response"]["notes"].as_str().unwrap().starts_with("[Notes"));
    // And the next answer is its own.
    line.respond(request(3)).await;
    assert_eq!(done_of(&line.done().await), (3, None));
}

#[tokio::test]
async fn a_caller_who_speaks_takes_the_place_of_the_answer_to_a_function() {
    let go = Does::Call(vec![("c1", "go", json!({ "label": "cancel" }))]);
    let mut line = Line::answering([vec![go]]).await;
    line.respond(request(1)).await;
    line.done().await;
    line.caller_speaks(100).await;
    line.respond(request(2)).await;
    let events = line.done().await;
    assert_eq!((words_of(&events).as_str(), done_of(&events)), ("All right.", (2, None)));
    assert!(line.server.received().iter().all(|m| m.get("toolResponse").is_none()));
}

#[tokio::test]
async fn an_answer_is_cut_by_who_decides_it_and_the_model_is_told() {
    let long = vec![Does::Say("One two three "), Does::Say("four five six "), Does::Say("seven eight.")];
    let script = GeminiScript {
        answers: VecDeque::from([long]),
        part: Duration::from_millis(60),
        ..GeminiScript::default()
    };
    let mut line = Line::open(script, json!({})).await;
    line.respond(request(1)).await;
    line.until(|e| matches!(e, RealtimeEvent::Words { .. })).await;
    // The caller speaks while the model does: nothing is cut before somebody says so.
    line.tell(RealtimeInput::CallerStarted).await;
    line.sound().await;
    line.until(|e| matches!(e, RealtimeEvent::Words { .. })).await;
    let starts = |line: &Line| {
        line.server.received().iter().filter(|m| m.pointer("/realtimeInput/activityStart").is_some()).count()
    };
    assert_eq!(starts(&line), 1);
    let heard = u32::try_from(9 * LETTER_MS).unwrap();
    line.tell(RealtimeInput::Cut { reply: ReplyId(1), heard_ms: heard }).await;
    line.tell(RealtimeInput::CallerStopped).await;
    line.tell(RealtimeInput::Said("One moment.".into())).await;
    line.respond(request(2)).await;
    assert_eq!(done_of(&line.done().await), (1, None));
    let events = line.done().await;
    assert_eq!((words_of(&events).as_str(), done_of(&events)), ("All right.", (2, None)));
    assert_eq!(starts(&line), 2);
    let notes = line.notes().pop().unwrap();
    assert!(notes.starts_with("[The caller interrupted you and heard only this of what you said last: \"One two\"]\n[Another voice said for you: \"One moment.\"]\n[Notes"), "{notes}");
}

#[tokio::test]
async fn a_session_outlives_its_connection() {
    let first = vec![Does::Handle("h-1"), Does::Say("Hello.")];
    let away =
        vec![Does::Raw(json!({ "goAway": { "timeLeft": "9s" } })), Does::Say("Wait."), Does::Handle("h-2")];
    let lost = vec![Does::Say("I am"), Does::Drop];
    let mut line = Line::answering([first, away, lost]).await;
    for (id, failure) in [(1, None), (2, None), (3, Some(LlmErrorKind::Network)), (4, None)] {
        line.respond(request(id)).await;
        assert_eq!(done_of(&line.done().await), (id, failure));
    }
    let received = line.server.received();
    let handles: Vec<_> = received
        .iter()
        .filter_map(|m| Some(m.pointer("/setup/sessionResumption")?.get("handle").cloned()))
        .collect();
    assert_eq!(handles, [None, Some(json!("h-2")), Some(json!("h-2"))]);
}

#[tokio::test]
async fn another_instruction_is_another_connection() {
    let mut line = Line::answering([]).await;
    line.respond(request(1)).await;
    line.done().await;
    let history = vec![Message::Agent("All right.".into()), Message::Caller("Fine.".into())];
    line.respond(ReplyRequest { persona: "You are Tom.".into(), history, ..request(2) }).await;
    assert_eq!(done_of(&line.done().await), (2, None));
    assert_eq!(line.server.handshakes().len(), 2);
    let notes = line.notes().pop().unwrap();
    assert!(notes.starts_with("[The call so far:\nYou: All right.\nCaller: Fine.]"), "{notes}");
}

#[tokio::test]
async fn a_broken_session_fails_once_and_says_why() {
    let garbage =
        json!({ "serverContent": { "modelTurn": { "parts": [{ "inlineData": { "data": "*" } }] } } });
    for (answer, kind, text) in [
        (vec![Does::Drop], LlmErrorKind::Network, "the socket was cut"),
        (vec![Does::Close(1011, "You exceeded your current quota")], LlmErrorKind::RateLimited, "quota"),
        (
            vec![Does::Close(1007, "Request contains an invalid argument")],
            LlmErrorKind::Rejected,
            "invalid argument",
        ),
        (vec![Does::Raw(json!(7))], LlmErrorKind::BadAnswer, "no object"),
        (vec![Does::Raw(garbage)], LlmErrorKind::BadAnswer, "not base64"),
    ] {
        let mut line = Line::answering([answer]).await;
        line.respond(request(1)).await;
        let failed = line.until(|e| matches!(e, RealtimeEvent::Failed(_))).await.pop();
        let Some(RealtimeEvent::Failed(error)) = failed else { panic!("{failed:?}") };
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(text), "{error}");
        assert_eq!(line.session.events.recv().await, None);
    }
}

#[tokio::test]
async fn who_never_accepts_the_setup_or_never_answers_is_too_slow() {
    let script = GeminiScript { refuses: true, ..GeminiScript::default() };
    let mut line = Line::open(script, json!({ "timeout": 0.4 })).await;
    line.respond(request(1)).await;
    let failed = line.until(|e| matches!(e, RealtimeEvent::Failed(_))).await.pop();
    assert!(matches!(failed, Some(RealtimeEvent::Failed(e)) if e.kind == LlmErrorKind::Timeout));

    let stopped =
        json!({ "serverContent": { "turnComplete": true, "turnCompleteReason": "RESPONSE_REJECTED" } });
    let answers = VecDeque::from([vec![Does::Stall], vec![Does::Raw(stopped)]]);
    let mut line =
        Line::open(GeminiScript { answers, ..GeminiScript::default() }, json!({ "timeout": 0.4 })).await;
    line.respond(request(1)).await;
    assert_eq!(done_of(&line.done().await), (1, Some(LlmErrorKind::Timeout)));
}
