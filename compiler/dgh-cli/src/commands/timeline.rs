//! `dgh replay LOG --show`: what happened in a call, line by line, private values masked.

use dgh_engine::effect::Effect;
use dgh_engine::event::Event;
use dgh_engine::log::{Entry, Log, Voice, What};

use super::test::report::shown as record_line;
use crate::ui;

/// Prints a log.
pub fn print(log: &Log) -> anyhow::Result<()> {
    let start = log.start.now.0;
    for entry in &log.entries {
        if let Some(text) = line(entry) {
            let ms = entry.at.0.saturating_sub(start);
            let at = ui::paint(ui::DIM, format!("{:>5}.{:03}", ms / 1_000, ms % 1_000));
            ui::line(format!("{at}  {}", ui::wrapped(&text, 11)))?;
        }
    }
    Ok(())
}

fn line(entry: &Entry) -> Option<String> {
    match &entry.what {
        What::Effect(Effect::Emit(record)) => record_line(record),
        What::Effect(Effect::StartReply(request)) => {
            let model = request.models.first().map_or("no model", |model| model.provider.as_str());
            Some(ui::paint(ui::DIM, format!("asks {model} ({})", purpose(request.purpose))))
        }
        What::Event(event) => happened(event).map(|text| ui::paint(ui::DIM, text)),
        What::Voice(voice) => Some(measured(voice)),
        What::Effect(_) => None,
    }
}

fn purpose(purpose: dgh_engine::reply::Purpose) -> String {
    format!("{purpose:?}").to_lowercase()
}

/// Facts that no record tells. Words are not among them: records have them, masked.
fn happened(event: &Event) -> Option<String> {
    Some(match event {
        Event::ReplyClosed { failure: Some(why), .. } => format!("the model failed: {why}"),
        Event::SpeechStarted { .. } => "the agent speaks".to_owned(),
        Event::SpeechCut { heard, exact, .. } => {
            format!("cut after {heard} bytes{}", if *exact { "" } else { ", about" })
        }
        Event::SpeechFailed { .. } => "no voice could say it".to_owned(),
        Event::CallerSpeaking => "the caller speaks".to_owned(),
        Event::AnsweredBy { who } => format!("answered by: {who:?}").to_lowercase(),
        Event::TransferOutcome { failure } => failure.map_or_else(
            || "transferred".to_owned(),
            |why| format!("transfer failed: {why:?}").to_lowercase(),
        ),
        Event::Hangup => "the caller hangs up".to_owned(),
        Event::Stop { by } => format!("stopped: {by:?}").to_lowercase(),
        _ => return None,
    })
}

fn measured(voice: &Voice) -> String {
    match voice {
        Voice::Timing(timing) => {
            let ms =
                |micros: Option<u64>| micros.map_or_else(|| "-".to_owned(), |m| format!("{} ms", m / 1_000));
            ui::paint(
                ui::DIM,
                format!("answered after {}, {} of it ours", ms(timing.voice_to_voice()), ms(timing.own())),
            )
        }
        Voice::Trouble { part, message } => ui::paint(ui::BAD, format!("{part}: {message}")),
        Voice::Provider { part, provider, connect_ms } => {
            ui::paint(ui::DIM, format!("{part}: connected to {provider} in {connect_ms} ms"))
        }
        Voice::FalseInterruption => ui::paint(ui::DIM, "no interruption: the agent goes on"),
        Voice::Discarded => ui::paint(ui::DIM, "the caller goes on: the prepared answer is dropped"),
    }
}
