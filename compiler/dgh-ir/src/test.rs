//! `test` blocks, compiled. They travel beside the program and are no part of its wire form.

use crate::expr::{Expr, Template};
use crate::program::{AgentId, KnowledgeId, RouteRef, SlotId, ToolRef};
use crate::source_map::Origin;
use crate::value::Value;

/// A `test`.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// Its sentence.
    pub name: String,
    /// The agent under test.
    pub agent: AgentId,
    /// Facts before the call.
    pub given: Vec<Given>,
    /// Answers of tools and transfers.
    pub mocks: Vec<Mock>,
    /// What happens, in order. `expect` stands here too: it is asked at the end of the call.
    pub steps: Vec<TestStep>,
    /// Where it stands.
    pub origin: Origin,
}

/// `given a = b`
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// What.
    pub what: GivenWhat,
    /// Its value, converted to the declared type.
    pub value: Value,
    /// Where it stands.
    pub origin: Origin,
}

/// What `given` can set.
#[derive(Debug, Clone, PartialEq)]
pub enum GivenWhat {
    /// An input of the agent.
    Input(SlotId),
    /// `now`
    Now,
    /// `caller.phone`
    CallerPhone,
    /// `caller.language`
    CallerLanguage,
    /// `env.NAME`
    Env(String),
    /// Unknown, already reported.
    Hole,
}

/// `mock a = b`
#[derive(Debug, Clone, PartialEq)]
pub struct Mock {
    /// What is mocked.
    pub what: MockWhat,
    /// What it answers.
    pub answer: MockAnswer,
    /// Where it stands.
    pub origin: Origin,
}

/// What can be mocked.
#[derive(Debug, Clone, PartialEq)]
pub enum MockWhat {
    /// A tool, by call or by use.
    Tool(ToolRef),
    /// A search.
    Knowledge(KnowledgeId),
    /// Every transfer.
    Transfer,
    /// Unknown, already reported.
    Hole,
}

/// What a mock answers.
#[derive(Debug, Clone, PartialEq)]
pub enum MockAnswer {
    /// A value of the declared type; a transfer: the case `answered`, `busy`, `no_answer`,
    /// `declined`, `failed`.
    Value(Value),
    /// `error("timeout")`
    Error(String),
}

/// A line of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestStep {
    /// What happens.
    pub kind: TestStepKind,
    /// Where it stands.
    pub origin: Origin,
}

/// What happens in a line of a test.
#[derive(Debug, Clone, PartialEq)]
pub enum TestStepKind {
    /// `says "…" means …`
    Says(String, Option<Meaning>),
    /// `interrupts "…" means …`: said over the agent's speech.
    Interrupts(String, Option<Meaning>),
    /// `agent_says "…"`: fixes the words of the model's next reply.
    AgentSays(String),
    /// `keys "12#"`
    Keys(String),
    /// `waits 8s`, milliseconds
    Waits(i64),
    /// `hangs_up`
    HangsUp,
    /// `expect …`
    Expect(Expr),
    /// `caller "…"`: a simulated person; needs a model.
    Caller(Template),
    /// `judge "…" at_least 80%`; needs a model.
    Judge(String, Option<u32>),
}

/// What a turn means.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// The label of the `when` that is chosen.
    pub route: Option<RouteRef>,
    /// The label's text, for messages.
    pub label: Option<String>,
    /// What is learned. A choice `from` a list is the Int of its number, from 1; a flow's
    /// variable is named by its flow.
    pub notes: Vec<MeaningNote>,
}

/// A value that a turn brings.
#[derive(Debug, Clone, PartialEq)]
pub struct MeaningNote {
    /// Name of the variable; looked up in the dialogue that is active then, so that a test may
    /// name the variables of a flow.
    pub name: String,
    /// The value, converted to the declared type; `None` declines a `T?`.
    pub value: Value,
    /// Where it stands.
    pub origin: Origin,
}
