#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_wrap)]

use proptest::prelude::*;

use super::*;

const A: UtteranceId = UtteranceId(1);
const B: UtteranceId = UtteranceId(2);
const C: UtteranceId = UtteranceId(3);
/// Samples of a millisecond in these tests.
const MS: usize = 8;

/// A playout and what came out of it.
struct Bench {
    playout: Playout,
    frame: Frame,
    out: Vec<(Millis, Out)>,
    /// Samples that went out, and when each frame is played.
    sent: Vec<i16>,
    plays: Vec<Millis>,
    muted: Vec<Millis>,
}

impl Bench {
    fn new(lead_ms: u64, marks: bool) -> Self {
        Self {
            playout: Playout::new(8_000, lead_ms, marks),
            frame: Frame::default(),
            out: Vec::new(),
            sent: Vec::new(),
            plays: Vec::new(),
            muted: Vec::new(),
        }
    }

    /// Polls until it waits, and answers until when.
    fn poll(&mut self, now: Millis) -> Option<Millis> {
        loop {
            match self.playout.poll(now, &mut self.frame) {
                Out::Wait(until) => {
                    assert!(until.is_none_or(|at| at > now), "{until:?} at {now}");
                    return until;
                }
                out => {
                    if out == Out::Frame {
                        assert_eq!(self.frame.samples().len(), 20 * MS);
                        self.sent.extend_from_slice(self.frame.samples());
                        self.plays.push(self.playout.frame().plays_at);
                        if self.playout.frame().muted {
                            self.muted.push(self.playout.frame().plays_at);
                        }
                    }
                    self.out.push((now, out));
                }
            }
        }
    }

    /// Polls each millisecond.
    fn run(&mut self, from: Millis, to: Millis) {
        for now in from..to {
            self.poll(now);
        }
    }

    /// Says an utterance of so many milliseconds, all of it there at once.
    fn say(&mut self, id: UtteranceId, text: &str, ms: usize) {
        self.playout.queue(id, text, true, &[]);
        assert!(self.playout.sound(id, &tone(id, 0, ms)));
        self.playout.complete(id);
    }

    /// When something came out.
    fn at(&self, out: &Out) -> Option<Millis> {
        self.out.iter().find(|(_, o)| o == out).map(|(at, _)| *at)
    }

    /// Everything but frames.
    fn told(&self) -> Vec<Out> {
        self.out.iter().filter(|(_, out)| *out != Out::Frame).map(|(_, out)| out.clone()).collect()
    }

    fn frames(&self) -> Vec<Millis> {
        self.out.iter().filter(|(_, out)| *out == Out::Frame).map(|(at, _)| *at).collect()
    }
}

/// Samples that tell whose they are and where: never silent.
fn tone(id: UtteranceId, from_ms: usize, ms: usize) -> Vec<i16> {
    (from_ms * MS..(from_ms + ms) * MS).map(|at| 1 + id.0 as i16 * 5_000 + (at % 4_999) as i16).collect()
}

#[test]
fn the_first_frame_goes_out_at_once_and_the_others_when_they_are_due() {
    let mut bench = Bench::new(0, false);
    bench.say(A, "hello", 100);
    bench.run(1_000, 1_200);
    assert_eq!(bench.frames(), [1_000, 1_020, 1_040, 1_060, 1_080]);
    assert_eq!(bench.told(), [Out::Started(A), Out::Finished(A)]);
    assert_eq!(bench.at(&Out::Finished(A)), Some(1_100));
    assert_eq!(bench.sent, tone(A, 0, 100));
    assert!(bench.playout.is_idle());
}

#[test]
fn what_the_other_side_buffers_is_sent_ahead() {
    let mut bench = Bench::new(60, false);
    bench.say(A, "hello", 200);
    assert_eq!(bench.poll(1_000), Some(1_020));
    assert_eq!(bench.frames(), [1_000; 4]);
    assert_eq!(bench.plays, [1_000, 1_020, 1_040, 1_060]);
    bench.run(1_001, 1_300);
    assert_eq!(bench.at(&Out::Finished(A)), Some(1_200));
}

#[test]
fn a_partial_last_frame_is_filled_up_with_silence() {
    let mut bench = Bench::new(0, false);
    bench.say(A, "hm", 30);
    bench.run(0, 100);
    assert_eq!(bench.frames(), [0, 20]);
    assert_eq!(bench.sent[30 * MS..], [0; 10 * MS]);
    assert_eq!(bench.at(&Out::Finished(A)), Some(30));
}

#[test]
fn half_a_frame_waits_for_its_other_half() {
    let mut bench = Bench::new(0, false);
    bench.playout.queue(A, "hello", true, &[]);
    bench.playout.sound(A, &tone(A, 0, 30));
    bench.run(0, 50);
    assert_eq!(bench.frames(), [0]);
    bench.playout.sound(A, &tone(A, 30, 10));
    bench.run(50, 60);
    assert_eq!(bench.frames(), [0, 50]);
}

#[test]
fn sound_that_comes_slower_than_it_plays_makes_the_clock_slip_without_a_burst() {
    let mut bench = Bench::new(0, false);
    bench.playout.queue(A, "hello", true, &[]);
    for turn in 0..5 {
        let now = turn as Millis * 50;
        bench.playout.sound(A, &tone(A, turn * 20, 20));
        bench.run(now, now + 50);
    }
    bench.playout.sound(A, &tone(A, 100, 60));
    bench.playout.complete(A);
    bench.run(500, 700);
    assert_eq!(bench.frames(), [0, 50, 100, 150, 200, 500, 520, 540]);
    assert_eq!(bench.sent, tone(A, 0, 160));
    assert_eq!(bench.at(&Out::Finished(A)), Some(560));
}

#[test]
fn a_late_poll_catches_up_and_loses_nothing() {
    let mut bench = Bench::new(0, false);
    bench.say(A, "hello", 200);
    bench.poll(0);
    bench.poll(70);
    assert_eq!(bench.frames(), [0, 70, 70, 70]);
    bench.run(71, 400);
    assert_eq!(bench.frames()[4..], [80, 100, 120, 140, 160, 180]);
    assert_eq!(bench.sent, tone(A, 0, 200));
}

#[test]
fn after_a_long_stall_there_is_no_long_burst() {
    let mut bench = Bench::new(0, false);
    bench.say(A, "hello", 3_000);
    bench.poll(0);
    bench.poll(2_000);
    assert_eq!(bench.frames().len(), 1 + 21);
    bench.run(2_001, 6_000);
    assert_eq!(bench.sent, tone(A, 0, 3_000));
}

#[test]
fn queued_utterances_follow_without_a_gap_even_within_a_frame() {
    let mut bench = Bench::new(0, false);
    bench.say(A, "one", 50);
    bench.say(B, "two", 50);
    bench.run(0, 200);
    let mut both = tone(A, 0, 50);
    both.extend(tone(B, 0, 50));
    assert_eq!(bench.sent, both);
    assert_eq!(bench.told(), [Out::Started(A), Out::Started(B), Out::Finished(A), Out::Finished(B)]);
    assert_eq!(bench.at(&Out::Started(B)), Some(40));
    assert_eq!(bench.at(&Out::Finished(A)), Some(50));
    assert_eq!(bench.at(&Out::Finished(B)), Some(100));
}

#[test]
fn the_sound_of_a_later_utterance_may_come_first() {
    let mut bench = Bench::new(0, false);
    bench.playout.queue(A, "one", true, &[]);
    bench.say(B, "two", 40);
    bench.run(0, 100);
    assert!(bench.out.is_empty());
    bench.playout.sound(A, &tone(A, 0, 40));
    bench.playout.complete(A);
    bench.run(100, 300);
    assert_eq!(bench.told(), [Out::Started(A), Out::Finished(A), Out::Started(B), Out::Finished(B)]);
    assert_eq!(bench.frames(), [100, 120, 140, 160]);
}

#[test]
fn an_utterance_without_sound_counts_as_played_at_its_turn() {
    let mut bench = Bench::new(0, false);
    bench.say(A, "one", 40);
    bench.playout.queue(B, "two", true, &[]);
    bench.playout.complete(B);
    bench.say(C, "three", 40);
    bench.run(0, 300);
    let told = bench.told();
    let finished: Vec<_> = told.iter().filter(|out| matches!(out, Out::Finished(_))).collect();
    assert_eq!(finished, [&Out::Finished(A), &Out::Finished(B), &Out::Finished(C)]);
    assert_eq!(bench.at(&Out::Finished(B)), Some(40));
    assert_eq!(bench.frames(), [0, 20, 40, 60]);
}

#[test]
fn a_speech_after_a_pause_starts_a_new_clock() {
    let mut bench = Bench::new(60, false);
    bench.say(A, "one", 40);
    bench.run(0, 500);
    bench.say(B, "two", 40);
    bench.run(500, 700);
    assert_eq!(bench.plays, [0, 20, 500, 520]);
}

#[test]
fn with_marks_an_utterance_is_finished_when_its_mark_comes_back() {
    let mut bench = Bench::new(100, true);
    bench.say(A, "one", 40);
    bench.run(0, 120);
    assert_eq!(bench.told(), [Out::Started(A), Out::Mark(0)]);
    bench.playout.marked(0, 120);
    bench.playout.marked(77, 120);
    bench.run(120, 130);
    assert_eq!(bench.at(&Out::Finished(A)), Some(120));
}

#[test]
fn a_long_utterance_has_a_mark_each_second_and_one_at_its_end() {
    let mut bench = Bench::new(0, true);
    bench.say(A, "one", 2_500);
    bench.run(0, 2_600);
    assert_eq!(bench.told(), [Out::Started(A), Out::Mark(0), Out::Mark(1), Out::Mark(2)]);
    assert_eq!(bench.at(&Out::Mark(0)), Some(980));
}

#[test]
fn a_lost_mark_is_waited_for_two_seconds_and_a_carrier_that_loses_them_all_is_not() {
    let mut bench = Bench::new(0, true);
    let mut now = 0;
    let mut waits = Vec::new();
    for id in 1..=5 {
        let id = UtteranceId(id);
        bench.say(id, "one", 40);
        bench.run(now, now + 3_000);
        waits.push(bench.at(&Out::Finished(id)).unwrap() - now);
        now += 3_000;
    }
    assert_eq!(waits, [2_040, 2_040, 2_040, 40, 40]);
}

#[test]
fn a_later_mark_tells_of_the_earlier_ones() {
    let mut bench = Bench::new(0, true);
    bench.say(A, "one", 40);
    bench.say(B, "two", 40);
    bench.run(0, 150);
    bench.playout.marked(1, 150);
    bench.run(150, 160);
    assert_eq!(bench.at(&Out::Finished(A)), Some(150));
    assert_eq!(bench.at(&Out::Finished(B)), Some(150));
}

#[test]
fn a_cut_tells_the_last_word_that_was_heard() {
    let mut bench = Bench::new(200, false);
    bench.say(A, "one two three four", 2_000);
    bench.playout.words(A, &marks(&[(3, 0), (7, 500), (13, 1_000), (18, 1_500)]));
    bench.run(0, 900);
    let cut = bench.playout.cut(900);
    assert_eq!(cut, Some(Cut { utterance: A, heard: 7, exact: true }));
    bench.run(900, 3_000);
    assert_eq!(bench.told(), [Out::Started(A), Out::Clear]);
    assert_eq!(bench.plays.len(), (900 + 200) / 20 + 1 - 1);
    assert!(bench.playout.is_idle());
    assert!(!bench.playout.sound(A, &[1; 160]), "nobody wants it any more");
}

#[test]
fn without_word_marks_the_heard_words_follow_the_time_and_are_inexact() {
    let mut bench = Bench::new(0, false);
    bench.say(A, "aaaa bbbb cccc dddd", 2_000);
    bench.run(0, 1_001);
    assert_eq!(bench.playout.cut(1_000), Some(Cut { utterance: A, heard: 9, exact: false }));
}

#[test]
fn an_utterance_that_never_sounded_was_not_heard() {
    let mut bench = Bench::new(0, false);
    bench.playout.queue(A, "one", true, &[]);
    bench.poll(0);
    assert_eq!(bench.playout.cut(10), Some(Cut { utterance: A, heard: 0, exact: true }));
    assert_eq!(bench.playout.cut(10), None);
    bench.poll(11);
    assert!(bench.out.is_empty(), "there was nothing to clear");
}

#[test]
fn marks_that_come_back_late_say_that_less_was_heard() {
    let mut bench = Bench::new(0, true);
    bench.say(A, "aaaa bbbb cccc dddd", 2_000);
    bench.run(0, 1_300);
    // The mark behind the first second was played 300 ms later than reckoned.
    bench.playout.marked(0, 1_300);
    bench.run(1_300, 1_801);
    assert_eq!(bench.playout.cut(1_800).unwrap().heard, 14);
}

#[test]
fn what_cannot_be_talked_over_is_neither_held_nor_cut() {
    let mut bench = Bench::new(0, false);
    bench.playout.queue(A, "one", false, &[]);
    bench.playout.sound(A, &tone(A, 0, 100));
    bench.playout.complete(A);
    bench.say(B, "two", 100);
    bench.poll(0);
    assert_eq!(bench.playout.sounding(), Some((A, false)));
    assert!(!bench.playout.hold(10));
    assert_eq!(bench.playout.cut(10), None);
    bench.run(10, 120);
    assert_eq!(bench.playout.sounding(), Some((B, true)));
    assert!(bench.playout.hold(120));
    assert_eq!(bench.playout.sounding(), None);
    assert_eq!(bench.playout.cut(130).unwrap().utterance, B);
}

#[test]
fn a_stop_drops_everything_and_clears() {
    let mut bench = Bench::new(0, false);
    bench.playout.queue(A, "one", false, &[]);
    bench.playout.sound(A, &tone(A, 0, 100));
    bench.say(B, "two", 100);
    bench.run(0, 50);
    assert_eq!(bench.playout.stop(50).unwrap().utterance, A);
    bench.run(50, 400);
    assert_eq!(bench.told(), [Out::Started(A), Out::Clear]);
    assert_eq!(bench.frames().len(), 3);
}

#[test]
fn speech_that_was_held_goes_on_from_the_word_that_was_cut() {
    let mut bench = Bench::new(100, false);
    bench.say(A, "one two three four", 2_000);
    bench.playout.words(A, &marks(&[(3, 0), (7, 500), (13, 1_000), (18, 1_500)]));
    bench.run(0, 800);
    assert!(bench.playout.hold(800));
    assert_eq!(bench.poll(800), None);
    assert_eq!(bench.told(), [Out::Started(A), Out::Clear]);
    bench.run(801, 1_500);
    assert_eq!(bench.frames().last(), Some(&780));
    bench.sent.clear();
    bench.playout.resume(1_500);
    bench.run(1_500, 4_000);
    assert_eq!(bench.sent, tone(A, 500, 1_500), "from the start of `two`");
    assert_eq!(bench.told(), [Out::Started(A), Out::Clear, Out::Finished(A)]);
    assert_eq!(bench.at(&Out::Finished(A)), Some(3_000));
}

#[test]
fn without_word_marks_it_goes_on_from_the_last_pause() {
    let mut bench = Bench::new(0, false);
    bench.playout.queue(A, "one two", true, &[]);
    let mut samples = tone(A, 0, 1_000);
    samples[600 * MS..640 * MS].fill(0);
    bench.playout.sound(A, &samples);
    bench.playout.complete(A);
    bench.run(0, 801);
    bench.playout.hold(800);
    bench.poll(800);
    bench.sent.clear();
    bench.playout.resume(900);
    bench.run(900, 2_000);
    let went_on = 1_000 - bench.sent.len() / MS;
    assert!((600..=620).contains(&went_on), "{went_on}");
}

#[test]
fn speech_held_twice_does_not_fall_back_twice() {
    let mut bench = Bench::new(0, false);
    bench.say(A, "one two three", 3_000);
    bench.run(0, 1_501);
    for now in [1_500, 1_600, 1_700, 1_800] {
        bench.playout.hold(now);
        bench.poll(now);
        bench.playout.resume(now + 50);
        bench.poll(now + 50);
    }
    bench.sent.clear();
    bench.run(1_851, 5_000);
    assert!(bench.sent.len() / MS >= 1_500 && bench.sent.len() / MS <= 1_800);
}

#[test]
fn what_was_held_can_be_cut_where_it_was_held() {
    let mut bench = Bench::new(0, false);
    bench.say(A, "aaaa bbbb cccc dddd", 2_000);
    bench.run(0, 1_001);
    bench.playout.hold(1_000);
    bench.run(1_001, 1_900);
    assert_eq!(bench.playout.cut(1_900).unwrap().heard, 9);
    bench.run(1_900, 2_500);
    assert_eq!(bench.told(), [Out::Started(A), Out::Clear], "cleared once");
}

#[test]
fn marks_that_come_back_from_a_clear_finish_nothing() {
    let mut bench = Bench::new(200, true);
    bench.say(A, "one", 100);
    bench.run(0, 50);
    bench.playout.hold(50);
    bench.poll(50);
    bench.playout.marked(0, 60);
    bench.playout.resume(500);
    bench.run(500, 700);
    assert_eq!(bench.at(&Out::Finished(A)), None);
    let mark = bench.told().iter().rev().find_map(|out| match out {
        Out::Mark(mark) => Some(*mark),
        _ => None,
    });
    assert_ne!(mark, Some(0));
    bench.playout.marked(mark.unwrap(), 700);
    bench.poll(700);
    assert_eq!(bench.at(&Out::Finished(A)), Some(700));
}

#[test]
fn speech_played_to_its_end_is_not_held() {
    let mut bench = Bench::new(100, true);
    bench.say(A, "one", 100);
    bench.run(0, 150);
    assert!(!bench.playout.hold(150), "its mark is on the way back");
    bench.poll(150);
    assert_eq!(bench.at(&Out::Finished(A)), Some(150));
}

#[test]
fn private_words_are_muted_in_the_recording() {
    let mut bench = Bench::new(0, false);
    bench.playout.queue(A, "code 1234 thanks", true, &[(5, 9)]);
    bench.playout.words(A, &marks(&[(4, 0), (9, 400), (16, 1_000)]));
    bench.playout.sound(A, &tone(A, 0, 1_400));
    bench.playout.complete(A);
    bench.run(0, 2_000);
    assert_eq!(bench.muted.first(), Some(&280));
    assert_eq!(bench.muted.last(), Some(&1_100));
}

#[test]
fn more_than_two_minutes_ahead_are_refused() {
    let mut bench = Bench::new(0, false);
    bench.playout.queue(A, "one", true, &[]);
    let second = tone(A, 0, 1_000);
    let taken = (0..200).filter(|_| bench.playout.sound(A, &second)).count();
    assert_eq!(taken as u64, MAX_AHEAD_MS / 1_000);
    assert_eq!(bench.playout.ahead_ms(), MAX_AHEAD_MS);
    bench.run(0, 1_000);
    assert!(bench.playout.sound(A, &second));
    bench.playout.cut(1_000);
    assert_eq!(bench.playout.ahead_ms(), 0);
}

fn marks(words: &[(u32, u32)]) -> Vec<WordMark> {
    words.iter().map(|(end, start_ms)| WordMark { end: *end, start_ms: *start_ms }).collect()
}

/// Something that happens to a playout.
#[derive(Debug, Clone)]
enum Step {
    Queue(bool),
    Sound(usize, usize),
    Complete(usize),
    Wait(u64),
    Mark,
    Hold,
    Resume,
    Cut,
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<bool>().prop_map(Step::Queue),
        6 => (0..3_usize, 1..700_usize).prop_map(|(which, samples)| Step::Sound(which, samples)),
        3 => (0..3_usize).prop_map(Step::Complete),
        8 => (1..120_u64).prop_map(Step::Wait),
        1 => Just(Step::Mark),
        1 => Just(Step::Hold),
        2 => Just(Step::Resume),
        1 => Just(Step::Cut),
        1 => Just(Step::Stop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_sample_goes_out_once_and_in_order(
        lengths in prop::collection::vec(1..3_000_usize, 1..5),
        chunks in prop::collection::vec((1..900_usize, 0..90_u64), 1..60),
        lead in 0..120_u64,
    ) {
        let mut bench = Bench::new(lead, false);
        let mut all = Vec::new();
        let mut feed: std::collections::VecDeque<(UtteranceId, Vec<i16>)> = lengths
            .iter()
            .enumerate()
            .map(|(index, len)| {
                let id = UtteranceId(1 + index as u32);
                let samples: Vec<i16> = (0..*len).map(|at| (1 + at % 30_000) as i16).collect();
                all.extend(samples.iter().copied());
                bench.playout.queue(id, "some words", true, &[]);
                (id, samples)
            })
            .collect();
        let mut now = 0;
        for (size, wait) in chunks.iter().cycle() {
            let Some((id, samples)) = feed.front_mut() else { break };
            let some: Vec<i16> = samples.drain(..(*size).min(samples.len())).collect();
            bench.playout.sound(*id, &some);
            if samples.is_empty() {
                bench.playout.complete(*id);
                feed.pop_front();
            }
            bench.poll(now);
            now += wait;
        }
        bench.run(now, now + 2_500);
        prop_assert!(bench.playout.is_idle());
        let sent: Vec<i16> = bench.sent.iter().copied().filter(|sample| *sample != 0).collect();
        prop_assert_eq!(sent, all);
        let order: Vec<u32> = bench.told().iter().filter_map(|out| match out {
            Out::Finished(id) => Some(id.0),
            _ => None,
        }).collect();
        prop_assert_eq!(order, (1..=lengths.len() as u32).collect::<Vec<_>>());
        for pair in bench.plays.windows(2) {
            prop_assert!(pair[1] >= pair[0] + 20, "frames never overlap: {:?}", pair);
        }
    }

    #[test]
    fn whatever_happens_each_utterance_starts_once_and_ends_once(
        steps in prop::collection::vec(step(), 1..80),
        lead in 0..100_u64,
        marks in any::<bool>(),
    ) {
        let mut bench = Bench::new(lead, marks);
        let mut now = 0;
        let mut ids = Vec::new();
        let mut cuts = Vec::new();
        for step in steps {
            match step {
                Step::Queue(interruptible) => {
                    let id = UtteranceId(1 + ids.len() as u32);
                    bench.playout.queue(id, "some words to say", interruptible, &[(0, 4)]);
                    ids.push(id);
                }
                Step::Sound(back, samples) => {
                    if let Some(id) = ids.iter().rev().nth(back) {
                        bench.playout.sound(*id, &vec![1; samples]);
                    }
                }
                Step::Complete(back) => {
                    if let Some(id) = ids.iter().rev().nth(back) {
                        bench.playout.complete(*id);
                    }
                }
                Step::Wait(ms) => {
                    for _ in 0..ms {
                        now += 1;
                        bench.poll(now);
                    }
                }
                Step::Mark => {
                    let mark = bench.told().iter().rev().find_map(|out| match out {
                        Out::Mark(mark) => Some(*mark),
                        _ => None,
                    });
                    if let Some(mark) = mark {
                        bench.playout.marked(mark, now);
                    }
                }
                Step::Hold => {
                    let frames = bench.frames().len();
                    if bench.playout.hold(now) {
                        bench.poll(now + 500);
                        prop_assert_eq!(bench.frames().len(), frames, "held");
                    }
                }
                Step::Resume => bench.playout.resume(now),
                Step::Cut => {
                    if let Some(cut) = bench.playout.cut(now) {
                        cuts.push(cut);
                        prop_assert!(bench.playout.is_idle());
                    }
                }
                Step::Stop => {
                    cuts.extend(bench.playout.stop(now));
                    let frames = bench.frames().len();
                    bench.poll(now);
                    prop_assert_eq!(bench.frames().len(), frames, "never a frame after a stop");
                    prop_assert!(bench.playout.is_idle());
                }
            }
        }
        bench.playout.resume(now);
        for id in &ids {
            bench.playout.complete(*id);
        }
        for _ in 0..60_000 {
            now += 1;
            bench.poll(now);
            if bench.playout.is_idle() && matches!(bench.playout.poll(now, &mut Frame::default()), Out::Wait(None)) {
                break;
            }
        }
        prop_assert!(bench.playout.is_idle(), "the sound came to its end");
        let told = bench.told();
        let mut open = None;
        for id in ids {
            let started = told.iter().filter(|out| **out == Out::Started(id)).count();
            let finished = told.iter().filter(|out| **out == Out::Finished(id)).count();
            let cut = cuts.iter().filter(|cut| cut.utterance == id).count();
            prop_assert!(started <= 1 && finished + cut <= 1, "{:?}: {} {} {}", id, started, finished, cut);
            prop_assert!(finished <= started, "{:?} finished without a start", id);
            if finished == 1 {
                let at = told.iter().position(|out| *out == Out::Finished(id));
                prop_assert!(at > open, "in order");
                open = at;
            }
        }
        for cut in cuts {
            prop_assert!(cut.heard <= 17);
        }
    }
}
