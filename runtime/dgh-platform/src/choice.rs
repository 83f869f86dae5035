//! Who thinks, listens and speaks for an agent: its own providers when their keys are there, else
//! what works on this machine without any.

use std::sync::Arc;
use std::time::Duration;

use dgh_engine::reply::Model;
use dgh_ir::Program;
use dgh_ir::program::{Agent, ProviderUse};
use dgh_net::{Client, Secrets};
use dgh_providers::llm::LlmErrorKind;
use dgh_providers::offline_voice::Available;
use dgh_providers::realtime::Realtime;
use dgh_providers::stt::Stt;
use dgh_providers::tts::Tts;
use dgh_providers::{Models, Registry, VoiceError, VoiceRegistry, Voices};
use serde::Serialize;

use crate::bundles::profiles::DefaultModels;
use crate::models::{self, Server};
use crate::quiet::Quiet;

/// What whoever serves asks for; none: what the agent names, as far as its keys are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `--llm`: `agent`, `offline`, or `provider/model` for all agents.
    pub llm: Option<String>,
    /// `--llm-url`
    pub llm_url: Option<String>,
    /// `--llm-timeout`
    pub llm_timeout: Option<Duration>,
    /// `--stt`: `agent`, `offline`, `none`, or `provider/model`.
    pub stt: Option<String>,
    /// `--tts`: the same.
    pub tts: Option<String>,
    /// What of the offline voice is installed here; none: nobody looked.
    pub offline: Option<Available>,
}

/// What an agent uses, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Uses {
    /// The language model.
    pub llm: String,
    /// The recogniser; none: callers type.
    pub stt: Option<String>,
    /// The voice; none: words are shown.
    pub tts: Option<String>,
    /// What a person should know of it.
    pub notices: Vec<String>,
}

/// The providers of one agent.
pub struct Chosen {
    /// Language models.
    pub models: Arc<dyn Models>,
    /// For agents that name none.
    pub llm: Vec<Model>,
    /// Recognisers and voices.
    pub voices: Arc<dyn Voices>,
    /// For agents that name none.
    pub stt: Vec<Model>,
    /// For agents that name none.
    pub tts: Vec<Model>,
    /// What they are, for people.
    pub uses: Uses,
}

/// Through what an agent reaches others.
pub struct Reach {
    /// Tools, and models that everybody may ask.
    pub client: Client,
    /// Models that may be on this machine or beside it.
    pub near: Client,
}

/// Chooses for one agent. `defaults` are those of the profile, for an agent that names none.
pub fn choose(
    program: &Program,
    agent: &Agent,
    wanted: &Wanted,
    defaults: &DefaultModels,
    reach: &Reach,
    secrets: &Arc<dyn Secrets>,
) -> anyhow::Result<Chosen> {
    let mut uses = Uses::default();
    let own = |list: &[ProviderUse]| -> Vec<Model> {
        list.iter().map(|used| models::resolved(program, used)).collect()
    };
    let thinkers =
        List::of(own(&agent.models.llm), &defaults.llm, |text| models::model(text, Server::default()))?;
    let (thinks, llm) = choose_llm(program, &thinkers, wanted, reach, secrets, &mut uses)?;
    let real = VoiceRegistry::new(reach.near.clone(), Arc::clone(secrets));
    let offline = |installed: &dyn Fn(&Available) -> Result<String, String>, model: &Model| match wanted
        .offline
        .as_ref()
        .map(installed)
    {
        Some(Err(why)) if model.provider == OFFLINE => {
            Err(VoiceError { provider: OFFLINE.to_owned(), kind: LlmErrorKind::Setup, message: why })
        }
        _ => Ok(()),
    };
    let (hearing, speaking) = (|a: &Available| a.recogniser.clone(), |a: &Available| a.voice.clone());
    let listens = List::of(own(&agent.models.stt), &defaults.stt, |text| models::speech("stt", text))?;
    let speaks = List::of(own(&agent.models.tts), &defaults.tts, |text| models::speech("tts", text))?;
    let stt = part("stt", wanted.stt.as_deref(), &listens.models, secrets, |model| {
        offline(&hearing, model).and_then(|()| real.stt(model).map(drop))
    })?;
    uses.stt = named(stt.shown(), wanted.offline.as_ref().and_then(|a| hearing(a).ok()));
    uses.notices.extend(stt.notice);
    let tts = part("tts", wanted.tts.as_deref(), &speaks.models, secrets, |model| {
        offline(&speaking, model).and_then(|()| real.tts(model).map(drop))
    })?;
    uses.tts = named(tts.shown(), wanted.offline.as_ref().and_then(|a| speaking(a).ok()));
    uses.notices.extend(tts.notice);
    listens_and_speaks(&own(&agent.models.realtime), secrets, &real, &mut uses);
    let (hears, speaks) = (instead_of(&stt.instead, listens), instead_of(&tts.instead, speaks));
    let voices = Arc::new(Voice { real, stt: stt.instead, tts: tts.instead });
    Ok(Chosen { models: thinks, llm, voices, stt: hears, tts: speaks, uses })
}

/// Models in order of fallback, and whether the agent names them itself.
struct List {
    models: Vec<Model>,
    own: bool,
}

impl List {
    /// The agent's own, or those of the profile.
    fn of(
        own: Vec<Model>,
        defaults: &[String],
        read: impl Fn(&str) -> anyhow::Result<Model>,
    ) -> anyhow::Result<Self> {
        if !own.is_empty() || defaults.is_empty() {
            return Ok(Self { models: own, own: true });
        }
        let models = defaults.iter().map(|text| read(text)).collect::<anyhow::Result<_>>()?;
        Ok(Self { models, own: false })
    }

    /// Those that the call has to be told of, as the program does not name them.
    fn given(self) -> Vec<Model> {
        if self.own { Vec::new() } else { self.models }
    }
}

/// The provider that needs neither key nor network.
const OFFLINE: &str = "offline";

/// Programs that stand behind `offline` have names that people know.
fn named(shown: Option<String>, program: Option<String>) -> Option<String> {
    match (shown, program) {
        (Some(shown), Some(program)) if shown == OFFLINE => Some(format!("{program} (offline)")),
        (shown, _) => shown,
    }
}

/// A speech-to-speech model hears, thinks and speaks by itself; a voice beside it speaks exact words.
fn listens_and_speaks(own: &[Model], secrets: &Arc<dyn Secrets>, real: &VoiceRegistry, uses: &mut Uses) {
    if own.is_empty() {
        return;
    }
    match Ready::of(own, secrets, |model| real.realtime(model).map(drop).map_err(|e| e.to_string())) {
        Ready::Yes { names, missing } => {
            uses.tts.get_or_insert_with(|| names.clone());
            uses.stt = Some(names.clone());
            uses.llm = names;
            uses.notices = missing.into_iter().collect();
        }
        Ready::No(why) => {
            uses.notices.push(format!("{why}: the agent's speech-to-speech model cannot be reached."));
        }
    }
}

fn choose_llm(
    program: &Program,
    named: &List,
    wanted: &Wanted,
    reach: &Reach,
    secrets: &Arc<dyn Secrets>,
    uses: &mut Uses,
) -> anyhow::Result<(Arc<dyn Models>, Vec<Model>)> {
    let server = Server { url: wanted.llm_url.as_deref(), timeout: wanted.llm_timeout };
    let own = &named.models;
    let chosen = if let Some(llm) = wanted.llm.as_deref().filter(|llm| *llm != "agent") {
        models::choose(program, llm, server)?
    } else {
        let registry = Registry::new(reach.near.clone(), Arc::clone(secrets));
        let ready = Ready::of(own, secrets, |model| registry.llm(model).map(drop).map_err(|e| e.message));
        match (ready, wanted.llm.is_some()) {
            (Ready::No(why), true) => anyhow::bail!("{why}"),
            (Ready::No(why), false) => {
                let mut chosen = models::choose(program, "offline", Server::default())?;
                if !own.is_empty() {
                    chosen.notice = Some(format!("{why}: {OFFLINE_MODEL}"));
                }
                chosen
            }
            (Ready::Yes { names, missing }, _) => {
                uses.llm = names;
                uses.notices.extend(missing);
                let given = if named.own { Vec::new() } else { own.clone() };
                return Ok((Arc::new(registry), given));
            }
        }
    };
    // What the operator chose may be on this machine, whoever wrote the agent.
    let near = if wanted.llm.is_some() { models::near()? } else { reach.near.clone() };
    let registry = models::registry_near(near, secrets, &chosen);
    if let Some(model) = chosen.list.first() {
        // A key that is missing is told before the first call.
        registry.llm(model)?;
    }
    uses.llm = chosen.name;
    uses.notices.extend(chosen.notice);
    Ok((registry, chosen.list))
}

/// Said beside the reason why the embedded model answers.
const OFFLINE_MODEL: &str = "the built-in offline model answers. It knows plain English, and follows the agent's questions and routes.";

/// Whether a list of models can be used.
enum Ready {
    Yes { names: String, missing: Option<String> },
    No(String),
}

impl Ready {
    /// A list can be used when all of it can, or one that has its key: a server on this machine that
    /// was meant as a fallback is no reason to prefer a list to what is known to work.
    fn of(list: &[Model], secrets: &Arc<dyn Secrets>, check: impl Fn(&Model) -> Result<(), String>) -> Self {
        let (mut names, mut wrong, mut keyed) = (Vec::new(), Vec::new(), false);
        for model in list {
            match check(model) {
                Ok(()) => {
                    keyed |= model.key.is_some();
                    names.push(shown(model));
                }
                Err(why) => {
                    let missing = model.key.as_ref().filter(|key| secrets.secret(key).is_none());
                    wrong.push(missing.map_or(why, |key| format!("{key} is not set")));
                }
            }
        }
        let why = wrong.into_iter().next();
        match why {
            _ if list.is_empty() => Self::No("the agent names none".to_owned()),
            None => Self::Yes { names: names.join(", "), missing: None },
            Some(why) if keyed => {
                let names = names.join(", ");
                let missing = Some(format!("{why}: {names} has to do."));
                Self::Yes { names, missing }
            }
            Some(why) => Self::No(why),
        }
    }
}

/// A recogniser or a voice, chosen.
struct Part {
    instead: Instead,
    name: Option<String>,
    notice: Option<String>,
}

/// What takes the place of what the agent names.
enum Instead {
    Nothing,
    Model(Model),
    /// There is none: why.
    Lacking(String),
}

impl Part {
    fn shown(&self) -> Option<String> {
        match &self.instead {
            Instead::Model(model) => Some(shown(model)),
            Instead::Nothing => self.name.clone(),
            Instead::Lacking(_) => None,
        }
    }
}

fn part(
    kind: &str,
    wanted: Option<&str>,
    own: &[Model],
    secrets: &Arc<dyn Secrets>,
    check: impl Fn(&Model) -> Result<(), VoiceError>,
) -> anyhow::Result<Part> {
    let (offline_one, without) = match kind {
        "stt" => ("an offline recogniser listens", "nothing recognises speech here. Type what you say."),
        _ => ("an offline voice speaks", "there is no voice here. What the agent says is shown."),
    };
    let one = |model: Model, notice| Part { instead: Instead::Model(model), name: None, notice };
    let lacking =
        |why: String, notice| Part { instead: Instead::Lacking(why), name: None, notice: Some(notice) };
    let ready = Ready::of(own, secrets, |model| check(model).map_err(|e| e.to_string()));
    let reason = match (wanted, ready) {
        (Some("none"), _) => return Ok(lacking("none is wanted".to_owned(), capital(without))),
        (None | Some("agent"), Ready::Yes { names, missing }) => {
            return Ok(Part { instead: Instead::Nothing, name: Some(names), notice: missing });
        }
        (Some("agent"), Ready::No(why)) => anyhow::bail!("{why}"),
        (Some(named), _) => {
            let model = models::speech(kind, named)?;
            check(&model)?;
            return Ok(one(model, None));
        }
        (None, Ready::No(why)) => (!own.is_empty()).then_some(why),
    };
    let offline = models::speech(kind, "offline");
    Ok(match offline.and_then(|model| check(&model).map(|()| model).map_err(Into::into)) {
        Ok(model) => one(model, reason.map(|why| format!("{why}: {offline_one}."))),
        Err(error) => {
            let why = error.to_string();
            let notice = reason.map_or_else(|| capital(without), |why| format!("{why}, and {without}"));
            lacking(why.clone(), format!("{notice} ({why})"))
        }
    })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn instead_of(instead: &Instead, named: List) -> Vec<Model> {
    match instead {
        Instead::Model(model) => vec![model.clone()],
        // The call asks for it by name, and is given what takes its place.
        Instead::Lacking(_) => vec![Model {
            provider: "none".to_owned(),
            protocol: String::new(),
            key: None,
            settings: serde_json::Map::new(),
        }],
        Instead::Nothing => named.given(),
    }
}

/// A model as people name it: `openai/gpt-4.1`.
fn shown(model: &Model) -> String {
    let named = ["model", "voice"].iter().find_map(|name| model.settings.get(*name)?.as_str());
    match named {
        Some(name) if !name.is_empty() => format!("{}/{name}", model.provider),
        _ => model.provider.clone(),
    }
}

/// Recognisers and voices of one agent.
struct Voice {
    real: VoiceRegistry,
    stt: Instead,
    tts: Instead,
}

impl Voices for Voice {
    fn stt(&self, model: &Model) -> Result<Arc<dyn Stt>, VoiceError> {
        match &self.stt {
            Instead::Nothing => self.real.stt(model),
            Instead::Model(model) => self.real.stt(model),
            Instead::Lacking(why) => Err(VoiceError {
                provider: "stt".to_owned(),
                kind: LlmErrorKind::Setup,
                message: why.clone(),
            }),
        }
    }

    fn tts(&self, model: &Model) -> Result<Arc<dyn Tts>, VoiceError> {
        match &self.tts {
            Instead::Nothing => self.real.tts(model),
            Instead::Model(model) => self.real.tts(model),
            Instead::Lacking(_) => Ok(Arc::new(Quiet)),
        }
    }

    fn realtime(&self, model: &Model) -> Result<Arc<dyn Realtime>, VoiceError> {
        self.real.realtime(model)
    }
}
