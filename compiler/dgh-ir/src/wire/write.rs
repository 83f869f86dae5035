//! A program to its wire form: what stands around the dialogues.

use super::keys::Keys;
use super::v1;
use crate::arena::{Arena, Id};
use crate::program::{
    Agent, AgentId, Auth, Dialogue, EnumId, Fact, FieldDef, Flow, FlowId, HttpRequest, KnowledgeId, McpId,
    McpServer, McpTool, Models, NodeId, Param, PhraseId, Policy, PolicyKind, Program, ProviderId,
    ProviderUse, RecordId, Review, SlotId, Tool, ToolAction, ToolId, Webhook,
};

/// The wire form of a program.
pub fn to_wire(program: &Program) -> v1::Program {
    let flows: Vec<_> = program.flows.iter().map(|(_, flow)| Names::of(&flow.dialogue, None)).collect();
    let agents: Vec<_> =
        program.agents.iter().map(|(_, agent)| Names::of(&agent.dialogue, Some(agent))).collect();
    Writer {
        enums: keys(&program.enums, |x| &x.name),
        records: keys(&program.records, |x| &x.name),
        tools: keys(&program.tools, |x| &x.name),
        mcps: keys(&program.mcps, |x| &x.name),
        phrases: keys(&program.phrases, |x| &x.name),
        knowledge: keys(&program.knowledge, |x| &x.name),
        providers: keys(&program.providers, |x| &x.name),
        flows: keys(&program.flows, |x| &x.name),
        agents: keys(&program.agents, |x| &x.name),
        in_flows: flows,
        in_agents: agents,
    }
    .program(program)
}

fn keys<I: Id, T>(arena: &Arena<I, T>, name: impl Fn(&T) -> &str) -> Keys<I> {
    Keys::of(arena.iter().map(|(_, item)| name(item)))
}

/// What an expression may refer to: the slots, nodes and outcomes of its dialogue, or the
/// parameters of its tool.
pub(super) struct Names {
    pub(super) slots: Keys<SlotId>,
    pub(super) nodes: Keys<NodeId>,
    pub(super) outcomes: Vec<String>,
}

impl Names {
    fn of(dialogue: &Dialogue, agent: Option<&Agent>) -> Self {
        let outcomes = agent.into_iter().flat_map(|agent| agent.outcomes.iter());
        Self {
            slots: keys(&dialogue.slots, |slot| &slot.name),
            nodes: keys(&dialogue.nodes, |node| &node.name),
            outcomes: outcomes.map(|(_, outcome)| outcome.name.clone()).collect(),
        }
    }

    fn of_params(params: &[Param]) -> Self {
        Self { slots: Keys::of(params.iter().map(|param| param.name.as_str())), ..Self::none() }
    }

    fn none() -> Self {
        let nothing = std::iter::empty::<&str>;
        Self { slots: Keys::of(nothing()), nodes: Keys::of(nothing()), outcomes: vec![] }
    }
}

pub(super) struct Writer {
    pub(super) enums: Keys<EnumId>,
    pub(super) records: Keys<RecordId>,
    pub(super) tools: Keys<ToolId>,
    pub(super) mcps: Keys<McpId>,
    pub(super) phrases: Keys<PhraseId>,
    pub(super) knowledge: Keys<KnowledgeId>,
    pub(super) providers: Keys<ProviderId>,
    pub(super) flows: Keys<FlowId>,
    pub(super) agents: Keys<AgentId>,
    pub(super) in_flows: Vec<Names>,
    pub(super) in_agents: Vec<Names>,
}

impl Writer {
    fn program(&self, program: &Program) -> v1::Program {
        let none = Names::none();
        v1::Program {
            format: v1::FORMAT,
            edition: program.edition,
            enums: program
                .enums
                .iter()
                .map(|(id, def)| v1::EnumDef {
                    name: def.name.clone(),
                    key: self.enums.key(id),
                    cases: def.cases.clone(),
                })
                .collect(),
            records: program
                .records
                .iter()
                .map(|(id, def)| v1::RecordDef {
                    name: def.name.clone(),
                    key: self.records.key(id),
                    fields: def.fields.iter().map(|field| self.field(field)).collect(),
                })
                .collect(),
            tools: program.tools.iter().map(|(id, tool)| self.tool(id, tool)).collect(),
            mcps: program.mcps.iter().map(|(id, mcp)| self.mcp(id, mcp)).collect(),
            phrases: program
                .phrases
                .iter()
                .map(|(id, phrase)| v1::Phrase {
                    name: phrase.name.clone(),
                    key: self.phrases.key(id),
                    texts: phrase
                        .texts
                        .iter()
                        .map(|(tag, text)| (tag.clone(), self.text(&none, text)))
                        .collect(),
                })
                .collect(),
            knowledge: program
                .knowledge
                .iter()
                .map(|(id, knowledge)| v1::Knowledge {
                    name: knowledge.name.clone(),
                    key: self.knowledge.key(id),
                    files: knowledge.files.clone(),
                    urls: knowledge.urls.iter().map(|url| self.expr(&none, url)).collect(),
                    full: knowledge.full,
                })
                .collect(),
            providers: program
                .providers
                .iter()
                .map(|(id, provider)| v1::Provider {
                    kind: provider.kind,
                    name: provider.name.clone(),
                    key: self.providers.key(id),
                    params: self.params(&provider.params),
                    settings: provider
                        .settings
                        .iter()
                        .map(|(name, value)| (name.clone(), super::write_expr::value(value)))
                        .collect(),
                })
                .collect(),
            flows: program.flows.iter().map(|(id, flow)| self.flow(id, flow)).collect(),
            agents: program.agents.iter().map(|(id, agent)| self.agent(id, agent)).collect(),
            own_agents: program.own_agents,
            last: self.dialogue(&Names::of(&program.last, None), &program.last),
        }
    }

    fn field(&self, field: &FieldDef) -> v1::Field {
        v1::Field { name: field.name.clone(), ty: self.ty(&field.ty), about: field.about.clone() }
    }

    fn params(&self, params: &[Param]) -> Vec<v1::Param> {
        let names = Names::of_params(params);
        let param = |(index, param): (usize, &Param)| v1::Param {
            name: param.name.clone(),
            key: names.slots.key(SlotId::from_index(index)),
            ty: self.ty(&param.ty),
            default: param.default.as_ref().map(|value| self.expr(&names, value)),
            about: param.about.clone(),
        };
        params.iter().enumerate().map(param).collect()
    }

    fn tool(&self, id: ToolId, tool: &Tool) -> v1::Tool {
        let names = Names::of_params(&tool.params);
        v1::Tool {
            name: tool.name.clone(),
            key: self.tools.key(id),
            about: tool.about.clone(),
            params: self.params(&tool.params),
            result: tool.result.as_ref().map(|ty| self.ty(ty)),
            action: match &tool.action {
                ToolAction::Http(request) => v1::ToolAction::Http(Box::new(self.request(&names, request))),
                ToolAction::Builtin(name) => v1::ToolAction::Builtin(name.clone()),
                ToolAction::Hole => v1::ToolAction::Hole,
            },
            timeout_ms: tool.timeout_ms,
            retries: tool.retries,
            idempotent: tool.idempotent,
        }
    }

    fn request(&self, names: &Names, request: &HttpRequest) -> v1::HttpRequest {
        v1::HttpRequest {
            method: request.method,
            url: self.text(names, &request.url),
            headers: self.args(names, &request.headers),
            body: request.body.as_ref().map(|body| self.expr(names, body)),
            auth: request.auth.as_ref().map(|auth| self.auth(names, auth)),
            result: request.result.clone(),
        }
    }

    fn auth(&self, names: &Names, auth: &Auth) -> v1::Auth {
        v1::Auth { kind: auth.kind.clone(), args: self.args(names, &auth.args) }
    }

    fn mcp(&self, id: McpId, mcp: &McpServer) -> v1::McpServer {
        let none = Names::none();
        let tool = |tool: &McpTool| v1::McpTool {
            name: tool.name.clone(),
            about: tool.about.clone(),
            input_schema: tool.input_schema.clone(),
            output_schema: tool.output_schema.clone(),
            read_only: tool.read_only,
        };
        v1::McpServer {
            name: mcp.name.clone(),
            key: self.mcps.key(id),
            url: mcp.url.as_ref().map(|url| self.expr(&none, url)),
            command: mcp.command.as_ref().map(|command| self.expr(&none, command)),
            auth: mcp.auth.as_ref().map(|auth| self.auth(&none, auth)),
            allow: mcp.allow.clone(),
            timeout_ms: mcp.timeout_ms,
            tools: mcp.tools.as_ref().map(|tools| tools.iter().map(tool).collect()),
        }
    }

    pub(super) fn models(&self, names: &Names, models: &Models) -> v1::Models {
        let list = |uses: &[ProviderUse]| -> Vec<_> {
            let wire = |used: &ProviderUse| v1::ProviderUse {
                provider: self.providers.get(used.provider),
                args: self.args(names, &used.args),
            };
            uses.iter().map(wire).collect()
        };
        v1::Models {
            llm: list(&models.llm),
            stt: list(&models.stt),
            tts: list(&models.tts),
            judge: list(&models.judge),
            realtime: list(&models.realtime),
        }
    }

    fn flow(&self, id: FlowId, flow: &Flow) -> v1::Flow {
        v1::Flow {
            name: flow.name.clone(),
            key: self.flows.key(id),
            result: self.ty(&flow.result),
            dialogue: self.dialogue(&Names::of(&flow.dialogue, None), &flow.dialogue),
        }
    }

    fn agent(&self, id: AgentId, agent: &Agent) -> v1::Agent {
        let names = &Names::of(&agent.dialogue, Some(agent));
        v1::Agent {
            name: agent.name.clone(),
            key: self.agents.key(id),
            prompt: agent.prompt.as_ref().map(|text| self.text(names, text)),
            models: self.models(names, &agent.models),
            languages: agent.languages.clone(),
            time_zone: agent.time_zone.clone(),
            channels: agent.channels.clone(),
            words: agent.words.clone(),
            tags: agent.tags.clone(),
            groups: agent
                .groups
                .iter()
                .map(|(name, group)| (name.clone(), self.settings(names, group)))
                .collect(),
            outcomes: names.outcomes.clone(),
            outcome_enum: self.enums.get(agent.outcome_enum),
            before_call: agent
                .before_call
                .iter()
                .map(|block| v1::HookBlock {
                    guard: block.guard.as_ref().map(|guard| self.expr(names, guard)),
                    steps: self.steps(names, &block.steps),
                })
                .collect(),
            dialogue: self.dialogue(names, &agent.dialogue),
            webhooks: agent.webhooks.iter().map(|(_, hook)| self.webhook(names, hook)).collect(),
            reviews: agent.reviews.iter().map(|review| self.review(names, review)).collect(),
            policies: agent.policies.iter().map(|policy| self.policy(names, policy)).collect(),
            moved: agent.moved.clone(),
        }
    }

    fn webhook(&self, names: &Names, webhook: &Webhook) -> v1::Webhook {
        v1::Webhook {
            name: webhook.name.clone(),
            events: webhook.events.clone(),
            guard: webhook.guard.as_ref().map(|guard| self.expr(names, guard)),
            request: self.request(names, &webhook.request),
            sign: webhook.sign.as_ref().map(|sign| self.expr(names, sign)),
        }
    }

    fn review(&self, names: &Names, review: &Review) -> v1::Review {
        v1::Review {
            name: review.name.clone(),
            settings: self.settings(names, &review.settings),
            scores: review.scores.iter().map(|score| self.field(score)).collect(),
        }
    }

    fn policy(&self, names: &Names, policy: &Policy) -> v1::Policy {
        match &policy.kind {
            PolicyKind::Ensure { fact, before } => v1::Policy::Ensure {
                fact: match fact {
                    Fact::Completed(node) => v1::Fact::Completed(names.nodes.get(*node)),
                    Fact::Holds(condition) => v1::Fact::Holds(self.expr(names, condition)),
                },
                before: before.map(|node| names.nodes.get(node)),
            },
            PolicyKind::Always { condition, reason } => {
                v1::Policy::Always { condition: self.expr(names, condition), reason: reason.clone() }
            }
            PolicyKind::Never { slot, sinks } => {
                v1::Policy::Never { slot: names.slots.get(*slot), sinks: sinks.clone() }
            }
        }
    }
}
