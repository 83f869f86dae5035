//! The compiler behind one door: a bundle of files in, a program and findings out.

pub mod lock;
pub mod manifest;
pub mod world;

pub use world::{Memory, World};
