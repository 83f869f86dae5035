//! A caller on a carrier's media stream (Twilio's protocol), in real time: speaks recorded words,
//! plays what comes as a telephone would, and notes when what happened.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::speech::Speech;

/// What a caller does.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) address: String,
    pub(crate) seconds: u64,
    pub(crate) barge_in: bool,
    /// Hangs up after so many answers.
    pub(crate) turns: Option<usize>,
}

/// What a caller noticed, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// From the last sound of the caller to the first of the agent.
    pub(crate) voice_to_voice: Vec<u64>,
    /// From the first sound over the agent to `clear`.
    pub(crate) barge_in: Vec<u64>,
    /// How far frames came from 20 ms after the one before.
    pub(crate) jitter: Vec<u64>,
    /// Frames that came after the moment when they had to be played.
    pub(crate) late: u64,
    pub(crate) frames: u64,
    /// Turns that got no answer.
    pub(crate) unanswered: u64,
    pub(crate) lasted: Duration,
}

#[derive(Deserialize)]
struct Incoming<'a> {
    event: &'a str,
    #[serde(borrow)]
    media: Option<Media<'a>>,
    #[serde(borrow)]
    mark: Option<Mark<'a>>,
}

#[derive(Deserialize)]
struct Media<'a> {
    payload: &'a str,
}

#[derive(Deserialize)]
struct Mark<'a> {
    name: &'a str,
}

/// What the caller does now.
#[derive(Clone, Copy, PartialEq)]
enum Doing {
    /// Listens to the agent, until it has been quiet for a moment.
    Listening,
    /// Listens, and will talk over the agent.
    Waiting(Instant),
    /// Says the words; the next frame.
    Speaking(usize),
    /// Waits for the answer since the last sound.
    Asked(Instant),
}

/// The telephone at the caller's ear: frames are played one after another.
#[derive(Default)]
struct Ear {
    /// When everything that came is played.
    played_at: Option<Instant>,
    marks: VecDeque<(Instant, String)>,
    last_frame: Option<Instant>,
}

/// How long the agent is quiet before the caller speaks.
const QUIET: Duration = Duration::from_millis(700);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(6);

/// Makes a call.
pub(crate) async fn call(plan: &Plan, index: usize) -> anyhow::Result<Report> {
    let speech = Speech::new();
    let url = format!("ws://{}/carriers/twilio/bench", plan.address);
    let (mut socket, _) = connect_async(url).await.context("the media stream is refused")?;
    if let tokio_tungstenite::MaybeTlsStream::Plain(tcp) = socket.get_ref() {
        tcp.set_nodelay(true)?;
    }
    socket.send(Message::text(r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#)).await?;
    let start = format!(
        r#"{{"event":"start","sequenceNumber":"1","streamSid":"MZ{index}","start":{{"streamSid":"MZ{index}","accountSid":"AC0","callSid":"CA{index}","tracks":["inbound"],"customParameters":{{}},"mediaFormat":{{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}}}}"#
    );
    socket.send(Message::text(start)).await?;

    let began = Instant::now();
    let mut report = Report::default();
    let mut ticks = interval_at(began, Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut doing, mut ear, mut frame) = (Doing::Listening, Ear::default(), 0_u64);
    let mut interrupting: Option<Instant> = None;
    let mut turns = 0_usize;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let now = Instant::now();
                while let Some((at, name)) = ear.marks.front() {
                    if *at > now {
                        break;
                    }
                    let mark = format!(r#"{{"event":"mark","streamSid":"MZ{index}","mark":{{"name":"{name}"}}}}"#);
                    socket.send(Message::text(mark)).await?;
                    ear.marks.pop_front();
                }
                let answered = plan.turns.is_some_and(|most| turns > most);
                if now.duration_since(began) > Duration::from_secs(plan.seconds) || answered {
                    break;
                }
                let payload = step(&mut doing, &ear, now, &speech, &mut report, &mut interrupting, (plan, &mut turns));
                frame += 1;
                let stamp = frame * 20;
                let media = format!(
                    r#"{{"event":"media","sequenceNumber":"{}","streamSid":"MZ{index}","media":{{"track":"inbound","chunk":"{frame}","timestamp":"{stamp}","payload":"{payload}"}}}}"#,
                    frame + 1
                );
                socket.send(Message::text(media)).await?;
            }
            message = socket.next() => {
                let Some(message) = message else { break };
                let Message::Text(text) = message? else { continue };
                let now = Instant::now();
                let incoming: Incoming<'_> = serde_json::from_str(&text)?;
                match (incoming.event, incoming.media, incoming.mark) {
                    ("media", Some(media), _) => hear(&mut ear, &mut report, &mut doing, now, media.payload),
                    ("mark", _, Some(mark)) => {
                        ear.marks.push_back((ear.played_at.unwrap_or(now).max(now), mark.name.to_owned()));
                    }
                    ("clear", ..) => {
                        ear.played_at = None;
                        ear.last_frame = None;
                        ear.marks.iter_mut().for_each(|(at, _)| *at = now);
                        if let Some(from) = interrupting.take() {
                            report.barge_in.push(micros(now - from));
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    let _ = socket.send(Message::text(format!(r#"{{"event":"stop","streamSid":"MZ{index}"}}"#))).await;
    let _ = socket.close(None).await;
    report.lasted = began.elapsed();
    Ok(report)
}

/// Twenty milliseconds of the caller.
fn step<'a>(
    doing: &mut Doing,
    ear: &Ear,
    now: Instant,
    speech: &'a Speech,
    report: &mut Report,
    interrupting: &mut Option<Instant>,
    (plan, turns): (&Plan, &mut usize),
) -> &'a str {
    match *doing {
        Doing::Listening => {
            let heard = ear.played_at.is_some_and(|at| now > at + QUIET);
            let over = plan.barge_in && *turns % 3 == 1 && ear.played_at.is_some_and(|at| at > now);
            if over {
                *doing = Doing::Waiting(now + Duration::from_millis(900));
            } else if heard {
                *turns += 1;
                *doing = Doing::Speaking(0);
            }
            &speech.silence
        }
        Doing::Waiting(until) => {
            if now >= until {
                *turns += 1;
                *doing = Doing::Speaking(0);
                if ear.played_at.is_some_and(|at| at > now) {
                    let lead = 20 * speech.first_loud as u64;
                    *interrupting = Some(now + Duration::from_millis(lead));
                }
            }
            &speech.silence
        }
        Doing::Speaking(frame) => {
            *doing = if frame == speech.last_loud { Doing::Asked(now) } else { Doing::Speaking(frame + 1) };
            speech.frames.get(frame).unwrap_or(&speech.silence)
        }
        Doing::Asked(since) => {
            if now > since + PATIENCE {
                report.unanswered += 1;
                *doing = Doing::Speaking(0);
            }
            &speech.silence
        }
    }
}

/// A frame of the agent comes.
fn hear(ear: &mut Ear, report: &mut Report, doing: &mut Doing, now: Instant, payload: &str) {
    report.frames += 1;
    let loud = STANDARD.decode(payload).is_ok_and(|bytes| bytes.iter().any(|byte| (!byte & 0x70) >= 0x20));
    if let Doing::Asked(since) = *doing
        && loud
    {
        // The frame that was sent at `since` was heard 20 ms later: the caller's sound ended then.
        report.voice_to_voice.push(micros(now - since));
        *doing = Doing::Listening;
    }
    let length = Duration::from_millis(payload.len() as u64 * 3 / 4 / 8);
    match ear.played_at {
        // It goes on: the frame had to be here before the ones before it were played.
        Some(at) if at >= now => ear.played_at = Some(at + length),
        Some(at) if now - at < Duration::from_millis(200) => {
            report.late += 1;
            ear.played_at = Some(now + length);
        }
        _ => ear.played_at = Some(now + length),
    }
    if let Some(last) = ear.last_frame {
        let gap = micros(now - last);
        // A pause between two answers is no jitter.
        if gap < 200_000 {
            report.jitter.push(gap.abs_diff(20_000));
        }
    }
    ear.last_frame = Some(now);
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
