//! Whole calls with `dgh serve` as it is shipped: over a carrier's media stream and out of a browser,
//! with sound that is spoken and heard by others. These run in real time, because sound does; what
//! they wait for is always something that happens, and never a time that should be enough.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "samples and milliseconds are few"
)]

mod browser;
mod carrier;
mod chromium;
mod faults;
mod leaks;
mod model;
mod namespace;
mod network;
mod nodes;
mod operations;
mod phone;
mod recording;
pub(crate) mod serve;
mod sound;
mod webhooks;

use std::time::Duration;

use dgh_providers::double::stt::{SttScript, SttServer};

/// What the clinic says first.
const WELCOME: &str = "bright dental this is ada the automated assistant this call is recorded";
/// And then.
const ASK: &str = "for appointments press one or tell me what you need for billing press two";
/// What the judge may hear: what the clinic says, and what is like it.
const CLINIC: &[&str] = &[
    WELCOME,
    ASK,
    "bright dental this is eva the automated assistant this call is not recorded",
    "for appointments press two or tell me what you want for billing press one",
    "larch and sons this is kim an assistant what can i do for you",
];

/// A recogniser that hears these words, one utterance after the other.
async fn hears(words: &[&str]) -> SttServer {
    let words = words.iter().map(|words| (*words).to_owned()).collect();
    SttServer::start(SttScript { words, shared: true, ..SttScript::default() }).await
}

/// It, as an agent names it.
fn deepgram(stt: &SttServer) -> String {
    format!("deepgram(\"nova-3\", url: \"{}\")", stt.url())
}

/// Looks again and again until something is there.
pub(crate) async fn until<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = tokio::time::Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if tokio::time::Instant::now() > end {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
