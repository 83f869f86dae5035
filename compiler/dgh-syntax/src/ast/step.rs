//! Steps: what a node, an arrow or `before call` does.

use super::{ArgList, Config, Expr, Name, NameRef, choice, views};

views! {
    /// `say "…" uninterrupted`
    Say {
        /// The exact words.
        one text: Expr;
        /// `uninterrupted`
        word uninterrupted: "uninterrupted";
    }
    /// `ask "…"`
    Ask {
        /// The exact words.
        one text: Expr;
        /// `uninterrupted`
        word uninterrupted: "uninterrupted";
    }
    /// `tell "…"`
    Tell {
        /// The instruction.
        one text: Expr;
    }
    /// `play recording.welcome`
    Play {
        /// The recording.
        one recording: Expr;
        /// `uninterrupted`
        word uninterrupted: "uninterrupted";
    }
    /// `wait 1.2s`
    Wait {
        /// How long.
        one time: Expr;
    }
    /// `call tool(…) as x { … }`
    Call {
        /// `tool(…)` or `server.tool(…)`.
        one call: Expr;
        /// `as x`
        one binding: Binding;
        /// `{ … }`
        one config: Config;
    }
    /// `run flow(…) as x`
    Run {
        /// `flow(…)`.
        one call: Expr;
        /// `as x`
        one binding: Binding;
    }
    /// `as x`
    Binding {
        /// The name it binds, or the variable it writes.
        one name: Name;
    }
    /// `set x = value`
    Set {
        /// The variable.
        one variable: NameRef;
        /// The value.
        one value: Expr;
    }
    /// `clear x, y`
    Clear {
        /// The variables.
        all variables: NameRef;
    }
    /// `press "12#"`
    Press {
        /// The keys.
        one keys: Expr;
    }
    /// `transfer number { … }`
    Transfer {
        /// The number.
        one number: Expr;
        /// `{ … }`
        one config: Config;
    }
    /// `{ step… }`
    Block {
        /// The steps, in order.
        all steps: Step;
    }
}

choice! {
    /// A step.
    Step {
        /// `say "…"`
        Say(Say),
        /// `ask "…"`
        Ask(Ask),
        /// `tell "…"`
        Tell(Tell),
        /// `play …`
        Play(Play),
        /// `wait 1s`
        Wait(Wait),
        /// `call tool(…) as x`
        Call(Call),
        /// `run flow(…) as x`
        Run(Run),
        /// `set x = …`
        Set(Set),
        /// `clear x`
        Clear(Clear),
        /// `press "…"`
        Press(Press),
        /// `transfer …`
        Transfer(Transfer),
    }
}

impl Call {
    /// What is called: a name or `server.tool`.
    pub fn callee(&self) -> Option<Expr> {
        callee(self.call()?)
    }

    /// `( … )`, if written.
    pub fn args(&self) -> Option<ArgList> {
        args(self.call()?)
    }

    /// The name after `as`.
    pub fn bound_name(&self) -> Option<Name> {
        self.binding()?.name()
    }
}

impl Run {
    /// The flow.
    pub fn callee(&self) -> Option<Expr> {
        callee(self.call()?)
    }

    /// `( … )`, if written.
    pub fn args(&self) -> Option<ArgList> {
        args(self.call()?)
    }

    /// The name after `as`.
    pub fn bound_name(&self) -> Option<Name> {
        self.binding()?.name()
    }
}

fn callee(expr: Expr) -> Option<Expr> {
    match expr {
        Expr::Call(call) => call.callee(),
        other => Some(other),
    }
}

fn args(expr: Expr) -> Option<ArgList> {
    match expr {
        Expr::Call(call) => call.args(),
        _ => None,
    }
}
