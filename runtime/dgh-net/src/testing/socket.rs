//! A websocket server for tests. What it says is the test's own; this accepts, refuses and counts.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// A socket as the server holds it: a stream of messages, and a sink for them.
pub type ServerSocket = WebSocketStream<TcpStream>;

/// A websocket server on 127.0.0.1. It stops when it is dropped, with everything that it serves.
pub struct SocketServer {
    address: SocketAddr,
    handshakes: Arc<Mutex<Vec<Handshake>>>,
    task: JoinHandle<()>,
}

/// What a client opened a socket with.
#[derive(Debug, Clone, Default)]
pub struct Handshake {
    /// Which it is, from 0.
    pub index: usize,
    /// Path and query, as written.
    pub target: String,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// What is answered to a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Welcome {
    /// The socket is opened.
    Open,
    /// This status, with a body that repeats what a careless server would repeat: the headers.
    Refuse(u16),
}

impl SocketServer {
    /// Starts a server that welcomes a handshake this way, and serves an open socket that way.
    ///
    /// # Panics
    /// If this machine has no free port.
    #[allow(clippy::expect_used, reason = "a test without a socket has failed")]
    pub async fn start<F, S>(
        welcome: impl Fn(&Handshake) -> Welcome + Send + Sync + 'static,
        serve: F,
    ) -> Self
    where
        F: Fn(Handshake, ServerSocket) -> S + Send + Sync + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let handshakes = Arc::<Mutex<Vec<Handshake>>>::default();
        let (seen, welcome, serve) = (Arc::clone(&handshakes), Arc::new(welcome), Arc::new(serve));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let (seen, welcome, serve) = (Arc::clone(&seen), Arc::clone(&welcome), Arc::clone(&serve));
                connections.spawn(async move {
                    if let Some((handshake, socket)) = accept(stream, &seen, welcome.as_ref()).await {
                        serve(handshake, socket).await;
                    }
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, handshakes, task }
    }

    /// Starts a server that takes connections and says nothing.
    ///
    /// # Panics
    /// If this machine has no free port.
    #[allow(clippy::expect_used, reason = "a test without a socket has failed")]
    pub async fn silent() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let task = tokio::spawn(async move {
            let mut connections = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.push(stream);
            }
        });
        Self { address, handshakes: Arc::default(), task }
    }

    /// `ws://127.0.0.1:PORT` with a path behind it.
    pub fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The handshakes so far, those that were refused included.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.handshakes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for SocketServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Handshake {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The values of a parameter of the address, decoded, in order.
    pub fn query(&self, name: &str) -> Vec<String> {
        let url = url::Url::parse(&format!("ws://server{}", self.target));
        url.map(|url| {
            url.query_pairs().filter(|(n, _)| n == name).map(|(_, value)| value.into_owned()).collect()
        })
        .unwrap_or_default()
    }
}

async fn accept(
    stream: TcpStream,
    seen: &Mutex<Vec<Handshake>>,
    welcome: &(dyn Fn(&Handshake) -> Welcome + Sync),
) -> Option<(Handshake, ServerSocket)> {
    let mut taken = None;
    // The type of the refusal is the library's.
    #[allow(clippy::result_large_err, reason = "the callback's type is given")]
    let check = |request: &Request, response: Response| {
        let headers = request.headers().iter();
        let headers =
            headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()));
        let mut handshake =
            Handshake { index: 0, target: request.uri().to_string(), headers: headers.collect() };
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            handshake.index = seen.len();
            seen.push(handshake.clone());
        }
        let refuse = |status: u16| {
            let mut refusal = ErrorResponse::new(Some(format!("{:?}", handshake.headers)));
            *refusal.status_mut() = reqwest::StatusCode::from_u16(status).unwrap_or_default();
            refusal
        };
        match welcome(&handshake) {
            Welcome::Open => {
                taken = Some(handshake);
                Ok(response)
            }
            Welcome::Refuse(status) => Err(refuse(status)),
        }
    };
    let socket = accept_hdr_async(stream, check).await.ok()?;
    Some((taken?, socket))
}

/// A text that reaches the reader in frames of so many bytes: characters are cut anywhere.
pub fn in_frames(text: &str, bytes: usize) -> Vec<Message> {
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(bytes.max(1)).collect();
    let frame = |(index, piece): (usize, &&[u8])| {
        let kind = if index == 0 { Data::Text } else { Data::Continue };
        let last = index + 1 == pieces.len();
        Message::Frame(Frame::message(piece.to_vec(), OpCode::Data(kind), last))
    };
    pieces.iter().enumerate().map(frame).collect()
}

/// The end of a socket, with a code and a reason.
pub fn close(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame { code: code.into(), reason: reason.to_owned().into() }))
}
