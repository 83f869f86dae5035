//! Values that are text: names, messages and whatever else is said in free words.

use super::answers::answer;
use super::concepts::of_caller;
use super::hits::Hit;
use super::patterns::{Phrases, find};
use super::questions::is_question;
use super::synonyms::is_filler;
use super::words::{Kind, Words, listed, plain};

/// What a text variable is for, by its name and description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Name of a person.
    Name,
    /// A firm, a place, an address: a short phrase.
    Phrase,
    /// A message, a reason, a description: whole sentences.
    Message,
}

/// What a variable wants.
pub(super) fn purpose(name: &str, about: &str) -> Purpose {
    let text = plain(&Words::new(&format!("{} , {about}", name.replace('_', " "))));
    let has = |pattern: &str| find(&text, pattern).is_some();
    let place = has(
        "company|firm|business|employer|address|city|street|product|street|country|brand|model|number|code|title|color|colour",
    );
    if has(
        "message|messages|remark|anything|suggestion|suggestions|note|notes|details|detail|description|describe|complaint|feedback|comment|comments|question|problem|issue|symptoms|story|instructions|remarks|summary|happened|reason|why|tell|words",
    ) && !has("name")
    {
        return Purpose::Message;
    }
    if has("name|named|surname") && !place
        || has("^ patient|caller|customer|guest|contact|who|person")
            && !place
            && !has("age|weight|kind|type|size|address|number|phone|email")
    {
        return Purpose::Name;
    }
    Purpose::Phrase
}

/// The name in "I'm Ann Lee", "my name is…", "this is… speaking"; sure where the words say so.
/// `dependant`: it may be somebody whom the caller speaks for, "my daughter Ann Lee".
pub(super) fn name(words: &Words, asked: bool, dependant: bool) -> Option<Hit<String>> {
    let mut best: Option<Hit<String>> = None;
    for place in 0..words.len() {
        let start = match () {
            () if words.is(place, &["i'm", "im"]) => place + 1,
            () if words.stands(place, &["i", "am"]) => place + 2,
            () if words.stands(place, &["name", "is"]) => place + 2,
            () if words.stands(place, &["name", "should", "be"]) => place + 3,
            () if words.is(place, &["name's", "names"]) => place + 1,
            () if words.stands(place, &["this", "is"]) && place == words.clause_start(place) => place + 2,
            () if words.stands(place, &["call", "me"]) => place + 2,
            () if words.is(place, &["make", "should"])
                && words.is(place + 1, &["it", "that", "be"])
                && words.capital(place + 2) =>
            {
                place + 2
            }
            () if words.stands(place, &["under", "the", "name"]) => {
                place + 3 + usize::from(words.is(place + 3, &["of"]))
            }
            () if words.is(place, &["my", "our"])
                && listed(RELATIVES, words.at(place + 1))
                && words.capital(place + 2)
                && dependant =>
            {
                place + 2
            }
            () if words.is(place, &["it's", "its"]) && asked => place + 1,
            () if words.stands(place, &["it", "is"]) && asked => place + 2,
            () if words.is(place, &["for", "it's"]) && asked && words.capital(place + 1) => place + 1,
            () => continue,
        };
        let start = start + usize::from(words.is(start, &["actually", "really"]));
        // "It's me, Ann Lee"
        let start =
            if words.is(start, &["me", "only"]) && words.is_break(start + 1) { start + 2 } else { start };
        // "It is raining" tells no name; "it is Ann" does.
        if words.is(place, &["it", "it's", "its"]) && !(start..start + 2).all(|at| could_be_name(words, at)) {
            continue;
        }
        let strong = words.is(place, &["name", "name's", "names", "under"]) || words.before(place) == "name";
        if let Some(hit) = person(words, start, strong || asked) {
            best = Some(hit);
        }
    }
    if best.is_some() || !asked {
        return best;
    }
    // "Ann Lee", perhaps with "yes," or "sure," in front.
    let mut start = 0;
    while start < words.len()
        && (words.kind(start) == Kind::Mark
            || words.is(
                start,
                &[
                    "yes", "sure", "okay", "ok", "yeah", "hi", "hello", "um", "uh", "well", "oh", "please",
                    "mr", "mrs", "ms", "of", "course", "it's", "no",
                ],
            ))
    {
        start += 1;
    }
    let hit = person(words, start, true)?;
    let rest = (hit.places.end..words.len()).any(|place| {
        words.kind(place) == Kind::Letters
            && !words.is(
                place,
                &[
                    "please", "thanks", "thank", "you", "here", "speaking", "that's", "it", "is", "my",
                    "name", "and", "ma'am", "sir",
                ],
            )
    });
    // "Ann Lee, my tooth hurts": a name in capitals that a comma ends.
    let capitals = hit.places.len() > 1 && hit.places.clone().all(|place| words.capital(place));
    (!rest || capitals && words.is_break(hit.places.end)).then_some(hit)
}

/// Free words, without "tell them that" and its like.
pub(super) fn message(words: &Words) -> Option<Hit<String>> {
    let mut start = 0;
    loop {
        let skip = LEADS.split("; ").filter_map(|lead| words.begins(start, lead)).max();
        match skip {
            Some(length) => start += length,
            None if words.kind(start) == Kind::Mark && start < words.len() => start += 1,
            None => break,
        }
    }
    let mut end = words.len();
    while end > start
        && (matches!(words.before(end), "." | "," | "?" | "!" | "please" | "thanks")
            || words.before(end) == "you" && words.at(end.saturating_sub(2)) == "thank")
    {
        end -= if words.before(end) == "you" { 2 } else { 1 };
    }
    let text = words.raw(start..end).trim().to_owned();
    let letters = (start..end).filter(|place| words.kind(*place) != Kind::Mark).count();
    (letters > 0).then_some(Hit { value: capitalised(&text), places: start..end, sure: false })
}

/// A short phrase that answers a question: without "it's", "from", "my address is".
pub(super) fn phrase(words: &Words, variable: &str) -> Option<Hit<String>> {
    let hit = message(words)?;
    let mut start = hit.places.start;
    for place in hit.places.clone() {
        let named = words.is(place, &["is", "it's", "be"])
            && (place < 5)
            && variable
                .split(' ')
                .any(|part| part.len() > 2 && (0..place).any(|before| words.at(before) == part));
        if named {
            start = place + 1;
        }
    }
    for lead in [
        &["it's"][..],
        &["it", "is"],
        &["i'm", "from"],
        &["i", "am", "from"],
        &["i'm", "with"],
        &["i", "work", "for"],
        &["i", "work", "at"],
        &["from"],
        &["we're"],
        &["that's"],
        &["that", "is"],
        &["i'm", "calling", "from"],
        &["calling", "from"],
        &["at"],
    ] {
        if words.stands(start, lead) {
            start += lead.len();
            break;
        }
    }
    let value = words.raw(start..hit.places.end).trim().to_owned();
    (!value.is_empty()).then_some(Hit { value, places: start..hit.places.end, sure: false })
}

/// The firm in "I'm calling from Acme", "I work for Acme".
pub(super) fn firm(words: &Words) -> Option<Hit<String>> {
    (0..words.len()).find_map(|place| {
        let start = if words.stands(place, &["calling", "from"])
            || words.stands(place, &["work", "for"])
            || words.stands(place, &["work", "at"])
            || words.stands(place, &["on", "behalf"])
        {
            place + 2 + usize::from(words.at(place + 2) == "of")
        } else if words.is(place, &["from", "with"])
            && (matches!(words.before(place), "i'm" | "am" | "we're" | "are")
                || words.at(place) == "from" && place > 1 && words.capital(place - 1))
        {
            place + 1
        } else {
            return None;
        };
        let mut end = start;
        while words.capital(end) && words.kind(end) == Kind::Letters
            || end > start && (words.is(end, &["&", "and", "of", "-"]) && words.capital(end + 1))
        {
            end += 1;
        }
        let value = words.raw(start..end).to_owned();
        (!value.is_empty()).then_some(Hit { value, places: place..end, sure: true })
    })
}

/// Whether the caller would rather not answer.
pub(super) fn declines(words: &Words, optional: bool) -> bool {
    let plain_words = plain(words);
    if DECLINES.within(&plain_words) {
        return true;
    }
    optional
        && (answer(words).is_some_and(|answer| !answer.yes && answer.alone) || LACKS.within(&plain_words))
}

/// Whether a turn can be the text that was asked for: not a question, a yes, a plea or a wait.
pub(super) fn can_be_text(words: &Words, purpose: Purpose) -> bool {
    if words.is_blank() {
        return false;
    }
    let plain_words = plain(words);
    let empty = EMPTY.at(&plain_words, 0).is_some();
    if empty
        || answer(words).is_some_and(|answer| answer.alone)
        || declines(words, purpose != Purpose::Message)
    {
        return false;
    }
    match purpose {
        // A message may well hold a question or a complaint.
        Purpose::Message => !is_question(words) || words.len() > 8,
        Purpose::Name | Purpose::Phrase => {
            !is_question(words)
                && of_caller(&plain_words)
                    .iter()
                    .all(|concept| matches!(concept.name, "helped" | "price" | "bill" | "pay"))
        }
    }
}

const LEADS: &str = "tell them; tell them to; tell him to; tell her to; tell them that; tell her; tell him; tell her that; tell him that; please; just; \
     can you tell them; could you tell them; can you tell them that; could you tell them that; say; \
     say that; let them know; let them know that; let him know; let her know; let him know that; \
     let her know that; the message is; the message is that; my message is; my message is that; \
     tell the desk; tell the desk that; well; can you; could you; would you; um; uh; okay; ok; so; \
     yes; yeah; sure; hi; hello; i want to say that; i'd like to say that; i would like to say that; \
     pass on; pass on that; tell you that; it's because; because; that; tell you; actually; no";

static DECLINES: Phrases = Phrases::new(
    "rather not; prefer not; not * want to * say|tell|give|share|answer; \
     not going to * say|tell|give|share|answer; skip that|this|it; ^ skip $; ^ pass $; \
     none of your business; not telling|saying|sharing; no comment; not comfortable; \
     that is private|personal|confidential; will not * say|tell|give|share|answer; \
     leave * blank|empty|out; next question",
);

static LACKS: Phrases = Phrases::new(
    "^ none $; ^ nothing $; do not have one|any|a|an|that|it; have not got one|any; there is none|no; \
     not applicable; do not know; i have none|no; no $; not that i know",
);

static EMPTY: Phrases = Phrases::new(
    "hello|hi|hey|yo $; what $; pardon|sorry|huh|excuse $; pardon|excuse me; wait|hold|hang|moment; \
     one|just|a moment|second|minute|sec; hold on; let me think|see|check; um|uh|hmm|er $; \
     i do not know|understand; not sure; no idea; repeat|say that; come again; \
     good morning|afternoon|evening $; are you; thanks|thank; blah|asdf|test $; whatever $; \
     never mind; can|could you repeat|say; nothing $; i * not understand",
);

/// Whether a word may be part of a name: one in capitals, or one in small letters that is no word
/// of every conversation. Past the end there is nothing against it.
fn could_be_name(words: &Words, place: usize) -> bool {
    let word = words.at(place);
    if listed(NEVER_NAMES, word) {
        return false;
    }
    words.kind(place) != Kind::Letters
        || words.capital(place)
        || !(is_filler(word) || listed(EVERYDAY, word) || word.len() > 4 && word.ends_with("ing"))
}

/// A person's name at a place: up to four words, none of which is an everyday word.
fn person(words: &Words, start: usize, trusted: bool) -> Option<Hit<String>> {
    let mut end = start;
    let mut parts: Vec<String> = Vec::new();
    let mut capitals = 0;
    while end < words.len() && parts.len() < 4 {
        if words.is(end, &["dr", "mr", "mrs", "ms", "doctor"]) {
            end += 1 + usize::from(words.at(end + 1) == ".");
            continue;
        }
        let word = words.at(end);
        if words.kind(end) == Kind::Mark {
            let hyphen = word == "-"
                && words.glued(end)
                && words.glued(end + 1)
                && words.kind(end + 1) == Kind::Letters;
            if !hyphen || parts.is_empty() {
                break;
            }
            let next = titled(words.raw(end + 1..end + 2));
            if let Some(last) = parts.last_mut() {
                *last = format!("{last}-{next}");
            }
            end += 2;
            continue;
        }
        if words.kind(end) != Kind::Letters
            || listed(EVERYDAY, word) && (!words.capital(end) || parts.is_empty() && !trusted)
            || !could_be_name(words, end) && (!trusted || listed(NEVER_NAMES, word) || word.ends_with("ing"))
        {
            break;
        }
        capitals += usize::from(words.capital(end));
        parts.push(titled(words.raw(end..end + 1)));
        end += 1;
    }
    // In small letters only where a name was asked for or announced, or where nothing follows it.
    let alone = words.is_break(end)
        || end >= words.len()
        || words.is(end, &["and", "calling", "speaking", "here", "from", "with", "i'd", "i", "by", "the"]);
    let small = capitals == 0 && !trusted && !(alone && parts.len() >= 2);
    let cut = !alone && capitals == 0;
    if parts.is_empty()
        || small
        || cut
        || parts.iter().all(|part| part.chars().count() < 2) && parts.len() < 2
    {
        return None;
    }
    Some(Hit { value: parts.join(" "), places: start..end, sure: trusted || capitals > 0 })
}

fn titled(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) if first.is_lowercase() => format!("{}{}", first.to_uppercase(), chars.as_str()),
        _ if word.chars().count() > 2 && word.chars().all(char::is_uppercase) => {
            let lower = word.to_lowercase();
            titled(&lower)
        }
        _ => word.to_owned(),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), chars.as_str()))
}

const RELATIVES: &str = "daughter son child kid baby wife husband spouse partner mother father mom mum dad \
     grandmother grandfather grandma grandpa sister brother friend boss colleague niece nephew";

/// Words that are no name even behind "I'm".
const NEVER_NAMES: &str = "a an the not in on at calling looking here sorry sure fine good okay ok busy interested afraid \
     just very so really going trying having her his their my your our out home late ready done tired \
     sick angry mad glad happy upset hoping wondering thinking driving working free available from \
     with about to for it that this what who how why when where i you he she we they yes no nope yeah \
     and or but if please thanks thank bad great well still also new old unemployed broke pregnant \
     bleeding hurt lost confused tomorrow today tonight monday tuesday wednesday thursday friday \
     saturday sunday next morning afternoon evening noon later now never always can could would will \
     want need have has do does did is are was been be am like any all some none nothing something \
     everything appointment cleaning checkup pain help question hello hi hey bye goodbye stop wait \
     hold there fed able unable willing asking paying only already up down back right wrong correct \
     speaking talking under over between allergic diabetic worried scared nervous curious serious \
     joking kidding me us mine yours both either neither each every other another anything anyone \
     nobody everybody everyone name names too quite rather almost nearly enough \
     raining snowing urgent";

/// Words that are seldom names in small letters.
const EVERYDAY: &str = "will may mark bill rich grace hope joy april june august rose sunny one two three four five six \
     seven eight nine ten maybe perhaps actually again someone anyone person human agent customer \
     patient caller wife husband son daughter mother father roommate friend you're it's i'm that's \
     don't can't won't didn't isn't as of than more less much many long short time day week month year \
     high low big small huge tiny cheap expensive heavy light hot cold warm cool easy hard difficult early \
     nice lovely awful terrible important private personal secret red blue green black white empty full \
     open closed loud quiet slow fast strange funny weird true false clear strong weak dirty clean";
