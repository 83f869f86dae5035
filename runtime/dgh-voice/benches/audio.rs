//! What a frame of 20 ms costs, stage by stage: `cargo bench -p dgh-voice --bench audio`.
//!
//! Speech of the fixtures goes through each stage again and again; printed is the best of forty
//! runs per frame, as the rows of the table in this crate's README.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, clippy::indexing_slicing)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use dgh_voice::audio::g711::Law;
use dgh_voice::audio::jitter::{JitterBuffer, Pull};
use dgh_voice::audio::mix::{Ambience, Loop};
use dgh_voice::audio::record::Recorder;
use dgh_voice::audio::resample::Resampler;
use dgh_voice::audio::{Frame, beep, denoise, dtmf, echo, level, opus, vad};

fn main() {
    let speech = speech();
    codecs(&speech);
    rates(&speech);
    detectors(&speech);
    buffers(&speech);
    recording(&speech);
    denoising(&speech);
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

/// Keys, beeps, echo: 8 kHz, where the lines are that need them.
fn buffers(speech: &[i16]) {
    let sound = frames(speech, 8_000);
    let mut keys = dtmf::Detector::new(8_000);
    row("DTMF in the sound, speech, 8 kHz", sound.len(), |n| {
        black_box(keys.push(&sound[n]));
    });
    let mut beeps = beep::Detector::new(8_000);
    row("beep, speech, 8 kHz", sound.len(), |n| {
        black_box(beeps.push(&sound[n]));
    });
    let mut guard = echo::EchoGuard::new(8_000);
    let mut at = 0;
    row("echo guard, the agent is silent, 8 kHz", sound.len(), |n| {
        guard.heard(at, &sound[n]);
        at += 20;
    });
    row("echo guard, both speak, 8 kHz", sound.len(), |n| {
        guard.played(at, &sound[n]);
        black_box(guard.heard(at, &sound[(n + 50) % sound.len()]));
        at += 20;
    });
    row("echo guard, known echo, 8 kHz", sound.len(), |n| {
        guard.played(at, &sound[n]);
        let mut echo = sound[(n + sound.len() - 6) % sound.len()].clone();
        echo.samples_mut().iter_mut().for_each(|sample| *sample /= 4);
        black_box(guard.heard(at, &echo));
        at += 20;
    });
    let mut buffer = JitterBuffer::new(8_000);
    let mut number = 0u32;
    row("jitter buffer, a packet of 160 bytes", sound.len(), |_| {
        buffer.push(number as u16, number.wrapping_mul(160), &[0; 160], u64::from(number) * 20);
        while !matches!(black_box(buffer.pull(u64::from(number) * 20)), Pull::Wait(_)) {}
        number += 1;
    });
    for rate in [8_000, 48_000] {
        let mut room = Loop::room(Ambience::Office, rate, 0.3, 0);
        let mut frame = frames(&resampled(speech, rate), rate).swap_remove(30);
        row(&format!("room, {} kHz", rate / 1_000), 100, |_| room.mix_into(black_box(frame.samples_mut())));
    }
}

fn denoising(speech: &[i16]) {
    for rate in [8_000, 16_000, 48_000] {
        let sound = frames(&resampled(speech, rate), rate);
        let mut denoiser = denoise::Denoiser::new(rate);
        let mut frame = Frame::default();
        let delay = denoiser.delay_us() / 1_000;
        row(&format!("denoise {} kHz ({delay} ms late)", rate / 1_000), sound.len(), |n| {
            frame.copy_from(sound[n].samples());
            denoiser.process(&mut frame);
        });
    }
}

fn recording(speech: &[i16]) {
    for rate in [8_000, 16_000, 48_000] {
        let sound = frames(&resampled(speech, rate), rate);
        let path = std::env::temp_dir().join(format!("dgh-bench-{}-{rate}.wav", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let mut recorder = Recorder::create(&path, rate).expect("a file");
        let mut best = Duration::MAX;
        let mut at = 0;
        for _ in 0..RUNS {
            let mut spent = Duration::ZERO;
            for second in sound.chunks(50).take(4) {
                let start = Instant::now();
                for frame in second {
                    recorder.caller(at, frame);
                    recorder.agent(at, frame);
                    at += 20;
                }
                spent += start.elapsed();
                // No disk is a hundred times faster than a call: the writer gets its time.
                std::thread::sleep(Duration::from_millis(2));
            }
            best = best.min(spent / 200);
        }
        println!("| recording, both sides, {} kHz | {} |", rate / 1_000, best.as_nanos());
        assert_eq!(recorder.trouble(), None);
        drop(recorder);
        let _ = std::fs::remove_file(path);
    }
}

const RUNS: usize = 40;

/// Runs a stage over all frames, and prints the best mean of forty.
fn row(name: &str, frames: usize, mut stage: impl FnMut(usize)) {
    let rounds = (600 / frames).max(1);
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
