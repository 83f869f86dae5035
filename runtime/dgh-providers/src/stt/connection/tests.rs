//! A recogniser with a task of its own behind a list.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::llm::LlmErrorKind;
use crate::stt::testing::{finals, is_answered, speak, start, until};
use crate::stt::{Expected, Stt, SttEvent, SttInput, SttSession, SttStart, failover};
use crate::voice::VoiceError;

/// Answers each question with the number of frames before it, and with what fits; or fails at once.
struct Counts {
    works: bool,
}

impl Stt for Counts {
    fn open(&self, _: SttStart) -> SttSession {
        let (input, mut heard) = mpsc::channel(8);
        let (tell, events) = mpsc::channel(8);
        let works = self.works;
        tokio::spawn(async move {
            let (mut frames, mut fits) = (0, String::new());
            while let Some(input) = heard.recv().await {
                match input {
                    SttInput::Audio(_) => frames += 1,
                    SttInput::Expect(expected) => fits = expected.phrases.join(" "),
                    SttInput::SpeechEnded if works => {
                        let text = format!("{frames} {fits}");
                        let words = SttEvent::Final { text, confidence: None, language: None };
                        tell.send(words).await.unwrap();
                    }
                    SttInput::SpeechEnded => {
                        let error = VoiceError {
                            provider: "own".into(),
                            kind: LlmErrorKind::Unavailable,
                            message: "no".into(),
                        };
                        tell.send(SttEvent::Failed(error)).await.unwrap();
                        return;
                    }
                }
            }
        });
        SttSession { input, events }
    }
}

#[tokio::test]
async fn it_hears_what_another_one_missed_and_what_is_expected_now() {
    let list: Vec<(String, Arc<dyn Stt>)> = vec![
        ("bad".into(), Arc::new(Counts { works: false })),
        ("good".into(), Arc::new(Counts { works: true })),
    ];
    let mut session = failover(list).unwrap().open(start(8_000));
    for phrases in [["no"], ["yes"]] {
        let expected = Expected { phrases: phrases.map(str::to_owned).into(), ..Expected::default() };
        session.input.send(SttInput::Expect(Arc::new(expected))).await.unwrap();
    }
    speak(&session, 600, 100).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!(finals(&events), ["35 yes"], "{events:?}");
    let SttEvent::Connected { provider, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!(provider, "bad");
}
