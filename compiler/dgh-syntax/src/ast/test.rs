//! Tests and what stands in them.

use super::{Expr, NameRef, Path, RecordExpr, StringLit, choice, views};

views! {
    /// `test "name" of agent { … }`
    Test {
        /// Its name.
        one name: StringLit;
        /// `of agent`
        one of_agent: OfAgent;
        /// What it does, in order.
        all items: TestItem;
    }
    /// `of agent`
    OfAgent {
        /// The agent.
        one agent: NameRef;
    }
    /// `given a = 1, b = 2`
    Given {
        /// What is given.
        all values: GivenValue;
    }
    /// `path = value`
    GivenValue {
        /// The name.
        one path: Path;
        /// The value.
        one value: Expr;
    }
    /// `mock tool = value`
    Mock {
        /// What is mocked.
        one path: Path;
        /// What it answers.
        one value: Expr;
    }
    /// `says "…" means …`
    Says {
        /// The words of the caller.
        one text: StringLit;
        /// `means …`
        one means: Means;
    }
    /// `interrupts "…" means …`
    Interrupts {
        /// The words of the caller.
        one text: StringLit;
        /// `means …`
        one means: Means;
    }
    /// `means label { variable: value }`
    Means {
        /// `nothing`
        one nothing: Nothing;
        /// The label.
        one label: NameRef;
        /// The variables.
        one values: RecordExpr;
    }
    /// `nothing`
    Nothing {}
    /// `agent_says "…"`
    AgentSays {
        /// The reply.
        one text: StringLit;
    }
    /// `keys "1"`
    Keys {
        /// The keys.
        one keys: StringLit;
    }
    /// `waits 8s`
    Waits {
        /// How long.
        one time: Expr;
    }
    /// `hangs_up`
    HangsUp {}
    /// `expect …`
    Expect {
        /// The condition.
        one condition: Expr;
    }
    /// `caller "…"`
    Caller {
        /// Who the simulated person is.
        one text: StringLit;
    }
    /// `judge "…" at_least 80%`
    Judge {
        /// What the judge decides.
        one text: StringLit;
        /// From when on it holds.
        one at_least: AtLeast;
    }
    /// `at_least 80%`
    AtLeast {
        /// The share.
        one share: Expr;
    }
}

choice! {
    /// A line of a test.
    TestItem {
        /// `given …`
        Given(Given),
        /// `mock …`
        Mock(Mock),
        /// `says …`
        Says(Says),
        /// `agent_says …`
        AgentSays(AgentSays),
        /// `interrupts …`
        Interrupts(Interrupts),
        /// `keys …`
        Keys(Keys),
        /// `waits …`
        Waits(Waits),
        /// `hangs_up`
        HangsUp(HangsUp),
        /// `expect …`
        Expect(Expect),
        /// `caller …`
        Caller(Caller),
        /// `judge …`
        Judge(Judge),
    }
}

impl Test {
    /// The agent it is of, if it says so.
    pub fn agent(&self) -> Option<NameRef> {
        self.of_agent()?.agent()
    }
}
