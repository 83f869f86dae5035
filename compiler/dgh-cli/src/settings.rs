//! The flags of a server, made from its table of settings.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::LazyLock;

use clap::builder::ValueParser;
use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use dgh_platform::Fault;
use dgh_platform::config::{Config, Kind, SETTINGS, Setting, Sources, file_near};

/// What is typed about a server.
#[derive(Debug, Clone, Default)]
pub struct Flags(HashMap<&'static str, Vec<String>>);

/// The texts that clap shows, as long as the process lives.
static FLAGS: LazyLock<Vec<(&'static Setting, String, String)>> = LazyLock::new(|| {
    let flagged = SETTINGS.iter().filter_map(|setting| Some((setting, setting.flag()?)));
    flagged.map(|(setting, flag)| (setting, flag, help(setting))).collect()
});

impl Flags {
    /// Some that another command knows.
    pub fn of(given: HashMap<&'static str, Vec<String>>) -> Self {
        Self(given)
    }

    /// The settings of the server of a path, or of no path.
    pub fn config(&self, path: Option<&Path>) -> Result<Config, Fault> {
        let text = |text: OsString| text.to_string_lossy().into_owned();
        Config::read(Sources {
            flags: self.0.clone(),
            environment: std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect(),
            file: path.and_then(file_near),
        })
    }

    fn read(matches: &ArgMatches) -> Self {
        let given = FLAGS.iter().filter_map(|(setting, ..)| {
            if matches.value_source(setting.name) != Some(clap::parser::ValueSource::CommandLine) {
                return None;
            }
            let values = match setting.kind {
                Kind::Switch => vec!["true".to_owned()],
                _ => matches.get_many::<String>(setting.name)?.cloned().collect(),
            };
            Some((setting.name, values))
        });
        Self(given.collect())
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self::read(matches))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::read(matches);
        Ok(())
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        FLAGS.iter().fold(command, |command, (setting, flag, help)| {
            let arg = Arg::new(setting.name).long(flag.as_str()).help(help.as_str());
            let arg = match setting.kind {
                Kind::Switch => arg.action(ArgAction::SetTrue),
                Kind::Many => arg.action(ArgAction::Append).value_name(setting.value),
                Kind::One | Kind::Secret => arg.action(ArgAction::Set).value_name(setting.value),
            };
            let arg =
                if setting.kind == Kind::Switch { arg } else { arg.value_parser(ValueParser::string()) };
            command.arg(arg)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn help(setting: &Setting) -> String {
    match (setting.kind, setting.default) {
        (Kind::Switch, _) | (_, "") => setting.about.trim().to_owned(),
        (_, default) => format!("{} [default: {default}]", setting.about.trim()),
    }
}
