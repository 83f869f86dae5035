//! Reloads when files are saved.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::bundles::{Folder, Told};

/// Editors write a file in several steps; what follows within this time belongs to it.
const SETTLED: Duration = Duration::from_millis(100);
/// Files that never rest are read all the same after so many times that long.
const MAX_ROUNDS: u32 = 20;

/// Watches the files of a folder until it is dropped.
pub struct Watcher {
    task: JoinHandle<()>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reloads whenever a file is saved, and tells what came of it.
pub fn watch(
    folder: Arc<Folder>,
    tell: impl Fn(Told<'_>) + Send + Sync + 'static,
) -> anyhow::Result<Watcher> {
    let (changed, mut changes) = mpsc::channel(1);
    let mut eyes = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| matters(&event)) {
            // Full: it is known already that something changed.
            let _ = changed.try_send(());
        }
    })?;
    let mut watched = HashSet::new();
    look_at(&mut eyes, &mut watched, &folder);
    let task = tokio::spawn(async move {
        while changes.recv().await.is_some() {
            for _ in 0..MAX_ROUNDS {
                if timeout(SETTLED, changes.recv()).await.is_err() {
                    break;
                }
            }
            if let Err(error) = folder.sync(&tell).await {
                tracing::warn!(%error, "the agents cannot be read again");
            }
            look_at(&mut eyes, &mut watched, &folder);
        }
    });
    Ok(Watcher { task })
}

/// Whether an event is about a file that a bundle may hold.
fn matters(event: &notify::Event) -> bool {
    let hidden = |path: &Path| path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(|path| !hidden(path))
}

/// Folder by folder: what lies below them may be large and is none of ours.
fn look_at(eyes: &mut RecommendedWatcher, watched: &mut HashSet<PathBuf>, folder: &Folder) {
    let wanted: HashSet<PathBuf> = folder.folders().into_iter().collect();
    for gone in watched.difference(&wanted) {
        // A folder that is not there any more is not watched either.
        let _ = eyes.unwatch(gone);
    }
    let mut now: HashSet<PathBuf> = watched.intersection(&wanted).cloned().collect();
    for new in wanted.difference(watched) {
        match eyes.watch(new, RecursiveMode::NonRecursive) {
            Ok(()) => {
                now.insert(new.clone());
            }
            Err(error) => tracing::warn!(folder = %new.display(), %error, "a folder cannot be watched"),
        }
    }
    *watched = now;
}
