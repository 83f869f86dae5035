//! The socket of a recogniser, whatever its messages mean.
#![allow(clippy::unwrap_used)]

use futures::StreamExt;
use serde_json::json;

use super::*;
use crate::stt::testing::{frame, next, server, start};
use crate::stt::{Stt, SttSession, SttStart, session};
use dgh_net::testing::{SocketServer, Welcome};
use dgh_net::{Client, Policy};

/// A protocol of few words: says `idle` soon, and waits to be greeted if told so.
#[derive(Clone)]
struct Short {
    endpoint: Arc<Endpoint>,
    waits: bool,
}

impl Protocol for Short {
    fn waits(&self) -> bool {
        self.waits
    }
    fn audio(&mut self, pcm: Bytes, out: &mut Vec<Message>) {
        out.push(Message::Binary(pcm));
    }
    fn idle(&self) -> Duration {
        Duration::from_millis(30)
    }
    fn keep_alive(&mut self) -> Message {
        Message::text("\"idle\"")
    }
    fn read(&mut self, _: &str, _: &mut Tell) -> Result<(), Problem> {
        Ok(())
    }
}

impl Stt for Short {
    fn open(&self, start: SttStart) -> SttSession {
        session::alone(&self.endpoint, Arc::new(self.clone()), start)
    }
    fn connect(&self, _: SttStart) -> Connecting {
        connect(&self.endpoint, self.endpoint.ws(&[]), HeaderMap::new(), self.clone())
    }
}

fn short(url: &str, waits: bool) -> Short {
    let mut model = crate::stt::testing::model("it", "short", url, json!({}));
    model.key = None;
    let secrets = std::collections::HashMap::<String, secrecy::SecretString>::new();
    let mut endpoint = Endpoint::new(&model, Client::new(Policy::with_private()).unwrap(), &secrets).unwrap();
    endpoint.patience.connect = Duration::from_millis(200);
    endpoint.patience.next = Duration::from_millis(200);
    Short { endpoint: Arc::new(endpoint), waits }
}

#[tokio::test]
async fn while_no_sound_is_sent_something_is() {
    let (server, mut told) = server(Vec::new(), |_| Vec::new()).await;
    let mut session = short(&server.url("/"), false).open(start(8_000));
    assert!(matches!(next(&mut session).await, SttEvent::Connected { .. }));
    for _ in 0..3 {
        assert_eq!(told.recv().await.unwrap(), Message::text("\"idle\""));
    }
    // While sound is sent, nothing is.
    for _ in 0..20 {
        session.input.send(frame(0)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut sound = 0;
    while let Ok(message) = told.try_recv() {
        sound += usize::from(message.is_binary());
    }
    assert_eq!(sound, 20);
}

#[tokio::test]
async fn a_server_that_opens_and_does_not_begin_is_too_late() {
    let (server, mut told) = server(Vec::new(), |_| Vec::new()).await;
    let mut session = short(&server.url("/"), true).open(start(8_000));
    session.input.send(frame(900)).await.unwrap();
    let SttEvent::Failed(error) = next(&mut session).await else { panic!() };
    assert_eq!((error.kind, error.message.as_str()), (LlmErrorKind::Timeout, "did not begin within 200 ms"));
    assert!(told.try_recv().is_err(), "nothing is sent before");
}

#[tokio::test]
async fn a_ping_is_answered_though_nothing_else_is_said() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let serve = move |_, mut socket: dgh_net::testing::ServerSocket| {
        let tell = tell.clone();
        async move {
            socket.send(Message::Ping(Bytes::from_static(b"there?"))).await.unwrap();
            while let Some(Ok(message)) = socket.next().await {
                let _ = tell.send(message);
            }
        }
    };
    let server = SocketServer::start(|_| Welcome::Open, serve).await;
    let session = short(&server.url("/"), false).open(start(8_000));
    loop {
        let message = tokio::time::timeout(Duration::from_secs(5), told.recv()).await.unwrap().unwrap();
        if let Message::Pong(payload) = message {
            assert_eq!(&payload[..], b"there?");
            break;
        }
    }
    drop(session);
}
