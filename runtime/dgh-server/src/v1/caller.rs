//! From where a request comes. A proxy in between names the address that it saw in `X-Forwarded-For`,
//! and so may anybody: it is believed when the connection comes from a proxy that is trusted, and of
//! the list only what the trusted ones added.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use dgh_platform::access::Visitor;

use crate::app::App;

/// The other end of the connection. The listener adds it to every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Where a request comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// The address; none when the request came over no connection.
    pub(crate) address: Option<IpAddr>,
    /// The name of the browser or program.
    pub(crate) browser: Option<String>,
}

impl Caller {
    /// Where this request comes from.
    pub(crate) fn of(parts: &Parts, app: &App) -> Self {
        let peer = parts.extensions.get::<Peer>().map(|Peer(address)| address.to_canonical());
        let trusted = |proxy: &IpAddr| app.settings.trusts(proxy);
        let address = peer.map(|peer| origin(peer, &parts.headers, trusted));
        let browser = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Self { address, browser: browser.map(str::to_owned) }
    }

    /// As the platform knows somebody who is not known yet.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor { address: self.text(), browser: self.browser.clone() }
    }

    /// The address, as a text.
    pub(crate) fn text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}

/// The last address on the way that is not a trusted proxy's.
fn origin(peer: IpAddr, headers: &HeaderMap, is_trusted: impl Fn(&IpAddr) -> bool) -> IpAddr {
    if !is_trusted(&peer) {
        return peer;
    }
    let lists = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
    let way: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    let mut seen = peer;
    for text in way.into_iter().rev() {
        // What is no address was written by no proxy that we trust.
        let Ok(address) = text.parse::<IpAddr>() else { break };
        seen = address.to_canonical();
        if !is_trusted(&seen) {
            break;
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ipnet::IpNet;

    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
        origin(peer.parse().unwrap(), &headers, is_trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_may_name_another_address() {
        let here = ["127.0.0.0/8", "10.0.0.0/8"];
        assert_eq!(seen("198.51.100.7", &["203.0.113.9"], &here), "198.51.100.7");
        assert_eq!(seen("127.0.0.1", &["203.0.113.9"], &here), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["203.0.113.9"], &[]), "127.0.0.1");
        // What the client itself wrote stands in front, and is not believed.
        assert_eq!(seen("127.0.0.1", &["1.2.3.4, 203.0.113.9, 10.1.1.1"], &here), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["1.2.3.4", "203.0.113.9"], &here), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["1.2.3.4, nonsense, 10.1.1.1"], &here), "10.1.1.1");
        assert_eq!(seen("127.0.0.1", &[], &here), "127.0.0.1");
    }
}
