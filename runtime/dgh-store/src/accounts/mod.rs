//! Organisations and who may do what in them: users, members, sessions, invitations, keys.
//!
//! Functions named `…_unscoped` are for signing in and for workers: who asks is not known yet, or is
//! the server itself. What is secret (passwords, tokens, keys) is a hash in here; the hashing is the
//! caller's.

pub mod invites;
pub mod keys;
pub mod members;
pub mod orgs;
mod rights;
pub mod sessions;
pub mod throttles;
pub mod users;

pub use rights::{Role, Scope, Scopes, UnknownRight};
