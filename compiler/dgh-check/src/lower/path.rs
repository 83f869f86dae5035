//! Names and dotted names as values: cases, slots, constants, what is always there, fields.

use dgh_diag::{Code, Place};
use dgh_ir::program::{AgentId, DialogueId, EnumId, SlotKind};
use dgh_ir::{Builtin, Expr, ExprKind, Kind, Origin, Type, Value};
use dgh_syntax::ast::{self, AstNode as _};

use super::body::Body;
use super::{Cx, Lower, Names};
use crate::names::Named;
use crate::types::describe;

/// The first words of the dotted built-in names.
const ROOTS: &[&str] = &["env", "secret", "recording", "caller", "call"];

/// Fields that the language reads off a value itself, with the names that people try first.
const LIST_FIELDS: &[&str] = &["count", "first", "empty"];

impl Lower<'_> {
    /// A name, or something with fields.
    pub(crate) fn path(&mut self, cx: &Cx<'_>, expr: &ast::Expr, want: Option<&Type>) -> Expr {
        match expr {
            ast::Expr::Name(name) => match name.name() {
                Some(name) => self.name(cx, &name, want),
                None => self.hole(cx, expr),
            },
            ast::Expr::Field(field) => {
                if let Some(builtin) = self.dotted(cx, field, want) {
                    return builtin;
                }
                let Some(base) = field.base() else { return self.hole(cx, expr) };
                let base = self.expr(cx, &base, None);
                match field.field() {
                    Some(name) => self.field(cx, base, &name),
                    None => self.hole(cx, expr),
                }
            }
            other => self.expr(cx, other, want),
        }
    }

    /// A bare name: a case of the expected enum, what the scope has, what is always there.
    fn name(&mut self, cx: &Cx<'_>, name: &ast::NameRef, want: Option<&Type>) -> Expr {
        let text = name.text();
        let place = self.place(cx.file, name.span());
        let origin = self.report.origin(place);
        if let Some(Kind::Enum(id)) = want.map(|w| &w.kind)
            && (self.program.enums.get(*id).is_some_and(|e| e.cases.contains(&text))
                || self.is_outcome_after(cx, *id, &text))
        {
            if let Some(scope) = self.scope(cx.file) {
                scope.use_enum(*id);
            }
            return Expr { kind: ExprKind::Const(Value::Case(text)), ty: Type::of(Kind::Enum(*id)), origin };
        }
        if let Some(found) = self.scoped(cx, &text, place, origin) {
            return found;
        }
        if text == "now" {
            return Expr { kind: ExprKind::Builtin(Builtin::Now), ty: Type::of(Kind::DateTime), origin };
        }
        // Where the type that is expected did not resolve, it may be a case of it.
        if want.is_some_and(|w| w.kind == Kind::Hole) {
            self.mentioned.borrow_mut().insert(text);
        } else {
            self.unknown_value(cx, &text, place, want);
        }
        Expr::hole(origin)
    }

    /// Whether a test asks for an outcome of an agent that the call is handed to.
    fn is_outcome_after(&self, cx: &Cx<'_>, outcomes: EnumId, name: &str) -> bool {
        matches!(cx.names, Names::Test(body) if body.outcome_enum == Some(outcomes))
            && self.after_hand_over().any(|(_, body)| body.outcomes.contains_key(name))
    }

    /// The agents that the call of a test may be handed to.
    pub(crate) fn after_hand_over(&self) -> impl Iterator<Item = (AgentId, &Body)> {
        self.test_agents.iter().filter_map(|id| Some((*id, self.bodies.get(&DialogueId::Agent(*id))?)))
    }

    /// What the scope of a place has under a name.
    fn scoped(&mut self, cx: &Cx<'_>, name: &str, place: Place, origin: Origin) -> Option<Expr> {
        match cx.names {
            Names::Body(body) | Names::Test(body) => {
                if let Some((id, slot)) = body.slot(name) {
                    return Some(Expr { kind: ExprKind::Slot(id), ty: slot.ty.clone(), origin });
                }
            }
            Names::Params(params) => {
                if let Some((index, param)) = params.iter().enumerate().find(|(_, p)| p.name == name) {
                    let id = dgh_ir::program::SlotId(u32::try_from(index).unwrap_or(u32::MAX));
                    return Some(Expr { kind: ExprKind::Slot(id), ty: param.ty.clone(), origin });
                }
            }
            Names::Setting(body) => {
                if body.slot(name).is_some() {
                    self.error_hint(
                        Code::Misplaced,
                        place,
                        format!("`{name}` is not known yet when settings are read"),
                        "Settings are the same for every call. Use a constant or `env.NAME`.",
                    );
                    return Some(Expr::hole(origin));
                }
            }
            Names::Fixed => {}
        }
        if let Names::Test(body) = cx.names
            && let Some(probe) = self.bare_probe(body, name, origin)
        {
            return Some(probe);
        }
        match self.scope(cx.file)?.get(name)? {
            Named::Const(index) => Some(self.constant(index, origin)),
            Named::Phrase(id) => Some(Expr { kind: ExprKind::Phrase(id), ty: Type::of(Kind::Text), origin }),
            Named::Hole => Some(Expr::hole(origin)),
            other => {
                let hint = match other {
                    Named::Enum(_) => "Write the case alone, without the name of the enum.".to_owned(),
                    Named::Tool(_) => format!(
                        "Call it in a step, and read its answer from the name it gets: `call {name}(…) as x`."
                    ),
                    Named::Flow(_) => format!("Run it in a step: `run {name}(…) as x`."),
                    Named::Knowledge(_) => format!("A node lets the model search it: `use {name}`."),
                    _ => "A value is a variable, an input, a constant or a literal.".to_owned(),
                };
                self.error_hint(
                    Code::WrongType,
                    place,
                    format!("`{name}` is {}, not a value", other.what()),
                    hint,
                );
                Some(Expr::hole(origin))
            }
        }
    }

    /// Whether a bare name has a meaning without an expected enum.
    pub(crate) fn is_value_name(&self, cx: &Cx<'_>, name: &str) -> bool {
        let in_place = match cx.names {
            Names::Body(body) | Names::Test(body) | Names::Setting(body) => body.slot(name).is_some(),
            Names::Params(params) => params.iter().any(|p| p.name == name),
            Names::Fixed => false,
        };
        in_place
            || name == "now"
            || (matches!(cx.names, Names::Test(_)) && super::probe::BARE.contains(&name))
            || self.scope(cx.file).and_then(|s| s.peek(name)).is_some()
    }

    fn unknown_value(&mut self, cx: &Cx<'_>, name: &str, place: Place, want: Option<&Type>) {
        let outcomes = cx.dialogue().and_then(|b| b.outcome_enum).map(Kind::Enum);
        let told = want.is_some_and(|w| Some(&w.kind) == outcomes.as_ref())
            && matches!(cx.dialogue().map(|b| b.id), Some(DialogueId::Agent(id)) if self.without_outcomes.contains(&id));
        if self.is_lost(cx.file, name) || told {
            return;
        }
        let mut known = cx.value_names();
        let finding = if let Some(Kind::Enum(id)) = want.map(|w| &w.kind)
            && let Some(def) = self.program.enums.get(*id)
        {
            let cases: Vec<&str> = def.cases.iter().map(String::as_str).collect();
            let of = describe(&self.program, &Kind::Enum(*id));
            let near_value = dgh_diag::suggest::closest(name, known.iter().copied());
            let near_case = dgh_diag::suggest::closest(name, cases.iter().copied());
            let candidates = if near_case.is_none() && near_value.is_some() { &known } else { &cases };
            self.unknown(Code::UnknownCase, place, format!("`{name}` is not {of}"), name, candidates)
        } else {
            if let Some(scope) = self.scope(cx.file) {
                known.extend(scope.names_of(|n| matches!(n, Named::Const(_) | Named::Phrase(_))));
            }
            let meant = dgh_diag::suggest::closest(name, known.iter().copied());
            let phrase =
                |n: &str| matches!(self.scope(cx.file).and_then(|s| s.peek(n)), Some(Named::Phrase(_)));
            let (code, what) = match meant {
                Some(meant) if phrase(meant) => (Code::UnknownPhrase, format!("there is no phrase `{name}`")),
                _ => (Code::UnknownName, format!("there is no `{name}` here")),
            };
            let finding = self.unknown(code, place, what, name, &known);
            match self.unknown_hint(cx, name) {
                Some(hint) if finding.fixes.is_empty() => finding.with_hint(hint),
                _ => finding,
            }
        };
        self.report.push(finding);
    }

    fn unknown_hint(&self, cx: &Cx<'_>, name: &str) -> Option<String> {
        if ROOTS.contains(&name) {
            return Some(format!("`{name}` is read with a dot: `{name}.{}`.", example(name)));
        }
        if name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
            return Some(format!(
                "A configuration value is read as `env.{name}`, a constant is declared with `const`."
            ));
        }
        let owner = self.program.enums.iter().find(|(_, e)| e.cases.iter().any(|c| c == name));
        if let Some((_, owner)) = owner {
            let owner = &owner.name;
            return Some(format!(
                "`{name}` is a case of `{owner}`, and stands only where a `{owner}` is expected."
            ));
        }
        if let Names::Body(_) = cx.names {
            return Some(format!(
                "Declare it, with `var {name}: …` for what is learned in the call or `input {name}: …` for \
                 what is given before."
            ));
        }
        if let Names::Params(_) = cx.names {
            return Some("A tool sees only its parameters and `env.NAME`. Add a parameter, and hand the value over in the `call`.".to_owned());
        }
        None
    }

    /// `env.NAME`, `caller.phone` and their like, unless the scope has the first word.
    fn dotted(&mut self, cx: &Cx<'_>, field: &ast::FieldExpr, want: Option<&Type>) -> Option<Expr> {
        let ast::Expr::Name(root) = field.base()? else { return None };
        let root = root.name()?;
        let word = root.text();
        if !ROOTS.contains(&word.as_str()) || self.is_value_name(cx, &word) {
            return None;
        }
        let name = field.field()?;
        let place = self.place(cx.file, field.span());
        let origin = self.report.origin(place);
        let name_place = self.place(cx.file, name.span());
        let text = name.text();
        Some(match word.as_str() {
            "env" => self.env_value(&text, name_place, origin, want),
            "secret" => self.secret_value(cx, &text, place, name_place, origin),
            "recording" => self.recording_value(&text, name_place, origin),
            _ => self.builtin(cx, &word, &text, name_place, origin),
        })
    }

    fn builtin(&mut self, cx: &Cx<'_>, root: &str, name: &str, place: Place, origin: Origin) -> Expr {
        let full = format!("{root}.{name}");
        let Some(builtin) = Builtin::parse(&full) else {
            let known: Vec<&str> =
                Builtin::ALL.iter().filter_map(|b| b.name().strip_prefix(root)?.strip_prefix('.')).collect();
            let finding =
                self.unknown(Code::UnknownField, place, format!("there is no `{full}`"), name, &known);
            self.report.push(finding);
            return Expr::hole(origin);
        };
        match self.builtin_type(cx, builtin) {
            Some(ty) => Expr { kind: ExprKind::Builtin(builtin), ty, origin },
            None => {
                self.error_hint(
                    Code::Misplaced,
                    place,
                    format!("`{full}` is not known here"),
                    "Outcomes belong to an agent. A flow says how it went with what it returns.",
                );
                Expr::hole(origin)
            }
        }
    }

    fn builtin_type(&self, cx: &Cx<'_>, builtin: Builtin) -> Option<Type> {
        Some(match builtin {
            Builtin::Now => Type::of(Kind::DateTime),
            Builtin::CallerPhone => Type::of(Kind::Phone).optional(),
            Builtin::CallerLanguage | Builtin::CallId => Type::of(Kind::Text),
            Builtin::CallOutcome => Type::of(Kind::Enum(cx.dialogue()?.outcome_enum?)).optional(),
            Builtin::CallEndedBy => Type::of(Kind::Enum(self.call_enums.ended_by)),
            Builtin::CallDuration => Type::of(Kind::Duration),
            Builtin::CallAnsweredBy => Type::of(Kind::Enum(self.call_enums.answered_by)),
            Builtin::CallTranscriptUrl | Builtin::CallRecordingUrl => Type::of(Kind::Url).optional(),
            Builtin::CallSummary => Type::of(Kind::Text).optional(),
        })
    }

    /// `base.name`
    pub(crate) fn field(&mut self, cx: &Cx<'_>, base: Expr, name: &ast::NameRef) -> Expr {
        let text = name.text();
        let place = self.place(cx.file, name.span());
        let base_place = self.report.place(base.origin);
        let origin = self.report.origin(Place { span: base_place.span.cover(place.span), ..place });
        let mut base = base;
        if base.ty.optional && !require(&mut base) {
            let hint = format!("Say what holds when it is missing: `(… ?? …).{text}`.");
            self.error_hint(
                Code::MaybeMissing,
                base_place,
                "this may be missing, and has no fields then",
                hint,
            );
        }
        let Some(ty) = self.field_type(&base.ty, &text, place) else { return Expr::hole(origin) };
        let private = ty.private || base.ty.private;
        Expr { ty: ty.with_private(private), kind: ExprKind::Field(Box::new(base), text), origin }
    }

    fn field_type(&mut self, base: &Type, name: &str, place: Place) -> Option<Type> {
        let known: Vec<&str> = match &base.kind {
            Kind::Hole => return None,
            Kind::Json => return Some(Type::of(Kind::Json).optional()),
            Kind::Record(id) => {
                let record = self.program.records.get(*id)?;
                if let Some(field) = record.fields.iter().find(|f| f.name == name) {
                    return Some(field.ty.clone());
                }
                record.fields.iter().map(|f| f.name.as_str()).collect()
            }
            Kind::List(item) => match name {
                "count" => return Some(Type::of(Kind::Int)),
                "empty" => return Some(Type::of(Kind::Bool)),
                "first" => return Some(item.as_ref().clone().optional()),
                _ => LIST_FIELDS.to_vec(),
            },
            Kind::DateTime => match name {
                "date" => return Some(Type::of(Kind::Date)),
                "time" => return Some(Type::of(Kind::Time)),
                _ => vec!["date", "time"],
            },
            _ => Vec::new(),
        };
        if self.files.iter().any(|f| f.lost.contains(name)) {
            return None;
        }
        let what = describe(&self.program, &base.kind);
        let meant = match name {
            "length" | "len" | "size" | "number" if known.contains(&"count") => "count",
            "is_empty" | "isEmpty" if known.contains(&"empty") => "empty",
            other => other,
        };
        let mut finding =
            self.unknown(Code::UnknownField, place, format!("{what} has no `{name}`"), meant, &known);
        if let (Kind::List(_), true) = (&base.kind, finding.fixes.is_empty()) {
            finding = finding
                .with_hint("A list has `count`, `first` and `empty`; `first` has the fields of its entries.");
        } else if known.is_empty() {
            finding = finding.with_hint(format!(
                "Only records, lists and dates with a time have parts, and this is {what}."
            ));
        }
        self.report.push(finding);
        None
    }

    /// Whether a condition may ask for it: a `T?`, or a name that may still be unset. A field that
    /// is no `T?` is as much there as its record.
    pub(crate) fn may_be_asked(&self, cx: &Cx<'_>, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Field(base, _) if !matches!(base.ty.kind, Kind::Hole | Kind::Json) => {
                let mut at = base.as_ref();
                let mut optional = expr.ty.optional;
                // A record on the way that may be missing can be asked for with its field.
                while let ExprKind::Field(..) | ExprKind::Slot(_) | ExprKind::Builtin(_) = &at.kind {
                    optional |= self.is_declared_optional(cx, at);
                    let ExprKind::Field(inner, _) = &at.kind else { break };
                    at = inner;
                }
                optional || matches!(at.ty.kind, Kind::Hole | Kind::Json)
            }
            _ => self.may_miss(cx, expr),
        }
    }

    fn is_declared_optional(&self, cx: &Cx<'_>, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Slot(id) => match cx.names {
                Names::Body(body) | Names::Test(body) | Names::Setting(body) => {
                    body.slots.get(*id).is_none_or(|s| s.ty.optional)
                }
                Names::Params(params) => params.get(id.0 as usize).is_none_or(|p| p.ty.optional),
                Names::Fixed => true,
            },
            ExprKind::Builtin(name) => self.builtin_type(cx, *name).is_none_or(|t| t.optional),
            ExprKind::Field(base, name) => self.is_optional_field(&base.ty.kind, name),
            _ => expr.ty.optional,
        }
    }

    fn is_optional_field(&self, of: &Kind, name: &str) -> bool {
        match of {
            Kind::Record(id) => self
                .program
                .records
                .get(*id)
                .is_none_or(|r| r.fields.iter().any(|f| f.name == name && f.ty.optional)),
            _ => name == "first",
        }
    }

    /// Whether a value may be missing, or its name unset.
    pub(crate) fn may_miss(&self, cx: &Cx<'_>, expr: &Expr) -> bool {
        if expr.ty.optional || matches!(expr.ty.kind, Kind::Hole | Kind::Json) {
            return true;
        }
        match &expr.kind {
            ExprKind::Hole => true,
            ExprKind::Slot(id) => match cx.names {
                Names::Body(body) => {
                    body.slots.get(*id).is_none_or(|s| s.kind != SlotKind::Input || s.ty.optional)
                }
                Names::Params(params) => params.get(id.0 as usize).is_none_or(|p| p.ty.optional),
                Names::Test(_) | Names::Fixed | Names::Setting(_) => true,
            },
            ExprKind::Builtin(name) => self.builtin_type(cx, *name).is_none_or(|t| t.optional),
            ExprKind::Field(base, name) => {
                self.is_optional_field(&base.ty.kind, name) || self.may_miss(cx, base)
            }
            ExprKind::Maybe(inner) | ExprKind::Reveal(inner) => self.may_miss(cx, inner),
            _ => false,
        }
    }
}

/// Says that the value of a name is needed: whether it is there depends on the way to the place,
/// which the analysis of paths knows. False for what is no name.
pub(crate) fn require(expr: &mut Expr) -> bool {
    let is_name = match &mut expr.kind {
        // `a ?? b` is there where b is.
        ExprKind::Coalesce(_, otherwise) => require(otherwise),
        _ => is_access_path(expr),
    };
    if is_name {
        expr.ty.optional = false;
    }
    is_name
}

/// A slot, a dotted built-in, or fields of one.
pub(crate) fn is_access_path(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Slot(_) | ExprKind::Builtin(_) => true,
        ExprKind::Field(base, _) => is_access_path(base),
        ExprKind::Reveal(inner) => is_access_path(inner),
        _ => false,
    }
}

fn example(root: &str) -> &'static str {
    match root {
        "caller" => "phone",
        "call" => "outcome",
        "recording" => "welcome",
        _ => "NAME",
    }
}
