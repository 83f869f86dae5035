//! Tickets: a webhook that was checked hands one out, and the socket that shows it is let in, once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a ticket is good. Carriers open the socket within a second or two.
pub(crate) const GOOD_FOR: Duration = Duration::from_mins(1);
/// Tickets at a time.
const MOST: usize = 10_000;

/// Tickets that were handed out and not shown.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<HashMap<String, (Ticket, Instant)>>);

/// What a ticket is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) carrier: String,
    pub(crate) agent: String,
    /// Who calls.
    pub(crate) from: Option<String>,
}

impl Tickets {
    /// Hands out a ticket. None: there are too many.
    pub(crate) fn issue(&self, ticket: Ticket, name: String, now: Instant) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, (_, until)| *until > now);
        }
        if all.len() >= MOST {
            return None;
        }
        all.insert(name.clone(), (ticket, now + GOOD_FOR));
        Some(name)
    }

    /// Takes a ticket back: it is good once, for this carrier and agent.
    pub(crate) fn take(&self, name: &str, carrier: &str, agent: &str, now: Instant) -> Option<Ticket> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (ticket, until) = all.remove(name)?;
        (until > now && ticket.carrier == carrier && ticket.agent == agent).then_some(ticket)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ticket() -> Ticket {
        Ticket { carrier: "twilio".to_owned(), agent: "desk".to_owned(), from: None }
    }

    #[test]
    fn a_ticket_is_good_once() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let name = tickets.issue(ticket(), "a".to_owned(), now).unwrap();
        assert_eq!(tickets.take(&name, "twilio", "desk", now), Some(ticket()));
        assert_eq!(tickets.take(&name, "twilio", "desk", now), None);
    }

    #[test]
    fn a_ticket_is_good_for_a_minute_and_for_what_it_says() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        for (agent, later) in [("desk", GOOD_FOR), ("other", Duration::ZERO)] {
            let name = tickets.issue(ticket(), "a".to_owned(), now).unwrap();
            assert_eq!(tickets.take(&name, "twilio", agent, now + later), None);
        }
    }

    #[test]
    fn there_are_only_so_many_and_old_ones_make_place() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        for number in 0..MOST {
            assert!(tickets.issue(ticket(), number.to_string(), now).is_some());
        }
        assert_eq!(tickets.issue(ticket(), "x".to_owned(), now), None);
        assert!(tickets.issue(ticket(), "x".to_owned(), now + GOOD_FOR).is_some());
    }
}
