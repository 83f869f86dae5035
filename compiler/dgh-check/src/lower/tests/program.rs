//! A small program with places to put things into, and the two questions that the tables ask:
//! is this one mistake reported once, at its place, with its code; and is its right form clean.

use dgh_diag::{Code, Severity};

use crate::testing::Bundle;

/// Where a snippet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// Among the items.
    Item,
    /// Into the agent.
    Member,
    /// Steps of a node that acts.
    Step,
    /// Routes of a node that talks.
    Route,
    /// A node's `collect` line.
    Collect,
    /// The condition of an `if` in a node that decides.
    If,
    /// A text that is said.
    Say,
    /// Settings of a tool.
    Tool,
    /// Settings of a webhook.
    Webhook,
    /// Lines of a test.
    Test,
    /// A whole file.
    File,
}

const BASE: &str = r#"dgh 1

enum Size { small, large, none }
enum Color { red, green }
type Slot { id: text, at: datetime, doctor: text?, price: money(EUR) }
const LIMIT: int = 3
phrase hello_text { en "Hello." }
tool find(day: date, size: Size?, limit: int = 5) -> list<Slot> { about: "Find." get: "https://example.com/slots" }
tool tell_them(message: text) { about: "Tell." post: "https://example.com/tell" }
tool maybe(name: text) -> Slot? { about: "Maybe." get: "https://example.com/maybe" }
tool checked(name: text) -> bool { about: "Check." post: "https://example.com/check" §Tool§ }
mcp calendar { url: "https://example.com/mcp" }
flow ask(question: text) -> bool? {
  var answer: text "What they said"
  start one
  node one {
    ask question
    when yes: "They agree" -> return true
    when no: "They disagree" -> return false
    on stalled(turns: 3) -> return none
  }
}
agent other {
  outcome over
  input reason: text
  start only
  node only { say "{{ reason }}" next -> end over }
}
§Item§
agent main {
  prompt "You are Kim."
  language: "en"
  outcome done, failed
  input who: text
  input age: int?
  input consent: bool
  input agreed: bool?
  input target: phone
  input started: datetime
  input paid: money
  input fee: money(USD)
  var day: date = 2026-03-02 "The day"
  var size: Size = small "The size"
  var color: Color = red "The color"
  var score: 1..5 = 3 "A score"
  var total: int = 0 "A number"
  var rate: number = 0.5 "A rate"
  var wait_for: duration = 5s "How long"
  var opens: time = 9:00 "When"
  var comment: text? "A comment"
  var choice: Slot "The slot"
  var code: digits(4) = "1234" "A code"
  §Member§
  start talk
  node talk {
    prompt "Talk."
    when acts: "They want it done" -> act
    §Route§
  }
  node act {
    §Step§
    say "Done. §Say§"
    call find(day, size) as slots
    on error -> end failed { say "Sorry." }
    if slots.count == 0 §If§ -> end done { say "Bye." }
    else -> pick
  }
  node pick {
    §Collect§
    on failed(collect) -> end failed { say "Sorry." }
    next -> end done { say "Bye, {{ who }}." }
  }
  webhook crm on call.ended { post: "https://example.com/calls" §Webhook§ }
  anywhere {
    when human: "They want a person" -> end failed { say "Goodbye." }
  }
}
§Tests§
"#;

/// A program with a snippet in its place.
pub(crate) fn program(at: At, snippet: &str) -> String {
    if at == At::File {
        return snippet.to_owned();
    }
    let test = format!(
        "test \"t\" of main {{ given who = \"Ann\", consent = true, target = \"+14155550100\", started = 2026-03-02T10:00, paid = 1 USD, fee = 1 USD {snippet} }}"
    );
    let fill = |mark: At, default: &str| if at == mark { snippet.to_owned() } else { default.to_owned() };
    BASE.replace("§Item§", &fill(At::Item, ""))
        .replace("§Member§", &fill(At::Member, ""))
        .replace("§Step§", &fill(At::Step, ""))
        .replace("§Route§", &fill(At::Route, ""))
        .replace("§Collect§", &fill(At::Collect, "collect choice from slots"))
        .replace("§If§", &fill(At::If, ""))
        .replace("§Say§", &fill(At::Say, ""))
        .replace("§Tool§", &fill(At::Tool, ""))
        .replace("§Webhook§", &fill(At::Webhook, ""))
        .replace("§Tests§", if at == At::Test { &test } else { "" })
}

/// The errors of a program, each as its code, its place, and its line.
pub(crate) fn errors(text: &str) -> Vec<(Code, (u32, u32), String)> {
    let bundle = Bundle::new(&[("agent.dgh", text)]);
    let checked = bundle.check();
    // What the paths have to say has tests of its own.
    let own = |code: u16| code < 300 || code == 306 || code / 100 == 7;
    let errors = checked.diagnostics.iter().filter(|d| d.severity() == Severity::Error && own(d.code as u16));
    errors.map(|d| (d.code, (d.place.span.start, d.place.span.end), bundle.line(d))).collect()
}

/// The snippet gives exactly this error, at the place between « and ».
pub(crate) fn wrong(code: Code, at: At, snippet: &str, message: &str) {
    let marked = program(at, snippet);
    let start = marked.find('«').unwrap_or_else(|| panic!("no « in {snippet}"));
    let end = marked.find('»').unwrap_or_else(|| panic!("no » in {snippet}")) - '«'.len_utf8();
    let text = marked.replace(['«', '»'], "");
    let found = errors(&text);
    let lines: Vec<&str> = found.iter().map(|(.., line)| line.as_str()).collect();
    let place = (u32::try_from(start).unwrap(), u32::try_from(end).unwrap());
    assert!(
        matches!(found.as_slice(), [(c, p, line)] if *c == code && *p == place && line.to_lowercase().contains(&message.to_lowercase())),
        "\nexpected {code} at `{}` with {message:?}\nfound {lines:#?}\nin {snippet}",
        &text[start..end],
    );
}

/// The snippet is clean.
pub(crate) fn right(at: At, snippet: &str) {
    let found = errors(&program(at, snippet));
    let lines: Vec<&str> = found.iter().map(|(.., line)| line.as_str()).collect();
    assert!(lines.is_empty(), "\nexpected no error\nfound {lines:#?}\nin {snippet}");
}

/// Runs a table and reports all that fails in it, not only the first.
pub(crate) fn table(wrongs: &[(Code, At, &str, &str)], rights: &[(At, &str)]) {
    let mut failures = Vec::new();
    let mut run = |case: &mut dyn FnMut()| {
        if let Err(error) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(case)) {
            failures.push(error.downcast_ref::<String>().cloned().unwrap_or_default());
        }
    };
    for (code, at, snippet, message) in wrongs {
        run(&mut || wrong(*code, *at, snippet, message));
    }
    for (at, snippet) in rights {
        run(&mut || right(*at, snippet));
    }
    assert!(failures.is_empty(), "{} failed:{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_base_is_clean() {
    right(At::Item, "");
    right(At::Test, "");
}
