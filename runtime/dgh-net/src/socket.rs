//! WebSockets to providers, as guarded as requests: the address is checked, resolved once, and the
//! connection goes to what was checked.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};
use url::Url;

use crate::client::{Client, host_of};
use crate::error::{NetError, NetErrorKind};

/// A message of a socket.
pub use tokio_tungstenite::tungstenite::Message;
/// An error of an open socket.
pub use tokio_tungstenite::tungstenite::error::Error as SocketError;
/// How a socket broke its protocol; to end without a word is one way.
pub use tokio_tungstenite::tungstenite::error::ProtocolError;
/// Why a socket is closed.
pub use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// An open socket: a stream of messages, and a sink for them.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Longest message that is read: a second of sound in base64 is a tenth of it.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// What a socket reads at once. One is open per call and provider, so it is kept small.
const READ_BUFFER_BYTES: usize = 8 << 10;
/// What may wait to be written before the socket counts as stuck.
const MAX_WRITE_BYTES: usize = 512 << 10;

/// A socket to open.
#[derive(Clone)]
pub struct SocketRequest {
    /// Address: `ws` or `wss`.
    pub url: Url,
    /// Headers beside those of the handshake.
    pub headers: HeaderMap,
    /// Time from the name to the open socket.
    pub timeout: Duration,
}

impl Client {
    /// Opens a socket.
    pub async fn socket(&self, request: SocketRequest) -> Result<Socket, NetError> {
        let (host, timeout) = (host_of(&request.url), request.timeout);
        tokio::time::timeout(timeout, self.connect(request)).await.unwrap_or_else(|_| {
            let message = format!("{host} did not open a socket within {} ms", timeout.as_millis());
            Err(NetError::new(NetErrorKind::Timeout, message))
        })
    }

    async fn connect(&self, request: SocketRequest) -> Result<Socket, NetError> {
        let url = request.url;
        let secure = match url.scheme() {
            "ws" => false,
            "wss" => true,
            other => {
                let message = format!("a socket has a ws or wss address, not `{other}:`");
                return Err(NetError::new(NetErrorKind::Refused, message));
            }
        };
        // The rules for addresses are those of http.
        let mut plain = url.clone();
        if plain.set_scheme(if secure { "https" } else { "http" }).is_err() {
            return Err(NetError::new(NetErrorKind::Refused, "the address has no host"));
        }
        self.check(&plain)?;
        let host = host_of(&url);
        let addresses = self.addresses(&plain).await?;
        let tcp = TcpStream::connect(&addresses[..]).await.map_err(|e| lost(&host, &e))?;
        // Sound is many small messages.
        tcp.set_nodelay(true).map_err(|e| lost(&host, &e))?;
        let mut handshake = url.as_str().into_client_request().map_err(|e| failure(&host, &e))?;
        for (name, value) in &request.headers {
            handshake.headers_mut().insert(name, value.clone());
        }
        let agent = HeaderValue::from_static(concat!("dgh/", env!("CARGO_PKG_VERSION")));
        handshake.headers_mut().entry(HeaderName::from_static("user-agent")).or_insert(agent);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let connector = if secure { Connector::Rustls(tls()?) } else { Connector::Plain };
        let (socket, _) = client_async_tls_with_config(handshake, tcp, Some(config), Some(connector))
            .await
            .map_err(|e| failure(&host, &e))?;
        Ok(socket)
    }

    /// The checked addresses of a host.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, NetError> {
        let port = url.port_or_known_default().unwrap_or(80);
        let found = match url.host() {
            Some(url::Host::Ipv4(v4)) => vec![v4.into()],
            Some(url::Host::Ipv6(v6)) => vec![v6.into()],
            Some(url::Host::Domain(name)) => self.resolve(name).await?,
            None => Vec::new(),
        };
        Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }
}

/// Headers may hold a key.
impl std::fmt::Debug for SocketRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SocketRequest").field("host", &host_of(&self.url)).finish_non_exhaustive()
    }
}

/// The encryption of all sockets, made once: it reads the system's certificates.
fn tls() -> Result<Arc<rustls::ClientConfig>, NetError> {
    static TLS: OnceLock<Result<Arc<rustls::ClientConfig>, String>> = OnceLock::new();
    let made = TLS.get_or_init(|| {
        rustls::ClientConfig::with_platform_verifier().map(Arc::new).map_err(|e| e.to_string())
    });
    made.clone().map_err(|message| NetError::new(NetErrorKind::Setup, format!("no encryption: {message}")))
}

fn lost(host: &str, error: &std::io::Error) -> NetError {
    NetError::new(NetErrorKind::Network, format!("no connection to {host}: {error}"))
}

/// What a failed handshake means. The answer's body is not told: it may repeat what was sent.
fn failure(host: &str, error: &Error) -> NetError {
    match error {
        Error::Http(response) => {
            let status = response.status().as_u16();
            let message = format!("{host} answered {status} instead of opening a socket");
            NetError { status: Some(status), ..NetError::new(NetErrorKind::Status, message) }
        }
        Error::Io(io) => lost(host, io),
        other => NetError::new(NetErrorKind::Network, format!("no socket to {host}: {other}")),
    }
}

#[cfg(test)]
mod tests;
