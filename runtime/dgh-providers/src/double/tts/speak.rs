//! One request being spoken: its sound, its words, in time, with its fault.

use std::f64::consts::TAU;
use std::time::Duration;

use bytes::Bytes;
use dgh_net::socket::Message;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::double::tts::wire::Voice;
use crate::double::tts::{Content, Delivery, Fault};
use crate::tts::resample::Resampler;

/// What a voice does to its connection.
pub(super) enum Out {
    Message(Message),
    Cut,
}

/// A word, and when it starts.
pub(super) type Timed = (String, u32);

pub(super) async fn say(voice: Voice, text: String, delivery: Delivery, out: mpsc::Sender<Out>) {
    let spoken = delivery.spoken.clone().unwrap_or_else(|| text.clone());
    let words: Vec<&str> = spoken.split_whitespace().collect();
    let pcm = sound(&delivery.content, words.len(), voice.rate);
    let total_ms = ms(pcm.len(), voice.rate);
    let word_ms = total_ms / u32::try_from(words.len().max(1)).unwrap_or(1);
    let timed: Vec<Timed> =
        words.iter().zip(0..).map(|(word, n)| ((*word).to_owned(), n * word_ms)).collect();
    let start = Instant::now() + delivery.first;
    tokio::time::sleep_until(start).await;
    if delivery.fault == Some(Fault::Garbage) {
        let _ = out.send(Out::Message(Message::text("{\"type\": \"chu"))).await;
        return;
    }
    let mut piece = (voice.rate * delivery.piece_ms / 1_000) as usize * 2;
    if delivery.fault == Some(Fault::Halves) {
        piece += 1;
    }
    let (mut at, mut told) = (0, 0);
    loop {
        let from_ms = ms(at, voice.rate);
        match &delivery.fault {
            Some(Fault::Stall { after_ms }) if from_ms >= *after_ms => std::future::pending().await,
            Some(Fault::Cut { after_ms }) if from_ms >= *after_ms => {
                let _ = out.send(Out::Cut).await;
                return;
            }
            Some(Fault::Error { after_ms, message }) if from_ms >= *after_ms => {
                for message in voice.error(message) {
                    let _ = out.send(Out::Message(message)).await;
                }
                return;
            }
            _ => {}
        }
        if at >= pcm.len() {
            break;
        }
        if delivery.speed.is_finite() {
            let wait = Duration::from_millis(u64::from(from_ms)).div_f64(delivery.speed);
            tokio::time::sleep_until(start + wait).await;
        }
        let end = (at + piece).min(pcm.len());
        let until_ms = ms(end, voice.rate);
        let now: Vec<Timed> = timed.iter().skip(told).take_while(|(_, at)| *at < until_ms).cloned().collect();
        told += now.len();
        for message in voice.sound(pcm.slice(at..end), from_ms, &now) {
            if out.send(Out::Message(message)).await.is_err() {
                return;
            }
        }
        at = end;
    }
    for message in voice.done() {
        let _ = out.send(Out::Message(message)).await;
    }
}

fn ms(bytes: usize, rate: u32) -> u32 {
    u32::try_from(bytes as u64 / 2 * 1_000 / u64::from(rate)).unwrap_or(u32::MAX)
}

fn sound(content: &Content, words: usize, rate: u32) -> Bytes {
    match content {
        Content::Nothing => Bytes::new(),
        Content::Pcm { rate: from, pcm } => {
            let mut resampler = Resampler::new(*from, rate);
            let mut out = resampler.push(pcm.clone()).to_vec();
            out.extend_from_slice(&resampler.finish());
            out.into()
        }
        Content::Tone { hz, word_ms } => {
            let ms = word_ms.saturating_mul(u32::try_from(words).unwrap_or(u32::MAX));
            let samples = u32::try_from(u64::from(rate) * u64::from(ms) / 1_000).unwrap_or(u32::MAX);
            let sample = |n: u32| (8_000.0 * (TAU * hz * f64::from(n) / f64::from(rate)).sin()) as i16;
            (0..samples).flat_map(|n| sample(n).to_le_bytes()).collect()
        }
    }
}
