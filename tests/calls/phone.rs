//! A telephone behind a carrier that speaks Twilio's protocol: it sends 20 ms every 20 ms, plays
//! what comes one after another as a telephone would, and answers marks when they were played.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::calls::sound::{FRAME, Sound, decoded};
use crate::calls::until;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What is sent while nobody speaks.
const SILENCE: [u8; FRAME] = [0xff; FRAME];

/// What did not happen in this time does not happen, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);

/// A telephone in a call.
pub(crate) struct Phone {
    told: mpsc::UnboundedSender<Do>,
    ear: Arc<Mutex<Ear>>,
    began: Instant,
    pumps: [JoinHandle<()>; 2],
}

/// What it is told to do.
enum Do {
    Say(Vec<Vec<u8>>),
    Send(Message),
    /// Neither reads nor writes until then.
    Stall(Instant),
    HangUp,
}

/// What was heard. Times are milliseconds since the call was connected.
#[derive(Default)]
pub(crate) struct Ear {
    /// What sounded, from the beginning of the call.
    track: Vec<i16>,
    /// Marks that wait for the sound before them: where in the track.
    marks: VecDeque<(usize, Json)>,
    /// When the agent's sound was cleared.
    pub(crate) clears: Vec<u64>,
    /// When the other side closed.
    pub(crate) closed: Option<u64>,
    /// When each said thing began.
    pub(crate) said: Vec<u64>,
    /// Frames that are still to be said.
    saying: usize,
}

impl Phone {
    /// Calls an agent.
    pub(crate) async fn call(address: &str, agent: &str) -> Self {
        let socket = connect(&format!("ws://{address}/carriers/twilio/{agent}")).await.unwrap();
        Self::on(socket, json!({})).await
    }

    /// Makes a call of a media stream that is open.
    pub(crate) async fn on(mut socket: Socket, parameters: Json) -> Self {
        let connected = json!({ "event": "connected", "protocol": "Call", "version": "1.0.0" });
        socket.send(Message::text(connected.to_string())).await.unwrap();
        let start = json!({
            "event": "start", "sequenceNumber": "1", "streamSid": "MZ1",
            "start": {
                "streamSid": "MZ1", "accountSid": "AC1", "callSid": "CA1", "tracks": ["inbound"],
                "customParameters": parameters,
                "mediaFormat": { "encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1 },
            },
        });
        socket.send(Message::text(start.to_string())).await.unwrap();
        let began = Instant::now();
        let ear = Arc::<Mutex<Ear>>::default();
        let (told, tasks) = mpsc::unbounded_channel();
        let (hold, held) = tokio::sync::watch::channel(began);
        let (sink, stream) = socket.split();
        let mouth = Mouth { sink, ear: Arc::clone(&ear), began, hold };
        let speaking = tokio::spawn(mouth.run(tasks));
        let hearing = tokio::spawn(hear(stream, Arc::clone(&ear), began, held));
        Self { told, ear, began, pumps: [speaking, hearing] }
    }

    /// Says it now, or behind what is being said.
    pub(crate) fn say(&self, sound: &Sound) {
        self.tell(Do::Say(sound.frames()));
    }

    /// Presses keys.
    pub(crate) fn press(&self, keys: &str) {
        for key in keys.chars() {
            let dtmf = json!({ "event": "dtmf", "streamSid": "MZ1", "dtmf": { "track": "inbound_track", "digit": key.to_string() } });
            self.send(Message::text(dtmf.to_string()));
        }
    }

    /// Sends a message as it is.
    pub(crate) fn send(&self, message: Message) {
        self.tell(Do::Send(message));
    }

    /// The network is away for so long: nothing is sent, nothing is read.
    pub(crate) fn stall(&self, time: Duration) {
        self.tell(Do::Stall(Instant::now() + time));
    }

    /// Hangs up, if the other side has not.
    pub(crate) fn hang_up(&self) {
        let _ = self.told.send(Do::HangUp);
    }

    fn tell(&self, what: Do) {
        if let Do::Say(frames) = &what {
            self.ear.lock().unwrap().saying += frames.len();
        }
        self.told.send(what).expect("the phone is in the call");
    }

    pub(crate) fn now(&self) -> u64 {
        ms(self.began)
    }

    /// What was heard until now, and nothing that waits to be played.
    pub(crate) fn heard(&self) -> Sound {
        let ear = self.ear.lock().unwrap();
        let played = usize::try_from(self.now() * 8).unwrap().min(ear.track.len());
        Sound { rate: 8_000, samples: ear.track[..played].to_vec() }
    }

    /// A look at what was heard.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Ear) -> T) -> T {
        look(&self.ear.lock().unwrap())
    }

    /// Whether the agent's sound is played now, or was within the last moment.
    pub(crate) fn is_talked_to(&self, within_ms: u64) -> bool {
        let now = self.now();
        let at = |ms: u64| usize::try_from(ms * 8).unwrap();
        self.look(|ear| {
            let played = at(now).min(ear.track.len());
            let recent = &ear.track[at(now.saturating_sub(within_ms)).min(played)..played];
            recent.iter().any(|sample| sample.unsigned_abs() > 500)
        })
    }

    /// Waits until the agent speaks.
    pub(crate) async fn is_spoken_to(&self) {
        let spoken = until(PATIENCE, || self.is_talked_to(100).then_some(())).await;
        assert!(spoken.is_some(), "the agent does not speak");
    }

    /// Waits until the agent has said something and is silent for so long.
    pub(crate) async fn has_the_floor(&self, silent_ms: u64) {
        self.is_spoken_to().await;
        let silent =
            || (!self.is_talked_to(silent_ms) || self.look(|ear| ear.closed.is_some())).then_some(());
        assert!(until(PATIENCE, silent).await.is_some(), "the agent never stops");
    }

    /// Waits until what was said is over, and the agent speaks after it.
    pub(crate) async fn is_answered(&self) {
        let over = || self.look(|ear| ear.saying == 0).then_some(());
        assert!(until(PATIENCE, over).await.is_some());
        self.wait(Duration::from_millis(200)).await;
        self.is_spoken_to().await;
    }

    /// Waits until the agent's sound is cleared once more than so often; when.
    pub(crate) async fn is_cleared(&self, before: usize) -> u64 {
        let cleared = || self.look(|ear| ear.clears.get(before).copied());
        until(PATIENCE, cleared).await.expect("the agent stops when it is interrupted")
    }

    /// Talks over the agent. What cannot be talked over, or is over too soon, is followed by something
    /// else.
    pub(crate) async fn interrupts(&self, words: &Sound) {
        let before = self.look(|ear| ear.clears.len());
        let cleared = || self.look(|ear| (ear.clears.len() > before).then_some(()));
        for _ in 0..8 {
            self.is_spoken_to().await;
            self.say(words);
            if until(Duration::from_millis(words.ms() + 4_000), cleared).await.is_some() {
                return;
            }
        }
        panic!("the agent does not stop when it is interrupted");
    }

    /// Waits until the other side closes; when.
    pub(crate) async fn is_hung_up(&self, patience: Duration) -> u64 {
        let closed = until(patience, || self.look(|ear| ear.closed)).await;
        closed.unwrap_or_else(|| panic!("nobody hung up in {} s", patience.as_secs()))
    }

    /// Waits.
    pub(crate) async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.pumps.iter().for_each(JoinHandle::abort);
    }
}

/// Opens a media stream; else the status of the refusal.
pub(crate) async fn connect(url: &str) -> Result<Socket, u16> {
    match connect_async(url).await {
        Ok((socket, _)) => {
            if let MaybeTlsStream::Plain(tcp) = socket.get_ref() {
                tcp.set_nodelay(true).unwrap();
            }
            Ok(socket)
        }
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{url}: {error}"),
    }
}

struct Mouth {
    sink: SplitSink<Socket, Message>,
    ear: Arc<Mutex<Ear>>,
    began: Instant,
    /// Until when nothing is read either.
    hold: tokio::sync::watch::Sender<Instant>,
}

impl Mouth {
    async fn run(mut self, mut tasks: mpsc::UnboundedReceiver<Do>) {
        let mut ticks = interval_at(self.began, Duration::from_millis(20));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut words, mut chunk) = (VecDeque::<Vec<u8>>::new(), 0_u64);
        loop {
            let done = tokio::select! {
                _ = ticks.tick() => {
                    chunk += 1;
                    self.tick(chunk, words.pop_front()).await
                }
                Some(task) = tasks.recv() => match task {
                    Do::Say(frames) => {
                        if words.is_empty() {
                            let now = ms(self.began);
                            self.ear.lock().unwrap().said.push(now);
                        }
                        words.extend(frames);
                        Ok(())
                    }
                    Do::Send(message) => self.sink.send(message).await,
                    Do::Stall(until) => {
                        let _ = self.hold.send(until);
                        tokio::time::sleep_until(until).await;
                        Ok(())
                    }
                    Do::HangUp => {
                        let stop = json!({ "event": "stop", "streamSid": "MZ1", "stop": { "accountSid": "AC1", "callSid": "CA1" } });
                        let _ = self.sink.send(Message::text(stop.to_string())).await;
                        let _ = self.sink.send(Message::Close(None)).await;
                        return;
                    }
                },
            };
            if done.is_err() {
                return;
            }
        }
    }

    async fn tick(
        &mut self,
        chunk: u64,
        words: Option<Vec<u8>>,
    ) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        let played = usize::try_from(ms(self.began) * 8).unwrap();
        loop {
            let mark = {
                let mut ear = self.ear.lock().unwrap();
                let due = ear.marks.front().is_some_and(|(at, _)| *at <= played);
                if due { ear.marks.pop_front() } else { None }
            };
            let Some((_, mark)) = mark else { break };
            self.sink.send(Message::text(mark.to_string())).await?;
        }
        if words.is_some() {
            self.ear.lock().unwrap().saying -= 1;
        }
        let payload = STANDARD.encode(words.as_deref().unwrap_or(&SILENCE));
        let media = json!({
            "event": "media", "sequenceNumber": (chunk + 1).to_string(), "streamSid": "MZ1",
            "media": { "track": "inbound", "chunk": chunk.to_string(), "timestamp": (chunk * 20).to_string(), "payload": payload },
        });
        self.sink.send(Message::text(media.to_string())).await
    }
}

async fn hear(
    mut stream: SplitStream<Socket>,
    ear: Arc<Mutex<Ear>>,
    began: Instant,
    held: tokio::sync::watch::Receiver<Instant>,
) {
    while let Some(Ok(message)) = stream.next().await {
        let until = *held.borrow();
        tokio::time::sleep_until(until).await;
        let Message::Text(text) = message else {
            if matches!(message, Message::Close(_)) {
                break;
            }
            continue;
        };
        let message: Json = serde_json::from_str(&text).expect("messages are JSON");
        assert_eq!(message["streamSid"], "MZ1", "{text}");
        let now = ms(began);
        let mut ear = ear.lock().unwrap();
        match message["event"].as_str() {
            Some("media") => {
                let coded = STANDARD.decode(message["media"]["payload"].as_str().unwrap()).unwrap();
                // What comes late is played when it comes, behind silence.
                let played = usize::try_from(now * 8).unwrap();
                if ear.track.len() < played {
                    ear.track.resize(played, 0);
                }
                ear.track.extend(decoded(&coded));
            }
            Some("mark") => {
                let at = ear.track.len();
                ear.marks.push_back((at, message));
            }
            Some("clear") => {
                ear.clears.push(now);
                ear.track.truncate(usize::try_from(now * 8).unwrap());
                // What was cleared counts as played: its marks come back at once.
                let end = ear.track.len();
                ear.marks.iter_mut().for_each(|(at, _)| *at = (*at).min(end));
            }
            _ => panic!("no message of the protocol: {text}"),
        }
    }
    ear.lock().unwrap().closed = Some(ms(began));
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap()
}
