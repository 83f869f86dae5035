//! The example programs have no findings, hints aside.

use dgh_compile::{Memory, compile};
use dgh_diag::Severity;

const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "clinic",
        &[
            ("agent.dgh", include_str!("../../../../examples/clinic/agent.dgh")),
            ("dgh.toml", include_str!("../../../../examples/clinic/dgh.toml")),
        ],
    ),
    (
        "collections",
        &[
            ("agent.dgh", include_str!("../../../../examples/collections/agent.dgh")),
            ("verify.dgh", include_str!("../../../../examples/collections/verify.dgh")),
            ("dgh.toml", include_str!("../../../../examples/collections/dgh.toml")),
        ],
    ),
    (
        "front_desk",
        &[
            ("agent.dgh", include_str!("../../../../examples/front_desk/agent.dgh")),
            ("dgh.toml", include_str!("../../../../examples/front_desk/dgh.toml")),
        ],
    ),
    (
        "lead",
        &[
            ("agent.dgh", include_str!("../../../../examples/lead/agent.dgh")),
            ("dgh.toml", include_str!("../../../../examples/lead/dgh.toml")),
            ("faq.pdf", ""),
        ],
    ),
];

#[test]
fn the_examples_are_clean() {
    for (name, files) in EXAMPLES {
        let world = Memory::new(files.iter().map(|(path, text)| (*path, *text)));
        let found = compile(&world, "agent.dgh").diagnostics;
        let told = found.iter().filter(|d| d.severity() <= Severity::Warning);
        let told: Vec<String> = told.map(|d| format!("{}: {}", d.code, d.message)).collect();
        assert_eq!(told, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_library_is_clean_as_a_program() {
    for (path, text) in dgh_stdlib::FILES.iter().filter(|(path, _)| !dgh_stdlib::PRELUDE.contains(path)) {
        let world = Memory::new([("agent.dgh", *text)]);
        let found = compile(&world, "agent.dgh").diagnostics;
        // What only the library may declare is told as that.
        let told: Vec<_> =
            found.iter().filter(|d| d.severity() <= Severity::Warning && (d.code as u16) >= 200).collect();
        assert!(told.is_empty(), "{path}: {told:#?}");
    }
}

#[test]
fn a_line_that_is_missing_is_few_mistakes() {
    for (name, files) in EXAMPLES {
        let Some((_, text)) = files.first() else { continue };
        let matters =
            |line: &str| ["->", "collect", "call ", "anywhere"].iter().any(|word| line.contains(word));
        for (number, line) in text.lines().enumerate().filter(|(_, line)| matters(line)) {
            let others = text.lines().enumerate().filter(|(n, _)| *n != number);
            let without: Vec<&str> = others.flat_map(|(_, line)| [line, "\n"]).collect();
            let without = without.concat();
            let own = |(path, text): &(&'static str, &'static str)| {
                (*path, if *path == "agent.dgh" { without.clone() } else { (*text).to_owned() })
            };
            let found = compile(&Memory::new(files.iter().map(own)), "agent.dgh").diagnostics;
            let errors = found.iter().filter(|d| d.severity() == Severity::Error).map(|d| d.code as u16);
            let (before, of_paths): (Vec<u16>, Vec<u16>) = errors.partition(|code| *code < 300);
            // An arrow that is gone may leave a node without a way on and another without a way in.
            let most = if before.iter().any(|code| *code < 100) { 0 } else { 2 };
            let of_paths = of_paths.into_iter().filter(|code| *code < 700).count();
            assert!(of_paths <= most, "{name} without line {}: {line}\n{found:#?}", number + 1);
        }
    }
}
