//! Who thinks, listens and speaks for an agent: its own providers when their keys are there, else
//! what works on this machine without any.

use std::sync::Arc;
use std::time::Duration;

use dgh_engine::reply::Model;
use dgh_ir::Program;
use dgh_ir::program::{Agent, ProviderUse};
use dgh_net::{Client, Policy, Secrets};
use dgh_providers::llm::LlmErrorKind;
use dgh_providers::realtime::Realtime;
use dgh_providers::stt::Stt;
use dgh_providers::tts::Tts;
use dgh_providers::{Models, Registry, VoiceError, VoiceRegistry, Voices};
use serde::Serialize;

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

/// Chooses for one agent.
pub fn choose(
    program: &Program,
    agent: &Agent,
    wanted: &Wanted,
    client: &Client,
    secrets: &Arc<dyn Secrets>,
) -> anyhow::Result<Chosen> {
    let mut uses = Uses::default();
    let own = |list: &[ProviderUse]| -> Vec<Model> {
        list.iter().map(|used| models::resolved(program, used)).collect()
    };
    let (thinks, llm) = choose_llm(program, &own(&agent.models.llm), wanted, client, secrets, &mut uses)?;
    // A recogniser of one's own listens on this machine or beside it, as a model does.
    let near = Client::new(Policy::with_private()).unwrap_or_else(|_| client.clone());
    let real = VoiceRegistry::new(near, Arc::clone(secrets));
    let stt = part("stt", wanted.stt.as_deref(), &own(&agent.models.stt), |model| real.stt(model).map(drop))?;
    uses.stt = stt.shown();
    uses.notices.extend(stt.notice);
    let tts = part("tts", wanted.tts.as_deref(), &own(&agent.models.tts), |model| real.tts(model).map(drop))?;
    uses.tts = tts.shown();
    uses.notices.extend(tts.notice);
    let (hears, speaks) = (tts_list(&stt.instead), tts_list(&tts.instead));
    let voices = Arc::new(Voice { real, stt: stt.instead, tts: tts.instead });
    Ok(Chosen { models: thinks, llm, voices, stt: hears, tts: speaks, uses })
}

fn choose_llm(
    program: &Program,
    own: &[Model],
    wanted: &Wanted,
    client: &Client,
    secrets: &Arc<dyn Secrets>,
    uses: &mut Uses,
) -> anyhow::Result<(Arc<dyn Models>, Vec<Model>)> {
    let server = Server { url: wanted.llm_url.as_deref(), timeout: wanted.llm_timeout };
    let chosen = if let Some(llm) = wanted.llm.as_deref().filter(|llm| *llm != "agent") {
        models::choose(program, llm, server)?
    } else {
        let near = Client::new(Policy::with_private()).unwrap_or_else(|_| client.clone());
        let registry = Registry::new(near, Arc::clone(secrets));
        let ready = Ready::of(own, |model| registry.llm(model).map(drop).map_err(|e| e.message));
        match (ready, wanted.llm.is_some()) {
            (Ready::No(why), true) => anyhow::bail!("{why}"),
            (Ready::No(why), false) => {
                let mut chosen = models::choose(program, "offline", Server::default())?;
                if !own.is_empty() {
                    chosen.notice = Some(format!("{why}: the offline model answers. {}", OFFLINE_MODEL));
                }
                chosen
            }
            (Ready::Yes { names, missing }, _) => {
                uses.llm = names;
                uses.notices.extend(missing);
                let chosen = models::choose(program, "agent", Server::default())?;
                return Ok((models::registry(client, secrets, &chosen), Vec::new()));
            }
        }
    };
    let registry = models::registry(client, secrets, &chosen);
    if let Some(model) = chosen.list.first() {
        // A key that is missing is told before the first call.
        registry.llm(model)?;
    }
    uses.llm = chosen.name;
    uses.notices.extend(chosen.notice);
    Ok((registry, chosen.list))
}

/// Said beside the reason why the embedded model answers.
const OFFLINE_MODEL: &str = "It knows plain English and follows the agent's questions and routes.";

/// Whether a list of models can be used.
enum Ready {
    Yes { names: String, missing: Option<String> },
    No(String),
}

impl Ready {
    /// A list can be used when all of it can, or one that has its key: a server on this machine that
    /// was meant as a fallback is no reason to prefer a list to what is known to work.
    fn of(list: &[Model], check: impl Fn(&Model) -> Result<(), String>) -> Self {
        let (mut names, mut wrong, mut keyed) = (Vec::new(), Vec::new(), false);
        for model in list {
            match check(model) {
                Ok(()) => {
                    keyed |= model.key.is_some();
                    names.push(shown(model));
                }
                Err(why) => wrong.push(why),
            }
        }
        let why = wrong.into_iter().next();
        match why {
            _ if list.is_empty() => Self::No("the agent names none".to_owned()),
            None => Self::Yes { names: names.join(", "), missing: None },
            Some(why) if keyed => Self::Yes { names: names.join(", "), missing: Some(why) },
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
    check: impl Fn(&Model) -> Result<(), VoiceError>,
) -> anyhow::Result<Part> {
    let (what, without) = match kind {
        "stt" => ("recogniser", "you can type"),
        _ => ("voice", "what the agent says is shown"),
    };
    let one = |model: Model, notice| Part { instead: Instead::Model(model), name: None, notice };
    let ready = Ready::of(own, |model| check(model).map_err(|e| e.to_string()));
    match (wanted, ready) {
        (Some("none"), _) => Ok(Part {
            instead: Instead::Lacking(format!("no {what} is wanted")),
            name: None,
            notice: Some(format!("There is no {what}: {without}.")),
        }),
        (None | Some("agent"), Ready::Yes { names, missing }) => {
            Ok(Part { instead: Instead::Nothing, name: Some(names), notice: missing })
        }
        (Some("agent"), Ready::No(why)) => anyhow::bail!("{why}"),
        (Some(named), _) if named != "offline" => {
            let model = models::speech(kind, named)?;
            check(&model)?;
            Ok(one(model, None))
        }
        (wanted, ready) => {
            let offline = models::speech(kind, "offline");
            let offline = offline.and_then(|model| check(&model).map(|()| model).map_err(Into::into));
            let reason = match ready {
                Ready::No(why) if wanted.is_none() && !own.is_empty() => format!("{why}: "),
                _ => String::new(),
            };
            match offline {
                Ok(model) => {
                    let notice = (!reason.is_empty()).then(|| format!("{reason}the offline {what} is used"));
                    Ok(one(model, notice))
                }
                Err(error) if wanted.is_some() => Err(error),
                Err(error) => Ok(Part {
                    instead: Instead::Lacking(error.to_string()),
                    name: None,
                    notice: Some(format!("{reason}there is no offline {what} ({error}): {without}")),
                }),
            }
        }
    }
}

fn tts_list(instead: &Instead) -> Vec<Model> {
    match instead {
        Instead::Model(model) => vec![model.clone()],
        // The call asks for it by name, and is given what takes its place.
        Instead::Lacking(_) => vec![Model {
            provider: "none".to_owned(),
            protocol: String::new(),
            key: None,
            settings: serde_json::Map::new(),
        }],
        Instead::Nothing => Vec::new(),
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
