//! A diagram as Mermaid, DOT and JSON.

use std::fmt::Write as _;

use super::{Diagram, DiagramEdge, DiagramNode, EdgeKind, VertexKind};

impl Diagram {
    /// Mermaid, a `flowchart`.
    pub fn to_mermaid(&self) -> String {
        let mut out = String::from("flowchart TD\n");
        for (index, cluster) in self.clusters.iter().enumerate() {
            let _ = writeln!(out, "  subgraph c{index}[\"{} {}\"]", cluster.kind, mermaid(&cluster.label));
            for (id, node) in self.members(index) {
                let (open, close) = mermaid_shape(node);
                let _ = writeln!(out, "    n{id}{open}\"{}\"{close}", mermaid(&node.label));
            }
            out.push_str("  end\n");
        }
        for edge in &self.edges {
            let arrow = if edge.returns { "-.->" } else { "-->" };
            let _ = writeln!(out, "  n{} {arrow}|\"{}\"| n{}", edge.from, mermaid(&edge.label), edge.to);
        }
        for (id, node) in self.nodes.iter().enumerate() {
            if node.start {
                let _ = writeln!(out, "  style n{id} stroke-width:3px");
            }
        }
        out
    }

    /// DOT, for Graphviz.
    pub fn to_dot(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "digraph {} {{", dot(&self.title));
        out.push_str("  rankdir=TB;\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n");
        for (index, cluster) in self.clusters.iter().enumerate() {
            let title = format!("{} {}", cluster.kind, cluster.label);
            let _ = writeln!(out, "  subgraph cluster_{index} {{\n    label={};", dot(&title));
            for (id, node) in self.members(index) {
                let width = if node.start { ", penwidth=3" } else { "" };
                let (shape, label) = (dot_shape(node.kind), dot(&node.label));
                let _ = writeln!(out, "    n{id} [label={label}, shape={shape}{width}];");
            }
            out.push_str("  }\n");
        }
        for edge in &self.edges {
            let style = if edge.returns { ", style=dashed" } else { "" };
            let tip = edge.about.as_ref().map(|about| format!(", tooltip={}", dot(about)));
            let (label, tip) = (dot(&edge.label), tip.unwrap_or_default());
            let _ = writeln!(out, "  n{} -> n{} [label={label}{style}{tip}];", edge.from, edge.to);
        }
        out.push_str("}\n");
        out
    }

    /// JSON with the place of everything, ready to be drawn as SVG.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn members(&self, cluster: usize) -> impl Iterator<Item = (usize, &DiagramNode)> {
        self.nodes.iter().enumerate().filter(move |(_, node)| node.cluster == cluster)
    }
}

impl DiagramEdge {
    /// Whether it is a step that runs a flow, and no route.
    pub fn is_run(&self) -> bool {
        self.decider == EdgeKind::Run
    }
}

fn mermaid_shape(node: &DiagramNode) -> (&'static str, &'static str) {
    match node.kind {
        VertexKind::Talks => ("(", ")"),
        VertexKind::Acts => ("[", "]"),
        VertexKind::Decides => ("{", "}"),
        VertexKind::Anywhere => ("[[", "]]"),
        VertexKind::End | VertexKind::Return | VertexKind::Back => ("([", "])"),
        VertexKind::Agent => ("[/", "/]"),
    }
}

/// Letters, digits and harmless signs stay; everything else is an entity code, which no rule of
/// Mermaid's reads.
fn mermaid(label: &str) -> String {
    let mut out = String::with_capacity(label.len());
    for c in label.chars() {
        match c {
            '\n' => out.push_str("<br/>"),
            c if c.is_alphanumeric() || " _-.,:?!'()=+".contains(c) => out.push(c),
            c if c.is_control() => out.push(' '),
            c => {
                let _ = write!(out, "#{};", c as u32);
            }
        }
    }
    out
}

fn dot_shape(kind: VertexKind) -> &'static str {
    match kind {
        VertexKind::Talks => "box, style=rounded",
        VertexKind::Acts => "box",
        VertexKind::Decides => "diamond",
        VertexKind::Anywhere => "component",
        VertexKind::End => "oval, peripheries=2",
        VertexKind::Return | VertexKind::Back => "oval",
        VertexKind::Agent => "cds",
    }
}

/// A quoted string of DOT.
fn dot(label: &str) -> String {
    let mut out = String::from("\"");
    for c in label.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
