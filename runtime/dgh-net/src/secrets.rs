//! Where secrets come from. A program, a profile and a log know their names alone.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::path::PathBuf;

use secrecy::SecretString;

/// Hands out secrets by name.
pub trait Secrets: Send + Sync {
    /// The secret with this name; none: there is none, or it cannot be read.
    fn secret(&self, name: &str) -> Option<SecretString>;
}

/// Secrets as a profile refers to them. A name that it does not list is an environment variable.
#[derive(Debug, Clone, Default)]
pub struct References {
    sources: HashMap<String, Source>,
}

/// Where one secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An environment variable.
    Env(String),
    /// The content of a file, without the line end.
    File(PathBuf),
}

impl References {
    /// The references of a profile.
    pub fn new(sources: impl IntoIterator<Item = (String, Source)>) -> Self {
        Self { sources: sources.into_iter().collect() }
    }
}

impl Secrets for References {
    fn secret(&self, name: &str) -> Option<SecretString> {
        let text = match self.sources.get(name) {
            None => std::env::var(name).ok()?,
            Some(Source::Env(variable)) => std::env::var(variable).ok()?,
            Some(Source::File(path)) => {
                std::fs::read_to_string(path).ok()?.trim_end_matches(['\r', '\n']).to_owned()
            }
        };
        (!text.is_empty()).then(|| text.into())
    }
}

/// Secrets that are already there, for tests and for programs that keep their own.
impl<S: BuildHasher + Send + Sync> Secrets for HashMap<String, SecretString, S> {
    fn secret(&self, name: &str) -> Option<SecretString> {
        self.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_secret_comes_from_a_file_or_the_environment_and_never_shows_itself() {
        let folder = std::env::temp_dir().join(format!("dgh-secrets-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("key");
        std::fs::write(&path, "hush\r\n").unwrap();
        let references = References::new([
            ("FROM_FILE".to_owned(), Source::File(path)),
            ("GONE".to_owned(), Source::File(folder.join("none"))),
            ("FROM_ENV".to_owned(), Source::Env("PATH".to_owned())),
        ]);
        let secret = references.secret("FROM_FILE").unwrap();
        assert_eq!(secret.expose_secret(), "hush");
        assert!(!format!("{secret:?}").contains("hush"));
        assert!(references.secret("GONE").is_none());
        assert_eq!(references.secret("FROM_ENV").unwrap().expose_secret(), std::env::var("PATH").unwrap());
        assert!(references.secret("PATH").is_some(), "a name that is not listed is an environment variable");
        assert!(references.secret("DGH_SURELY_NOT_SET").is_none());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
