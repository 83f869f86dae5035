#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashSet;
use std::fmt::Write as _;

use super::*;
use crate::fixture::*;
use crate::program::{AgentId, Decider, Program};

fn drawing() -> Diagram {
    Diagram::of_agent(&sample(), AgentId(0))
}

#[test]
fn the_index_of_a_node_is_its_vertex() {
    let program = sample();
    let dialogue = &program.agents[AgentId(0)].dialogue;
    let graph = dialogue.graph();
    for (id, _) in dialogue.nodes.iter() {
        assert_eq!(graph.node_weight(NodeIndex::new(id.index())), Some(&Vertex::Node(id)));
    }
    let going = dialogue.routes.iter().filter(|(_, route)| route.target.is_some()).count();
    assert_eq!(graph.edge_count(), going);
    let anywhere = graph.node_weights().filter(|v| **v == Vertex::Anywhere).count();
    assert_eq!(anywhere, 1);
}

#[test]
fn a_drawing_has_a_frame_for_each_flow_that_is_run() {
    let drawing = drawing();
    let frames: Vec<_> = drawing.clusters.iter().map(|c| (c.kind, c.label.as_str())).collect();
    assert_eq!(frames, [("agent", "clinic"), ("flow", "verify")]);
    let run = drawing.edges.iter().find(|edge| edge.is_run()).unwrap();
    assert_eq!(drawing.nodes[run.from].id, "clinic/search");
    assert_eq!(drawing.nodes[run.to].id, "verify/ask");
    let ids: HashSet<_> = drawing.nodes.iter().map(|node| &node.id).collect();
    assert_eq!(ids.len(), drawing.nodes.len());
    assert!(ids.contains(&"clinic/end:booked".to_owned()) && ids.contains(&"clinic/:back".to_owned()));
}

#[test]
fn labels_say_who_decides_and_on_what() {
    let drawing = drawing();
    let labels: Vec<_> = drawing.edges.iter().map(|edge| edge.label.as_str()).collect();
    for label in [
        "on silence(7s, times: 3)",
        "on key(\"1\")",
        "on corrected(day)",
        "if 1 - -2 == 0",
        "on unclear(times: 2) (detour)",
        "when yes -> answer",
        "next",
    ] {
        assert!(labels.contains(&label), "{label} is missing in {labels:#?}");
    }
    let long = drawing.edges.iter().find(|edge| edge.label.starts_with("if (")).unwrap();
    assert_eq!(long.label.chars().count(), 48);
    assert_eq!(
        long.about.as_deref().unwrap(),
        "if (budget >= 10000 USD or slots.count > 0) and not now.time in 09:00..18:00"
    );
}

#[test]
fn vertices_do_not_overlap_and_lie_in_their_frames() {
    let drawing = drawing();
    for (index, a) in drawing.nodes.iter().enumerate() {
        let frame = &drawing.clusters[a.cluster];
        assert!(a.x >= frame.x && a.x + a.w <= frame.x + frame.w, "{}", a.id);
        assert!(a.y >= frame.y && a.y + a.h <= frame.y + frame.h, "{}", a.id);
        for b in &drawing.nodes[index + 1..] {
            let apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
            assert!(apart, "{} and {}", a.id, b.id);
        }
    }
    for frame in &drawing.clusters {
        assert!(frame.x + frame.w <= drawing.w && frame.y + frame.h <= drawing.h);
    }
}

#[test]
fn edges_go_down_unless_they_close_a_cycle() {
    let drawing = drawing();
    let y = |id: &str| drawing.nodes.iter().find(|node| node.id == id).unwrap().y;
    assert!(y("clinic/hello") < y("clinic/search"));
    assert!(y("clinic/search") < y("clinic/decide"));
    assert!(y("clinic/decide") < y("clinic/desk"));
    assert!(y("clinic/desk") < y("clinic/end:booked"));
    for edge in &drawing.edges {
        let (from, to) = (&drawing.nodes[edge.from], &drawing.nodes[edge.to]);
        let corners = if from.cluster != to.cluster || to.y > from.y { 2 } else { 4 };
        assert_eq!(edge.points.len(), corners);
    }
}

#[test]
fn every_format_escapes_what_it_reads() {
    let mut drawing = drawing();
    drawing.nodes[0].label = "a \"b\" [c] {d} |e|\n<f> #g; ü `h` \\".into();
    drawing.edges[0].label = "on key(\"#\")".into();
    let mermaid = drawing.to_mermaid();
    assert!(mermaid.contains(
        "n0(\"a #34;b#34; #91;c#93; #123;d#125; #124;e#124;<br/>#60;f#62; #35;g#59; ü #96;h#96; #92;\")"
    ));
    assert!(mermaid.contains("|\"on key(#34;#35;#34;)\"|"));
    let dot = drawing.to_dot();
    assert!(dot.contains("label=\"a \\\"b\\\" [c] {d} |e|\\n<f> #g; ü `h` \\\\\""));
    let json = drawing.to_json();
    assert_eq!(json["nodes"][0]["label"], drawing.nodes[0].label);
    assert_eq!(json["edges"][0]["decider"], "on");
}

#[test]
fn mermaid_and_dot_have_every_vertex_and_edge() {
    let drawing = drawing();
    let (mermaid, dot) = (drawing.to_mermaid(), drawing.to_dot());
    for index in 0..drawing.nodes.len() {
        assert!(mermaid.contains(&format!("    n{index}")) && dot.contains(&format!("    n{index} [")));
    }
    assert_eq!(mermaid.matches("-->").count() + mermaid.matches("-.->").count(), drawing.edges.len());
    assert_eq!(
        dot.lines().filter(|line| line.starts_with("  n") && line.contains(" -> n")).count(),
        drawing.edges.len()
    );
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
}

#[test]
fn a_large_dialogue_is_laid_out_without_recursion() {
    let mut program = Program::default();
    program.agents.push(sample().agents[AgentId(0)].clone());
    let dialogue = &mut program.agents[AgentId(0)].dialogue;
    *dialogue = Dialogue::default();
    let count = 5_000;
    for index in 0..count {
        let mut name = String::from("n");
        write!(name, "{index}").unwrap();
        dialogue.nodes.push(node(&name));
    }
    dialogue.start = Some(NodeId(0));
    for index in 0..count {
        let target = Target::Node(NodeId((index + 1) % count));
        route(dialogue, Some(NodeId(index)), Decider::Next, vec![], Some(target));
    }
    let drawing = Diagram::of_agent(&program, AgentId(0));
    assert_eq!(drawing.edges.len(), count as usize);
    assert!(drawing.nodes[4_999].y > drawing.nodes[0].y);
}
