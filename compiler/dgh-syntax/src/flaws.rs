//! Words for what the tokens alone show to be wrong.

use std::collections::HashSet;

use dgh_diag::{Code, Span};

use crate::{
    MAX_LEN, SyntaxKind,
    error::SyntaxError,
    foreign,
    recover::MAX_ERRORS,
    token::{Flaw, FlawKind, Tokens},
};

/// One error for each flaw.
pub(crate) fn errors(text: &str, tokens: &Tokens) -> Vec<SyntaxError> {
    let mut words = HashSet::new();
    let mut is_new = |error: &SyntaxError| {
        let word = text.get(error.span.start as usize..error.span.end as usize).unwrap_or_default();
        // A name that cannot be one is told where it stands first.
        error.code != Code::BadName || words.insert(word)
    };
    let flaws = tokens.flaws.iter().take(MAX_ERRORS);
    flaws.map(|flaw| error(text, tokens, flaw)).filter(|error| is_new(error)).collect()
}

/// Bytes that are no UTF-8.
pub(crate) fn not_utf8(span: Span) -> SyntaxError {
    SyntaxError::new(Code::NotUtf8, span, "The file is not UTF-8 text from here on")
        .hint("Save it again with the encoding UTF-8.")
}

/// A text past the limit.
pub(crate) fn too_large(len: usize) -> SyntaxError {
    let mib = MAX_LEN >> 20;
    SyntaxError::new(
        Code::FileTooLarge,
        Span::at(0),
        format!("The file has {len} bytes, and {mib} MiB is the most that is read"),
    )
    .hint("Split it, and `import` one part from the other.")
}

/// Nesting past the limit.
pub(crate) fn too_deep(span: Span) -> SyntaxError {
    SyntaxError::new(Code::TooDeep, span, "This is nested too deeply")
        .label(format!("past {} levels", crate::NESTING))
        .hint("Take the inner part out, into a `const`, a flow or a node of its own.")
}

fn error(text: &str, tokens: &Tokens, flaw: &Flaw) -> SyntaxError {
    let span = Span::new(flaw.start, flaw.end);
    let found = text.get(flaw.start as usize..flaw.end as usize).unwrap_or_default();
    match flaw.kind {
        FlawKind::UnclosedLine => {
            SyntaxError::new(Code::UnclosedString, span, "This text has no closing quote on its line")
                .hint("Put a `\"` at its end, or write a text of many lines between `\"\"\"` and `\"\"\"`.")
        }
        FlawKind::UnclosedBlock => SyntaxError::new(
            Code::UnclosedString,
            Span::new(flaw.start, flaw.start + 3),
            "This text is never closed",
        )
        .label("opened here")
        .hint("Put `\"\"\"` after its last line."),
        FlawKind::UnclosedInterpolation => SyntaxError::new(
            Code::UnclosedInterpolation,
            Span::new(flaw.start, flaw.start + 2),
            "This `{{` has no `}}`",
        )
        .label("opened here")
        .hint("Put `}}` after the value: `{{ first_name }}`. For two braces as they are, write `\\{{`."),
        FlawKind::BadEscape => SyntaxError::new(Code::BadEscape, span, format!("`{found}` is no escape"))
            .hint("There are `\\n` (new line), `\\t` (tab), `\\\"`, `\\\\` and `\\{`. For a backslash as it is, write `\\\\`."),
        FlawKind::Nul => SyntaxError::new(Code::StrayCharacter, span, "There is a NUL character in this text")
            .hint("The file may have been saved in another encoding; save it as UTF-8."),
        FlawKind::BadToken => {
            let kind = tokens.kind(tokens.index_at(flaw.start + 1).saturating_sub(1));
            let behind = text.get(flaw.end as usize..).unwrap_or_default();
            with_neighbours(kind, found, span, behind).unwrap_or_else(|| bad_token(kind, found, span))
        }
    }
}

/// What the text behind a mark shows to be meant by it.
fn with_neighbours(kind: SyntaxKind, found: &str, span: Span, behind: &str) -> Option<SyntaxError> {
    let foreign = |span, message: &str| SyntaxError::new(Code::ForeignSyntax, span, message);
    match (kind, found) {
        (SyntaxKind::Unknown, "–" | "—") if behind.starts_with('>') => {
            let both = Span::new(span.start, span.end + 1);
            Some(foreign(both, "An arrow is a hyphen and `>`").safe_fix("Write `->`", both, "->"))
        }
        (SyntaxKind::Unknown, "$") => {
            let digits =
                behind.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(behind.len());
            let number = behind.get(..digits).filter(|n| n.starts_with(|c: char| c.is_ascii_digit()))?;
            let whole = Span::new(span.start, span.end + digits as u32);
            let own = format!("{number} USD");
            Some(
                foreign(whole, "An amount has its currency behind it, in three letters")
                    .hint(format!("It is written `{own}`."))
                    .unsafe_fix(format!("Write `{own}`"), whole, own),
            )
        }
        (SyntaxKind::Unknown, "|") => {
            Some(SyntaxError::new(Code::StrayCharacter, span, "A single `|` has no meaning here").hint(
                "What stands in for a missing value is written `customer ?? \"there\"`; \"either\" is `or`.",
            ))
        }
        (SyntaxKind::Foreign, "||") if behind.trim_start().starts_with('"') => {
            Some(foreign(span, "What stands in for a missing value is written behind `??` here").safe_fix(
                "Write `??`",
                span,
                "??",
            ))
        }
        _ => None,
    }
}

fn bad_token(kind: SyntaxKind, found: &str, span: Span) -> SyntaxError {
    match kind {
        SyntaxKind::Foreign => foreign::token(found, span),
        SyntaxKind::BadWord => SyntaxError::new(
            Code::BadName,
            span,
            format!("`{found}` has letters that names cannot have"),
        )
        .hint("Names have the letters a to z, digits and `_`. Text for people, in any language, stands in quotes."),
        SyntaxKind::Unknown => stray(found, span),
        _ => bad_literal(kind, found, span),
    }
}

fn stray(found: &str, span: Span) -> SyntaxError {
    let first = found.chars().next().unwrap_or(' ');
    let error = |message: String| SyntaxError::new(Code::StrayCharacter, span, message);
    match first {
        '\0' => error("There is a NUL character here".to_owned())
            .hint("The file may have been saved in another encoding; save it as UTF-8."),
        '\u{A0}' | '\u{2000}'..='\u{200B}' | '\u{202F}' | '\u{3000}' | '\u{FEFF}' => {
            error("There is a character here that looks like a space and is none".to_owned())
                .hint("It often comes with text copied from a web page or a word processor.")
                .safe_fix("Put a space", span, " ")
        }
        '“' | '”' | '„' | '‘' | '’' | '«' | '»' => {
            error(format!("`{first}` is no quote that a program knows"))
                .hint("Texts stand in straight double quotes: `\"…\"`.")
        }
        '\'' => error("A single `'` has no meaning here".to_owned())
            .hint("Texts stand in straight double quotes: `\"…\"`."),
        '"' => error("There are no texts in three quotes inside `{{ }}`".to_owned())
            .hint("Write a text in one pair of quotes there."),
        '$' => error("`$` has no meaning here".to_owned())
            .hint("A value inside a text is written `{{ name }}`, outside of texts just `name`."),
        '@' => error("`@` has no meaning here".to_owned()).hint("Addresses and numbers stand in quotes."),
        '&' => error("A single `&` has no meaning here".to_owned()).hint("\"Both\" is `and`."),
        '#' => error("There are no comments inside `{{ }}`".to_owned()),
        '\\' => error("`\\` has a meaning only inside texts".to_owned())
            .hint("A statement needs nothing to go on in the next line."),
        c if c.is_control() => {
            error(format!("There is a control character here (U+{:04X})", u32::from(c))).hint("Remove it.")
        }
        _ => error(format!("{} has no meaning here", crate::complain::shown(found)))
            .hint("Text for people stands in quotes."),
    }
}

fn bad_literal(kind: SyntaxKind, found: &str, span: Span) -> SyntaxError {
    let error =
        |message: String, hint: &str| SyntaxError::new(Code::BadLiteral, span, message).hint(hint.to_owned());
    match kind {
        SyntaxKind::Date | SyntaxKind::DateTime => error(
            format!("There is no such date as `{found}`"),
            "A date is year, month and day: `2026-03-01`.",
        ),
        SyntaxKind::Time => {
            error(format!("There is no such time as `{found}`"), "Times go from `0:00` to `23:59`.")
        }
        SyntaxKind::Duration => error(
            format!("`{found}` is no duration that can be kept"),
            "A duration is a number of `ms`, `s`, `min`, `h` or `d`, in whole milliseconds.",
        ),
        SyntaxKind::Int | SyntaxKind::Number | SyntaxKind::Percent => error(
            format!("`{found}` is too long a number"),
            "Whole numbers have up to 18 digits, others up to 28.",
        ),
        _ if found.matches('-').count() == 2 => error(
            format!("`{found}` is no date"),
            "A date has two digits for month and day: `2026-03-01`, with a time `2026-03-01T10:00`.",
        ),
        _ if found.contains(':') => error(
            format!("`{found}` is no time"),
            "A time has two digits after the colon, and 24 hours: `9:00`, `17:30`.",
        ),
        _ => bad_unit(found, span),
    }
}

/// Digits with letters behind them.
fn bad_unit(found: &str, span: Span) -> SyntaxError {
    let digits = found.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(found.len());
    let (number, unit) = found.split_at_checked(digits).unwrap_or((found, ""));
    let error = SyntaxError::new(Code::BadLiteral, span, format!("`{found}` is no number and no duration"));
    let own = match unit {
        "am" | "pm" | "AM" | "PM" => return clock(found, number, unit, span),
        _ if foreign::duration_unit(unit).is_some() => foreign::duration_unit(unit).unwrap_or_default(),
        _ if unit.len() == 3 && unit.bytes().all(|b| b.is_ascii_uppercase()) => {
            return error.hint("An amount has a space before its currency.").safe_fix(
                "Add the space",
                span,
                format!("{number} {unit}"),
            );
        }
        _ => return error.hint("Durations end in `ms`, `s`, `min`, `h` or `d`: `700ms`, `6min`."),
    };
    let fixed = format!("{number}{own}");
    error.hint(format!("It is written `{fixed}`.")).safe_fix(format!("Write `{fixed}`"), span, fixed)
}

/// `9am`: a time as it is said.
fn clock(found: &str, number: &str, half: &str, span: Span) -> SyntaxError {
    let error = SyntaxError::new(
        Code::BadLiteral,
        span,
        format!("`{found}` is written with hours from 0 to 23 here"),
    );
    let Some(hour) = number.parse::<u32>().ok().filter(|hour| (1..=12).contains(hour)) else {
        return error.hint("A time is hours and minutes: `9:00`, `17:30`.");
    };
    let hour = hour % 12 + if half.eq_ignore_ascii_case("pm") { 12 } else { 0 };
    let own = format!("{hour}:00");
    error.hint(format!("It is written `{own}`.")).safe_fix(format!("Write `{own}`"), span, own)
}
