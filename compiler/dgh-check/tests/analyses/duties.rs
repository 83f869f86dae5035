//! E0601, E0602, E0610, W0611.

use crate::agent;

#[test]
fn who_calls_people_says_when_and_what_a_machine_hears() {
    agent(
        r#"
  outbound { from: env.CALLER, hours: 9:00..19:00, attempts: 3, every: 4h }
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done }
  anywhere { on voicemail -> end done }"#,
    );
}

#[test]
fn hours_are_missing() {
    agent(
        r#"
  outbound { from: env.CALLER, attempts: 3 } //~ E0602
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done  on voicemail -> end done }"#,
    );
}

#[test]
fn voicemail_is_missing() {
    crate::check(
        r#"dgh 1
agent tested {
  outcome done
  outbound { from: env.CALLER, hours: 9:00..19:00 } //~ E0601
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done }
}"#,
    );
}

#[test]
fn what_no_channel_can_do_is_an_error() {
    agent(
        r#"
  channels: [chat]
  var pin: digits(4) "The PIN"
  start hello
  node hello {
    press "1" //~ E0610
    next -> typed
  }
  node typed {
    collect pin { by: keypad } //~ E0610
    on key("0") -> end done //~ E0610
    on failed(collect) -> end done
    next -> end done { transfer "+14155550100" } //~ E0610
  }
  anywhere {
    on transferred -> end done
    on transfer_failed -> end done
  }"#,
    );
}

#[test]
fn what_some_channels_can_do_is_a_warning() {
    agent(
        r#"
  channels: [phone, web]
  start hello
  node hello {
    press "1" //~ W0611
    next -> end done
  }"#,
    );
    agent(
        r#"
  channels: [phone, chat]
  var pin: digits(4) "The PIN"
  start hello
  node hello {
    collect pin { by: keypad }
    on key("0") -> end done
    on failed(collect) -> end done
    next -> end done
  }"#,
    );
}

#[test]
fn a_speech_to_speech_model_has_no_exact_words() {
    agent(
        r#"
  realtime: openai("gpt-realtime")
  start hello
  node hello {
    say "Hello." //~ E0610
    next -> talk
  }
  node talk { prompt "Talk."  when bye: "They say goodbye" -> end done { say "Bye." } }"#,
    );
    agent(
        r#"
  realtime: openai("gpt-realtime")
  tts: cartesia("sonic-2")
  start hello
  node hello { say "Hello."  next -> end done }"#,
    );
    agent(
        r#"
  realtime: openai("gpt-realtime")
  start hello
  node hello { prompt "Talk."  when bye: "They say goodbye" -> end done }"#,
    );
}
