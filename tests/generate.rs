//! Large programs for tests and benchmarks of size.

use std::fmt::Write as _;

/// An agent with so many nodes, about 300 bytes each, in which every path is used: typed routes
/// that skip, values that are read later, routes to ends.
pub fn agent(nodes: usize) -> String {
    let nodes = nodes.max(2);
    let mut text = String::from(
        "dgh 1\n\nagent large {\n  prompt \"You run a very long survey.\"\n  outcome finished, refused, gave_up\n\n",
    );
    for n in 0..nodes {
        let _ = writeln!(text, "  var answer_{n}: int \"Score of topic {n}\"");
    }
    text.push_str("\n  start step_0\n");
    for n in 0..nodes {
        let (next, skip) = (n + 1, (n + 2).min(nodes));
        let way = |to: usize| if to < nodes { format!("step_{to}") } else { "end finished".to_owned() };
        let _ = write!(
            text,
            "
  node step_{n} {{
    prompt \"Ask about topic {n}.\"
    collect answer_{n}
    when refuses: \"They refuse topic {n}\" -> end refused {{ say \"Bye!\" }}
    on failed(collect) -> end gave_up {{ say \"Bye!\" }}
    if answer_{n} >= 50 -> {} {{ say \"So {{{{ answer_{n} }}}}.\" }}
    else -> {}
  }}
",
            way(next),
            way(skip),
        );
    }
    text.push_str("\n  anywhere {\n    on silence(8s) { say \"Are you there?\" }\n  }\n}\n");
    text
}
