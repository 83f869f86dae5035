//! Keys: of a menu, or of a `collect` that takes them.

use std::sync::Arc;

use dgh_ir::convert::from_text;
use dgh_ir::mask::placeholder;
use dgh_ir::{InputMode, Kind, Program, Rendered, SlotId, Type, Value};

use crate::call::Call;
use crate::effect::Record;
use crate::failure::Failure;
use crate::state::{Cause, Phase, Said, Timer};
use crate::visible::Raised;
use crate::words::{self, Keys};

/// Key that ends an input when the author names none.
const END: char = '#';
/// No further key comes after this.
const BETWEEN_KEYS_MS: i64 = 5_000;
/// Keys of one input; more are somebody leaning on the phone.
const MOST_KEYS: usize = 64;

impl Call {
    /// Keys, in the order in which they were pressed; each is an event of its own.
    pub(crate) fn keys(&mut self, keys: &str) {
        if !self.is_live() || self.state.hung_up || !self.turn_setting("keypad") {
            return;
        }
        self.state.timers.remove(&Timer::Silence);
        self.state.counts.errors = 0;
        self.state.counts.silence = 0;
        for key in keys.chars().filter(|key| key.is_ascii_digit() || matches!(key, '*' | '#')) {
            if self.state.phase != Phase::Live {
                return;
            }
            self.key(key);
            self.settle();
        }
    }

    /// Whether keys mean something now: a `collect` waits for them, or a handler names each.
    pub fn takes_keys(&self, keys: &str) -> bool {
        let program = &self.prepared.program;
        self.turn_setting("keypad")
            && (self.keyed(program).is_some()
                || keys.chars().all(|key| self.handler(&Raised::Key(key)).is_some()))
    }

    fn key(&mut self, key: char) {
        let program = Arc::clone(&self.prepared.program);
        if let Some((slot, until)) = self.keyed(&program) {
            self.stop_speech();
            return self.typed(&program, slot, until, key);
        }
        self.state.spoke = false;
        let raised = Raised::Key(key);
        let Some(found) = self.handler(&raised) else { return };
        self.stop_speech();
        self.state.counts.unclear = 0;
        self.record(Record::Keys { keys: key.to_string() });
        self.record(Record::Raised { event: raised.name() });
        self.take(found, Cause::Dialogue, &raised.name());
    }

    /// A key of a `collect`.
    fn typed(&mut self, program: &Program, slot: SlotId, until: char, key: char) {
        if key == until {
            return self.submit_keys();
        }
        if self.state.keys.len() < MOST_KEYS {
            self.state.keys.push(key);
        }
        self.after(Timer::Keypad, BETWEEN_KEYS_MS);
        let slots = &program.dialogue(self.dialogue()).slots;
        let full = match slots.get(slot).map(|slot| &slot.ty.kind) {
            Some(Kind::Digits(count)) => self.state.keys.len() >= *count as usize,
            _ => false,
        };
        if full {
            self.submit_keys();
        }
    }

    /// The input is over: the value is taken, or it was a try.
    pub(crate) fn submit_keys(&mut self) {
        self.state.timers.remove(&Timer::Keypad);
        let keys = std::mem::take(&mut self.state.keys);
        let program = Arc::clone(&self.prepared.program);
        let Some((slot, _)) = self.keyed(&program) else { return };
        let (scope, dialogue) = (self.scope(), self.dialogue());
        let Some(declared) = program.dialogue(dialogue).slots.get(slot) else { return };
        self.stop_reply();
        self.state.round = None;
        self.close_turn();
        self.state.counts.turns += 1;
        let shown =
            if self.declared_private(scope, slot) { placeholder(&declared.name) } else { keys.clone() };
        self.record(Record::Keys { keys: shown.clone() });
        self.state.history.push(Said::Caller(shown));
        self.state.spoke = false;
        let over_limit = self.check_turns();
        if over_limit {
            return;
        }
        match self.keyed_value(&program, scope, slot, &declared.ty, &keys) {
            Ok((value, from)) => {
                self.take_value(scope, slot, value, from, false);
                self.useful();
                if let Some(frame) = self.top_mut() {
                    frame.stalled = 0;
                }
            }
            Err(failure) => {
                self.refuse(format!("`{}`: {}", declared.name, failure.0));
                if self.count_try() && self.raise(&Raised::FailedCollect, Cause::Dialogue) {
                    return;
                }
                if !keys.is_empty() {
                    self.say_which_keys(&program, slot);
                }
            }
        }
        self.owe_words();
    }

    /// Keys of an input that nobody ended do not belong to the next one.
    pub(crate) fn drop_keys(&mut self) {
        self.state.keys.clear();
        self.state.timers.remove(&Timer::Keypad);
    }

    /// Says which keys fit, where the question that follows is the author's own and cannot.
    fn say_which_keys(&mut self, program: &Program, slot: SlotId) {
        let asks = self.node(program).and_then(|node| node.collect.as_ref()).is_some_and(|c| c.ask.is_some());
        if !asks {
            return;
        }
        let kind = program.dialogue(self.dialogue()).slots.get(slot).map(|slot| &slot.ty.kind);
        let options = self.list_of(program, slot).and_then(|list| self.options(list).ok());
        let fits = match (options, kind) {
            (Some(options), _) => Keys::Number(options.len()),
            (None, Some(Kind::Enum(id))) => {
                Keys::Number(program.enums.get(*id).map_or(0, |def| def.cases.len()))
            }
            (None, Some(Kind::Bool)) => Keys::YesOrNo,
            (None, Some(Kind::Digits(count))) => Keys::Digits(*count),
            (None, Some(Kind::Date)) => Keys::Date,
            _ => Keys::Other,
        };
        let text = words::wrong_keys(&self.state.language, fits);
        let interruptible = self.interruptible();
        self.speak(Rendered { masked: text.clone(), text, muted: Vec::new() }, true, interruptible, None);
    }

    fn keyed_value(
        &mut self,
        program: &Program,
        scope: usize,
        slot: SlotId,
        ty: &Type,
        keys: &str,
    ) -> Result<(Value, Vec<SlotId>), Failure> {
        let number = keys.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let (value, from) = if let Some(list) = self.list_of(program, slot) {
            let options = self.options(list)?;
            let picked = number.and_then(|index| options.get(index).cloned());
            let most = options.len();
            (picked.ok_or_else(|| Failure(format!("a number from 1 to {most}")))?, list.reads())
        } else {
            let value = match &ty.kind {
                // Yes is 1, no is 2; a case is its number.
                Kind::Bool => match keys {
                    "1" => Value::Bool(true),
                    "2" => Value::Bool(false),
                    _ => return Err(Failure::new("1 for yes, 2 for no")),
                },
                Kind::Enum(id) => {
                    let cases = program.enums.get(*id).map_or(&[][..], |def| &def.cases);
                    let case = number.and_then(|index| cases.get(index).cloned());
                    Value::Case(case.ok_or_else(|| Failure(format!("a number from 1 to {}", cases.len())))?)
                }
                Kind::Date => {
                    typed_date(keys).ok_or_else(|| Failure::new("eight digits: year, month, day"))?
                }
                Kind::Time => {
                    let text = keys.split_at_checked(2).filter(|_| keys.len() == 4);
                    let text = text.map(|(h, m)| format!("{h}:{m}"));
                    let text = text.ok_or_else(|| Failure::new("four digits: hours, minutes"))?;
                    from_text(program, ty, &text, self.locale()).map_err(|error| Failure(error.expected))?
                }
                // A star is the decimal point.
                _ => from_text(program, ty, &keys.replace('*', "."), self.locale())
                    .map_err(|error| Failure(error.expected))?,
            };
            (value, Vec::new())
        };
        match self.refuses(scope, slot, &value) {
            Some(reason) => Err(Failure(reason)),
            None => Ok((value, from)),
        }
    }

    /// The name that keys are typed for now, and the key that ends it.
    fn keyed(&self, program: &Program) -> Option<(SlotId, char)> {
        let collect = self.node(program)?.collect.as_ref()?;
        if collect.by == InputMode::Speech {
            return None;
        }
        let scope = self.scope();
        let open =
            |slot: &&SlotId| self.state.slot(scope, **slot).is_none_or(|s| s.value.is_none() || s.disputed);
        let slot = collect.slots.iter().find(open)?;
        let until = collect.until.as_ref().and_then(|until| until.chars().next());
        Some((*slot, until.unwrap_or(END)))
    }
}

/// `20260301`
fn typed_date(keys: &str) -> Option<Value> {
    let (year, rest) = keys.split_at_checked(4).filter(|_| keys.len() == 8)?;
    let (month, day) = rest.split_at_checked(2)?;
    let date = chrono::NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    Some(Value::Date(date))
}
