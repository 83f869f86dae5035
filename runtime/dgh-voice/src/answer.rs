//! Who answered an outbound call: a person, a voicemail, an assistant that screens calls. Decided
//! from the first seconds: words and timing.

use dgh_engine::event::AnsweredBy;

use crate::Millis;
