//! Lowering takes time in proportion to the text.

use std::fmt::Write as _;
use std::time::Instant;

use crate::testing::Bundle;

/// An agent of many nodes that uses most of the language.
fn agent(nodes: usize) -> String {
    let mut text = String::from(
        "dgh 1\ntool find(day: date) -> list<text> { about: \"Find.\" get: \"https://example.com?d={{ day }}\" }\nagent big {\n  prompt \"Hi\"\n  outcome done, failed\n  start n0\n",
    );
    for i in 0..nodes {
        let next = (i + 1) % nodes;
        let _ = write!(
            text,
            "  var day{i}: date \"Day\"\n  node n{i} {{\n    prompt \"Ask for the day, and remember {{{{ day{i} ?? \"nothing\" }}}}.\"\n    collect day{i} {{ confirm: always, tries: 3 }}\n    when no{i}: \"They refuse\" like [\"no\", \"never\"] -> end failed {{ say \"Bye.\" }}\n    on failed(collect) -> end failed {{ say \"Bye.\" }}\n    if day{i} > 2026-01-01 and now.time in 9:00..18:00 -> n{next} {{ clear day{next} }}\n    else -> end done {{ say \"Bye on {{{{ day{i} as spoken }}}}.\" }}\n  }}\n",
        );
    }
    text.push_str("}\n");
    text
}

#[test]
fn eight_times_the_text_takes_about_eight_times_the_time() {
    let time = |nodes| {
        let text = agent(nodes);
        let bundle = Bundle::new(&[("agent.dgh", &text)]);
        let best = (0..5).map(|_| {
            let start = Instant::now();
            let lowered = bundle.lower();
            assert_eq!(lowered.report.diagnostics, []);
            start.elapsed()
        });
        best.min().unwrap_or_default()
    };
    let (small, large) = (time(250), time(2000));
    // Eight times when linear, 64 when quadratic.
    assert!(large < small * 32, "{small:?} for 250 nodes, {large:?} for 2000");
}
