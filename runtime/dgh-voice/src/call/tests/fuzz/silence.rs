//! Dead air: how long nobody is heard although somebody should be.

use std::sync::Arc;

use dgh_engine::Call;
use dgh_engine::log::What;

use super::Played;

/// A step of the clock here.
const STEP_MS: u64 = 20;
/// After the caller's last sound the recogniser and the end of the turn take so long at the most.
const TURN_MS: u64 = 1_600;

/// The longest silences of a call: from when, how long.
#[derive(Debug, Default)]
pub(super) struct Silences {
    /// While the agent had the floor, no tool ran, and nobody spoke.
    pub(super) owed: (u64, u64),
    /// Nobody spoke, no tool ran; whoever had the floor.
    pub(super) any: (u64, u64),
}

pub(super) fn longest(played: &Played) -> Silences {
    let seen = played.world.seen();
    let end = [seen.closed, seen.hung_up].into_iter().flatten().min().unwrap_or_else(|| played.length());
    let mut filled = vec![false; usize::try_from(end / STEP_MS).unwrap() + 1];
    let mut fill = |from: u64, until: u64| {
        for at in from / STEP_MS..=until / STEP_MS {
            if let Some(step) = filled.get_mut(usize::try_from(at).unwrap()) {
                *step = true;
            }
        }
    };
    seen.frames.iter().for_each(|at| fill(*at, at + STEP_MS));
    seen.caller.iter().for_each(|(from, until)| fill(*from, until + TURN_MS));
    seen.tools.iter().for_each(|(from, until)| fill(*from, *until));
    let floors = floors(played);
    let mut floor = floors.iter().peekable();
    let mut listens = false;
    let (mut owed, mut any) = (Stretch::default(), Stretch::default());
    for (step, filled) in filled.iter().enumerate() {
        let at = step as u64 * STEP_MS;
        while let Some((_, has)) = floor.next_if(|(since, _)| *since <= at) {
            listens = *has;
        }
        owed.next(at, !filled && !listens);
        any.next(at, !filled);
    }
    Silences { owed: owed.longest, any: any.longest }
}

#[derive(Default)]
struct Stretch {
    since: Option<u64>,
    longest: (u64, u64),
}

impl Stretch {
    fn next(&mut self, at: u64, silent: bool) {
        if !silent {
            self.since = None;
            return;
        }
        let since = *self.since.get_or_insert(at);
        if at - since > self.longest.1 {
            self.longest = (since, at - since);
        }
    }
}

/// When the caller got the floor, and lost it.
fn floors(played: &Played) -> Vec<(u64, bool)> {
    let agent = played.prepared.program().agent(&played.log.agent).unwrap();
    let mut call = Call::of(Arc::clone(&played.prepared), agent, played.log.start.clone()).unwrap();
    let mut floors = Vec::new();
    for (at, entry) in played.entries() {
        match &entry.what {
            What::Event(event) => call.handle(event.clone(), entry.at),
            What::Effect(_) => drop(call.poll()),
            What::Voice(_) => continue,
        }
        floors.push((at, call.caller_has_floor()));
    }
    floors
}
