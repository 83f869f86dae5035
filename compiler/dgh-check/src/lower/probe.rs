//! What only an `expect` can ask: `outcome`, `visited(…)`, `said("…")`, `called(…)`, …

use dgh_diag::Code;
use dgh_ir::program::{AgentId, DialogueId, NodeId, ToolRef};
use dgh_ir::{Expr, ExprKind, Kind, Origin, Probe, Type};
use dgh_syntax::ast::{self, AstNode as _};

use super::body::Body;
use super::{Cx, Lower};

/// The names that need no brackets.
pub(crate) const BARE: &[&str] = &["outcome", "ended_by", "turns"];

impl Lower<'_> {
    pub(crate) fn bare_probe(&self, body: &Body, name: &str, origin: Origin) -> Option<Expr> {
        let (probe, ty) = match name {
            "outcome" => (Probe::Outcome, Type::of(Kind::Enum(body.outcome_enum?)).optional()),
            "ended_by" => (Probe::EndedBy, Type::of(Kind::Enum(self.call_enums.ended_by))),
            "turns" => (Probe::Turns, Type::of(Kind::Int)),
            _ => return None,
        };
        Some(Expr { kind: ExprKind::Probe(probe), ty, origin })
    }

    /// A call that only a test knows; none where the name is another one.
    pub(crate) fn probe(
        &mut self,
        cx: &Cx<'_>,
        body: &Body,
        name: &str,
        call: &ast::CallExpr,
    ) -> Option<Expr> {
        let origin = self.origin(cx.file, call.span());
        let args: Vec<ast::Expr> =
            call.args().into_iter().flat_map(|a| a.args()).filter_map(|a| a.value()).collect();
        let probe = match name {
            "visited" => self.visited(cx, body, call, &args).map(|p| (p, Kind::Bool)),
            "said" => self.said(cx, call, &args).map(|p| (p, Kind::Bool)),
            "sent" => self.sent(cx, body, call, &args).map(|p| (p, Kind::Bool)),
            "called" => self.called(cx, call, &args).map(|p| (p, Kind::Int)),
            "searched" => self.searched(cx, call, &args).map(|p| (p, Kind::Int)),
            _ => return None,
        };
        Some(match probe {
            Some((probe, kind)) => Expr { kind: ExprKind::Probe(probe), ty: Type::of(kind), origin },
            None => Expr::hole(origin),
        })
    }

    fn visited(
        &mut self,
        cx: &Cx<'_>,
        body: &Body,
        call: &ast::CallExpr,
        args: &[ast::Expr],
    ) -> Option<Probe> {
        if args.is_empty() {
            return self.bad_probe(
                cx,
                call,
                "`visited` takes nodes",
                "Such as `visited(request, offer)`: both, in this order.",
            );
        }
        let mut nodes = Vec::new();
        let mut whole = true;
        for arg in args {
            let name = match arg {
                ast::Expr::Name(name) => name.name(),
                _ => None,
            };
            match name {
                Some(name) => match self.tested_node(cx, body, &name) {
                    Some(node) => nodes.push(node),
                    None => whole = false,
                },
                None => {
                    let place = self.at(cx, arg);
                    self.error(Code::BadExpect, place, "`visited` takes names of nodes");
                    whole = false;
                }
            }
        }
        whole.then_some(Probe::Visited(nodes))
    }

    /// A node of the agent, or of one that the call is handed to.
    fn tested_node(&mut self, cx: &Cx<'_>, body: &Body, name: &ast::NameRef) -> Option<(AgentId, NodeId)> {
        let text = name.text();
        if !body.nodes.contains_key(&text)
            && let Some((agent, (node, _))) =
                self.after_hand_over().find_map(|(agent, other)| Some((agent, other.nodes.get(&text)?)))
        {
            return Some((agent, *node));
        }
        let DialogueId::Agent(agent) = body.id else { return None };
        Some((agent, self.node_name(cx.file, body, name)?))
    }

    fn said(&mut self, cx: &Cx<'_>, call: &ast::CallExpr, args: &[ast::Expr]) -> Option<Probe> {
        let text = match args {
            [ast::Expr::String(text)] => text.plain_text(),
            _ => None,
        };
        match text {
            Some(text) if !text.trim().is_empty() => Some(Probe::Said(text)),
            _ => self.bad_probe(
                cx,
                call,
                "`said` takes the words, as one text without `{{ }}`",
                "Such as `said(\"Dr. Roy\")`.",
            ),
        }
    }

    fn sent(&mut self, cx: &Cx<'_>, body: &Body, call: &ast::CallExpr, args: &[ast::Expr]) -> Option<Probe> {
        let [ast::Expr::Name(name)] = args else {
            return self.bad_probe(cx, call, "`sent` takes the name of a webhook", "Such as `sent(crm)`.");
        };
        let name = name.name()?;
        let text = name.text();
        if let (Some(id), DialogueId::Agent(agent)) = (body.webhooks.get(&text), body.id) {
            return Some(Probe::Sent(agent, *id));
        }
        let later = self.after_hand_over().find_map(|(agent, b)| Some((agent, *b.webhooks.get(&text)?)));
        if let Some((agent, id)) = later {
            return Some(Probe::Sent(agent, id));
        }
        if !self.is_lost(cx.file, &text) {
            let place = self.at(cx, &name);
            let mut known: Vec<&str> = body.webhooks.keys().map(String::as_str).collect();
            known.sort_unstable();
            let finding = self.unknown(
                Code::UnknownName,
                place,
                format!("there is no webhook `{text}`"),
                &text,
                &known,
            );
            self.report.push(finding);
        }
        None
    }

    fn called(&mut self, cx: &Cx<'_>, call: &ast::CallExpr, args: &[ast::Expr]) -> Option<Probe> {
        let [arg] = args else {
            return self.bad_probe(
                cx,
                call,
                "`called` takes the name of a tool",
                "Such as `called(find_slots) == 2`: how often it was called.",
            );
        };
        let Some(path) = arg.path() else {
            return self.bad_probe(
                cx,
                call,
                "`called` takes the name of a tool",
                "Such as `called(find_slots) == 2`: how often it was called.",
            );
        };
        match self.tool_ref(cx, &path) {
            ToolRef::Hole => None,
            tool => Some(Probe::Called(tool)),
        }
    }

    fn searched(&mut self, cx: &Cx<'_>, call: &ast::CallExpr, args: &[ast::Expr]) -> Option<Probe> {
        let [arg] = args else {
            return self.bad_probe(
                cx,
                call,
                "`searched` takes the name of knowledge",
                "Such as `searched(faq) == 1`: how often it was searched.",
            );
        };
        let path = arg.path()?;
        match self.tool_ref(cx, &path) {
            ToolRef::Knowledge(id) => Some(Probe::Searched(id)),
            ToolRef::Hole => None,
            _ => self.bad_probe(
                cx,
                call,
                "`searched` takes the name of knowledge",
                "For a tool, write `called(…)`.",
            ),
        }
    }

    fn bad_probe(&mut self, cx: &Cx<'_>, call: &ast::CallExpr, message: &str, hint: &str) -> Option<Probe> {
        let place = self.at(cx, call);
        self.error_hint(Code::BadExpect, place, message, hint);
        None
    }
}
