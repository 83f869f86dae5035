//! From a path that somebody typed to a bundle that can be compiled.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use dgh_compile::{Compiled, Options, World, manifest};

/// A bundle on disk: its folder, and the file in it that is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder, of `dgh.toml` if there is one.
    pub root: PathBuf,
    /// The file, relative to the folder, with `/`.
    pub entry: String,
    /// Whether the file was named, and not the folder.
    pub named: bool,
}

impl Project {
    /// The projects that a path stands for: a file is one, a folder is one or holds some.
    pub fn find(path: &Path) -> anyhow::Result<Vec<Self>> {
        let meta = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if meta.is_file() && path.extension().is_none_or(|e| e != "dgh") {
            bail!("{} is no .dgh file", path.display());
        }
        if meta.is_file() {
            return Ok(vec![Self::of_file(path)?]);
        }
        if let Some(project) = Self::of_folder(path)? {
            return Ok(vec![project]);
        }
        // Files without a dgh.toml are each for themselves.
        let alone = |entry| Self { root: path.to_path_buf(), entry, named: true };
        let mut found: Vec<Self> = dgh_files(path)?.into_iter().map(alone).collect();
        search(path, 0, &mut found)?;
        if found.is_empty() {
            bail!("{} has no agent: no dgh.toml, no agent.dgh, no .dgh file", path.display());
        }
        Ok(found)
    }

    /// The projects of several paths; none stands for this folder.
    pub fn find_all(paths: &[PathBuf]) -> anyhow::Result<Vec<Self>> {
        if paths.is_empty() {
            return Self::find(Path::new("."));
        }
        let mut all = Vec::new();
        for path in paths {
            for project in Self::find(path)? {
                if !all.contains(&project) {
                    all.push(project);
                }
            }
        }
        Ok(all)
    }

    /// The one project that a path stands for.
    pub fn one(path: &Path) -> anyhow::Result<Self> {
        let mut all = Self::find(path)?;
        match (all.pop(), all.is_empty()) {
            (Some(project), true) => Ok(project),
            (last, _) => {
                let names: Vec<String> = all.iter().chain(&last).map(Self::shown).collect();
                bail!("{} holds several agents; name one of {}", path.display(), names.join(", "))
            }
        }
    }

    /// Compiles it.
    pub fn compile(&self) -> Compiled {
        self.compile_with(Options::default())
    }

    /// Compiles it with what else is known.
    pub fn compile_with(&self, options: Options<'_>) -> Compiled {
        dgh_compile::compile_with(self, &self.entry, options)
    }

    /// The path of a file of the bundle, as the user would type it.
    pub fn path(&self, file: &str) -> PathBuf {
        let path = self.root.join(file);
        path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path)
    }

    /// The path of the entry file, as the user would type it.
    pub fn shown(&self) -> String {
        self.path(&self.entry).display().to_string()
    }

    fn of_file(path: &Path) -> anyhow::Result<Self> {
        let folder = path.parent().map_or(Path::new(""), |p| p);
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let absolute =
            fs::canonicalize(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The bundle is the nearest folder above with a dgh.toml, so that `dgh check` of a file
        // deep in a project knows its settings.
        let mut up = PathBuf::new();
        for above in absolute.ancestors() {
            if above.join(manifest::NAME).is_file() {
                let inside = absolute.strip_prefix(above).unwrap_or(Path::new("")).join(&name);
                let root = if up.as_os_str().is_empty() { folder.to_path_buf() } else { folder.join(&up) };
                return Ok(Self { root, entry: slashes(&inside), named: true });
            }
            up.push("..");
        }
        Ok(Self { root: folder.to_path_buf(), entry: name, named: true })
    }

    fn of_folder(folder: &Path) -> anyhow::Result<Option<Self>> {
        let root = folder.to_path_buf();
        let config = folder.join(manifest::NAME);
        if config.is_file() {
            let text =
                fs::read_to_string(&config).with_context(|| format!("cannot read {}", config.display()))?;
            let (manifest, _) = manifest::read(dgh_diag::FileId(0), &text);
            if let Some(entry) = manifest.entry {
                return Ok(Some(Self { root, entry, named: false }));
            }
        }
        if folder.join("agent.dgh").is_file() {
            return Ok(Some(Self { root, entry: "agent.dgh".to_owned(), named: false }));
        }
        let mut files = dgh_files(folder)?;
        Ok(match (files.pop(), files.is_empty()) {
            (Some(only), true) => Some(Self { root, entry: only, named: false }),
            _ => None,
        })
    }
}

impl World for Project {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        match fs::read(self.root.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.root.join(path).is_file()
    }
}

/// Every `.dgh` file below a path, or the file itself.
pub fn files_below(path: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_file() {
        found.push(path.to_path_buf());
        return Ok(());
    }
    for entry in entries(path)? {
        if entry.is_dir() {
            if !is_skipped(&entry) {
                files_below(&entry, found)?;
            }
        } else if entry.extension().is_some_and(|e| e == "dgh") {
            found.push(entry);
        }
    }
    Ok(())
}

/// Folders deeper than this are not searched.
const DEPTH: usize = 8;

fn search(folder: &Path, depth: usize, found: &mut Vec<Project>) -> anyhow::Result<()> {
    if depth > DEPTH {
        return Ok(());
    }
    for entry in entries(folder)? {
        if !entry.is_dir() || is_skipped(&entry) {
            continue;
        }
        match Project::of_folder(&entry)? {
            Some(project) => found.push(project),
            None => search(&entry, depth + 1, found)?,
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let reading = || format!("cannot read {}", folder.display());
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).with_context(reading)? {
        all.push(entry.with_context(reading)?.path());
    }
    all.sort();
    Ok(all)
}

fn is_skipped(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name == "target" || name == "node_modules"
}

fn dgh_files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let files =
        entries(folder)?.into_iter().filter(|p| p.is_file() && p.extension().is_some_and(|e| e == "dgh"));
    Ok(files.filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned())).collect())
}

fn slashes(path: &Path) -> String {
    path.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
