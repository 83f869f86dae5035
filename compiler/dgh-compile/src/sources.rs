//! The files of a program: the entry, what it imports, and the prelude, parsed and numbered.

use std::collections::HashMap;
use std::sync::OnceLock;

use dgh_check::{FileOrigin, Import, SourceFile};
use dgh_diag::{Code, Diagnostic, FileId, Place, Span};
use dgh_syntax::Parse;

use crate::world::{World, join};

/// Everything that was read.
pub(crate) struct Loaded {
    /// Texts by [`FileId`]: sources first, then `dgh.toml` and `dgh.lock`.
    files: Vec<File>,
    by_path: HashMap<String, FileId>,
    /// Files that exist and could not be read.
    unreadable: Vec<String>,
    /// What was wrong so far: syntax errors, files that cannot be read.
    pub(crate) findings: Vec<Diagnostic>,
}

struct File {
    path: String,
    text: String,
    source: Option<(Parsed, FileOrigin)>,
}

/// A tree of this compilation, or one of the library's, which are parsed once.
enum Parsed {
    Own(Box<Parse>),
    Library(&'static Parse),
}

/// Reads and parses the entry and everything it imports, each file once.
pub(crate) fn load(world: &dyn World, entry: &str) -> Loaded {
    let mut loaded =
        Loaded { files: Vec::new(), by_path: HashMap::new(), unreadable: Vec::new(), findings: Vec::new() };
    let Some(entry_file) = loaded.read(world, entry) else {
        let file = loaded.add_source(entry, String::new(), dgh_syntax::parse("dgh 1"));
        let place = Place { file, span: Span::at(0) };
        loaded.findings.push(Diagnostic::new(
            Code::ImportNotFound,
            place,
            format!("`{entry}` cannot be read"),
        ));
        return loaded.with_prelude();
    };
    let mut queue = vec![entry_file];
    while let Some(from) = queue.pop() {
        for path in loaded.imports_of(from) {
            if let Some(path) = loaded.path_of(from, &path)
                && !loaded.by_path.contains_key(&path)
            {
                queue.extend(loaded.read(world, &path));
            }
        }
    }
    loaded.with_prelude()
}

impl Loaded {
    /// The files as the checker takes them.
    pub(crate) fn inputs(&self) -> Vec<SourceFile<'_>> {
        let numbered = (0..).map(FileId).zip(&self.files);
        numbered
            .filter_map(|(id, file)| {
                let (parse, origin) = file.source.as_ref()?;
                let text = file.text.as_str().into();
                Some(SourceFile { id, path: &file.path, parse: parse.get(), text, origin: *origin })
            })
            .collect()
    }

    /// Where an import leads.
    pub(crate) fn resolve(&self, from: FileId, path: &str) -> Import {
        let Some(full) = self.path_of(from, path) else { return Import::Missing(Vec::new()) };
        if let Some(file) = self.by_path.get(&full) {
            return Import::File(*file);
        }
        if self.unreadable.contains(&full) {
            return Import::Unreadable;
        }
        let library = dgh_stdlib::FILES.iter().map(|(path, _)| (*path).to_owned());
        Import::Missing(library.filter(|_| path.starts_with("std")).collect())
    }

    /// Adds a text that is not a source.
    pub(crate) fn add_text(&mut self, path: &str, text: String) -> FileId {
        self.files.push(File { path: path.to_owned(), text, source: None });
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// The parsed files of the bundle.
    pub(crate) fn own(&self) -> impl Iterator<Item = (FileId, &Parse)> {
        (0..).map(FileId).zip(&self.files).filter_map(|(id, file)| match &file.source {
            Some((parse, FileOrigin::Bundle)) => Some((id, parse.get())),
            _ => None,
        })
    }

    /// Paths and texts by [`FileId`].
    pub(crate) fn into_texts(self) -> Vec<(String, String)> {
        self.files.into_iter().map(|f| (f.path, f.text)).collect()
    }

    fn read(&mut self, world: &dyn World, path: &str) -> Option<FileId> {
        if dgh_stdlib::text(path).is_some() {
            return Some(self.add_library(path, FileOrigin::Library));
        }
        match world.read(path) {
            Ok(bytes) => {
                let (text, parse) = dgh_syntax::parse_bytes(&bytes?);
                Some(self.add_source(path, text, parse))
            }
            Err(reason) => {
                self.unreadable.push(path.to_owned());
                let place = Place { file: FileId(0), span: Span::at(0) };
                let message = format!("`{path}` cannot be read: {reason}");
                self.findings.push(Diagnostic::new(Code::ImportNotFound, place, message));
                None
            }
        }
    }

    fn add_source(&mut self, path: &str, text: String, parse: Parse) -> FileId {
        let file = self.add_text(path, text);
        self.findings.extend(parse.diagnostics(file));
        if let Some(added) = self.files.last_mut() {
            added.source = Some((Parsed::Own(Box::new(parse)), FileOrigin::Bundle));
        }
        self.by_path.insert(path.to_owned(), file);
        file
    }

    fn add_library(&mut self, path: &str, origin: FileOrigin) -> FileId {
        let file = self.add_text(path, dgh_stdlib::text(path).unwrap_or_default().to_owned());
        if let (Some(added), Some(parse)) = (self.files.last_mut(), library(path)) {
            added.source = Some((Parsed::Library(parse), origin));
        }
        self.by_path.insert(path.to_owned(), file);
        file
    }

    fn with_prelude(mut self) -> Self {
        for path in dgh_stdlib::PRELUDE {
            if let Some(file) = self.by_path.get(*path) {
                // Imported by name as well: it is the prelude all the same.
                if let Some(File { source: Some((_, origin)), .. }) = self.files.get_mut(file.0 as usize) {
                    *origin = FileOrigin::Prelude;
                }
            } else {
                self.add_library(path, FileOrigin::Prelude);
            }
        }
        self
    }

    fn imports_of(&self, file: FileId) -> Vec<String> {
        let Some(File { source: Some((parse, _)), .. }) = self.files.get(file.0 as usize) else {
            return Vec::new();
        };
        parse.get().file().imports().filter_map(|import| import.path()?.plain_text()).collect()
    }

    fn path_of(&self, from: FileId, path: &str) -> Option<String> {
        if path.starts_with("std/") {
            return Some(path.to_owned());
        }
        join(&self.files.get(from.0 as usize)?.path, path)
    }
}

impl Parsed {
    fn get(&self) -> &Parse {
        match self {
            Self::Own(parse) => parse,
            Self::Library(parse) => parse,
        }
    }
}

fn library(path: &str) -> Option<&'static Parse> {
    static TREES: OnceLock<HashMap<&'static str, OnceLock<Parse>>> = OnceLock::new();
    let trees =
        TREES.get_or_init(|| dgh_stdlib::FILES.iter().map(|(path, _)| (*path, OnceLock::new())).collect());
    Some(trees.get(path)?.get_or_init(|| dgh_syntax::parse(dgh_stdlib::text(path).unwrap_or_default())))
}
