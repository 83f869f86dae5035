//! The wire form: released documents load forever, and every program survives the way there and
//! back.

use dgh_ir::wire;

use crate::support::{compile_example, root};

const EXAMPLES: [&str; 4] = ["clinic", "collections", "front_desk", "lead"];

#[test]
fn released_documents_load_and_stay_the_same() {
    let mut documents = 0;
    for entry in std::fs::read_dir(root().join("tests/ir/v1")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let program = wire::from_bytes(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!program.agents.is_empty(), "{}", path.display());
        assert_eq!(wire::to_bytes(&program), bytes, "{}", path.display());
        documents += 1;
    }
    assert!(documents >= EXAMPLES.len());
}

#[test]
fn every_example_survives_the_wire() {
    for name in EXAMPLES {
        let program = compile_example(name).program;
        let bytes = wire::to_bytes(&program);
        let loaded = wire::from_bytes(&bytes).unwrap();
        assert_eq!(loaded, program, "{name}");
        assert_eq!(wire::content_hash(&loaded), wire::content_hash(&program), "{name}");
    }
}
