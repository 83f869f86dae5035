//! Messages of the line that nobody could read, told once for each way to be wrong, and counted: a
//! log does not grow with what a stranger sends.

/// More ways than any line has.
const MOST_KINDS: usize = 32;

/// What was skipped, and how often.
#[derive(Default)]
pub(super) struct Skipped(Vec<(&'static str, u32)>);

impl Skipped {
    /// One more. Answers whether it is the first of its kind.
    pub(super) fn count(&mut self, why: &'static str) -> bool {
        if let Some((_, times)) = self.0.iter_mut().find(|(known, _)| *known == why) {
            *times = times.saturating_add(1);
            return false;
        }
        let room = self.0.len() < MOST_KINDS;
        if room {
            self.0.push((why, 1));
        }
        room
    }

    /// What was skipped more than once.
    pub(super) fn several(&mut self) -> Vec<(&'static str, u32)> {
        std::mem::take(&mut self.0).into_iter().filter(|(_, times)| *times > 1).collect()
    }
}
