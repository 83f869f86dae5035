//! Each finding of the analyses, produced by a fault and absent without it.
//!
//! A line that ends in `//~ E0301` must have exactly these findings, and every other line none:
//! a program without such marks must be clean. Hints count only where a test asks for them.

mod assignment;
mod assignment_scopes;
mod duties;
mod ends;
mod examples;
mod fixes;
mod known;
mod leftovers;
mod policies;
mod privacy;
mod progress;
mod routes;
mod shape;
mod ways_on;

use dgh_compile::{Compiled, Memory, compile};
use dgh_diag::{Diagnostic, LineIndex, Severity};

/// Declarations that the bodies of [`agent`] may use; what of them is unused does not count.
const HEADER: &str = r#"dgh 1
enum Topic { sales, service, accounts }
enum Verdict { yes, no, other }
type Desk { name: text, number: phone, owner: text?, open: bool }
type Slot { id: text, at: datetime }
tool desk_for(topic: Topic) -> Desk { about: "The desk." get: "{{ env.API }}/desks/{{ topic }}" }
tool find(name: text?) -> text? { about: "A match." get: "{{ env.API }}/find?name={{ name ?? "" }}" }
tool slots(day: date) -> list<Slot> { about: "Free slots." get: "{{ env.API }}/slots/{{ day }}" }
tool book(slot: text) -> bool { about: "Books." post: "{{ env.API }}/book" body: { slot: slot } }
tool keep(value: private text) -> bool { about: "Keeps." post: "{{ env.API }}/keep" body: { value: value } }
tool secret_of(name: text) -> private text { about: "A secret." get: "{{ env.API }}/secret/{{ name }}" }
"#;

/// Checks an agent with this body.
fn agent(body: &str) {
    check(&format!("{HEADER}agent tested {{\n  outcome done\n{body}\n}}\n"));
}

/// Checks a whole file.
fn check(source: &str) {
    let wanted = marks(source);
    let found = findings(source, |d| d.severity() <= Severity::Warning);
    assert_eq!(found, wanted, "found (left) and marked (right) in\n{source}\n{}", messages(source));
}

/// Checks the hints of an agent with this body too.
fn agent_pedantic(body: &str) {
    let source = format!("{HEADER}agent tested {{\n  outcome done\n{body}\n}}\n");
    let found = findings(&source, |d| d.severity() != Severity::Info);
    assert_eq!(found, marks(&source), "found (left) and marked (right) in\n{source}\n{}", messages(&source));
}

/// The one finding of an agent with this body.
fn only(body: &str) -> (String, Diagnostic) {
    let source = format!("{HEADER}agent tested {{\n  outcome done\n{body}\n}}\n");
    let mut all: Vec<_> = relevant(&source).into_iter().filter(|d| d.severity() == Severity::Error).collect();
    assert_eq!(all.len(), 1, "{}", messages(&source));
    (source, all.remove(0))
}

/// The steps of a finding with their lines.
fn steps(source: &str, finding: &Diagnostic) -> Vec<String> {
    let index = LineIndex::new(source);
    let line = |start| source.lines().nth(index.line(start) as usize).unwrap_or("").trim();
    finding
        .steps
        .iter()
        .map(|s| {
            let text = line(s.place.span.start).split("//").next().unwrap_or("").trim();
            format!("{} | {text}", s.message)
        })
        .collect()
}

fn compiled(source: &str) -> Compiled {
    compile(&Memory::new([("agent.dgh", source)]), "agent.dgh")
}

fn relevant(source: &str) -> Vec<Diagnostic> {
    let index = LineIndex::new(source);
    let header = if source.starts_with(HEADER) { HEADER.lines().count() as u32 } else { 0 };
    let found = compiled(source).diagnostics.into_iter();
    found
        .filter(|d| d.place.file.0 == 0 && d.severity() != Severity::Info)
        .filter(|d| index.line(d.place.span.start) >= header || d.severity() == Severity::Error)
        .collect()
}

fn findings(source: &str, counts: impl Fn(&Diagnostic) -> bool) -> Vec<String> {
    let index = LineIndex::new(source);
    let all = relevant(source).into_iter().filter(counts);
    let mut found: Vec<_> = all.map(|d| (index.line(d.place.span.start) + 1, d.code.to_string())).collect();
    found.sort();
    found.into_iter().map(|(line, code)| format!("{line}: {code}")).collect()
}

fn marks(source: &str) -> Vec<String> {
    let mut marks = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let Some((_, codes)) = line.split_once("//~") else { continue };
        let mut codes: Vec<_> = codes.split_whitespace().collect();
        codes.sort_unstable();
        marks.extend(codes.into_iter().map(|code| format!("{}: {code}", number + 1)));
    }
    marks
}

fn messages(source: &str) -> String {
    let index = LineIndex::new(source);
    let all = relevant(source).into_iter().map(|d| {
        let steps: Vec<_> = d.steps.iter().map(|s| s.message.as_str()).collect();
        let line = index.line(d.place.span.start) + 1;
        format!("{line}: {} {}\n   steps {steps:?}\n   hint {:?}\n", d.code, d.message, d.hint)
    });
    all.collect()
}

/// The file after its safe fixes.
fn mended(body: &str) -> String {
    let source = format!("{HEADER}agent tested {{\n  outcome done\n{body}\n}}\n");
    let found = relevant(&source);
    let mut edits: Vec<_> =
        found.iter().flat_map(|d| &d.fixes).filter(|f| f.safe).flat_map(|f| &f.edits).collect();
    edits.sort_by_key(|e| std::cmp::Reverse(e.place.span.start));
    let mut text = source.clone();
    for edit in edits {
        text.replace_range(edit.place.span.start as usize..edit.place.span.end as usize, &edit.text);
    }
    check(&text);
    text[HEADER.len()..].to_owned()
}
