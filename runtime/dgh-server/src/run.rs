//! Listens, and stops without hanging up on anybody.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use dgh_platform::{Calls, Deployments};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::app::{App, router};
use crate::figures;
use crate::settings::Settings;

/// How long answers that are on their way may take when the calls are over.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// A server that listens.
pub struct Running {
    /// Where.
    pub address: SocketAddr,
    calls: Arc<Calls>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
    upkeep: JoinHandle<()>,
}

/// Listens, and answers from now on.
pub async fn start(
    listen: SocketAddr,
    deployments: Arc<Deployments>,
    calls: Arc<Calls>,
    settings: Settings,
) -> anyhow::Result<Running> {
    anyhow::ensure!(
        !settings.insecure_carriers || listen.ip().is_loopback(),
        "--insecure-carriers lets anybody call; it is for 127.0.0.1 alone"
    );
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    let figures = figures::figures()?;
    let upkeep = tokio::spawn(figures::keep_up(figures.clone()));
    let app = App::new(deployments, Arc::clone(&calls), settings, address, figures);
    let router = router(&app);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        use axum::serve::ListenerExt as _;
        // Frames are small and due: none waits for another (Nagle).
        let listener = listener.tap_io(|socket| {
            let _ = socket.set_nodelay(true);
        });
        axum::serve(listener, router)
            .with_graceful_shutdown(async {
                let _ = stopped.await;
            })
            .await
    });
    Ok(Running { address, calls, stop, server, upkeep })
}

impl Running {
    /// Takes no new calls, lets those that go on end, at most for so long, and stops. Answers how
    /// many had to be dropped.
    pub async fn drain(self, patience: Duration) -> anyhow::Result<usize> {
        let left = self.calls.drain(patience).await;
        // Who asks hears `draining` until here.
        let _ = self.stop.send(());
        self.upkeep.abort();
        match timeout(LAST_ANSWERS, self.server).await {
            Ok(served) => served??,
            Err(_) => tracing::debug!("answers were still on their way"),
        }
        Ok(left)
    }
}
