//! How the caller is heard and spoken to now: what a voice needs to know of the program, at the
//! place where the call is.

use dgh_ir::{ProviderUse, Value};

use crate::call::Call;
use crate::prepared::declared;
use crate::reply::{Label, Model, Wanted};

/// How the caller is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// Whether the caller may talk over the agent.
    pub interrupt: bool,
    /// Words that it takes to interrupt; none: a voice is enough.
    pub min_words: Option<u32>,
    /// Milliseconds of silence that end a turn; none: the runtime decides.
    pub end_after_ms: Option<u64>,
    /// Whether keys are listened to.
    pub keypad: bool,
}

/// What the caller is expected to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Expects {
    /// Routes that words may choose.
    pub labels: Vec<Label>,
    /// Values that words may fill.
    pub wanted: Vec<Wanted>,
    /// Whether a yes or no to a read-back is waited for.
    pub read_back: bool,
}

/// What is heard beside the voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambience {
    /// Name of the room: `office`.
    pub room: String,
    /// Percent of its full loudness.
    pub percent: u8,
}

impl Call {
    /// How the caller is listened to now: the node's `turn`, else the agent's.
    pub fn listening(&self) -> Listening {
        let min_words = match self.turn_value("min_words") {
            Some(Value::Int(words)) => u32::try_from(words).ok().filter(|words| *words > 0),
            _ => None,
        };
        let end_after_ms = match self.turn_value("end_after") {
            Some(Value::Duration(ms)) => u64::try_from(ms).ok(),
            _ => None,
        };
        Listening {
            interrupt: self.turn_setting("interrupt"),
            min_words,
            end_after_ms,
            keypad: self.turn_setting("keypad"),
        }
    }

    /// What the caller is expected to say now; for recognisers that take a grammar.
    pub fn expects(&self) -> Expects {
        let program = &self.prepared.program;
        Expects {
            labels: self.labels().into_iter().map(|(label, _)| label).collect(),
            wanted: self.wanted(program),
            read_back: self.top().is_some_and(|frame| frame.read_back.is_some()),
        }
    }

    /// Recognisers of the agent, in order of fallback.
    pub fn recognisers(&self) -> Vec<Model> {
        self.resolved(&declared(&self.prepared.program, self.state.agent).models.stt)
    }

    /// Voices of the node, else of the agent, in order of fallback.
    pub fn voices(&self) -> Vec<Model> {
        let program = &self.prepared.program;
        let own = self.node(program).map(|node| &node.models.tts).filter(|own| !own.is_empty());
        self.resolved(own.unwrap_or(&declared(program, self.state.agent).models.tts))
    }

    /// Speech-to-speech models of the agent, in order of fallback; empty: it is a cascade.
    pub fn realtime(&self) -> Vec<Model> {
        self.resolved(&declared(&self.prepared.program, self.state.agent).models.realtime)
    }

    /// Languages of the agent, the first one first.
    pub fn languages(&self) -> &[String] {
        &declared(&self.prepared.program, self.state.agent).languages
    }

    /// Language of the call now.
    pub fn language(&self) -> &str {
        &self.state.language
    }

    /// Words that the recogniser should know.
    pub fn vocabulary(&self) -> &[String] {
        &declared(&self.prepared.program, self.state.agent).words
    }

    /// The room that is heard; none: silence.
    pub fn ambience(&self) -> Option<Ambience> {
        let room = match self.setting("sound", "ambient") {
            Some(Value::Case(room) | Value::Text(room)) if room != "none" => room,
            _ => return None,
        };
        let percent = match self.setting("sound", "volume") {
            Some(Value::Number(share)) => (share * rust_decimal::Decimal::ONE_HUNDRED).round(),
            _ => rust_decimal::Decimal::from(DEFAULT_VOLUME),
        };
        let percent = u8::try_from(percent).unwrap_or(DEFAULT_VOLUME).min(100);
        Some(Ambience { room, percent })
    }

    /// Whether noise is taken out of what the caller says.
    pub fn denoises(&self) -> bool {
        self.setting("sound", "denoise") == Some(Value::Bool(true))
    }

    /// Whether an outbound call is still finding out who answered.
    pub fn wonders_who_answered(&self) -> bool {
        self.screens() && (!self.state.answering.decided || self.state.answering.awaits_beep)
    }

    fn turn_value(&self, name: &str) -> Option<Value> {
        let program = &self.prepared.program;
        let of_node = self.node(program).and_then(|node| node.turn.get(name));
        match of_node {
            Some(setting) => self.eval(0, setting).ok().filter(|value| *value != Value::None),
            None => self.setting("turn", name),
        }
    }

    fn resolved(&self, list: &[ProviderUse]) -> Vec<Model> {
        list.iter().filter_map(|used| self.model(&self.prepared.program, used)).collect()
    }
}

/// Loudness of a room when the program does not say: there, and easily talked over.
const DEFAULT_VOLUME: u8 = 30;
