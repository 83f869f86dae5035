//! Listens, and stops without hanging up on anybody.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use dgh_platform::{Agents, Calls, Fault, access, webhooks};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::app::{App, router};
use crate::figures;
use crate::settings::Settings;
use crate::v1::caller::Peer;

/// How long answers that are on their way may take when the calls are over.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// How long a client may take to send the head of a request, and to be silent between two.
const HEAD_WITHIN: Duration = Duration::from_secs(20);
/// Longest head of a request, and what is kept to read and write per connection.
const MAX_HEAD: usize = 32 << 10;
/// Between two looks for sessions, links and answers that are over.
const TIDY: Duration = Duration::from_mins(10);
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
    webhooks: webhooks::Worker,
}

/// Listens on an address, before anything else is begun: whatever is in the way is known by then.
pub async fn bind(listen: SocketAddr) -> Result<TcpListener, Fault> {
    TcpListener::bind(listen).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => Fault::new(
            "port_in_use",
            format!("{listen} is in use"),
            "Stop whoever uses it, or choose another port: --port 0 picks a free one.",
        ),
        ErrorKind::PermissionDenied => Fault::new(
            "no_permission",
            format!("this user may not listen on {listen}"),
            "Choose a port above 1023 with --port, and put a proxy in front.",
        ),
        _ => Fault::new(
            "cannot_listen",
            format!("cannot listen on {listen}: {error}"),
            "Name an address of this machine with --host.",
        ),
    })
}

/// Listens, and answers from now on.
pub async fn start(
    listen: SocketAddr,
    agents: Arc<Agents>,
    calls: Arc<Calls>,
    settings: Settings,
) -> anyhow::Result<Running> {
    start_on(bind(listen).await?, agents, calls, settings).await
}

/// Answers from now on.
pub async fn start_on(
    listener: TcpListener,
    agents: Arc<Agents>,
    calls: Arc<Calls>,
    settings: Settings,
) -> anyhow::Result<Running> {
    anyhow::ensure!(
        !settings.insecure_carriers || listener.local_addr()?.ip().is_loopback(),
        "--insecure-carriers lets anybody call; it is for 127.0.0.1 alone"
    );
    let address = listener.local_addr()?;
    let figures = figures::figures()?;
    let home = agents.home().await?;
    let upkeep = tokio::spawn(keep_up(Arc::clone(&agents), figures.clone()));
    let webhooks = webhooks::serve(&agents, settings.webhooks.clone()).await?;
    // Messages to calls, and calls that dead nodes left.
    calls.serve(agents.clone());
    let app = App::new(home, agents, Arc::clone(&calls), settings, address, figures);
    let router = router(&app);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(listen_until(listener, router, stopped));
    Ok(Running { address, calls, stop, server, upkeep, webhooks })
}

/// Tidies up now and then.
async fn keep_up(agents: Arc<Agents>, figures: PrometheusHandle) {
    let platform = agents.platform();
    let rows = async {
        loop {
            if let Err(error) = access::tidy(&platform.db, platform.now()).await {
                tracing::debug!(%error, "what is over was not tidied up");
            }
            tokio::time::sleep(TIDY).await;
        }
    };
    tokio::join!(figures::keep_up(figures), rows, agents.keep_up());
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
        let (socket, peer) = match accepted {
            Ok((socket, peer)) => (socket, Peer(peer.ip())),
            Err(error) => {
                // No more files, as a rule: some are closed soon.
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(NOT_TAKEN).await;
                continue;
            }
        };
        // Frames are small and due: none waits for another (Nagle).
        let _ = socket.set_nodelay(true);
        let router = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: axum::http::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(peer);
            router.call(request)
        });
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
        // What the last calls had to tell is kept; what of it is on its way arrives.
        self.webhooks.drain().await;
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
