//! Calls that are disturbed: every test of every example is played as a call with its own time, and
//! at one moment of it something goes wrong. Whatever that is, the call goes on or ends, with words.
//!
//! Without more, moments are some way apart. `DGH_FUZZ=all` takes every 20 ms of every call,
//! `DGH_FUZZ=500` every half second; `DGH_FUZZ="clinic/a caller books the second slot/barge_in/12340"`
//! plays one and prints it. `DGH_FUZZ_PART=3/16` plays every sixteenth of them, from the third on: all
//! parts together are all calls, and each is spread over all of them. An example is a test, so that its
//! name plays it alone. Findings name the call to play again.

#![allow(clippy::print_stdout, clippy::format_push_string, reason = "findings are read by people")]

mod caller;
mod checks;
mod examples;
mod injection;
mod silence;
mod timeline;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use dgh_engine::Prepared;
use dgh_engine::effect::{Effect, Record};
use dgh_engine::log::{Entry, Log, What};

use examples::{Case, cases};
use injection::{Injection, Kind};
use world::World;

/// Between two moments of a call that are disturbed in the same way.
const STRIDE_MS: u64 = 6_200;
/// The same, when all are wanted: a frame.
const EVERY_MS: u64 = 20;
/// Findings that are told in full.
const TOLD: usize = 4;

#[test]
fn the_clinic_is_not_disturbed() {
    disturb("clinic");
}

#[test]
fn the_lead_is_not_disturbed() {
    disturb("lead");
}

#[test]
fn the_collector_is_not_disturbed() {
    disturb("collections");
}

#[test]
fn the_front_desk_is_not_disturbed() {
    disturb("front_desk");
}

/// A call that was played.
struct Played {
    prepared: Arc<Prepared>,
    log: Log,
    world: Arc<World>,
    /// Why the driver did not come to its end, if it did not.
    stuck: Option<String>,
}

impl Played {
    fn entries(&self) -> impl Iterator<Item = (u64, &Entry)> {
        let began = self.log.start.now.0;
        self.log.entries.iter().map(move |entry| (u64::try_from(entry.at.0 - began).unwrap(), entry))
    }

    fn records(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.entries().filter_map(|(at, entry)| match &entry.what {
            What::Effect(Effect::Emit(record)) => Some((at, record)),
            _ => None,
        })
    }

    /// Milliseconds until it was over.
    fn length(&self) -> u64 {
        let seen = self.world.seen();
        seen.hung_up.unwrap_or_else(|| self.world.now())
    }
}

fn disturb(example: &str) {
    let wanted = std::env::var("DGH_FUZZ").ok();
    let stride = match wanted.as_deref() {
        None => STRIDE_MS,
        Some("all") => EVERY_MS,
        Some(wanted) => match wanted.parse() {
            Ok(stride) => stride,
            Err(_) => return only(example, wanted),
        },
    };
    let (part, parts) = part();
    let mut findings: BTreeMap<String, (u32, String)> = BTreeMap::new();
    let (mut calls, mut played) = (0, 0);
    for (number, case) in cases(example).iter().enumerate() {
        let (length, calm) = calm(case);
        note(&mut findings, calm);
        for (nth, kind) in Kind::ALL.into_iter().enumerate() {
            let stride = stride * kind.rarity();
            // Other moments for each way and each test.
            let phase = (number as u64 * 2_620 + nth as u64 * 940) % stride;
            let mut at = phase / EVERY_MS * EVERY_MS;
            while at < length {
                if calls % parts == part {
                    played += 1;
                    note(&mut findings, check(case, Injection { kind, at }, length));
                }
                calls += 1;
                at += stride;
            }
        }
    }
    println!("{example}: {played} of {calls} calls, {} findings", findings.len());
    assert!(findings.is_empty(), "{}", told(&findings));
}

/// Which calls are played, counted from 0, and of how many parts.
fn part() -> (u64, u64) {
    let Ok(wanted) = std::env::var("DGH_FUZZ_PART") else { return (0, 1) };
    let parts = wanted.split_once('/').map(|(part, parts)| (part.parse::<u64>(), parts.parse::<u64>()));
    match parts {
        Some((Ok(part), Ok(parts))) if (1..=parts).contains(&part) => (part - 1, parts),
        _ => panic!("DGH_FUZZ_PART is a part of parts, as in 3/16; not `{wanted}`"),
    }
}

/// What went wrong, by what it is: how often, and one of them in full.
fn note(findings: &mut BTreeMap<String, (u32, String)>, found: Vec<(String, String)>) {
    for (what, full) in found {
        findings.entry(what).or_insert((0, full)).0 += 1;
    }
}

fn told(findings: &BTreeMap<String, (u32, String)>) -> String {
    let mut text = String::new();
    for (what, (times, _)) in findings {
        text += &format!("{times} times: {what}\n");
    }
    for (_, full) in findings.values().take(TOLD) {
        text += &format!("\n{full}\n");
    }
    text
}

/// A call that nothing disturbs goes as its test says. Answers how long it is, and what is wrong.
fn calm(case: &Case) -> (u64, Vec<(String, String)>) {
    let played = play(case, None);
    let mut wrong = checks::common(&played, None, 0);
    wrong.extend(checks::as_scripted(&played, case));
    (played.length(), report(case, None, &played, wrong))
}

fn check(case: &Case, injection: Injection, length: u64) -> Vec<(String, String)> {
    let played = play(case, Some(injection));
    let wrong = checks::common(&played, Some(injection), length);
    report(case, Some(injection), &played, wrong)
}

fn report(
    case: &Case,
    injection: Option<Injection>,
    played: &Played,
    wrong: Vec<String>,
) -> Vec<(String, String)> {
    let what = injection.map_or("calm", |injection| injection.kind.name());
    let seed = injection
        .map_or_else(String::new, |injection| format!("DGH_FUZZ=\"{}/{}\"\n", case.path(), injection));
    let full = |wrong: &str| format!("{}: {what}: {wrong}\n{seed}{}", case.path(), timeline::of(played));
    // Numbers tell one case from another, not one kind of fault from another.
    let kind = |wrong: &str| wrong.split(" (").next().unwrap_or(wrong).to_owned();
    wrong.iter().map(|wrong| (format!("{what}: {}", kind(wrong)), full(wrong))).collect()
}

fn only(example: &str, wanted: &str) {
    for case in cases(example) {
        let Some(rest) = wanted.strip_prefix(&case.path()) else { continue };
        let rest = rest.trim_start_matches('/');
        let (length, mut found) = calm(&case);
        let injection = (!rest.is_empty()).then(|| rest.parse::<Injection>().expect("kind/ms"));
        if let Some(injection) = injection {
            found = check(&case, injection, length);
        }
        println!("{}", timeline::of(&play(&case, injection)));
        assert!(
            found.is_empty(),
            "{}",
            found.iter().map(|(what, _)| what.as_str()).collect::<Vec<_>>().join("\n")
        );
    }
}

/// Plays a test as a call.
fn play(case: &Case, injection: Option<Injection>) -> Played {
    in_paused_time(async {
        let (world, call, mut kept) = World::open(case, injection);
        let bound = std::time::Duration::from_millis(checks::LONGEST_MS);
        let others = [
            tokio::spawn(caller::speaks(Arc::clone(&world))),
            tokio::spawn(injection::happens(Arc::clone(&world))),
        ];
        let person = tokio::spawn(caller::acts(Arc::clone(&world), Arc::clone(&case.test)));
        world.person(person.abort_handle());
        let stuck = match tokio::time::timeout(bound, call).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(format!("the call broke: {error}")),
            Err(_) => Some("the call is stuck".to_owned()),
        };
        world.is_over();
        for task in others {
            task.abort();
        }
        let mut entries = Vec::new();
        while let Ok(entry) = kept.try_recv() {
            entries.push(entry);
        }
        let log = Log {
            engine: dgh_engine::log::ENGINE.to_owned(),
            program: None,
            agent: case.agent.clone(),
            start: world.start.clone(),
            entries,
        };
        Played { prepared: Arc::clone(&case.prepared), log, world, stuck }
    })
}

fn in_paused_time<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(what)
}
