//! What callers commonly want, as phrases: what they say, and how an author names it in the
//! sentence of a `when`. Where both sides of a concept meet, the label is meant.

use super::patterns::{Phrases, denied};

/// A common intent.
pub(super) struct Concept {
    /// Its name.
    pub(super) name: &'static str,
    /// How sure a meeting of both sides is: 1 is enough alone.
    pub(super) weight: f64,
    /// What a caller says.
    caller: Phrases,
    /// How an author says it.
    author: Phrases,
    /// Whether a "not" before the phrase takes it back; false where the phrase holds the "not".
    plain: bool,
}

/// The concepts in a caller's words.
pub(super) fn of_caller(plain: &[String]) -> Vec<&'static Concept> {
    let denied = denied(plain);
    CONCEPTS
        .iter()
        .filter(|concept| {
            said(plain, &denied, &concept.caller, concept.plain)
                || concept.name == "human" && NO_MACHINE.within(plain)
        })
        .collect()
}

/// Whoever refuses a machine wants a person.
static NO_MACHINE: Phrases = Phrases::new(
    "not * talk|talking|speak|speaking|chat to|with * robot|robots|machine|machines|computer|computers|bot|bots|ai; \
     not * want|like|need robot|robots|machine|machines|bot|bots|ai; hate robots|machines|bots|computers",
);

/// The concepts in the sentence of a label.
pub(super) fn of_author(plain: &[String]) -> Vec<&'static Concept> {
    let denied = denied(plain);
    CONCEPTS.iter().filter(|concept| said(plain, &denied, &concept.author, concept.plain)).collect()
}

/// Whether a caller's words hold a concept.
pub(super) fn caller_means(plain: &[String], name: &str) -> bool {
    of_caller(plain).iter().any(|concept| concept.name == name)
}

/// Whether a word stands in the phrases of callers: it is no slip.
pub(super) fn is_concept_word(word: &str) -> bool {
    CONCEPTS.iter().any(|concept| concept.caller.holds(word))
}

fn said(plain: &[String], denied: &[bool], phrases: &Phrases, positive: bool) -> bool {
    if !positive {
        return phrases.within(plain);
    }
    let is_denied = |place: usize| denied.get(place).copied().unwrap_or(false);
    let word = |place: usize| plain.get(place).map_or("", String::as_str);
    let free = |at: usize, end: usize| {
        // "No more questions" and "can not breathe" hold their own "not".
        let own = matches!(word(at), "no" | "not" | "never" | "nothing")
            || word(at) == "can" && word(at + 1) == "not";
        if own {
            at.checked_sub(1).is_none_or(|before| !is_denied(before))
        } else {
            !(at..end).any(is_denied)
        }
    };
    (0..plain.len()).any(|at| phrases.all_at(plain, at).any(|end| free(at, end)))
}

static CONCEPTS: [Concept; 25] = [
    Concept {
        name: "stop calling",
        weight: 1.6,
        plain: false,
        caller: Phrases::new(
            "stop|quit calling|phoning|ringing|contacting|bothering|harassing|texting; \
             do not you? ever? call|contact|phone|ring|text|bother me|us|here|this|again|anymore; \
             never * call|calls|contact|phone|ring|bother; do not * call * again|anymore; \
             do not want * calls|called|contacted; not want you to call; no more calls; not be called; \
             take|get|remove|delete * off|from your|the|this list|lists|database|records|system|file; \
             off your list; remove my|me number?; do not call list; lose my|this number; unsubscribe; \
             opt out; leave me alone; delete my number|data",
        ),
        author: Phrases::new(
            "stop|not|never * call|calling|called|contact|contacted; \
             call|called|contact|contacted * no more; do not call; opt out; unsubscribe; off * list; \
             no more calls; removed from * list; to be removed; to be left alone",
        ),
    },
    Concept {
        name: "human",
        weight: 1.5,
        plain: true,
        caller: Phrases::new(
            "real|actual|live|human person|human|being|agent|someone|one; \
             speak|talk|chat to|with * person|human|someone|somebody|anyone|agent|representative|operator|receptionist|manager|supervisor|people|staff|boss|colleague|clerk; \
             human $; ^ person|agent|representative|operator|receptionist|manager|supervisor $; \
             a|an|the|your human|agent|representative|operator|receptionist|manager|supervisor; \
             want|get|need|give|pass|connect|put|transfer * person|human|someone|somebody|agent|representative|operator|receptionist|manager|supervisor; \
             connect|transfer|put me; customer service|care; front desk; \
             someone|somebody|anyone else i can talk; talk|speak to|with a|your? person; \
             somebody|someone real",
        ),
        author: Phrases::new(
            "person|human|agent|representative|operator|receptionist|manager|supervisor|staff|clerk; \
             someone|somebody real|else|from; real person; a colleague; be transferred|connected; \
             live agent",
        ),
    },
    Concept {
        name: "emergency",
        weight: 1.5,
        plain: true,
        caller: Phrases::new(
            "emergency; bleeding|bleeds|blood; accident; can not * breathe|breath; swelling|swollen; \
             life threatening; severe|unbearable|terrible|extreme|excruciating pain; \
             knocked * tooth|teeth|out; unconscious; heart attack; ambulance; on fire|911|112|999; \
             urgent|urgently; gas leak; smell * gas",
        ),
        author: Phrases::new(
            "emergency|emergencies|urgent|bleeding|swelling|accident|danger|ambulance|severe; \
             life threatening; in danger",
        ),
    },
    Concept {
        name: "lawyer",
        weight: 1.5,
        plain: true,
        caller: Phrases::new(
            "my|a|an|our lawyer|attorney|solicitor; lawyer|lawyers|attorney|attorneys; \
             legal representation|representative|counsel; represented by; law firm; sue|suing you",
        ),
        author: Phrases::new("lawyer|attorney|solicitor; legal representation; represented|represents"),
    },
    Concept {
        name: "someone else",
        weight: 1.4,
        plain: false,
        caller: Phrases::new(
            "wrong number|person; i am not him|her|them|that|the|he|she; not who you; \
             not the right|person|one|owner; this is not him|her|he|she|them; \
             no one|nobody|one here|by|named|called * name|that|called|here; no one * by that name; \
             no such person; no * here; never heard of; \
             do not know * him|her|that|this|them|anyone|anybody|person|who; you have the wrong; \
             he|she is out|away|gone|asleep|busy|unavailable|dead; \
             he|she is not here|home|in|available|around|at; he|she does not live|work; \
             he|she passed|died|moved; \
             am|is his|her|the|their roommate|wife|husband|son|daughter|mother|father|brother|sister|partner|friend|assistant|flatmate|neighbour|neighbor|girlfriend|boyfriend|spouse|mom|dad|colleague; \
             that is not me; that is not my name; not me $; not here right|at|now|$; someone else; \
             wrong house|company|guy|man|woman; not him|her $",
        ),
        author: Phrases::new(
            "someone|somebody|person else; wrong number|person; do|does not know * person; \
             not the right person; another|other person; not this person; different person",
        ),
    },
    Concept {
        name: "dispute",
        weight: 1.4,
        plain: false,
        caller: Phrases::new(
            "not my|mine; not mine; do not owe; never owed|bought|ordered|signed|had|opened|received; \
             amount|balance|number|bill|sum is|looks wrong|incorrect|off|too; wrong amount|balance; \
             that|it|this is not right|correct $; already paid; i paid * already|off|last|that; \
             dispute|disputing; a mistake|scam|fraud|error; identity theft; \
             do not recognize|recognise; do not know * about|this|that debt|account|bill|it; \
             not|never * my debt|account|bill",
        ),
        author: Phrases::new(
            "not theirs; dispute|disputes; amount is wrong; do not owe; not owe; already paid; \
             not * their debt; wrong amount",
        ),
    },
    Concept {
        name: "hardship",
        weight: 1.3,
        plain: false,
        caller: Phrases::new(
            "can not * pay|afford; could not * pay|afford; not able to pay; unable to pay; \
             lost my|the|a job; no|any job|income|money|work; do not have * money|cash|job|income; \
             have not got * money; out of work|money|a; \
             unemployed|broke|bankrupt|bankruptcy|homeless|disabled; laid off; \
             on|living welfare|benefits|disability|on; hospital|sick|cancer|surgery|ill; \
             medical bills; can barely; struggling|struggle; hard|tough times|time|situation; \
             hardship; money is tight; fixed income; got fired; was fired; paycheck to",
        ),
        author: Phrases::new(
            "hardship; can not pay|afford; unable to pay; lost their job; no money; \
             financial difficulty|trouble|difficulties|problems",
        ),
    },
    Concept {
        name: "busy",
        weight: 1.3,
        plain: false,
        caller: Phrases::new(
            "bad time; not * good|great|best time|moment; \
             call|phone|ring|try me? back|later|again|tomorrow|another|some; \
             call me later|tomorrow|next|in|on|another|some; another|some other|different time|day; \
             not now; not right now; not at the moment; i am busy|driving|working|eating|cooking; \
             i am in|at * meeting|middle|work|car|dinner|store|hospital|school|doctor|office|gym; \
             in the middle of; do not have|got|any? * time; have not got * time; no time; \
             have no time; can not talk|speak; busy; later please?; maybe later; in a hurry|rush; \
             have|got to go|run|leave; can you|we * later|tomorrow; have another call; \
             about to leave|go|board",
        ),
        author: Phrases::new(
            "another time; other time; busy; bad time; call * back; later; not now; no time; \
             not * good time; can not talk",
        ),
    },
    Concept {
        name: "angry",
        weight: 1.2,
        plain: true,
        caller: Phrases::new(
            "angry|furious|pissed|fuming|livid; \
             ridiculous|unacceptable|outrageous|disgusting|pathetic|useless|incompetent|disgraceful|scandal|joke; \
             fed up; sick of|and; waste|wasting of? my? time; \
             stupid|idiot|idiots|moron|dumb|damn|hell|shit|crap|fuck|fucking|bullshit|suck|sucks|bloody; \
             worst|terrible|horrible|awful service|company|experience|customer; shut up; how dare you; \
             complain|complaint; harassment|harassing|harassed; are you kidding|joking|serious; hate this|you|talking; \
             do not|not understand|listen * anything|at; what is wrong with; not listening; \
             frustrated|frustrating|annoyed|annoying|upset|mad; third|second|fourth time i; \
             again and again",
        ),
        author: Phrases::new(
            "angry|upset|furious|complain|complains|complaint|frustrated|insult|insults|rude|swear|swears|abusive|annoyed|unhappy|dissatisfied|shout|shouts|curse",
        ),
    },
    Concept {
        name: "refuse to say",
        weight: 1.3,
        plain: false,
        caller: Phrases::new(
            "rather not|keep; prefer not; \
             not want to * say|tell|share|give|answer|disclose|talk about|discuss; \
             not going to * say|tell|share|give|answer|disclose; \
             will not * say|tell|share|give|answer|disclose; not * comfortable; none of your; \
             not your business; that is private|personal|confidential|secret; \
             can not * say|tell|share|disclose; not telling|saying|sharing|giving; \
             why do you ask; no comment; do not feel like; skip that|this|it; i refuse to; \
             not tell you",
        ),
        author: Phrases::new(
            "not * share|say|give|tell|disclose|answer|want|name; \
             refuse|refuses to say|share|give|answer|tell; rather not; \
             decline|declines to say|share|give|answer|tell",
        ),
    },
    Concept {
        name: "no interest",
        weight: 1.4,
        plain: false,
        caller: Phrases::new(
            "not interested; no interest; not * looking for|to; \
             do not need|want * demo|it|this|that|one|anything|any|your|your; \
             do not want|need a|an|any|the; no thanks|thank; not for me|us; happy with what; \
             already have|got one|a|an|that|it; not at this time; not going to buy; pass on; \
             no longer interested; do not want to buy",
        ),
        author: Phrases::new(
            "not interested; not want|need; no interest; decline|declines|refuse|refuses $; \
             decline|declines|refuse|refuses the|our|a|an; say|says no; lost interest",
        ),
    },
    Concept {
        name: "refuse",
        weight: 1.2,
        plain: false,
        caller: Phrases::new(
            "i|we refuse; refuse to; i|we will not; not going to; \
             i am not * doing|paying|going|giving|taking|buying|signing; no way; forget it|about; \
             not a chance|cent|dime|penny; over my dead; never going to; absolutely not; \
             not happening; why should i; i do not want to",
        ),
        author: Phrases::new(
            "refuse|refuses|decline|declines|unwilling|reject|rejects; \
             will|do|does not agree|want|accept; say|says no",
        ),
    },
    Concept {
        name: "book",
        weight: 1.1,
        plain: true,
        caller: Phrases::new(
            "appointment; book; booking; reservation; reserve; schedule; come in|by; \
             see the|a|my|your? dentist|doctor|dr|hygienist|specialist|vet|lawyer|consultant; \
             need|want|find|looking * dentist|doctor|dr|hygienist|specialist|vet|consultant; can|could i|we come|see; do you have anything|something|room|space|availability; \
             anything|something|slot|slots on|for|next|this|tomorrow|today; \
             make|set|get up? * appointment|visit; sign up; \
             do you have|anything|any * free|available|open|opening|slot|slots|openings; \
             first visit|available",
        ),
        author: Phrases::new("appointment|appointments|book|booking|reservation|reserve|schedule|visit"),
    },
    Concept {
        name: "cancel",
        weight: 1.2,
        plain: true,
        caller: Phrases::new("cancel|cancelling|canceling|cancellation; call * off; get out of; terminate"),
        author: Phrases::new("cancel|cancellation|terminate|quit"),
    },
    Concept {
        name: "reschedule",
        weight: 1.2,
        plain: true,
        caller: Phrases::new(
            "reschedule|rescheduling|postpone; \
             move|change|shift|push my|the|our|an * appointment|booking|reservation|visit|time|date|demo|meeting; \
             different|another|other date|day|time for",
        ),
        author: Phrases::new(
            "reschedule|postpone; move|change * appointment|booking|reservation|visit|time|date",
        ),
    },
    Concept {
        name: "bill",
        weight: 1.1,
        plain: true,
        caller: Phrases::new(
            "bill|bills|billing|invoice|invoices|insurance|statement|charge|charged|copay|refund|overcharged; \
             payment plan; how much i owe; pay my",
        ),
        author: Phrases::new("bill|bills|billing|invoice|payment|insurance|charge|refund"),
    },
    Concept {
        name: "none suits",
        weight: 1.4,
        plain: false,
        caller: Phrases::new(
            "none of these|those|them|that|the; none works|work|suit|suits|fit|fits; neither of?; \
             nothing|none there|that|of * works|suits|fits|for; \
             do not|does not|will not * work|suit|fit; \
             can not * make|do any|either|those|these|it|them|that; \
             another|other|different day|days|date|dates|time|times|slot|slots|option|options|one; \
             anything|something else|different|later|earlier|sooner|other; \
             other options|times|days|slots; not * any of; some other; that|they|those|these|all|it is|are too early|late|soon|far",
        ),
        author: Phrases::new(
            "none of|suits|suit|fits|fit|works; another|other|different day|date|time|slot|option; \
             nothing suits|fits|works; not * suit|fit|work",
        ),
    },
    Concept {
        name: "helped",
        weight: 1.2,
        plain: true,
        caller: Phrases::new(
            "that|it|this|you helps|helped|answers|answered; got it $; i see; makes sense; understood; \
             good|great to know; thanks|thank * help|information|info|explaining|clarifying; \
             all my questions; that is all|everything|it; no more|further|other questions; \
             clear now|enough; ^ thanks a? lot? $; ^ thank you very? much? $; \
             that is helpful|good|great|clear; very helpful; interesting; nice $; okay $; all right $",
        ),
        author: Phrases::new(
            "answered|helped|satisfied|resolved|solved|understood|helps; question is answered; \
             no more|further|other questions; it|this|that helps; nothing more|else; they|caller|customer know|knows $; \
             know|knows now|enough|it|that|what|all; have|has|got|has|hear|heard what they need|needed|want|wanted|asked; informed; ^ known",
        ),
    },
    Concept {
        name: "finished",
        weight: 1.2,
        plain: false,
        caller: Phrases::new(
            "bye|goodbye|ciao; see you; have a good|nice|great; nothing else|more; \
             that is all|everything|it; that will be all; no more|further|other questions; \
             i am done|finished; we are done; all set; hang up; end the|this call; talk to you later; \
             no that is it|all; thanks|thank you bye|goodbye",
        ),
        author: Phrases::new(
            "over|finished|done|complete; goodbye|bye; nothing else|more|further; \
             end|ends|ended|finish * conversation|call|talk; hang up; \
             conversation|call is over|finished|done; want|wants to end|leave|go|finish",
        ),
    },
    Concept {
        name: "unsure",
        weight: 1.3,
        plain: false,
        caller: Phrases::new(
            "do not know yet?; not sure|certain; no idea; \
             have|need|got|let to|me check|think|ask|look|consult|see|discuss; \
             check|think|ask with|about|my|first|it; not decided; have not decided; undecided; \
             hard to say; depends; maybe $; get back to you; can not say yet",
        ),
        author: Phrases::new(
            "not know; not sure|certain; unsure|undecided|unclear|hesitate|hesitates|hesitant; \
             need|needs to think|check; think about it; have|has to check",
        ),
    },
    Concept {
        name: "price",
        weight: 1.1,
        plain: true,
        caller: Phrases::new(
            "how much; price|prices|pricing|cost|costs|fee|fees|rates; what do you charge; \
             expensive|cheap|cheaper|discount",
        ),
        author: Phrases::new("price|prices|pricing|cost|costs|fee|fees|rates|expensive|discount"),
    },
    Concept {
        name: "robot",
        weight: 1.2,
        plain: true,
        caller: Phrases::new(
            "are you * robot|machine|computer|bot|ai|human|real|recording|person|automated; \
             is this * robot|machine|computer|bot|ai|recording|automated|person|human; \
             am i * talking|speaking * robot|machine|computer|bot|ai|human|person",
        ),
        author: Phrases::new("robot|machine|bot|ai|automated"),
    },
    Concept {
        name: "yes",
        weight: 1.2,
        plain: true,
        caller: Phrases::new(""),
        author: Phrases::new(
            "agree|agrees|accept|accepts|confirm|confirms|consent|consents|yes|willing|interested|happy|ready|affirm|affirms|approve|approves; \
             say|says yes; want|wants|like|likes to continue|proceed|talk|go; \
             want|wants it|one|this|that; is|are|was right|correct|true",
        ),
    },
    Concept {
        name: "no",
        weight: 1.2,
        plain: false,
        caller: Phrases::new(""),
        author: Phrases::new(
            "refuse|refuses|decline|declines|disagree|disagrees|reject|rejects|no|unwilling; \
             say|says no; not interested|agree|want|accept|confirm|like|willing|need; \
             someone|somebody|person else; wrong; is|are not right|correct|true; do not",
        ),
    },
    Concept {
        name: "pay",
        weight: 1.1,
        plain: true,
        caller: Phrases::new(
            "can|could|will|would|able|willing|want|going|like to? * pay|afford|manage|send; \
             pay today|now|tomorrow|something|part|half|all|it|that|some|in|you; \
             payment plan|arrangement; in parts|installments|instalments; installments|instalments; \
             set up * payment|plan",
        ),
        author: Phrases::new(
            "willing|able|ready|agree|agrees|want|wants|can|offer|offers|promise|promises to? pay; \
             pay * amount|something|today",
        ),
    },
];
