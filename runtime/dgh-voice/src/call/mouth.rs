//! What speaks: voices that make sound of words, and the playout that sends it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use dgh_engine::event::UtteranceId;
use dgh_engine::reply::Model;
use dgh_providers::Voices;
use dgh_providers::tts::failover::Failover;
use dgh_providers::tts::{Tts as _, TtsEvent, TtsInput, TtsSession, TtsStart};

use crate::Millis;
use crate::audio::resample::Resampler;
use crate::playout::{Cut, Playout};

/// A voice that was asked for words and tells nothing for so long is given up: it has had the time of
/// everybody who could take over.
const STUCK_MS: Millis = 10_000;

/// Words to speak.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Words {
    pub(super) utterance: UtteranceId,
    pub(super) text: String,
    pub(super) interruptible: bool,
    pub(super) muted: Vec<(u32, u32)>,
    pub(super) language: String,
}

/// Something that a voice made or met.
#[derive(Debug)]
pub(super) enum Made {
    /// Sound of an utterance came.
    Sound(UtteranceId),
    /// An utterance has all its sound.
    Complete,
    /// A voice failed. Of these utterances nothing sounds; and whether another one was broken off.
    Failed { error: String, silent: Vec<UtteranceId>, broken_off: bool },
    /// Something for the log.
    Note(TtsEvent),
}

/// The mouth of a call.
pub(super) struct Mouth {
    pub(super) playout: Playout,
    voices: Arc<dyn Voices>,
    rate: u32,
    open: Vec<Voice>,
    /// Words that were sent to a voice and are not complete.
    asked: VecDeque<Request>,
    next: u32,
    /// What voices have told of words that are waited for, counted.
    told: u64,
    /// While words are waited for: by when something must have been told, since this count.
    patience: Option<(Millis, u64)>,
    samples: Vec<i16>,
}

/// An open session of a list of voices.
struct Voice {
    models: Vec<Model>,
    session: TtsSession,
    resampler: Option<Resampler>,
    id: u32,
}

/// Words on their way.
struct Request {
    voice: u32,
    id: u32,
    utterance: UtteranceId,
    /// Whether they are queued in the playout; else they are prepared, and their sound is kept here.
    wanted: bool,
    kept: Vec<TtsEvent>,
    complete: bool,
    sounded: bool,
}

impl Mouth {
    pub(super) fn new(playout: Playout, voices: Arc<dyn Voices>, rate: u32) -> Self {
        Self {
            playout,
            voices,
            rate,
            open: Vec::new(),
            asked: VecDeque::new(),
            next: 0,
            told: 0,
            patience: None,
            samples: Vec::new(),
        }
    }

    /// Opens these voices before their first word.
    pub(super) fn warm(&mut self, models: &[Model], language: &str) -> Result<(), String> {
        self.voice(models, language).map(|_| ())
    }

    /// Makes sound of words that may never be wanted.
    pub(super) fn prepare(&mut self, models: &[Model], words: &Words) -> Result<(), String> {
        self.ask(models, words, false)
    }

    /// Prepared words that nobody wants.
    pub(super) fn forget_prepared(&mut self) {
        let unwanted: Vec<_> =
            self.asked.iter().filter(|request| !request.wanted).map(|r| (r.voice, r.id)).collect();
        self.asked.retain(|request| request.wanted);
        for (voice, id) in unwanted {
            self.tell(voice, TtsInput::Cancel { id });
        }
    }

    /// Speaks after what is queued. Answers whether the sound was prepared.
    pub(super) fn speak(&mut self, models: &[Model], words: &Words) -> Result<bool, String> {
        self.playout.queue(words.utterance, &words.text, words.interruptible, &words.muted);
        let prepared = self.asked.iter_mut().find(|r| !r.wanted && r.utterance == words.utterance);
        if let Some(request) = prepared {
            request.wanted = true;
            let (voice, id, kept) = (request.voice, request.id, std::mem::take(&mut request.kept));
            for event in kept {
                self.made(voice, event);
            }
            if self.asked.iter().any(|r| r.id == id && r.complete) {
                self.playout.complete(words.utterance);
                self.asked.retain(|r| r.id != id);
            }
            return Ok(true);
        }
        self.ask(models, words, true).map(|()| false).inspect_err(|_| {
            self.playout.fail(words.utterance);
        })
    }

    /// Plays sound that is already there, under its name.
    pub(super) fn play(&mut self, utterance: UtteranceId, name: &str, interruptible: bool, samples: &[i16]) {
        self.playout.queue(utterance, name, interruptible, &[]);
        self.playout.sound(utterance, samples);
        self.playout.complete(utterance);
    }

    /// The caller spoke over it: what was held, and what was to follow, is dropped.
    pub(super) fn cut(&mut self, now: Millis) -> Option<Cut> {
        let cut = self.playout.cut(now);
        if let Some(cut) = cut {
            self.drop_from(cut.utterance);
        }
        cut
    }

    /// Everything is dropped.
    pub(super) fn stop(&mut self, now: Millis) -> Option<Cut> {
        let cut = self.playout.stop(now);
        self.drop_from(UtteranceId(0));
        cut
    }

    /// What a voice made next.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Made> {
        for index in 0..self.open.len() {
            let Some(voice) = self.open.get_mut(index) else { break };
            let id = voice.id;
            match voice.session.events.poll_recv(cx) {
                Poll::Pending => {}
                Poll::Ready(Some(event)) => return Poll::Ready(self.made(id, event)),
                Poll::Ready(None) => return Poll::Ready(self.lose(id, "the session ended")),
            }
        }
        Poll::Pending
    }

    /// When [`Mouth::tick`] is wanted. Asked whenever something may have changed.
    pub(super) fn deadline(&mut self, now: Millis) -> Option<Millis> {
        let waits = !self.asked.is_empty();
        match &self.patience {
            Some((by, told)) if waits && *told == self.told => return Some(*by),
            _ => self.patience = waits.then_some((now + STUCK_MS, self.told)),
        }
        self.patience.map(|(by, _)| by)
    }

    /// Gives up a voice that tells nothing any more.
    pub(super) fn tick(&mut self, now: Millis) -> Option<Made> {
        let (_, told) = self.patience.take_if(|(by, _)| *by <= now)?;
        let voice = self.asked.front()?.voice;
        (told == self.told).then(|| self.lose(voice, "a voice makes no sound any more"))
    }

    fn made(&mut self, voice: u32, event: TtsEvent) -> Made {
        let id = match &event {
            TtsEvent::Audio { id, .. } | TtsEvent::Words { id, .. } | TtsEvent::Done { id } => *id,
            TtsEvent::Failed { id: Some(id), .. } => *id,
            TtsEvent::Failed { id: None, error } => {
                let error = error.to_string();
                return self.lose(voice, &error);
            }
            TtsEvent::Connected { .. } | TtsEvent::Started { .. } | TtsEvent::Switched { .. } => {
                return Made::Note(event);
            }
        };
        let Some(request) = self.asked.iter_mut().find(|r| r.voice == voice && r.id == id) else {
            // It was cancelled.
            return Made::Complete;
        };
        self.told += 1;
        let utterance = request.utterance;
        match event {
            TtsEvent::Audio { pcm, .. } => {
                let first = !std::mem::replace(&mut request.sounded, true);
                if request.wanted {
                    self.sound(voice, utterance, &pcm);
                } else {
                    request.kept.push(TtsEvent::Audio { id, pcm });
                }
                if first { Made::Sound(utterance) } else { Made::Complete }
            }
            TtsEvent::Words { words, .. } => {
                if request.wanted {
                    self.playout.words(utterance, &words);
                } else {
                    request.kept.push(TtsEvent::Words { id, words });
                }
                Made::Complete
            }
            TtsEvent::Done { .. } => {
                request.complete = true;
                if request.wanted {
                    self.playout.complete(utterance);
                    self.asked.retain(|r| r.id != id);
                }
                Made::Complete
            }
            TtsEvent::Failed { error, .. } => {
                // A prepared one is asked for again when it is wanted.
                let wanted = request.wanted;
                let silent = wanted && self.playout.fail(utterance);
                self.asked.retain(|r| r.id != id);
                Made::Failed {
                    error: error.to_string(),
                    silent: silent.then_some(utterance).into_iter().collect(),
                    broken_off: wanted && !silent,
                }
            }
            TtsEvent::Connected { .. } | TtsEvent::Started { .. } | TtsEvent::Switched { .. } => {
                Made::Complete
            }
        }
    }

    fn sound(&mut self, voice: u32, utterance: UtteranceId, pcm: &Bytes) {
        let Some(voice) = self.open.iter_mut().find(|v| v.id == voice) else { return };
        self.samples.clear();
        let samples = pcm.chunks_exact(2).map(|pair| match pair {
            [low, high] => i16::from_le_bytes([*low, *high]),
            _ => 0,
        });
        match &mut voice.resampler {
            None => self.samples.extend(samples),
            Some(resampler) => {
                let raw: Vec<i16> = samples.collect();
                resampler.push(&raw, &mut self.samples);
            }
        }
        self.playout.sound(utterance, &self.samples);
    }

    fn ask(&mut self, models: &[Model], words: &Words, wanted: bool) -> Result<(), String> {
        let voice = self.voice(models, &words.language)?;
        self.next += 1;
        let id = self.next;
        let input = TtsInput::Speak { id, text: words.text.clone(), language: words.language.clone() };
        if !self.tell(voice, input) {
            return Err("the voice takes no more words".to_owned());
        }
        self.asked.push_back(Request {
            voice,
            id,
            utterance: words.utterance,
            wanted,
            kept: Vec::new(),
            complete: false,
            sounded: false,
        });
        Ok(())
    }

    /// The session of these voices, opened if need be.
    fn voice(&mut self, models: &[Model], language: &str) -> Result<u32, String> {
        if let Some(voice) = self.open.iter().find(|voice| voice.models == models) {
            return Ok(voice.id);
        }
        let start = TtsStart { rate: self.rate, language: language.to_owned() };
        let voice = Failover::of(models, self.voices.as_ref()).map_err(|error| error.to_string())?;
        let session = voice.open(start);
        let resampler = (session.rate != self.rate).then(|| Resampler::new(session.rate, self.rate));
        self.next += 1;
        let id = self.next;
        self.open.push(Voice { models: models.to_vec(), session, resampler, id });
        Ok(id)
    }

    fn tell(&mut self, voice: u32, input: TtsInput) -> bool {
        let voice = self.open.iter().find(|v| v.id == voice);
        voice.is_some_and(|voice| voice.session.input.try_send(input).is_ok())
    }

    /// A session is gone, and with it what it was asked for. The next words open it anew.
    fn lose(&mut self, voice: u32, why: &str) -> Made {
        self.open.retain(|v| v.id != voice);
        let lost = self.asked.iter().filter(|r| r.voice == voice && r.wanted).map(|r| r.utterance);
        let (silent, broken_off): (Vec<_>, Vec<_>) =
            lost.partition(|utterance| self.playout.fail(*utterance));
        self.asked.retain(|r| r.voice != voice);
        Made::Failed { error: why.to_owned(), silent, broken_off: !broken_off.is_empty() }
    }

    fn drop_from(&mut self, utterance: UtteranceId) {
        let dropped: Vec<_> = self
            .asked
            .iter()
            .filter(|r| r.utterance >= utterance && r.wanted)
            .map(|r| (r.voice, r.id))
            .collect();
        self.asked.retain(|r| r.utterance < utterance || !r.wanted);
        for (voice, id) in dropped {
            self.tell(voice, TtsInput::Cancel { id });
        }
    }
}
