//! The requests of a session, in the order in which they are heard. Sound of a request that is not
//! at its turn is held until it is.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use crate::tts::pcm::Whole;
use crate::tts::words::Aligner;
use crate::tts::{TtsEvent, WordMark};
use crate::voice::VoiceError;

/// Requests in order. Not `Debug`: what is spoken may hold private values.
#[derive(Default)]
pub(super) struct Line {
    requests: VecDeque<Request>,
    /// What was asked last, so that a late error can be cleared of it.
    last: String,
}

/// A request that is not over.
pub(super) struct Request {
    pub(super) id: u32,
    pub(super) text: String,
    pub(super) language: String,
    /// When it was asked for; none: it was not.
    pub(super) asked: Option<Instant>,
    /// Whether any sound of it came.
    pub(super) sounded: bool,
    /// Whether it waits for its turn instead of being asked for ahead.
    pub(super) waits: bool,
    sound: Whole,
    words: Aligner,
    /// Words that were told before any sound.
    early: Vec<WordMark>,
    ready: VecDeque<TtsEvent>,
    held: usize,
    over: Option<Result<(), VoiceError>>,
}

impl Line {
    /// A request behind all others.
    pub(super) fn push(&mut self, id: u32, text: String, language: String) {
        let over = (!super::is_speakable(&text)).then_some(Ok(()));
        self.requests.push_back(Request {
            id,
            words: Aligner::new(&text),
            text,
            language,
            asked: None,
            sounded: false,
            waits: false,
            sound: Whole::default(),
            early: Vec::new(),
            ready: VecDeque::new(),
            held: 0,
            over,
        });
    }

    /// The request at this place; 0 is the one whose turn it is.
    pub(super) fn get(&mut self, place: usize) -> Option<&mut Request> {
        self.requests.get_mut(place)
    }

    /// The request whose turn it is.
    pub(super) fn front(&self) -> Option<&Request> {
        self.requests.front()
    }

    /// Where a request stands.
    pub(super) fn place(&self, id: u32) -> Option<usize> {
        self.requests.iter().position(|request| request.id == id)
    }

    /// Takes a request out; nothing of it will be told.
    pub(super) fn remove(&mut self, id: u32) -> Option<Request> {
        let request = self.requests.remove(self.place(id)?)?;
        self.last.clone_from(&request.text);
        Some(request)
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether an event can be told now.
    pub(super) fn has_event(&self) -> bool {
        self.requests.front().is_some_and(|front| !front.ready.is_empty() || front.over.is_some())
    }

    /// The next event to tell. After the last one of a request the next request has its turn.
    pub(super) fn event(&mut self) -> Option<TtsEvent> {
        let front = self.requests.front_mut()?;
        if let Some(event) = front.ready.pop_front() {
            return Some(event);
        }
        let over = front.over.take()?;
        let front = self.requests.pop_front()?;
        self.last = front.text;
        Some(match over {
            Ok(()) => TtsEvent::Done { id: front.id },
            Err(error) => TtsEvent::Failed { id: Some(front.id), error },
        })
    }

    /// What is spoken here: what an error must not repeat.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.requests.iter().map(|r| r.text.as_str()).chain([self.last.as_str()])
    }
}

impl Request {
    /// Whether it was asked for and more is to come.
    pub(super) fn is_open(&self) -> bool {
        self.asked.is_some() && self.over.is_none()
    }

    /// Whether it is still to be asked for.
    pub(super) fn is_new(&self) -> bool {
        self.asked.is_none() && self.over.is_none()
    }

    /// Bytes of sound that wait to be told.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// A piece of its sound, cut anywhere. `since`: when the provider was free for it.
    pub(super) fn sound(&mut self, piece: Bytes, provider: &str, since: Instant) {
        let pcm = self.sound.push(piece);
        if self.over.is_some() || pcm.is_empty() {
            return;
        }
        if !self.sounded {
            self.sounded = true;
            let ms = u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX);
            self.ready.push_back(TtsEvent::Started { id: self.id, provider: provider.to_owned(), ms });
        }
        self.held += pcm.len();
        self.ready.push_back(TtsEvent::Audio { id: self.id, pcm });
        if !self.early.is_empty() {
            let words = std::mem::take(&mut self.early);
            self.ready.push_back(TtsEvent::Words { id: self.id, words });
        }
    }

    /// Places of its words: the function is given the words and when the sound so far ends.
    pub(super) fn words(&mut self, rate: u32, tell: impl FnOnce(&mut Aligner, u32, &mut Vec<WordMark>)) {
        let mut words = std::mem::take(&mut self.early);
        tell(&mut self.words, self.sound.ms(rate), &mut words);
        if !self.sounded {
            self.early = words;
        } else if !words.is_empty() && self.over.is_none() {
            self.ready.push_back(TtsEvent::Words { id: self.id, words });
        }
    }

    /// It is over.
    pub(super) fn finish(&mut self, result: Result<(), VoiceError>) {
        if self.over.is_none() {
            self.over = Some(result);
        }
    }

    /// Forgets that it was asked for.
    pub(super) fn reset(&mut self) {
        (self.asked, self.sounded, self.held) = (None, false, 0);
        self.ready.clear();
        self.early.clear();
        self.sound = Whole::default();
        self.words = Aligner::new(&self.text);
    }
}
