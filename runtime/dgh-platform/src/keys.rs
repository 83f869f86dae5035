//! The key that seals the logs of calls: made once, in the user's data folder,
//! readable by that user alone.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use dgh_engine::log::{KEY_LENGTH, NONCE_LENGTH};

/// The key, made when there is none.
pub fn log_key() -> anyhow::Result<[u8; KEY_LENGTH]> {
    let path = folder()?.join("log.key");
    match fs::read(&path) {
        Ok(bytes) => match bytes.try_into() {
            Ok(key) => Ok(key),
            Err(_) => bail!("{} is not a key: it should have {KEY_LENGTH} bytes", path.display()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// A nonce that was never used: one for every log (NIST SP 800-38D, 8.2.2).
pub fn fresh_nonce() -> anyhow::Result<[u8; NONCE_LENGTH]> {
    random()
}

/// A key for one log alone.
pub fn fresh_key() -> anyhow::Result<[u8; KEY_LENGTH]> {
    random()
}

/// Letters that nobody guesses: 128 bits in hex.
pub fn secret_name() -> anyhow::Result<String> {
    Ok(format!("{:032x}", u128::from_be_bytes(random()?)))
}

/// Where a server keeps what it has when nobody says where.
pub fn server_folder() -> anyhow::Result<PathBuf> {
    Ok(folder()?.join("server"))
}

fn make(path: &PathBuf) -> anyhow::Result<[u8; KEY_LENGTH]> {
    let writing = || format!("cannot write {}", path.display());
    let key = random()?;
    fs::create_dir_all(folder()?).with_context(writing)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).and_then(|mut file| file.write_all(&key)).with_context(writing)?;
    Ok(key)
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system has no random numbers: {error}"))?;
    Ok(bytes)
}

/// `$XDG_DATA_HOME/dgh`, or `~/.local/share/dgh` (XDG Base Directory Specification).
fn folder() -> anyhow::Result<PathBuf> {
    if let Some(data) = std::env::var_os("XDG_DATA_HOME").filter(|d| !d.is_empty()) {
        return Ok(PathBuf::from(data).join("dgh"));
    }
    let home = std::env::var_os("HOME").context("neither XDG_DATA_HOME nor HOME is set")?;
    Ok(PathBuf::from(home).join(".local/share/dgh"))
}
