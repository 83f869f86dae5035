//! The client against servers that behave as badly as servers do.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::*;
use crate::testing::{Reply, Server};

fn client() -> Client {
    Client::new(Policy::with_private()).unwrap()
}

fn get(url: &str) -> Request {
    Request::new(Method::GET, url.parse().unwrap())
}

async fn fails(client: &Client, request: Request) -> NetError {
    client.send(request).await.err().expect("an error")
}

#[tokio::test]
async fn an_answer_is_read_to_its_end() {
    let server = Server::start(|_, _| Reply::new(200, "text/plain", "hello")).await;
    let answer = client().send(get(&server.url("/a?b=c"))).await.unwrap().success().unwrap();
    assert_eq!(&answer.body[..], b"hello");
    assert_eq!(server.received()[0].target, "/a?b=c");
}

#[tokio::test]
async fn a_private_address_is_refused_before_anything_is_sent() {
    let server = Server::start(|_, _| Reply::new(200, "text/plain", "hello")).await;
    let guarded = Client::new(Policy::public()).unwrap();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"] {
        let error = fails(&guarded, get(&format!("http://{host}:{}/secret-path", server.port()))).await;
        assert_eq!(error.kind, NetErrorKind::Refused, "{host}: {error}");
        assert!(!error.message.contains("secret-path"), "{error}");
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn other_schemes_and_users_in_the_address_are_refused() {
    for url in [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://user:pass@example.com/",
        "http://user@example.com/",
    ] {
        let error = fails(&client(), get(url)).await;
        assert_eq!(error.kind, NetErrorKind::Refused, "{url}");
        assert!(!error.message.contains("pass@"), "{error}");
    }
    let long = format!("http://example.com/{}", "a".repeat(MAX_URL_BYTES));
    assert_eq!(fails(&client(), get(&long)).await.kind, NetErrorKind::Refused);
}

/// Answers each look-up with the next address of a list, as a hostile name server does.
struct Rebinding(Mutex<VecDeque<Vec<&'static str>>>);

impl Lookup for Rebinding {
    fn lookup(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let next = self.0.lock().unwrap().pop_front().expect("one look-up too many");
        async move { Ok(next.iter().map(|a| a.parse().unwrap()).collect()) }.boxed()
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_the_connection_goes_to_the_checked_address() {
    let server = Server::start(|_, _| Reply::new(200, "text/plain", "checked")).await;
    // Only 127.0.0.1 is allowed. Were the name resolved again for the connection, it would get the
    // second answer, and the third request would panic in the double.
    let answers = [vec!["127.0.0.1"], vec!["127.0.0.2"], vec!["127.0.0.1", "10.0.0.1"]];
    let lookup = Arc::new(Rebinding(Mutex::new(answers.into())));
    let client = Client::with_lookup(Policy::parse(["127.0.0.1"]).unwrap(), lookup).unwrap();
    let url = format!("http://rebind.test:{}/", server.port());
    assert_eq!(&client.send(get(&url)).await.unwrap().body[..], b"checked");
    assert_eq!(fails(&client, get(&url)).await.kind, NetErrorKind::Refused);
    let mixed = fails(&client, get(&url)).await;
    assert_eq!(mixed.kind, NetErrorKind::Refused, "one forbidden address refuses the name");
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_name_without_an_address_is_a_network_error() {
    let lookup = Arc::new(Rebinding(Mutex::new([vec![]].into())));
    let client = Client::with_lookup(Policy::public(), lookup).unwrap();
    let error = fails(&client, get("http://nowhere.test/")).await;
    assert_eq!(
        (error.kind, error.message.as_str()),
        (NetErrorKind::Network, "the name `nowhere.test` has no address")
    );
}

#[tokio::test]
async fn a_redirect_is_refused_and_not_followed() {
    let server = Server::start(|_, _| {
        Reply::head(302, &[("location", "http://169.254.169.254/latest?token=abc"), ("content-length", "0")])
    })
    .await;
    let error = fails(&client(), get(&server.url("/"))).await;
    assert_eq!((error.kind, error.status), (NetErrorKind::Refused, Some(302)));
    assert!(error.message.contains("169.254.169.254") && !error.message.contains("token"), "{error}");
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_server_that_says_nothing_times_out() {
    let server = Server::start(|n, _| match n {
        0 => Reply::default().stall(),
        _ => Reply::head(200, &[("content-length", "10")]).send("12345").stall(),
    })
    .await;
    for _ in 0..2 {
        let request = Request { timeout: Duration::from_millis(60), ..get(&server.url("/")) };
        assert_eq!(fails(&client(), request).await.kind, NetErrorKind::Timeout);
    }
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_or_lies_about_its_length_is_a_network_error() {
    let server = Server::start(|n, _| match n {
        0 => Reply::default(),
        1 => Reply::head(200, &[("content-length", "100")]).send("only this"),
        2 => Reply::pieces("text/plain", ["half"]),
        3 => Reply::head(200, &[("content-length", "-5")]).send("x"),
        4 => Reply::default().send("this is no HTTP\r\n\r\n"),
        _ => Reply::head(200, &[("content-length", "4")]).send("just this, then more"),
    })
    .await;
    for case in 0..5 {
        let error = fails(&client(), get(&server.url("/"))).await;
        assert_eq!(error.kind, NetErrorKind::Network, "case {case}: {error}");
    }
    assert_eq!(&client().send(get(&server.url("/"))).await.unwrap().body[..], b"just");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let server = Server::start(|n, _| match n {
        0 => Reply::head(200, &[("content-length", "2000")]).stall(),
        1 => Reply::pieces("text/plain", vec!["x".repeat(300); 5]).stall(),
        _ => Reply::head(200, &[]).send("y".repeat(1_001)),
    })
    .await;
    for _ in 0..3 {
        let error = fails(&client(), Request { max_bytes: 1_000, ..get(&server.url("/")) }).await;
        assert_eq!(error.kind, NetErrorKind::TooLarge);
    }
}

#[tokio::test]
async fn a_status_keeps_when_to_ask_again_and_tells_only_the_host() {
    let server =
        Server::start(|_, _| Reply::head(429, &[("retry-after", "3"), ("content-length", "0")])).await;
    let answer = client().send(get(&server.url("/path?key=hush"))).await.unwrap();
    let error = answer.success().err().unwrap();
    assert_eq!((error.kind, error.status), (NetErrorKind::Status, Some(429)));
    assert_eq!(error.retry_after, Some(Duration::from_secs(3)));
    assert!(error.is_transient());
    assert_eq!(error.message, format!("127.0.0.1:{} answered 429", server.port()));
}

#[tokio::test]
async fn a_closed_port_is_a_network_error_without_the_address_in_its_text() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = fails(&client(), get(&format!("http://127.0.0.1:{port}/hidden?k=v"))).await;
    assert_eq!(error.kind, NetErrorKind::Network);
    assert!(!error.message.contains("hidden"), "{error}");
    let request = get("http://127.0.0.1:1/hidden");
    assert!(!format!("{request:?}").contains("hidden"));
}

/// Certificates are read from the environment of a process, so this runs itself once more.
#[tokio::test]
async fn a_machine_without_certificates_can_still_ask_http() {
    const INSIDE: &str = "DGH_TEST_WITHOUT_CERTIFICATES";
    if std::env::var_os(INSIDE).is_none() {
        let name = "client::tests::a_machine_without_certificates_can_still_ask_http";
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again
            .args([name, "--exact"])
            .env(INSIDE, "1")
            .env("SSL_CERT_FILE", "/none")
            .env("SSL_CERT_DIR", "/none");
        let output = again.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let server = Server::start(|_, _| Reply::new(200, "text/plain", "hello")).await;
    assert_eq!(client().send(get(&server.url("/"))).await.unwrap().status, 200);
    let error = fails(&client(), get("https://example.com/")).await;
    assert_eq!(error.kind, NetErrorKind::Setup);
    assert!(error.message.contains("install ca-certificates"), "{error}");
}
