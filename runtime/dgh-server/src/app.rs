//! The routes, and what all of them share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use dgh_platform::platform::Platform;
use dgh_platform::vault::Vault;
use dgh_platform::{Agents, Calls};
use dgh_store::{Db, OrgId};
use dgh_transport::webrtc::Peer;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::error::ApiError;
use crate::settings::Settings;
use crate::v1::limits::{KNOWN, Limits};
use crate::v1::problem::Problem;
use crate::{api, assets, carriers, guard, health, v1};

/// Longest body of a request: an offer is some KiB.
const MAX_BODY: usize = 128 << 10;

/// What the routes share.
pub struct App {
    pub(crate) platform: Arc<Platform>,
    /// The organisation that this machine's agents, its figures and its open page belong to.
    pub(crate) home: OrgId,
    pub(crate) limits: Limits,
    pub(crate) agents: Arc<Agents>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) settings: Settings,
    /// Where it listens.
    pub(crate) listens: SocketAddr,
    pub(crate) figures: PrometheusHandle,
    /// The signalling of calls, by their ids.
    peers: Mutex<HashMap<String, Peer>>,
}

impl App {
    /// What the routes of one server share.
    pub(crate) fn new(
        home: OrgId,
        agents: Arc<Agents>,
        calls: Arc<Calls>,
        settings: Settings,
        listens: SocketAddr,
        figures: PrometheusHandle,
    ) -> Arc<Self> {
        let peers = Mutex::default();
        let platform = Arc::clone(agents.platform());
        let limits = Limits::new(settings.api.rate.unwrap_or(KNOWN));
        Arc::new(Self { platform, home, limits, agents, calls, settings, listens, figures, peers })
    }

    pub(crate) fn db(&self) -> &Db {
        &self.platform.db
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.platform.vault
    }

    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.platform.now()
    }

    pub(crate) fn peers(&self) -> MutexGuard<'_, HashMap<String, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All routes.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let door = || from_fn_with_state(Arc::clone(app), guard::door);
    let ours = || from_fn_with_state(Arc::clone(app), guard::ours);
    // What is of this server and of no call: for whoever may come in.
    let inside = Router::new()
        .route("/", get(page))
        .route("/api/agents", get(api::agents::list))
        .route("/api/calls", get(api::calls::list).post(api::calls::start))
        .route("/metrics", get(metrics))
        .route_layer(door());
    let browser = Router::new()
        .route("/page/{*path}", get(asset))
        .route("/login", get(login))
        .route("/account", get(account))
        .route("/docs", get(docs))
        .route("/api/calls/{id}", get(api::calls::show))
        .route("/api/calls/{id}/events", get(api::events::follow))
        .route("/api/calls/{id}/candidates", post(api::calls::candidates))
        .route("/api/calls/{id}/offer", post(api::calls::offer))
        .route("/api/calls/{id}/hangup", post(api::calls::hangup))
        .route_layer(ours());
    let machines = Router::new()
        .route("/carriers/twilio/{agent}/voice", post(carriers::twilio::voice))
        .route("/carriers/twilio/calls/{call}/status", post(carriers::twilio::status))
        .route("/carriers/{carrier}/{agent}", get(carriers::socket::without_ticket))
        .route("/carriers/{carrier}/{agent}/{ticket}", get(carriers::socket::with_ticket))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/healthz", get(health::ready));
    inside
        .merge(browser)
        .merge(machines)
        .merge(v1::router(app))
        .fallback(nothing)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(guard::headers))
        .with_state(Arc::clone(app))
}

async fn page(asked: HeaderMap) -> Response {
    assets::file("index.html", &asked).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

async fn login(asked: HeaderMap) -> Response {
    assets::file("login.html", &asked).unwrap_or_else(|| nowhere().into_response())
}

async fn account(asked: HeaderMap) -> Response {
    assets::file("account.html", &asked).unwrap_or_else(|| nowhere().into_response())
}

async fn docs(asked: HeaderMap) -> Response {
    assets::file("docs.html", &asked).unwrap_or_else(|| nowhere().into_response())
}

async fn asset(Path(path): Path<String>, asked: HeaderMap) -> Response {
    match assets::file(&path, &asked) {
        Some(file) => file,
        None => nowhere().into_response(),
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.figures.render()).into_response()
}

async fn nothing(uri: Uri) -> Response {
    if uri.path().starts_with(v1::PREFIX) {
        return Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
            .into_response();
    }
    nowhere().into_response()
}

async fn not_allowed(uri: Uri) -> Response {
    let (status, code) = (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    let told = "this address takes another method";
    if uri.path().starts_with(v1::PREFIX) {
        return Problem::new(status, code, told).into_response();
    }
    ApiError::new(status, code, told).into_response()
}

fn nowhere() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
}
