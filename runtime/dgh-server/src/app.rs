//! The routes, and what all of them share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use dgh_platform::{Calls, Deployments};
use dgh_transport::webrtc::Peer;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::carriers::tickets::Tickets;
use crate::error::ApiError;
use crate::settings::Settings;
use crate::{api, assets, carriers, guard};

/// Longest body of a request: an offer is some KiB.
const MAX_BODY: usize = 128 << 10;

/// What the routes share.
pub struct App {
    pub(crate) deployments: Arc<Deployments>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) settings: Settings,
    pub(crate) tickets: Tickets,
    /// Where it listens.
    pub(crate) listens: SocketAddr,
    pub(crate) figures: PrometheusHandle,
    /// The signalling of calls, by their ids.
    peers: Mutex<HashMap<String, Peer>>,
}

impl App {
    /// What the routes of one server share.
    pub(crate) fn new(
        deployments: Arc<Deployments>,
        calls: Arc<Calls>,
        settings: Settings,
        listens: SocketAddr,
        figures: PrometheusHandle,
    ) -> Arc<Self> {
        let (tickets, peers) = (Tickets::default(), Mutex::default());
        Arc::new(Self { deployments, calls, settings, tickets, listens, figures, peers })
    }

    pub(crate) fn peers(&self) -> MutexGuard<'_, HashMap<String, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All routes.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let browser = Router::new()
        .route("/", get(page))
        .route("/page/{*path}", get(asset))
        .route("/api/agents", get(api::agents::list))
        .route("/api/calls", get(api::calls::list).post(api::calls::start))
        .route("/api/calls/{id}", get(api::calls::show))
        .route("/api/calls/{id}/events", get(api::events::follow))
        .route("/api/calls/{id}/candidates", post(api::calls::candidates))
        .route("/api/calls/{id}/offer", post(api::calls::offer))
        .route("/api/calls/{id}/hangup", post(api::calls::hangup))
        .layer(from_fn_with_state(Arc::clone(app), guard::ours));
    let machines = Router::new()
        .route("/carriers/twilio/{agent}/voice", post(carriers::twilio::voice))
        .route("/carriers/{carrier}/{agent}", get(carriers::socket::without_ticket))
        .route("/carriers/{carrier}/{agent}/{ticket}", get(carriers::socket::with_ticket))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics));
    browser
        .merge(machines)
        .fallback(nothing)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(guard::headers))
        .with_state(Arc::clone(app))
}

async fn page(asked: HeaderMap) -> Response {
    assets::file("index.html", &asked).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

async fn asset(Path(path): Path<String>, asked: HeaderMap) -> Response {
    match assets::file(&path, &asked) {
        Some(file) => file,
        None => nothing().await.into_response(),
    }
}

async fn health(State(app): State<Arc<App>>) -> Response {
    if app.calls.is_draining() {
        return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "draining", "no new calls are taken")
            .into_response();
    }
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "ok\n").into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.figures.render()).into_response()
}

async fn nothing() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
}

async fn not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address takes another method")
}
