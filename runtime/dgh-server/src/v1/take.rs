//! What a request holds, taken apart: body, query, path. axum's own would answer in words and forms
//! of theirs; these answer with a [`Problem`] that names the place.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;

/// A body of JSON. Read from the bytes once; unknown fields are what `T` says about them.
#[derive(Debug, Clone)]
pub(crate) struct Body<T>(pub(crate) T);

/// Parameters behind the `?`.
#[derive(Debug, Clone)]
pub(crate) struct Query<T>(pub(crate) T);

/// Parts of the path.
#[derive(Debug, Clone)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = bytes(request, state).await?;
        json_body(is_json, &bytes).map(Self)
    }
}

/// The body, at most as long as the route takes.
pub(super) async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection: BytesRejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too long")
        } else {
            Problem::bad_request("cut_off", "the body did not come to its end")
        }
    })
}

/// `application/json`, and what is a kind of it (RFC 6839).
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// A body that says that it is JSON, as a `T`.
pub(super) fn json_body<T: DeserializeOwned>(is_json: bool, bytes: &[u8]) -> Result<T, Problem> {
    if is_json {
        return json(bytes);
    }
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Err(Problem::new(status, "not_json", "the body has to be JSON")
        .hint("Send `Content-Type: application/json`."))
}

/// JSON as a `T`, or where it is not one.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request("bad_json", format!("the body is no JSON: {error}")))?;
    if !value.is_object() {
        return Err(Problem::unprocessable("no_object", "the body has to be an object"));
    }
    whole(&mut value);
    if holds_zero(&value) {
        return Err(Problem::unprocessable("zero_character", "text cannot hold the character U+0000"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let (at, detail) = (error.path().to_string(), error.inner().to_string());
        let told = if at == "." { detail.clone() } else { format!("`{at}`: {detail}") };
        Problem::unprocessable("invalid", told).fault(at, detail)
    })
}

/// `11.0` is a whole number too (JSON Schema, draft 2020-12, section 6.1.1), and is read as one.
fn whole(value: &mut Value) {
    /// Up to here every whole number has its own `f64`.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < EXACT);
            if let Some(number) = number {
                *value = Value::from(number as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole),
        Value::Object(fields) => fields.values_mut().for_each(whole),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// No database keeps it in a text, and nobody means it.
fn holds_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_zero),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_zero(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(Problem::unprocessable("zero_character", "text cannot hold the character U+0000"));
        }
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(QueryRejection::FailedToDeserializeQueryString(error)) => {
                // "Failed to deserialize query string: limit: invalid digit found in string"
                let text = error.body_text();
                let told = text.split_once(": ").map_or(text.as_str(), |(_, told)| told).to_owned();
                let problem = Problem::bad_request("invalid_parameter", told.clone());
                Err(match told.split_once(": ") {
                    Some((at, detail)) => problem.fault(at, detail),
                    None => problem,
                })
            }
            Err(_) => Err(Problem::bad_request("invalid_parameter", "the parameters cannot be read")),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // An id that is no id names nothing.
        if parts.uri.path().contains("%00") {
            return Err(Problem::not_found("thing"));
        }
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(_)) => Err(Problem::not_found("thing")),
            Err(other) => Err(Problem::internal(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        #[serde(rename = "inner")]
        _inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[serde(rename = "count")]
        _count: u8,
    }

    fn told(body: &str) -> (u16, Value) {
        let problem = json::<Thing>(body.as_bytes()).unwrap_err();
        let status = problem.status().as_u16();
        (status, serde_json::to_value(&*problem.0).unwrap())
    }

    #[test]
    fn a_fault_in_a_body_has_its_place() {
        let (status, told) = told(r#"{"inner": {"count": 300}}"#);
        assert_eq!((status, &told["code"]), (422, &Value::from("invalid")));
        assert_eq!(told["errors"][0]["at"], "inner.count");
        assert_eq!(told["type"], "urn:dgh:problem:invalid");
    }

    #[test]
    fn a_whole_number_may_have_a_point() {
        assert!(json::<Thing>(br#"{"inner": {"count": 11.0}}"#).is_ok());
        assert_eq!(told(r#"{"inner": {"count": 11.5}}"#).1["errors"][0]["at"], "inner.count");
    }

    #[test]
    fn what_is_no_json_or_holds_a_zero_is_refused() {
        assert_eq!(told("{").0, 400);
        assert_eq!(told(r#"{"inner": {"count": 1, "x": ["\u0000"]}}"#).1["code"], "zero_character");
        assert_eq!(told(r#"{"inner": {"count": 1}, "more": 1}"#).0, 422);
        // serde would take a list for an object.
        assert_eq!(told(r#"[{"count": 1}]"#).1["code"], "no_object");
    }
}
