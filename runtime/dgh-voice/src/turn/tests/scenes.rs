//! What else happens in calls.

use super::*;

#[test]
fn a_flickering_detector_neither_ends_a_turn_nor_holds_at_clicks() {
    let mut bench = Bench::agent_sounds();
    for click in 0..5 {
        bench.voice(1_000 + click * 200, 1_020 + click * 200);
    }
    bench.wait();
    assert!(bench.decided.is_empty(), "{:?}", bench.story());

    let mut bench = Bench::new();
    for syllable in 0..10 {
        bench.voice(syllable * 180, syllable * 180 + 120);
    }
    bench.words(1_900, "one two three").wait();
    assert_eq!(bench.texts(), ["one two three"]);
}

#[test]
fn a_click_in_the_pause_keeps_what_was_prepared() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).words(1_150, "Yes please.").voice(1_180, 1_220).wait();
    assert!(!bench.has(&Decision::Discard));
    assert_eq!(bench.story().last().unwrap(), "1300 turn: Yes please.");
}

#[test]
fn two_sentences_final_on_their_own_are_one_turn() {
    let mut bench = Bench::new();
    bench
        .at(0, Heard::Voice(true))
        .words(900, "Hello there.")
        .partial(1_200, "I need")
        .at(1_800, Heard::Voice(false));
    bench.words(2_000, "I need help.").wait();
    assert_eq!(bench.texts(), ["Hello there. I need help."]);
}

#[test]
fn a_turn_is_not_over_while_the_recogniser_owes_its_last_words() {
    let mut bench = Bench::new();
    bench.at(0, Heard::Voice(true)).words(500, "Hello.").at(1_500, Heard::Voice(false));
    bench.words(2_100, "I need help.").wait();
    assert_eq!(bench.texts(), ["Hello. I need help."]);
}

#[test]
fn the_lowest_confidence_of_the_parts_is_told() {
    let mut bench = Bench::new();
    bench.voice(0, 900);
    for (at, confidence) in [(950, Some(80)), (1_000, Some(60)), (1_050, None)] {
        let language = Some("en-US".to_owned());
        bench.at(at, Heard::Final { text: "word".into(), confidence, language });
    }
    bench.wait();
    assert_eq!(bench.turns()[0].confidence, Some(60));
    assert_eq!(bench.turns()[0].language.as_deref(), Some("en-US"));
}

#[test]
fn the_same_words_told_again_as_final_are_not_said_twice() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).partial(900, "yes that works").wait();
    bench.partial(2_900, "yes that works for").words(3_000, "Yes, that works.").wait();
    bench.voice(8_000, 9_000).words(9_200, "Yes, that works.").wait();
    assert_eq!(bench.texts()[..1], ["yes that works"]);
    assert_eq!(bench.texts().last().unwrap(), &"Yes, that works.");
}

#[test]
fn words_of_a_new_speech_are_not_taken_for_those_told_again() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).partial(900, "yes that works").wait();
    bench.voice(3_000, 4_000).words(4_200, "Can I pay by card?").wait();
    assert_eq!(bench.texts(), ["yes that works", "Can I pay by card?"]);
}

#[test]
fn a_quiet_answer_that_the_detector_missed_is_a_turn() {
    let mut bench = Bench::new();
    bench.partial(1_000, "yes").words(1_300, "Yes.").wait();
    assert_eq!(bench.story().last().unwrap(), "1300 turn: Yes.");
}

#[test]
fn words_that_are_withdrawn_are_speech_that_nobody_understood() {
    let mut bench = Bench::new();
    bench.voice(0, 900).partial(700, "hm what").words(1_100, "").wait();
    assert_eq!(bench.texts(), [""]);
}

#[test]
fn a_recogniser_that_heard_nothing_is_not_waited_for() {
    let mut bench = Bench::new();
    bench.voice(0, 900).words(1_100, "").wait();
    assert_eq!(bench.story().last().unwrap(), "2100 turn: ");
}

#[test]
fn a_caller_who_never_stops_is_answered_in_between() {
    let mut bench = Bench::new();
    bench.at(0, Heard::Voice(true));
    for second in 1..=130 {
        bench.words(second * 1_000, &format!("word{second}"));
    }
    assert_eq!(bench.texts().len(), 2);
    assert!(bench.texts()[0].ends_with("word60") || bench.texts()[0].ends_with("word59"));
}

#[test]
fn a_noise_that_never_stops_holds_the_agent_once() {
    let mut bench = Bench::agent_sounds();
    bench.voice(200, 400).partial(600, "mm").words(620, "Mm.").wait();
    bench.decided.clear();
    bench.at(5_000, Heard::Voice(true)).at(50_000, Heard::Tick);
    assert_eq!(bench.story(), ["5100 hold", "8100 resume"]);
    bench.partial(50_100, "excuse me");
    assert!(bench.has(&Decision::Cut));
}

#[test]
fn repeated_noises_make_it_patient_and_an_interruption_resets_that() {
    let mut bench = Bench::agent_sounds();
    let holds =
        |bench: &Bench| bench.decided.iter().filter(|(_, decision)| *decision == Decision::Hold).count();
    for noise in 0..3 {
        bench.voice(1_000 + noise * 2_000, 1_150 + noise * 2_000);
    }
    bench.wait();
    assert_eq!(holds(&bench), 1, "a second one of 150 ms is not enough");
    bench.voice(10_000, 10_900).partial(10_400, "hello wait").words(11_000, "Hello, stop.").wait();
    bench.at(14_000, Heard::Agent(Some(true))).voice(15_000, 15_150).wait();
    assert_eq!(holds(&bench), 3);
}

#[test]
fn a_long_mumble_waits_for_its_words() {
    let mut bench = Bench::agent_sounds();
    bench.voice(1_000, 2_500).words(3_600, "I would like to speak to somebody.").wait();
    assert_eq!(bench.story()[..3], ["1100 hold", "2600 finish", "3600 cut"]);
}

#[test]
fn a_backchannel_that_goes_on_is_an_interruption() {
    let mut bench = Bench::agent_sounds();
    bench
        .voice(1_000, 1_300)
        .words(1_500, "Yeah.")
        .voice(1_800, 2_600)
        .words(2_800, "but I need it on Monday.")
        .wait();
    assert_eq!(bench.texts(), ["Yeah. but I need it on Monday."]);
    assert!(bench.has(&Decision::Cut));
}

#[test]
fn the_first_word_of_a_backchannel_decides_nothing() {
    let mut bench = Bench::agent_sounds();
    bench.voice(1_000, 1_400).partial(1_300, "I").partial(1_450, "I see").words(1_600, "I see.").wait();
    assert_eq!(bench.story(), ["1100 hold", "1500 finish", "1600 resume"]);
}

#[test]
fn a_backchannel_is_an_answer_where_nobody_speaks() {
    let mut bench = Bench::new();
    bench.voice(0, 300).words(500, "Okay.").wait();
    assert_eq!(bench.texts(), ["Okay."]);
}

#[test]
fn a_yes_that_began_before_the_agent_spoke_on_is_an_answer() {
    let mut bench = Bench::new();
    bench.at(0, Heard::Voice(true)).at(250, Heard::Agent(Some(true))).at(400, Heard::Voice(false));
    bench.words(600, "Yes.").wait();
    assert_eq!(bench.texts(), ["Yes."]);
    assert!(bench.has(&Decision::Cut));
}

#[test]
fn languages_have_their_own_backchannels() {
    let mut bench = Bench::agent_sounds();
    bench.turns.speak("de-DE");
    bench.voice(1_000, 1_350).words(1_550, "Ach so.").wait();
    assert!(bench.texts().is_empty());
    bench.turns.speak("en");
    bench.voice(5_000, 5_350).words(5_550, "Ach so.").wait();
    assert_eq!(bench.texts(), ["Ach so."]);
}

#[test]
fn the_agents_own_words_heard_back_are_no_interruption() {
    let mut bench = Bench::agent_sounds();
    bench.at(0, Heard::Saying("Your appointment is on Monday at nine.".into()));
    bench
        .voice(1_000, 1_500)
        .partial(1_400, "appointment is on")
        .words(1_700, "Appointment is on Monday.")
        .wait();
    assert!(!bench.has(&Decision::Cut) && bench.texts().is_empty(), "{:?}", bench.story());
    // What comes back after its end is still an echo.
    bench.at(9_000, Heard::Agent(None)).voice(9_000, 9_400).words(9_700, "on Monday at nine").wait();
    assert!(bench.texts().is_empty() && !bench.has(&Decision::CallerSpeaking), "{:?}", bench.story());
}

#[test]
fn an_answer_in_the_agents_words_is_an_answer() {
    let mut bench = Bench::agent_sounds();
    bench.at(0, Heard::Saying("Do you want Monday at nine or Tuesday at ten in the morning?".into()));
    bench
        .at(4_000, Heard::Agent(None))
        .voice(4_500, 5_500)
        .words(5_700, "Tuesday at ten in the morning.")
        .wait();
    assert_eq!(bench.texts(), ["Tuesday at ten in the morning."]);
}

#[test]
fn an_echo_stops_with_the_sound_and_a_caller_does_not() {
    let said = || Heard::Saying("Do you want sales or billing or something else?".into());
    let mut bench = Bench::agent_sounds();
    bench.at(0, said()).voice(1_000, 1_500).partial(1_400, "billing").words(1_700, "Billing.").wait();
    assert_eq!(bench.texts(), ["Billing."]);

    let mut bench = Bench::agent_sounds();
    bench.at(0, said()).voice(1_000, 1_250).partial(1_400, "do you").words(1_500, "Do you").wait();
    assert_eq!(bench.story(), ["1100 hold", "1350 finish", "1950 resume"]);
}

#[test]
fn words_of_the_agent_for_which_no_voice_was_heard_are_its_echo() {
    let mut bench = Bench::agent_sounds();
    bench.at(0, Heard::Saying("Do you want sales or billing?".into()));
    bench.partial(1_400, "sales").words(1_700, "Sales or").wait();
    assert!(bench.decided.is_empty(), "{:?}", bench.story());
}

#[test]
fn without_a_recogniser_turns_are_told_by_the_voice_alone() {
    let mut bench = Bench::new();
    bench.at(0, Heard::Deaf).voice(1_000, 2_000).wait();
    assert_eq!(bench.story(), ["1300 speaks", "2600 turn: "]);
    bench.at(5_000, Heard::Agent(Some(true))).voice(6_000, 7_000).wait();
    assert_eq!(bench.story()[2..4], ["6100 hold", "6600 cut"]);
}

#[test]
fn the_words_of_a_recogniser_that_breaks_are_taken() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).partial(900, "I want to pay").at(1_050, Heard::Deaf).wait();
    assert_eq!(bench.texts(), ["I want to pay"]);
}

#[test]
fn typed_words_are_a_turn_at_once() {
    let mut bench = Bench::agent_sounds();
    bench.at(1_000, Heard::Typed(" hello ".into())).at(1_001, Heard::Typed(" ".into())).wait();
    assert_eq!(bench.story(), ["1000 cut", "1000 turn: hello"]);
}

#[test]
fn typed_words_leave_what_is_being_said_alone() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).words(1_100, "I want to").at(1_200, Heard::Typed("4155551234".into()));
    bench.voice(1_300, 2_000).words(2_200, "pay.").wait();
    assert_eq!(bench.texts(), ["4155551234", "I want to pay."]);
}

#[test]
fn sound_that_ends_or_changes_while_it_is_held_leaves_nothing_held() {
    let mut bench = Bench::agent_sounds();
    bench.at(1_000, Heard::Voice(true)).at(1_200, Heard::Agent(None)).at(2_000, Heard::Voice(false));
    bench.words(2_100, "Hello?").wait();
    assert_eq!(bench.story()[..2], ["1100 hold", "1200 cut"]);
    assert_eq!(bench.texts(), ["Hello?"]);

    let mut bench = Bench::agent_sounds();
    bench.at(1_000, Heard::Voice(true)).at(1_200, Heard::Agent(Some(false)));
    assert_eq!(bench.story(), ["1100 hold", "1200 resume"]);

    let mut bench = Bench::agent_sounds();
    bench
        .at(1_000, Heard::Voice(true))
        .at(1_200, Heard::Policy(Policy { min_words: Some(4), end_after: None }));
    assert_eq!(bench.story(), ["1100 hold", "1200 resume"]);
}

#[test]
fn fewer_words_than_interrupt_are_a_turn_all_the_same() {
    let mut bench = Bench::agent_sounds();
    bench.at(0, Heard::Policy(Policy { min_words: Some(4), end_after: None }));
    bench.voice(1_000, 1_500).words(1_700, "Stop please.").wait();
    assert_eq!(bench.texts(), ["Stop please."]);
    assert!(!bench.has(&Decision::Cut));
}

#[test]
fn sounds_that_are_not_words_are_nothing() {
    let mut bench = Bench::agent_sounds();
    bench.voice(1_000, 1_400).words(1_600, "[laughter]").wait();
    assert_eq!(bench.story().last().unwrap(), "2100 resume");
    assert!(bench.texts().is_empty());
}

#[test]
fn time_that_runs_backwards_stands_still() {
    let mut bench = Bench::new();
    bench.voice(1_000, 2_000);
    bench.turns.handle(Heard::Final { text: "Yes.".into(), confidence: None, language: None }, 500);
    bench.wait();
    assert_eq!(bench.texts(), ["Yes."]);
}

#[test]
fn an_agent_that_speaks_into_a_pause_is_not_cut_by_words_from_before() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).words(1_200, "I want to pay and").at(1_500, Heard::Agent(Some(true))).wait();
    assert!(!bench.has(&Decision::Cut), "{:?}", bench.story());
    assert_eq!(bench.texts(), ["I want to pay and"]);

    let mut bench = Bench::new();
    bench.voice(0, 1_000).words(1_200, "I want to pay and").at(1_500, Heard::Agent(Some(true)));
    bench.voice(1_800, 2_500).words(2_700, "one more thing.").wait();
    assert_eq!(bench.story()[3..5], ["1900 cut", "1900 discard"]);
    assert_eq!(bench.texts(), ["I want to pay and one more thing."]);
}

#[test]
fn a_voice_told_late_by_a_busy_call_still_goes_on() {
    let mut bench = Bench::new();
    bench.voice(0, 1_000).words(1_200, "I want to book");
    // Nobody told the time at 1,600.
    bench.turns.handle(Heard::Voice(true), 1_900);
    bench.now = 1_900;
    bench.voice(1_900, 2_500).words(2_700, "a table.").wait();
    assert_eq!(bench.texts(), ["I want to book a table."]);
}
