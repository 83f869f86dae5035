//! Telephone numbers, e-mail and web addresses, and runs of digits, typed or spoken.

use std::ops::Range;

use super::hits::Hit;
use super::numbers::{digit_word, teen_word, tens_word};
use super::words::{Kind, Words};

/// Runs of digits, spoken or typed: "four one five, triple five", `(415) 555-0100`.
pub(super) fn digit_runs(words: &Words) -> Vec<Hit<String>> {
    let mut runs = Vec::new();
    let mut place = 0;
    while place < words.len() {
        match digit_run(words, place) {
            Some(run) => {
                place = run.places.end;
                runs.push(run);
            }
            None => place += 1,
        }
    }
    runs
}

/// Telephone numbers in E.164. A number without a country code is one of the call's country.
pub(super) fn phones(words: &Words, language: &str) -> Vec<Hit<String>> {
    digit_runs(words)
        .into_iter()
        .filter_map(|run| {
            let value = e164(&run.value, language)?;
            Some(Hit { value, places: run.places, sure: true })
        })
        .collect()
}

/// E-mail addresses: `ann@example.com`, "ann dot lee at example dot com".
pub(super) fn emails(words: &Words) -> Vec<Hit<String>> {
    let mut found = written(words, |chunk| {
        chunk.contains('@').then(|| chunk.to_lowercase()).filter(|text| is_email(text))
    });
    for place in 0..words.len() {
        if words.at(place) != "at" && words.at(place) != "@" {
            continue;
        }
        let Some((domain, end)) = spoken_domain(words, place + 1) else { continue };
        let Some((name, start)) = spoken_name(words, place) else { continue };
        let value = format!("{name}@{domain}");
        let places = start..end;
        if is_email(&value) && !found.iter().any(|hit| hit.overlaps(&places)) {
            found.push(Hit { value, places, sure: true });
        }
    }
    found
}

/// Web addresses: `https://example.com/x`, `example.com`, "example dot com slash prices".
pub(super) fn urls(words: &Words) -> Vec<Hit<String>> {
    let mut found = written(words, |chunk| {
        let lower = chunk.to_lowercase();
        if lower.starts_with("http://") || lower.starts_with("https://") {
            return Some(chunk.to_owned());
        }
        let host = lower.split('/').next().unwrap_or_default();
        (!lower.contains('@') && is_host(host)).then(|| format!("https://{lower}"))
    });
    for place in 0..words.len() {
        if words.before(place) == "at"
            && place > 1
            && spoken_name(words, place - 1).is_some()
            && words.is(place.saturating_sub(2), &["dot"])
        {
            continue;
        }
        let Some((domain, mut end)) = spoken_domain(words, place) else { continue };
        if words.before(place) == "dot" || !words.raw(place..end).to_lowercase().contains(" dot ") {
            continue;
        }
        let mut value = format!("https://{domain}");
        while words.is(end, &["slash", "/"]) && words.kind(end + 1) == Kind::Letters {
            value.push('/');
            value.push_str(words.at(end + 1));
            end += 2;
        }
        let places = place..end;
        if !found.iter().any(|hit| hit.overlaps(&places)) {
            found.push(Hit { value, places, sure: true });
        }
    }
    found
}

fn digit_run(words: &Words, start: usize) -> Option<Hit<String>> {
    let mut digits = String::new();
    let mut place = start;
    let mut end = start;
    if words.at(place) == "+" || words.at(place) == "plus" {
        digits.push('+');
        place += 1;
    }
    loop {
        let word = words.at(place);
        if words.kind(place) == Kind::Digits {
            digits.push_str(word);
            place += 1;
        } else if let Some(count) = repeat_word(word) {
            let Some(digit) = one_digit(words, place + 1) else { break };
            digits.extend(std::iter::repeat_n(digit, count));
            place += 2;
        } else if let Some(digit) = digit_word(word) {
            digits.push_str(&digit.to_string());
            place += 1;
            if words.at(place) == "hundred" {
                digits.push_str("00");
                place += 1;
            }
        } else if let Some(teen) = teen_word(word) {
            digits.push_str(&teen.to_string());
            place += 1;
        } else if let Some(tens) = tens_word(word) {
            let next = if words.at(place + 1) == "-" { place + 2 } else { place + 1 };
            let ones =
                digit_word(words.at(next)).filter(|ones| *ones > 0 && words.kind(next) == Kind::Letters);
            digits.push_str(&(tens + ones.unwrap_or(0)).to_string());
            place = if ones.is_some() { next + 1 } else { place + 1 };
        } else if !digits.is_empty() && matches!(word, "-" | "." | "," | "(" | ")" | "/")
            || digits.is_empty() && word == "("
        {
            place += 1;
            continue;
        } else {
            break;
        }
        end = place;
    }
    let any = digits.chars().any(|digit| digit.is_ascii_digit());
    (any && end > start).then_some(Hit { value: digits, places: Range { start, end }, sure: false })
}

fn repeat_word(word: &str) -> Option<usize> {
    match word {
        "double" => Some(2),
        "triple" | "treble" => Some(3),
        _ => None,
    }
}

fn one_digit(words: &Words, place: usize) -> Option<char> {
    let value = match words.kind(place) {
        Kind::Digits => words.at(place).parse::<u32>().ok().filter(|value| *value < 10)?,
        _ => digit_word(words.at(place))?,
    };
    char::from_digit(value, 10)
}

fn e164(digits: &str, language: &str) -> Option<String> {
    let bare: String = digits.chars().filter(char::is_ascii_digit).collect();
    if digits.starts_with('+') {
        return (8..=15).contains(&bare.len()).then(|| format!("+{bare}"));
    }
    if let Some(rest) = bare.strip_prefix("00") {
        return (8..=15).contains(&rest.len()).then(|| format!("+{rest}"));
    }
    let (country, trunk) = country(language);
    if country == "1" {
        return match bare.len() {
            10 if !bare.starts_with(['0', '1']) => Some(format!("+1{bare}")),
            11 if bare.starts_with('1') => Some(format!("+{bare}")),
            _ => None,
        };
    }
    let local = if trunk { bare.strip_prefix('0')? } else { bare.as_str() };
    (7..=12).contains(&local.len()).then(|| format!("+{country}{local}"))
}

/// Country code of a language tag, and whether numbers inside the country start with a 0.
fn country(language: &str) -> (&'static str, bool) {
    let region = language.split(['-', '_']).nth(1).unwrap_or_default().to_uppercase();
    match region.as_str() {
        "GB" => ("44", true),
        "IE" => ("353", true),
        "AU" => ("61", true),
        "NZ" => ("64", true),
        "ZA" => ("27", true),
        "IN" => ("91", false),
        "DE" => ("49", true),
        "FR" => ("33", true),
        "NL" => ("31", true),
        "ES" => ("34", false),
        "IT" => ("39", false),
        "PT" => ("351", false),
        "BR" => ("55", false),
        "MX" => ("52", false),
        _ => ("1", false),
    }
}

/// What a chunk between spaces is, with its place.
fn written(words: &Words, read: impl Fn(&str) -> Option<String>) -> Vec<Hit<String>> {
    let mut found = Vec::new();
    let mut from = 0;
    for chunk in words.source().split_whitespace() {
        let Some(start) = words.source().get(from..).and_then(|rest| rest.find(chunk)).map(|at| at + from)
        else {
            continue;
        };
        from = start + chunk.len();
        let inner = chunk.trim_matches(|mark: char| {
            matches!(mark, '.' | ',' | '!' | '?' | ';' | ':' | '(' | ')' | '<' | '>' | '"' | '\'')
        });
        if inner.is_empty() {
            continue;
        }
        if let Some(value) = read(inner) {
            let first = start + chunk.find(inner).unwrap_or(0);
            let places = words.place_of(first)..words.place_of(first + inner.len() - 1) + 1;
            found.push(Hit { value, places, sure: true });
        }
    }
    found
}

/// "example dot com": labels and where they end. At least one dot.
fn spoken_domain(words: &Words, start: usize) -> Option<(String, usize)> {
    let mut domain = String::new();
    let mut place = start;
    let mut dots = 0;
    loop {
        let label = words.at(place);
        if words.kind(place) == Kind::Mark {
            return None;
        }
        domain.push_str(label);
        place += 1;
        // "g mail", "x-ray dot com"
        while words.at(place) == "-" || words.is(place, &["dash", "hyphen"]) {
            domain.push('-');
            domain.push_str(words.at(place + 1));
            place += 2;
        }
        let dot = words.at(place) == "dot"
            || (words.at(place) == "." && words.glued(place) && words.glued(place + 1));
        if !dot || words.kind(place + 1) == Kind::Mark {
            break;
        }
        domain.push('.');
        dots += 1;
        place += 1;
    }
    (dots > 0 && is_host(&domain)).then_some((domain, place))
}

/// The part before the "at", read backwards: "ann dot lee", "a n n", "info2", "ann underscore lee".
fn spoken_name(words: &Words, at: usize) -> Option<(String, usize)> {
    let mut parts: Vec<String> = Vec::new();
    let mut place = at;
    let mut joined = true;
    while let Some(before) = place.checked_sub(1) {
        let word = words.at(before);
        let joint = match word {
            "dot" => Some("."),
            "." if words.glued(before) && words.glued(place) => Some("."),
            "underscore" | "_" => Some("_"),
            "dash" | "hyphen" | "minus" | "-" => Some("-"),
            "plus" | "+" => Some("+"),
            _ => None,
        };
        if let Some(joint) = joint {
            parts.push(joint.to_owned());
            joined = true;
        } else if words.kind(before) == Kind::Mark {
            break;
        } else {
            // Spelled letters and digits run together; a whole word needs a joint.
            let single = word.chars().count() == 1 && word != "a"
                || digit_word(word).is_some()
                || words.kind(before) == Kind::Digits;
            let next_single = parts
                .last()
                .is_some_and(|part| part.chars().count() == 1 && part.chars().all(char::is_alphanumeric));
            let spelled = (single || word == "a") && next_single;
            let attached = next_single
                && parts.last().is_some_and(|part| part.chars().all(|digit| digit.is_ascii_digit()));
            if !(joined || spelled || attached) || word.contains('\'') {
                break;
            }
            parts.push(
                digit_word(word)
                    .filter(|_| word != "o")
                    .map_or_else(|| word.to_owned(), |digit| digit.to_string()),
            );
            joined = false;
        }
        place = before;
    }
    let name: String = parts.into_iter().rev().collect();
    (!name.is_empty()).then_some((name, place))
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && name.chars().all(|char| char.is_alphanumeric() || "._-+%'".contains(char))
            && is_host(host)
    })
}

fn is_host(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    labels.len() > 1
        && labels.iter().all(|label| {
            !label.is_empty()
                && label.chars().all(|char| char.is_ascii_alphanumeric() || char == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
        && labels
            .last()
            .is_some_and(|last| last.len() > 1 && last.chars().all(|char| char.is_ascii_alphabetic()))
}
