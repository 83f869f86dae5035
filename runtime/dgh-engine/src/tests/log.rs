//! The log replays bit for bit, names where a changed program goes another way, and is sealed.

use std::sync::Arc;

use dgh_ir::{Decider, Kind, SlotKind, Target, Type};
use serde_json::json;

use super::build::{Build, ask, collect, say, start, ty, words};
use crate::event::{Event, Timestamp, Usage, UtteranceId};
use crate::log::{KEY_LENGTH, Log, LoggedCall, OpenError, Opener, ReplayError, Sealer, open, replay, seal};
use crate::{Effect, Poll, Prepared};

fn program(goodbye: &str) -> Arc<Prepared> {
    let mut b = Build::new();
    let pin = b.slot("pin", SlotKind::Var, Type { private: true, ..ty(Kind::Int) });
    let done = b.outcome("done");
    let node = b.node("ask", |node| {
        node.steps = vec![ask("What is your number?")];
        node.collect = Some(dgh_ir::Collect { ask: Some(words("Once more?")), ..collect(&[pin]) });
    });
    b.route(Some(node), Decider::Next, vec![say(goodbye)], Some(Target::End(Some(done))));
    b.prepare()
}

/// A call that is interrupted, learns a private value by voice and ends.
fn logged(prepared: &Arc<Prepared>) -> Log {
    let mut call = LoggedCall::new(Arc::clone(prepared), "desk", start()).unwrap();
    let mut now = start().now;
    let mut replies = Vec::new();
    let mut spoken: Vec<UtteranceId> = Vec::new();
    let drain = |call: &mut LoggedCall, replies: &mut Vec<_>, spoken: &mut Vec<_>| {
        while let Poll::Effect(effect) = call.poll() {
            match effect {
                Effect::StartReply(request) => replies.push(request.id),
                Effect::Speak { utterance, .. } => spoken.push(utterance),
                _ => {}
            }
        }
    };
    drain(&mut call, &mut replies, &mut spoken);
    let mut facts = vec![
        Event::SpeechStarted { utterance: spoken[0] },
        Event::SpeechCut { utterance: spoken[0], heard: 8, exact: true },
        Event::CallerTurn { text: "It is 4711".into(), confidence: Some(90), language: None },
    ];
    for fact in facts.drain(..) {
        now = Timestamp(now.0 + 500);
        call.handle(fact, now);
        drain(&mut call, &mut replies, &mut spoken);
    }
    let reply = replies[0];
    let note = json!({ "pin": 4711 });
    call.handle(Event::ReplyCall { reply, id: "c".into(), name: "note".into(), arguments: note }, now);
    drain(&mut call, &mut replies, &mut spoken);
    call.handle(Event::ReplyClosed { reply, failure: None, usage: Usage::default() }, now);
    drain(&mut call, &mut replies, &mut spoken);
    let last = *spoken.last().unwrap();
    call.handle(Event::SpeechStarted { utterance: last }, now);
    call.handle(Event::SpeechFinished { utterance: last }, Timestamp(now.0 + 900));
    drain(&mut call, &mut replies, &mut spoken);
    assert!(call.call().is_over());
    call.into_log()
}

#[test]
fn a_log_replays_bit_for_bit() {
    let prepared = program("Thank you.");
    let log = logged(&prepared);
    let replayed = replay(&prepared, &log).unwrap();
    assert!(replayed.call.is_over());
    let written = serde_json::to_string(&log).unwrap();
    let read: Log = serde_json::from_str(&written).unwrap();
    assert_eq!(read, log);
    assert_eq!(replay(&prepared, &read).unwrap().records, replayed.records);
    assert_eq!(serde_json::to_string(&logged(&prepared)).unwrap(), written);
}

#[test]
fn a_changed_program_is_named_by_its_first_difference() {
    let log = logged(&program("Thank you."));
    let Err(ReplayError::Diverged(divergence)) = replay(&program("Thanks."), &log) else {
        panic!("the words differ")
    };
    assert_eq!(
        divergence.to_string(),
        format!(
            "line {} of the log: the call asked for the words \"Thank you.\"; now it asks for the words \"Thanks.\"",
            divergence.seq
        )
    );
}

#[test]
fn a_call_that_cannot_start_again_says_why_once() {
    let prepared = program("Thank you.");
    let mut log = logged(&prepared);
    log.agent = "nobody".into();
    let error = replay(&prepared, &log).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "the program has no such agent");
    assert!(!error.to_string().contains(&cause), "{error}");
}

#[test]
fn a_sealed_log_opens_with_its_key_alone() {
    let log = logged(&program("Thank you."));
    let (key, nonce) = ([7; KEY_LENGTH], [9; 12]);
    let sealed = seal(&log, &key, &nonce).unwrap();
    assert!(!sealed.windows(4).any(|bytes| bytes == b"4711"));
    assert_eq!(open(&sealed, &key).unwrap(), log);
    assert!(matches!(open(&sealed, &[8; KEY_LENGTH]), Err(OpenError::Sealed)));
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(matches!(open(&changed, &key), Err(OpenError::Sealed)));
    assert!(matches!(open(b"something else", &key), Err(OpenError::NotALog)));
    assert!(matches!(open(&sealed[..10], &key), Err(OpenError::NotALog)));
}

#[test]
fn a_log_that_grows_opens_as_far_as_it_was_written() {
    let log = logged(&program("Thank you."));
    let (key, nonce, own) = ([7; KEY_LENGTH], [9; 12], [5; KEY_LENGTH]);
    let (mut sealer, mut file) = Sealer::begin(&log, &key, &nonce, &own).unwrap();
    assert_eq!(open(&file, &key).unwrap(), Log { entries: Vec::new(), ..log.clone() });
    let half = log.entries.len() / 2;
    let (first, second) = log.entries.split_at(half);
    file.extend(sealer.entries(first).unwrap());
    let before = file.len();
    file.extend(sealer.entries(second).unwrap());
    assert_eq!(open(&file, &key).unwrap(), log);
    assert!(!file.windows(4).any(|bytes| bytes == b"4711"));
    // Cut in the middle of a piece: what stands before it counts.
    for end in [before, before + 3, before + 4, file.len() - 1] {
        assert_eq!(open(&file[..end], &key).unwrap().entries, first, "cut at {end}");
    }
    assert!(matches!(open(&file, &[8; KEY_LENGTH]), Err(OpenError::Sealed)));
    // A piece can be neither changed nor left out.
    let mut changed = file.clone();
    changed[before - 1] ^= 1;
    assert!(matches!(open(&changed, &key), Err(OpenError::Sealed)));
    let head = Sealer::begin(&log, &key, &nonce, &own).unwrap().1.len();
    let without_first = [&file[..head], &file[before..]].concat();
    assert!(matches!(open(&without_first, &key), Err(OpenError::Sealed)));
    assert!(matches!(open(&file[..20], &key), Err(OpenError::NotALog)));
}

#[test]
fn a_call_put_aside_in_the_middle_goes_on_as_if_nothing_had_been() {
    let prepared = program("Thank you.");
    let log = logged(&prepared);
    let agent = prepared.program().agent("desk").unwrap();
    let mut call = crate::Call::of(Arc::clone(&prepared), agent, start()).unwrap();
    for entry in &log.entries {
        match &entry.what {
            crate::log::What::Event(event) => call.handle(event.clone(), entry.at),
            crate::log::What::Voice(_) => {}
            crate::log::What::Effect(effect) => {
                assert_eq!(call.poll(), Poll::Effect(effect.clone()));
            }
        }
        let saved = serde_json::to_string(&call.save()).unwrap();
        call = crate::Call::resume(Arc::clone(&prepared), serde_json::from_str(&saved).unwrap());
    }
    assert!(call.is_over());
}

#[test]
fn a_planted_private_value_shows_in_no_view() {
    let prepared = program("Thank you.");
    let log = logged(&prepared);
    let replayed = replay(&prepared, &log).unwrap();
    let records = serde_json::to_string(&replayed.records).unwrap();
    assert!(records.contains("[pin]"), "{records}");
    assert!(!records.contains("4711"), "{records}");
    assert!(!format!("{:?}", replayed.call).contains("4711"));
    assert!(!format!("{:?}", replayed.call.save()).contains("4711"));
    // The one request that hears the value is the one that answers the turn.
    let requests = log.entries.iter().filter_map(|entry| match &entry.what {
        crate::log::What::Effect(Effect::StartReply(request)) => Some(request),
        _ => None,
    });
    for request in requests {
        let card = serde_json::to_string(&request.card).unwrap();
        assert!(!card.contains("4711"));
    }
}

#[test]
fn a_log_that_grows_is_read_as_it_comes() {
    let log = logged(&program("Bye."));
    let (mut sealer, mut bytes) = Sealer::begin(&log, &[1; KEY_LENGTH], &[2; 12], &[3; KEY_LENGTH]).unwrap();
    for entries in log.entries.chunks(3) {
        bytes.extend(sealer.entries(entries).unwrap());
    }
    for size in [1, 7, 4_096] {
        let mut opener = Opener::new([1; KEY_LENGTH]);
        let mut read = Vec::new();
        for part in bytes.chunks(size) {
            read.extend(opener.feed(part).unwrap());
        }
        assert_eq!(read, log.entries, "in parts of {size}");
        assert_eq!(opener.start().unwrap().start, log.start);
    }
    let mut other = Opener::new([9; KEY_LENGTH]);
    assert!(matches!(other.feed(&bytes), Err(OpenError::Sealed)));
    assert!(matches!(Opener::new([1; KEY_LENGTH]).feed(b"something else"), Err(OpenError::NotALog)));
}
