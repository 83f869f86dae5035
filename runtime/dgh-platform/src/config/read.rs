//! Reads the settings from where they stand.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dgh_diag::suggest::closest;
use toml::Value as Toml;

use super::value::Value;
use super::{Config, Kind, SETTINGS, Setting};
use crate::Fault;

/// The table of `dgh.toml`.
const TABLE: &str = "server";
/// What our variables begin with.
const OURS: &str = "DGH_";
/// Variables of ours that are no settings of a server: those of the other commands, the Python of the
/// offline recogniser, and those of tests.
const OTHERS: &[&str] = &["DGH_SERVER", "DGH_API_KEY", "DGH_PYTHON"];
const TESTS: &str = "DGH_TEST_";
/// The longest that anybody waits for a word.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// Where settings come from.
#[derive(Debug, Default)]
pub struct Sources {
    /// Flags by the names of their settings, with what was given.
    pub flags: HashMap<&'static str, Vec<String>>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// `dgh.toml`.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Reads them. The first thing that is wrong is answered.
    pub fn read(sources: Sources) -> Result<Self, Fault> {
        let mut given = Given::default();
        if let Some(file) = &sources.file {
            given.take_file(file)?;
        }
        given.take_environment(&sources.environment)?;
        for (name, values) in sources.flags {
            given.put(name, values, format!("--{}", name.replace('_', "-")));
        }
        let config = Self::of(&given)?;
        config.check(&given)?;
        Ok(config)
    }

    fn check(&self, given: &Given) -> Result<(), Fault> {
        let bad = |name: &'static str, why: &str| Err(given.bad(name, why));
        if self.llm.is_none() && self.llm_url.is_some() {
            return bad("llm_url", "it is the address of a model, and `llm` names none");
        }
        if self.llm.is_none() && self.llm_timeout.is_some() {
            return bad("llm_timeout", "it is the patience with a model, and `llm` names none");
        }
        if self.llm_timeout.is_some_and(|time| time.is_zero() || time > LONGEST_WAIT) {
            return bad("llm_timeout", "write a time up to 10m");
        }
        if self.insecure_carriers && !self.host.is_loopback() {
            return bad("insecure_carriers", "it lets anybody call; it is for 127.0.0.1 alone");
        }
        if self.turn_username.is_some() != self.turn_credential.is_some() {
            return bad("turn_username", "it goes with DGH_TURN_CREDENTIAL, and one of them is missing");
        }
        if self.max_calls == 0 {
            return bad("max_calls", "a server that takes no call is none");
        }
        if let Err(why) = self.schedule().checked() {
            return bad("webhook_give_up", &why);
        }
        Ok(())
    }
}

/// The `dgh.toml` of what is served.
pub fn file_near(path: &Path) -> Option<PathBuf> {
    let folder = if path.is_dir() { path } else { path.parent()? };
    let file = folder.join("dgh.toml");
    file.is_file().then_some(file)
}

/// What was given, and where.
#[derive(Debug, Default)]
pub(super) struct Given {
    values: HashMap<&'static str, (Vec<String>, String)>,
}

impl Given {
    pub(super) fn get<T: Value>(&self, name: &'static str) -> Result<T, Fault> {
        let default = || {
            let default = SETTINGS.iter().find(|setting| setting.name == name).map_or("", |s| s.default);
            if default.is_empty() { Vec::new() } else { vec![default.to_owned()] }
        };
        let read = match self.values.get(name) {
            Some((values, _)) => T::read(values),
            None => T::read(&default()),
        };
        read.map_err(|why| self.bad(name, &why))
    }

    fn put(&mut self, name: &'static str, values: Vec<String>, place: String) {
        self.values.insert(name, (values, place));
    }

    /// A value that cannot be. It is not repeated when it may be secret.
    fn bad(&self, name: &'static str, why: &str) -> Fault {
        let (values, place) = self.values.get(name).cloned().unwrap_or_else(|| (Vec::new(), name.to_owned()));
        let secret = SETTINGS.iter().any(|setting| setting.name == name && setting.kind == Kind::Secret);
        let hidden = secret || values.is_empty();
        let said = if hidden { " cannot be".to_owned() } else { format!(" is `{}`", values.join(", ")) };
        let hint = format!(
            "{}{}.",
            why.get(..1).unwrap_or_default().to_uppercase(),
            why.get(1..).unwrap_or_default()
        );
        Fault::new("bad_setting", format!("{place}{said}"), hint)
    }

    fn take_environment(&mut self, all: &[(String, String)]) -> Result<(), Fault> {
        for (variable, text) in all {
            let ours = variable.starts_with(OURS)
                && !variable.starts_with(TESTS)
                && !OTHERS.contains(&variable.as_str());
            match SETTINGS.iter().find(|setting| setting.variable() == *variable) {
                // Kubernetes tells every container of the services around it: DGH_PORT=tcp://10.0.0.1:80.
                Some(setting) if setting.name == "port" && text.contains("://") => {}
                // An empty one is as good as none: that is how shells and compose files unset them.
                Some(_) if text.is_empty() => {}
                Some(setting) => self.put(setting.name, split(setting, text), variable.clone()),
                None if ours && !of_kubernetes(variable) => unknown_variable(variable)?,
                None => {}
            }
        }
        Ok(())
    }

    fn take_file(&mut self, file: &Path) -> Result<(), Fault> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Fault::file(file, &error)),
        };
        // What else is wrong with the file is told by the compiler, with its place.
        let Ok(Toml::Table(mut all)) = text.parse::<toml::Table>().map(Toml::Table) else { return Ok(()) };
        let Some(table) = all.remove(TABLE) else { return Ok(()) };
        let place = |name: &str| format!("{name} in [{TABLE}] of {}", file.display());
        let Toml::Table(table) = table else {
            return Err(Fault::new(
                "bad_setting",
                format!("[{TABLE}] of {} is no table", file.display()),
                "See the list of settings.",
            ));
        };
        for (name, value) in table {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
                let known = SETTINGS.iter().filter(|setting| setting.in_file()).map(|setting| setting.name);
                return Err(unknown(&place(&name), closest(&name, known)));
            };
            if !setting.in_file() {
                return Err(Fault::new(
                    "secret_in_file",
                    format!("{} is secret, and files are read by many", place(&name)),
                    format!("Put it into the environment as {}.", setting.variable()),
                ));
            }
            self.put(setting.name, texts(setting, value).unwrap_or_default(), place(&name));
        }
        Ok(())
    }
}

fn split(setting: &Setting, text: &str) -> Vec<String> {
    match setting.kind {
        Kind::Many => {
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        }
        _ => vec![text.trim().to_owned()],
    }
}

/// The texts of a value; nothing of one that is no setting's.
fn texts(setting: &Setting, value: Toml) -> Option<Vec<String>> {
    match value {
        Toml::Array(values) if setting.kind == Kind::Many => values.into_iter().map(text).collect(),
        value => text(value).map(|text| vec![text]),
    }
}

fn text(value: Toml) -> Option<String> {
    match value {
        Toml::String(text) => Some(text),
        Toml::Integer(number) => Some(number.to_string()),
        Toml::Boolean(is) => Some(is.to_string()),
        Toml::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Kubernetes tells a container of a service that is called `dgh`: `DGH_SERVICE_HOST`, `DGH_PORT_80_TCP`.
fn of_kubernetes(variable: &str) -> bool {
    variable.starts_with("DGH_SERVICE_")
        || variable
            .strip_prefix("DGH_PORT_")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn unknown_variable(variable: &str) -> Result<(), Fault> {
    let known: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
    Err(unknown(variable, closest(variable, known.iter().map(String::as_str))))
}

fn unknown(place: &str, near: Option<&str>) -> Fault {
    let hint = match near {
        Some(near) => format!("Did you mean `{near}`?"),
        None => "`dgh serve --help` lists those that there are.".to_owned(),
    };
    Fault::new("unknown_setting", format!("{place} is no setting"), hint)
}
