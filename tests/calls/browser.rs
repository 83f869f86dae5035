//! A real Chromium calls every example over WebRTC: it is greeted, understood, interrupts, types,
//! hangs up. The offline recogniser hears what it says. Pictures of the pages go to `target/screens`.

use serde_json::json;

use crate::calls::chromium::Browser;
use crate::calls::serve::Setup;
use crate::calls::sound::read_wav;
use crate::calls::{ASK, CLINIC, WELCOME, deepgram, hears};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_calls_every_example_is_understood_interrupts_and_hangs_up() {
    let served = Setup::examples().start().await;
    let mut browser = Browser::quiet();
    let clinic = vec![
        json!(["shot", "1-ready"]),
        json!(["call"]),
        json!(["state", "talking"]),
        // The welcome cannot be talked over; the question behind it can.
        json!(["line", "For appointments"]),
        browser.interrupt("I would like to book an appointment"),
        json!(["node", "request"]),
        json!(["shot", "2-interrupted"]),
        json!(["listens", 600]),
        json!(["type", "My name is Ann Lee, and I need a cleaning tomorrow"]),
        json!(["line", "Ann Lee"]),
        json!(["shows", "known", "Dr. Wu"]),
        json!(["keys", "1"]),
        json!(["shot", "3-keys"]),
        json!(["hangup"]),
        json!(["state", "ended"]),
        json!(["shot", "4-ended"]),
    ];
    browser.page(&served, "clinic", clinic);
    let lead = vec![
        json!(["shot", "lead-ready"]),
        json!(["call"]),
        json!(["listens", 600]),
        browser.answer("sure go ahead", "qualify"),
        browser.interrupt("hold on a second please"),
        json!(["listens", 600]),
        json!(["type", "20 thousand dollars, and we want to start now"]),
        json!(["node", "book"]),
        json!(["shot", "lead"]),
        json!(["hangup"]),
        json!(["state", "ended"]),
        json!(["shot", "lead-ended"]),
    ];
    browser.page(&served, "lead_qualifier", lead);
    let collections = vec![
        json!(["shot", "collections-ready"]),
        json!(["call"]),
        json!(["node", "ask_name"]),
        json!(["listens", 600]),
        browser.answer("yes", "ask_year"),
        json!(["listens", 600]),
        json!(["keys", "1988#"]),
        json!(["node", "disclose"]),
        browser.interrupt("hold on a second please"),
        json!(["listens", 600]),
        json!(["hangup"]),
        json!(["state", "ended"]),
        json!(["shot", "collections"]),
    ];
    browser.page(&served, "collections", collections);
    let front_desk = vec![
        json!(["call"]),
        json!(["listens", 600]),
        browser.answer("I have a question about accounts", "take_message"),
        browser.interrupt("hold on a second please"),
        json!(["listens", 600]),
        json!(["type", "tell them that Ann Lee called"]),
        json!(["line", "that Ann Lee called"]),
        json!(["listens", 600]),
        json!(["type", "yes, that is right"]),
        json!(["state", "ended"]),
        json!(["shot", "front_desk"]),
    ];
    browser.page(&served, "front_desk", front_desk);
    let seen = browser.run(&served).await;
    let [clinic, lead, collections, front_desk] = seen.as_slice() else { panic!("four pages") };
    for call in &seen {
        call.is_clean();
        call.interrupted();
    }

    clinic.is_greeted("Bright Dental, this is Ada, the automated assistant. This call is recorded.", CLINIC);
    clinic.understood("appointment");
    assert!(!clinic.text("known").contains(['{', '[', '"']), "{}", clinic.text("known"));
    assert_eq!(clinic.text("state"), "Ended: you hung up");
    let log = served.log_of(clinic.text("page")).await;
    assert_eq!(log.ended().1, "caller");
    let known = ["i would like to book an appointment", "i would like to cook an ointment", ASK];
    let sides = read_wav(&log.recording());
    let said = sides[0].heard_as(&known);
    assert!(said.contains(known[0]), "what was said is recorded, and not `{said}`");

    lead.is_greeted(
        "Hi Sam, this is Maya, an AI assistant from Acme Solar. Do you have two minutes?",
        &[
            "hi tom this is maya an ai assistant from acme solar do you have ten minutes",
            "what is your budget",
        ],
    );
    lead.understood("sure go ahead");
    assert_eq!(lead.text("state"), "Ended: you hung up (hung_up)");

    collections.is_greeted(
        "This call is recorded. I am an AI assistant.",
        &["this call is not recorded i am a human", "am i speaking with ana diaz"],
    );
    collections.understood("yes");
    let shown = format!("{} {}", collections.json["lines"], collections.text("known"));
    assert!(!shown.contains("1988"), "private keys are not shown: {shown}");
    assert_eq!(collections.text("state"), "Ended: you hung up (hung_up)");

    front_desk.is_greeted(
        "Larch and Sons, this is Kim, an AI assistant. What can I do for you?",
        &["larch and suns this is tim an ai assistant what can we do", WELCOME],
    );
    front_desk.understood("accounts");
    assert_eq!(front_desk.text("state"), "Ended: the agent ended the call (message_taken)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_microphone_brings_is_understood_offline_and_the_call_takes_the_route() {
    let served = Setup::example("lead").listens().start().await;
    // Whenever the words come, in the greeting or behind it, they are what is asked for.
    let mut browser = Browser::saying("sure go ahead", 6_000);
    let steps = vec![
        json!(["call"]),
        json!(["node", "qualify"]),
        json!(["line", "go ahead"]),
        json!(["speaks"]),
        json!(["hangup"]),
        json!(["state", "ended"]),
    ];
    browser.page(&served, "lead_qualifier", steps);
    let seen = browser.run_one(&served).await;
    seen.is_clean();
    seen.understood("go ahead");
    assert!(seen.lines("agent").len() > 1, "it is answered: {:#}", seen.json);
    let log = served.log_of(seen.text("page")).await;
    assert!(log.nodes().contains(&"qualify".into()), "{}", log.story());
    assert!(log.troubles().is_empty(), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_without_its_microphone_says_so_listens_and_types() {
    let stt = hears(&["nobody says this"]).await;
    let served = Setup::example("clinic").hears(&deepgram(&stt)).start().await;
    let mut browser = Browser::refusing();
    let steps = vec![
        json!(["call"]),
        json!([
            "shows",
            "problem",
            "The microphone is not allowed. You hear the agent and type what you say."
        ]),
        json!(["state", "talking"]),
        json!(["listens", 600]),
        json!(["shot", "refused"]),
        json!(["type", "I would like to book an appointment"]),
        json!(["node", "request"]),
        json!(["listens", 600]),
        json!(["hangup"]),
        json!(["state", "ended"]),
    ];
    browser.page(&served, "clinic", steps);
    let seen = browser.run_one(&served).await;
    seen.is_clean();
    seen.is_greeted("Bright Dental, this is Ada, the automated assistant. This call is recorded.", CLINIC);
    seen.understood("i would like to book an appointment");
    let log = served.log_of(seen.text("page")).await;
    assert_eq!(log.caller(), ["I would like to book an appointment"], "{}", log.story());
    assert_eq!(log.ended().1, "caller");
}
