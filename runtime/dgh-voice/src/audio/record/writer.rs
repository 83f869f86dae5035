//! The one thread of the process that writes recordings, and the file of one recording.
//!
//! Calls hand over what is to be written and go on. What waits for the disk is bounded per call;
//! when the bound is reached, the recording gets a gap and says so, and the call goes on.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::{MOMENT, RecordError, Recording, Side, offset};

/// A file that is being written.
pub(super) struct Tape {
    path: PathBuf,
    rate: u32,
    file: File,
    /// Bytes that wait for the disk.
    waiting: AtomicUsize,
    broken: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Moments in the file.
    moments: u64,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
    /// The first trouble, for the finish.
    trouble: Option<RecordError>,
    /// Whether the call was told of it.
    told: bool,
}

/// What is to be done with a file, in order.
pub(super) enum Job {
    /// Both sides from this moment on.
    Write {
        at: u64,
        sound: Vec<u8>,
    },
    /// One side, where something else may be.
    Patch {
        side: Side,
        at: u64,
        sound: Vec<i16>,
    },
    /// Silence on one side.
    Mute {
        side: Side,
        from: u64,
        to: u64,
    },
    Close {
        moments: u64,
        done: Option<oneshot::Sender<Result<Recording, RecordError>>>,
    },
}

/// Most bytes of one call that wait for the disk: several seconds.
const MAX_WAITING: usize = 384 * 1024;

const HEADER: u64 = 44;

/// Makes a file with the header of an empty recording.
pub(super) fn create(path: &Path, rate: u32) -> Result<Arc<Tape>, RecordError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|file| open(path, file, rate))
        .map_err(|error| RecordError::Create { path: path.display().to_string(), reason: error.to_string() })
}

/// Takes a file that is open.
pub(super) fn open(path: &Path, file: File, rate: u32) -> io::Result<Arc<Tape>> {
    if WRITER.is_none() {
        return Err(io::Error::other("no thread to write it"));
    }
    file.write_all_at(&header(rate, 0), 0)?;
    Ok(over(path, file, rate))
}

/// A file that has its header.
pub(super) fn over(path: &Path, file: File, rate: u32) -> Arc<Tape> {
    Arc::new(Tape {
        path: path.to_owned(),
        rate,
        file,
        waiting: AtomicUsize::new(0),
        broken: AtomicBool::new(false),
        state: Mutex::default(),
    })
}

type Errand = (Arc<Tape>, Job);

static WRITER: LazyLock<Option<Sender<Errand>>> = LazyLock::new(|| {
    let (sender, jobs) = mpsc::channel();
    match thread::Builder::new().name("recordings".to_owned()).spawn(move || work(&jobs)) {
        Ok(_) => Some(sender),
        Err(error) => {
            tracing::error!(%error, "recordings cannot be written");
            None
        }
    }
});

fn work(jobs: &Receiver<Errand>) {
    while let Ok((tape, job)) = jobs.recv() {
        tape.work(job);
    }
}

impl Tape {
    /// Hands both sides' sound over.
    pub(super) fn write(self: &Arc<Self>, at: u64, sound: &[u8]) {
        let mut buffer = self.state().spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(sound);
        self.send(Job::Write { at, sound: buffer });
    }

    /// Hands a job over. Silence and the end always are; sound when not too much waits.
    pub(super) fn send(self: &Arc<Self>, job: Job) {
        let bytes = job.bytes();
        let waiting = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        if bytes > 0 && waiting + bytes > MAX_WAITING {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
            self.fail(RecordError::Slow { path: self.name() });
            return;
        }
        if let Some(writer) = &*WRITER
            && writer.send((Arc::clone(self), job)).is_err()
        {
            self.broken("the writer is gone");
        }
    }

    /// Whether writing more makes no sense.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// The first trouble, once.
    pub(super) fn trouble(&self) -> Option<RecordError> {
        let mut state = self.state();
        if state.told {
            return None;
        }
        state.told = state.trouble.is_some();
        state.trouble.clone()
    }

    /// Notes that the file cannot be written any more.
    pub(super) fn broken(&self, reason: impl ToString) -> RecordError {
        self.broken.store(true, Ordering::Relaxed);
        let error = RecordError::Write { path: self.name(), reason: reason.to_string() };
        self.fail(error.clone());
        error
    }

    fn fail(&self, error: RecordError) {
        let mut state = self.state();
        if state.trouble.is_none() {
            tracing::warn!(%error, "recording");
            state.trouble = Some(error);
        }
    }

    fn work(&self, job: Job) {
        let bytes = job.bytes();
        match job {
            Job::Write { at, sound } => {
                self.attempt(|| self.put(at, &sound));
                self.state().spare.push(sound);
            }
            Job::Patch { side, at, sound } => {
                self.attempt(|| self.patch(side, at, sound.len() as u64, sound.iter().copied()));
            }
            // Also when the disk is full: what is to be silent is there already.
            Job::Mute { side, from, to } => {
                let to = to.min(self.state().moments);
                if let Err(error) = self.patch(side, from, to.saturating_sub(from), std::iter::repeat(0)) {
                    self.broken(error);
                }
            }
            Job::Close { moments, done } => {
                self.attempt(|| self.lengthen(moments));
                let state = self.state();
                let result = match &state.trouble {
                    Some(trouble) => Err(trouble.clone()),
                    None => Ok(Recording {
                        path: self.path.clone(),
                        duration_ms: state.moments * 1_000 / u64::from(self.rate),
                    }),
                };
                drop(state);
                if let Some(done) = done {
                    let _ = done.send(result);
                }
            }
        }
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn attempt(&self, action: impl FnOnce() -> io::Result<()>) {
        if !self.is_broken()
            && let Err(error) = action()
        {
            self.broken(error);
        }
    }

    fn put(&self, at: u64, sound: &[u8]) -> io::Result<()> {
        self.file.write_all_at(sound, HEADER + at * MOMENT)?;
        self.is_now(at + sound.len() as u64 / MOMENT)
    }

    fn patch(&self, side: Side, at: u64, count: u64, sound: impl Iterator<Item = i16>) -> io::Result<()> {
        const PIECE: u64 = 4_096;
        let mut sound = sound.take(count as usize);
        let mut buffer = vec![0; (count.min(PIECE) * MOMENT) as usize];
        let offset = offset(side);
        let mut done = 0;
        while done < count {
            let piece = (count - done).min(PIECE);
            let place = HEADER + (at + done) * MOMENT;
            let bytes = buffer.get_mut(..(piece * MOMENT) as usize).unwrap_or(&mut []);
            bytes.fill(0);
            read_at(&self.file, bytes, place)?;
            for (moment, sample) in bytes.chunks_exact_mut(MOMENT as usize).zip(&mut sound) {
                if let Some(bytes) = moment.get_mut(offset..offset + 2) {
                    bytes.copy_from_slice(&sample.to_le_bytes());
                }
            }
            self.file.write_all_at(bytes, place)?;
            done += piece;
        }
        self.is_now(at + count)
    }

    fn lengthen(&self, moments: u64) -> io::Result<()> {
        if moments > self.state().moments {
            self.file.set_len(HEADER + moments * MOMENT)?;
        }
        self.is_now(moments)
    }

    /// The header counts what is there, at once: the file can be read at any time.
    fn is_now(&self, moments: u64) -> io::Result<()> {
        if moments > self.state().moments {
            self.file.write_all_at(&header(self.rate, moments * MOMENT), 0)?;
            self.state().moments = moments;
        }
        Ok(())
    }

    // One call and the writer share it, for a few instructions.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

impl Job {
    fn bytes(&self) -> usize {
        match self {
            Self::Write { sound, .. } => sound.len(),
            Self::Patch { sound, .. } => sound.len() * 2,
            Self::Mute { .. } | Self::Close { .. } => 0,
        }
    }
}

/// Reads what is there: behind the end of the file there is silence.
fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.read_at(bytes, at) {
            Ok(0) => break,
            Ok(count) => {
                bytes = bytes.get_mut(count..).unwrap_or(&mut []);
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The header of a WAV file of 16-bit PCM, two channels (RIFF, Microsoft and IBM, 1991).
fn header(rate: u32, data: u64) -> [u8; HEADER as usize] {
    let data = data.min(u64::from(u32::MAX) - 36) as u32;
    let mut header = [0; HEADER as usize];
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &(data + 36).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16u32.to_le_bytes(),
        &1u16.to_le_bytes(),
        &2u16.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * MOMENT as u32).to_le_bytes(),
        &(MOMENT as u16).to_le_bytes(),
        &16u16.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ];
    for (place, byte) in header.iter_mut().zip(fields.into_iter().flatten()) {
        *place = *byte;
    }
    header
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_silence_and_the_end_go_through() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        let tape = create(&path, 8_000).unwrap();
        tape.write(0, &[1; 800]);
        // As if the disk had stood still for seconds.
        tape.waiting.fetch_add(MAX_WAITING, Ordering::Relaxed);
        tape.write(200, &[1; 800]);
        tape.send(Job::Patch { side: Side::Agent, at: 0, sound: vec![1; 10] });
        assert_eq!(tape.trouble(), Some(RecordError::Slow { path: path.display().to_string() }));
        assert_eq!(tape.trouble(), None, "told once");
        assert!(!tape.is_broken(), "what comes later is written again");
        tape.send(Job::Mute { side: Side::Caller, from: 0, to: 100 });
        tape.waiting.fetch_sub(MAX_WAITING, Ordering::Relaxed);
        tape.write(400, &[1; 800]);
        let (done, finished) = oneshot::channel();
        tape.send(Job::Close { moments: 600, done: Some(done) });
        assert!(matches!(finished.blocking_recv().unwrap(), Err(RecordError::Slow { .. })));
        let bytes = std::fs::read(&path).unwrap();
        let moments: Vec<&[u8]> = bytes[44..].chunks(4).collect();
        assert_eq!(moments.len(), 600);
        assert_eq!((moments[0], moments[150], moments[300]), (&[0, 0, 1, 1][..], &[1; 4][..], &[0; 4][..]));
        assert_eq!(moments[599], [1; 4]);
        assert_eq!(tape.waiting.load(Ordering::Relaxed), 0);
    }
}
