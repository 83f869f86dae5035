//! Expressions: which kind it is, and where it is lowered.

use dgh_diag::{Code, Place};
use dgh_ir::MAX_EXPR_DEPTH;
use dgh_ir::{Expr, ExprKind, MatchArm, Type};
use dgh_syntax::ast::{self, AstNode as _};

use super::{Cx, Lower, Names};
use crate::names::Named;
use crate::types::{NotComparable, comparable, describe, join};

impl Lower<'_> {
    /// An expression. `want` is the type that its place expects, if any: it tells which enum a
    /// bare name is a case of and how a configuration value is read. It is not checked here; see
    /// [`Lower::value`].
    pub(crate) fn expr(&mut self, cx: &Cx<'_>, expr: &ast::Expr, want: Option<&Type>) -> Expr {
        if self.depth >= MAX_EXPR_DEPTH {
            let place = self.place(cx.file, expr.span());
            if !self.too_deep {
                self.too_deep = true;
                self.error_hint(
                    Code::TooDeep,
                    place,
                    "this expression is nested too deeply",
                    "Split it: `set` a part of it to a variable first.",
                );
            }
            return Expr::hole(self.report.origin(place));
        }
        self.depth += 1;
        let lowered = self.dispatch(cx, expr, want);
        self.depth -= 1;
        if self.depth == 0 {
            self.too_deep = false;
        }
        lowered
    }

    fn dispatch(&mut self, cx: &Cx<'_>, expr: &ast::Expr, want: Option<&Type>) -> Expr {
        match expr {
            ast::Expr::Literal(literal) => self.literal(cx, literal, want),
            ast::Expr::String(string) => self.string(cx, string),
            ast::Expr::Name(_) | ast::Expr::Field(_) => self.path(cx, expr, want),
            ast::Expr::Paren(paren) => match paren.inner() {
                Some(inner) => self.expr(cx, &inner, want),
                None => self.hole(cx, expr),
            },
            ast::Expr::List(list) => self.list(cx, list, want),
            ast::Expr::Record(record) => self.record(cx, record, want),
            ast::Expr::Match(item) => self.match_value(cx, item, want),
            ast::Expr::Call(call) => self.call_value(cx, call, want),
            ast::Expr::Maybe(maybe) => self.maybe(cx, maybe, want),
            ast::Expr::Prefix(prefix) => self.prefix(cx, prefix, want),
            ast::Expr::Binary(binary) => self.binary(cx, binary, want),
        }
    }

    /// A hole in place of an expression that the parser could not read.
    pub(crate) fn hole(&mut self, cx: &Cx<'_>, at: &ast::Expr) -> Expr {
        Expr::hole(self.origin(cx.file, at.span()))
    }

    pub(crate) fn at(&self, cx: &Cx<'_>, view: &impl ast::AstNode) -> Place {
        self.place(cx.file, view.span())
    }

    /// `x?`
    fn maybe(&mut self, cx: &Cx<'_>, maybe: &ast::MaybeExpr, want: Option<&Type>) -> Expr {
        let origin = self.origin(cx.file, maybe.span());
        let Some(base) = maybe.base() else { return Expr::hole(origin) };
        let inner = self.expr(cx, &base, want);
        let ty = inner.ty.clone().optional();
        Expr { kind: ExprKind::Maybe(Box::new(inner)), ty, origin }
    }

    /// `name(…)` as a value: `reveal`, or in a test what only a test can ask.
    fn call_value(&mut self, cx: &Cx<'_>, call: &ast::CallExpr, want: Option<&Type>) -> Expr {
        let origin = self.origin(cx.file, call.span());
        let name = match call.callee() {
            Some(ast::Expr::Name(name)) => name.name().map(|n| n.text()).unwrap_or_default(),
            Some(other) => {
                let place = self.at(cx, &other);
                self.error_hint(
                    Code::NotCallable,
                    place,
                    "this cannot be called in an expression",
                    self.call_hint(cx, ""),
                );
                return Expr::hole(origin);
            }
            None => return Expr::hole(origin),
        };
        if name == "reveal" {
            return self.reveal(cx, call, want);
        }
        if let Names::Test(body) = cx.names
            && let Some(probe) = self.probe(cx, body, &name, call)
        {
            return probe;
        }
        let place = call.callee().map_or_else(|| self.at(cx, call), |c| self.at(cx, &c));
        let what = self.scope(cx.file).and_then(|s| s.peek(&name)).map(|n| format!(", it is {}", n.what()));
        let hint = self.call_hint(cx, &name);
        self.error_hint(
            Code::NotCallable,
            place,
            format!("`{name}` cannot be called in an expression{}", what.unwrap_or_default()),
            hint,
        );
        Expr::hole(origin)
    }

    fn call_hint(&self, cx: &Cx<'_>, name: &str) -> String {
        match self.scope(cx.file).and_then(|s| s.get(name)) {
            Some(Named::Flow(_)) => format!("A flow is run by a step: `run {name}(…) as x`."),
            Some(Named::Tool(_) | Named::Mcp(_)) => format!("A tool is called by a step, and its answer read from the name it gets: `call {name}(…) as x`."),
            _ => match name {
                "visited" | "said" | "sent" | "called" | "searched" => "Only an `expect` of a test can ask this.".to_owned(),
                _ => "An expression can only call `reveal(x)`. Tools are called by a step: `call tool(…) as x`.".to_owned(),
            },
        }
    }

    fn reveal(&mut self, cx: &Cx<'_>, call: &ast::CallExpr, want: Option<&Type>) -> Expr {
        let origin = self.origin(cx.file, call.span());
        let args: Vec<ast::Arg> = call.args().into_iter().flat_map(|a| a.args()).collect();
        let value = match args.as_slice() {
            [one] if one.name().is_none() => one.value(),
            _ => {
                let place = self.at(cx, call);
                self.error(Code::MissingArgument, place, "`reveal` takes one value: `reveal(balance)`");
                return Expr::hole(origin);
            }
        };
        let Some(value) = value else { return Expr::hole(origin) };
        let inner = self.expr(cx, &value, want);
        let ty = inner.ty.clone().with_private(false);
        Expr { kind: ExprKind::Reveal(Box::new(inner)), ty, origin }
    }

    /// `match x { case -> value, else -> value }`
    fn match_value(&mut self, cx: &Cx<'_>, item: &ast::MatchExpr, want: Option<&Type>) -> Expr {
        let origin = self.origin(cx.file, item.span());
        let Some(subject) = item.subject() else { return Expr::hole(origin) };
        let subject_place = self.at(cx, &subject);
        let subject = self.expr(cx, &subject, None);
        let mut arms = Vec::new();
        let mut otherwise = None;
        let mut ty: Option<Type> = None;
        let mut private = subject.ty.private;
        for arm in item.arms() {
            let value = match arm.value() {
                Some(value) => match want {
                    Some(want) => self.value(cx, &value, want, "this arm"),
                    None => self.expr(cx, &value, ty.as_ref()),
                },
                None => Expr::hole(self.origin(cx.file, arm.span())),
            };
            private |= value.ty.private;
            ty = Some(self.join_arm(ty, &value));
            if arm.otherwise().is_some() {
                otherwise = Some(Box::new(value));
                continue;
            }
            let Some(case) = arm.case() else { continue };
            let pattern = self.expr(cx, &case, Some(&subject.ty));
            self.check_pattern(&subject, &pattern);
            private |= pattern.ty.private;
            arms.push(MatchArm { pattern, value });
        }
        if otherwise.is_none() && !item.has_errors() {
            self.check_all_cases(&subject, &arms, subject_place);
        }
        let ty = ty.unwrap_or_else(Type::hole).with_private(private);
        Expr { kind: ExprKind::Match { subject: Box::new(subject), arms, otherwise }, ty, origin }
    }

    fn join_arm(&mut self, so_far: Option<Type>, value: &Expr) -> Type {
        let Some(ty) = so_far else { return value.ty.clone() };
        if let Some(joined) = join(&ty, &value.ty) {
            return joined;
        }
        let place = self.report.place(value.origin);
        let (first, this) = (describe(&self.program, &ty.kind), describe(&self.program, &value.ty.kind));
        self.error_hint(
            Code::WrongType,
            place,
            format!("this arm gives {this}, an earlier one {first}"),
            "All arms of a `match` give a value of one type.",
        );
        Type::hole()
    }

    fn check_pattern(&mut self, subject: &Expr, pattern: &Expr) {
        if let Err(why) = comparable(&subject.ty.kind, &pattern.ty.kind, false) {
            let (a, b) =
                (describe(&self.program, &subject.ty.kind), describe(&self.program, &pattern.ty.kind));
            let code = if why == NotComparable::Units { Code::MixedUnits } else { Code::NotComparable };
            let place = self.report.place(pattern.origin);
            self.error(code, place, format!("this is {b}, and what the `match` looks at is {a}"));
        }
    }

    fn check_all_cases(&mut self, subject: &Expr, arms: &[MatchArm], place: Place) {
        use dgh_ir::{Kind, Value};
        let has = |case: &str| {
            arms.iter().any(|a| matches!(&a.pattern.kind, ExprKind::Const(Value::Case(c)) if c == case))
        };
        let missing: Vec<String> = match &subject.ty.kind {
            Kind::Hole => return,
            Kind::Enum(id) => {
                let cases = self.program.enums.get(*id).map(|e| e.cases.clone()).unwrap_or_default();
                cases.into_iter().filter(|c| !has(c)).collect()
            }
            Kind::Bool => {
                let has = |b: bool| arms.iter().any(|a| a.pattern.kind == ExprKind::Const(Value::Bool(b)));
                [true, false].into_iter().filter(|b| !has(*b)).map(|b| b.to_string()).collect()
            }
            _ => {
                self.error_hint(
                    Code::MissingElse,
                    place,
                    "this `match` does not say what holds otherwise",
                    "Add an arm `else -> …`.",
                );
                return;
            }
        };
        if !missing.is_empty() {
            let names = dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(&missing));
            self.error_hint(
                Code::MissingElse,
                place,
                format!("this `match` has no arm for {names}"),
                "Add an arm for each, or an arm `else -> …`.",
            );
        } else if subject.ty.optional && !arms.iter().any(|a| a.pattern.ty.kind == Kind::Nothing) {
            self.error_hint(
                Code::MissingElse,
                place,
                "this `match` has no arm for a missing value",
                "Add an arm `none -> …` or `else -> …`.",
            );
        }
    }
}
