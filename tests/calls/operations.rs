//! Servers that are told to stop, and files that are saved, while people talk.

use std::time::Duration;

use crate::calls::phone::{Phone, connect};
use crate::calls::serve::Setup;
use crate::calls::{ASK, CLINIC, WELCOME, until};

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
    let before = phone.now();
    served.terminate();
    let end = phone.is_hung_up(Duration::from_secs(20)).await;
    let exit = served.exit().await;
    assert_eq!(exit.code(), Some(0), "{}", served.told());
    let log = Setup::logs_in(&served.folder()).remove(0);
    assert_eq!(log.ended().1, "operator", "{}", log.story());
    let words = "i am sorry this call has to end now please call again goodbye";
    let heard = phone.heard().between(before, end);
    let heard = heard.heard_as(&[words, WELCOME, ASK, "goodbye"]);
    // The click of the line's end may sound like one more short word.
    assert!(heard.starts_with(words), "{heard}\n{}", log.story());
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
