//! A layered drawing: edges go down where they can, each layer is ordered by where its neighbours
//! are. Linear in practice; no recursion; whole pixels.

use super::{Diagram, DiagramNode, EdgeKind, VertexKind};

const NODE_H: i32 = 44;
const MIN_W: i32 = 96;
const CHAR_W: i32 = 8;
const PAD: i32 = 32;
const GAP_X: i32 = 40;
const GAP_Y: i32 = 72;
const FRAME: i32 = 32;
const CLUSTER_GAP: i32 = 80;
const SWEEPS: usize = 4;

/// Gives every vertex, frame and edge its place.
pub(super) fn layout(diagram: &mut Diagram) {
    for node in &mut diagram.nodes {
        let chars = i32::try_from(node.label.chars().count().min(200)).unwrap_or(200);
        node.w = (chars * CHAR_W + PAD).max(MIN_W);
        node.h = NODE_H;
    }
    let mut left = 0;
    let mut height = 0;
    for cluster in 0..diagram.clusters.len() {
        let (w, h) = place_cluster(diagram, cluster, left);
        left += w + CLUSTER_GAP;
        height = height.max(h);
    }
    diagram.w = (left - CLUSTER_GAP).max(0);
    diagram.h = height;
    let sides = Sides { right: diagram.clusters.iter().map(|c| c.x + c.w).collect() };
    for index in 0..diagram.edges.len() {
        let points = sides.points(diagram, index);
        if let Some(edge) = diagram.edges.get_mut(index) {
            edge.points = points;
        }
    }
}

/// Places the vertices of a cluster and its frame; answers the size of the frame.
fn place_cluster(diagram: &mut Diagram, cluster: usize, left: i32) -> (i32, i32) {
    let members: Vec<usize> =
        diagram.nodes.iter().enumerate().filter(|(_, n)| n.cluster == cluster).map(|(i, _)| i).collect();
    let first = members.first().copied().unwrap_or(0);
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); members.len()];
    for edge in &diagram.edges {
        let inside = |i: usize| diagram.nodes.get(i).is_some_and(|n| n.cluster == cluster);
        let drawn = edge.decider != EdgeKind::Run && edge.from != edge.to;
        if drawn
            && inside(edge.from)
            && inside(edge.to)
            && let Some(to) = out.get_mut(edge.from - first)
        {
            to.push(edge.to - first);
        }
    }
    let roots = members.iter().filter(|i| diagram.nodes.get(**i).is_some_and(is_root));
    let roots: Vec<usize> = roots.map(|i| i - first).collect();
    let layers = order(&out, &layer(&out, &roots));

    let sizes: Vec<i32> = members.iter().filter_map(|i| diagram.nodes.get(*i)).map(|n| n.w).collect();
    let width_of = |row: &[usize]| -> i32 {
        let sum: i32 = row.iter().filter_map(|i| sizes.get(*i)).sum();
        sum + GAP_X * (i32::try_from(row.len()).unwrap_or(i32::MAX).saturating_sub(1)).max(0)
    };
    let inner = layers.iter().map(|row| width_of(row)).max().unwrap_or(MIN_W).max(MIN_W);
    let mut y = FRAME + NODE_H / 2;
    for row in &layers {
        let mut x = left + FRAME + (inner - width_of(row)) / 2;
        for index in row {
            if let Some(node) = diagram.nodes.get_mut(first + index) {
                (node.x, node.y) = (x, y);
                x += node.w + GAP_X;
            }
        }
        y += NODE_H + GAP_Y;
    }
    let (w, h) = (inner + 2 * FRAME, (y - GAP_Y + FRAME).max(2 * FRAME + NODE_H));
    if let Some(frame) = diagram.clusters.get_mut(cluster) {
        (frame.x, frame.y, frame.w, frame.h) = (left, 0, w, h);
    }
    (w, h)
}

fn is_root(node: &DiagramNode) -> bool {
    node.start || node.kind == VertexKind::Anywhere
}

/// The layer of each vertex: below everything that leads to it, but for the edges that close a
/// cycle.
fn layer(out: &[Vec<usize>], roots: &[usize]) -> Vec<usize> {
    let finished = depth_first(out, roots);
    let mut place = vec![0; out.len()];
    for (at, index) in finished.iter().rev().enumerate() {
        if let Some(place) = place.get_mut(*index) {
            *place = at;
        }
    }
    let at = |places: &[usize], index: usize| places.get(index).copied().unwrap_or(0);
    let mut layers = vec![0; out.len()];
    for from in finished.iter().rev() {
        for to in out.get(*from).into_iter().flatten() {
            // In the order of a depth-first search an edge against it closes a cycle.
            if at(&place, *to) > at(&place, *from) {
                let below = at(&layers, *from) + 1;
                if let Some(layer) = layers.get_mut(*to) {
                    *layer = below.max(*layer);
                }
            }
        }
    }
    layers
}

/// All vertices in the order in which a depth-first search leaves them, the roots first.
fn depth_first(out: &[Vec<usize>], roots: &[usize]) -> Vec<usize> {
    let mut seen = vec![false; out.len()];
    let mut finished = Vec::with_capacity(out.len());
    // The vertices left last come first in the drawing: begin with what is not a root.
    let rest = (0..out.len()).rev().filter(|index| !roots.contains(index));
    let reachable = reach(out, roots);
    let unreached: Vec<usize> = rest.filter(|i| !reachable.get(*i).copied().unwrap_or(false)).collect();
    for root in unreached.into_iter().chain(roots.iter().rev().copied()) {
        let mut stack = vec![(root, 0)];
        if std::mem::replace(seen.get_mut(root).unwrap_or(&mut true), true) {
            continue;
        }
        while let Some((index, next)) = stack.pop() {
            match out.get(index).and_then(|to| to.get(next)) {
                Some(to) => {
                    stack.push((index, next + 1));
                    if let Some(seen) = seen.get_mut(*to)
                        && !std::mem::replace(seen, true)
                    {
                        stack.push((*to, 0));
                    }
                }
                None => finished.push(index),
            }
        }
    }
    finished
}

fn reach(out: &[Vec<usize>], roots: &[usize]) -> Vec<bool> {
    let mut seen = vec![false; out.len()];
    let mut stack = roots.to_vec();
    while let Some(index) = stack.pop() {
        if let Some(seen) = seen.get_mut(index)
            && !std::mem::replace(seen, true)
        {
            stack.extend(out.get(index).into_iter().flatten());
        }
    }
    seen
}

/// The rows, each ordered by the mean place of the neighbours above and below.
fn order(out: &[Vec<usize>], layers: &[usize]) -> Vec<Vec<usize>> {
    let count = layers.iter().max().map_or(0, |last| last + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, layer) in layers.iter().enumerate() {
        if let Some(row) = rows.get_mut(*layer) {
            row.push(index);
        }
    }
    let mut near: Vec<Vec<usize>> = vec![Vec::new(); out.len()];
    for (from, tos) in out.iter().enumerate() {
        for to in tos {
            for (a, b) in [(from, *to), (*to, from)] {
                if let Some(near) = near.get_mut(a) {
                    near.push(b);
                }
            }
        }
    }
    let mut place = vec![0_usize; out.len()];
    let renumber = |rows: &[Vec<usize>], place: &mut Vec<usize>| {
        for row in rows {
            for (at, index) in row.iter().enumerate() {
                if let Some(place) = place.get_mut(*index) {
                    // A share of the row, so that short and long rows compare.
                    *place = (2 * at + 1) * 10_000 / (2 * row.len());
                }
            }
        }
    };
    renumber(&rows, &mut place);
    for _ in 0..SWEEPS {
        for row in &mut rows {
            let mean = |index: &usize| {
                let neighbours = near.get(*index).map_or(&[][..], Vec::as_slice);
                let sum: usize = neighbours.iter().filter_map(|n| place.get(*n)).sum();
                let own = place.get(*index).copied().unwrap_or(0);
                sum.checked_div(neighbours.len()).unwrap_or(own)
            };
            row.sort_by_cached_key(mean);
        }
        renumber(&rows, &mut place);
    }
    rows
}

/// Right edges of the frames: edges that go up run beside the vertices.
struct Sides {
    right: Vec<i32>,
}

impl Sides {
    fn points(&self, diagram: &Diagram, index: usize) -> Vec<[i32; 2]> {
        let Some(edge) = diagram.edges.get(index) else { return vec![] };
        let (Some(from), Some(to)) = (diagram.nodes.get(edge.from), diagram.nodes.get(edge.to)) else {
            return vec![];
        };
        let middle = |node: &DiagramNode| (node.x + node.w / 2, node.y + node.h / 2);
        let ((from_x, from_y), (to_x, to_y)) = (middle(from), middle(to));
        if from.cluster != to.cluster {
            let rightwards = from.x < to.x;
            let start = if rightwards { from.x + from.w } else { from.x };
            let end = if rightwards { to.x } else { to.x + to.w };
            return vec![[start, from_y], [end, to_y]];
        }
        if to.y > from.y {
            return vec![[from_x, from.y + from.h], [to_x, to.y]];
        }
        let right = self.right.get(from.cluster).copied().unwrap_or(from_x);
        // A few lanes, so that edges that go up do not lie on each other.
        let lane = right - 4 - i32::try_from(index % 6).unwrap_or(0) * 4;
        vec![[from.x + from.w, from_y], [lane, from_y], [lane, to_y], [to.x + to.w, to_y]]
    }
}
