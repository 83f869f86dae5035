//! The rows of the table of the language reference that says which state an arrow hands on.

use dgh_ir::{Decider, Event, Node, Route, Step, StepKind};

/// When a route is looked at, and with that what is sure on its arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Row {
    /// `if`, `else`, `next`: the node is done.
    Done,
    /// The caller has the floor: the steps are finished, what is collected may be missing.
    Floor,
    /// `failed(collect)`: the same, but only where something is collected.
    FailedCollect,
    /// At any moment: nothing of the node is sure.
    Moment,
    /// A transfer ended: as before the transfer.
    Transfer,
    /// The caller is gone: only the inputs are sure.
    Gone,
    /// An unknown event, already reported.
    Unknown,
}

impl Row {
    /// The row of a decider.
    pub(crate) fn of(decider: &Decider) -> Self {
        let event = match decider {
            Decider::If(_) | Decider::Else | Decider::Next => return Self::Done,
            Decider::When(_) => return Self::Floor,
            Decider::On(event) => event,
        };
        match event {
            Event::Silence { .. } | Event::Unclear { .. } | Event::Stalled { .. } | Event::Corrected(_) => {
                Self::Floor
            }
            Event::FailedCollect => Self::FailedCollect,
            Event::Transferred | Event::TransferFailed(_) => Self::Transfer,
            Event::Hangup => Self::Gone,
            Event::Key(_)
            | Event::Interrupted
            | Event::Voicemail
            | Event::Screening
            | Event::Error
            | Event::Language(_)
            | Event::Limit(_)
            | Event::Slow => Self::Moment,
            Event::Hole => Self::Unknown,
        }
    }
}

/// Whether a handler of `own` takes every event that a handler of `outer` would: the inner one
/// wins, so the outer one is never asked.
pub(crate) fn overrides(own: &Decider, outer: &Decider) -> bool {
    match (own, outer) {
        (Decider::When(a), Decider::When(b)) => a.label == b.label,
        (Decider::On(a), Decider::On(b)) => match (a, b) {
            (Event::Silence { times: a, .. }, Event::Silence { times: b, .. })
            | (Event::Unclear { times: a }, Event::Unclear { times: b })
            | (Event::Stalled { turns: a }, Event::Stalled { turns: b }) => a == b,
            (Event::TransferFailed(a), Event::TransferFailed(b)) => {
                a.is_empty() || (!b.is_empty() && b.iter().all(|case| a.contains(case)))
            }
            (Event::Hole, _) | (_, Event::Hole) => false,
            _ => a == b,
        },
        _ => false,
    }
}

/// What matters of a node for its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shape {
    /// The caller has the floor in it: it talks, or runs a flow in which they may have it.
    pub(crate) floor: bool,
    /// It talks.
    pub(crate) talks: bool,
    /// It collects something.
    pub(crate) collects: bool,
    /// It runs a flow.
    pub(crate) runs: bool,
    /// It transfers.
    pub(crate) transfers: bool,
    /// An arrow of it transfers.
    pub(crate) transfers_on_arrow: bool,
    /// It has typed routes.
    pub(crate) typed: bool,
    /// Something in it did not resolve, so that parts of it may be missing.
    pub(crate) broken: bool,
    /// Its text did not parse.
    pub(crate) damaged: bool,
    /// Its `collect` names something that does not resolve.
    pub(crate) lost_names: bool,
}

impl Shape {
    /// The shape of a node with these routes.
    pub(crate) fn of<'r>(node: &Node, routes: impl Iterator<Item = &'r Route>) -> Self {
        let has = |test: fn(&StepKind) -> bool| node.steps.iter().any(|s| test(&s.kind));
        let mut shape = Self {
            talks: node.prompt.is_some()
                || node.collect.is_some()
                || has(|s| matches!(s, StepKind::Ask { .. })),
            collects: node.collect.is_some(),
            runs: has(|s| matches!(s, StepKind::Run { .. })),
            transfers: has(|s| matches!(s, StepKind::Transfer { .. })),
            broken: has(|s| matches!(s, StepKind::Hole)),
            ..Self::default()
        };
        let mut chooses = false;
        let transfers = |step: &Step| matches!(step.kind, StepKind::Transfer { .. });
        for route in routes {
            shape.transfers_on_arrow |= route.block.iter().any(transfers);
            match Row::of(&route.decider) {
                Row::Done => shape.typed = true,
                Row::Unknown => shape.broken = true,
                Row::Floor => chooses |= matches!(route.decider, Decider::When(_)),
                _ => {}
            }
        }
        shape.floor = shape.talks || shape.runs || (chooses && !shape.typed);
        shape
    }

    /// Whether a route of this row can be taken in such a node.
    pub(crate) fn has(self, row: Row) -> bool {
        match row {
            Row::Done | Row::Moment | Row::Gone => true,
            Row::Floor => self.floor,
            Row::FailedCollect => self.collects || self.runs,
            Row::Transfer => self.transfers || self.transfers_on_arrow || self.runs,
            Row::Unknown => false,
        }
    }

    /// Whether the node is done at some time: its steps are finished, or all is collected.
    pub(crate) fn is_ever_done(self) -> bool {
        self.collects || !self.talks
    }
}
