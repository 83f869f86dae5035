//! Programs made by hand, for tests of the engine alone.

use std::sync::Arc;

use dgh_ir::{
    Agent, AgentId, Arena, Channel, Collect, Confirm, Decider, Dialogue, EnumDef, EnumId, Event, Expr,
    ExprKind, HttpRequest, InputMode, Kind, Method, Models, Named, Node, NodeId, Origin, OutcomeId, Param,
    Part, Program, Route, RouteId, Slot, SlotId, SlotKind, Step, StepKind, Target, Template, Tool,
    ToolAction, ToolId, ToolRef, Type, Value, When,
};
use indexmap::IndexMap;

use crate::event::Timestamp;
use crate::prepared::Prepared;
use crate::start::CallStart;
use crate::testing::ScriptedCall;

/// A program of one agent that is being made.
pub(crate) struct Build {
    pub(crate) program: Program,
    pub(crate) dialogue: Dialogue,
    pub(crate) agent: Agent,
    outcomes: EnumId,
}

pub(crate) fn ty(kind: Kind) -> Type {
    Type::of(kind)
}

pub(crate) fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, origin: Origin::NONE }
}

pub(crate) fn int(value: i64) -> Expr {
    expr(ExprKind::Const(Value::Int(value)), ty(Kind::Int))
}

pub(crate) fn words(text: &str) -> Expr {
    expr(ExprKind::Template(Template::text(text)), ty(Kind::Text))
}

pub(crate) fn duration(ms: i64) -> Expr {
    expr(ExprKind::Const(Value::Duration(ms)), ty(Kind::Duration))
}

pub(crate) fn step(kind: StepKind) -> Step {
    Step { kind, origin: Origin::NONE }
}

pub(crate) fn say(text: &str) -> Step {
    step(StepKind::Say { text: words(text), uninterrupted: false })
}

pub(crate) fn ask(text: &str) -> Step {
    step(StepKind::Ask { text: words(text), uninterrupted: false })
}

pub(crate) fn when(label: &str) -> Decider {
    Decider::When(When {
        label: label.into(),
        sentence: Template::text(format!("They mean {label}")),
        like: vec![format!("please {label}")],
        unlike: Vec::new(),
        guard: None,
    })
}

pub(crate) fn silence(ms: i64, times: u32) -> Decider {
    Decider::On(Event::Silence { after: duration(ms), times })
}

impl Build {
    pub(crate) fn new() -> Self {
        let mut program = Program { edition: 1, own_agents: 1, ..Program::default() };
        let outcomes = program.enums.push(EnumDef {
            name: "desk.outcome".into(),
            cases: Vec::new(),
            origin: Origin::NONE,
        });
        let agent = Agent {
            name: "desk".into(),
            prompt: Some(Template::text("You are Kim.")),
            models: Models::default(),
            languages: vec!["en-US".into()],
            time_zone: "UTC".into(),
            channels: vec![Channel::Phone],
            words: Vec::new(),
            tags: Vec::new(),
            groups: IndexMap::new(),
            outcomes: Arena::new(),
            outcome_enum: outcomes,
            before_call: Vec::new(),
            dialogue: Dialogue::default(),
            webhooks: Arena::new(),
            reviews: Vec::new(),
            policies: Vec::new(),
            moved: Vec::new(),
            origin: Origin::NONE,
        };
        Self { program, dialogue: Dialogue::default(), agent, outcomes }
    }

    pub(crate) fn slot(&mut self, name: &str, kind: SlotKind, ty: Type) -> SlotId {
        self.dialogue.slots.push(Slot {
            name: name.into(),
            ty,
            kind,
            about: None,
            default: None,
            origin: Origin::NONE,
        })
    }

    pub(crate) fn var(&mut self, name: &str, kind: Kind) -> SlotId {
        self.slot(name, SlotKind::Var, ty(kind))
    }

    pub(crate) fn read(&self, slot: SlotId) -> Expr {
        expr(ExprKind::Slot(slot), self.dialogue.slots[slot].ty.clone())
    }

    /// A text with one value in it.
    pub(crate) fn filled(&self, before: &str, slot: SlotId, after: &str) -> Expr {
        let parts = vec![
            Part::Text(before.into()),
            Part::Value { expr: self.read(slot), format: None },
            Part::Text(after.into()),
        ];
        expr(ExprKind::Template(Template { parts }), ty(Kind::Text))
    }

    pub(crate) fn outcome(&mut self, name: &str) -> OutcomeId {
        self.program.enums[self.outcomes].cases.push(name.into());
        self.agent.outcomes.push(Named { name: name.into(), origin: Origin::NONE })
    }

    pub(crate) fn enumeration(&mut self, name: &str, cases: &[&str]) -> EnumId {
        self.program.enums.push(EnumDef {
            name: name.into(),
            cases: cases.iter().map(|case| (*case).into()).collect(),
            origin: Origin::NONE,
        })
    }

    pub(crate) fn tool(&mut self, name: &str, params: &[(&str, Type)], result: Type) -> ToolId {
        let request = HttpRequest {
            method: Method::Post,
            url: Template::text("https://example.com"),
            headers: Vec::new(),
            body: None,
            auth: None,
            result: None,
        };
        let param = |(name, ty): &(&str, Type)| Param {
            name: (*name).into(),
            ty: ty.clone(),
            default: None,
            about: None,
            origin: Origin::NONE,
        };
        self.program.tools.push(Tool {
            name: name.into(),
            about: String::new(),
            params: params.iter().map(param).collect(),
            result: Some(result),
            action: ToolAction::Http(Box::new(request)),
            timeout_ms: 2_000,
            retries: 0,
            idempotent: false,
            origin: Origin::NONE,
        })
    }

    /// A node. The first one is the start.
    pub(crate) fn node(&mut self, name: &str, fill: impl FnOnce(&mut Node)) -> NodeId {
        let mut node = Node {
            name: name.into(),
            prompt: None,
            alone: false,
            steps: Vec::new(),
            collect: None,
            note: Vec::new(),
            uses: Vec::new(),
            routes: Vec::new(),
            models: Models::default(),
            turn: IndexMap::new(),
            origin: Origin::NONE,
        };
        fill(&mut node);
        let id = self.dialogue.nodes.push(node);
        self.dialogue.start.get_or_insert(id);
        id
    }

    pub(crate) fn route(
        &mut self,
        from: Option<NodeId>,
        decider: Decider,
        block: Vec<Step>,
        target: Option<Target>,
    ) -> RouteId {
        let id = self.dialogue.routes.push(Route { from, decider, block, target, origin: Origin::NONE });
        match from {
            Some(node) => self.dialogue.nodes[node].routes.push(id),
            None => self.dialogue.anywhere.push(id),
        }
        id
    }

    pub(crate) fn prepare(mut self) -> Arc<Prepared> {
        self.agent.dialogue = self.dialogue;
        self.program.agents.push(self.agent);
        Prepared::new(Arc::new(self.program))
    }

    pub(crate) fn call(self) -> ScriptedCall {
        call(&self.prepare())
    }
}

pub(crate) fn call(prepared: &Arc<Prepared>) -> ScriptedCall {
    ScriptedCall::recorded(Arc::clone(prepared), AgentId(0), start()).unwrap()
}

pub(crate) fn start() -> CallStart {
    // Monday, 2 March 2026, 10:00 UTC
    CallStart::new("call-1", Channel::Phone, Timestamp(1_772_445_600_000))
}

pub(crate) fn collect(slots: &[SlotId]) -> Collect {
    Collect {
        slots: slots.to_vec(),
        from: None,
        confirm: Confirm::Never,
        tries: None,
        ask: None,
        by: InputMode::Speech,
        until: None,
        origin: Origin::NONE,
    }
}

pub(crate) fn use_tool(tool: ToolId, args: Vec<(String, Expr)>, bind: Option<SlotId>) -> Step {
    step(StepKind::Call { tool: ToolRef::Tool(tool), args, bind, meanwhile: None, timeout_ms: None })
}
