//! What SQLite and Postgres do differently. Nothing else in the crate asks which of them it is.

mod hints;
mod search;

pub(crate) use hints::Hub;
pub use hints::{Hint, Listener};

use crate::db::Conn;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// A file, one process.
    Sqlite,
    /// A server, many nodes.
    Postgres,
}

impl Dialect {
    /// That of a connection.
    pub fn of(conn: &Conn) -> Self {
        if conn.backend_name() == "SQLite" { Self::Sqlite } else { Self::Postgres }
    }

    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "Postgres",
        }
    }

    /// What every new connection is told first.
    pub(crate) fn setup(self) -> &'static str {
        match self {
            // With a write-ahead log NORMAL loses no committed transaction to a crash of the process,
            // and the last ones to a loss of power (https://sqlite.org/pragma.html#pragma_synchronous).
            Self::Sqlite => {
                "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                 PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4000; \
                 PRAGMA journal_size_limit = 16777216;"
            }
            Self::Postgres => {
                "SET application_name = 'dgh'; SET TIME ZONE 'UTC'; SET idle_in_transaction_session_timeout = '60s';"
            }
        }
    }

    /// Takes the lock of the migrations, until the transaction ends.
    pub(crate) fn lock_migrations(self) -> Option<&'static str> {
        match self {
            // BEGIN IMMEDIATE has it.
            Self::Sqlite => None,
            // "dgh" and a number, as no other program should choose it.
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(6580072, 1)"),
        }
    }

    /// Whether it can be used at all.
    pub(crate) fn try_out(self) -> &'static str {
        match self {
            // Makes the files beside it, for which a disk may have no room.
            Self::Sqlite => "BEGIN IMMEDIATE; ROLLBACK",
            Self::Postgres => "SELECT 1",
        }
    }

    /// Asks for the time of another machine.
    pub(crate) fn clock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"),
        }
    }

    /// The text of a migration as this database takes it.
    ///
    /// Postgres gets `BYTEA` for `BLOB`, and texts that compare byte by byte, as those of SQLite do:
    /// so that pages and unique names are the same on both, whatever the locale of the server.
    /// Lines between `-- only sqlite` or `-- only postgres` and `-- end` are for one of them.
    pub(crate) fn migration(self, text: &str) -> String {
        let (mut out, mut only) = (String::with_capacity(text.len()), None);
        for line in text.lines() {
            let code = line.trim();
            match code.strip_prefix("-- only ") {
                Some(name) => only = Some(name.eq_ignore_ascii_case(self.name())),
                None if code == "-- end" => only = None,
                None if only == Some(false) || code.starts_with("--") => {}
                None => {
                    out.push_str(&self.line(line));
                    out.push('\n');
                }
            }
        }
        out
    }

    fn line(self, line: &str) -> String {
        if self == Self::Sqlite {
            return line.to_owned();
        }
        let mut out = String::with_capacity(line.len() + 16);
        let mut before = "";
        for word in line.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            let name = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            match name {
                "BLOB" => out.push_str(&word.replacen("BLOB", "BYTEA", 1)),
                // `CAST(x AS TEXT)` names a type, and no column.
                "TEXT" if before != "AS" => out.push_str(&word.replacen("TEXT", "TEXT COLLATE \"C\"", 1)),
                _ => out.push_str(word),
            }
            if !name.is_empty() {
                before = name;
            }
        }
        out
    }
}

/// A query that claims rows which others may claim at the same time, as each database takes it:
/// `claiming!(dialect, "UPDATE … WHERE id IN (SELECT id … LIMIT $1", ") RETURNING …")`. Postgres
/// skips the rows that somebody else is about to take; SQLite has one writer.
#[macro_export]
macro_rules! claiming {
    ($dialect:expr, $before:literal, $after:literal) => {
        match $dialect {
            $crate::Dialect::Sqlite => concat!($before, $after),
            $crate::Dialect::Postgres => concat!($before, " FOR UPDATE SKIP LOCKED", $after),
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_is_written_for_each_database() {
        let text = "-- Why.\nCREATE TABLE t (id TEXT PRIMARY KEY, b BLOB NOT NULL, n BIGINT);\n\
            -- only sqlite\nCREATE VIRTUAL TABLE s USING fts5(x);\n-- end\n\
            -- only postgres\nCREATE INDEX s ON t (CAST(n AS TEXT));\n-- end\n";
        assert_eq!(
            Dialect::Sqlite.migration(text),
            "CREATE TABLE t (id TEXT PRIMARY KEY, b BLOB NOT NULL, n BIGINT);\nCREATE VIRTUAL TABLE s USING fts5(x);\n"
        );
        assert_eq!(
            Dialect::Postgres.migration(text),
            "CREATE TABLE t (id TEXT COLLATE \"C\" PRIMARY KEY, b BYTEA NOT NULL, n BIGINT);\n\
             CREATE INDEX s ON t (CAST(n AS TEXT));\n"
        );
    }
}
