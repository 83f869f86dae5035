//! E0306 to E0310, E0312, E0313, and the order of `else` and `next`.

use crate::{agent, check};

#[test]
fn conditions_need_an_else() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    collect topic
    on failed(collect) -> end done
    if topic == sales -> end done
    if topic == service -> end done //~ E0306
  }"#,
    );
}

#[test]
fn all_cases_of_one_variable_need_none() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    collect topic
    on failed(collect) -> end done
    if topic == sales -> end done
    if service == topic -> end done
    if topic == accounts -> end done
  }"#,
    );
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    collect topic
    on failed(collect) -> end done
    if topic == sales -> end done
    if topic == service -> end done
    if topic == accounts -> end done
    else -> end done
  }"#,
    );
}

#[test]
fn two_variables_are_not_one() {
    agent(
        r#"
  var topic: Topic "What it is about"
  var second: Topic "And then"
  start hello
  node hello {
    collect topic, second
    on failed(collect) -> end done
    if topic == sales -> end done
    if topic == service -> end done
    if second == accounts -> end done //~ E0306
  }"#,
    );
}

#[test]
fn a_call_may_fail() {
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk //~ E0307
    next -> end done { say "{{ desk.name }}" }
  }"#,
    );
    agent(
        r#"
  start hello
  node hello { call desk_for(sales) as desk  next -> end done { say "{{ desk.name }}" } }
  anywhere { on error { say "Sorry." } }"#,
    );
}

#[test]
fn a_call_on_an_arrow_may_fail_too() {
    agent(
        r#"
  start hello
  node hello {
    ask "Hello."
    when on: "On" -> last { call desk_for(sales) as desk } //~ E0307
  }
  node last { say "{{ desk.name }}"  next -> end done }"#,
    );
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when on: "On" -> last { call desk_for(sales) as desk }  on error -> end done }
  node last { say "{{ desk.name }}"  next -> end done }"#,
    );
}

#[test]
fn a_collect_may_fail() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    collect topic //~ E0308
    next -> end done { say "{{ topic }}" }
  }"#,
    );
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    collect topic { tries: 2 } //~ E0308
    when refuses: "They refuse" -> end done
    next -> end done { say "{{ topic }}" }
  }"#,
    );
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  next -> end done { say "{{ topic }}" } }
  anywhere { on failed(collect) -> end done }"#,
    );
}

#[test]
fn what_fails_in_a_flow_may_be_handled_where_it_is_run() {
    check(
        r#"dgh 1
tool look() -> text { about: "Looks." get: "{{ env.API }}/x" }
flow helps() -> text {
  start a
  node a { call look() as found  next -> return found }
}
agent one {
  outcome done
  start hello
  node hello { run helps() as text  on error -> end done  next -> end done { say text } }
}"#,
    );
    check(
        r#"dgh 1
tool look() -> text { about: "Looks." get: "{{ env.API }}/x" }
flow helps() -> text {
  start a
  node a {
    call look() as found //~ E0307
    next -> return found
  }
}
agent one {
  outcome done
  start hello
  node hello { run helps() as text  on error -> end done  next -> end done { say text } }
}
agent two {
  outcome done
  start hello
  node hello { run helps() as text  next -> end done { say text } }
}"#,
    );
}

#[test]
fn a_transfer_may_fail_in_four_ways() {
    agent(
        r#"
  channels: [phone]
  start hello
  node hello {
    transfer "+14155550100" //~ E0309
    on transferred -> end done
  }"#,
    );
    agent(
        r#"
  channels: [phone]
  start hello
  node hello {
    transfer "+14155550100" //~ E0309
    on transferred -> end done
    on transfer_failed(busy, no_answer) -> end done
  }"#,
    );
    agent(
        r#"
  channels: [phone]
  start hello
  node hello {
    transfer "+14155550100"
    on transferred -> end done
    on transfer_failed(busy, no_answer) -> end done
    on transfer_failed(declined, failed) -> end done
  }"#,
    );
}

#[test]
fn a_chat_cannot_transfer() {
    agent(
        r#"
  channels: [phone, chat]
  start hello
  node hello {
    transfer "+14155550100" //~ W0611
    on transferred -> end done
    on transfer_failed(busy, no_answer, declined, failed) -> end done
  }"#,
    );
    agent(
        r#"
  channels: [phone, chat]
  start hello
  node hello {
    transfer "+14155550100"
    on transferred -> end done
    on transfer_failed -> end done
  }"#,
    );
}

#[test]
fn a_transfer_may_succeed() {
    agent(
        r#"
  channels: [phone]
  start hello
  node hello {
    transfer "+14155550100" //~ E0313
    on transfer_failed -> end done
  }"#,
    );
    agent(
        r#"
  channels: [phone]
  start hello
  node hello {
    transfer "+14155550100"
    on transfer_failed -> end done
    next -> end done
  }"#,
    );
}

#[test]
fn typed_routes_need_a_node_that_is_done_some_time() {
    agent(
        r#"
  start hello
  node hello {
    ask "Hello."
    next -> end done //~ E0310
  }"#,
    );
    agent(
        r#"
  input vip: bool
  start hello
  node hello {
    prompt "Talk."
    when bye: "They say goodbye" -> end done
    if vip -> end done //~ E0310
  }"#,
    );
}

#[test]
fn ask_and_run_come_last() {
    agent(
        r#"
  start hello
  node hello {
    ask "Hello?"
    say "And more." //~ E0312
    when bye: "They say goodbye" -> last { ask "Really?" } //~ E0312
  }
  node last { say "Bye."  next -> end done }"#,
    );
    check(
        r#"dgh 1
flow sure() -> bool {
  start a
  node a { ask "Sure?"  when yes: "Yes" -> return true  when no: "No" -> return false }
}
agent tested {
  outcome done
  start hello
  node hello {
    run sure() as ok
    say "Thanks." //~ E0312
    if ok -> end done
    else -> end done
  }
}"#,
    );
}

#[test]
fn nobody_is_on_the_line_before_the_call() {
    agent(
        r#"
  before call {
    say "Hello?" //~ E0312
  }
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done }"#,
    );
}

#[test]
fn else_needs_an_if_and_next_stands_alone() {
    agent(
        r#"
  start hello
  node hello {
    say "Hello."
    else -> end done //~ E0130
  }"#,
    );
    agent(
        r#"
  input vip: bool
  start hello
  node hello {
    say "Hello."
    if vip -> end done
    next -> end done //~ E0130
  }"#,
    );
}

#[test]
fn an_unknown_event_has_no_consequences() {
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk
    on eror -> end done //~ E0113
    next -> end done { say "{{ desk.name }}" }
  }"#,
    );
}

#[test]
fn a_call_of_anywhere_may_fail_in_every_node() {
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when on: "On" -> other  on error -> end done }
  node other { ask "Well?"  when bye: "They say goodbye" -> end done }
  anywhere {
    on language("es") { call book("x") } //~ E0307
  }"#,
    );
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done }
  anywhere {
    on language("es") { call book("x") }
    on hangup -> end done { call book("y") }
    on error -> end done { call book("z") }
  }"#,
    );
}
