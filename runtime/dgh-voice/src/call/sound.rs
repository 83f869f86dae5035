//! What goes out: frames when they are due, and what is told about them.

use dgh_engine::event::{Event, UtteranceId};
use dgh_engine::log::Voice;

use super::{Driver, last_words, show};
use crate::FRAME_MS;
use crate::audio::record::Side;
use crate::line::{Line, LineCommand};
use crate::playout::Out;
use crate::turn::Heard;

impl<L: Line> Driver<L> {
    /// Sends what is due. Answers whether anything happened that others should see.
    pub(super) fn pump(&mut self) -> bool {
        let mut happened = false;
        loop {
            let now = self.clock.now();
            match self.mouth.playout.poll(now, &mut self.spoken) {
                Out::Frame => {
                    let about = self.mouth.playout.frame();
                    self.ear.played(about.plays_at, &self.spoken);
                    if let Some(room) = &mut self.room {
                        room.behind(&mut self.spoken, about.plays_at);
                    }
                    self.line.send(LineCommand::Audio(self.spoken.samples()));
                    if let Some(recording) = &mut self.recording {
                        if about.muted {
                            self.spoken.samples_mut().fill(0);
                        }
                        recording.agent(about.plays_at, &self.spoken);
                    }
                }
                Out::Mark(mark) => self.line.send(LineCommand::Mark(mark)),
                Out::Clear => {
                    self.line.send(LineCommand::Clear);
                    // What was sent ahead is not heard: it is no part of the recording.
                    if let Some(recording) = &mut self.recording {
                        let until = self.mouth.playout.frame().plays_at + FRAME_MS;
                        recording.mute(Side::Agent, now, until.max(now));
                    }
                }
                Out::Started(last_words::UTTERANCE) => {
                    happened = true;
                    self.sounds(last_words::UTTERANCE);
                }
                Out::Started(utterance) => {
                    happened = true;
                    self.sounds(utterance);
                    self.tell(Event::SpeechStarted { utterance });
                }
                // The call is over already.
                Out::Finished(last_words::UTTERANCE) => happened = true,
                Out::Finished(utterance) => {
                    happened = true;
                    if let Some(duplex) = &mut self.duplex {
                        duplex.finished(utterance);
                    }
                    self.tell(Event::SpeechFinished { utterance });
                    self.tell_who_goes_on();
                    // Whether the next one may be talked over.
                    if let Some((_, interruptible)) = self.mouth.playout.sounding() {
                        self.turns.handle(Heard::Agent(Some(interruptible)), now);
                    }
                }
                Out::Wait(at) => {
                    self.playout_due = at;
                    break;
                }
            }
        }
        self.send_room();
        let sounds = self.mouth.playout.sounding();
        if self.agent_sounds && sounds.is_none() && self.mouth.playout.is_idle() {
            self.agent_sounds = false;
            self.turns.handle(Heard::Agent(None), self.clock.now());
            happened = true;
        }
        happened
    }

    /// The room goes on where nobody speaks.
    fn send_room(&mut self) {
        let Some(room) = self.music.as_mut().or(self.room.as_mut()) else {
            self.room_due = None;
            return;
        };
        let speaks = self.mouth.playout.sounding().is_some() && self.mouth.playout.ahead_ms() > 0;
        if self.closed.is_some() || speaks {
            self.room_due = None;
            return;
        }
        let now = self.clock.now();
        while room.alone(now, &mut self.spoken) {
            self.line.send(LineCommand::Audio(self.spoken.samples()));
        }
        self.room_due = Some(room.due());
    }

    fn sounds(&mut self, utterance: UtteranceId) {
        let now = self.clock.now();
        let interruptible = self.mouth.playout.sounding().is_none_or(|(_, may)| may);
        self.agent_sounds = true;
        self.turns.handle(Heard::Agent(Some(interruptible)), now);
        self.setup.watch.speaking(false);
        if let Some(timing) = self.stopwatch.frame(utterance, self.clock.micros(), &self.clock) {
            self.show(&show::timing(&timing));
            self.notes.push(Voice::Timing(timing));
        }
    }
}
