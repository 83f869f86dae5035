//! The compiler behind one door: a bundle of files in, a program and findings out.
//!
//! [`compile`] reads the entry file through a [`World`], follows its imports, and puts the parts of
//! the compiler together. It cannot fail: what is wrong is a finding.

mod allow;
pub mod lock;
pub mod manifest;
pub mod mocks;
mod sources;
pub mod world;

use dgh_check::{Config, Input};
use dgh_diag::{Code, Diagnostic, FileId, Place, Severity, Span};
use dgh_ir::test::TestCase;
use dgh_ir::{Program, SourceMap};

pub use lock::Lock;
pub use manifest::Manifest;
pub use world::{Memory, World};

use sources::Loaded;

/// What came out.
#[derive(Debug)]
pub struct Compiled {
    /// The program; it has holes when there are errors.
    pub program: Program,
    /// Where its things stand.
    pub source_map: SourceMap,
    /// The tests of the entry file.
    pub tests: Vec<TestCase>,
    /// Findings, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Path in the bundle (or `std/…`) and text of every file, by [`FileId`].
    pub sources: Vec<(String, String)>,
    /// `dgh.toml`, if the bundle has one.
    pub manifest: Option<Manifest>,
}

impl Compiled {
    /// Whether there is an error, so that the program must not run.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity() == Severity::Error)
    }
}

/// What else a compilation may look at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// The last published release: a node that it has and the program lacks needs a `moved`.
    pub last_release: Option<&'a Program>,
}

/// Compiles the file `entry` of a bundle.
pub fn compile(world: &dyn World, entry: &str) -> Compiled {
    compile_with(world, entry, Options::default())
}

/// The same, with [`Options`].
pub fn compile_with(world: &dyn World, entry: &str, options: Options<'_>) -> Compiled {
    let mut loaded = sources::load(world, entry);
    let manifest = read_manifest(world, &mut loaded);
    let lock = read_lock(world, &mut loaded);
    let exists: &dyn Fn(&str) -> bool = &|path| world.exists(path);
    let config = Config {
        profiles: manifest.as_ref().map(Manifest::names),
        recordings: manifest.iter().flat_map(|m| m.recordings.keys().cloned()).collect(),
        defaults: manifest.as_ref().map(Manifest::check_defaults).unwrap_or_default(),
        lock: lock.map(|lock| lock.tools()),
        // Without dgh.toml it is a file on its own, and nobody knows where the others are.
        file_exists: manifest.is_some().then_some(exists),
        last_release: options.last_release,
    };
    let resolve = |from: FileId, path: &str| loaded.resolve(from, path);
    let input = Input { files: loaded.inputs(), entry: FileId(0), resolve: &resolve, config };
    let checked = dgh_check::check(&input);

    let mut diagnostics = std::mem::take(&mut loaded.findings);
    diagnostics.extend(checked.diagnostics);
    diagnostics.extend(manifest.iter().flat_map(|manifest| mocks::check(&checked.program, manifest)));
    let mut diagnostics = allow::apply(&loaded, diagnostics);
    diagnostics.sort_by_key(|d| (d.place, d.severity(), d.code));
    diagnostics.dedup();
    Compiled {
        program: checked.program,
        source_map: checked.source_map,
        tests: checked.tests,
        diagnostics,
        sources: loaded.into_texts(),
        manifest,
    }
}

fn read_manifest(world: &dyn World, loaded: &mut Loaded) -> Option<Manifest> {
    let (file, text) = read_beside(world, manifest::NAME, loaded)?;
    let (manifest, findings) = manifest::read(file, &text);
    loaded.findings.extend(findings);
    for recording in manifest.recordings.values() {
        if !world.exists(&recording.file) {
            let message = format!("the recording `{}` is not in the bundle", recording.file);
            loaded.findings.push(Diagnostic::new(Code::FileMissing, recording.place, message));
        }
    }
    Some(manifest)
}

fn read_lock(world: &dyn World, loaded: &mut Loaded) -> Option<Lock> {
    let (file, text) = read_beside(world, lock::NAME, loaded)?;
    Lock::parse(&text).map_err(|message| loaded.findings.push(whole(file, message))).ok()
}

/// Reads a file that is not a source, gives it a number, and reports when it cannot be read.
fn read_beside(world: &dyn World, path: &str, loaded: &mut Loaded) -> Option<(FileId, String)> {
    match world.read(path) {
        Ok(None) => None,
        Ok(Some(bytes)) => match String::from_utf8(bytes) {
            Ok(text) => Some((loaded.add_text(path, text.clone()), text)),
            Err(_) => {
                let file = loaded.add_text(path, String::new());
                loaded.findings.push(whole(file, format!("{path} is not UTF-8")));
                None
            }
        },
        Err(reason) => {
            let file = loaded.add_text(path, String::new());
            loaded.findings.push(whole(file, format!("{path} cannot be read: {reason}")));
            None
        }
    }
}

fn whole(file: FileId, message: String) -> Diagnostic {
    Diagnostic::new(Code::BadConfig, Place { file, span: Span::at(0) }, message)
}
