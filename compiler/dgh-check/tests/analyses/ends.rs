//! E0302, E0303, E0304, E0311.

use crate::{agent, check};

#[test]
fn an_unreachable_node_is_told_with_what_it_leads_to() {
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done }
  node lost { say "Never said."  next -> also_lost } //~ E0302
  node also_lost { say "Neither."  next -> hello }"#,
    );
}

#[test]
fn two_unreachable_nodes_that_lead_to_each_other_are_one_mistake() {
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done }
  node ping { prompt "Ping."  when on: "On" -> pong } //~ E0302
  node pong { prompt "Pong."  when on: "On" -> ping }"#,
    );
}

#[test]
fn a_misspelt_target_does_not_make_its_node_unreachable() {
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> lasst } //~ E0102
  node last { say "Bye."  next -> end done }"#,
    );
}

#[test]
fn a_node_is_reached_from_anywhere_and_by_detours() {
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done }
  node desk { say "One moment."  next -> end done }
  node answer { prompt "Answer."  when helped: "It helped" -> back }
  anywhere {
    when human: "They want a person" -> desk
    when asks: "They ask" -> detour answer
  }"#,
    );
}

#[test]
fn a_node_without_a_way_on() {
    agent(
        r#"
  start hello
  node hello {
    ask "Hello."
    when a: "One" -> says
    when b: "Two" -> talks
    when c: "Three" -> collects
    when d: "Four" -> empty
    when e: "Five" -> waits
  }
  var topic: Topic "What it is about"
  node says { say "Hello." } //~ E0303
  node talks { prompt "Talk." } //~ E0303
  node collects { collect topic  on failed(collect) -> end done } //~ E0303
  node empty {} //~ E0303
  node waits { wait 5s  on key("1") -> end done } //~ E0303
  anywhere { on silence(6s, times: 3) -> end done }"#,
    );
}

#[test]
fn a_talking_node_is_not_let_off_by_a_way_out_for_everybody() {
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when asks: "They ask" -> hours }
  node hours { prompt "Tell the hours." } //~ E0303
  anywhere { when human: "They want a person" -> end done }"#,
    );
}

#[test]
fn topics_may_be_left_as_they_are_entered_from_anywhere() {
    agent(
        r#"
  start hello
  node hello { ask "Hello." }
  node hours { prompt "Tell the hours." }
  node prices { prompt "Tell the prices." }
  anywhere {
    when hours: "They ask for the hours" -> hours
    when prices: "They ask for the prices" -> prices
    when bye: "They say goodbye" -> end done
  }"#,
    );
}

#[test]
fn a_circle_that_nobody_can_leave() {
    agent(
        r#"
  start hello
  node hello {
    ask "Hello."
    when on: "They go on" -> ping
    when bye: "They say goodbye" -> end done
  }
  node ping { prompt "Ping."  when on: "On" -> pong } //~ E0304
  node pong { prompt "Pong."  when on: "On" -> ping }"#,
    );
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when on: "They go on" -> ping }
  node ping { prompt "Ping."  when on: "On" -> pong }
  node pong { prompt "Pong."  when on: "On" -> ping }
  anywhere { when bye: "They say goodbye" -> end done }"#,
    );
}

#[test]
fn a_flow_must_return() {
    check(
        r#"dgh 1
flow chat() -> bool {
  start a
  node a { ask "One?"  when on: "On" -> b } //~ E0304
  node b { ask "Two?"  when on: "On" -> a }
}
agent tested {
  outcome done
  start hello
  node hello { run chat() as ok  if ok -> end done  else -> end done }
}"#,
    );
}

#[test]
fn back_only_where_every_way_in_is_a_detour() {
    agent(
        r#"
  start hello
  node hello {
    ask "Hello."
    when asks: "They ask" -> detour answer
    when other: "Other" -> answer
    when bye: "They say goodbye" -> end done
  }
  node answer {
    prompt "Answer."
    when helped: "It helped" -> back //~ E0311
  }"#,
    );
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when asks: "They ask" -> detour answer  when bye: "They say goodbye" -> end done }
  node answer { prompt "Answer."  when more: "They want more" -> details  when helped: "It helped" -> back }
  node details { tell "Details."  next -> back }"#,
    );
}
