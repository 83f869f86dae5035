//! What a client of `/api/v1` is told when something cannot be done: RFC 9457, with a `code` that
//! programs compare and a `hint` that people follow. No text of a library gets out but for what is
//! wrong with the client's own words; what went wrong in here is logged, and said to nobody.

use std::borrow::Cow;
use std::fmt::Display;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dgh_platform::access::AccessError;
use dgh_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of RFC 9457.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";
/// Seconds after which a client may ask again when the database is away.
const AGAIN: u64 = 2;

/// An error of the API. Boxed: results are small where nothing is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Problem(pub(super) Box<Told>);

/// Why a request was not answered as asked (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Told {
    /// A name for this kind of problem: `urn:dgh:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The meaning of the status.
    title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong, for a person.
    detail: String,
    /// What is wrong, for a program: a word that stays the same.
    code: &'static str,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    hint: Option<Cow<'static, str>>,
    /// The single faults, where there are several or one has a place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Fault>,
    #[serde(skip)]
    #[schema(ignore)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One fault.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// Where: a path into the body (`inputs.name`), a parameter, or a place in a file.
    pub(crate) at: String,
    /// What is wrong there.
    pub(crate) detail: String,
    /// The code of a finding of the compiler.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) code: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Told {
            kind: format!("urn:dgh:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            hint: None,
            errors: Vec::new(),
            headers: Vec::new(),
        }))
    }

    /// What to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// A fault and its place.
    pub(crate) fn fault(mut self, at: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.errors.push(Fault { at: at.into(), detail: detail.into(), code: None });
        self
    }

    /// All faults.
    pub(crate) fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.0.errors = faults;
        self
    }

    /// A header of the answer.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// When to ask again.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, seconds.max(1).into())
    }

    /// The request cannot be read.
    pub(crate) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// Nobody known asks.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "this needs a key or a session")
            .hint("Send `Authorization: Bearer dgh_…`, or sign in at /login.")
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// Who asks may not.
    pub(crate) fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// There is no such thing, or it belongs to another organisation: who guesses ids learns nothing.
    /// `what` is a noun: "agent".
    pub(crate) fn not_found(what: impl Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// It does not fit to what is there.
    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// The request can be read, and means nothing that can be done.
    pub(crate) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// A field of the body holds what it must not.
    pub(crate) fn invalid(at: impl Into<String>, detail: impl Into<String>) -> Self {
        let (at, detail) = (at.into(), detail.into());
        Self::unprocessable("invalid", format!("`{at}`: {detail}")).fault(at, detail)
    }

    /// Too much at a time.
    pub(crate) fn too_many(code: &'static str, detail: impl Into<String>, seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail).retry_after(seconds)
    }

    /// Something is wrong in here. The reason is for the log alone.
    pub(crate) fn internal(reason: impl Display) -> Self {
        tracing::error!(%reason, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server could not do this")
            .hint("The log of the server says why.")
    }

    /// What is wrong, for a person.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What is wrong, for a program.
    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        for (name, value) in self.0.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what } => Self::not_found(what),
            StoreError::Conflict { what } => Self::conflict("conflict", format!("{what} is taken")),
            StoreError::Dangling => Self::conflict("dangling", error.to_string()),
            StoreError::Value(_) => Self::unprocessable("invalid", error.to_string()),
            StoreError::Unavailable(reason) => {
                tracing::warn!(%reason, "the database is away");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_away", "the database does not answer")
                    .retry_after(AGAIN)
            }
            StoreError::Full | StoreError::ReadOnly => {
                tracing::error!(%error, "nothing can be written");
                let status = StatusCode::INSUFFICIENT_STORAGE;
                Self::new(status, "cannot_write", error.to_string())
                    .hint("The operator of the server is needed.")
            }
            other => Self::internal(other),
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let detail = error.to_string();
        match error {
            AccessError::Store(error) => error.into(),
            AccessError::WrongLogin => Self::new(StatusCode::UNAUTHORIZED, "wrong_login", detail)
                .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            AccessError::Throttled(seconds) => Self::too_many("throttled", detail, seconds),
            AccessError::NoOrganisation => {
                Self::forbidden("no_organisation", detail).hint("An owner of an organisation can invite you.")
            }
            AccessError::WrongPassword => Self::forbidden("wrong_password", detail),
            AccessError::Invalid { field, why } => Self::invalid(field, why),
            AccessError::InviteGone => Self::new(StatusCode::GONE, "invite_gone", detail)
                .hint("Ask whoever sent it for another one."),
            AccessError::SignInFirst => Self::conflict("sign_in_first", detail),
            AccessError::AlreadyMember => Self::conflict("already_member", detail),
            AccessError::EmailTaken => Self::conflict("email_taken", detail),
            AccessError::LastOwner => {
                Self::conflict("last_owner", detail).hint("Make somebody else an owner first.")
            }
            AccessError::MoreThanOwn => Self::forbidden("more_than_own", detail),
            AccessError::System(_) => Self::internal(detail),
        }
    }
}
