//! What is drawn of a program: an agent, with each flow that it runs in a frame of its own.

use std::collections::HashMap;

use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use serde::Serialize;

use super::{Vertex, layout};
use crate::expr::{Part, Template};
use crate::program::{
    AgentId, Decider, Dialogue, DialogueId, FlowId, NodeKind, Program, Route, StepKind, Target,
};

/// A drawing. Serialised, it is what draws an SVG: every place and size is in it, in pixels, with
/// the origin at the top left.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagram {
    /// Name of the agent or flow.
    pub title: String,
    /// Width of everything.
    pub w: i32,
    /// Height of everything.
    pub h: i32,
    /// Frames: the agent, then the flows that it runs.
    pub clusters: Vec<Cluster>,
    /// Vertices.
    pub nodes: Vec<DiagramNode>,
    /// Edges.
    pub edges: Vec<DiagramEdge>,
}

/// A frame around the vertices of one dialogue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cluster {
    /// `agent` or `flow`.
    pub kind: &'static str,
    /// Its name.
    pub label: String,
    /// Left.
    pub x: i32,
    /// Top.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

/// A vertex.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiagramNode {
    /// Unique: `clinic/offer`; what is no node has a colon: `clinic/end:booked`.
    pub id: String,
    /// Index of its cluster.
    pub cluster: usize,
    /// What it is.
    pub kind: VertexKind,
    /// Whether the dialogue starts here.
    pub start: bool,
    /// What is written in it.
    pub label: String,
    /// Left.
    pub x: i32,
    /// Top.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

/// What a vertex is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VertexKind {
    /// A node that talks.
    Talks,
    /// A node that acts.
    Acts,
    /// A node that decides.
    Decides,
    /// Where the routes of `anywhere` start.
    Anywhere,
    /// The end of the call.
    End,
    /// Out of a flow.
    Return,
    /// Back from a detour.
    Back,
    /// Another agent.
    Agent,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiagramEdge {
    /// Index of its vertex.
    pub from: usize,
    /// Index of its vertex.
    pub to: usize,
    /// Who decides.
    pub decider: EdgeKind,
    /// What is written on it, short.
    pub label: String,
    /// The whole condition or sentence, where there is one.
    pub about: Option<String>,
    /// Whether the caller comes back: a detour, a flow.
    pub returns: bool,
    /// Its corners, from the edge of one vertex to that of the other.
    pub points: Vec<[i32; 2]>,
}

/// Who decides an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// The runtime.
    On,
    /// The model.
    When,
    /// The program.
    If,
    /// The program, when no `if` holds.
    Else,
    /// The program.
    Next,
    /// A step runs a flow.
    Run,
}

/// Characters of a label before it is cut.
const MAX_LABEL: usize = 48;

impl Diagram {
    /// The drawing of an agent with the flows that it runs, laid out.
    pub fn of_agent(program: &Program, agent: AgentId) -> Self {
        Self::of(program, DialogueId::Agent(agent))
    }

    /// The drawing of an agent or flow with the flows that it runs, laid out.
    pub fn of(program: &Program, dialogue: DialogueId) -> Self {
        let title = program.dialogue_name(dialogue).to_owned();
        let diagram = Self { title, w: 0, h: 0, clusters: vec![], nodes: vec![], edges: vec![] };
        let mut builder = Builder { program, diagram, starts: HashMap::new(), waiting: vec![], runs: vec![] };
        builder.cluster(dialogue);
        while let Some(flow) = builder.waiting.pop() {
            builder.cluster(DialogueId::Flow(flow));
        }
        builder.connect_runs();
        layout::layout(&mut builder.diagram);
        builder.diagram
    }
}

struct Builder<'p> {
    program: &'p Program,
    diagram: Diagram,
    /// Vertex of the first node of each flow that is drawn.
    starts: HashMap<FlowId, Option<usize>>,
    /// Flows to draw.
    waiting: Vec<FlowId>,
    /// Vertices that run a flow.
    runs: Vec<(usize, FlowId)>,
}

impl Builder<'_> {
    fn cluster(&mut self, id: DialogueId) {
        let (program, cluster) = (self.program, self.diagram.clusters.len());
        let (dialogue, name) = (program.dialogue(id), program.dialogue_name(id));
        self.diagram.clusters.push(Cluster {
            kind: if matches!(id, DialogueId::Flow(_)) { "flow" } else { "agent" },
            label: name.into(),
            x: 0,
            y: 0,
            w: 0,
            h: 0,
        });
        let graph = dialogue.graph();
        let first = self.diagram.nodes.len();
        for vertex in graph.node_weights() {
            let (kind, label) = self.vertex(id, dialogue, *vertex);
            // A name has no colon, so `clinic/end:booked` is no node's.
            let local = match vertex {
                Vertex::Node(_) => label.clone(),
                _ => label.replacen(' ', ":", 1),
            };
            let colon = if matches!(vertex, Vertex::Node(_)) || local.contains(':') { "" } else { ":" };
            self.diagram.nodes.push(DiagramNode {
                id: format!("{name}/{colon}{local}"),
                cluster,
                kind,
                start: matches!(vertex, Vertex::Node(node) if dialogue.start == Some(*node)),
                label,
                x: 0,
                y: 0,
                w: 0,
                h: 0,
            });
        }
        for edge in graph.edge_references() {
            let Some(route) = dialogue.routes.get(*edge.weight()) else { continue };
            let (from, to) = (first + edge.source().index(), first + edge.target().index());
            self.edge(dialogue, route, from, to);
        }
        if let DialogueId::Flow(flow) = id {
            let start = dialogue.start.map(|node| first + node.0 as usize);
            self.starts.insert(flow, start);
        }
        self.find_runs(dialogue, first);
    }

    fn vertex(&self, id: DialogueId, dialogue: &Dialogue, vertex: Vertex) -> (VertexKind, String) {
        let label = |target: Target| self.program.target_name(id, &target);
        match vertex {
            Vertex::Node(node) => match dialogue.nodes.get(node) {
                Some(node) => (
                    match node.kind() {
                        NodeKind::Talks => VertexKind::Talks,
                        NodeKind::Acts => VertexKind::Acts,
                        NodeKind::Decides => VertexKind::Decides,
                    },
                    node.name.clone(),
                ),
                None => (VertexKind::Acts, "?".into()),
            },
            Vertex::Anywhere => (VertexKind::Anywhere, "anywhere".into()),
            Vertex::End(outcome) => (VertexKind::End, label(Target::End(outcome))),
            Vertex::Return => (VertexKind::Return, "return".into()),
            Vertex::Back => (VertexKind::Back, "back".into()),
            Vertex::Agent(agent) => (VertexKind::Agent, label(Target::Agent(agent, vec![]))),
        }
    }

    fn edge(&mut self, dialogue: &Dialogue, route: &Route, from: usize, to: usize) {
        let (decider, mut label, about) = describe(self.program, dialogue, &route.decider);
        match &route.target {
            Some(Target::Detour(_)) => label.push_str(" (detour)"),
            Some(Target::Return(value)) => {
                label = format!("{label} -> {}", self.program.expr_text(dialogue, value));
            }
            _ => {}
        }
        self.diagram.edges.push(DiagramEdge {
            from,
            to,
            decider,
            label: short(&label),
            about,
            returns: matches!(route.target, Some(Target::Detour(_))),
            points: vec![],
        });
    }

    fn find_runs(&mut self, dialogue: &Dialogue, first: usize) {
        let graph = dialogue.graph();
        let anywhere =
            graph.node_indices().find(|index| graph.node_weight(*index) == Some(&Vertex::Anywhere));
        let steps = dialogue.nodes.iter().flat_map(|(id, node)| {
            let from = Some(NodeIndex::new(id.0 as usize));
            node.steps.iter().map(move |step| (from, step))
        });
        let blocks = dialogue.routes.iter().flat_map(|(_, route)| {
            let from = route.from.map_or(anywhere, |id| Some(NodeIndex::new(id.0 as usize)));
            route.block.iter().map(move |step| (from, step))
        });
        let mut found = Vec::new();
        for (from, step) in steps.chain(blocks) {
            if let (StepKind::Run { flow, .. }, Some(from)) = (&step.kind, from) {
                found.push((first + from.index(), *flow));
            }
        }
        for (from, flow) in found {
            self.runs.push((from, flow));
            if self.program.flows.get(flow).is_some() && !self.starts.contains_key(&flow) {
                self.starts.insert(flow, None);
                self.waiting.push(flow);
            }
        }
    }

    fn connect_runs(&mut self) {
        for (from, flow) in std::mem::take(&mut self.runs) {
            let Some(Some(to)) = self.starts.get(&flow).copied() else { continue };
            let name = self.program.flows.get(flow).map_or("?", |flow| &flow.name);
            self.diagram.edges.push(DiagramEdge {
                from,
                to,
                decider: EdgeKind::Run,
                label: short(&format!("run {name}")),
                about: None,
                returns: true,
                points: vec![],
            });
        }
    }
}

fn describe(program: &Program, dialogue: &Dialogue, decider: &Decider) -> (EdgeKind, String, Option<String>) {
    match decider {
        Decider::On(event) => (EdgeKind::On, format!("on {}", program.event_text(dialogue, event)), None),
        Decider::When(when) => {
            let sentence = plain(program, dialogue, &when.sentence);
            let guard = when.guard.as_ref().map(|guard| program.expr_text(dialogue, guard));
            let about = match guard {
                Some(guard) => format!("{sentence} (if {guard})"),
                None => sentence,
            };
            (EdgeKind::When, format!("when {}", when.label), Some(about))
        }
        Decider::If(condition) => {
            let text = format!("if {}", program.expr_text(dialogue, condition));
            (EdgeKind::If, text.clone(), Some(text))
        }
        Decider::Else => (EdgeKind::Else, "else".into(), None),
        Decider::Next => (EdgeKind::Next, "next".into(), None),
    }
}

fn plain(program: &Program, dialogue: &Dialogue, template: &Template) -> String {
    let parts = template.parts.iter().map(|part| match part {
        Part::Text(text) => text.clone(),
        Part::Value { expr, .. } => format!("{{{{ {} }}}}", program.expr_text(dialogue, expr)),
    });
    parts.collect()
}

fn short(label: &str) -> String {
    if label.chars().count() <= MAX_LABEL {
        return label.into();
    }
    let cut: String = label.chars().take(MAX_LABEL - 1).collect();
    format!("{}…", cut.trim_end())
}
