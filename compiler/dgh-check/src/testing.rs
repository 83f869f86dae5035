//! Checks small programs of a few files, for the tests of this crate.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::{Arc, OnceLock};

use dgh_diag::{Diagnostic, FileId};
use dgh_syntax::Parse;

use crate::{Checked, Config, FileOrigin, Import, Input, Lowered, SourceFile};

type File = (String, Arc<str>, Parse, FileOrigin);

/// The standard library, parsed once.
fn library() -> &'static [File] {
    static LIBRARY: OnceLock<Vec<File>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let file = |(path, text): &(&str, &str)| {
            let origin =
                if dgh_stdlib::PRELUDE.contains(path) { FileOrigin::Prelude } else { FileOrigin::Library };
            ((*path).to_owned(), (*text).into(), dgh_syntax::parse(text), origin)
        };
        dgh_stdlib::FILES.iter().map(file).collect()
    })
}

/// A bundle in memory with the whole standard library beside it; the first file is the entry.
pub(crate) struct Bundle {
    files: Vec<File>,
}

impl Bundle {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let own = files.iter().map(|(path, text)| {
            let origin = if path.starts_with("std/") { FileOrigin::Library } else { FileOrigin::Bundle };
            ((*path).to_owned(), *text, origin)
        });
        let own = own.map(|(path, text, origin)| (path, text.into(), dgh_syntax::parse(text), origin));
        Self { files: own.chain(library().iter().cloned()).collect() }
    }

    pub(crate) fn with<T>(&self, config: Config<'_>, run: impl FnOnce(&Input<'_>) -> T) -> T {
        let id = |index: usize| FileId(u32::try_from(index).unwrap());
        let resolve = |_: FileId, path: &str| {
            let path = path.strip_prefix("./").unwrap_or(path);
            match self.files.iter().position(|(p, ..)| p == path) {
                Some(index) => Import::File(id(index)),
                None => Import::Missing(self.files.iter().map(|(p, ..)| p.clone()).collect()),
            }
        };
        let files = self.files.iter().enumerate().map(|(index, (path, text, parse, origin))| SourceFile {
            id: id(index),
            path,
            parse,
            text: text.clone(),
            origin: *origin,
        });
        run(&Input { files: files.collect(), entry: FileId(0), resolve: &resolve, config })
    }

    pub(crate) fn lower(&self) -> Lowered {
        self.with(Config::default(), crate::lower)
    }

    pub(crate) fn check(&self) -> Checked {
        self.with(Config::default(), crate::check)
    }

    /// A finding in one line: code, text at its place, message, hint.
    pub(crate) fn line(&self, finding: &Diagnostic) -> String {
        let (path, text, ..) = &self.files[finding.place.file.0 as usize];
        let span = finding.place.span;
        let at = &text[span.start as usize..span.end as usize];
        let file = if finding.place.file.0 == 0 { String::new() } else { format!("{path}: ") };
        let hint = finding.hint.as_ref().map(|h| format!(" | {h}")).unwrap_or_default();
        format!("{file}{} `{at}` {}{hint}", finding.code, finding.message)
    }
}
