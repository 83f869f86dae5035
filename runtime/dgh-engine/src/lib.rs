//! The dialogue. A call is a value: facts go in as [`Event`]s, with the time; what has to happen
//! comes out as [`Effect`]s. No clock, no IO, no random source, no float, no async.

pub mod effect;
pub mod event;
pub mod reply;

pub use effect::Effect;
pub use event::Event;
pub use reply::{Card, Function, Message, ReplyRequest};
