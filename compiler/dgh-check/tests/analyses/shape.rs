//! H0801 to H0804.

use crate::agent_pedantic;

#[test]
fn a_chain_of_questions() {
    agent_pedantic(
        r#"
  var name: text "Their name"
  var day: date "Which day"
  var city: text "Which city"
  start ask_name
  node ask_name { collect name  next -> ask_day } //~ H0801
  node ask_day { collect day  next -> ask_city }
  node ask_city { collect city  next -> end done }
  anywhere { on failed(collect) -> end done }"#,
    );
    agent_pedantic(
        r#"
  var name: text "Their name"
  var day: date "Which day"
  start ask_name
  node ask_name { collect name, day  next -> end done }
  anywhere { on failed(collect) -> end done }"#,
    );
}

#[test]
fn two_answers_in_a_row() {
    agent_pedantic(
        r#"
  start hello
  node hello {
    ask "Hello."
    when on: "They go on" -> talk //~ H0802
    when more: "They want more" -> talk { say "Sure." }
  }
  node talk { prompt "Talk."  when bye: "They say goodbye" -> end done }"#,
    );
}

#[test]
fn a_value_that_can_no_longer_be_corrected() {
    agent_pedantic(
        r#"
  var day: date "Which day"
  start hello
  node hello {
    collect day //~ H0803
    on failed(collect) -> end done
    next -> offer
  }
  node offer { call slots(day) as found  on error -> end done  next -> choose }
  node choose { prompt "Offer {{ found }}."  when bye: "They say goodbye" -> end done }"#,
    );
    agent_pedantic(
        r#"
  var day: date "Which day"
  start hello
  node hello { collect day  on failed(collect) -> end done  next -> offer }
  node offer { call slots(day) as found  on error -> end done  next -> choose }
  node choose {
    prompt "Offer {{ found }}."
    on corrected(day) -> offer
    when bye: "They say goodbye" -> end done
  }"#,
    );
}

#[test]
fn a_prompt_over_the_budget() {
    let long = "Be kind and patient. ".repeat(2000);
    agent_pedantic(&format!(
        r#"
  start hello
  node hello {{ //~ H0804
    prompt "{long}"
    when bye: "They say goodbye" -> end done
  }}"#,
    ));
}
