//! One mistake gives one error; what is lost in text that does not parse is not missed elsewhere.

use super::program::{At, errors, program};

/// Every finding of a program with this in it.
fn lines(at: At, snippet: &str) -> Vec<String> {
    errors(&program(at, snippet)).into_iter().map(|(.., line)| line).collect()
}

#[test]
fn a_use_of_what_failed_to_resolve_is_silent() {
    for (at, snippet) in [
        (
            At::Member,
            "var x: Nope \"x\"  node n { say \"{{ x }} {{ x.y.z }}\" if x > 3 and x == \"a\" -> act else -> act { set x = 3 } }",
        ),
        (At::Step, "call nope(who) as x  say \"{{ x.name }}\"  call tell_them(x)"),
        (At::Item, "const BAD: int = \"x\"\nconst MORE: int = BAD + 1"),
        (At::Item, "tool t(a: Nope) -> Nope { about: \"x\" get: \"https://example.com/{{ a }}\" }"),
        (At::Step, "say \"{{ whoo.name.first + 3 * 2 ?? 4 }}\""),
        (At::Member, "llm: nope(\"x\", y: 3)"),
        (At::Step, "transfer whoo { mode: warm }"),
        (At::Collect, "collect dya { confirm: always }"),
        (
            At::Member,
            "node n { prompt \"x\" collect choice from nope on failed(collect) -> act next -> act }",
        ),
        (
            At::Item,
            "import { yes_nno } from \"std/collect\"\nflow g() -> bool? { start s node s { run yes_no(\"x\") as y if y == true -> s2 if y == false -> s2 else -> s2 } node s2 { say \"x\" next -> return true } }",
        ),
        (At::Member, "var x: Nope \"x\"  node n { if x == one -> act if x == two -> pick else -> act }"),
        (At::Member, "node n { run askk(\"x\") as y if y == one -> act if y == two -> pick else -> act }"),
        (At::Step, "set choice = { idd: \"a\", at: now, price: 3 EUR }"),
        (At::Step, "call find(age) as more"),
        (At::Step, "call tell_them(messag: \"x\")"),
        (
            At::Item,
            "enum topic { a, b }\nagent t { outcome o  var x: Topic = a \"X\" start n node n { if x == a -> m else -> m } node m { say \"x\" next -> end o } }",
        ),
        (
            At::Item,
            "agent t { start n node n { say \"x\" next -> end a } }\ntest \"x\" of t { expect outcome == a }",
        ),
        (
            At::File,
            "dgh 1\nagent t { outcome o  var x: Topick \"X\" start n node n { collect x on failed(collect) -> end o next -> end o } }\ntest \"x\" { says \"a\" means { x: sales } }",
        ),
        (At::Member, "node TakeOrder { say \"x\" next -> act }  node n { say \"y\" next -> take_order }"),
        (At::Member, "node take-order { say \"x\" next -> act }  node n { say \"y\" next -> take_order }"),
        (At::Item, "agent t { start n node n { say \"x\" if now.time > 9:00 -> end a else -> end b } }"),
        (
            At::Item,
            "import { A, b } from \"./nope.dgh\"\ntool t(a: A) -> list<A> { about: \"x\" post: \"https://example.com\" body: b }",
        ),
    ] {
        let found = lines(at, snippet);
        assert_eq!(found.len(), 1, "{snippet}\n{found:#?}");
    }
}

#[test]
fn what_was_lost_is_not_missed() {
    // The node is there, and cannot be read.
    let found =
        lines(At::Member, "node extra { say \"x\" next => act }\nnode two { say \"y\" next -> extra }");
    assert_eq!(found.len(), 1, "{found:#?}");
    let found = lines(
        At::Item,
        "tool extra(a text) { about: \"x\" get: \"https://example.com\" }\nflow f(x: text) -> bool { start s node s { call extra(x) as y on error -> s2 next -> return true } node s2 { say x next -> return false } }",
    );
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn words_that_could_not_be_read_are_told_once() {
    for (at, snippet) in [
        (At::Step, "set comment = null"),
        (At::Step, "say Nobody picks up"),
        (At::Member, "inbund { numbers: [\"+14155550100\"] }"),
        (At::Member, "node extra { prompt: \"Talk.\" when on: \"They go on\" -> act }"),
        (At::Member, "node extra { say \"x\" next -> node act }"),
        (At::Member, "limits { duration: 2 seconds }"),
        (At::Member, "limits { cost: $2 }"),
        (At::Member, "limits { duration: 2 s }"),
        (
            At::Member,
            "node extra { say \"x\" if now.time > 9:00 -> act else if now.time > 8:00 -> act else -> act }",
        ),
    ] {
        let found = lines(at, snippet);
        assert_eq!(found.len(), 1, "{snippet}\n{found:#?}");
    }
}

#[test]
fn what_an_unclosed_text_swallows_is_not_missed() {
    let found = lines(
        At::File,
        "dgh 1\nagent t {\n  prompt \"\"\"\n  You are Kim.\n  outcome o\n  var x: text \"X\"\n  start n\n  node n { collect x on failed(collect) -> end o next -> end o { say \"Bye {{ x }}.\" } }\n}\ntest \"x\" { says \"a\" means { x: \"a\" } expect outcome == o }",
    );
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("E0003"), "{found:#?}");
}

#[test]
fn many_mistakes_are_all_found() {
    let found = lines(
        At::Member,
        "var a: Nope \"x\"\nvar b: int = \"x\"\nnode n { say \"{{ whoo }}\" set totl = 3 call fnd(day) as q if size == smal -> akt else -> act }",
    );
    assert_eq!(found.len(), 7, "{found:#?}");
}

#[test]
fn nothing_makes_it_panic() {
    let whole =
        program(At::Test, "says \"x\" means human { day: 2026-03-02 } expect visited(talk) and said(\"x\")");
    for cut in 0..whole.len() {
        if !whole.is_char_boundary(cut) || cut % 31 != 0 {
            continue;
        }
        errors(&whole[..cut]);
        let end = (cut + 23).min(whole.len());
        if whole.is_char_boundary(end) {
            errors(&format!("{}{}", &whole[..cut], &whole[end..]));
        }
    }
}

#[test]
fn deep_and_long_expressions_are_refused_once() {
    let long = vec!["total"; 400].join(" + ");
    let found = lines(At::Step, &format!("set total = {long}"));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("E0008"), "{found:#?}");
}
