//! How callers speak English: words that are always possible, and sentences of them.

use crate::offline_voice::grammar::Dice;

/// In front of what is wanted.
const LEADS: &[&str] = &[
    "i want",
    "i need",
    "i'd like",
    "i would like",
    "i have",
    "can i have",
    "can i get",
    "could i have",
    "can i speak to",
    "can i talk to",
    "i want to talk to",
    "i'd like to speak to",
    "i want to book",
    "i'd like to book",
    "i want to make",
    "i'd like to make",
    "make it",
    "make that",
    "change it to",
    "how about",
    "what about",
    "my number is",
    "the number is",
    "it's",
    "it is",
    "that's",
    "i'm calling about",
    "it's about",
    "i have a question about",
    "i have a question about my",
    "let's say",
    "i'll take",
    "i think",
    "there is",
    "i am",
    "for",
];
/// Around everything.
const POLITE: &[&str] = &[
    "um",
    "uh",
    "please",
    "thank you",
    "thanks",
    "yes",
    "yeah",
    "no",
    "okay",
    "well",
    "actually",
    "sorry",
    "hello",
    "hi",
    "oh",
];
/// What is said to every question.
const ANSWERS: &[&str] = &[
    "yes",
    "yes",
    "yes",
    "no",
    "no",
    "no",
    "yes please",
    "no thanks",
    "no thank you",
    "yeah",
    "yep",
    "nope",
    "okay",
    "sure",
    "right",
    "correct",
    "that's right",
    "that's correct",
    "that's wrong",
    "that's not right",
    "not really",
    "i don't know",
    "what",
    "sorry what",
    "can you repeat that",
    "say that again please",
    "hello",
    "goodbye",
    "bye",
    "thank you",
    "thank you goodbye",
    "that's all",
    "nothing else",
    "none of these",
    "a person please",
    "an operator please",
    "can i speak to a person",
    "i want to speak to a person",
    "help",
    "wait",
    "one moment",
    "hold on",
    "hold on a second",
    "stop",
];
/// Between two things.
const JOINS: &[&str] = &["for", "for a", "for the", "and", "on", "at", "in", "or", "with", "", "", ""];
const ARTICLES: &[&str] = &["a", "a", "an", "the", "my", "some", "", "", ""];
const ONES: &[&str] = &["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const TEENS: &[&str] = &[
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: &[&str] = &["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: &[&str] = &[
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "thirtieth",
    "last",
];
const WEEKDAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const PARTS: &[&str] = &["morning", "afternoon", "evening"];
const HALVES: &[&str] = &[
    "a m",
    "p m",
    "o'clock",
    "in the morning",
    "in the afternoon",
    "in the evening",
    "at night",
    "",
    "",
    "",
    "",
];

/// Words of other talk. What holds many of them was said to somebody else, or is about something else.
pub(super) const OTHER: &[&str] = &[
    "about",
    "after",
    "again",
    "all",
    "also",
    "always",
    "animal",
    "animals",
    "another",
    "any",
    "around",
    "ask",
    "away",
    "back",
    "ball",
    "because",
    "been",
    "before",
    "best",
    "better",
    "between",
    "big",
    "both",
    "boy",
    "but",
    "by",
    "came",
    "car",
    "children",
    "city",
    "come",
    "could",
    "country",
    "did",
    "different",
    "dog",
    "door",
    "down",
    "each",
    "eat",
    "end",
    "even",
    "ever",
    "every",
    "family",
    "far",
    "father",
    "feel",
    "few",
    "find",
    "found",
    "friend",
    "from",
    "game",
    "gave",
    "girl",
    "give",
    "good",
    "got",
    "great",
    "had",
    "hand",
    "hard",
    "has",
    "he",
    "head",
    "heard",
    "her",
    "here",
    "high",
    "him",
    "his",
    "home",
    "house",
    "how",
    "into",
    "just",
    "keep",
    "kind",
    "knew",
    "know",
    "large",
    "learn",
    "left",
    "less",
    "life",
    "light",
    "like",
    "little",
    "live",
    "long",
    "look",
    "lot",
    "love",
    "made",
    "man",
    "many",
    "mean",
    "men",
    "might",
    "mother",
    "mountain",
    "move",
    "movie",
    "music",
    "must",
    "near",
    "never",
    "new",
    "night",
    "nothing",
    "now",
    "off",
    "often",
    "old",
    "only",
    "open",
    "other",
    "our",
    "out",
    "over",
    "own",
    "people",
    "piano",
    "place",
    "play",
    "point",
    "put",
    "rain",
    "read",
    "really",
    "river",
    "room",
    "run",
    "said",
    "same",
    "saw",
    "school",
    "sea",
    "see",
    "she",
    "show",
    "sing",
    "sister",
    "small",
    "snow",
    "so",
    "something",
    "song",
    "soon",
    "sound",
    "started",
    "still",
    "story",
    "street",
    "such",
    "tell",
    "than",
    "their",
    "them",
    "then",
    "they",
    "thing",
    "through",
    "told",
    "town",
    "tree",
    "try",
    "turn",
    "under",
    "until",
    "us",
    "used",
    "very",
    "walk",
    "war",
    "was",
    "watch",
    "water",
    "way",
    "we",
    "weather",
    "went",
    "were",
    "when",
    "where",
    "which",
    "white",
    "who",
    "why",
    "wind",
    "woman",
    "wonderful",
    "word",
    "world",
    "would",
    "year",
    "young",
    "your",
];

/// Abbreviations as they are spoken.
const SPOKEN: &[(&str, &str)] = &[
    ("dr", "doctor"),
    ("mr", "mister"),
    ("mrs", "misses"),
    ("st", "saint"),
    ("am", "a m"),
    ("pm", "p m"),
    ("ok", "okay"),
    ("vs", "versus"),
    ("no", "no"),
];

/// What a caller may say, out of what fits here. `thing` gives one of the things that fit.
pub(super) fn sentence(dice: &mut Dice, thing: &mut dyn FnMut(&mut Dice) -> String) -> String {
    match dice.below(10) {
        0..=2 => thing(dice),
        3 | 4 => join(&[dice.pick(LEADS), &article(dice), &thing(dice)]),
        5 => {
            let (first, second) = (thing(dice), thing(dice));
            join(&[&first, dice.pick(JOINS), &second])
        }
        6 => join(&[dice.pick(POLITE), &thing(dice)]),
        7 => join(&[&thing(dice), "please"]),
        8 => {
            let end = if dice.below(2) == 0 { "please" } else { "" };
            join(&[dice.pick(POLITE), dice.pick(LEADS), &article(dice), &thing(dice), end])
        }
        _ => dice.pick(ANSWERS).to_owned(),
    }
}

/// A number, a date, a time or a sum of money.
pub(super) fn value(dice: &mut Dice) -> String {
    match dice.below(9) {
        0 => number(dice),
        1 => digits(dice),
        2 => join(&[
            if dice.below(2) == 0 { "the" } else { "" },
            &ordinal(dice),
            if dice.below(2) == 0 { "one" } else { "" },
        ]),
        3 => money(dice),
        4 | 5 => day(dice),
        6 => clock(dice),
        7 => {
            let day = day(dice);
            let part = if dice.below(3) == 0 { dice.pick(PARTS).to_owned() } else { clock(dice) };
            join(&[&day, &part])
        }
        _ => join(&["the one", &clock(dice)]),
    }
}

/// A text as it is spoken: words in small letters, figures as words.
pub(super) fn words(text: &str) -> Vec<String> {
    let plain = deunicode::deunicode_with_tofu(text, " ").to_lowercase().replace('\u{2019}', "'");
    let mut words = Vec::new();
    for token in plain.split(|c: char| !c.is_ascii_alphanumeric() && c != '\'') {
        let token = token.trim_matches('\'');
        let split = token.find(|c: char| !c.is_ascii_digit()).unwrap_or(token.len());
        let (figures, rest) = token.split_at(split);
        words.extend(figures_as_words(figures));
        let spoken = SPOKEN.iter().find(|(short, _)| *short == rest).map_or(rest, |(_, long)| long);
        words.extend(spoken.split_whitespace().map(str::to_owned));
    }
    words
}

fn figures_as_words(figures: &str) -> Vec<String> {
    let name = |index: usize, names: &[&str]| names.get(index).copied().unwrap_or_default().to_owned();
    match figures.parse::<usize>() {
        Ok(0) if figures == "00" => vec!["o'clock".to_owned()],
        Ok(n) if figures.len() <= 2 && n >= 10 => match n {
            10..20 => vec![name(n - 10, TEENS)],
            _ if n % 10 == 0 => vec![name(n / 10 - 2, TENS)],
            _ => vec![name(n / 10 - 2, TENS), name(n % 10 - 1, ONES)],
        },
        _ => figures
            .bytes()
            .map(|figure| match usize::from(figure.saturating_sub(b'0')) {
                0 => "oh".to_owned(),
                n => name(n - 1, ONES),
            })
            .collect(),
    }
}

pub(super) fn article(dice: &mut Dice) -> String {
    dice.pick(ARTICLES).to_owned()
}

fn small(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => dice.pick(ONES).to_owned(),
        1 => dice.pick(TEENS).to_owned(),
        2 => dice.pick(TENS).to_owned(),
        _ => join(&[dice.pick(TENS), dice.pick(ONES)]),
    }
}

fn number(dice: &mut Dice) -> String {
    let one = dice.pick(ONES);
    match dice.below(6) {
        0..=2 => small(dice),
        3 => join(&["number", one]),
        4 => {
            let and = if dice.below(2) == 0 { "and" } else { "" };
            join(&[if dice.below(3) == 0 { "a" } else { one }, "hundred", and, &small(dice)])
        }
        _ => join(&[one, if dice.below(2) == 0 { "hundred" } else { "thousand" }]),
    }
}

fn digits(dice: &mut Dice) -> String {
    let mut digits = String::new();
    for _ in 0..3 + dice.below(9) {
        let digit = match dice.below(12) {
            0 => "zero",
            1 => "oh",
            2 => "double",
            _ => dice.pick(ONES),
        };
        digits = join(&[&digits, digit]);
    }
    digits
}

fn ordinal(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => join(&[
            if dice.below(3) == 0 { "thirty" } else { "twenty" },
            ORDINALS.get(dice.below(9)).unwrap_or(&"first"),
        ]),
        _ => dice.pick(ORDINALS).to_owned(),
    }
}

fn money(dice: &mut Dice) -> String {
    let (sum, unit) = (number(dice), dice.pick(&["dollars", "dollars", "euros", "pounds"]));
    let cents = if dice.below(2) == 0 { join(&["and", &small(dice), "cents"]) } else { String::new() };
    join(&[&sum, unit, &cents])
}

fn day(dice: &mut Dice) -> String {
    let which = dice.pick(&["on", "next", "this", "", ""]);
    match dice.below(8) {
        0 | 1 => join(&[which, dice.pick(WEEKDAYS)]),
        2 => dice.pick(&["today", "tomorrow", "tomorrow", "the day after tomorrow"]).to_owned(),
        3 => join(&[dice.pick(&["", "on"]), dice.pick(MONTHS), dice.pick(&["", "the"]), &ordinal(dice)]),
        4 => join(&[dice.pick(&["", "on"]), "the", &ordinal(dice), "of", dice.pick(MONTHS)]),
        5 => join(&[dice.pick(&["", "on"]), "the", &ordinal(dice)]),
        6 => join(&["in", &small(dice), dice.pick(&["days", "weeks"])]),
        _ => dice.pick(&["next week", "this week", "in a week", "next month", "in two weeks"]).to_owned(),
    }
}

fn clock(dice: &mut Dice) -> String {
    let at = dice.pick(&["at", "at", "around", "", ""]);
    let hour = if dice.below(4) == 0 { TEENS.get(dice.below(3)) } else { ONES.get(dice.below(9)) };
    let hour = hour.copied().unwrap_or("one");
    match dice.below(6) {
        0 => join(&[at, dice.pick(&["half past", "quarter past", "quarter to"]), hour]),
        1 => join(&[at, dice.pick(&["noon", "midnight"])]),
        2 => dice.pick(&["in the morning", "in the afternoon", "in the evening", "tonight"]).to_owned(),
        _ => join(&[
            at,
            hour,
            dice.pick(&["thirty", "fifteen", "forty five", "twenty", "ten", "", "", "", ""]),
            dice.pick(HALVES),
        ]),
    }
}

fn join(parts: &[&str]) -> String {
    parts.iter().flat_map(|part| part.split_whitespace()).collect::<Vec<_>>().join(" ")
}
