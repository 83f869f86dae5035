//! A socket in memory, and a carrier's side of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use dgh_voice::audio::Frame;
use dgh_voice::line::{Line, LineCommand, LineEvent};
use futures::{Sink, Stream};
use serde_json::Value as Json;

use super::SocketMessage;

/// The carrier's side.
#[derive(Clone, Default)]
pub(crate) struct Far(Arc<Mutex<Wire>>);

#[derive(Default)]
struct Wire {
    to_us: VecDeque<Result<SocketMessage, String>>,
    from_us: Vec<SocketMessage>,
    ended: bool,
    stuck: bool,
    waker: Option<Waker>,
}

/// Our side.
pub(crate) struct Near(Far);

impl Far {
    pub(crate) fn new() -> (Self, Near) {
        let far = Self::default();
        (far.clone(), Near(far))
    }

    pub(crate) fn push(&self, message: Result<SocketMessage, String>) {
        let mut wire = self.0.lock().unwrap();
        wire.to_us.push_back(message);
        if let Some(waker) = wire.waker.take() {
            waker.wake();
        }
    }

    pub(crate) fn text(&self, text: impl Into<String>) {
        self.push(Ok(SocketMessage::Text(text.into().into_bytes().into())));
    }

    pub(crate) fn bytes(&self, bytes: impl Into<Vec<u8>>) {
        self.push(Ok(SocketMessage::Binary(bytes.into().into())));
    }

    pub(crate) fn end(&self) {
        self.0.lock().unwrap().ended = true;
    }

    pub(crate) fn stuck(&self, stuck: bool) {
        self.0.lock().unwrap().stuck = stuck;
    }

    /// What came, and lets go of it.
    pub(crate) fn got(&self) -> Vec<SocketMessage> {
        std::mem::take(&mut self.0.lock().unwrap().from_us)
    }

    /// What came, as JSON; bytes as null.
    pub(crate) fn json(&self) -> Vec<Json> {
        let json = |message: SocketMessage| match message {
            SocketMessage::Text(text) => serde_json::from_slice(&text).unwrap(),
            SocketMessage::Binary(_) => Json::Null,
            SocketMessage::Close => Json::from("close"),
        };
        self.got().into_iter().map(json).collect()
    }
}

impl Stream for Near {
    type Item = Result<SocketMessage, String>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut wire = self.0.0.lock().unwrap();
        match wire.to_us.pop_front() {
            Some(message) => Poll::Ready(Some(message)),
            None if wire.ended => Poll::Ready(None),
            None => {
                wire.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Sink<SocketMessage> for Near {
    type Error = String;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        if self.0.0.lock().unwrap().stuck { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn start_send(self: Pin<&mut Self>, message: SocketMessage) -> Result<(), String> {
        self.0.0.lock().unwrap().from_us.push(message);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }
}

/// Everything that is there to tell now. Sound is told as its first sample.
pub(crate) async fn events(line: &mut dyn Line) -> Vec<(LineEvent, Option<i16>)> {
    let mut frame = Frame::default();
    let mut all = Vec::new();
    std::future::poll_fn(|cx| {
        while let Poll::Ready(event) = line.poll_event(cx, &mut frame) {
            let sample = matches!(event, LineEvent::Audio | LineEvent::Lost)
                .then(|| frame.samples().first().copied().unwrap_or_default());
            all.push((event, sample));
        }
        Poll::Ready(())
    })
    .await;
    all
}

/// Everything that is there to tell now, without the sound.
pub(crate) async fn told(line: &mut dyn Line) -> Vec<LineEvent> {
    let all = events(line).await.into_iter().map(|(event, _)| event);
    all.filter(|event| !matches!(event, LineEvent::Audio | LineEvent::Lost)).collect()
}

/// Sends, and flushes as far as it goes.
pub(crate) async fn send(line: &mut dyn Line, command: LineCommand<'_>) {
    line.send(command);
    std::future::poll_fn(|cx| {
        let _ = line.poll_flush(cx);
        Poll::Ready(())
    })
    .await;
}
