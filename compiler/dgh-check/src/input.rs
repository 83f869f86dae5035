//! What a check is given: parsed files, how they import each other, and what surrounds them.

use std::collections::BTreeSet;
use std::sync::Arc;

use dgh_diag::{FileId, Place};
use dgh_ir::program::McpTool;
use indexmap::IndexMap;

/// Everything that a check looks at.
pub struct Input<'a> {
    /// All files: the entry, what it imports, and the prelude. Their order decides nothing.
    pub files: Vec<SourceFile<'a>>,
    /// The file that is checked. Its agents, and its tests, are the program's own.
    pub entry: FileId,
    /// Leads from the text of an `import` to its file.
    pub resolve: &'a dyn Fn(FileId, &str) -> Import,
    /// What surrounds the program.
    pub config: Config<'a>,
}

/// A parsed file.
#[derive(Clone)]
pub struct SourceFile<'a> {
    /// Its number; places in it have it.
    pub id: FileId,
    /// Path in the bundle, or that of an import from the library: `std/collect`.
    pub path: &'a str,
    /// Its tree.
    pub parse: &'a dgh_syntax::Parse,
    /// Its text.
    pub text: Arc<str>,
    /// Where it comes from.
    pub origin: FileOrigin,
}

/// Where a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileOrigin {
    /// The bundle.
    Bundle,
    /// The standard library, by import.
    Library,
    /// The standard library: declares what every program has without importing it.
    Prelude,
}

/// Where an `import` leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Import {
    /// To this file, which is one of [`Input::files`].
    File(FileId),
    /// Nowhere; with the paths that exist and might have been meant.
    Missing(Vec<String>),
    /// To a file that exists and could not be read, already reported.
    Unreadable,
}

/// What surrounds a program.
#[derive(Clone, Default)]
pub struct Config<'a> {
    /// `[profiles.NAME]` of `dgh.toml`, by name; none without that file, and then `env`, `secret`
    /// and recordings are not checked.
    pub profiles: Option<IndexMap<String, Profile>>,
    /// Names of `[recordings]`; looked at only with `profiles`.
    pub recordings: BTreeSet<String>,
    /// `[defaults]`
    pub defaults: Defaults,
    /// Tools of `dgh.lock` by name of the MCP server; none without that file.
    pub lock: Option<IndexMap<String, Vec<McpTool>>>,
    /// Whether the bundle has this file; none when nobody can tell.
    pub file_exists: Option<&'a dyn Fn(&str) -> bool>,
    /// The last published release, to notice nodes that were renamed without a `moved`.
    pub last_release: Option<&'a dgh_ir::Program>,
}

/// The names of a profile.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// Names of its configuration values.
    pub env: BTreeSet<String>,
    /// Names of its secrets.
    pub secrets: BTreeSet<String>,
}

/// What an agent uses that does not say.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// Language models, in order of fallback.
    pub llm: Vec<DefaultModel>,
    /// Speech to text.
    pub stt: Vec<DefaultModel>,
    /// Text to speech.
    pub tts: Vec<DefaultModel>,
    /// A fast model that decides.
    pub judge: Vec<DefaultModel>,
    /// Speech to speech.
    pub realtime: Vec<DefaultModel>,
    /// Language tag.
    pub language: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
}

/// A provider and its arguments, as `dgh.toml` has them.
#[derive(Debug, Clone)]
pub struct DefaultModel {
    /// Name of the provider.
    pub provider: String,
    /// Arguments by name, with their places.
    pub args: Vec<(String, serde_json::Value, Place)>,
    /// Where it stands.
    pub place: Place,
}
