//! What the disturbed calls found, one by one.

use dgh_engine::LAST_WORDS_MS;
use dgh_engine::effect::Record;
use dgh_engine::event::{Event, StoppedBy};
use dgh_engine::log::What;
use dgh_providers::double::Script;

use super::studio::{Over, Studio, VoiceMood};
use super::{AGENT, ms, notes};
use crate::line::LineEvent;

/// When the caller's turns were over, and what was said in them.
fn turns(over: &Over) -> Vec<(u64, String)> {
    let began = over.log().start.now.0;
    let turn = |what: &What| match what {
        What::Event(Event::CallerTurn { text, .. }) => Some(text.clone()),
        _ => None,
    };
    over.entries
        .iter()
        .filter_map(|entry| Some((u64::try_from(entry.at.0 - began).unwrap(), turn(&entry.what)?)))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn who_is_not_understood_any_more_is_not_waited_for() {
    let mut studio = Studio::call(AGENT, Script::default()).await;
    studio.agent_finishes().await;
    studio.caller_speaks(ms(600)).await;
    // It is connected again a few times.
    for _ in 0..5 {
        studio.break_recogniser().await;
        studio.caller_speaks(ms(5_000)).await;
    }
    let spoke_until = studio.now();
    let over = studio.ends().await;
    let turns = turns(&over);
    assert!(turns.iter().any(|(at, _)| *at < spoke_until + 1_000), "{turns:?}, spoke until {spoke_until}");
    assert_eq!(over.agent_words().last().map(String::as_str), Some("Goodbye then."));
}

#[tokio::test(start_paused = true)]
async fn a_voice_is_over_when_no_sound_comes_any_more() {
    let script = Script::default().answer("first", notes("2026-03-03"));
    let mut studio = Studio::call(AGENT, script).await;
    studio.agent_finishes().await;
    studio.caller_speaks(ms(900)).await;
    let away = studio.now();
    tokio::time::sleep(ms(8_000)).await;
    let back = studio.now();
    studio.caller_says("On March third.").await;
    let over = studio.ends().await;
    let turns = turns(&over);
    assert!(turns[0].0 > away && turns[0].0 < away + 3_000, "the half turn is over: {turns:?}");
    assert!(turns.iter().any(|(at, text)| *at > back && text == "On March third."), "{turns:?}");
    assert_eq!(over.agent_words().last().map(String::as_str), Some("You are booked. Goodbye."));
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_hangs_is_given_up_and_the_call_ends_with_words() {
    let mut studio = Studio::with_voice(AGENT, Script::default(), VoiceMood::Hangs).await;
    studio.wait(ms(40_000)).await;
    let over = studio.ends().await;
    assert!(
        over.troubles().iter().any(|trouble| trouble.contains("no sound any more")),
        "{:?}",
        over.troubles()
    );
    let seconds = over.frames.len() as u64 * 20 / 1_000;
    assert!((6..9).contains(&seconds), "the last words were played: {seconds} s");
    assert!(matches!(over.records.last(), Some(Record::Ended { .. })));
    let begun = over.events().into_iter().filter_map(|event| match event {
        Event::SpeechStarted { utterance } | Event::SpeechFinished { utterance } => Some(utterance.0),
        _ => None,
    });
    assert!(begun.max() < Some(u32::MAX), "the dialogue knows nothing of them");
}

#[tokio::test(start_paused = true)]
async fn what_has_to_be_heard_is_said_again_when_the_voice_fails() {
    let program = AGENT.replace("ask \"Good", "say \"This call is recorded.\" uninterrupted\n    ask \"Good");
    let mut studio = Studio::with_voice(&program, Script::default(), VoiceMood::FailsOnce).await;
    studio.agent_finishes().await;
    studio.hang_up().await;
    let over = studio.ends().await;
    assert!(over.events().iter().any(|event| matches!(event, Event::SpeechFailed { .. })));
    let words = over.agent_words();
    assert_eq!(words.iter().filter(|words| *words == "This call is recorded.").count(), 1, "{words:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_an_operator_ends_says_so_and_is_over_soon() {
    let mut studio = Studio::call(AGENT, Script::default()).await;
    studio.wait(ms(1_500)).await;
    let told = studio.now();
    studio.is_told(Event::Stop { by: StoppedBy::Operator }).await;
    let cleared = studio.cleared_at().unwrap();
    assert!(cleared - told < 25, "what sounds is cut");
    let over = studio.ends().await;
    let words = over.agent_words();
    assert!(words[0].starts_with("Good") && words[0].len() < 60, "as far as it was heard: {words:?}");
    assert_eq!(words[1..], ["I am sorry, this call has to end now. Please call again. Goodbye."]);
    let ended = over.records.last();
    assert_eq!(ended, Some(&Record::Ended { outcome: None, ended_by: "operator".into() }));
    assert!(over.frames.last().unwrap() - told < LAST_WORDS_MS.unsigned_abs());
}

#[tokio::test(start_paused = true)]
async fn an_operator_does_not_wait_for_a_voice_that_hangs() {
    let mut studio = Studio::with_voice(AGENT, Script::default(), VoiceMood::Hangs).await;
    studio.is_told(Event::Stop { by: StoppedBy::Operator }).await;
    let told = studio.now();
    studio.wait(ms(LAST_WORDS_MS.unsigned_abs() + 40)).await;
    assert!(studio.is_over(), "{} ms later", studio.now() - told);
    let over = studio.ends().await;
    let ended = over.records.last();
    assert_eq!(ended, Some(&Record::Ended { outcome: None, ended_by: "operator".into() }));
}

#[tokio::test(start_paused = true)]
async fn what_a_line_cannot_read_is_logged_once_of_its_kind_and_counted() {
    let mut studio = Studio::call(AGENT, Script::default()).await;
    for why in ["no JSON", "a key that no telephone has", "no JSON", "no JSON"] {
        studio.line_tells(LineEvent::Skipped(why)).await;
    }
    studio.hang_up().await;
    let over = studio.ends().await;
    assert_eq!(
        over.troubles(),
        [
            "line: a message was skipped: no JSON",
            "line: a message was skipped: a key that no telephone has",
            "line: 3 messages were skipped in all: no JSON",
        ]
    );
}
