//! The processes that are measured, and what they spend.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::Stub;

/// Clock ticks of a second in `/proc`: fixed for user space on Linux.
const TICKS: u64 = 100;
/// How long a process may take to listen.
const START: Duration = Duration::from_secs(20);

/// `dgh serve`.
pub(crate) struct Server {
    /// `127.0.0.1:port`
    pub(crate) address: String,
    child: Child,
}

/// What a process has spent.
pub(crate) struct Spent {
    pub(crate) cpu: Duration,
    /// Resident memory in KiB.
    pub(crate) memory: u64,
}

impl Server {
    pub(crate) fn spent(&self) -> anyhow::Result<Spent> {
        let pid = self.child.id().context("the server has ended")?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name may hold spaces; what follows its bracket does not.
        let fields: Vec<&str> =
            stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        let cpu = Duration::from_millis((ticks(11) + ticks(12)) * 1_000 / TICKS);
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.and_then(|rest| rest.split_whitespace().next()).and_then(|kib| kib.parse().ok());
        Ok(Spent { cpu, memory: memory.context("no VmRSS")? })
    }
}

/// The providers.
pub(crate) async fn stub(delays: &Stub) -> anyhow::Result<Child> {
    let own = std::env::current_exe()?;
    let flags = [
        ("--port", u64::from(delays.port)),
        ("--stt-ms", delays.stt_ms),
        ("--llm-ms", delays.llm_ms),
        ("--token-ms", delays.token_ms),
        ("--tts-ms", delays.tts_ms),
        ("--tts-speed", delays.tts_speed),
    ];
    let mut command = Command::new(own);
    command.arg("stub").kill_on_drop(true);
    for (flag, value) in flags {
        command.arg(flag).arg(value.to_string());
    }
    let child = command.spawn()?;
    listens(&format!("127.0.0.1:{}", delays.port)).await?;
    Ok(child)
}

/// The server, on a free port.
pub(crate) async fn start(dgh: &Path, folder: &Path, record: bool) -> anyhow::Result<Server> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new(dgh);
    command
        .args(["serve", "--insecure-carriers", "--llm", "agent", "--stt", "agent", "--tts", "agent"])
        .args(["--max-calls", "10000", "--port", &port.to_string()])
        .arg("--data")
        .arg(folder.join("data"))
        .env("BENCH_KEY", "stub")
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    if !record {
        command.arg("--no-recording");
    }
    let mut child = command.arg(folder).spawn()?;
    // What it prints is read, so that it never waits for us.
    if let Some(out) = child.stdout.take() {
        tokio::spawn(async move {
            let mut lines = BufReader::new(out).lines();
            while let Ok(Some(_)) = lines.next_line().await {}
        });
    }
    let address = format!("127.0.0.1:{port}");
    listens(&address).await?;
    Ok(Server { address, child })
}

/// Waits until something listens.
pub(crate) async fn listens(address: &str) -> anyhow::Result<()> {
    let until = tokio::time::Instant::now() + START;
    while tokio::time::Instant::now() < until {
        if TcpStream::connect(address).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("nothing listens at {address} after {} s", START.as_secs())
}
