//! Who may do what: passwords, sessions, keys, members, invitations. The rules; their rows are in
//! `dgh_store::accounts`, their routes in the server.
//!
//! What opens something (a password, a session's token, a key, a link) is shown once and kept as a
//! hash. Whoever guesses is slowed down by rows, which all nodes share, and learns from no answer,
//! nor from how long it takes, whether an account exists.

mod error;
mod first;
mod identity;
mod invites;
mod keys;
mod members;
mod passwords;
mod sign_in;
mod text;
mod throttle;
mod tokens;

pub use dgh_store::accounts::{Role, Scope, Scopes};
pub use error::AccessError;
pub use first::{FirstOwner, first_owner};
pub use identity::{Identity, Presented, identify};
pub use invites::{Accepted, Invited, NewUser, accept, invite, look};
pub use keys::{MadeKey, NewKey, make_key, revoke_key};
pub use members::{Removed, new_org, remove_member, rename_org, set_role};
pub use passwords::{OwnPlace, change_password, reset_password_unscoped, update_user};
pub use sign_in::{SIGN_IN_ACTION, SignedIn, Visitor, sign_in, sign_out, switch_org};
pub use text::{LONGEST_EMAIL, LONGEST_NAME, LONGEST_PASSWORD, SHORTEST_PASSWORD};
pub use tokens::is_key;

use dgh_store::{Db, StoreError, Tx};

/// What a tidy-up leaves of failed attempts: a day.
const FAILURES_KEPT: i64 = 24 * 60 * 60 * 1_000;

/// Forgets sessions, links and answers that are over. Any node may, at any time.
pub async fn tidy(db: &Db, now: i64) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    dgh_store::accounts::sessions::tidy_unscoped(&mut tx, now).await?;
    dgh_store::accounts::invites::tidy_unscoped(&mut tx, now).await?;
    dgh_store::accounts::throttles::tidy_unscoped(&mut tx, now - FAILURES_KEPT).await?;
    dgh_store::idempotency::tidy_unscoped(&mut tx, now).await?;
    commit(tx).await
}

pub(crate) async fn commit(tx: Tx) -> Result<(), StoreError> {
    tx.commit().await.map_err(StoreError::from)
}

#[cfg(test)]
mod tests;
