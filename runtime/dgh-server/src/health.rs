//! Whether the process lives, and whether it should be sent requests.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::app::App;
use crate::error::ApiError;

/// A database that takes longer to say a word is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /livez`: it answers, so it lives. Never asks anything else: a database that is away is no
/// reason to end the calls that go on.
pub(crate) async fn live() -> Response {
    ok()
}

/// `GET /readyz`: new calls are taken and the database answers.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    let away =
        |code, message: &str| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, message).into_response();
    if app.calls.is_draining() {
        return away("draining", "no new calls are taken");
    }
    match timeout(PATIENCE, app.platform.db.ping()).await {
        Ok(Ok(())) => ok(),
        // Whoever asks need not know where it is.
        Ok(Err(_)) | Err(_) => away("database_away", "the database does not answer"),
    }
}

fn ok() -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "ok\n").into_response()
}
