//! What came out, as a table.

#![allow(clippy::cast_precision_loss, reason = "figures for people have three digits")]

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::caller::Report;
use crate::{Memory, Stub};

/// A run.
pub(crate) struct Run {
    pub(crate) calls: Vec<Report>,
    pub(crate) took: Duration,
    pub(crate) cpu: Duration,
    /// KiB before the first call.
    pub(crate) memory_before: u64,
    pub(crate) memory: Memory,
    pub(crate) delays: Stub,
}

/// Prints a run.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub(crate) fn print(run: &Run) {
    let calls = run.calls.len();
    let minutes = run.calls.iter().map(|call| call.lasted.as_secs_f64()).sum::<f64>() / 60.0;
    let all = |of: fn(&Report) -> &Vec<u64>| {
        let mut histogram = Histogram::<u64>::new(3).ok();
        for value in run.calls.iter().flat_map(of) {
            if let Some(histogram) = &mut histogram {
                // It grows with its values: nothing is refused.
                let _ = histogram.record(*value);
            }
        }
        histogram
    };
    let theirs = (run.delays.stt_ms + run.delays.llm_ms + run.delays.tts_ms) * 1_000;
    println!("{calls} calls, {minutes:.1} minutes of calls in {:.1} s", run.took.as_secs_f64());
    println!(
        "providers: stt {} ms, model {} ms, voice {} ms, {} ms between tokens, sound at {} times its speed",
        run.delays.stt_ms, run.delays.llm_ms, run.delays.tts_ms, run.delays.token_ms, run.delays.tts_speed
    );
    println!("{:<34}{:>9}{:>9}{:>9}{:>9}{:>9}", "", "count", "p50", "p95", "p99", "max");
    line("voice to voice, ms", all(|call| &call.voice_to_voice), 0);
    if run.delays.token_ms == 0 {
        line("  of it not the providers', ms", all(|call| &call.voice_to_voice), theirs);
    }
    line("barge-in to clear, ms", all(|call| &call.barge_in), 0);
    line("output jitter, ms", all(|call| &call.jitter), 0);
    let (late, frames) = run.calls.iter().fold((0, 0), |(l, f), call| (l + call.late, f + call.frames));
    let unanswered: u64 = run.calls.iter().map(|call| call.unanswered).sum();
    println!("late frames                       {late} of {frames}");
    println!("turns without an answer           {unanswered}");
    println!("CPU-seconds per call-minute       {:.3}", run.cpu.as_secs_f64() / minutes.max(0.001));
    let peak = run.memory.iter().copied().max().unwrap_or(0);
    let per_call = peak.saturating_sub(run.memory_before) / calls.max(1) as u64;
    println!(
        "memory per call, KiB              {per_call} (server {} before, {peak} at most)",
        run.memory_before
    );
    println!("memory over the run, KiB          {:?}", run.memory);
}

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn line(name: &str, histogram: Option<Histogram<u64>>, less: u64) {
    let Some(histogram) = histogram.filter(|histogram| !histogram.is_empty()) else {
        println!("{name:<34}{:>9}", 0);
        return;
    };
    let at = |quantile: f64| {
        let micros = histogram.value_at_quantile(quantile);
        let sign = if micros < less { -1.0 } else { 1.0 };
        sign * micros.abs_diff(less) as f64 / 1_000.0
    };
    println!(
        "{name:<34}{:>9}{:>9.1}{:>9.1}{:>9.1}{:>9.1}",
        histogram.len(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
}
