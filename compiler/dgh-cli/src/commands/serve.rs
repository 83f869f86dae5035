//! `dgh serve`: takes calls.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use dgh_compile::Compiled;
use dgh_platform::calls::{Data, Settings as CallSettings};
use dgh_platform::{Agent, Calls, Deployments, Options, Project, Told, Wanted, keys, watcher};
use dgh_providers::offline_voice::available;
use dgh_server::{IceSettings, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::check::report_errors;
use crate::Outcome;
use crate::args::{LogFormat, Serve};
use crate::ui;

/// What of the server's log is written when RUST_LOG does not say.
const LOG: &str = "warn,dgh_server=info,dgh_platform=info";

pub fn run(args: &Serve) -> anyhow::Result<Outcome> {
    log_to_stderr(args.log_format);
    // A call is up to six sockets and files; many systems give a process 1,024.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the number of open files cannot be raised");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(args));
    runtime.shutdown_background();
    outcome
}

async fn serve(args: &Serve) -> anyhow::Result<Outcome> {
    let options = Options {
        profile: args.profile.clone(),
        wanted: Wanted {
            llm: args.llm.clone(),
            llm_url: args.llm_url.clone(),
            llm_timeout: args.llm_timeout,
            stt: args.stt.clone(),
            tts: args.tts.clone(),
            offline: Some(available().await),
        },
        no_mocks: args.no_mocks,
    };
    let deployments = Arc::new(Deployments::new(&args.path, options));
    deployments.reload(|told| first(&told))?;
    if deployments.current().is_empty() {
        return Ok(Outcome::Findings);
    }
    let data = args.data.clone().unwrap_or_else(|| beside(&args.path));
    let calls = Calls::new(CallSettings {
        max: args.max_calls,
        data: Some(Data { folder: data.clone(), key: keys::log_key()? }),
        record: !args.no_recording,
        ..CallSettings::default()
    })?;
    let listen = SocketAddr::new(args.host, args.port);
    let started = dgh_server::start(listen, Arc::clone(&deployments), calls, settings(args)).await;
    let running = started.with_context(|| format!("--port 0 picks a free one instead of {}", args.port))?;
    // Who reads the address may save a file, or stop the server, at once.
    let watching = watcher::watch(Arc::clone(&deployments), |told| again(&told));
    if let Err(error) = &watching {
        tracing::warn!(%error, "saved files are not noticed");
    }
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    greet(args, &deployments, running.address, &data)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    ui::note(format!(
        "no new calls; those that go on have {} s to end. Once more ends them at once.",
        args.drain.as_secs()
    ));
    tokio::select! {
        left = running.drain(args.drain) => {
            let left = left?;
            if left > 0 {
                ui::note(format!("{} did not end and went with the server", ui::count(left, "call")));
            }
        }
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(Outcome::Clean)
}

fn settings(args: &Serve) -> Settings {
    let secret = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let login = secret("DGH_TURN_USERNAME").zip(secret("DGH_TURN_CREDENTIAL"));
    Settings {
        public_url: args.public_url.clone(),
        ice: IceSettings {
            stun: args.stun.clone(),
            turn: args.turn.clone(),
            turn_secret: secret("DGH_TURN_SECRET").map(Into::into),
            turn_login: login.map(|(name, password)| (name, password.into())),
            public_ip: args.public_ip,
        },
        insecure_carriers: args.insecure_carriers,
    }
}

/// What surrounds the agents: whoever tries one out looks for its calls there.
fn beside(path: &Path) -> PathBuf {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    folder.join(".dgh")
}

fn greet(args: &Serve, deployments: &Deployments, address: SocketAddr, data: &Path) -> anyhow::Result<()> {
    let current = deployments.current();
    ui::note("");
    for (id, agent) in current.iter() {
        ui::note(format!("  {}  {}", ui::paint(ui::AGENT, id), ui::paint(ui::DIM, uses(agent))));
        for notice in &agent.chosen.uses.notices {
            ui::note(format!("    {}", ui::paint(ui::NOTE, ui::wrapped(notice, 4))));
        }
    }
    let url = args.public_url.as_ref().map_or_else(|| local(address), ToString::to_string);
    ui::note("");
    ui::line(format!("  {}", ui::paint(ui::GOOD.bold(), url)))?;
    let recorded = if args.no_recording { "logs" } else { "logs and recordings" };
    ui::note(ui::paint(
        ui::DIM,
        format!("\n  {recorded} of calls are in {}; Ctrl-C stops\n", data.display()),
    ));
    Ok(())
}

/// An address that can be opened on this machine.
fn local(address: SocketAddr) -> String {
    let host = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => "127.0.0.1".to_owned(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => "[::1]".to_owned(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        SocketAddr::V4(v4) => v4.ip().to_string(),
    };
    format!("http://{host}:{}/", address.port())
}

fn uses(agent: &Agent) -> String {
    let uses = &agent.chosen.uses;
    format!(
        "{} · hears with {} · speaks with {}",
        uses.llm,
        uses.stt.as_deref().unwrap_or("nothing: callers type"),
        uses.tts.as_deref().unwrap_or("nothing: words are shown"),
    )
}

/// Says what stands in the way of the first start.
fn first(told: &Told<'_>) {
    match told {
        Told::Serves(..) | Told::Gone(_) => {}
        Told::Broken(project, compiled) => broken(project, compiled),
        Told::Unusable(..) => again(told),
    }
}

fn broken(project: &Project, compiled: &Compiled) {
    if let Err(error) = report_errors(project, compiled) {
        ui::error(&error);
    }
}

/// Says what came of a saved file.
fn again(told: &Told<'_>) {
    match told {
        Told::Serves(project, _) => {
            ui::note(format!("{} {}", ui::paint(ui::GOOD, "serves"), project.shown()));
        }
        Told::Broken(project, compiled) => {
            broken(project, compiled);
            ui::note(format!(
                "{} {}; what was served before goes on",
                ui::paint(ui::BAD, "broken"),
                project.shown()
            ));
        }
        Told::Unusable(project, error) => {
            ui::note(format!("{} {}: {error:#}", ui::paint(ui::BAD, "not served"), project.shown()));
        }
        Told::Gone(name) => ui::note(format!("{} {name}", ui::paint(ui::NOTE, "gone"))),
    }
}

fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // One command runs in a process: nobody has set it before.
    let _ = match format {
        LogFormat::Json => log.json().try_init(),
        LogFormat::Text => log.with_ansi(ui::colours_on_stderr()).with_target(false).try_init(),
    };
}
