//! Twilio's protocol with its faults, and what every carrier must do. Messages are written as the
//! carriers' pages show them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dgh_engine::event::TransferFailureEvent;
use dgh_voice::line::{Line, LineCommand, LineEvent, Transfer};
use serde_json::{Value as Json, json};

use super::testing::{Far, Near, events, send, told};
use super::*;
use crate::carrier::{self, Encoding, Handshake};

const STREAM: &str = "MZ18ad3ab5a668481ce02b83e7395059f0";

fn connected() -> String {
    json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}).to_string()
}

fn start() -> String {
    json!({
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            "accountSid": "AC0123456789abcdef0123456789abcdef",
            "streamSid": STREAM,
            "callSid": "CA0123456789abcdef0123456789abcdef",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"agent": "clinic", "From": "+15550100", "to": "+15550199"}
        },
        "streamSid": STREAM
    })
    .to_string()
}

fn media(chunk: u64, at_ms: u64, sound: &[u8]) -> String {
    json!({
        "event": "media",
        "sequenceNumber": (chunk + 1).to_string(),
        "media": {
            "track": "inbound",
            "chunk": chunk.to_string(),
            "timestamp": at_ms.to_string(),
            "payload": BASE64_STANDARD.encode(sound),
        },
        "streamSid": STREAM
    })
    .to_string()
}

async fn twilio() -> (Far, SocketLine<Near>) {
    let (far, near) = Far::new();
    far.text(connected());
    far.text(start());
    let (_, line) = accept(near, carrier::named("twilio").unwrap()).await.unwrap();
    (far, line)
}

async fn refused(messages: &[String]) -> HandshakeError {
    let (far, near) = Far::new();
    for message in messages {
        far.text(message);
    }
    let error = accept(near, carrier::named("twilio").unwrap()).await.err().unwrap();
    assert_eq!(far.json(), ["close"]);
    error
}

#[tokio::test(start_paused = true)]
async fn the_handshake_tells_of_the_call() {
    let (far, near) = Far::new();
    far.text(connected());
    far.text(start());
    let (handshake, line) = accept(near, carrier::named("twilio").unwrap()).await.unwrap();
    let expected = Handshake {
        carrier: "twilio",
        call: Some("CA0123456789abcdef0123456789abcdef".into()),
        stream: Some(STREAM.into()),
        account: Some("AC0123456789abcdef0123456789abcdef".into()),
        from: Some("+15550100".into()),
        to: Some("+15550199".into()),
        parameters: [("agent", "clinic"), ("From", "+15550100"), ("to", "+15550199")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Handshake::default()
    };
    assert_eq!(handshake, expected);
    assert_eq!((line.about().kind, line.about().rate, line.about().marks), ("twilio", 8_000, true));
}

#[tokio::test(start_paused = true)]
async fn who_tells_of_no_call_is_refused() {
    assert_eq!(refused(&[]).await, HandshakeError::Late);
    assert_eq!(refused(&[connected()]).await, HandshakeError::Late);
    let sound_first: Vec<_> = (1..=20).map(|n| media(n, n * 20, &[0; 160])).collect();
    assert_eq!(refused(&sound_first).await, HandshakeError::TooMuch("a message before `start`".into()));
    let nonsense = vec!["GET / HTTP/1.1".to_owned(); 20];
    assert!(matches!(refused(&nonsense).await, HandshakeError::TooMuch(why) if why.starts_with("no JSON")));
    let long = json!({"event": "connected", "x": "y".repeat(MAX_HANDSHAKE_BYTES)}).to_string();
    assert!(matches!(refused(&[long, start()]).await, HandshakeError::TooMuch(_)));
    let wide = start().replace("audio/x-mulaw", "audio/x-l16");
    assert!(matches!(refused(&[wide]).await, HandshakeError::Unusable(why) if why.contains("audio/x-l16")));
    let nameless = start().replace(STREAM, "");
    assert_eq!(refused(&[nameless]).await, HandshakeError::Late);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_comes_late_or_first_is_taken() {
    let (far, near) = Far::new();
    far.text("{");
    far.text(media(1, 0, &[0; 160]));
    far.text(start());
    assert!(accept(near, carrier::named("twilio").unwrap()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_closes_or_breaks_before_the_call_is_told() {
    for (message, error) in [
        (Ok(SocketMessage::Close), HandshakeError::Closed),
        (Err("reset".to_owned()), HandshakeError::Socket("reset".into())),
    ] {
        let (far, near) = Far::new();
        far.push(message);
        assert_eq!(accept(near, carrier::named("twilio").unwrap()).await.err(), Some(error));
    }
}

#[tokio::test(start_paused = true)]
async fn sound_goes_both_ways() {
    let (far, mut line) = twilio().await;
    far.text(media(1, 0, &[0x80; 160]));
    far.text(media(2, 20, &[0x00; 160]));
    assert_eq!(
        events(&mut line).await,
        [(LineEvent::Audio, Some(32_124)), (LineEvent::Audio, Some(-32_124))]
    );
    send(&mut line, LineCommand::Audio(&[32_124; 160])).await;
    send(&mut line, LineCommand::Audio(&[32_124; 100])).await;
    let mut short = vec![0x80; 100];
    short.resize(160, 0xff);
    let expected = [vec![0x80; 160], short].map(|sound| {
        json!({"event": "media", "streamSid": STREAM, "media": {"payload": BASE64_STANDARD.encode(sound)}})
    });
    assert_eq!(far.json(), expected);
}

#[tokio::test(start_paused = true)]
async fn gaps_are_filled_and_what_comes_twice_is_dropped() {
    let (far, mut line) = twilio().await;
    for (chunk, at) in [(1, 0), (2, 20), (2, 20), (5, 80), (4, 60), (6, 100)] {
        far.text(media(chunk, at, &[0x80; 160]));
    }
    let all = events(&mut line).await;
    let kinds: Vec<_> = all.iter().map(|(event, _)| event).collect();
    let (sound, lost) = (LineEvent::Audio, LineEvent::Lost);
    assert_eq!(kinds, [&sound, &sound, &lost, &lost, &sound, &sound]);
}

#[tokio::test(start_paused = true)]
async fn marks_come_back_when_they_were_played() {
    let (far, mut line) = twilio().await;
    for mark in [7, 8, 9] {
        send(&mut line, LineCommand::Mark(mark)).await;
    }
    let sent = far.json();
    assert_eq!(sent[0], json!({"event": "mark", "streamSid": STREAM, "mark": {"name": "7"}}));
    let mark = |name: &str| json!({"event": "mark", "streamSid": STREAM, "mark": {"name": name}}).to_string();
    far.text(mark("7"));
    far.text(mark("41"));
    far.text(mark("greeting"));
    far.text(mark("9"));
    far.text(mark("8"));
    // The mark after it tells that 8 was played too; its own answer is late and means nothing.
    assert_eq!(told(&mut line).await, [LineEvent::Mark(7), LineEvent::Mark(8), LineEvent::Mark(9)]);
}

#[tokio::test(start_paused = true)]
async fn a_clear_drops_what_waits_and_brings_the_marks_back_at_once() {
    let (far, mut line) = twilio().await;
    send(&mut line, LineCommand::Audio(&[1; 160])).await;
    send(&mut line, LineCommand::Mark(1)).await;
    far.stuck(true);
    send(&mut line, LineCommand::Audio(&[1; 160])).await;
    send(&mut line, LineCommand::Mark(2)).await;
    send(&mut line, LineCommand::Clear).await;
    assert_eq!(told(&mut line).await, [LineEvent::Mark(1), LineEvent::Mark(2)]);
    far.stuck(false);
    send(&mut line, LineCommand::Audio(&[1; 160])).await;
    let kinds: Vec<_> =
        far.json().iter().map(|message| message["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["media", "mark", "clear", "media"]);
    far.text(json!({"event": "mark", "streamSid": STREAM, "mark": {"name": "1"}}).to_string());
    assert_eq!(told(&mut line).await, []);
}

#[tokio::test(start_paused = true)]
async fn marks_that_are_never_answered_are_bounded() {
    let (_far, mut line) = twilio().await;
    for mark in 0..300 {
        send(&mut line, LineCommand::Mark(mark)).await;
    }
    assert_eq!(told(&mut line).await, (0..44).map(LineEvent::Mark).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn keys_and_the_end_are_told() {
    let (far, mut line) = twilio().await;
    for digit in ["5", "#", "55", "x"] {
        let dtmf = json!({"event": "dtmf", "streamSid": STREAM, "sequenceNumber": "5",
            "dtmf": {"track": "inbound_track", "digit": digit}});
        far.text(dtmf.to_string());
    }
    far.text(
        json!({"event": "stop", "streamSid": STREAM, "sequenceNumber": "9",
        "stop": {"accountSid": "AC0", "callSid": "CA0"}})
        .to_string(),
    );
    far.text(media(9, 0, &[0; 160]));
    let skipped = LineEvent::Skipped("a key that no telephone has");
    assert_eq!(
        events(&mut line).await.into_iter().map(|(event, _)| event).collect::<Vec<_>>(),
        [LineEvent::Key('5'), LineEvent::Key('#'), skipped.clone(), skipped, LineEvent::Closed(None)]
    );
    // Nothing comes after the end.
    assert_eq!(events(&mut line).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_without_stop_ends_all_the_same() {
    let (far, mut line) = twilio().await;
    far.end();
    assert_eq!(told(&mut line).await, [LineEvent::Closed(None)]);
    let (far, mut line) = twilio().await;
    far.push(Ok(SocketMessage::Close));
    assert_eq!(told(&mut line).await, [LineEvent::Closed(None)]);
    let (far, mut line) = twilio().await;
    far.push(Err("connection reset".into()));
    let why = "the carrier's socket broke: connection reset";
    assert_eq!(told(&mut line).await, [LineEvent::Closed(Some(why.into()))]);
}

#[tokio::test(start_paused = true)]
async fn garbage_is_skipped_until_it_is_too_much() {
    let faults = [
        "not JSON".to_owned(),
        "{}".to_owned(),
        "[1,2]".to_owned(),
        "{\"event\":7}".to_owned(),
        start(),
        media(3, 0, &[0; 160]).replace(STREAM, "MZother"),
        media(3, 0, &[0; 160]).replace("//", "!!").replace("AAAA", "A?AA"),
        json!({"event": "media", "streamSid": STREAM}).to_string(),
        json!({"event": "media", "streamSid": STREAM, "media": {"track": "inbound"}}).to_string(),
        json!({"event": "mark", "streamSid": STREAM}).to_string(),
        json!({"event": "dtmf", "streamSid": STREAM, "dtmf": {}}).to_string(),
        media(3, 0, &vec![0; MAX_MESSAGE_BYTES]),
        format!("{{\"event\":{}", "[".repeat(10_000)),
    ];
    let (far, mut line) = twilio().await;
    let mut kinds = std::collections::BTreeSet::new();
    for fault in &faults {
        far.text(fault);
        let [LineEvent::Skipped(why)] = told(&mut line).await[..] else {
            panic!("{}", &fault[..fault.len().min(100)])
        };
        kinds.insert(why);
    }
    assert_eq!(kinds.len(), 8, "one of a few texts: {kinds:?}");
    far.bytes([0xff; 160]);
    far.push(Ok(SocketMessage::Text(vec![0xff, 0xfe].into())));
    let text = "bytes, where this carrier sends text";
    assert_eq!(told(&mut line).await, [LineEvent::Skipped(text), LineEvent::Skipped("no JSON")]);
    assert_eq!(line.garbage as usize, faults.len() + 2);
    // Good ones make up for it.
    for n in 0..500 {
        far.text(media(n + 10, n * 20, &[0x80; 160]));
    }
    assert_eq!(events(&mut line).await.len(), 500);
    assert_eq!(line.garbage as usize, faults.len() + 2 - 10);
    for _ in 0..MAX_GARBAGE {
        far.text("more");
    }
    let why = "the carrier sent 64 messages that are not of its protocol";
    assert_eq!(told(&mut line).await.pop(), Some(LineEvent::Closed(Some(why.into()))));
}

#[tokio::test(start_paused = true)]
async fn events_that_are_new_and_the_other_track_are_no_fault() {
    let (far, mut line) = twilio().await;
    far.text(json!({"event": "weather", "streamSid": STREAM, "sun": true}).to_string());
    far.text(media(1, 0, &[0; 160]).replace("inbound", "outbound"));
    far.text(connected());
    assert_eq!(events(&mut line).await, []);
    assert_eq!(line.garbage, 0);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_is_away_for_ten_seconds_is_survived() {
    let (far, mut line) = twilio().await;
    far.text(media(1, 0, &[0x80; 160]));
    assert_eq!(told(&mut line).await, []);
    far.stuck(true);
    for _ in 0..500 {
        send(&mut line, LineCommand::Audio(&[1; 160])).await;
        tokio::time::advance(Duration::from_millis(20)).await;
    }
    assert_eq!(told(&mut line).await, [LineEvent::Stalled(true)]);
    far.stuck(false);
    for n in 2..502 {
        far.text(media(n, n * 20, &[0x80; 160]));
    }
    let all = events(&mut line).await;
    assert_eq!(all[0].0, LineEvent::Stalled(false));
    assert_eq!(all.iter().filter(|(event, _)| *event == LineEvent::Audio).count(), 500);
    send(&mut line, LineCommand::Audio(&[1; 160])).await;
    assert_eq!(far.got().len(), 501);
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_takes_nothing_is_left() {
    let (far, mut line) = twilio().await;
    far.stuck(true);
    for _ in 0..=MAX_UNSENT_MS / 20 {
        send(&mut line, LineCommand::Audio(&[1; 160])).await;
    }
    assert_eq!(
        told(&mut line).await,
        [LineEvent::Closed(Some("the carrier took nothing for 15 s: 223 KiB wait".into()))]
    );
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_says_nothing_any_more_is_left() {
    let (_far, mut line) = twilio().await;
    tokio::time::advance(AWAY_AFTER).await;
    assert_eq!(told(&mut line).await, [LineEvent::Stalled(true)]);
    tokio::time::advance(GONE_AFTER.saturating_sub(AWAY_AFTER)).await;
    let why = "nothing came from the carrier for 30 s";
    assert_eq!(told(&mut line).await, [LineEvent::Closed(Some(why.into()))]);
}

#[tokio::test(start_paused = true)]
async fn hanging_up_sends_what_waits_and_then_closes() {
    let (far, mut line) = twilio().await;
    line.send(LineCommand::Audio(&[1; 160]));
    line.send(LineCommand::Hangup);
    line.send(LineCommand::Audio(&[1; 160]));
    assert_eq!(told(&mut line).await, [LineEvent::Closed(None)]);
    let sent = far.json();
    assert_eq!((sent.len(), sent[1].as_str()), (2, Some("close")));
}

#[tokio::test(start_paused = true)]
async fn hanging_up_on_a_stuck_carrier_ends_in_time() {
    let (far, mut line) = twilio().await;
    far.stuck(true);
    line.send(LineCommand::Hangup);
    assert_eq!(told(&mut line).await, []);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(told(&mut line).await, [LineEvent::Closed(None)]);
}

#[tokio::test(start_paused = true)]
async fn keys_are_pressed_as_sound() {
    let (far, mut line) = twilio().await;
    send(&mut line, LineCommand::Keys("1w#")).await;
    let mut detector = dgh_voice::audio::dtmf::Detector::new(8_000);
    let mut frame = dgh_voice::audio::Frame::default();
    let mut keys = String::new();
    for message in far.json() {
        let coded = BASE64_STANDARD.decode(message["media"]["payload"].as_str().unwrap()).unwrap();
        dgh_voice::audio::g711::Law::Mu.decode(&coded, &mut frame);
        keys.extend(detector.push(&frame));
    }
    assert_eq!(keys, "1#");
}

#[tokio::test(start_paused = true)]
async fn a_transfer_is_answered() {
    let (_far, mut line) = twilio().await;
    let transfer = Transfer { number: "+15550123".into(), warm: false, ring_ms: 20_000, brief: None };
    send(&mut line, LineCommand::Transfer(&transfer)).await;
    let failed = LineEvent::Transferred(Some(TransferFailureEvent::Failed));
    assert_eq!(told(&mut line).await, [failed]);
}

/// What a carrier says and wants, side by side.
struct Script {
    name: &'static str,
    opening: Vec<Json>,
    call: Option<&'static str>,
    format: (Encoding, u32),
    /// 20 ms of sound as it sends it; null: as bytes.
    media: fn(&str) -> Json,
    /// The same as it wants it.
    played: fn(&str) -> Json,
    mark: (Json, Json),
    clear: Json,
    key: Json,
}

fn scripts() -> Vec<Script> {
    vec![
        Script {
            name: "twilio",
            opening: vec![
                serde_json::from_str(&connected()).unwrap(),
                serde_json::from_str(&start()).unwrap(),
            ],
            call: Some("CA0123456789abcdef0123456789abcdef"),
            format: (Encoding::Mulaw, 8_000),
            media: |sound| {
                json!({"event": "media", "streamSid": STREAM, "sequenceNumber": "2",
                "media": {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": sound}})
            },
            played: |sound| json!({"event": "media", "streamSid": STREAM, "media": {"payload": sound}}),
            mark: (
                json!({"event": "mark", "streamSid": STREAM, "mark": {"name": "3"}}),
                json!({"event": "mark", "streamSid": STREAM, "sequenceNumber": "4", "mark": {"name": "3"}}),
            ),
            clear: json!({"event": "clear", "streamSid": STREAM}),
            key: json!({"event": "dtmf", "streamSid": STREAM, "dtmf": {"track": "inbound_track", "digit": "1"}}),
        },
        Script {
            name: "telnyx",
            opening: vec![
                json!({"event": "connected", "version": "1.0.0"}),
                json!({"event": "start", "sequence_number": "1", "stream_id": "32DE0DEA",
                    "start": {"user_id": "3E6F995F", "call_control_id": "v2:T02", "call_session_id": "ff55a038",
                        "from": "+15550100", "to": "+15550199", "client_state": "aGk=",
                        "custom_parameters": {"agent": "clinic", "spoken_codec": "PCMA"},
                        "media_format": {"encoding": "PCMA", "sample_rate": 8000, "channels": 1}}}),
            ],
            call: Some("v2:T02"),
            format: (Encoding::Alaw, 8_000),
            media: |sound| {
                json!({"event": "media", "sequence_number": "4", "stream_id": "32DE0DEA",
                "media": {"track": "inbound", "chunk": "2", "timestamp": "5", "payload": sound}})
            },
            played: |sound| json!({"event": "media", "media": {"payload": sound}}),
            mark: (
                json!({"event": "mark", "mark": {"name": "3"}}),
                json!({"event": "mark", "sequence_number": "5", "stream_id": "32DE0DEA", "mark": {"name": "3"}}),
            ),
            clear: json!({"event": "clear"}),
            key: json!({"event": "dtmf", "stream_id": "32DE0DEA", "occurred_at": "2026-01-01T00:00:00Z",
                "sequence_number": "5", "dtmf": {"digit": "1"}}),
        },
        Script {
            name: "plivo",
            opening: vec![json!({"event": "start", "sequenceNumber": 1,
                "start": {"callId": "12345678", "streamId": "87654321", "accountId": "MAX", "tracks": ["inbound"],
                    "mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 16000}},
                "extra_headers": "agent=clinic;from=+15550100,to=+15550199"})],
            call: Some("12345678"),
            format: (Encoding::L16, 16_000),
            media: |sound| {
                json!({"event": "media", "sequenceNumber": 2, "streamId": "87654321",
                "media": {"track": "inbound", "timestamp": "1700000000000", "chunk": 1, "payload": sound},
                "extra_headers": "agent=clinic"})
            },
            played: |sound| {
                json!({"event": "playAudio", "streamId": "87654321",
                "media": {"contentType": "audio/x-l16", "sampleRate": 16000, "payload": sound}})
            },
            mark: (
                json!({"event": "checkpoint", "streamId": "87654321", "name": "3"}),
                json!({"event": "playedStream", "streamId": "87654321", "name": "3"}),
            ),
            clear: json!({"event": "clearAudio", "streamId": "87654321"}),
            key: json!({"event": "dtmf", "streamId": "87654321", "sequenceNumber": 3,
                "dtmf": {"track": "inbound", "timestamp": "1700000000020", "digit": "1"}}),
        },
        Script {
            name: "vonage",
            opening: vec![json!({"event": "websocket:connected", "content-type": "audio/l16;rate=16000",
                "uuid": "aaaaaaaa-bbbb", "agent": "clinic", "from": "+15550100", "to": "+15550199"})],
            call: Some("aaaaaaaa-bbbb"),
            format: (Encoding::L16, 16_000),
            media: |_| Json::Null,
            played: |_| Json::Null,
            mark: (
                json!({"action": "notify", "payload": {"mark": 3}}),
                json!({"event": "websocket:notify", "payload": {"mark": 3}}),
            ),
            clear: json!({"action": "clear"}),
            key: json!({"event": "websocket:dtmf", "digit": "1", "duration": 260}),
        },
    ]
}

#[tokio::test(start_paused = true)]
async fn every_carrier_plays_its_whole_script() {
    let scripts = scripts();
    assert_eq!(scripts.iter().map(|script| script.name).collect::<Vec<_>>(), carrier::NAMES);
    for script in scripts {
        let (far, near) = Far::new();
        for message in &script.opening {
            far.text(message.to_string());
        }
        let (handshake, mut line) = accept(near, carrier::named(script.name).unwrap()).await.unwrap();
        assert_eq!(handshake.carrier, script.name);
        assert_eq!(handshake.call.as_deref(), script.call, "{}", script.name);
        assert_eq!(handshake.parameters["agent"], "clinic", "{}", script.name);
        let numbers = (handshake.from.as_deref(), handshake.to.as_deref());
        assert_eq!(numbers, (Some("+15550100"), Some("+15550199")), "{}", script.name);
        let (encoding, rate) = script.format;
        assert_eq!(
            (handshake.format.heard, handshake.format.rate, line.about().rate),
            (encoding, rate, rate)
        );

        let (coded, level): (&[u8], i16) = match encoding {
            Encoding::Mulaw => (&[0x80], 32_124),
            Encoding::Alaw => (&[0xaa], 32_256),
            Encoding::L16 => (&[0x7c, 0x7d], 32_124),
        };
        let samples = rate as usize / 50;
        let sound = coded.repeat(samples);
        let text = BASE64_STANDARD.encode(&sound);
        match (script.media)(&text) {
            Json::Null => far.bytes(sound.clone()),
            message => far.text(message.to_string()),
        }
        assert_eq!(events(&mut line).await, [(LineEvent::Audio, Some(level))], "{}", script.name);

        send(&mut line, LineCommand::Audio(&vec![level; samples])).await;
        let sent = far.got();
        match (&sent[..], (script.played)(&text)) {
            ([SocketMessage::Binary(bytes)], Json::Null) => assert_eq!(bytes[..], sound),
            ([SocketMessage::Text(bytes)], wanted) => {
                assert_eq!(serde_json::from_slice::<Json>(bytes).unwrap(), wanted);
            }
            other => panic!("{}: {other:?}", script.name),
        }

        send(&mut line, LineCommand::Mark(3)).await;
        assert_eq!(far.json(), [script.mark.0]);
        far.text(script.mark.1.to_string());
        assert_eq!(told(&mut line).await, [LineEvent::Mark(3)], "{}", script.name);
        send(&mut line, LineCommand::Clear).await;
        assert_eq!(far.json(), [script.clear]);
        far.text(script.key.to_string());
        assert_eq!(told(&mut line).await, [LineEvent::Key('1')], "{}", script.name);
        assert_eq!(line.garbage, 0);
        far.end();
        assert_eq!(told(&mut line).await, [LineEvent::Closed(None)], "{}", script.name);
    }
}

#[tokio::test(start_paused = true)]
async fn vonage_may_begin_with_sound() {
    let (far, near) = Far::new();
    far.bytes([0x7c, 0x7d].repeat(320));
    let (handshake, mut line) = accept(near, carrier::named("vonage").unwrap()).await.unwrap();
    assert_eq!(handshake.call, None);
    far.bytes([1, 2, 3]);
    let told = events(&mut line).await;
    assert!(
        matches!(told[..], [(LineEvent::Audio, Some(32_124)), (LineEvent::Skipped(_), None)]),
        "{told:?}"
    );
    assert_eq!(line.garbage, 1);
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_sends_what_we_cannot_play_is_told_which() {
    let telnyx = |encoding: &str, codec: &str| {
        json!({"event": "start", "stream_id": "1", "start": {"call_control_id": "1",
            "custom_parameters": {"spoken_codec": codec}, "media_format": {"encoding": encoding, "sample_rate": 8000}}})
    };
    let plivo = json!({"event": "start", "start": {"callId": "1", "streamId": "1",
        "mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 44100}}});
    for (name, message, part) in [
        ("telnyx", telnyx("AMR-WB", "PCMU"), "AMR-WB"),
        ("telnyx", telnyx("PCMU", "OPUS"), "OPUS"),
        ("plivo", plivo, "44100"),
        ("vonage", json!({"event": "websocket:connected", "content-type": "audio/mp3"}), "audio/mp3"),
    ] {
        let (far, near) = Far::new();
        far.text(message.to_string());
        let error = accept(near, carrier::named(name).unwrap()).await.err().unwrap();
        assert!(matches!(&error, HandshakeError::Unusable(why) if why.contains(part)), "{error}");
    }
}

#[tokio::test]
async fn it_works_over_a_real_websocket() {
    use futures::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::{Error, Message, protocol::Role};

    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let ours = WebSocketStream::from_raw_socket(ours, Role::Server, None).await;
    let ours = ours
        .filter_map(|message| {
            std::future::ready(match message {
                Ok(Message::Text(text)) => Some(Ok(SocketMessage::Text(text.into()))),
                Ok(Message::Binary(bytes)) => Some(Ok(SocketMessage::Binary(bytes))),
                Ok(Message::Close(_)) => Some(Ok(SocketMessage::Close)),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            })
        })
        .with(|message: SocketMessage| {
            std::future::ready(Ok::<_, Error>(match message {
                SocketMessage::Text(text) => Message::Text(text.try_into().expect("lines write UTF-8")),
                SocketMessage::Binary(bytes) => Message::Binary(bytes),
                SocketMessage::Close => Message::Close(None),
            }))
        });
    let mut theirs = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    theirs.send(Message::text(connected())).await.unwrap();
    theirs.send(Message::Ping(vec![1].into())).await.unwrap();
    theirs.send(Message::text(start())).await.unwrap();
    theirs.send(Message::text(media(1, 0, &[0x80; 160]))).await.unwrap();
    let (_, mut line) = accept(ours, carrier::named("twilio").unwrap()).await.unwrap();
    let mut frame = dgh_voice::audio::Frame::default();
    let event = std::future::poll_fn(|cx| line.poll_event(cx, &mut frame)).await;
    assert_eq!((event, frame.samples()), (LineEvent::Audio, &[32_124; 160][..]));
    line.send(LineCommand::Audio(&[32_124; 160]));
    line.send(LineCommand::Hangup);
    let event = std::future::poll_fn(|cx| line.poll_event(cx, &mut frame)).await;
    assert_eq!(event, LineEvent::Closed(None));
    assert!(matches!(theirs.next().await, Some(Ok(Message::Pong(_)))));
    let Some(Ok(Message::Text(text))) = theirs.next().await else { panic!("no sound") };
    assert!(text.contains(&BASE64_STANDARD.encode([0x80; 160])));
    assert!(matches!(theirs.next().await, Some(Ok(Message::Close(None)))));
}
