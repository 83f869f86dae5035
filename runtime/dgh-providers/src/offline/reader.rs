//! One value after the other out of a turn: which words may fill which shape.

use std::ops::Range;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use dgh_engine::functions::DECLINED;
use dgh_engine::reply::{Card, Shape, Wanted};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value as Json, json};

use super::answers::answer;
use super::bounds::DayBounds;
use super::choices::{case, entry_of, several};
use super::contacts::{digit_runs, emails, phones, urls};
use super::cues::{
    asks_company, asks_for_room, asks_the_date, named_currency, says_year, wishes, written_duration,
};
use super::dates::{Calendar, dates, vague_period};
use super::extract::{Extraction, Half, known, topic_of};
use super::hits::{Hit, meant, refused};
use super::labels::last_question;
use super::money::amounts;
use super::numbers::{numbers, year_at};
use super::patterns::{denied, says};
use super::questions::is_question;
use super::spoken::words_of;
use super::synonyms::{is_filler, meaning};
use super::texts::{Purpose, can_be_text, declines, firm, message, name, phrase, purpose};
use super::times::{Moment, durations, moment, times};
use super::words::{Kind, Words, plain};

/// How much a value needs to be said to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It was just asked for.
    Asked,
    /// It is still to be asked for.
    Missing,
    /// It is known, or belongs to another part of the conversation.
    Other,
}

/// A turn, and what of it is used up.
pub(super) struct Reader<'a> {
    words: &'a Words,
    card: &'a Card,
    asked: &'a str,
    taken: Vec<Range<usize>>,
    /// The caller changes his mind.
    pub(super) corrects: bool,
    /// What was read so far.
    pub(super) out: Extraction,
}

impl<'a> Reader<'a> {
    /// Reads a turn; `asked` is what the agent said before it.
    pub(super) fn new(words: &'a Words, card: &'a Card, asked: &'a str, corrects: bool) -> Self {
        Self { words, card, asked, taken: Vec::new(), corrects, out: Extraction::default() }
    }

    /// Looks for one value.
    pub(super) fn read(&mut self, wanted: &Wanted, evidence: Evidence) {
        let Some((value, places)) =
            self.value(&wanted.name, wanted.about.as_deref().unwrap_or_default(), &wanted.shape, evidence)
        else {
            return;
        };
        let known = known(self.card, &wanted.name);
        if let Some(known) = known.filter(|_| !wanted.missing) {
            if same(known, &value, &self.calendar("")) {
                self.taken.push(places);
                return;
            }
            self.out.corrects = self.out_of_bounds(wanted, &value).is_none() || self.out.corrects;
        }
        self.taken.push(places);
        if let Some(why) = self.out_of_bounds(wanted, &value) {
            if evidence != Evidence::Other || known.is_some() {
                self.out.impossible = Some(why);
            }
            return;
        }
        self.out.values.insert(wanted.name.clone(), value);
    }

    /// Why a day cannot be the one that is wanted.
    fn out_of_bounds(&self, wanted: &Wanted, value: &Json) -> Option<String> {
        let day = value
            .as_str()
            .filter(|_| matches!(wanted.shape, Shape::Date | Shape::DateTime))
            .and_then(|text| NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok())?;
        DayBounds::of(wanted.about.as_deref().unwrap_or_default()).refusal(day, self.card.now.date())
    }

    /// What remains when the asked value was not found: it is declined, half said, or wrong.
    pub(super) fn read_late(&mut self, wanted: &Wanted) {
        let answered = !self.out.values.is_empty();
        if !answered && declines(self.words, wanted.optional) {
            if wanted.optional {
                self.out.values.insert(wanted.name.clone(), json!(DECLINED));
            } else {
                self.out.refused = true;
            }
            return;
        }
        self.out.half = match &wanted.shape {
            Shape::DateTime => match moment(
                self.words,
                &self.calendar(wanted.about.as_deref().unwrap_or_default()),
                None,
                None,
            )
            .map(|hit| hit.value)
            {
                Some(Moment::Day(day)) => Some(Half::Day(day)),
                _ => vague_period(self.words).map(Half::Period),
            },
            Shape::Date => vague_period(self.words).map(Half::Period),
            Shape::Choice { options } => {
                let numbers = several(self.words, options, &self.calendar(""));
                let texts: Vec<String> =
                    numbers.iter().filter_map(|number| options.get(number - 1).cloned()).collect();
                (!texts.is_empty() && !answered).then_some(Half::Several(texts))
            }
            Shape::Int { min, max } if min.is_some() || max.is_some() => {
                self.numbers(Evidence::Asked).first().filter(|_| !answered).map(|_| Half::Outside)
            }
            Shape::Phone | Shape::Digits { .. } => digit_runs(self.words)
                .iter()
                .any(|run| run.value.len() >= 3 && !self.is_taken(&run.places))
                .then_some(Half::TooShort),
            Shape::Money { currency } => {
                let about = wanted.about.as_deref().unwrap_or_default().to_lowercase();
                let fixed = currency.as_deref().or_else(|| named_currency(&about));
                let other = amounts(self.words, true)
                    .iter()
                    .any(|hit| hit.value.currency.is_some() && hit.value.currency != fixed);
                fixed.filter(|_| other && !answered).map(|code| Half::Currency(code.to_owned()))
            }
            _ => None,
        };
    }

    fn value(
        &self,
        name: &str,
        about: &str,
        shape: &Shape,
        evidence: Evidence,
    ) -> Option<(Json, Range<usize>)> {
        let words = self.words;
        let loose = evidence == Evidence::Asked;
        let when = matches!(shape, Shape::Date | Shape::Time | Shape::DateTime);
        let early = evidence == Evidence::Other && known(self.card, name).is_none();
        if when && (asks_the_date(words) || early && is_question(words) && !asks_for_room(words)) {
            return None;
        }
        match shape {
            Shape::Text => self.text(name, about, evidence),
            Shape::Bool => self.boolean(name, about, evidence),
            Shape::Int { min, max } => {
                let year = about.to_lowercase().contains("year")
                    || words_of(name).split(' ').any(|part| part == "year");
                let fits =
                    |value: i64| min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max);
                if year {
                    let hit = (0..words.len())
                        .find_map(|place| year_at(words, place).map(|(value, end)| (value, place..end)));
                    if let Some((value, places)) =
                        hit.filter(|(value, places)| fits(*value) && !self.is_taken(places))
                    {
                        return Some((json!(value), places));
                    }
                }
                let hits: Vec<_> = self
                    .counted(name, about, evidence)
                    .into_iter()
                    .filter_map(|hit| {
                        Some(Hit {
                            value: hit
                                .value
                                .to_i64()
                                .filter(|value| hit.value.fract().is_zero() && fits(*value))?,
                            places: hit.places,
                            sure: hit.sure,
                        })
                    })
                    .collect();
                meant(words, hits).map(|hit| (json!(hit.value), hit.places))
            }
            Shape::Number => meant(words, self.counted(name, about, evidence)).map(|hit| {
                let number = hit.value.normalize();
                let value = if number.fract().is_zero() {
                    number.to_i64().map(|whole| json!(whole))
                } else {
                    number.to_f64().map(|value| json!(value))
                };
                (value.unwrap_or(Json::Null), hit.places)
            }),
            Shape::Money { currency } => {
                let wording = about.to_lowercase();
                let upper =
                    !["lower", "minimum", "at least", "smallest"].iter().any(|word| wording.contains(word));
                // A type or a description that names a currency takes no other.
                let fixed = currency.as_deref().or_else(|| named_currency(&wording));
                let blocked = self.strong();
                let alone = self.only_number_wanted(name);
                let again = self.corrects && evidence == Evidence::Other && self.only_number_known(name);
                let hits = amounts(words, upper)
                    .into_iter()
                    .filter(|hit| {
                        hit.sure
                            || loose
                            || evidence == Evidence::Missing && alone && !self.out.values.is_empty()
                            // "Actually, make it 30 thousand": smaller numbers may be hours.
                            || again && hit.value.value >= Decimal::ONE_HUNDRED
                    })
                    .filter(|hit| hit.sure || !blocked.iter().any(|places| hit.overlaps(places)))
                    .filter(|hit| hit.sure || !self.is_count(&hit.places))
                    // "Make it 2" changes a count; there is no amount yet that it could change.
                    .filter(|hit| {
                        hit.sure
                            || known(self.card, name).is_some()
                            || !(self.words.is(hit.places.start.wrapping_sub(1), &["it", "that"])
                                && self.words.at(hit.places.start.wrapping_sub(2)) == "make")
                            || hit.value.value >= Decimal::TEN
                    })
                    .filter(|hit| !self.is_taken(&hit.places))
                    .filter(|hit| {
                        fixed.is_none() || hit.value.currency.is_none() || fixed == hit.value.currency
                    })
                    .collect::<Vec<_>>();
                let sure = hits.iter().any(|hit| hit.sure);
                let hit = meant(words, hits.into_iter().filter(|hit| hit.sure || !sure).collect())?;
                let code = fixed.or(hit.value.currency).unwrap_or_else(|| self.currency());
                Some((json!(format!("{} {code}", hit.value.value.normalize())), hit.places))
            }
            Shape::Date => {
                let calendar = self.anchored(name, about);
                let mut days = self.free(dates(words, &calendar), loose);
                let bounds = DayBounds::of(about);
                let today = self.card.now.date();
                let fits = |hit: &Hit<NaiveDate>| bounds.refusal(hit.value, today).is_none();
                if days.iter().any(fits) {
                    days.retain(fits);
                }
                let hit = meant(words, days)?;
                // "No, the fifth of May" of a birthday keeps its year.
                let before = known(self.card, name).and_then(|text| moment_in(text, &calendar));
                let year =
                    before.filter(|_| calendar.past && !says_year(words, &hit.places)).map(|day| day.year());
                let day = year.and_then(|year| hit.value.with_year(year)).unwrap_or(hit.value);
                Some((json!(day.format("%Y-%m-%d").to_string()), hit.places))
            }
            Shape::Time => {
                let days = dates(words, &self.calendar(about));
                let hits = self.free(times(words, self.card.now), loose);
                let hits = hits
                    .into_iter()
                    .filter(|hit| !days.iter().any(|day| day.sure && day.overlaps(&hit.places)))
                    .collect::<Vec<_>>();
                let sure = hits.iter().any(|hit| hit.sure);
                let hits = hits.into_iter().filter(|hit| hit.sure || !sure).collect();
                meant(words, hits).map(|hit| (json!(hit.value.format("%H:%M").to_string()), hit.places))
            }
            Shape::DateTime => self.moment(name, about, evidence),
            Shape::Duration => {
                let hits = self.free(durations(words), loose);
                meant(words, hits).map(|hit| (json!(written_duration(hit.value)), hit.places))
            }
            Shape::Phone => meant(words, self.free(phones(words, &self.card.language), true))
                .map(|hit| (json!(hit.value), hit.places)),
            Shape::Email => {
                meant(words, self.free(emails(words), true)).map(|hit| (json!(hit.value), hit.places))
            }
            Shape::Url => {
                meant(words, self.free(urls(words), true)).map(|hit| (json!(hit.value), hit.places))
            }
            Shape::Digits { count } => {
                let hits: Vec<_> = digit_runs(words)
                    .into_iter()
                    .filter(|hit| {
                        hit.value.len() == *count as usize
                            && hit.value.chars().all(|digit| digit.is_ascii_digit())
                    })
                    .collect();
                meant(words, self.free(hits, loose || *count >= 4)).map(|hit| (json!(hit.value), hit.places))
            }
            Shape::Enum { cases } => self.case(name, cases, evidence),
            Shape::Choice { options } => {
                let calendar = self.calendar("");
                let hit = entry_of(words, options, &calendar).filter(|hit| {
                    loose || hit.sure && evidence == Evidence::Missing || hit.sure && self.corrects
                })?;
                Some((json!(hit.value), hit.places))
            }
            Shape::List { of } => self.list(name, about, of, evidence),
            Shape::Record { fields } => self.record(fields, evidence),
        }
    }

    fn text(&self, variable: &str, about: &str, evidence: Evidence) -> Option<(Json, Range<usize>)> {
        let words = self.words;
        let asked = evidence == Evidence::Asked;
        let known = known(self.card, variable).is_some();
        let hit = match purpose(variable, about) {
            Purpose::Name => {
                let dependant = ["patient", "guest", "student", "passenger", "child"]
                    .iter()
                    .any(|one| variable.contains(one) || about.to_lowercase().contains(one));
                let asked_name =
                    asked && (can_be_text(words, Purpose::Name) || words.has(&["name", "i'm", "im"]));
                name(words, asked_name, dependant).filter(|hit| {
                    asked
                        || hit.sure
                            && (!known || self.corrects || words.has(&["name"]))
                            && !asks_company(about)
                })
            }
            Purpose::Phrase if asked => {
                phrase(words, &words_of(variable)).filter(|_| can_be_text(words, Purpose::Phrase))
            }
            Purpose::Phrase => firm(words).filter(|_| asks_company(&format!("{variable} {about}"))),
            Purpose::Message if asked => message(words).filter(|_| can_be_text(words, Purpose::Message)),
            Purpose::Message if evidence == Evidence::Missing => {
                let start = (0..words.len()).find(|place| {
                    words.stands(*place, &["tell", "them"])
                        || words.stands(*place, &["tell", "him"])
                        || words.stands(*place, &["tell", "her"])
                        || words.stands(*place, &["let", "them"])
                        || words.stands(*place, &["message", "is"])
                })?;
                let tail = Words::new(words.raw(start..words.len()));
                message(&tail)
                    .map(|hit| Hit { places: start + hit.places.start..start + hit.places.end, ..hit })
            }
            Purpose::Message => None,
        }?;
        let covered = self.taken.iter().filter(|places| hit.overlaps(places)).map(Range::len).sum::<usize>();
        (covered * 2 < hit.places.len().max(1)).then(|| (json!(hit.value), hit.places))
    }

    fn boolean(&self, variable: &str, about: &str, evidence: Evidence) -> Option<(Json, Range<usize>)> {
        let whole = 0..0;
        if evidence == Evidence::Asked
            && let Some(answer) = answer(self.words)
        {
            return Some((json!(answer.yes), whole));
        }
        if is_question(self.words) {
            return None;
        }
        let plain_words = plain(self.words);
        let denied = denied(&plain_words);
        let topic = topic_of(variable, about);
        let first_person = plain_words.iter().any(|word| matches!(word.as_str(), "i" | "we" | "my" | "our"));
        plain_words
            .iter()
            .zip(denied)
            .find(|(word, _)| !is_filler(word) && topic.contains(&meaning(word)))
            .filter(|_| first_person && evidence != Evidence::Other)
            .map(|(_, denied)| (json!(!denied), whole))
    }

    fn case(&self, variable: &str, cases: &[String], evidence: Evidence) -> Option<(Json, Range<usize>)> {
        let hit = case(self.words, cases).filter(|hit| !self.is_taken(&hit.places) || !hit.sure)?;
        let known = known(self.card, variable).is_some();
        let enough = match evidence {
            Evidence::Asked => hit.sure || !is_question(self.words) || hit.places.len() < self.words.len(),
            Evidence::Missing => {
                hit.sure
                    || !is_question(self.words)
                        && !matches!(hit.value.as_str(), "yes" | "no" | "other" | "none")
            }
            Evidence::Other => {
                hit.sure && if known { self.corrects || wishes(self.words) } else { !is_question(self.words) }
            }
        };
        enough
            .then(|| (json!(hit.value), if hit.places.len() == self.words.len() { 0..0 } else { hit.places }))
    }

    fn moment(&self, name: &str, about: &str, evidence: Evidence) -> Option<(Json, Range<usize>)> {
        let calendar = self.anchored(name, about);
        let before = known(self.card, name).and_then(|text| moment_in(text, &calendar));
        let asked = last_day(self.asked, &calendar).filter(|_| evidence == Evidence::Asked);
        let day = before.map(|moment| moment.date()).or(asked);
        let hit = moment(self.words, &calendar, day, before.map(|moment| moment.time()))?;
        if !(hit.sure || evidence == Evidence::Asked) || self.is_taken(&hit.places) {
            return None;
        }
        match hit.value {
            Moment::Whole(value) => Some((json!(value.format("%Y-%m-%dT%H:%M").to_string()), hit.places)),
            Moment::Day(_) => None,
        }
    }

    fn list(&self, name: &str, about: &str, of: &Shape, evidence: Evidence) -> Option<(Json, Range<usize>)> {
        if evidence != Evidence::Asked {
            return None;
        }
        let mut values = Vec::new();
        for piece in self.words.source().split([',', ';']).flat_map(|part| part.split(" and ")) {
            let piece = Words::new(piece.trim());
            let reader = Reader::new(&piece, self.card, self.asked, false);
            let value = reader.value(name, about, of, Evidence::Asked).map(|(value, _)| value);
            values.extend(value.filter(|value| !values.contains(value)));
        }
        (!values.is_empty()).then(|| (Json::Array(values), 0..self.words.len()))
    }

    fn record(&self, fields: &[(String, Shape, bool)], evidence: Evidence) -> Option<(Json, Range<usize>)> {
        if evidence == Evidence::Other {
            return None;
        }
        let mut object = Map::new();
        let mut taken = self.taken.clone();
        for (field, shape, optional) in fields {
            let reader =
                Reader { taken: taken.clone(), ..Reader::new(self.words, self.card, self.asked, false) };
            let evidence = if matches!(shape, Shape::Text) && purpose(field, "") != Purpose::Name {
                Evidence::Missing
            } else {
                evidence
            };
            match reader.value(field, "", shape, evidence) {
                Some((value, places)) => {
                    taken.push(places);
                    object.insert(field.clone(), value);
                }
                None if *optional => {}
                None => return None,
            }
        }
        (!object.is_empty()).then(|| (Json::Object(object), 0..0))
    }

    /// Numbers for a count: not part of a date, a time or an amount of money, and for a value that
    /// was not asked for, next to what they count.
    fn counted(&self, name: &str, about: &str, evidence: Evidence) -> Vec<Hit<Decimal>> {
        let topic = topic_of(name, about);
        let counts_people = ["people", "guest", "person", "parti", "adult"]
            .iter()
            .any(|word| topic.iter().any(|token| token == word));
        let alone = self.only_number_wanted(name);
        self.numbers(evidence)
            .into_iter()
            .filter(|hit| {
                let next = meaning(self.words.at(hit.places.end));
                let before = meaning(self.words.before(hit.places.start));
                let named = topic.contains(&next)
                    || topic.contains(&before)
                    || self.words.stands(hit.places.end, &["of", "us"])
                    || counts_people && before == "for";
                named
                    || evidence == Evidence::Asked
                    || evidence == Evidence::Missing && alone && !self.out.values.is_empty()
            })
            .collect()
    }

    fn numbers(&self, evidence: Evidence) -> Vec<Hit<Decimal>> {
        let strong = self.strong();
        numbers(self.words)
            .into_iter()
            .filter(|number| !number.ordinal || evidence == Evidence::Asked && self.words.len() <= 3)
            .map(|number| Hit { value: number.value, places: number.places, sure: true })
            // "five out of five"
            .filter(|hit| {
                !(self.words.before(hit.places.start) == "of"
                    && self.words.at(hit.places.start.wrapping_sub(2)) == "out")
            })
            .filter(|hit| !self.is_taken(&hit.places) && !strong.iter().any(|places| hit.overlaps(places)))
            .collect()
    }

    /// Places of dates, times and long digit runs that nothing else may take a number from.
    fn strong(&self) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = dates(self.words, &self.calendar(""))
            .into_iter()
            .filter(|hit| hit.sure)
            .map(|hit| hit.places)
            .collect();
        places.extend(
            times(self.words, self.card.now)
                .into_iter()
                .filter(|hit| hit.sure && !self.about_number(&hit.places))
                .map(|hit| hit.places),
        );
        places.extend(phones(self.words, &self.card.language).into_iter().map(|hit| hit.places));
        places.extend(emails(self.words).into_iter().map(|hit| hit.places));
        places
    }

    /// "about twenty" and "for four" are times only where a time is wanted.
    fn about_number(&self, places: &Range<usize>) -> bool {
        let spelled = places.clone().all(|place| self.words.kind(place) == Kind::Letters)
            && numbers(self.words).iter().any(|number| number.places.end == places.end);
        (spelled
            || matches!(self.words.before(places.start), "about" | "around" | "by" | "for" | "after")
                && places.len() == 1)
            && !self.card.wanted.iter().any(|wanted| matches!(wanted.shape, Shape::Time | Shape::DateTime))
    }

    /// "four people", "two kids": a count, not money.
    fn is_count(&self, places: &Range<usize>) -> bool {
        let next = self.words.at(places.end);
        matches!(
            next,
            "people"
                | "persons"
                | "years"
                | "months"
                | "weeks"
                | "days"
                | "kids"
                | "children"
                | "rooms"
                | "times"
                | "minutes"
                | "hours"
                | "percent"
                | "%"
                | "guests"
                | "adults"
                | "of"
        )
    }

    /// No other number is still to be asked for.
    fn only_number_wanted(&self, name: &str) -> bool {
        let numeric = |wanted: &&Wanted| {
            wanted.missing
                && matches!(wanted.shape, Shape::Int { .. } | Shape::Number | Shape::Money { .. })
                && !self.out.values.contains_key(&wanted.name)
        };
        self.card.wanted.iter().filter(numeric).all(|wanted| wanted.name == name)
    }

    /// Whether a number that is corrected can be no other one.
    fn only_number_known(&self, name: &str) -> bool {
        let mut numbers = self.card.wanted.iter().filter(|wanted| {
            known(self.card, &wanted.name).is_some()
                && matches!(wanted.shape, Shape::Int { .. } | Shape::Number | Shape::Money { .. })
        });
        numbers.next().is_some_and(|only| only.name == name) && numbers.next().is_none()
    }

    fn free<T>(&self, hits: Vec<Hit<T>>, loose: bool) -> Vec<Hit<T>> {
        hits.into_iter().filter(|hit| (loose || hit.sure) && !self.is_taken(&hit.places)).collect()
    }

    fn is_taken(&self, places: &Range<usize>) -> bool {
        self.taken.iter().any(|taken| taken.start < places.end && places.start < taken.end)
    }

    fn calendar(&self, about: &str) -> Calendar {
        let about = plain(&Words::new(about));
        let past = says(
            &about,
            "birth|born|happened|started|accident|incident|purchased|bought|issued|dob|previous|last; since when",
        );
        let region = self.card.language.to_uppercase();
        let month_first = region == "EN" || ["-US", "-PH", "-CA"].iter().any(|end| region.ends_with(end));
        Calendar { now: self.card.now, past, day_first: !month_first, anchor: None }
    }

    /// The same, for a value that may be counted from itself or from what was just said.
    fn anchored(&self, name: &str, about: &str) -> Calendar {
        let calendar = self.calendar(about);
        let before =
            known(self.card, name).and_then(|text| moment_in(text, &calendar)).map(|moment| moment.date());
        let anchor = before.or_else(|| last_day(self.asked, &calendar));
        Calendar { anchor, ..calendar }
    }

    /// The currency that is usual where the call is.
    fn currency(&self) -> &'static str {
        let region = self.card.language.split('-').nth(1).unwrap_or_default().to_uppercase();
        match region.as_str() {
            "GB" => "GBP",
            "IE" | "DE" | "FR" | "ES" | "IT" | "NL" | "PT" | "AT" | "BE" | "FI" => "EUR",
            "CA" => "CAD",
            "AU" => "AUD",
            "NZ" => "NZD",
            "CH" => "CHF",
            "IN" => "INR",
            "JP" => "JPY",
            "MX" => "MXN",
            "BR" => "BRL",
            _ => "USD",
        }
    }
}

fn same(known: &str, value: &Json, calendar: &Calendar) -> bool {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if known.eq_ignore_ascii_case(&text) {
        return true;
    }
    if let Ok(date) = NaiveDate::parse_from_str(&text, "%Y-%m-%d") {
        return dates(&Words::new(known), calendar).first().is_some_and(|hit| hit.value == date);
    }
    if let Ok(moment) = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M") {
        return moment_in(known, calendar) == Some(moment);
    }
    words_of(known) == words_of(&text)
}

fn moment_in(text: &str, calendar: &Calendar) -> Option<NaiveDateTime> {
    match moment(&Words::new(text), calendar, None, None)?.value {
        Moment::Whole(moment) => Some(moment),
        Moment::Day(day) => Some(day.and_time(NaiveTime::MIN)),
    }
}

/// The day that the agent spoke of last.
fn last_day(asked: &str, calendar: &Calendar) -> Option<NaiveDate> {
    let words = Words::new(last_question(asked));
    dates(&words, calendar).into_iter().rfind(|hit| !refused(&words, &hit.places)).map(|hit| hit.value)
}
