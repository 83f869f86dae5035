//! Words given to speech, and which of them were heard.

use std::collections::VecDeque;

use dgh_ir::Rendered;

use crate::call::Call;
use crate::effect::{Effect, Record};
use crate::event::{ReplyId, UtteranceId};
use crate::private::cut_masked;
use crate::state::{Cause, Owes, Said, Timer, Utterance};
use crate::visible::Raised;

impl Call {
    /// Speaks. Answers the utterance, unless there is nothing to say or nobody to hear it.
    pub(crate) fn speak(
        &mut self,
        words: Rendered,
        exact: bool,
        interruptible: bool,
        reply: Option<ReplyId>,
    ) -> Option<UtteranceId> {
        if words.text.trim().is_empty() || self.state.hung_up {
            return None;
        }
        let utterance = Utterance {
            id: self.next_utterance(),
            text: words.text,
            masked: words.masked,
            muted: words.muted,
            exact,
            interruptible,
            started: false,
            stopped: false,
            reply,
            recording: false,
        };
        let id = utterance.id;
        self.emit(self.speak_effect(&utterance));
        self.spoken(utterance);
        Some(id)
    }

    /// Plays a recording. A chat has no sound.
    pub(crate) fn play(&mut self, recording: String, interruptible: bool) {
        if self.is_chat() || self.state.hung_up {
            return;
        }
        let utterance = Utterance {
            id: self.next_utterance(),
            text: recording.clone(),
            masked: format!("(recording {recording})"),
            muted: Vec::new(),
            exact: true,
            interruptible,
            started: false,
            stopped: false,
            reply: None,
            recording: true,
        };
        self.emit(self.speak_effect(&utterance));
        self.spoken(utterance);
    }

    fn next_utterance(&mut self) -> UtteranceId {
        self.state.counts.utterances += 1;
        UtteranceId(self.state.counts.utterances)
    }

    fn speak_effect(&self, utterance: &Utterance) -> Effect {
        if utterance.recording {
            return Effect::Play {
                utterance: utterance.id,
                recording: utterance.text.clone(),
                interruptible: utterance.interruptible,
            };
        }
        Effect::Speak {
            utterance: utterance.id,
            text: utterance.text.clone(),
            masked: utterance.masked.clone(),
            exact: utterance.exact,
            interruptible: utterance.interruptible,
            muted: utterance.muted.clone(),
            language: self.state.language.clone(),
        }
    }

    fn spoken(&mut self, utterance: Utterance) {
        self.state.spoke = true;
        self.state.owes = Owes::Nothing;
        self.state.timers.remove(&Timer::Slow);
        self.state.timers.remove(&Timer::Silence);
        if self.is_chat() {
            // Written is read.
            self.state.history.push(Said::Agent(None, utterance.masked.clone()));
            return self.record(Record::Agent { text: utterance.masked, cut: false });
        }
        self.state.history.push(Said::Agent(Some(utterance.id), utterance.masked.clone()));
        self.state.speech.push_back(utterance);
    }

    pub(crate) fn speech_started(&mut self, id: UtteranceId) {
        self.flush_stopped(id);
        if let Some(utterance) = self.state.speech.iter_mut().find(|u| u.id == id) {
            utterance.started = true;
        }
    }

    pub(crate) fn speech_finished(&mut self, id: UtteranceId) {
        if !self.state.speech.iter().any(|u| u.id == id) {
            return;
        }
        // Utterances play in order: those before it were heard too.
        while let Some(utterance) = self.state.speech.pop_front() {
            let last = utterance.id == id;
            self.heard(&utterance);
            if last {
                break;
            }
        }
    }

    /// The caller spoke over an utterance. What cannot be talked over is spoken again.
    pub(crate) fn speech_cut(&mut self, id: UtteranceId, heard: u32) {
        if !self.state.speech.iter().any(|u| u.id == id) {
            return;
        }
        let by_caller = self.state.speech.iter().any(|u| u.id == id && !u.stopped);
        let mut dropped = VecDeque::new();
        while let Some(utterance) = self.state.speech.pop_front() {
            if utterance.id < id {
                self.heard(&utterance);
            } else if utterance.id == id && (utterance.interruptible || utterance.stopped) {
                self.cut(&utterance, heard);
            } else {
                dropped.push_back(utterance);
            }
        }
        if !by_caller {
            // It was told to stop; what was queued behind it then is another matter.
            self.state.speech = dropped;
            return;
        }
        self.speak_again(dropped);
        if let Some(reply) = &mut self.state.reply {
            reply.muted = true;
        }
        self.raise(&Raised::Interrupted, Cause::Dialogue);
    }

    /// Nobody heard it: it was not said. What has to be heard is spoken again.
    pub(crate) fn speech_failed(&mut self, id: UtteranceId) {
        let place = self.state.speech.iter().position(|u| u.id == id);
        match place.and_then(|place| self.state.speech.remove(place)) {
            Some(utterance) if utterance.stopped => self.unsay(id),
            Some(utterance) => self.speak_again(VecDeque::from([utterance])),
            None => {}
        }
    }

    /// Stops what sounds. What cannot be talked over is spoken again.
    pub(crate) fn stop_speech(&mut self) {
        if !self.state.speech.iter().any(|u| !u.stopped && u.interruptible) {
            return;
        }
        self.emit(Effect::StopSpeech);
        let mut again = VecDeque::new();
        for mut utterance in std::mem::take(&mut self.state.speech) {
            if utterance.stopped {
                self.state.speech.push_back(utterance);
            } else if !utterance.interruptible {
                again.push_back(utterance);
            } else if utterance.started {
                utterance.stopped = true;
                self.state.speech.push_back(utterance);
            } else {
                self.unsay(utterance.id);
            }
        }
        self.speak_again(again);
    }

    /// Stops all that sounds, and forgets what was to follow, what has to be heard included.
    pub(crate) fn drop_speech(&mut self) {
        if !self.sounding_words() {
            return;
        }
        self.emit(Effect::StopSpeech);
        for mut utterance in std::mem::take(&mut self.state.speech) {
            if utterance.started {
                utterance.stopped = true;
                self.state.speech.push_back(utterance);
            } else {
                self.unsay(utterance.id);
            }
        }
    }

    /// Whether words sound or wait to sound.
    pub(crate) fn sounding_words(&self) -> bool {
        self.state.speech.iter().any(|utterance| !utterance.stopped)
    }

    /// Whether words that cannot be talked over have not been heard to their end.
    pub(crate) fn must_be_heard(&self) -> bool {
        self.state.speech.iter().any(|utterance| !utterance.interruptible)
    }

    /// All words that were not reported as heard are taken for heard: nothing more will be said
    /// about them.
    pub(crate) fn flush_speech(&mut self) {
        for utterance in std::mem::take(&mut self.state.speech) {
            if utterance.started {
                let text = u32::try_from(utterance.text.len()).unwrap_or(u32::MAX);
                self.cut(&utterance, text);
            } else {
                self.unsay(utterance.id);
            }
        }
    }

    /// A stopped utterance of which nothing was reported before the next one sounded.
    fn flush_stopped(&mut self, next: UtteranceId) {
        while self.state.speech.front().is_some_and(|u| u.stopped && u.id < next) {
            if let Some(utterance) = self.state.speech.pop_front() {
                let all = u32::try_from(utterance.text.len()).unwrap_or(u32::MAX);
                self.cut(&utterance, all);
            }
        }
    }

    fn speak_again(&mut self, utterances: VecDeque<Utterance>) {
        for utterance in utterances {
            self.unsay(utterance.id);
            if utterance.interruptible {
                continue;
            }
            let again = Utterance { id: self.next_utterance(), started: false, ..utterance };
            self.emit(self.speak_effect(&again));
            self.state.history.push(Said::Agent(Some(again.id), again.masked.clone()));
            self.state.speech.push_back(again);
        }
    }

    fn heard(&mut self, utterance: &Utterance) {
        if utterance.stopped {
            let all = u32::try_from(utterance.text.len()).unwrap_or(u32::MAX);
            return self.cut(utterance, all);
        }
        for frame in &mut self.state.frames {
            if let Some(read_back) = &mut frame.read_back
                && read_back.utterance == utterance.id
            {
                read_back.heard = true;
            }
        }
        self.settle_said(utterance.id, Some(utterance.masked.clone()));
        self.record(Record::Agent { text: utterance.masked.clone(), cut: false });
    }

    fn cut(&mut self, utterance: &Utterance, heard: u32) {
        if heard == 0 {
            return self.unsay(utterance.id);
        }
        let text = if utterance.recording {
            utterance.masked.clone()
        } else {
            cut_masked(&utterance.text, &utterance.masked, &utterance.muted, heard as usize)
        };
        self.settle_said(utterance.id, Some(text.clone()));
        self.record(Record::Agent { text, cut: true });
    }

    fn unsay(&mut self, id: UtteranceId) {
        self.settle_said(id, None);
    }

    fn settle_said(&mut self, id: UtteranceId, text: Option<String>) {
        let history = &mut self.state.history;
        let line = history.iter().rposition(|said| matches!(said, Said::Agent(Some(u), _) if *u == id));
        let Some(line) = line else { return };
        if let Some(text) = text {
            if let Some(said) = history.get_mut(line) {
                *said = Said::Agent(None, text);
            }
            return;
        }
        history.remove(line);
        if let Some(turn) = &mut self.state.turn
            && turn.line > line
        {
            turn.line -= 1;
        }
    }
}
