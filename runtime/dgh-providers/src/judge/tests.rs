//! A judge and a speaker, in virtual time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use dgh_engine::event::Event;
use dgh_engine::reply::ReplyRequest;
use futures::StreamExt;
use serde_json::json;
use tokio::time::Instant;

use crate::double::{self, Script, Step};
use crate::llm::LlmErrorKind;
use crate::reply;

fn request() -> ReplyRequest {
    let mut request = double::request();
    request.judge = vec![double::model("judge"), double::model("spare")];
    request
}

async fn hear(request: ReplyRequest, script: &Script) -> Vec<(u128, String)> {
    let start = Instant::now();
    let mut events = reply::run(request, Arc::new(script.clone()));
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        let text = match event {
            Event::ReplySentence { text, .. } => text,
            Event::ReplyCall { name, arguments, .. } => format!("{name} {arguments}"),
            Event::ReplyClosed { failure, usage, .. } => format!("{failure:?} {}", usage.input_tokens),
            other => panic!("{other:?}"),
        };
        told.push((start.elapsed().as_millis(), text));
    }
    told
}

fn wait(ms: u64) -> Step {
    Step::Wait(Duration::from_millis(ms))
}

fn at(ms: u128, text: &str) -> (u128, String) {
    (ms, text.to_owned())
}

#[tokio::test(start_paused = true)]
async fn both_are_asked_at_once_and_each_has_its_own_functions() {
    let script = Script::default()
        .answer("judge", [wait(100), Step::Call("note", json!({ "day": "2026-03-03" })), Step::Usage(10, 1)])
        .answer("first", [Step::Text("Which reason? "), Step::Usage(20, 2)]);
    assert_eq!(
        hear(request(), &script).await,
        [at(100, r#"note {"day":"2026-03-03"}"#), at(100, "Which reason?"), at(100, "None 30"),]
    );
    let asked = script.asked();
    let functions =
        |index: usize| asked[index].1.functions.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
    assert_eq!(script.order(), ["judge", "first"]);
    assert_eq!(functions(0), ["go", "note", "confirm", "unclear"]);
    assert_eq!(functions(1), ["find_slots"]);
    assert!(asked[1].1.card.labels.is_empty());
}

#[tokio::test(start_paused = true)]
async fn when_the_judge_chooses_a_way_the_other_words_are_never_spoken() {
    let script =
        Script::default().answer("judge", [wait(300), Step::Call("go", json!({ "label": "human" }))]).answer(
            "first",
            [
                Step::Text("What day suits you? "),
                Step::Call("find_slots", json!({})),
                wait(900),
                Step::Text("Hm?"),
            ],
        );
    assert_eq!(hear(request(), &script).await, [at(300, r#"go {"label":"human"}"#), at(300, "None 0")]);
}

#[tokio::test(start_paused = true)]
async fn when_all_is_known_the_other_words_are_never_spoken() {
    let script = Script::default()
        .answer("judge", [Step::Call("note", json!({ "day": "2026-03-03", "reason": "pain" }))])
        .answer("first", [wait(50), Step::Text("What day suits you?")]);
    assert_eq!(
        hear(request(), &script).await,
        [at(0, r#"note {"day":"2026-03-03","reason":"pain"}"#), at(0, "None 0")]
    );
    let mut confirming = request();
    confirming.card.read_back = Some("Tuesday at nine?".into());
    let script = Script::default()
        .answer("judge", [Step::Call("confirm", json!({ "answer": "yes" }))])
        .answer("first", [Step::Text("Is that right?"), Step::Stall]);
    assert_eq!(hear(confirming, &script).await, [at(0, r#"confirm {"answer":"yes"}"#), at(0, "None 0")]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_judge_holds_the_first_words_for_400_ms_and_still_decides() {
    let script = Script::default()
        .answer("judge", [wait(700), Step::Call("go", json!({ "label": "cancel" }))])
        .answer(
            "first",
            [
                Step::Text("One moment! "),
                wait(600),
                Step::Text("Then more! "),
                wait(600),
                Step::Text("Never heard."),
            ],
        );
    assert_eq!(
        hear(request(), &script).await,
        [
            at(400, "One moment!"),
            at(600, "Then more!"),
            at(700, r#"go {"label":"cancel"}"#),
            at(700, "None 0"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_never_answers_is_waited_for_two_seconds_after_the_last_word() {
    let script = Script::default()
        .answer("judge", [Step::Call("note", json!({ "reason": "pain" })), Step::Stall])
        .answer("first", [wait(500), Step::Text("Which day suits you?")]);
    assert_eq!(
        hear(request(), &script).await,
        [at(500, "Which day suits you?"), at(2_500, r#"note {"reason":"pain"}"#), at(2_500, "None 0"),]
    );
    let script = Script::default()
        .answer("judge", [Step::Stall])
        .answer("first", [Step::Text("Which day suits you?")]);
    assert_eq!(hear(request(), &script).await, [at(400, "Which day suits you?"), at(2_000, "None 0")]);
}

#[tokio::test(start_paused = true)]
async fn when_no_judge_works_one_model_does_both() {
    let script = Script::default()
        .answer("judge", [Step::Fail(LlmErrorKind::Auth)])
        .answer("spare", [wait(10), Step::Fail(LlmErrorKind::Auth)])
        .answer("first", [Step::Text("Dropped. Since nobody"), wait(100), Step::Text("decided.")])
        .answer("first", [Step::Call("note", json!({ "reason": "pain" })), Step::Text("Which day?")]);
    assert_eq!(
        hear(request(), &script).await,
        [at(10, r#"note {"reason":"pain"}"#), at(10, "Which day?"), at(10, "None 0"),]
    );
    let last = script.asked().pop().unwrap().1;
    assert_eq!(last.functions.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn another_judge_takes_over_without_doubling_what_the_first_one_said() {
    let script = Script::default()
        .answer(
            "judge",
            [Step::Call("note", json!({ "reason": "cleaning" })), Step::Fail(LlmErrorKind::BadAnswer)],
        )
        .answer("spare", [Step::Call("note", json!({ "reason": "pain" }))])
        .answer("first", [Step::Text("Which day?")]);
    assert_eq!(
        hear(request(), &script).await,
        [at(0, r#"note {"reason":"pain"}"#), at(0, "Which day?"), at(0, "None 0")]
    );
}

#[tokio::test(start_paused = true)]
async fn when_nobody_can_speak_the_reply_fails_unless_the_judge_has_decided() {
    let fails = || {
        Script::default()
            .answer("first", [Step::Fail(LlmErrorKind::Auth)])
            .answer("second", [Step::Fail(LlmErrorKind::Auth)])
    };
    let script = fails().answer("judge", [Step::Call("note", json!({ "reason": "pain" }))]);
    let told = hear(request(), &script).await;
    assert_eq!(told[1], at(0, r#"Some("first failed; second failed") 0"#));
    let script = fails().answer("judge", [wait(20), Step::Call("go", json!({ "label": "human" }))]);
    assert_eq!(hear(request(), &script).await.last().unwrap().1, "None 0");
}

#[tokio::test(start_paused = true)]
async fn a_judge_is_not_asked_for_words_alone() {
    let mut opening = request();
    opening.purpose = dgh_engine::reply::Purpose::Opening;
    let script = Script::default().answer("first", [Step::Text("Welcome to us.")]);
    assert_eq!(hear(opening, &script).await[0], at(0, "Welcome to us."));
    assert_eq!(script.order(), ["first"]);
}
