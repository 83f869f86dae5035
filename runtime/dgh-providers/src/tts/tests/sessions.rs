//! Sessions over sockets: order, cancelling, faults. Each test runs against all protocols that it
//! fits, over real sockets.

use super::*;
use crate::LlmErrorKind;
use crate::double::tts::{Content, Delivery, Fault, TtsServer};

/// The providers that speak over sockets, and the path of each.
const SOCKETS: [(&str, &str); 4] =
    [("cartesia", ""), ("elevenlabs", "/v1"), ("deepgram", "/v1/speak"), ("rime", "/ws3")];

fn on(provider: &str, path: &str, server: &TtsServer) -> Model {
    let settings = match provider {
        "deepgram" => json!({ "voice": "aura-2-thalia-en" }),
        "rime" => json!({ "model": "mistv2", "voice": "cove" }),
        // The letters of an id, so that nothing is looked up.
        _ => json!({ "model": "sonic-3", "voice": "pNInz6obpgDQGcFmaJgB" }),
    };
    model(provider, &server.url(path), settings)
}

#[tokio::test]
async fn sentences_are_heard_whole_and_in_order() {
    for (provider, path) in SOCKETS {
        let sound = tone(16_000, 700);
        let content = Content::Pcm { rate: 16_000, pcm: sound.clone() };
        let server =
            TtsServer::start(move |_, _| Delivery { content: content.clone(), ..Delivery::at_once() }).await;
        let mut session = open(&on(provider, path, &server), 16_000, "en");
        assert_eq!(session.rate, 16_000);
        for (id, text) in [(1, "One."), (2, "Two."), (3, "…"), (4, "Four.")] {
            say(&session, id, text).await;
        }
        for id in [1, 2, 4] {
            let heard = listen(&mut session, id).await;
            assert!(heard.pcm == sound, "{provider} {id}");
            assert_eq!(heard.by.as_deref(), Some(provider));
            if id == 2 {
                let silent = listen(&mut session, 3).await;
                assert!(silent.pcm.is_empty() && silent.error.is_none());
            }
        }
        assert_eq!(server.log().texts, ["One.", "Two.", "Four."], "{provider}");
        assert_eq!(server.handshakes().len(), 1, "{provider}");
    }
}

#[tokio::test]
async fn samples_are_whole_wherever_the_provider_cuts_them() {
    for (provider, path) in SOCKETS {
        let sound = tone(8_000, 500);
        let content = Content::Pcm { rate: 8_000, pcm: sound.clone() };
        let server = TtsServer::start(move |_, _| Delivery {
            content: content.clone(),
            ..Delivery::at_once().fault(Fault::Halves)
        })
        .await;
        let mut session = open(&on(provider, path, &server), 8_000, "en");
        say(&session, 1, "Hello.").await;
        assert!(listen(&mut session, 1).await.pcm == sound, "{provider}");
    }
}

#[tokio::test]
async fn the_next_sentence_is_asked_for_while_one_sounds() {
    for (provider, path) in SOCKETS.into_iter().filter(|(provider, _)| *provider != "rime") {
        // The first one never ends by itself.
        let server = TtsServer::start(|n, _| match n {
            0 => Delivery::at_once().fault(Fault::Stall { after_ms: 40 }),
            _ => Delivery::at_once(),
        })
        .await;
        let mut session = open(&on(provider, path, &server), 16_000, "en");
        say(&session, 1, "The first one.").await;
        say(&session, 2, "The second one.").await;
        say(&session, 3, "The third one.").await;
        let asked = async {
            while !matches!(next(&mut session).await, Some(TtsEvent::Audio { id: 1, .. })) {}
            // Deepgram answers in order, so its server has not begun the second; it was told it.
            let second = |json: &Json| json.to_string().contains("second");
            while !server.log().messages.iter().any(second) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, asked).await.expect(provider);
        let third = |json: &Json| json.to_string().contains("third");
        assert!(!server.log().messages.iter().any(third), "{provider}: one ahead is enough");
    }
}

#[tokio::test]
async fn what_is_cancelled_is_not_heard_and_the_rest_is() {
    for (provider, path) in SOCKETS {
        let server = TtsServer::start(|_, text| match text {
            "Stop me." => Delivery { speed: 1.0, ..Delivery::at_once() },
            _ => Delivery::at_once(),
        })
        .await;
        let mut session = open(&on(provider, path, &server), 16_000, "en");
        say(&session, 1, "Stop me.").await;
        say(&session, 2, "Never asked.").await;
        say(&session, 3, "Go on.").await;
        while !matches!(next(&mut session).await, Some(TtsEvent::Audio { id: 1, .. })) {}
        for id in [1, 2] {
            session.input.send(TtsInput::Cancel { id }).await.unwrap();
        }
        loop {
            match next(&mut session).await.unwrap() {
                TtsEvent::Started { id: 3, .. } => break,
                TtsEvent::Audio { id: 1, .. } | TtsEvent::Words { id: 1, .. } => {}
                other => panic!("{provider}: {other:?}"),
            }
        }
        assert_eq!(listen(&mut session, 3).await.ms(16_000), 600, "{provider}");
        if provider != "elevenlabs" {
            assert!(server.log().cancelled >= 1, "{provider}");
        }
    }
}

#[tokio::test]
async fn cancelling_what_sounds_keeps_what_comes_next() {
    for (provider, path) in SOCKETS {
        let server = TtsServer::start(|n, _| match n {
            0 => Delivery { speed: 1.0, ..Delivery::at_once() },
            _ => Delivery::at_once(),
        })
        .await;
        let mut session = open(&on(provider, path, &server), 16_000, "en");
        say(&session, 1, "Stop me.").await;
        say(&session, 2, "But not me.").await;
        while !matches!(next(&mut session).await, Some(TtsEvent::Audio { id: 1, .. })) {}
        session.input.send(TtsInput::Cancel { id: 1 }).await.unwrap();
        while !matches!(next(&mut session).await, Some(TtsEvent::Started { id: 2, .. })) {}
        assert_eq!(listen(&mut session, 2).await.ms(16_000), 900, "{provider}");
    }
}

#[tokio::test]
async fn words_of_normalised_text_keep_their_place() {
    for (provider, path) in SOCKETS.into_iter().filter(|(provider, _)| *provider != "deepgram") {
        let server = TtsServer::start(|_, _| Delivery {
            spoken: Some("das kostet zwanzig Euro für Zoë".into()),
            ..Delivery::at_once()
        })
        .await;
        let mut session = open(&on(provider, path, &server), 16_000, "de");
        let text = "Das kostet 20 € für Zoë.";
        say(&session, 1, text).await;
        let words: Vec<_> = listen(&mut session, 1)
            .await
            .words
            .into_iter()
            .map(|(end, at)| (&text[..end as usize], at))
            .collect();
        let expected = [
            ("Das", 0),
            ("Das kostet", 300),
            ("Das kostet 20", 600),
            ("Das kostet 20 € für", 1200),
            ("Das kostet 20 € für Zoë.", 1500),
        ];
        assert_eq!(words, expected, "{provider}");
    }
}

#[tokio::test]
async fn what_breaks_a_connection_ends_the_session_after_what_came() {
    for (provider, path) in SOCKETS {
        for (fault, kind) in
            [(Fault::Cut { after_ms: 200 }, LlmErrorKind::Network), (Fault::Garbage, LlmErrorKind::BadAnswer)]
        {
            let delivery = Delivery::at_once().fault(fault.clone());
            let server = TtsServer::start(move |_, _| delivery.clone()).await;
            let mut session = open(&on(provider, path, &server), 16_000, "en");
            say(&session, 1, "One two three.").await;
            let heard = listen(&mut session, 1).await;
            let error = heard.error.unwrap();
            assert_eq!(error.kind, kind, "{provider} {fault:?}: {error}");
            assert_eq!(heard.pcm.is_empty(), fault == Fault::Garbage, "{provider} {fault:?}");
            assert!(!error.to_string().contains("two"), "{error}");
            assert_eq!(next(&mut session).await, None, "{provider} {fault:?}");
        }
    }
}

#[tokio::test]
async fn errors_of_the_provider_repeat_nothing_private() {
    for (provider, path) in SOCKETS {
        for after_ms in [0, 100] {
            let message = "cannot pronounce Müller 4711 hush";
            let fault = Fault::Error { after_ms, message: message.into() };
            let delivery = Delivery::at_once().fault(fault);
            let server = TtsServer::start(move |_, _| delivery.clone()).await;
            let mut session = open(&on(provider, path, &server), 16_000, "en");
            say(&session, 1, "Mr. Müller, your code is 4711.").await;
            let heard = listen(&mut session, 1).await;
            let error = heard.error.unwrap().to_string();
            assert!(error.contains("cannot pronounce … … [key]"), "{error}");
            assert_eq!(heard.pcm.is_empty(), after_ms == 0);
        }
    }
}

#[tokio::test]
async fn an_answer_without_sound_is_a_failure() {
    for (provider, path) in SOCKETS {
        let server =
            TtsServer::start(|_, _| Delivery { content: Content::Nothing, ..Delivery::at_once() }).await;
        let mut session = open(&on(provider, path, &server), 16_000, "en");
        say(&session, 1, "Hello.").await;
        let error = listen(&mut session, 1).await.error.unwrap();
        assert_eq!((error.kind, error.message.as_str()), (LlmErrorKind::BadAnswer, "answered without sound"));
    }
}

#[tokio::test]
async fn a_wrong_key_ends_the_session_and_is_not_shown() {
    for (provider, path) in SOCKETS {
        let refuse = |_: &dgh_net::testing::Handshake| dgh_net::testing::Welcome::Refuse(401);
        let server = TtsServer::welcoming(refuse, |_, _| Delivery::at_once()).await;
        let mut session = open(&on(provider, path, &server), 16_000, "en");
        let Some(TtsEvent::Failed { id: None, error }) = next(&mut session).await else {
            panic!("{provider}")
        };
        assert_eq!(error.kind, LlmErrorKind::Auth, "{provider}: {error}");
        assert!(!error.to_string().contains("hush"), "{error}");
        assert_eq!(next(&mut session).await, None);
    }
}

#[tokio::test]
async fn to_drop_a_session_is_to_close_its_connection() {
    for (provider, path) in SOCKETS {
        let server = TtsServer::start(|_, _| Delivery { speed: 1.0, ..Delivery::at_once() }).await;
        let mut session = open(&on(provider, path, &server), 16_000, "en");
        say(&session, 1, "A long sentence that will never be heard to its end.").await;
        while !matches!(next(&mut session).await, Some(TtsEvent::Audio { .. })) {}
        drop(session);
        let closed = async {
            while server.log().closed == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, closed).await.expect(provider);
    }
}

#[tokio::test]
async fn a_call_that_takes_no_sound_stops_the_provider() {
    let minute = Content::Pcm { rate: 24_000, pcm: tone(24_000, 60_000) };
    let server =
        TtsServer::start(move |_, _| Delivery { content: minute.clone(), ..Delivery::at_once() }).await;
    let mut session = open(&on("cartesia", "", &server), 24_000, "en");
    say(&session, 1, "A very long story.").await;
    while !matches!(next(&mut session).await, Some(TtsEvent::Audio { .. })) {}
    // Whatever happens meanwhile, only so much is taken in.
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert!(session.events.len() <= crate::voice::EVENT_QUEUE);
    // A cancel is heard even so, and what comes after it is spoken.
    session.input.send(TtsInput::Cancel { id: 1 }).await.unwrap();
    say(&session, 2, "The end.").await;
    while !matches!(next(&mut session).await, Some(TtsEvent::Started { id: 2, .. })) {}
}

/// Lets so much time pass at once. Time is not stopped otherwise: it would run on while sockets
/// are waited for.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn what_stalls_fails_in_time_and_ends_the_session() {
    for (provider, path) in SOCKETS {
        for after_ms in [0, 120] {
            let delivery = Delivery::at_once().fault(Fault::Stall { after_ms });
            let server = TtsServer::start(move |_, _| delivery.clone()).await;
            let mut session = open(&on(provider, path, &server), 16_000, "en");
            say(&session, 1, "One two three.").await;
            let mut told = 0;
            while told < after_ms {
                if let Some(TtsEvent::Audio { pcm, .. }) = next(&mut session).await {
                    told += pcm.len() as u32 / 32;
                }
            }
            while server.log().texts.is_empty() {
                tokio::task::yield_now().await;
            }
            pass(Duration::from_secs(5)).await;
            let heard = listen(&mut session, 1).await;
            let error = heard.error.unwrap();
            assert_eq!(
                (error.kind, error.message.as_str()),
                (LlmErrorKind::Timeout, "no sound came in time")
            );
            assert_eq!(next(&mut session).await, None);
        }
    }
}

#[tokio::test]
async fn an_idle_connection_is_kept_open() {
    for (provider, path) in SOCKETS {
        let server = TtsServer::start(|_, _| Delivery::at_once()).await;
        let mut session = open(&on(provider, path, &server), 16_000, "en");
        assert!(matches!(next(&mut session).await, Some(TtsEvent::Connected { .. })));
        let kept = || match provider {
            "elevenlabs" => server.log().messages.iter().filter(|m| **m == json!({ "text": "" })).count(),
            _ => server.log().pings,
        };
        for count in 1..4 {
            pass(Duration::from_secs(21)).await;
            let told = async {
                while kept() < count {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(LIMIT, told).await.expect(provider);
        }
        say(&session, 1, "Hello.").await;
        assert_eq!(listen(&mut session, 1).await.ms(16_000), 300);
        assert_eq!(server.handshakes().len(), 1);
    }
}

#[tokio::test]
async fn sound_that_comes_too_early_is_asked_for_again() {
    for (provider, path) in [("cartesia", ""), ("elevenlabs", "/v1")] {
        let long = tone(16_000, 6_000);
        let content = Content::Pcm { rate: 16_000, pcm: long.clone() };
        let server = TtsServer::start(move |n, _| match n {
            // Slow, so that the second one is there before this one is over.
            0 => Delivery { speed: 2.0, ..Delivery::at_once() },
            _ => Delivery { content: content.clone(), ..Delivery::at_once() },
        })
        .await;
        let mut session = open(&on(provider, path, &server), 16_000, "en");
        say(&session, 1, "One two three four five.").await;
        say(&session, 2, "A long one.").await;
        assert_eq!(listen(&mut session, 1).await.ms(16_000), 1_500);
        assert!(listen(&mut session, 2).await.pcm == long, "{provider}");
        let texts = server.log().texts;
        assert_eq!(texts, ["One two three four five.", "A long one.", "A long one."], "{provider}");
    }
}
