//! What the compiler says: places, codes, messages, fixes, and how they are shown.
//!
//! A diagnostic is a value. Nothing here reads files, prints, or knows what a token is.

pub mod code;
pub mod diagnostic;
pub mod explain;
pub mod fix;
pub mod github;
pub mod json;
pub mod render;
pub mod sarif;
pub mod source;
pub mod span;
pub mod suggest;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Edit, Fix, Place, Related};
pub use explain::explain;
pub use render::{Style, render, summary};
pub use source::Sources;
pub use span::{FileId, LineCol, LineIndex, Span};
