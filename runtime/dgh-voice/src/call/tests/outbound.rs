//! Outbound calls through the whole driver: who answered, and when the first word is said.

use dgh_engine::Direction;
use dgh_engine::effect::Record;
use dgh_engine::event::{AnsweredBy, Event};
use dgh_providers::double::{Script, Step};
use dgh_providers::stt::SttEvent;
use serde_json::json;

use super::ms;
use super::studio::{Over, Scene, Studio};
use crate::audio::signals;
use crate::line::LineEvent;

const HELLO: &str = "Hello, this is Kim of the clinic. Will you come?";
const MESSAGE: &str = "This is Kim of the clinic, please call back.";
const GREETING: &str = "You have reached Ann Miller. Please leave a message after the tone.";

fn agent(mode: &str) -> String {
    format!(
        r#"dgh 1

agent a {{
  channels: [phone]
  outbound {{ from: "+14155550100", hours: 0:00..23:59, attempts: 1, answer: {mode} }}
  outcome comes, left_message, screened, nobody
  start hello
  node hello {{
    ask "{HELLO}"
    when yes: "They will come" -> end comes {{ say "See you then. Goodbye." }}
  }}
  node message {{ say "{MESSAGE}" uninterrupted next -> end left_message }}
  anywhere {{
    on voicemail -> message
    on screening -> end screened {{ say "This is Kim of the clinic." }}
  }}
}}
"#
    )
}

async fn call(mode: &str) -> Studio {
    let yes = vec![Step::Wait(ms(300)), Step::Call("go", json!({ "label": "yes" }))];
    let script = Script::default().answer("first", yes);
    let scene = Scene { direction: Direction::Outbound, ..Scene::default() };
    Studio::in_scene(&agent(mode), script, scene).await
}

fn beep() -> Vec<i16> {
    signals::tone(1_000.0, 8_000, 400, 0.5)
}

fn outcome(over: &Over) -> Option<&str> {
    over.records.iter().find_map(|record| match record {
        Record::Ended { outcome, .. } => outcome.as_deref(),
        _ => None,
    })
}

fn answered_by(over: &Over) -> Vec<AnsweredBy> {
    let who = |event| if let Event::AnsweredBy { who } = event { Some(who) } else { None };
    over.events().into_iter().filter_map(who).collect()
}

/// When the agent first spoke, from the start of the call.
fn first_word(over: &Over) -> u64 {
    over.frames[0]
}

#[tokio::test(start_paused = true)]
async fn with_wait_the_first_word_follows_the_hello_of_a_person() {
    let mut studio = call("wait").await;
    studio.wait(ms(800)).await;
    studio.caller_speaks(ms(500)).await;
    let hello = studio.now();
    studio.understood("Hello?").await;
    studio.agent_finishes().await;
    studio.caller_says("Yes, I will.").await;
    let over = studio.ends().await;
    let waited = first_word(&over) - hello;
    assert!((160..1_500).contains(&waited), "{waited} ms after the hello");
    assert_eq!(over.agent_words()[0], HELLO, "said once, and not an answer to the hello");
    assert_eq!(outcome(&over), Some("comes"));
}

#[tokio::test(start_paused = true)]
async fn with_wait_the_first_word_is_held_no_longer_than_it_says() {
    let mut studio = call("wait").await;
    studio.wait(ms(2_400)).await;
    assert_eq!(studio.first_frame(), None);
    studio.agent_finishes().await;
    let first = studio.first_frame().unwrap();
    assert!((2_500..2_700).contains(&first), "{first}");
    studio.hang_up().await;
    studio.ends().await;
}

#[tokio::test(start_paused = true)]
async fn with_talk_nothing_is_waited_for() {
    let mut studio = call("talk").await;
    studio.agent_finishes().await;
    assert!(studio.first_frame().unwrap() < 200);
    studio.hang_up().await;
    studio.ends().await;
}

#[tokio::test(start_paused = true)]
async fn a_voicemail_is_spoken_to_after_its_beep() {
    let mut studio = call("wait").await;
    studio.wait(ms(400)).await;
    studio.caller_speaks(ms(1_500)).await;
    // Partial words give it away long before it is over, and before the first word is due.
    studio
        .hears(SttEvent::Partial { text: "You have reached Ann Miller. Please leave a message".into() })
        .await;
    studio.caller_speaks(ms(3_500)).await;
    studio.understood(GREETING).await;
    studio.wait(ms(400)).await;
    assert_eq!(studio.first_frame(), None, "nothing is said into its greeting");
    studio.sounds(&beep()).await;
    let beeped = studio.now();
    let over = studio.ends().await;
    let after = first_word(&over).saturating_sub(beeped);
    assert!(first_word(&over) >= beeped && after < 400, "{after} ms after the beep");
    assert_eq!(over.agent_words()[0], MESSAGE);
    assert_eq!(outcome(&over), Some("left_message"));
    assert_eq!(answered_by(&over), [AnsweredBy::Voicemail]);
    assert!(
        !over.records.iter().any(|record| matches!(record, Record::Caller { .. })),
        "a machine says no turn"
    );
}

#[tokio::test(start_paused = true)]
async fn a_voicemail_without_a_beep_is_spoken_to_when_it_is_quiet() {
    let mut studio = call("wait").await;
    studio.caller_speaks(ms(2_000)).await;
    let quiet = studio.now();
    studio.understood(GREETING).await;
    let over = studio.ends().await;
    let waited = first_word(&over) - quiet;
    assert!((1_300..2_200).contains(&waited), "{waited} ms after its greeting");
    assert_eq!(outcome(&over), Some("left_message"));
}

#[tokio::test(start_paused = true)]
async fn a_voicemail_that_was_talked_to_is_talked_to_no_more() {
    let mut studio = call("talk").await;
    studio.caller_speaks(ms(1_000)).await;
    studio.hears(SttEvent::Partial { text: "Please leave a message after the tone".into() }).await;
    let known = studio.now();
    studio.caller_speaks(ms(2_000)).await;
    studio.understood(GREETING).await;
    studio.sounds(&beep()).await;
    let beeped = studio.now();
    let over = studio.ends().await;
    let between = over.frames.iter().filter(|at| (known + 20..beeped).contains(at)).count();
    assert_eq!(between, 0, "silent until the beep");
    assert_eq!(over.agent_words().last().map(String::as_str), Some(MESSAGE));
    assert_eq!(outcome(&over), Some("left_message"));
}

#[tokio::test(start_paused = true)]
async fn a_long_greeting_gets_no_answer_and_no_reminder() {
    let mut studio = call("wait").await;
    studio.caller_speaks(ms(1_500)).await;
    studio.hears(SttEvent::Partial { text: "You have reached the voicemail".into() }).await;
    for part in [
        "You have reached the voicemail of Ann Miller.",
        "She is travelling until the end of the month.",
        "Her colleagues can help you at any time.",
        "They are there on all days but Sunday.",
    ] {
        studio.caller_speaks(ms(3_600)).await;
        studio.understood(part).await;
        studio.wait(ms(700)).await;
    }
    assert_eq!(studio.first_frame(), None, "nothing is said into its greeting");
    studio.sounds(&beep()).await;
    let over = studio.ends().await;
    assert_eq!(over.agent_words(), [MESSAGE]);
}

#[tokio::test(start_paused = true)]
async fn an_assistant_that_screens_is_told_who_calls() {
    let mut studio = call("wait").await;
    studio.caller_speaks(ms(2_000)).await;
    studio.understood("Hi, please say your name and why you are calling.").await;
    let over = studio.ends().await;
    assert_eq!(over.agent_words(), ["This is Kim of the clinic."]);
    assert_eq!(outcome(&over), Some("screened"));
}

#[tokio::test(start_paused = true)]
async fn what_the_carrier_found_out_counts() {
    let mut studio = call("wait").await;
    studio.wait(ms(300)).await;
    studio.line_tells(LineEvent::AnsweredBy(AnsweredBy::Human)).await;
    studio.agent_finishes().await;
    let first = studio.first_frame().unwrap();
    assert!(first < 600, "{first}");
    studio.hang_up().await;
    let over = studio.ends().await;
    assert_eq!(answered_by(&over), [AnsweredBy::Human]);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_would_take_a_message_is_no_machine() {
    let mut studio = call("wait").await;
    studio.caller_speaks(ms(1_800)).await;
    studio.understood("Ann is not here, would you like to leave a message?").await;
    studio.agent_finishes().await;
    studio.hang_up().await;
    let over = studio.ends().await;
    assert_eq!(over.agent_words()[0], HELLO);
    assert!(!answered_by(&over).contains(&AnsweredBy::Voicemail), "{:?}", over.events());
}
