//! How a server is set up: by flags, the environment, and `[server]` in `dgh.toml`, in this order.
//!
//! Every setting is one line of the table below. The flags of the command, what is read from the
//! environment and the file, and the page of documentation are made from it.

mod read;
mod value;

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dgh_providers::offline_voice::available;
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::webhooks::{self, Schedule};
use crate::{Options, Wanted, platform};

pub use read::{Sources, file_near};
pub use value::{Kind, LogFormat};

use value::Value;

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name in `[server]`, with underscores; with dashes it is the flag.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What stands for its value.
    pub value: &'static str,
    /// What it is when nobody says; empty: none.
    pub default: &'static str,
    /// How it is written.
    pub kind: Kind,
}

macro_rules! settings {
    ($($(#[doc = $about:literal])+ $name:ident: $type:ty = $default:literal, $value:literal;)*) => {
        /// How a server is set up.
        #[derive(Debug, Clone)]
        pub struct Config {
            $($(#[doc = $about])+ pub $name: $type,)*
        }

        /// All settings.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            name: stringify!($name),
            about: concat!($($about),+),
            value: $value,
            default: $default,
            kind: <$type as Value>::KIND,
        }),*];

        impl Config {
            fn of(given: &read::Given) -> Result<Self, crate::Fault> {
                Ok(Self { $($name: given.get(stringify!($name))?,)* })
            }
        }
    };
}

settings! {
    /// Address to listen on; 0.0.0.0 is every one of this machine
    host: IpAddr = "127.0.0.1", "ADDRESS";
    /// Port to listen on; 0 picks a free one
    port: u16 = "8080", "PORT";
    /// Where the world reaches it, behind a proxy or a tunnel: https://calls.example.org
    public_url: Option<Url> = "", "URL";
    /// Database: postgres://user@host/name for several nodes, sqlite:FILE for one; else a file in the data folder
    database: Option<SecretString> = "", "URL";
    /// Connections to Postgres at most
    database_connections: u32 = "16", "NUMBER";
    /// Where keys, the database, logs and recordings are; else .dgh beside the agents, or the user's data folder
    data: Option<PathBuf> = "", "FOLDER";
    /// Where files of calls go: s3://bucket/prefix, with AWS_REGION and the keys of AWS; else the data folder
    artifacts: Option<Url> = "", "URL";
    /// Keys that seal what is secret, 32 bytes in Base64 each, commas between them: the first seals, the others open. Else a file in the data folder
    encryption_key: Option<SecretString> = "", "KEYS";
    /// Address that the first owner signs in with
    owner: String = "owner@localhost", "EMAIL";
    /// Password of the first owner; else one is made up and shown once
    owner_password: Option<SecretString> = "", "PASSWORD";
    /// Profile of dgh.toml; else dev, or the first
    profile: Option<String> = "", "NAME";
    /// Model to talk with: agent, offline, or openai/gpt-4.1-mini; else the agent's own when its key is set, else offline
    llm: Option<String> = "", "PROVIDER/MODEL";
    /// Address of the model's server, if it is not the provider's own
    llm_url: Option<String> = "", "URL";
    /// Longest wait for the model's first word
    llm_timeout: Option<Duration> = "", "TIME";
    /// Recogniser: agent, offline, none, or deepgram/nova-3; else as for the model
    stt: Option<String> = "", "PROVIDER/MODEL";
    /// Voice: agent, offline, none, or elevenlabs/flash-2.5; else as for the model
    tts: Option<String> = "", "PROVIDER/MODEL";
    /// Use the real tools instead of the mocks of the profile
    no_mocks: bool = "false", "";
    /// Hosts and networks that are not public and that tools of every agent may ask: 10.0.0.0/8
    allow_private: Vec<String> = "", "HOST";
    /// Calls at a time
    max_calls: usize = "500", "NUMBER";
    /// Do not record the sound of calls
    no_recording: bool = "false", "";
    /// How long calls may go on after the server was told to stop
    drain: Duration = "60s", "TIME";
    /// STUN servers for calls from other networks: stun:stun.example.org:3478
    stun: Vec<String> = "", "URL";
    /// TURN servers: turn:turn.example.org:3478
    turn: Vec<String> = "", "URL";
    /// Secret that is shared with the TURN servers; callers get names that expire
    turn_secret: Option<SecretString> = "", "SECRET";
    /// Name at the TURN servers, where they share no secret; every caller sees it
    turn_username: Option<String> = "", "NAME";
    /// And its password
    turn_credential: Option<SecretString> = "", "PASSWORD";
    /// Address that the world sees, behind a one-to-one NAT
    public_ip: Option<IpAddr> = "", "ADDRESS";
    /// Origins whose pages may ask the API with a key; * is all
    cors: Vec<String> = "", "ORIGIN";
    /// Requests a second of one key or user; 0: as many as they like
    api_rate: u32 = "100", "NUMBER";
    /// Proxies that are believed when they name the address of a client
    trusted_proxies: Vec<IpNet> = "", "NETWORK";
    /// Patience with a receiver of webhooks
    webhook_timeout: Duration = "30s", "TIME";
    /// Pause after the first attempt that failed; each later one is twice as long
    webhook_first_pause: Duration = "5s", "TIME";
    /// Longest pause between two attempts
    webhook_longest_pause: Duration = "4h", "TIME";
    /// How long a webhook is tried, 72h at most
    webhook_give_up: Duration = "24h", "TIME";
    /// How long webhooks that were delivered or given up are kept
    webhook_keep: Duration = "720h", "TIME";
    /// Let carriers in that show neither signature nor ticket; for tests on 127.0.0.1
    insecure_carriers: bool = "false", "";
    /// How the log of the server is written to standard error, text or json; RUST_LOG says what of it
    log_format: LogFormat = "text", "FORMAT";
}

impl Config {
    /// How the platform is opened, with this data folder.
    pub fn platform(&self, data: &Path) -> platform::Settings {
        let text = |secret: &SecretString| secret.expose_secret().to_owned();
        platform::Settings {
            database: self.database.as_ref().map(text),
            connections: self.database_connections,
            keys: self.encryption_key.clone(),
            artifacts: self.artifacts.clone(),
            owner: (self.owner.clone(), self.owner_password.as_ref().map(text)),
            ..platform::Settings::in_folder(data)
        }
    }

    /// How agents are served. Looks what of the offline voice is installed here.
    pub async fn options(&self) -> Options {
        Options {
            profile: self.profile.clone(),
            wanted: Wanted {
                llm: self.llm.clone(),
                llm_url: self.llm_url.clone(),
                llm_timeout: self.llm_timeout,
                stt: self.stt.clone(),
                tts: self.tts.clone(),
                offline: Some(available().await),
            },
            no_mocks: self.no_mocks,
            allow_private: self.allow_private.clone(),
        }
    }
}

impl Config {
    /// How webhooks are delivered.
    pub fn webhooks(&self) -> webhooks::Settings {
        webhooks::Settings {
            timeout: self.webhook_timeout,
            schedule: self.schedule(),
            allow_private: self.allow_private.clone(),
            keep: self.webhook_keep,
            ..webhooks::Settings::default()
        }
    }

    fn schedule(&self) -> Schedule {
        Schedule {
            first: self.webhook_first_pause,
            longest: self.webhook_longest_pause,
            give_up_after: self.webhook_give_up,
        }
    }
}

impl Setting {
    /// The name of its flag, without the dashes in front; none of what must not be seen in a list of
    /// processes.
    pub fn flag(&self) -> Option<String> {
        let secret = self.kind == Kind::Secret && self.name != DATABASE;
        (!secret).then(|| self.name.replace('_', "-"))
    }

    /// The name of its variable.
    pub fn variable(&self) -> String {
        if self.name == DATABASE {
            "DATABASE_URL".to_owned()
        } else {
            format!("DGH_{}", self.name.to_uppercase())
        }
    }

    /// Whether it may stand in `dgh.toml`, which others read.
    pub fn in_file(&self) -> bool {
        self.flag().is_some()
    }
}

/// Its URL may hold a password, so it is never shown; and without one it may stand anywhere.
const DATABASE: &str = "database";

/// The page of documentation.
pub fn page() -> String {
    let mut page = String::from(
        "# Settings of `dgh serve`\n\n\
        A flag goes before the environment, and that before `[server]` in the `dgh.toml` of the folder that is served. Lists have commas between them in\n\
        the environment, and a flag for each. Times are `500ms`, `60s`, `5m`, `1h`. A name that is none of these is an error. What is secret stands in the\n\
        environment alone, where no list of processes shows it.\n\n\
        | `[server]` | flag | environment | default | what it is |\n|---|---|---|---|---|\n",
    );
    for setting in SETTINGS {
        let or_dash = |text: Option<String>| text.map_or_else(|| "–".to_owned(), |text| format!("`{text}`"));
        let file = setting.in_file().then(|| setting.name.to_owned());
        let flag = setting.flag().map(|flag| format!("--{flag} {}", setting.value).trim_end().to_owned());
        let default = Some(setting.default.to_owned()).filter(|text| !text.is_empty());
        let cells = [or_dash(file), or_dash(flag), format!("`{}`", setting.variable()), or_dash(default)];
        let _ = writeln!(page, "| {} |{} |", cells.join(" | "), setting.about.replace('|', "\\|"));
    }
    page
}

#[cfg(test)]
mod tests;
