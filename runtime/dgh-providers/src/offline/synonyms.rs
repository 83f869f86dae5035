//! Words that mean the same on the telephone. Each line is one meaning; its first word names it.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::words::stem;

static MEANINGS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut map = HashMap::new();
    for group in GROUPS.lines().map(str::trim) {
        let name = group.split(' ').next().unwrap_or_default();
        for word in group.split(' ') {
            map.entry(stem(word)).or_insert(name);
        }
    }
    map
});

static FILLERS: LazyLock<HashSet<&str>> = LazyLock::new(|| FILLER.split(' ').collect());

/// The meaning of a lower-case word: the name of its group, else its stem.
pub(super) fn meaning(word: &str) -> String {
    let stem = stem(word);
    MEANINGS.get(&stem).map_or(stem, |name| (*name).to_owned())
}

/// Words that say little about what a sentence is about.
pub(super) fn is_filler(word: &str) -> bool {
    FILLERS.contains(word)
}

const GROUPS: &str = "
    appointment appointments visit visits booking reservation reserve schedule checkin consultation
    book books booked
    bill bills billing invoice invoices statement charge charges charged
    insurance insured insurer coverage copay deductible
    pay pays paying paid payment payments
    person human agent representative rep operator staff receptionist colleague
    manager supervisor boss superior
    emergency emergencies urgent urgently life-threatening critical
    bleed bleeding bleeds blood bled
    swelling swollen swell swells
    accident accidents crash injury injured
    severe severely serious seriously terrible horrible
    pain painful pains hurts hurting ache aches aching sore toothache
    cleaning clean cleans cleaned hygienist hygiene polish
    checkup checkups check-up exam examination inspection
    repair repairs fix fixed fixing broken broke maintenance defective faulty
    service services servicing
    sales sale sell selling buy buys buying bought purchase purchasing order orders ordering quote offer
    accounts account accounting
    support help helps helped helping assist assistance assisting
    price prices pricing cost costs fee fees rate rates expensive
    cancel cancels cancelled canceled cancelling canceling cancellation
    change changes changing changed move moving reschedule rescheduling switch modify
    debt debts owe owes owed owing balance
    wrong incorrect mistaken mistake error errors false
    lawyer lawyers attorney attorneys solicitor counsel legal
    hardship unemployed laid-off bankrupt bankruptcy broke
    job work working employer
    call calls calling called phone phoning ring ringing contact contacting dial
    stop stops stopping quit cease unsubscribe remove
    busy occupied driving meeting tied
    later another someday afterwards eventually
    angry mad furious upset annoyed frustrated irritated pissed fuming
    complaint complaints complain complaining
    question questions inquiry enquiry wonder wondering ask asks asking asked
    information info details detail
    product products solution solutions
    company companies business firm organization organisation
    agree agrees agreed accept accepts consent confirm confirms confirmed
    refuse refuses refused decline declines declined reject rejects unwilling
    want wants wanted wish wishes would-like like need needs looking
    talk talks talking speak speaks speaking chat
    time times
    day days date dates
    house home apartment flat
    car vehicle auto truck
    doctor dr physician dentist
    delivery deliver delivered shipping shipment ship package parcel
    refund refunds reimburse reimbursement money-back
    return returns returning
    open opening opens opened
    close closing closed closes shut
    email e-mail mail
    number numbers
    name names
    address location located
    new first-time
    password login log-in signin sign-in
    table tables seat seats
    room rooms
    fast quick quickly soon asap immediately
    amount amounts sum
    share shares give gives tell tells provide say says disclose reveal
    budget budgets budgeted
    timing timeline timeframe deadline
    start starts starting begin begins beginning
    demo demonstration presentation
    answered answer answers
    finished finish done over end ended ends ending complete completed
    goodbye bye farewell
    satisfied happy pleased glad
    language languages
    holiday holidays vacation
    order orders
    internet wifi wi-fi broadband connection
    slow slowly
    loan loans credit mortgage
    card cards
    technical tech technician
";

const FILLER: &str = "a an the i you he she it we they them me us him her my your his their our its is are am was were \
     be been being do does did have has had will would can could should shall may might must to of in \
     on at for with by from about as into that this these those there here and or but if so because \
     than then not no yes also just really very some any please well oh um uh hi hello hey okay get \
     got let caller callers user customer customers somehow one who what which when where how why all \
     too now up out go going say says said ask asks asked want wants like need needs tell know think \
     thing something anything more other ever again still already only maybe perhaps kind sort lot bit \
     actually good right thanks thank sure whether explicitly clearly gives give make people s t re ve \
     ll d m";
