//! The one HTTP client. Everything that leaves for an address out of a program, a profile or a
//! model goes through it: it checks where to, and bounds how long and how much.

use std::error::Error as _;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::Method;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use url::{Host, Url};

use crate::error::{NetError, NetErrorKind};
use crate::policy::Policy;
use crate::resolve::{Guard, Lookup, SystemLookup, checked};
use crate::retry;

/// Bytes of an answer that are read when a request does not say.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;
/// Time for a request, from the name to the last byte, when it does not say.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for the connection with its encryption.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest address.
pub const MAX_URL_BYTES: usize = 8_192;

/// The guarded HTTP client. Cheap to clone; clones share their connections.
///
/// It asks only `http` and `https`, only addresses that the [`Policy`] allows, follows no redirect
/// (an answer that redirects is a [`NetErrorKind::Refused`]), reads no proxy settings, keeps no
/// cookies and decompresses nothing.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    policy: Arc<Policy>,
    lookup: Arc<dyn Lookup>,
    /// Whether the system has certificates to check a server's against.
    trusts_any: bool,
}

/// A request.
pub struct Request {
    /// Method.
    pub method: Method,
    /// Address.
    pub url: Url,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Option<Bytes>,
    /// Time from the name to the last byte; with [`Client::open`], to the headers of the answer.
    pub timeout: Duration,
    /// Bytes of the answer that are read.
    pub max_bytes: usize,
}

/// An answer, read to its end.
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    host: String,
}

/// An answer that is being read.
pub struct Incoming {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    response: reqwest::Response,
    host: String,
    read: usize,
    max_bytes: usize,
}

impl Client {
    /// A client with the system's resolver and certificates.
    pub fn new(policy: Policy) -> Result<Self, NetError> {
        Self::with_lookup(policy, Arc::new(SystemLookup))
    }

    /// A client that looks names up this way.
    pub fn with_lookup(policy: Policy, lookup: Arc<dyn Lookup>) -> Result<Self, NetError> {
        // An error says that there already is a provider: then that one is used.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let policy = Arc::new(policy);
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("dgh/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .no_proxy()
                .connect_timeout(CONNECT_TIMEOUT)
                .dns_resolver(Arc::new(Guard { policy: Arc::clone(&policy), lookup: Arc::clone(&lookup) }))
        };
        // A machine without certificates, as a small container is, can still ask http.
        let trusting = builder().build();
        let trusts_any = trusting.is_ok();
        let http = trusting
            .or_else(|_| builder().tls_certs_only([]).build())
            .map_err(|e| NetError::new(NetErrorKind::Setup, format!("no HTTP client: {}", innermost(&e))))?;
        Ok(Self { http, policy, lookup, trusts_any })
    }

    /// Sends a request and reads the answer to its end. Any status but a redirect is an answer.
    pub async fn send(&self, request: Request) -> Result<Answer, NetError> {
        let (timeout, host) = (request.timeout, host_of(&request.url));
        let read = async {
            let mut incoming = self.start(request).await?;
            let mut body = BytesMut::new();
            while let Some(chunk) = incoming.chunk().await? {
                body.extend_from_slice(&chunk);
            }
            let Incoming { status, headers, host, .. } = incoming;
            Ok(Answer { status, headers, body: body.freeze(), host })
        };
        tokio::time::timeout(timeout, read).await.unwrap_or_else(|_| Err(too_slow(&host, timeout)))
    }

    /// Sends a request and hands the answer out as soon as its headers are there. How long to wait
    /// for its pieces is the caller's decision.
    pub async fn open(&self, request: Request) -> Result<Incoming, NetError> {
        let (timeout, host) = (request.timeout, host_of(&request.url));
        tokio::time::timeout(timeout, self.start(request))
            .await
            .unwrap_or_else(|_| Err(too_slow(&host, timeout)))
    }

    /// Checks an address without asking it. Names are checked when they are resolved.
    pub fn check(&self, url: &Url) -> Result<(), NetError> {
        let refuse = |why: String| Err(NetError::new(NetErrorKind::Refused, why));
        if !matches!(url.scheme(), "http" | "https") {
            return refuse(format!("only http and https addresses are asked, not `{}:`", url.scheme()));
        }
        if url.scheme() == "https" && !self.trusts_any {
            let message = "this machine has no certificates to check https servers against; \
                           install ca-certificates, or set SSL_CERT_FILE";
            return Err(NetError::new(NetErrorKind::Setup, message));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("an address must not hold a user or a password; use `auth:`".to_owned());
        }
        if url.as_str().len() > MAX_URL_BYTES {
            return refuse(format!("the address is longer than {MAX_URL_BYTES} bytes"));
        }
        match url.host() {
            Some(Host::Ipv4(v4)) => self.policy.check(&v4.to_string(), IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => self.policy.check(&v6.to_string(), IpAddr::V6(v6)),
            Some(Host::Domain(_)) => Ok(()),
            None => refuse("the address has no host".to_owned()),
        }
    }

    /// The client inside, whose connections are guarded, for a library that wants one of its own.
    /// [`Client::check`] must have passed for every address it is given.
    pub(crate) fn inner(&self) -> reqwest::Client {
        self.http.clone()
    }

    /// The addresses of a name, all of them checked.
    pub(crate) async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        checked(&self.policy, self.lookup.as_ref(), host).await
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    async fn start(&self, request: Request) -> Result<Incoming, NetError> {
        self.check(&request.url)?;
        let host = host_of(&request.url);
        let mut builder = self.http.request(request.method, request.url).headers(request.headers);
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let response = builder.send().await.map_err(|e| failure(&host, &e))?;
        let status = response.status();
        if status.is_redirection() && status.as_u16() != 304 {
            let to = redirect_host(&response);
            let message = format!("{host} redirects{to} ({}); redirects are not followed", status.as_u16());
            return Err(NetError {
                status: Some(status.as_u16()),
                ..NetError::new(NetErrorKind::Refused, message)
            });
        }
        if response.content_length().is_some_and(|n| n > request.max_bytes as u64) {
            return Err(too_large(&host, request.max_bytes));
        }
        let headers = response.headers().clone();
        Ok(Incoming {
            status: status.as_u16(),
            headers,
            response,
            host,
            read: 0,
            max_bytes: request.max_bytes,
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Request {
    /// A request without headers and body, with the usual limits.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            timeout: REQUEST_TIMEOUT,
            max_bytes: MAX_ANSWER_BYTES,
        }
    }
}

/// Headers, address and body may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &host_of(&self.url))
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// The answer, if its status says success; else a [`NetErrorKind::Status`].
    pub fn success(self) -> Result<Self, NetError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        Err(status_error(&self.host, self.status, &self.headers))
    }
}

impl Incoming {
    /// The next piece; none: the answer has ended.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, NetError> {
        let Some(chunk) = self.response.chunk().await.map_err(|e| failure(&self.host, &e))? else {
            return Ok(None);
        };
        self.read = self.read.saturating_add(chunk.len());
        if self.read > self.max_bytes {
            return Err(too_large(&self.host, self.max_bytes));
        }
        Ok(Some(chunk))
    }

    /// The error that this status is.
    pub fn status_error(&self) -> NetError {
        status_error(&self.host, self.status, &self.headers)
    }
}

fn status_error(host: &str, status: u16, headers: &HeaderMap) -> NetError {
    let retry_after = headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok());
    NetError {
        kind: NetErrorKind::Status,
        message: format!("{host} answered {status}"),
        status: Some(status),
        retry_after: retry_after.and_then(|v| retry::parse_retry_after(v, SystemTime::now())),
    }
}

fn too_large(host: &str, max: usize) -> NetError {
    NetError::new(NetErrorKind::TooLarge, format!("the answer of {host} is longer than {max} bytes"))
}

fn too_slow(host: &str, timeout: Duration) -> NetError {
    NetError::new(NetErrorKind::Timeout, format!("{host} did not answer within {} ms", timeout.as_millis()))
}

/// The host and port of an address: all of it that may be written down.
pub(crate) fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "?".to_owned(),
    }
}

fn redirect_host(response: &reqwest::Response) -> String {
    let location = response.headers().get(reqwest::header::LOCATION).and_then(|l| l.to_str().ok());
    let target = location.and_then(|l| response.url().join(l).ok());
    target.map_or_else(String::new, |url| format!(" to {}", host_of(&url)))
}

/// What a failure of the client means. Its own text holds the address, so only the innermost cause
/// is told.
pub(crate) fn failure(host: &str, error: &reqwest::Error) -> NetError {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(ours) = inner.downcast_ref::<NetError>() {
            return ours.clone();
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        return NetError::new(NetErrorKind::Timeout, format!("{host} did not answer in time"));
    }
    let reason = innermost(error);
    let message = if error.is_connect() {
        format!("no connection to {host}: {reason}")
    } else if error.is_body() || error.is_decode() {
        format!("the answer of {host} was cut off: {reason}")
    } else {
        format!("the request to {host} failed: {reason}")
    };
    NetError::new(NetErrorKind::Network, message)
}

fn innermost(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else { return "no reason given".to_owned() };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
