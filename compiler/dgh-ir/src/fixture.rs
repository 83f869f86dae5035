//! A small program and world, built by hand, for the tests of this crate.

use std::borrow::Cow;

use chrono::NaiveDateTime;
use indexmap::IndexMap;
use rust_decimal::Decimal;

use crate::*;

/// A world of named values.
pub(crate) struct World {
    pub slots: Vec<(&'static str, Option<Value>)>,
    pub now: NaiveDateTime,
    pub language: &'static str,
}

impl World {
    pub(crate) fn new(slots: &[(&'static str, Option<Value>)]) -> Self {
        Self { slots: slots.to_vec(), now: at("2026-03-02T10:00"), language: "en" }
    }
}

impl Scope for World {
    fn slot(&self, id: SlotId) -> Option<&Value> {
        self.slots.get(id.0 as usize)?.1.as_ref()
    }
    fn slot_name(&self, id: SlotId) -> &str {
        self.slots.get(id.0 as usize).map_or("?", |slot| slot.0)
    }
    fn builtin(&self, name: Builtin) -> Value {
        match name {
            Builtin::Now => Value::DateTime(self.now),
            Builtin::CallId => Value::Text("c1".into()),
            _ => Value::None,
        }
    }
    fn env(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "API" => Some("https://api.example.com".into()),
            "LIMIT" => Some("25".into()),
            _ => None,
        }
    }
    fn language(&self) -> &str {
        self.language
    }
}

pub(crate) fn at(text: &str) -> NaiveDateTime {
    shape::datetime(text, &Locale::default()).unwrap()
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub(crate) fn usd(amount: &str) -> Value {
    Value::Money(dec(amount), Currency(*b"USD"))
}

pub(crate) fn eur(amount: &str) -> Value {
    Value::Money(dec(amount), Currency(*b"EUR"))
}

pub(crate) fn dec(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(crate) fn record(fields: &[(&str, Value)]) -> Value {
    Value::Record(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

pub(crate) fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, origin: Origin::NONE }
}

/// A literal of the type that its value has.
pub(crate) fn lit(value: Value) -> Expr {
    let kind = match &value {
        Value::None => Kind::Nothing,
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) => Kind::Int,
        Value::Number(_) => Kind::Number,
        Value::Text(_) => Kind::Text,
        Value::Money(..) => Kind::Money(None),
        Value::Date(_) => Kind::Date,
        Value::Time(_) => Kind::Time,
        Value::DateTime(_) => Kind::DateTime,
        Value::Duration(_) => Kind::Duration,
        Value::Case(_) => Kind::Enum(EnumId(0)),
        Value::Record(_) | Value::List(_) => Kind::Json,
    };
    expr(ExprKind::Const(value), Type::of(kind))
}

pub(crate) fn slot(id: u32, ty: Type) -> Expr {
    expr(ExprKind::Slot(SlotId(id)), ty)
}

pub(crate) fn reveal(x: Expr) -> Expr {
    let ty = x.ty.clone().with_private(false);
    expr(ExprKind::Reveal(Box::new(x)), ty)
}

pub(crate) fn field(x: Expr, name: &str, ty: Type) -> Expr {
    expr(ExprKind::Field(Box::new(x), name.into()), ty)
}

pub(crate) fn cmp(op: CmpOp, a: Expr, b: Expr) -> Expr {
    expr(ExprKind::Cmp(op, Box::new(a), Box::new(b)), Type::of(Kind::Bool))
}

pub(crate) fn math(op: MathOp, a: Expr, b: Expr) -> Expr {
    expr(ExprKind::Math(op, Box::new(a), Box::new(b)), Type::hole())
}

pub(crate) fn within(x: Expr, from: Expr, to: Expr) -> Expr {
    let range = expr(ExprKind::Range(Box::new(from), Box::new(to)), Type::hole());
    expr(ExprKind::In(Box::new(x), Box::new(range)), Type::of(Kind::Bool))
}

/// A text of fixed parts (`Ok`) and values (`Err`).
pub(crate) fn template(parts: Vec<Result<&str, (Expr, Option<Format>)>>) -> Template {
    let parts = parts.into_iter().map(|part| match part {
        Ok(text) => Part::Text(text.into()),
        Err((expr, format)) => Part::Value { expr, format },
    });
    Template { parts: parts.collect() }
}

pub(crate) fn named(name: &str) -> Named {
    Named { name: name.into(), origin: Origin::NONE }
}

pub(crate) fn field_def(name: &str, ty: Type) -> FieldDef {
    FieldDef { name: name.into(), ty, about: None, origin: Origin::NONE }
}

pub(crate) fn slot_def(name: &str, ty: Type, kind: SlotKind) -> Slot {
    Slot { name: name.into(), ty, kind, about: None, default: None, origin: Origin::NONE }
}

pub(crate) fn step(kind: StepKind) -> Step {
    Step { kind, origin: Origin::NONE }
}

pub(crate) fn say(words: &str) -> Step {
    step(StepKind::Say {
        text: expr(ExprKind::Template(Template::text(words)), Type::of(Kind::Text)),
        uninterrupted: false,
    })
}

pub(crate) fn node(name: &str) -> Node {
    Node {
        name: name.into(),
        doc: None,
        prompt: None,
        alone: false,
        steps: Vec::new(),
        collect: None,
        note: Vec::new(),
        uses: Vec::new(),
        routes: Vec::new(),
        models: Models::default(),
        turn: IndexMap::new(),
        origin: Origin::NONE,
    }
}

/// Adds a route to a dialogue and to the node, or `anywhere`, that it stands in.
pub(crate) fn route(
    dialogue: &mut Dialogue,
    from: Option<NodeId>,
    decider: Decider,
    block: Vec<Step>,
    target: Option<Target>,
) {
    let id = dialogue.routes.push(Route { from, decider, block, target, origin: Origin::NONE });
    match from {
        Some(node) => dialogue.nodes[node].routes.push(id),
        None => dialogue.anywhere.push(id),
    }
}

/// Enum 0 `Reason`, record 0 `Slot` (with a private field `pin`).
pub(crate) fn types() -> Program {
    let mut program = Program { edition: 1, ..Program::default() };
    program.enums.push(EnumDef {
        name: "Reason".into(),
        doc: None,
        cases: vec!["checkup".into(), "root_canal".into()],
        origin: Origin::NONE,
    });
    program.records.push(RecordDef {
        name: "Slot".into(),
        doc: Some("A free appointment.".into()),
        fields: vec![
            field_def("id", Type::of(Kind::Text)),
            field_def("at", Type::of(Kind::DateTime)),
            field_def("room", Type::of(Kind::Int).optional()),
            field_def("pin", Type::of(Kind::Text).optional().with_private(true)),
        ],
        origin: Origin::NONE,
    });
    program
}
