//! What sounds next: utterances in order, paced out frame by frame, with marks; and which word was
//! heard last when they are cut. Pure: it makes frames, others send them.

use dgh_engine::event::UtteranceId;
use dgh_providers::tts::WordMark;

use crate::Millis;
use crate::audio::Frame;

/// What is to be sent or told now, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out {
    /// Send the frame that was filled.
    Frame,
    /// Send this mark.
    Mark(u32),
    /// Tell the other side to drop what it has not played.
    Clear,
    /// The first sound of an utterance goes out.
    Started(UtteranceId),
    /// The last sound of an utterance was played.
    Finished(UtteranceId),
    /// Nothing until this time; none: until something is queued.
    Wait(Option<Millis>),
}

/// An utterance that was cut, or never sounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Which.
    pub utterance: UtteranceId,
    /// UTF-8 bytes of its text that were heard; zero: nothing.
    pub heard: u32,
    /// Whether that comes from the provider's alignment and not from played time.
    pub exact: bool,
}

/// The sound that is going out.
pub struct Playout {}

impl Playout {
    /// Nothing sounds. `lead_ms`: how much the other side has ahead; `marks`: whether it tells what
    /// it played.
    pub fn new(rate: u32, lead_ms: u64, marks: bool) -> Self {
        todo!()
    }
    /// An utterance that will sound after those before it. `text` is its words: positions are bytes of it.
    pub fn queue(&mut self, id: UtteranceId, text: &str, interruptible: bool, muted: &[(u32, u32)]) {}
    /// More of its sound, at the line's rate.
    pub fn sound(&mut self, id: UtteranceId, samples: &[i16]) {}
    /// Where its words are; positions in the whole utterance, times from its first sound.
    pub fn words(&mut self, id: UtteranceId, words: &[WordMark]) {}
    /// All its sound is there; without any, it counts as played at its turn.
    pub fn complete(&mut self, id: UtteranceId) {}
    /// A mark was played.
    pub fn marked(&mut self, mark: u32, now: Millis) {}
    /// Stops where it is and keeps the rest. Answers whether anything was stopped: what cannot be
    /// talked over goes on.
    pub fn hold(&mut self, now: Millis) -> bool {
        false
    }
    /// Goes on from the word that was not heard to its end.
    pub fn resume(&mut self, now: Millis) {}
    /// Drops what was held, or what sounds and is queued. The first one was cut, the rest never sounded.
    pub fn cut(&mut self, now: Millis) -> Option<Cut> {
        None
    }
    /// Drops everything, interruptible or not.
    pub fn stop(&mut self, now: Millis) -> Option<Cut> {
        None
    }
    /// The utterance that sounds now, and whether it may be talked over.
    pub fn sounding(&self) -> Option<(UtteranceId, bool)> {
        None
    }
    /// Whether sound is there or on its way.
    pub fn is_idle(&self) -> bool {
        true
    }
    /// The next thing to do. Call until it answers `Wait`.
    pub fn poll(&mut self, now: Millis, frame: &mut Frame) -> Out {
        Out::Wait(None)
    }
}
