//! Providers that die, servers that are told to stop, files that are saved while people talk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dgh_net::testing::Welcome;
use dgh_providers::double::tts::{Content, Delivery, Fault, TtsServer};

use crate::calls::phone::{Phone, connect};
use crate::calls::serve::Setup;
use crate::calls::sound::spoken;
use crate::calls::{ASK, CLINIC, WELCOME, deepgram, hears, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recogniser_that_dies_is_told_and_the_call_ends_with_words() {
    let stt = hears(&["I would like to book an appointment"]).await;
    let served =
        Setup::example("clinic").with("silence(7s", "silence(2s").hears(&deepgram(&stt)).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.is_spoken_to().await;
    drop(stt);
    phone.has_the_floor(700).await;
    phone.say(&spoken("I would like to book an appointment"));
    let end = phone.is_hung_up(Duration::from_mins(1)).await;
    assert!(phone.heard().between(end.saturating_sub(4_000), end).is_loud(), "it ends with words");
    let log = served.log().await;
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("stt: ")), "{}", log.story());
}

/// A voice that refuses and breaks off once it is told to die.
async fn mortal_voice() -> (TtsServer, Arc<AtomicBool>) {
    let dead = Arc::<AtomicBool>::default();
    let (closed, mute) = (Arc::clone(&dead), Arc::clone(&dead));
    let welcome =
        move |_: &_| if closed.load(Ordering::Relaxed) { Welcome::Refuse(503) } else { Welcome::Open };
    let tone = Content::Tone { hz: 440.0, word_ms: 200 };
    let deliver = move |_: usize, _: &str| {
        let delivery = Delivery { content: tone.clone(), ..Delivery::at_once() };
        if mute.load(Ordering::Relaxed) { delivery.fault(Fault::Cut { after_ms: 0 }) } else { delivery }
    };
    (TtsServer::welcoming(welcome, deliver).await, dead)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voice_that_dies_is_replaced_by_the_next_one() {
    let (tts, dies) = mortal_voice().await;
    let voice = format!("[cartesia(\"sonic-2\", voice: \"stub\", url: \"{}\"), offline()]", tts.url(""));
    let served = Setup::example("clinic").speaks(&voice).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    assert!(tts.log().asked > 0);
    dies.store(true, Ordering::Relaxed);
    let before = phone.now();
    phone.press("2");
    phone.is_hung_up(Duration::from_secs(20)).await;
    let words = "i'll connect you with the front desk";
    let heard = phone.heard().between(before, phone.now());
    assert_eq!(heard.heard_as(&[words, "i'll collect you from the front desk", WELCOME]), words);
    let log = served.log().await;
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("tts: ")), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voice_that_is_slow_is_replaced_by_the_next_one() {
    let slow = |_: usize, _: &str| Delivery { first: Duration::from_mins(1), ..Delivery::at_once() };
    let tts = TtsServer::start(slow).await;
    let voice = format!("[cartesia(\"sonic-2\", voice: \"stub\", url: \"{}\"), offline()]", tts.url(""));
    let served = Setup::example("clinic").speaks(&voice).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(900).await;
    assert_eq!(phone.heard().heard_as(CLINIC), format!("{WELCOME} {ASK}"));
    phone.hang_up();
    let log = served.log().await;
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("tts: ")), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_voice_the_caller_hears_why_and_the_call_ends() {
    let (tts, dies) = mortal_voice().await;
    let voice = format!("cartesia(\"sonic-2\", voice: \"stub\", url: \"{}\")", tts.url(""));
    let setup = Setup::example("clinic").with("silence(7s", "silence(2s").speaks(&voice);
    let served = setup.start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.is_spoken_to().await;
    dies.store(true, Ordering::Relaxed);
    phone.has_the_floor(700).await;
    let end = phone.is_hung_up(Duration::from_secs(40)).await;
    let sorry =
        "we are sorry there is a technical problem and this call has to end please call again later goodbye";
    let last = phone.heard().between(end.saturating_sub(9_000), end);
    let log = served.log().await;
    assert_eq!(
        last.heard_as(&[sorry, "we are glad there is no problem goodbye", "goodbye"]),
        sorry,
        "{}",
        log.story()
    );
    assert_eq!(log.ended().1, "lost", "{}", log.story());
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("tts: ")), "{}", log.story());
    assert!(log.agent().len() <= 2, "nothing is told as heard that was not: {}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_stop_takes_no_new_call_and_lets_the_old_one_end() {
    let mut served = Setup::example("clinic").start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.is_spoken_to().await;
    served.terminate();
    let told = until(Duration::from_secs(5), || served.told().contains("no new calls").then_some(())).await;
    assert!(told.is_some(), "{}", served.told());
    let refused = connect(&format!("ws://{}/carriers/twilio/clinic", served.address)).await;
    assert_eq!(refused.unwrap_err(), 503);
    assert_eq!(reqwest::get(served.url("/healthz")).await.unwrap().status().as_u16(), 503);
    phone.has_the_floor(700).await;
    assert_eq!(phone.heard().heard_as(CLINIC), format!("{WELCOME} {ASK}"), "the call goes on");
    let logs = served.folder();
    phone.hang_up();
    let exit = served.exit().await;
    assert_eq!(exit.code(), Some(0), "{}", served.told());
    let log = Setup::logs_in(&logs).remove(0);
    assert_eq!(log.ended().1, "caller");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_does_not_end_is_ended_when_the_time_is_over() {
    let mut served = Setup::example("clinic").argument("--drain").argument("1s").start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(500).await;
    served.terminate();
    phone.is_hung_up(Duration::from_secs(20)).await;
    let exit = served.exit().await;
    assert_eq!(exit.code(), Some(0), "{}", served.told());
    let log = Setup::logs_in(&served.folder()).remove(0);
    assert_eq!(log.ended().1, "operator", "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_is_for_the_next_call_and_a_broken_one_for_none() {
    let served = Setup::example("clinic").start().await;
    let file = served.agent();
    let text = std::fs::read_to_string(&file).unwrap();
    let (old, new) = ("I'll connect you with the front desk.", "One moment, I am calling a colleague.");
    let known = ["i'll connect you with the front desk", "one moment i am calling a colleague", WELCOME, ASK];
    let phone = Phone::call(&served.address, "clinic").await;
    phone.is_spoken_to().await;

    let changed = text.replace(old, new);
    assert_ne!(changed, text);
    std::fs::write(&file, &changed).unwrap();
    let serves = async |times: usize, word: &str| {
        let told =
            until(Duration::from_secs(10), || (served.told().matches(word).count() >= times).then_some(()))
                .await;
        assert!(told.is_some(), "it does not say `{word}`:\n{}", served.told());
    };
    serves(1, "serves ").await;
    phone.has_the_floor(500).await;
    let before = phone.now();
    phone.press("2");
    phone.has_the_floor(400).await;
    let heard = phone.heard().between(before, phone.now());
    assert_eq!(heard.heard_as(&known), known[0], "a call keeps the program that it began with");
    phone.hang_up();

    // What is broken is not served, and said.
    std::fs::write(&file, changed.replace("node front_desk {", "node front_desk {{")).unwrap();
    serves(1, "broken ").await;
    let agents: serde_json::Value =
        reqwest::get(served.url("/api/agents")).await.unwrap().json().await.unwrap();
    assert_eq!(agents["broken"].as_array().unwrap().len(), 1, "{agents}");
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(500).await;
    let before = phone.now();
    phone.press("2");
    phone.has_the_floor(400).await;
    let heard = phone.heard().between(before, phone.now());
    assert_eq!(heard.heard_as(&known), known[1], "the next call has the last good program");
    phone.hang_up();
}
