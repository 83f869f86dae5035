//! What people do in a call that goes on: a message in its inbox, which the node that has it takes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dgh_platform::access::{Role, Scope};
use dgh_platform::calls::book::{Book, Told};
use dgh_store::{CallId, InboxId, audit, calls};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::book;
use crate::app::App;
use crate::v1::problem::Problem;
use crate::v1::take::{Body, Path};
use crate::v1::who::Who;

/// Longest words, in characters.
const MOST_WORDS: usize = 2_000;
/// Longest name of a variable.
const MOST_NAME: usize = 100;
/// How long another line may ring when nobody says, and at most.
const RING_MS: u64 = 25_000;
const MOST_RING_MS: u64 = 120_000;

/// Something to do in a call.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub(crate) enum Command {
    /// Hang up. The caller hears a goodbye.
    Hangup {},
    /// Say this to the caller.
    Say {
        /// The words.
        #[schema(min_length = 1, max_length = 2000)]
        text: String,
    },
    /// Tell the agent, and not the caller.
    Whisper {
        /// The words.
        #[schema(min_length = 1, max_length = 2000)]
        text: String,
    },
    /// Give a `var` of the agent a value.
    Set {
        /// Its name.
        #[schema(min_length = 1, max_length = 100)]
        name: String,
        /// JSON of its type.
        value: Value,
    },
    /// Hand the caller over.
    Transfer {
        /// E.164, or as the carrier takes it.
        #[schema(min_length = 1, max_length = 100)]
        number: String,
        /// A word with the other side first.
        #[serde(default)]
        warm: bool,
        /// Milliseconds of ringing.
        #[serde(default = "ring")]
        #[schema(minimum = 1000, maximum = 120_000)]
        ring_ms: u64,
    },
}

/// A command that was left for the call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Left {
    /// Its id.
    id: String,
    /// What became of it: `taken`, `busy`, `gone`; null: nothing yet.
    result: Option<String>,
}

/// Does something in a call that goes on: whichever node has it takes the command.
#[utoipa::path(
    post, path = "/calls/{call}/commands", tag = "calls",
    security(("key" = ["editor", "calls:write"])),
    params(("call" = String, Path, description = "Its id.")),
    request_body = Command,
    responses((status = 202, body = Left)),
)]
pub(crate) async fn command(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<CallId>,
    Body(command): Body<Command>,
) -> Result<(StatusCode, Json<Left>), Problem> {
    who.needs(Role::Editor, Scope::CallsWrite)?;
    let left = leave(book(&app)?, &who, &id, &command, app.now()).await?;
    Ok((StatusCode::ACCEPTED, Json(left)))
}

/// Says what became of a command.
#[utoipa::path(
    get, path = "/calls/{call}/commands/{command}", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(
        ("call" = String, Path, description = "The id of the call."),
        ("command" = String, Path, description = "The id of the command."),
    ),
    responses((status = 200, body = Left)),
)]
pub(crate) async fn result(
    State(app): State<Arc<App>>,
    who: Who,
    Path((call, id)): Path<(CallId, InboxId)>,
) -> Result<Json<Left>, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let mut conn = book(&app)?.read().await?;
    let told = calls::told(&mut conn, &who.org, &call, &id).await?;
    let result = told.ok_or_else(|| Problem::not_found("command"))?;
    Ok(Json(Left { id: id.to_string(), result }))
}

/// Leaves a command for the node that has the call.
pub(super) async fn leave(
    book: &Book,
    who: &Who,
    id: &CallId,
    command: &Command,
    now: i64,
) -> Result<Left, Problem> {
    command.check()?;
    let mut tx = book.db().begin().await?;
    let row = calls::get(&mut tx, &who.org, id).await?.ok_or_else(|| Problem::not_found("call"))?;
    if row.state == "ended" {
        return Err(Problem::conflict("call_over", "the call is over"));
    }
    let (kind, payload) = match command {
        Command::Hangup {} => ("hangup", json!({})),
        other => ("operator", json!(other)),
    };
    let by_whom = who.user.as_ref().map(ToString::to_string).or(who.key.as_ref().map(ToString::to_string));
    let told = Told { kind, payload, external: None, by_whom };
    let left = book.post(&mut tx, &who.org, id, told, now).await?;
    // What was said is for the call alone: the log of changes names the deed.
    let detail = json!({ "do": command.name() });
    audit::write(&mut tx, &who.org, &who.actor(), "call.command", id.as_str(), &detail, now).await?;
    tx.commit().await.map_err(dgh_store::StoreError::from)?;
    book.hint(id).await;
    let id = left.ok_or_else(|| Problem::internal("a fresh message was there before"))?;
    Ok(Left { id: id.to_string(), result: None })
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Hangup {} => "hangup",
            Self::Say { .. } => "say",
            Self::Whisper { .. } => "whisper",
            Self::Set { .. } => "set",
            Self::Transfer { .. } => "transfer",
        }
    }

    fn check(&self) -> Result<(), Problem> {
        let (at, text, most) = match self {
            Self::Hangup {} => return Ok(()),
            Self::Say { text } | Self::Whisper { text } => ("text", text, MOST_WORDS),
            Self::Set { name, .. } => ("name", name, MOST_NAME),
            Self::Transfer { number, ring_ms, .. } => {
                if !(1_000..=MOST_RING_MS).contains(ring_ms) {
                    let told = format!("a line rings for 1000 to {MOST_RING_MS} milliseconds");
                    return Err(Problem::invalid("ring_ms", told));
                }
                ("number", number, MOST_NAME)
            }
        };
        if text.trim().is_empty() || text.chars().count() > most {
            return Err(Problem::invalid(at, format!("it has 1 to {most} characters")));
        }
        Ok(())
    }
}

fn ring() -> u64 {
    RING_MS
}
