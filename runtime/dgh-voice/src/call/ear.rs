//! What hears: the detector of voice and the recogniser, as facts for turn taking.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut as _, BytesMut};
use dgh_engine::Call;
use dgh_engine::log::Voice;
use dgh_engine::reply::Model;
use dgh_providers::Voices;
use dgh_providers::stt::{Expected, SttEvent, SttInput, SttSession, SttStart, failover};
use tokio::sync::mpsc::error::TrySendError;

use crate::Millis;
use crate::audio::denoise::Denoiser;
use crate::audio::echo::{EchoGuard, Whose};
use crate::audio::resample::Resampler;
use crate::audio::vad::Detector;
use crate::audio::{Frame, beep, dtmf};
use crate::line::LineAbout;
use crate::turn::Heard;

/// Above this the detector is sure that somebody speaks, below the other that nobody does.
const SPEECH: f32 = 0.5;
const SILENCE: f32 = 0.35;
/// A voice of which no more sound comes is over after this: the network is away, or the line sends
/// nothing while nobody speaks.
const GONE_MS: Millis = 600;
/// How long after its sound an echo may come: the longest ways there are, and more.
const ECHO_MS: Millis = 1_000;
/// Bytes that are set aside for sound on its way to the recogniser at a time.
const CHUNK_BYTES: usize = 8 << 10;

/// The ear of a call.
pub(super) struct Ear {
    detector: Detector,
    /// For agents that want noise taken out.
    denoiser: Option<Box<Denoiser>>,
    /// For lines that bring the agent's own voice back.
    echo: Option<EchoGuard>,
    /// Until when something of the agent may come back.
    echo_until: Millis,
    /// For lines whose keys are sound.
    keys: Option<dtmf::Detector>,
    /// While it is not known who answered.
    beep: Option<beep::Detector>,
    voice: bool,
    /// When sound last came, and when it is looked at whether it still does.
    sound_at: Millis,
    look_at: Millis,
    /// When the caller was last heard: microseconds since the start.
    pub(super) voice_until: u64,
    recogniser: Option<Recogniser>,
}

/// What a frame brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Noticed {
    /// A voice began or ended.
    pub(super) voice: Option<bool>,
    /// A key was pressed.
    pub(super) key: Option<char>,
    /// The beep of a machine is over.
    pub(super) beep: bool,
}

/// A recogniser, and the sound on its way to it.
struct Recogniser {
    session: SttSession,
    resampler: Option<Resampler>,
    frame: Frame,
    bytes: BytesMut,
    /// Frames that it did not take.
    stuck: u32,
    expected: Option<Arc<Expected>>,
}

impl Ear {
    /// An ear for a line. Without a recogniser only the detector hears.
    pub(super) fn new(about: &LineAbout, call: &Call, recogniser: Option<(u32, SttSession)>) -> Self {
        let rate = about.rate;
        let recogniser = recogniser.map(|(wants, session)| Recogniser {
            session,
            resampler: (wants != rate).then(|| Resampler::new(rate, wants)),
            frame: Frame::default(),
            bytes: BytesMut::new(),
            stuck: 0,
            expected: None,
        });
        Self {
            detector: Detector::new(rate),
            denoiser: call.denoises().then(|| Box::new(Denoiser::new(rate))),
            echo: (!about.cancels_echo).then(|| EchoGuard::new(rate)),
            keys: about.keys_as_sound.then(|| dtmf::Detector::new(rate)),
            beep: call.wonders_who_answered().then(|| beep::Detector::new(rate)),
            echo_until: 0,
            voice: false,
            sound_at: 0,
            look_at: 0,
            voice_until: 0,
            recogniser,
        }
    }

    /// Whether words can be understood.
    pub(super) fn understands(&self) -> bool {
        self.recogniser.is_some()
    }

    /// Hears a frame, from which noise is taken if the agent wants that.
    pub(super) fn hear(&mut self, frame: &mut Frame, now: Millis, micros: u64) -> Noticed {
        // Tones are no speech: what takes noise out takes them for it.
        let key = self.keys.as_mut().and_then(|keys| keys.push(frame));
        let beep = self.beep.as_mut().is_some_and(|beep| beep.push(frame).is_some());
        if let Some(denoiser) = &mut self.denoiser {
            denoiser.process(frame);
        }
        if let Some(recogniser) = &mut self.recogniser {
            recogniser.hear(frame);
        }
        let heard = self.detector.push(frame);
        let mut voice = heard.probability > if self.voice { SILENCE } else { SPEECH };
        if let Some(echo) = &mut self.echo
            && now < self.echo_until
        {
            voice &= echo.heard(now, frame) != Whose::Agent;
        }
        if voice {
            self.voice_until = micros;
        }
        let changed = voice != self.voice;
        self.voice = voice;
        self.sound_at = now;
        if changed {
            self.look_at = now + GONE_MS;
        }
        Noticed { voice: changed.then_some(voice), key, beep }
    }

    /// What goes out, and when it sounds: it may come back.
    pub(super) fn played(&mut self, at: Millis, frame: &Frame) {
        if let Some(echo) = &mut self.echo {
            echo.played(at, frame);
            self.echo_until = at + ECHO_MS;
        }
    }

    /// It is known who answered: no beep is waited for.
    pub(super) fn knows_who_answered(&mut self) {
        self.beep = None;
    }

    /// When [`Ear::voice_gone`] is to be asked.
    pub(super) fn voice_due(&self) -> Option<Millis> {
        self.voice.then_some(self.look_at)
    }

    /// Whether a voice is over because no sound comes any more.
    pub(super) fn voice_gone(&mut self, now: Millis) -> bool {
        if !self.voice || now < self.look_at {
            return false;
        }
        self.look_at = self.sound_at + GONE_MS;
        let gone = self.look_at <= now;
        self.voice &= !gone;
        gone
    }

    /// Whether a voice is heard now.
    pub(super) fn hears_voice(&self) -> bool {
        self.voice
    }

    /// The caller stopped: last words are wanted.
    pub(super) fn finish(&mut self) {
        self.send(SttInput::SpeechEnded);
    }

    /// What fits now.
    pub(super) fn expect(&mut self, expected: Expected) {
        let Some(recogniser) = &mut self.recogniser else { return };
        if recogniser.expected.as_deref() != Some(&expected) {
            let expected = Arc::new(expected);
            recogniser.expected = Some(Arc::clone(&expected));
            self.send(SttInput::Expect(expected));
        }
    }

    /// What the recogniser tells next; none: it is gone.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<SttEvent>> {
        match &mut self.recogniser {
            Some(recogniser) => recogniser.session.events.poll_recv(cx),
            None => Poll::Pending,
        }
    }

    /// The recogniser is gone.
    pub(super) fn go_deaf(&mut self) {
        self.recogniser = None;
    }

    fn send(&mut self, input: SttInput) {
        if let Some(recogniser) = &mut self.recogniser {
            // Full: it takes no sound either, and is given up for that.
            let _ = recogniser.session.input.try_send(input);
        }
    }
}

impl Recogniser {
    fn hear(&mut self, frame: &Frame) {
        let samples = match &mut self.resampler {
            Some(resampler) => {
                resampler.push_frame(frame, &mut self.frame);
                self.frame.samples()
            }
            None => frame.samples(),
        };
        if samples.is_empty() {
            return;
        }
        // One piece of memory serves many frames: what was sent is freed when the last part was.
        if self.bytes.capacity() < samples.len() * 2 {
            self.bytes.reserve(CHUNK_BYTES);
        }
        for sample in samples {
            self.bytes.put_i16_le(*sample);
        }
        match self.session.input.try_send(SttInput::Audio(self.bytes.split().freeze())) {
            Ok(()) => self.stuck = 0,
            Err(TrySendError::Full(_)) => self.stuck += 1,
            // Its last event says why.
            Err(TrySendError::Closed(_)) => {}
        }
    }
}

/// Opens these recognisers, and says which cannot be made.
pub(super) fn open(
    voices: &dyn Voices,
    models: &[Model],
    rate: u32,
    call: &Call,
) -> (Option<(u32, SttSession)>, Vec<Voice>) {
    let mut list = Vec::new();
    let mut troubles = Vec::new();
    for model in models {
        match voices.stt(model) {
            Ok(stt) => list.push((model.provider.clone(), stt)),
            Err(error) => {
                troubles.push(Voice::Trouble { part: "stt".to_owned(), message: error.to_string() });
            }
        }
    }
    let Some(stt) = failover(list) else { return (None, troubles) };
    let rate = stt.rate(rate);
    let (languages, words) = (call.languages().to_vec(), call.vocabulary().to_vec());
    (Some((rate, stt.open(SttStart { rate, languages, words }))), troubles)
}

/// What an event of a recogniser is to turn taking; none: nothing.
pub(super) fn heard(event: SttEvent) -> Option<Heard> {
    Some(match event {
        SttEvent::Partial { text } => Heard::Partial(text),
        SttEvent::Final { text, confidence, language } => Heard::Final { text, confidence, language },
        SttEvent::MaybeEnd => Heard::MaybeEnd,
        SttEvent::Resumed => Heard::Resumed,
        SttEvent::EndOfTurn => Heard::EndOfTurn,
        SttEvent::Failed(_) => Heard::Deaf,
        SttEvent::Answered { .. } | SttEvent::Connected { .. } | SttEvent::Switched { .. } => return None,
    })
}
