//! Replies of scripted models, in virtual time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::ask::{FIRST_PIECE, NEXT_PIECE, WHOLE_REPLY};
use crate::double::{self, Script, Step};
use crate::llm::LlmErrorKind;

/// What is told, in a form that is easy to compare, and when, in milliseconds from the start.
async fn hear(request: ReplyRequest, script: &Script) -> Vec<(u128, String)> {
    let start = Instant::now();
    let mut events = run(request, Arc::new(script.clone()));
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        told.push((start.elapsed().as_millis(), show(&event)));
    }
    told
}

async fn told(script: &Script) -> Vec<String> {
    hear(double::request(), script).await.into_iter().map(|(_, text)| text).collect()
}

fn show(event: &Event) -> String {
    match event {
        Event::ReplySentence { text, .. } => format!("says {text}"),
        Event::ReplyCall { name, arguments, .. } => format!("calls {name} {arguments}"),
        Event::ReplyClosed { failure: None, usage, .. } => {
            format!("closed {}+{}", usage.input_tokens, usage.output_tokens)
        }
        Event::ReplyClosed { failure: Some(why), .. } => format!("failed: {why}"),
        other => panic!("not an event of a reply: {other:?}"),
    }
}

fn wait(ms: u64) -> Step {
    Step::Wait(Duration::from_millis(ms))
}

fn go(label: &str) -> Step {
    Step::Call("go", json!({ "label": label }))
}

#[tokio::test(start_paused = true)]
async fn sentences_are_told_when_they_are_complete() {
    let script = Script::default().answer(
        "first",
        [
            Step::Text("Good mor"),
            wait(100),
            Step::Text("ning! How "),
            wait(100),
            Step::Text("can I help"),
            Step::Usage(50, 9),
        ],
    );
    assert_eq!(
        hear(double::request(), &script).await,
        [
            (100, "says Good morning!".to_owned()),
            (200, "says How can I help".to_owned()),
            (200, "closed 50+9".to_owned()),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn notes_are_told_before_the_first_sentence_and_words_before_a_call_are_complete() {
    let script = Script::default().answer(
        "first",
        [
            Step::Call("note", json!({ "day": "2026-03-03" })),
            Step::Text("Let me look"),
            Step::Call("find_slots", json!({ "day": "2026-03-03" })),
        ],
    );
    assert_eq!(
        told(&script).await,
        [
            r#"calls note {"day":"2026-03-03"}"#,
            "says Let me look",
            r#"calls find_slots {"day":"2026-03-03"}"#,
            "closed 0+0",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_go_nothing_more_is_said_and_notes_are_waited_for_300_ms() {
    let script = Script::default().answer(
        "first",
        [
            Step::Text("I will "),
            wait(50),
            go("human"),
            Step::Text("put you through. Bye. "),
            wait(200),
            Step::Call("note", json!({ "reason": "pain" })),
            wait(200),
            Step::Call("note", json!({ "day": "late" })),
        ],
    );
    assert_eq!(
        hear(double::request(), &script).await,
        [
            (50, r#"calls go {"label":"human"}"#.to_owned()),
            (250, r#"calls note {"reason":"pain"}"#.to_owned()),
            (350, "closed 0+0".to_owned()),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_go_that_the_card_does_not_offer_does_not_silence_the_reply() {
    let script = Script::default().answer("first", [go("refund"), Step::Text("What day suits you?")]);
    assert_eq!(
        told(&script).await,
        [r#"calls go {"label":"refund"}"#, "says What day suits you?", "closed 0+0"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_after_a_go_changes_nothing() {
    let script = Script::default().answer("first", [go("cancel"), Step::Fail(LlmErrorKind::Network)]);
    assert_eq!(told(&script).await, [r#"calls go {"label":"cancel"}"#, "closed 0+0"]);
    assert_eq!(script.order(), ["first"]);
}

#[tokio::test(start_paused = true)]
async fn another_model_takes_over_until_a_sentence_was_told() {
    let script = Script::default()
        .answer(
            "first",
            [
                Step::Usage(40, 2),
                Step::Call("note", json!({ "day": "wrong" })),
                Step::Text("Half a sen"),
                Step::Fail(LlmErrorKind::BadAnswer),
            ],
        )
        .answer("second", [Step::Text("A whole sentence."), Step::Usage(30, 5)]);
    assert_eq!(told(&script).await, ["says A whole sentence.", "closed 70+7"]);
    assert_eq!(script.order(), ["first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_sentence_a_failure_ends_the_reply() {
    let script = Script::default()
        .answer("first", [Step::Text("A whole sentence. And ha"), Step::Fail(LlmErrorKind::Network)])
        .answer("second", [Step::Text("Never heard.")]);
    assert_eq!(told(&script).await, ["says A whole sentence.", "failed: first failed"]);
    assert_eq!(script.order(), ["first"]);
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let cases = [
        (LlmErrorKind::RateLimited, vec!["first", "first", "second"]),
        (LlmErrorKind::Unavailable, vec!["first", "first", "second"]),
        (LlmErrorKind::Network, vec!["first", "first", "second"]),
        (LlmErrorKind::Timeout, vec!["first", "second"]),
        (LlmErrorKind::Auth, vec!["first", "second"]),
        (LlmErrorKind::Rejected, vec!["first", "second"]),
        (LlmErrorKind::Blocked, vec!["first", "second"]),
    ];
    for (kind, order) in cases {
        let script = Script::default()
            .answer("first", [Step::Fail(kind)])
            .answer("first", [Step::Fail(kind)])
            .answer("second", [Step::Text("Here I am.")]);
        assert_eq!(told(&script).await, ["says Here I am.", "closed 0+0"], "{kind:?}");
        assert_eq!(script.order(), order, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_recovers_is_the_one_that_answers() {
    let script = Script::default()
        .answer("first", [Step::Fail(LlmErrorKind::Unavailable)])
        .answer("first", [Step::Text("Back again.")]);
    assert_eq!(told(&script).await, ["says Back again.", "closed 0+0"]);
}

#[tokio::test(start_paused = true)]
async fn the_provider_says_how_long_to_pause_and_one_that_asks_for_long_is_passed_over() {
    let pauses = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&pauses);
    let pause: Pause = Arc::new(move |delay| {
        noted.lock().unwrap().push(delay);
        futures::future::ready(()).boxed()
    });
    let script = Script::default()
        .answer("first", [Step::FailFor(LlmErrorKind::RateLimited, Duration::from_secs(1))])
        .answer("first", [Step::FailFor(LlmErrorKind::RateLimited, Duration::from_secs(30))])
        .answer("second", [Step::FailFor(LlmErrorKind::RateLimited, Duration::from_secs(30))]);
    let events: Vec<_> =
        run_with(double::request(), Arc::new(script.clone()), pause, FirstPiece::default()).collect().await;
    assert_eq!(events.iter().map(show).collect::<Vec<_>>(), ["failed: first failed; second failed"]);
    assert_eq!(script.order(), ["first", "first", "second"]);
    assert_eq!(*pauses.lock().unwrap(), [Duration::from_secs(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_does_not_begin_is_left_after_eight_seconds_or_what_it_says() {
    let script =
        Script::default().answer("first", [Step::Stall]).answer("second", [Step::Text("Hello there.")]);
    let told = hear(double::request(), &script).await;
    assert_eq!(told[0], (FIRST_PIECE.as_millis(), "says Hello there.".to_owned()));

    let mut request = double::request();
    let mut patient = double::model("first");
    patient.settings.insert("timeout".into(), json!(1.5));
    request.models = vec![patient, double::model("second")];
    let script = Script::default()
        .answer("first", [Step::Usage(1, 0), Step::Stall])
        .answer("second", [Step::Text("Hello there.")]);
    assert_eq!(hear(request, &script).await[0], (1_500, "says Hello there.".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_stops_in_the_middle_is_left() {
    let script = Script::default()
        .answer("first", [Step::Text("Well"), Step::Stall])
        .answer("second", [Step::Text("Hello there.")]);
    let told = hear(double::request(), &script).await;
    assert_eq!(told[0], (NEXT_PIECE.as_millis(), "says Hello there.".to_owned()));

    let script = Script::default().answer("first", [Step::Text("Well then. I"), Step::Stall]);
    let told = hear(double::request(), &script).await;
    assert_eq!(
        told[1],
        (NEXT_PIECE.as_millis(), "failed: first: stopped in the middle of its answer".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_reply_does_not_last_forever() {
    let drip: Vec<_> = std::iter::repeat_n([Step::Text("drip "), wait(4_000)], 100).flatten().collect();
    let script = Script::default().answer("first", drip);
    let told = hear(double::request(), &script).await;
    assert_eq!(
        told.last().unwrap(),
        &(WHOLE_REPLY.as_millis(), "failed: first: took too long for the whole answer".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn without_any_model_the_reply_fails_and_says_so() {
    let mut request = double::request();
    request.models = Vec::new();
    assert_eq!(hear(request, &Script::default()).await, [(0, "failed: no model is set".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_is_an_answer() {
    let script = Script::default().answer("first", [Step::Text(" \n ")]);
    assert_eq!(told(&script).await, ["closed 0+0"]);
}

#[tokio::test(start_paused = true)]
async fn after_the_call_only_calls_are_told() {
    let mut request = double::request();
    request.purpose = Purpose::Extract;
    let script = Script::default()
        .answer("first", [Step::Text("Thank you. Bye."), Step::Call("note", json!({ "reason": "pain" }))]);
    let told: Vec<_> = hear(request, &script).await.into_iter().map(|(_, t)| t).collect();
    assert_eq!(told, [r#"calls note {"reason":"pain"}"#, "closed 0+0"]);
}

#[tokio::test(start_paused = true)]
async fn endless_talk_and_endless_calls_are_cut() {
    let talk = vec![Step::Text("One more thing I have to say about this. "); 1_000];
    let script = Script::default().answer("first", talk);
    let all = told(&script).await;
    assert!(all.iter().map(String::len).sum::<usize>() < 2 * MAX_TEXT_BYTES);
    assert_eq!(all.last().unwrap(), "closed 0+0");
    let script = Script::default().answer("first", vec![Step::Call("note", json!({})); 1_000]);
    assert_eq!(told(&script).await.len(), MAX_CALLS + 1);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_dropped_is_cancelled() {
    let script = Script::default()
        .answer("first", [Step::Text("One. Two more words. "), wait(1_000), Step::Text("Three more words.")]);
    let mut events = run(double::request(), Arc::new(script.clone()));
    assert!(events.next().await.is_some());
    drop(events);
    assert_eq!(script.order(), ["first"]);
}
