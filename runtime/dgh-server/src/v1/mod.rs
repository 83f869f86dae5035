//! `/api/v1`. Each domain is a file with its `routes()`; [`parts`] puts them together.
//!
//! A new domain: a file here, its `routes()` in [`all`]. A new route: a handler with
//!
//! ```ignore
//! /// What it does, in a line that people read.
//! #[utoipa::path(
//!     get, path = "/things/{thing}", tag = "things",
//!     security(("key" = ["viewer", "things:read"])),
//!     params(("thing" = String, Path, description = "Its id.")),
//!     responses((status = 200, body = Thing)),
//! )]
//! pub(crate) async fn show(State(app): State<Arc<App>>, who: Who, Path(thing): Path<String>) -> Result<Json<Thing>, Problem> {
//!     who.needs(Role::Viewer, Scope::ThingsRead)?;
//! ```
//!
//! in `OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show))`, all methods of one
//! path together. Public routes say `security(())`, those for people alone `security(("session" = [role]))`.
//! Bodies, queries and paths are taken with `take`, lists with `paging`, creates with `idempotency`;
//! errors are `Problem`s, and those that all routes have are added to the document by themselves.

pub(crate) mod caller;
pub(crate) mod cookie;
mod document;
pub(crate) mod idempotency;
pub(crate) mod limits;
pub(crate) mod paging;
pub(crate) mod problem;
pub(crate) mod take;
pub(crate) mod who;

mod agents;
mod audit;
pub(crate) mod calls;
mod deliveries;
mod documents;
mod endpoints;
mod invites;
mod keys;
mod members;
mod orgs;
mod rights;
mod session;
mod users;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use tower_http::cors::CorsLayer;
use utoipa_axum::router::OpenApiRouter;

use self::problem::Problem;
use crate::app::App;
use crate::guard;

/// Where it all is.
pub(crate) const PREFIX: &str = "/api/v1";

/// The routes of all domains.
fn all() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(session::routes())
        .merge(users::routes())
        .merge(orgs::routes())
        .merge(members::routes())
        .merge(invites::routes())
        .merge(keys::routes())
        .merge(audit::routes())
        .merge(calls::routes())
        .merge(deliveries::routes())
        .merge(endpoints::routes())
        .merge(agents::routes())
        .merge(documents::routes())
}

/// The router of the API, with its document.
pub(crate) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let (routes, document) =
        OpenApiRouter::with_openapi(document::shared()).nest(PREFIX, all()).split_for_parts();
    let document = document::finish(&document);
    let known = Arc::new(document::parameters(&document));
    let text = Bytes::from(document.to_string());
    let served = Router::new()
        .route("/api/v1/openapi.json", get(async move || json_text(text)))
        .layer(from_fn_with_state(Arc::clone(app), guard::door));
    routes
        .route_layer(from_fn_with_state(known, parameters))
        .merge(served)
        .layer(cors(&app.settings.api.cors))
}

/// The document, for tests and tools.
#[cfg(test)]
pub(crate) fn the_document() -> serde_json::Value {
    let (_, document) = OpenApiRouter::with_openapi(document::shared()).nest(PREFIX, all()).split_for_parts();
    document::finish(&document)
}

fn json_text(text: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The parameters of each route.
type Known = HashMap<(Method, String), HashSet<String>>;

/// Refuses parameters that nobody knows: a filter that is written wrongly must not be none at all.
async fn parameters(State(known): State<Arc<Known>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let of_route = path.and_then(|path| known.get(&(request.method().clone(), path)));
    let query = request.uri().query().unwrap_or_default();
    if let Some(of_route) = of_route {
        let asked = url::form_urlencoded::parse(query.as_bytes());
        if let Some((name, _)) = asked.into_iter().find(|(name, _)| !of_route.contains(name.as_ref())) {
            let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
            let mut all: Vec<_> = of_route.iter().map(String::as_str).collect();
            all.sort_unstable();
            let problem =
                Problem::bad_request("unknown_parameter", format!("there is no parameter `{name}` here"));
            let problem = problem.fault(name, "unknown");
            return if all.is_empty() {
                problem
            } else {
                problem.hint(format!("Known: {}.", all.join(", ")))
            }
            .into_response();
        }
    }
    next.run(request).await
}

/// Pages of others may ask with a key when their origin is on the list; never with a session.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    if origins.is_empty() {
        return CorsLayer::new();
    }
    let any = origins.iter().any(|origin| origin == "*");
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("x-api-key"),
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            HeaderName::from_static("idempotency-replayed"),
        ])
        .max_age(std::time::Duration::from_mins(10));
    if any { layer.allow_origin(tower_http::cors::Any) } else { layer.allow_origin(origins.to_vec()) }
}
