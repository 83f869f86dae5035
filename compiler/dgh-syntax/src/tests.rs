#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]
use crate::ast::*;
use crate::*;
#[test]
fn ex() {
    for p in ["clinic/agent", "collections/agent", "collections/verify", "lead/agent", "front_desk/agent"] {
        let s = std::fs::read_to_string(format!("../../examples/{p}.dgh")).unwrap();
        let p = parse(&s);
        assert_eq!(p.tree().text(), s.as_str());
        assert!(p.errors().is_empty(), "{:?}", p.errors());
        assert!(p.is_accepted());
        for a in p.file().agents() {
            println!(
                "{:?} {:?}",
                a.name().map(|n| n.text()),
                a.nodes().map(|n| n.name().unwrap().text()).collect::<Vec<_>>()
            );
        }
    }
    let p = parse(
        "dgh 1\nconst x = not a.b(1, c: 2)? ?? 3 + -4 * 5 == 6 and d in 1..5 or match t { a -> 1, else -> 2 }\n",
    );
    println!("{:?} {:#?}", p.errors(), p.tree());
}
