//! Routes: who decides, when, and where to.

use super::{
    ArgList, AstNode, Block, Expr, Guard, ListExpr, Name, NameRef, StringLit, child, choice, token, views,
};
use crate::{SyntaxKind, SyntaxToken};

views! {
    /// `when label: "sentence" like […] unlike […] if … -> target { … }`
    When {
        /// The label.
        one label: Name;
        /// When it applies, in words.
        one sentence: StringLit;
        /// `like […]`
        one like: Like;
        /// `unlike […]`
        one unlike: Unlike;
        /// `if …`
        one guard: Guard;
        /// The target, if there is an arrow.
        one target: Target;
        /// The steps on the arrow, or those done without leaving.
        one block: Block;
    }
    /// `like […]`
    Like {
        /// The sentences.
        one list: ListExpr;
    }
    /// `unlike […]`
    Unlike {
        /// The sentences.
        one list: ListExpr;
    }
    /// `on event -> target { … }`
    On {
        /// The event.
        one event: Event;
        /// A condition, which the language does not have here: an error was reported.
        one guard: Guard;
        /// The target, if there is an arrow.
        one target: Target;
        /// The steps on the arrow, or those done without leaving.
        one block: Block;
    }
    /// `silence(6s, times: 3)`
    Event {
        /// Its name.
        one name: NameRef;
        /// `( … )`
        one args: ArgList;
    }
    /// `if … -> target { … }`
    IfRoute {
        /// The condition.
        one condition: Expr;
        /// The target.
        one target: Target;
        /// The steps on the arrow.
        one block: Block;
    }
    /// `else -> target { … }`
    ElseRoute {
        /// The target.
        one target: Target;
        /// The steps on the arrow.
        one block: Block;
    }
    /// `next -> target { … }`
    NextRoute {
        /// The target.
        one target: Target;
        /// The steps on the arrow.
        one block: Block;
    }
    /// `end outcome`
    EndTarget {
        /// The outcome.
        one outcome: NameRef;
    }
    /// `back`
    BackTarget {}
    /// `detour node`
    DetourTarget {
        /// The node.
        one node: NameRef;
    }
    /// `return value`
    ReturnTarget {
        /// The value.
        one value: Expr;
    }
    /// `agent other(…)`
    AgentTarget {
        /// The agent.
        one agent: NameRef;
        /// `( … )`
        one args: ArgList;
    }
    /// A node.
    NodeTarget {
        /// The node.
        one node: NameRef;
    }
}

choice! {
    /// A route.
    Route {
        /// Decided by the LLM.
        When(When),
        /// Decided by the runtime.
        On(On),
        /// Decided by the program.
        If(IfRoute),
        /// The way on where no `if` applies.
        Else(ElseRoute),
        /// The one way on.
        Next(NextRoute),
    }
}

choice! {
    /// Where an arrow leads.
    Target {
        /// A node.
        Node(NodeTarget),
        /// `end outcome`
        End(EndTarget),
        /// `back`
        Back(BackTarget),
        /// `detour node`
        Detour(DetourTarget),
        /// `return value`
        Return(ReturnTarget),
        /// `agent other(…)`
        Agent(AgentTarget),
    }
}

impl Route {
    /// The target, if there is one.
    pub fn target(&self) -> Option<Target> {
        child(self.syntax())
    }

    /// The steps.
    pub fn block(&self) -> Option<Block> {
        child(self.syntax())
    }

    /// `->`
    pub fn arrow(&self) -> Option<SyntaxToken> {
        token(self.syntax(), SyntaxKind::Arrow)
    }

    /// The word that says who decides.
    pub fn keyword(&self) -> Option<SyntaxToken> {
        token(self.syntax(), SyntaxKind::Ident)
    }
}
