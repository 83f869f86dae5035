//! The examples hold what their own tests say.

use super::source::compile;

macro_rules! example {
    ($($path:literal),+) => {
        compile(&[$(($path, include_str!(concat!("../../../../examples/", $path)))),+])
    };
}

#[test]
fn the_lead_is_qualified() {
    let text = include_str!("../../../../examples/lead/agent.dgh");
    let outcomes = compile(&[("agent.dgh", text), ("faq.pdf", "")]).pass();
    assert!(outcomes.iter().filter(|outcome| outcome.passed).count() >= 3);
}

#[test]
fn the_clinic_books() {
    example!("clinic/agent.dgh").pass();
}

#[test]
fn the_collector_keeps_to_the_rules() {
    example!("collections/agent.dgh", "collections/verify.dgh").pass();
}

#[test]
fn the_front_desk_takes_a_message() {
    example!("front_desk/agent.dgh").pass();
}
