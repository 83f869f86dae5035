//! Where the things of a program stand in its sources.

/// A key into a [`SourceMap`]. Any two are equal: where a thing stands is no part of what it is,
/// so programs that differ in white space alone compare equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin(pub u32);

impl Origin {
    /// Made by no source: loaded from the wire, or built by hand.
    pub const NONE: Self = Self(0);
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Origin {}

/// Bytes of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Index of the file in the bundle.
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// After the last byte.
    pub end: u32,
}

/// The places of a program's things, beside the program and never in it.
#[derive(Debug, Clone)]
pub struct SourceMap {
    places: Vec<Option<Source>>,
}

impl SourceMap {
    /// An empty one.
    pub fn new() -> Self {
        Self { places: vec![None] }
    }

    /// Records a place and makes its key.
    pub fn add(&mut self, source: Source) -> Origin {
        self.places.push(Some(source));
        Origin(u32::try_from(self.places.len() - 1).unwrap_or(0))
    }

    /// The place of a key.
    pub fn get(&self, origin: Origin) -> Option<Source> {
        self.places.get(origin.0 as usize).copied().flatten()
    }
}

impl Default for SourceMap {
    fn default() -> Self {
        Self::new()
    }
}
