//! The call page: files of `page/`, in the binary.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "page/"]
struct Page;

/// A file of the page; none: there is no such file.
pub(crate) fn file(path: &str, asked: &HeaderMap) -> Option<Response> {
    let file = Page::get(path)?;
    let tag = tag(&file);
    let same = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let headers = [
        (header::CONTENT_TYPE, content_type(path)),
        // The browser asks each time, and mostly hears that nothing changed.
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, &tag),
    ];
    Some(if same {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, Body::from(file.data)).into_response()
    })
}

fn tag(file: &EmbeddedFile) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
