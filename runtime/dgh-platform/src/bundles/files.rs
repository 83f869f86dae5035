//! The files of a bundle: which paths, how many, how large; and the hash that names them all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// Files of a bundle.
pub const MAX_FILES: usize = 2_000;
/// Bytes of a file.
pub const MAX_FILE_BYTES: usize = 16 << 20;
/// Bytes of all files.
pub const MAX_BUNDLE_BYTES: i64 = 128 << 20;
/// Bytes of a path.
pub const MAX_PATH_BYTES: usize = 240;

/// Where a bundle has its settings.
pub const SETTINGS: &str = dgh_compile::manifest::NAME;
/// The pinned tools beside them.
pub const LOCK: &str = dgh_compile::lock::NAME;
/// The file that is compiled when nothing says which.
pub const ENTRY: &str = "agent.dgh";

/// Files by path: the SHA-256 of the content, and its bytes.
pub type Listing = BTreeMap<String, (String, i64)>;

/// The SHA-256 of a content, in hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether a text is a SHA-256 as [`sha256`] writes it.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The hash of a bundle: the SHA-256 of what `sha256sum` prints for its files, sorted by path.
pub fn hash(listing: &Listing) -> String {
    let mut lines = String::new();
    for (path, (sha256, _)) in listing {
        let _ = writeln!(lines, "{sha256}  {path}");
    }
    sha256(lines.as_bytes())
}

/// What is wrong with a path, in words.
pub fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.len() > MAX_PATH_BYTES {
        return Err("a path has 1 to 240 bytes");
    }
    if path.contains('\\') || path.chars().any(char::is_control) {
        return Err("a path has no backslashes and no control characters");
    }
    for part in path.split('/') {
        if part.is_empty() {
            return Err("a path begins with no slash, ends with none, and has no two in a row");
        }
        if part.starts_with('.') {
            return Err("hidden files, `.` and `..` are no part of a bundle");
        }
    }
    Ok(())
}

/// What is wrong with the paths together: too many, two that some disk takes for one, a file where a
/// folder is.
pub fn check_listing(listing: &Listing) -> Result<(), String> {
    if listing.len() > MAX_FILES {
        return Err(format!("a bundle has at most {MAX_FILES} files, and this has {}", listing.len()));
    }
    let size: i64 = listing.values().map(|(_, size)| size).sum();
    if size > MAX_BUNDLE_BYTES {
        return Err(format!("a bundle has at most {MAX_BUNDLE_BYTES} bytes, and this has {size}"));
    }
    let mut folded: BTreeMap<String, &str> = BTreeMap::new();
    for (path, (_, size)) in listing {
        check_path(path).map_err(|why| format!("`{}`: {why}", shown(path)))?;
        if usize::try_from(*size).is_ok_and(|size| size > MAX_FILE_BYTES) {
            return Err(format!("`{path}` has {size} bytes; a file has at most {MAX_FILE_BYTES}"));
        }
        if let Some(other) = folded.insert(path.to_lowercase(), path) {
            return Err(format!("`{other}` and `{path}` differ in capitals alone, which some disks do not"));
        }
    }
    let below = |path: &str| {
        let inside = format!("{path}/");
        folded.range(inside.clone()..).next().filter(|(next, _)| next.starts_with(&inside)).map(|(_, p)| *p)
    };
    match folded.iter().find_map(|(path, own)| Some((*own, below(path)?))) {
        Some((file, inside)) => Err(format!("`{file}` is a file, and `{inside}` is inside of it")),
        None => Ok(()),
    }
}

/// The file that is compiled: what the settings name, `agent.dgh`, or the only source at the top.
pub fn entry_among<'a>(named: Option<String>, paths: impl Iterator<Item = &'a str>) -> Option<String> {
    if named.is_some() {
        return named;
    }
    let top: Vec<&str> = paths.filter(|path| is_source(path) && !path.contains('/')).collect();
    match top.as_slice() {
        [only] => Some((*only).to_owned()),
        all => all.contains(&ENTRY).then(|| ENTRY.to_owned()),
    }
}

fn is_source(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "dgh")
}

/// A path that somebody sent, short and on one line.
fn shown(path: &str) -> String {
    path.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TOO_LARGE: i64 = (16 << 20) + 1;

    fn listing(paths: &[&str]) -> Listing {
        paths.iter().map(|path| ((*path).to_owned(), (sha256(path.as_bytes()), 3))).collect()
    }

    #[test]
    fn paths_stay_inside_and_are_the_same_on_every_disk() {
        for good in ["agent.dgh", "audio/hello there.wav", "flows/größe.dgh", "a.b/c..d"] {
            assert_eq!(check_path(good), Ok(()), "{good}");
        }
        let long = "a".repeat(241);
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "./a",
            "a//b",
            "a/",
            ".env",
            "a/.git/x",
            "a\\b",
            "a\0",
            &long,
        ] {
            assert!(check_path(bad).is_err(), "{bad}");
        }
        assert!(check_listing(&listing(&["a/b.dgh", "a/c.dgh", "a.dgh"])).is_ok());
        assert!(check_listing(&listing(&["Agent.dgh", "agent.dgh"])).unwrap_err().contains("capitals"));
        assert!(check_listing(&listing(&["a", "a/b", "a-b"])).unwrap_err().contains("inside"));
    }

    #[test]
    fn a_bundle_is_bounded() {
        let many: Listing = (0..=MAX_FILES).map(|n| (format!("f{n}"), (String::new(), 1))).collect();
        assert!(check_listing(&many).unwrap_err().contains("2000 files"));
        let large = Listing::from([("a.wav".to_owned(), (String::new(), TOO_LARGE))]);
        assert!(check_listing(&large).unwrap_err().contains("a.wav"));
        let heavy: Listing = (0..9).map(|n| (format!("f{n}"), (String::new(), TOO_LARGE - 1))).collect();
        assert!(check_listing(&heavy).unwrap_err().contains("bytes"));
    }

    #[test]
    fn the_hash_is_that_of_what_sha256sum_prints() {
        // printf 'x' > a; printf 'y' > b; sha256sum a b | sha256sum
        let files = [("a", "x"), ("b", "y")];
        let listing: Listing =
            files.iter().map(|(path, text)| ((*path).to_owned(), (sha256(text.as_bytes()), 1))).collect();
        let lines = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  a\n\
                     a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa  b\n";
        assert_eq!(hash(&listing), sha256(lines.as_bytes()));
        assert!(is_sha256(&hash(&listing)) && !is_sha256("ABC") && !is_sha256(&"G".repeat(64)));
    }

    #[test]
    fn the_entry_is_what_is_named_or_what_can_only_be_meant() {
        let among = |named: Option<&str>, paths: &[&str]| {
            entry_among(named.map(str::to_owned), paths.iter().copied())
        };
        assert_eq!(among(Some("x.dgh"), &["agent.dgh"]).as_deref(), Some("x.dgh"));
        assert_eq!(among(None, &["agent.dgh", "b.dgh"]).as_deref(), Some("agent.dgh"));
        assert_eq!(among(None, &["b.dgh", "lib/agent.dgh"]).as_deref(), Some("b.dgh"));
        assert_eq!(among(None, &["b.dgh", "c.dgh"]), None);
    }
}
