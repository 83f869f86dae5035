//! Whatever fails, and when: the caller's words are told once, by somebody.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use dgh_net::testing::SocketServer;
use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::double::SttServer;
use crate::double::stt::{SttFault, SttScript};
use crate::llm::LlmErrorKind;
use crate::stt::testing::{
    finals, frame, is_answered, is_failed, model, next, registry, speak, start, until,
};
use crate::stt::{SttEvent, SttInput};
use crate::voice::Voices;

const WORDS: &str = "book me a cleaning on friday";

fn script(faults: Vec<Option<SttFault>>) -> SttScript {
    SttScript { words: vec![WORDS.into(), "thank you".into()], faults, ..SttScript::default() }
}

fn list(urls: &[&str], timeout: f64) -> Arc<dyn Stt> {
    let named = |(index, url): (usize, &&str)| {
        let name = ["first", "second", "third"][index];
        let model = model(name, "deepgram_listen", url, json!({ "timeout": timeout }));
        (name.to_owned(), registry().stt(&model).unwrap())
    };
    failover(urls.iter().enumerate().map(named).collect()).unwrap()
}

/// Two servers, the first of which fails this way.
async fn two(fault: SttFault) -> (SttServer, SttServer) {
    (SttServer::start(script(vec![Some(fault)])).await, SttServer::start(script(Vec::new())).await)
}

fn switches(events: &[SttEvent]) -> Vec<(&str, &str, LlmErrorKind)> {
    let found = events.iter().filter_map(|event| match event {
        SttEvent::Switched { from, to, error } => Some((from.as_str(), to.as_str(), error.kind)),
        _ => None,
    });
    found.collect()
}

#[tokio::test]
async fn whatever_fails_in_the_middle_of_an_utterance_another_one_hears_all_of_it() {
    let ms = Duration::from_millis;
    for (fault, kind) in [
        (SttFault::Refuse(401), LlmErrorKind::Auth),
        (SttFault::Refuse(500), LlmErrorKind::Unavailable),
        (SttFault::Cut(ms(500)), LlmErrorKind::Network),
        (SttFault::Close(ms(500), 1011, "overloaded".into()), LlmErrorKind::Unavailable),
        (SttFault::Say(ms(500), "{ garbage".into()), LlmErrorKind::BadAnswer),
        (SttFault::Mute, LlmErrorKind::Timeout),
        (SttFault::NoFinal, LlmErrorKind::Timeout),
    ] {
        let (bad, good) = two(fault.clone()).await;
        let mut session = list(&[&bad.url(), &good.url()], 0.5).open(start(8_000));
        speak(&session, 1_000, 100).await;
        session.input.send(SttInput::SpeechEnded).await.unwrap();
        let events = until(&mut session, is_answered).await;
        assert_eq!(finals(&events), [WORDS], "{fault:?}: {events:?}");
        assert_eq!(switches(&events), [("first", "second", kind)], "{fault:?}");
        let Some(SttEvent::Answered { provider, .. }) = events.last() else { panic!() };
        assert_eq!(provider, "second");
        let heard = &good.heard()[0];
        assert_eq!((heard.bytes, heard.loud), (55 * 320, 50 * 320), "{fault:?}: every frame, once");
        // It stays with the one that works.
        speak(&session, 400, 400).await;
        session.input.send(SttInput::SpeechEnded).await.unwrap();
        assert_eq!(finals(&until(&mut session, is_answered).await), ["thank you"], "{fault:?}");
    }
}

#[tokio::test]
async fn what_was_told_is_not_heard_again() {
    // The first one tells an utterance, and breaks in the next.
    let (bad, good) = two(SttFault::Cut(Duration::from_millis(1_200))).await;
    let mut session = list(&[&bad.url(), &good.url()], 2.0).open(start(8_000));
    speak(&session, 1_000, 400).await;
    let events = until(&mut session, |e| matches!(e, SttEvent::Final { .. })).await;
    assert_eq!(finals(&events), [WORDS]);
    speak(&session, 500, 400).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!(switches(&events), [("first", "second", LlmErrorKind::Network)]);
    assert_eq!(good.heard()[0].loud, 25 * 320, "the second utterance alone");
    assert_eq!(finals(&events).len(), 1);
}

#[tokio::test]
async fn a_slow_answer_in_time_is_no_failure() {
    let slow = SttScript { final_after: Duration::from_millis(600), ..script(Vec::new()) };
    let (slow, other) = (SttServer::start(slow).await, SttServer::start(script(Vec::new())).await);
    let mut session = list(&[&slow.url(), &other.url()], 2.0).open(start(8_000));
    speak(&session, 600, 100).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!((finals(&events), switches(&events)), (vec![WORDS], vec![]));
    let Some(SttEvent::Answered { ms, .. }) = events.last() else { panic!() };
    assert!((400..2_000).contains(ms), "{ms}");
    assert!(other.handshakes().is_empty(), "nobody else is connected before he is needed");
}

#[tokio::test]
async fn a_server_that_takes_no_handshake_is_passed_over() {
    let (silent, good) = (SocketServer::silent().await, SttServer::start(script(Vec::new())).await);
    let began = Instant::now();
    let mut session = list(&[&silent.url("/"), &good.url()], 2.0).open(start(8_000));
    speak(&session, 600, 100).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!(finals(&events), [WORDS]);
    assert_eq!(switches(&events)[0].2, LlmErrorKind::Timeout);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[tokio::test]
async fn one_alone_is_connected_again_and_hears_what_it_missed() {
    let faults = vec![Some(SttFault::Cut(Duration::from_millis(500))), Some(SttFault::Refuse(503))];
    let server = SttServer::start(script(faults)).await;
    let mut session = list(&[&server.url()], 2.0).open(start(8_000));
    speak(&session, 1_000, 100).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!(finals(&events), [WORDS]);
    let kinds = [LlmErrorKind::Network, LlmErrorKind::Unavailable];
    assert_eq!(switches(&events), kinds.map(|kind| ("first", "first", kind)));
    assert_eq!(server.heard()[1].loud, 50 * 320);
}

#[tokio::test]
async fn when_nobody_understands_an_utterance_the_call_goes_on() {
    let faults = || vec![Some(SttFault::NoFinal); 2];
    let (one, two) = (SttServer::start(script(faults())).await, SttServer::start(script(faults())).await);
    let mut session = list(&[&one.url(), &two.url()], 0.2).open(start(8_000));
    speak(&session, 1_000, 100).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!(finals(&events), ["book me a cleaning on"], "the words so far are better than none");
    assert_eq!(switches(&events).len(), 1, "each is asked once");
}

#[tokio::test]
async fn when_all_fail_for_good_the_reason_is_told_at_once() {
    let refuse = |status| SttServer::start(script(vec![Some(SttFault::Refuse(status)); 9]));
    let (one, two) = (refuse(401).await, refuse(404).await);
    let mut session = list(&[&one.url(), &two.url()], 1.0).open(start(8_000));
    let events = until(&mut session, is_failed).await;
    let Some(SttEvent::Failed(error)) = events.last() else { panic!() };
    assert_eq!((error.provider.as_str(), error.kind), ("second", LlmErrorKind::Rejected));
    assert_eq!((one.handshakes().len(), two.handshakes().len()), (1, 1), "a wrong key does not get right");
    assert!(session.events.recv().await.is_none());
    assert!(session.input.send(frame(0)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn when_all_are_out_of_reach_they_are_tried_with_pauses_and_then_no_more() {
    struct Broken(std::sync::atomic::AtomicUsize);
    impl Stt for Broken {
        fn open(&self, start: SttStart) -> SttSession {
            crate::stt::session::open(Vec::new(), start, false)
        }
        fn connect(&self, _: SttStart) -> crate::stt::Connecting {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let error = crate::voice::VoiceError {
                provider: "broken".into(),
                kind: LlmErrorKind::Network,
                message: "gone".into(),
            };
            Box::pin(async { Err(error) })
        }
    }
    let broken = Arc::new(Broken(0.into()));
    let list: Vec<(String, Arc<dyn Stt>)> = vec![("a".into(), broken.clone()), ("b".into(), broken.clone())];
    let began = Instant::now();
    let mut session = failover(list).unwrap().open(start(8_000));
    let events = until(&mut session, is_failed).await;
    assert_eq!(broken.0.load(std::sync::atomic::Ordering::Relaxed), 10, "five rounds of two");
    assert_eq!(switches(&events).len(), 9);
    assert_eq!(began.elapsed().as_millis(), 250 + 500 + 1_000 + 2_000);
}

#[tokio::test]
async fn sound_that_nobody_takes_is_bounded_and_a_stuck_server_is_left() {
    let (bad, good) = two(SttFault::Deaf(Duration::from_millis(100))).await;
    let mut session = list(&[&bad.url(), &good.url()], 1.0).open(start(8_000));
    // Four minutes: far beyond what a socket holds.
    speak(&session, 240_000, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!(switches(&events), [("first", "second", LlmErrorKind::Timeout)]);
    assert_eq!(finals(&events), [WORDS]);
    assert!(good.heard()[0].bytes <= 15 * 16_000, "fifteen seconds are kept: {}", good.heard()[0].bytes);
}

#[tokio::test]
async fn to_drop_a_session_closes_it_also_while_it_connects() {
    let server = SttServer::start(script(Vec::new())).await;
    let mut session = list(&[&server.url()], 1.0).open(start(8_000));
    assert!(matches!(next(&mut session).await, SttEvent::Connected { .. }));
    drop(session);
    let silent = SocketServer::silent().await;
    let session = list(&[&silent.url("/")], 1.0).open(start(8_000));
    let input = session.input.downgrade();
    drop(session);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        if server.heard()[0].controls == ["CloseStream"] && input.upgrade().is_none() {
            return;
        }
    }
    panic!("{:?}", server.heard());
}

#[test]
fn a_list_hears_at_one_rate_and_an_empty_one_is_none() {
    struct At(u32);
    impl Stt for At {
        fn rate(&self, _: u32) -> u32 {
            self.0
        }
        fn open(&self, start: SttStart) -> SttSession {
            crate::stt::session::open(Vec::new(), start, false)
        }
    }
    let of = |rate| -> (String, Arc<dyn Stt>) { ("x".to_owned(), Arc::new(At(rate))) };
    assert_eq!(failover(vec![of(8_000), of(16_000)]).unwrap().rate(8_000), 16_000);
    assert!(failover(Vec::new()).is_none());
}
