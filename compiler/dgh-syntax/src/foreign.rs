//! Near misses: what people write who know another language.
//!
//! Each gets a sentence of its own, and a fix where there is no doubt what was meant.

use std::ops::Range;

use dgh_diag::{Code, Span};

use crate::{SyntaxKind, complain::shown, error::SyntaxError, segment::Body, units::Units};

fn foreign(span: Span, message: impl Into<String>) -> SyntaxError {
    SyntaxError::new(Code::ForeignSyntax, span, message)
}

/// A statement whose first word is one of another language, and the word that was meant if the rest can be read so.
pub(crate) fn statement(
    units: &Units<'_>,
    body: Body,
    range: &Range<usize>,
) -> Option<(SyntaxError, Option<&'static str>)> {
    let first = range.start;
    let span = Span::new(units.start(first), units.end(first + 1));
    let word = units.word(first);
    // An enum case, a field, a key may be called anything.
    if units.kind(first + 1) == SyntaxKind::Colon && word != "case" && word != "default" {
        return None;
    }
    let (error, meant) = match word {
        "elif" | "elsif" | "elseif" => (
            foreign(span, format!("`{word}` is written `if` here"))
                .hint("The routes are looked at in their order, so each condition is an `if` of its own.")
                .safe_fix("Write `if`", span, "if"),
            Some("if"),
        ),
        "default" | "otherwise" => (
            foreign(span, format!("`{word}` is written `else` here"))
                .hint("The way on for all other cases is `else -> node`."),
            Some("else"),
        ),
        "switch" | "case" | "unless" => (
            foreign(span, format!("There is no `{word}` here"))
                .hint("Write one `if` for each case, and `else -> node` at the end; for a value, `match topic { sales -> 1, else -> 2 }`."),
            None,
        ),
        "while" | "for" | "foreach" | "loop" | "repeat" | "do" => (
            foreign(span, format!("There are no loops here, so no `{word}`"))
                .hint("To ask again, lead an arrow back to the node: `if slots.empty -> request`."),
            None,
        ),
        "function" | "func" | "fn" | "def" | "sub" | "class" | "struct" | "interface" => {
            let hint = match word {
                "class" | "struct" | "interface" => "A record is declared by `type Slot { at: datetime }`.",
                _ => "What is used in several places is a `flow name(…) -> Type { … }`; work done elsewhere is a `tool`.",
            };
            (foreign(span, format!("There is no `{word}` here")).hint(hint), None)
        }
        "let" | "val" | "dim" | "my" => (
            foreign(span, format!("There is no `{word}` here")).hint(
                "Declare a variable in the agent, `var topic: Topic \"What the call is about\"`, and change it by `set topic = sales`.",
            ),
            None,
        ),
        "state" | "step" | "stage" if matches!(body, Body::Members) => (
            foreign(span, format!("`{word}` is written `node` here")).unsafe_fix("Write `node`", span, "node"),
            Some("node"),
        ),
        "variable" | "slot" | "field" | "param" if matches!(body, Body::Members) => (
            foreign(span, format!("`{word}` is written `var` here")).unsafe_fix("Write `var`", span, "var"),
            Some("var"),
        ),
        "print" | "speak" | "echo" | "log" | "console" | "tts" | "message" if takes_steps(body) => (
            foreign(span, format!("`{word}` is written `say` here")).unsafe_fix("Write `say`", span, "say"),
            Some("say"),
        ),
        "goto" | "go" | "jump" | "transition" | "return" | "end" | "back" | "detour" if matches!(body, Body::Node) => (
            foreign(span, format!("`{word}` leads on, so it stands behind an arrow")).hint(match word {
                "end" => "Write `next -> end outcome`.",
                "back" => "Write `next -> back`.",
                "detour" => "Write `next -> detour node`.",
                "return" => "Write `next -> return value`.",
                _ => "Write `next -> node`.",
            }),
            None,
        ),
        "try" | "catch" | "except" | "finally" | "throw" | "raise" => (
            foreign(span, format!("There is no `{word}` here"))
                .hint("What to do when a call fails is said by `on error -> node`."),
            None,
        ),
        "async" | "await" => (
            foreign(span, format!("There is no `{word}` here")).hint("A `call` waits for its answer by itself."),
            None,
        ),
        "include" | "require" | "using" | "package" | "module" | "export" | "public" if body == Body::File => (
            foreign(span, format!("There is no `{word}` here")).hint("Names of another file come by `import { name } from \"./other.dgh\"`."),
            None,
        ),
        "campaign" if body == Body::File => (
            SyntaxError::new(Code::UnknownItem, span, "`campaign` is a reserved word: campaigns are no part of a program")
                .hint("A campaign is data; it is created where calls are placed, and names the agent."),
            None,
        ),
        _ => return None,
    };
    Some((error, meant))
}

fn takes_steps(body: Body) -> bool {
    matches!(body, Body::Node | Body::Steps | Body::Hook)
}

/// A mark or word of another language where the grammar stopped.
pub(crate) fn inside(units: &Units<'_>, body: Body, range: &Range<usize>, at: u32) -> Option<SyntaxError> {
    let index = units.list.partition_point(|u| u.start < at);
    let unit = units.get(index).filter(|_| index < range.end)?;
    let span = Span::new(unit.start, unit.end);
    let opening = units.word(range.start);
    let before = units.word(index.checked_sub(1)?);
    match unit.kind {
        SyntaxKind::Equals => equals(units, body, range, index, span, opening),
        SyntaxKind::Colon if matches!(opening, "set" | "mock" | "given" | "const") => Some(
            foreign(span, format!("`{opening}` gives a value with `=`")).safe_fix("Write `=`", span, "="),
        ),
        SyntaxKind::Colon if matches!(opening, "on" | "if" | "else" | "next") => {
            Some(foreign(span, "An arrow says where to go, not a colon").safe_fix("Write `->`", span, " ->"))
        }
        SyntaxKind::LeftBracket
            if units.kind(index + 1) == SyntaxKind::RightBracket && is_type_name(before) =>
        {
            let whole = Span::new(units.start(index - 1), units.end(index + 2));
            Some(list_type(whole, before))
        }
        SyntaxKind::Less if matches!(before, "List" | "Array" | "list") && opens_type(units, index) => {
            let whole = Span::new(units.start(index - 1), units.end(index + 3));
            Some(list_type(whole, units.word(index + 1)))
        }
        SyntaxKind::Greater
            if units.kind(index - 1) == SyntaxKind::Less && units.end(index) == units.start(index) =>
        {
            let both = Span::new(units.start(index - 1), span.end);
            Some(foreign(both, "`<>` is written `!=` here").safe_fix("Write `!=`", both, "!="))
        }
        SyntaxKind::LeftBracket if follows_value(units, index) => Some(
            foreign(span, "There are no indexes here")
                .hint("The first element of a list is `slots.first`, their number `slots.count`."),
        ),
        SyntaxKind::LeftBrace if units.kind(index + 1) == SyntaxKind::LeftBrace => Some(
            foreign(
                Span::new(unit.start, units.end(index + 2)),
                "`{{ }}` stands only inside a text in quotes",
            )
            .hint("Outside of texts a value is written as it is: `say welcome`, `set topic = sales`."),
        ),
        SyntaxKind::Ident => word(units, range, index, span, opening, before),
        SyntaxKind::StringStart if matches!(before, "like" | "unlike") => Some(
            SyntaxError::new(Code::Expected, span, format!("`{before}` is followed by a list of sentences"))
                .hint(format!("Write `{before} [\"…\", \"…\"]`."))
                .unsafe_fix("Make it a list", span, format!("[{}]", units.text(index))),
        ),
        SyntaxKind::Minus => name_with_a_dash(units, index),
        SyntaxKind::Plus if matches!(units.kind(index + 1), SyntaxKind::Int | SyntaxKind::BadNumber) => {
            let number = Span::new(unit.start, units.end(index + 2));
            let text = units.between(number.start, number.end);
            Some(SyntaxError::new(Code::BadLiteral, number, "Phone numbers stand in quotes").safe_fix(
                "Put it in quotes",
                number,
                format!("\"{text}\""),
            ))
        }
        _ => None,
    }
}

/// `Desk`, `text`: what may stand as an element of a list.
fn is_type_name(word: &str) -> bool {
    const OWN: &[&str] = &[
        "text", "bool", "int", "number", "money", "date", "time", "datetime", "duration", "phone", "email",
        "url",
    ];
    word.starts_with(|c: char| c.is_ascii_uppercase()) || OWN.contains(&word)
}

/// `List<Desk>`
fn opens_type(units: &Units<'_>, index: usize) -> bool {
    !units.word(index + 1).is_empty() && units.kind(index + 2) == SyntaxKind::Greater
}

fn list_type(span: Span, element: &str) -> SyntaxError {
    let own = format!("list<{element}>");
    foreign(span, format!("A list type is written `{own}`")).safe_fix(format!("Write `{own}`"), span, own)
}

/// `take-message`: no name, and no subtraction where a name is meant.
fn name_with_a_dash(units: &Units<'_>, index: usize) -> Option<SyntaxError> {
    let first = index.checked_sub(1)?;
    let touches = units.end(index) == units.start(index) && units.end(index + 1) == units.start(index + 1);
    if !touches || units.word(first).is_empty() || units.word(index + 1).is_empty() {
        return None;
    }
    let mut end = index + 2;
    while units.kind(end) == SyntaxKind::Minus
        && units.end(end) == units.start(end)
        && !units.word(end + 1).is_empty()
    {
        end += 2;
    }
    let span = Span::new(units.start(first), units.end(end));
    let name = units.between(span.start, span.end);
    let own = name.replace('-', "_");
    Some(
        SyntaxError::new(Code::BadName, span, format!("`{name}` is no name: names have no `-` in them"))
            .hint(format!("Call it `{own}`, here and wherever it is used."))
            .unsafe_fix(format!("Write `{own}`"), span, own),
    )
}

fn equals(
    units: &Units<'_>,
    body: Body,
    range: &Range<usize>,
    index: usize,
    span: Span,
    opening: &str,
) -> Option<SyntaxError> {
    if matches!(opening, "if" | "when" | "on" | "expect" | "ensure" | "always" | "webhook") {
        return Some(
            foreign(span, "Two values are compared by `==`; a single `=` gives a value to a variable")
                .safe_fix("Write `==`", span, "=="),
        );
    }
    let names_a_setting = index == range.start + 1
        && !matches!(body, Body::File | Body::Steps | Body::Hook | Body::Test | Body::Routes);
    if names_a_setting {
        let name = units.text(range.start);
        return Some(foreign(span, format!("A setting has a colon: `{name}: …`")).safe_fix(
            "Write `:`",
            Span::new(units.start(index - 1) + name.len() as u32, span.end),
            ":",
        ));
    }
    None
}

fn word(
    units: &Units<'_>,
    range: &Range<usize>,
    index: usize,
    span: Span,
    opening: &str,
    before: &str,
) -> Option<SyntaxError> {
    let text = units.text(index);
    if opening == "else" && text == "if" && index == range.start + 1 {
        let both = Span::new(units.start(range.start), span.end);
        return Some(
            foreign(both, "`else if` is written `if` here")
                .hint("The routes are looked at in their order, so each condition is an `if` of its own.")
                .safe_fix("Write `if`", both, "if"),
        );
    }
    if matches!(opening, "next" | "else") && index == range.start + 1 {
        return Some(
            SyntaxError::new(Code::Expected, span, format!("Expected `->` before {}", shown(text))).safe_fix(
                "Add `->`",
                Span::at(span.start),
                "-> ",
            ),
        );
    }
    if follows_number(units, index)
        && let Some(unit) = duration_unit(text)
    {
        let whole = Span::new(units.start(index - 1), span.end);
        let own = format!("{}{unit}", units.text(index - 1));
        return Some(
            SyntaxError::new(Code::BadLiteral, whole, format!("A duration has no space in it: `{own}`"))
                .safe_fix(format!("Write `{own}`"), whole, own),
        );
    }
    if before == "node" && index.checked_sub(2).is_some_and(|i| units.kind(i) == SyntaxKind::Arrow) {
        let both = Span::new(units.start(index - 1), span.end);
        return Some(foreign(both, format!("An arrow names the node alone: `-> {text}`")).safe_fix(
            "Remove `node`",
            Span::new(both.start, span.start),
            "",
        ));
    }
    if matches!(opening, "say" | "ask" | "tell" | "prompt") && index == range.start + 2 && !before.is_empty()
    {
        return Some(
            SyntaxError::new(
                Code::Expected,
                Span::new(units.start(index - 1), span.end),
                format!("Expected a text in quotes after `{opening}`"),
            )
            .hint(
                "Text for people stands in quotes; a name without quotes is that of a phrase or a variable.",
            ),
        );
    }
    let hint = match text {
        "not" if units.word(index + 1) == "in" => "Write `not` in front of it all: `not x in [a, b]`.",
        "is" | "equals" | "eq" => "Two values are compared by `==`: `topic == sales`.",
        "isnt" | "ne" => "Two values are told apart by `!=`: `topic != sales`.",
        "contains" | "includes" | "has" => "Whether a list holds a value is asked by `x in [a, b]`.",
        "then" => "The arrow says where to go: `if booked -> confirm`.",
        "to" if matches!(before, "go" | "goto" | "transfer" | "next") => {
            "The arrow says where to go: `next -> confirm`."
        }
        "between" => "A range is tested by `x in 1..5`.",
        "in" if before == "not" => "Write `not` in front of it all: `not x in [a, b]`.",
        _ if before == "not" && index > range.start + 1 && follows_value(units, index - 1) => {
            "Write `not` in front of it all: `not x in [a, b]`."
        }
        _ => return None,
    };
    Some(foreign(span, format!("`{text}` has no meaning here")).hint(hint))
}

/// The unit of a duration that a word means.
pub(crate) fn duration_unit(word: &str) -> Option<&'static str> {
    Some(match word {
        "s" | "sec" | "secs" | "second" | "seconds" | "S" => "s",
        "min" | "m" | "mins" | "minute" | "minutes" | "M" => "min",
        "h" | "hr" | "hrs" | "hour" | "hours" | "H" => "h",
        "d" | "day" | "days" | "D" => "d",
        "ms" | "msec" | "millis" | "milliseconds" | "MS" => "ms",
        _ => return None,
    })
}

fn follows_number(units: &Units<'_>, index: usize) -> bool {
    matches!(units.kind(index.wrapping_sub(1)), SyntaxKind::Int | SyntaxKind::Number)
}

/// Whether a value ends right before this unit.
fn follows_value(units: &Units<'_>, index: usize) -> bool {
    use SyntaxKind as K;
    let before = units.kind(index.saturating_sub(1));
    index > 0 && ((K::Ident..=K::Time).contains(&before) || matches!(before, K::RightParen | K::RightBracket))
}

/// `if open { hand_over }`: an arrow is missing, and what stands in the braces is where it leads.
pub(crate) fn join_targets(text: &str, errors: &mut Vec<SyntaxError>) {
    let between = |start: u32, end: u32| text.get(start as usize..end as usize).unwrap_or_default();
    let mut targets: Vec<(u32, Span, Span)> = Vec::new();
    for error in errors.iter().filter(|e| e.code == Code::MissingTarget) {
        let at = error.span.end;
        let inside = errors.iter().find(|e| {
            e.code == Code::UnknownStatement && e.span.start > at && between(at, e.span.start).trim() == "{"
        });
        let Some(inside) = inside else { continue };
        let behind = between(inside.span.end, text.len() as u32);
        let space = behind.len() - behind.trim_start().len();
        if behind.trim_start().starts_with('}') {
            let opening = at + between(at, inside.span.start).find('{').unwrap_or(0) as u32;
            let braces = Span::new(opening, inside.span.end + space as u32 + 1);
            targets.push((at, inside.span, braces));
        }
    }
    for (at, name, braces) in targets {
        errors.retain(|e| e.code != Code::UnknownStatement || e.span != name);
        if let Some(error) = errors.iter_mut().find(|e| e.code == Code::MissingTarget && e.span.end == at) {
            let target = format!("-> {}", between(name.start, name.end));
            error.hint = Some(format!("Lead it there with an arrow instead of braces: `{target}`."));
            *error = error.clone().unsafe_fix(format!("Write `{target}`"), braces, target);
        }
    }
}

/// A token that no program may hold.
pub(crate) fn token(text: &str, span: Span) -> SyntaxError {
    let written = |own: &str| {
        foreign(span, format!("`{text}` is written `{own}` here")).safe_fix(
            format!("Write `{own}`"),
            span,
            own,
        )
    };
    match text {
        "&&" => written("and"),
        "||" => written("or"),
        "!" => written("not").safe_fix("Write `not`", span, "not "),
        "=>" | "→" => written("->"),
        "===" => written("=="),
        "!==" => written("!="),
        ";" => foreign(span, "Statements do not end with `;` here").safe_fix("Remove it", span, ""),
        "++" | "--" | "+=" | "-=" | "*=" | "/=" => foreign(span, format!("There is no `{text}` here"))
            .hint("A variable gets its value by `set count = count + 1`."),
        "**" => foreign(span, "There is no `**` here").hint("Write the multiplication out."),
        _ => quoted_or_comment(text, span),
    }
}

fn quoted_or_comment(text: &str, span: Span) -> SyntaxError {
    let mut chars = text.chars();
    match chars.next() {
        Some('#') => foreign(span, "A comment begins with `//` here").safe_fix(
            "Write `//`",
            Span::new(span.start, span.start + 1),
            if text.starts_with("# ") { "//" } else { "// " },
        ),
        Some('/') => foreign(span, "A comment is written `// …`, line by line"),
        Some('\'' | '`' | '“') => {
            chars.next_back();
            let inner = chars.as_str();
            let error = foreign(span, "Texts stand in straight double quotes: `\"…\"`");
            if inner.contains(['"', '\\']) || inner.contains("{{") {
                error
            } else {
                error.safe_fix("Write `\"`", span, format!("\"{inner}\""))
            }
        }
        _ => SyntaxError::new(Code::StrayCharacter, span, format!("{} has no meaning here", shown(text))),
    }
}
