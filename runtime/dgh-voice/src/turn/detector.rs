//! The sound of a voice, smoothed: stretches of speech out of a detector that flickers.

use crate::Millis;

/// A shorter break does not end a stretch: a stop consonant is 40 to 60 ms of silence.
const BREAK_MS: Millis = 80;

/// What the detector heard. A *stretch* is voice with no break but short ones.
#[derive(Debug, Default)]
pub(super) struct Detector {
    on: bool,
    /// When it last went on, and off.
    on_since: Millis,
    off_since: Millis,
    /// Voice of this stretch before it last went on.
    before: Millis,
    heard: bool,
    /// This stretch was taken note of as speech.
    pub(super) confirmed: bool,
    /// What goes on was decided to be no speech, or belongs to a turn that is over: it counts for
    /// nothing until it starts again.
    pub(super) stale: bool,
}

impl Detector {
    /// The sound became speech, or stopped being speech. Answers the voice of the stretch that is
    /// over, when a new one begins.
    pub(super) fn hear(&mut self, on: bool, now: Millis) -> Millis {
        if on == self.on {
            return 0;
        }
        self.on = on;
        if !on {
            self.before += now - self.on_since;
            self.off_since = now;
            return 0;
        }
        let mut over = 0;
        if !self.heard || now - self.off_since >= BREAK_MS {
            if self.confirmed {
                over = self.before;
            }
            self.before = 0;
            self.confirmed = false;
            self.stale = false;
        }
        self.heard = true;
        self.on_since = now;
        over
    }

    /// Whether there is voice now that counts.
    pub(super) fn is_on(&self) -> bool {
        self.on && !self.stale
    }

    /// When this stretch has, or had, so much voice; none: not so.
    pub(super) fn reaches(&self, voice: Millis) -> Option<Millis> {
        if self.stale {
            return None;
        }
        if self.on {
            return Some(self.on_since + voice.saturating_sub(self.before));
        }
        (self.heard && self.before >= voice).then_some(self.off_since)
    }

    /// Voice in this stretch.
    pub(super) fn voiced(&self, now: Millis) -> Millis {
        if self.stale {
            return 0;
        }
        self.before + if self.on { now - self.on_since } else { 0 }
    }

    /// When voice was heard last.
    pub(super) fn until(&self, now: Millis) -> Millis {
        if self.is_on() { now } else { self.off_since }
    }

    /// The voice before now does not count.
    pub(super) fn restart(&mut self, now: Millis) {
        self.before = 0;
        self.on_since = now;
    }

    /// What goes on counts for nothing.
    pub(super) fn disbelieve(&mut self) {
        self.stale = self.on;
        self.before = 0;
        self.confirmed = false;
    }

    /// Words prove that what goes on is speech.
    pub(super) fn believe(&mut self, now: Millis) {
        if self.stale && self.on {
            self.stale = false;
            self.on_since = now;
            self.before = 0;
        }
    }
}
