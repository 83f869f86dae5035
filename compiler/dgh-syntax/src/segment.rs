//! Where statements begin, guessed from words, lines and neighbours.
//!
//! Used after a mistake only, so a guess may be wrong: then a piece does not parse, and is tried together with the next.

use std::ops::Range;

use crate::{SyntaxKind, units::Units};

/// What is listed inside a pair of braces, or in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// Items of a file.
    File,
    /// Members of an agent or a flow.
    Members,
    /// What stands in a node.
    Node,
    /// Routes in `anywhere`.
    Routes,
    /// Steps of an arrow.
    Steps,
    /// Steps of `before call`.
    Hook,
    /// Lines of a test.
    Test,
    /// Settings.
    Settings,
    /// Fields of a type.
    Fields,
    /// Cases of an enum.
    Cases,
    /// Texts of a phrase.
    Phrases,
    /// Settings and scores of a review.
    Review,
    /// Settings that a group declares.
    Params,
}

/// Words that begin an item.
pub(crate) const ITEMS: &[&str] = &[
    "import",
    "enum",
    "type",
    "const",
    "tool",
    "mcp",
    "phrase",
    "knowledge",
    "agent",
    "flow",
    "test",
    "provider",
    "event",
    "group",
    "anywhere",
];
/// Words that open a group of settings.
pub(crate) const GROUPS: &[&str] = &["limits", "turn", "inbound", "outbound", "sound"];
/// Words that begin a member of an agent or flow, without groups.
pub(crate) const MEMBERS: &[&str] = &[
    "prompt",
    "outcome",
    "input",
    "var",
    "start",
    "node",
    "anywhere",
    "before",
    "webhook",
    "knowledge",
    "review",
    "ensure",
    "always",
    "never",
    "moved",
];
/// Words that begin a step.
pub(crate) const STEPS: &[&str] =
    &["say", "tell", "ask", "play", "wait", "call", "run", "set", "clear", "press", "transfer"];
/// Words that begin a route.
pub(crate) const ROUTES: &[&str] = &["when", "on", "if", "else", "next"];
/// Words that stand in a node only.
pub(crate) const TALK: &[&str] = &["prompt", "collect", "note", "use"];
/// Words that begin a line of a test.
pub(crate) const TEST_LINES: &[&str] = &[
    "given",
    "mock",
    "says",
    "agent_says",
    "interrupts",
    "keys",
    "waits",
    "hangs_up",
    "expect",
    "caller",
    "judge",
];

/// Words that go on with what stands before them.
const CONTINUATIONS: &[&str] = &[
    "and",
    "or",
    "in",
    "as",
    "like",
    "unlike",
    "uninterrupted",
    "means",
    "from",
    "of",
    "everything",
    "not",
    "match",
];

/// Words after which a name is meant, even one that is spelled like a statement.
const NAME_FOLLOWS: &[&str] = &[
    "as", "from", "detour", "end", "agent", "return", "of", "means", "before", "in", "and", "or", "not",
    "match", "private",
];

impl Body {
    /// The words that may begin what stands here.
    pub(crate) fn words(self) -> Vec<&'static str> {
        let lists: &[&[&'static str]] = match self {
            Self::File => &[ITEMS],
            Self::Members => &[MEMBERS, GROUPS],
            Self::Node => &[STEPS, ROUTES, TALK, GROUPS],
            Self::Routes => &[ROUTES],
            Self::Steps => &[STEPS],
            Self::Hook => &[STEPS, &["if"]],
            Self::Test => &[TEST_LINES],
            Self::Review => &[&["score"]],
            _ => &[],
        };
        lists.iter().flat_map(|l| l.iter().copied()).collect()
    }

    /// Whether it is a list of statements, each with a word of its own.
    fn has_statements(self) -> bool {
        matches!(
            self,
            Self::File
                | Self::Members
                | Self::Node
                | Self::Routes
                | Self::Steps
                | Self::Hook
                | Self::Test
                | Self::Review
        )
    }
}

/// The file cut before every item in column 0, whatever braces are open there.
pub(crate) fn hard_items(units: &Units<'_>) -> Vec<Range<usize>> {
    let mut starts: Vec<usize> = (0..units.len()).filter(|i| opens_item_in_column_0(units, *i)).collect();
    if starts.first() != Some(&0) {
        starts.insert(0, 0);
    }
    starts.push(units.len());
    starts.windows(2).filter_map(|w| Some(*w.first()?..*w.get(1)?)).collect()
}

fn opens_item_in_column_0(units: &Units<'_>, index: usize) -> bool {
    let Some(unit) = units.get(index) else { return false };
    if !unit.is_first || unit.indent > 0 {
        return false;
    }
    match units.word(index) {
        // These are members of agents too.
        "" | "knowledge" | "anywhere" => false,
        "import" => units.kind(index + 1) == SyntaxKind::LeftBrace,
        "test" => units.kind(index + 1) == SyntaxKind::StringStart,
        word => {
            ITEMS.contains(&word)
                && (units.kind(index + 1) == SyntaxKind::Ident
                    || units.kind(index + 1) == SyntaxKind::LeftBrace)
        }
    }
}

/// The pieces of a body: each begins where a statement seems to begin.
pub(crate) fn pieces(units: &Units<'_>, body: Body, inside: Range<usize>) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut first = inside.start;
    let mut index = inside.start;
    while index < inside.end {
        if index > first && begins(units, body, first, index) {
            pieces.push(first..index);
            first = index;
        }
        index = units.after(index).clamp(index + 1, inside.end.max(index + 1));
    }
    if first < inside.end {
        pieces.push(first..inside.end);
    }
    pieces
}

/// Whether a statement seems to begin here, whatever stands around: its word, and what must follow that word.
pub(crate) fn opens_statement(units: &Units<'_>, index: usize) -> bool {
    let Some(unit) = units.get(index) else { return false };
    unit.is_first && is_statement_word(units.word(index)) && operand_follows(units, index)
}

/// The last unit of a line that should open a body and has no brace at its end, if the next line is indented further.
pub(crate) fn head_without_brace(units: &Units<'_>, index: usize) -> Option<usize> {
    let opens = match units.word(index) {
        "node" | "agent" | "flow" | "webhook" | "review" | "type" | "enum" | "tool" | "phrase" | "mcp"
        | "knowledge" => units.kind(index + 1) == SyntaxKind::Ident,
        "test" => units.kind(index + 1) == SyntaxKind::StringStart,
        "before" => units.word(index + 1) == "call",
        "anywhere" => true,
        word => GROUPS.contains(&word),
    };
    let head = units.get(index).filter(|_| opens)?;
    let next = (index + 1..index + 64).find(|i| units.get(*i).is_none_or(|u| u.is_first))?;
    let has_brace = (index..next).any(|i| units.kind(i) == SyntaxKind::LeftBrace);
    (!has_brace && units.get(next).is_some_and(|u| u.indent > head.indent)).then(|| next - 1)
}

fn is_statement_word(word: &str) -> bool {
    [MEMBERS, GROUPS, STEPS, ROUTES, TALK, TEST_LINES, ITEMS].iter().any(|list| list.contains(&word))
        || word == "score"
}

/// Whether what comes after a word is what comes after the word of a statement, not after a name.
fn operand_follows(units: &Units<'_>, index: usize) -> bool {
    use SyntaxKind as K;
    let next = units.kind(index + 1);
    match units.word(index) {
        "hangs_up" => true,
        "next" | "else" => matches!(next, K::Arrow | K::LeftBrace) || next == K::Ident,
        "before" => units.word(index + 1) == "call",
        "anywhere" | "limits" | "turn" | "inbound" | "outbound" | "sound" => next == K::LeftBrace,
        _ => {
            matches!(
                next,
                K::Ident
                    | K::StringStart
                    | K::LeftBrace
                    | K::LeftParen
                    | K::LeftBracket
                    | K::Minus
                    | K::Plus
                    | K::Arrow
            ) || next.is_bad_token()
                || (K::Int..=K::Time).contains(&next)
        }
    }
}

/// Whether the piece that began at `first` ends before `index`.
fn begins(units: &Units<'_>, body: Body, first: usize, index: usize) -> bool {
    use SyntaxKind as K;
    let Some(unit) = units.get(index) else { return false };
    let before = units.kind(index - 1);
    // A closing bracket without its opening one stands for itself, and nothing belongs to it.
    if is_stray(units, index) || is_stray(units, index - 1) {
        return true;
    }
    if unit.kind != K::Ident {
        // A text that follows a block belongs to nothing before it.
        return unit.kind == K::StringStart && unit.is_first && before == K::RightBrace;
    }
    let next = units.kind(index + 1);
    match body {
        Body::Cases => return true,
        Body::Phrases => return matches!(before, K::StringStart | K::Comma),
        Body::Settings | Body::Fields | Body::Params => {
            return before == K::Comma
                || ends_value(before) && (matches!(next, K::Colon | K::Equals) || unit.is_first);
        }
        _ => {}
    }
    debug_assert!(body.has_statements());
    let word = units.word(index);
    let opening = units.word(first);
    if goes_on(units, first, index, opening, word) {
        return false;
    }
    if unit.is_first && is_statement_word(word) && operand_follows(units, index) {
        return true;
    }
    if !ends_value(before) && before != K::Comma {
        return false;
    }
    // `name: value`; but the colon after the name of a `var` belongs to the `var`.
    let declares = index == first + 1
        && matches!(
            opening,
            "when" | "var" | "input" | "score" | "const" | "set" | "on" | "if" | "next" | "else"
        );
    if next == K::Colon && !declares && before != K::Comma {
        return true;
    }
    if unit.is_first {
        return ends_value(before)
            && !NAME_FOLLOWS.contains(&units.word(index - 1))
            && (index > first + 1 || units.kind(first) != K::Ident)
            && !is_operator(next);
    }
    // On one line with what stands before it.
    index > first + 1
        && before != K::Comma
        && !NAME_FOLLOWS.contains(&units.word(index - 1))
        && body.words().contains(&word)
        && operand_follows(units, index)
}

/// Whether a word at the start of a statement belongs to the statement before it all the same.
fn goes_on(units: &Units<'_>, first: usize, index: usize, opening: &str, word: &str) -> bool {
    // Far from its start nothing belongs to a statement any more; and the search stays short.
    let has = |kind| index - first > 256 || (first..index).any(|i| units.kind(i) == kind);
    match word {
        "if" => {
            (matches!(opening, "when" | "on") && !has(SyntaxKind::Arrow) && !has(SyntaxKind::LeftBrace))
                || (opening == "webhook" && !has(SyntaxKind::LeftBrace))
                || (opening == "else" && index == first + 1)
        }
        "else" => opening == "always" && units.kind(index + 1) == SyntaxKind::StringStart,
        "on" => opening == "webhook" && index == first + 2,
        "call" => opening == "before" && index == first + 1,
        "before" => opening == "ensure" && units.word(index + 1) != "call",
        _ => CONTINUATIONS.contains(&word),
    }
}

/// A closing bracket without its opening one.
fn is_stray(units: &Units<'_>, index: usize) -> bool {
    units.get(index).is_some_and(|u| {
        !u.is_paired
            && matches!(u.kind, SyntaxKind::RightBrace | SyntaxKind::RightParen | SyntaxKind::RightBracket)
    })
}

/// Whether a value or a statement can end with it.
fn ends_value(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    (K::Ident..=K::Time).contains(&kind)
        || matches!(kind, K::StringStart | K::RightBrace | K::RightParen | K::RightBracket | K::Question)
        || kind.is_bad_token()
}

fn is_operator(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(kind, K::Dot | K::DotDot | K::Arrow | K::Question | K::QuestionQuestion)
        || (K::EqualsEquals..=K::Slash).contains(&kind)
}
