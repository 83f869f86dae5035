//! The answer to a caller's turn: what was learned, where to go, and what to say.

use dgh_engine::reply::{Card, Label, Message, ReplyRequest, Shape, Wanted};
use serde_json::{Map, Value as Json};

use super::Move;
use super::answers::answer;
use super::concepts::of_author;
use super::cues::asks_for_room;
use super::extract::{Extraction, Half, extract, focus, known};
use super::facts::{fact, tool};
#[cfg(test)]
use super::labels::scores;
use super::labels::{Around, choose, last_question};
use super::open::refusal;
use super::questions::{Asking, is_question, question_for};
use super::repeats::repeated;
use super::small_talk::small_talk;
use super::spoken;
use super::wording::word;
use super::words::{Words, plain};

/// What the caller said last.
pub(super) fn last_turn(history: &[Message]) -> Option<&str> {
    history.iter().rev().find_map(|message| match message {
        Message::Caller(text) => Some(text.as_str()),
        _ => None,
    })
}

/// What the agent said before that turn, since the turn before.
pub(super) fn asked_before(history: &[Message]) -> String {
    let before = history.iter().rev().skip_while(|message| !matches!(message, Message::Caller(_))).skip(1);
    let mut said: Vec<&str> = before
        .take_while(|message| !matches!(message, Message::Caller(_)))
        .filter_map(|message| match message {
            Message::Agent(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    said.reverse();
    said.join(" ")
}

/// What the agent has said since the caller's last turn: all of it, when the caller has said nothing.
pub(super) fn said_since(history: &[Message]) -> String {
    let mut said: Vec<&str> = history
        .iter()
        .rev()
        .take_while(|message| !matches!(message, Message::Caller(_)))
        .filter_map(|message| match message {
            Message::Agent(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    said.reverse();
    said.join(" ")
}

/// Answers a turn.
pub(super) fn turn(request: &ReplyRequest) -> Vec<Move> {
    let words = Words::new(last_turn(&request.history).unwrap_or_default());
    let asked = asked_before(&request.history);
    let talk = Talk { request, card: &request.card, words: &words, asked: &asked };
    if words.is_blank() {
        return talk.unclear("Sorry, I could not hear you.");
    }
    match request.card.read_back.as_deref() {
        Some(read_back) => talk.confirmation(read_back),
        None => talk.answer(extract(&words, &request.card, &asked)),
    }
}

/// The values of the last turn and nothing else.
pub(super) fn learn(request: &ReplyRequest) -> Vec<Move> {
    let words = Words::new(last_turn(&request.history).unwrap_or_default());
    let found = extract(&words, &request.card, &asked_before(&request.history));
    note(found.values).into_iter().collect()
}

/// The next question of the node, when there is one.
pub(super) fn next_question(
    request: &ReplyRequest,
    noted: &Map<String, Json>,
    asking: Asking,
) -> Option<String> {
    let card = &request.card;
    let prompt = card.prompt.as_deref().unwrap_or_default();
    let missing = card.wanted.iter().find(|wanted| wanted.missing && !noted.contains_key(&wanted.name));
    if let Some(wanted) = missing {
        return Some(question_for(wanted, prompt, card.now, asking));
    }
    word(prompt, &request.persona).questions.into_iter().next()
}

struct Talk<'a> {
    request: &'a ReplyRequest,
    card: &'a Card,
    words: &'a Words,
    asked: &'a str,
}

impl Talk<'_> {
    fn answer(&self, found: Extraction) -> Vec<Move> {
        let mut found = self.without_asides(found);
        if let Some(refusal) = self.refused_before(&mut found) {
            return self.then_question(refusal, Asking::Open);
        }
        let label = self.label(&found);
        if let Some(label) = label {
            return note(found.values).into_iter().chain([Move::Go(label.name.clone())]).collect();
        }
        if !found.values.is_empty() {
            return self.noted(found);
        }
        if let Some(why) = found.impossible {
            return self.then_question(why, Asking::Open);
        }
        if let Some(half) = &found.half {
            return vec![Move::Say(self.other_half(half))];
        }
        if found.refused {
            let question = self.question(&Map::new(), Asking::Open);
            return vec![Move::Say("I am afraid I need that to go on.".to_owned()), Move::Say(question)];
        }
        self.talk()
    }

    /// Tried again what was just refused: it is said why, when nothing else was said.
    fn refused_before(&self, found: &mut Extraction) -> Option<String> {
        let names: Vec<String> = found.values.keys().cloned().collect();
        let remarks = self.card.remarks.iter();
        let (name, refusal) = remarks
            .filter(|remark| remark.contains("cannot be changed"))
            .filter_map(|remark| {
                Some((names.iter().find(|name| remark.contains(&format!("`{name}`")))?, refusal(remark)?))
            })
            .next_back()?;
        found.values.remove(name);
        found.values.is_empty().then_some(refusal)
    }

    /// "Are you open on Saturday?" asks for the hours, where they are known; it chooses no Saturday.
    fn without_asides(&self, found: Extraction) -> Extraction {
        let aside = is_question(self.words)
            && !asks_for_room(self.words)
            && fact(self.words, self.card, &self.request.persona).is_some();
        if aside { Extraction::default() } else { found }
    }

    /// Something was learned and no label chosen: thank and ask on, unless all is there.
    fn noted(&self, found: Extraction) -> Vec<Move> {
        let missing = |wanted: &&Wanted| wanted.missing;
        let first_missing =
            self.card.wanted.iter().filter(missing).find(|wanted| !found.values.contains_key(&wanted.name));
        let had_missing = self.card.wanted.iter().any(|wanted| wanted.missing);
        let filled = |wanted: &&Wanted| wanted.missing && found.values.contains_key(&wanted.name);
        if found.corrects && !self.card.wanted.iter().any(|wanted| filled(&wanted)) {
            // Whether the change holds, and where it leads, is not known yet: words about it would
            // promise too much. What is to be said comes with the next request.
            return note(found.values).into_iter().collect();
        }
        let thanks = found.impossible.clone().unwrap_or_else(|| self.thanks().to_owned());
        let values = found.values.clone();
        let mut moves: Vec<Move> = note(found.values).into_iter().collect();
        match first_missing {
            Some(_) => {
                if let Some(answer) = self.side_question() {
                    moves.push(Move::Say(answer));
                } else {
                    moves.push(Move::Say(thanks));
                }
                moves.push(Move::Say(self.question(&values, Asking::First)));
            }
            None if had_missing => {}
            None => {
                moves.push(Move::Say(thanks));
                moves.push(Move::Say(self.question(&values, Asking::Open)));
            }
        }
        moves
    }

    /// A question beside an answer: "Tomorrow. Are you open at noon?"
    fn side_question(&self) -> Option<String> {
        let text = self
            .words
            .source()
            .split_inclusive(['.', '?', '!'])
            .map(str::trim)
            .find(|part| part.ends_with('?'))?;
        let question = Words::new(text);
        if !is_question(&question) || text.len() == self.words.source().trim().len() {
            return None;
        }
        fact(&question, self.card, &self.request.persona)
    }

    /// A read-back is pending: a yes, a no, or a change.
    fn confirmation(&self, read_back: &str) -> Vec<Move> {
        let said = answer(self.words);
        let changes = if said.is_some_and(|said| said.alone) {
            Extraction::default()
        } else {
            self.changes(read_back, said.is_none_or(|said| !said.yes))
        };
        let around = Around {
            asked: self.asked,
            answered: true,
            answer_taken: true,
            persona: &self.request.persona,
            ..Around::default()
        };
        if let Some(label) = choose(self.words, &self.card.labels, &around)
            .filter(|label| !changes.corrects || !is_about_others(label))
        {
            return note(changes.values).into_iter().chain([Move::Go(label.name.clone())]).collect();
        }
        if !changes.values.is_empty() {
            // "Yes, and my name is Ann" confirms what was read back and adds something else.
            let read = self.read_back_names(read_back);
            let adds =
                said.is_some_and(|said| said.yes) && !changes.values.keys().any(|name| read.contains(name));
            return note(changes.values).into_iter().chain(adds.then_some(Move::Confirm(true))).collect();
        }
        if let Some(why) = &changes.impossible {
            return vec![Move::Say(why.clone()), Move::Say(last_question(read_back).to_owned())];
        }
        match (said, &changes.half) {
            (Some(said), _) if said.yes => vec![Move::Confirm(true)],
            (_, Some(half)) => vec![Move::Say(self.other_half(half))],
            (Some(_), None) => vec![Move::Confirm(false), Move::Say(self.what_to_change(read_back))],
            (None, None) => self.keep_asking(read_back),
        }
    }

    /// Neither a yes nor a no to a read-back.
    fn keep_asking(&self, read_back: &str) -> Vec<Move> {
        let question = last_question(read_back);
        let text = match self.small_talk() {
            Some((text, None)) => return vec![Move::Say(text.to_owned())],
            Some((text, Some(Asking::First))) => {
                return vec![Move::Say(text.to_owned()), Move::Say(read_back.to_owned())];
            }
            Some((text, Some(_))) => text.to_owned(),
            None if is_question(self.words) => fact(self.words, self.card, &self.request.persona)
                .unwrap_or_else(|| "I am sorry, I do not know that.".to_owned()),
            None => return self.unclear_then("Sorry, I did not understand that.", question),
        };
        vec![Move::Say(text), Move::Say(question.to_owned())]
    }

    /// What the caller changes: the values that were read back may be said anew.
    fn changes(&self, read_back: &str, refuses: bool) -> Extraction {
        let found = extract(self.words, self.card, read_back);
        if !found.values.is_empty() || !refuses {
            return found;
        }
        let mut card = self.card.clone();
        let read: Vec<String> = self.read_back_names(read_back);
        for wanted in &mut card.wanted {
            wanted.missing = read.contains(&wanted.name);
            wanted.optional = false;
        }
        card.known.retain(|known| !read.contains(&known.name));
        let rest = without_no(self.words.source());
        let rest = Words::new(&rest);
        if rest.is_blank() {
            return found;
        }
        let mut again = extract(&rest, &card, read_back);
        again.corrects = !again.values.is_empty();
        again
            .values
            .retain(|name, value| known(self.card, name).is_none_or(|known| value.as_str() != Some(known)));
        again
    }

    fn read_back_names(&self, read_back: &str) -> Vec<String> {
        let lower = read_back.to_lowercase();
        let held = |name: &str| {
            known(self.card, name).is_some_and(|value| {
                lower.contains(&value.to_lowercase())
                    || lower.contains(&spoken::data(value, self.card.now).to_lowercase())
                    || lower.contains(&format!("{}:", name.replace('_', " ")))
            })
        };
        let names: Vec<String> = self
            .card
            .wanted
            .iter()
            .filter(|wanted| held(&wanted.name))
            .map(|wanted| wanted.name.clone())
            .collect();
        if names.is_empty() {
            self.card
                .wanted
                .iter()
                .filter(|wanted| wanted.missing || known(self.card, &wanted.name).is_some())
                .map(|wanted| wanted.name.clone())
                .collect()
        } else {
            names
        }
    }

    fn what_to_change(&self, read_back: &str) -> String {
        let names = self.read_back_names(read_back);
        let one = self.card.wanted.iter().find(|wanted| names.len() == 1 && names.contains(&wanted.name));
        match one {
            Some(wanted) => format!(
                "Sorry about that. {}",
                question_for(
                    wanted,
                    self.card.prompt.as_deref().unwrap_or_default(),
                    self.card.now,
                    Asking::First
                )
            ),
            None => "Sorry about that. What should I change?".to_owned(),
        }
    }

    fn label(&self, found: &Extraction) -> Option<&Label> {
        let about: Vec<String> = self
            .card
            .wanted
            .iter()
            .filter(|wanted| !wanted.missing && found.values.contains_key(&wanted.name))
            .filter_map(|wanted| wanted.about.clone())
            .collect();
        let answered = found.corrects
            || self
                .card
                .wanted
                .iter()
                .any(|wanted| wanted.missing && found.values.contains_key(&wanted.name));
        let asked_yes_no = focus(self.card, self.asked).is_some_and(|wanted| match &wanted.shape {
            Shape::Bool => true,
            Shape::Choice { options } => options.len() == 1,
            _ => false,
        });
        let around = Around {
            asked: self.asked,
            about: &about,
            persona: &self.request.persona,
            answered,
            gives_day: found
                .values
                .keys()
                .filter_map(|name| self.card.wanted.iter().find(|wanted| wanted.name == *name))
                .any(|wanted| matches!(wanted.shape, Shape::Date | Shape::Time | Shape::DateTime)),
            answer_taken: asked_yes_no && answered,
        };
        let label = choose(self.words, &self.card.labels, &around).or_else(|| self.back_to_topic(found))?;
        // "None of these, how about Thursday?" is a new day, which a change of node would lose.
        (!(found.corrects && is_about_others(label))).then_some(label)
    }

    /// In a node that only answers, whoever says what is wanted has heard enough.
    fn back_to_topic(&self, found: &Extraction) -> Option<&Label> {
        let worded = word(self.card.prompt.as_deref().unwrap_or_default(), &self.request.persona);
        let only_answers =
            (worded.answers || worded.tells) && !self.card.wanted.iter().any(|wanted| wanted.missing);
        if !only_answers || found.values.is_empty() || is_question(self.words) {
            return None;
        }
        let mut fitting = self.card.labels.iter().filter(|label| {
            of_author(&plain(&Words::new(&label.sentence))).iter().any(|concept| concept.name == "helped")
        });
        fitting.next().filter(|_| fitting.next().is_none())
    }

    fn other_half(&self, half: &Half) -> String {
        match half {
            Half::Day(day) => format!("What time on {}?", spoken::day(*day, self.card.now)),
            Half::Several(options) => {
                let said: Vec<String> =
                    options.iter().map(|option| spoken::data(option, self.card.now)).collect();
                format!("Which one: {}?", said.join("; or "))
            }
            Half::Period(period) => {
                let period = period
                    .strip_prefix("in ")
                    .map_or_else(|| period.clone(), |month| format!("in {}", super::grammar::capital(month)));
                format!("Which day {period}?")
            }
            Half::Outside => self.question(&Map::new(), Asking::Again),
            Half::Currency(code) => {
                let name = super::cues::currency_name(code);
                format!("I can only take that in {name}. {}", self.question(&Map::new(), Asking::Open))
            }
            Half::TooShort => {
                format!("I think some digits are missing. {}", self.question(&Map::new(), Asking::Again))
            }
        }
    }

    /// Neither a label nor a value: a question, small talk, or something that was not understood.
    fn talk(&self) -> Vec<Move> {
        if let Some(said) = repeated(self.words, &self.request.history) {
            return self.then_question(said, Asking::Open);
        }
        if let Some((text, asking)) = self.small_talk() {
            return match asking {
                Some(asking) => self.then_question(text.to_owned(), asking),
                None => vec![Move::Say(text.to_owned())],
            };
        }
        let question = is_question(self.words);
        if question || self.card.prompt.as_deref().is_some_and(|prompt| word(prompt, "").answers) {
            if let Some(answer) = fact(self.words, self.card, &self.request.persona) {
                return self.then_question(answer, Asking::Open);
            }
            if let Some((name, args)) = self.may_use_tool() {
                return vec![Move::UseTool { name, args }];
            }
        }
        if question {
            return self.then_question("I am sorry, I do not know that.".to_owned(), Asking::Open);
        }
        if let Some((name, args)) = self.may_use_tool().filter(|(name, _)| {
            self.request
                .functions
                .iter()
                .any(|function| function.name == *name && !is_search(&function.parameters))
        }) {
            return vec![Move::UseTool { name, args }];
        }
        self.unclear("Sorry, I did not understand that.")
    }

    fn may_use_tool(&self) -> Option<(String, Json)> {
        if !self.request.may_call {
            return None;
        }
        tool(self.words, self.card, &self.request.functions, &Map::new())
    }

    fn small_talk(&self) -> Option<(&'static str, Option<Asking>)> {
        let talk = small_talk(self.words, &self.card.labels);
        talk.or_else(|| {
            let yes = answer(self.words).is_some_and(|answer| answer.yes && answer.alone);
            let either = last_question(self.asked).contains(" or ");
            let focused = focus(self.card, self.asked).is_some();
            match (yes, either, focused) {
                (true, true, _) => Some(("Which one, please?", Some(Asking::Open))),
                // A bare "okay" where something else was asked for only means "go on".
                (true, false, true) => Some(("Good.", Some(Asking::Open))),
                _ => None,
            }
        })
    }

    fn then_question(&self, text: String, asking: Asking) -> Vec<Move> {
        let question = self.question(&Map::new(), asking);
        [text, question].into_iter().filter(|text| !text.is_empty()).map(Move::Say).collect()
    }

    fn unclear(&self, apology: &str) -> Vec<Move> {
        let again = !self.asked.is_empty();
        let question = self.question(&Map::new(), if again { Asking::Again } else { Asking::First });
        self.unclear_then(apology, &question)
    }

    fn unclear_then(&self, apology: &str, question: &str) -> Vec<Move> {
        let mut moves = Vec::new();
        let may = self.card.may_unclear && self.request.may_call;
        if may {
            moves.push(Move::Unclear);
        }
        // The second time in a row the agent's own handler has words; two apologies are one too many.
        if may && (self.asked.contains("did not understand") || self.asked.contains("could not hear")) {
            return moves;
        }
        moves.push(Move::Say(apology.to_owned()));
        if !question.is_empty() {
            moves.push(Move::Say(question.to_owned()));
        }
        moves
    }

    /// What is to be answered next; in doubt what was asked last.
    fn question(&self, noted: &Map<String, Json>, asking: Asking) -> String {
        let missing =
            self.card.wanted.iter().any(|wanted| wanted.missing && !noted.contains_key(&wanted.name));
        let last = last_question(self.asked);
        if !missing && last.ends_with('?') {
            return last.to_owned();
        }
        // What was asked stays what is asked, whichever value stands first on the card.
        if let Some(wanted) = focus(self.card, self.asked).filter(|_| noted.is_empty()) {
            let prompt = self.card.prompt.as_deref().unwrap_or_default();
            return question_for(wanted, prompt, self.card.now, asking);
        }
        next_question(self.request, noted, asking).unwrap_or_else(|| {
            // "Please type your number" asks as well.
            let asks = last.ends_with('?') || last.to_lowercase().contains("please ");
            if asks { last.to_owned() } else { "How can I help you?".to_owned() }
        })
    }

    fn thanks(&self) -> &'static str {
        let turns =
            self.request.history.iter().filter(|message| matches!(message, Message::Caller(_))).count();
        ["Thank you.", "Got it.", "All right."].get(turns % 3).copied().unwrap_or("Thank you.")
    }
}

/// How well each label fits, to see in a failed test why one was chosen.
#[cfg(test)]
pub(super) fn label_scores(request: &ReplyRequest) -> Vec<(String, f64)> {
    let words = Words::new(last_turn(&request.history).unwrap_or_default());
    let asked = asked_before(&request.history);
    let around = Around { asked: &asked, persona: &request.persona, ..Around::default() };
    let found = scores(&words, &request.card.labels, &around);
    request.card.labels.iter().map(|label| label.name.clone()).zip(found).collect()
}

/// Whether a label says what a change of a value may say as well: "none of these", "no", "yes".
fn is_about_others(label: &Label) -> bool {
    let concepts = of_author(&plain(&Words::new(&label.sentence)));
    concepts.iter().any(|concept| matches!(concept.name, "none suits" | "no" | "no interest" | "yes"))
}

fn is_search(parameters: &Json) -> bool {
    parameters
        .get("properties")
        .is_some_and(|properties| properties.get("query").is_some() || properties.get("question").is_some())
}

fn note(values: Map<String, Json>) -> Option<Move> {
    (!values.is_empty()).then_some(Move::Note(values))
}

/// The turn without the "no" in front: "No, it's Bob" is "it's Bob".
fn without_no(text: &str) -> String {
    let words = Words::new(text);
    let mut start = 0;
    while start < words.len()
        && (words.is(
            start,
            &[
                "no",
                "nope",
                "nah",
                "not",
                "quite",
                "wrong",
                "that's",
                "incorrect",
                "sorry",
                "actually",
                "wait",
                "it's",
                "its",
                "right",
                ",",
                ".",
                "!",
                "i",
                "said",
                "meant",
                "mean",
                "should",
                "be",
                "it",
                "change",
                "to",
                "make",
                "that",
            ],
        ))
    {
        start += 1;
    }
    words.raw(start..words.len()).to_owned()
}
