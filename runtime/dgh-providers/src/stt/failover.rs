//! A list of recognisers as one: the first that works hears the caller, and when it fails, the next
//! one hears what had no final words yet. With a list of one, it is connected again.

use std::sync::Arc;

use crate::stt::session::{self, Member};
use crate::stt::{Stt, SttSession, SttStart};
use crate::voice::Patience;

/// Recognisers in order of preference, with the names of their providers. None for an empty list.
///
/// The session tells which one is connected (`Connected`), which one took over and why
/// (`Switched`), and how long words took (`Answered`).
pub fn failover(list: Vec<(String, Arc<dyn Stt>)>) -> Option<Arc<dyn Stt>> {
    with_patience(list, Patience::default())
}

/// The same, with another patience with those that have none of their own.
pub fn with_patience(list: Vec<(String, Arc<dyn Stt>)>, patience: Patience) -> Option<Arc<dyn Stt>> {
    let member = |(name, stt): (String, Arc<dyn Stt>)| {
        let patience = stt.patience().unwrap_or(patience);
        Member { name, stt, patience }
    };
    let members: Vec<_> = list.into_iter().map(member).collect();
    (!members.is_empty()).then(|| -> Arc<dyn Stt> { Arc::new(Failover { members }) })
}

struct Failover {
    members: Vec<Member>,
}

impl Stt for Failover {
    /// One rate that all of them hear.
    fn rate(&self, line: u32) -> u32 {
        self.members.iter().map(|member| member.stt.rate(line)).max().unwrap_or(line)
    }

    fn ends_turns(&self) -> bool {
        self.members.first().is_some_and(|member| member.stt.ends_turns())
    }

    fn open(&self, start: SttStart) -> SttSession {
        session::open(self.members.clone(), start, true)
    }
}

#[cfg(test)]
mod tests;
