//! Why a server does not start: one line that says what is wrong and what to do about it.

use std::fmt;
use std::io;
use std::path::Path;

use dgh_store::StoreError;

use crate::vault::{KEY_FILE, KeyringError};

/// Why something cannot begin: a code for programs, a line for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `port_in_use`
    pub code: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

impl Fault {
    /// Makes one.
    pub fn new(code: &'static str, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, what: what.into(), hint: hint.into() }
    }

    /// A file or folder that cannot be used.
    pub fn file(path: &Path, error: &io::Error) -> Self {
        let path = path.display();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::new("disk_full", format!("there is no space for {path}"), "Make room on the disk.")
            }
            io::ErrorKind::PermissionDenied => Self::new(
                "no_permission",
                format!("{path} may not be read or written"),
                "Give it to the user who runs dgh, or name another folder with --data.",
            ),
            io::ErrorKind::ReadOnlyFilesystem => Self::new(
                "read_only",
                format!("{path} is on a disk that can only be read"),
                "Name another folder with --data.",
            ),
            _ => Self::new("bad_file", format!("{path}: {error}"), "Name another folder with --data."),
        }
    }

    /// A database that cannot be used, at the address that may be shown.
    pub fn store(error: &StoreError, shown: &str) -> Self {
        let database = || format!("the database {shown}");
        match error {
            StoreError::File { path, source } => Self::file(Path::new(path), source),
            StoreError::Full => Self::new(
                "disk_full",
                format!("the disk of {} is full", database()),
                "Make room on the disk.",
            ),
            StoreError::ReadOnly => Self::new(
                "read_only",
                format!("{} can only be read", database()),
                "Give the file to the user who runs dgh, or name another folder with --data.",
            ),
            StoreError::Url(what) => Self::new(
                "bad_database_url",
                what.clone(),
                "--database or DATABASE_URL says where the database is.",
            ),
            StoreError::Refused(why) => Self::new(
                "database_refuses",
                format!("{} does not let us in: {why}", database()),
                "Look at the user, the password and the name in --database or DATABASE_URL.",
            ),
            StoreError::Unavailable(why) => Self::new(
                "database_away",
                format!("{} is not reachable: {why}", database()),
                "Is it running, and are host and port in --database or DATABASE_URL right?",
            ),
            StoreError::Newer { .. } => Self::new(
                "database_newer",
                error.to_string(),
                "Run the version of dgh that made it, or a later one; or restore a backup from before.",
            ),
            StoreError::Changed { .. } => Self::new(
                "database_unreleased",
                error.to_string(),
                "Begin with a new one: name another folder with --data, or move the old file away.",
            ),
            _ => {
                Self::new("database_broken", format!("{}: {error}", database()), "`dgh doctor` looks closer.")
            }
        }
    }

    /// Keys that cannot be used.
    pub fn keyring(error: &KeyringError) -> Self {
        match error {
            KeyringError::File { path, source } => Self::file(path, source),
            KeyringError::NoKeys { .. } => {
                Self::new("bad_keys", error.to_string(), "Put the file back as it was, from its copy.")
            }
            KeyringError::Open { path } => Self::new(
                "keys_open",
                error.to_string(),
                format!("Run `chmod 600 {}`; whoever read it can read the secrets.", path.display()),
            ),
            KeyringError::Random(_) => Self::new("no_random", error.to_string(), "The system needs repair."),
        }
    }

    /// Keys that are not those of the database.
    pub fn other_keys(missing: &str, place: &str) -> Self {
        Self::new(
            "wrong_keys",
            format!("secrets in the database are sealed with the key {missing}, which is not in {place}"),
            format!(
                "Copy `{KEY_FILE}` of the data folder that the database belongs to, or set DGH_ENCRYPTION_KEY."
            ),
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.what.ends_with('.') { "" } else { "." };
        write!(f, "{} [{}]{end} {}", self.what, self.code, self.hint)
    }
}

impl std::error::Error for Fault {}
