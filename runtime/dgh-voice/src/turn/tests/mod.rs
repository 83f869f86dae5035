#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod laws;
mod scenes;
mod timelines;

use super::*;

/// A turn taker that is told facts at times, and what it decided when.
pub(super) struct Bench {
    pub(super) turns: TurnTaker,
    pub(super) now: Millis,
    pub(super) decided: Vec<(Millis, Decision)>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { turns: TurnTaker::new(Tuning::default()), now: 0, decided: Vec::new() }
    }

    /// An agent that sounds, and may be talked over.
    pub(super) fn agent_sounds() -> Self {
        let mut bench = Self::new();
        bench.at(0, Heard::Agent(Some(true)));
        bench
    }

    /// A fact; what is due before it is decided when it is due.
    pub(super) fn at(&mut self, at: Millis, heard: Heard) -> &mut Self {
        while let Some(due) = self.turns.deadline().filter(|due| *due < at) {
            assert!(due > self.now, "a deadline that does not move on: {due} at {}", self.now);
            self.tell(due, Heard::Tick);
        }
        self.tell(at, heard);
        self
    }

    /// Lets time pass until there is nothing to wait for.
    pub(super) fn wait(&mut self) -> &mut Self {
        for _ in 0..1_000 {
            let Some(due) = self.turns.deadline() else { return self };
            assert!(due > self.now, "a deadline that does not move on: {due} at {}", self.now);
            self.tell(due, Heard::Tick);
        }
        panic!("it never comes to rest");
    }

    /// Voice from and to.
    pub(super) fn voice(&mut self, from: Millis, to: Millis) -> &mut Self {
        self.at(from, Heard::Voice(true)).at(to, Heard::Voice(false))
    }

    pub(super) fn partial(&mut self, at: Millis, words: &str) -> &mut Self {
        self.at(at, Heard::Partial(words.to_owned()))
    }

    pub(super) fn words(&mut self, at: Millis, words: &str) -> &mut Self {
        self.at(at, Heard::Final { text: words.to_owned(), confidence: Some(90), language: None })
    }

    fn tell(&mut self, at: Millis, heard: Heard) {
        self.now = at;
        self.turns.handle(heard, at);
        while let Some(decision) = self.turns.poll() {
            self.decided.push((at, decision));
        }
    }

    /// What was decided, short: `1300 turn: yes`.
    pub(super) fn story(&self) -> Vec<String> {
        let mut story = Vec::new();
        for (at, decision) in &self.decided {
            story.push(match decision {
                Decision::CallerSpeaking => format!("{at} speaks"),
                Decision::Hold => format!("{at} hold"),
                Decision::Resume => format!("{at} resume"),
                Decision::Cut => format!("{at} cut"),
                Decision::Prepare(turn) => format!("{at} prepare: {}", turn.text),
                Decision::Discard => format!("{at} discard"),
                Decision::Turn(turn) => format!("{at} turn: {}", turn.text),
                Decision::Finish => format!("{at} finish"),
            });
        }
        story
    }

    pub(super) fn turns(&self) -> Vec<&Turn> {
        let turns = self.decided.iter().filter_map(|(_, decision)| match decision {
            Decision::Turn(turn) => Some(turn),
            _ => None,
        });
        turns.collect()
    }

    pub(super) fn texts(&self) -> Vec<&str> {
        self.turns().into_iter().map(|turn| turn.text.as_str()).collect()
    }

    pub(super) fn has(&self, decision: &Decision) -> bool {
        self.decided.iter().any(|(_, decided)| decided == decision)
    }
}
