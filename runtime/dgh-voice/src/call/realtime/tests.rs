//! Sessions whose both ends are held by the test, and one over a real socket.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::future::poll_fn;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use dgh_providers::double::{self, Does, RealtimeScript, RealtimeServer};
use dgh_providers::realtime::Realtime;
use dgh_providers::stt::Stt;
use dgh_providers::tts::Tts;
use futures::task::noop_waker;
use serde_json::json;
use tokio::sync::mpsc;

use super::*;

/// The other end of a session.
struct End {
    input: mpsc::Receiver<RealtimeInput>,
    events: mpsc::Sender<RealtimeEvent>,
    history: Vec<Message>,
}

#[derive(Clone, Default)]
struct Fake {
    is_deaf: bool,
    ends: Arc<Mutex<VecDeque<End>>>,
}

impl Realtime for Fake {
    fn hears_turns(&self) -> bool {
        !self.is_deaf
    }

    fn open(&self, start: RealtimeStart) -> RealtimeSession {
        let (input, inputs) = mpsc::channel(64);
        let (events, receiver) = mpsc::channel(64);
        self.ends.lock().unwrap().push_back(End { input: inputs, events, history: start.history });
        RealtimeSession { hears: 8_000, speaks: 8_000, input, events: receiver }
    }
}

impl Voices for Fake {
    fn stt(&self, model: &Model) -> Result<Arc<dyn Stt>, VoiceError> {
        Err(none(model))
    }

    fn tts(&self, model: &Model) -> Result<Arc<dyn Tts>, VoiceError> {
        Err(none(model))
    }

    fn realtime(&self, model: &Model) -> Result<Arc<dyn Realtime>, VoiceError> {
        if model.provider == "unknown" { Err(none(model)) } else { Ok(Arc::new(self.clone())) }
    }
}

fn none(model: &Model) -> VoiceError {
    VoiceError { provider: model.provider.clone(), kind: LlmErrorKind::Setup, message: "not set up".into() }
}

fn broken(kind: LlmErrorKind) -> VoiceError {
    VoiceError { provider: "one".into(), kind, message: "it broke".into() }
}

/// A speaker and the ends of its sessions.
struct Line {
    speaker: Speaker,
    fake: Fake,
    end: End,
    /// The engine speaks every sentence: the utterance is the next number.
    speaks: bool,
    spoken: u32,
}

impl Line {
    fn of(is_deaf: bool, models: &[&str]) -> Self {
        let fake = Fake { is_deaf, ..Fake::default() };
        let models = models.iter().map(|name| double::model(name)).collect();
        let start = RealtimeStart { rate: 8_000, ..RealtimeStart::default() };
        let speaker = Speaker::new(Arc::new(fake.clone()), models, start);
        let end = fake.ends.lock().unwrap().pop_front().unwrap();
        Self { speaker, fake, end, speaks: true, spoken: 0 }
    }

    fn new() -> Self {
        Self::of(false, &["one", "two"])
    }

    /// The next session takes over.
    fn next_session(&mut self) {
        self.end = self.fake.ends.lock().unwrap().pop_front().expect("another session");
    }

    fn ask(&mut self, id: u32) {
        self.speaker.reply(request(id), 0);
        assert!(matches!(self.end.input.try_recv(), Ok(RealtimeInput::Respond(r)) if r.id == ReplyId(id)));
    }

    fn event(&self, event: RealtimeEvent) {
        self.end.events.try_send(event).unwrap();
    }

    fn words(&self, reply: u32, text: &str) {
        self.event(RealtimeEvent::Words { reply: ReplyId(reply), text: text.into() });
    }

    fn sound(&self, reply: u32, ms: usize) {
        self.event(RealtimeEvent::Audio { reply: ReplyId(reply), pcm: Bytes::from(vec![1; ms * 16]) });
    }

    fn call(&self, reply: u32, name: &str) {
        let (id, name) = ("c".to_owned(), name.to_owned());
        self.event(RealtimeEvent::Call { reply: ReplyId(reply), id, name, arguments: json!({}) });
    }

    fn done(&self, reply: u32, failure: Option<VoiceError>) {
        self.event(RealtimeEvent::Done { reply: ReplyId(reply), failure, usage: Usage::default() });
    }

    fn told(&mut self) -> Vec<Told> {
        self.told_at(0)
    }

    fn told_at(&mut self, now: Millis) -> Vec<Told> {
        let waker = noop_waker();
        let mut told = Vec::new();
        while let Poll::Ready(next) = self.speaker.poll(&mut Context::from_waker(&waker), now) {
            if let (Told::Engine(Event::ReplySentence { text, .. }), true) = (&next, self.speaks) {
                self.spoken += 1;
                assert!(self.speaker.speak(UtteranceId(self.spoken), text, false));
            }
            told.push(next);
        }
        told
    }

    fn inputs(&mut self) -> Vec<RealtimeInput> {
        std::iter::from_fn(|| self.end.input.try_recv().ok()).collect()
    }

    fn cuts(&mut self) -> Vec<(u32, u32)> {
        let inputs = self.inputs().into_iter();
        let cut = |input| match input {
            RealtimeInput::Cut { reply, heard_ms } => Some((reply.0, heard_ms)),
            _ => None,
        };
        inputs.filter_map(cut).collect()
    }
}

fn request(id: u32) -> ReplyRequest {
    ReplyRequest { id: ReplyId(id), ..double::request() }
}

fn sentence(reply: u32, text: &str) -> Told {
    Told::Engine(Event::ReplySentence { reply: ReplyId(reply), text: text.into() })
}

fn closed(reply: u32, failure: Option<&str>) -> Told {
    let failure = failure.map(str::to_owned);
    Told::Engine(Event::ReplyClosed { reply: ReplyId(reply), failure, usage: Usage::default() })
}

/// What was told, but for sound.
fn facts(told: Vec<Told>) -> Vec<Told> {
    told.into_iter().filter(|t| !matches!(t, Told::Sound(..) | Told::Complete(_))).collect()
}

/// Milliseconds of sound by utterance, and those that are complete.
fn sounds(told: &[Told]) -> (Vec<(u32, usize)>, Vec<u32>) {
    let (mut sounds, mut complete) = (Vec::<(u32, usize)>::new(), Vec::new());
    for told in told {
        match told {
            Told::Sound(utterance, samples) => match sounds.last_mut() {
                Some((last, ms)) if *last == utterance.0 => *ms += samples.len() / 8,
                _ => sounds.push((utterance.0, samples.len() / 8)),
            },
            Told::Complete(utterance) => complete.push(utterance.0),
            _ => {}
        }
    }
    (sounds, complete)
}

#[test]
fn sound_waits_for_the_engine_to_speak_its_sentence() {
    let mut line = Line { speaks: false, ..Line::new() };
    line.ask(1);
    line.sound(1, 500);
    line.words(1, "Oh. And when ");
    line.words(1, "do you come?");
    assert_eq!(line.told(), [sentence(1, "Oh. And when do you come?")]);
    assert!(
        !line.speaker.speak(UtteranceId(8), "Oh. And when do you come?", true),
        "exact words need a voice"
    );
    assert!(line.speaker.speak(UtteranceId(9), "Oh. And when do you come?", false));
    assert_eq!(sounds(&line.told()), (vec![(9, 500)], vec![]));
    line.sound(1, 300);
    line.done(1, None);
    let told = line.told();
    assert_eq!(sounds(&told), (vec![(9, 300)], vec![9]));
    assert!(told.contains(&closed(1, None)));
    assert!(!line.speaker.speak(UtteranceId(10), "Something else.", false));
}

#[test]
fn what_the_engine_speaks_only_after_the_end_has_its_sound_then() {
    let mut line = Line { speaks: false, ..Line::new() };
    line.ask(1);
    line.words(1, "What was your number?");
    line.sound(1, 700);
    line.done(1, None);
    assert_eq!(line.told(), [sentence(1, "What was your number?"), closed(1, None)]);
    assert!(line.speaker.speak(UtteranceId(1), "What was your number?", false));
    assert_eq!(sounds(&line.told()), (vec![(1, 700)], vec![1]));
}

#[test]
fn sound_is_shared_among_sentences_by_their_letters() {
    let mut line = Line { speaks: false, ..Line::new() };
    line.ask(1);
    line.words(1, "Twenty letters here. ");
    line.words(1, "Twenty more of them. ");
    line.words(1, "Forty letters are in this last sentence.");
    line.sound(1, 4_000);
    line.done(1, None);
    let told = line.told();
    let texts: Vec<_> = told
        .iter()
        .filter_map(|t| {
            if let Told::Engine(Event::ReplySentence { text, .. }) = t { Some(text.clone()) } else { None }
        })
        .collect();
    assert_eq!(texts.len(), 3);
    for (at, text) in texts.iter().enumerate() {
        assert!(line.speaker.speak(UtteranceId(u32::try_from(at).unwrap() + 1), text, false));
    }
    let (given, complete) = sounds(&line.told());
    assert_eq!(complete, [1, 2, 3]);
    assert_eq!(given.iter().map(|(_, ms)| ms).sum::<usize>(), 4_000);
    for ((_, ms), wanted) in given.iter().zip([1_000, 1_000, 2_000]) {
        assert!(ms.abs_diff(wanted) < 60, "{given:?}");
    }
}

#[test]
fn sound_goes_on_while_the_next_sentence_is_not_known() {
    let mut line = Line::new();
    line.ask(1);
    line.words(1, "Short one. And ");
    line.sound(1, 2_000);
    assert_eq!(sounds(&line.told()), (vec![(1, 2_000)], vec![]));
    line.words(1, "then another.");
    line.sound(1, 300);
    line.done(1, None);
    assert_eq!(sounds(&line.told()), (vec![(2, 300)], vec![1, 2]));
}

#[test]
fn a_go_is_told_when_what_was_said_with_it_was_played() {
    let mut line = Line::new();
    line.ask(1);
    line.words(1, "Good bye then.");
    line.sound(1, 900);
    line.call(1, "note");
    line.call(1, "go");
    line.done(1, None);
    let told = line.told();
    assert_eq!(sounds(&told), (vec![(1, 900)], vec![1]));
    assert_eq!(facts(told), [sentence(1, "Good bye then.")]);
    line.speaker.finished(UtteranceId(1));
    let told = line.told();
    assert!(matches!(&told[0], Told::Engine(Event::ReplyCall { name, .. }) if name == "note"));
    assert!(matches!(&told[1], Told::Engine(Event::ReplyCall { name, .. }) if name == "go"));
    assert_eq!(told[2..], [closed(1, None)]);
}

#[test]
fn a_go_without_words_and_calls_of_tools_wait_for_nothing() {
    for name in ["go", "find_slots"] {
        let mut line = Line::new();
        line.ask(1);
        if name != "go" {
            line.words(1, "Let me see.");
            line.sound(1, 900);
        }
        line.call(1, name);
        line.done(1, None);
        let told = line.told();
        assert!(matches!(&told[told.len() - 2], Told::Engine(Event::ReplyCall { name: n, .. }) if n == name));
        assert_eq!(told.last(), Some(&closed(1, None)));
    }
}

#[test]
fn an_interruption_tells_the_session_what_was_heard() {
    let mut line = Line::new();
    line.ask(1);
    line.words(1, "The first sentence. ");
    line.words(1, "And the second sentence.");
    line.sound(1, 2_000);
    line.call(1, "go");
    line.done(1, None);
    let told = line.told();
    let (given, complete) = sounds(&told);
    assert_eq!(complete, [1, 2]);
    assert_eq!(facts(told).len(), 2, "the go waits");
    line.speaker.finished(UtteranceId(1));
    // Half of the second.
    line.speaker.cut(UtteranceId(2), 12);
    let told = facts(line.told());
    assert!(matches!(&told[0], Told::Engine(Event::ReplyCall { name, .. }) if name == "go"), "{told:?}");
    assert_eq!(told[1], closed(1, None));
    let cuts = line.cuts();
    let wanted = given[0].1 + given[1].1 / 2;
    assert_eq!(cuts.len(), 1);
    assert!((cuts[0].1 as usize).abs_diff(wanted) < 20, "{cuts:?} {given:?}");
}

#[test]
fn an_answer_that_is_cut_while_it_is_made_says_nothing_more() {
    let mut line = Line::new();
    line.ask(1);
    line.words(1, "The first sentence. And the ");
    line.sound(1, 1_000);
    line.told();
    line.speaker.cut(UtteranceId(1), 9);
    line.words(1, "second.");
    line.sound(1, 1_000);
    line.done(1, None);
    assert_eq!(line.told(), [closed(1, None)]);
    let cuts = line.cuts();
    assert!(cuts.len() == 1 && cuts[0].1 < 600, "{cuts:?}");
}

#[test]
fn a_reply_that_is_dropped_is_stopped_and_not_closed() {
    let mut line = Line::new();
    line.ask(1);
    line.words(1, "The first sentence. And the ");
    line.sound(1, 1_000);
    assert_eq!(sounds(&line.told()).0, [(1, 1_000)]);
    line.speaker.cancel(ReplyId(1));
    assert_eq!(line.told(), [Told::Complete(UtteranceId(1))], "what sounds goes on to its end");
    line.call(1, "go");
    line.done(1, None);
    assert_eq!(line.told(), []);
    assert_eq!(line.cuts(), [(1, 1_000)]);
    line.ask(2);
}

#[test]
fn without_a_voice_the_session_is_asked_for_exact_words() {
    let mut line = Line::new();
    assert!(!line.speaker.recite(UtteranceId(5), "Are you still there?", 0), "it knows nothing yet");
    line.ask(1);
    assert!(!line.speaker.recite(UtteranceId(5), "Are you still there?", 0), "it speaks");
    line.done(1, None);
    line.told();
    assert!(line.speaker.recite(UtteranceId(5), "Are you still there?", 0));
    let asked = line.inputs();
    let [RealtimeInput::Respond(request)] = &asked[..] else { panic!("{asked:?}") };
    assert!(!request.may_call && request.card.labels.is_empty());
    assert!(request.card.instruction.as_ref().unwrap().ends_with("\"Are you still there?\""));
    let reply = request.id.0;
    line.words(reply, "Are you still there?");
    line.sound(reply, 800);
    line.done(reply, None);
    let told = line.told();
    assert_eq!(sounds(&told), (vec![(5, 800)], vec![5]));
    assert_eq!(facts(told), []);
    // It breaks in the middle of the next one, which ends.
    assert!(line.speaker.recite(UtteranceId(6), "Good bye.", 0));
    line.event(RealtimeEvent::Failed(broken(LlmErrorKind::Network)));
    let told = line.told();
    assert!(told.contains(&Told::Complete(UtteranceId(6))), "{told:?}");
}

#[test]
fn words_of_others_are_told_to_the_session() {
    let mut line = Line::new();
    line.speaker.said("This call is recorded.");
    line.speaker.said("  ");
    line.speaker.typed("12345");
    let inputs = line.inputs();
    assert!(matches!(&inputs[..], [RealtimeInput::Said(said), RealtimeInput::Typed(typed)]
        if said == "This call is recorded." && typed == "12345"));
}

#[test]
fn the_words_of_a_turn_are_waited_for_and_not_for_ever() {
    let mut line = Line::new();
    let caller = |text: Option<&str>| RealtimeEvent::Caller { text: text.map(str::to_owned) };
    line.event(RealtimeEvent::SpeechStarted);
    line.event(RealtimeEvent::SpeechStopped);
    assert_eq!(line.told_at(100), []);
    assert_eq!(line.speaker.deadline(), Some(100 + WORDS_MS));
    line.event(caller(Some("Tomorrow.")));
    assert_eq!(line.told_at(300), [Told::Caller("Tomorrow.".into())]);
    assert_eq!(line.speaker.deadline(), None);

    line.event(RealtimeEvent::SpeechStopped);
    assert_eq!(line.told_at(2_000), []);
    line.speaker.tick(2_000 + WORDS_MS - 1);
    assert_eq!(line.told_at(2_000 + WORDS_MS - 1), []);
    line.speaker.tick(2_000 + WORDS_MS);
    assert_eq!(line.told_at(2_000 + WORDS_MS), [Told::Caller(UNWRITTEN.into())]);
    line.event(caller(Some("At ten.")));
    assert_eq!(line.told_at(3_500), [Told::Late("At ten.".into())]);

    line.event(RealtimeEvent::SpeechStopped);
    line.event(caller(None));
    assert_eq!(line.told_at(9_000), [Told::Caller(UNWRITTEN.into())]);
}

#[test]
fn a_session_without_a_detector_is_told_who_speaks() {
    let mut line = Line::of(true, &["one"]);
    let mut frame = Frame::default();
    frame.silence(8_000);
    let mut now = 0;
    let mut hear = |line: &mut Line, voice: bool, ms: u64| {
        for _ in 0..ms / FRAME_MS {
            now += FRAME_MS;
            line.speaker.hear(&frame, voice, now);
        }
        let inputs = line.inputs().into_iter();
        inputs.filter(|i| !matches!(i, RealtimeInput::Audio(_))).collect::<Vec<_>>()
    };
    assert!(hear(&mut line, true, 100).is_empty(), "a click is nobody");
    assert!(hear(&mut line, false, 200).is_empty());
    assert!(matches!(hear(&mut line, true, 300)[..], [RealtimeInput::CallerStarted]));
    assert!(hear(&mut line, false, 400).is_empty(), "a pause is no end");
    assert!(hear(&mut line, true, 200).is_empty());
    line.speaker.end_after(Some(500));
    assert!(matches!(hear(&mut line, false, 520)[..], [RealtimeInput::CallerStopped]));
    line.event(RealtimeEvent::Caller { text: Some("Yes.".into()) });
    assert_eq!(line.told(), [Told::Caller("Yes.".into())]);
}

#[test]
fn another_session_takes_over_and_knows_what_was_said() {
    let mut line = Line::of(false, &["one", "unknown", "two"]);
    let asked = ReplyRequest { history: vec![Message::Caller("Hello.".into())], ..request(1) };
    line.speaker.reply(asked, 0);
    line.words(1, "Good ");
    line.event(RealtimeEvent::Failed(broken(LlmErrorKind::Network)));
    let told = line.told();
    assert_eq!(told, [Told::Trouble("one: it broke".into()), Told::Trouble("unknown: not set up".into())]);
    line.next_session();
    assert_eq!(line.end.history, [Message::Caller("Hello.".into())]);
    assert!(matches!(&line.inputs()[..], [RealtimeInput::Respond(r)] if r.id == ReplyId(1)));
    line.words(1, "Good morning.");
    line.sound(1, 500);
    line.done(1, None);
    assert_eq!(facts(line.told()), [sentence(1, "Good morning."), closed(1, None)]);

    // Nobody waits for an answer: the next one is there with what was said.
    line.event(RealtimeEvent::Failed(broken(LlmErrorKind::Network)));
    line.told();
    line.next_session();
    assert_eq!(line.end.history, [Message::Caller("Hello.".into()), Message::Agent("Good morning.".into())]);
}

#[test]
fn an_answer_of_which_something_was_told_is_not_begun_again() {
    let mut line = Line::new();
    line.ask(1);
    line.words(1, "Good morning. How ");
    line.sound(1, 500);
    assert_eq!(facts(line.told()), [sentence(1, "Good morning.")]);
    line.event(RealtimeEvent::Failed(broken(LlmErrorKind::Network)));
    let told = facts(line.told());
    assert!(told.contains(&closed(1, Some("one: it broke"))), "{told:?}");
    line.next_session();
    assert!(line.inputs().is_empty());
    line.ask(2);
}

#[test]
fn a_reply_that_fails_before_its_first_word_goes_to_the_next_model() {
    let mut line = Line::new();
    line.ask(1);
    line.done(1, Some(broken(LlmErrorKind::RateLimited)));
    assert_eq!(line.told(), [Told::Trouble("one: it broke".into())]);
    line.next_session();
    line.words(1, "Here I am.");
    line.done(1, None);
    assert_eq!(facts(line.told()), [sentence(1, "Here I am."), closed(1, None)]);
}

#[test]
fn when_everybody_is_broken_replies_fail() {
    let mut line = Line::new();
    line.ask(1);
    let mut told = Vec::new();
    for _ in 0..=MAX_BROKEN {
        line.event(RealtimeEvent::Failed(broken(LlmErrorKind::Network)));
        told.extend(line.told());
        if let Some(end) = line.fake.ends.lock().unwrap().pop_front() {
            line.end = end;
        }
    }
    assert!(told.contains(&closed(1, Some("one: it broke"))), "{told:?}");
    let none = Line::of(false, &["one"]);
    drop(none);
    let mut speaker = Speaker::new(Arc::new(Fake::default()), Vec::new(), RealtimeStart::default());
    speaker.reply(request(1), 0);
    let waker = noop_waker();
    let told = speaker.poll(&mut Context::from_waker(&waker), 0);
    assert_eq!(told, Poll::Ready(closed(1, Some("no speech-to-speech model can be reached"))));
}

#[test]
fn a_session_that_takes_no_sound_is_replaced() {
    let mut line = Line::new();
    let mut frame = Frame::default();
    frame.silence(8_000);
    for _ in 0..64 + STUCK {
        line.speaker.hear(&frame, false, 0);
    }
    assert_eq!(line.told(), [Told::Trouble("one: takes no more sound".into())]);
    line.next_session();
}

#[tokio::test]
async fn a_turn_over_a_real_socket() {
    let script = RealtimeScript {
        answers: VecDeque::from([vec![Does::Say("What day suits you?".into())]]),
        hears: VecDeque::from([Some("I need a cleaning.".into())]),
        written: Duration::from_millis(30),
        piece: Duration::from_millis(20),
        ..RealtimeScript::default()
    };
    let server = RealtimeServer::start(script).await;
    let mut model = double::model("openai");
    model.protocol = "openai_realtime".into();
    model.settings =
        json!({ "model": "m", "url": server.url("/v1/realtime"), "pause": 0.2 }).as_object().unwrap().clone();
    let start = RealtimeStart { rate: 16_000, ..RealtimeStart::default() };
    let mut speaker = Speaker::new(Arc::new(double::voices()), vec![model], start);
    let mut frame = Frame::default();
    for loud in [true; 20].into_iter().chain([false; 30]) {
        for (at, sample) in frame.resize(320).iter_mut().enumerate() {
            *sample = if loud { if at % 32 < 16 { 8_000 } else { -8_000 } } else { 0 };
        }
        speaker.hear(&frame, loud, 0);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let told =
        tokio::time::timeout(Duration::from_secs(10), poll_fn(|cx| speaker.poll(cx, 0))).await.unwrap();
    assert_eq!(told, Told::Caller("I need a cleaning.".into()));
    speaker.reply(request(1), 0);
    let (mut samples, mut over) = (0, (false, false));
    while over != (true, true) {
        let told =
            tokio::time::timeout(Duration::from_secs(10), poll_fn(|cx| speaker.poll(cx, 0))).await.unwrap();
        match told {
            Told::Engine(Event::ReplySentence { text, .. }) => {
                assert_eq!(text, "What day suits you?");
                assert!(speaker.speak(UtteranceId(1), &text, false));
            }
            Told::Sound(UtteranceId(1), sound) => samples += sound.len(),
            Told::Complete(UtteranceId(1)) => over.0 = true,
            Told::Engine(Event::ReplyClosed { failure: None, .. }) => over.1 = true,
            other => panic!("{other:?}"),
        }
    }
    // 19 letters, resampled from 24,000 to 16,000.
    let wanted = usize::try_from(19 * double::LETTER_MS * 16).unwrap();
    assert!(samples.abs_diff(wanted) < 200, "{samples} of {wanted}");
}
