//! Which routes apply now: one set, innermost first. Node, flow, the node that runs the flow,
//! `anywhere`, the standard library.

use dgh_ir::{
    Decider, DialogueId, Event as Pattern, LimitKind, Route, RouteId, SlotId, Target, TransferFailure,
};

use crate::begin::same_language;
use crate::call::Call;
use crate::state::{Frame, FrameKind};

/// A route, and the frame whose names it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) frame: usize,
    pub(crate) dialogue: DialogueId,
    pub(crate) route: RouteId,
}

/// What the runtime raises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Raised {
    Silence(u32),
    Unclear(u32),
    Stalled(u32),
    Key(char),
    Interrupted,
    /// The scope's name that the caller wants to change.
    Corrected(SlotId),
    Hangup,
    Voicemail,
    Screening,
    Error(String),
    FailedCollect,
    Transferred,
    TransferFailed(TransferFailure),
    Language(String),
    Limit(LimitKind),
    Slow,
}

impl Raised {
    /// How it reads in a record.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Silence(count) => format!("silence, {count} in a row"),
            Self::Unclear(count) => format!("unclear, {count} in a row"),
            Self::Stalled(turns) => format!("stalled, {turns} turns"),
            Self::Key(key) => format!("key(\"{key}\")"),
            Self::Interrupted => "interrupted".into(),
            Self::Corrected(_) => "corrected".into(),
            Self::Hangup => "hangup".into(),
            Self::Voicemail => "voicemail".into(),
            Self::Screening => "screening".into(),
            Self::Error(message) => format!("error: {message}"),
            Self::FailedCollect => "failed(collect)".into(),
            Self::Transferred => "transferred".into(),
            Self::TransferFailed(case) => format!("transfer_failed({case})"),
            Self::Language(tag) => format!("language(\"{tag}\")"),
            Self::Limit(kind) => format!("limit({kind})"),
            Self::Slow => "slow".into(),
        }
    }

    /// How well a pattern fits: none at all, or its `times` and whether it names this very case.
    fn fits(&self, pattern: &Pattern) -> Option<(u32, bool)> {
        let whole = |fits: bool| fits.then_some((0, false));
        match (self, pattern) {
            (Self::Silence(count), Pattern::Silence { times, .. })
            | (Self::Unclear(count), Pattern::Unclear { times }) => {
                (times <= count).then_some((*times, false))
            }
            (Self::Stalled(count), Pattern::Stalled { turns }) => (turns <= count).then_some((*turns, false)),
            (Self::Key(_), Pattern::Key(None)) => Some((0, false)),
            (Self::Key(key), Pattern::Key(Some(wanted))) => (wanted.chars().eq([*key])).then_some((0, true)),
            (Self::Corrected(slot), Pattern::Corrected(wanted)) => whole(slot == wanted),
            (Self::TransferFailed(case), Pattern::TransferFailed(cases)) => {
                whole(cases.is_empty() || cases.contains(case))
            }
            (Self::Language(_), Pattern::Language(None)) => Some((0, false)),
            (Self::Language(tag), Pattern::Language(Some(wanted))) => whole(same_language(tag, wanted)),
            (Self::Limit(kind), Pattern::Limit(wanted)) => whole(kind == wanted),
            (Self::Interrupted, Pattern::Interrupted)
            | (Self::Hangup, Pattern::Hangup)
            | (Self::Voicemail, Pattern::Voicemail)
            | (Self::Screening, Pattern::Screening)
            | (Self::Error(_), Pattern::Error)
            | (Self::FailedCollect, Pattern::FailedCollect)
            | (Self::Transferred, Pattern::Transferred)
            | (Self::Slow, Pattern::Slow) => Some((0, false)),
            _ => None,
        }
    }
}

impl Call {
    /// The handler of an event: the highest `times` not above the count, then the one that names
    /// the very case, then the innermost. Who writes a handler for the fourth time has seen to
    /// the third: the library's, which would end the call there, steps back.
    pub(crate) fn handler(&self, raised: &Raised) -> Option<Found> {
        let visible = self.visible();
        let written = visible.iter().filter(|found| found.dialogue != DialogueId::Last);
        let written = written.filter_map(|found| self.times(raised, *found)).max();
        let fits = |found: &Found| {
            found.dialogue != DialogueId::Last
                || self.times(raised, *found).is_none_or(|times| Some(times) >= written)
        };
        self.best(raised, visible.into_iter().filter(fits))
    }

    /// How often in a row an event has to happen for a handler, whatever the count is now.
    pub(crate) fn times(&self, raised: &Raised, found: Found) -> Option<u32> {
        let Decider::On(pattern) = &self.route(found)?.decider else { return None };
        match (raised, pattern) {
            (Raised::Silence(_), Pattern::Silence { times, .. })
            | (Raised::Unclear(_), Pattern::Unclear { times }) => Some(*times),
            (Raised::Stalled(_), Pattern::Stalled { turns }) => Some(*turns),
            _ => None,
        }
    }

    /// The handler of the standard library alone.
    pub(crate) fn last_handler(&self, raised: &Raised) -> Option<Found> {
        self.best(raised, self.last_routes())
    }

    fn best(&self, raised: &Raised, routes: impl IntoIterator<Item = Found>) -> Option<Found> {
        let mut best: Option<((u32, bool), Found)> = None;
        for found in routes {
            let Some(Decider::On(pattern)) = self.route(found).map(|route| &route.decider) else {
                continue;
            };
            // `corrected` speaks of a name of its own dialogue.
            let scoped = !matches!(raised, Raised::Corrected(_))
                || self.state.frames.get(found.frame).map(|f| f.scope) == self.top().map(|f| f.scope);
            let Some(fit) = raised.fits(pattern).filter(|_| scoped) else { continue };
            if best.as_ref().is_none_or(|(so_far, _)| fit > *so_far) {
                best = Some((fit, found));
            }
        }
        best.map(|(_, found)| found)
    }

    /// All routes that apply now, innermost first.
    pub(crate) fn visible(&self) -> Vec<Found> {
        let mut found = Vec::with_capacity(24);
        let program = &self.prepared.program;
        let detoured = self.state.frames.iter().any(|frame| frame.kind == FrameKind::Detour);
        let mut next = self.state.frames.len().checked_sub(1);
        while let Some(index) = next {
            let Some(frame) = self.state.frames.get(index) else { break };
            let dialogue = program.dialogue(frame.dialogue);
            let node = frame.node.and_then(|node| dialogue.nodes.get(node));
            let own = node.map_or(&[][..], |node| &node.routes);
            let anywhere = dialogue.anywhere.iter().filter(|id| {
                let target = dialogue.routes.get(**id).and_then(|route| route.target.as_ref());
                !leads_nowhere(target, frame)
            });
            for route in own.iter().chain(anywhere) {
                let target = dialogue.routes.get(*route).and_then(|route| route.target.as_ref());
                let hidden = match target {
                    Some(Target::Detour(_)) => detoured,
                    Some(Target::Back) => frame.kind != FrameKind::Detour,
                    _ => false,
                };
                if !hidden {
                    found.push(Found { frame: index, dialogue: frame.dialogue, route: *route });
                }
            }
            next = match frame.kind {
                FrameKind::Root => None,
                FrameKind::Flow(_) => index.checked_sub(1),
                FrameKind::Detour => {
                    let base = self.base(index);
                    match self.state.frames.get(base).map(|frame| frame.kind) {
                        Some(FrameKind::Flow(_)) => base.checked_sub(1),
                        _ => None,
                    }
                }
            };
        }
        found.extend(self.last_routes());
        found
    }

    /// The frame that a detour shares its names with; any other frame is its own.
    pub(crate) fn base(&self, index: usize) -> usize {
        let scope = self.state.frames.get(index).map(|frame| frame.scope);
        let same = |frame: &Frame| frame.kind != FrameKind::Detour && Some(frame.scope) == scope;
        self.state.frames.iter().position(same).unwrap_or(index)
    }

    pub(crate) fn route(&self, found: Found) -> Option<&Route> {
        self.prepared.program.dialogue(found.dialogue).routes.get(found.route)
    }

    /// The library's last handlers. Who types takes their time: in a chat only an author's own
    /// handler minds a silence.
    fn last_routes(&self) -> impl Iterator<Item = Found> + use<'_> {
        let frame = self.state.frames.len().saturating_sub(1);
        let last = &self.prepared.program.last;
        let chat = self.is_chat();
        let applies = move |id: &&RouteId| {
            let decider = last.routes.get(**id).map(|route| &route.decider);
            !(chat && matches!(decider, Some(Decider::On(Pattern::Silence { .. }))))
        };
        last.anywhere.iter().filter(applies).map(move |route| Found {
            frame,
            dialogue: DialogueId::Last,
            route: *route,
        })
    }
}

/// In `anywhere`, a route to the current node is not visible.
fn leads_nowhere(target: Option<&Target>, frame: &Frame) -> bool {
    match target {
        Some(Target::Node(node) | Target::Detour(node)) => frame.node == Some(*node),
        _ => false,
    }
}
