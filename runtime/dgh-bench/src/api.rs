//! Reads of the API at a fixed rate: `dgh serve` as a process of its own, connections that are kept,
//! requests that are due at their moment whether the ones before were answered or not. What is
//! measured is from the moment a request was due to the last byte of its answer, so that a server
//! that stalls is not excused by clients that wait for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use hdrhistogram::Histogram;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::{agent, clock, server};

/// What is read: what a console and a program that looks after its calls ask for.
const PATHS: [&str; 7] = ["session", "org", "members", "api-keys", "agents", "calls", "audit"];
/// Longest wait for the words that the first start tells.
const TOLD: Duration = Duration::from_secs(30);
/// Requests before the clock runs: connections, caches, plans.
const WARM: usize = 200;

/// How much is read.
#[derive(Args)]
pub(crate) struct Api {
    /// Requests a second.
    #[arg(long, default_value_t = 500)]
    rate: u64,
    /// For so many seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Connections that they are spread over.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// postgres://… of an empty database; a fresh file of SQLite when not given.
    #[arg(long)]
    database: Option<String>,
    /// The `dgh` to measure; the one beside this program when not given.
    #[arg(long)]
    dgh: Option<PathBuf>,
}

/// An answer: of which path, its status, and how long after it was due.
struct Answered {
    path: usize,
    status: u16,
    micros: u64,
}

/// Runs it, and prints what came out.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub(crate) async fn run(args: Api) -> anyhow::Result<()> {
    let beside = std::env::current_exe()?.with_file_name("dgh");
    let dgh = args.dgh.clone().unwrap_or(beside);
    anyhow::ensure!(dgh.is_file(), "there is no dgh at {}; build it or name it with --dgh", dgh.display());
    let folder = agent::folder(1)?;
    let (_server, address, key) = serve(&args, &dgh, &folder).await.context("dgh serve does not start")?;
    let (answers, mut answered) = mpsc::unbounded_channel();
    let total = usize::try_from(args.rate * args.seconds)?;
    let began = Instant::now() + Duration::from_millis(500);
    let mut tasks = Vec::new();
    for index in 0..args.connections.max(1) {
        let (address, key, answers) = (address.clone(), key.clone(), answers.clone());
        let (step, rate) = (args.connections.max(1), args.rate.max(1));
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(&address, key).await?;
            for path in 0..=WARM / step {
                connection.get(path % PATHS.len()).await?;
            }
            for number in (index..total).step_by(step) {
                let due = began + Duration::from_nanos(number as u64 * 1_000_000_000 / rate);
                clock::until(due).await;
                let path = number % PATHS.len();
                let status = connection.get(path).await?;
                let micros = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
                // The other end outlives this task.
                let _ = answers.send(Answered { path, status, micros });
            }
            anyhow::Ok(())
        }));
    }
    drop(answers);
    let mut all = BTreeMap::<usize, Histogram<u64>>::new();
    let mut together = Histogram::<u64>::new(3)?;
    let mut others = 0;
    while let Some(Answered { path, status, micros }) = answered.recv().await {
        let of_path = match all.entry(path) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => free.insert(Histogram::new(3)?),
        };
        of_path.record(micros)?;
        together.record(micros)?;
        others += usize::from(status != 200);
    }
    for task in tasks {
        task.await??;
    }
    println!("{total} reads at {} a second over {} connections", args.rate, args.connections);
    println!("{:<14}{:>9}{:>9}{:>9}{:>9}{:>9}", "ms", "count", "p50", "p95", "p99", "max");
    for (path, histogram) in &all {
        line(PATHS.get(*path).copied().unwrap_or_default(), histogram);
    }
    line("all", &together);
    println!("answers that were not 200: {others}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
#[expect(clippy::cast_precision_loss, reason = "figures for people have three digits")]
fn line(name: &str, of: &Histogram<u64>) {
    let at = |quantile: f64| of.value_at_quantile(quantile) as f64 / 1_000.0;
    println!("{name:<14}{:>9}{:>9.2}{:>9.2}{:>9.2}{:>9.2}", of.len(), at(0.5), at(0.95), at(0.99), at(1.0));
}

/// The server, where it listens, and the key that its first start tells.
async fn serve(
    args: &Api,
    dgh: &std::path::Path,
    folder: &agent::Folder,
) -> anyhow::Result<(Child, String, String)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new(dgh);
    command
        .args(["serve", "--llm", "offline", "--stt", "none", "--tts", "none", "--api-rate", "0"])
        .args(["--port", &port.to_string(), "--data"])
        .arg(folder.path().join("data"))
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(database) = &args.database {
        command.env("DATABASE_URL", database);
    }
    let mut child = command.spawn()?;
    let mut told = BufReader::new(child.stderr.take().context("it tells nothing")?).lines();
    let mut said = Vec::new();
    let key = tokio::time::timeout(TOLD, async {
        while let Some(text) = told.next_line().await? {
            if let Some(key) = text.split_whitespace().find(|word| word.starts_with("dgh_")) {
                return anyhow::Ok(key.to_owned());
            }
            said.push(text);
        }
        bail!("it told no key; is the database empty?\n{}", said.join("\n"))
    });
    let key = key.await??;
    // What else it tells is read, so that it never waits for us.
    tokio::spawn(async move { while let Ok(Some(_)) = told.next_line().await {} });
    let address = format!("127.0.0.1:{port}");
    server::listens(&address).await?;
    Ok((child, address, key))
}

/// A connection that is kept.
struct Connection {
    stream: BufReader<TcpStream>,
    requests: Vec<String>,
    body: Vec<u8>,
}

impl Connection {
    async fn open(address: &str, key: String) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = |path: &str| {
            format!("GET /api/v1/{path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\r\n")
        };
        let requests = PATHS.iter().map(|path| request(path)).collect();
        Ok(Self { stream: BufReader::new(stream), requests, body: Vec::new() })
    }

    /// Asks, reads the whole answer, and tells its status.
    async fn get(&mut self, path: usize) -> anyhow::Result<u16> {
        let request = self.requests.get(path).context("no such path")?;
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let (mut status, mut length, mut line) = (0, None, String::new());
        loop {
            line.clear();
            anyhow::ensure!(self.stream.read_line(&mut line).await? > 0, "the server hung up");
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
                status = rest.split(' ').next().unwrap_or_default().parse()?;
            } else if let Some((name, value)) = text.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse::<usize>()?);
            }
        }
        self.body.resize(length.context("an answer without its length")?, 0);
        self.stream.read_exact(&mut self.body).await?;
        // What is measured is an answer that can be read.
        serde_json::from_slice::<Value>(&self.body)?;
        Ok(status)
    }
}
