//! E0211: a condition that asks whether a name is set where it always is.

use crate::{agent, only};

#[test]
fn what_was_collected_is_no_question() {
    let (_, finding) = only(
        r#"
  var budget: money "What they can spend"
  start hello
  node hello {
    collect budget
    on failed(collect) -> end done
    if budget -> last
    else -> end done
  }
  node last { say "About {{ budget }}."  next -> end done }"#,
    );
    assert_eq!(finding.code.to_string(), "E0211");
    assert!(finding.message.contains("set on every path"), "{}", finding.message);
    assert!(finding.hint.as_deref().is_some_and(|h| h.contains("budget >= …")), "{:?}", finding.hint);
    assert!(finding.related.iter().any(|r| r.message == "collected in hello"));
}

#[test]
fn what_a_call_bound_is_no_question() {
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk
    call secret_of("a") as code
    on error -> end done
    if desk.open and code -> last //~ E0211
    if not desk -> last //~ E0211
    else -> end done
  }
  node last { say "{{ desk.name }}"  next -> end done }"#,
    );
}

#[test]
fn a_field_that_is_always_there_is_no_question() {
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk
    on error -> end done
    if desk.name and desk.open -> last //~ E0211
    else -> end done
  }
  node last { say "{{ desk.name }}"  next -> end done }"#,
    );
}

#[test]
fn what_is_set_on_every_path_is_no_question_later() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    ask "Hello."
    when sales: "They want to buy" -> last { set topic = sales }
    when other: "Something else" -> pick
  }
  node pick { collect topic  on failed(collect) -> end done  next -> last }
  node last {
    ask "More?"
    when again: "They want more" if topic -> last //~ E0211
    when bye: "They say goodbye" -> end done
  }"#,
    );
}

#[test]
fn what_anywhere_asks_is_asked_in_every_node() {
    agent(
        r#"
  var count: int = 0
  start hello
  node hello {
    ask "Hello."
    when on: "They go on" -> end done { set count = count + 1 }
  }
  anywhere { when help: "They want help" if count { say "Sure." } } //~ E0211"#,
    );
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> end done  next -> last }
  node last { ask "Well?"  when bye: "They say goodbye" -> end done }
  anywhere { when help: "They want help" if topic { say "About {{ topic }}." } }"#,
    );
}

#[test]
fn a_name_that_one_path_leaves_unset_may_be_asked() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    ask "Hello."
    when sales: "They want to buy" -> sort { set topic = sales }
    when other: "Something else" -> sort
  }
  node sort { if topic -> last  else -> end done }
  node last { say "About {{ topic }}."  next -> end done }"#,
    );
    // A node that is entered again: the first time it is not set.
    agent(
        r#"
  var topic: Topic "What it is about"
  start sort
  node sort { if topic -> last  else -> pick }
  node pick {
    ask "Hello."
    note topic
    when on: "They go on" -> sort
  }
  node last { say "About {{ topic }}."  next -> end done }"#,
    );
    // Cleared on the way.
    agent(
        r#"
  var topic: Topic "What it is about"
  start pick
  node pick {
    collect topic
    on failed(collect) -> end done
    if topic == sales -> sort { clear topic }
    else -> sort
  }
  node sort { if topic -> last  else -> end done }
  node last { say "About {{ topic }}."  next -> end done }"#,
    );
    // The caller may leave before all is collected; noted is not sure.
    agent(
        r#"
  var topic: Topic "What it is about"
  var day: date "When"
  start pick
  node pick {
    collect topic
    note day
    when bye: "They give up" if topic -> last
    when off: "They go" -> end done
    on failed(collect) -> end done
    if day -> last
    else -> end done
  }
  node last { say "About {{ topic }}."  next -> end done }"#,
    );
}

#[test]
fn a_value_that_may_be_missing_may_be_asked_again_and_what_none_asks_is_meant() {
    agent(
        r#"
  input who: text?
  var topic: Topic "What it is about"
  start hello
  node hello { if who -> again  else -> end done }
  node again { if who -> pick  else -> end done }
  node pick {
    collect topic
    on failed(collect) -> end done
    if topic != none -> last
    else -> end done
  }
  node last { say "About {{ topic }}, {{ who ?? "you" }}."  next -> end done }"#,
    );
    agent(
        r#"
  start hello
  node hello {
    call find("a") as match_name
    on error -> end done
    if match_name -> last
    else -> end done
  }
  node last { say "{{ match_name }}"  next -> end done }"#,
    );
}

#[test]
fn the_other_side_of_and_and_or_counts_as_well() {
    agent(
        r#"
  var budget: money "What they can spend"
  var name: text "Who"
  start hello
  node hello {
    collect budget
    note name
    on failed(collect) -> end done
    if name and budget -> last //~ E0211
    if name or budget -> last //~ E0211
    if name and budget > 5 USD -> last
    else -> end done
  }
  node last { say "About {{ budget }}."  next -> end done }"#,
    );
}

#[test]
fn what_is_already_reported_as_unset_is_not_reported_as_set() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    ask "Hello."
    when sales: "They want to buy" -> last { set topic = sales }
    when other: "Something else" -> last
  }
  node last {
    say "About {{ topic }}." //~ E0301
    if topic -> end done
    else -> end done
  }"#,
    );
}
