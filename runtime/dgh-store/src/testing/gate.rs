//! A wire to a database that can be cut.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// A way to a Postgres that can be shut: connections break, and new ones are refused, until it is
/// open again.
pub struct Gate {
    url: String,
    state: Arc<State>,
    door: AbortHandle,
}

#[derive(Default)]
struct State {
    shut: AtomicBool,
    wires: Mutex<Vec<AbortHandle>>,
}

impl Gate {
    /// An open gate to the database with this address.
    ///
    /// # Panics
    /// When the address is none of [`postgres_url`](super::postgres_url), or there is no free port.
    pub async fn to(url: &str) -> Self {
        let mut url = url::Url::parse(url).expect("an address");
        let behind = ("127.0.0.1", url.port().expect("a port"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        url.set_port(Some(port)).expect("a port");
        let state = Arc::new(State::default());
        let door = tokio::spawn(take(listener, behind, Arc::clone(&state))).abort_handle();
        Self { url: url.into(), state, door }
    }

    /// The address of the database through the gate.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Cuts all connections and lets none through.
    pub fn shut(&self) {
        self.state.shut.store(true, Ordering::SeqCst);
        let mut wires = self.state.wires.lock().unwrap_or_else(PoisonError::into_inner);
        for wire in wires.drain(..) {
            wire.abort();
        }
    }

    /// Lets connections through again.
    pub fn open(&self) {
        self.state.shut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.door.abort();
        self.shut();
    }
}

async fn take(listener: TcpListener, behind: (&'static str, u16), state: Arc<State>) {
    while let Ok((mut near, _)) = listener.accept().await {
        if state.shut.load(Ordering::SeqCst) {
            continue;
        }
        let wire = tokio::spawn(async move {
            if let Ok(mut far) = TcpStream::connect(behind).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
        let mut wires = state.wires.lock().unwrap_or_else(PoisonError::into_inner);
        wires.push(wire.abort_handle());
    }
}
