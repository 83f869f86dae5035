//! Events, detours, flows, ends: whole conversations as the language's own tests.

use super::source::{agent, compile};

#[test]
fn the_highest_times_wins_then_the_innermost() {
    agent(
        r#"
  channels: [web]
  outcome done, quiet
  start hello
  node hello {
    ask "Hello."
    when bye: "They are done" -> end done { say "Bye." }
    on silence(3s) { say "In the node." }
  }
  anywhere {
    on silence(9s) { say "Anywhere." }
    on silence(5s, times: 2) { say "Second." }
    on silence(5s, times: 4) -> end quiet { say "I hang up." }
  }"#,
        r#"
test "silence counts" {
  waits 3s
  expect said("In the node") and not said("Anywhere")
  waits 30s
  expect said("Second") and outcome == quiet
}
test "a turn that leads somewhere starts the count anew" {
  waits 3500ms
  says "Bye" means bye
  expect outcome == done and not said("Second")
}"#,
    )
    .pass();
}

#[test]
fn the_first_silences_are_as_long_as_the_one_that_is_waited_for() {
    agent(
        r#"
  channels: [web]
  outcome done, quiet
  start hello
  node hello {
    ask "Hello."
    when bye: "They are done" -> end done { say "Bye." }
    on silence(3s, times: 2) -> end quiet
  }"#,
        r#"
test "the library's longer ones do not count" { waits 5900ms expect turns == 0 and not (outcome == quiet) }
test "two of three seconds" { waits 6900ms expect outcome == quiet }"#,
    )
    .pass();
}

#[test]
fn the_standard_library_has_the_last_word() {
    agent(
        r#"
  channels: [web]
  outcome done
  start hello
  node hello { ask "Hello." when bye: "They are done" -> end done { say "Bye." } }"#,
        r#"
test "silence" { waits 60s expect said("Are you still there?") and said("I can't hear you") and ended_by == agent }"#,
    )
    .pass();
}

#[test]
fn an_error_arrow_is_taken_twice_then_the_call_ends_with_words() {
    let outcome = agent(
        r#"
  channels: [web]
  outcome done
  start act
  node act { call broken() on error -> again next -> end done { say "Done." } }
  node again { call broken() on error -> act { say "Once more." } next -> end done { say "Done." } }"#,
        r#"
tool broken() -> bool { about: "Fails." get: "https://example.com" }
test "it fails" { mock broken = error("network") expect ended_by == error and called(broken) == 3 and said("something went wrong") }"#,
    )
    .pass();
    assert!(outcome[0].passed);
}

#[test]
fn a_detour_comes_back_to_the_question() {
    agent(
        r#"
  channels: [web]
  outcome done, failed
  var day: date "The day"
  start book
  node book {
    say "I book visits."
    collect day { ask: "Which day?" }
    on failed(collect) -> end failed { say "Sorry. Goodbye." }
    next -> end done { say "Booked. Goodbye." }
  }
  node answer {
    prompt "Answer."
    when helped: "They are content" -> back
    when more: "Another question" -> detour answer
  }
  anywhere { when question: "They ask something" -> detour answer }"#,
        r#"
test "there and back" {
  says "Are you open?" means question
  agent_says "We are. Is that all?"
  says "Yes" means helped
  says "Tomorrow" means { day: 2026-03-03 }
  expect outcome == done and visited(book, answer, book)
}
test "a detour from a detour is not offered" {
  says "Are you open?" means question
  says "And on Sunday?" means question
}"#,
    )
    .fails_second("`question` cannot be chosen in node `answer`; here it can be `helped`");
}

#[test]
fn a_flow_has_fresh_names_at_each_run_and_a_route_of_the_agent_unwinds_it() {
    agent(
        r#"
  channels: [web]
  outcome ok, bad, stopped
  start first
  node first { run check() as a if a == yes -> second else -> end bad { say "Bad." } }
  node second { run check() as b if b == yes -> end ok { say "Ok." } else -> end bad { say "Bad." } }
  anywhere { when stop: "They want to stop" -> end stopped { say "We stop." } }"#,
        r#"
enum Verdict { yes, no }
flow check() -> Verdict {
  var code: int "The code"
  start get
  node get {
    collect code { ask: "The code, please.", tries: 2 }
    on failed(collect) -> return no
    if code == 7 -> return yes
    else -> return no
  }
}
test "twice" { says "seven" means { code: 7 } says "seven" means { code: 7 } expect outcome == ok and turns == 2 }
test "wrong the second time" { says "7" says "8" expect outcome == bad }
test "stopped inside" { says "7" says "Stop it" means stop expect outcome == stopped }
test "refused" { says "7" says "Why?" means nothing says "No" means nothing expect outcome == bad }"#,
    )
    .pass();
}

#[test]
fn a_call_is_handed_over_with_its_history() {
    compile(&[(
        "agent.dgh",
        r#"dgh 1
agent first {
  channels: [web]
  outcome gone
  input who: text
  start hello
  node hello { ask "Hello {{ who }}." when sales: "They buy" -> agent second(name: who) { say "One moment." } when bye: "Bye" -> end gone { say "Bye." } }
}
agent second {
  channels: [web]
  outcome sold
  input name: text
  start sell
  node sell { ask "Hi {{ name }}, this is sales." when buys: "They buy" like ["i take it"] -> end sold { say "Sold." } }
  webhook crm on call.ended { post: "https://example.com" body: { name: name, outcome: call.outcome? } }
}
test "handed over" of first { given who = "Ann" says "I buy" means sales says "I take it!" expect said("Hi Ann, this is sales.") and ended_by == agent }
"#,
    )])
    .pass();
}

#[test]
fn a_transfer_that_fails_says_so_and_one_that_succeeds_ends() {
    agent(
        r#"
  channels: [phone]
  inbound { numbers: ["+14155550100"] }
  outcome connected, message
  start go
  node go {
    say "I connect you."
    transfer "+14155550101" { mode: cold, ring: 5s }
    on transferred -> end connected
    on transfer_failed(busy) -> end message { say "They are busy." }
    on transfer_failed -> end message { say "Nobody is there." }
  }"#,
        r#"
test "answered" { mock transfer = answered expect outcome == connected and ended_by == transfer and not said("Goodbye") }
test "busy" { mock transfer = busy expect said("They are busy.") }
test "declined" { mock transfer = declined expect said("Nobody is there.") and outcome == message }"#,
    )
    .pass();
}

#[test]
fn keys_choose_and_the_key_that_is_named_wins() {
    agent(
        r#"
  channels: [phone]
  inbound { numbers: ["+14155550100"] }
  outcome one, other
  start menu
  node menu {
    ask "Press 1."
    when one: "One" -> end one { say "One." }
    on key -> end other { say "Other." }
  }
  anywhere { on key("1") -> end one { say "One." } }"#,
        r#"
test "one" { keys "1" expect outcome == one }
test "two" { keys "2" expect outcome == other }"#,
    )
    .pass();
}

#[test]
fn what_stands_before_the_call_may_fail() {
    agent(
        r#"
  channels: [phone]
  inbound { numbers: ["+14155550100"] }
  outcome done
  prompt "You speak with {{ name ?? "somebody" }}."
  start hello
  before call { if caller.phone { call lookup(caller.phone) as name } }
  node hello { ask "Hello {{ name ?? "there" }}." when bye: "Bye" -> end done { say "Bye." } }"#,
        r#"
tool lookup(phone: phone) -> text { about: "Name." get: "https://example.com/{{ phone }}" }
test "known" { mock lookup = "Ann" says "Bye" means bye expect said("Hello Ann.") }
test "down" { mock lookup = error("timeout") says "Bye" means bye expect said("Hello there.") }
test "withheld" { given caller.phone = none says "Bye" means bye expect said("Hello there.") and called(lookup) == 0 }"#,
    )
    .pass();
}

#[test]
fn limits_end_a_call_with_words() {
    agent(
        r#"
  channels: [web]
  limits { duration: 20s, turns: 2 }
  outcome done, long
  start hello
  node hello { prompt "Chat." when bye: "Bye" -> end done { say "Bye." } on silence(60s) { say "Hm." } }
  anywhere { on limit(duration) -> end long { say "Time is up." } }"#,
        r#"
test "duration" { waits 30s expect outcome == long and ended_by == limit and said("Time is up") }
test "turns" { says "a" means nothing says "b" means nothing says "c" means nothing expect ended_by == limit and said("run out of time") }"#,
    )
    .pass();
}

#[test]
fn a_promise_about_values_refuses_the_write() {
    agent(
        r#"
  channels: [web]
  outcome done, failed
  input most: int
  var amount: int "How much"
  always amount <= most else "That is more than there is."
  start ask_it
  node ask_it {
    collect amount { ask: "How much?" }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> end done { say "Good. Goodbye." }
  }"#,
        r#"
test "too much" { given most = 10 says "twenty" means { amount: 20 } says "five" means { amount: 5 } expect outcome == done and amount == 5 }"#,
    )
    .pass();
}

#[test]
fn stalled_turns_are_counted_in_their_node() {
    agent(
        r#"
  channels: [web]
  outcome done, stuck
  start hello
  node hello {
    prompt "Chat."
    when bye: "Bye" -> end done { say "Bye." }
    on stalled(turns: 2) -> end stuck { say "We go in circles." }
  }"#,
        r#"test "stuck" { says "a" means nothing says "b" means nothing expect outcome == stuck }"#,
    )
    .pass();
}

#[test]
fn one_of_a_list_is_its_number_and_a_new_list_forgets_the_pick() {
    agent(
        r#"
  channels: [web]
  outcome done, failed
  var day: date "Day"
  var pick: text "The time they picked"
  start when_is_it
  node when_is_it {
    collect day { ask: "Which day?" }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> find
  }
  node find { call times(day) as free on error -> end failed { say "Goodbye." } next -> choose }
  node choose {
    prompt "Offer {{ free }}."
    collect pick from free { confirm: always }
    on corrected(day) -> find { say "I look again." }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> end done { say "{{ pick }} it is. Goodbye." }
  }"#,
        r#"
tool times(day: date) -> list<text> { about: "Free times." get: "https://example.com/{{ day }}" }
test "picked" {
  mock times = ["nine", "ten"]
  says "Monday" means { day: 2026-03-09 }
  says "2"
  says "Yes"
  expect outcome == done and said("ten it is")
}
test "another day forgets the pick" {
  mock times = ["nine", "ten"]
  mock times = ["noon"]
  says "Monday" means { day: 2026-03-09 }
  says "The second" means { pick: 2 }
  says "No, rather Tuesday" means { day: 2026-03-10 }
  says "1"
  says "Yes"
  expect outcome == done and said("noon it is") and called(times) == 2
}"#,
    )
    .pass();
}

#[test]
fn the_caller_hangs_up_and_the_outcome_is_named() {
    agent(
        r#"
  channels: [web]
  outcome done, gone
  start hello
  node hello { prompt "Chat." when bye: "Bye" -> end done { say "Bye." } }
  anywhere { on hangup -> end gone }
  webhook crm on call.ended { post: "https://example.com" body: { outcome: call.outcome?, by: call.ended_by } }"#,
        r#"test "gone" { hangs_up expect outcome == gone and ended_by == caller and sent(crm) and not said("Goodbye") }"#,
    )
    .pass();
}
