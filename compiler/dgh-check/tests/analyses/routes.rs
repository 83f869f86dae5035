//! E0401, W0402, W0403, W0404, W0423.

use crate::{agent, check};

#[test]
fn two_routes_with_one_label() {
    agent(
        r#"
  start hello
  node hello {
    ask "Hello."
    when bye: "They say goodbye" -> end done
    when bye: "They hang up" -> end done //~ E0401
  }"#,
    );
    agent(
        r#"
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> other }
  node other { ask "Hello again."  when bye: "They say goodbye" -> end done }"#,
    );
}

#[test]
fn a_condition_that_an_earlier_one_covers() {
    agent(
        r#"
  var age: int "How old"
  var topic: Topic "What it is about"
  var name: text? "Their name"
  start hello
  node hello {
    collect age, topic
    note name
    on failed(collect) -> end done
    if age > 17 -> end done
    if age >= 21 -> end done //~ W0402
    if 30 < age and topic == sales -> end done //~ W0402
    if topic in [sales, service] -> end done
    if topic == service -> end done //~ W0402
    if topic != accounts -> end done //~ W0402
    if name and age < 5 -> end done
    if age < 3 and name -> end done //~ W0402
    if age < 3 -> end done
    if not (age >= 2) -> end done //~ W0402
    else -> end done
  }"#,
    );
}

#[test]
fn conditions_that_only_look_alike() {
    agent(
        r#"
  var age: int "How old"
  var topic: Topic "What it is about"
  var amount: money "How much"
  start hello
  node hello {
    collect age, topic, amount
    on failed(collect) -> end done
    if age >= 21 -> end done
    if age > 17 -> end done
    if topic == sales and age > 5 -> end done
    if topic == sales -> end done
    if amount > 10 USD -> end done
    if amount > 5 USD -> end done
    if age in 10..12 -> end done
    if age in 9..12 -> end done
    if now.time in 9:00..12:00 -> end done
    if now.time in 10:00..18:00 -> end done
    else -> end done
  }"#,
    );
}

#[test]
fn a_model_does_not_tell_more_than_ten_routes_apart() {
    let many: Vec<String> = (0..8).map(|i| format!("    when r{i}: \"Reason {i}\" -> end done\n")).collect();
    let many = many.concat();
    agent(&format!(
        r#"
  start hello
  node hello {{
    ask "Hello."
{many}    when last: "Last" -> end done //~ W0403
  }}
  anywhere {{
    when human: "They want a person" -> end done
    when stop: "They want to stop" -> end done
  }}"#,
    ));
    agent(&format!(
        r#"
  start hello
  node hello {{
    ask "Hello."
{many}  }}
  anywhere {{
    when human: "They want a person" -> end done
    when stop: "They want to stop" -> end done
  }}"#,
    ));
}

#[test]
fn an_outcome_that_no_path_produces() {
    check(
        r#"dgh 1
agent tested {
  outcome done, sold, lost //~ W0404
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done  on hangup -> end lost }
}"#,
    );
}

#[test]
fn a_route_behind_else() {
    agent(
        r#"
  input vip: bool
  start hello
  node hello {
    say "Hello."
    if vip -> end done
    else -> end done
    if not vip -> end done //~ W0423
  }"#,
    );
}

#[test]
fn an_outcome_of_a_node_that_is_not_reached_is_no_second_mistake() {
    check(
        r#"dgh 1
agent tested {
  outcome done, sold
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done }
  node sell { say "Sold."  next -> end sold } //~ E0302
}"#,
    );
    check(
        r#"dgh 1
agent tested {
  outcome done, sold
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done  when buy: "They buy" -> sell }
  node sell { say "Sold." } //~ E0303
}"#,
    );
}

#[test]
fn a_second_handler_of_one_event_is_never_looked_at() {
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk
    ask "Hello {{ desk.name }}."
    when bye: "They say goodbye" -> end done
    on silence(8s) { say "Hm?" }
    on silence(8s) { say "Are you there?" } //~ W0423
    on silence(8s, times: 3) -> end done
    on error -> end done
    on error -> other //~ W0423
    on key("1") -> other
    on key("2") -> end done
  }
  node other { say "Sorry."  next -> end done }
  anywhere {
    on silence(6s) { say "Hello?" }
    on silence(6s) -> end done //~ W0423
  }"#,
    );
}
