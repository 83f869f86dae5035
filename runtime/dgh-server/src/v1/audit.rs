//! The audit log.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use dgh_platform::access::{Role, Scope};
use dgh_store::{StoreError, audit};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging::{Page, Paging};
use super::problem::Problem;
use super::take::Query;
use super::who::Who;
use crate::app::App;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A change. Neither user nor key: the server itself made it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    id: String,
    at: i64,
    /// The user who did it.
    user: Option<String>,
    /// The key that did it.
    key: Option<String>,
    /// From where.
    address: Option<String>,
    /// What was done: `api_key.create`.
    action: String,
    /// The id of what was changed.
    subject: String,
    /// More about it; no secret.
    #[schema(value_type = Object)]
    detail: Value,
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// By this user.
    #[param(nullable = false)]
    user: Option<String>,
    /// By this key.
    #[param(nullable = false)]
    key: Option<String>,
    /// What was done: `member.update`, or all of a kind: `member.`
    #[param(nullable = false)]
    action: Option<String>,
    /// To this thing.
    #[param(nullable = false)]
    subject: Option<String>,
    /// Not before this time.
    #[param(nullable = false)]
    from: Option<i64>,
    /// Before this time.
    #[param(nullable = false)]
    to: Option<i64>,
}

/// Lists who changed what, the newest first.
#[utoipa::path(
    get, path = "/audit", tag = "audit",
    security(("key" = ["owner", "audit:read"])),
    params(Which, Paging),
    responses((status = 200, body = Page<AuditEntry>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    Query(which): Query<Which>,
    paging: Paging,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    who.needs(Role::Owner, Scope::AuditRead)?;
    let Which { user, key, action, subject, from, to } = which;
    let filter = audit::Filter { user, key, action, subject, from, to };
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found = audit::list(&mut conn, &who.org, &filter, paging.after.as_deref(), paging.fetch()).await?;
    Ok(Json(paging.page(found, |entry| entry.id.to_string()).map(AuditEntry::from)))
}

impl From<audit::Entry> for AuditEntry {
    fn from(entry: audit::Entry) -> Self {
        Self {
            id: entry.id.to_string(),
            at: entry.at,
            user: entry.by.user.map(|user| user.to_string()),
            key: entry.by.key.map(|key| key.to_string()),
            address: entry.by.address,
            action: entry.action,
            subject: entry.subject,
            detail: entry.detail.0,
        }
    }
}
