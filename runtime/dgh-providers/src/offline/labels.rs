//! Which `when` the caller's turn chooses, if any: examples first, then common intents, then the
//! words of the sentence, weighed by how rare they are among the labels that may be chosen.

use std::collections::BTreeMap;

use dgh_engine::reply::Label;

use super::answers::{Answer, answer};
use super::concepts::{Concept, of_author, of_caller};
use super::cues::asks_for_room;
use super::patterns::denied;
use super::questions::is_question;
use super::slips::known_words;
use super::synonyms::{is_filler, meaning};
use super::words::{self, Words, plain};

/// What the turn is weighed with beside its words.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around<'a> {
    /// The agent's last words: what a bare yes or no answers.
    pub(super) asked: &'a str,
    /// Descriptions of the values that the turn gives: "cleaning" speaks of a visit.
    pub(super) about: &'a [String],
    /// Words that name the agent's side: a question about its products is about them.
    pub(super) persona: &'a str,
    /// The turn already answers what was asked: only a clear label counts.
    pub(super) answered: bool,
    /// The turn gives a day or a time: what an appointment needs.
    pub(super) gives_day: bool,
    /// A yes or no answers something else: a read-back, a yes-or-no value.
    pub(super) answer_taken: bool,
}

/// The label that is meant, with its score; none when none is, or two are.
pub(super) fn choose<'a>(words: &Words, labels: &'a [Label], around: &Around<'_>) -> Option<&'a Label> {
    let scores = scores(words, labels, around);
    let mut order: Vec<(usize, f64)> = scores.into_iter().enumerate().collect();
    order.sort_by(|left, right| right.1.total_cmp(&left.1));
    let &(best, score) = order.first()?;
    let threshold = if around.answered { CLEAR } else { ENOUGH };
    let second = order.get(1).map_or(0.0, |(_, second)| *second);
    if score < threshold || score - second < MARGIN {
        return fits_booking(words, labels, around, score);
    }
    labels.get(best)
}

/// "A checkup for my daughter on March 12" asks for no appointment by name; but what it gives is
/// what an appointment needs, so the one label that speaks of booking is meant, when nothing
/// speaks for another.
fn fits_booking<'a>(words: &Words, labels: &'a [Label], around: &Around<'_>, best: f64) -> Option<&'a Label> {
    if !around.gives_day || around.answered || is_question(words) && !asks_for_room(words) {
        return None;
    }
    let said = known_words(plain(words), labels);
    let turn = of_caller(&said);
    let means = |name: &str| turn.iter().any(|concept| concept.name == name);
    if means("cancel") || means("reschedule") || denied(&said).contains(&true) {
        return None;
    }
    let books = |label: &&Label| Author::new(label).concepts.iter().any(|concept| concept.name == "book");
    let mut fitting = labels.iter().filter(books);
    let label = fitting.next().filter(|_| fitting.next().is_none())?;
    let others: Vec<Label> = labels.iter().filter(|other| other.name != label.name).cloned().collect();
    let against = scores(words, &others, around).into_iter().fold(0.0, f64::max);
    (against < HINT || best - against >= HINT).then_some(label)
}

/// So much for another label is too much to take the turn for something else.
const HINT: f64 = 0.6;

/// Enough to choose a label when nothing else explains the turn.
const ENOUGH: f64 = 0.8;
/// Enough to choose a label although the turn answers the question.
const CLEAR: f64 = 1.25;
/// What the best must be ahead of the second.
const MARGIN: f64 = 0.12;

/// A score for each label.
pub(super) fn scores(words: &Words, labels: &[Label], around: &Around<'_>) -> Vec<f64> {
    if words.is_blank() {
        return vec![0.0; labels.len()];
    }
    let mut turn = Turn::new(words, labels, around);
    let authors: Vec<Author> = labels.iter().map(Author::new).collect();
    turn.goes_to_question = turn.question && authors.iter().any(|author| author.asks_about.is_some());
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for author in &authors {
        for token in author.bag.keys() {
            *seen.entry(token).or_default() += 1;
        }
    }
    let rarity = |token: &str| {
        let count = words::count(seen.get(token).copied().unwrap_or(1));
        let all = words::count(authors.len().max(1));
        (1.0 + all / count).ln() / (1.0 + all).ln()
    };
    labels.iter().zip(&authors).map(|(label, author)| score(&turn, label, author, around, &rarity)).collect()
}

/// Words of a text with whether they stand under a "not".
type Bag = BTreeMap<String, Token>;

#[derive(Debug, Clone, Copy)]
struct Token {
    weight: f64,
    denied: bool,
}

struct Turn {
    plain: Vec<String>,
    bag: Bag,
    concepts: Vec<&'static Concept>,
    answer: Option<Answer>,
    question: bool,
    /// It is a question, and a label takes questions.
    goes_to_question: bool,
    /// Content words of the turn that nothing explains: not what its surroundings add, and not
    /// those that values were read from.
    own: usize,
}

impl Turn {
    fn new(words: &Words, labels: &[Label], around: &Around<'_>) -> Self {
        let plain_words = known_words(plain(words), labels);
        let mut bag = bag(&plain_words, 1.0);
        let own = bag.len().saturating_sub(2 * around.about.len());
        let answer = answer(words);
        for about in around.about {
            for (token, value) in self::bag(&plain(&Words::new(about)), 0.5) {
                bag.entry(token).or_insert(value);
            }
        }
        // A bare yes or no says what was asked.
        let asked =
            Some(last_question(around.asked)).filter(|asked| asked.ends_with('?') && !asked.contains(" or "));
        if let (Some(answer), Some(asked)) = (answer.filter(|answer| answer.alone), asked) {
            for (token, value) in self::bag(&plain(&Words::new(asked)), 0.6) {
                bag.entry(token).or_insert(Token { denied: value.denied == answer.yes, ..value });
            }
        }
        Self {
            concepts: of_caller(&plain_words),
            plain: plain_words,
            bag,
            answer,
            question: is_question(words),
            goes_to_question: false,
            own,
        }
    }
}

impl Turn {
    fn means(&self, name: &str) -> bool {
        self.concepts.iter().any(|concept| concept.name == name)
    }
}

struct Author {
    plain: Vec<String>,
    bag: Bag,
    concepts: Vec<&'static Concept>,
    like: Vec<Vec<String>>,
    unlike: Vec<Vec<String>>,
    /// "They say that …"
    states: bool,
    /// "They ask about …": what follows.
    asks_about: Option<Vec<String>>,
}

impl Author {
    fn new(label: &Label) -> Self {
        let sentence = plain(&Words::new(&label.sentence));
        let name = plain(&Words::new(&label.name.replace('_', " ")));
        let mut bag = bag(&sentence, 1.0);
        for (token, value) in self::bag(&name, 0.5) {
            bag.entry(token).or_insert(value);
        }
        let examples =
            |texts: &[String]| texts.iter().map(|text| plain(&Words::new(text))).collect::<Vec<_>>();
        let like = examples(&label.like);
        let mut concepts = of_author(&sentence);
        for more in of_author(&name).into_iter().chain(like.iter().flat_map(|text| of_caller(text))) {
            if !concepts.iter().any(|concept| concept.name == more.name) {
                concepts.push(more);
            }
        }
        let asks_about = super::patterns::find(&sentence, "ask|asks|asking|question|questions|know|curious|inquire|information|info about|what|who|how|whether|if|on")
            .map(|range| sentence.get(range.end..).unwrap_or_default().to_vec())
            .or_else(|| super::patterns::find(&sentence, "question|questions").map(|_| Vec::new()));
        let states = super::patterns::says(
            &sentence,
            "say|says|claim|claims|state|states|mention|mentions|insist|insists",
        );
        // "They have no more questions" takes none.
        let asks_about = asks_about.filter(|_| !concepts.iter().any(|concept| concept.name == "helped"));
        Self { states, plain: sentence, bag, concepts, like, unlike: examples(&label.unlike), asks_about }
    }
}

fn score(
    turn: &Turn,
    label: &Label,
    author: &Author,
    around: &Around<'_>,
    rarity: &dyn Fn(&str) -> f64,
) -> f64 {
    let like = author.like.iter().map(|example| example_score(turn, example, rarity)).fold(0.0, f64::max);
    let unlike = author.unlike.iter().map(|example| example_score(turn, example, rarity)).fold(0.0, f64::max);
    let concept = author
        .concepts
        .iter()
        .filter(|concept| turn.means(concept.name) && !excluded(concept.name, turn, author))
        .map(|concept| concept.weight)
        .fold(0.0, f64::max);
    let yes_no = yes_no(turn, label, author, around);
    let question = question(turn, author, around);
    let words = if author.concepts.iter().any(|concept| excluded(concept.name, turn, author)) {
        0.0
    } else {
        // Where a label takes questions, "how did you get my number?" is not for "Wrong number".
        // And whoever asks "what debt is this?" does not say that it is not his.
        let asks = turn.goes_to_question && author.asks_about.is_none() || turn.question && author.states;
        overlap(turn, author, rarity) * if asks { 0.5 } else { 1.0 }
    };
    let best = like.max(concept).max(yes_no).max(question);
    // Two kinds of evidence are better than one, but words never outweigh a plain meaning.
    let sum = if best > 0.0 { best + 0.4 * words } else { words };
    // Only what is close to a counter-example is one; a shared word is not.
    if unlike >= 1.2 { sum - 1.5 * unlike } else { sum }
}

/// Words of one intent inside a turn of another: "cancel my appointment" books none, and "are you
/// a real person?" asks for none.
fn excluded(concept: &str, turn: &Turn, author: &Author) -> bool {
    let other = |name: &str| turn.means(name) && !author.concepts.iter().any(|concept| concept.name == name);
    match concept {
        "book" => other("cancel") || other("reschedule"),
        "human" => other("robot"),
        _ => false,
    }
}

/// How close the turn comes to an example: 2.4 when it is the same.
fn example_score(turn: &Turn, example: &[String], rarity: &dyn Fn(&str) -> f64) -> f64 {
    let said: Vec<&String> = turn.plain.iter().filter(|word| *word != ",").collect();
    let wanted: Vec<&String> = example.iter().filter(|word| *word != ",").collect();
    if wanted.is_empty() || said.is_empty() {
        return 0.0;
    }
    if said == wanted {
        return 2.4;
    }
    let example_bag = bag(example, 1.0);
    // "No problem" holds "no" and means yes.
    if let Some(polar) = answer(&Words::new(&example.join(" "))).filter(|answer| answer.alone) {
        return match turn.answer {
            Some(said) if said.yes == polar.yes => {
                if said.alone {
                    1.3
                } else {
                    1.0
                }
            }
            _ => 0.0,
        };
    }
    let meets = said.windows(wanted.len()).position(|run| run == wanted.as_slice());
    if let Some(at) = meets {
        let scope = denied(&turn.plain.iter().filter(|word| *word != ",").cloned().collect::<Vec<_>>());
        let taken_back = scope.get(at).copied().unwrap_or(false)
            && !wanted.iter().any(|word| matches!(word.as_str(), "not" | "no" | "never"));
        if taken_back {
            return 0.0;
        }
        let share = words::count(wanted.len()) / words::count(said.len());
        return if example_bag.is_empty() && share < 0.34 { 0.5 } else { 1.5 + 0.6 * share };
    }
    let mut both = 0.0;
    let mut all = 0.0;
    for (token, value) in &example_bag {
        let weight = rarity(token);
        all += weight;
        match turn.bag.get(token) {
            Some(said) if said.denied == value.denied => both += weight * said.weight.max(0.6),
            Some(_) => both -= weight,
            None => {}
        }
    }
    let extra = turn.bag.keys().filter(|token| !example_bag.contains_key(*token)).count();
    if all <= 0.0 || both <= 0.0 { 0.0 } else { 1.6 * both / (all + 0.25 * words::count(extra)) }
}

fn yes_no(turn: &Turn, label: &Label, author: &Author, around: &Around<'_>) -> f64 {
    let Some(answer) = turn.answer.filter(|_| !around.answer_taken) else { return 0.0 };
    let has = |name: &str| author.concepts.iter().any(|concept| concept.name == name);
    let named = match label.name.as_str() {
        "yes" | "agrees" | "agree" | "accepts" | "confirms" | "confirmed" | "interested" => Some(true),
        "no" | "refuses" | "declines" | "rejects" | "disagrees" | "not_interested" => Some(false),
        _ => None,
    };
    let meant = match named {
        Some(yes) => yes == answer.yes,
        None if has("helped") => answer.yes != asks_for_more(around.asked),
        None if answer.yes => has("yes") && !has("no"),
        // "Do you have two minutes?" "No."
        None if !answer.yes && has("busy") => {
            answer.alone && asks_for_time(around.asked) && !turn.means("no interest")
        }
        None if has("none suits") => turn.answer.is_some_and(|answer| answer.alone),
        None => has("no") && !has("someone else") && !has("stop calling") && !has("dispute"),
    };
    // A no to "Am I speaking with Ann?" is somebody else.
    let someone =
        !answer.yes && has("someone else") && asks_for_person(around.asked) && !turn.means("refuse to say");
    if someone {
        return 1.5;
    }
    if !meant {
        return 0.0;
    }
    let firm = if named.is_some() { 1.3 } else { 1.15 };
    if answer.alone { firm } else { firm - 0.3 }
}

/// A question goes to the label for questions, when it is about the same thing.
fn question(turn: &Turn, author: &Author, around: &Around<'_>) -> f64 {
    let Some(object) = author.asks_about.as_ref().filter(|_| turn.question) else { return 0.0 };
    let object_bag = bag(object, 1.0);
    if object_bag.keys().any(|token| turn.bag.contains_key(token)) {
        return 1.25;
    }
    let persona = bag(&plain(&Words::new(around.persona)), 1.0);
    let general = object_bag.is_empty()
        || object_bag.keys().any(|token| {
            matches!(
                token.as_str(),
                "product" | "company" | "service" | "question" | "information" | "agent" | "offer" | "sales"
            ) || persona.contains_key(token)
        });
    if general && !author.plain.is_empty() { 1.0 } else { 0.0 }
}

/// Shared words: rare ones count more; the same word under a "not" on one side counts against.
fn overlap(turn: &Turn, author: &Author, rarity: &dyn Fn(&str) -> f64) -> f64 {
    let mut both = 0.0;
    let mut against = 0.0;
    let mut matched = 0_usize;
    for (token, said) in &turn.bag {
        let Some(written) = author.bag.get(token) else { continue };
        let weight = rarity(token) * said.weight * written.weight;
        if said.denied == written.denied {
            both += weight;
            matched += 1;
        } else {
            against += weight;
        }
    }
    if both <= 0.0 {
        return -0.4 * against;
    }
    let unmatched = turn.own.saturating_sub(matched).min(6);
    let share = both / (both + 0.22 * words::count(unmatched));
    let strength = 1.5 * share * both.min(1.0).sqrt();
    strength.min(1.3) - 0.8 * against
}

fn bag(plain: &[String], weight: f64) -> Bag {
    let denied = denied(plain);
    let mut bag = Bag::new();
    for (word, denied) in plain.iter().zip(denied) {
        if word == "," || is_filler(word) || word.chars().count() < 2 {
            continue;
        }
        bag.insert(meaning(word), Token { weight, denied });
    }
    bag
}

/// The last sentence of the agent that asks, or its last one.
pub(super) fn last_question(asked: &str) -> &str {
    let sentences: Vec<&str> =
        asked.split_inclusive(['.', '?', '!']).map(str::trim).filter(|text| !text.is_empty()).collect();
    sentences.iter().rev().find(|text| text.ends_with('?')).or(sentences.last()).copied().unwrap_or_default()
}

/// Whether a yes to the question wants more: "Anything else?", unlike "Does that help?"
fn asks_for_more(asked: &str) -> bool {
    let question = last_question(asked).to_lowercase();
    ["question", "anything else", "something else", "anything more", "more help", "would you like to know"]
        .iter()
        .any(|more| question.contains(more))
}

fn asks_for_time(asked: &str) -> bool {
    let question = last_question(asked).to_lowercase();
    ["minute", "moment", "time", "talk", "now"].iter().any(|word| question.contains(word))
}

fn asks_for_person(asked: &str) -> bool {
    let question = last_question(asked).to_lowercase();
    [
        "speaking with",
        "speaking to",
        "talking to",
        "talking with",
        "is this",
        "are you",
        "am i",
        "may i speak",
    ]
    .iter()
    .any(|start| question.contains(start))
}
