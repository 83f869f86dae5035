//! Looks at everything that a server needs before it takes calls, and says what to do.
//!
//! It makes nothing and changes nothing: whoever asks may do so on a machine that serves.

mod around;
mod inside;

use std::path::{Path, PathBuf};

use dgh_platform::config::Config;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Fair,
    /// It does not work.
    Bad,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `database`
    pub part: &'static str,
    /// How it is.
    pub health: Health,
    /// What was seen.
    pub seen: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Finding {
    fn good(part: &'static str, seen: impl Into<String>) -> Self {
        Self { part, health: Health::Good, seen: seen.into(), advice: None }
    }

    fn fair(part: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { part, health: Health::Fair, seen: seen.into(), advice: Some(advice.into()) }
    }

    fn bad(part: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { part, health: Health::Bad, seen: seen.into(), advice: Some(advice.into()) }
    }
}

/// What is looked at.
pub struct Patient<'a> {
    /// The settings of the server.
    pub config: &'a Config,
    /// Its data folder.
    pub data: PathBuf,
    /// The agents on disk.
    pub agents: Option<&'a Path>,
}

/// Looks at everything.
pub async fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let mut all = vec![around::port(patient.config), inside::disk(&patient.data), inside::keys(patient)];
    let database = inside::database(patient).await;
    all.extend(database);
    all.push(around::clock());
    all.extend(around::ice(patient.config).await);
    all.push(around::files());
    if let Some(path) = patient.agents {
        all.extend(inside::agents(path, patient).await);
    }
    all
}

#[cfg(test)]
mod tests;
