//! The types of the language.

use crate::program::{EnumId, RecordId};
use crate::value::Currency;

/// A type: what the value is, whether it may be missing, whether it is private.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Type {
    /// What the value is.
    pub kind: Kind,
    /// `T?`: it may be missing.
    pub optional: bool,
    /// `private`: it may enter a sink only where that is written.
    pub private: bool,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `text`
    Text,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `number`
    Number,
    /// `money`, `money(USD)`
    Money(Option<Currency>),
    /// `date`, of the agent's time zone
    Date,
    /// `time`, of the agent's time zone
    Time,
    /// `datetime`, of the agent's time zone
    DateTime,
    /// `duration`
    Duration,
    /// `phone`, E.164
    Phone,
    /// `email`
    Email,
    /// `url`
    Url,
    /// `digits(n)`
    Digits(u32),
    /// `1..5`, both ends included
    IntRange(i64, i64),
    /// An `enum`.
    Enum(EnumId),
    /// A record `type`.
    Record(RecordId),
    /// `list<T>`
    List(Box<Type>),
    /// A range of ordered values, the right side of `in`; never the type of a variable.
    Range(Box<Kind>),
    /// `secret`: a reference to a secret; only parameters of the standard library have it.
    Secret,
    /// Any JSON value: what an MCP tool without an output schema answers, a body.
    Json,
    /// The type of `none`.
    Nothing,
    /// Unknown because of an error already reported; goes with everything.
    Hole,
}

impl Type {
    /// A plain type of this kind.
    pub fn of(kind: Kind) -> Self {
        Self { kind, optional: false, private: false }
    }

    /// The type of a hole.
    pub fn hole() -> Self {
        Self::of(Kind::Hole)
    }

    /// `T?`
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// `T` of a `T?`
    pub fn required(mut self) -> Self {
        self.optional = false;
        self
    }

    /// Whether it, or what a list of it holds, is private. Fields of records are left to
    /// [`crate::mask_json`], which masks them one by one.
    pub fn is_private(&self) -> bool {
        let mut ty = self;
        loop {
            match &ty.kind {
                _ if ty.private => return true,
                Kind::List(item) => ty = item,
                _ => return false,
            }
        }
    }

    /// With this label.
    pub fn with_private(mut self, private: bool) -> Self {
        self.private = private;
        self
    }
}
