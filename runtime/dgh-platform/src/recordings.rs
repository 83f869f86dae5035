//! The recordings of a bundle as sound, read once for each rate and file.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use dgh_voice::audio::wav;
use dgh_voice::call::Recordings;

/// Recordings that are kept as sound. Five minutes at 24 kHz are 14 MB.
const MAX_KEPT: usize = 32;

type Kept = HashMap<(String, u32), (Option<SystemTime>, Arc<[i16]>)>;

/// The recordings of these files, by their names.
pub(crate) fn of(files: HashMap<String, PathBuf>) -> Arc<Recordings> {
    let kept: Mutex<Kept> = Mutex::default();
    Arc::new(move |name: &str, rate: u32| {
        let path = files.get(name).ok_or_else(|| format!("there is no recording `{name}`"))?;
        let changed = fs::metadata(path).and_then(|meta| meta.modified()).ok();
        let key = (name.to_owned(), rate);
        {
            let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, sound)) = kept.get(&key)
                && *at == changed
            {
                return Ok(Arc::clone(sound));
            }
        }
        let sound: Arc<[i16]> = wav::read(path, rate).map_err(|e| format!("`{name}`: {e}"))?.into();
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_KEPT || kept.contains_key(&key) {
            kept.insert(key, (changed, Arc::clone(&sound)));
        }
        Ok(sound)
    })
}
