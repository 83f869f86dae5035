//! The pages of the language are true: their programs compile, their tests pass.

mod codes;
mod reference;
