//! The cookie of a session.

use axum::http::{HeaderMap, HeaderValue, header};
use url::Url;

/// Its name where the connection is plain: on a laptop.
const PLAIN: &str = "dgh_session";
/// Its name where it is not: a browser takes it over TLS alone, from this host alone, for all paths
/// (RFC 6265bis, section 4.1.3.2).
const SECURE: &str = "__Host-dgh_session";

/// The token in the cookie.
pub(crate) fn session(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut plain = None;
    let secure = pairs.find_map(|(name, value)| {
        if name == PLAIN {
            plain.get_or_insert(value);
        }
        (name == SECURE).then_some(value)
    });
    secure.or(plain)
}

/// Sets it.
pub(crate) fn set(token: &str, seconds: i64, public: Option<&Url>) -> Option<HeaderValue> {
    let (name, secure) = kind(public);
    let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).ok()
}

/// Takes it away.
pub(crate) fn clear(public: Option<&Url>) -> Option<HeaderValue> {
    set("", 0, public)
}

fn kind(public: Option<&Url>) -> (&'static str, &'static str) {
    if public.is_some_and(|url| url.scheme() == "https") { (SECURE, "; Secure") } else { (PLAIN, "") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_for_this_host_and_no_script() {
        let cookie = set("abc", 60, None).unwrap();
        assert_eq!(cookie, "dgh_session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
        let public = Url::parse("https://calls.example.org").unwrap();
        let cookie = set("abc", 60, Some(&public)).unwrap();
        assert_eq!(cookie, "__Host-dgh_session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure");
    }

    #[test]
    fn it_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "theme=dark; dgh_session=abc".parse().unwrap());
        assert_eq!(session(&headers), Some("abc"));
        headers.append(header::COOKIE, "__Host-dgh_session=def".parse().unwrap());
        assert_eq!(session(&headers), Some("def"));
        assert_eq!(session(&HeaderMap::new()), None);
    }
}
