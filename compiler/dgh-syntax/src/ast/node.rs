//! Nodes, and how they talk.

use super::{Config, Expr, Group, Name, NameRef, Route, Setting, Step, choice, views};
use crate::SyntaxToken;

views! {
    /// `node name { … }`
    Node {
        /// Its name.
        one name: Name;
        /// Everything in it, in order.
        all items: NodeItem;
        /// Steps, in order.
        all steps: Step;
        /// Routes, in order.
        all routes: Route;
        /// Its prompt.
        one prompt: Prompt;
        /// Its `collect`s; a correct program has one at most.
        all collects: Collect;
        /// `note` lines.
        all notes: Note;
        /// `use` lines.
        all uses: Use;
        /// Groups.
        all groups: Group;
        /// Settings.
        all settings: Setting;
    }
    /// `anywhere { … }`
    Anywhere {
        /// Its routes, in order.
        all routes: Route;
    }
    /// `prompt "…"`
    Prompt {
        /// `alone`: leaves the persona out.
        word alone: "alone";
        /// The instructions.
        one text: Expr;
    }
    /// `collect a, b from list { … }`
    Collect {
        /// The variables.
        all names: NameRef;
        /// `from …`
        one from: FromList;
        /// `{ … }`
        one config: Config;
    }
    /// `from list`
    FromList = From {
        /// The list.
        one list: Expr;
    }
    /// `note a, b`
    Note {
        /// The variables.
        all names: NameRef;
    }
    /// `use a, b.c`
    Use {
        /// Tools, knowledge, tools of MCP servers.
        all paths: Path;
    }
    /// `a.b.c`
    Path {
        /// The names between the dots.
        all segments: NameRef;
    }
}

choice! {
    /// What may stand in a node.
    NodeItem {
        /// `prompt "…"`
        Prompt(Prompt),
        /// `collect …`
        Collect(Collect),
        /// `note …`
        Note(Note),
        /// `use …`
        Use(Use),
        /// `turn { … }`
        Group(Group),
        /// `name: value`
        Setting(Setting),
        /// A step.
        Step(Step),
        /// A route.
        Route(Route),
    }
}

impl Prompt {
    /// Whether the persona is left out.
    pub fn is_alone(&self) -> bool {
        self.alone().is_some()
    }

    /// The word `prompt`.
    pub fn keyword(&self) -> Option<SyntaxToken> {
        super::word(&self.0, "prompt")
    }
}

impl Collect {
    /// The list after `from`.
    pub fn from_list(&self) -> Option<Expr> {
        self.from()?.list()
    }

    /// The value of a setting.
    pub fn value(&self, name: &str) -> Option<Expr> {
        self.config()?.value(name)
    }
}

impl Path {
    /// The path as text, without spaces: `calendar.list_holidays`.
    pub fn text(&self) -> String {
        self.segments().map(|s| s.text()).collect::<Vec<_>>().join(".")
    }
}
