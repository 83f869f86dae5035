//! What a frame of 20 ms costs, stage by stage: `cargo bench -p dgh-voice --bench audio`.
//!
//! Speech of the fixtures goes through each stage again and again; printed is the best of five
//! runs per frame, as the rows of the table in this crate's README.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, clippy::indexing_slicing)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use dgh_voice::audio::g711::Law;
use dgh_voice::audio::record::Recorder;
use dgh_voice::audio::resample::Resampler;
use dgh_voice::audio::{Frame, level, opus, vad};

fn main() {
    let speech = speech();
    codecs(&speech);
    rates(&speech);
    detectors(&speech);
    recording(&speech);
}

fn codecs(speech: &[i16]) {
    let frames = frames(speech, 8_000);
    for law in [Law::Mu, Law::A] {
        let mut bytes = Vec::with_capacity(160);
        row(&format!("G.711 {law:?} encode"), frames.len(), |n| {
            bytes.clear();
            law.encode(black_box(frames[n].samples()), &mut bytes);
            black_box(&bytes);
        });
        let mut frame = Frame::default();
        row(&format!("G.711 {law:?} decode"), frames.len(), |_| {
            law.decode(black_box(&bytes), &mut frame);
            black_box(&frame);
        });
    }
    for rate in [16_000, 24_000, 48_000] {
        let sound = self::frames(&resampled(speech, rate), rate);
        let mut encoder = opus::Encoder::new(rate).expect("a rate of Opus");
        row(&format!("Opus encode {} kHz", rate / 1_000), sound.len(), |n| {
            black_box(encoder.encode(sound[n].samples()).expect("a frame"));
        });
        let packets: Vec<Vec<u8>> =
            sound.iter().map(|frame| encoder.encode(frame.samples()).expect("a frame").to_vec()).collect();
        for to in [16_000, 48_000] {
            let mut decoder = opus::Decoder::new(to).expect("a rate of Opus");
            let mut frame = Frame::default();
            row(&format!("Opus decode {} kHz to {} kHz", rate / 1_000, to / 1_000), packets.len(), |n| {
                decoder.decode_frame(&packets[n], &mut frame).expect("a packet");
            });
        }
    }
}

fn rates(speech: &[i16]) {
    for (from, to) in [
        (8_000, 16_000),
        (16_000, 8_000),
        (22_050, 8_000),
        (24_000, 8_000),
        (24_000, 16_000),
        (44_100, 16_000),
        (48_000, 16_000),
        (16_000, 48_000),
        (24_000, 48_000),
    ] {
        let sound = frames(&resampled(speech, from), from);
        let mut resampler = Resampler::new(from, to);
        let delay = f64::from(resampler.delay_us()) / 1_000.0;
        let mut frame = Frame::default();
        row(&format!("resample {from} to {to} Hz ({delay:.1} ms late)"), sound.len(), |n| {
            resampler.push_frame(&sound[n], &mut frame);
            black_box(&frame);
        });
    }
}

fn detectors(speech: &[i16]) {
    let sound = frames(speech, 8_000);
    row("level, 8 kHz", sound.len(), |n| {
        black_box(level::level_db(black_box(sound[n].samples())));
    });
    let mut quiet = Frame::default();
    quiet.silence(8_000);
    for rate in [8_000, 16_000, 48_000] {
        let sound = frames(&resampled(speech, rate), rate);
        let mut detector = vad::Detector::new(rate);
        row(&format!("VAD, speech, {} kHz", rate / 1_000), sound.len(), |n| {
            black_box(detector.push(&sound[n]));
        });
        quiet.silence(rate);
        row(&format!("VAD, silence, {} kHz", rate / 1_000), sound.len(), |_| {
            black_box(detector.push(&quiet));
        });
    }
}

fn recording(speech: &[i16]) {
    for rate in [8_000, 16_000, 48_000] {
        let sound = frames(&resampled(speech, rate), rate);
        let path = std::env::temp_dir().join(format!("dgh-bench-{}-{rate}.wav", std::process::id()));
        let mut recorder = Recorder::create(&path, rate).expect("a file");
        let mut at = 0;
        row(&format!("recording, both sides, {} kHz", rate / 1_000), sound.len(), |n| {
            recorder.caller(at, &sound[n]);
            recorder.agent(at, &sound[n]);
            at += 20;
            // As fast as this no disk is: the writer keeps up as in a call.
            if at % 8_000 == 0 {
                std::thread::sleep(Duration::ZERO);
            }
        });
        drop(recorder);
        let _ = std::fs::remove_file(path);
    }
}

/// Runs a stage over all frames, and prints the best mean of five.
fn row(name: &str, frames: usize, mut stage: impl FnMut(usize)) {
    const RUNS: usize = 5;
    let rounds = (5_000 / frames).max(1);
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        for _ in 0..rounds {
            (0..frames).for_each(&mut stage);
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / (rounds * frames) as f64);
    }
    println!("| {name} | {best:.0} |");
}

fn speech() -> Vec<i16> {
    let bytes = include_bytes!("../fixtures/caller.ulaw");
    let mut samples = vec![0; bytes.len()];
    Law::Mu.decode_into(bytes, &mut samples);
    samples
}

fn resampled(speech: &[i16], rate: u32) -> Vec<i16> {
    let mut sound = Vec::new();
    Resampler::new(8_000, rate).push(speech, &mut sound);
    sound
}

fn frames(sound: &[i16], rate: u32) -> Vec<Frame> {
    sound
        .chunks_exact(rate as usize / 50)
        .map(|samples| {
            let mut frame = Frame::default();
            frame.copy_from(samples);
            frame
        })
        .collect()
}
