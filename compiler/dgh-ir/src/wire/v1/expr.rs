//! Types, expressions and values on the wire.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{is_default, wire};
use crate::expr::{Builtin, CmpOp, Format, MathOp};

wire! {
    /// A type.
    pub struct Type {
        /// What the value is.
        pub kind: Kind,
        /// It may be missing.
        #[serde(default, skip_serializing_if = "is_default")]
        pub optional: bool,
        /// It is private.
        #[serde(default, skip_serializing_if = "is_default")]
        pub private: bool,
    }

    /// What a value is.
    #[allow(missing_docs, reason = "the words of the language")]
    pub enum Kind {
        Text,
        Bool,
        Int,
        Number,
        /// With the currency that it fixes.
        Money(Option<String>),
        Date,
        Time,
        Datetime,
        Duration,
        Phone,
        Email,
        Url,
        Digits(u32),
        /// `1..5`, both ends included.
        IntRange(i64, i64),
        Enum(String),
        Record(String),
        List(Box<Type>),
        Range(Box<Kind>),
        Secret,
        Json,
        Nothing,
        /// Did not compile.
        Hole,
    }

    /// An expression.
    pub struct Expr {
        /// What it is.
        pub op: Op,
        /// Its type.
        #[serde(rename = "type")]
        pub ty: Type,
    }

    /// What an expression is.
    #[allow(missing_docs, reason = "as in the language")]
    pub enum Op {
        Const(Value),
        Slot(String),
        Builtin(Builtin),
        Env(String),
        Secret(String),
        Recording(String),
        Phrase(String),
        Text(Text),
        /// Of what, and which.
        Field(Box<Expr>, String),
        Maybe(Box<Expr>),
        Coalesce(Box<Expr>, Box<Expr>),
        IsSet(Box<Expr>),
        And(Box<Expr>, Box<Expr>),
        Or(Box<Expr>, Box<Expr>),
        Not(Box<Expr>),
        Neg(Box<Expr>),
        Cmp(CmpOp, Box<Expr>, Box<Expr>),
        Math(MathOp, Box<Expr>, Box<Expr>),
        In(Box<Expr>, Box<Expr>),
        Range(Box<Expr>, Box<Expr>),
        List(Vec<Expr>),
        Record(Vec<(String, Expr)>),
        Match {
            subject: Box<Expr>,
            /// Pattern and value.
            arms: Vec<(Expr, Expr)>,
            #[serde(default, skip_serializing_if = "is_default")]
            otherwise: Option<Box<Expr>>,
        },
        Reveal(Box<Expr>),
        /// Did not compile.
        Hole,
    }

    /// A part of a text.
    pub enum Part {
        /// As it is.
        Text(String),
        /// `{{ expr as format }}`
        Value {
            /// What is filled in.
            expr: Expr,
            /// How.
            #[serde(default, skip_serializing_if = "is_default")]
            format: Option<Format>,
        },
    }

    /// A value. Numbers and amounts are texts, so that no reader rounds them.
    pub enum Value {
        /// Missing.
        None,
        /// `bool`
        Bool(bool),
        /// `int`
        Int(i64),
        /// `number`
        Number(String),
        /// `text` and its like
        Text(String),
        /// Amount and ISO 4217 code.
        Money(String, String),
        /// `2026-03-01`
        Date(String),
        /// `09:30:00`
        Time(String),
        /// `2026-03-01T09:30:00`
        Datetime(String),
        /// Milliseconds.
        Duration(i64),
        /// A case of an enum.
        Case(String),
        /// A record.
        Record(IndexMap<String, Value>),
        /// A list.
        List(Vec<Value>),
    }
}

/// A text with interpolations.
pub type Text = Vec<Part>;
