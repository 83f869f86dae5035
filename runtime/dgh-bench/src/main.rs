//! Callers that load a server, and the providers that answer them.
//!
//! `dgh-bench calls` starts stub providers (their real wire protocols, fixed delays), `dgh serve`
//! with one agent that uses them, and N callers that speak recorded words over a carrier's media
//! stream in real time. It prints what a caller notices and what the server spends.
//!
//! `dgh-bench api` reads the API at a fixed rate and prints how long the answers took.
//!
//! `dgh-bench webhooks` ends calls by the thousand and counts how many of their webhooks a second
//! arrive.

mod agent;
mod api;
mod caller;
mod clock;
mod figures;
mod server;
mod speech;
mod stub;
mod webhooks;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(name = "dgh-bench", about = "Callers that load a server, and providers that answer them")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Many callers at once.
    Calls(Calls),
    /// The providers alone: speech to text, a model, a voice.
    Stub(Stub),
    /// Reads of the API at a fixed rate.
    Api(api::Api),
    /// Webhooks of calls that end, delivered to a receiver on this machine.
    Webhooks(webhooks::Webhooks),
}

/// How the providers answer.
#[derive(Args, Debug, Clone, Copy)]
pub(crate) struct Stub {
    /// Port on 127.0.0.1.
    #[arg(long, default_value_t = 18_900)]
    port: u16,
    /// Milliseconds from the end of speech to the final words.
    #[arg(long, default_value_t = 150)]
    stt_ms: u64,
    /// Milliseconds to the first token.
    #[arg(long, default_value_t = 300)]
    llm_ms: u64,
    /// Milliseconds between tokens; 0: the whole answer at once.
    #[arg(long, default_value_t = 0)]
    token_ms: u64,
    /// Milliseconds to the first sound.
    #[arg(long, default_value_t = 120)]
    tts_ms: u64,
    /// How many times faster than it is spoken sound comes; 0: all at once.
    #[arg(long, default_value_t = 0)]
    tts_speed: u64,
}

#[derive(Args)]
struct Calls {
    /// Calls at the same time.
    #[arg(long = "calls", default_value_t = 1)]
    at_once: usize,
    /// Seconds of each call.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// One call after another instead, this many in all, each of one turn.
    #[arg(long)]
    churn: Option<usize>,
    /// Every third turn the caller talks over the agent.
    #[arg(long)]
    barge_in: bool,
    /// The `dgh` to measure; the one beside this program when not given.
    #[arg(long)]
    dgh: Option<PathBuf>,
    /// Both sides of every call are recorded.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    record: bool,
    #[command(flatten)]
    stub: Stub,
}

fn main() -> anyhow::Result<()> {
    let what = Cli::parse().what;
    // The callers are one thread: the server has the others. Webhooks are all in this process.
    let threads = if matches!(what, What::Webhooks(_)) { 2 } else { 1 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    match what {
        What::Webhooks(args) => runtime.block_on(webhooks::run(args)),
        What::Stub(delays) => runtime.block_on(stub::serve(delays)),
        What::Calls(args) => runtime.block_on(calls(args)),
        What::Api(args) => runtime.block_on(api::run(args)),
    }
}

async fn calls(args: Calls) -> anyhow::Result<()> {
    let beside = std::env::current_exe()?.with_file_name("dgh");
    let dgh = args.dgh.clone().unwrap_or(beside);
    anyhow::ensure!(dgh.is_file(), "there is no dgh at {}; build it or name it with --dgh", dgh.display());
    let folder = agent::folder(args.stub.port)?;
    // The providers are a process of their own: what they spend is not the server's.
    let _stub = server::stub(&args.stub).await.context("the providers do not start")?;
    let server = server::start(&dgh, folder.path(), args.record).await.context("dgh serve does not start")?;
    let plan = caller::Plan {
        address: server.address.clone(),
        seconds: args.seconds,
        barge_in: args.barge_in,
        turns: args.churn.map(|_| 1),
    };
    // What the first call sets up serves all that follow, and is not theirs.
    caller::call(&caller::Plan { seconds: 2, ..plan.clone() }, usize::MAX).await.context("no call")?;
    let before = server.spent()?;
    let began = std::time::Instant::now();
    let (all, memory) = match args.churn {
        Some(total) => churn(&plan, total, args.at_once, &server).await?,
        None => at_once(&plan, args.at_once, &server).await?,
    };
    let spent = server.spent()?;
    figures::print(&figures::Run {
        calls: all,
        took: began.elapsed(),
        cpu: spent.cpu.saturating_sub(before.cpu),
        memory_before: before.memory,
        memory,
        delays: args.stub,
    });
    Ok(())
}

/// Memory of the server, in KiB, as the run went on.
pub(crate) type Memory = Vec<u64>;

async fn at_once(
    plan: &caller::Plan,
    calls: usize,
    server: &server::Server,
) -> anyhow::Result<(Vec<caller::Report>, Memory)> {
    let mut tasks = Vec::new();
    for index in 0..calls {
        let plan = plan.clone();
        // Calls begin over two seconds, so that not all of them speak in the same frame.
        let wait = Duration::from_millis(2_000 * index as u64 / calls as u64);
        tasks.push(tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            caller::call(&plan, index).await
        }));
    }
    let mut memory = Vec::new();
    let step = Duration::from_millis((plan.seconds * 1_000 / 10).max(500));
    for _ in 0..9 {
        tokio::time::sleep(step).await;
        memory.push(server.spent()?.memory);
    }
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await?.context("a call failed")?);
    }
    Ok((all, memory))
}

async fn churn(
    plan: &caller::Plan,
    total: usize,
    at_once: usize,
    server: &server::Server,
) -> anyhow::Result<(Vec<caller::Report>, Memory)> {
    let mut all = Vec::new();
    let mut memory = Vec::new();
    let mut running = tokio::task::JoinSet::<anyhow::Result<caller::Report>>::new();
    for index in 0..total {
        if running.len() >= at_once
            && let Some(done) = running.join_next().await
        {
            all.push(done?.context("a call failed")?);
        }
        let plan = plan.clone();
        running.spawn(async move { caller::call(&plan, index).await });
        if index % (total / 10).max(1) == 0 {
            memory.push(server.spent()?.memory);
        }
    }
    while let Some(done) = running.join_next().await {
        all.push(done?.context("a call failed")?);
    }
    memory.push(server.spent()?.memory);
    Ok((all, memory))
}
