//! A compiled program: what the checker makes and the engine runs.
//!
//! Pure: no clock, no IO, no random source, no float. Things refer to each other by ids into
//! arenas; where a thing stands in the source is kept beside the program, in a [`SourceMap`].

pub mod arena;
pub mod convert;
mod describe;
mod dialogue;
pub mod diff;
pub mod eval;
pub mod event;
pub mod expr;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
pub(crate) mod fixture;
pub mod graph;
pub mod mask;
mod math;
mod names;
pub mod needs;
pub mod program;
pub mod render;
pub mod request;
pub mod scope;
pub mod shape;
pub mod source_map;
pub mod test;
pub mod types;
pub mod value;
pub mod walk;
pub mod wire;
mod write_expr;

pub use arena::Arena;
pub use convert::{ConvertError, Locale, from_json, object_schema, schema, to_json};
pub use eval::{eval, eval_range, holds};
pub use event::{CallEvent, Event, LimitKind, TransferFailure};
pub use expr::{Builtin, CmpOp, Expr, ExprKind, Format, MatchArm, MathOp, Part, Probe, Template};
pub use mask::{mask_json, shown};
pub use needs::Needs;
pub use program::*;
pub use render::{Purpose, Rendered, render, render_expr};
pub use request::{Envelope, RequestError};
pub use scope::{EvalError, Scope};
pub use source_map::{Origin, Source, SourceMap};
pub use types::{Kind, Type};
pub use value::{Currency, Value};
pub use walk::MAX_EXPR_DEPTH;
