//! Where rules meet.

use serde_json::json;

use super::build::start;
use super::source::agent;
use crate::effect::{Effect, Record};
use crate::event::Event;
use crate::reply::Purpose;
use crate::testing::ScriptedCall;

fn next(call: &mut ScriptedCall) -> crate::reply::ReplyRequest {
    while call.play_one() {}
    call.replies.pop_front().expect("a reply is asked for")
}

fn says(call: &mut ScriptedCall, text: &str, calls: &[(&str, serde_json::Value)]) {
    while call.play_one() {}
    call.says(text);
    let request = call.replies.pop_front().expect("a reply is asked for");
    assert_eq!(request.purpose, Purpose::Turn);
    call.answer(request.id, &[], calls);
}

fn ended(call: &ScriptedCall) -> Option<&str> {
    call.records.iter().find_map(|record| match record {
        Record::Ended { outcome, .. } => outcome.as_deref(),
        _ => None,
    })
}

#[test]
fn what_was_cleared_is_filled_by_a_later_turn_alone() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done, failed
  var day: date "Day"
  start request
  node request {
    prompt "Ask for the day."
    collect day
    on failed(collect) -> end failed { say "Goodbye." }
    next -> offer
  }
  node offer {
    prompt "Offer times."
    when other: "Another day" -> request { clear day }
    when ok: "Fine" -> end done { say "Good. Goodbye." }
  }"#,
        "",
    );
    let mut call = desk.call(start());
    let opening = next(&mut call);
    call.answer(opening.id, &["Which day?"], &[]);
    says(&mut call, "Monday", &[("note", json!({ "day": "2026-03-09" }))]);
    let opening = next(&mut call);
    call.answer(opening.id, &["Nine or ten?"], &[]);
    says(&mut call, "Neither", &[("go", json!({ "label": "other" }))]);
    let opening = next(&mut call);
    assert_eq!(opening.card.node, "request");
    call.answer(opening.id, &["Which day then?"], &[("note", json!({ "day": "2026-03-09" }))]);
    assert!(
        call.records
            .contains(&Record::Refused { message: "`day` was just taken back; ask for it again".into() })
    );
    says(&mut call, "Monday after all", &[("note", json!({ "day": "2026-03-09" }))]);
    assert_eq!(next(&mut call).card.node, "offer");
}

#[test]
fn values_told_early_are_read_back_when_their_form_comes() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done, failed
  var day: date "Day"
  start hello
  node hello { ask "Hello." when book: "They book" -> form }
  node form {
    collect day { confirm: always, ask: "Which day?" }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> end done { say "Booked. Goodbye." }
  }"#,
        "",
    );
    let mut call = desk.call(start());
    let both = [("note", json!({ "day": "2026-03-09" })), ("go", json!({ "label": "book" }))];
    says(&mut call, "I book Monday", &both);
    assert!(!call.spoken.iter().any(|s| s == "Which day?"));
    assert!(call.spoken.last().unwrap().ends_with("Is that right?"));
    says(&mut call, "Yes", &[("confirm", json!({ "answer": "yes" }))]);
    while call.play_one() {}
    assert_eq!(ended(&call), Some("done"));
}

#[test]
fn a_detour_of_the_agent_comes_back_into_the_flow() {
    agent(
        r#"
  channels: [web]
  outcome done, failed
  start first
  node first { run code() as c if c == yes -> end done { say "Good. Goodbye." } else -> end failed { say "Bad. Goodbye." } }
  node answers { prompt "Answer." when helped: "Fine" -> back }
  anywhere { when question: "A question" -> detour answers }"#,
        r#"
enum Verdict { yes, no }
flow code() -> Verdict {
  var n: int "The code"
  var other: int "The other code"
  start get
  node get { collect n { ask: "The code?" } on failed(collect) -> return no next -> more }
  node more { collect other { ask: "The other?" } on failed(collect) -> return no if n + other == 9 -> return yes else -> return no }
}
test "asks in between" {
  says "4" means { n: 4 }
  says "Why?" means question
  agent_says "For safety."
  says "Ah" means helped
  says "5" means { other: 5 }
  expect outcome == done and said("For safety") and visited(first, answers)
}"#,
    )
    .pass();
}

#[test]
fn a_flow_runs_a_flow_and_an_agent_route_leaves_both() {
    agent(
        r#"
  channels: [web]
  outcome done, failed, gone
  start first
  node first { run outer() as c if c -> end done { say "Good. Goodbye." } else -> end failed { say "Bad. Goodbye." } }
  node bye { say "As you like. Goodbye." next -> end gone }
  anywhere { when stop: "Stop" -> bye }"#,
        r#"
flow outer() -> bool { start o node o { run inner(what: "blue") as b if b -> return true else -> return false } }
flow inner(what: text) -> bool {
  start i
  node i { ask "Is it {{ what }}?" when yes: "It is" -> return true when no: "It is not" -> return false }
}
test "returns through both" { says "It is" means yes expect outcome == done and said("Is it blue?") }
test "leaves both" { says "Stop" means stop expect outcome == gone and visited(first, bye) }"#,
    )
    .pass();
}

#[test]
fn a_turn_during_a_call_step_waits_for_the_node_that_follows() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done, failed
  start act
  node act { call book() { meanwhile: "One second." } on error -> end failed { say "Sorry. Goodbye." } next -> talk }
  node talk { ask "Booked. Anything else?" when no: "Nothing" -> end done { say "Goodbye." } }"#,
        r#"tool book() -> bool { about: "Books." post: "https://example.com" }"#,
    );
    let mut call = desk.call(start());
    let tool = call.tools.front().cloned().unwrap();
    assert!(call.interrupt(), "the caller speaks over `meanwhile`");
    call.says("Nothing else, thanks");
    assert!(call.replies.is_empty());
    call.tool_answers(&tool, Ok(json!(true)));
    let turn = call.replies.pop_front().unwrap();
    assert_eq!(turn.card.node, "talk");
    call.answer(turn.id, &[], &[("go", json!({ "label": "no" }))]);
    while call.play_one() {}
    assert_eq!(ended(&call), Some("done"));
}

#[test]
fn after_a_hang_up_steps_still_act_and_nothing_is_said() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done, gone
  start hello
  node hello { ask "Hello." when bye: "Bye" -> end done { say "Bye." } }
  node tidy { say "Nobody hears this." call cancel() on error -> end gone next -> end gone }
  anywhere { on hangup -> tidy }"#,
        r#"tool cancel() -> bool { about: "Cancels." post: "https://example.com" }"#,
    );
    let mut call = desk.call(start());
    while call.play_one() {}
    call.handle(Event::Hangup);
    let tool = call.tools.pop_front().expect("the step acts");
    assert!(!call.call().is_over());
    call.tool_answers(&tool, Ok(json!(true)));
    assert_eq!(ended(&call), Some("gone"));
    assert_eq!(call.spoken, ["Hello."]);
}

#[test]
fn a_route_without_an_arrow_does_its_block_and_stays() {
    agent(
        r#"
  channels: [web]
  outcome done
  var n: int = 0
  start hello
  node hello {
    ask "Hello."
    when thanks: "They thank" { say "You are welcome." set n = n + 1 }
    when bye: "Bye" -> end done { say "Bye." }
  }"#,
        r#"test "stays" { says "Thanks" means thanks says "Thanks" means thanks says "Bye" means bye expect n == 2 and said("You are welcome") }"#,
    )
    .pass();
}

#[test]
fn keys_end_with_their_key_or_after_a_pause_and_wrong_ones_are_tries() {
    let desk = agent(
        r#"
  channels: [phone]
  inbound { numbers: ["+14155550100"] }
  outcome done, failed
  var count: int "How many"
  start ask_it
  node ask_it {
    collect count { ask: "How many? End with star.", by: keypad, until: "*", tries: 2 }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> end done { say "{{ count }}. Goodbye." }
  }"#,
        "",
    );
    let mut call = desk.call(start());
    call.handle(Event::Keys { keys: "12".into() });
    assert!(call.effects.contains(&Effect::StopSpeech), "keys talk over the question");
    call.pass(4_900);
    assert!(!call.call().is_over());
    call.pass(200);
    while call.play_one() {}
    assert_eq!(ended(&call), Some("done"));

    let mut call = desk.call(start());
    while call.play_one() {}
    call.handle(Event::Keys { keys: "*".into() });
    assert_eq!(call.spoken.len(), 2, "nothing typed is a try, and the question is asked again");
    call.handle(Event::Keys { keys: "#*".into() });
    while call.play_one() {}
    assert_eq!(ended(&call), Some("failed"));
}

#[test]
fn an_unsure_recogniser_is_read_back_and_a_sure_one_is_not() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done, failed
  var count: int "How many"
  start ask_it
  node ask_it {
    collect count { ask: "How many?", confirm: unsure }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> end done { say "Good. Goodbye." }
  }"#,
        "",
    );
    let with = |confidence| {
        let mut call = desk.call(start());
        while call.play_one() {}
        let text = "Two".to_owned();
        call.handle(Event::CallerTurn { text, confidence: Some(confidence), language: None });
        let id = call.replies.pop_front().unwrap().id;
        call.answer(id, &[], &[("note", json!({ "count": 2 }))]);
        call.spoken.last().unwrap().clone()
    };
    assert_eq!(with(95), "Good. Goodbye.");
    assert_eq!(with(40), "I have: 2. Is that right?");
}

#[test]
fn what_is_heard_is_said_to_be_interrupted() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done
  start hello
  node hello {
    ask "This is a long greeting that goes on and on."
    when bye: "Bye" -> end done { say "Bye." }
    on interrupted { say "Yes?" }
  }"#,
        "",
    );
    let mut call = desk.call(start());
    assert!(call.interrupt());
    assert_eq!(call.spoken.last().unwrap(), "Yes?");
}

#[test]
fn models_are_those_of_the_node_then_the_agent_then_the_call() {
    let desk = agent(
        r#"
  llm: [openai("gpt-4.1", temperature: 0.3), anthropic("claude-haiku-4-5")]
  judge: groq("llama-3.1-8b-instant")
  channels: [web]
  outcome done
  start hello
  node hello { ask "Hello." when more: "More" -> clever when bye: "Bye" -> end done { say "Bye." } }
  node clever { llm: google("gemini-2.5-pro") prompt "Think." when bye: "Bye" -> end done { say "Bye." } }"#,
        "",
    );
    let mut call = desk.call(start());
    while call.play_one() {}
    call.says("More");
    let request = call.replies.pop_front().unwrap();
    let names: Vec<_> = request.models.iter().map(|m| m.provider.as_str()).collect();
    assert_eq!(names, ["openai", "anthropic"]);
    assert_eq!(request.models[0].settings["model"], json!("gpt-4.1"));
    assert_eq!(request.judge[0].provider, "groq");
    call.answer(request.id, &[], &[("go", json!({ "label": "more" }))]);
    let opening = call.replies.pop_front().unwrap();
    assert_eq!(opening.models[0].provider, "google");
    assert!(opening.judge.is_empty(), "a judge decides about turns");
}

#[test]
fn a_webhook_is_rendered_with_what_the_call_knows_and_masked_for_the_record() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done, gone
  input account: private text
  var size: int "Size"
  start hello
  node hello { ask "Hello." when bye: "Bye" -> end done { say "Bye." } note size }
  webhook crm on call.ended { post: "https://example.com/{{ reveal(account) }}?call={{ call.id }}" headers: { "X-Size": "{{ size ?? 7 }}", "X-Key": "k {{ secret.KEY }}" } auth: bearer(secret.TOKEN) sign: secret.SIGN body: { account: reveal(account), size: size?, outcome: call.outcome? } }
  webhook lost on call.ended if call.outcome != done { post: "https://example.com" body: { id: call.id } }"#,
        "",
    );
    let mut begin = start();
    begin.inputs.insert("account".into(), json!("A/77"));
    let mut call = desk.call(begin);
    says(&mut call, "Bye", &[("go", json!({ "label": "bye" }))]);
    while call.play_one() {}
    let webhooks: Vec<_> = call
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Webhook { name, envelope, sign, body, masked, .. } => {
                Some((name, envelope, sign, body, masked))
            }
            _ => None,
        })
        .collect();
    assert_eq!(webhooks.len(), 1, "the other one's condition does not hold");
    let (name, envelope, sign, body, masked) = webhooks[0];
    assert_eq!((name.as_str(), sign.as_deref()), ("crm", Some("SIGN")));
    assert_eq!(envelope.url, "https://example.com/A%2F77?call=call-1");
    assert_eq!(envelope.masked_url, "https://example.com/[account]?call=call-1");
    assert_eq!(
        serde_json::to_value(&**envelope).unwrap(),
        json!({
            "method": "post",
            "url": "https://example.com/A%2F77?call=call-1",
            "masked_url": "https://example.com/[account]?call=call-1",
            "headers": [["X-Size", [{ "text": "7" }]], ["X-Key", [{ "text": "k " }, { "secret": "KEY" }]]],
            "auth": { "kind": "bearer", "args": [["token", [{ "secret": "TOKEN" }]]] },
        })
    );
    assert_eq!(*body, Some(json!({ "account": "A/77", "outcome": "done" })));
    assert_eq!(*masked, Some(json!({ "account": "[account]", "outcome": "done" })));
}

#[test]
fn a_filled_form_is_passed_through_without_its_question() {
    agent(
        r#"
  channels: [web]
  outcome done, failed
  var day: date "Day"
  start hello
  node hello { ask "Hello." when book: "They book" -> form when bye: "Bye" -> end failed { say "Bye." } note day }
  node form {
    ask "Which day?"
    collect day
    on failed(collect) -> end failed { say "Goodbye." }
    next -> end done { say "Booked. Goodbye." }
  }"#,
        r#"test "known" { says "Monday please" means book { day: 2026-03-09 } expect outcome == done and not said("Which day") }"#,
    )
    .pass();
}

const PIN: &str = r#"
  channels: [phone]
  inbound { numbers: ["+14155550100"] }
  outcome done, failed
  var pin: digits(4) "PIN"
  var day: date "Day"
  start ask_it
  node ask_it {
    collect pin, day { ask: "Which PIN?", by: speech_or_keypad, tries: 3 }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> end done { say "Good. Goodbye." }
  }"#;

#[test]
fn keys_that_nobody_ended_do_not_belong_to_the_next_input() {
    let desk = agent(PIN, "");
    let mut call = desk.call(start());
    while call.play_one() {}
    call.handle(Event::Keys { keys: "19".into() });
    says(&mut call, "On Monday", &[("note", json!({ "day": "2026-03-09" }))]);
    while call.play_one() {}
    call.handle(Event::Keys { keys: "1988".into() });
    while call.play_one() {}
    assert_eq!(ended(&call), Some("done"), "{:?}", call.spoken);
}

#[test]
fn keys_that_do_not_fit_are_told_so_before_the_question() {
    let desk = agent(PIN, "");
    let mut call = desk.call(start());
    while call.play_one() {}
    call.handle(Event::Keys { keys: "19#".into() });
    assert_eq!(call.spoken, ["Which PIN?", "That does not fit. It takes 4 digits.", "Which PIN?"]);
    while call.play_one() {}
    call.handle(Event::Keys { keys: "19".into() });
    call.pass(5_100);
    assert_eq!(call.spoken.len(), 5, "a pause ends the input");
    while call.play_one() {}
    call.handle(Event::Keys { keys: "1#".into() });
    assert_eq!(call.spoken.last().unwrap(), "Goodbye.", "the last try is not told what fits");
    assert_eq!(call.spoken.len(), 6);
}

const LAST_TRY: &str = r#"
  channels: [web]
  outcome done, failed
  var day: date "Day"
  start request
  node request {
    collect day { ask: "Which day?", confirm: always, tries: 1 }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> end done { say "Booked. Goodbye." }
  }"#;

fn answers(call: &mut ScriptedCall, sentence: &str, calls: &[(&str, serde_json::Value)]) {
    while call.play_one() {}
    call.says("Hm");
    let request = call.replies.pop_front().expect("a reply is asked for");
    call.answer(request.id, &[sentence], calls);
}

#[test]
fn words_that_ask_again_are_not_spoken_when_the_last_try_failed() {
    let mut call = agent(LAST_TRY, "").call(start());
    answers(&mut call, "Sorry, which day?", &[]);
    assert_eq!(call.spoken, ["Which day?", "Goodbye."]);

    let mut call = agent(LAST_TRY, "").call(start());
    answers(&mut call, "Fine.", &[("note", json!({ "day": "2026-03-09" }))]);
    assert_eq!(call.spoken[1], "Fine.", "the try did not fail");
    assert_eq!(call.spoken.len(), 3, "{:?}", call.spoken);
}

#[test]
fn a_no_to_a_read_back_is_not_a_try() {
    let mut call = agent(LAST_TRY, "").call(start());
    says(&mut call, "Monday", &[("note", json!({ "day": "2026-03-09" }))]);
    answers(&mut call, "Which day, then?", &[("confirm", json!({ "answer": "no" }))]);
    assert_eq!(call.spoken.last().unwrap(), "Which day, then?");
    says(&mut call, "Tuesday", &[("note", json!({ "day": "2026-03-10" }))]);
    says(&mut call, "Yes", &[("confirm", json!({ "answer": "yes" }))]);
    while call.play_one() {}
    assert_eq!(ended(&call), Some("done"));
}

#[test]
fn a_correction_that_is_refused_is_told_before_the_question_is_asked_again() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done, failed
  var day: date "Day"
  var name: text "Name"
  start request
  node request {
    ask "Which day?"
    collect day
    on failed(collect) -> end failed { say "Goodbye." }
    if day < 2026-03-01 -> end failed { say "Closed. Goodbye." }
    else -> person
  }
  node person {
    collect name { ask: "Your name?" }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> end done { say "{{ name }}, {{ day }}. Goodbye." }
  }"#,
        "",
    );
    let mut call = desk.call(start());
    says(&mut call, "Monday", &[("note", json!({ "day": "2026-03-09" }))]);
    says(&mut call, "No, Tuesday", &[("note", json!({ "day": "2026-03-10" }))]);
    assert_eq!(call.spoken.last().unwrap(), "Your name?", "{:?}", call.spoken);
    let resume = next(&mut call);
    assert_eq!(resume.purpose, Purpose::Resume);
    assert_eq!(resume.card.remarks, ["Not accepted: `day` is in use and cannot be changed any more."]);
    call.answer(resume.id, &["It stays Monday. Your name?"], &[]);
    while call.play_one() {}
    assert!(call.call().caller_has_floor());
    says(&mut call, "Kim", &[("note", json!({ "name": "Kim" }))]);
    while call.play_one() {}
    assert_eq!(ended(&call), Some("done"));
}

#[test]
fn a_mocked_transfer_ends_as_the_test_says_on_every_channel() {
    agent(
        r#"
  outcome done, failed
  start hello
  node hello { ask "Hello." when human: "A person" -> desk when bye: "Bye" -> end failed { say "Bye." } }
  node desk {
    transfer "+14155550111"
    on transferred -> end done
    on transfer_failed(busy) -> end done { say "They are busy. Goodbye." }
    on transfer_failed -> end failed { say "Goodbye." }
  }"#,
        r#"test "busy" { mock transfer = busy says "A person" means human expect outcome == done and said("busy") }"#,
    )
    .pass();
}
