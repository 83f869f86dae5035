//! Tools that need no network: see `std/tools.dgh`. Pure: the time is passed in.

mod calculator;
mod clock;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use dgh_ir::Value;
use serde_json::Value as Json;

use crate::error::NetError;
use crate::tool::refused;

pub use calculator::{MAX_DEPTH, MAX_EXPRESSION_BYTES, calculate};
pub use clock::clock;

/// Runs a built-in tool by its name.
pub(crate) fn run(
    name: &str,
    arguments: &HashMap<String, Value>,
    now: DateTime<Utc>,
) -> Result<Json, NetError> {
    let text = |parameter: &str| match arguments.get(parameter) {
        Some(Value::Text(text)) => Ok(text.as_str()),
        _ => Err(refused(format!("`{parameter}` of `{name}` is missing"))),
    };
    match name {
        "calculator" => {
            calculate(text("expression")?).map(|n| dgh_ir::to_json(&Value::Number(n))).map_err(refused)
        }
        "clock" => clock(text("time_zone")?, now).map_err(refused),
        _ => Err(refused(format!("this runtime has no built-in tool `{name}`"))),
    }
}
