//! What a client is told when something cannot be done: `{"code", "message", "hint"}`.

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dgh_platform::{BundleError, Refused};
use dgh_store::StoreError;
use dgh_transport::webrtc::WebRtcError;
use serde_json::json;

use crate::v1::problem::Problem;

/// Seconds after which a client may ask again.
const RETRY_AFTER: &str = "30";

/// What a stranger is told.
const SIGN_IN: &str = "Sign in at /login, or send `Authorization: Bearer dgh_…`.";

/// An error of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    pub(crate) fn no_agent(id: &str) -> Self {
        // An id may be anything that fits into an address.
        let id: String = id.chars().filter(|c| !c.is_control()).take(80).collect();
        Self::new(StatusCode::NOT_FOUND, "no_agent", format!("there is no agent `{id}`"))
            .hint("GET /api/agents lists those that are served.")
    }

    /// Why an agent cannot be called.
    pub(crate) fn of_agent(id: &str, error: BundleError) -> Self {
        match error {
            BundleError::Store(StoreError::NotFound { .. }) | BundleError::NoRelease { .. } => {
                Self::no_agent(id)
            }
            error => error.into(),
        }
    }

    /// No such call, or not theirs: who guesses ids learns nothing.
    pub(crate) fn no_call() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no_call", "there is no such call, or this is not its key")
            .hint("The key that POST /api/calls answered goes into the header `Authorization: Bearer …`.")
    }
}

impl ApiError {
    /// A ticket that is not good.
    pub(crate) fn bad_ticket() -> Self {
        Self::new(StatusCode::FORBIDDEN, "bad_ticket", "this ticket is not good, or not any more")
            .hint("The carrier's webhook hands out a fresh one for every call.")
    }

    /// There is no place.
    pub(crate) fn full(told: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "full", told)
    }

    /// It does not fit to what is there.
    pub(crate) fn conflict(told: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", told)
    }

    /// Something is wrong in here. The reason is for the log alone.
    pub(crate) fn internal(reason: &str) -> Self {
        tracing::error!(reason, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server could not do this")
            .hint("The log of the server says why.")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.code, "message": self.message, "hint": self.hint });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}

/// The routes from before `/api/v1` say it in their own form.
impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        let error = Self::new(problem.status(), problem.code(), problem.detail());
        if error.status == StatusCode::UNAUTHORIZED { error.hint(SIGN_IN) } else { error }
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        match refused {
            Refused::Full(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "full", message)
                .hint("`--max-calls` says how many are taken."),
            Refused::NoPlace { .. } => Self::full(message),
            Refused::Store(error) => error.into(),
            Refused::Draining => Self::new(StatusCode::SERVICE_UNAVAILABLE, "draining", message),
            Refused::NoVoice(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_voice", message)
                .hint("Set the key of its voice, or serve with `--tts`."),
            Refused::Start(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "cannot_start", message),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<BundleError> for ApiError {
    fn from(error: BundleError) -> Self {
        match &error {
            BundleError::Store(StoreError::Unavailable(_)) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_away", "the database does not answer")
            }
            BundleError::Unusable(why) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unusable", format!("{why:#}"))
            }
            _ => {
                tracing::error!(%error, "an agent cannot be loaded");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the agent cannot be loaded")
                    .hint("The log of the server says why.")
            }
        }
    }
}

impl From<WebRtcError> for ApiError {
    fn from(error: WebRtcError) -> Self {
        let message = error.to_string();
        match error {
            WebRtcError::Offer(_) | WebRtcError::NoSound => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_offer", message)
                    .hint("`offer` is the SDP of an offer with one audio track.")
            }
            WebRtcError::Closed => Self::new(StatusCode::GONE, "call_over", message),
            WebRtcError::Setup(_) | WebRtcError::Late | WebRtcError::Failed => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "no_connection", message)
            }
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "bad_request", rejection.body_text())
            .hint("The body is JSON, with `Content-Type: application/json`.")
    }
}

impl From<FormRejection> for ApiError {
    fn from(rejection: FormRejection) -> Self {
        Self::new(rejection.status(), "bad_request", rejection.body_text())
    }
}
