//! Where a frame lies in the recording.
//!
//! Frames come with the time at which they came in, and that trembles: a frame is late, and then
//! several come at once. Laid where their time says, they would tear speech apart and cover each
//! other. So they follow each other without a gap while they are within 20 ms of the clock, and
//! when one is later than that, what comes next tells which it was: if more come at once, sound was
//! held up on its way and belongs into the gap; if not, nothing was sent, and the gap is silence.

/// One side's place on the clock, in samples.
pub(super) struct Timeline {
    /// The first sample after what was laid.
    next: u64,
    /// 20 ms and 10 ms.
    tolerance: u64,
    burst: u64,
    /// When the last frame came, while frames come in a burst.
    bursting: Option<u64>,
    held: Vec<i16>,
    held_at: Option<u64>,
}

/// Where a frame lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    At(u64),
    /// To be held until the next tells.
    Held,
    /// It is one more than there is time for: the other side's clock is fast.
    Nowhere,
}

impl Timeline {
    pub(super) fn new(rate: u32) -> Self {
        Self {
            next: 0,
            tolerance: u64::from(rate / 50),
            burst: u64::from(rate / 100),
            bursting: None,
            held: Vec::with_capacity(rate as usize / 50),
            held_at: None,
        }
    }

    /// Where the held frame lies, if there is one, and where this.
    pub(super) fn place(&mut self, at: u64, sound: &[i16]) -> (Option<u64>, Place) {
        let length = sound.len() as u64;
        let in_burst = |since: u64| at < since + self.burst;
        let mut held = None;
        if let Some(held_at) = self.held_at.take() {
            let is_burst = in_burst(held_at);
            let place = if is_burst { self.next } else { held_at };
            self.bursting = is_burst.then_some(at);
            self.next = place + self.held.len() as u64;
            held = Some(place);
        } else if !self.bursting.is_some_and(in_burst) {
            self.bursting = None;
        }
        let place = if at > self.next + self.tolerance {
            match &mut self.bursting {
                Some(since) => {
                    *since = at;
                    Place::At(self.next)
                }
                // Nothing was laid yet: there is no gap to wonder about.
                None if self.next == 0 => Place::At(at),
                None => Place::Held,
            }
        } else if self.next > at + self.tolerance {
            Place::Nowhere
        } else {
            Place::At(self.next)
        };
        if let Place::At(at) = place {
            self.next = at + length;
        }
        (held, place)
    }

    pub(super) fn hold(&mut self, at: u64, sound: &[i16]) {
        self.held.clear();
        self.held.extend_from_slice(sound);
        self.held_at = Some(at);
    }

    /// Where the held frame lies, when it cannot be the first of a burst any more.
    pub(super) fn overdue(&mut self, now: u64) -> Option<u64> {
        let at = self.held_at.take_if(|at| now >= at.saturating_add(self.burst))?;
        self.next = at + self.held.len() as u64;
        Some(at)
    }

    pub(super) fn take_held(&mut self) -> Vec<i16> {
        std::mem::take(&mut self.held)
    }

    /// The buffer of [`Timeline::take_held`], to be used again.
    pub(super) fn give_back(&mut self, held: Vec<i16>) {
        self.held = held;
    }
}
