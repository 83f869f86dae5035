//! What the parts of the checker share: the findings so far, where things stand, and what is
//! known beside the program.
//!
//! How lowering and the analyses divide the work, so that one mistake gives one finding:
//!
//! - **A value that may be missing.** Whether a `T?`, or a name that may still be unset, is there
//!   depends on the way to the place, so for *names* (an access path: a slot, a dotted built-in,
//!   or fields of one) only the flow can say. Where a `T` is needed and an access path of type
//!   `T?` is given, lowering reports nothing and gives the read expression a type with
//!   `optional: false`: "needs to be there". Where a `T?` will do, the type stays optional.
//!   `x?`, `a ?? b` and `if x` stay [`ExprKind::Maybe`](dgh_ir::ExprKind::Maybe), `Coalesce` and
//!   `IsSet`; their operand needs nothing. For any other `T?` expression (the value of a `match`,
//!   …) lowering reports E0203 itself.
//! - **Holes.** What did not resolve stays in the program as a hole (`ExprKind::Hole`,
//!   `StepKind::Hole`, `Target::Hole`, `Event::Hole`, `ToolRef::Hole`, a `collect` with the names
//!   that are left, be it none). The analyses report nothing that follows from a hole, so a
//!   statement that did not resolve must be lowered to a hole rather than left out.
//! - **Private.** Lowering propagates the label into types; the analyses alone report about it.
//! - **Order of statements.** Decided here: E0312, `else` without `if` and `next` beside others.
//! - **Leftovers.** Lowering says in [`Context::items`] what the files declare and import and
//!   whether anything, tests included, refers to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dgh_diag::{Code, Diagnostic, FileId, Place, Severity, Span};
use dgh_ir::test::TestCase;
use dgh_ir::{Origin, ProviderKind, Source, SourceMap};

/// The findings so far and where things stand.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The findings, in the order in which they were made.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the things of the program stand.
    pub source_map: SourceMap,
    wholes: BTreeMap<u32, Place>,
}

impl Report {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records where a thing stands: the few words to point at, such as its name.
    pub fn origin(&mut self, place: Place) -> Origin {
        let Place { file, span } = place;
        self.source_map.add(Source { file: file.0, start: span.start, end: span.end })
    }

    /// Records where a thing stands and all of its text, doc comment to closing brace: nodes,
    /// routes, steps, items. Needed for fixes that remove it or add behind or into it.
    pub fn origin_of(&mut self, place: Place, whole: Place) -> Origin {
        let origin = self.origin(place);
        self.wholes.insert(origin.0, whole);
        origin
    }

    /// The place of a thing; the start of the first file for one made by no source.
    pub fn place(&self, origin: Origin) -> Place {
        let Some(source) = self.source_map.get(origin) else {
            return Place { file: FileId(0), span: Span::at(0) };
        };
        Place { file: FileId(source.file), span: Span::new(source.start, source.end) }
    }

    /// All the text of a thing, if it was recorded.
    pub fn whole(&self, origin: Origin) -> Option<Place> {
        self.wholes.get(&origin.0).copied()
    }

    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether a place is in the text of a thing.
    pub fn is_inside(&self, place: Place, origin: Origin) -> bool {
        self.whole(origin).is_some_and(|whole| {
            place.file == whole.file
                && place.span.start <= whole.span.end
                && whole.span.start <= place.span.end
        })
    }

    /// The places of the errors with these codes, to ask what they are in.
    pub fn errors(&self, is: impl Fn(Code) -> bool) -> Errors {
        let errors = self.diagnostics.iter().filter(|d| d.severity() == Severity::Error && is(d.code));
        let mut places: Vec<Place> = errors.map(|d| d.place).collect();
        places.sort_unstable();
        Errors { places }
    }
}

/// Places of errors, in order.
#[derive(Debug, Clone)]
pub struct Errors {
    places: Vec<Place>,
}

impl Errors {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether one begins where a place does.
    pub fn begin_at(&self, place: Place) -> bool {
        let at = self.places.partition_point(|p| (p.file, p.span.start) < (place.file, place.span.start));
        self.places.get(at).is_some_and(|p| (p.file, p.span.start) == (place.file, place.span.start))
    }

    /// Whether one begins in the text of a thing.
    pub fn are_in(&self, report: &Report, origin: Origin) -> bool {
        let Some(whole) = report.whole(origin) else { return false };
        let before = |p: &Place| (p.file, p.span.start) < (whole.file, whole.span.start);
        let first = self.places.get(self.places.partition_point(before));
        first.is_some_and(|p| p.file == whole.file && p.span.start <= whole.span.end)
    }
}

/// What is known beside the program.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The files, by [`FileId`].
    pub files: Vec<File>,
    /// The file that is checked. What others declare may be there for other programs.
    pub entry: FileId,
    /// What the user's files declare and import, but for agents, tests and enums' cases.
    pub items: Vec<Item>,
    /// The tests; a variable that only a test names is used.
    pub tests: Vec<TestCase>,
    /// Kinds of model for which `dgh.toml` has a default.
    pub defaults: BTreeSet<ProviderKind>,
    /// Node names of the agents in the last published release, in their order.
    pub last_release: BTreeMap<String, Vec<String>>,
}

/// A file of the program.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path in the bundle, or `std/…`.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
    /// Whether it belongs to the standard library.
    pub standard: bool,
}

/// Something that a file declares or imports.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Its name in the file.
    pub name: String,
    /// The name's place.
    pub place: Place,
    /// What a fix removes: the whole item, or the name with its comma in a list of imports.
    pub whole: Place,
    /// Whether anything refers to it, tests included. What a file declares is also used when
    /// another file imports it.
    pub used: bool,
}

/// What an [`Item`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A name in `import { … }`.
    Import,
    /// `enum` or `type`.
    Type,
    /// `const`
    Const,
    /// `tool`
    Tool,
    /// `mcp`
    Mcp,
    /// `phrase`
    Phrase,
    /// `knowledge`, of a file or an agent.
    Knowledge,
    /// `flow`
    Flow,
}

impl Context {
    /// The text at a place; empty when the place is of no known file.
    pub fn text(&self, place: Place) -> &str {
        let text = self.files.get(place.file.0 as usize).map_or("", |f| &f.text);
        text.get(place.span.start as usize..place.span.end as usize).unwrap_or("")
    }

    /// Whether a place is in the standard library, where the user cannot mend anything.
    pub fn is_standard(&self, place: Place) -> bool {
        self.files.get(place.file.0 as usize).is_some_and(|f| f.standard)
    }
}
