//! In the steady state of a call a line over a carrier's socket takes no memory for a frame.

#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use dgh_transport::carrier;
use dgh_transport::socket::{SocketMessage, accept};
use dgh_voice::audio::Frame;
use dgh_voice::line::{Line, LineCommand, LineEvent};
use futures::{Sink, Stream};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A carrier that sends the same sound again and again, and lets go of what it gets.
struct Carrier {
    opening: Vec<SocketMessage>,
    sound: SocketMessage,
    /// Frames that are there.
    there: usize,
    got: usize,
}

impl Stream for Carrier {
    type Item = Result<SocketMessage, String>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(message) = self.opening.pop() {
            return Poll::Ready(Some(Ok(message)));
        }
        if self.there == 0 {
            return Poll::Pending;
        }
        self.there -= 1;
        Poll::Ready(Some(Ok(self.sound.clone())))
    }
}

impl Sink<SocketMessage> for Carrier {
    type Error = String;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, message: SocketMessage) -> Result<(), String> {
        self.got += message.len();
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }
}

fn text(text: &str) -> SocketMessage {
    SocketMessage::Text(Bytes::copy_from_slice(text.as_bytes()))
}

fn carriers() -> Vec<(&'static str, SocketMessage, SocketMessage)> {
    // Sound without a number: the same message is no repetition then.
    let sound = "AAAA".repeat(53) + "AA==";
    let wide = "AAAA".repeat(213) + "AA==";
    vec![
        (
            "twilio",
            text(r#"{"event":"start","streamSid":"MZ1","start":{"callSid":"CA1"}}"#),
            text(&format!(
                r#"{{"event":"media","streamSid":"MZ1","sequenceNumber":"3","media":{{"track":"inbound","payload":"{sound}"}}}}"#
            )),
        ),
        (
            "telnyx",
            text(r#"{"event":"start","stream_id":"1","start":{"call_control_id":"1"}}"#),
            text(&format!(
                r#"{{"event":"media","stream_id":"1","sequence_number":"3","media":{{"track":"inbound","payload":"{sound}"}}}}"#
            )),
        ),
        (
            "plivo",
            text(
                r#"{"event":"start","start":{"callId":"1","streamId":"1","mediaFormat":{"encoding":"audio/x-l16","sampleRate":16000}}}"#,
            ),
            text(&format!(
                r#"{{"event":"media","streamId":"1","media":{{"track":"inbound","payload":"{wide}"}},"extra_headers":"a=1"}}"#
            )),
        ),
        (
            "vonage",
            text(r#"{"event":"websocket:connected","content-type":"audio/l16;rate=16000"}"#),
            SocketMessage::Binary(Bytes::from_static(&[1; 640])),
        ),
    ]
}

// One test: the counter is that of the process.
#[tokio::test]
async fn a_frame_takes_no_memory() {
    for (name, start, sound) in carriers() {
        let socket = Carrier { opening: vec![start], sound, there: 4_000, got: 0 };
        let (handshake, mut line) = accept(socket, carrier::named(name).unwrap()).await.unwrap();
        let samples = vec![1_000; handshake.format.rate as usize / 50];
        let mut frame = Frame::default();
        let mut cx = Context::from_waker(Waker::noop());
        let mut pass = |frames: usize| {
            for _ in 0..frames {
                let event = line.poll_event(&mut cx, &mut frame);
                assert_eq!(event, Poll::Ready(LineEvent::Audio), "{name}");
                assert_eq!(frame.samples().len(), samples.len(), "{name}");
                line.send(LineCommand::Audio(&samples));
                assert!(line.poll_flush(&mut cx).is_ready());
            }
        };
        pass(1_000);
        let region = Region::new(ALLOCATOR);
        pass(3_000);
        let change = region.change();
        assert_eq!((change.allocations, change.reallocations), (0, 0), "{name}");
    }
}
