//! Sockets against servers that refuse, stall, lie and say too much.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use futures::{SinkExt, StreamExt};
use reqwest::header::AUTHORIZATION;

use super::*;
use crate::policy::Policy;
use crate::testing::{Handshake, Reply, Server, ServerSocket, SocketServer, Welcome};

fn client() -> Client {
    Client::new(Policy::with_private()).unwrap()
}

fn request(url: &str) -> SocketRequest {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Token hush"));
    SocketRequest { url: url.parse().unwrap(), headers, timeout: Duration::from_secs(5) }
}

async fn fails(client: &Client, request: SocketRequest) -> NetError {
    client.socket(request).await.expect_err("an error")
}

/// Says back what it hears.
async fn echo(_: Handshake, mut socket: ServerSocket) {
    while let Some(Ok(message)) = socket.next().await {
        if !(message.is_binary() || message.is_text()) {
            continue;
        }
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn server() -> SocketServer {
    SocketServer::start(|_| Welcome::Open, echo).await
}

#[tokio::test]
async fn a_socket_carries_messages_and_the_handshake_its_headers() {
    let server = server().await;
    let mut socket = client().socket(request(&server.url("/v1/listen?model=a%20b"))).await.unwrap();
    for message in [Message::text("grüß"), Message::binary(vec![1u8, 2, 3])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    let handshake = &server.handshakes()[0];
    assert_eq!(handshake.target, "/v1/listen?model=a%20b");
    assert_eq!(handshake.query("model"), ["a b"]);
    assert_eq!(handshake.header("authorization"), Some("Token hush"));
    assert!(handshake.header("user-agent").unwrap().starts_with("dgh/"));
}

#[tokio::test]
async fn a_private_address_is_refused_before_anything_is_sent() {
    let server = server().await;
    let guarded = Client::new(Policy::public()).unwrap();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"] {
        let error = fails(&guarded, request(&format!("ws://{host}:{}/secret-path", server.port()))).await;
        assert_eq!(error.kind, NetErrorKind::Refused, "{host}: {error}");
        assert!(!error.message.contains("secret-path"), "{error}");
    }
    assert!(server.handshakes().is_empty());
}

#[tokio::test]
async fn other_schemes_and_users_in_the_address_are_refused() {
    for url in
        ["http://example.com/", "https://example.com/", "ftp://example.com/", "ws://user:pass@example.com/"]
    {
        let error = fails(&client(), request(url)).await;
        assert_eq!(error.kind, NetErrorKind::Refused, "{url}");
        assert!(!error.message.contains("pass@"), "{error}");
    }
}

#[tokio::test]
async fn a_refused_handshake_keeps_its_status_and_repeats_nothing() {
    for status in [401, 403, 429, 500] {
        let server = SocketServer::start(move |_| Welcome::Refuse(status), echo).await;
        let error = fails(&client(), request(&server.url("/secret-path"))).await;
        assert_eq!((error.kind, error.status), (NetErrorKind::Status, Some(status)));
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hush") && !shown.contains("secret-path"), "{shown}");
    }
}

#[tokio::test]
async fn what_is_no_socket_is_an_error_and_a_redirect_is_not_followed() {
    let server = Server::start(|n, _| match n {
        0 => Reply::new(200, "text/plain", "hello"),
        1 => Reply::head(302, &[("location", "http://elsewhere.test/"), ("content-length", "0")]),
        2 => Reply::default().send("SSH-2.0\r\n\r\n"),
        _ => Reply::default(),
    })
    .await;
    let url = server.url("/").replace("http", "ws");
    let kinds = [NetErrorKind::Status, NetErrorKind::Status, NetErrorKind::Network, NetErrorKind::Network];
    for kind in kinds {
        let error = fails(&client(), request(&url)).await;
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_is_a_network_error() {
    let server = server().await;
    let error = fails(&client(), request(&server.url("/").replace("ws:", "wss:"))).await;
    assert!(matches!(error.kind, NetErrorKind::Network | NetErrorKind::Setup), "{error:?}");
    assert!(server.handshakes().is_empty());
}

#[tokio::test]
async fn a_server_that_says_nothing_times_out() {
    let server = SocketServer::silent().await;
    let patient = SocketRequest { timeout: Duration::from_millis(50), ..request(&server.url("/")) };
    let error = fails(&client(), patient).await;
    assert_eq!(error.kind, NetErrorKind::Timeout);
    assert_eq!(error.message, format!("127.0.0.1:{} did not open a socket within 50 ms", server.port()));
}

#[tokio::test]
async fn a_closed_port_is_a_network_error() {
    let port = server().await.port();
    let error = fails(&client(), request(&format!("ws://127.0.0.1:{port}/secret-path"))).await;
    assert_eq!(error.kind, NetErrorKind::Network);
    assert!(!error.message.contains("secret-path"), "{error}");
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_socket() {
    let server = SocketServer::start(
        |_| Welcome::Open,
        |_, mut socket| async move {
            let _ = socket.send(Message::binary(vec![0u8; MAX_MESSAGE_BYTES])).await;
            let _ = socket.send(Message::binary(vec![0u8; MAX_MESSAGE_BYTES + 1])).await;
            let _ = socket.next().await;
        },
    )
    .await;
    let mut socket = client().socket(request(&server.url("/"))).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap().len(), MAX_MESSAGE_BYTES);
    assert!(matches!(socket.next().await, Some(Err(SocketError::Capacity(_)))));
}

#[tokio::test]
async fn a_server_that_does_not_read_fills_the_socket_and_not_the_memory() {
    let server = SocketServer::start(
        |_| Welcome::Open,
        |_, socket| async move {
            let _kept = socket;
            std::future::pending::<()>().await;
        },
    )
    .await;
    let mut socket = client().socket(request(&server.url("/"))).await.unwrap();
    let piece = Message::binary(vec![0u8; 64 << 10]);
    let fill = async { while socket.feed(piece.clone()).await.is_ok() {} };
    let filled = tokio::time::timeout(Duration::from_millis(300), fill).await;
    assert!(filled.is_err(), "the sink waits");
}
