#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs::OpenOptions;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::super::signals::tone;
use super::*;

/// A recorder of 8 kHz, and what is in its file.
struct Room {
    folder: TempDir,
}

impl Room {
    fn new() -> (Self, Recorder) {
        Self::with_rate(8_000)
    }

    fn with_rate(rate: u32) -> (Self, Recorder) {
        let room = Self { folder: tempfile::tempdir().unwrap() };
        let recorder = Recorder::create(&room.path(), rate).unwrap();
        (room, recorder)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("call.wav")
    }

    /// Left and right.
    fn read(&self) -> (Vec<i16>, Vec<i16>) {
        let mut reader = hound::WavReader::open(self.path()).unwrap();
        assert_eq!(reader.spec().channels, 2);
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        (samples.iter().step_by(2).copied().collect(), samples.iter().skip(1).step_by(2).copied().collect())
    }
}

fn frame(value: i16) -> Frame {
    let mut frame = Frame::default();
    frame.copy_from(&[value; 160]);
    frame
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn finish(recorder: Recorder, at: Millis) -> Result<Recording, RecordError> {
    wait(recorder.finish(at))
}

/// The runs of equal samples: value, first millisecond, milliseconds.
fn runs(sound: &[i16]) -> Vec<(i16, usize, usize)> {
    let mut runs: Vec<(i16, usize, usize)> = Vec::new();
    for (n, sample) in sound.iter().enumerate() {
        match runs.last_mut() {
            Some((value, _, length)) if value == sample => *length += 1,
            _ => runs.push((*sample, n, 1)),
        }
    }
    runs.iter().map(|(value, start, length)| (*value, start / 8, length / 8)).collect()
}

#[test]
fn both_sides_lie_where_the_clock_has_them() {
    let (room, mut recorder) = Room::new();
    for number in 0..100 {
        recorder.caller(number * 20, &frame(100));
        if (25..50).contains(&number) {
            recorder.agent(number * 20, &frame(-7));
        }
    }
    let recording = finish(recorder, 2_500).unwrap();
    assert_eq!(recording, Recording { path: room.path(), duration_ms: 2_500 });
    let (left, right) = room.read();
    assert_eq!(runs(&left), [(100, 0, 2_000), (0, 2_000, 500)]);
    assert_eq!(runs(&right), [(0, 0, 500), (-7, 500, 500), (0, 1_000, 1_500)]);
}

#[test]
fn the_file_belongs_to_its_owner_alone_and_is_not_overwritten() {
    let (room, recorder) = Room::new();
    assert_eq!(room.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(Recorder::create(&room.path(), 8_000), Err(RecordError::Create { .. })));
    drop(recorder);
    let nowhere = room.folder.path().join("no/such/folder.wav");
    assert!(matches!(Recorder::create(&nowhere, 8_000), Err(RecordError::Create { .. })));
}

#[test]
fn at_any_moment_the_file_is_whole_and_lacks_less_than_a_second() {
    let (room, mut recorder) = Room::new();
    let mut behind = 0;
    for number in 0..500u64 {
        recorder.caller(number * 20, &frame(100));
        recorder.agent(number * 20, &frame(50));
        if number % 7 == 0 {
            wait_for_writer(&recorder);
            let now = (number as usize + 1) * 20;
            let (left, right) = room.read();
            assert_eq!(left.len(), right.len());
            assert!(left.iter().all(|sample| *sample == 100) && right.iter().all(|sample| *sample == 50));
            behind = behind.max(now - left.len() / 8);
        }
    }
    assert!((100..1_000).contains(&behind), "{behind} ms");
    // The process dies here: nobody finishes, nobody drops.
    wait_for_writer(&recorder);
    std::mem::forget(recorder);
    assert!(room.read().0.len() >= 8 * 9_000);
}

fn wait_for_writer(recorder: &Recorder) {
    let (done, finished) = oneshot::channel();
    // Closing with no length only answers.
    recorder.tape.send(Job::Close { moments: 0, done: Some(done) });
    let _ = wait(finished);
}

#[test]
fn silence_of_both_sides_reaches_the_disk_by_the_clock() {
    let (room, mut recorder) = Room::new();
    recorder.agent(0, &frame(9));
    assert_eq!(room.read().0.len(), 0);
    recorder.tick(700);
    wait_for_writer(&recorder);
    assert_eq!(runs(&room.read().1), [(9, 0, 20)]);
    finish(recorder, 60_000).unwrap();
    assert_eq!(runs(&room.read().1), [(9, 0, 20), (0, 20, 59_980)]);
}

#[test]
fn trembling_times_tear_nothing_apart() {
    let (room, mut recorder) = Room::new();
    for number in 0..200u64 {
        let tremble = [0, 9, 3, 14, 0, 1][number as usize % 6];
        recorder.caller(number * 20 + tremble, &frame(number as i16 + 1));
    }
    finish(recorder, 4_000).unwrap();
    let runs = runs(&room.read().0);
    for (number, run) in (1i16..).zip(runs) {
        assert_eq!(run, (number, (number as usize - 1) * 20, 20));
    }
}

#[test]
fn what_was_held_up_and_comes_at_once_fills_the_gap() {
    for stalled in [5, 50, 400] {
        let (room, mut recorder) = Room::new();
        for number in 0..600u64 {
            let stall = 100..100 + stalled;
            let at = if stall.contains(&number) { (100 + stalled) * 20 } else { number * 20 };
            recorder.agent(number * 20, &frame(1));
            recorder.caller(at, &frame(number as i16 + 1));
        }
        finish(recorder, 12_000).unwrap();
        let (left, right) = room.read();
        let runs_left = runs(&left);
        assert_eq!(runs_left.len(), 600, "{stalled}");
        for (number, run) in (1i16..).zip(runs_left) {
            assert_eq!(run, (number, (number as usize - 1) * 20, 20), "{stalled}");
        }
        assert_eq!(runs(&right), [(1, 0, 12_000)]);
    }
}

#[test]
fn what_was_never_sent_is_silence() {
    let (room, mut recorder) = Room::new();
    for number in (0..50u64).chain(80..100) {
        recorder.caller(number * 20, &frame(5));
    }
    finish(recorder, 2_000).unwrap();
    assert_eq!(runs(&room.read().0), [(5, 0, 1_000), (0, 1_000, 600), (5, 1_600, 400)]);
}

#[test]
fn a_fast_clock_of_the_other_side_is_held_to_ours() {
    let (room, mut recorder) = Room::new();
    // A frame every 19 ms for 40 s.
    for number in 0..2_000u64 {
        recorder.caller(number * 19, &frame(5));
    }
    finish(recorder, 38_000).unwrap();
    let (left, _) = room.read();
    let sound = left.iter().filter(|sample| **sample == 5).count() / 8;
    assert!((37_980..=38_020).contains(&sound), "{sound}");
}

#[test]
fn private_times_are_silent_whether_past_or_to_come() {
    let (room, mut recorder) = Room::new();
    recorder.mute(Side::Agent, 3_000, 3_400);
    for number in 0..250u64 {
        recorder.caller(number * 20, &frame(3));
        recorder.agent(number * 20, &frame(4));
        if number == 200 {
            // Long on the disk; across the edge of the window; in the window.
            recorder.mute(Side::Agent, 100, 300);
            recorder.mute(Side::Agent, 3_200, 3_960);
            recorder.mute(Side::Caller, 3_990, 4_010);
            recorder.mute(Side::Agent, 500, 500);
        }
    }
    finish(recorder, 5_000).unwrap();
    let (left, right) = room.read();
    assert_eq!(runs(&left), [(3, 0, 3_990), (0, 3_990, 20), (3, 4_010, 990)]);
    assert_eq!(
        runs(&right),
        [(4, 0, 100), (0, 100, 200), (4, 300, 2_700), (0, 3_000, 960), (4, 3_960, 1_040)]
    );
}

#[test]
fn late_sound_does_not_get_around_a_mute() {
    let (room, mut recorder) = Room::new();
    recorder.caller(0, &frame(1));
    recorder.mute(Side::Caller, 500, 1_000);
    recorder.agent(0, &frame(2));
    recorder.tick(5_000);
    for number in 1..250u64 {
        recorder.caller(5_000, &frame(number as i16 + 1));
    }
    finish(recorder, 5_000).unwrap();
    let (left, _) = room.read();
    assert!(left[8 * 500..8 * 1_000].iter().all(|sample| *sample == 0));
    assert_eq!((left[8 * 490], left[8 * 1_001]), (25, 51));
}

#[test]
fn a_line_of_more_than_sixteen_kilohertz_is_recorded_with_sixteen() {
    let (room, mut recorder) = Room::with_rate(48_000);
    let mut sound = Frame::default();
    for (number, samples) in tone(440.0, 48_000, 1_000, 0.5).chunks(960).enumerate() {
        sound.copy_from(samples);
        recorder.caller(number as u64 * 20, &sound);
    }
    finish(recorder, 1_000).unwrap();
    assert_eq!(hound::WavReader::open(room.path()).unwrap().spec().sample_rate, 16_000);
    let (left, _) = room.read();
    assert_eq!(left.len(), 16_000);
    let level = super::super::level::level_db(&left);
    assert!((level + 9.03).abs() < 0.3, "{level}");
}

#[test]
fn a_full_disk_is_told_once_and_the_call_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    // Full from the start.
    let full = OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
    assert!(writer::open(Path::new("full.wav"), full, 8_000).is_err());

    // A disk that takes no more after a while: a file that may not be written.
    let path = folder.path().join("read-only.wav");
    std::fs::write(&path, [0; 44]).unwrap();
    let tape = writer::over(&path, std::fs::File::open(&path).unwrap(), 8_000);
    let mut recorder = Recorder::new(tape, 8_000, 8_000);
    assert_eq!(recorder.trouble(), None);
    let mut told = 0;
    for number in 0..200u64 {
        recorder.caller(number * 20, &frame(1));
        wait_for_writer(&recorder);
        if let Some(trouble) = recorder.trouble() {
            assert!(matches!(trouble, RecordError::Write { .. }), "{trouble}");
            told += 1;
        }
    }
    assert_eq!(told, 1);
    assert!(matches!(finish(recorder, 4_000), Err(RecordError::Write { .. })));
}

#[test]
fn absurd_times_harm_nothing() {
    let (room, mut recorder) = Room::new();
    recorder.caller(0, &frame(1));
    recorder.caller(u64::MAX, &frame(1));
    recorder.agent(u64::MAX / 2, &frame(1));
    recorder.mute(Side::Caller, 10, 5);
    recorder.mute(Side::Caller, u64::MAX - 1, u64::MAX);
    recorder.caller(20, &frame(1));
    finish(recorder, 40).unwrap();
    assert_eq!(runs(&room.read().0), [(1, 0, 40)]);
}
