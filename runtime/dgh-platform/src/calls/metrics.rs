//! The figures of calls. Names follow Prometheus: base units, `_total` for what only grows.

use dgh_engine::log::{Timing, Voice};
use metrics::{counter, gauge, histogram};

use super::live::Summary;

/// Every figure and what it says, for whoever exports them.
pub const DESCRIPTIONS: &[(Kind, &str, &str)] = &[
    (Kind::Gauge, "dgh_calls_live", "Calls that go on"),
    (Kind::Counter, "dgh_calls_total", "Calls that ended, by agent, line, outcome and who ended them"),
    (Kind::Counter, "dgh_calls_refused_total", "Calls that were not taken, by reason"),
    (Kind::Histogram, "dgh_call_seconds", "Length of a call"),
    (Kind::Histogram, "dgh_turn_seconds", "From the caller's last sound to the agent's first one, by share"),
    (Kind::Histogram, "dgh_provider_connect_seconds", "Time to connect, by part and provider"),
    (Kind::Counter, "dgh_troubles_total", "What went wrong in calls, by part"),
    (Kind::Counter, "dgh_false_interruptions_total", "Times that the agent stopped and went on"),
    (Kind::Counter, "dgh_discarded_answers_total", "Answers that were prepared and not wanted"),
    (Kind::Counter, "dgh_log_lost_total", "Times that lines of a log could not be written"),
    (Kind::Gauge, "dgh_store_waiting", "Writes about calls that wait for the database"),
    (
        Kind::Counter,
        "dgh_store_away_total",
        "Times that the database was away when a call had something to write",
    ),
    (Kind::Counter, "dgh_store_dropped_total", "Parts of logs that are on the disk of this node alone"),
    (Kind::Counter, "dgh_store_lost_total", "Writes about calls that the database did not take"),
    (Kind::Histogram, "dgh_store_write_seconds", "Time to write what happened in calls"),
    (Kind::Counter, "dgh_calls_swept_total", "Calls that were ended for owners which were gone"),
    (
        Kind::Counter,
        "dgh_calls_fenced_total",
        "Calls that had been ended by another node when their owner ended them",
    ),
    (Kind::Counter, "dgh_calls_unfinished_total", "Calls that were ended without their program"),
    (Kind::Counter, "dgh_files_failed_total", "Files of calls that could not be stored at once"),
    (Kind::Counter, "dgh_reloads_total", "Times that agents were read again, by result"),
];

/// Kinds of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Spread over buckets.
    Histogram,
}

/// Buckets of times in seconds: fine where people notice.
pub const SECONDS: &[f64] = &[
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0,
];
/// Buckets of the length of calls.
pub const CALL_SECONDS: &[f64] = &[5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0];

pub(super) fn live(calls: usize) {
    #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
    gauge!("dgh_calls_live").set(calls as f64);
}

pub(super) fn refused(reason: &'static str) {
    counter!("dgh_calls_refused_total", "reason" => reason).increment(1);
}

pub(super) fn ended(summary: &Summary, seconds: f64) {
    let outcome = summary.outcome.clone().unwrap_or_else(|| "none".to_owned());
    let by = summary.ended_by.clone().unwrap_or_default();
    counter!("dgh_calls_total",
        "agent" => summary.agent.clone(), "line" => summary.line, "outcome" => outcome, "ended_by" => by)
    .increment(1);
    histogram!("dgh_call_seconds", "line" => summary.line).record(seconds);
}

pub(super) fn voice(voice: &Voice) {
    match voice {
        Voice::Timing(timing) => turn(timing),
        Voice::Trouble { part, .. } => counter!("dgh_troubles_total", "part" => part.clone()).increment(1),
        Voice::FalseInterruption => counter!("dgh_false_interruptions_total").increment(1),
        Voice::Discarded => counter!("dgh_discarded_answers_total").increment(1),
        Voice::Provider { part, provider, connect_ms } => {
            let seconds = f64::from(u32::try_from(*connect_ms).unwrap_or(u32::MAX)) / 1_000.0;
            histogram!("dgh_provider_connect_seconds", "part" => part.clone(), "provider" => provider.clone())
                .record(seconds);
        }
    }
}

fn turn(timing: &Timing) {
    let shares = [
        ("voice_to_voice", timing.voice_to_voice()),
        ("recogniser", timing.recogniser()),
        ("endpointing", timing.speech_ended.map(|_| timing.endpointing())),
        ("model", timing.model()),
        ("voice", timing.voice()),
        ("own", timing.own()),
    ];
    for (share, micros) in shares {
        if let Some(micros) = micros {
            let seconds = f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1e6;
            histogram!("dgh_turn_seconds", "share" => share).record(seconds);
        }
    }
}
