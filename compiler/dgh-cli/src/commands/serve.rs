//! `dgh serve`: takes calls.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dgh_compile::Compiled;
use dgh_platform::access::FirstOwner;
use dgh_platform::bundles::examples;
use dgh_platform::calls::book::{Book, BookSettings};
use dgh_platform::calls::{Data, Settings as CallSettings};
use dgh_platform::config::{Config, LogFormat};
use dgh_platform::{Agent, Agents, Calls, FirstStart, Folder, Platform, Project, Told, keys, watcher};
use dgh_server::{ApiSettings, IceSettings, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::check::report_errors;
use crate::Outcome;
use crate::args::Serve;
use crate::ui;

/// What of the server's log is written when RUST_LOG does not say.
const LOG: &str = "warn,dgh_server=info,dgh_platform=info";

pub fn run(args: &Serve) -> anyhow::Result<Outcome> {
    let path = args.path.clone().or_else(here);
    let config = args.flags.config(path.as_deref())?;
    log_to_stderr(config.log_format);
    // A call is up to six sockets and files; many systems give a process 1,024.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the number of open files cannot be raised");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(path, &config));
    runtime.shutdown_background();
    outcome
}

async fn serve(path: Option<PathBuf>, config: &Config) -> anyhow::Result<Outcome> {
    let options = config.options().await;
    let data = data_folder(config, path.as_deref())?;
    // A path that is mistyped makes nothing, nor does a server that cannot listen.
    if let Some(path) = &path {
        Project::find(path)?;
    }
    let listener = dgh_server::bind(SocketAddr::new(config.host, config.port)).await?;
    let (platform, first) = Platform::open(config.platform(&data)).await?;
    // Whatever goes wrong from here on, they must have been told.
    if let FirstStart::Made(owner) = &first {
        welcome(owner);
    }
    let shown = platform.db.shown();
    let agents = Agents::new(Arc::new(platform), options);
    let home = agents.home().await?;
    let folder = path.map(|path| Folder::new(Arc::clone(&agents), home.clone(), &path));
    match (&folder, &first) {
        (Some(folder), _) => {
            if folder.sync(|told| first_told(&told)).await? == 0 {
                return Ok(Outcome::Findings);
            }
        }
        (None, FirstStart::Made(_)) => drop(examples::import(&agents, &home).await?),
        (None, FirstStart::Known) => {}
    }
    let key = keys::log_key()?;
    let address = listener.local_addr()?;
    let settings_of_book = BookSettings {
        name: address.to_string(),
        files_elsewhere: config.artifacts.is_some(),
        ..BookSettings::default()
    };
    let book = Book::open(Arc::clone(agents.platform()), home.clone(), key, settings_of_book).await?;
    let calls = Calls::new(CallSettings {
        max: config.max_calls,
        data: Some(Data { folder: data.clone(), key: book.key() }),
        record: !config.no_recording,
        book: Some(book),
        address: Some(reached(config, address)),
        ..CallSettings::default()
    })?;
    let running = dgh_server::start_on(listener, Arc::clone(&agents), calls, settings(config)?).await?;
    // Who reads the address may save a file, or stop the server, at once.
    let watching = folder.map(|folder| watcher::watch(folder, |told| again(&told)));
    if let Some(Err(error)) = &watching {
        tracing::warn!(%error, "saved files are not noticed");
    }
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    greet(config, &agents.live(&home).await?, running.address, &data, &shown)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    ui::note(format!(
        "no new calls; those that go on have {} s to end. Once more ends them at once.",
        config.drain.as_secs()
    ));
    tokio::select! {
        left = running.drain(config.drain) => {
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

fn settings(config: &Config) -> anyhow::Result<Settings> {
    Ok(Settings {
        public_url: config.public_url.clone(),
        ice: IceSettings::of(config),
        api: ApiSettings::of(config)?,
        webhooks: config.webhooks(),
        insecure_carriers: config.insecure_carriers,
    })
}

/// Where the world reaches it, without a slash at the end.
fn reached(config: &Config, address: SocketAddr) -> String {
    let url = config.public_url.as_ref().map_or_else(|| local(address), ToString::to_string);
    url.trim_end_matches('/').to_owned()
}

/// Where a server keeps what it has.
pub fn data_folder(config: &Config, path: Option<&Path>) -> anyhow::Result<PathBuf> {
    match (&config.data, path) {
        (Some(data), _) => Ok(data.clone()),
        (None, Some(path)) => Ok(beside(path)),
        (None, None) => keys::server_folder(),
    }
}

/// This folder, when there is an agent in it.
pub(super) fn here() -> Option<PathBuf> {
    let files = std::fs::read_dir(".").ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let is_agent = |path: PathBuf| path.extension().is_some_and(|e| e == "dgh") || path.ends_with("dgh.toml");
    files.into_iter().any(is_agent).then(|| PathBuf::from("."))
}

/// What surrounds the agents: whoever tries one out looks for its calls there.
fn beside(path: &Path) -> PathBuf {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    folder.join(".dgh")
}

/// What is told once.
fn welcome(owner: &FirstOwner) {
    ui::note("");
    ui::note(format!("  owner    {}", owner.email));
    ui::note(format!("  password {}", owner.password));
    ui::note(format!("  API key  {}", owner.key));
    ui::note(ui::paint(ui::NOTE, "  Keep them: they are shown this once."));
}

fn greet(
    config: &Config,
    live: &[(String, Arc<Agent>)],
    address: SocketAddr,
    data: &Path,
    database: &str,
) -> anyhow::Result<()> {
    ui::note("");
    for (id, agent) in live {
        ui::note(format!("  {}  {}", ui::paint(ui::AGENT, id), ui::paint(ui::DIM, uses(agent))));
        for notice in &agent.chosen.uses.notices {
            ui::note(format!("    {}", ui::paint(ui::NOTE, ui::wrapped(notice, 4))));
        }
    }
    let url = config.public_url.as_ref().map_or_else(|| local(address), ToString::to_string);
    ui::note("");
    ui::line(format!("  {}", ui::paint(ui::GOOD.bold(), url)))?;
    let recorded = if config.no_recording { "logs" } else { "logs and recordings" };
    let places = format!(
        "\n  {recorded} of calls and the keys are in {}\n  the database is {database}",
        data.display()
    );
    ui::note(ui::paint(ui::DIM, format!("{places}\n  Ctrl-C stops\n")));
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
fn first_told(told: &Told<'_>) {
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
