//! A line to a caller: what a transport is to a call.
//!
//! A line is polled by the one task of its call. It decodes and encodes by itself, so that nothing
//! behind it knows of codecs: sound is a [`Frame`] of the line's rate.

use std::task::{Context, Poll};

use serde_json::Value as Json;

use crate::audio::Frame;

/// A line to a caller.
pub trait Line: Send {
    /// What it is and can do; does not change.
    fn about(&self) -> &LineAbout;

    /// The next thing that came in. For [`LineEvent::Audio`] the sound is in `frame`. After
    /// [`LineEvent::Closed`] nothing comes any more.
    fn poll_event(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<LineEvent>;

    /// Sends something. Never waits: what cannot be sent now is kept within bounds, and a line that
    /// takes nothing for long is `Closed`.
    fn send(&mut self, command: LineCommand<'_>);

    /// Writes what was sent to the network, as far as it goes.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// What a line is and can do.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineAbout {
    /// `webrtc`, `twilio`, … for metrics and logs.
    pub kind: &'static str,
    /// Rate of its sound both ways: 8,000, 16,000, 24,000 or 48,000.
    pub rate: u32,
    /// Whether it tells when a mark was played. Without it, played time is taken.
    pub marks: bool,
    /// Sound that it wants ahead of its time, in milliseconds: what the other side buffers.
    pub lead_ms: u64,
    /// Whether the other side cancels its echo, as a browser does.
    pub cancels_echo: bool,
    /// Whether it can show things: transcript and node events, and take typed words.
    pub shows: bool,
    /// Whether keys come as sound alone: then they are listened for.
    pub keys_as_sound: bool,
}

/// What came in on a line.
#[derive(Debug, Clone, PartialEq)]
pub enum LineEvent {
    /// Sound, in the frame that was given: 20 ms.
    Audio,
    /// Sound that should have been there is lost; the frame holds what conceals it.
    Lost,
    /// A key was pressed.
    Key(char),
    /// Everything sent before this mark was played, or cleared.
    Mark(u32),
    /// Typed words.
    Typed(String),
    /// A message that is not of the line's protocol, which was skipped: what is wrong with it, in
    /// one of a few texts that quote nothing.
    Skipped(&'static str),
    /// The network is away (true) or back (false); the line goes on trying.
    Stalled(bool),
    /// What answered, as the carrier found out.
    AnsweredBy(dgh_engine::event::AnsweredBy),
    /// How a transfer ended.
    Transferred(Option<dgh_engine::event::TransferFailureEvent>),
    /// It is over: the caller hung up, or why not so.
    Closed(Option<String>),
}

/// What is sent on a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LineCommand<'a> {
    /// Sound of the line's rate: 20 ms, or less at the end.
    Audio(&'a [i16]),
    /// Tell me when everything before this was played.
    Mark(u32),
    /// Drop what was sent and not played.
    Clear,
    /// Press keys: `0-9*#` and `w` for half a second.
    Keys(&'a str),
    /// Show this to the person.
    Show(&'a Json),
    /// Call this number and hand over; answered by [`LineEvent::Transferred`].
    Transfer(&'a Transfer),
    /// Hang up, after what was sent before: `Closed` follows at once or within two seconds. Nothing
    /// that is sent later goes out.
    Hangup,
}

/// A transfer that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// E.164, or as the carrier takes it.
    pub number: String,
    /// A word with the other side first.
    pub warm: bool,
    /// Milliseconds of ringing.
    pub ring_ms: u64,
    /// What the other side is told.
    pub brief: Option<String>,
}
