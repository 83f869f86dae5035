//! A compiled program: what the checker makes and the engine runs.
//!
//! Pure: no clock, no IO, no random source, no float. Things refer to each other by ids into
//! arenas; where a thing stands in the source is kept beside the program, in a [`SourceMap`].

pub mod arena;
mod describe;
pub mod event;
pub mod expr;
mod names;
pub mod program;
pub mod source_map;
pub mod test;
pub mod types;
pub mod value;
mod walk;

pub use arena::Arena;
pub use event::{CallEvent, Event, LimitKind, TransferFailure};
pub use expr::{Builtin, CmpOp, Expr, ExprKind, Format, MatchArm, MathOp, Part, Probe, Template};
pub use program::*;
pub use source_map::{Origin, Source, SourceMap};
pub use types::{Kind, Type};
pub use value::{Currency, Value};
pub use walk::MAX_EXPR_DEPTH;
