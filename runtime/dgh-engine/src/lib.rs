//! The dialogue. A call is a value: facts go in as [`Event`]s, with the time; what has to happen
//! comes out as [`Effect`]s. No clock, no IO, no random source, no float, no async.

pub mod effect;
pub mod event;
pub mod reply;

mod answering;
mod assign;
mod begin;
mod call;
mod collect;
mod decide;
mod end;
mod enter;
mod events;
mod failure;
pub mod functions;
mod keypad;
mod limits;
mod listening;
pub mod log;
mod operator;
pub mod phrases;
mod policy;
mod prepared;
mod private;
mod request;
mod route;
mod settings;
mod settle;
mod speech;
mod start;
mod state;
mod steps;
pub mod testing;
#[cfg(test)]
mod tests;
mod tools;
mod turn;
mod view;
mod visible;
mod words;

pub use call::{Call, Poll, Saved};
pub use effect::Effect;
pub use end::LAST_WORDS_MS;
pub use event::Event;
pub use listening::{Ambience, Expects, Listening};
pub use prepared::Prepared;
pub use reply::{Card, Function, Message, ReplyRequest};
pub use start::{CallStart, Caller, Direction, StartError};
