//! Files of calls. They are written on the disk of the node while the call goes on; where the objects
//! are elsewhere (S3), they are taken there when it has ended.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use dgh_store::artifacts::{self, Artifact};
use dgh_store::calls::forget_log;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, PutPayload, WriteMultipart};

use super::{Book, Kept, LOG, RECORDING, TRANSCRIPT, page, path_of};
use crate::keys;

/// Files that are taken away in one round.
const MOST: i64 = 50;
/// Parts of a file that are on their way at once.
const PARTS: usize = 4;

/// Where files of calls are.
#[derive(Clone)]
pub struct Files {
    objects: Arc<dyn ObjectStore>,
    folder: PathBuf,
    disk: Arc<LocalFileSystem>,
    /// Names the folder: what waits in it is taken away by whoever has it.
    spool: String,
    /// The objects are in the folder itself.
    here: bool,
}

/// A file, or a range of it.
pub struct OpenedFile {
    /// Bytes of all of it.
    pub size: u64,
    /// Which of them come.
    pub range: Range<u64>,
    /// The bytes.
    pub bytes: BoxStream<'static, std::io::Result<Bytes>>,
}

/// Bytes of a file that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByteRange {
    /// From here to there, the end not included.
    Between(u64, u64),
    /// From here on.
    From(u64),
    /// The last ones.
    Last(u64),
}

impl ByteRange {
    /// Reads the header `Range` (RFC 9110, 14.1.2); one range alone is understood.
    pub fn read(header: &str) -> Option<Self> {
        let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
        Some(match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => Self::Between(first, last.checked_add(1)?),
            (Ok(first), Err(_)) if last.is_empty() => Self::From(first),
            (Err(_), Ok(last)) if first.is_empty() && last > 0 => Self::Last(last),
            _ => return None,
        })
    }
}

impl Files {
    /// Files in the folder of this node, or in `objects`.
    pub fn new(folder: &Path, objects: Option<Arc<dyn ObjectStore>>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder.join("calls"))
            .with_context(|| format!("cannot write {}", folder.display()))?;
        let disk = Arc::new(LocalFileSystem::new_with_prefix(folder)?);
        let here = objects.is_none();
        let objects = objects.unwrap_or_else(|| Arc::clone(&disk) as Arc<dyn ObjectStore>);
        Ok(Self { objects, folder: folder.to_owned(), disk, spool: spool(folder)?, here })
    }

    /// The log of a call on this disk.
    pub(crate) async fn written(&self, call: &str) -> Option<Vec<u8>> {
        tokio::fs::read(path_of(&self.folder, call, "log")).await.ok()
    }

    /// What a call leaves behind that ended here: its log, what is made of it, and its sound.
    pub(crate) fn left(&self, call: &str, recorded: bool) -> Vec<Kept> {
        let mut all = vec![self.kept(LOG, call, true), self.kept(TRANSCRIPT, call, true)];
        if recorded {
            all.push(self.kept(RECORDING, call, true));
        }
        all
    }

    /// Keeps what is left of a call whose node is dead.
    pub(crate) async fn keep_log(&self, call: &str, bytes: Bytes) -> Vec<Kept> {
        let path = ObjectPath::from(object(LOG, call));
        if let Err(error) = self.objects.put(&path, PutPayload::from_bytes(bytes)).await {
            tracing::error!(call, %error, "the log of a lost call cannot be kept as a file");
            return Vec::new();
        }
        let mut all = vec![self.kept(LOG, call, false), self.kept(TRANSCRIPT, call, true)];
        if tokio::fs::try_exists(path_of(&self.folder, call, "wav")).await.unwrap_or(false) {
            all.push(self.kept(RECORDING, call, true));
        }
        all
    }

    /// Opens a file, or some bytes of it.
    pub async fn open(&self, file: &Artifact, range: Option<ByteRange>) -> anyhow::Result<OpenedFile> {
        let range = range.map(|range| match range {
            ByteRange::Between(first, end) => GetRange::Bounded(first..end),
            ByteRange::From(first) => GetRange::Offset(first),
            ByteRange::Last(last) => GetRange::Suffix(last),
        });
        let path = ObjectPath::from(file.path.as_str());
        let from: &dyn ObjectStore = match (&file.spool, file.state.as_str()) {
            (Some(spool), "spooled") if *spool == self.spool => &*self.disk,
            (_, "spooled") => anyhow::bail!("the file is still on the node that made it"),
            _ => &*self.objects,
        };
        let got = from.get_opts(&path, GetOptions { range, ..GetOptions::default() }).await?;
        let (size, range) = (got.meta.size, got.range.clone());
        let bytes = got.into_stream().map(|bytes| bytes.map_err(std::io::Error::other)).boxed();
        Ok(OpenedFile { size, range, bytes })
    }

    /// Deletes a file. One that is gone is deleted.
    pub(crate) async fn delete(&self, file: &Artifact) -> anyhow::Result<()> {
        let path = ObjectPath::from(file.path.as_str());
        if file.spool.as_ref().is_some_and(|spool| *spool != self.spool) {
            anyhow::bail!("it is on another node");
        }
        for from in [&*self.disk as &dyn ObjectStore, &*self.objects] {
            match from.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// A whole log, from wherever it is.
    pub(crate) async fn log(&self, call: &str) -> anyhow::Result<Vec<u8>> {
        if let Some(bytes) = self.written(call).await {
            return Ok(bytes);
        }
        Ok(self.objects.get(&ObjectPath::from(object(LOG, call))).await?.bytes().await?.into())
    }

    fn kept(&self, kind: &'static str, call: &str, spooled: bool) -> Kept {
        let media_type = match kind {
            LOG => "application/octet-stream",
            RECORDING => "audio/wav",
            _ => "application/json",
        };
        Kept { kind, path: object(kind, call), media_type, bytes: None, spooled, spool: self.spool.clone() }
    }

    /// Takes a file from the disk to the objects. Answers its length.
    async fn take_away(&self, path: &str) -> anyhow::Result<u64> {
        let path = ObjectPath::from(path);
        let got = self.disk.get(&path).await?;
        let size = got.meta.size;
        let mut upload = WriteMultipart::new(self.objects.put_multipart(&path).await?);
        let mut bytes = got.into_stream();
        while let Some(bytes) = bytes.next().await {
            upload.wait_for_capacity(PARTS).await?;
            upload.put(bytes?);
        }
        upload.finish().await?;
        Ok(size)
    }
}

/// Stores what waits in the folder of this node: makes transcripts, takes files to where all nodes
/// find them. Answers how many are done.
pub(crate) async fn store_waiting(book: &Book) -> anyhow::Result<usize> {
    let waiting = {
        let mut conn = book.read().await?;
        artifacts::spooled_unscoped(&mut conn, &book.files.spool, MOST).await?
    };
    let mut done = 0;
    for file in waiting {
        match store(book, &file).await {
            Ok(()) => done += 1,
            // Nothing was heard, or nothing written: there is no such file.
            Err(error) if is_missing(&error) => {
                let mut tx = book.db.begin().await?;
                artifacts::deleted_unscoped(&mut tx, &file.id).await?;
                tx.commit().await?;
            }
            Err(error) => {
                metrics::counter!("dgh_files_failed_total").increment(1);
                tracing::warn!(file = file.path, error = format!("{error:#}"), "a file waits to be stored");
            }
        }
    }
    Ok(done)
}

async fn store(book: &Book, file: &Artifact) -> anyhow::Result<()> {
    let files = &book.files;
    let size = if file.kind == TRANSCRIPT {
        let log = dgh_engine::log::open(&files.log(file.call_id.as_str()).await?, &book.key)?;
        let text = serde_json::to_vec(&page::transcript(&log))?;
        let size = text.len() as u64;
        files.objects.put(&ObjectPath::from(file.path.as_str()), PutPayload::from(text)).await?;
        size
    } else if files.here {
        files.disk.head(&ObjectPath::from(file.path.as_str())).await?.size
    } else {
        files.take_away(&file.path).await?
    };
    let mut tx = book.db.begin().await?;
    artifacts::stored_unscoped(&mut tx, &file.id, i64::try_from(size).unwrap_or(i64::MAX)).await?;
    if file.kind == LOG {
        forget_log(&mut tx, &file.org_id, &file.call_id).await?;
    }
    tx.commit().await?;
    if !files.here && file.kind != TRANSCRIPT {
        files.disk.delete(&ObjectPath::from(file.path.as_str())).await?;
    }
    Ok(())
}

fn is_missing(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(object_store::Error::NotFound { .. }))
}

/// Where a file is among the objects.
fn object(kind: &str, call: &str) -> String {
    let ending = match kind {
        LOG => "log",
        RECORDING => "wav",
        _ => "transcript.json",
    };
    format!("calls/{call}.{ending}")
}

fn spool(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("spool");
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => Ok(name.trim().to_owned()),
        _ => {
            let name = keys::secret_name()?;
            std::fs::write(&path, &name).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(name)
        }
    }
}
