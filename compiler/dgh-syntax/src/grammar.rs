//! The grammar, run by pest. Nothing outside this crate sees a pest type.

#![allow(missing_docs)]

use pest_derive::Parser;

/// The parser that `grammar/dgh.pest` describes.
#[derive(Parser)]
#[grammar = "../../../grammar/dgh.pest"]
pub(crate) struct Grammar;
