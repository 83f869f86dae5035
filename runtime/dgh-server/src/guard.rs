//! What every answer carries, and who may ask.
//!
//! A page of somebody else, open in the same browser, must not be able to start calls here: by a
//! request across origins (CSRF), or by a name of theirs that suddenly means this machine (DNS
//! rebinding). So the `Host` must be ours, and the `Origin` the same.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use dgh_platform::access::{Role, Scope};
use url::{Host, Url};

use crate::app::App;
use crate::error::ApiError;
use crate::v1::problem::Problem;
use crate::v1::{self, who};

/// Nothing from elsewhere, nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// What proxies and tunnels add to a request.
const PROXIES: [&str; 9] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
    "x-original-forwarded-for",
];

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

/// Lets in whoever may see what is of this server itself: its agents, its live calls, its figures, its
/// call page, the document of its API.
///
/// The rule, and there is no other: on a laptop everybody may, which is [`is_open`]; else the members
/// and keys of the organisation that the server began with, with the scope of what they ask for.
pub(crate) async fn door(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if is_open(&app, &request) {
        return ours(State(app), request, next).await;
    }
    let (parts, body) = request.into_parts();
    let page = parts.uri.path() == "/" && parts.method == Method::GET;
    match admit(&app, &parts).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) if page && problem.status() == StatusCode::UNAUTHORIZED => {
            Redirect::to("/login?next=/").into_response()
        }
        Err(problem) if parts.uri.path().starts_with(v1::PREFIX) => problem.into_response(),
        Err(problem) => ApiError::from(problem).into_response(),
    }
}

async fn admit(app: &App, parts: &Parts) -> Result<(), Problem> {
    let who = who::ask(parts, app).await?;
    let path = parts.uri.path();
    if path.starts_with(v1::PREFIX) {
        // The document is the same for everybody.
        return Ok(());
    }
    if who.org != app.home {
        return Err(Problem::not_found("page"));
    }
    match (path, parts.method.is_safe()) {
        ("/metrics", _) => who.needs(Role::Viewer, Scope::MetricsRead),
        ("/api/calls", true) => who.needs(Role::Viewer, Scope::CallsRead),
        ("/api/calls", false) => who.needs(Role::Editor, Scope::CallsWrite),
        _ => who.needs(Role::Viewer, Scope::AgentsRead),
    }
}

/// Whether everybody who reaches the server is whoever started it: it listens on this machine alone, has
/// no public address, and the request did not come through a proxy. A proxy on the same machine also
/// comes from loopback, so whatever one adds to a request closes the door: a header of its own, the
/// name of another host, HTTP/1.0 (with which nginx asks unless it is told otherwise). A proxy or a
/// tunnel that hides all of that must be told of with `--public-url`.
fn is_open(app: &App, request: &Request) -> bool {
    if !app.listens.ip().is_loopback() || app.settings.public_url.is_some() {
        return false;
    }
    let headers = request.headers();
    let proxied =
        request.version() < Version::HTTP_11 || PROXIES.iter().any(|name| headers.contains_key(*name));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| Url::parse(&format!("http://{host}")).ok());
    // What is wrong with a name is told by `ours`; here it counts what is certainly this machine.
    !proxied && host.as_ref().is_none_or(|host| is_loopback(host) || !cannot_be_rebound(host))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Whether a request comes from a page of this server. A browser says so; who says nothing is no page.
pub(crate) fn is_own_page(headers: &HeaderMap, public: Option<&Url>) -> bool {
    let says = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    says && check(headers, public).is_ok()
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
