//! Routes: who decides, and where they lead.

use dgh_diag::Span;
use dgh_ir::Event;
use dgh_ir::program::{Decider, NodeId, Route, Target, When};
use dgh_syntax::ast::{self, AstNode as _};

use super::body::Body;
use super::{Cx, Lower};

impl Lower<'_> {
    pub(crate) fn route(
        &mut self,
        cx: &Cx<'_>,
        body: &Body,
        from: Option<NodeId>,
        route: &ast::Route,
    ) -> Route {
        let origin = self.origin_of(cx.file, route_span(route), route);
        let decider = self.decider(cx, body, from, route);
        let block = self.steps(cx, body, route.block());
        let target = match route.target() {
            Some(target) => Some(self.target(cx, body, &target)),
            // An arrow that leads nowhere, or neither arrow nor steps: the parser reported it.
            None if route.arrow().is_some() || route.block().is_none() => Some(Target::Hole),
            None => None,
        };
        Route { from, decider, block, target, origin }
    }

    fn decider(&mut self, cx: &Cx<'_>, body: &Body, from: Option<NodeId>, route: &ast::Route) -> Decider {
        match route {
            ast::Route::When(when) => Decider::When(self.when(cx, when)),
            ast::Route::On(on) => Decider::On(match on.event() {
                Some(event) => self.event(cx, body, &event),
                None => Event::Hole,
            }),
            ast::Route::If(item) => {
                if from.is_none() {
                    return self.typed_in_anywhere(cx, route, "if");
                }
                Decider::If(match item.condition() {
                    Some(condition) => self.condition(cx, &condition),
                    None => dgh_ir::Expr::hole(self.origin(cx.file, item.span())),
                })
            }
            ast::Route::Else(_) if from.is_none() => self.typed_in_anywhere(cx, route, "else"),
            ast::Route::Else(_) => Decider::Else,
            ast::Route::Next(_) if from.is_none() => self.typed_in_anywhere(cx, route, "next"),
            ast::Route::Next(_) => Decider::Next,
        }
    }

    fn typed_in_anywhere(&mut self, cx: &Cx<'_>, route: &ast::Route, word: &str) -> Decider {
        let span = route.keyword().map_or_else(|| route.span(), |t| ast::token_span(&t));
        let place = self.place(cx.file, span);
        self.error_hint(
            dgh_diag::Code::Misplaced,
            place,
            format!("`{word}` stands in a node, not in `anywhere`"),
            "In `anywhere` stand `when` and `on`: an `if` is looked at when one certain node is done.",
        );
        Decider::On(Event::Hole)
    }

    fn when(&mut self, cx: &Cx<'_>, when: &ast::When) -> When {
        let like = self.sentences(cx, when.like().and_then(|l| l.list()));
        let unlike = self.sentences(cx, when.unlike().and_then(|l| l.list()));
        When {
            label: when.label().map(|n| n.text()).unwrap_or_default(),
            sentence: when.sentence().map(|s| self.template(cx, &s)).unwrap_or_default(),
            like,
            unlike,
            guard: when.guard().and_then(|g| g.condition()).map(|c| self.condition(cx, &c)),
        }
    }

    /// Examples: texts without values in them.
    fn sentences(&mut self, cx: &Cx<'_>, list: Option<ast::ListExpr>) -> Vec<String> {
        let mut found = Vec::new();
        for element in list.into_iter().flat_map(|l| l.elements()) {
            let text = match &element {
                ast::Expr::String(text) => text.plain_text(),
                _ => None,
            };
            match text {
                Some(text) => found.push(text),
                None => {
                    let place = self.at(cx, &element);
                    self.error_hint(
                        dgh_diag::Code::WrongType,
                        place,
                        "an example is a text in quotes, without `{{ }}`",
                        "Write what a caller would say: `like [\"sure\", \"go ahead\"]`.",
                    );
                }
            }
        }
        found
    }
}

/// The words of a route to point at.
fn route_span(route: &ast::Route) -> Span {
    let part = match route {
        ast::Route::When(when) => when.label().map(|l| l.span()),
        ast::Route::On(on) => on.event().map(|e| e.span()),
        ast::Route::If(item) => item.condition().map(|c| c.span()),
        ast::Route::Else(_) | ast::Route::Next(_) => None,
    };
    part.or_else(|| route.keyword().map(|t| ast::token_span(&t))).unwrap_or_else(|| route.span())
}
