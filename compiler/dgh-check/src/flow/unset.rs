//! E0301 and E0203: a read of something that may not be there, with the shortest path that shows
//! it. A name is reported once for each node; one that nothing ever sets, once.

use std::collections::{BTreeMap, BTreeSet};

use dgh_diag::{Code, Diagnostic, Edit, Fix, Place, Related, Span};
use dgh_ir::{
    DialogueId, Expr, ExprKind, HttpRequest, NodeId, Origin, Param, Program, Route, SlotId, SlotKind,
    Template, ToolAction,
};
use fixedbitset::FixedBitSet;

use super::access::{Bits, Names};
use super::assign::Assigned;
use super::narrow::there;
use super::needs::{needs, needs_in_body};
use super::path::{self, Paths};
use super::scene::Scene;
use super::state::{OneBit, State};
use crate::report::Report;

/// Checks all reads of a dialogue.
pub(crate) fn check(solved: &Assigned<'_, '_>, report: &mut Report) {
    let mut finder = Finder {
        given: path::given_in(solved.scene()),
        lost_writes: solved.scene().has_lost_writes(),
        solved,
        paths: BTreeMap::new(),
        never_set: BTreeMap::new(),
        findings: Vec::new(),
    };
    finder.start(report);
    finder.nodes(report);
    finder.anywhere(report);
    finder.after_the_call(report);
    finder.tell_never_set(report);
    report.diagnostics.append(&mut finder.findings);
}

/// Checks the texts of the tools: what may be missing of their parameters.
pub(crate) fn check_tools(program: &Program, report: &mut Report) {
    for (_, tool) in program.tools.iter() {
        let ToolAction::Http(request) = &tool.action else { continue };
        check_request(program, &tool.params, request, report);
    }
}

fn check_request(program: &Program, params: &[Param], request: &HttpRequest, report: &mut Report) {
    let mut bits = Bits::new(program, Names::Params(params));
    request.each_expr(&mut |e| bits.add(e));
    let mut seen = BTreeSet::new();
    each_need(&bits, request, &mut |bit, read| {
        let optional = match bits.slot(bit) {
            Some(id) => bits.is_optional(id),
            None => true,
        };
        if optional && seen.insert(bit) {
            let finding = missing(&bits, bit, read, report)
                .with_hint(format!("Write `{name}?` in a body, or `{name} ?? …`.", name = bits.label(bit)));
            report.push(leave_out(request, &bits, bit, read, finding));
        }
    });
}

/// A field of the body that is a path alone may be left out with `?`.
fn leave_out(
    request: &HttpRequest,
    bits: &Bits<'_>,
    bit: usize,
    read: &Expr,
    finding: Diagnostic,
) -> Diagnostic {
    let mut is_field = false;
    if let Some(body) = &request.body {
        fields(body, &mut |field| is_field |= std::ptr::eq(field, read));
    }
    if !is_field {
        return finding;
    }
    let end = Place { span: Span::at(finding.place.span.end), ..finding.place };
    finding.with_fix(Fix {
        title: format!("Write `{}?`", bits.label(bit)),
        edits: vec![Edit { place: end, text: "?".into() }],
        safe: true,
    })
}

fn fields<'e>(body: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    match &body.kind {
        ExprKind::Record(_) | ExprKind::List(_) => body.each_child(&mut |child| fields(child, visit)),
        _ => visit(body),
    }
}

/// What a request needs: a body leaves out what is missing only where `x?` says so.
fn each_need<'e>(bits: &Bits<'_>, request: &'e HttpRequest, visit: &mut dyn FnMut(usize, &'e Expr)) {
    let body = request.body.as_ref();
    if let Some(body) = body {
        needs_in_body(bits, body, visit);
    }
    request.each_expr(&mut |e| {
        if body.is_none_or(|body| !std::ptr::eq(body, e)) {
            needs(bits, e, visit);
        }
    });
}

struct Finder<'f, 's, 'a> {
    solved: &'f Assigned<'s, 'a>,
    given: BTreeMap<usize, Vec<(Origin, String)>>,
    lost_writes: bool,
    paths: BTreeMap<usize, Paths>,
    never_set: BTreeMap<usize, Vec<&'a Expr>>,
    findings: Vec<Diagnostic>,
}

impl<'a> Finder<'_, '_, 'a> {
    fn scene(&self) -> &Scene<'a> {
        self.solved.scene()
    }

    /// The persona and `before call` are read before the first node is entered.
    fn start(&mut self, report: &Report) {
        let transfer = &self.solved.transfer;
        let mut found = Vec::new();
        let mut state = transfer.given();
        for (_, slot) in self.scene().dialogue.slots.iter() {
            if let Some(default) = &slot.default {
                transfer.read(default, &mut state, None, &mut |bit, read| found.push((bit, read)));
            }
        }
        if let DialogueId::Agent(id) = self.scene().id {
            let agent = &self.scene().program.agents[id];
            for block in &agent.before_call {
                let mut inside = state.clone();
                if let Some(guard) = &block.guard {
                    transfer.read(guard, &mut inside, None, &mut |bit, read| found.push((bit, read)));
                    for b in there(&transfer.bits, guard, true) {
                        inside.gain(b);
                    }
                }
                for step in &block.steps {
                    transfer.step(step, &mut inside, None, &mut |bit, read| found.push((bit, read)));
                }
                // What fails inside leaves its result missing behind the block.
                state.join(&inside);
            }
            let mut state = self.solved.start.clone();
            for expr in agent.prompt.iter().flat_map(Template::exprs) {
                transfer.read(expr, &mut state, None, &mut |bit, read| found.push((bit, read)));
            }
        }
        for (bit, read) in found {
            if self.is_never_set(bit) {
                self.never_set.entry(bit).or_default().push(read);
                continue;
            }
            let finding = self.missing(bit, read, report).with_hint(
                "This is read once, when the call starts; nothing has been learned by then. Give \
                 it a fallback with `??`, or say it in the `prompt` of a node.",
            );
            self.findings.push(finding);
        }
    }

    fn nodes(&mut self, report: &Report) {
        let scene = self.solved.scene();
        for (id, node) in scene.dialogue.nodes.iter() {
            let Some(Some(entry)) = self.solved.entry.get(id) else { continue };
            let mut found: Vec<(usize, &'a Expr)> = Vec::new();
            let mut seen = BTreeSet::new();
            let mut note = |bit: usize, read: &'a Expr| {
                if seen.insert(bit) {
                    found.push((bit, read));
                }
            };
            let leaving = self.solved.transfer.node(id, node, entry, &mut note);
            let gone = &self.solved.gone;
            self.solved.transfer.routes(id, &leaving, gone, &mut note, &mut |_, _, _| {});
            let mut told: Vec<Diagnostic> = Vec::new();
            for (bit, read) in found {
                let Some(finding) = self.in_node(id, bit, read, report) else { continue };
                // Values that are missing on one path are one mistake: it leads here too early.
                match told.iter_mut().find(|f| f.code == finding.code && same_path(f, &finding)) {
                    Some(first) => self.also_missing(first, bit, read, report),
                    None => told.push(finding),
                }
            }
            self.findings.append(&mut told);
        }
    }

    fn also_missing(&self, first: &mut Diagnostic, bit: usize, read: &Expr, report: &Report) {
        let name = self.solved.transfer.bits.label(bit);
        let place = report.place(read.origin);
        first.related.push(Related { place, message: format!("{name} is needed here too") });
        first.message = first.message.replacen("` may", &format!("` and `{name}` may"), 1);
        if let Some(last) = first.steps.last_mut() {
            last.message = format!("{} and {name}", last.message);
        }
    }

    fn in_node(&mut self, id: NodeId, bit: usize, read: &'a Expr, report: &Report) -> Option<Diagnostic> {
        if self.is_never_set(bit) {
            self.never_set.entry(bit).or_default().push(read);
            return None;
        }
        let solved = self.solved;
        let mut finding = missing_in(solved, &self.given, bit, read, report);
        if let Some(paths) = self.paths(bit) {
            let to = paths.to_read(solved, id, read).or_else(|| paths.first(|node, _| node == id));
            if let Some(to) = to {
                finding = paths.tell(solved.scene(), report, to, finding);
            }
        }
        let name = solved.transfer.bits.label(bit);
        let node = solved.scene().name(id);
        Some(finding.with_step(report.place(read.origin), format!("{node} needs {name}")))
    }

    /// Blocks of `anywhere` are read in every node in which their route is seen.
    fn anywhere(&mut self, report: &Report) {
        let solved = self.solved;
        for group in &solved.groups {
            for (_, route) in &group.routes {
                let target = super::scene::target_node(route);
                let Some(state) = Assigned::group_state(group, target) else { continue };
                let mut found: Vec<(usize, &'a Expr)> = Vec::new();
                let route: &'a Route = route;
                solved.transfer.route(route, state, &mut |bit, read| found.push((bit, read)));
                let mut seen = BTreeSet::new();
                found.retain(|(bit, _)| seen.insert(*bit));
                for (bit, read) in found {
                    self.in_anywhere(route, bit, read, report);
                }
            }
        }
    }

    fn in_anywhere(&mut self, route: &'a Route, bit: usize, read: &'a Expr, report: &Report) {
        if self.is_never_set(bit) {
            self.never_set.entry(bit).or_default().push(read);
            return;
        }
        let solved = self.solved;
        let scene = solved.scene();
        let row = super::rows::Row::of(&route.decider);
        let mut finding = missing_in(solved, &self.given, bit, read, report);
        if let Some(paths) = self.paths(bit) {
            let to = paths.first(|node, missing| {
                scene.sees(node, route)
                    && path::leaving(solved, bit, node, missing, &mut |_, _| {}).is_some_and(|leaving| {
                        let gone = OneBit { missing: solved.gone.contains(bit), ..leaving.done };
                        leaving.of(row, &gone).missing
                    })
            });
            if let Some(to) = to {
                finding = paths.tell(scene, report, to, finding);
                finding = path::step(scene, report, to.0, route, usize::MAX, finding);
            }
        }
        let name = solved.transfer.bits.label(bit);
        finding =
            finding.with_step(report.place(read.origin), format!("{name} is needed")).with_hint(format!(
                "`anywhere` applies in every node, also where `{name}` is not known yet. Write \
                 `{name} ?? …`, or put the route into the nodes where it is known.",
            ));
        self.findings.push(finding);
    }

    /// In webhooks and in `on hangup` every name but the inputs may be missing.
    fn after_the_call(&mut self, report: &Report) {
        let transfer = &self.solved.transfer;
        let DialogueId::Agent(id) = self.scene().id else { return };
        let agent = &self.scene().program.agents[id];
        for (_, webhook) in agent.webhooks.iter() {
            let mut bits = Bits::new(self.scene().program, Names::Slots(&agent.dialogue.slots));
            webhook.guard.iter().for_each(|e| bits.add(e));
            webhook.request.each_expr(&mut |e| bits.add(e));
            webhook.sign.iter().for_each(|e| bits.add(e));
            let mut known = BTreeSet::new();
            let mut found: Vec<(usize, &Expr)> = Vec::new();
            let mut state: FixedBitSet = transfer.gone();
            state.grow(bits.len());
            bits.others().for_each(|bit| state.lose(bit));
            if let Some(guard) = &webhook.guard {
                needs(&bits, guard, &mut |bit, read| found.push((bit, read)));
                known.extend(there(&bits, guard, true));
            }
            let mut read = |bit: usize, read: &'a Expr| {
                if !known.contains(&bit) {
                    found.push((bit, read));
                }
            };
            each_need(&bits, &webhook.request, &mut read);
            if let Some(sign) = &webhook.sign {
                needs(&bits, sign, &mut read);
            }
            let mut seen = BTreeSet::new();
            for (bit, read) in found {
                if state.lacks(bit) && seen.insert(bit) {
                    let name = bits.label(bit);
                    let finding = missing(&bits, bit, read, report).with_hint(format!(
                        "A call can end before `{name}` is known. Write `{name}?`: the field is \
                         left out when it is missing.",
                    ));
                    self.findings.push(leave_out(&webhook.request, &bits, bit, read, finding));
                }
            }
        }
    }

    fn tell_never_set(&mut self, report: &Report) {
        for (bit, reads) in std::mem::take(&mut self.never_set) {
            let Some((first, others)) = reads.split_first() else { continue };
            let name = self.solved.transfer.bits.label(bit);
            let mut finding = Diagnostic::new(
                Code::Unassigned,
                report.place(first.origin),
                format!("`{name}` is never given a value"),
            )
            .with_label("needed here")
            .with_hint(format!("Add `collect {name}` to a node, or `set {name} = …`."));
            finding = declared(self.solved, bit, report, finding);
            for other in others.iter().take(SHOWN) {
                finding = finding.with_related(report.place(other.origin), "and needed here");
            }
            self.findings.push(finding);
        }
    }

    /// The shortest paths of a bit, unless too many were searched for.
    fn paths(&mut self, bit: usize) -> Option<&Paths> {
        if !self.paths.contains_key(&bit) && self.paths.len() < MOST_SEARCHES {
            self.paths.insert(bit, path::search(self.solved, bit));
        }
        self.paths.get(&bit)
    }

    fn is_never_set(&self, bit: usize) -> bool {
        let slot = self.solved.transfer.bits.slot(bit);
        let slot = slot.and_then(|id| self.scene().dialogue.slots.get(id));
        slot.is_some_and(|slot| {
            !self.lost_writes
                && slot.kind != SlotKind::Input
                && !slot.ty.optional
                && slot.default.is_none()
                && !self.given.contains_key(&bit)
        })
    }

    fn missing(&self, bit: usize, read: &Expr, report: &Report) -> Diagnostic {
        missing_in(self.solved, &self.given, bit, read, report)
    }
}

/// Names whose paths are searched for in one dialogue; each search looks at every node. Past that
/// the findings come without a path.
const MOST_SEARCHES: usize = 64;

/// Places shown beside the first.
const SHOWN: usize = 3;

/// Whether two findings are shown on the same path, what is read at its end aside.
fn same_path(a: &Diagnostic, b: &Diagnostic) -> bool {
    let way = |d: &Diagnostic| d.steps.split_last().map(|(_, way)| way.to_vec());
    way(a) == way(b)
}

fn missing_in(
    solved: &Assigned<'_, '_>,
    given: &BTreeMap<usize, Vec<(Origin, String)>>,
    bit: usize,
    read: &Expr,
    report: &Report,
) -> Diagnostic {
    let bits = &solved.transfer.bits;
    let mut finding = declared(solved, bit, report, missing(bits, bit, read, report));
    for (origin, how) in given.get(&bit).into_iter().flatten().take(SHOWN) {
        finding = finding.with_related(report.place(*origin), how.clone());
    }
    let name = bits.label(bit);
    let hint = if finding.code == Code::MaybeMissing {
        format!("Write `{name} ?? …`, or lead here only where `if {name}` holds.")
    } else {
        format!("Collect or set `{name}` on every way that leads here, or write `{name} ?? …`.")
    };
    finding.with_hint(hint)
}

fn declared(solved: &Assigned<'_, '_>, bit: usize, report: &Report, finding: Diagnostic) -> Diagnostic {
    let slot: Option<SlotId> = solved.transfer.bits.slot(bit);
    match slot.and_then(|id| solved.scene().dialogue.slots.get(id)) {
        Some(slot) if slot.kind != SlotKind::Binding => {
            finding.with_related(report.place(slot.origin), format!("{} is declared here", slot.name))
        }
        _ => finding,
    }
}

fn missing(bits: &Bits<'_>, bit: usize, read: &Expr, report: &Report) -> Diagnostic {
    let name = bits.label(bit);
    let place = report.place(read.origin);
    let optional = bits.slot(bit).is_none_or(|id| bits.is_optional(id));
    if optional {
        Diagnostic::new(Code::MaybeMissing, place, format!("`{name}` may be missing here"))
            .with_label("needs a value")
    } else {
        Diagnostic::new(Code::Unassigned, place, format!("`{name}` may not be set here"))
            .with_label("not set on some path")
    }
}
