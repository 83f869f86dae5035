//! What the voice says, over a telephone, is what the recogniser understands; what is no answer is
//! not made one. And everything that can go wrong with a process does.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use bytes::Bytes;
use dgh_engine::reply::Model;
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

use crate::llm::LlmErrorKind;
use crate::offline_voice::grammar::Dice;
use crate::offline_voice::pool::Pool;
use crate::offline_voice::synth::{Programs, Synth};
use crate::offline_voice::{OfflineStt, available};
use crate::stt::testing::{is_answered, is_failed, until};
use crate::stt::{Expected, Stt as _, SttEvent, SttInput, SttSession, SttStart};
use crate::tts::resample::Resampler;

/// Python with PocketSphinx. Without it nothing here can be tested.
fn python() -> PathBuf {
    let named = std::env::var_os("DGH_TEST_PYTHON");
    named.map(PathBuf::from).expect("DGH_TEST_PYTHON is not set: the path of a Python with the package `pocketsphinx`; tests/run sets both up")
}

fn model(settings: serde_json::Value) -> Model {
    let settings = settings.as_object().unwrap().clone();
    Model { provider: "offline".into(), protocol: "offline_stt".into(), settings, key: None }
}

fn recogniser(python: PathBuf, patience: Duration) -> (OfflineStt, Arc<Pool>) {
    let pool = Pool::with_patience(python, patience);
    let own = Arc::clone(&pool);
    (OfflineStt::with(&model(json!({})), move |_| Ok(own)).unwrap(), pool)
}

/// The real one. Tests take turns with it: it keeps all cores busy, and its times are looked at.
async fn real() -> (OfflineStt, Arc<Pool>, MutexGuard<'static, ()>) {
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    let (stt, pool) = recogniser(python(), Duration::from_mins(1));
    (stt, pool, turn)
}

fn expected(phrases: &[&str], topics: &[&str], numbers: bool) -> Expected {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let (phrases, topics) = (own(phrases), own(topics));
    Expected { phrases, topics, numbers, open: false, language: "en".into() }
}

/// The first node of the clinic of the examples.
fn welcome() -> Expected {
    let topics = [
        "They want an appointment",
        "They ask about a bill or insurance",
        "Severe bleeding, swelling, or an accident",
        "They ask for a person",
    ];
    Expected { open: true, ..expected(&[], &topics, false) }
}

/// What its second node collects.
fn request() -> Expected {
    expected(&["checkup", "pain", "cleaning", "other"], &["They ask for a person"], true)
}

/// A sentence as the offline voice says it, at 16 kHz.
async fn spoken(text: &str, voice: &str) -> Bytes {
    let synth = Synth {
        provider: "offline".into(),
        programs: Programs::find(),
        voice: Some(voice.into()),
        speed: 1.0,
    };
    synth.speak(text, "en", 16_000).await.unwrap()
}

/// What arrives over a telephone: 8 kHz, µ-law.
fn telephone(sound: &Bytes) -> Bytes {
    let mut down = Resampler::new(16_000, 8_000);
    let mut narrow = down.push(sound.clone()).to_vec();
    narrow.extend_from_slice(&down.finish());
    let coded: Vec<u8> =
        narrow.chunks_exact(2).map(|s| encode_ulaw(i16::from_le_bytes([s[0], s[1]]))).collect();
    let decoded: Bytes = coded.iter().flat_map(|code| decode_ulaw(*code).to_le_bytes()).collect();
    let mut up = Resampler::new(8_000, 16_000);
    let mut wide = up.push(decoded).to_vec();
    wide.extend_from_slice(&up.finish());
    wide.into()
}

async fn open(stt: &OfflineStt, expected: Expected) -> SttSession {
    let mut session = stt.open(SttStart { rate: 16_000, languages: vec!["en-US".into()], words: Vec::new() });
    session.input.send(SttInput::Expect(Arc::new(expected))).await.unwrap();
    until(&mut session, |event| matches!(event, SttEvent::Connected { .. })).await;
    session
}

/// A caller says something between two pauses. `quiet`: how long until our detector hears the end.
async fn hear(session: &mut SttSession, sound: &[u8], quiet: usize) -> Said {
    let silence = vec![0; 32 * 300];
    let after = vec![0; 32 * quiet];
    for frame in [&silence[..], sound, &after].concat().chunks(640) {
        session.input.send(SttInput::Audio(Bytes::copy_from_slice(frame))).await.unwrap();
    }
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let mut said = Said::default();
    for event in until(session, |event| is_answered(event) || is_failed(event)).await {
        match event {
            SttEvent::Final { text, confidence, .. } => {
                said.text = format!("{} {text}", said.text).trim().to_owned();
                said.confidence = confidence.or(said.confidence);
            }
            SttEvent::Answered { ms, .. } => said.ms = ms,
            SttEvent::Failed(error) => panic!("{error}"),
            _ => {}
        }
    }
    said
}

#[derive(Debug, Default)]
struct Said {
    text: String,
    confidence: Option<u8>,
    ms: u32,
}

fn noise(level: f64, ms: usize) -> Bytes {
    let mut dice = Dice(7);
    let mut random = move || (0..6).map(|_| dice.below(2_001) as f64 / 1_000.0 - 1.0).sum::<f64>() / 1.4;
    (0..ms * 16).flat_map(|_| ((random() * level) as i16).to_le_bytes()).collect()
}

/// What is expected somewhere, and what is said there.
type Place = (fn() -> Expected, &'static [&'static str]);
/// What callers say to the clinic.
const CALLS: &[Place] = &[
    (
        welcome,
        &[
            "i want an appointment",
            "i'd like to book an appointment please",
            "i have a question about my bill",
            "can i speak to a person",
            "it's about my insurance",
            "yes",
            "no thanks",
        ],
    ),
    (
        request,
        &[
            "tuesday at three for a cleaning",
            "tomorrow please",
            "cleaning",
            "next thursday at half past ten",
            "i need a checkup tomorrow",
            "actually make that friday",
            "checkup on monday",
            "the day after tomorrow",
            "wednesday morning",
            "the twenty third of november",
            "four one five five five five zero one zero zero",
            "yes please",
        ],
    ),
];

#[tokio::test]
async fn what_is_said_over_the_telephone_is_understood() {
    let (stt, _pool, _turn) = real().await;
    let (mut exact, mut words, mut wrong, mut all, mut slowest) = (0, 0, 0, 0, 0);
    for (expected, sentences) in CALLS {
        let mut session = open(&stt, expected()).await;
        for sentence in *sentences {
            for voice in ["rms", "slt"] {
                let sound = spoken(sentence, voice).await;
                for (line, sound) in [("wide", sound.clone()), ("telephone", telephone(&sound))] {
                    let said = hear(&mut session, &sound, 300).await;
                    let [given, heard] = [*sentence, &said.text].map(|t| t.split(' ').collect::<Vec<_>>());
                    (all, exact) = (all + 1, exact + usize::from(given == heard));
                    (words, wrong) = (words + given.len(), wrong + distance(&given, &heard));
                    slowest = slowest.max(said.ms);
                    eprintln!(
                        "{voice} {line}: {sentence} => {} ({:?} %, {} ms)",
                        said.text, said.confidence, said.ms
                    );
                    // The clearest voice over a good line must be understood to the letter.
                    if (voice, line) == ("rms", "wide") && MUST.contains(sentence) {
                        assert_eq!(said.text, *sentence);
                        assert!(said.confidence.is_some_and(|percent| percent >= 20), "{said:?}");
                    }
                }
            }
        }
    }
    eprintln!("exact {exact} of {all}, words wrong {wrong} of {words}, slowest {slowest} ms");
    assert!(exact * 100 >= all * 70, "{exact} of {all} sentences");
    assert!(wrong * 100 <= words * 15, "{wrong} of {words} words");
}

/// Of these no word may be lost.
const MUST: &[&str] = &[
    "i want an appointment",
    "cleaning",
    "tomorrow please",
    "yes please",
    "the day after tomorrow",
    "wednesday morning",
];

fn distance(a: &[&str], b: &[&str]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, right) in b.iter().enumerate() {
            let change = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[tokio::test]
async fn what_is_no_answer_is_not_made_one() {
    let (stt, _pool, _turn) = real().await;
    let mut session = open(&stt, request()).await;
    let silence = hear(&mut session, &vec![0; 32_000], 300).await;
    assert_eq!((silence.text.as_str(), silence.confidence), ("", None));
    for level in [300.0, 1_500.0, 6_000.0] {
        let said = hear(&mut session, &noise(level, 1_500), 300).await;
        assert_eq!(said.text, "", "noise of {level}");
    }
    let click = hear(&mut session, &noise(20_000.0, 20), 300).await;
    assert_eq!(click.text, "");
    for sentence in [
        "my grandmother used to play the piano every evening",
        "he threw the ball over the fence into the river",
        "elephants are larger than most other animals",
        "we watched a long movie about dinosaurs",
        "she sells sea shells by the sea shore",
    ] {
        let said = hear(&mut session, &spoken(sentence, "rms").await, 300).await;
        assert_eq!(said.text, "", "{sentence}");
    }
    // It still listens.
    let said = hear(&mut session, &spoken("cleaning", "rms").await, 300).await;
    assert_eq!(said.text, "cleaning");
}

#[tokio::test]
async fn where_anything_may_be_said_it_is_written_down() {
    let (stt, _pool, _turn) = real().await;
    let mut session = open(&stt, Expected { open: true, ..request() }).await;
    let said = hear(&mut session, &spoken("the weather is lovely in the mountains", "rms").await, 300).await;
    assert!(said.text.contains("mountains") && said.text.contains("weather"), "{said:?}");
    let said = hear(&mut session, &spoken("cleaning", "rms").await, 300).await;
    assert_eq!(said.text, "cleaning");
}

#[tokio::test]
async fn words_are_there_soon_after_the_end_and_partly_before() {
    let (stt, _pool, _turn) = real().await;
    let mut session = open(&stt, request()).await;
    hear(&mut session, &spoken("cleaning", "rms").await, 300).await;
    let mut waited = Vec::new();
    for sentence in
        ["cleaning", "tomorrow please", "next thursday at half past ten", "the twenty third of november"]
    {
        let mut sound = spoken(sentence, "rms").await.to_vec();
        sound.extend(vec![0; 32 * 500]);
        let mut due = tokio::time::Instant::now();
        for frame in sound.chunks(640) {
            tokio::time::sleep_until(due).await;
            due += Duration::from_millis(20);
            session.input.send(SttInput::Audio(Bytes::copy_from_slice(frame))).await.unwrap();
        }
        session.input.send(SttInput::SpeechEnded).await.unwrap();
        let events = until(&mut session, is_answered).await;
        let partial =
            events.iter().any(|event| matches!(event, SttEvent::Partial { text } if !text.is_empty()));
        assert!(partial, "{sentence}: {events:?}");
        waited.extend(events.iter().filter_map(|event| match event {
            SttEvent::Answered { ms, .. } => Some(*ms),
            _ => None,
        }));
    }
    eprintln!("words after the end of speech: {waited:?} ms");
    waited.sort_unstable();
    // It is tried at the pause, before our detector is sure.
    assert!(waited[1] < 500, "{waited:?}");
}

#[tokio::test]
async fn another_node_expects_other_words_and_a_pause_ends_nothing() {
    let (stt, pool, _turn) = real().await;
    let mut session = open(&stt, expected(&["purple elephant", "xyzzyplugh"], &[], false)).await;
    let said = hear(&mut session, &spoken("purple elephant", "rms").await, 300).await;
    assert_eq!(said.text, "purple elephant");
    session.input.send(SttInput::Expect(Arc::new(request()))).await.unwrap();
    let said = hear(&mut session, &spoken("tomorrow please", "rms").await, 300).await;
    assert_eq!(said.text, "tomorrow please");

    let mut sound = spoken("cleaning", "rms").await.to_vec();
    sound.extend(vec![0; 32 * 400]);
    sound.extend_from_slice(&spoken("tomorrow please", "rms").await);
    for frame in sound.chunks(640) {
        session.input.send(SttInput::Audio(Bytes::copy_from_slice(frame))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let said = hear(&mut session, &[], 300).await;
    assert_eq!(said.text, "cleaning tomorrow please");

    let processes = pool.processes();
    assert!(!processes.is_empty());
    drop((session, stt, pool));
    for pid in processes {
        wait_for(|| !std::path::Path::new(&format!("/proc/{pid}")).exists()).await;
    }
}

#[tokio::test]
async fn other_languages_are_refused_with_the_reason() {
    let (stt, _pool, _turn) = real().await;
    let mut session =
        stt.open(SttStart { rate: 16_000, languages: vec!["de".into(), "en".into()], words: Vec::new() });
    let error = failure(&mut session).await;
    assert_eq!(error.kind, LlmErrorKind::Setup);
    assert!(error.message.contains("English alone") && error.message.contains("de"), "{error}");
    let mut session = open(&stt, request()).await;
    let spanish = Expected { language: "es".into(), ..Expected::default() };
    session.input.send(SttInput::Expect(Arc::new(spanish))).await.unwrap();
    assert!(failure(&mut session).await.message.contains("English alone"));
}

async fn failure(session: &mut SttSession) -> crate::voice::VoiceError {
    match until(session, is_failed).await.pop() {
        Some(SttEvent::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

async fn wait_for(there: impl Fn() -> bool) {
    let since = Instant::now();
    while !there() {
        assert!(since.elapsed() < Duration::from_secs(10), "it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A stand-in for the interpreter, that a shell runs.
async fn error_of(script: &str) -> (LlmErrorKind, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("python3");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (stt, pool) = recogniser(path, Duration::from_millis(400));
    let mut session = stt.open(SttStart { rate: 16_000, ..SttStart::default() });
    for frame in noise(3_000.0, 600).chunks(640) {
        let _ = session.input.send(SttInput::Audio(Bytes::copy_from_slice(frame))).await;
    }
    let _ = session.input.send(SttInput::SpeechEnded).await;
    let error = failure(&mut session).await;
    assert_eq!(pool.processes(), Vec::<u32>::new());
    (error.kind, error.message)
}

#[tokio::test]
async fn a_process_that_is_missing_crashes_lies_or_hangs_is_a_clear_error() {
    let (missing, _pool) = recogniser("/nowhere/python3".into(), Duration::from_secs(1));
    let error = failure(&mut missing.open(SttStart { rate: 16_000, ..SttStart::default() })).await;
    assert_eq!(error.kind, LlmErrorKind::Setup);
    assert!(error.message.contains("apt-get install python3-venv"), "{error}");

    let (kind, message) = error_of("echo '{\"missing\": \"ModuleNotFoundError\"}'").await;
    assert_eq!(kind, LlmErrorKind::Setup);
    assert!(message.contains("pip install pocketsphinx"), "{message}");
    let (kind, message) = error_of("exit 3").await;
    assert_eq!((kind, message.contains("exit status: 3")), (LlmErrorKind::Unavailable, true), "{message}");
    let (kind, message) = error_of("echo what").await;
    assert_eq!((kind, message.contains("makes no sense")), (LlmErrorKind::Unavailable, true), "{message}");
    let (kind, message) = error_of("exec sleep 30").await;
    assert_eq!((kind, message.contains("does not answer")), (LlmErrorKind::Timeout, true), "{message}");
    let ready = "echo '{\"ready\": \"5\"}'";
    let (kind, _) = error_of(&format!("{ready}; exec sleep 30")).await;
    assert_eq!(kind, LlmErrorKind::Timeout);
    let (kind, message) = error_of(&format!("{ready}; head -c 9 >/dev/null; kill -9 $$")).await;
    assert_eq!((kind, message.contains("signal: 9")), (LlmErrorKind::Unavailable, true), "{message}");
}

#[tokio::test]
async fn a_process_that_was_killed_is_replaced_and_the_caller_heard() {
    let (stt, pool, _turn) = real().await;
    let mut session = open(&stt, request()).await;
    assert_eq!(hear(&mut session, &spoken("cleaning", "rms").await, 300).await.text, "cleaning");
    let killed = pool.processes();
    for pid in &killed {
        let status = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        assert!(status.success());
    }
    assert_eq!(
        hear(&mut session, &spoken("tomorrow please", "rms").await, 300).await.text,
        "tomorrow please"
    );
    for pid in killed {
        wait_for(|| !std::path::Path::new(&format!("/proc/{pid}")).exists()).await;
    }
}

#[tokio::test]
async fn what_is_installed_is_told() {
    let found = available().await.recogniser;
    match found {
        Ok(version) => assert!(version.starts_with("PocketSphinx 5"), "{version}"),
        Err(notice) => assert!(notice.contains("pip install pocketsphinx"), "{notice}"),
    }
}
