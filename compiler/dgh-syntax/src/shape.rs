//! What a statement is, by where it stands and by its first word.

use crate::{
    SyntaxKind,
    grammar::Rule,
    segment::{Body, GROUPS},
    units::Units,
};

/// What a statement is, by its first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The node it becomes.
    pub(crate) kind: SyntaxKind,
    /// What its braces hold, if it can have any.
    pub(crate) body: Option<Body>,
}

/// The rule for one statement of a body: alone in its text, and at the start of it.
pub(crate) fn rules(body: Body) -> (Rule, Rule) {
    match body {
        Body::File => (Rule::whole_item, Rule::first_item),
        Body::Members => (Rule::whole_member, Rule::first_member),
        Body::Node => (Rule::whole_node_item, Rule::first_node_item),
        Body::Routes => (Rule::whole_route, Rule::first_route),
        Body::Steps => (Rule::whole_step, Rule::first_step),
        Body::Hook => (Rule::whole_hook_step, Rule::first_hook_step),
        Body::Test => (Rule::whole_test_item, Rule::first_test_item),
        Body::Settings => (Rule::whole_setting, Rule::first_setting),
        Body::Fields => (Rule::whole_field, Rule::first_field),
        Body::Cases => (Rule::whole_case, Rule::first_case),
        Body::Phrases => (Rule::whole_phrase, Rule::first_phrase),
        Body::Review => (Rule::whole_review, Rule::first_review),
        Body::Params => (Rule::whole_param, Rule::first_param),
    }
}

/// What a statement is, by its first word and where it stands.
pub(crate) fn shape(body: Body, units: &Units<'_>, first: usize) -> Option<Shape> {
    use SyntaxKind as K;
    let word = units.word(first);
    let of = |kind, body| Some(Shape { kind, body });
    let next = units.kind(first + 1);
    if !body.words().contains(&word) || next == K::Colon {
        if word.is_empty() {
            return None;
        }
        return match body {
            Body::Settings => of(K::Setting, None),
            // An `=` that should be a colon.
            Body::Members | Body::Node | Body::Review if matches!(next, K::Colon | K::Equals) => {
                of(K::Setting, None)
            }
            Body::Fields => of(K::Field, None),
            Body::Params => of(K::Param, None),
            Body::Cases => of(K::EnumCase, None),
            Body::Phrases => of(K::PhraseEntry, None),
            _ => None,
        };
    }
    shape_of(body, word)
}

/// What a statement with this word is.
pub(crate) fn shape_of(body: Body, word: &str) -> Option<Shape> {
    use SyntaxKind as K;
    let of = |kind, body| Some(Shape { kind, body });
    match (body, word) {
        (_, "import") => of(K::Import, None),
        (_, "enum") => of(K::Enum, Some(Body::Cases)),
        (_, "type") => of(K::TypeDef, Some(Body::Fields)),
        (_, "const") => of(K::Const, None),
        (_, "tool") => of(K::Tool, Some(Body::Settings)),
        (_, "mcp") => of(K::Mcp, Some(Body::Settings)),
        (_, "phrase") => of(K::Phrase, Some(Body::Phrases)),
        (_, "knowledge") => of(K::Knowledge, Some(Body::Settings)),
        (_, "agent") => of(K::Agent, Some(Body::Members)),
        (_, "flow") => of(K::Flow, Some(Body::Members)),
        (_, "test") => of(K::Test, Some(Body::Test)),
        (_, "provider") => of(K::Provider, Some(Body::Settings)),
        (_, "event") => of(K::EventDef, Some(Body::Settings)),
        (_, "group") => of(K::GroupDef, Some(Body::Params)),
        (_, "anywhere") => of(K::Anywhere, Some(Body::Routes)),
        (_, "outcome") => of(K::Outcome, None),
        (_, "input") => of(K::Input, None),
        (_, "var") => of(K::Var, None),
        (_, "start") => of(K::Start, None),
        (_, "node") => of(K::Node, Some(Body::Node)),
        (_, "before") => of(K::BeforeCall, Some(Body::Hook)),
        (_, "webhook") => of(K::Webhook, Some(Body::Settings)),
        (_, "review") => of(K::Review, Some(Body::Review)),
        (_, "score") => of(K::Score, None),
        (_, "ensure") => of(K::Ensure, None),
        (_, "always") => of(K::Always, None),
        (_, "never") => of(K::Never, None),
        (_, "moved") => of(K::Moved, None),
        (_, "prompt") => of(K::Prompt, None),
        (_, "collect") => of(K::Collect, Some(Body::Settings)),
        (_, "note") => of(K::Note, None),
        (_, "use") => of(K::Use, None),
        (_, "say") => of(K::Say, None),
        (_, "ask") => of(K::Ask, None),
        (_, "tell") => of(K::Tell, None),
        (_, "play") => of(K::Play, None),
        (_, "wait") => of(K::Wait, None),
        (_, "call") => of(K::Call, Some(Body::Settings)),
        (_, "run") => of(K::Run, None),
        (_, "set") => of(K::Set, None),
        (_, "clear") => of(K::Clear, None),
        (_, "press") => of(K::Press, None),
        (_, "transfer") => of(K::Transfer, Some(Body::Settings)),
        (_, "when") => of(K::When, Some(Body::Steps)),
        (_, "on") => of(K::On, Some(Body::Steps)),
        (Body::Hook, "if") => of(K::GuardedSteps, Some(Body::Steps)),
        (_, "if") => of(K::IfRoute, Some(Body::Steps)),
        (_, "else") => of(K::ElseRoute, Some(Body::Steps)),
        (_, "next") => of(K::NextRoute, Some(Body::Steps)),
        (_, "given") => of(K::Given, None),
        (_, "mock") => of(K::Mock, None),
        (_, "says") => of(K::Says, None),
        (_, "agent_says") => of(K::AgentSays, None),
        (_, "interrupts") => of(K::Interrupts, None),
        (_, "keys") => of(K::Keys, None),
        (_, "waits") => of(K::Waits, None),
        (_, "hangs_up") => of(K::HangsUp, None),
        (_, "expect") => of(K::Expect, None),
        (_, "caller") => of(K::Caller, None),
        (_, "judge") => of(K::Judge, None),
        (_, word) if GROUPS.contains(&word) => of(K::Group, Some(Body::Settings)),
        _ => None,
    }
}

/// The node that holds the braces of a statement, if they are not its own.
pub(crate) fn body_node(kind: SyntaxKind) -> Option<SyntaxKind> {
    use SyntaxKind as K;
    match kind {
        K::When | K::On | K::IfRoute | K::ElseRoute | K::NextRoute | K::GuardedSteps => Some(K::Block),
        K::Tool
        | K::Mcp
        | K::Knowledge
        | K::Provider
        | K::EventDef
        | K::Webhook
        | K::Group
        | K::Collect
        | K::Call
        | K::Transfer => Some(K::Config),
        _ => None,
    }
}

pub(crate) fn begins_with_its_word(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    !matches!(kind, K::Setting | K::Field | K::Param | K::EnumCase | K::PhraseEntry)
}

/// Whether a name comes first, or right after its word.
pub(crate) fn has_name(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::Setting
            | K::Field
            | K::Param
            | K::EnumCase
            | K::Enum
            | K::TypeDef
            | K::Const
            | K::Tool
            | K::Mcp
            | K::Phrase
            | K::Knowledge
            | K::Agent
            | K::Flow
            | K::EventDef
            | K::GroupDef
            | K::Outcome
            | K::Input
            | K::Var
            | K::Node
            | K::Webhook
            | K::Review
            | K::Score
            | K::When
    )
}
