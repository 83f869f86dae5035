//! Creates that may be repeated: a client that heard no answer sends the same request with the same
//! `Idempotency-Key`, and gets the answer of the first. The key, what is made and the answer are
//! written in one transaction, so there is never one without the others.
//!
//! ```ignore
//! async fn create(State(app): State<Arc<App>>, who: Who, create: Create<NewThing>) -> Result<Response, Problem> {
//!     who.needs(Role::Editor, Scope::ThingsWrite)?;
//!     let (new, mut once) = match create.begin(&app, &who).await? {
//!         Begun::Again(answer) => return Ok(answer),
//!         Begun::First(new, once) => (new, once),
//!     };
//!     let thing = things::insert(once.conn(), &who.org, new, app.now()).await?;
//!     once.created(&format!("/api/v1/things/{}", thing.id), &Thing::from(thing)).await
//! }
//! ```
//!
//! Nothing slow goes between `begin` and `created`: on SQLite the transaction is the only one.

use std::fmt::Write as _;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dgh_platform::vault::Vault;
use dgh_store::{Conn, OrgId, StoreError, Tx, idempotency};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::problem::Problem;
use super::take;
use super::who::Who;
use crate::app::App;

/// How long an answer is kept: a day.
const KEPT: i64 = 24 * 60 * 60 * 1_000;
/// Longest key.
const LONGEST: usize = 200;
/// The header with the key.
const KEY: &str = "idempotency-key";
/// The header of an answer that is not the first.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The body of a create, and its key if it has one.
#[derive(Debug)]
pub(crate) struct Create<T> {
    new: T,
    key: Option<String>,
    request: String,
}

/// Whether this is the first time.
pub(crate) enum Begun<T> {
    /// It is not: this was answered.
    Again(Response),
    /// It is: what is wanted, and the transaction to make it in.
    First(T, Once),
}

/// The transaction of a create.
pub(crate) struct Once {
    tx: Tx,
    org: OrgId,
    key: Option<String>,
    vault: Vault,
}

/// What is kept of an answer.
#[derive(Serialize, Deserialize)]
struct Answer {
    location: Option<String>,
    body: String,
}

impl<T> Create<T> {
    /// What is wanted, for what takes long and goes before the transaction.
    pub(crate) fn wanted(&self) -> &T {
        &self.new
    }

    /// What was answered, when it was made already.
    pub(crate) async fn answered(&self, app: &App, who: &Who) -> Result<Option<Response>, Problem> {
        let Some(key) = &self.key else { return Ok(None) };
        let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
        if idempotency::get(&mut conn, &who.org, key).await?.is_none() {
            return Ok(None);
        }
        drop(conn);
        again(app, who, key, &hex(&by(who, &self.request))).await.map(Some)
    }

    /// Begins to make it, unless it was made.
    pub(crate) async fn begin(self, app: &App, who: &Who) -> Result<Begun<T>, Problem> {
        let Self { new, key, request } = self;
        let now = app.now();
        let mut tx = app.db().begin().await?;
        if let Some(key) = &key {
            let request = hex(&by(who, &request));
            match idempotency::claim(&mut tx, &who.org, key, &request, now, now + KEPT).await {
                Ok(()) => {}
                Err(StoreError::Conflict { .. }) => {
                    drop(tx);
                    return again(app, who, key, &request).await.map(Begun::Again);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let (org, vault) = (who.org.clone(), app.vault().clone());
        Ok(Begun::First(new, Once { tx, org, key, vault }))
    }
}

/// The same words of two who may different things are two requests.
fn by(who: &Who, request: &str) -> String {
    format!("{:?} {:?} {request}", who.user, who.key)
}

/// What was answered, if it was the same request.
async fn again(app: &App, who: &Who, key: &str, request: &str) -> Result<Response, Problem> {
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let stored = idempotency::get(&mut conn, &who.org, key).await?;
    // Gone between the two questions: it failed, or is over.
    let stored = stored.ok_or_else(|| {
        Problem::conflict(
            "idempotency_race",
            "the first request with this key has just ended without an answer",
        )
        .hint("Send it again.")
        .retry_after(1)
    })?;
    if stored.request != request {
        return Err(Problem::unprocessable(
            "idempotency_key_reused",
            "this `Idempotency-Key` came with another request before",
        )
        .hint("Use a new key for each thing that is made, and the same only to repeat a request."));
    }
    let opened = app.vault().open_bytes(&about(&who.org, key), &stored.answer).map_err(Problem::internal)?;
    let answer: Answer = serde_json::from_slice(&opened).map_err(Problem::internal)?;
    let status = u16::try_from(stored.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = respond(status.unwrap_or(StatusCode::OK), answer.location.as_deref(), answer.body);
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

impl Once {
    /// For whatever is made.
    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.tx
    }

    /// It is made: answers 201 with where it is.
    pub(crate) async fn created(self, location: &str, body: &impl Serialize) -> Result<Response, Problem> {
        self.answer(StatusCode::CREATED, Some(location), body).await
    }

    /// It is done: keeps the answer, and commits.
    pub(crate) async fn answer(
        mut self,
        status: StatusCode,
        location: Option<&str>,
        body: &impl Serialize,
    ) -> Result<Response, Problem> {
        let body = serde_json::to_string(body).map_err(Problem::internal)?;
        if let Some(key) = &self.key {
            let answer = Answer { location: location.map(str::to_owned), body: body.clone() };
            let text = serde_json::to_string(&answer).map_err(Problem::internal)?;
            let sealed = self.vault.seal(&about(&self.org, key), &text).map_err(Problem::internal)?;
            let status = i64::from(status.as_u16());
            idempotency::answer(&mut self.tx, &self.org, key, status, &sealed).await?;
        }
        self.tx.commit().await.map_err(StoreError::from)?;
        Ok(respond(status, location, body))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Create<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let key = key(request.headers())?;
        let head = format!("{} {}\n", request.method(), request.uri());
        let is_json = take::is_json(request.headers());
        let bytes = take::bytes(request, state).await?;
        let new = take::json_body(is_json, &bytes)?;
        let mut hash = Sha256::new();
        hash.update(head);
        hash.update(&bytes);
        Ok(Self { new, key, request: text(&hash.finalize()) })
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > LONGEST || !visible {
        let told = format!("`Idempotency-Key` has 1 to {LONGEST} visible characters");
        return Err(Problem::bad_request("bad_idempotency_key", told));
    }
    Ok(Some(text.to_owned()))
}

/// What a sealed answer is about.
fn about(org: &OrgId, key: &str) -> String {
    format!("idempotency {org} {key}")
}

fn respond(status: StatusCode, location: Option<&str>, body: String) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    if let Some(location) = location.and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn hex(of: &str) -> String {
    text(&Sha256::digest(of.as_bytes()))
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_are_visible_and_bounded() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(KEY, HeaderValue::from_str(text).unwrap());
            key(&headers)
        };
        assert_eq!(of("8e03978e-40d5-43dd-bc93-6894a57f9324").unwrap().unwrap().len(), 36);
        assert_eq!(key(&HeaderMap::new()).unwrap(), None);
        for wrong in ["", "a b", &"x".repeat(201)] {
            assert_eq!(of(wrong).unwrap_err().code(), "bad_idempotency_key", "{wrong}");
        }
    }
}
