//! Yes and no. "No problem" is a yes, "not now" and "I'm not sure" are neither.

use super::patterns::Phrases;
use super::words::{Words, plain};

/// A yes or a no, and whether it is all that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// Yes.
    pub(super) yes: bool,
    /// Nothing else was said but courtesies.
    pub(super) alone: bool,
}

/// The yes or no in a turn.
pub(super) fn answer(words: &Words) -> Option<Answer> {
    let plain = plain(words);
    let mut first: Option<(bool, bool)> = None;
    let mut rest = 0;
    let mut place = 0;
    let mut clause_start = true;
    while place < plain.len() {
        if plain.get(place).is_some_and(|word| word == ",") {
            clause_start = true;
            place += 1;
            continue;
        }
        let courtesy = COURTESY.at(&plain, place);
        let found = clause_start
            .then(|| longest_match(&plain, place))
            .flatten()
            .filter(|(.., end)| courtesy.is_none_or(|courtesy| *end > courtesy));
        if let Some(end) = courtesy.filter(|_| found.is_none()) {
            place = end;
            continue;
        }
        if clause_start && let Some((kind, firm, end)) = found {
            match (kind, first) {
                (None, None) => return None,
                (Some(yes), None) => first = Some((yes, firm)),
                // "Yes… actually no", "no, that is right"
                (Some(yes), Some((before, _))) if yes != before && firm => first = Some((yes, firm)),
                _ => {}
            }
            place = end;
            // "yes yes", "yes that is right"
            clause_start = true;
            continue;
        }
        clause_start = false;
        rest += 1;
        place += 1;
    }
    first.map(|(yes, _)| Answer { yes, alone: rest == 0 })
}

fn longest_match(plain: &[String], place: usize) -> Option<(Option<bool>, bool, usize)> {
    let groups: [(Option<bool>, bool, &Phrases); 5] = [
        (Some(true), true, &FIRM_YES),
        (Some(true), false, &YES),
        (Some(false), true, &FIRM_NO),
        (Some(false), false, &NO),
        (None, false, &NEITHER),
    ];
    let mut best: Option<(Option<bool>, bool, usize)> = None;
    for (kind, firm, phrases) in groups {
        let longer = |end: &usize| *end > place && best.is_none_or(|(.., longest)| *end > longest);
        if let Some(end) = phrases.at(plain, place).filter(longer) {
            best = Some((kind, firm, end));
        }
    }
    best
}

static COURTESY: Phrases = Phrases::new(
    "thanks a? lot?; thank you very? much?; please; well; oh; um; uh; hmm; so; sir; ma'am; madam; \
     sorry; hey; hi; hello; ah; actually; and; wait; then",
);

/// A yes that also takes back a "no" before it.
static FIRM_YES: Phrases = Phrases::new(
    "that|it|this|everything|all is|looks|sounds all? right|correct|it|true|exact|accurate $; \
     that|it|this is me; all correct|right $; yes; correct $; exactly $",
);

static YES: Phrases = Phrases::new(
    "yes; yeah; yep; yup; yea; ya $; yah; y $; si $; aye $; yes please; sure; sure thing; okay; \
     all right; right $; right you are; correct; exactly; absolutely; definitely; certainly; \
     of course; indeed; fine; perfect; great $; good $; cool $; wonderful $; excellent $; super $; \
     lovely $; sounds good|great|fine|right|perfect|okay; works for me; \
     that|it|this|which works|suits|helps; \
     that|it|this will|would work|do|be? great|fine|good|perfect?; \
     that|it|this|all|everything is|looks|sounds|seems all? right|correct|fine|good|okay|perfect|great|me|it|true; \
     that did|does help?; it|that did|does $; that|this|it helped; very? helpful; go ahead; go for it; \
     go on; please do; why not; no problem|worries; not a problem; no problem at all; do not mind; \
     i do not mind; i do $; i am $; i would $; i can $; i will $; i have $; we do $; we are $; \
     i agree|accept|confirm|consent|approve; i guess so?; i think|suppose|believe|hope so; speaking $; \
     speaking; this is she|he|her|him; uh huh; mm hmm; mhm; mm $; you bet; by all means; \
     happy|glad to; i would love|like to; i would love|like that; let us do it|that|this; let us go; \
     do it; confirmed $; true $; affirmative; looks good|right|correct|fine; all good; you got it; \
     you have it right; got it $; deal $; i am in $; for sure; with pleasure; gladly; totally; \
     naturally; obviously; it is $; that is $; please $; that is the one; that one $",
);

static FIRM_NO: Phrases = Phrases::new(
    "no; no no; that|it|this is not right|correct|it|true|what|me; \
     that|it|this is wrong|incorrect|false; not right|correct; \
     absolutely|definitely|certainly|of|probably course? not; nope; nah; wrong $",
);

static NO: Phrases = Phrases::new(
    "no; nope; nah; n $; no way; no thanks; no thank you; not really; not at all; not quite; \
     not exactly; not interested; not today; not necessary|needed; not this time; i do not think so; \
     i do not $; i am not $; i would not $; i can not $; i will not $; we do not $; it is not $; \
     that is not $; it does not $; it did not; that does not help; that did not help; i did not $; \
     never $; never mind; negative; i am good $; i am fine $; i am all? set|okay|good; \
     i would rather not; i would prefer not; rather not; prefer not; do not $; do not bother; \
     i disagree|refuse|decline; incorrect $; wrong; not me; that|it|this is not; i have not; none $; \
     nothing $; nothing else; forget it; i am not interested; i do not want|need; i do not want to $; \
     hell no; no sir",
);

static NEITHER: Phrases = Phrases::new(
    "not sure|certain; i am not sure|certain; i do not know; i am not; not now; not right now; \
     right now; right away; no idea; no one; good morning|afternoon|evening|day|question|bye; \
     great question; fine print; sure is|would not; not yet; no more|longer; \
     no budget|money|time|appointment|insurance; i do not have; \
     never been|had|mind call|contact|phone|again|did|heard|received|ordered; maybe; perhaps; i think; \
     i guess; do not call|contact|phone|know|care|understand|have|hang|ever; do not you; \
     wrong number|person|day|date|time|name|one; it is not mine|my; that is not mine|my; \
     that|it|this is not my|mine|the|fair|acceptable|enough|good|possible|on|at; \
     i do not want|need a|an|the|to|any; i can not; i will not; i would like|love to",
);
