//! What the server itself needs: its folder, its keys, its database, its agents.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use dgh_platform::deployment::{Loaded, load};
use dgh_platform::platform::open_database;
use dgh_platform::vault::{KEY_FILE, Vault};
use dgh_platform::{Fault, Project};
use dgh_store::{Db, StoreError, instance};

use super::{Finding, Patient};

/// Less than this, and recordings of a busy day fill it.
const LITTLE: u64 = 1 << 30;
/// Less than this, and the next call may fail.
const NOTHING: u64 = 64 << 20;
/// A database that is beside the server answers in this time.
const FAR: Duration = Duration::from_millis(20);
/// Clocks of two machines that are kept differ by less.
const SKEW: i64 = 1_000;

pub(super) fn disk(data: &Path) -> Finding {
    let data = &std::path::absolute(data).unwrap_or_else(|_| data.to_path_buf());
    let exists = data.ancestors().find(|folder| folder.is_dir()).unwrap_or(data);
    let shown = data.display();
    let free = match rustix::fs::statvfs(exists) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(error) => return fault("disk", &Fault::file(exists, &error.into())),
    };
    let tenths = free / 100_000_000;
    let space = format!("{}.{} GB free", tenths / 10, tenths % 10);
    if exists == data && write_in(data).is_err() {
        return Finding::bad(
            "disk",
            format!("{shown} cannot be written"),
            "Give it to the user who runs dgh, or name another folder with --data.",
        );
    }
    match free {
        free if free < NOTHING => Finding::bad("disk", format!("{shown}: {space}"), "Make room."),
        free if free < LITTLE => {
            Finding::fair("disk", format!("{shown}: {space}"), "Make room, or keep recordings elsewhere.")
        }
        _ if exists == data => Finding::good("disk", format!("{shown}, {space}")),
        _ => Finding::good("disk", format!("{shown} will be made, {space}")),
    }
}

/// Writes and removes a file.
fn write_in(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(".doctor");
    fs::write(&path, b"ok")?;
    fs::remove_file(&path)
}

pub(super) fn keys(patient: &Patient<'_>) -> Finding {
    match vault(patient) {
        Ok(Some(vault)) => Finding::good("keys", format!("{} in {}", vault.current(), vault.place())),
        Ok(None) => Finding::good("keys", "will be made at the first start"),
        Err(error) => fault("keys", &error),
    }
}

/// The keys, when there are any.
fn vault(patient: &Patient<'_>) -> Result<Option<Vault>, Fault> {
    let file = patient.data.join(KEY_FILE);
    let vault = match &patient.config.encryption_key {
        Some(keys) => Vault::from_text(keys),
        None if file.exists() => Vault::in_folder(&patient.data).map(|(vault, _)| vault),
        None => return Ok(None),
    };
    vault.map(Some).map_err(|error| Fault::keyring(&error))
}

pub(super) async fn database(patient: &Patient<'_>) -> Vec<Finding> {
    const PART: &str = "database";
    let url = patient.config.platform(&patient.data).database_url();
    if let Some(file) = url.strip_prefix("sqlite:")
        && !Path::new(file).exists()
    {
        return vec![Finding::good(PART, format!("SQLite, {file} will be made at the first start"))];
    }
    let db = match open_database(&url, 2).await {
        Ok(db) => db,
        Err(error) => return vec![fault(PART, &error)],
    };
    let found = tables(&db, patient).await;
    let found = found.unwrap_or_else(|error| vec![fault(PART, &Fault::store(&error, &db.shown()))]);
    db.close().await;
    found
}

async fn tables(db: &Db, patient: &Patient<'_>) -> Result<Vec<Finding>, StoreError> {
    const PART: &str = "database";
    let asked = Instant::now();
    db.ping().await?;
    let took = asked.elapsed();
    let shown = format!("{}, {}", db.dialect().name(), db.shown());
    let mut found = Vec::new();
    let pending = db.pending().await?.ran.len();
    found.push(if took > FAR {
        Finding::fair(
            PART,
            format!("{shown} answers in {} ms", took.as_millis()),
            "Run it nearer to the server.",
        )
    } else if pending > 0 {
        Finding::good(PART, format!("{shown}, {pending} migrations will run at the next start"))
    } else {
        Finding::good(PART, format!("{shown} answers in {:.1} ms", took.as_secs_f64() * 1e3))
    });
    if let Some(theirs) = db.clock().await? {
        let skew = theirs - dgh_platform::platform::now();
        if skew.abs() > SKEW {
            found.push(Finding::bad(
                "clock",
                format!("the clocks of this machine and of the database are {} s apart", skew.abs() / 1_000),
                "Let both be kept: systemd-timesyncd or chrony. Leases of calls depend on it.",
            ));
        }
    }
    if pending == 0 {
        let needed: Vec<_> = instance::keys(&mut *db.begin().await?)
            .await?
            .into_iter()
            .filter(|key| key.retired_at.is_none())
            .collect();
        let vault = vault(patient).ok().flatten();
        let lacking = needed.iter().find(|key| vault.as_ref().is_none_or(|vault| !vault.holds(&key.id)));
        if let Some(key) = lacking {
            let place = vault
                .map_or_else(|| patient.data.join(KEY_FILE).display().to_string(), |vault| vault.place());
            found.push(fault("keys", &Fault::other_keys(&key.id, &place)));
        }
    }
    Ok(found)
}

/// Whether the agents can be served, and with what.
pub(super) async fn agents(path: &Path, patient: &Patient<'_>) -> Vec<Finding> {
    const PART: &str = "agents";
    let projects = match Project::find(path) {
        Ok(projects) => projects,
        Err(error) => return vec![Finding::bad(PART, format!("{error:#}"), "Name a folder with agents.")],
    };
    let options = patient.config.options().await;
    let mut found = Vec::new();
    for project in projects {
        let compiled = project.compile();
        let shown = project.shown();
        match load(&project, compiled, &options) {
            Loaded::Ready(bundle) => {
                for agent in &bundle.agents {
                    found.push(Finding::good(
                        PART,
                        format!("{} of {shown}, {}", agent.name, agent.chosen.uses.llm),
                    ));
                    let notices = agent.chosen.uses.notices.iter();
                    found.extend(notices.map(|notice| {
                        Finding::fair(
                            "providers",
                            format!("{}: {notice}", agent.name),
                            "Set the key it names, to use the agent's own.",
                        )
                    }));
                }
            }
            Loaded::Broken(_) => {
                found.push(Finding::bad(PART, format!("{shown} has errors"), format!("dgh check {shown}")));
            }
            Loaded::Unusable(error) => {
                found.push(Finding::bad(PART, format!("{shown}: {error:#}"), "See above."));
            }
        }
    }
    found
}

pub(super) fn fault(part: &'static str, fault: &Fault) -> Finding {
    Finding::bad(part, fault.what.clone(), fault.hint.clone())
}
