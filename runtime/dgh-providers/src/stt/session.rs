//! The one task of a session: it connects, hands sound on, tells what was heard, and when the
//! recogniser fails goes on with the next one where the last final words ended.

use std::collections::VecDeque;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::llm::LlmErrorKind;
use crate::stt::connection::{Connection, Told};
use crate::stt::sound::{Piece, Sound};
use crate::stt::{Expected, Stt, SttEvent, SttInput, SttSession, SttStart};
use crate::voice::endpoint::Endpoint;
use crate::voice::{EVENT_QUEUE, INPUT_QUEUE, Patience, VoiceError};

/// Rounds in which every recogniser may fail before the session gives up.
const ROUNDS: u32 = 5;
/// Pause after the first round in which all failed; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Loud sound of which a recogniser that works says something.
const SPEECH_MS: u64 = 500;
/// A connection that held so long is no failure to connect.
const STEADY: Duration = Duration::from_secs(10);
/// Loud sound behind the last final words that is no word: the marks of words are not exact.
const REST_MS: u64 = 120;
/// Ends of speech that may wait for their words.
const MAX_ASKED: usize = 16;

/// A recogniser in a list.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) stt: Arc<dyn Stt>,
    pub(crate) patience: Patience,
}

/// Opens a session with the first of a list, and the others behind it.
pub(crate) fn open(members: Vec<Member>, start: SttStart, again: bool) -> SttSession {
    let (input, heard) = mpsc::channel(INPUT_QUEUE);
    let (tell, events) = mpsc::channel(EVENT_QUEUE);
    let session = Session {
        sound: Sound::new(start.rate),
        members: members.into_iter().map(|member| (member, true)).collect(),
        start,
        again,
        expect: None,
        expect_is_told: false,
        input: heard,
        events: tell,
        partial: String::new(),
        asked: VecDeque::new(),
        deadline: None,
        doubts: 0,
        worked: false,
        unasked: false,
        speech_since: None,
        through: None,
    };
    tokio::spawn(session.run());
    SttSession { input, events }
}

/// Opens a session with one recogniser, that is not connected again when it fails.
pub(crate) fn alone(endpoint: &Endpoint, stt: Arc<dyn Stt>, start: SttStart) -> SttSession {
    let member = Member { name: endpoint.provider.clone(), stt, patience: endpoint.patience };
    open(vec![member], start, false)
}

struct Session {
    /// The recognisers, and whether they may be asked: a wrong key does not get right.
    members: Vec<(Member, bool)>,
    start: SttStart,
    /// Whether another connection is tried when one fails.
    again: bool,
    sound: Sound,
    /// What fits now, and whether the connection knows.
    expect: Option<Arc<Expected>>,
    expect_is_told: bool,
    input: mpsc::Receiver<SttInput>,
    events: mpsc::Sender<SttEvent>,
    /// Words so far since the last final ones.
    partial: String,
    /// When the caller stopped, of stops whose words are not all told.
    asked: VecDeque<Asked>,
    /// When the words of the first of them must be there.
    deadline: Option<Instant>,
    /// How often the words of this utterance did not come in time.
    doubts: u32,
    /// Whether the connection has proved itself: final words, or time.
    worked: bool,
    /// Final words were told since the last answer.
    unasked: bool,
    /// Up to where in the connection's sound the next final words go.
    through: Option<u64>,
    /// Since when the connection hears what has no final words yet.
    speech_since: Option<Instant>,
}

struct Asked {
    at: Instant,
    /// Final words have been told since.
    told: bool,
}

/// Why a conversation with a recogniser ended.
enum End {
    /// Nobody listens any more.
    Left,
    /// It failed.
    Failed(VoiceError),
}

/// What happens next in a conversation.
enum Step {
    Told(Result<Told, VoiceError>),
    Input(Option<SttInput>),
    /// Words are overdue.
    Late,
}

impl Session {
    async fn run(mut self) {
        let (mut at, mut failures) = (0, 0u32);
        loop {
            let error = match self.converse(at).await {
                End::Left => return,
                End::Failed(error) => error,
            };
            let worked = std::mem::take(&mut self.worked);
            failures = if worked { 1 } else { failures + 1 };
            let Some((from, alive)) = self.members.get_mut(at) else { return };
            let from = from.name.clone();
            *alive &= !is_lasting(error.kind);
            let living = u32::try_from(self.members.iter().filter(|(_, alive)| *alive).count()).unwrap_or(0);
            if !self.again || living == 0 || failures >= living.saturating_mul(ROUNDS) {
                return self.give_up(error).await;
            }
            at = self.next_after(at);
            if !worked && failures.is_multiple_of(living) {
                let round = (failures / living - 1).min(4);
                if self.rest(FIRST_PAUSE.saturating_mul(1 << round)).await.is_err() {
                    return;
                }
            }
            let to = self.members.get(at).map(|(member, _)| member.name.clone()).unwrap_or_default();
            if self.events.send(SttEvent::Switched { from, to, error }).await.is_err() {
                return;
            }
        }
    }

    /// Half-understood words are better than none.
    async fn give_up(mut self, error: VoiceError) {
        if self.keep_partial().await.is_ok() {
            let _ = self.events.send(SttEvent::Failed(error)).await;
        }
    }

    fn next_after(&self, at: usize) -> usize {
        let count = self.members.len();
        let after = (1..=count).map(|step| (at + step) % count.max(1));
        after.into_iter().find(|at| self.members.get(*at).is_some_and(|(_, alive)| *alive)).unwrap_or(0)
    }

    /// Keeps what the caller says meanwhile.
    async fn rest(&mut self, pause: Duration) -> Result<(), Gone> {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                input = self.input.recv() => self.take(input)?,
                () = sleep_until(until) => return Ok(()),
            }
        }
    }

    /// One connection, from its beginning to its end.
    async fn converse(&mut self, at: usize) -> End {
        let Some((member, _)) = self.members.get(at) else { return End::Left };
        let member = member.clone();
        let began = Instant::now();
        let mut connecting = member.stt.connect(self.start.clone());
        let mut connection = loop {
            tokio::select! {
                biased;
                connection = &mut connecting => match connection {
                    Ok(connection) => break connection,
                    Err(error) => return End::Failed(error),
                },
                input = self.input.recv() => if self.take(input).is_err() { return End::Left },
            }
        };
        self.sound.rewind();
        (self.deadline, self.speech_since, self.through) = (None, None, None);
        self.expect_is_told = false;
        let mut clock = pin!(sleep_until(began));
        let mut clock_is_for = None;
        let end = loop {
            let step = poll_fn(|cx| {
                if let Poll::Ready(told) = self.drive(connection.as_mut(), &member, cx) {
                    return Poll::Ready(Step::Told(told));
                }
                if let Poll::Ready(input) = self.input.poll_recv(cx) {
                    return Poll::Ready(Step::Input(input));
                }
                let Some(deadline) = self.deadline else { return Poll::Pending };
                if clock_is_for != Some(deadline) {
                    clock_is_for = Some(deadline);
                    clock.as_mut().reset(deadline);
                }
                clock.as_mut().poll(cx).map(|()| Step::Late)
            });
            let done = match step.await {
                Step::Told(Ok(told)) => self.tell(told, &member, began).await,
                Step::Told(Err(error)) => break End::Failed(error),
                Step::Input(input) => match self.take(input) {
                    Ok(()) if self.is_settled() => self.answered(&member).await,
                    taken => taken,
                },
                Step::Late => match self.overdue(connection.told_at(), &member).await {
                    Ok(Some(error)) => break End::Failed(error),
                    other => other.map(|_| ()),
                },
            };
            if done.is_err() {
                break End::Left;
            }
        };
        self.worked |= began.elapsed() >= STEADY;
        if matches!(end, End::Left) {
            connection.close().await;
        }
        end
    }

    /// Polls the connection, and gives it what it can take.
    fn drive(
        &mut self,
        connection: &mut dyn Connection,
        member: &Member,
        context: &mut Context<'_>,
    ) -> Poll<Result<Told, VoiceError>> {
        loop {
            if let Poll::Ready(told) = connection.poll(context) {
                return Poll::Ready(told);
            }
            if !connection.is_clear() {
                return Poll::Pending;
            }
            let Some(input) = self.next_input() else { return Poll::Pending };
            match input {
                SttInput::SpeechEnded => {
                    self.deadline.get_or_insert_with(|| Instant::now() + member.patience.first);
                }
                SttInput::Audio(_) => {
                    self.speech_since.get_or_insert_with(Instant::now);
                }
                SttInput::Expect(_) => {}
            }
            connection.push(input)?;
            if !self.again {
                self.sound.forget_told();
            }
        }
    }

    /// What the connection does not have yet.
    fn next_input(&mut self) -> Option<SttInput> {
        if !std::mem::replace(&mut self.expect_is_told, true)
            && let Some(expect) = &self.expect
        {
            return Some(SttInput::Expect(Arc::clone(expect)));
        }
        self.sound.next()
    }

    /// Whether the words before the one end of speech had been told when it came: the recogniser
    /// heard the pause first, and may have nothing more to say.
    fn is_settled(&self) -> bool {
        let all = self.partial.is_empty() && self.sound.loud_ms() < REST_MS;
        self.unasked && all && self.asked.len() == 1 && self.asked.iter().all(|asked| !asked.told)
    }

    /// Takes what the call says, and all that it has said besides.
    fn take(&mut self, input: Option<SttInput>) -> Result<(), Gone> {
        let mut next = input.ok_or(Gone)?;
        loop {
            match next {
                SttInput::Audio(pcm) => self.sound.add(Piece::Sound(pcm)),
                SttInput::SpeechEnded => {
                    if self.asked.len() < MAX_ASKED {
                        self.asked.push_back(Asked { at: Instant::now(), told: false });
                    }
                    self.sound.add(Piece::Ended);
                }
                SttInput::Expect(expect) => (self.expect, self.expect_is_told) = (Some(expect), false),
            }
            match self.input.try_recv() {
                Ok(more) => next = more,
                Err(_) => return Ok(()),
            }
        }
    }

    /// Hands on what a connection told.
    async fn tell(&mut self, told: Told, member: &Member, began: Instant) -> Result<(), Gone> {
        let event = match told {
            Told::Ready => SttEvent::Connected { provider: member.name.clone(), ms: ms(began) },
            Told::Through(bytes) => {
                self.through = Some(bytes);
                return Ok(());
            }
            Told::Answered => return self.answered(member).await,
            Told::Event(event) => event,
        };
        match &event {
            SttEvent::Partial { text } if *text == self.partial => return Ok(()),
            SttEvent::Partial { text } => self.partial.clone_from(text),
            SttEvent::Final { .. } => {
                self.worked = true;
                let through = self.through.take();
                self.done(through);
            }
            _ => {}
        }
        self.events.send(event).await.map_err(|_| Gone)
    }

    /// All words from before an end of speech were told, or there were none.
    async fn answered(&mut self, member: &Member) -> Result<(), Gone> {
        self.sound.answered();
        let first = self.asked.pop_front();
        // Who ends turns by itself has one answer for all stops within a turn.
        let asked = if member.stt.ends_turns() { self.asked.drain(..).next_back().or(first) } else { first };
        self.deadline = (!self.asked.is_empty()).then(|| Instant::now() + member.patience.first);
        self.through = None;
        let unasked = std::mem::take(&mut self.unasked);
        let Some(asked) = asked else { return Ok(()) };
        if !asked.told {
            self.partial.clear();
            (self.doubts, self.speech_since) = (0, None);
            self.say(String::new()).await?;
        }
        let answered = SttEvent::Answered { provider: member.name.clone(), ms: ms(asked.at) };
        self.events.send(answered).await.map_err(|_| Gone)?;
        // Who was promised ends of turns gets them from a stand-in that tells none as well.
        let promised = self.members.first().is_some_and(|(first, _)| first.stt.ends_turns());
        if promised && (asked.told || unasked) && !member.stt.ends_turns() {
            self.events.send(SttEvent::EndOfTurn).await.map_err(|_| Gone)?;
        }
        Ok(())
    }

    /// Words that were wanted are not there. What to do: nothing more, or another recogniser,
    /// because this one seems to be stuck.
    async fn overdue(&mut self, told_at: Instant, member: &Member) -> Result<Option<VoiceError>, Gone> {
        let patience = member.patience.first;
        if member.stt.ends_turns() && !self.partial.is_empty() && told_at.elapsed() < patience {
            self.deadline = Some(Instant::now() + patience);
            return Ok(None);
        }
        let dumb = self.speech_since.is_some_and(|since| told_at < since);
        if member.stt.ends_turns() && self.partial.is_empty() && !dumb {
            // The turn was over before our detector heard it.
            self.sound.answered();
            self.asked.clear();
            self.deadline = None;
            return Ok(None);
        }
        let spoke = !self.partial.is_empty() || (dumb && self.sound.loud_ms() >= SPEECH_MS);
        if spoke && self.doubts == 0 {
            self.doubts = 1;
            let message =
                format!("no final words within {} ms after the end of speech", patience.as_millis());
            let kind = LlmErrorKind::Timeout;
            return Ok(Some(VoiceError { provider: member.name.clone(), kind, message }));
        }
        // Nobody understands more of it.
        self.keep_partial().await?;
        self.answered(member).await?;
        Ok(None)
    }

    /// Makes the words so far final.
    async fn keep_partial(&mut self) -> Result<(), Gone> {
        if self.partial.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.partial);
        self.done(None);
        self.say(text).await
    }

    fn done(&mut self, through: Option<u64>) {
        self.partial.clear();
        self.sound.done(through);
        (self.doubts, self.speech_since) = (0, None);
        self.unasked = true;
        self.asked.iter_mut().for_each(|asked| asked.told = true);
    }

    async fn say(&self, text: String) -> Result<(), Gone> {
        let event = SttEvent::Final { text, confidence: None, language: None };
        self.events.send(event).await.map_err(|_| Gone)
    }
}

struct Gone;

/// Whether asking again cannot help.
fn is_lasting(kind: LlmErrorKind) -> bool {
    matches!(kind, LlmErrorKind::Setup | LlmErrorKind::Auth | LlmErrorKind::Rejected)
}

fn ms(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX)
}
