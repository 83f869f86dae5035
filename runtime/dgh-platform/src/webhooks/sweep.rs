//! What nobody is told of: secrets that parked deliveries waited for and that are there now, old
//! deliveries that go, and how much waits.

use std::time::Duration;

use dgh_store::StoreError;
use dgh_store::deliveries;
use tokio::sync::watch;
use tokio::time::sleep;

use super::secrets::Owner;
use super::worker::Parts;
use super::{metrics, wake};

/// Old deliveries that go at a time, so that no transaction is long.
const AT_A_TIME: i64 = 500;
const SECRET: &str = "secret:";

/// Sweeps until it is told to stop. Several nodes may do it at once: each step changes what is there.
pub(super) async fn run(parts: Parts, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = sweep(&parts).await {
            tracing::warn!(%error, "webhooks were not swept");
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = sleep(parts.settings.sweep) => {}
        }
    }
}

/// One round.
pub(super) async fn sweep(parts: &Parts) -> Result<(), StoreError> {
    let now = (parts.clock)();
    let mut conn = parts.db.read().acquire().await?;
    let waiting = deliveries::backlog_unscoped(&mut conn).await?;
    let overdue = waiting.oldest_due.map_or(0, |due| (now - due).max(0)).unsigned_abs();
    metrics::waiting(waiting.pending, waiting.parked, Duration::from_millis(overdue));
    let parked = deliveries::parked_for_secrets_unscoped(&mut conn).await?;
    drop(conn);
    let mut freed = 0;
    for (org, agent, profile, parked_for) in parked {
        let Some(name) = parked_for.strip_prefix(SECRET) else { continue };
        let owner = Owner { org: org.clone(), agent: agent.clone(), profile: profile.clone() };
        let found = parts.secrets.surroundings(&owner, &[name.to_owned()]).await?;
        // One that is there and signs nothing is parked again, and tells so.
        if !found.secrets.contains_key(name) {
            continue;
        }
        let mut tx = parts.db.begin().await?;
        freed +=
            deliveries::unpark_unscoped(&mut tx, &org, &agent, profile.as_deref(), &parked_for, now).await?;
        tx.commit().await?;
    }
    if freed > 0 {
        wake(&parts.db).await;
    }
    let before = now - i64::try_from(parts.settings.keep.as_millis()).unwrap_or(i64::MAX);
    loop {
        let mut tx = parts.db.begin().await?;
        let gone = deliveries::delete_done_unscoped(&mut tx, before, AT_A_TIME).await?;
        tx.commit().await?;
        if gone < AT_A_TIME.unsigned_abs() {
            return Ok(());
        }
    }
}
