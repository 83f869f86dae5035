//! E0301 where something else than the next node sees a value: detours, corrections, flows, tools,
//! bodies, blocks.

use crate::{agent, check, only};

#[test]
fn a_detour_comes_back_with_what_the_node_knew_minus_what_it_clears() {
    agent(
        r#"
  var topic: Topic "What it is about"
  var day: date "Which day"
  start hello
  node hello { collect topic, day  on failed(collect) -> end done  next -> talk }
  node talk {
    prompt "Talk."
    when asks: "They have a question" -> detour answer
    when bye: "They say goodbye" -> end done {
      say "{{ topic }}"
      say "{{ day as spoken }}" //~ E0301
    }
  }
  node answer {
    prompt "Answer."
    when helped: "It helped" -> back { clear day }
  }"#,
    );
}

#[test]
fn a_corrected_value_is_there() {
    agent(
        r#"
  var day: date "Which day"
  start hello
  node hello { collect day  on failed(collect) -> end done  next -> offer }
  node offer {
    call slots(day) as found
    on error -> end done
    next -> choose
  }
  node choose {
    prompt "Offer {{ found }}."
    on corrected(day) -> offer
    when bye: "They say goodbye" -> end done { say "{{ day as spoken }}" }
  }"#,
    );
}

#[test]
fn a_flow_has_values_of_its_own() {
    check(
        r#"dgh 1
flow ask_name(greeting: text, extra: text?) -> text {
  var name: text "Their name"
  start ask_it
  node ask_it {
    collect name { ask: greeting }
    when refuses: "They refuse" -> return "nobody"
    on failed(collect) -> return name //~ E0301
    next -> return "{{ name }} {{ extra }}" //~ E0203
  }
}
agent tested {
  outcome done
  start hello
  node hello {
    run ask_name("Who is there?") as name
    when human: "They want a person" -> end done { say "{{ name }}" } //~ E0301
    next -> end done { say "{{ name }}" }
  }
}"#,
    );
}

#[test]
fn a_tool_reads_its_own_parameters() {
    check(
        r#"dgh 1
tool look(name: text, day: date?) -> text {
  about: "Looks."
  get: "{{ env.API }}/{{ name }}/{{ day }}" //~ E0203
}
agent tested {
  outcome done
  start hello
  node hello {
    call look("a") as found
    on error -> end done
    next -> end done { say found }
  }
}"#,
    );
}

#[test]
fn an_unknown_name_has_no_consequences() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    collect topik //~ E0101
    on failed(collect) -> end done
    next -> last
  }
  node last {
    say "{{ topic }}"
    next -> end done
  }"#,
    );
}

#[test]
fn a_node_that_is_entered_too_early_is_one_mistake() {
    let (_, finding) = only(
        r#"
  var topic: Topic "What it is about"
  var day: date "Which day"
  start hello
  node hello { ask "Hello."  when early: "They hurry" -> last  when fine: "They do not" -> ask_all }
  node ask_all { collect topic, day  on failed(collect) -> end done  next -> last }
  node last {
    say "{{ topic }}"
    say "{{ day as spoken }}"
    next -> end done
  }"#,
    );
    assert_eq!(finding.message, "`topic` and `day` may not be set here");
    assert_eq!(finding.steps.last().map(|s| s.message.as_str()), Some("last needs topic and day"));
}

#[test]
fn in_a_body_what_may_be_missing_says_so() {
    check(
        r#"dgh 1
tool send(name: text, phone: phone?) -> bool {
  about: "Sends."
  post: "{{ env.API }}/send"
  body: {
    name: name
    phone: phone //~ E0203
    again: phone?
    other: phone ?? "none"
  }
}
agent tested {
  outcome done
  input lead: text?
  start hello
  node hello { call send("a", none)  on error -> end done  next -> end done }
  webhook crm on call.ended {
    post: "{{ env.API }}/calls"
    body: {
      outcome: call.outcome //~ E0203
      transcript: call.transcript_url
      lead: lead //~ E0203
      nested: { outcome: call.outcome?, list: [lead?] }
    }
  }
}"#,
    );
}

#[test]
fn the_block_of_an_arrow_may_fail_after_it_has_cleared() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> end done  next -> talk }
  node talk {
    prompt "About {{ topic }}."
    when other: "Another topic" -> hello { clear topic  call book("x") }
    on error -> end done {
      say "{{ topic }}" //~ E0301
    }
  }"#,
    );
}

#[test]
fn a_transfer_on_an_arrow_is_handled_where_it_starts() {
    agent(
        r#"
  channels: [phone]
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> end done  next -> talk }
  node talk {
    prompt "About {{ topic }}."
    when human: "They want a person" -> end done { transfer "+14155550100" }
    on transferred -> end done
    on transfer_failed -> again { say "{{ topic }}" }
  }
  node again { prompt "Talk on."  when bye: "They say goodbye" -> end done }"#,
    );
}

#[test]
fn a_correction_comes_only_after_the_value_was_used() {
    agent(
        r#"
  var day: date "Which day"
  var name: text "Their name"
  start hello
  node hello { ask "Hello."  when on: "On" -> details }
  node details { collect name, day  on failed(collect) -> end done  next -> look }
  node look {
    call slots(day) as found
    on error -> end done
    next -> choose
  }
  node choose { prompt "Offer {{ found }} to {{ name }}."  when bye: "They say goodbye" -> end done }
  anywhere { on corrected(day) -> look { say "Let me look again, {{ name }}." } }"#,
    );
    agent(
        r#"
  var day: date "Which day"
  var name: text "Their name"
  start hello
  node hello { ask "Hello."  when on: "On" -> details }
  node details { collect name, day  on failed(collect) -> end done  next -> look }
  node look {
    call slots(day) as found
    on error -> end done
    next -> choose { clear name }
  }
  node choose { prompt "Offer {{ found }}."  when bye: "They say goodbye" -> end done }
  anywhere {
    on corrected(day) -> look {
      say "Let me look again, {{ name }}." //~ E0301
    }
  }"#,
    );
}

#[test]
fn what_was_there_when_a_value_was_used_is_there_when_it_is_corrected() {
    agent(
        r#"
  var day: date "Which day"
  var name: text "Their name"
  start request
  node request { collect name, day  on failed(collect) -> end done  next -> look }
  node look {
    call slots(day) as found
    on error -> end done
    next -> choose { say "{{ name }}" }
  }
  node choose {
    prompt "Offer {{ found }}."
    when rename: "The name is wrong" -> request { clear name }
    when bye: "They say goodbye" -> end done
  }
  anywhere { on corrected(day) -> look_again }
  node look_again {
    call slots(day) as others
    on error -> end done
    next -> end done { say "{{ others.count }}" }
  }"#,
    );
    agent(
        r#"
  var day: date "Which day"
  var name: text "Their name"
  start request
  node request { collect name, day  on failed(collect) -> end done  next -> look }
  node look {
    call slots(day) as found
    on error -> end done
    next -> choose { say "{{ name }}" }
  }
  node choose {
    prompt "Offer {{ found }}."
    when rename: "The name is wrong" -> request { clear name }
    when bye: "They say goodbye" -> end done
  }
  anywhere { on corrected(day) -> look_again }
  node look_again {
    call slots(day) as others
    on error -> end done
    next -> end done {
      say "{{ name }}, {{ others.count }}" //~ E0301
    }
  }"#,
    );
}
