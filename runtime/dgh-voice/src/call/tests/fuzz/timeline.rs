//! A call as one reads it: milliseconds, who, what.

use dgh_engine::effect::Effect;
use dgh_engine::event::Event;
use dgh_engine::log::What;
use dgh_engine::reply::ReplyRequest;

use super::Played;

pub(super) fn of(played: &Played) -> String {
    let seen = played.world.seen();
    let mut lines: Vec<(u64, String)> =
        seen.told.iter().map(|(at, who, what)| (*at, format!("{who:>7}  {what}"))).collect();
    lines.extend(played.entries().filter_map(|(at, entry)| {
        let line = match &entry.what {
            What::Event(event) => format!("  event  {}", heard(event)?),
            What::Effect(effect) => format!("   does  {}", done(effect)),
            What::Voice(voice) => format!("  voice  {voice:?}"),
        };
        Some((at, line))
    }));
    lines.extend(stretches(&seen.frames));
    lines.sort_by_key(|(at, _)| *at);
    let mut text = String::new();
    for (at, line) in lines {
        let line: String = line.chars().take(180).collect();
        text += &format!("{at:>7}{line}\n");
    }
    text
}

/// When sound began and ended.
fn stretches(frames: &[u64]) -> Vec<(u64, String)> {
    let mut lines = Vec::new();
    let mut rest = frames;
    while let Some(first) = rest.first() {
        let length = rest.windows(2).take_while(|pair| pair[1] - pair[0] <= 60).count() + 1;
        let last = rest[length - 1];
        lines.push((*first, format!("  sound  until {}", last + 20)));
        rest = &rest[length..];
    }
    lines
}

fn heard(event: &Event) -> Option<String> {
    Some(match event {
        Event::Tick => return None,
        Event::CallerTurn { text, .. } => format!("turn: {text}"),
        other => format!("{other:?}"),
    })
}

fn done(effect: &Effect) -> String {
    match effect {
        Effect::StartReply(request) => asked(request),
        Effect::Emit(record) => format!("{record:?}"),
        Effect::Speak { utterance, text, .. } => format!("say {}: {text}", utterance.0),
        other => format!("{other:?}"),
    }
}

fn asked(request: &ReplyRequest) -> String {
    format!("ask the model, {}: {:?} in {}", request.id.0, request.purpose, request.card.node)
}
