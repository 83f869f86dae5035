//! The standard library, embedded: `.dgh` files that every program can import, and the prelude
//! that declares what every program uses without importing it.

/// A file of the library: the path of an import, and its text.
pub const FILES: &[(&str, &str)] = &[
    ("std/providers", include_str!("../providers.dgh")),
    ("std/events", include_str!("../events.dgh")),
    ("std/groups", include_str!("../groups.dgh")),
    ("std/handlers", include_str!("../handlers.dgh")),
    ("std/tools", include_str!("../tools.dgh")),
    ("std/collect", include_str!("../collect.dgh")),
    ("std/identity", include_str!("../identity.dgh")),
    ("std/voicemail", include_str!("../voicemail.dgh")),
];

/// The files that declare what needs no import: providers, events, groups, last handlers.
pub const PRELUDE: &[&str] = &["std/providers", "std/events", "std/groups", "std/handlers"];

/// The text of a file of the library.
pub fn text(path: &str) -> Option<&'static str> {
    FILES.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
}

/// What providers ask for their work.
pub const PRICES: &str = include_str!("../prices.toml");
