//! What a test says when it fails.

use super::source::agent;

const DESK: &str = r#"
  channels: [web]
  outcome done, failed
  input who: text = "there"
  var size: Size "The size"
  var pin: private int "The PIN"
  start hello
  node hello {
    ask "Hello {{ who }}. Which size?"
    collect size { confirm: always }
    when help: "They need help" like ["help me"] -> helping
    on failed(collect) -> end failed { say "Goodbye." }
    next -> book
  }
  node book { call order(size) on error -> end failed { say "Sorry." } next -> end done { say "Ordered." } }
  node helping { prompt "Help." when bye: "Bye" -> end done { say "Bye." } note pin }
"#;

fn failure(test: &str) -> String {
    let tool = r#"
enum Size { small, very_large }
tool order(size: Size) -> bool { about: "Orders." post: "https://example.com" }
"#;
    agent(DESK, &format!("{tool}\n{test}")).failure()
}

#[test]
fn a_test_that_passes_says_nothing() {
    let passes = [
        r#"test "t" { mock order = true says "very large" says "yes" expect outcome == done and called(order) == 1 and turns == 2 }"#,
        r#"test "t" { says "Help me!" expect visited(hello, helping) and not visited(book) }"#,
        r#"test "t" { given who = "Ann" says "small" agent_says "Fine." says "no" expect said("Hello Ann") and said("I have: small") }"#,
        r#"test "t" { interrupts "help me" expect visited(helping) }"#,
        r#"test "t" { mock order = error("timeout") says "small" says "Yes, right" expect outcome == failed }"#,
    ];
    for test in passes {
        assert_eq!(failure(test), "", "{test}");
    }
}

#[test]
fn nothing_is_guessed() {
    assert_eq!(
        failure(r#"test "t" { says "The big one" }"#),
        "nothing says what \"The big one\" means here; add `means` with a label: `help` a value: `size` or `pin` or `means nothing`"
    );
}

#[test]
fn a_label_or_value_that_is_not_there_is_named() {
    assert_eq!(
        failure(r#"test "t" { says "Bye" means bye }"#),
        "`bye` cannot be chosen in node `hello`; here it can be `help`"
    );
}

#[test]
fn a_tool_without_a_mock_fails_the_test() {
    assert_eq!(
        failure(r#"test "t" { says "small" says "yes" }"#),
        "`order` is called, and the test does not say what it answers; add `mock order = …`"
    );
}

#[test]
fn a_line_after_the_end_fails_the_test() {
    assert_eq!(
        failure(r#"test "t" { mock order = true says "small" says "yes" says "Hello?" means nothing }"#),
        "the call is over already"
    );
}

#[test]
fn what_was_expected_stands_beside_what_happened() {
    let expectations = [
        (
            "outcome == done",
            "expected outcome done, but it is none (the call was still going on, in node `hello`)",
        ),
        ("turns == 2", "expected turns 2, but it is 1 (the call was still going on, in node `hello`)"),
        (
            "visited(hello, book)",
            "expected visited(hello, book); the call went through hello (the call was still going on, in node `hello`)",
        ),
        (
            "said(\"Bonjour\")",
            "expected said(\"Bonjour\"); the agent never said that (the call was still going on, in node `hello`)",
        ),
        (
            "not said(\"Hello\")",
            "expected not: said(\"Hello\") (the call was still going on, in node `hello`)",
        ),
        (
            "size == very_large",
            "expected size very_large, but it is small (the call was still going on, in node `hello`)",
        ),
    ];
    for (expect, message) in expectations {
        assert_eq!(failure(&format!(r#"test "t" {{ says "small" expect {expect} }}"#)), message);
    }
}

#[test]
fn words_that_no_model_was_asked_for_fail_the_test() {
    assert_eq!(
        failure(r#"test "t" { agent_says "Welcome!" hangs_up }"#),
        "the model was never asked for words, so \"Welcome!\" was not said"
    );
}

#[test]
fn nobody_is_interrupted_who_does_not_speak() {
    assert_eq!(failure(r#"test "t" { waits 3s interrupts "help me" }"#), "the agent is not speaking");
}
