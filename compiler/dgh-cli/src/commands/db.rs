//! `dgh db`: migrates, copies and restores the database of a server, and makes new keys.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use dgh_platform::access::{self, AccessError};
use dgh_platform::platform::{self, open_database};
use dgh_platform::{Fault, Platform};
use dgh_store::StoreError;

use super::serve::{data_folder, here};
use crate::Outcome;
use crate::args::{Database, DatabaseCommand, DatabasePlace};
use crate::settings::Flags;
use crate::ui;

pub fn run(args: &Database) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let done = runtime.block_on(async {
        match &args.command {
            DatabaseCommand::Migrate { place } => migrate(place).await,
            DatabaseCommand::Backup { file, place } => backup(file, place).await,
            DatabaseCommand::Restore { file, replace, place } => restore(file, *replace, place).await,
            DatabaseCommand::ResetPassword { email, place } => reset_password(email, place).await,
            DatabaseCommand::RotateKeys { place } => rotate(place).await,
        }
    });
    runtime.shutdown_background();
    done.map(|()| Outcome::Clean)
}

async fn migrate(place: &DatabasePlace) -> anyhow::Result<()> {
    let settings = settings(place)?;
    let url = settings.database_url();
    let db = open_database(&url, 2).await?;
    let done = db.migrate().await.map_err(|error| Fault::store(&error, &db.shown()))?;
    for name in &done.ran {
        ui::line(format!("{} {name}", ui::paint(ui::GOOD, "ran")))?;
    }
    ui::note(format!("{} is at version {}", db.shown(), done.version));
    db.close().await;
    Ok(())
}

async fn backup(file: &Path, place: &DatabasePlace) -> anyhow::Result<()> {
    let settings = settings(place)?;
    let url = settings.database_url();
    must_exist(&url)?;
    let db = open_database(&url, 2).await?;
    let copied = db.backup(file).await;
    let shown = db.shown();
    db.close().await;
    copied.map_err(|error| failed(&error, file, &shown))?;
    ui::line(format!("{} {}", ui::paint(ui::GOOD, "wrote"), file.display()))?;
    let keys = settings.data.join(dgh_platform::vault::KEY_FILE);
    ui::note(format!("the secrets in it open with {}: keep that elsewhere", keys.display()));
    Ok(())
}

async fn restore(file: &Path, replace: bool, place: &DatabasePlace) -> anyhow::Result<()> {
    let settings = settings(place)?;
    let url = settings.database_url();
    let shown = dgh_store::shown(&url);
    let _lock = match url.starts_with("sqlite:") {
        true if settings.data.is_dir() => Some(platform::lock(&settings.data)?),
        true => None,
        false if replace => None,
        false => anyhow::bail!(
            "this replaces everything in {shown}, and must not happen while a server uses it. Add --replace to go on."
        ),
    };
    let before = dgh_store::restore(&url, file).await.map_err(|error| failed(&error, file, &shown))?;
    ui::line(format!("{} {shown}", ui::paint(ui::GOOD, "restored")))?;
    if let Some(before) = before {
        ui::note(format!("what was there before is {}", before.display()));
    }
    Ok(())
}

async fn reset_password(email: &str, place: &DatabasePlace) -> anyhow::Result<()> {
    let settings = settings(place)?;
    let url = settings.database_url();
    must_exist(&url)?;
    let db = open_database(&url, 2).await?;
    let reset = access::reset_password_unscoped(&db, email, platform::now()).await;
    let shown = db.shown();
    db.close().await;
    let password = reset.map_err(|error| match error {
        AccessError::Store(StoreError::NotFound { .. }) => {
            let what = format!("there is no account for {email} in {shown}");
            anyhow::Error::from(Fault::new(
                "no_account",
                what,
                "Name the server's folder with --data, or the agents with --of.",
            ))
        }
        AccessError::Store(error) => Fault::store(&error, &shown).into(),
        other => other.into(),
    })?;
    ui::line(password)?;
    ui::note("this is the password now; all sessions with the old one have ended");
    Ok(())
}

async fn rotate(place: &DatabasePlace) -> anyhow::Result<()> {
    let settings = settings(place)?;
    must_exist(&settings.database_url())?;
    let (platform, _) = Platform::beside(settings).await?;
    let before = platform.vault.current();
    let sealed = platform.rotate().await?;
    let (current, at) = (platform.vault.current(), platform.vault.place());
    if current == before {
        ui::note(format!("{at} holds the keys: put a new one in front there, on every node, to change it"));
    }
    ui::line(format!(
        "{} {} with the key {current}",
        ui::paint(ui::GOOD, "sealed"),
        ui::count(usize::try_from(sealed)?, "secret")
    ))?;
    ui::note(format!("{at} keeps the older keys, which backups still need"));
    Ok(())
}

/// The settings of the server that is meant.
fn settings(place: &DatabasePlace) -> anyhow::Result<platform::Settings> {
    let path: Option<PathBuf> = place.of.clone().or_else(here);
    let mut given: HashMap<&'static str, Vec<String>> = HashMap::new();
    if let Some(url) = &place.database {
        given.insert("database", vec![url.clone()]);
    }
    if let Some(data) = &place.data {
        given.insert("data", vec![data.display().to_string()]);
    }
    let config = Flags::of(given).config(path.as_deref())?;
    let data = data_folder(&config, path.as_deref())?;
    Ok(config.platform(&data))
}

/// Whoever copies a database that is not there has named the wrong one.
fn must_exist(url: &str) -> Result<(), Fault> {
    let Some(file) = url.strip_prefix("sqlite:") else { return Ok(()) };
    if Path::new(file).exists() {
        return Ok(());
    }
    Err(Fault::new(
        "no_database",
        format!("there is no database {file}"),
        "Name its folder with --data, or the agents with --of.",
    ))
}

/// What is wrong with a copy.
fn failed(error: &StoreError, file: &Path, shown: &str) -> anyhow::Error {
    match error {
        StoreError::File { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists => {
            anyhow::anyhow!("{} is there already; name another file", file.display())
        }
        StoreError::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            anyhow::anyhow!("cannot reach {}", file.display())
        }
        StoreError::Unsupported(why) => anyhow::anyhow!("{why}"),
        _ => Fault::store(error, shown).into(),
    }
}
