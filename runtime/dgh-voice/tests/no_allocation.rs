//! In the steady state of a call no stage of sound takes memory: what it needs, it took before.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::alloc::System;

use dgh_engine::event::UtteranceId;
use dgh_voice::audio::g711::Law;
use dgh_voice::audio::jitter::{JitterBuffer, Pull};
use dgh_voice::audio::mix::{Ambience, Loop};
use dgh_voice::audio::record::Recorder;
use dgh_voice::audio::resample::Resampler;
use dgh_voice::audio::{Frame, beep, denoise, dtmf, echo, level, opus, vad};
use dgh_voice::playout::{Out, Playout};
use dgh_voice::turn::{Heard, Tuning, TurnTaker};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Runs the stage until it is warm, and counts what it takes after that.
fn allocations(frames: usize, mut stage: impl FnMut(usize)) -> usize {
    (0..frames).for_each(&mut stage);
    let region = Region::new(ALLOCATOR);
    (frames..2 * frames).for_each(&mut stage);
    let change = region.change();
    change.allocations + change.reallocations
}

fn speech(rate: u32) -> Vec<Frame> {
    let bytes = include_bytes!("../fixtures/caller.ulaw");
    let mut samples = vec![0; bytes.len()];
    Law::Mu.decode_into(bytes, &mut samples);
    let mut sound = Vec::new();
    Resampler::new(8_000, rate).push(&samples, &mut sound);
    let frame = |samples: &[i16]| {
        let mut frame = Frame::default();
        frame.copy_from(samples);
        frame
    };
    sound.chunks_exact(rate as usize / 50).map(frame).collect()
}

// One test: the counter is that of the process, and tests beside it would count as well.
#[test]
fn a_frame_takes_no_memory() {
    let speech_8 = speech(8_000);
    let speech_16 = speech(16_000);
    let at = |n: usize| n % speech_8.len();
    let count = speech_8.len();
    let mut out = Frame::default();

    let mut bytes = Vec::with_capacity(160);
    let taken = allocations(count, |n| {
        bytes.clear();
        Law::Mu.encode(speech_8[at(n)].samples(), &mut bytes);
        Law::Mu.decode(&bytes, &mut out);
    });
    assert_eq!(taken, 0, "G.711");

    let (mut encoder, mut decoder) =
        (opus::Encoder::new(16_000).unwrap(), opus::Decoder::new(16_000).unwrap());
    let taken = allocations(count, |n| {
        let packet = encoder.encode(speech_16[at(n)].samples()).unwrap();
        match n % 9 {
            0 => decoder.conceal(&mut out).unwrap(),
            1 => decoder.recover(packet, &mut out).unwrap(),
            _ => decoder.decode_frame(packet, &mut out).unwrap(),
        }
    });
    assert_eq!(taken, 0, "Opus");

    for (from, to) in [(8_000, 16_000), (24_000, 8_000), (22_050, 16_000), (16_000, 48_000)] {
        let sound = speech(from);
        let mut resampler = Resampler::new(from, to);
        let mut samples = Vec::with_capacity(960);
        let taken = allocations(count, |n| {
            samples.clear();
            resampler.push(sound[n % sound.len()].samples(), &mut samples);
            resampler.push_frame(&sound[n % sound.len()], &mut out);
        });
        assert_eq!(taken, 0, "{from} to {to} Hz");
    }

    let mut detectors = [vad::Detector::new(8_000), vad::Detector::new(16_000)];
    let mut keys = dtmf::Detector::new(8_000);
    let mut beeps = beep::Detector::new(8_000);
    let mut guard = echo::EchoGuard::new(8_000);
    let mut silence = Frame::default();
    silence.silence(8_000);
    let taken = allocations(count, |n| {
        // With pauses, so that the network sleeps and wakes.
        let frame = if n / 50 % 2 == 0 { &speech_8[at(n)] } else { &silence };
        detectors[0].push(frame);
        detectors[1].push(&speech_16[at(n)]);
        keys.push(frame);
        beeps.push(frame);
        guard.played(n as u64 * 20, &speech_8[at(n)]);
        guard.heard(n as u64 * 20, &speech_8[at(n + 7)]);
        std::hint::black_box(level::level_db(frame.samples()));
    });
    assert_eq!(taken, 0, "detectors");

    let mut buffer = JitterBuffer::new(8_000);
    let taken = allocations(1_000, |n| {
        // Each tenth is lost, each seventh a little late.
        let number = if n % 7 == 0 { n + 1 } else { n };
        if n % 10 != 0 {
            buffer.push(number as u16, number as u32 * 160, &[0; 160], n as u64 * 20);
        }
        while !matches!(buffer.pull(n as u64 * 20), Pull::Wait(_)) {}
    });
    assert_eq!(taken, 0, "jitter buffer");

    let mut room = Loop::room(Ambience::Cafe, 8_000, 0.5, 0);
    let taken = allocations(count, |_| room.mix_into(out.samples_mut()));
    assert_eq!(taken, 0, "room");

    let mut dialer = dtmf::Dialer::new(8_000);
    dialer.press("0123456789wwwwwwwwwwwwwwww");
    let taken = allocations(count, |_| {
        dialer.fill(&mut out);
    });
    assert_eq!(taken, 0, "dialer");

    // A block of 400 ms is handed to the writer with one link of its queue per 31 blocks, and what
    // the thread does then counts as well: a few in 40 s, not one per frame.
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::create(&folder.path().join("call.wav"), 8_000).unwrap();
    let taken = allocations(2_000, |n| {
        recorder.caller(n as u64 * 20, &speech_8[at(n)]);
        recorder.agent(n as u64 * 20, &speech_8[at(n + 3)]);
        if n % 20 == 0 {
            // A call's time passes: the writer keeps up.
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    assert!(taken < 40, "recorder: {taken} in 2,000 frames");
    drop(recorder);

    let mut denoiser = denoise::Denoiser::new(8_000);
    let taken = allocations(100, |n| {
        out.copy_from(speech_8[at(n)].samples());
        denoiser.process(&mut out);
    });
    assert_eq!(taken, 0, "denoiser");

    let mut playout = Playout::new(8_000, 60, true);
    let id = UtteranceId(1);
    playout.queue(id, "one endless utterance", true, &[]);
    let mut mark = 0;
    let taken = allocations(500, |n| {
        playout.sound(id, speech_8[at(n)].samples());
        loop {
            match playout.poll(n as u64 * 20, &mut out) {
                Out::Wait(_) => break,
                Out::Mark(sent) => mark = sent,
                _ => {}
            }
        }
        playout.marked(mark, n as u64 * 20);
    });
    assert_eq!(taken, 0, "playout");

    let mut turns = TurnTaker::new(Tuning::default());
    turns.handle(Heard::Agent(Some(true)), 0);
    let taken = allocations(2_000, |n| {
        // Noises: held, and let go.
        turns.handle(if n % 100 < 8 { Heard::Voice(true) } else { Heard::Voice(false) }, n as u64 * 20);
        while turns.poll().is_some() {}
    });
    assert_eq!(taken, 0, "turn taking");
}
