//! Listens, and stops without hanging up on anybody.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use dgh_platform::{Calls, Deployments};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::app::{App, router};
use crate::figures;
use crate::settings::Settings;

/// How long answers that are on their way may take when the calls are over.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// How long a client may take to send the head of a request, and to be silent between two.
const HEAD_WITHIN: Duration = Duration::from_secs(20);
/// Longest head of a request, and what is kept to read and write per connection.
const MAX_HEAD: usize = 32 << 10;
/// A pause when no connection can be taken.
const NOT_TAKEN: Duration = Duration::from_millis(100);

/// A server that listens.
pub struct Running {
    /// Where.
    pub address: SocketAddr,
    calls: Arc<Calls>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
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
    let server = tokio::spawn(listen_until(listener, router, stopped));
    Ok(Running { address, calls, stop, server, upkeep })
}

/// Answers until it is told to stop; then answers what was asked before.
async fn listen_until(listener: TcpListener, router: Router, mut stopped: oneshot::Receiver<()>) {
    let mut server = Builder::new(TokioExecutor::new()).http1_only();
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(MAX_HEAD);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        let socket = match accepted {
            Ok((socket, _)) => socket,
            Err(error) => {
                // No more files, as a rule: some are closed soon.
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(NOT_TAKEN).await;
                continue;
            }
        };
        // Frames are small and due: none waits for another (Nagle).
        let _ = socket.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = server.serve_connection_with_upgrades(TokioIo::new(socket), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
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
            Ok(served) => served?,
            Err(_) => tracing::debug!("answers were still on their way"),
        }
        Ok(left)
    }
}
