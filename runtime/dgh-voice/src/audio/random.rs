//! Numbers that look random and are the same every time (xorshift, G. Marsaglia, 2003).

/// A row of numbers; the seed must not be zero.
pub(crate) struct Random(pub(crate) u32);

impl Random {
    /// The next, from −1 to 1.
    pub(crate) fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as f32 / u32::MAX as f32 * 2.0 - 1.0
    }

    /// The next, between these.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (self.next() * 0.5 + 0.5) * (high - low)
    }
}
