//! The graph of a dialogue: ids alone, for analyses; and a [`Diagram`] of it, to draw.

mod diagram;
mod layout;
mod print;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::arena::Id;
use crate::program::{AgentId, Dialogue, NodeId, OutcomeId, RouteId, Target};

pub use diagram::{Cluster, Diagram, DiagramEdge, DiagramNode, EdgeKind, VertexKind};

/// What a route leads from or to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vertex {
    /// A node. The vertices of nodes come first, in the order of their ids: the index of a node is
    /// its vertex.
    Node(NodeId),
    /// Where the routes of `anywhere` start, drawn once.
    Anywhere,
    /// The end of the call.
    End(Option<OutcomeId>),
    /// Out of a flow.
    Return,
    /// Back from a detour.
    Back,
    /// Another agent.
    Agent(AgentId),
}

impl Dialogue {
    /// The graph of its routes. A route that stays where it is, or leads nowhere because of an
    /// error, has no edge; a detour is an edge to its node. Ends, `return`, `back` and hand-overs
    /// are one vertex each.
    pub fn graph(&self) -> DiGraph<Vertex, RouteId> {
        let mut graph = DiGraph::with_capacity(self.nodes.len() + 8, self.routes.len());
        for id in self.nodes.ids() {
            graph.add_node(Vertex::Node(id));
        }
        let mut others = Vec::new();
        for (id, route) in self.routes.iter() {
            let Some(to) = route.target.as_ref().and_then(vertex) else { continue };
            let from = route.from.map_or(Vertex::Anywhere, Vertex::Node);
            let (Some(from), Some(to)) =
                (self.index(&mut graph, &mut others, from), self.index(&mut graph, &mut others, to))
            else {
                continue;
            };
            graph.add_edge(from, to, id);
        }
        graph
    }

    fn index(
        &self,
        graph: &mut DiGraph<Vertex, RouteId>,
        others: &mut Vec<(Vertex, NodeIndex)>,
        vertex: Vertex,
    ) -> Option<NodeIndex> {
        if let Vertex::Node(id) = vertex {
            return self.nodes.get(id).map(|_| NodeIndex::new(id.index()));
        }
        if let Some((_, index)) = others.iter().find(|(known, _)| *known == vertex) {
            return Some(*index);
        }
        let index = graph.add_node(vertex);
        others.push((vertex, index));
        Some(index)
    }
}

fn vertex(target: &Target) -> Option<Vertex> {
    Some(match target {
        Target::Node(id) | Target::Detour(id) => Vertex::Node(*id),
        Target::End(outcome) => Vertex::End(*outcome),
        Target::Back => Vertex::Back,
        Target::Return(_) => Vertex::Return,
        Target::Agent(id, _) => Vertex::Agent(*id),
        Target::Hole => return None,
    })
}

#[cfg(test)]
mod tests;
