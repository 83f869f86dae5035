//! The one door between the pure compiler and wherever the files are.

use std::collections::BTreeMap;

/// Reads the files of a bundle. Paths are relative to its root, with `/`, without `.` and `..`.
pub trait World {
    /// The bytes of a file; `Ok(None)` when there is none, `Err` with a reason when it cannot be
    /// read.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String>;

    /// Whether there is a file; asked for what the compiler does not read itself.
    fn exists(&self, path: &str) -> bool;
}

/// A bundle in memory.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: BTreeMap<String, Vec<u8>>,
}

impl Memory {
    /// With these files.
    pub fn new<P: Into<String>, B: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, B)>) -> Self {
        Self { files: files.into_iter().map(|(path, bytes)| (path.into(), bytes.into())).collect() }
    }
}

impl World for Memory {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.files.get(path).cloned())
    }

    fn exists(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }
}

/// `path` as seen from the file `from`, normalised; none when it leads out of the bundle.
pub fn join(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}
