//! A delay that is what it says. Tokio's timers tick once a millisecond and round up: three providers in a row
//! would add two of them to every turn, which the figures would take for the server's.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// Comes back at this moment, within the precision of the kernel's timers (50 µs).
pub(crate) async fn until(at: Instant) {
    static CLOCK: OnceLock<Sender<Alarm>> = OnceLock::new();
    let clock = CLOCK.get_or_init(|| {
        let (sender, alarms) = channel();
        std::thread::spawn(move || ring(&alarms));
        sender
    });
    let (bell, rang) = oneshot::channel();
    if clock.send(Alarm { at, bell }).is_ok() {
        let _ = rang.await;
    }
}

struct Alarm {
    at: Instant,
    bell: oneshot::Sender<()>,
}

/// Alarms in the order in which they are due.
struct Due(Reverse<Instant>, oneshot::Sender<()>);

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

fn ring(alarms: &Receiver<Alarm>) {
    let mut waiting = BinaryHeap::<Due>::new();
    loop {
        let now = Instant::now();
        while waiting.peek().is_some_and(|due| due.0.0 <= now) {
            if let Some(Due(_, bell)) = waiting.pop() {
                // Whoever does not listen any more waits for something else by now.
                let _ = bell.send(());
            }
        }
        let patience = waiting.peek().map_or(Duration::from_mins(1), |due| due.0.0.duration_since(now));
        match alarms.recv_timeout(patience) {
            Ok(Alarm { at, bell }) => waiting.push(Due(Reverse(at), bell)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
