//! Calls that somebody asks for: `POST /agents/{agent}/calls`, the trigger of other systems.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dgh_engine::event::Timestamp;
use dgh_engine::{CallStart, Caller, Direction};
use dgh_ir::Channel;
use dgh_platform::access::{Role, Scope};
use dgh_platform::calls::dial::{self, Dial, Dialer};
use dgh_platform::calls::{About, NewCall};
use dgh_platform::{Agent, Version, keys};
use dgh_store::calls::{self as rows, CallRow, Created, Scope as Whose};
use dgh_store::{CallId, OrgId, audit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{CallItem, book};
use crate::app::App;
use crate::v1::idempotency::{Begun, Create};
use crate::v1::problem::{Fault, Problem};
use crate::v1::take::Path;
use crate::v1::who::Who;

/// Seconds after which a place may be free.
const TRY_AGAIN: u64 = 10;

/// A call that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCallOut {
    /// Who is called: `+`, the country and the number (E.164).
    #[schema(pattern = r"^\+[1-9][0-9]{6,14}$")]
    to: String,
    /// Which number is shown; else that of `outbound { from: … }`.
    #[serde(default)]
    #[schema(pattern = r"^\+[1-9][0-9]{6,14}$")]
    from: Option<String>,
    /// What the agent's inputs are given.
    #[serde(default)]
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
    /// What is called: what callers meet, or the draft.
    #[serde(default)]
    version: Wanted,
    /// Whether it is a test: its webhooks are shown, and not sent.
    #[serde(default)]
    test: bool,
    /// The campaign that it is counted for.
    #[serde(default)]
    #[schema(max_length = 100)]
    campaign: Option<String>,
    /// Whether the carrier listens who answers, besides the agent.
    #[serde(default)]
    detect_machines: bool,
}

/// Which state of an agent is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wanted {
    /// What callers meet.
    #[default]
    Published,
    /// The draft, with the profile `dev`.
    Draft,
}

/// Has the agent call somebody. The call is answered when it is written down; it rings after that.
#[utoipa::path(
    post, path = "/agents/{agent}/calls", tag = "calls",
    security(("key" = ["editor", "calls:write"])),
    params(("agent" = String, Path, description = "The name of the agent.")),
    request_body = NewCallOut,
    responses((status = 201, body = CallItem)),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    who: Who,
    Path(name): Path<String>,
    create: Create<NewCallOut>,
) -> Result<Response, Problem> {
    who.needs(Role::Editor, Scope::CallsWrite)?;
    if app.calls.is_draining() {
        let told = "no new calls are taken: the server is about to stop";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "draining", told).retry_after(TRY_AGAIN));
    }
    let wanted = create.wanted();
    number("to", &wanted.to)?;
    if let Some(from) = &wanted.from {
        number("from", from)?;
    }
    let version = match wanted.version {
        Wanted::Published => Version::Production,
        Wanted::Draft => Version::Draft,
    };
    let agent = app.agents.resolve(&who.org, &name, &version, Some(&wanted.to)).await?;
    let inputs: Vec<(String, Value)> =
        wanted.inputs.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    check_inputs(&agent, &inputs)?;
    let (dialer, from) = way_out(&agent, wanted, &inputs)?;
    let (wanted, mut once) = match create.begin(&app, &who).await? {
        Begun::Again(answer) => return Ok(answer),
        Begun::First(wanted, once) => (wanted, once),
    };
    let book = book(&app)?;
    let (id, now) = (CallId::fresh(), app.now());
    let ticket = keys::secret_name().map_err(Problem::internal)?;
    let new = NewCall {
        id: name.clone(),
        agent: Arc::clone(&agent),
        channel: Channel::Phone,
        line: dialer.name(),
        caller: Caller { phone: Some(wanted.to.clone()), language: None },
        inputs: inputs.clone(),
        watched: false,
        about: About {
            direction: Some(Direction::Outbound),
            number: Some(from.clone()),
            test: wanted.test,
            campaign: wanted.campaign.clone(),
            owner: None,
        },
    };
    let due = now + dial::ON_ITS_WAY_MS;
    let sealed = book.seal(&format!("inputs:{id}"), &json!(inputs).to_string())?;
    let row = rows::NewCall {
        due_at: Some(due),
        ticket: Some((hashed(&ticket), due)),
        inputs: Some(sealed),
        ..new.row(&id, None)
    };
    match book.create_in(once.conn(), &who.org, &row, now).await? {
        Created::New | Created::Already(_) => {}
        Created::Full { scope, max } => return Err(full(scope, max, &name)),
    }
    let detail = json!({ "agent": name, "test": wanted.test });
    audit::write(once.conn(), &who.org, &who.actor(), "call.create", id.as_str(), &detail, now).await?;
    let made = stored(once.conn(), &who.org, &id).await?;
    let answer = once.created(&format!("/api/v1/calls/{id}"), &CallItem::from(made.clone())).await?;
    dial_out(&app, agent, made, dialer, &ticket, wanted.detect_machines);
    Ok(answer)
}

/// Rings somebody up for a call that is written down.
fn dial_out(
    app: &Arc<App>,
    agent: Arc<Agent>,
    row: CallRow,
    dialer: Arc<dyn Dialer>,
    ticket: &str,
    detects_machines: bool,
) {
    let own = app.settings.own_url(app.listens);
    let socket = own.as_str().replacen("http", "ws", 1);
    let line = dialer.name();
    let dial = Dial {
        to: row.called.clone().unwrap_or_default(),
        from: row.caller.clone().unwrap_or_default(),
        socket: format!("{socket}carriers/{line}/{}/{ticket}", row.agent),
        status: format!("{own}carriers/{line}/calls/{}/status", row.id),
        detects_machines,
    };
    tokio::spawn(dial::ring(Arc::clone(&app.calls), agent, row, dialer, dial));
}

fn check_inputs(agent: &Agent, inputs: &[(String, Value)]) -> Result<(), Problem> {
    let faults = agent.faults(inputs);
    if faults.is_empty() {
        return Ok(());
    }
    let faults = faults
        .into_iter()
        .map(|(name, detail)| Fault { at: format!("inputs.{name}"), detail, code: None })
        .collect();
    Err(Problem::unprocessable("invalid_inputs", "the inputs do not fit the agent").faults(faults))
}

/// The carrier, and the number that is shown.
fn way_out(
    agent: &Agent,
    wanted: &NewCallOut,
    inputs: &[(String, Value)],
) -> Result<(Arc<dyn Dialer>, String), Problem> {
    let dialer = dial::usual(agent).map_err(|missing| {
        Problem::unprocessable("no_carrier", "the agent has no account with a carrier")
            .hint(format!("Set the secret {missing} in its profile."))
    })?;
    if agent.chosen.uses.tts.is_none() {
        return Err(Problem::unprocessable("no_voice", "the agent has no voice here")
            .hint("Set the key of its voice, or serve with `--tts`."));
    }
    let mut start = CallStart::new("", Channel::Phone, Timestamp(0));
    start.direction = Direction::Outbound;
    let call = agent
        .call(start, inputs.iter().cloned())
        .map_err(|error| Problem::unprocessable("cannot_start", format!("{error:#}")))?;
    let from = wanted.from.clone().or_else(|| call.call().shows_number()).ok_or_else(|| {
        Problem::invalid("from", "nobody says which number is shown")
            .hint("Send `from`, or write `outbound { from: … }` in the agent.")
    })?;
    Ok((dialer, from))
}

fn full(scope: Whose, max: i64, agent: &str) -> Problem {
    let what = match scope {
        Whose::Org => "the organisation".to_owned(),
        Whose::Agent => format!("agent `{agent}`"),
        Whose::Campaign => "the campaign".to_owned(),
    };
    let told = format!("{what} has {max} calls at a time, and no more");
    Problem::too_many("no_place", told, TRY_AGAIN)
}

async fn stored(conn: &mut dgh_store::Conn, org: &OrgId, id: &CallId) -> Result<CallRow, Problem> {
    rows::get(conn, org, id).await?.ok_or_else(|| Problem::internal("a call that was written is not there"))
}

/// `+`, the country and the number (E.164).
fn number(at: &'static str, text: &str) -> Result<(), Problem> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let good = (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if good {
        Ok(())
    } else {
        Err(Problem::invalid(at, "a number is `+`, the country and the number: +14155550100"))
    }
}

/// How words of links and tickets are kept.
pub(crate) fn hashed(word: &str) -> String {
    Sha256::digest(word.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_that_of_the_whole_world() {
        assert!(number("to", "+14155550100").is_ok());
        for wrong in [
            "",
            "14155550100",
            "+0155550100",
            "+1 415 5550100",
            "+1415",
            "+141555501001234567",
            "+1415555o100",
        ] {
            assert!(number("to", wrong).is_err(), "{wrong}");
        }
    }
}
