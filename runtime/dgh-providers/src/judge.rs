//! A judge beside: a small fast model decides, another one speaks, both at once. The first words
//! are held until the judge has answered, [`HOLD`] at most; if it chose a way on, or all that was
//! missing is known now, they are never spoken. The engine sees one reply.

use std::sync::Arc;
use std::time::Duration;

use dgh_engine::event::{Event, Usage};
use dgh_engine::reply::{Purpose, ReplyRequest};
use dgh_net::retry::Pause;
use futures::StreamExt;
use futures::channel::mpsc::UnboundedSender;
use serde_json::Value as Json;
use tokio::time::Instant;

use crate::ask::{Commit, Heard, ON_THE_LINE, add, ask};
use crate::card::ENGINE_FUNCTIONS;
use crate::llm::Delta;
use crate::registry::Models;
use crate::reply::{FirstPiece, Mouth, plain};

/// How long the first words wait for the judge.
pub(crate) const HOLD: Duration = Duration::from_millis(400);
/// How long the judge may take after the other model has finished.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// A reply with a judge.
pub(crate) async fn reply(
    request: &Arc<ReplyRequest>,
    models: &Arc<dyn Models>,
    pause: &Pause,
    out: UnboundedSender<Event>,
    first: FirstPiece,
) {
    let mut bench = Bench::new(request, Mouth::new(request, out, first));
    let verdict = Commit::default();
    let ask = |request: ReplyRequest, commit: &Commit| {
        let list = request.models.clone();
        ask(Arc::new(request), list, Arc::clone(models), commit.clone(), Arc::clone(pause), ON_THE_LINE)
    };
    let mut judge = ask(for_judge(request), &verdict);
    let mut speaker = ask(for_speaker(request), &bench.mouth.commit);
    let held_until = Instant::now() + HOLD;
    let (mut speaking, mut patience) = (true, None);
    loop {
        let until = match bench.mouth.gone {
            Some(by) => Some(by),
            None if bench.holds => Some(held_until),
            None => patience,
        };
        tokio::select! {
            biased;
            heard = judge.next(), if bench.judging => match bench.judged(heard) {
                Verdict::Open => {}
                // Nobody has decided and nothing was said: one model does both.
                Verdict::Failed if !bench.mouth.commit.is_set() => {
                    drop(speaker);
                    bench.mouth.restart();
                    return plain(request, models, pause, bench.mouth).await;
                }
                Verdict::Failed | Verdict::Given => {
                    verdict.set();
                    bench.release();
                }
            },
            heard = speaker.next(), if speaking && bench.mouth.gone.is_none() => if let Some(heard) = heard {
                bench.spoken(heard);
            } else {
                speaking = false;
                bench.spoken_out();
                patience = Some(Instant::now() + PATIENCE);
            },
            () = tokio::time::sleep_until(until.unwrap_or(held_until)), if until.is_some() => {
                if bench.mouth.gone.is_some() || !bench.holds {
                    break;
                }
                bench.release();
            }
            else => break,
        }
        if bench.is_over(speaking) {
            break;
        }
    }
    bench.close();
}

/// The judge gets the card and the functions, and may not speak.
fn for_judge(request: &ReplyRequest) -> ReplyRequest {
    let mut judge = request.clone();
    judge.purpose = Purpose::Extract;
    judge.models = std::mem::take(&mut judge.judge);
    judge.functions = judge.functions.iter().filter(|f| is_engines(&f.name)).cloned().collect();
    judge.card.tools.clear();
    judge
}

/// The other one speaks, and has only the tools.
fn for_speaker(request: &ReplyRequest) -> ReplyRequest {
    let mut speaker = request.clone();
    speaker.functions = speaker.functions.iter().filter(|f| !is_engines(&f.name)).cloned().collect();
    speaker.card.labels.clear();
    speaker.card.may_unclear = false;
    speaker
}

fn is_engines(name: &str) -> bool {
    ENGINE_FUNCTIONS.contains(&name)
}

enum Verdict {
    Open,
    Given,
    Failed,
}

/// Both answers until they are one.
struct Bench {
    mouth: Mouth,
    /// What the speaker said while it was held.
    waiting: Vec<Heard>,
    holds: bool,
    /// The judge is still being heard.
    judging: bool,
    judge_calls: Vec<(String, String, Json)>,
    missing: Vec<String>,
    done: bool,
    /// The speaker has finished.
    spoken_out: bool,
    judge_usage: Usage,
    speaker_usage: Usage,
    failure: Option<String>,
}

impl Bench {
    fn new(request: &ReplyRequest, mouth: Mouth) -> Self {
        Self {
            mouth,
            waiting: Vec::new(),
            holds: true,
            judging: true,
            judge_calls: Vec::new(),
            missing: request.card.wanted.iter().filter(|w| w.missing).map(|w| w.name.clone()).collect(),
            done: false,
            spoken_out: false,
            judge_usage: Usage::default(),
            speaker_usage: Usage::default(),
            failure: None,
        }
    }

    fn judged(&mut self, heard: Option<Heard>) -> Verdict {
        match heard {
            Some(Heard::Delta(Delta::Call { id, name, arguments })) => {
                if name == "go" {
                    // Notes that came before stay before.
                    self.hand_on_judged();
                    self.mouth.hand_on(id, name, arguments);
                } else if self.mouth.gone.is_some() {
                    self.mouth.hand_on(id, name, arguments);
                } else {
                    self.judge_calls.push((id, name, arguments));
                }
                Verdict::Open
            }
            Some(Heard::Delta(Delta::Usage(usage))) => {
                self.judge_usage = usage;
                Verdict::Open
            }
            Some(Heard::Delta(Delta::Text(_))) => Verdict::Open,
            Some(Heard::Restart) => {
                self.judge_calls.clear();
                Verdict::Open
            }
            Some(Heard::Failed(_)) => {
                self.judging = false;
                self.judge_calls.clear();
                Verdict::Failed
            }
            None => {
                self.judging = false;
                self.done = self.mouth.gone.is_none() && self.completes();
                self.hand_on_judged();
                Verdict::Given
            }
        }
    }

    /// Whether all that was missing is known now, or was confirmed: then the program goes on, and
    /// the speaker's question is out of date.
    fn completes(&self) -> bool {
        let noted = |name: &String| {
            self.judge_calls.iter().any(|(_, call, arguments)| {
                call == "note" && arguments.get(name).is_some_and(|v| !v.is_null())
            })
        };
        let confirmed = self.judge_calls.iter().any(|(_, call, arguments)| {
            call == "confirm" && arguments.get("answer").is_some_and(|a| a == "yes")
        });
        confirmed || (!self.missing.is_empty() && self.missing.iter().all(noted))
    }

    fn hand_on_judged(&mut self) {
        for (id, name, arguments) in std::mem::take(&mut self.judge_calls) {
            self.mouth.hand_on(id, name, arguments);
        }
    }

    fn spoken(&mut self, heard: Heard) {
        if self.holds {
            self.waiting.push(heard);
            return;
        }
        match heard {
            Heard::Delta(Delta::Usage(usage)) => self.speaker_usage = usage,
            Heard::Delta(Delta::Text(text)) if !self.is_dropped() => self.mouth.text(&text),
            Heard::Delta(Delta::Call { id, name, arguments }) if !self.is_dropped() && !is_engines(&name) => {
                self.mouth.call(id, name, arguments);
            }
            Heard::Delta(_) => {}
            Heard::Restart => self.mouth.restart(),
            Heard::Failed(error) => self.failure = Some(error.message),
        }
    }

    /// The speaker has finished: its last words need no look ahead any more.
    fn spoken_out(&mut self) {
        self.spoken_out = true;
        if !self.holds && !self.is_dropped() && self.failure.is_none() {
            self.mouth.finish_text();
        }
    }

    /// The judge has answered, or took too long: what was held goes on its way.
    fn release(&mut self) {
        self.holds = false;
        for heard in std::mem::take(&mut self.waiting) {
            self.spoken(heard);
        }
        if self.spoken_out {
            self.spoken_out();
        }
    }

    fn is_dropped(&self) -> bool {
        self.mouth.gone.is_some() || (self.done && !self.mouth.spoken)
    }

    fn is_over(&self, speaking: bool) -> bool {
        let unheard = !self.judging && self.is_dropped();
        unheard || (!self.judging && !speaking)
    }

    fn close(mut self) {
        self.hand_on_judged();
        self.release();
        self.mouth.usage = add(self.judge_usage, self.speaker_usage);
        let dropped = self.is_dropped();
        self.mouth.close(self.failure.filter(|_| !dropped));
    }
}

#[cfg(test)]
mod tests;
