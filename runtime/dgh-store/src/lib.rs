//! The database. SQLite or Postgres behind one interface and one text of SQL: `$1` parameters, ids as
//! TEXT, times as BIGINT (milliseconds since 1970, UTC), booleans as BIGINT 0 and 1, JSON as TEXT,
//! bytes as BLOB. What the two do differently is in [`dialect`] and nowhere else.
//!
//! A module for each domain holds its queries: plain functions over a connection, so that several
//! go into one transaction. Every one takes the organisation, unless its name says `_unscoped`.

pub mod accounts;
pub mod agents;
pub mod artifacts;
pub mod audit;
mod backup;
pub mod calls;
mod db;
pub mod deliveries;
pub mod dialect;
mod error;
pub mod id;
pub mod idempotency;
pub mod instance;
pub mod jobs;
pub mod knowledge;
mod migrate;
mod query;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;

pub use backup::restore;
pub use db::{CONNECTIONS, Conn, Db, Tx, shown};
pub use dialect::{Dialect, Hint, Listener};
pub use error::StoreError;
pub use id::*;
pub use migrate::Migrated;
pub use query::Query;
