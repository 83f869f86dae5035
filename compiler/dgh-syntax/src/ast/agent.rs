//! Members of agents and flows.

use super::{
    Anywhere, AstNode, Block, Config, DefaultValue, Expr, Knowledge, Name, NameRef, Node, Path, Prompt,
    Setting, Step, StringLit, TypeRef, choice, token, views,
};
use crate::{SyntaxKind, SyntaxToken};

views! {
    /// `outcome a, b`
    Outcome {
        /// The outcomes.
        all names: Name;
    }
    /// `input name: type = default "about"`
    Input {
        /// Its name.
        one name: Name;
        /// Its type.
        one ty: TypeRef;
        /// `= value`
        one default: DefaultValue;
        /// What it is, in words.
        one about: StringLit;
    }
    /// `var name: type = default "about"`
    Var {
        /// Its name.
        one name: Name;
        /// Its type.
        one ty: TypeRef;
        /// `= value`
        one default: DefaultValue;
        /// What it is, for the LLM.
        one about: StringLit;
    }
    /// `start node`
    Start {
        /// The node.
        one node: NameRef;
    }
    /// `before call { … }`
    BeforeCall {
        /// What it does, in order.
        all steps: HookStep;
    }
    /// `if … { … }` in `before call`
    GuardedSteps {
        /// The condition.
        one condition: Expr;
        /// The steps.
        one block: Block;
    }
    /// `webhook name on call.ended if … { … }`
    Webhook {
        /// Its name.
        one name: Name;
        /// The events it is delivered on.
        all events: Path;
        /// `if …`
        one guard: Guard;
        /// `{ … }`
        one config: Config;
    }
    /// `if …` of a `when`, an `on` or a webhook.
    Guard {
        /// The condition.
        one condition: Expr;
    }
    /// `review name { … }`
    Review {
        /// Its name.
        one name: Name;
        /// Its settings.
        all settings: Setting;
        /// Its scores.
        all scores: Score;
    }
    /// `score name: type "…"`
    Score {
        /// Its name.
        one name: Name;
        /// Its type.
        one ty: TypeRef;
        /// What is scored.
        one about: StringLit;
    }
    /// `ensure condition before node`
    Ensure {
        /// A node that must have been completed, or a condition.
        one condition: Expr;
    }
    /// `everything`, after `before`
    Everything {}
    /// `always condition else "reason"`
    Always {
        /// The condition.
        one condition: Expr;
    }
    /// `never a, b in voicemail, transcript`
    Never {
        /// The values.
        all values: Path;
        /// The places.
        all sinks: Sink;
    }
    /// A place that values flow to.
    Sink {
        /// Its name.
        one name: NameRef;
    }
    /// `moved old -> new`
    Moved {
        /// The name of before.
        one old: NameRef;
    }
    /// `limits { … }` and its like
    Group {
        /// `{ … }`
        one config: Config;
    }
}

choice! {
    /// A member of an agent or a flow.
    Member {
        /// `prompt "…"`
        Prompt(Prompt),
        /// `outcome a, b`
        Outcome(Outcome),
        /// `input name: type`
        Input(Input),
        /// `var name: type`
        Var(Var),
        /// `start node`
        Start(Start),
        /// `node name { … }`
        Node(Node),
        /// `anywhere { … }`
        Anywhere(Anywhere),
        /// `before call { … }`
        BeforeCall(BeforeCall),
        /// `webhook name on … { … }`
        Webhook(Webhook),
        /// `knowledge name { … }`
        Knowledge(Knowledge),
        /// `review name { … }`
        Review(Review),
        /// `ensure … before …`
        Ensure(Ensure),
        /// `always …`
        Always(Always),
        /// `never … in …`
        Never(Never),
        /// `moved old -> new`
        Moved(Moved),
        /// `limits { … }`
        Group(Group),
        /// `name: value`
        Setting(Setting),
    }
}

choice! {
    /// What may stand in `before call`.
    HookStep {
        /// `if … { … }`
        Guarded(GuardedSteps),
        /// A step.
        Step(Step),
    }
}

/// What comes after `before` in an `ensure`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ensured {
    /// One node.
    Node(NameRef),
    /// The whole call.
    Everything(Everything),
}

impl Ensure {
    /// What the condition must hold before.
    pub fn before(&self) -> Option<Ensured> {
        self.0.children().find_map(|n| match n.kind() {
            SyntaxKind::NameRef => NameRef::cast(n).map(Ensured::Node),
            SyntaxKind::Everything => Everything::cast(n).map(Ensured::Everything),
            _ => None,
        })
    }
}

impl Always {
    /// The sentence after `else`.
    pub fn reason(&self) -> Option<StringLit> {
        let keyword = super::word(&self.0, "else")?;
        self.0
            .children()
            .filter(|n| n.text_range().start() > keyword.text_range().end())
            .find_map(StringLit::cast)
    }
}

impl Moved {
    /// The name of today.
    pub fn new_name(&self) -> Option<NameRef> {
        super::nth_child(&self.0, 1)
    }
}

impl Group {
    /// The word that opens it.
    pub fn word(&self) -> Option<SyntaxToken> {
        token(&self.0, SyntaxKind::Ident)
    }

    /// The word that opens it, as text.
    pub fn kind(&self) -> String {
        self.word().map(|t| t.text().to_owned()).unwrap_or_default()
    }
}

impl Input {
    /// The default value.
    pub fn default_value(&self) -> Option<Expr> {
        self.default()?.value()
    }
}

impl Var {
    /// The value it starts with.
    pub fn default_value(&self) -> Option<Expr> {
        self.default()?.value()
    }
}
