//! Tests in which a model plays the caller, or judges the call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dgh_net::testing::{Received, Reply, Server};
use serde_json::{Value as Json, json};

use crate::models::{KEY, calls, said, says, with_model};
use crate::support::{CLEAN, bundle, code, dgh, text};

/// A simulated caller, an opinion, and both.
fn agent() -> String {
    format!(
        "{CLEAN}\ntest \"a shopper\" {{\n  caller \"You want milk on the list and are in a hurry.\"\n  expect outcome == noted and said(\"milk\")\n}}\n\n\
         test \"an opinion\" {{\n  says \"Buy milk\" means {{ note: \"buy milk\" }}\n  judge \"The agent was polite\" at_least 70%\n}}\n"
    )
}

#[test]
fn without_a_model_they_are_skipped_and_counted() {
    let folder = bundle(&[("agent.dgh", &agent())]);
    let out = dgh(&folder, &["test"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    for told in [
        "- a shopper  skipped: a simulated caller needs a model",
        "- an opinion  skipped: a judge needs a model",
        "1 passed, 0 failed, 2 skipped",
        "dgh test --llm openai/",
    ] {
        assert!(text(&out).contains(told), "{told}: {}", text(&out));
    }
}

#[test]
fn the_offline_model_plays_nobody() {
    let folder = bundle(&[("agent.dgh", &agent())]);
    let out = dgh(&folder, &["test", "--live", "--llm", "offline"]);
    assert!(text(&out).contains("1 passed, 0 failed, 2 skipped"), "{}", text(&out));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persona_talks_to_the_end() {
    let turns = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |_, asked| match part(asked) {
        Part::Person => says(match turns.fetch_add(1, Ordering::Relaxed) {
            0 => "\"Hello? Who is this?\"",
            _ => "Write down milk, please.",
        }),
        Part::Agent if heard(asked).contains("milk") => calls(&[("note", json!({ "note": "milk" }))]),
        Part::Agent => says("The list, at your service. What shall I write down?"),
        Part::Judge => panic!("nobody asks for an opinion"),
    })
    .await;
    let folder = bundle(&[("agent.dgh", &agent())]);
    let out = with_model(&folder, &server, &["test", "--filter", "a shopper", "--verbose"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(text(&out).contains("1 passed, 0 failed\n"), "{}", text(&out));
    for line in
        ["caller Hello? Who is this?", "agent  The list, at your service.", "caller Write down milk, please."]
    {
        assert!(text(&out).contains(line), "{line}: {}", text(&out));
    }
    let people: Vec<Received> =
        server.received().into_iter().filter(|asked| part(asked) == Part::Person).collect();
    assert_eq!(people.len(), 2);
    assert!(said(&people[0], "system")[0].contains("in a hurry"));
    assert_eq!(said(&people[0], "user"), ["What shall I write down?"], "the agent's words, and no card");
    assert_eq!(said(&people[1], "assistant"), ["Hello? Who is this?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persona_that_hangs_up_ends_the_call() {
    let turns = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |_, asked| match part(asked) {
        Part::Person if turns.fetch_add(1, Ordering::Relaxed) == 0 => says("Forget it, bye. HANGUP"),
        Part::Person => says("HANGUP"),
        _ => says("Wait, please!"),
    })
    .await;
    let folder = bundle(&[("agent.dgh", &agent())]);
    let out = with_model(&folder, &server, &["test", "--filter", "a shopper"]);
    assert_eq!(code(&out), 1, "{}", text(&out));
    assert!(text(&out).contains("caller Forget it, bye."), "{}", text(&out));
    assert!(text(&out).contains("ended by caller"), "{}", text(&out));
    assert!(text(&out).contains("agent.dgh:26"), "the expectation that failed: {}", text(&out));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persona_that_never_ends_is_cut_off() {
    let server = Server::start(|_, asked| match part(asked) {
        Part::Person => says("Go on."),
        _ => says("Well then, what shall I write down?"),
    })
    .await;
    let endless = agent()
        .replace(
            "on failed(collect) -> end gave_up { say \"Goodbye.\" }",
            "when more: \"They want to hear more\" -> hello",
        )
        .replace("outcome noted, gave_up", "outcome noted");
    let folder = bundle(&[("agent.dgh", &endless)]);
    let out = with_model(&folder, &server, &["test", "--filter", "a shopper"]);
    assert_eq!(code(&out), 1, "{}", text(&out));
    assert!(server.received().len() <= 100, "{}", server.received().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_judge_says_yes_and_no() {
    for (percent, passes) in
        [(json!(85), true), (json!("70%"), true), (json!(69.4), false), (json!(0), false)]
    {
        let verdict = json!({ "percent": percent, "why": "It never said please." }).to_string();
        let server = Server::start(move |_, _| says(&format!("```json\n{verdict}\n```"))).await;
        let folder = bundle(&[("agent.dgh", &agent())]);
        let out = with_model(&folder, &server, &["test", "--filter", "an opinion"]);
        assert_eq!(code(&out), i32::from(!passes), "{percent}: {}", text(&out));
        if !passes {
            let told = format!(
                "the judge gives {}%, wanted 70%: It never said please.",
                percent.as_f64().unwrap().round()
            );
            assert!(text(&out).contains(&told), "{told}: {}", text(&out));
            assert!(text(&out).contains("agent.dgh:31"), "{}", text(&out));
        }
        // Without --live the script is not compared: the judge alone is asked.
        let [asked] = server.received().try_into().unwrap();
        assert!(part(&asked) == Part::Judge);
        let question = said(&asked, "user").concat();
        for line in
            ["agent: What shall I write down?", "caller: Buy milk", "outcome noted", "The agent was polite"]
        {
            assert!(question.contains(line), "{line}: {question}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_judge_that_rambles_is_asked_once_more() {
    let server = Server::start(|n, _| match n {
        0 => says("I think the agent was rather polite."),
        _ => says("{\"percent\": 90, \"why\": \"It asked kindly.\"}"),
    })
    .await;
    let folder = bundle(&[("agent.dgh", &agent())]);
    let out = with_model(&folder, &server, &["test", "--filter", "an opinion"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    let server = Server::start(|_, _| says("I would rather not say.")).await;
    let out = with_model(&folder, &server, &["test", "--filter", "an opinion"]);
    assert_eq!(code(&out), 1, "{}", text(&out));
    assert!(
        text(&out).contains("did not answer with a percentage: I would rather not say."),
        "{}",
        text(&out)
    );
    assert_eq!(server.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_whose_model_fails_fail_the_test_and_show_no_key() {
    let refused =
        json!({ "error": { "message": format!("no credit for {KEY}"), "code": "invalid_api_key" } });
    let server = Server::start(move |_, _| Reply::new(403, "application/json", refused.to_string())).await;
    let folder = bundle(&[("agent.dgh", &agent())]);
    let out = with_model(&folder, &server, &["test"]);
    assert_eq!(code(&out), 1, "{}", text(&out));
    assert!(text(&out).contains("1 passed, 2 failed"), "a script needs no model: {}", text(&out));
    assert!(text(&out).contains("no credit for [key] (403)"), "{}", text(&out));
    assert!(!text(&out).contains(KEY), "{}", text(&out));
}

/// Which part a request asks the model to play.
#[derive(Debug, PartialEq)]
enum Part {
    Person,
    Judge,
    Agent,
}

fn part(asked: &Received) -> Part {
    let system = said(asked, "system").concat();
    if system.starts_with("You play a person") {
        Part::Person
    } else if system.starts_with("You judge") {
        Part::Judge
    } else {
        assert_ne!(asked.json()["tools"], Json::Null, "an agent has functions");
        Part::Agent
    }
}

/// What the caller said last.
fn heard(asked: &Received) -> String {
    let last = said(asked, "user").pop().unwrap_or_default();
    last.split("\n\n[Notes").next().unwrap_or_default().to_owned()
}
