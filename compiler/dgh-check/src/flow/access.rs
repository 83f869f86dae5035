//! What can be there or missing: a name, a dotted built-in, or a field of one; each with a bit.

use std::collections::HashMap;

use dgh_ir::arena::Id;
use dgh_ir::{Arena, Builtin, Expr, ExprKind, Kind, Param, Program, Slot, SlotId, Type};

/// The names that are in scope at a place.
#[derive(Clone, Copy)]
pub(crate) enum Names<'a> {
    /// Those of a dialogue.
    Slots(&'a Arena<SlotId, Slot>),
    /// The parameters of a tool.
    Params(&'a [Param]),
}

impl<'a> Names<'a> {
    /// Name and declared type.
    pub(crate) fn get(self, id: SlotId) -> Option<(&'a str, &'a Type)> {
        match self {
            Self::Slots(slots) => slots.get(id).map(|s| (s.name.as_str(), &s.ty)),
            Self::Params(params) => params.get(id.index()).map(|p| (p.name.as_str(), &p.ty)),
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Slots(slots) => slots.len(),
            Self::Params(params) => params.len(),
        }
    }
}

/// Where an access path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Base {
    /// A name.
    Slot(SlotId),
    /// A dotted built-in.
    Builtin(Builtin),
}

/// `desk.owner.phone`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Access {
    /// Where it begins.
    pub(crate) base: Base,
    /// The fields, joined by dots; empty for the base alone.
    pub(crate) fields: String,
}

impl Access {
    /// The path that an expression is, if it is one. Looks through `x?` and `reveal(x)`.
    pub(crate) fn of(expr: &Expr) -> Option<Self> {
        match &expr.kind {
            ExprKind::Slot(id) => Some(Self { base: Base::Slot(*id), fields: String::new() }),
            ExprKind::Builtin(builtin) => Some(Self { base: Base::Builtin(*builtin), fields: String::new() }),
            ExprKind::Field(inner, name) => {
                let mut access = Self::of(inner)?;
                if !access.fields.is_empty() {
                    access.fields.push('.');
                }
                access.fields.push_str(name);
                Some(access)
            }
            ExprKind::Maybe(inner) | ExprKind::Reveal(inner) => Self::of(inner),
            _ => None,
        }
    }
}

/// The bits of a dialogue: one for each slot, then one for each other path that may be missing.
pub(crate) struct Bits<'a> {
    program: &'a Program,
    names: Names<'a>,
    others: HashMap<Access, usize>,
    inside: HashMap<SlotId, Vec<usize>>,
    labels: Vec<String>,
}

impl<'a> Bits<'a> {
    /// Bits for these names alone.
    pub(crate) fn new(program: &'a Program, names: Names<'a>) -> Self {
        let labels = (0..names.len())
            .map(|i| names.get(SlotId::from_index(i)).map_or(String::new(), |(n, _)| n.into()))
            .collect();
        Self { program, names, others: HashMap::new(), inside: HashMap::new(), labels }
    }

    /// Gives a bit to each path in an expression that may be missing.
    pub(crate) fn add(&mut self, expr: &Expr) {
        expr.walk(&mut |e| {
            if !matches!(e.kind, ExprKind::Field(..) | ExprKind::Builtin(_)) || !self.may_miss(e) {
                return;
            }
            let Some(access) = Access::of(e) else { return };
            if self.others.contains_key(&access) {
                return;
            }
            let bit = self.labels.len();
            let name = match access.base {
                Base::Slot(id) => {
                    self.inside.entry(id).or_default().push(bit);
                    self.names.get(id).map_or("?", |(n, _)| n)
                }
                Base::Builtin(builtin) => builtin.name(),
            };
            let dot = if access.fields.is_empty() { "" } else { "." };
            self.labels.push(format!("{name}{dot}{}", access.fields));
            self.others.insert(access, bit);
        });
    }

    /// How many bits there are.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// How the path of a bit reads.
    pub(crate) fn label(&self, bit: usize) -> &str {
        self.labels.get(bit).map_or("?", String::as_str)
    }

    /// The slot of a bit, unless the bit is that of another path.
    pub(crate) fn slot(&self, bit: usize) -> Option<SlotId> {
        (bit < self.names.len()).then(|| SlotId::from_index(bit))
    }

    /// The bits of paths inside a slot.
    pub(crate) fn inside(&self, slot: SlotId) -> &[usize] {
        self.inside.get(&slot).map_or(&[], Vec::as_slice)
    }

    /// Bits of the paths other than slots.
    pub(crate) fn others(&self) -> impl Iterator<Item = usize> {
        self.names.len()..self.labels.len()
    }

    /// The bit of the path that an expression is.
    pub(crate) fn bit(&self, expr: &Expr) -> Option<usize> {
        let access = Access::of(expr)?;
        match access.base {
            Base::Slot(id) if access.fields.is_empty() => (id.index() < self.names.len()).then(|| id.index()),
            _ => self.others.get(&access).copied(),
        }
    }

    /// The bits that are surely there when this path is: its own and those it leads through.
    pub(crate) fn bits_through(&self, expr: &Expr) -> Vec<usize> {
        let mut bits = Vec::new();
        let mut at = expr;
        loop {
            match &at.kind {
                ExprKind::Maybe(inner) | ExprKind::Reveal(inner) => at = inner,
                ExprKind::Field(inner, _) => {
                    bits.extend(self.bit(at));
                    at = inner;
                }
                ExprKind::Slot(_) | ExprKind::Builtin(_) => {
                    bits.extend(self.bit(at));
                    return bits;
                }
                _ => return Vec::new(),
            }
        }
    }

    /// Whether a read of a path needs it to be there: a name that is not `T?` always does, another
    /// path when it is declared `T?` and read as `T`.
    pub(crate) fn is_needed(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Slot(id) => {
                self.names.get(*id).is_some_and(|(_, ty)| !ty.optional || !expr.ty.optional)
            }
            ExprKind::Field(..) | ExprKind::Builtin(_) => !expr.ty.optional && self.may_miss(expr),
            _ => false,
        }
    }

    /// Whether a slot is declared `T?`.
    pub(crate) fn is_optional(&self, slot: SlotId) -> bool {
        self.names.get(slot).is_some_and(|(_, ty)| ty.optional)
    }

    /// Whether a path may be missing by its type.
    pub(crate) fn may_miss(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Slot(id) => self.names.get(*id).is_some_and(|(_, ty)| ty.optional),
            ExprKind::Builtin(builtin) => {
                matches!(builtin, Builtin::CallerPhone | Builtin::CallOutcome | Builtin::CallSummary)
            }
            ExprKind::Field(base, name) => match &base.ty.kind {
                Kind::Record(id) => self
                    .program
                    .records
                    .get(*id)
                    .is_some_and(|record| record.fields.iter().any(|f| f.name == *name && f.ty.optional)),
                Kind::List(_) => name == "first",
                Kind::Json => true,
                _ => false,
            },
            _ => false,
        }
    }
}
