//! flite and espeak-ng speak, and everything that can go wrong with a program does.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use dgh_engine::reply::Model;
use serde_json::json;

use crate::llm::LlmErrorKind;
use crate::offline_voice::synth::Programs;
use crate::offline_voice::{OfflineTts, available};
use crate::tts::tests::{Heard, listen, next, say, say_in};
use crate::tts::{Tts as _, TtsEvent, TtsInput, TtsSession, TtsStart};
use crate::voice::VoiceError;

fn model(settings: serde_json::Value) -> Model {
    let settings = settings.as_object().unwrap().clone();
    Model { provider: "offline".into(), protocol: "offline_tts".into(), settings, key: None }
}

/// The programs of this machine. Without them nothing here can be tested.
fn installed() -> Programs {
    let programs = Programs::find();
    assert!(programs.flite.is_some(), "flite is not installed: tests/run installs it");
    assert!(programs.espeak.is_some(), "espeak-ng is not installed: tests/run installs it");
    programs
}

fn open_with(programs: Programs, settings: serde_json::Value, rate: u32, language: &str) -> TtsSession {
    let voice = OfflineTts::with(&model(settings), programs).unwrap();
    voice.open(TtsStart { rate, language: language.into() })
}

async fn spoken(settings: serde_json::Value, rate: u32, language: &str, text: &str) -> Heard {
    let mut session = open_with(installed(), settings, rate, language);
    say(&session, 1, text).await;
    listen(&mut session, 1).await
}

/// Root of the mean square of full scale, in dB.
fn decibels(pcm: &[u8]) -> f64 {
    let squares =
        pcm.chunks_exact(2).map(|s| (f64::from(i16::from_le_bytes([s[0], s[1]])) / 32_768.0).powi(2));
    10.0 * (squares.sum::<f64>() / (pcm.len() / 2) as f64).log10()
}

/// A program that a shell runs, in a folder that lives as long as what is returned.
fn program(script: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flite");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    (folder, path)
}

async fn error_of(script: &str) -> VoiceError {
    let (_folder, path) = program(script);
    let programs = Programs { flite: Some(path), espeak: None, patience: Duration::from_millis(300) };
    let mut session = open_with(programs, json!({}), 16_000, "en");
    say(&session, 7, "my number is four two").await;
    let error = listen(&mut session, 7).await.error.unwrap();
    assert!(!error.message.contains("four two"), "{error}");
    // The session goes on.
    say(&session, 8, "and again").await;
    assert!(listen(&mut session, 8).await.error.is_some());
    error
}

#[tokio::test]
async fn a_sentence_sounds_at_the_rate_of_the_line_without_silence_and_as_loud_as_others() {
    for rate in [8_000, 16_000, 24_000, 48_000] {
        let heard = spoken(json!({}), rate, "en", "What brings you in today?").await;
        assert_eq!((heard.error, heard.by.as_deref()), (None, Some("offline")));
        let ms = heard.pcm.len() as u32 / 2 * 1_000 / rate;
        assert!((1_000..2_000).contains(&ms), "{ms} ms at {rate} Hz");
        let level = decibels(&heard.pcm);
        assert!((-25.0..-18.0).contains(&level), "{level} dB at {rate} Hz");
        let bytes = |from: u32, to: u32| (rate * from / 1_000 * 2) as usize..(rate * to / 1_000 * 2) as usize;
        assert!(decibels(&heard.pcm[bytes(0, 40)]) < level - 20.0, "silence at the start");
        assert!(decibels(&heard.pcm[bytes(60, 200)]) > level - 20.0, "words soon after it");
    }
}

#[tokio::test]
async fn sentences_are_heard_in_order_and_one_that_is_cancelled_is_not() {
    let mut session = open_with(installed(), json!({}), 8_000, "en");
    for (id, text) in [
        (1, "A rather long first sentence, for which some time is needed."),
        (2, "Two."),
        (3, "?!"),
        (4, "Four."),
    ] {
        say(&session, id, text).await;
    }
    assert!(!listen(&mut session, 1).await.pcm.is_empty());
    assert!(!listen(&mut session, 2).await.pcm.is_empty());
    let silent = listen(&mut session, 3).await;
    assert_eq!((silent.pcm.len(), silent.error), (0, None));
    assert!(!listen(&mut session, 4).await.pcm.is_empty());

    say(&session, 5, "Nobody wants to hear this.").await;
    say(&session, 6, "Six.").await;
    session.input.send(TtsInput::Cancel { id: 5 }).await.unwrap();
    assert!(!listen(&mut session, 6).await.pcm.is_empty());
}

#[tokio::test]
async fn other_languages_and_voices_are_of_espeak() {
    let mut session = open_with(installed(), json!({}), 16_000, "en");
    say_in(&session, 1, "Was kann ich für Sie tun?", "de-CH").await;
    let german = listen(&mut session, 1).await;
    assert!(german.ms(16_000) > 800, "{:?}", german.error);
    say_in(&session, 2, "Hello", "tlh").await;
    let error = listen(&mut session, 2).await.error.unwrap();
    assert_eq!(error.kind, LlmErrorKind::Rejected);
    assert!(error.message.contains("no voice for this language"), "{error}");
    say(&session, 3, "English again.").await;
    assert!(listen(&mut session, 3).await.ms(16_000) > 500);

    let texts = "Good morning, how are you?";
    let own = spoken(json!({}), 16_000, "en", texts).await.pcm;
    let other = spoken(json!({ "voice": "slt" }), 16_000, "en", texts).await.pcm;
    let espeak = spoken(json!({ "voice": "en-us+f3" }), 16_000, "en", texts).await.pcm;
    assert!(own != other && other != espeak && own != espeak && !espeak.is_empty());
    for voice in ["slt", "en-gb"] {
        let slow = spoken(json!({ "voice": voice, "speed": 0.6 }), 16_000, "en", texts).await;
        let quick = spoken(json!({ "voice": voice, "speed": 1.5 }), 16_000, "en", texts).await;
        assert!(slow.ms(16_000) > quick.ms(16_000) * 3 / 2, "{voice}");
    }
}

#[tokio::test]
async fn letters_that_english_does_not_have_are_spoken() {
    let plain = spoken(json!({}), 16_000, "en", "Zurich").await;
    let accent = spoken(json!({}), 16_000, "en", "Zürich").await;
    assert_eq!(plain.pcm, accent.pcm);
}

#[tokio::test]
async fn what_is_missing_says_how_to_get_it() {
    assert_eq!(available().await.voice.as_deref(), Ok("flite"));
    let none = Programs { flite: None, espeak: None, ..installed() };
    let error = OfflineTts::with(&model(json!({})), none).err().unwrap();
    assert_eq!(error.kind, LlmErrorKind::Setup);
    assert!(error.message.contains("apt-get install flite"), "{error}");

    let mut session = open_with(Programs { espeak: None, ..installed() }, json!({}), 16_000, "de");
    say_in(&session, 1, "Guten Tag", "de").await;
    let error = listen(&mut session, 1).await.error.unwrap();
    assert!(error.message.contains("apt-get install espeak-ng"), "{error}");

    let mut session = open_with(Programs { flite: None, ..installed() }, json!({}), 16_000, "en");
    say(&session, 1, "Good morning").await;
    assert!(listen(&mut session, 1).await.ms(16_000) > 300);

    for wrong in [json!({ "voice": "../x" }), json!({ "voice": "--help" }), json!({ "speed": 9 })] {
        assert_eq!(OfflineTts::with(&model(wrong), installed()).err().unwrap().kind, LlmErrorKind::Setup);
    }
}

#[tokio::test]
async fn a_program_that_crashes_lies_or_hangs_is_an_error_of_the_sentence() {
    let crash = error_of("cat >/dev/null; echo my number is four two >&2; exit 3").await;
    assert!(crash.message.contains("exit status: 3"), "{crash}");
    let killed = error_of("kill -9 $$").await;
    assert!(killed.message.contains("signal: 9"), "{killed}");
    let empty = error_of("cat >/dev/null").await;
    assert!(empty.message.contains("no WAV file"), "{empty}");
    let hung = error_of("while :; do :; done").await;
    assert_eq!(hung.kind, LlmErrorKind::Timeout);
    assert!(hung.message.contains("longer than 0.3 s"), "{hung}");
    let text = "word ".repeat(2_000);
    let error = spoken(json!({}), 16_000, "en", &text).await.error.unwrap();
    assert_eq!(error.kind, LlmErrorKind::TooLarge);
}

#[tokio::test]
async fn the_text_is_in_no_argument_and_no_process_outlives_its_sentence() {
    let notes = tempfile::tempdir().unwrap();
    let note = notes.path().join("note");
    let (_folder, path) = program(&format!(
        "tr '\\0' ' ' </proc/$$/cmdline >{0}; env >>{0}; echo $$ >{0}.pid; read -r text; exec sleep 60",
        note.display()
    ));
    let programs = Programs { flite: Some(path), espeak: None, patience: Duration::from_secs(30) };
    let mut session = open_with(programs, json!({}), 16_000, "en");
    let mut pids = Vec::new();
    for id in 1..=2 {
        let pid_file = note.with_extension("pid");
        say(&session, id, "unspeakably private").await;
        let pid = wait_for(|| std::fs::read_to_string(&pid_file).ok()?.trim().parse::<u32>().ok()).await;
        pids.push(pid);
        let seen = std::fs::read_to_string(&note).unwrap();
        assert!(seen.contains("duration_stretch") && !seen.contains("private"), "{seen}");
        assert!(!seen.contains("CARGO"), "keys of our environment are not given to it: {seen}");
        std::fs::remove_file(&pid_file).unwrap();
        if id == 1 {
            session.input.send(TtsInput::Cancel { id }).await.unwrap();
        }
    }
    assert!(matches!(next(&mut session).await, Some(TtsEvent::Connected { .. })));
    drop(session);
    for pid in pids {
        wait_for(|| (!std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(())).await;
    }
}

async fn wait_for<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(value) = there() {
            return value;
        }
        assert!(since.elapsed() < Duration::from_secs(10), "it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
