//! What is to be sent, in order and within bounds.

use std::collections::VecDeque;

use bytes::BytesMut;
use dgh_voice::audio::g711::Law;

use super::SocketMessage;
use crate::carrier::{Carrier, Encoding, Format, Spoken, Written};

/// Messages are cut from blocks of this size; a block whose messages were all sent is used again.
const BLOCK: usize = 8 << 10;

/// Messages on their way out.
pub(super) struct Outgoing {
    encoding: Encoding,
    /// Samples of 20 ms.
    frame: usize,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Milliseconds of sound that wait.
    sound_ms: u64,
    block: BytesMut,
    coded: Vec<u8>,
}

struct Waiting {
    kind: Kind,
    message: SocketMessage,
}

/// What becomes of a message when everything is cleared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is dropped: 20 ms of sound, or a mark.
    Sound,
    Mark,
    /// It is sent.
    Other,
}

impl Outgoing {
    pub(super) fn new(format: Format) -> Self {
        Self {
            encoding: format.spoken,
            frame: format.rate as usize / 50,
            waiting: VecDeque::new(),
            bytes: 0,
            sound_ms: 0,
            block: BytesMut::with_capacity(BLOCK),
            coded: Vec::new(),
        }
    }

    /// Sound: filled up to 20 ms with silence, for some carriers take nothing shorter.
    pub(super) fn sound(&mut self, carrier: &dyn Carrier, samples: &[i16]) {
        for samples in samples.chunks(self.frame) {
            let mut coded = std::mem::take(&mut self.coded);
            coded.clear();
            match self.encoding {
                Encoding::Mulaw => Law::Mu.encode(samples, &mut coded),
                Encoding::Alaw => Law::A.encode(samples, &mut coded),
                Encoding::L16 => coded.extend(samples.iter().flat_map(|sample| sample.to_le_bytes())),
            }
            let silence = match self.encoding {
                Encoding::Mulaw => Law::Mu.silence(),
                Encoding::Alaw => Law::A.silence(),
                Encoding::L16 => 0,
            };
            coded.resize(self.frame * self.encoding.width(), silence);
            self.write(carrier, Kind::Sound, Spoken::Sound(&coded));
            self.coded = coded;
        }
    }

    pub(super) fn mark(&mut self, carrier: &dyn Carrier, mark: u32) {
        self.write(carrier, Kind::Mark, Spoken::Mark(mark));
    }

    /// Drops the sound and the marks that wait, and tells the carrier to drop what it has.
    pub(super) fn clear(&mut self, carrier: &dyn Carrier) {
        self.waiting.retain(|waiting| waiting.kind == Kind::Other);
        self.bytes = self.waiting.iter().map(|waiting| waiting.message.len()).sum();
        self.sound_ms = 0;
        self.write(carrier, Kind::Other, Spoken::Clear);
    }

    /// The end, after everything before it.
    pub(super) fn close(&mut self) {
        self.waiting.push_back(Waiting { kind: Kind::Other, message: SocketMessage::Close });
    }

    /// The next message.
    pub(super) fn pop(&mut self) -> Option<SocketMessage> {
        let waiting = self.waiting.pop_front()?;
        self.bytes -= waiting.message.len();
        if waiting.kind == Kind::Sound {
            self.sound_ms -= 20;
        }
        Some(waiting.message)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Milliseconds of sound that wait to be sent.
    pub(super) fn sound_ms(&self) -> u64 {
        self.sound_ms
    }

    /// Bytes that wait to be sent.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn write(&mut self, carrier: &dyn Carrier, kind: Kind, spoken: Spoken<'_>) {
        if self.block.capacity() < BLOCK / 4 {
            // Takes the block back when nobody holds a message of it any more.
            self.block.reserve(BLOCK);
        }
        let written = carrier.write(spoken, &mut self.block);
        let bytes = self.block.split().freeze();
        self.bytes += bytes.len();
        if kind == Kind::Sound {
            self.sound_ms += 20;
        }
        let message = match written {
            Written::Text => SocketMessage::Text(bytes),
            Written::Binary => SocketMessage::Binary(bytes),
        };
        self.waiting.push_back(Waiting { kind, message });
    }
}
