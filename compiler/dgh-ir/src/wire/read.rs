//! A program from its wire form: what stands around the dialogues.

use super::keys::Index;
use super::{WireError, v1};
use crate::arena::{Arena, Id};
use crate::program::{
    Agent, AgentId, Auth, EnumDef, EnumId, Fact, FieldDef, Flow, FlowId, HookBlock, HttpRequest, Knowledge,
    KnowledgeId, McpId, McpServer, McpTool, Models, Named, NodeId, OutcomeId, Param, Phrase, PhraseId,
    Policy, PolicyKind, Program, Provider, ProviderId, ProviderUse, RecordDef, RecordId, Review, SlotId,
    Tool, ToolAction, ToolId, Webhook,
};
use crate::source_map::Origin;

/// The program of a wire form. All references exist, nothing is nested too deeply, nothing was
/// compiled with errors; otherwise the first thing that is wrong.
pub fn from_wire(wire: &v1::Program) -> Result<Program, WireError> {
    if wire.format != v1::FORMAT {
        return Err(WireError::UnknownFormat(wire.format.into()));
    }
    let in_flows = wire.flows.iter().map(|flow| Names::of(&flow.dialogue, &[]));
    let in_agents = wire.agents.iter().map(|agent| Names::of(&agent.dialogue, &agent.outcomes));
    let mut reader = Reader {
        enums: index("enum", &wire.enums, |x| (&x.name, &x.key))?,
        records: index("type", &wire.records, |x| (&x.name, &x.key))?,
        tools: index("tool", &wire.tools, |x| (&x.name, &x.key))?,
        mcps: index("MCP server", &wire.mcps, |x| (&x.name, &x.key))?,
        phrases: index("phrase", &wire.phrases, |x| (&x.name, &x.key))?,
        knowledge: index("knowledge", &wire.knowledge, |x| (&x.name, &x.key))?,
        providers: index("provider", &wire.providers, |x| (&x.name, &x.key))?,
        flows: index("flow", &wire.flows, |x| (&x.name, &x.key))?,
        agents: index("agent", &wire.agents, |x| (&x.name, &x.key))?,
        in_flows: in_flows.collect::<Result<_, _>>()?,
        in_agents: in_agents.collect::<Result<_, _>>()?,
        place: String::new(),
    };
    reader.program(wire)
}

fn index<I: Id, T>(
    what: &'static str,
    items: &[T],
    name: impl Fn(&T) -> (&String, &Option<String>),
) -> Result<Index<I>, WireError> {
    Index::of(what, items.iter().map(name).map(|(name, key)| (name.as_str(), key)))
}

/// What an expression may refer to.
#[derive(Default)]
pub(super) struct Names {
    pub(super) slots: Index<SlotId>,
    pub(super) nodes: Index<NodeId>,
    pub(super) outcomes: Index<OutcomeId>,
}

impl Names {
    fn of(dialogue: &v1::Dialogue, outcomes: &[String]) -> Result<Self, WireError> {
        let outcomes = outcomes.iter().map(|name| (name.as_str(), &None));
        Ok(Self {
            slots: index("variable", &dialogue.slots, |x| (&x.name, &x.key))?,
            nodes: index("node", &dialogue.nodes, |x| (&x.name, &x.key))?,
            outcomes: Index::of("outcome", outcomes)?,
        })
    }

    fn of_params(params: &[v1::Param]) -> Result<Self, WireError> {
        let slots = index("parameter", params, |x| (&x.name, &x.key))?;
        Ok(Self { slots, ..Self::default() })
    }
}

pub(super) struct Reader {
    pub(super) enums: Index<EnumId>,
    pub(super) records: Index<RecordId>,
    pub(super) tools: Index<ToolId>,
    pub(super) mcps: Index<McpId>,
    pub(super) phrases: Index<PhraseId>,
    pub(super) knowledge: Index<KnowledgeId>,
    pub(super) providers: Index<ProviderId>,
    pub(super) flows: Index<FlowId>,
    pub(super) agents: Index<AgentId>,
    pub(super) in_flows: Vec<Names>,
    pub(super) in_agents: Vec<Names>,
    /// Where an error is: `agent clinic`, `tool book`.
    pub(super) place: String,
}

type Read<T> = Result<T, WireError>;

/// Reads each of a list.
pub(super) fn all<T, U, C: FromIterator<U>>(items: &[T], read: impl FnMut(&T) -> Read<U>) -> Read<C> {
    items.iter().map(read).collect()
}

impl Reader {
    fn program(&mut self, wire: &v1::Program) -> Read<Program> {
        let last_names = Names::of(&wire.last, &[])?;
        Ok(Program {
            edition: wire.edition,
            enums: wire.enums.iter().map(enum_def).collect(),
            records: self.each(&wire.records, "type", |def| &def.name, Self::record)?,
            tools: self.each(&wire.tools, "tool", |tool| &tool.name, Self::tool)?,
            mcps: self.each(&wire.mcps, "mcp", |mcp| &mcp.name, Self::mcp)?,
            phrases: self.each(&wire.phrases, "phrase", |phrase| &phrase.name, Self::phrase)?,
            knowledge: self.each(&wire.knowledge, "knowledge", |x| &x.name, Self::knowledge)?,
            providers: self.each(&wire.providers, "provider", |x| &x.name, Self::provider)?,
            flows: self.each(&wire.flows, "flow", |flow| &flow.name, Self::flow)?,
            agents: self.each(&wire.agents, "agent", |agent| &agent.name, Self::agent)?,
            own_agents: wire.own_agents,
            last: {
                self.place = "the last handlers".into();
                self.dialogue(&last_names, &wire.last)?
            },
        })
    }

    fn each<I: Id, T, U>(
        &mut self,
        items: &[T],
        what: &str,
        name: impl Fn(&T) -> &String,
        read: impl Fn(&Self, &T) -> Read<U>,
    ) -> Read<Arena<I, U>> {
        let mut arena = Arena::new();
        for item in items {
            self.place = format!("{what} {}", name(item));
            arena.push(read(self, item)?);
        }
        Ok(arena)
    }

    pub(super) fn hole<T>(&self) -> Read<T> {
        Err(WireError::Hole(self.place.clone()))
    }

    fn record(&self, wire: &v1::RecordDef) -> Read<RecordDef> {
        Ok(RecordDef {
            name: wire.name.clone(),
            fields: all(&wire.fields, |field| self.field(field))?,
            origin: Origin::NONE,
        })
    }

    fn field(&self, wire: &v1::Field) -> Read<FieldDef> {
        Ok(FieldDef {
            name: wire.name.clone(),
            ty: self.ty(&wire.ty)?,
            about: wire.about.clone(),
            origin: Origin::NONE,
        })
    }

    fn params(&self, names: &Names, params: &[v1::Param]) -> Read<Vec<Param>> {
        all(params, |param| {
            Ok(Param {
                name: param.name.clone(),
                ty: self.ty(&param.ty)?,
                default: self.maybe(names, param.default.as_ref())?,
                about: param.about.clone(),
                origin: Origin::NONE,
            })
        })
    }

    fn tool(&self, wire: &v1::Tool) -> Read<Tool> {
        let names = Names::of_params(&wire.params)?;
        Ok(Tool {
            name: wire.name.clone(),
            about: wire.about.clone(),
            params: self.params(&names, &wire.params)?,
            result: wire.result.as_ref().map(|ty| self.ty(ty)).transpose()?,
            action: match &wire.action {
                v1::ToolAction::Http(request) => ToolAction::Http(Box::new(self.request(&names, request)?)),
                v1::ToolAction::Builtin(name) => ToolAction::Builtin(name.clone()),
                v1::ToolAction::Hole => return self.hole(),
            },
            timeout_ms: wire.timeout_ms,
            retries: wire.retries,
            idempotent: wire.idempotent,
            origin: Origin::NONE,
        })
    }

    fn request(&self, names: &Names, wire: &v1::HttpRequest) -> Read<HttpRequest> {
        Ok(HttpRequest {
            method: wire.method,
            url: self.text(names, &wire.url)?,
            headers: self.args(names, &wire.headers)?,
            body: self.maybe(names, wire.body.as_ref())?,
            auth: wire.auth.as_ref().map(|auth| self.auth(names, auth)).transpose()?,
            result: wire.result.clone(),
        })
    }

    fn auth(&self, names: &Names, wire: &v1::Auth) -> Read<Auth> {
        let args = self.args(names, &wire.args)?;
        Ok(Auth { kind: wire.kind.clone(), args, origin: Origin::NONE })
    }

    fn mcp(&self, wire: &v1::McpServer) -> Read<McpServer> {
        let none = Names::default();
        let tool = |tool: &v1::McpTool| McpTool {
            name: tool.name.clone(),
            about: tool.about.clone(),
            input_schema: tool.input_schema.clone(),
            output_schema: tool.output_schema.clone(),
            read_only: tool.read_only,
        };
        Ok(McpServer {
            name: wire.name.clone(),
            url: self.maybe(&none, wire.url.as_ref())?,
            command: self.maybe(&none, wire.command.as_ref())?,
            auth: wire.auth.as_ref().map(|auth| self.auth(&none, auth)).transpose()?,
            allow: wire.allow.clone(),
            timeout_ms: wire.timeout_ms,
            tools: wire.tools.as_ref().map(|tools| tools.iter().map(tool).collect()),
            origin: Origin::NONE,
        })
    }

    fn phrase(&self, wire: &v1::Phrase) -> Read<Phrase> {
        let none = Names::default();
        let texts = wire.texts.iter().map(|(tag, text)| Ok((tag.clone(), self.text(&none, text)?)));
        Ok(Phrase { name: wire.name.clone(), texts: texts.collect::<Read<_>>()?, origin: Origin::NONE })
    }

    fn knowledge(&self, wire: &v1::Knowledge) -> Read<Knowledge> {
        let none = Names::default();
        Ok(Knowledge {
            name: wire.name.clone(),
            files: wire.files.clone(),
            urls: all(&wire.urls, |url| self.expr(&none, url))?,
            full: wire.full,
            origin: Origin::NONE,
        })
    }

    fn provider(&self, wire: &v1::Provider) -> Read<Provider> {
        let names = Names::of_params(&wire.params)?;
        let settings = wire.settings.iter().map(|(name, value)| Ok((name.clone(), self.value(value)?)));
        Ok(Provider {
            kind: wire.kind,
            name: wire.name.clone(),
            params: self.params(&names, &wire.params)?,
            settings: settings.collect::<Read<_>>()?,
        })
    }

    pub(super) fn models(&self, names: &Names, wire: &v1::Models) -> Read<Models> {
        let list = |uses: &[v1::ProviderUse]| {
            all(uses, |used| {
                Ok(ProviderUse {
                    provider: self.providers.get(&used.provider, &self.place)?,
                    args: self.args(names, &used.args)?,
                    origin: Origin::NONE,
                })
            })
        };
        Ok(Models {
            llm: list(&wire.llm)?,
            stt: list(&wire.stt)?,
            tts: list(&wire.tts)?,
            judge: list(&wire.judge)?,
            realtime: list(&wire.realtime)?,
        })
    }

    fn flow(&self, wire: &v1::Flow) -> Read<Flow> {
        Ok(Flow {
            name: wire.name.clone(),
            result: self.ty(&wire.result)?,
            dialogue: self.dialogue(&Names::of(&wire.dialogue, &[])?, &wire.dialogue)?,
            origin: Origin::NONE,
        })
    }

    fn agent(&self, wire: &v1::Agent) -> Read<Agent> {
        let names = &Names::of(&wire.dialogue, &wire.outcomes)?;
        let groups = wire.groups.iter();
        let groups = groups.map(|(name, group)| Ok((name.clone(), self.settings(names, group)?)));
        let outcome = |name: &String| Named { name: name.clone(), origin: Origin::NONE };
        Ok(Agent {
            name: wire.name.clone(),
            prompt: wire.prompt.as_ref().map(|text| self.text(names, text)).transpose()?,
            models: self.models(names, &wire.models)?,
            languages: wire.languages.clone(),
            time_zone: wire.time_zone.clone(),
            channels: wire.channels.clone(),
            words: wire.words.clone(),
            tags: wire.tags.clone(),
            groups: groups.collect::<Read<_>>()?,
            outcomes: wire.outcomes.iter().map(outcome).collect(),
            outcome_enum: self.enums.get(&wire.outcome_enum, &self.place)?,
            before_call: all(&wire.before_call, |block| {
                let guard = self.maybe(names, block.guard.as_ref())?;
                Ok(HookBlock { guard, steps: self.steps(names, &block.steps)? })
            })?,
            dialogue: self.dialogue(names, &wire.dialogue)?,
            webhooks: all(&wire.webhooks, |hook| self.webhook(names, hook))?,
            reviews: all(&wire.reviews, |review| {
                Ok(Review {
                    name: review.name.clone(),
                    settings: self.settings(names, &review.settings)?,
                    scores: all(&review.scores, |score| self.field(score))?,
                    origin: Origin::NONE,
                })
            })?,
            policies: all(&wire.policies, |policy| {
                Ok(Policy { kind: self.policy(names, policy)?, origin: Origin::NONE })
            })?,
            moved: wire.moved.clone(),
            origin: Origin::NONE,
        })
    }

    fn webhook(&self, names: &Names, wire: &v1::Webhook) -> Read<Webhook> {
        Ok(Webhook {
            name: wire.name.clone(),
            events: wire.events.clone(),
            guard: self.maybe(names, wire.guard.as_ref())?,
            request: self.request(names, &wire.request)?,
            sign: self.maybe(names, wire.sign.as_ref())?,
            origin: Origin::NONE,
        })
    }

    fn policy(&self, names: &Names, wire: &v1::Policy) -> Read<PolicyKind> {
        let node = |name: &String| names.nodes.get(name, &self.place);
        Ok(match wire {
            v1::Policy::Ensure { fact, before } => PolicyKind::Ensure {
                fact: match fact {
                    v1::Fact::Completed(name) => Fact::Completed(node(name)?),
                    v1::Fact::Holds(condition) => Fact::Holds(self.expr(names, condition)?),
                },
                before: before.as_ref().map(node).transpose()?,
            },
            v1::Policy::Always { condition, reason } => {
                PolicyKind::Always { condition: self.expr(names, condition)?, reason: reason.clone() }
            }
            v1::Policy::Never { slot, sinks } => {
                PolicyKind::Never { slot: names.slots.get(slot, &self.place)?, sinks: sinks.clone() }
            }
        })
    }
}

fn enum_def(wire: &v1::EnumDef) -> EnumDef {
    EnumDef { name: wire.name.clone(), cases: wire.cases.clone(), origin: Origin::NONE }
}
