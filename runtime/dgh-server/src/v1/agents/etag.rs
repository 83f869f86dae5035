//! `If-Match`: whoever writes says what they have read.

use axum::http::{HeaderMap, StatusCode, header};

use crate::v1::problem::Problem;

/// What `If-Match` names (RFC 9110, 13.1.1); none: whatever is there.
pub(super) enum Match {
    /// `*`
    Any,
    /// `"…"`
    This(String),
}

/// Reads it, if it is there.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<Match>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(Some(Match::Any));
    }
    let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match tag.filter(|tag| !tag.contains('"')) {
        Some(tag) => Ok(Some(Match::This(tag.to_owned()))),
        None => Err(Problem::unprocessable("bad_if_match", "`If-Match` is one `ETag`, in quotes, or `*`")),
    }
}

/// What is answered without it.
pub(super) fn needed() -> Problem {
    Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_needed", "this needs `If-Match`")
        .hint("Read what is there, and send its `ETag`, so that nobody's changes are lost.")
}
