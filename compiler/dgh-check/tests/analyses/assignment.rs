//! E0301 and E0203.

use crate::{agent, only, steps};

#[test]
fn a_value_that_one_path_leaves_out_is_shown_with_the_shortest_path() {
    let (source, finding) = only(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    ask "Hello."
    when sales: "They want to buy" -> pick
    when asks: "They ask" -> long
    when other: "Something else" -> last
  }
  node pick { collect topic  on failed(collect) -> end done  next -> last }
  node long { prompt "Talk." when on: "They go on" -> longer }
  node longer { prompt "Talk." when on: "They go on" -> last }
  node last { say "About {{ topic }}."  next -> end done }"#,
    );
    assert_eq!(finding.code.to_string(), "E0301");
    assert_eq!(
        steps(&source, &finding),
        [
            "the call starts in hello | node hello {",
            "hello: when other | when other: \"Something else\" -> last",
            "last needs topic | node last { say \"About {{ topic }}.\"  next -> end done }",
        ]
    );
    assert!(finding.related.iter().any(|r| r.message == "topic is declared here"));
    assert!(finding.related.iter().any(|r| r.message == "collected in pick"));
}

#[test]
fn what_is_collected_is_there_when_the_node_is_done() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> end done  next -> last }
  node last { say "About {{ topic }}."  next -> end done }"#,
    );
}

#[test]
fn what_is_collected_may_be_missing_when_the_caller_leaves_early() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    collect topic
    when human: "They want a person" -> last
    on failed(collect) -> end done
    next -> last
  }
  node last {
    say "About {{ topic }}." //~ E0301
    next -> end done
  }"#,
    );
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> last  next -> last }
  node last {
    say "About {{ topic }}." //~ E0301
    next -> end done
  }"#,
    );
}

#[test]
fn what_steps_set_is_there_when_the_caller_has_the_floor_and_not_at_any_moment() {
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk
    ask "Hello."
    when on: "They go on" -> floor
    on key("1") -> moment
    on error -> end done
  }
  node floor { say "{{ desk.name }}"  next -> end done }
  node moment {
    say "{{ desk.name }}" //~ E0301
    next -> end done
  }"#,
    );
}

#[test]
fn an_error_may_come_before_the_answer() {
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk
    on error -> end done { say "{{ desk.name }} is closed." } //~ E0301
    next -> end done { say "{{ desk.name }}" }
  }"#,
    );
}

#[test]
fn a_transfer_hands_on_what_was_known_before_it() {
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk
    transfer desk.number
    on transferred -> end done { say "{{ desk.name }}" }
    on transfer_failed -> last
    on error -> end done
  }
  node last { say "{{ desk.name }} does not answer."  next -> end done }"#,
    );
}

#[test]
fn a_condition_makes_sure_on_its_arrow_and_behind_it() {
    agent(
        r#"
  var name: text? "Their name"
  var company: text? "Their company"
  start hello
  node hello {
    ask "Hello."
    note name, company
    when known: "They go on" if name and company -> greet
    when other: "They do not" -> ask_again
  }
  node greet { say "{{ name }} of {{ company }}."  next -> later }
  node later { say "Still {{ name }}."  next -> end done }
  node ask_again {
    say "Well."
    if not name -> end done
    if name == "Ann" -> later
    else -> end done { say "Bye {{ name }}." }
  }"#,
    );
}

#[test]
fn or_makes_only_the_common_part_sure() {
    agent(
        r#"
  var name: text? "Their name"
  var company: text? "Their company"
  start hello
  node hello { ask "Hello."  note name, company  when on: "They go on" -> decide }
  node decide {
    if name or company -> end done { say "{{ name }}" } //~ E0203
    else -> end done
  }"#,
    );
}

#[test]
fn what_may_be_missing_is_read_with_a_question_mark_or_a_fallback() {
    agent(
        r#"
  var name: text? "Their name"
  var topic: Topic "What it is about"
  start hello
  node hello {
    ask "Hello."
    note name, topic
    when on: "They go on" -> last
  }
  node last {
    call find(name?) as found
    say "{{ name ?? "You" }}, about {{ topic ?? sales }}."
    if found -> end done { say "{{ found }}" }
    else -> end done
    on error -> end done
  }"#,
    );
    agent(
        r#"
  var name: text? "Their name"
  start hello
  node hello { ask "Hello."  note name  when on: "They go on" -> last }
  node last {
    say "Hello {{ name }}." //~ E0203
    next -> end done
  }"#,
    );
}

#[test]
fn a_note_makes_nothing_sure() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello { ask "Hello."  note topic  when on: "They go on" -> last }
  node last {
    say "{{ topic }}" //~ E0301
    next -> end done
  }"#,
    );
}

#[test]
fn a_clear_takes_it_away() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> end done  next -> last { clear topic } }
  node last {
    say "{{ topic }}" //~ E0301
    next -> end done
  }"#,
    );
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    collect topic
    on failed(collect) -> end done
    next -> last { say "{{ topic }}" clear topic set topic = sales }
  }
  node last { say "{{ topic }}"  next -> end done }"#,
    );
}

#[test]
fn a_block_reads_in_order() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    collect topic
    on failed(collect) -> end done
    next -> end done {
      clear topic
      say "{{ topic }}" //~ E0301
    }
  }"#,
    );
}

#[test]
fn anywhere_is_read_in_every_node() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> end done  next -> last }
  node last { prompt "Talk about {{ topic }}."  when bye: "They say goodbye" -> end done }
  anywhere {
    on silence(6s) {
      say "Are you there? It was about {{ topic }}." //~ E0301
    }
  }"#,
    );
}

#[test]
fn anywhere_leads_on_with_what_is_known_in_every_node() {
    agent(
        r#"
  input customer: text
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> end done  next -> last }
  node last { prompt "Talk."  when bye: "They say goodbye" -> end done }
  node desk {
    say "{{ customer }}"
    say "{{ topic }}" //~ E0301
    next -> end done
  }
  anywhere { when human: "They want a person" -> desk }"#,
    );
}

#[test]
fn a_handler_of_the_node_hides_that_of_anywhere() {
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk
    on error -> end done
    next -> talk
  }
  node talk { prompt "Talk about {{ desk.name }}."  when bye: "They say goodbye" -> end done }
  anywhere { on error -> end done { say "{{ desk.name }} has a problem." } }"#,
    );
}

#[test]
fn what_was_already_complained_about_is_not_complained_about_again() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello { ask "Hello."  note topic  when on: "They go on" -> first }
  node first {
    say "{{ topic }}" //~ E0301
    say "{{ topic }}"
    next -> second
  }
  node second { say "{{ topic }}"  next -> third { say "{{ topic }}" } }
  node third { prompt "About {{ topic }}."  when bye: "They say goodbye" -> end done }"#,
    );
}

#[test]
fn a_value_that_nothing_ever_sets_is_told_once() {
    agent(
        r#"
  var topic: Topic "What it is about"
  start hello
  node hello {
    say "{{ topic }}" //~ E0301
    if topic == sales -> other
    else -> other
  }
  node other { prompt "About {{ topic }}."  when bye: "They say goodbye" -> end done }"#,
    );
}

#[test]
fn the_persona_is_read_when_the_call_starts() {
    agent(
        r#"
  prompt "You help {{ customer }} with {{ topic }} as {{ mood }}." //~ E0301 E0203
  input customer: text
  input mood: text?
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> end done  next -> end done }"#,
    );
}

#[test]
fn what_comes_before_the_call_may_fail() {
    agent(
        r#"
  var name: text? "Their name"
  prompt "You talk to {{ name ?? "somebody" }}."
  before call { if caller.phone { call find(caller.phone) as name } }
  start hello
  node hello {
    ask "Hello {{ name }}." //~ E0203
    when bye: "They say goodbye" -> end done
  }"#,
    );
}

#[test]
fn before_call_needs_to_ask_for_the_number() {
    agent(
        r#"
  var name: text? "Their name"
  before call {
    call keep(caller.phone) //~ E0203
  }
  start hello
  node hello { ask "Hello {{ name ?? "" }}."  note name  when bye: "They say goodbye" -> end done }"#,
    );
}

#[test]
fn in_a_webhook_only_inputs_are_sure() {
    agent(
        r#"
  input lead: text
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> end done  next -> end done }
  webhook crm on call.ended {
    post: "{{ env.API }}/calls"
    body: {
      lead: lead
      topic: topic //~ E0301
      outcome: call.outcome?
    }
  }
  webhook if_known on call.ended if topic {
    post: "{{ env.API }}/topics/{{ topic }}"
  }
  webhook fine on call.ended {
    post: "{{ env.API }}/calls"
    body: { topic: topic? }
  }"#,
    );
}

#[test]
fn after_a_hangup_only_inputs_are_sure() {
    agent(
        r#"
  input lead: text
  var topic: Topic "What it is about"
  start hello
  node hello {
    collect topic
    on failed(collect) -> end done
    next -> talk
  }
  node talk {
    prompt "About {{ topic }}."
    when bye: "They say goodbye" -> end done
    on hangup -> end done {
      call keep(lead)
      call desk_for(topic) //~ E0301
    }
  }
  anywhere { on error -> end done }"#,
    );
}

#[test]
fn a_default_is_set_from_the_start() {
    agent(
        r#"
  var count: int = 0
  start hello
  node hello {
    set count = count + 1
    ask "Number {{ count }}."
    when again: "Again" -> hello
    when bye: "They say goodbye" -> end done
  }"#,
    );
}

#[test]
fn an_optional_answer_must_be_asked_for() {
    agent(
        r#"
  start hello
  node hello {
    call find(none) as found
    on error -> end done
    next -> end done {
      say "{{ found }}" //~ E0203
    }
  }"#,
    );
}

#[test]
fn a_field_that_may_be_missing_is_followed_too() {
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk
    on error -> end done
    if desk.owner and desk.open -> owned
    else -> end done {
      say "{{ desk.owner }}" //~ E0203
    }
  }
  node owned {
    say "{{ desk.owner }}"
    next -> end done
  }"#,
    );
    agent(
        r#"
  start hello
  node hello {
    call desk_for(sales) as desk
    on error -> end done
    if desk.owner -> again
    else -> end done
  }
  node again {
    call desk_for(service) as desk
    say "{{ desk.owner }}" //~ E0203
    on error -> end done
    next -> end done
  }"#,
    );
}

#[test]
fn a_set_of_something_that_may_be_missing_makes_nothing_sure() {
    agent(
        r#"
  var name: text? "Their name"
  var copy: text? "The same"
  start hello
  node hello { ask "Hello."  note name  when on: "They go on" if name -> a  when off: "Off" -> b }
  node a { set copy = name?  say "{{ copy }}"  next -> end done }
  node b {
    set copy = name?
    say "{{ copy }}" //~ E0203
    next -> end done
  }"#,
    );
}
