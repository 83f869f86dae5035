//! Whole calls in paused time: a line, a recogniser and a voice that do as they are told.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod ahead;
mod duplex;
mod fuzz;
mod mishaps;
mod outbound;
mod studio;

use std::time::Duration;

use dgh_engine::effect::{Effect, Record};
use dgh_engine::event::Event;
use dgh_engine::log::{Voice, What};
use dgh_providers::double::{Script, Step};
use serde_json::json;
use studio::{Studio, VoiceMood};

const AGENT: &str = r#"dgh 1

agent a {
  outcome booked, gave_up
  var day: date "The day"
  start hello
  node hello {
    ask "Good morning, this is the practice of Doctor Lee. Which day would suit you?"
    collect day
    on silence(8s) -> end gave_up { say "Goodbye then." }
    on failed(collect) -> end gave_up { say "Please call again. Goodbye." }
    next -> end booked { say "You are booked. Goodbye." }
  }
}
"#;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A model that answers after 300 ms.
fn notes(day: &str) -> Vec<Step> {
    vec![Step::Wait(ms(300)), Step::Call("note", json!({ "day": day })), Step::Text("Fine.")]
}

#[tokio::test(start_paused = true)]
async fn a_call_from_the_first_word_to_the_last() {
    let mut studio = Studio::call(AGENT, Script::default().answer("first", notes("2026-03-03"))).await;
    studio.agent_finishes().await;
    studio.caller_says("On March third.").await;
    let ended = studio.ends().await;
    assert_eq!(
        ended.records.last(),
        Some(&Record::Ended { outcome: Some("booked".into()), ended_by: "agent".into() })
    );
    let said: Vec<_> = ended.agent_words();
    assert_eq!(said.last().map(String::as_str), Some("You are booked. Goodbye."));
    assert_eq!(ended.line, None);
    let timing = ended.timings()[0];
    assert_eq!(timing.turn, 1);
    // The model's 300 ms, the voice's 120 ms; what is left is ours and the wait for the end.
    assert!(timing.model().unwrap().abs_diff(300_000) < 3_000, "{timing:?}");
    assert!(timing.voice().unwrap().abs_diff(120_000) < 3_000, "{timing:?}");
    assert!(timing.own().unwrap() < 5_000, "{timing:?}");
    assert!(
        timing.asked.unwrap() - timing.transcript.unwrap() < 2_000,
        "asked at the final words: {timing:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn talking_over_the_agent_stops_it_at_once() {
    let script = Script::default().answer("first", notes("2026-03-03"));
    let mut studio = Studio::call(AGENT, script).await;
    studio.wait(ms(1_500)).await;
    let began = studio.now();
    studio.caller_says("On March third please.").await;
    let cleared = studio.cleared_at().unwrap();
    assert!(cleared - began < 260, "cleared after {} ms", cleared - began);
    let ended = studio.ends().await;
    let cut = ended.events().into_iter().find_map(|event| match event {
        Event::SpeechCut { heard, .. } => Some(heard),
        _ => None,
    });
    assert!(cut.is_some_and(|heard| heard > 0 && heard < 60), "{cut:?}");
    assert!(ended.records.contains(&Record::Raised { event: "interrupted".into() }) || cut.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_nod_does_not_stop_the_agent() {
    let mut studio = Studio::call(AGENT, Script::default()).await;
    studio.wait(ms(1_500)).await;
    studio.caller_speaks(ms(300)).await;
    studio.understood("Mm-hm.").await;
    studio.agent_finishes().await;
    studio.hang_up().await;
    let ended = studio.ends().await;
    assert!(!ended.events().iter().any(|event| matches!(event, Event::SpeechCut { .. })), "nothing was cut");
    assert!(ended.voice().contains(&Voice::FalseInterruption));
    assert_eq!(
        ended.agent_words()[0],
        "Good morning, this is the practice of Doctor Lee. Which day would suit you?"
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_on_after_a_pause_is_heard_to_the_end() {
    let script = Script::default()
        .answer("first", vec![Step::Wait(ms(300)), Step::Text("Too early.")])
        .answer("first", notes("2026-03-03"));
    let mut studio = Studio::call(AGENT, script.clone()).await;
    studio.agent_finishes().await;
    studio.caller_speaks(ms(900)).await;
    studio.understood("I would like to come").await;
    studio.wait(ms(250)).await;
    studio.caller_speaks(ms(900)).await;
    studio.understood("on March third.").await;
    let ended = studio.ends().await;
    let turns: Vec<_> = ended
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::CallerTurn { text, .. } => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(turns, ["I would like to come on March third."]);
    assert!(ended.voice().contains(&Voice::Discarded));
    assert!(!ended.agent_words().iter().any(|said| said.contains("Too early")));
    assert_eq!(script.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_after_a_hang_up() {
    let mut studio = Studio::call(AGENT, Script::default()).await;
    studio.wait(ms(700)).await;
    studio.hang_up().await;
    let closed = studio.now();
    let ended = studio.ends().await;
    assert!(ended.frames.iter().all(|at| *at <= closed + 20), "sound after the end");
    assert!(matches!(ended.records.last(), Some(Record::Ended { ended_by, .. }) if ended_by == "caller"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_line_ends_the_call_as_lost() {
    let mut studio = Studio::call(AGENT, Script::default()).await;
    studio.wait(ms(700)).await;
    studio.lose("the carrier sent nothing for 30 s").await;
    let ended = studio.ends().await;
    assert_eq!(ended.line.as_deref(), Some("the carrier sent nothing for 30 s"));
    assert!(matches!(ended.records.last(), Some(Record::Ended { ended_by, .. }) if ended_by == "lost"));
    assert!(ended.troubles().iter().any(|trouble| trouble.contains("carrier sent nothing")));
}

#[tokio::test(start_paused = true)]
async fn without_any_voice_the_caller_hears_a_recording() {
    let mut studio = Studio::with_voice(AGENT, Script::default(), VoiceMood::Broken).await;
    studio.wait(ms(30_000)).await;
    let ended = studio.ends().await;
    let seconds = ended.frames.len() as u64 * 20 / 1_000;
    assert!((6..9).contains(&seconds), "the last words were played: {seconds} s");
    assert!(ended.troubles().iter().any(|trouble| trouble.contains("broken")));
    assert!(matches!(ended.records.last(), Some(Record::Ended { .. })));
}

#[tokio::test(start_paused = true)]
async fn without_a_recogniser_the_call_still_ends_with_words() {
    let mut studio = Studio::call(AGENT, Script::default()).await;
    studio.agent_finishes().await;
    studio.break_recogniser().await;
    let ended = studio.ends().await;
    assert_eq!(ended.agent_words().last().map(String::as_str), Some("Goodbye then."));
    assert!(ended.troubles().iter().any(|trouble| trouble.contains("stt")));
}

#[tokio::test(start_paused = true)]
async fn what_was_logged_replays() {
    let mut studio = Studio::call(AGENT, Script::default().answer("first", notes("2026-03-03"))).await;
    studio.agent_finishes().await;
    studio.caller_says("On March third.").await;
    let ended = studio.ends().await;
    let replayed = dgh_engine::log::replay(&ended.prepared, &ended.log()).unwrap();
    assert!(replayed.call.is_over());
    let logged = ended.entries.iter().filter(|entry| matches!(&entry.what, What::Effect(_))).count();
    assert_eq!(replayed.effects, logged);
    assert!(ended.entries.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq), "no line is missing");
    assert!(ended.entries.iter().any(|entry| matches!(&entry.what, What::Effect(Effect::End))));
}
