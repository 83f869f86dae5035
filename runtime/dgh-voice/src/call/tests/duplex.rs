//! Calls with a speech-to-speech model, through the whole driver: a model that does as it is told in
//! paused time, and the protocols of OpenAI and Google over real sockets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use dgh_engine::effect::{Effect, Record, ToolRequest};
use dgh_engine::event::{Event, ReplyId, Timestamp, ToolFailure, UNWRITTEN, Usage};
use dgh_engine::log::{Voice, What};
use dgh_engine::reply::{Message, Purpose, ReplyRequest};
use dgh_providers::double::{
    self, GeminiDoes, GeminiScript, GeminiServer, LETTER_MS, RealtimeScript, RealtimeServer, Script, model,
};
use dgh_providers::realtime::{Realtime, RealtimeEvent, RealtimeInput, RealtimeSession, RealtimeStart};
use dgh_providers::{LlmErrorKind, VoiceError, Voices as _};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::ms;
use super::studio::{Over, Scene, Studio};
use crate::call::CallTools;

const AGENT: &str = r#"dgh 1

tool openings(day: date) -> text {
  about: "Times that are free on a day"
  get: "https://example.com/openings?day={{ day }}"
}

agent a {
  realtime: openai("gpt-realtime")
  tts: cartesia("sonic-2")
  prompt "You are Kim of a dental clinic."
  outcome booked, human
  var day: date "The day"
  start hello
  node hello {
    say "Good morning, this is Kim."
    prompt "Find a day."
    use openings
    collect day
    when person: "They want a person" -> end human { say "I will put you through. Goodbye." }
    on failed(collect) -> end human
    next -> end booked { say "You are booked. Goodbye." }
  }
}
"#;

const GREETING: &str = "Good morning, this is Kim.";

/// A part of an answer.
#[derive(Clone)]
enum Does {
    Say(&'static str),
    Call(&'static str, Json),
    /// The session breaks.
    Break,
}

/// A speech-to-speech model that does as it is told: words and sound at ten times the pace of speech,
/// 60 ms of sound for a letter.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Stage>>);

#[derive(Default)]
struct Stage {
    answers: VecDeque<Vec<Does>>,
    opened: Vec<RealtimeStart>,
    asked: Vec<ReplyRequest>,
    /// What it was told beside.
    told: Vec<String>,
    events: Option<mpsc::Sender<RealtimeEvent>>,
}

impl Fake {
    fn answering(answers: impl IntoIterator<Item = Vec<Does>>) -> Self {
        let fake = Self::default();
        fake.0.lock().unwrap().answers.extend(answers);
        fake
    }

    fn scene(&self) -> Scene {
        Scene { realtime: Some(Arc::new(self.clone())), ..Scene::default() }
    }

    async fn call(&self, program: &str) -> Studio {
        Studio::in_scene(program, Script::default(), self.scene()).await
    }

    fn asked(&self) -> Vec<ReplyRequest> {
        self.0.lock().unwrap().asked.clone()
    }

    fn purposes(&self) -> Vec<Purpose> {
        self.asked().iter().map(|request| request.purpose).collect()
    }

    fn told(&self) -> Vec<String> {
        self.0.lock().unwrap().told.clone()
    }

    async fn tells(&self, event: RealtimeEvent) {
        let events = self.0.lock().unwrap().events.clone().unwrap();
        events.send(event).await.unwrap();
        tokio::time::sleep(ms(1)).await;
    }

    /// The caller speaks, and the session writes it down.
    async fn hears(&self, studio: &mut Studio, text: &str) {
        self.hears_turn(studio).await;
        studio.wait(ms(100)).await;
        self.tells(RealtimeEvent::Caller { text: Some(text.to_owned()) }).await;
    }

    async fn hears_turn(&self, studio: &mut Studio) {
        self.tells(RealtimeEvent::SpeechStarted).await;
        studio.caller_speaks(ms(1_000)).await;
        studio.wait(ms(200)).await;
        self.tells(RealtimeEvent::SpeechStopped).await;
    }
}

impl Realtime for Fake {
    fn open(&self, start: RealtimeStart) -> RealtimeSession {
        let (input, inputs) = mpsc::channel(64);
        let (events, receiver) = mpsc::channel(64);
        let mut stage = self.0.lock().unwrap();
        stage.opened.push(start);
        stage.events = Some(events.clone());
        tokio::spawn(Talk { fake: self.clone(), events, plan: VecDeque::new(), running: None }.run(inputs));
        RealtimeSession { hears: 8_000, speaks: 8_000, input, events: receiver }
    }
}

struct Talk {
    fake: Fake,
    events: mpsc::Sender<RealtimeEvent>,
    plan: VecDeque<(Instant, RealtimeEvent)>,
    running: Option<ReplyId>,
}

impl Talk {
    async fn run(mut self, mut inputs: mpsc::Receiver<RealtimeInput>) {
        loop {
            let due = self.plan.front().map(|(at, _)| *at);
            let event = tokio::select! {
                input = inputs.recv() => {
                    let Some(input) = input else { return };
                    self.input(input);
                    continue;
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.plan.pop_front().unwrap().1
                }
            };
            let over = matches!(event, RealtimeEvent::Failed(_));
            if let RealtimeEvent::Done { reply, .. } = &event {
                self.running = self.running.filter(|running| running != reply);
            }
            if self.events.send(event).await.is_err() || over {
                return;
            }
        }
    }

    fn input(&mut self, input: RealtimeInput) {
        let mut stage = self.fake.0.lock().unwrap();
        match input {
            RealtimeInput::Respond(request) => {
                let answer = stage.answers.pop_front().unwrap_or_else(|| vec![Does::Say("All right.")]);
                stage.asked.push((*request).clone());
                self.plan = plan(request.id, answer, request.purpose == Purpose::Extract);
                // One answer at a time.
                if let Some(reply) = self.running.replace(request.id) {
                    self.plan.push_front((Instant::now(), done(reply)));
                }
            }
            RealtimeInput::Cut { reply, heard_ms } => {
                stage.told.push(format!("cut {} at {heard_ms}", reply.0));
                if self.running == Some(reply) {
                    self.plan = [(Instant::now(), done(reply))].into();
                }
            }
            RealtimeInput::Said(text) => stage.told.push(format!("said {text}")),
            RealtimeInput::Typed(text) => stage.told.push(format!("typed {text}")),
            RealtimeInput::Audio(_) | RealtimeInput::CallerStarted | RealtimeInput::CallerStopped => {}
        }
    }
}

fn plan(reply: ReplyId, answer: Vec<Does>, silent: bool) -> VecDeque<(Instant, RealtimeEvent)> {
    let mut at = Instant::now() + ms(300);
    let mut plan = VecDeque::new();
    for (index, does) in answer.into_iter().enumerate() {
        match does {
            Does::Say(_) if silent => {}
            Does::Say(text) => {
                plan.push_back((at, RealtimeEvent::Words { reply, text: text.to_owned() }));
                for _ in text.chars() {
                    let pcm = Bytes::from(vec![1; 60 * 16]);
                    plan.push_back((at, RealtimeEvent::Audio { reply, pcm }));
                    at += ms(6);
                }
            }
            Does::Call(name, arguments) => {
                let (id, name) = (format!("call_{}_{index}", reply.0), name.to_owned());
                plan.push_back((at, RealtimeEvent::Call { reply, id, name, arguments }));
            }
            Does::Break => {
                plan.push_back((at, RealtimeEvent::Failed(lost())));
                return plan;
            }
        }
    }
    plan.push_back((at, done(reply)));
    plan
}

fn done(reply: ReplyId) -> RealtimeEvent {
    RealtimeEvent::Done { reply, failure: None, usage: Usage::default() }
}

fn lost() -> VoiceError {
    VoiceError {
        provider: "openai".into(),
        kind: LlmErrorKind::Network,
        message: "the socket was cut".into(),
    }
}

fn note() -> Does {
    Does::Call("note", json!({ "day": "2026-03-03" }))
}

/// Tools that all answer the same, after 200 ms.
struct Answers(Json);

impl CallTools for Answers {
    fn call(&mut self, _: &ToolRequest, _: Timestamp) -> BoxFuture<'static, Result<Json, ToolFailure>> {
        let answer = self.0.clone();
        async move {
            tokio::time::sleep(ms(200)).await;
            Ok(answer)
        }
        .boxed()
    }
}

fn outcome(over: &Over) -> Option<&str> {
    match over.records.last() {
        Some(Record::Ended { outcome, .. }) => outcome.as_deref(),
        other => panic!("{other:?}"),
    }
}

/// What was said by both sides, in order.
fn said(over: &Over) -> Vec<String> {
    over.records
        .iter()
        .filter_map(|record| match record {
            Record::Agent { text, cut: true } => Some(format!("agent: {text} …")),
            Record::Agent { text, .. } => Some(format!("agent: {text}")),
            Record::Caller { text } => Some(format!("caller: {text}")),
            _ => None,
        })
        .collect()
}

/// What was heard of an answer that was cut, from its first words to the cut.
fn cut_answer(over: &Over, begins: &str) -> String {
    let said = said(over);
    let from = said.iter().position(|said| said.starts_with(&format!("agent: {begins}")));
    let cut = said.iter().position(|said| said.ends_with('…'));
    let (Some(from), Some(cut)) = (from, cut) else { panic!("nothing was cut: {said:?}") };
    let of = |said: &String| said.trim_start_matches("agent: ").trim_end_matches(" …").to_owned();
    said[from..=cut].iter().map(of).collect::<Vec<_>>().join(" ")
}

fn position(over: &Over, what: impl Fn(&What) -> bool) -> usize {
    over.entries.iter().position(|entry| what(&entry.what)).expect("an entry")
}

#[tokio::test(start_paused = true)]
async fn a_session_answers_and_a_voice_speaks_exact_words() {
    let fake =
        Fake::answering([vec![Does::Say("Which day would suit you?")], vec![note(), Does::Say("Fine.")]]);
    let mut studio = fake.call(AGENT).await;
    studio.agent_finishes().await;
    fake.hears(&mut studio, "On March third.").await;
    let over = studio.ends().await;
    assert_eq!(
        said(&over),
        [
            "agent: Good morning, this is Kim.",
            "agent: Which day would suit you?",
            "caller: On March third.",
            "agent: Fine.",
            "agent: You are booked. Goodbye.",
        ]
    );
    assert_eq!(outcome(&over), Some("booked"));
    assert_eq!(fake.purposes(), [Purpose::Opening, Purpose::Turn]);
    assert_eq!(fake.told()[0], format!("said {GREETING}"), "it knows what another voice said");
    assert!(over.troubles().is_empty(), "{:?}", over.troubles());
    let timing = over.timings()[0];
    assert!(timing.own().unwrap() < 5_000, "{timing:?}");
    let replayed = dgh_engine::log::replay(&over.prepared, &over.log()).unwrap();
    assert!(replayed.call.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_route_is_taken_when_what_was_said_with_it_was_heard() {
    let person = Does::Call("go", json!({ "label": "person" }));
    let fake = Fake::answering([
        vec![Does::Say("Which day?")],
        vec![note(), person, Does::Say("Of course, just a moment please.")],
    ]);
    let mut studio = fake.call(AGENT).await;
    studio.agent_finishes().await;
    fake.hears(&mut studio, "March third, but I want to speak to a person.").await;
    let over = studio.ends().await;
    assert_eq!(outcome(&over), Some("human"));
    let spoken = position(
        &over,
        |what| matches!(what, What::Effect(Effect::Emit(Record::Agent { text, .. })) if text.starts_with("Of course")),
    );
    let route = position(&over, |what| matches!(what, What::Effect(Effect::Emit(Record::Route { .. }))));
    assert!(spoken < route, "{:#?}", over.records);
    let noted =
        over.records.iter().any(|record| matches!(record, Record::Value { name, .. } if name == "day"));
    assert!(noted, "{:#?}", over.records);
}

#[tokio::test(start_paused = true)]
async fn a_tool_is_called_and_its_answer_told() {
    let openings = Does::Call("openings", json!({ "day": "2026-03-03" }));
    let fake = Fake::answering([
        vec![Does::Say("Which day?")],
        vec![Does::Say("Let me see."), openings],
        vec![Does::Say("Ten is free.")],
        vec![note()],
    ]);
    let scene = Scene { tools: Box::new(Answers(json!("10:00"))), ..fake.scene() };
    let mut studio = Studio::in_scene(AGENT, Script::default(), scene).await;
    studio.agent_finishes().await;
    fake.hears(&mut studio, "What is free on March third?").await;
    studio.wait(ms(4_000)).await;
    fake.hears(&mut studio, "That day then.").await;
    let over = studio.ends().await;
    assert_eq!(fake.purposes()[..3], [Purpose::Opening, Purpose::Turn, Purpose::AfterTools]);
    let tools = fake.asked()[2].history.iter().find_map(|message| match message {
        Message::Tools(exchanges) => Some((exchanges[0].id.clone(), exchanges[0].result.clone())),
        _ => None,
    });
    assert_eq!(tools, Some(("call_2_1".into(), json!("10:00"))), "by the session's own id");
    assert!(said(&over).contains(&"agent: Ten is free.".into()), "{:?}", said(&over));
    assert_eq!(outcome(&over), Some("booked"));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_heard_was_not_said() {
    let long = "We have openings on Monday, on Tuesday, on Thursday, and perhaps on Friday.";
    let fake = Fake::answering([vec![Does::Say(long)], vec![note()]]);
    let mut studio = fake.call(AGENT).await;
    // The greeting, and about two seconds of the answer.
    studio.wait(ms(3_700)).await;
    assert_eq!(fake.told(), [format!("said {GREETING}")]);
    fake.hears(&mut studio, "Tuesday.").await;
    let over = studio.ends().await;
    let cut = fake.told().into_iter().find(|told| told.starts_with("cut 1 at ")).unwrap();
    let heard_ms: u64 = cut.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((1_500..3_000).contains(&heard_ms), "{cut}");
    let Some(Message::Agent(kept)) = fake.asked()[1].history.first().cloned() else {
        panic!("{:?}", fake.asked()[1].history)
    };
    let kept = kept.strip_prefix(GREETING).unwrap().trim().to_owned();
    let letters = heard_ms / 60;
    assert!(
        long.starts_with(&kept) && (kept.len() as u64).abs_diff(letters) < 15,
        "{kept}, {letters} letters"
    );
    assert_eq!(cut_answer(&over, "We "), kept, "what is kept is what the record says");
    assert_eq!(outcome(&over), Some("booked"));
}

#[tokio::test(start_paused = true)]
async fn a_nod_is_no_turn_and_stops_nothing() {
    let long = "We have openings on Monday, on Tuesday, on Thursday, and perhaps on Friday.";
    let fake = Fake::answering([vec![Does::Say(long)]]);
    let mut studio = fake.call(AGENT).await;
    studio.wait(ms(2_500)).await;
    fake.tells(RealtimeEvent::SpeechStarted).await;
    studio.caller_speaks(ms(300)).await;
    studio.wait(ms(500)).await;
    fake.tells(RealtimeEvent::SpeechStopped).await;
    studio.wait(ms(100)).await;
    fake.tells(RealtimeEvent::Caller { text: Some("Mm-hm.".into()) }).await;
    studio.agent_finishes().await;
    studio.hang_up().await;
    let over = studio.ends().await;
    assert_eq!(said(&over).join(" ").replace("agent: ", ""), format!("{GREETING} {long}"));
    assert!(over.voice().contains(&Voice::FalseInterruption));
    assert_eq!(fake.purposes(), [Purpose::Opening]);
}

#[tokio::test(start_paused = true)]
async fn short_words_that_are_no_nod_stop_it_when_they_are_known() {
    let long = "We have openings on Monday, on Tuesday, on Thursday, and perhaps on Friday.";
    let fake = Fake::answering([vec![Does::Say(long)], vec![note()]]);
    let mut studio = fake.call(AGENT).await;
    studio.wait(ms(2_500)).await;
    fake.tells(RealtimeEvent::SpeechStarted).await;
    studio.caller_speaks(ms(300)).await;
    studio.wait(ms(300)).await;
    fake.tells(RealtimeEvent::SpeechStopped).await;
    studio.wait(ms(100)).await;
    fake.tells(RealtimeEvent::Caller { text: Some("Tuesday.".into()) }).await;
    let over = studio.ends().await;
    assert!(long.starts_with(&cut_answer(&over, "We ")), "{:?}", said(&over));
    assert!(!over.voice().contains(&Voice::FalseInterruption), "it was held until then");
    assert_eq!(outcome(&over), Some("booked"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_behind_words_that_were_talked_over_was_not_heard() {
    let person = Does::Call("go", json!({ "label": "person" }));
    let fake = Fake::answering([vec![Does::Say("Which day?")], vec![person]]);
    let mut studio = fake.call(AGENT).await;
    // The answer to the greeting is made and waits behind it.
    studio.wait(ms(900)).await;
    assert_eq!(fake.asked().len(), 1);
    fake.hears(&mut studio, "A person please.").await;
    let over = studio.ends().await;
    assert!(fake.told().contains(&"cut 1 at 0".into()), "{:?}", fake.told());
    let heard = fake.told().into_iter().find(|told| told.starts_with("said Good")).unwrap();
    assert!(heard.len() < "said ".len() + GREETING.len(), "{heard}");
    assert!(!said(&over).iter().any(|said| said.contains("Which day")), "{:?}", said(&over));
    assert_eq!(outcome(&over), Some("human"));
}

#[tokio::test(start_paused = true)]
async fn a_hang_up_ends_it_and_the_last_turn_is_learnt_from() {
    let fake = Fake::answering([
        vec![Does::Say("Which day?")],
        vec![Does::Say("Let me see, one moment.")],
        vec![note()],
    ]);
    let mut studio = fake.call(AGENT).await;
    studio.agent_finishes().await;
    fake.hears(&mut studio, "On March third.").await;
    studio.hang_up().await;
    let closed = studio.now();
    let over = studio.ends().await;
    assert!(over.frames.iter().all(|at| *at <= closed + 20), "sound after the end");
    assert!(matches!(over.records.last(), Some(Record::Ended { ended_by, .. }) if ended_by == "caller"));
    assert_eq!(fake.purposes().last(), Some(&Purpose::Extract));
    let noted =
        over.records.iter().any(|record| matches!(record, Record::Value { name, .. } if name == "day"));
    assert!(noted, "{:#?}", over.records);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_breaks_is_replaced_and_the_next_one_knows_what_was_said() {
    let fake = Fake::answering([
        vec![Does::Say("Which day?")],
        vec![Does::Break],
        vec![Does::Say("Which day was that?")],
        vec![note()],
    ]);
    let mut studio = fake.call(AGENT).await;
    studio.agent_finishes().await;
    fake.hears(&mut studio, "Well, hello.").await;
    studio.wait(ms(3_000)).await;
    fake.hears(&mut studio, "On March third.").await;
    let over = studio.ends().await;
    assert_eq!(over.troubles(), ["realtime: openai: the socket was cut"]);
    let opened = fake.0.lock().unwrap().opened.clone();
    assert_eq!(opened.len(), 2);
    let known = [Message::Agent(format!("{GREETING} Which day?")), Message::Caller("Well, hello.".into())];
    assert_eq!(opened[1].history, known);
    assert_eq!(fake.purposes(), [Purpose::Opening, Purpose::Turn, Purpose::Turn, Purpose::Turn]);
    assert_eq!(fake.asked()[1].id, fake.asked()[2].id, "the same answer is asked for again");
    assert_eq!(said(&over).iter().filter(|said| said.contains("Which day was that?")).count(), 1);
    assert_eq!(outcome(&over), Some("booked"));
}

#[tokio::test(start_paused = true)]
async fn without_a_voice_the_session_recites() {
    let program = AGENT
        .replace("  tts: cartesia(\"sonic-2\")\n", "")
        .replace("    say \"Good morning, this is Kim.\"\n", "")
        .replace(" { say \"I will put you through. Goodbye.\" }", "")
        .replace(" { say \"You are booked. Goodbye.\" }", "");
    let fake = Fake::answering([vec![Does::Say("Good morning. Which day?")]]);
    let mut studio =
        Studio::in_scene(&program, Script::default(), Scene { mute: true, ..fake.scene() }).await;
    studio.wait(ms(15_000)).await;
    let recited = fake.asked()[1].clone();
    assert_eq!(recited.purpose, Purpose::Tell);
    assert!(recited.card.instruction.unwrap().ends_with("\"Are you still there?\""));
    assert!(!recited.may_call);
    fake.hears(&mut studio, "Yes.").await;
    studio.wait(ms(2_000)).await;
    studio.hang_up().await;
    let over = studio.ends().await;
    assert!(said(&over).contains(&"agent: Are you still there?".into()), "{:?}", said(&over));
    assert!(over.troubles().is_empty(), "{:?}", over.troubles());
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_answered_whose_words_are_not_written_down() {
    let fake = Fake::answering([vec![Does::Say("Which day?")], vec![Does::Say("Which one was it?")]]);
    let mut studio = fake.call(AGENT).await;
    studio.agent_finishes().await;
    fake.hears_turn(&mut studio).await;
    studio.wait(ms(3_000)).await;
    fake.tells(RealtimeEvent::Caller { text: Some("On March third.".into()) }).await;
    studio.hang_up().await;
    let over = studio.ends().await;
    assert!(said(&over).contains(&format!("caller: {UNWRITTEN}")), "{:?}", said(&over));
    assert_eq!(said(&over).last().map(String::as_str), Some("agent: Which one was it?"));
    let late = Record::Late { text: "On March third.".into() };
    assert!(over.records.contains(&late), "{:?}", over.records);
    let replayed = dgh_engine::log::replay(&over.prepared, &over.log()).unwrap();
    assert!(replayed.records.contains(&late));
}

#[tokio::test(start_paused = true)]
async fn a_noise_that_the_session_does_not_hear_stops_nothing() {
    let fake = Fake::answering([vec![Does::Say("Which day?")]]);
    let mut studio = fake.call(AGENT).await;
    studio.agent_finishes().await;
    studio.caller_speaks(ms(700)).await;
    studio.wait(ms(12_000)).await;
    studio.hang_up().await;
    let over = studio.ends().await;
    assert!(said(&over).len() > 2, "the agent asks again: {:?}", said(&over));
}

#[tokio::test(start_paused = true)]
async fn typed_words_are_told_to_the_session() {
    let fake = Fake::answering([vec![Does::Say("Which day?")], vec![note()]]);
    let mut studio = fake.call(AGENT).await;
    studio.agent_finishes().await;
    studio.line_tells(crate::line::LineEvent::Typed("March third.".into())).await;
    let over = studio.ends().await;
    assert!(fake.told().contains(&"typed March third.".into()), "{:?}", fake.told());
    assert_eq!(outcome(&over), Some("booked"));
}

fn over_a_socket(protocol: &str, url: &str) -> Scene {
    let mut described = model("realtime");
    described.protocol = protocol.into();
    described.settings = json!({ "model": "m", "url": url }).as_object().unwrap().clone();
    let realtime = double::voices().realtime(&described).unwrap();
    Scene { realtime: Some(realtime), tools: Box::new(Answers(json!("10:00"))), ..Scene::default() }
}

#[tokio::test]
async fn a_call_in_the_protocol_of_openai() {
    use dgh_providers::double::Does::{Call, Say};
    let long = "We are open on Monday, on Tuesday, on Thursday and on Friday.";
    let answers = [
        vec![Say("Which day?".into())],
        vec![Call("openings".into(), r#"{"day":"2026-03-03"}"#.into())],
        vec![Say(long.into())],
        vec![Call("note".into(), r#"{"day":"2026-03-03"}"#.into()), Say("Fine.".into())],
    ];
    let hears = ["What is free?", "Tuesday."].map(|text| Some(text.to_owned()));
    let piece = Duration::from_millis(20);
    let script =
        RealtimeScript { answers: answers.into(), hears: hears.into(), piece, ..RealtimeScript::default() };
    let server = RealtimeServer::start(script).await;
    let scene = over_a_socket("openai_realtime", &server.url("/v1/realtime"));
    let mut studio = Studio::in_scene(AGENT, Script::default(), scene).await;
    studio.agent_finishes().await;
    studio.caller_speaks(ms(600)).await;
    // Its detector ends the turn, the tool answers, and the long answer begins.
    studio.wait(ms(2_500)).await;
    studio.caller_speaks(ms(900)).await;
    let over = studio.ends().await;
    assert_eq!(outcome(&over), Some("booked"), "{:?} {:?}", said(&over), over.troubles());
    assert!(over.troubles().is_empty(), "{:?}", over.troubles());
    let update = &server.received_of("session.update")[1]["session"];
    assert_eq!(update["instructions"], "You are Kim of a dental clinic.");
    let items = server.received_of("conversation.item.create");
    let greeting = items.iter().find(|item| item["item"]["role"] == "assistant").unwrap();
    assert_eq!(greeting["item"]["content"][0]["text"], GREETING);
    assert!(items.iter().any(|item| item["item"]["output"] == "10:00"), "{items:?}");
    let truncated = server.received_of("conversation.item.truncate");
    let heard_ms = truncated[0]["audio_end_ms"].as_u64().unwrap();
    assert!((300..long.len() as u64 * LETTER_MS).contains(&heard_ms), "{heard_ms}");
    let kept = cut_answer(&over, "We ");
    assert!(long.starts_with(&kept), "{kept}");
    assert!((kept.len() as u64).abs_diff(heard_ms / LETTER_MS) < 15, "{kept} in {heard_ms} ms");
}

#[tokio::test]
async fn a_call_in_the_protocol_of_google() {
    let answers = [
        vec![GeminiDoes::Say("Which day?")],
        vec![GeminiDoes::Call(vec![("1", "openings", json!({ "day": "2026-03-03" }))])],
        vec![GeminiDoes::Say("Ten is free.")],
        vec![GeminiDoes::Call(vec![("2", "note", json!({ "day": "2026-03-03" }))])],
    ];
    let hears = ["What is free?", "Ten then."].map(str::to_owned);
    let script = GeminiScript { answers: answers.into(), hears: hears.into(), ..GeminiScript::default() };
    let server = GeminiServer::start(script).await;
    let scene = over_a_socket("gemini_live", &server.url("/ws"));
    let mut studio = Studio::in_scene(AGENT, Script::default(), scene).await;
    studio.agent_finishes().await;
    studio.caller_speaks(ms(600)).await;
    studio.wait(ms(3_500)).await;
    studio.caller_speaks(ms(600)).await;
    let over = studio.ends().await;
    assert_eq!(outcome(&over), Some("booked"), "{:?} {:?}", said(&over), over.troubles());
    assert!(over.troubles().is_empty(), "{:?}", over.troubles());
    let setup = &server.received()[0]["setup"];
    assert!(setup["systemInstruction"]["parts"][0]["text"].as_str().unwrap().starts_with("You are Kim"));
    let answered = server
        .received()
        .iter()
        .any(|m| m["toolResponse"]["functionResponses"][0]["response"]["result"] == "10:00");
    assert!(answered, "{:?}", server.received());
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_session_cannot_be_had_ends_with_words() {
    let mut studio = Studio::in_scene(AGENT, Script::default(), Scene::default()).await;
    studio.wait(ms(1_000)).await;
    let over = studio.ends().await;
    assert!(over.agent_words().last().unwrap().contains("Goodbye"), "{:?}", said(&over));
    assert!(!over.events().iter().any(|event| matches!(event, Event::ReplySentence { .. })));
    assert!(over.troubles().iter().any(|trouble| trouble.starts_with("realtime: ")), "{:?}", over.troubles());
}
