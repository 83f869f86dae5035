//! What may be missing at a place: for all paths at once, or for one.

use fixedbitset::FixedBitSet;

/// The bits that may be missing; the join is the union. Everything that moves a state along the
/// dialogue is written once, over this trait: on whole sets for the proof, on one bit for the
/// shortest path that shows a fault.
pub(crate) trait State: Clone {
    /// Whether it may be missing.
    fn lacks(&self, bit: usize) -> bool;
    /// It may be missing from here on.
    fn lose(&mut self, bit: usize);
    /// It is surely there from here on.
    fn gain(&mut self, bit: usize);
    /// All of these may be missing from here on.
    fn lose_all(&mut self, bits: &FixedBitSet);
    /// What may be missing on either way.
    fn join(&mut self, other: &Self);
    /// Of these alone it is known that they may be missing; the others are there.
    fn keep(&mut self, bits: &FixedBitSet);
    /// Nothing is known any more, so nothing is complained about.
    fn give_up(&mut self);
}

impl State for FixedBitSet {
    fn lacks(&self, bit: usize) -> bool {
        self.contains(bit)
    }
    fn lose(&mut self, bit: usize) {
        if bit < self.len() {
            self.insert(bit);
        }
    }
    fn gain(&mut self, bit: usize) {
        if bit < self.len() {
            self.remove(bit);
        }
    }
    fn lose_all(&mut self, bits: &FixedBitSet) {
        self.union_with(bits);
    }
    fn join(&mut self, other: &Self) {
        self.union_with(other);
    }
    fn keep(&mut self, bits: &FixedBitSet) {
        self.intersect_with(bits);
    }
    fn give_up(&mut self) {
        self.clear();
    }
}

/// One bit; the others are as the proof found them on entry to the node.
#[derive(Clone, Copy)]
pub(crate) struct OneBit<'a> {
    /// Which.
    pub(crate) bit: usize,
    /// Whether it may be missing.
    pub(crate) missing: bool,
    /// The others.
    pub(crate) others: &'a FixedBitSet,
}

impl State for OneBit<'_> {
    fn lacks(&self, bit: usize) -> bool {
        if bit == self.bit { self.missing } else { self.others.contains(bit) }
    }
    fn lose(&mut self, bit: usize) {
        self.missing |= bit == self.bit;
    }
    fn gain(&mut self, bit: usize) {
        self.missing &= bit != self.bit;
    }
    fn lose_all(&mut self, bits: &FixedBitSet) {
        self.missing |= bits.contains(self.bit);
    }
    fn join(&mut self, other: &Self) {
        self.missing |= other.missing;
    }
    fn keep(&mut self, bits: &FixedBitSet) {
        self.missing &= bits.contains(self.bit);
    }
    fn give_up(&mut self) {
        self.missing = false;
    }
}
