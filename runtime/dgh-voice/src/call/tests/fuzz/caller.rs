//! The caller of a test: waits for the floor, and says the next line.

use std::sync::Arc;
use std::time::Duration;

use dgh_ir::test::{TestCase, TestStepKind};
use dgh_providers::stt::SttEvent;

use super::world::{FRAME_MS, World};
use crate::audio::signals;
use crate::line::LineEvent;

/// A word takes so long.
const WORD_MS: u64 = 340;
/// Time to react: an answer may be on its way that nobody hears yet.
const REACTION_MS: u64 = 900;
/// Between two keys.
const KEY_MS: u64 = 150;
/// A caller who hears nothing for so long speaks anyway.
const PATIENCE_MS: u64 = 15_000;
/// Sound goes on for so long after speech; then there is nothing to send.
const TAIL_MS: u64 = 600;
/// How often the caller looks whether it is their turn.
const LOOK_MS: u64 = 60;

/// Plays the caller's lines.
pub(super) async fn acts(world: Arc<World>, test: Arc<TestCase>) {
    if world.is_outbound() {
        pause(500).await;
        world.line(LineEvent::AnsweredBy(dgh_engine::event::AnsweredBy::Human));
    }
    for (index, step) in test.steps.iter().enumerate() {
        match &step.kind {
            TestStepKind::Says(text, _) => {
                floor(&world).await;
                says(&world, index, text).await;
            }
            TestStepKind::Interrupts(text, _) => {
                while !world.agent_sounds() {
                    pause(LOOK_MS).await;
                }
                pause(REACTION_MS / 2).await;
                says(&world, index, text).await;
            }
            TestStepKind::Keys(keys) => {
                floor(&world).await;
                world.reach(index);
                world.tell("caller", format!("presses {keys}"));
                for key in keys.chars() {
                    world.line(LineEvent::Key(key));
                    pause(KEY_MS).await;
                }
            }
            TestStepKind::Waits(ms) => pause(u64::try_from(*ms).unwrap()).await,
            TestStepKind::HangsUp => {
                floor(&world).await;
                world.line(LineEvent::Closed(None));
            }
            TestStepKind::AgentSays(_)
            | TestStepKind::Expect(_)
            | TestStepKind::Caller(_)
            | TestStepKind::Judge(..) => {}
        }
    }
}

/// The sound of the caller: speech while they speak and a moment of silence after it. A line on which
/// nobody speaks sends nothing.
pub(super) async fn speaks(world: Arc<World>) {
    let speech = signals::speech();
    // The recording starts with a moment of silence.
    let loud = speech.chunks(160).position(|frame| frame.iter().any(|s| s.unsigned_abs() > 3_000)).unwrap();
    let frames: Vec<Arc<[i16]>> = speech.chunks_exact(160).skip(loud).map(Arc::from).collect();
    let silence: Arc<[i16]> = Arc::from([0; 160]);
    let mut next = 0;
    loop {
        let until = world.speaks_until();
        if world.now() >= until + TAIL_MS {
            world.speaks_again().await;
            continue;
        }
        if world.now() >= until {
            world.frame(&silence);
        } else {
            world.frame(&frames[next % frames.len()]);
            next += 1;
        }
        pause(FRAME_MS).await;
    }
}

async fn says(world: &Arc<World>, step: usize, text: &str) {
    world.reach(step);
    world.tell("caller", text.to_owned());
    let words: Vec<&str> = text.split(' ').collect();
    let ms = (words.len() as u64 * WORD_MS).max(600) / FRAME_MS * FRAME_MS;
    world.speak(ms);
    world.will_hear(ms / 2, SttEvent::Partial { text: words[..words.len() / 2].join(" ") });
    world.will_understand(ms, text);
    pause(ms).await;
}

/// Waits until the agent is done.
async fn floor(world: &World) {
    let mut quiet = 0;
    let mut waited = 0;
    while quiet < REACTION_MS && waited < PATIENCE_MS {
        pause(LOOK_MS).await;
        let sounds = world.agent_sounds();
        quiet = if sounds || world.is_busy() { 0 } else { quiet + LOOK_MS };
        waited = if sounds { 0 } else { waited + LOOK_MS };
    }
}

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
