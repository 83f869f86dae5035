//! `dgh.toml`: what surrounds an agent: defaults, recordings, and the profiles it runs in.
//!
//! Read by hand over spanned values, so that every finding has its place and a misspelt key its
//! suggestion. A file with errors still yields what could be read.

use std::ops::Range;

use dgh_check::DefaultModel;
use dgh_diag::{Code, Diagnostic, FileId, Place, Span};
use indexmap::IndexMap;
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file's name, at the root of a bundle.
pub const NAME: &str = "dgh.toml";

/// What `dgh.toml` says.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    /// `entry`: the file with the agents; `agent.dgh` when it does not say.
    pub entry: Option<String>,
    /// `[defaults]`
    pub defaults: Defaults,
    /// `[recordings.NAME]`
    pub recordings: IndexMap<String, Recording>,
    /// `[profiles.NAME]`
    pub profiles: IndexMap<String, Profile>,
}

/// What agents use that do not say.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// Models by kind (`llm`, `stt`, `tts`, `judge`, `realtime`), in order of fallback.
    pub models: IndexMap<String, Vec<DefaultModel>>,
    /// Language tag.
    pub language: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
}

/// A recording that `play recording.NAME` plays.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Path in the bundle.
    pub file: String,
    /// What is heard in it.
    pub transcript: String,
    /// Where its name stands.
    pub place: Place,
}

/// Where an agent runs: `dev`, `staging`, `production`.
#[derive(Debug, Clone)]
pub struct Profile {
    /// `[profiles.NAME.env]`
    pub env: IndexMap<String, String>,
    /// `[profiles.NAME.secrets]`
    pub secrets: IndexMap<String, SecretRef>,
    /// `allow_private`: hosts and networks that are not public and may be asked all the same.
    pub allow_private: Vec<String>,
    /// `[profiles.NAME.inputs]`: what `dgh run` gives to the inputs of an agent.
    pub inputs: IndexMap<String, Json>,
    /// `[[profiles.NAME.mocks.TOOL]]`, in order
    pub mocks: IndexMap<String, Vec<MockCase>>,
    /// Where its name stands.
    pub place: Place,
}

/// Where a secret is kept. Its value is never in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// `"env:NAME"`: an environment variable.
    Env(String),
    /// `"file:PATH"`: the content of a file, without the line end.
    File(String),
}

/// One answer of a mocked tool. The first case that fits and is not used up answers.
#[derive(Debug, Clone)]
pub struct MockCase {
    /// `when`: only for these arguments.
    pub when: IndexMap<String, Json>,
    /// `answer` or `error`.
    pub answer: Result<Json, String>,
    /// `delay_ms`: how long it takes.
    pub delay_ms: u64,
    /// `times`: how often it answers; none: always.
    pub times: Option<u32>,
    /// Where it stands.
    pub place: Place,
}

impl Manifest {
    /// What the checker knows of the profiles: names alone, no values.
    pub(crate) fn names(&self) -> IndexMap<String, dgh_check::Profile> {
        let names = |profile: &Profile| dgh_check::Profile {
            env: profile.env.keys().cloned().collect(),
            secrets: profile.secrets.keys().cloned().collect(),
        };
        self.profiles.iter().map(|(name, profile)| (name.clone(), names(profile))).collect()
    }

    /// The defaults as the checker takes them.
    pub(crate) fn check_defaults(&self) -> dgh_check::Defaults {
        let models = |kind: &str| self.defaults.models.get(kind).cloned().unwrap_or_default();
        dgh_check::Defaults {
            llm: models("llm"),
            stt: models("stt"),
            tts: models("tts"),
            judge: models("judge"),
            realtime: models("realtime"),
            language: self.defaults.language.clone(),
            time_zone: self.defaults.time_zone.clone(),
        }
    }

    /// The profile with this name; without a name `dev`, or the first.
    pub fn profile(&self, name: Option<&str>) -> Option<(&str, &Profile)> {
        let found = match name {
            Some(name) => self.profiles.get_key_value(name),
            None => self.profiles.get_key_value("dev").or_else(|| self.profiles.first()),
        };
        found.map(|(name, profile)| (name.as_str(), profile))
    }
}

/// Reads `dgh.toml`. Never fails: what cannot be read is a finding and left out.
pub fn read(file: FileId, text: &str) -> (Manifest, Vec<Diagnostic>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { file, findings: Vec::new() };
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        reader.report(span, format!("dgh.toml is not TOML here: {}", error.message()));
    }
    let manifest = reader.manifest(table.get_ref());
    (manifest, reader.findings)
}

type Entry<'a, 'i> = (&'a Spanned<std::borrow::Cow<'i, str>>, &'a Spanned<DeValue<'i>>);

struct Reader {
    file: FileId,
    findings: Vec<Diagnostic>,
}

impl Reader {
    fn manifest(&mut self, table: &DeTable<'_>) -> Manifest {
        let mut manifest = Manifest::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "entry" => manifest.entry = self.text(value),
                "defaults" => manifest.defaults = self.defaults(value),
                "recordings" => manifest.recordings = self.named(value, Self::recording),
                "profiles" => manifest.profiles = self.named(value, Self::profile),
                // Of the server that the folder is served by, which reads it itself.
                "server" => drop(self.table(value)),
                _ => self.unknown(key, &["entry", "defaults", "recordings", "profiles", "server"]),
            }
        }
        manifest
    }

    fn defaults(&mut self, value: &Spanned<DeValue<'_>>) -> Defaults {
        let mut defaults = Defaults::default();
        for (key, value) in self.table(value) {
            match key.get_ref().as_ref() {
                "language" => defaults.language = self.text(value),
                "time_zone" => defaults.time_zone = self.text(value),
                kind @ ("llm" | "stt" | "tts" | "judge" | "realtime") => {
                    let models = self.list(value).iter().filter_map(|v| self.model(v)).collect();
                    defaults.models.insert(kind.to_owned(), models);
                }
                _ => self.unknown(key, &["llm", "stt", "tts", "judge", "realtime", "language", "time_zone"]),
            }
        }
        defaults
    }

    fn model(&mut self, value: &Spanned<DeValue<'_>>) -> Option<DefaultModel> {
        let mut provider = None;
        let mut args = Vec::new();
        for (key, value) in self.table(value) {
            if key.get_ref() == "provider" {
                provider = self.text(value);
            } else {
                args.push((key.get_ref().to_string(), json(value.get_ref()), self.place(value.span())));
            }
        }
        let place = self.place(value.span());
        if provider.is_none() {
            self.report(value.span(), "a default model needs `provider = \"…\"`".to_owned());
        }
        Some(DefaultModel { provider: provider?, args, place })
    }

    fn recording(&mut self, (name, value): Entry<'_, '_>) -> Option<Recording> {
        let (mut file, mut transcript) = (None, None);
        for (key, value) in self.table(value) {
            match key.get_ref().as_ref() {
                "file" => file = self.text(value),
                "transcript" => transcript = self.text(value),
                _ => self.unknown(key, &["file", "transcript"]),
            }
        }
        if file.is_none() || transcript.is_none() {
            self.report(
                name.span(),
                format!("the recording `{}` needs `file` and `transcript`", name.get_ref()),
            );
        }
        Some(Recording { file: file?, transcript: transcript?, place: self.place(name.span()) })
    }

    fn profile(&mut self, (name, value): Entry<'_, '_>) -> Option<Profile> {
        let mut profile = Profile {
            env: IndexMap::new(),
            secrets: IndexMap::new(),
            allow_private: Vec::new(),
            inputs: IndexMap::new(),
            mocks: IndexMap::new(),
            place: self.place(name.span()),
        };
        for (key, value) in self.table(value) {
            match key.get_ref().as_ref() {
                "env" => profile.env = self.named(value, |r, (_, v)| r.text(v)),
                "secrets" => profile.secrets = self.named(value, |r, (_, v)| r.secret(v)),
                "allow_private" => {
                    profile.allow_private = self.list(value).iter().filter_map(|v| self.text(v)).collect();
                }
                "inputs" => profile.inputs = self.named(value, |_, (_, v)| Some(json(v.get_ref()))),
                "mocks" => profile.mocks = self.named(value, |r, (_, v)| Some(r.mock(v))),
                _ => self.unknown(key, &["env", "secrets", "allow_private", "inputs", "mocks"]),
            }
        }
        Some(profile)
    }

    fn secret(&mut self, value: &Spanned<DeValue<'_>>) -> Option<SecretRef> {
        let text = self.text(value)?;
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Some(SecretRef::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Some(SecretRef::File(path.to_owned())),
            _ => {
                // The text may be the secret itself, so it is not repeated.
                let finding =
                    self.finding(value.span(), "a secret is a reference, never the value itself".to_owned());
                self.findings.push(finding.with_hint(
                    "Write `\"env:NAME\"` for an environment variable, or `\"file:PATH\"` for a file.",
                ));
                None
            }
        }
    }

    fn mock(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<MockCase> {
        self.list(value).iter().filter_map(|case| self.mock_case(case)).collect()
    }

    fn mock_case(&mut self, value: &Spanned<DeValue<'_>>) -> Option<MockCase> {
        let (mut when, mut answer, mut error) = (IndexMap::new(), None, None);
        let (mut delay_ms, mut times) = (0, None);
        for (key, value) in self.table(value) {
            match key.get_ref().as_ref() {
                "when" => when = self.named(value, |_, (_, v)| Some(json(v.get_ref()))),
                "answer" => answer = Some(json(value.get_ref())),
                "error" => error = self.text(value),
                "delay_ms" => delay_ms = self.count(value, 600_000).unwrap_or(0),
                "times" => times = self.count(value, 1_000_000).and_then(|n| u32::try_from(n).ok()),
                _ => self.unknown(key, &["when", "answer", "error", "delay_ms", "times"]),
            }
        }
        let answer = match (answer, error) {
            (Some(answer), None) => Ok(answer),
            (None, Some(error)) => Err(error),
            _ => {
                self.report(value.span(), "a mock needs either `answer` or `error`".to_owned());
                return None;
            }
        };
        Some(MockCase { when, answer, delay_ms, times, place: self.place(value.span()) })
    }

    fn named<T>(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        mut each: impl FnMut(&mut Self, Entry<'_, '_>) -> Option<T>,
    ) -> IndexMap<String, T> {
        let entries = self.table(value);
        entries.into_iter().filter_map(|e| Some((e.0.get_ref().to_string(), each(self, e)?))).collect()
    }

    fn table<'a, 'i>(&mut self, value: &'a Spanned<DeValue<'i>>) -> Vec<Entry<'a, 'i>> {
        if let DeValue::Table(table) = value.get_ref() {
            table.iter().collect()
        } else {
            self.report(value.span(), format!("expected a table, found {}", describe(value.get_ref())));
            Vec::new()
        }
    }

    fn list<'a, 'i>(&mut self, value: &'a Spanned<DeValue<'i>>) -> &'a [Spanned<DeValue<'i>>] {
        if let DeValue::Array(items) = value.get_ref() {
            items
        } else {
            self.report(value.span(), format!("expected a list, found {}", describe(value.get_ref())));
            &[]
        }
    }

    fn text(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        if let DeValue::String(text) = value.get_ref() {
            Some(text.to_string())
        } else {
            self.report(
                value.span(),
                format!("expected a text in quotes, found {}", describe(value.get_ref())),
            );
            None
        }
    }

    fn count(&mut self, value: &Spanned<DeValue<'_>>, most: u64) -> Option<u64> {
        let number = match json(value.get_ref()) {
            Json::Number(n) => n.as_u64().filter(|n| *n <= most),
            _ => None,
        };
        if number.is_none() {
            self.report(value.span(), format!("expected a whole number from 0 to {most}"));
        }
        number
    }

    fn unknown(&mut self, key: &Spanned<std::borrow::Cow<'_, str>>, known: &[&str]) {
        let name = key.get_ref();
        let mut finding = self.finding(key.span(), format!("`{name}` is not a setting of dgh.toml here"));
        finding.hint = Some(match dgh_diag::suggest::closest(name, known.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Known here: {}.", known.join(", ")),
        });
        self.findings.push(finding);
    }

    fn report(&mut self, span: Range<usize>, message: String) {
        let finding = self.finding(span, message);
        self.findings.push(finding);
    }

    fn finding(&self, span: Range<usize>, message: String) -> Diagnostic {
        Diagnostic::new(Code::BadConfig, self.place(span), message)
    }

    fn place(&self, span: Range<usize>) -> Place {
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { file: self.file, span: Span::new(offset(span.start), offset(span.end)) }
    }
}

fn describe(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn json(value: &DeValue<'_>) -> Json {
    match value {
        DeValue::String(text) => Json::String(text.to_string()),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix())
            .map_or_else(|_| Json::String(n.to_string()), Json::from),
        DeValue::Float(n) => {
            n.as_str().parse().ok().and_then(serde_json::Number::from_f64).map_or(Json::Null, Json::Number)
        }
        DeValue::Boolean(b) => Json::Bool(*b),
        DeValue::Datetime(d) => Json::String(d.to_string()),
        DeValue::Array(items) => Json::Array(items.iter().map(|v| json(v.get_ref())).collect()),
        DeValue::Table(table) => {
            Json::Object(table.iter().map(|(k, v)| (k.get_ref().to_string(), json(v.get_ref()))).collect())
        }
    }
}
