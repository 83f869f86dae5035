//! A voice where there is none: silence that lasts as long as the words would, so that a person who
//! reads along is given time, and a conversation goes on without a sound.

use bytes::Bytes;
use dgh_providers::tts::{Tts, TtsEvent, TtsInput, TtsSession, TtsStart};
use dgh_providers::voice::{EVENT_QUEUE, INPUT_QUEUE};
use tokio::sync::mpsc;

/// Characters that are read in a second.
const CHARACTERS_A_SECOND: usize = 30;
/// Longest silence for a sentence, in seconds.
const LONGEST: usize = 6;

/// The voice that is silent.
pub(crate) struct Quiet;

impl Tts for Quiet {
    fn provider(&self) -> &'static str {
        "none"
    }

    fn rates(&self) -> &[u32] {
        &[8_000, 16_000, 24_000, 48_000]
    }

    fn open(&self, start: TtsStart) -> TtsSession {
        let (input, mut told) = mpsc::channel(INPUT_QUEUE);
        let (tell, events) = mpsc::channel(EVENT_QUEUE);
        let rate = start.rate;
        tokio::spawn(async move {
            while let Some(asked) = told.recv().await {
                let TtsInput::Speak { id, text, .. } = asked else { continue };
                let samples = samples(&text, rate);
                let pcm = Bytes::from(vec![0; samples * 2]);
                for event in [TtsEvent::Audio { id, pcm }, TtsEvent::Done { id }] {
                    if tell.send(event).await.is_err() {
                        return;
                    }
                }
            }
        });
        TtsSession { rate, input, events }
    }
}

fn samples(text: &str, rate: u32) -> usize {
    let rate = rate as usize;
    (text.chars().count() * rate / CHARACTERS_A_SECOND).min(rate * LONGEST)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn words_take_their_time_and_make_no_sound() {
        let mut session = Quiet.open(TtsStart { rate: 8_000, language: "en".to_owned() });
        let text = "x".repeat(30);
        session.input.send(TtsInput::Speak { id: 1, text, language: "en".to_owned() }).await.unwrap();
        let Some(TtsEvent::Audio { id: 1, pcm }) = session.events.recv().await else { panic!() };
        assert_eq!((pcm.len(), pcm.iter().all(|byte| *byte == 0)), (16_000, true));
        assert_eq!(session.events.recv().await, Some(TtsEvent::Done { id: 1 }));
        assert_eq!(samples(&"x".repeat(10_000), 8_000), 48_000);
    }
}
