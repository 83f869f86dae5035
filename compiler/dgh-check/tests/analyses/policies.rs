//! E0501 to E0504.

use crate::{agent, only, steps};

const CALLS: &str = r#"
  var said: text? "What they said"
  start notice
  node notice { say "This call is recorded." uninterrupted  next -> check }
"#;

#[test]
fn a_path_around_what_must_come_first_is_shown() {
    let (source, finding) = only(&format!(
        r#"{CALLS}
  ensure verify before disclose
  node check {{ ask "Who are you?"  note said  when ann: "They are Ann" -> verify  when skip: "They do not say" -> soft }}
  node verify {{ tell "Verify them."  next -> disclose }}
  node soft {{ tell "Be soft."  next -> disclose }}
  node disclose {{ say "{{{{ said ?? "" }}}}"  next -> end done }}"#,
    ));
    assert_eq!(finding.code.to_string(), "E0501");
    assert_eq!(
        steps(&source, &finding).iter().map(|s| s.split(" |").next().unwrap_or("")).collect::<Vec<_>>(),
        ["the call starts in notice", "notice: next", "check: when skip", "soft: next"]
    );
    assert!(finding.related.iter().any(|r| r.message == "promised here"));
}

#[test]
fn a_node_that_is_left_before_it_is_completed_does_not_count() {
    agent(
        r#"
  start notice
  ensure notice before talk
  node notice {
    say "This call is recorded." uninterrupted
    on key("1") -> talk //~ E0501
    next -> talk
  }
  node talk { prompt "Talk."  when bye: "They say goodbye" -> end done }"#,
    );
    agent(
        r#"
  start notice
  ensure notice before talk
  node notice { say "This call is recorded." uninterrupted  ask "Yes?"  when yes: "Yes" -> talk  when no: "No" -> end done }
  node talk { prompt "Talk."  when bye: "They say goodbye" -> end done }"#,
    );
}

#[test]
fn anywhere_leads_around_it() {
    agent(
        r#"
  start hello
  ensure notice before desk
  node hello { ask "Hello."  when on: "On" -> notice }
  node notice { say "This call is recorded." uninterrupted  next -> desk }
  node desk { prompt "Talk."  when bye: "They say goodbye" -> end done }
  anywhere {
    when human: "They want a person" -> desk //~ E0501
  }"#,
    );
}

#[test]
fn a_condition_is_a_fact_until_what_it_speaks_of_changes() {
    agent(
        r#"
  var verdict: Verdict "Who they are"
  start hello
  ensure verdict == yes before disclose
  node hello {
    collect verdict
    on failed(collect) -> end done
    if verdict == yes and now.time in 9:00..18:00 -> prepare
    else -> end done
  }
  node prepare { say "One moment."  next -> disclose }
  node disclose { say "Yours."  next -> end done }"#,
    );
    agent(
        r#"
  var verdict: Verdict "Who they are"
  start hello
  ensure verdict == yes before disclose
  node hello {
    collect verdict
    on failed(collect) -> end done
    if verdict == yes -> prepare
    else -> end done
  }
  node prepare {
    say "One moment."
    set verdict = other
    next -> disclose //~ E0501
  }
  node disclose { say "Yours."  next -> end done }"#,
    );
    agent(
        r#"
  var verdict: Verdict "Who they are"
  start hello
  ensure verdict == yes before disclose
  node hello {
    collect verdict
    on failed(collect) -> end done
    if verdict == yes -> prepare
    else -> end done
  }
  node prepare { collect verdict { confirm: always }  on failed(collect) -> end done  next -> disclose } //~ E0501
  node disclose { say "Yours."  next -> end done }"#,
    );
}

#[test]
fn the_else_of_the_opposite_proves_it() {
    agent(
        r#"
  var verdict: Verdict "Who they are"
  start hello
  ensure verdict == yes before disclose
  node hello {
    collect verdict
    on failed(collect) -> end done
    if verdict != yes -> end done
    else -> disclose
  }
  node disclose { say "Yours."  next -> end done }"#,
    );
}

#[test]
fn only_one_node_can_be_first() {
    agent(
        r#"
  ensure notice before everything //~ E0502
  start hello
  node hello { ask "Hello."  when on: "On" -> notice }
  node notice { say "Recorded." uninterrupted  next -> end done }"#,
    );
    agent(
        r#"
  ensure notice before everything
  start notice
  node notice { say "Recorded." uninterrupted  next -> end done }"#,
    );
}

#[test]
fn always_guards_what_is_written() {
    agent(
        r#"
  input balance: money
  var amount: money "How much"
  always amount <= balance else "Not more than they owe."
  start hello
  node hello { collect amount  on failed(collect) -> end done  next -> end done }"#,
    );
    agent(
        r#"
  input balance: money
  always balance > 0 USD else "They owe something." //~ E0503
  start hello
  node hello { say "Hello."  next -> end done }"#,
    );
    agent(
        r#"
  var amount: money "How much"
  always call.duration < 5min or amount > 0 USD else "Short." //~ E0503
  start hello
  node hello { collect amount  on failed(collect) -> end done  next -> end done }"#,
    );
}

#[test]
fn a_value_that_must_never_be_in_a_sink_is_followed() {
    agent(
        r#"
  channels: [phone]
  input balance: private money
  input name: text
  var copy: private money = 0 USD
  never balance in voicemail, webhook
  start hello
  node hello {
    set copy = balance
    say "{{ reveal(balance) as spoken }}"
    next -> end done
  }
  node leave {
    say "You owe {{ reveal(copy) as spoken }}, {{ name }}." //~ E0504
    next -> end done
  }
  anywhere { on voicemail -> leave }
  webhook crm on call.ended {
    post: "{{ env.API }}/calls"
    body: {
      name: name
      balance: reveal(balance) //~ E0504
    }
  }"#,
    );
}

#[test]
fn a_private_value_is_not_in_the_transcript_and_another_is() {
    agent(
        r#"
  input balance: private money
  input name: text
  never balance in transcript, log
  never name in transcript
  start hello
  node hello {
    say "{{ reveal(balance) as spoken }}"
    say "Hello {{ name }}." //~ E0504
    next -> end done
  }"#,
    );
}
