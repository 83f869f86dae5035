//! Why a draft, a release or a route is not as somebody wants it.

use dgh_compile::Compiled;
use dgh_store::StoreError;
use serde_json::Value as Json;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The database says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody has changed it since it was read.
    #[error("the draft was changed in the meantime")]
    Stale {
        /// What it is now.
        current: String,
    },
    /// Contents that were named and never sent.
    #[error("the contents of {} files are not here yet", .0.len())]
    Missing(Vec<String>),
    /// A field holds what it must not.
    #[error("`{field}`: {why}")]
    Invalid {
        /// Which.
        field: String,
        /// Why not.
        why: String,
    },
    /// Paths that cannot be, or more than may be.
    #[error("{0}")]
    BadBundle(String),
    /// The program has errors.
    #[error("{} in the program", .0.summary())]
    Findings(Box<Findings>),
    /// It can be compiled, and not be run here.
    #[error("{0:#}")]
    Unusable(anyhow::Error),
    /// The name is taken.
    #[error("{0}")]
    Taken(String),
    /// Nobody answers there.
    #[error("agent `{slug}` has no release in `{profile}`")]
    NoRelease {
        /// Its name.
        slug: String,
        /// Where it was looked for.
        profile: String,
    },
    /// The machine fails: a full disk, a task that broke.
    #[error("{0:#}")]
    System(anyhow::Error),
}

/// What the compiler says.
#[derive(Debug)]
pub struct Findings {
    /// As `dgh check --json` prints it.
    pub report: Json,
    /// How many errors there are.
    pub errors: usize,
}

impl Findings {
    /// What it says of a program.
    pub fn of(compiled: &Compiled) -> Self {
        let errors =
            compiled.diagnostics.iter().filter(|d| d.severity() == dgh_diag::Severity::Error).count();
        Self { report: dgh_diag::json::to_json(&compiled.diagnostics, compiled.sources.as_slice()), errors }
    }

    fn summary(&self) -> String {
        if self.errors == 1 {
            "there is 1 error".to_owned()
        } else {
            format!("there are {} errors", self.errors)
        }
    }
}

impl BundleError {
    /// A field holds what it must not.
    pub fn invalid(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), why: why.into() }
    }

    pub(crate) fn system(error: impl Into<anyhow::Error>) -> Self {
        Self::System(error.into())
    }
}
