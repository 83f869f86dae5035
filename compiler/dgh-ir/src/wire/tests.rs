#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::json;

use super::*;
use crate::fixture::*;
use crate::program::{AgentId, Decider, EnumDef, Phrase, StepKind, Target};
use crate::types::{Kind, Type};
use crate::{CmpOp, Expr, ExprKind, MAX_EXPR_DEPTH, Origin, SlotId, Template, Value};

fn document() -> serde_json::Value {
    serde_json::from_slice(&to_bytes(&sample())).unwrap()
}

fn load(document: &serde_json::Value) -> Result<Program, WireError> {
    from_bytes(document.to_string().as_bytes())
}

#[test]
fn a_program_comes_back_as_it_was() {
    let program = sample();
    assert_eq!(from_wire(&to_wire(&program)).unwrap(), program);
    let bytes = to_bytes(&program);
    assert_eq!(from_bytes(&bytes).unwrap(), program);
    assert_eq!(to_bytes(&from_bytes(&bytes).unwrap()), bytes);
    assert_eq!(load(&document()).unwrap(), program);
}

#[test]
fn places_in_the_source_are_no_part_of_it() {
    let mut program = sample();
    let hash = content_hash(&program);
    assert_eq!(hash.len(), 64);
    for (_, node) in program.agents[AgentId(0)].dialogue.nodes.iter_mut() {
        node.origin = Origin(77);
    }
    assert_eq!(content_hash(&program), hash);
    program.agents[AgentId(0)].dialogue.nodes.iter_mut().next().unwrap().1.name = "hi".into();
    assert_ne!(content_hash(&program), hash);
    assert!(!String::from_utf8(to_bytes(&program)).unwrap().contains("origin"));
}

#[test]
fn things_with_one_name_are_told_apart_by_a_key() {
    let document = document();
    assert_eq!(document["enums"][1]["name"], "clinic.outcome");
    assert_eq!(document["enums"][2]["key"], "clinic.outcome#2");
    assert_eq!(document["agents"][1]["key"], "clinic#2");
    assert_eq!(document["agents"][1]["outcome_enum"], "clinic.outcome#2");
    let target = document["agents"][0]["dialogue"]["routes"].as_array().unwrap().iter();
    let agents: Vec<_> = target.filter_map(|route| route["target"].get("agent")).collect();
    assert_eq!(agents[0][0], "clinic#2");
    assert_eq!(agents[0][1][0][0], "topic");
}

#[test]
fn a_name_that_looks_like_a_key_stays_apart() {
    let mut program = types();
    for name in ["a", "a#2", "a", "a#2"] {
        let def = EnumDef { name: name.into(), cases: vec![], origin: Origin::NONE };
        program.enums.push(def);
    }
    assert_eq!(from_wire(&to_wire(&program)).unwrap(), program);
}

#[test]
fn the_schema_that_is_checked_in_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/program.v1.json");
    let current = format!("{:#}\n", json_schema());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == current,
        "schema/program.v1.json is not current: run the tests of dgh-ir with UPDATE_SCHEMA=1, \
         and see that documents that were released still load"
    );
}

#[test]
fn an_unknown_document_is_refused_with_a_reason() {
    let error = |bytes: &[u8]| from_bytes(bytes).unwrap_err().to_string();
    assert_eq!(error(b"{}"), "this is no compiled program: it has no `format` number");
    assert_eq!(
        error(br#"{"format": 2}"#),
        "format 2 is newer than this version of dgh reads, which is 1; update dgh"
    );
    assert!(error(br#"{"format": "1"}"#).contains("its `format` is \"1\""));
    assert!(error(br#"{"format": 0}"#).contains("never was one"));
    assert!(error(br#"{"format": 1}"#).contains("missing field `edition`"));
    assert!(error(b"").starts_with("this is no compiled program: EOF"));
    assert!(error(b"\xff\xfe").starts_with("this is no compiled program"));
    assert!(error(b"[1]").starts_with("this is no compiled program"));
    let mut trailing = to_bytes(&sample());
    trailing.extend_from_slice(b"{}");
    assert!(error(&trailing).contains("trailing"));
    let mut unknown = document();
    unknown["agents"][0]["mood"] = json!("good");
    assert!(load(&unknown).unwrap_err().to_string().contains("unknown field `mood`"));
}

#[test]
fn a_cut_document_never_panics() {
    let bytes = to_bytes(&sample());
    for end in (0..bytes.len() - 2).step_by(97) {
        assert!(from_bytes(&bytes[..end]).is_err(), "{end}");
    }
}

/// Paths to everything in a document.
fn paths(json: &serde_json::Value, path: &str, out: &mut Vec<String>) {
    out.push(path.to_owned());
    match json {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                paths(value, &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        serde_json::Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                paths(value, &format!("{path}/{index}"), out);
            }
        }
        _ => {}
    }
}

#[test]
fn a_damaged_document_is_refused_or_loads_but_never_panics() {
    let document = document();
    let mut places = Vec::new();
    paths(&document, "", &mut places);
    let mut refused = 0;
    for (index, path) in places.iter().enumerate().skip(1).step_by(5) {
        let mut damaged = document.clone();
        let wrong = [json!(null), json!(-1), json!("x"), json!([]), json!({})];
        *damaged.pointer_mut(path).unwrap() = wrong[index % wrong.len()].clone();
        refused += usize::from(load(&damaged).is_err());
    }
    assert!(refused > 100, "{refused} of {}", places.len());
}

#[test]
fn references_to_nothing_are_named() {
    let mut wire = document();
    wire["agents"][0]["dialogue"]["start"] = json!("nowhere");
    assert_eq!(load(&wire).unwrap_err().to_string(), "agent clinic: there is no node `nowhere`");
    let mut wire = document();
    wire["tools"][0]["result"] = json!({"kind": {"record": "Nothing"}});
    assert_eq!(load(&wire).unwrap_err().to_string(), "tool find_slots: there is no type `Nothing`");
    let mut wire = document();
    wire["agents"][0]["dialogue"]["nodes"][1]["name"] = json!("hello");
    assert_eq!(load(&wire).unwrap_err().to_string(), "there are two nodes `hello`");
    let mut program = sample();
    program.agents[AgentId(0)].dialogue.start = Some(crate::NodeId(99));
    assert!(matches!(from_wire(&to_wire(&program)), Err(WireError::Unknown { .. })));
}

#[test]
fn wrong_values_are_named() {
    let mut program = types();
    let texts =
        [("en".to_owned(), template(vec![Err((lit(Value::Date(at("2026-03-01T00:00").date())), None))]))];
    program.phrases.push(Phrase { name: "p".into(), texts: texts.into(), origin: Origin::NONE });
    let text = String::from_utf8(to_bytes(&program)).unwrap().replace("2026-03-01", "2026-02-30");
    let error = from_bytes(text.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "phrase p: `2026-02-30` is not a date");
}

#[test]
fn what_did_not_compile_is_written_but_not_loaded() {
    let mut program = sample();
    let dialogue = &mut program.agents[AgentId(0)].dialogue;
    route(dialogue, Some(crate::NodeId(0)), Decider::Next, vec![step(StepKind::Hole)], Some(Target::Hole));
    let error = from_wire(&to_wire(&program)).unwrap_err();
    assert_eq!(error, WireError::Hole("agent clinic".into()));
}

fn nested(levels: usize) -> Template {
    let mut deep = lit(Value::Bool(true));
    for level in 1..levels {
        deep = if level % 2 == 0 {
            let inner = template(vec![Ok("a"), Err((deep, None))]);
            expr(ExprKind::Template(inner), Type::of(Kind::Text))
        } else {
            let arms = vec![crate::MatchArm { pattern: lit(Value::Int(1)), value: deep }];
            let subject = Box::new(slot(0, Type::of(Kind::Int)));
            expr(ExprKind::Match { subject, arms, otherwise: None }, Type::of(Kind::Text))
        };
    }
    template(vec![Err((deep, None))])
}

fn with_prompt(levels: usize) -> Program {
    let mut program = sample();
    program.agents[AgentId(0)].prompt = Some(nested(levels));
    program
}

#[test]
fn an_expression_at_the_limit_fits_and_one_below_does_not() {
    let program = with_prompt(MAX_EXPR_DEPTH);
    assert_eq!(from_bytes(&to_bytes(&program)).unwrap(), program);
    let error = from_bytes(&to_bytes(&with_prompt(MAX_EXPR_DEPTH + 1))).unwrap_err();
    assert_eq!(error, WireError::TooDeep);
    let error = from_bytes(&to_bytes(&with_prompt(MAX_EXPR_DEPTH * 2))).unwrap_err();
    assert_eq!(error, WireError::TooDeep);
    let deep = [b"{\"format\": 1, \"x\": ".as_slice(), &b"[".repeat(100_000)].concat();
    assert_eq!(from_bytes(&deep).unwrap_err(), WireError::TooDeep);
    // Brackets in a text are no nesting.
    let flat = format!("{{\"format\": 3, \"x\": \"{}\\\"\"}}", "[".repeat(1_000));
    assert_eq!(from_bytes(flat.as_bytes()).unwrap_err(), WireError::UnknownFormat(3));
}

#[test]
fn numbers_are_exact_and_have_one_form() {
    let hash_of = |amount: &str| {
        let mut program = sample();
        program.agents[AgentId(0)].groups["limits"]["cost"] = lit(usd(amount));
        let back = from_wire(&to_wire(&program)).unwrap();
        assert_eq!(back, program);
        content_hash(&program)
    };
    assert_eq!(hash_of("0.40"), hash_of("0.4"));
    assert_ne!(hash_of("0.40"), hash_of("0.4000000000000000000000000001"));
}

#[test]
fn a_question_of_a_test_is_no_part_of_a_program() {
    let mut program = sample();
    let probe =
        Expr { kind: ExprKind::Probe(crate::Probe::Turns), ty: Type::of(Kind::Int), origin: Origin::NONE };
    let condition = cmp(CmpOp::Eq, probe, slot(SlotId(0).0, Type::of(Kind::Int)));
    program.agents[AgentId(0)].before_call[0].guard = Some(condition);
    assert!(matches!(from_wire(&to_wire(&program)), Err(WireError::Hole(_))));
}
