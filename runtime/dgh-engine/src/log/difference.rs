//! Where two effects differ, in words that hold no value.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::effect::Effect;

/// The path of the first difference: `card.labels[1].sentence`.
pub(super) fn path(a: &Effect, b: &Effect) -> String {
    let (Ok(a), Ok(b)) = (serde_json::to_value(a), serde_json::to_value(b)) else {
        return String::new();
    };
    let mut path = String::new();
    walk(&a, &b, &mut path);
    path.trim_start_matches('.').to_owned()
}

fn walk(a: &Json, b: &Json, path: &mut String) {
    match (a, b) {
        (Json::Object(a), Json::Object(b)) => {
            for (name, value) in a {
                match b.get(name) {
                    Some(other) if other == value => {}
                    Some(other) => {
                        path.push('.');
                        path.push_str(name);
                        return walk(value, other, path);
                    }
                    None => {
                        path.push('.');
                        path.push_str(name);
                        return;
                    }
                }
            }
            if let Some((name, _)) = b.iter().find(|(name, _)| !a.contains_key(*name)) {
                path.push('.');
                path.push_str(name);
            }
        }
        (Json::Array(a), Json::Array(b)) => {
            let differs = a.iter().zip(b).position(|(a, b)| a != b);
            let index = differs.unwrap_or(a.len().min(b.len()));
            // Writing to a String cannot fail.
            let _ = write!(path, "[{index}]");
            if let (Some(a), Some(b)) = (a.get(index), b.get(index)) {
                walk(a, b, path);
            }
        }
        _ => {}
    }
}

/// What an effect asks for, masked.
pub(super) fn describe(effect: &Effect) -> String {
    match effect {
        Effect::StartReply(request) => {
            format!("a reply in node `{}` ({:?})", request.card.node, request.purpose)
        }
        Effect::CancelReply { .. } => "to stop listening to a reply".into(),
        Effect::Speak { masked, .. } => format!("the words {masked:?}"),
        Effect::Play { recording, .. } => format!("the recording `{recording}`"),
        Effect::StopSpeech => "silence".into(),
        Effect::CallTool(request) => format!("the tool {:?} with {}", request.tool, request.masked),
        Effect::CancelTool { .. } => "to drop a tool".into(),
        Effect::Transfer { masked, .. } => format!("a transfer to {masked}"),
        Effect::PressKeys { .. } => "keys on the line".into(),
        Effect::Webhook { name, event, .. } => format!("the webhook `{name}` for {event}"),
        Effect::Emit(record) => format!("the record {record:?}"),
        Effect::End => "the end of the call".into(),
    }
}
