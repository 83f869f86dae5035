//! What two programs do differently, told of programs as people write them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_compile::{Memory, compile};
use dgh_ir::Program;
use dgh_ir::diff::{Change, diff};

const BEFORE: &str = r#"dgh 1

enum Topic { sales, service }

tool desk_for(topic: Topic) -> text {
  about: "Finds the desk"
  get: "https://example.org/{{ topic }}"
}

agent desk {
  prompt "You are Kim."
  outcome noted, gave_up
  input lead: text = "nobody"
  input rank: int = 1

  var topic: Topic "What the call is about"
  var message: text "What to tell the desk"

  start hello

  node hello {
    ask "Hello, what can I do for you?"
    collect topic, message
    when human: "They ask for a person" like ["a real person"] -> end gave_up { say "Goodbye." }
    on failed(collect) -> end gave_up { say "Please call again." }
    next -> tell_desk
  }

  node tell_desk {
    call desk_for(topic) as desk
    on error -> end gave_up { say "Please call again." }
    next -> end noted { say "I will tell the {{ topic }} desk." }
  }

  webhook crm on call.ended {
    post: "https://example.org/calls"
    body: { lead: lead, outcome: call.outcome?, topic: topic?, message: message? }
  }
}
"#;

fn program(text: &str) -> Program {
    let compiled = compile(&Memory::new([("agent.dgh", text)]), "agent.dgh");
    let errors: Vec<_> =
        compiled.diagnostics.iter().filter(|d| d.severity() == dgh_diag::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    compiled.program
}

/// `changed input desk/rank type: breaks …`, one line for each change.
fn changes(edits: &[(&str, &str)]) -> Vec<String> {
    let mut text = BEFORE.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "there is no `{old}`");
        text = text.replace(old, new);
    }
    diff(&program(BEFORE), &program(&text)).changes.iter().map(line).collect()
}

fn line(change: &Change) -> String {
    let word = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let what = word(serde_json::to_value(change.what).unwrap());
    let part = word(serde_json::to_value(change.part).unwrap());
    let within = change.within.as_ref().map(|within| format!("{within}/")).unwrap_or_default();
    let aspect = change.aspect.map(|aspect| format!(" {aspect}")).unwrap_or_default();
    let breaks = change.breaks.as_ref().map(|how| format!(": {how}")).unwrap_or_default();
    format!("{what} {part} {within}{}{aspect}{breaks}", change.name)
}

#[test]
fn white_space_and_comments_are_no_difference() {
    assert!(changes(&[("  start hello\n", "  // where it begins\n\n  start hello\n")]).is_empty());
}

#[test]
fn inputs_break_who_starts_calls() {
    assert_eq!(
        changes(&[(
            "  input rank: int = 1\n",
            "  input rank: 1..5 = 1\n  input id: text\n  input more: text?\n"
        )]),
        [
            "changed input desk/rank type: values of callers may not fit: int is now 1..5",
            "added input desk/id: calls that do not give it are refused",
            "added input desk/more",
        ]
    );
    assert_eq!(
        changes(&[("  input rank: int = 1\n", "")]),
        ["removed input desk/rank: calls that give it are refused"]
    );
    assert_eq!(
        changes(&[("  input rank: int = 1\n", "  input rank: int\n")]),
        ["changed input desk/rank default: calls that do not give it are refused"]
    );
    assert_eq!(changes(&[("rank: int = 1", "rank: number = 2")]).len(), 2, "a wider type breaks nobody");
}

#[test]
fn outcomes_and_webhooks_break_who_reads_them() {
    let found = changes(&[("outcome noted, gave_up", "outcome noted, gave_up, angry")]);
    assert_eq!(found, ["added outcome desk/angry"]);
    let gone = changes(&[("outcome noted, gave_up", "outcome noted"), ("end gave_up", "end noted")]);
    assert!(
        gone.contains(&"removed outcome desk/gave_up: no call ends with it any more".to_owned()),
        "{gone:?}"
    );
    assert_eq!(
        changes(&[("{ lead: lead, outcome", "{ outcome")]),
        ["changed webhook desk/crm body: `lead` is gone"]
    );
    assert_eq!(
        changes(&[("message: message? }", "message: message?, more: 1 }")]),
        ["changed webhook desk/crm body"]
    );
    assert_eq!(
        changes(&[("lead: lead,", "lead: rank,")]),
        ["changed webhook desk/crm body: `lead`: text is now int"]
    );
    assert_eq!(
        changes(&[("    post: \"https://example.org/calls\"\n", "    put: \"https://example.org/calls\"\n")]),
        ["changed webhook desk/crm address: its receiver is asked with another method"]
    );
}

#[test]
fn behaviour_may_change_freely() {
    let found = changes(&[
        ("You are Kim.", "You are Ada."),
        ("Hello, what can I do for you?", "Good day, what is it?"),
        ("They ask for a person", "They want a person"),
        ("about: \"Finds the desk\"", "about: \"Finds a desk\""),
        ("var message: text \"What to tell the desk\"", "var message: text \"What to say to the desk\""),
    ]);
    assert_eq!(
        found,
        [
            "changed prompt desk/prompt words",
            "changed variable desk/message about",
            "changed node desk/hello steps",
            "changed route desk/hello: when human",
            "changed tool desk_for about",
        ]
    );
}

#[test]
fn nodes_are_added_removed_and_renamed() {
    assert_eq!(
        changes(&[
            ("-> tell_desk", "-> hand_over"),
            ("node tell_desk", "moved tell_desk -> hand_over\n\n  node hand_over"),
        ]),
        ["renamed node desk/hand_over", "changed route desk/hello: next"]
    );
    let dropped = changes(&[
        ("-> tell_desk", "-> end noted"),
        (
            "  node tell_desk {\n    call desk_for(topic) as desk\n    on error -> end gave_up { say \"Please call again.\" }\n    next -> end noted { say \"I will tell the {{ topic }} desk.\" }\n  }\n",
            "",
        ),
    ]);
    assert!(dropped.contains(&"removed node desk/tell_desk".to_owned()), "{dropped:?}");
}

#[test]
fn a_change_says_how_it_was_and_how_it_is() {
    let after = program(&BEFORE.replace("Hello, what can I do", "Good day, what can I do"));
    let found = diff(&program(BEFORE), &after);
    let change = found.changes.first().unwrap();
    assert_eq!(change.before.as_deref(), Some("ask \"Hello, what can I do for you?\""));
    assert_eq!(change.after.as_deref(), Some("ask \"Good day, what can I do for you?\""));
    let text = serde_json::to_value(&found).unwrap();
    assert_eq!(text["changes"][0]["in"], "desk");
    assert!(!found.breaks() && !found.is_empty());
}
