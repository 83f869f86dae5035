//! Items of a file, and what is written alike in many places: parameters, settings.

use super::{
    Anywhere, BeforeCall, Expr, Input, Member, Name, NameRef, Node, Outcome, Prompt, Review, Start,
    StringLit, Test, TypeRef, Var, Webhook, choice, views,
};
use crate::SyntaxKind;

views! {
    /// A whole file.
    File {
        /// `dgh 1`
        one edition: Edition;
        /// All items.
        all items: Item;
        /// Imports.
        all imports: Import;
        /// Agents.
        all agents: Agent;
        /// Flows.
        all flows: Flow;
        /// Tests.
        all tests: Test;
    }
    /// `dgh 1`
    Edition {}
    /// `import { a, B } from "./other.dgh"`
    Import {
        /// The names it brings.
        all names: NameRef;
        /// The file they come from.
        one path: StringLit;
    }
    /// `enum Name { a, b }`
    Enum {
        /// Its name.
        one name: Name;
        /// Its cases.
        all cases: EnumCase;
    }
    /// One case of an enum.
    EnumCase {
        /// Its name.
        one name: Name;
    }
    /// `type Name { field: type }`
    TypeDef {
        /// Its name.
        one name: Name;
        /// Its fields.
        all fields: Field;
    }
    /// `name: type "about"`
    Field {
        /// Its name.
        one name: Name;
        /// Its type.
        one ty: TypeRef;
        /// What it is, in words.
        one about: StringLit;
    }
    /// `const name: type = value`
    Const {
        /// Its name.
        one name: Name;
        /// Its type, if written.
        one ty: TypeRef;
        /// Its value.
        one value: Expr;
    }
    /// `tool name(…) -> type { … }`
    Tool {
        /// Its name.
        one name: Name;
        /// `( … )`
        one param_list: ParamList;
        /// `-> type`
        one result: ResultType;
        /// `{ … }`
        one config: Config;
    }
    /// `( … )` after the name of a tool, flow, provider or event.
    ParamList {
        /// The parameters.
        all params: Param;
    }
    /// `name: type = default "about"`; also a field of a `group` item.
    Param {
        /// Its name.
        one name: Name;
        /// Its type.
        one ty: TypeRef;
        /// `= value`
        one default: DefaultValue;
        /// What it is, in words.
        one about: StringLit;
    }
    /// `= value`
    DefaultValue = Default {
        /// The value.
        one value: Expr;
    }
    /// `-> type`
    ResultType {
        /// The type.
        one ty: TypeRef;
    }
    /// `mcp name { … }`
    Mcp {
        /// Its name.
        one name: Name;
        /// `{ … }`
        one config: Config;
    }
    /// `knowledge name { … }`, an item or a member.
    Knowledge {
        /// Its name.
        one name: Name;
        /// `{ … }`
        one config: Config;
    }
    /// `phrase name { en "…" es "…" }`
    Phrase {
        /// Its name.
        one name: Name;
        /// Its texts.
        all entries: PhraseEntry;
    }
    /// `en "…"`
    PhraseEntry {
        /// The language.
        one language: LanguageTag;
        /// The text.
        one text: StringLit;
    }
    /// `en`, `es-419`
    LanguageTag {}
    /// `{ setting… }`
    Config {
        /// The settings.
        all settings: Setting;
    }
    /// `name: value`
    Setting {
        /// Its name.
        one name: Name;
        /// Its value.
        one value: Expr;
    }
    /// `provider kind name(…) { … }`, in the standard library.
    Provider {
        /// What it provides: `llm`, `stt`, `auth`, …
        one kind: NameRef;
        /// Its name.
        one name: Name;
        /// `( … )`
        one param_list: ParamList;
        /// `{ … }`
        one config: Config;
    }
    /// `event name(…) { … }`, in the standard library.
    EventDef {
        /// Its name.
        one name: Name;
        /// `( … )`
        one param_list: ParamList;
        /// `{ … }`
        one config: Config;
    }
    /// `group name { … }`, in the standard library.
    GroupDef {
        /// Its name.
        one name: Name;
        /// The settings it has.
        all fields: Param;
    }
    /// `agent name { … }`
    Agent {
        /// Its name.
        one name: Name;
        /// All members.
        all members: Member;
        /// Its persona.
        one prompt: Prompt;
        /// `outcome …` lines.
        all outcomes: Outcome;
        /// Inputs.
        all inputs: Input;
        /// Variables.
        all vars: Var;
        /// `start node`
        one start: Start;
        /// Nodes.
        all nodes: Node;
        /// `anywhere { … }` blocks.
        all anywheres: Anywhere;
        /// `before call { … }`
        one before_call: BeforeCall;
        /// Webhooks.
        all webhooks: Webhook;
        /// Reviews.
        all reviews: Review;
        /// Its settings, without those in groups.
        all settings: Setting;
    }
    /// `flow name(…) -> type { … }`
    Flow {
        /// Its name.
        one name: Name;
        /// `( … )`
        one param_list: ParamList;
        /// `-> type`
        one result: ResultType;
        /// All members.
        all members: Member;
        /// Variables.
        all vars: Var;
        /// `start node`
        one start: Start;
        /// Nodes.
        all nodes: Node;
        /// `anywhere { … }` blocks.
        all anywheres: Anywhere;
        /// Its settings, without those in groups.
        all settings: Setting;
    }
}

choice! {
    /// An item of a file.
    Item {
        /// `import { … } from "…"`
        Import(Import),
        /// `enum Name { … }`
        Enum(Enum),
        /// `type Name { … }`
        Type(TypeDef),
        /// `const name = …`
        Const(Const),
        /// `tool name(…) { … }`
        Tool(Tool),
        /// `mcp name { … }`
        Mcp(Mcp),
        /// `phrase name { … }`
        Phrase(Phrase),
        /// `knowledge name { … }`
        Knowledge(Knowledge),
        /// `agent name { … }`
        Agent(Agent),
        /// `flow name(…) { … }`
        Flow(Flow),
        /// `test "…" { … }`
        Test(Test),
        /// `provider kind name(…) { … }`
        Provider(Provider),
        /// `event name(…) { … }`
        Event(EventDef),
        /// `group name { … }`
        Group(GroupDef),
        /// `anywhere { … }`: the last handlers, in the standard library.
        Anywhere(Anywhere),
    }
}

impl Item {
    /// The name it declares; imports, tests and `anywhere` declare none.
    pub fn name(&self) -> Option<Name> {
        match self {
            Self::Enum(i) => i.name(),
            Self::Type(i) => i.name(),
            Self::Const(i) => i.name(),
            Self::Tool(i) => i.name(),
            Self::Mcp(i) => i.name(),
            Self::Phrase(i) => i.name(),
            Self::Knowledge(i) => i.name(),
            Self::Agent(i) => i.name(),
            Self::Flow(i) => i.name(),
            Self::Provider(i) => i.name(),
            Self::Event(i) => i.name(),
            Self::Group(i) => i.name(),
            Self::Import(_) | Self::Test(_) | Self::Anywhere(_) => None,
        }
    }
}

impl Edition {
    /// The number after `dgh`.
    pub fn number(&self) -> Option<u32> {
        super::token(&self.0, SyntaxKind::Int)?.text().replace('_', "").parse().ok()
    }
}

impl LanguageTag {
    /// The tag as written: `es-419`.
    pub fn text(&self) -> String {
        self.0.text().to_string()
    }
}

impl Tool {
    /// The parameters.
    pub fn params(&self) -> impl Iterator<Item = Param> + use<> {
        self.param_list().into_iter().flat_map(|l| l.params())
    }

    /// The type after `->`.
    pub fn result_type(&self) -> Option<TypeRef> {
        self.result()?.ty()
    }

    /// The value of a setting.
    pub fn setting(&self, name: &str) -> Option<Setting> {
        self.config()?.get(name)
    }
}

impl Flow {
    /// The parameters.
    pub fn params(&self) -> impl Iterator<Item = Param> + use<> {
        self.param_list().into_iter().flat_map(|l| l.params())
    }

    /// The type after `->`.
    pub fn result_type(&self) -> Option<TypeRef> {
        self.result()?.ty()
    }
}

impl Provider {
    /// The parameters.
    pub fn params(&self) -> impl Iterator<Item = Param> + use<> {
        self.param_list().into_iter().flat_map(|l| l.params())
    }
}

impl EventDef {
    /// The parameters.
    pub fn params(&self) -> impl Iterator<Item = Param> + use<> {
        self.param_list().into_iter().flat_map(|l| l.params())
    }
}

impl Param {
    /// The default value.
    pub fn default_value(&self) -> Option<Expr> {
        self.default()?.value()
    }
}

impl Config {
    /// The first setting of this name.
    pub fn get(&self, name: &str) -> Option<Setting> {
        self.settings().find(|s| s.name().is_some_and(|n| n.text() == name))
    }

    /// The value of the first setting of this name.
    pub fn value(&self, name: &str) -> Option<Expr> {
        self.get(name)?.value()
    }
}

impl Agent {
    /// The first setting of this name, outside groups.
    pub fn setting(&self, name: &str) -> Option<Setting> {
        self.settings().find(|s| s.name().is_some_and(|n| n.text() == name))
    }
}
