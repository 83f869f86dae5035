//! Calls between two connections on loopback, in real time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use dgh_voice::audio::Frame;
use dgh_voice::line::{Line, LineCommand, LineEvent};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};
use webrtc::data_channel::DataChannelEvent;

use super::testing::{Browser, Call, FRAME, call, call_from, loopback, share, talk};
use super::*;
use crate::costs::resident_kib;

/// The middle of a sound: its beginning is the codec's.
fn settled(sound: &[i16]) -> &[i16] {
    &sound[sound.len() / 4..]
}

async fn next_event(line: &mut WebRtcLine, wanted: impl Fn(&LineEvent) -> bool) -> LineEvent {
    let mut frame = Frame::default();
    timeout(Duration::from_secs(20), async {
        loop {
            let event = std::future::poll_fn(|cx| line.poll_event(cx, &mut frame)).await;
            if wanted(&event) {
                return event;
            }
        }
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn sound_goes_both_ways_and_the_channel_carries_words_and_events() {
    let mut call = call().await;
    assert_eq!(call.line.about().rate, RATE);
    call.line.send(LineCommand::Show(&json!({"type": "node", "node": "greeting"})));
    let heard = talk(&mut call, 60, |_| false).await;
    assert!(heard.by_us.len() >= 50 * FRAME, "{}", heard.by_us.len());
    assert!(heard.by_browser.len() >= 50 * FRAME, "{}", heard.by_browser.len());
    assert!(share(settled(&heard.by_us), 400.0) > 0.9, "{}", share(settled(&heard.by_us), 400.0));
    assert!(share(settled(&heard.by_browser), 600.0) > 0.9, "{}", share(settled(&heard.by_browser), 600.0));
    assert_eq!((heard.lost, heard.events), (0, vec![]));
    assert_eq!(heard.texts, [r#"{"type":"node","node":"greeting"}"#]);

    for text in [r#"{"type":"text","text":"hello"}"#, "nonsense", r#"{"type":"key","key":"7"}"#] {
        call.browser.channel().send_text(text).await.unwrap();
    }
    let heard = talk(&mut call, 20, |_| false).await;
    let skipped = LineEvent::Skipped("a message that is none of the page's");
    assert_eq!(heard.events, [LineEvent::Typed("hello".into()), skipped, LineEvent::Key('7')]);
    call.browser.channel().send_text(r#"{"type":"hangup"}"#).await.unwrap();
    let heard = talk(&mut call, 50, |_| false).await;
    assert_eq!(heard.events, [LineEvent::Closed(None)]);
}

#[tokio::test]
async fn loss_is_concealed_and_no_time_is_lost() {
    let mut call = call().await;
    let heard = talk(&mut call, 100, |frame| frame % 10 == 5).await;
    assert!((8..=10).contains(&heard.lost), "{}", heard.lost);
    assert!(heard.by_us.len() >= 95 * FRAME, "{}", heard.by_us.len());
    assert!(share(settled(&heard.by_us), 400.0) > 0.8, "{}", share(settled(&heard.by_us), 400.0));
}

#[tokio::test]
async fn the_other_side_reports_what_it_misses_although_it_speaks() {
    let mut call = call().await;
    let mut reported = 0;
    for _ in 0..400 {
        talk(&mut call, 3, |_| false).await;
        reported = call.line.lose(&[0; FRAME]);
        if reported >= 15 {
            break;
        }
    }
    // Every fourth packet; a report may be of a stretch with some more.
    assert!((15..=45).contains(&reported), "{reported}");
}

#[tokio::test]
async fn keys_are_pressed_as_sound() {
    let mut call = call().await;
    talk(&mut call, 10, |_| false).await;
    call.line.send(LineCommand::Keys("1#"));
    let heard = talk(&mut call, 40, |_| false).await;
    let mut detector = dgh_voice::audio::dtmf::Detector::new(RATE);
    let mut frame = Frame::default();
    let mut keys = String::new();
    for samples in heard.by_browser.chunks(FRAME) {
        frame.copy_from(samples);
        keys.extend(detector.push(&frame));
    }
    assert_eq!(keys, "1#");
}

#[tokio::test]
async fn who_is_away_without_a_word_is_told() {
    let elsewhere =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let browser = elsewhere.spawn(Browser::new()).await.unwrap();
    let Call { browser, mut line, peer } = call_from(browser).await;
    // Its machine is gone: the connection neither sends nor answers, and nobody closes it.
    elsewhere.shutdown_background();
    let event = next_event(&mut line, |event| *event != LineEvent::Audio).await;
    assert_eq!(event, LineEvent::Stalled(true));
    assert!(peer.is_open());
    drop(browser);
}

#[tokio::test]
async fn who_is_hung_up_on_hears_it_and_both_sides_close() {
    let Call { browser, mut line, peer } = call().await;
    browser.opened().await;
    line.send(LineCommand::Show(&json!({})));
    line.send(LineCommand::Hangup);
    let event = next_event(&mut line, |event| *event != LineEvent::Audio).await;
    assert_eq!(event, LineEvent::Closed(None));
    drop(line);
    assert!(!peer.is_open());
    assert_eq!(peer.offer("v=0").await, Err(WebRtcError::Closed));
    let mut texts = Vec::new();
    loop {
        match timeout(Duration::from_secs(5), browser.channel().poll()).await.unwrap() {
            Some(DataChannelEvent::OnMessage(message)) => {
                texts.push(String::from_utf8(message.data.to_vec()).unwrap());
            }
            Some(DataChannelEvent::OnClose) => break,
            Some(_) => {}
            None => panic!("the channel ended without a close"),
        }
    }
    assert_eq!(texts, ["{}", r#"{"type":"hangup"}"#]);
}

#[tokio::test]
async fn a_browser_that_closes_hangs_up() {
    let Call { browser, mut line, .. } = call().await;
    browser.opened().await;
    browser.channel().send_text(r#"{"type":"key","key":"1"}"#).await.unwrap();
    next_event(&mut line, |event| *event == LineEvent::Key('1')).await;
    browser.connection.get().close().await.unwrap();
    let closed = next_event(&mut line, |event| matches!(event, LineEvent::Closed(_))).await;
    assert_eq!(closed, LineEvent::Closed(None));
}

#[tokio::test]
async fn a_browser_without_a_channel_hangs_up_as_well() {
    let Call { browser, mut line, .. } = call_from(Browser::with_channel(false).await).await;
    browser.connection.get().close().await.unwrap();
    let mut told = Vec::new();
    while !matches!(told.last(), Some(LineEvent::Closed(_))) {
        told.push(next_event(&mut line, |event| *event != LineEvent::Audio).await);
    }
    assert_eq!(told, [LineEvent::Stalled(true), LineEvent::Closed(None)]);
}

#[tokio::test]
async fn an_ice_restart_in_the_middle_of_a_call_goes_on() {
    let mut call = call().await;
    talk(&mut call, 20, |_| false).await;
    call.browser.connection.get().restart_ice().await.unwrap();
    let offer = call.browser.offer().await;
    let answer = call.peer.offer(&offer).await.unwrap();
    call.browser.answered(answer).await;
    // On the way to the new path sound may be missing; afterwards it is there.
    talk(&mut call, 50, |_| false).await;
    let heard = talk(&mut call, 50, |_| false).await;
    assert!(heard.by_us.len() >= 40 * FRAME, "{}", heard.by_us.len());
    assert!(share(settled(&heard.by_us), 400.0) > 0.9, "{}", share(settled(&heard.by_us), 400.0));
}

#[tokio::test]
async fn an_answer_can_hold_its_candidates() {
    let browser = Browser::new().await;
    let offer = browser.offer().await;
    let config = Config { gather: Duration::from_secs(2), ..loopback() };
    let answered = answer(&offer, &config).await.unwrap();
    assert!(answered.answer.contains("a=candidate:"), "{}", answered.answer);
}

#[tokio::test]
async fn what_is_no_offer_of_sound_is_refused() {
    let offer = Browser::new().await.offer().await;
    let long = "x".repeat(MAX_OFFER_BYTES + 1);
    for bad in ["", "hello", "v=0", &long] {
        assert!(matches!(answer(bad, &loopback()).await.err(), Some(WebRtcError::Offer(_))), "{bad:.20}");
    }
    let video = offer.replace("opus/48000/2", "flute/48000/2");
    assert!(answer(&video, &loopback()).await.is_err());
    let server =
        IceServer { urls: vec!["nonsense".into()], username: String::new(), credential: String::new() };
    let config = Config { ice_servers: vec![server], ..loopback() };
    assert!(matches!(answer(&offer, &config).await.err(), Some(WebRtcError::Setup(_))));
    let answered = answer(&offer, &loopback()).await.unwrap();
    let nonsense = Candidate { candidate: "nonsense".into(), ..Candidate::default() };
    assert!(matches!(answered.peer.add_candidate(nonsense.clone()).await, Err(WebRtcError::Offer(_))));
    for _ in 0..70 {
        let _ = answered.peer.add_candidate(nonsense.clone()).await;
    }
    let Err(WebRtcError::Offer(why)) = answered.peer.add_candidate(Candidate::default()).await else {
        panic!("candidates are not bounded")
    };
    assert!(why.contains("64"), "{why}");
}

/// `DGH_CALLS=1000 cargo test -p dgh-transport calls_leave_nothing` for the long run.
#[tokio::test]
async fn calls_leave_nothing_behind() {
    let calls = std::env::var("DGH_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(60);
    let tasks = Handle::current().metrics().num_alive_tasks();
    let mut memory = Vec::new();
    for number in 0..calls {
        let mut call = call().await;
        call.line.send(LineCommand::Show(&json!({"number": number})));
        talk(&mut call, 3, |_| false).await;
        // Each way to end a call, in turn.
        match number % 3 {
            0 => drop(call.line),
            1 => {
                call.line.send(LineCommand::Hangup);
                next_event(&mut call.line, |event| matches!(event, LineEvent::Closed(_))).await;
            }
            _ => call.browser.connection.get().close().await.unwrap(),
        }
        if number % (calls / 4) == calls / 4 - 1 {
            memory.push(resident_kib());
        }
    }
    let until = Instant::now() + Duration::from_secs(10);
    while Handle::current().metrics().num_alive_tasks() > tasks && Instant::now() < until {
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks);
    // What is kept after a quarter of the calls is what the allocator holds; the rest adds nothing.
    let grown = memory[memory.len() - 1].saturating_sub(memory[0]);
    assert!(grown < 8_192, "{memory:?} KiB");
}
