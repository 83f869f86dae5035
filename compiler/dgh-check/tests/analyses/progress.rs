//! E0305.

use crate::{agent, check, only};

#[test]
fn the_missing_clear_is_named() {
    let (_, finding) = only(
        r#"
  var name: text "Their name"
  var day: date "Which day"
  start request
  node request { collect name, day  on failed(collect) -> end done  next -> offer }
  node offer {
    call slots(day) as found
    on error -> end done
    if found.empty -> request { say "Nothing is free on {{ day as spoken }}." }
    else -> end done { say "{{ name }}" }
  }"#,
    );
    assert_eq!(finding.code.to_string(), "E0305");
    assert!(finding.hint.as_deref().unwrap_or("").contains("`clear day`"), "{:?}", finding.hint);
    assert_eq!(finding.fixes.len(), 1);
}

#[test]
fn a_clear_makes_the_node_ask_again() {
    agent(
        r#"
  var day: date "Which day"
  start request
  node request { collect day  on failed(collect) -> end done  next -> offer }
  node offer {
    call slots(day) as found
    on error -> end done
    if found.empty -> request { say "Nothing is free."  clear day }
    else -> end done
  }"#,
    );
}

#[test]
fn a_clear_of_another_name_does_not() {
    agent(
        r#"
  var day: date "Which day"
  var name: text "Their name"
  start request
  node request { collect day  on failed(collect) -> end done  next -> offer }
  node offer {
    call slots(day) as found
    set name = "x"
    on error -> end done
    if found.empty and name == "x" -> request { clear name } //~ E0305
    else -> end done
  }"#,
    );
}

#[test]
fn a_value_that_is_cleared_and_set_again_is_not_asked_for() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start request
  node request { collect topic  on failed(collect) -> end done  next -> offer }
  node offer {
    if topic == sales -> request { clear topic  set topic = service } //~ E0305
    else -> end done
  }"#,
    );
}

#[test]
fn nodes_that_only_act_go_round() {
    agent(
        r#"
  start a
  node a {
    call find(none) as found
    on error -> end done
    if found -> end done
    else -> b
  }
  node b { say "Once more."  next -> a } //~ E0305"#,
    );
    agent(
        r"
  start a
  node a {
    call find(none) as found
    on error -> end done
    if found -> end done
    else -> a //~ E0305
  }",
    );
}

#[test]
fn waiting_takes_time_and_asking_takes_a_turn() {
    agent(
        r#"
  start a
  node a {
    call find(none) as found
    on error -> end done
    if found -> end done
    else -> b
  }
  node b { say "Once more."  wait 3s  next -> a }"#,
    );
    agent(
        r#"
  start a
  node a {
    call find(none) as found
    on error -> end done
    if found -> end done
    else -> b
  }
  node b { ask "Once more?"  when yes: "Yes" -> a  when no: "No" -> end done }"#,
    );
}

#[test]
fn an_error_arrow_does_not_go_round() {
    agent(
        r#"
  start a
  node a { call find(none) as found  on error -> b  next -> end done { say "{{ found ?? "" }}" } }
  node b { say "Once more."  next -> a }"#,
    );
}

#[test]
fn a_flow_that_asks_takes_a_turn() {
    check(
        r#"dgh 1
flow yes_or_no() -> bool {
  start a
  node a { ask "Well?"  when yes: "Yes" -> return true  when no: "No" -> return false }
}
flow toss() -> bool {
  start a
  node a { if now.time in 9:00..12:00 -> return true  else -> return false }
}
agent tested {
  outcome done
  start hello
  node hello { run yes_or_no() as ok  if ok -> second  else -> hello }
  node second { run toss() as ok2  if ok2 -> end done  else -> second } //~ E0305
}"#,
    );
}

#[test]
fn one_of_two_circles_is_enough() {
    agent(
        r#"
  var day: date "Which day"
  start request
  node request { collect day  on failed(collect) -> end done  next -> offer }
  node offer {
    call slots(day) as found
    on error -> end done
    if found.empty -> request { clear day }
    if found.count == 1 -> other
    else -> end done
  }
  node other {
    say "One moment."
    next -> request //~ E0305
  }"#,
    );
}

#[test]
fn a_clear_counts_some_nodes_before_the_question_too() {
    agent(
        r#"
  var day: date "Which day"
  start request
  node request { collect day  on failed(collect) -> end done  next -> offer }
  node offer {
    call slots(day) as found
    on error -> end done
    if found.empty -> sorry { clear day }
    else -> end done
  }
  node sorry { say "Nothing is free."  next -> think }
  node think { if now.time in 9:00..12:00 -> request  else -> request { say "Later, then." } }"#,
    );
    agent(
        r#"
  var day: date "Which day"
  start request
  node request { collect day  on failed(collect) -> end done  next -> offer }
  node offer {
    call slots(day) as found
    on error -> end done
    if found.empty -> sorry { clear day }
    if found.count == 1 -> sorry
    else -> end done
  }
  node sorry { say "Nothing is free."  next -> request } //~ E0305"#,
    );
}

#[test]
fn an_ask_beside_a_collect_is_left_out_once_all_is_known() {
    let (_, finding) = only(
        r#"
  var day: date "Which day"
  start request
  node request { ask "Which day?"  collect day  on failed(collect) -> end done  next -> offer }
  node offer {
    call slots(day) as found
    on error -> end done
    if found.empty -> request { say "Nothing is free." }
    else -> end done
  }"#,
    );
    assert_eq!(finding.code.to_string(), "E0305");
    assert!(finding.hint.as_deref().unwrap_or("").contains("`clear day`"), "{:?}", finding.hint);
    agent(
        r#"
  var day: date "Which day"
  start request
  node request { ask "Which day?"  collect day  on failed(collect) -> end done  next -> offer }
  node offer {
    call slots(day) as found
    on error -> end done
    if found.empty -> request { say "Nothing is free."  clear day }
    else -> end done
  }"#,
    );
}

#[test]
fn a_collect_of_what_the_condition_says_is_unset_asks() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start sort
  node sort { if topic -> last  else -> pick }
  node pick { collect topic  on failed(collect) -> end done  next -> sort }
  node last { say "About {{ topic }}."  next -> end done }"#,
    );
    agent(
        r#"
  var topic: Topic "What it is about"
  start sort
  node sort {
    if topic == none and now.time in 9:00..18:00 -> pick
    if topic == none -> end done
    else -> end done { say "About {{ topic }}." }
  }
  node pick { collect topic  on failed(collect) -> end done  next -> sort }"#,
    );
    // What may be declined may be missing still, and is not asked for again.
    agent(
        r#"
  var who: text? "Who it is"
  start sort
  node sort { if who -> last  else -> pick } //~ E0305
  node pick { collect who  on failed(collect) -> end done  next -> sort }
  node last { say "Hello {{ who }}."  next -> end done }"#,
    );
}
