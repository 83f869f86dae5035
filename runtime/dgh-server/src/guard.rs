//! What every answer carries, and who may ask.
//!
//! A page of somebody else, open in the same browser, must not be able to start calls here: by a
//! request across origins (CSRF), or by a name of theirs that suddenly means this machine (DNS
//! rebinding). So the `Host` must be ours, and the `Origin` the same.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use url::{Host, Url};

use crate::app::App;
use crate::error::ApiError;

/// Nothing from elsewhere, nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// Headers of every answer.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("permissions-policy"), "microphone=(self), camera=(), geolocation=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Lets only our own pages in, and clients that are no browsers.
pub(crate) async fn ours(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match check(request.headers(), app.settings.public_url.as_ref()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(headers: &HeaderMap, public: Option<&Url>) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST).and_then(|host| Url::parse(&format!("http://{host}")).ok());
    let is_public = |url: &Url| public.is_some_and(|public| public.host() == url.host());
    let known = host.as_ref().is_some_and(|host| is_public(host) || cannot_be_rebound(host));
    if !known {
        return Err(ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "this is not the name of this server",
        )
        .hint("Name the address that the world uses with `--public-url`."));
    }
    let Some(origin) = text(header::ORIGIN) else {
        return match text(HeaderName::from_static("sec-fetch-site")) {
            None | Some("same-origin" | "none") => Ok(()),
            Some(_) => Err(foreign()),
        };
    };
    let origin = Url::parse(origin).map_err(|_| foreign())?;
    let same = host.is_some_and(|host| {
        // Behind a proxy that ends TLS the host names no port, and the origin none either.
        let port = |url: &Url| url.port();
        host.host() == origin.host() && port(&host) == port(&origin)
    });
    let public = public.is_some_and(|public| public.origin() == origin.origin());
    if same || public { Ok(()) } else { Err(foreign()) }
}

fn foreign() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", "a page from elsewhere may not do this")
}

/// A number is always this machine; `localhost` never leaves it (RFC 6761, section 6.3).
fn cannot_be_rebound(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(host: &str, more: &[(&str, &str)], public: Option<&str>) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        for (name, value) in more {
            headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let public = public.map(|url| Url::parse(url).unwrap());
        check(&headers, public.as_ref()).map_err(|error| error.code)
    }

    #[test]
    fn our_own_pages_and_tools_may_ask() {
        for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "192.168.1.20:8080"] {
            assert_eq!(asked(host, &[], None), Ok(()), "{host}");
            let origin = format!("http://{host}");
            assert_eq!(asked(host, &[("origin", &origin)], None), Ok(()), "{host}");
        }
        let public = Some("https://calls.example.org");
        assert_eq!(asked("calls.example.org", &[("origin", "https://calls.example.org")], public), Ok(()));
        // A proxy that passes the inner host on.
        assert_eq!(asked("127.0.0.1:8080", &[("origin", "https://calls.example.org")], public), Ok(()));
        assert_eq!(asked("localhost:1", &[("sec-fetch-site", "same-origin")], None), Ok(()));
    }

    #[test]
    fn pages_of_others_may_not() {
        let foreign = Err("foreign_origin");
        for origin in ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8080"] {
            assert_eq!(asked("127.0.0.1:8080", &[("origin", origin)], None), foreign, "{origin}");
        }
        assert_eq!(asked("127.0.0.1:8080", &[("sec-fetch-site", "cross-site")], None), foreign);
        assert_eq!(asked("127.0.0.1:8080", &[("sec-fetch-site", "same-site")], None), foreign);
    }

    #[test]
    fn a_name_that_is_not_ours_is_refused_whatever_it_means() {
        let unknown = Err("unknown_host");
        assert_eq!(asked("evil.example:8080", &[("origin", "http://evil.example:8080")], None), unknown);
        assert_eq!(asked("evil.example", &[], Some("https://calls.example.org")), unknown);
        assert_eq!(asked("bad host", &[], None), unknown);
    }
}
