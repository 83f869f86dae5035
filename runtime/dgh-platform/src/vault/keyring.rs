//! The keys of an installation: in a file that its owner alone may read, or in the environment.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The name of the file, in the data folder.
pub const KEY_FILE: &str = "keys";
const LENGTH: usize = 32;
/// Letters of a fingerprint.
const FINGERPRINT: usize = 12;
const HEAD: &str = "\
# What this installation keeps secret is sealed with these keys: without them it is lost.
# Keep a copy in a safe place, and not beside the backups of the database.
# The first one seals; the others open what was sealed before.
";

/// Why there are no keys.
#[derive(Debug, Error)]
pub enum KeyringError {
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What stands there is no key.
    #[error("{place} is no list of keys: each is 32 bytes in Base64")]
    NoKeys {
        /// The file, or the variable.
        place: String,
    },
    /// Everybody may read the file.
    #[error("{} may be read by everybody", path.display())]
    Open {
        /// Which.
        path: PathBuf,
    },
    /// The system has no random numbers.
    #[error("the system has no random numbers: {0}")]
    Random(getrandom::Error),
}

/// A key.
#[derive(Clone)]
pub(super) struct Key {
    /// Its fingerprint, which tells nothing of it.
    pub(super) id: String,
    bytes: [u8; LENGTH],
}

impl Key {
    fn new(bytes: [u8; LENGTH]) -> Self {
        let digest = Sha256::new().chain_update(b"dgh fingerprint").chain_update(bytes).finalize();
        let mut id = String::new();
        for byte in digest.iter().take(FINGERPRINT / 2) {
            let _ = write!(id, "{byte:02x}");
        }
        Self { id, bytes }
    }

    fn read(text: &str) -> Option<Self> {
        Some(Self::new(STANDARD.decode(text).ok()?.try_into().ok()?))
    }

    /// What it seals with: never the key itself, so that no use of it weakens another.
    pub(super) fn sealing(&self) -> [u8; LENGTH] {
        self.derive("seal")
    }

    /// What it signs with.
    pub(super) fn signing(&self, purpose: &str) -> [u8; LENGTH] {
        self.derive(&format!("sign {purpose}"))
    }

    fn derive(&self, purpose: &str) -> [u8; LENGTH] {
        hmac(&self.bytes).chain_update(b"dgh v1 ").chain_update(purpose).finalize().into_bytes().into()
    }

    fn text(&self) -> String {
        STANDARD.encode(self.bytes)
    }
}

pub(super) fn hmac(key: &[u8; LENGTH]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    Hmac::new_from_slice(key).expect("a key")
}

/// The keys, the one that seals first.
pub(super) struct Keyring {
    /// None: the environment.
    file: Option<PathBuf>,
    current: Key,
    older: Vec<Key>,
}

impl Keyring {
    pub(super) fn from_text(text: &str) -> Result<Self, KeyringError> {
        let keys: Option<Vec<Key>> = text.split(',').map(|key| Key::read(key.trim())).collect();
        Self::of(keys.unwrap_or_default(), None)
    }

    pub(super) fn in_folder(folder: &Path) -> Result<(Self, bool), KeyringError> {
        let path = folder.join(KEY_FILE);
        match read(&path) {
            Err(KeyringError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                make(&path)?;
                Ok((read(&path)?, true))
            }
            read => Ok((read?, false)),
        }
    }

    pub(super) fn current(&self) -> &Key {
        &self.current
    }

    pub(super) fn all(&self) -> Vec<&Key> {
        std::iter::once(&self.current).chain(&self.older).collect()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.all().into_iter().find(|key| key.id == id)
    }

    pub(super) fn place(&self) -> String {
        self.file.as_ref().map_or_else(|| "DGH_ENCRYPTION_KEY".to_owned(), |file| file.display().to_string())
    }

    pub(super) fn look_again(&mut self) -> Result<(), KeyringError> {
        if let Some(file) = &self.file {
            *self = read(file)?;
        }
        Ok(())
    }

    pub(super) fn add(&mut self) -> Result<Option<String>, KeyringError> {
        let Some(file) = self.file.clone() else { return Ok(None) };
        self.look_again()?;
        let key = fresh()?;
        let keys: Vec<&Key> = std::iter::once(&key).chain(self.all()).collect();
        let beside = file.with_extension("new");
        let failed = |source| KeyringError::File { path: file.clone(), source };
        write(&beside, &keys).and_then(|()| fs::rename(&beside, &file)).map_err(failed)?;
        let id = key.id.clone();
        let before = std::mem::replace(&mut self.current, key);
        self.older.insert(0, before);
        Ok(Some(id))
    }

    fn of(keys: Vec<Key>, file: Option<PathBuf>) -> Result<Self, KeyringError> {
        let mut keys = keys.into_iter();
        match keys.next() {
            Some(current) => Ok(Self { file, current, older: keys.collect() }),
            None => Err(KeyringError::NoKeys {
                place: file
                    .map_or_else(|| "DGH_ENCRYPTION_KEY".to_owned(), |file| file.display().to_string()),
            }),
        }
    }
}

fn read(path: &Path) -> Result<Keyring, KeyringError> {
    let failed = |source| KeyringError::File { path: path.to_path_buf(), source };
    let text = fs::read_to_string(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o007 != 0 {
            return Err(KeyringError::Open { path: path.to_path_buf() });
        }
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Option<Vec<Key>> = lines.map(Key::read).collect();
    Keyring::of(keys.unwrap_or_default(), Some(path.to_path_buf()))
}

/// A first key. Of several processes that make one at the same time one wins, and all read it.
fn make(path: &Path) -> Result<(), KeyringError> {
    let failed = |source| KeyringError::File { path: path.to_path_buf(), source };
    let key = fresh()?;
    let beside = path.with_extension(format!("{}.new", key.id));
    let made = write(&beside, &[&key]).and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    // Also when there is nothing to remove.
    let _ = fs::remove_file(&beside);
    made.map_err(failed)
}

fn write(path: &Path, keys: &[&Key]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(HEAD.as_bytes())?;
    for key in keys {
        file.write_all(format!("{}\n", key.text()).as_bytes())?;
    }
    // A key that a row was sealed with must not be lost to a loss of power.
    file.sync_all()?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn fresh() -> Result<Key, KeyringError> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(KeyringError::Random)?;
    Ok(Key::new(bytes))
}
