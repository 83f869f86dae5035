//! Tickets: a webhook that was checked hands one out with the row of its call, and the socket that shows
//! it is let in, once, by one conditional update: of all sockets at all nodes one gets the call.

use dgh_platform::keys;
use dgh_store::calls::{self as rows, CallRow, Created, Owner, Ticket};

use crate::app::App;
use crate::error::ApiError;
use crate::v1::calls::hashed;

/// How long a ticket of an inbound call is good. Carriers open the socket within a second or two.
const GOOD_FOR_MS: i64 = 60_000;

/// Writes a call down that a carrier tells of, and hands out its ticket. A carrier that tells twice gets
/// a fresh ticket for the same call.
pub(super) async fn issue(app: &App, org: &dgh_store::OrgId, new: rows::NewCall) -> Result<String, ApiError> {
    let book = app.calls.book().ok_or_else(no_book)?;
    let word = keys::secret_name().map_err(|error| no_ticket(&error))?;
    let (now, hash) = (app.now(), hashed(&word));
    let until = now + GOOD_FOR_MS;
    let new = rows::NewCall { due_at: Some(until), ticket: Some((hash.clone(), until)), ..new };
    match book.create(org, &new, now).await? {
        Created::New => Ok(word),
        Created::Already(id) => {
            let mut tx = book.db().begin().await?;
            let renewed = rows::renew_ticket(&mut tx, org, &id, &hash, until).await?;
            tx.commit().await.map_err(dgh_store::StoreError::from)?;
            if renewed { Ok(word) } else { Err(ApiError::conflict("the call is taken already")) }
        }
        Created::Full { max, .. } => {
            let told = format!("{max} calls go on, and no more are taken at a time");
            Err(ApiError::full(told))
        }
    }
}

/// Takes the call of a ticket for this node.
pub(super) async fn redeem(app: &App, carrier: &str, agent: &str, word: &str) -> Result<CallRow, ApiError> {
    let book = app.calls.book().ok_or_else(no_book)?;
    let ticket = Ticket { hash: &hashed(word), line: carrier, agent };
    let mut tx = book.db().begin().await?;
    let row = rows::redeem_unscoped(&mut tx, ticket, book.node(), app.now()).await?;
    tx.commit().await.map_err(dgh_store::StoreError::from)?;
    row.ok_or_else(ApiError::bad_ticket)
}

/// The right to change a call that was taken.
pub(super) fn owner(row: &CallRow) -> Owner {
    Owner { call: row.id.clone(), org: row.org_id.clone(), fence: row.fence }
}

fn no_book() -> ApiError {
    ApiError::internal("calls of carriers are written down, and this server has no book")
}

fn no_ticket(error: &anyhow::Error) -> ApiError {
    ApiError::internal(&format!("no ticket: {error:#}"))
}
