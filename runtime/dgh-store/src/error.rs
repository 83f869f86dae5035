//! What can go wrong with a database, as far as callers treat it differently.

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;
use thiserror::Error;

/// What went wrong.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Something with this name is there already.
    #[error("{what} is taken")]
    Conflict {
        /// The columns that must be unique, `table.column, table.column`, or the name of the index.
        what: String,
    },
    /// A row refers to another that is not there, or is referred to and cannot go.
    #[error("it refers to something that is not there, or something refers to it")]
    Dangling,
    /// There is no such row, or it belongs to another organisation.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// A value that the database cannot hold: a NUL in a text, a number out of its range.
    #[error("the database cannot hold this value: {0}")]
    Value(String),
    /// The database is away, restarting or too busy. The same may work a moment later.
    #[error("the database is not reachable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The disk of the database is full.
    #[error("the disk of the database is full")]
    Full,
    /// The database can be read only.
    #[error("the database is read-only")]
    ReadOnly,
    /// It can be reached, and does not let us in: a wrong password, no such database.
    #[error("the database refuses: {0}")]
    Refused(String),
    /// This is no address of a database.
    #[error("{0}")]
    Url(String),
    /// A newer version made this database.
    #[error("the database is of a newer version: it has migration {found}, and this version knows {known}")]
    Newer {
        /// The last that was run on it.
        found: i64,
        /// The last that is known here.
        known: i64,
    },
    /// A migration is not what it was when it ran.
    #[error("the database was made by an unreleased version: migration {version} ({name}) has changed since")]
    Changed {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// A command that this database does not have.
    #[error("{0}")]
    Unsupported(String),
    /// A fault of ours: a query that is wrong, a row that cannot be read.
    #[error("the database was asked wrongly: {0}")]
    Broken(#[source] sqlx::Error),
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl StoreError {
    /// There is no such row.
    pub fn not_found(what: &'static str) -> Self {
        Self::NotFound { what }
    }

    /// Whether the same may work a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether it is about this unique column: `conflicts_with("user_account.email")`.
    pub fn conflicts_with(&self, column: &str) -> bool {
        matches!(self, Self::Conflict { what } if what.split(", ").any(|part| part == column))
    }

    pub(crate) fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), source }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound { what: "row" },
            sqlx::Error::Database(from) => of_database(from.as_ref()).unwrap_or(Self::Broken(error)),
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Unavailable(error),
            sqlx::Error::Tls(_) => Self::Refused(error.to_string()),
            sqlx::Error::Configuration(_) => Self::Url(error.to_string()),
            _ => Self::Broken(error),
        }
    }
}

/// What a database says; nothing when it is a fault of ours.
fn of_database(error: &dyn DatabaseError) -> Option<StoreError> {
    match error.kind() {
        ErrorKind::UniqueViolation => return Some(StoreError::Conflict { what: unique(error) }),
        ErrorKind::ForeignKeyViolation => return Some(StoreError::Dangling),
        _ => {}
    }
    let code = error.code()?;
    let message = error.message().to_owned();
    match error.try_downcast_ref::<PgDatabaseError>() {
        Some(_) => of_postgres(&code, message),
        None => of_sqlite(code.parse().ok()?, message),
    }
}

/// PostgreSQL 15, Appendix A, Error Codes.
fn of_postgres(code: &str, message: String) -> Option<StoreError> {
    let class = code.get(..2)?;
    Some(match (class, code) {
        // Connections; too many of them; shut down; lost against another transaction.
        ("08" | "57", _) | (_, "53300" | "40001" | "40P01" | "55P03") => {
            StoreError::Unavailable(sqlx::Error::Protocol(message))
        }
        (_, "53100") => StoreError::Full,
        (_, "25006") => StoreError::ReadOnly,
        ("28", _) | (_, "3D000" | "42501") => StoreError::Refused(message),
        ("22", _) => StoreError::Value(message),
        _ => return None,
    })
}

/// <https://sqlite.org/rescode.html>: the low byte is the primary code.
fn of_sqlite(code: u32, message: String) -> Option<StoreError> {
    Some(match code & 0xff {
        // IOERR_SHMSIZE: there is no room for the index of the write-ahead log.
        _ if code == 4_874 => StoreError::Full,
        // BUSY, LOCKED, and IOERR: a disk that comes and goes.
        5 | 6 | 10 => StoreError::Unavailable(sqlx::Error::Protocol(message)),
        8 => StoreError::ReadOnly,
        13 => StoreError::Full,
        // CANTOPEN, NOTADB
        14 | 26 => StoreError::Refused(message),
        // TOOBIG
        18 => StoreError::Value(message),
        _ => return None,
    })
}

/// The columns that must be unique, as SQLite names them, on both.
fn unique(error: &dyn DatabaseError) -> String {
    if let Some(postgres) = error.try_downcast_ref::<PgDatabaseError>() {
        let name = postgres.constraint().unwrap_or_default();
        // Key (org_id, slug)=(…) already exists.
        let columns = postgres.detail().and_then(|detail| detail.strip_prefix("Key (")?.split_once(")=("));
        return match (columns, postgres.table()) {
            (Some((columns, _)), Some(table)) if !columns.contains('(') => {
                columns.split(", ").map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
            }
            _ => name.to_owned(),
        };
    }
    let message = error.message();
    let columns = message.split_once("constraint failed: ").map_or(message, |(_, columns)| columns);
    // UNIQUE constraint failed: index 'name'
    columns.strip_prefix("index '").and_then(|name| name.strip_suffix('\'')).unwrap_or(columns).to_owned()
}
