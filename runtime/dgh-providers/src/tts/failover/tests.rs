//! Lists of voices, over real sockets: what fails, who takes over, what is heard.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_net::testing::{Reply, Server, Welcome};
use serde_json::json;

use super::*;
use crate::double::tts::{Content, Delivery, Fault, TtsServer};
use crate::tts::tests::{listen, model, next as event, registry, say, tone};

fn cartesia(server: &TtsServer) -> Model {
    model("cartesia", &server.url(""), json!({ "model": "sonic-3" }))
}

fn deepgram(server: &TtsServer) -> Model {
    model("deepgram", &server.url("/speak"), json!({ "voice": "aura-2-thalia-en" }))
}

fn voice(models: &[Model]) -> Failover {
    Failover::of(models, &registry()).unwrap()
}

fn open(models: &[Model]) -> TtsSession {
    voice(models).open(TtsStart { rate: 16_000, language: "en".into() })
}

async fn good() -> TtsServer {
    TtsServer::start(|_, _| Delivery::at_once()).await
}

async fn faulty(fault: Fault) -> TtsServer {
    let delivery = Delivery::at_once().fault(fault);
    TtsServer::start(move |_, _| delivery.clone()).await
}

#[tokio::test]
async fn the_same_sentence_is_spoken_by_the_next_when_no_sound_of_it_came() {
    let error = Fault::Error { after_ms: 0, message: "out of service".into() };
    for fault in [error, Fault::Garbage, Fault::Cut { after_ms: 0 }] {
        let (bad, back) = (faulty(fault.clone()).await, good().await);
        let mut session = open(&[cartesia(&bad), deepgram(&back)]);
        for (id, text) in [(1, "One."), (2, "Two."), (3, "Three.")] {
            say(&session, id, text).await;
        }
        let heard = listen(&mut session, 1).await;
        assert_eq!(heard.by.as_deref(), Some("deepgram"), "{fault:?}");
        assert_eq!(heard.switched, [("cartesia".to_owned(), "deepgram".to_owned())]);
        assert_eq!(heard.ms(16_000), 300);
        assert_eq!(listen(&mut session, 2).await.by.as_deref(), Some("deepgram"));
        assert_eq!(listen(&mut session, 3).await.by.as_deref(), Some("deepgram"));
        assert!(bad.log().texts.len() <= 2, "it is not asked again");
        assert_eq!(back.log().texts, ["One.", "Two.", "Three."]);
    }
}

#[tokio::test]
async fn who_has_no_sound_in_time_is_replaced() {
    let (stalls, back) = (faulty(Fault::Stall { after_ms: 0 }).await, good().await);
    let models = [cartesia(&stalls), deepgram(&back)];
    let voice = voice(&models).first_sound(Duration::from_millis(60));
    let mut session = voice.open(TtsStart { rate: 16_000, language: String::new() });
    say(&session, 1, "Hello.").await;
    let heard = listen(&mut session, 1).await;
    assert_eq!((heard.by.as_deref(), heard.switched.len()), (Some("deepgram"), 1));
}

#[tokio::test]
async fn after_its_first_sound_a_sentence_fails_and_the_next_goes_to_the_next() {
    let error = Fault::Error { after_ms: 200, message: "overload".into() };
    for fault in [error, Fault::Cut { after_ms: 200 }] {
        let (bad, back) = (faulty(fault.clone()).await, good().await);
        let mut session = open(&[cartesia(&bad), deepgram(&back)]);
        say(&session, 1, "One two three.").await;
        say(&session, 2, "Four.").await;
        let heard = listen(&mut session, 1).await;
        assert!(heard.error.is_some() && heard.ms(16_000) >= 200, "{fault:?}");
        let heard = listen(&mut session, 2).await;
        assert_eq!((heard.by.as_deref(), heard.ms(16_000)), (Some("deepgram"), 300), "{fault:?}");
    }
}

#[tokio::test]
async fn a_model_without_key_is_passed_over_and_never_asked_again() {
    let refuse = |_: &dgh_net::testing::Handshake| Welcome::Refuse(401);
    let (closed, back) = (TtsServer::welcoming(refuse, |_, _| Delivery::at_once()).await, good().await);
    let mut session = open(&[cartesia(&closed), deepgram(&back)]);
    for id in 1..4 {
        say(&session, id, "Hello.").await;
        assert_eq!(listen(&mut session, id).await.by.as_deref(), Some("deepgram"));
    }
    assert_eq!(closed.handshakes().len(), 1);
}

#[tokio::test]
async fn when_all_fail_a_sentence_fails_once_and_the_session_goes_on() {
    let error = |message: &str| Fault::Error { after_ms: 0, message: message.into() };
    let (first, second) = (faulty(error("one is down")).await, faulty(error("two is down")).await);
    let mut session = open(&[cartesia(&first), deepgram(&second)]);
    for id in 1..3 {
        say(&session, id, "Hello.").await;
        let error = listen(&mut session, id).await.error.unwrap();
        assert!(error.message.contains("is down"), "{error}");
    }
    assert!(!session.input.is_closed());
}

#[tokio::test]
async fn when_nobody_can_ever_speak_the_session_ends() {
    let refuse = |_: &dgh_net::testing::Handshake| Welcome::Refuse(403);
    let closed = TtsServer::welcoming(refuse, |_, _| Delivery::at_once()).await;
    let mut session = open(&[cartesia(&closed)]);
    let Some(TtsEvent::Failed { id: None, error }) = event(&mut session).await else { panic!("it goes on") };
    assert_eq!(error.kind, LlmErrorKind::Auth);
    assert_eq!(event(&mut session).await, None);
    let nobody = Failover::of(&[model("nobody", "http://127.0.0.1", json!({ "speed": 99 }))], &registry());
    assert_eq!(nobody.err().unwrap().kind, LlmErrorKind::Setup);
    assert_eq!(Failover::of(&[], &registry()).err().unwrap().kind, LlmErrorKind::Setup);
}

#[tokio::test]
async fn it_is_connected_before_the_first_sentence_and_kept() {
    let server = good().await;
    let mut session = open(&[cartesia(&server)]);
    let Some(TtsEvent::Connected { provider, .. }) = event(&mut session).await else {
        panic!("not connected")
    };
    assert_eq!((provider.as_str(), server.handshakes().len()), ("cartesia", 1));
    for id in 1..20 {
        say(&session, id, "Hello.").await;
        listen(&mut session, id).await;
    }
    assert_eq!(server.handshakes().len(), 1);
}

#[tokio::test]
async fn all_models_speak_at_a_rate_that_all_have() {
    let (server, speech) = (good().await, speech().await);
    let openai = model("openai", &speech.url(""), json!({ "model": "tts-1" }));
    let with_openai = voice(&[cartesia(&server), openai]);
    assert_eq!(with_openai.rates(), [24_000]);
    assert_eq!(with_openai.open(TtsStart { rate: 8_000, ..TtsStart::default() }).rate, 24_000);
    assert_eq!(open(&[cartesia(&server), deepgram(&server)]).rate, 16_000);
}

/// Speaks at one rate, whoever asks.
struct Odd(Arc<dyn Tts>);

impl Tts for Odd {
    fn provider(&self) -> &'static str {
        "odd"
    }
    fn rates(&self) -> &[u32] {
        &[16_000]
    }
    fn open(&self, start: TtsStart) -> TtsSession {
        self.0.open(TtsStart { rate: 16_000, ..start })
    }
}

#[tokio::test]
async fn models_without_a_rate_in_common_are_resampled() {
    let broken = faulty(Fault::Error { after_ms: 0, message: "no".into() }).await;
    let sound = Content::Pcm { rate: 24_000, pcm: tone(24_000, 400) };
    let speech = Server::start(|_, _| Reply::new(503, "application/json", "{}")).await;
    let spoken =
        TtsServer::start(move |_, _| Delivery { content: sound.clone(), ..Delivery::at_once() }).await;
    let registry = registry();
    let odd = Arc::new(Odd(registry.tts(&cartesia(&spoken)).unwrap()));
    let openai = registry.tts(&model("openai", &speech.url(""), json!({ "model": "tts-1" }))).unwrap();
    let mut session = Failover::new(vec![openai, odd]).open(TtsStart { rate: 8_000, ..TtsStart::default() });
    assert_eq!(session.rate, 24_000);
    for id in 1..3 {
        say(&session, id, "Hello.").await;
        let heard = listen(&mut session, id).await;
        assert_eq!(heard.ms(24_000), 400);
        let wrong = |pair: (&[u8; 2], &[u8; 2])| {
            i32::from(i16::from_le_bytes(*pair.0)).abs_diff(i32::from(i16::from_le_bytes(*pair.1)))
        };
        let (heard, wanted) = (heard.pcm, tone(24_000, 400));
        let inner = 400..9_000;
        let worst = heard.as_chunks::<2>().0[inner.clone()]
            .iter()
            .zip(&wanted.as_chunks::<2>().0[inner])
            .map(wrong)
            .max();
        assert!(worst.unwrap() < 100, "{worst:?}");
    }
    drop(broken);
}

#[tokio::test]
async fn a_cancelled_sentence_is_not_spoken_by_anybody() {
    let (stalls, back) = (faulty(Fault::Stall { after_ms: 0 }).await, good().await);
    let voice = voice(&[cartesia(&stalls), deepgram(&back)]).first_sound(Duration::from_millis(100));
    let mut session = voice.open(TtsStart { rate: 16_000, language: String::new() });
    say(&session, 1, "Not me.").await;
    session.input.send(TtsInput::Cancel { id: 1 }).await.unwrap();
    say(&session, 2, "But me.").await;
    assert_eq!(listen(&mut session, 2).await.by.as_deref(), Some("deepgram"));
    assert_eq!(back.log().texts, ["But me."]);
}

#[tokio::test]
async fn a_model_that_had_time_to_recover_speaks_again() {
    let first = TtsServer::start(|n, _| match n {
        0 => Delivery::at_once().fault(Fault::Error { after_ms: 0, message: "overload".into() }),
        _ => Delivery::at_once(),
    })
    .await;
    let back = good().await;
    let mut session = open(&[cartesia(&first), deepgram(&back)]);
    say(&session, 1, "One.").await;
    assert_eq!(listen(&mut session, 1).await.by.as_deref(), Some("deepgram"));
    tokio::time::pause();
    tokio::time::advance(REST[0] + Duration::from_millis(10)).await;
    tokio::time::resume();
    assert!(
        matches!(event(&mut session).await, Some(TtsEvent::Connected { provider, .. }) if provider == "cartesia")
    );
    say(&session, 2, "Two.").await;
    assert_eq!(listen(&mut session, 2).await.by.as_deref(), Some("cartesia"));
}

async fn speech() -> Server {
    let pcm = tone(24_000, 200);
    Server::start(move |_, _| Reply::new(200, "audio/pcm", &pcm)).await
}

#[tokio::test]
async fn who_closes_what_is_idle_is_not_to_blame() {
    use dgh_net::socket::Message;
    use dgh_net::testing::SocketServer;
    use futures::{SinkExt, StreamExt};

    // A real goodbye of ElevenLabs after three minutes, then a server that speaks.
    let close = dgh_net::socket::CloseFrame { code: 1008.into(), reason: "input_timeout_exceeded".into() };
    let gate = Arc::new(tokio::sync::Notify::new());
    let server = {
        let gate = Arc::clone(&gate);
        SocketServer::start(
            |_| Welcome::Open,
            move |handshake, mut socket| {
                let (gate, close) = (Arc::clone(&gate), close.clone());
                async move {
                    if handshake.index == 0 {
                        gate.notified().await;
                        let _ = socket.send(Message::Close(Some(close))).await;
                    }
                    while socket.next().await.is_some() {}
                }
            },
        )
        .await
    };
    let settings = json!({ "model": "flash-2.5", "voice": "pNInz6obpgDQGcFmaJgB" });
    let mut session = open(&[model("elevenlabs", &server.url("/v1"), settings)]);
    assert!(matches!(event(&mut session).await, Some(TtsEvent::Connected { .. })));
    tokio::time::pause();
    tokio::time::advance(SETTLED).await;
    tokio::time::resume();
    gate.notify_one();
    assert!(matches!(event(&mut session).await, Some(TtsEvent::Connected { .. })));
    assert_eq!(server.handshakes().len(), 2);
}
