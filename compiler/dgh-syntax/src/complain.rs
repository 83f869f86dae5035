//! Words for what the grammar refuses.
//!
//! pest says where it got to and which rules it tried there; from that, and from what people who know other languages
//! write, comes a sentence that a conversation designer understands. No rule of the grammar is ever named.

use std::ops::Range;

use dgh_diag::{
    Code, Span,
    suggest::{any_of, closest},
};
use pest::error::{Error, ErrorVariant, InputLocation};

use crate::{
    SyntaxKind,
    advice::advice,
    error::SyntaxError,
    foreign,
    grammar::Rule,
    segment::{Body, GROUPS, ITEMS, MEMBERS, ROUTES, STEPS, TALK, TEST_LINES},
    units::{Unit, Units, is_opening},
};

/// Where pest got to, and what it tried there.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// Offset in the file.
    pub(crate) at: u32,
    expected: Vec<Rule>,
}

impl Refusal {
    /// `base` is the offset of the text that pest was given.
    pub(crate) fn new(error: &Error<Rule>, base: u32) -> Self {
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => base + at as u32,
        };
        let expected = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives.clone(),
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        Self { at, expected }
    }
}

/// Brackets without their partner.
pub(crate) fn brackets(units: &Units<'_>) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    // A bracket inside a string that was not closed in time is not seen: nothing is said about its partner.
    let mut swallowed = [('{', false), ('(', false), ('[', false)];
    for (index, unit) in units.list.iter().enumerate() {
        if unit.kind == SyntaxKind::StringStart && unit.is_bad {
            for (mark, found) in &mut swallowed {
                *found = *found || units.text(index).contains(*mark);
            }
        }
        if unit.is_paired || errors.len() > 100 {
            continue;
        }
        if is_opening(unit.kind) {
            if !swallows(units, index, unit) {
                errors.push(unclosed(units, index, unit));
            }
        } else if let Some(opening) = opening(unit.kind)
            && !swallowed.contains(&(opening, true))
        {
            errors.push(stray(units, unit));
        }
    }
    errors
}

fn opening(kind: SyntaxKind) -> Option<char> {
    match kind {
        SyntaxKind::RightBrace => Some('{'),
        SyntaxKind::RightParen => Some('('),
        SyntaxKind::RightBracket => Some('['),
        _ => None,
    }
}

/// Whether a string that is not closed inside a bracket holds what would have closed the bracket.
fn swallows(units: &Units<'_>, index: usize, unit: &Unit) -> bool {
    let closing = match unit.kind {
        SyntaxKind::LeftBrace => '}',
        SyntaxKind::LeftParen => ')',
        _ => ']',
    };
    (index + 1..unit.inside_end.min(index + 2_000)).any(|i| {
        units.get(i).is_some_and(|u| u.is_bad && u.kind == SyntaxKind::StringStart)
            && units.text(i).contains(closing)
    })
}

fn unclosed(units: &Units<'_>, index: usize, unit: &Unit) -> SyntaxError {
    let (mark, closing) = match unit.kind {
        SyntaxKind::LeftBrace => ("{", "}"),
        SyntaxKind::LeftParen => ("(", ")"),
        _ => ("[", "]"),
    };
    let next = units.word(unit.inside_end);
    let end = units.end(unit.inside_end);
    let hint = if unit.inside_end > index + 1 && !next.is_empty() {
        format!("Put a `{closing}` before `{next}` further down.")
    } else {
        format!("Put a `{closing}` where it ends.")
    };
    SyntaxError::new(
        Code::UnclosedBrace,
        Span::new(unit.start, unit.end),
        format!("This `{mark}` is never closed"),
    )
    .label("opened here")
    .hint(hint)
    .unsafe_fix(format!("Add `{closing}`"), Span::at(end), closing)
}

fn stray(units: &Units<'_>, unit: &Unit) -> SyntaxError {
    let mark = units.between(unit.start, unit.end);
    let span = Span::new(unit.start, unit.end);
    SyntaxError::new(Code::StrayClosing, span, format!("This `{mark}` closes nothing"))
        .hint("Remove it, or add the bracket that it should close.")
        .unsafe_fix(format!("Remove `{mark}`"), span, "")
}

/// A line that should open a body, and a body that follows all the same.
pub(crate) fn missing_brace(units: &Units<'_>, last: usize) -> SyntaxError {
    let end = units.end(last + 1);
    SyntaxError::new(
        Code::MissingPart,
        Span::at(end),
        format!("Expected `{{` after {}", shown(units.text(last))),
    )
    .label("something is missing here")
    .safe_fix("Add `{`", Span::at(end), " {")
}

/// `dgh` without its number.
pub(crate) fn edition(units: &Units<'_>, range: Range<usize>) -> SyntaxError {
    let span = Span::new(units.start(range.start), units.end(range.end));
    SyntaxError::new(
        Code::UnknownEdition,
        span,
        "`dgh` is followed by the number of an edition, and there is only edition 1",
    )
    .hint("Write `dgh 1`.")
    .unsafe_fix("Write `dgh 1`", span, "dgh 1")
}

/// A statement whose first word is none that may stand here, and the word that was meant if that is clear.
pub(crate) fn no_such_statement(
    units: &Units<'_>,
    body: Body,
    range: Range<usize>,
) -> (SyntaxError, Option<&'static str>) {
    let span = Span::new(units.start(range.start), units.end(range.start + 1));
    let word = units.word(range.start);
    let next = units.kind(range.start + 1);
    if let Some(found) = foreign::statement(units, body, &range) {
        return found;
    }
    if word.is_empty() {
        return (not_a_word(units, body, range.start, span), None);
    }
    if let Some(home) = home(word).filter(|_| next != SyntaxKind::Colon) {
        let error =
            SyntaxError::new(Code::UnknownStatement, span, format!("`{word}` cannot stand {}", place(body)))
                .label(format!("it belongs {home}"))
                .hint(format!("Move it: `{word}` stands {home}."));
        return (error, None);
    }
    if next == SyntaxKind::Colon {
        let error = SyntaxError::new(Code::UnknownStatement, span, format!("A setting cannot stand {}", place(body)))
            .hint("Settings like this one stand directly in an agent, in a group such as `limits { … }`, or in a node.");
        return (error, None);
    }
    let words = body.words();
    let meant = closest(word, words.iter().copied()).and_then(|w| words.iter().copied().find(|x| *x == w));
    let opens_group = next == SyntaxKind::LeftBrace && matches!(body, Body::Members | Body::Node);
    let (code, message) = match body {
        Body::File => (Code::UnknownItem, format!("There is no kind of item called `{word}`")),
        _ if opens_group => (Code::UnknownGroup, format!("There is no group of settings called `{word}`")),
        _ => (Code::UnknownStatement, format!("There is no statement `{word}` {}", place(body))),
    };
    let mut error = SyntaxError::new(code, span, message);
    if let Some(meant) = meant {
        error = error.hint(format!("Did you mean `{meant}`?")).unsafe_fix(
            format!("Change it to `{meant}`"),
            span,
            meant,
        );
    } else if opens_group {
        error = error.hint(format!("The groups are {}.", all(GROUPS)));
    } else {
        error = error.hint(format!("Here can stand {}.", all(&words)));
    }
    (error, meant)
}

fn all(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    any_of(&quoted)
}

/// Where a body is, after "cannot stand".
fn place(body: Body) -> &'static str {
    match body {
        Body::File => "outside of an agent",
        Body::Members => "directly in an agent or flow",
        Body::Node => "in a node",
        Body::Routes => "in `anywhere`",
        Body::Steps => "in the steps of an arrow",
        Body::Hook => "in `before call`",
        Body::Test => "in a test",
        Body::Review => "in a review",
        Body::Settings | Body::Params => "among settings",
        Body::Fields => "in a type",
        Body::Cases => "in an enum",
        Body::Phrases => "in a phrase",
    }
}

/// Where a word belongs, after "stands".
fn home(word: &str) -> Option<&'static str> {
    let homes: &[(&[&str], &str)] = &[
        (STEPS, "in a node, or in the `{ }` of an arrow"),
        (ROUTES, "in a node or in `anywhere`"),
        (TALK, "in a node"),
        (GROUPS, "directly in an agent"),
        (MEMBERS, "directly in an agent or flow"),
        (TEST_LINES, "in a `test`"),
        (ITEMS, "at the top of the file, outside of any agent"),
        (&["score"], "in a `review`"),
    ];
    homes.iter().find(|(words, _)| words.contains(&word)).map(|(_, home)| *home)
}

fn takes_steps(body: Body) -> bool {
    matches!(body, Body::Node | Body::Steps | Body::Hook)
}

fn not_a_word(units: &Units<'_>, body: Body, index: usize, span: Span) -> SyntaxError {
    let found = shown(units.text(index));
    if units.kind(index) == SyntaxKind::StringStart && takes_steps(body) {
        return SyntaxError::new(
            Code::UnknownStatement,
            span,
            "This text stands alone, without a word that says what to do with it",
        )
        .hint("Write `say` before it for exact words, or `tell` for an instruction.")
        .unsafe_fix("Say it", Span::at(span.start), "say ");
    }
    SyntaxError::new(Code::Expected, span, format!("A statement cannot begin with {found}")).hint(format!(
        "Every statement begins with a word; {} that is {}.",
        place(body),
        all(&body.words())
    ))
}

/// A statement that the grammar refuses somewhere.
pub(crate) fn refused(units: &Units<'_>, body: Body, range: Range<usize>, refusal: &Refusal) -> SyntaxError {
    if let Some(error) = foreign::inside(units, body, &range, refusal.at) {
        return error;
    }
    let end = units.end(range.end);
    let found = Found::at(units, refusal.at, end);
    if let Some(error) = missing_comma(units, &found, &refusal.expected) {
        return error;
    }
    if let Some(error) = choice(units, &found) {
        return error;
    }
    if let Some(error) = other_statement(units, body, &range, &found) {
        return error;
    }
    let mut words = words(&refusal.expected);
    // Any word could be the name of a setting; but this one has a meaning of its own.
    if units.tokens.before(found.span.start.max(1)).map(|i| units.tokens.span(i).start)
        == Some(units.start(range.start))
        && body.words().contains(&units.word(range.start))
        && words.len() > 1
    {
        words.retain(|w| w != "`:`");
    }
    if let Some(what) = named(units.word(range.start)) {
        words.iter_mut().filter(|w| *w == "a name").for_each(|w| *w = what.to_owned());
    }
    let after = found.after(units);
    if words.is_empty() {
        return belongs_nowhere(units, &found, body);
    }
    let expected = any_of(&words);
    match found.text {
        None => SyntaxError::new(Code::MissingPart, found.span, format!("Expected {expected}{after}"))
            .label("something is missing here")
            .hint_if(advice(units, &range)),
        Some(text) => SyntaxError::new(
            Code::Expected,
            found.span,
            format!("Expected {expected}{after}, but found {}", shown(text)),
        )
        .label(format!("expected {expected}"))
        .hint_if(advice(units, &range)),
    }
}

/// `open ? "a" : "b"`
fn choice(units: &Units<'_>, found: &Found<'_>) -> Option<SyntaxError> {
    found.text?;
    let before = units.tokens.before(found.span.start)?;
    if units.tokens.kind(before) != SyntaxKind::Question {
        return None;
    }
    let behind = units.between(found.span.start, units.text.len() as u32);
    let line = behind.lines().next().unwrap_or_default();
    line.contains(':').then(|| {
        SyntaxError::new(
            Code::ForeignSyntax,
            units.tokens.span(before),
            "There is no `a ? b : c` here",
        )
        .hint("A value by cases is `match topic { sales -> \"a\", else -> \"b\" }`, set before it is used: `set word = match …`.")
    })
}

/// A line of its own that begins with a slip of the keyboard.
fn other_statement(
    units: &Units<'_>,
    body: Body,
    range: &Range<usize>,
    found: &Found<'_>,
) -> Option<SyntaxError> {
    let index = units.list.partition_point(|u| u.start < found.span.start);
    let unit = units.get(index)?;
    let word = units.word(index);
    let words = body.words();
    if index <= range.start || !unit.is_first || word.is_empty() || words.contains(&word) {
        return None;
    }
    let meant = closest(word, words.iter().copied())?;
    Some(
        SyntaxError::new(
            Code::UnknownStatement,
            found.span,
            format!("There is no statement `{word}` {}", place(body)),
        )
        .hint(format!("Did you mean `{meant}`?"))
        .unsafe_fix(format!("Change it to `{meant}`"), found.span, meant),
    )
}

/// What the names in a statement are names of.
fn named(opening: &str) -> Option<&'static str> {
    Some(match opening {
        "start" | "next" | "else" | "moved" => "the name of a node",
        "collect" | "note" | "set" | "clear" => "the name of a variable",
        "use" => "the name of a tool",
        "when" => "a label",
        "on" => "an event",
        "outcome" => "the name of an outcome",
        _ => return None,
    })
}

/// A whole statement, and then something more.
pub(crate) fn refused_after(
    units: &Units<'_>,
    body: Body,
    statement: Range<usize>,
    range: Range<usize>,
    refusal: &Refusal,
) -> SyntaxError {
    let rest = units.start(statement.end);
    // The furthest place that was reached says more than the end of what was whole.
    if refusal.at > rest {
        return refused(units, body, range, refusal);
    }
    if let Some(error) = foreign::inside(units, body, &range, rest) {
        return error;
    }
    let found = Found::at(units, rest, units.end(range.end));
    if units.kind(statement.end) == SyntaxKind::StringStart
        && units.get(statement.end).is_some_and(|u| u.is_first)
        && takes_steps(body)
    {
        return not_a_word(units, body, statement.end, found.span);
    }
    if units.kind(statement.end) == SyntaxKind::Comma {
        return SyntaxError::new(
            Code::Expected,
            found.span,
            "Nothing follows this comma that it could belong to",
        )
        .hint("Remove it, or go on with the list.")
        .safe_fix("Remove it", found.span, "");
    }
    if refusal.at == rest
        && let Some(error) = missing_comma(units, &found, &refusal.expected)
    {
        return error;
    }
    let words = words(&refusal.expected);
    let mut error = belongs_nowhere(units, &found, body);
    if !words.is_empty() {
        error = error.label(format!("expected {}, or the next statement", any_of(&words)));
    }
    error.hint_if(advice(units, &range))
}

/// Two things of a list with nothing between them.
fn missing_comma(units: &Units<'_>, found: &Found<'_>, expected: &[Rule]) -> Option<SyntaxError> {
    let text = found.text?;
    let index = units.tokens.index_at(found.span.start);
    let before = units.tokens.before(found.span.start)?;
    let same_line = !units.between(units.tokens.end(before), found.span.start).contains('\n');
    let in_brackets = expected.contains(&Rule::comma)
        && expected.iter().any(|r| matches!(r, Rule::right_paren | Rule::right_bracket));
    let in_a_list = expected.contains(&Rule::list_comma) && same_line;
    let is_a_thing = matches!(
        units.tokens.kind(index),
        SyntaxKind::Ident | SyntaxKind::StringStart | SyntaxKind::LeftBrace | SyntaxKind::LeftBracket
    ) || (SyntaxKind::Int..=SyntaxKind::Time).contains(&units.tokens.kind(index));
    if !is_a_thing || !(in_brackets || in_a_list) {
        return None;
    }
    Some(
        SyntaxError::new(Code::Expected, found.span, format!("Expected a comma before {}", shown(text)))
            .label("another one of the list")
            .unsafe_fix("Add the comma", Span::at(units.tokens.end(before)), ","),
    )
}

/// What stands behind the closing brace of a statement.
pub(crate) fn leftover(units: &Units<'_>, body: Body, range: Range<usize>) -> SyntaxError {
    if let Some(error) = foreign::inside(units, body, &range, units.start(range.start)) {
        return error;
    }
    let found = Found::at(units, units.start(range.start), units.end(range.end));
    belongs_nowhere(units, &found, body)
}

fn belongs_nowhere(units: &Units<'_>, found: &Found<'_>, body: Body) -> SyntaxError {
    let what = found.text.map_or_else(|| "the end".to_owned(), shown);
    let after = found.after(units);
    SyntaxError::new(Code::Expected, found.span, format!("{what} does not belong{after} {}", place(body)))
}

/// What stands where the grammar stopped.
struct Found<'t> {
    span: Span,
    /// None at the end of the statement.
    text: Option<&'t str>,
}

impl<'t> Found<'t> {
    fn at(units: &Units<'t>, at: u32, end: u32) -> Self {
        let tokens = units.tokens;
        let mut index = tokens.index_at(at);
        while tokens.kind(index).is_trivia() && index < tokens.list.len() {
            index += 1;
        }
        let span = tokens.span(index);
        if span.start >= end || index >= tokens.list.len() {
            return Self { span: tokens.end_before(end), text: None };
        }
        if tokens.kind(index) == SyntaxKind::StringStart {
            // The whole string, if it is in no other.
            let unit = units.list.partition_point(|u| u.start < span.start);
            if let Some(unit) = units.get(unit).filter(|u| u.start == span.start) {
                return Self {
                    span: Span::new(unit.start, unit.end),
                    text: Some(units.between(unit.start, unit.end)),
                };
            }
        }
        Self { span, text: Some(units.between(span.start, span.end)) }
    }

    /// " after `…`", naming what stands before.
    fn after(&self, units: &Units<'_>) -> String {
        match units.tokens.before(self.span.start.max(1)) {
            Some(index) if self.span.start > 0 => {
                let text = units.tokens.text(units.text, index);
                let is_mark =
                    matches!(units.tokens.kind(index), SyntaxKind::StringEnd | SyntaxKind::StringText);
                if is_mark || text.len() > 24 {
                    " after this text".to_owned()
                } else {
                    format!(" after `{text}`")
                }
            }
            _ => String::new(),
        }
    }
}

/// A piece of the program as part of a sentence.
pub(crate) fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() > 24 || line.len() < text.trim_end().len() {
        let start: String = line.chars().take(20).collect();
        return format!("`{start}…`");
    }
    format!("`{line}`")
}

/// What was expected, in words, without repetition.
fn words(expected: &[Rule]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for rule in expected {
        if let Some(word) = word(*rule)
            && !words.contains(&word)
        {
            words.push(word);
        }
    }
    // Where a node may stand, what else a target can be is said by the hint.
    if expected.iter().any(|r| matches!(r, Rule::goto | Rule::back | Rule::kw_back)) {
        return vec!["the name of a node".to_owned()];
    }
    // A text or a name is a value too.
    if words.iter().any(|w| w == "a value") {
        words.retain(|w| {
            !matches!(w.as_str(), "a text in quotes" | "a name" | "`{`" | "`(`" | "`[`" | "`match`")
        });
    }
    words
}

fn word(rule: Rule) -> Option<String> {
    let text = match rule {
        Rule::expr
        | Rule::subject
        | Rule::literal
        | Rule::list
        | Rule::record
        | Rule::paren
        | Rule::match_value
        | Rule::name_expr
        | Rule::quantity
        | Rule::plain_number
        | Rule::kw_true
        | Rule::kw_false
        | Rule::kw_none => "a value",
        Rule::line_string | Rule::block_string | Rule::open_quote | Rule::open_triple => "a text in quotes",
        Rule::quote | Rule::triple_quote => "a closing quote",
        Rule::name | Rule::name_ref | Rule::path | Rule::sink => "a name",
        Rule::type_name => "a name that starts with a capital letter",
        Rule::type_ref | Rule::type_list | Rule::type_named | Rule::type_range | Rule::kw_list => "a type",
        Rule::int => "a whole number",
        Rule::event => "an event",
        Rule::config | Rule::block | Rule::left_brace => "`{`",
        Rule::right_brace => "`}`",
        Rule::params | Rule::left_paren => "`(`",
        Rule::right_paren => "`)`",
        Rule::left_bracket => "`[`",
        Rule::right_bracket => "`]`",
        Rule::left_angle => "`<`",
        Rule::right_angle => "`>`",
        Rule::colon => "`:`",
        Rule::comma | Rule::list_comma => "`,`",
        Rule::dot_dot => "`..`",
        Rule::arrow | Rule::open_arrow | Rule::result => "`->`",
        Rule::equals | Rule::default => "`=`",
        Rule::close => "`}}`",
        Rule::format => "`as`",
        Rule::binding => "`as`",
        Rule::guard => "`if`",
        Rule::like => "`like`",
        Rule::unlike => "`unlike`",
        Rule::from => "`from`",
        Rule::means => "`means`",
        Rule::of_agent => "`of`",
        Rule::at_least => "`at_least`",
        Rule::everything => "`everything`",
        Rule::setting => "a setting such as `timeout: 4s`",
        Rule::field => "a field such as `name: text`",
        Rule::param => "a parameter such as `day: date`",
        Rule::enum_case => "the name of a case",
        Rule::phrase_entry | Rule::language_tag => "a language and a text, such as `en \"Hello\"`",
        Rule::record_field => "a field such as `name: value`",
        Rule::given_value => "a name and its value, such as `lead_id = \"L1\"`",
        Rule::arg => "a value",
        Rule::match_arm => "an arm such as `sales -> \"+14155550100\"`",
        _ => return keyword(rule),
    };
    Some(text.to_owned())
}

/// The word of a keyword's rule. What may follow nearly everything — operators, `?`, `.` — is left out: it would be
/// listed everywhere and help nowhere.
fn keyword(rule: Rule) -> Option<String> {
    if matches!(rule, Rule::kw_not) {
        return None;
    }
    let name = format!("{rule:?}");
    name.strip_prefix("kw_").map(|word| format!("`{word}`"))
}
