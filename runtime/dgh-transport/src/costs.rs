//! What lines cost, for the tables of the README:
//! `cargo test --release -p dgh-transport costs -- --ignored --nocapture --test-threads 1`.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use std::time::{Duration, Instant};

use dgh_voice::audio::Frame;
use dgh_voice::line::{Line, LineCommand, LineEvent};
use futures::future::join_all;

use crate::carrier;
use crate::socket::accept;
use crate::socket::testing::Far;
use crate::webrtc::testing::{call, talk};

/// Frames each way of a carrier's line.
const FRAMES: usize = 20_000;
/// Peers, and how long they talk.
const PEERS: usize = 40;
const TALK: usize = 500;

#[tokio::test]
#[ignore = "a measurement"]
async fn of_a_carriers_frame() {
    let (far, near) = Far::new();
    far.text(r#"{"event":"start","streamSid":"MZ1","start":{"callSid":"CA1"}}"#);
    let (_, mut line) = accept(near, carrier::named("twilio").unwrap()).await.unwrap();
    let payload = "AAAA".repeat(53) + "AA==";
    for chunk in 0..FRAMES {
        let at = chunk * 20;
        far.text(format!(r#"{{"event":"media","sequenceNumber":"{chunk}","media":{{"track":"inbound","chunk":"{chunk}","timestamp":"{at}","payload":"{payload}"}},"streamSid":"MZ1"}}"#));
    }
    let mut frame = Frame::default();
    let samples = [1_000; 160];
    let start = Instant::now();
    for _ in 0..FRAMES {
        let event = std::future::poll_fn(|cx| line.poll_event(cx, &mut frame)).await;
        assert_eq!(event, LineEvent::Audio);
    }
    let heard = start.elapsed();
    let start = Instant::now();
    for _ in 0..FRAMES {
        line.send(LineCommand::Audio(&samples));
        std::future::poll_fn(|cx| line.poll_flush(cx)).await;
    }
    let said = start.elapsed();
    let each = |time: Duration| time.as_nanos() / FRAMES as u128;
    eprintln!("twilio: {} ns for a frame in, {} ns for a frame out", each(heard), each(said));
}

#[tokio::test]
#[ignore = "a measurement"]
async fn of_a_peer() {
    let before = (resident_kib(), cpu());
    let mut calls = Vec::new();
    for _ in 0..PEERS {
        calls.push(call().await);
    }
    let connected = (resident_kib(), cpu());
    let start = Instant::now();
    join_all(calls.iter_mut().map(|call| talk(call, TALK, |_| false))).await;
    let (talked, spent, time) = (resident_kib(), cpu().saturating_sub(connected.1), start.elapsed());
    // Both sides of a call are in this process, and cost about the same.
    let share = 100.0 * spent.as_secs_f64() / time.as_secs_f64() / (2 * PEERS) as f64;
    let frame = spent.as_micros() / (2 * PEERS * TALK) as u128;
    let set_up = connected.1.saturating_sub(before.1).as_micros() / (2 * PEERS) as u128;
    eprintln!(
        "webrtc: {share:.2} % of a core for a peer that talks and hears, {frame} µs a frame; {set_up} µs to \
         connect; {} KiB connected, {} KiB after talking",
        (connected.0 - before.0) / (2 * PEERS),
        (talked - before.0) / (2 * PEERS),
    );
}

/// Resident memory of this process.
pub(crate) fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Processor time of this process, in hundredths of a second.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name of the process may hold spaces; it ends with the last parenthesis.
    let fields = stat.rsplit_once(')').unwrap().1;
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
