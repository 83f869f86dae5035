//! What holds of every call, whatever happens in it.

use std::collections::HashMap;

use dgh_engine::LAST_WORDS_MS;
use dgh_engine::effect::{Effect, Record};
use dgh_engine::event::{Event, UtteranceId};
use dgh_engine::log::What;
use dgh_engine::testing::{self, TestOptions};
use dgh_ir::Program;

use super::examples::Case;
use super::injection::{Injection, Kind};
use super::world::FRAME_MS;
use super::{Played, silence};

/// No call is longer, whatever the caller does: the limit of the examples is ten minutes, and those
/// without one end when a conversation leads nowhere.
pub(super) const LONGEST_MS: u64 = 30 * 60_000;
/// A call that was disturbed takes so much longer at the most: a few silences, and the models' and
/// voices' patience.
const LONGER_MS: u64 = 150_000;
/// Dead air while the agent owes words: `slow` comes sooner.
const OWED_MS: u64 = 6_000;
/// The same when voices make no sound: until they are given up.
const MUTE_MS: u64 = 14_500;
/// The same when they do not even fail: each of two utterances is waited for ten seconds.
const HUNG_MS: u64 = 22_000;
/// Silence of any kind: two of seven seconds, at the second of which `collections` ends.
const SILENCE_MS: u64 = 15_500;

/// What is wrong with a call; `length`: of the same call when nothing disturbs it.
pub(super) fn common(played: &Played, injection: Option<Injection>, length: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    wrong.extend(played.stuck.clone());
    wrong.extend(played.world.seen().wrong);
    if wrong.is_empty() {
        wrong.extend(bounded(played, injection, length));
        wrong.extend(ended(played, injection));
        wrong.extend(routes(played));
        wrong.extend(quiet(played, injection));
    }
    wrong.extend(utterances(played));
    wrong.extend(logged(played));
    wrong
}

/// Records of one kind: what they are, and which.
type Part = (&'static str, fn(&Record) -> bool);

/// A call that nothing disturbs does what the runner of tests does.
pub(super) fn as_scripted(played: &Played, case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    let outcome = testing::run(&case.prepared, &case.test, &TestOptions::default());
    if !outcome.passed {
        wrong.push(format!("the test fails ({:?})", outcome.failure));
    }
    let here: Vec<&Record> = played.records().map(|(_, record)| record).collect();
    let there: Vec<&Record> = outcome.dialogue.iter().collect();
    let parts: [Part; 2] = [
        ("path", |record| {
            !matches!(
                record,
                Record::Caller { .. } | Record::Agent { .. } | Record::Keys { .. } | Record::Raised { .. }
            )
        }),
        ("words of the caller", |record| matches!(record, Record::Caller { .. })),
    ];
    for (name, of) in parts {
        let pick =
            |all: &[&Record]| all.iter().copied().filter(|record| of(record)).cloned().collect::<Vec<_>>();
        let (here, there) = (pick(&here), pick(&there));
        let differs = here.iter().zip(&there).position(|(a, b)| a != b);
        let differs = differs.or_else(|| (here.len() != there.len()).then(|| here.len().min(there.len())));
        if let Some(at) = differs {
            wrong.push(format!(
                "another {name} than the test's ({:?}, not {:?})",
                here.get(at),
                there.get(at)
            ));
        }
    }
    let said = |all: &[&Record]| {
        let words = all.iter().filter_map(|record| match record {
            Record::Agent { text, .. } => Some(text.clone()),
            _ => None,
        });
        words.collect::<Vec<_>>().join(" ")
    };
    if said(&here) != said(&there) {
        wrong.push(format!(
            "other words of the agent than the test's ({}, not {})",
            said(&here),
            said(&there)
        ));
    }
    for (_, entry) in played.entries() {
        if let What::Voice(voice @ dgh_engine::log::Voice::Trouble { .. }) = &entry.what {
            wrong.push(format!("trouble ({voice:?})"));
        }
    }
    wrong
}

/// It ends in time.
fn bounded(played: &Played, injection: Option<Injection>, length: u64) -> Option<String> {
    let Injection { kind, at } = injection?;
    let bound = match kind {
        Kind::NeverStops | Kind::Drones => LONGEST_MS,
        // Nothing is left to do but to learn from the last words.
        Kind::HangsUp | Kind::LineLost => at + crate::call::AFTER_HANGUP_MS,
        Kind::Operator => at + LAST_WORDS_MS.unsigned_abs() + FRAME_MS,
        _ => length + LONGER_MS,
    };
    (played.length() > bound).then(|| format!("it takes too long ({} ms, not {bound})", played.length()))
}

/// It ends once, for the reason that it has.
fn ended(played: &Played, injection: Option<Injection>) -> Vec<String> {
    let mut wrong = Vec::new();
    let program = played.prepared.program();
    let ends: Vec<_> = played
        .records()
        .filter_map(|(at, record)| match record {
            Record::Ended { outcome, ended_by } => Some((at, outcome.clone(), ended_by.clone())),
            _ => None,
        })
        .collect();
    let [(at, outcome, by)] = ends.as_slice() else {
        return vec![format!("it ends {} times", ends.len())];
    };
    if let Some(outcome) = outcome
        && !outcomes(program).any(|declared| declared == outcome)
    {
        wrong.push(format!("an outcome that does not exist ({outcome})"));
    }
    let closed = played.world.seen().closed.filter(|closed| closed <= at);
    let transferred = played
        .entries()
        .any(|(_, entry)| matches!(&entry.what, What::Event(Event::TransferOutcome { failure: None })));
    let kind = injection.map(|injection| injection.kind);
    let fits = match by.as_str() {
        "caller" => closed.is_some(),
        "lost" => {
            (closed.is_some() && kind == Some(Kind::LineLost))
                || matches!(kind, Some(Kind::VoiceFails | Kind::VoiceStalls | Kind::VoiceHangs))
        }
        "transfer" => transferred,
        "agent" => closed.is_none() || outcome.is_some(),
        "error" => injection.is_some(),
        "limit" => matches!(kind, Some(Kind::NeverStops | Kind::Drones)),
        "operator" => kind == Some(Kind::Operator),
        _ => false,
    };
    if !fits {
        wrong.push(format!("ended by {by}"));
    }
    let after_end = played.entries().skip_while(|(_, entry)| entry.what != What::Effect(Effect::End)).skip(1);
    for (_, entry) in after_end {
        if let What::Effect(effect) = &entry.what {
            wrong.push(format!("something happens after the end ({effect:?})"));
        }
    }
    let end = played.entries().any(|(_, entry)| entry.what == What::Effect(Effect::End));
    if !end {
        wrong.push("no end".to_owned());
    }
    if by == "operator" && !heard_to_the_end(played) {
        wrong.push("an operator ends it without words".to_owned());
    }
    if played.world.seen().hung_up.is_none() {
        wrong.push("the line is not hung up".to_owned());
    }
    wrong
}

/// Whether the agent's last words were played to their end.
fn heard_to_the_end(played: &Played) -> bool {
    let last = played.entries().filter_map(|(_, entry)| match &entry.what {
        What::Effect(Effect::Speak { utterance, .. }) => Some(*utterance),
        _ => None,
    });
    let last = last.last();
    played.entries().any(
        |(_, entry)| matches!(&entry.what, What::Event(Event::SpeechFinished { utterance }) if Some(*utterance) == last),
    )
}

fn outcomes(program: &Program) -> impl Iterator<Item = &String> {
    program.agents.iter().flat_map(|(_, agent)| agent.outcomes.iter().map(|(_, outcome)| &outcome.name))
}

/// A node is entered by a route, and a route that was taken leads where it says.
fn routes(played: &Played) -> Vec<String> {
    let mut wrong = Vec::new();
    let agents: Vec<&str> =
        played.prepared.program().agents.iter().map(|(_, agent)| agent.name.as_str()).collect();
    let mut place: Option<(&str, &str)> = None;
    let mut route: Option<(&str, &str)> = None;
    for (at, record) in played.records() {
        match record {
            Record::Route { target: Some(target), label, dialogue, node, .. } => {
                let flow = !agents.contains(&dialogue.as_str());
                // An event may come while the block of another route is being done.
                if let Some((before, _)) = route
                    && !label.starts_with("on ")
                {
                    wrong.push(format!(
                        "a route is taken while another is ({before}, then {target}, at {at})"
                    ));
                }
                let here = place.is_none_or(|(d, n)| d != dialogue || n == node || flow);
                if !here {
                    wrong.push(format!("a route from a node that was left ({node} -> {target}, at {at})"));
                }
                route = Some((target, label));
            }
            Record::Entered { dialogue, node } => {
                let flow = !agents.contains(&dialogue.as_str());
                match route.take() {
                    Some((target, _)) if leads(target, dialogue, node) => {}
                    // A flow begins with its start, and leaves its caller where it was.
                    Some((target, _)) if flow && target.starts_with("return") => {}
                    Some((target, _)) => {
                        wrong.push(format!(
                            "a taken route is undone ({target}, but {node} is entered, at {at})"
                        ));
                    }
                    None if place.is_none() => {}
                    None if flow && place.is_some_and(|(before, _)| before != dialogue) => {}
                    None => wrong.push(format!("a node is entered without a route ({node}, at {at})")),
                }
                place = Some((dialogue, node));
            }
            Record::Ended { outcome, ended_by } => {
                if let Some((target, _)) = route
                    && let Some(end) = target.strip_prefix("end")
                    && matches!(ended_by.as_str(), "agent")
                    && !end.is_empty()
                    && outcome.as_deref().unwrap_or("none") != end.trim()
                {
                    wrong.push(format!("another end than the route's ({target}, but {outcome:?}, at {at})"));
                }
            }
            _ => {}
        }
        if let Some((target, _)) = route
            && (target.starts_with("return") || target == "back")
        {
            // It goes on where it was.
            route = None;
            place = None;
        }
    }
    wrong
}

fn leads(target: &str, dialogue: &str, node: &str) -> bool {
    target.split([' ', '.']).next_back() == Some(node) || target == dialogue
}

/// Every utterance that sounded ends once: it was played or cut, or the call was over before.
fn utterances(played: &Played) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut asked: HashMap<UtteranceId, State> = HashMap::new();
    let mut begun: HashMap<UtteranceId, u64> = HashMap::new();
    let mut over = false;
    for (at, entry) in played.entries() {
        match &entry.what {
            What::Effect(Effect::Speak { utterance, .. } | Effect::Play { utterance, .. }) => {
                let before = asked.insert(*utterance, State::Asked);
                if before.is_some() {
                    wrong.push(format!("an utterance is asked for twice ({utterance:?}, at {at})"));
                }
            }
            What::Event(Event::Hangup | Event::Stop { .. }) => over = true,
            What::Event(Event::SpeechStarted { utterance }) => {
                begun.insert(*utterance, at);
                if asked.insert(*utterance, State::Sounds) != Some(State::Asked) {
                    wrong
                        .push(format!("an utterance begins that waits for nothing ({utterance:?}, at {at})"));
                }
            }
            What::Event(Event::SpeechFailed { utterance }) => {
                let before = asked.insert(*utterance, State::Over);
                if before != Some(State::Asked) {
                    wrong.push(format!("an utterance fails that sounds or is over ({utterance:?}, at {at})"));
                }
            }
            What::Event(Event::SpeechFinished { utterance }) => {
                if begun.get(utterance) == Some(&at) {
                    wrong.push(format!("words count as heard that never sounded ({utterance:?}, at {at})"));
                }
                if asked.insert(*utterance, State::Over) != Some(State::Sounds) {
                    wrong.push(format!("an utterance ends that does not sound ({utterance:?}, at {at})"));
                }
                // They sound one after the other.
                let before = asked.iter().find(|(id, state)| *id < utterance && **state == State::Sounds);
                if let Some((before, _)) = before {
                    wrong.push(format!("an utterance ends before the one before it ({before:?}, at {at})"));
                }
            }
            What::Event(Event::SpeechCut { utterance, .. }) => {
                if asked.insert(*utterance, State::Over).is_none_or(|state| state == State::Over) {
                    wrong.push(format!("an utterance is cut that is over ({utterance:?}, at {at})"));
                }
                // Those behind it were dropped with it.
                asked
                    .iter_mut()
                    .filter(|(id, _)| *id > utterance)
                    .for_each(|(_, state)| *state = State::Over);
            }
            _ => {}
        }
    }
    let sounds = asked.iter().find(|(_, state)| **state == State::Sounds);
    if let Some((utterance, _)) = sounds.filter(|_| !over) {
        wrong.push(format!("an utterance never ends ({utterance:?})"));
    }
    wrong
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    Sounds,
    Over,
}

/// Nobody waits in silence.
fn quiet(played: &Played, injection: Option<Injection>) -> Vec<String> {
    let silences = silence::longest(played);
    let owed_ms = match injection.map(|injection| injection.kind) {
        Some(Kind::VoiceStalls) => MUTE_MS,
        Some(Kind::VoiceHangs) => HUNG_MS,
        _ => OWED_MS,
    };
    let mut wrong = Vec::new();
    let (since, owed) = silences.owed;
    if owed > owed_ms {
        wrong.push(format!("dead air ({owed} ms from {since})"));
    }
    let (since, any) = silences.any;
    if any > SILENCE_MS.max(owed_ms) {
        wrong.push(format!("silence ({any} ms from {since})"));
    }
    wrong
}

/// The log is whole, and the call goes the same way again.
fn logged(played: &Played) -> Vec<String> {
    let mut wrong = Vec::new();
    let entries = &played.log.entries;
    if entries.first().is_none_or(|first| first.seq != 1)
        || entries.windows(2).any(|pair| pair[0].seq + 1 != pair[1].seq)
    {
        wrong.push("lines of the log are missing".to_owned());
    }
    match dgh_engine::log::replay(&played.prepared, &played.log) {
        Ok(replayed) if played.stuck.is_none() && !replayed.call.is_over() => {
            wrong.push("the log ends before the call".to_owned());
        }
        Ok(_) => {}
        Err(error) => wrong.push(format!("the log does not replay ({error})")),
    }
    wrong
}
