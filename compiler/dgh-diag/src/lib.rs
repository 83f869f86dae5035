//! What the compiler says: places, codes, messages, fixes, and how they are shown.
//!
//! A diagnostic is a value. Nothing here reads files, prints, or knows what a token is.

pub mod code;
pub mod diagnostic;
pub mod span;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Edit, Fix, Place, Related};
pub use span::{FileId, LineCol, LineIndex, Span};
