//! What holds whatever happens.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Fact {
    Wait(Millis),
    Voice(bool),
    /// Of the words that are being said, so many are told.
    Partial(usize),
    /// So many new words are said, and all that were said become final.
    Final(usize),
    MaybeEnd,
    Resumed,
    EndOfTurn,
    Agent(Option<bool>),
    MinWords(Option<u32>),
    EndAfter(Option<Millis>),
    Backchannel,
    Noise,
    Typed,
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        8 => (1..900_u64).prop_map(Fact::Wait),
        6 => any::<bool>().prop_map(Fact::Voice),
        4 => (1..4_usize).prop_map(Fact::Partial),
        4 => (0..4_usize).prop_map(Fact::Final),
        1 => Just(Fact::MaybeEnd),
        1 => Just(Fact::Resumed),
        1 => Just(Fact::EndOfTurn),
        3 => prop_oneof![Just(None), Just(Some(true)), Just(Some(false))].prop_map(Fact::Agent),
        1 => prop_oneof![Just(None), (1..4_u32).prop_map(Some)].prop_map(Fact::MinWords),
        1 => prop_oneof![Just(None), (100..3_000_u64).prop_map(Some)].prop_map(Fact::EndAfter),
        1 => Just(Fact::Backchannel),
        1 => Just(Fact::Noise),
        1 => Just(Fact::Typed),
    ]
}

/// Tells the facts, as a recogniser would: partial words grow and then become final. Answers all
/// words that became final, none of which is a backchannel.
fn run(facts: &[Fact]) -> (Bench, Vec<String>) {
    let mut bench = Bench::new();
    let (mut now, mut count, mut open) = (0, 0, Vec::<String>::new());
    let mut said = Vec::new();
    let mut policy = Policy::default();
    let mut grow = |open: &mut Vec<String>, words: usize| {
        for _ in 0..words {
            count += 1;
            open.push(format!("w{count}x"));
        }
    };
    for fact in facts {
        match fact {
            Fact::Wait(ms) => now += ms,
            Fact::Voice(on) => drop(bench.at(now, Heard::Voice(*on))),
            Fact::Partial(words) => {
                grow(&mut open, *words);
                bench.partial(now, &open.join(" "));
            }
            Fact::Final(words) => {
                grow(&mut open, *words);
                bench.words(now, &open.join(" "));
                said.append(&mut open);
            }
            Fact::MaybeEnd => drop(bench.at(now, Heard::MaybeEnd)),
            Fact::Resumed => drop(bench.at(now, Heard::Resumed)),
            Fact::EndOfTurn => drop(bench.at(now, Heard::EndOfTurn)),
            Fact::Agent(sound) => drop(bench.at(now, Heard::Agent(*sound))),
            Fact::MinWords(words) => {
                policy.min_words = *words;
                bench.at(now, Heard::Policy(policy.clone()));
            }
            Fact::EndAfter(ms) => {
                policy.end_after = *ms;
                bench.at(now, Heard::Policy(policy.clone()));
            }
            Fact::Backchannel if open.is_empty() => drop(bench.words(now, "mhm")),
            Fact::Backchannel => {}
            Fact::Noise if open.is_empty() => drop(bench.words(now, "")),
            Fact::Noise => {}
            Fact::Typed => drop(bench.at(now, Heard::Typed("typed".into()))),
        }
    }
    if !open.is_empty() {
        bench.words(now + 10, &open.join(" "));
        said.append(&mut open);
    }
    bench.at(now + 10, Heard::Voice(false)).at(now + 20, Heard::Agent(None)).wait();
    (bench, said)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn every_final_word_is_in_one_turn_and_in_order(facts in prop::collection::vec(fact(), 1..60)) {
        let (bench, said) = run(&facts);
        let texts = bench.texts().join(" ");
        let told: Vec<_> = texts.split_whitespace().filter(|word| word.starts_with('w')).collect();
        prop_assert_eq!(told, said, "{:#?}", bench.story());
    }

    #[test]
    fn a_hold_is_followed_by_a_cut_or_a_resume(facts in prop::collection::vec(fact(), 1..60)) {
        let (bench, _) = run(&facts);
        let mut held = false;
        for (at, decision) in &bench.decided {
            match decision {
                Decision::Hold => {
                    prop_assert!(!held, "held twice at {}", at);
                    held = true;
                }
                Decision::Resume => {
                    prop_assert!(held, "resumed at {} what was not held", at);
                    held = false;
                }
                Decision::Cut => held = false,
                Decision::Turn(_) => prop_assert!(!held, "a turn at {} while the sound is held", at),
                _ => {}
            }
        }
        prop_assert!(!held, "held for ever: {:#?}", bench.story());
    }

    #[test]
    fn no_decision_is_without_its_cause(facts in prop::collection::vec(fact(), 1..60)) {
        let (bench, _) = run(&facts);
        let (mut speaking, mut prepared) = (false, false);
        for (at, decision) in &bench.decided {
            match decision {
                Decision::CallerSpeaking => {
                    prop_assert!(!speaking, "told twice at {}", at);
                    speaking = true;
                }
                Decision::Turn(turn) if turn.text == "typed" => {}
                Decision::Turn(turn) => {
                    prop_assert!(turn.spoke_until <= *at && turn.final_at <= *at);
                    speaking = false;
                    prepared = false;
                }
                Decision::Prepare(turn) => {
                    prop_assert!(!turn.text.is_empty());
                    prepared = true;
                }
                Decision::Discard => {
                    prop_assert!(prepared, "nothing to discard at {}", at);
                    prepared = false;
                }
                _ => {}
            }
        }
        prop_assert!(!speaking, "a caller who spoke, and no turn: {:#?}", bench.story());
    }
}
