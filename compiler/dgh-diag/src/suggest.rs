//! Did-you-mean, and lists of names as people write them.

use strsim::damerau_levenshtein;

/// The candidate that the author most likely meant by `name`, if one is near enough: the same
/// words in another spelling (`firstName`, `first-name`), a slip of a letter or two, a part of it,
/// or the same words in another order.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = fold(name);
    if wanted.is_empty() || name.len() > LONGEST {
        return None;
    }
    let ranked = candidates.into_iter().filter_map(|c| Some((distance(&wanted, c)?, c)));
    // The first of equals, so that the answer follows the order of the declarations.
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, c)| c)
}

/// "a, b or c"; empty for no items.
pub fn any_of<T: AsRef<str>>(items: &[T]) -> String {
    sentence(items, "or")
}

/// "a, b and c"; empty for no items.
pub fn all_of<T: AsRef<str>>(items: &[T]) -> String {
    sentence(items, "and")
}

/// The names in backquotes, for [`any_of`] and [`all_of`]; past the eighth only their number.
pub fn quoted<T: AsRef<str>>(names: &[T]) -> Vec<String> {
    const SHOWN: usize = 8;
    let mut out: Vec<String> = names.iter().take(SHOWN).map(|n| format!("`{}`", n.as_ref())).collect();
    if let Some(more) = names.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        out.push(format!("{more} more"));
    }
    out
}

/// Names longer than this are no slips of the finger, and comparing them costs their product.
const LONGEST: usize = 64;

/// How far `candidate` is from the folded `wanted`, smaller is nearer; nothing if it is too far.
fn distance(wanted: &[String], candidate: &str) -> Option<usize> {
    if candidate.is_empty() || candidate.len() > LONGEST {
        return None;
    }
    let words = fold(candidate);
    let (a, b) = (wanted.concat(), words.concat());
    if a == b {
        return Some(0);
    }
    let (length_a, length_b) = (a.chars().count(), b.chars().count());
    let shorter = length_a.min(length_b);
    let slips = damerau_levenshtein(&a, &b);
    // A third of the letters, as rustc allows; but more than half must be right.
    if slips <= (length_a.max(length_b) / 3).max(1) && shorter > 2 * slips {
        return Some(slips);
    }
    if shorter >= 3 && (a.starts_with(&b) || b.starts_with(&a)) {
        return Some(20 + length_a.abs_diff(length_b));
    }
    let mut sorted = (wanted.to_vec(), words);
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    if sorted.0 == sorted.1 {
        return Some(10);
    }
    let part = |few: &[String], many: &[String]| few.iter().all(|w| w.len() >= 3 && many.contains(w));
    if part(&sorted.0, &sorted.1) || part(&sorted.1, &sorted.0) {
        return Some(100 + length_a.abs_diff(length_b));
    }
    None
}

/// The words of a name, in lower case: `sentAt`, `SentAt`, `sent_at` and `sent-at` are the same.
fn fold(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut new_word = true;
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            new_word = true;
            continue;
        }
        if new_word || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        new_word = false;
        after_lower = c.is_lowercase();
    }
    words
}

fn sentence<T: AsRef<str>>(items: &[T], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [init @ .., end] => {
            let init: Vec<&str> = init.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", init.join(", "), end.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_by_every_kind_of_slip() {
        let names = ["front_desk", "take_message", "day", "reason", "find_slots", "at", "hello"];
        for (written, meant) in [
            ("fornt_desk", Some("front_desk")), // two letters swapped
            ("frontDesk", Some("front_desk")),  // another convention
            ("FrontDesk", Some("front_desk")),
            ("front-desk", Some("front_desk")),
            ("desk_front", Some("front_desk")), // another order
            ("message", Some("take_message")),  // a part
            ("find", Some("find_slots")),       // a beginning
            ("find_slots_today", Some("find_slots")),
            ("dya", Some("day")),
            ("rason", Some("reason")),
            ("ta", None), // half of a two-letter name is no slip
            ("helo", Some("hello")),
            ("budget", None),
            ("x", None),
            ("", None),
            ("_", None),
        ] {
            assert_eq!(closest(written, names), meant, "for {written:?}");
        }
    }

    #[test]
    fn a_nearer_name_beats_an_earlier_one_and_equals_keep_their_order() {
        assert_eq!(closest("book", ["booked", "books"]), Some("books"));
        assert_eq!(closest("bookx", ["booka", "bookb"]), Some("booka"));
        assert_eq!(closest("first_name", ["name", "firstName"]), Some("firstName"));
    }

    #[test]
    fn very_long_names_cost_nothing() {
        let long = "a".repeat(1_000_000);
        assert_eq!(closest(&long, ["aaaa"]), None);
        assert_eq!(closest("aaaa", [long.as_str()]), None);
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(any_of::<&str>(&[]), "");
        assert_eq!(any_of(&["a"]), "a");
        assert_eq!(any_of(&["a", "b"]), "a or b");
        assert_eq!(all_of(&["a", "b", "c"]), "a, b and c");
        let many: Vec<String> = (0..11).map(|i| i.to_string()).collect();
        assert_eq!(any_of(&quoted(&many)), "`0`, `1`, `2`, `3`, `4`, `5`, `6`, `7` or 3 more");
    }
}
