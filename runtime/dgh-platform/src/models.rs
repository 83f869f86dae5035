//! Which model talks: `--llm openai/gpt-4.1-mini`, `--llm agent`, `--llm offline`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use dgh_compile::manifest::{Profile, SecretRef};
use dgh_compile::{Memory, compile};
use dgh_diag::Severity;
use dgh_engine::reply::{Message, Model};
use dgh_ir::program::{self, Provider, ProviderUse};
use dgh_ir::{ExprKind, Program, to_json};
use dgh_net::secrets::{References, Source};
use dgh_net::{Client, Policy, Secrets};
use dgh_providers::{Llm, LlmError, Models, Registry, offline, write};
use serde_json::{Map, Value as Json};

use crate::Project;

/// What `--llm` chose.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Shown to the user.
    pub name: String,
    /// Said once, before the conversation.
    pub notice: Option<String>,
    /// In order of fallback; for agents that name none, or for all when `instead` is set.
    pub list: Vec<Model>,
    /// Whether they are used whatever the agent names.
    pub instead: bool,
}

/// Where the model of `--llm` is, and how long it is waited for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Server<'a> {
    /// `--llm-url`
    pub url: Option<&'a str>,
    /// `--llm-timeout`
    pub timeout: Option<Duration>,
}

/// Reads `--llm`.
pub fn choose(program: &Program, llm: &str, server: Server<'_>) -> anyhow::Result<Chosen> {
    match llm {
        "offline" => Ok(Chosen {
            name: "offline model".to_owned(),
            notice: Some(offline::NOTICE.to_owned()),
            list: vec![named("llm", "offline", "", Server::default())?],
            instead: true,
        }),
        "agent" => {
            if program.agents.iter().all(|(_, agent)| agent.models.llm.is_empty()) {
                bail!("neither the agent nor dgh.toml names an `llm`; name one: --llm openai/gpt-4.1-mini");
            }
            Ok(Chosen {
                name: "the agent's models".to_owned(),
                notice: None,
                list: Vec::new(),
                instead: false,
            })
        }
        other => Ok(Chosen {
            name: other.to_owned(),
            notice: None,
            list: vec![model(other, server)?],
            instead: true,
        }),
    }
}

/// One model, written `provider/model`.
pub fn model(text: &str, server: Server<'_>) -> anyhow::Result<Model> {
    let (provider, model) = text
        .split_once('/')
        .with_context(|| format!("`{text}` is not PROVIDER/MODEL, such as openai/gpt-4.1-mini"))?;
    named("llm", provider, model, server)
}

/// A recogniser (`stt`) or a voice (`tts`), written `provider/model`, or `provider` where it has one
/// model alone.
pub fn speech(kind: &str, text: &str) -> anyhow::Result<Model> {
    let (provider, model) = text.split_once('/').unwrap_or((text, ""));
    named(kind, provider, model, Server::default())
}

/// Where the secrets of a profile are; files are relative to the project.
pub fn secrets(project: &Project, profile: Option<&Profile>) -> Arc<dyn Secrets> {
    let source = |reference: &SecretRef| match reference {
        SecretRef::Env(name) => Source::Env(name.clone()),
        SecretRef::File(path) => Source::File(project.root.join(path)),
    };
    let all = profile.iter().flat_map(|p| &p.secrets);
    Arc::new(References::new(all.map(|(name, reference)| (name.clone(), source(reference)))))
}

/// The client that asks for tools, models and MCP servers. A model's own server may be on this
/// machine: whoever runs the command named it.
pub fn client(profile: Option<&Profile>, llm_url: Option<&str>) -> anyhow::Result<Client> {
    let allowed: Vec<&str> = profile.iter().flat_map(|p| &p.allow_private).map(String::as_str).collect();
    client_for(&allowed, llm_url)
}

/// The same, with what may be asked though it is not public.
pub(crate) fn client_for(allowed: &[&str], llm_url: Option<&str>) -> anyhow::Result<Client> {
    // An MCP server that is a command is started: the user runs the program on their own machine.
    Ok(Client::new(policy(allowed, llm_url)?.allow_commands())?)
}

/// The client of an agent that somebody else wrote: it starts no commands.
pub(crate) fn guarded(allowed: &[&str], llm_url: Option<&str>) -> anyhow::Result<Client> {
    Ok(Client::new(policy(allowed, llm_url)?)?)
}

/// The client of models of the user's own: Ollama and its like listen on this machine or beside it.
pub(crate) fn near() -> anyhow::Result<Client> {
    Ok(Client::new(Policy::with_private())?)
}

fn policy(allowed: &[&str], llm_url: Option<&str>) -> anyhow::Result<Policy> {
    let own = llm_url.and_then(|url| Some(url::Url::parse(url).ok()?.host_str()?.to_owned()));
    Ok(Policy::parse(allowed.iter().map(|entry| (*entry).to_owned()).chain(own))?)
}

/// The models of a run.
pub fn registry(client: &Client, secrets: &Arc<dyn Secrets>, chosen: &Chosen) -> Arc<dyn Models> {
    // Whoever runs the command chose the model; tools stay within what the profile allows.
    registry_near(near().unwrap_or_else(|_| client.clone()), secrets, chosen)
}

/// The models of a run, asked through this client.
pub(crate) fn registry_near(near: Client, secrets: &Arc<dyn Secrets>, chosen: &Chosen) -> Arc<dyn Models> {
    let real = Registry::new(near, Arc::clone(secrets));
    match chosen.list.first() {
        Some(model) if chosen.instead => Arc::new(Instead { model: model.clone(), real }),
        _ => Arc::new(real),
    }
}

/// A model that is asked for texts, beside any call.
pub struct Writer {
    model: Model,
    registry: Arc<dyn Models>,
}

/// The model that is written `provider/model`, with its key from the environment.
pub fn alone(llm: &str, server: Server<'_>) -> anyhow::Result<Writer> {
    let model = model(llm, server)?;
    let secrets: Arc<dyn Secrets> = Arc::new(References::default());
    let registry = Registry::new(client(None, server.url)?, secrets);
    // A key that is missing is told before anything is asked.
    registry.llm(&model)?;
    let writer = Writer::new(model, Arc::new(registry));
    if !writer.is_real() {
        bail!("the offline model follows agents and writes none; name another one: --llm openai/gpt-4.1");
    }
    Ok(writer)
}

impl Writer {
    /// A writer over models that are already there.
    pub fn new(model: Model, registry: Arc<dyn Models>) -> Self {
        Self { model, registry }
    }

    /// The model that writes.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Whether it writes anything: the offline model follows agents and nothing else.
    pub fn is_real(&self) -> bool {
        self.model.protocol != "offline"
    }

    /// Asks for a text. `history` ends with what is to be answered.
    pub async fn write(&self, system: String, history: Vec<Message>) -> Result<String, LlmError> {
        write::write(&self.model, Arc::clone(&self.registry), system, history).await
    }
}

/// One model in place of all.
struct Instead {
    model: Model,
    real: Registry,
}

impl Models for Instead {
    fn llm(&self, _: &Model) -> Result<Arc<dyn Llm>, LlmError> {
        self.real.llm(&self.model)
    }
}

/// A model as an agent would name it. Compiling a small agent checks the provider and its
/// parameters against the standard library, and says what is wrong in the same words.
fn named(kind: &str, provider: &str, model: &str, server: Server<'_>) -> anyhow::Result<Model> {
    if !provider.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        bail!("`{provider}` is not the name of a provider");
    }
    let quoted = |text: &str| Json::String(text.to_owned()).to_string().replace("{{", "\\{{");
    let model = if model.is_empty() { String::new() } else { quoted(model) };
    let url = server.url.map(|url| format!(", url: {}", quoted(url))).unwrap_or_default();
    let timeout = server.timeout.map(|t| format!(", timeout: {}ms", t.as_millis())).unwrap_or_default();
    let text = format!(
        "dgh 1\nagent a {{\n  {kind}: {provider}({model}{url}{timeout})\n  outcome done\n  start n\n  node n {{\n    \
         ask \"Hi\"\n    when bye: \"Bye\" -> end done\n  }}\n}}\n"
    );
    let compiled = compile(&Memory::new([("agent.dgh", text)]), "agent.dgh");
    if let Some(error) = compiled.diagnostics.iter().find(|d| d.severity() == Severity::Error) {
        let hint = error.hint.as_deref().map(|hint| format!(". {hint}")).unwrap_or_default();
        bail!("{}{hint}", error.message);
    }
    let of_kind = |models: &program::Models| match kind {
        "stt" => models.stt.first().cloned(),
        "tts" => models.tts.first().cloned(),
        _ => models.llm.first().cloned(),
    };
    let mut agents = compiled.program.agents.iter();
    let used = agents.find_map(|(_, agent)| of_kind(&agent.models)).context("no model")?;
    Ok(resolved(&compiled.program, &used))
}

/// A model as a program names it, with its constant arguments.
pub fn resolved(program: &Program, used: &ProviderUse) -> Model {
    let args = used.args.iter().filter_map(|(name, value)| match &value.kind {
        ExprKind::Const(value) => Some((name.clone(), to_json(value))),
        ExprKind::Template(text) => Some((name.clone(), Json::from(text.as_text()?))),
        _ => None,
    });
    described(&program.providers[used.provider], args)
}

fn described(provider: &Provider, args: impl Iterator<Item = (String, Json)>) -> Model {
    let mut settings: Map<String, Json> =
        provider.settings.iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
    settings.extend(args);
    let text = |name: &str| settings.get(name).and_then(Json::as_str).map(str::to_owned);
    Model {
        provider: provider.name.clone(),
        protocol: text("protocol").unwrap_or_default(),
        key: text("key"),
        settings,
    }
}
