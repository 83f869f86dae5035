//! E0510 to E0514.

use crate::agent;

#[test]
fn a_private_value_enters_no_sink_by_itself() {
    agent(
        r#"
  channels: [phone]
  prompt "The balance is {{ balance }}." //~ E0510
  input balance: private money
  input account: private text
  start hello
  node hello {
    say "You owe {{ balance as spoken }}." //~ E0510
    tell "Say that they owe {{ balance }}." //~ E0510
    call book(account) //~ E0510
    call keep(account)
    transfer "+14155550100" { brief: "Owes {{ balance }}." } //~ E0510
    on transferred -> end done
    on transfer_failed -> talk
    on error -> end done
  }
  node talk {
    prompt "They owe {{ balance }}." //~ E0510
    when pays: "They pay {{ balance }}" -> end done //~ E0510
  }
  webhook crm on call.ended {
    post: "{{ env.API }}/calls"
    body: { account: account } //~ E0510
  }"#,
    );
}

#[test]
fn reveal_opens_the_place_where_it_stands() {
    agent(
        r#"
  input balance: private money
  input account: private text
  start hello
  node hello {
    say "You owe {{ reveal(balance) as spoken }}."
    call book(reveal(account))
    on error -> end done
    if balance > 10 USD -> end done
    else -> end done
  }
  webhook crm on call.ended if account != "" {
    post: "{{ env.API }}/calls"
    body: { account: reveal(account) }
  }"#,
    );
}

#[test]
fn a_private_value_keeps_its_label() {
    agent(
        r#"
  input account: private text
  var copy: text? "A copy"
  var kept: private text? "A copy"
  start hello
  node hello {
    set kept = account
    set copy = account //~ E0511
    next -> end done { say "{{ copy ?? "" }}"  call keep(kept ?? account) }
  }
  anywhere { on error -> end done }"#,
    );
    agent(
        r#"
  input account: private text
  var copy: text? "A copy"
  start hello
  node hello {
    set copy = reveal(account) //~ E0511
    next -> end done { say "{{ copy ?? "" }}" }
  }"#,
    );
    agent(
        r#"
  start hello
  node hello {
    call secret_of("x") as found
    on error -> end done
    next -> end done { say found } //~ E0510
  }"#,
    );
}

#[test]
fn a_private_value_is_not_read_back() {
    agent(
        r#"
  var pin: private digits(4) "The PIN"
  start hello
  node hello {
    collect pin { confirm: always, by: keypad } //~ E0512
    on failed(collect) -> end done
    next -> end done
  }"#,
    );
}

#[test]
fn a_speech_to_speech_model_hears_everything() {
    agent(
        r#"
  realtime: openai("gpt-realtime")
  var pin: private digits(4) "The PIN"
  var code: private digits(4) "The code"
  start hello
  node hello {
    collect pin //~ E0513
    on failed(collect) -> end done
    next -> other
  }
  node other {
    collect code { by: keypad }
    on failed(collect) -> end done
    next -> end done
  }"#,
    );
}

#[test]
fn nothing_to_reveal() {
    agent(
        r#"
  input name: text
  start hello
  node hello {
    say "Hello {{ reveal(name) }}." //~ E0514
    next -> end done
  }"#,
    );
}
