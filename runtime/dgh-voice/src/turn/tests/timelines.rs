//! The timelines of `TURNS.md`, drawn there and told here: one test for each.

use super::*;

const PAGE: &str = include_str!("../../../TURNS.md");

/// The timelines that are drawn, by name.
fn drawn() -> Vec<(&'static str, &'static str)> {
    PAGE.split("### `").skip(1).filter_map(|part| part.split_once("`\n")).collect()
}

/// That what was decided is what is drawn: when, and what.
fn as_drawn(bench: &Bench, name: &str) {
    let timelines = drawn();
    let (_, timeline) = timelines.iter().find(|(drawn, _)| *drawn == name).unwrap();
    let mut rows = Vec::new();
    for row in timeline.lines().filter_map(|line| line.strip_prefix("decides")) {
        let (what, at) = row.trim_start_matches([' ', '|']).rsplit_once(" (").unwrap();
        let kinds = what.split(": ").next().unwrap();
        rows.extend(kinds.split(", ").map(|kind| format!("{} {kind}", at.trim_end_matches(')'))));
    }
    let story = bench.story();
    let decided: Vec<_> = story.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(decided, rows, "{name}");
}

#[test]
fn every_timeline_that_is_drawn_is_a_test_and_the_other_way_round() {
    let here = include_str!("timelines.rs");
    let mut tests: Vec<_> = here
        .lines()
        .filter_map(|line| line.strip_prefix("fn ")?.strip_suffix("() {"))
        .filter(|name| !name.starts_with("every_timeline") && !name.starts_with("drawn"))
        .collect();
    let mut drawn: Vec<_> = drawn().into_iter().map(|(name, _)| name).collect();
    tests.sort_unstable();
    drawn.sort_unstable();
    assert_eq!(tests, drawn);
}

#[test]
fn a_turn_that_ends_with_a_full_stop() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).words(1_250, "I want to book an appointment.").wait();
    assert_eq!(
        bench.story(),
        [
            "300 speaks",
            "1100 finish",
            "1250 prepare: I want to book an appointment.",
            "1300 turn: I want to book an appointment.",
        ]
    );
    assert_eq!(bench.turns()[0].spoke_until, 1_000);
    assert_eq!(bench.turns()[0].final_at, 1_250);
    as_drawn(&bench, "a_turn_that_ends_with_a_full_stop");
}

#[test]
fn a_turn_without_a_full_stop() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).words(1_250, "tomorrow morning").wait();
    assert_eq!(
        bench.story()[1..],
        ["1100 finish", "1250 prepare: tomorrow morning", "1600 turn: tomorrow morning"]
    );
    as_drawn(&bench, "a_turn_without_a_full_stop");
}

#[test]
fn words_that_ask_for_more() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).words(1_250, "My number is 415,").wait();
    assert_eq!(
        bench.story()[1..],
        ["1100 finish", "1250 prepare: My number is 415,", "2200 turn: My number is 415,"]
    );
    as_drawn(&bench, "words_that_ask_for_more");
}

#[test]
fn a_pause_in_the_middle_of_a_sentence() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).words(1_250, "I want to book").voice(1_400, 2_000);
    bench.words(2_250, "an appointment for Monday.").wait();
    assert_eq!(
        bench.story(),
        [
            "300 speaks",
            "1100 finish",
            "1250 prepare: I want to book",
            "1500 discard",
            "2100 finish",
            "2250 prepare: I want to book an appointment for Monday.",
            "2300 turn: I want to book an appointment for Monday.",
        ]
    );
    as_drawn(&bench, "a_pause_in_the_middle_of_a_sentence");
}

#[test]
fn the_recogniser_ends_the_turn() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).partial(900, "I want to book").at(1_080, Heard::MaybeEnd);
    bench.words(1_140, "I want to book.").at(1_150, Heard::EndOfTurn).wait();
    assert_eq!(
        bench.story(),
        ["300 speaks", "1080 prepare: I want to book", "1100 finish", "1150 turn: I want to book"]
    );
    as_drawn(&bench, "the_recogniser_ends_the_turn");
}

#[test]
fn the_recogniser_takes_it_back() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).partial(900, "I want to book").at(1_080, Heard::MaybeEnd);
    bench.at(1_120, Heard::Resumed).voice(1_250, 2_000).partial(1_400, "I want to book a table");
    bench.words(2_100, "I want to book a table.").at(2_110, Heard::EndOfTurn).wait();
    assert_eq!(
        bench.story(),
        [
            "300 speaks",
            "1080 prepare: I want to book",
            "1100 finish",
            "1120 discard",
            "2100 finish",
            "2100 prepare: I want to book a table.",
            "2110 turn: I want to book a table.",
        ]
    );
    as_drawn(&bench, "the_recogniser_takes_it_back");
}

#[test]
fn the_node_says_how_long_a_pause_may_be() {
    let mut bench = Bench::new();
    bench.at(0, Heard::Policy(Policy { end_after: Some(2_000), min_words: None }));
    bench.voice(0, 1_000).words(1_250, "It began last week.").at(1_300, Heard::EndOfTurn).wait();
    assert_eq!(
        bench.story()[1..],
        ["1100 finish", "1250 prepare: It began last week.", "3000 turn: It began last week."]
    );
    as_drawn(&bench, "the_node_says_how_long_a_pause_may_be");
}

#[test]
fn words_that_never_become_final() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).partial(900, "yes that").wait();
    assert_eq!(bench.story(), ["300 speaks", "1100 finish", "2500 turn: yes that"]);
    as_drawn(&bench, "words_that_never_become_final");
}

#[test]
fn final_words_that_come_late() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).partial(900, "yes that").words(3_000, "Yes that works for me.").wait();
    assert_eq!(
        bench.story(),
        ["300 speaks", "1100 finish", "2500 turn: yes that", "3000 speaks", "3000 turn: works for me."]
    );
    as_drawn(&bench, "final_words_that_come_late");
}

#[test]
fn speech_that_nobody_understood() {
    let mut bench = Bench::new();
    bench.voice(0, 800).wait();
    assert_eq!(bench.story(), ["300 speaks", "900 finish", "2300 turn: "]);
    as_drawn(&bench, "speech_that_nobody_understood");
}

#[test]
fn a_noise() {
    let mut bench = Bench::new();
    bench.voice(0, 180).wait();
    assert_eq!(bench.story(), ["280 finish"]);
    as_drawn(&bench, "a_noise");
}

#[test]
fn an_interruption() {
    let mut bench = Bench::agent_sounds();
    bench.voice(1_000, 1_900).partial(1_350, "no").partial(1_600, "no wait").words(2_150, "No, wait.").wait();
    assert_eq!(
        bench.story(),
        [
            "1100 hold",
            "1350 cut",
            "1350 speaks",
            "2000 finish",
            "2150 prepare: No, wait.",
            "3100 turn: No, wait.",
        ]
    );
    as_drawn(&bench, "an_interruption");
}

#[test]
fn a_backchannel() {
    let mut bench = Bench::agent_sounds();
    bench.voice(1_000, 1_350).partial(1_300, "mm").words(1_550, "Mm-hm.").wait();
    assert_eq!(bench.story(), ["1100 hold", "1450 finish", "1550 resume"]);
    as_drawn(&bench, "a_backchannel");
}

#[test]
fn a_backchannel_that_was_the_answer() {
    let mut bench = Bench::agent_sounds();
    bench.voice(1_000, 1_350).words(1_550, "Yeah.").at(2_000, Heard::Agent(None)).wait();
    assert_eq!(bench.story(), ["1100 hold", "1450 finish", "1550 resume", "2000 speaks", "2000 turn: Yeah."]);
    as_drawn(&bench, "a_backchannel_that_was_the_answer");
}

#[test]
fn a_noise_over_the_agent() {
    let mut bench = Bench::agent_sounds();
    bench.voice(1_000, 1_200).wait();
    assert_eq!(bench.story(), ["1100 hold", "1300 finish", "1900 resume"]);
    as_drawn(&bench, "a_noise_over_the_agent");
}

#[test]
fn an_interruption_whose_words_come_late() {
    let mut bench = Bench::agent_sounds();
    bench.voice(1_000, 1_300).words(2_400, "Stop.").wait();
    assert_eq!(
        bench.story(),
        ["1100 hold", "1400 finish", "2000 resume", "2400 cut", "2400 speaks", "2400 turn: Stop."]
    );
    as_drawn(&bench, "an_interruption_whose_words_come_late");
}

#[test]
fn so_many_words_to_interrupt() {
    let mut bench = Bench::agent_sounds();
    bench.at(0, Heard::Policy(Policy { min_words: Some(3), end_after: None }));
    bench
        .voice(1_000, 2_000)
        .partial(1_300, "no")
        .partial(1_500, "no stop")
        .partial(1_700, "no stop talking");
    bench.words(2_250, "No, stop talking.").wait();
    assert_eq!(
        bench.story(),
        [
            "1300 speaks",
            "1700 cut",
            "2100 finish",
            "2250 prepare: No, stop talking.",
            "2300 turn: No, stop talking.",
        ]
    );
    as_drawn(&bench, "so_many_words_to_interrupt");
}

#[test]
fn words_over_what_cannot_be_talked_over() {
    let mut bench = Bench::new();
    bench.at(0, Heard::Agent(Some(false)));
    bench.voice(1_000, 2_000).words(2_250, "I have a question.").wait();
    assert_eq!(bench.story(), ["2100 finish", "2250 speaks", "2300 turn: I have a question."]);
    as_drawn(&bench, "words_over_what_cannot_be_talked_over");
}
