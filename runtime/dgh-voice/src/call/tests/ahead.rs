//! Answers that are prepared while the turn may be over: what leaves before it is, and what does not.

use std::sync::{Arc, Mutex};

use dgh_engine::effect::{Effect, Record, ToolRequest};
use dgh_engine::event::{Event, Timestamp, ToolFailure};
use dgh_engine::log::{Voice, What};
use dgh_providers::double::{Script, Step};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};

use super::ms;
use super::studio::{Over, Scene, Studio};
use crate::call::CallTools;

const DESK: &str = r#"dgh 1

tool look() -> bool { about: "Looks it up." get: "https://example.com/look" }

agent a {
  outcome done
  start hello
  node hello {
    ask "Good morning. What can I do for you?"
    when move: "They want to move" -> day { say "Gladly." }
    when check: "They want to know something" -> check { say "I look." }
  }
  node day {
    tts: cartesia("sonic-2", voice: "other")
    ask "Which day?"
    when ok: "They name one" -> end done { say "Bye." }
  }
  node check {
    call look() as free { meanwhile: "One moment." }
    on error -> end done { say "Sorry." }
    next -> end done { say "It is." }
  }
}
"#;

fn go(label: &str) -> Vec<Step> {
    vec![Step::Wait(ms(100)), Step::Call("go", json!({ "label": label }))]
}

/// When something was logged, in milliseconds of the call.
fn logged(over: &Over, wanted: impl Fn(&What) -> bool) -> Vec<u64> {
    let began = over.log().start.now.0;
    let entries = over.entries.iter().filter(|entry| wanted(&entry.what));
    entries.map(|entry| u64::try_from(entry.at.0 - began).unwrap()).collect()
}

fn turns(over: &Over) -> Vec<u64> {
    logged(over, |what| matches!(what, What::Event(Event::CallerTurn { .. })))
}

/// Tools that answer `true`, and when they were called.
#[derive(Clone, Default)]
struct Looks(Arc<Mutex<Vec<Timestamp>>>);

impl CallTools for Looks {
    fn call(&mut self, _: &ToolRequest, now: Timestamp) -> BoxFuture<'static, Result<Json, ToolFailure>> {
        self.0.lock().unwrap().push(now);
        async { Ok(json!(true)) }.boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn the_words_behind_a_route_sound_as_soon_as_the_turn_is_over() {
    let script = Script::default().answer("first", go("move"));
    let mut studio = Studio::call(DESK, script).await;
    let spoken = studio.spoken();
    studio.agent_finishes().await;
    studio.caller_says("I would like to move").await;
    studio.wait(ms(6_000)).await;
    studio.hang_up().await;
    let over = studio.ends().await;
    let timing = over.timings()[0];
    assert!(timing.voice_asked < timing.turn_over, "{timing:?}");
    assert!(timing.first_sound < timing.turn_over, "{timing:?}");
    assert!(timing.first_frame.unwrap() - timing.turn_over.unwrap() < 2_000, "{timing:?}");
    let told: Vec<_> =
        spoken.lock().unwrap().iter().map(|(_, voice, text)| (voice.clone(), text.clone())).collect();
    let told: Vec<_> = told.iter().map(|(voice, text)| (voice.as_str(), text.as_str())).collect();
    assert_eq!(
        told,
        [
            ("mouth", "Good morning. What can I do for you?"),
            ("cartesia", "Gladly."),
            ("cartesia", "Which day?")
        ],
        "each once, and with the voice of the node"
    );
    assert_eq!(over.agent_words(), ["Good morning. What can I do for you?", "Gladly.", "Which day?"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_tool_is_asked_for_waits_for_the_end_of_the_turn() {
    let tools = Looks::default();
    let scene = Scene { tools: Box::new(tools.clone()), ..Scene::default() };
    let script = Script::default().answer("first", go("check"));
    let mut studio = Studio::in_scene(DESK, script, scene).await;
    let spoken = studio.spoken();
    studio.agent_finishes().await;
    studio.caller_says("I would like to know").await;
    let over = studio.ends().await;
    let turn = turns(&over)[0];
    let timing = over.timings()[0];
    assert!(timing.voice_asked < timing.turn_over, "{timing:?}");
    let asked = spoken.lock().unwrap().iter().find(|(_, _, text)| text == "I look.").unwrap().0;
    let called: Vec<_> = tools.0.lock().unwrap().iter().map(|at| at.0 - over.log().start.now.0).collect();
    assert_eq!(called.len(), 1);
    let over_at = timing.turn_over.unwrap() / 1_000;
    assert!(
        asked < over_at && u64::try_from(called[0]).unwrap() >= over_at,
        "{asked}, {called:?}, {over_at}"
    );
    assert!(turn <= over_at);
    assert_eq!(over.agent_words()[1..], ["I look.", "One moment.", "It is."]);
}

#[tokio::test(start_paused = true)]
async fn a_route_that_was_prepared_for_nothing_leaves_no_trace() {
    let tools = Looks::default();
    let scene = Scene { tools: Box::new(tools.clone()), ..Scene::default() };
    let script = Script::default().answer("first", go("check")).answer("first", go("move"));
    let mut studio = Studio::in_scene(DESK, script, scene).await;
    let spoken = studio.spoken();
    studio.agent_finishes().await;
    studio.caller_speaks(ms(900)).await;
    studio.understood("I would like to know").await;
    studio.wait(ms(250)).await;
    let asked = |text: &str| spoken.lock().unwrap().iter().any(|(_, _, asked)| asked == text);
    assert!(asked("I look."), "its sound was prepared");
    studio.caller_speaks(ms(900)).await;
    studio.understood("whether I can move.").await;
    studio.wait(ms(6_000)).await;
    studio.hang_up().await;
    let over = studio.ends().await;
    assert!(over.voice().contains(&Voice::Discarded));
    assert!(tools.0.lock().unwrap().is_empty());
    let [turn] = turns(&over)[..] else { panic!("{:?}", over.events()) };
    let routes = logged(&over, |what| matches!(what, What::Effect(Effect::Emit(Record::Route { .. }))));
    assert!(routes.len() == 1 && routes[0] >= turn, "{routes:?}");
    assert!(
        !over.records.iter().any(|record| matches!(record, Record::Entered { node, .. } if node == "check"))
    );
    assert_eq!(over.agent_words()[1..], ["Gladly.", "Which day?"]);
    let replayed = dgh_engine::log::replay(&over.prepared, &over.log()).unwrap();
    assert!(replayed.call.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_sentence_keeps_the_voice_of_its_node_when_a_route_follows_it() {
    let program = DESK.replace(
        "tts: cartesia(\"sonic-2\", voice: \"other\")\n    ask \"Which day?\"",
        "tts: cartesia(\"sonic-2\", voice: \"other\")\n    prompt \"Say one word.\"",
    );
    let program = program.replace("start hello", "var name: text \"Their name\"\n  start hello");
    let program =
        program.replace("do for you?\"\n", "do for you?\"\n    collect name\n    on failed(collect) -> end done { say \"Sorry.\" }\n    next -> day\n");
    let answer = vec![Step::Wait(ms(100)), Step::Text("Fine."), Step::Call("note", json!({ "name": "Ann" }))];
    let opening = vec![Step::Wait(ms(100)), Step::Text("Well.")];
    let script = Script::default().answer("first", answer).answer("first", opening);
    let mut studio = Studio::call(&program, script).await;
    let spoken = studio.spoken();
    studio.agent_finishes().await;
    studio.caller_says("I am Ann").await;
    studio.wait(ms(6_000)).await;
    studio.hang_up().await;
    studio.ends().await;
    let voice_of = |wanted: &str| {
        let spoken = spoken.lock().unwrap();
        let voices: Vec<_> =
            spoken.iter().filter(|(_, _, text)| text == wanted).map(|(_, voice, _)| voice.clone()).collect();
        voices
    };
    assert_eq!(
        (voice_of("Fine."), voice_of("Well.")),
        (vec!["mouth".to_owned()], vec!["cartesia".to_owned()])
    );
}
