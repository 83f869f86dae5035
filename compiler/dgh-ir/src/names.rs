//! The word of every case of the language's closed sets: one table for messages, for reading
//! sources and for the wire form.

use crate::event::{CallEvent, LimitKind, TransferFailure};
use crate::expr::{Builtin, CmpOp, Format, MathOp};
use crate::program::{Channel, Confirm, InputMode, Method, ProviderKind, Sink, SlotKind, TransferMode};

/// Gives an enum without data its words: `ALL`, `name`, `parse`, `Display`, and the wire form.
macro_rules! words {
    ($ty:ident { $($case:ident = $word:literal),+ $(,)? }) => {
        impl $ty {
            /// All cases, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$case),+];

            /// Its word in the language.
            pub fn name(self) -> &'static str {
                match self { $(Self::$case => $word),+ }
            }

            /// The case with this word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$case),)+ _ => None }
            }
        }

        impl std::fmt::Display for $ty {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl serde::Serialize for $ty {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $ty {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                Self::parse(&word)
                    .ok_or_else(|| serde::de::Error::unknown_variant(&word, &[$($word),+]))
            }
        }

        impl schemars::JsonSchema for $ty {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($ty).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }
    };
}

words!(CmpOp { Eq = "==", Ne = "!=", Lt = "<", Le = "<=", Gt = ">", Ge = ">=" });
words!(MathOp { Add = "+", Sub = "-", Mul = "*", Div = "/" });
words!(Format { Spoken = "spoken", Date = "date", Time = "time", Digits = "digits", Iso = "iso" });
words!(Builtin {
    Now = "now",
    CallerPhone = "caller.phone",
    CallerLanguage = "caller.language",
    CallId = "call.id",
    CallOutcome = "call.outcome",
    CallEndedBy = "call.ended_by",
    CallDuration = "call.duration",
    CallAnsweredBy = "call.answered_by",
    CallTranscriptUrl = "call.transcript_url",
    CallRecordingUrl = "call.recording_url",
    CallSummary = "call.summary",
});
words!(TransferFailure {
    Busy = "busy",
    NoAnswer = "no_answer",
    Declined = "declined",
    Failed = "failed",
    Unsupported = "unsupported",
});
words!(LimitKind { Duration = "duration", Cost = "cost", Turns = "turns" });
words!(CallEvent {
    Started = "call.started",
    Answered = "call.answered",
    Transferred = "call.transferred",
    Failed = "call.failed",
    Ended = "call.ended",
    ReviewDone = "review.done",
});
words!(Method { Get = "get", Post = "post", Put = "put", Patch = "patch", Delete = "delete" });
words!(ProviderKind {
    Llm = "llm",
    Stt = "stt",
    Tts = "tts",
    Realtime = "realtime",
    Auth = "auth",
});
words!(Channel { Phone = "phone", Web = "web", Chat = "chat" });
words!(SlotKind { Input = "input", Var = "var", Binding = "binding" });
words!(Confirm { Always = "always", Unsure = "unsure", Never = "never" });
words!(InputMode { Speech = "speech", Keypad = "keypad", SpeechOrKeypad = "speech_or_keypad" });
words!(TransferMode { Cold = "cold", Warm = "warm" });
words!(Sink {
    Llm = "llm",
    Speech = "speech",
    Transcript = "transcript",
    Recording = "recording",
    Log = "log",
    Voicemail = "voicemail",
    Webhook = "webhook",
    Tool = "tool",
    Brief = "brief",
});
