//! Values and JSON. Reading is directed by a type and forgiving about form where the meaning is
//! certain (a number in quotes, a phone number with brackets); writing has one form each.
//!
//! | type | read | written |
//! |---|---|---|
//! | `date`, `time` | `2026-03-01`, `9:30`, `09:30:00`, `9:30 PM` | `2026-03-01`, `09:30:00` |
//! | `datetime` | `2026-03-01T09:30`, with `Z` or an offset: moved into the agent's zone | `2026-03-01T09:30:00` |
//! | `duration` | seconds, `90s`, `1h 30min`, `PT1H30M` | seconds |
//! | `money` | `{"amount": 20, "currency": "USD"}`, `"20 USD"`; `20` where the type fixes the currency | the object |
//! | `phone` | E.164 with any of ` -.()/`; national numbers where the locale has a country | E.164 |
//! | `int`, `number` | numbers, numbers in quotes | numbers; a text where a JSON number would lose digits |

mod error;
mod locale;
mod read;
mod schema;
mod write;

pub use error::{ConvertError, expected};
pub use locale::Locale;
pub use read::{from_json, from_text};
pub use schema::{object_schema, schema};
pub use write::to_json;

#[cfg(test)]
mod tests;
