//! Webhooks of Twilio: a number is called, and Twilio is told where to send the sound; a call that we
//! asked for rings, is answered, is over.
//!
//! Source: Twilio's pages "TwiML Voice: `<Stream>`" and "Webhooks Security".

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use dgh_engine::{Caller, Direction};
use dgh_ir::Channel;
use dgh_platform::calls::About;
use dgh_platform::calls::book::{Roster, Told};
use dgh_platform::{Agent, NewCall, Version};
use dgh_store::calls::{self as rows, CallState};
use dgh_store::{CallId, StoreError};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::signature::is_signed;
use super::tickets;
use crate::app::App;
use crate::error::ApiError;

/// The name of its lines.
const LINE: &str = "twilio";
/// The account's token, in the secrets of the profile or in the environment.
const TOKEN: &str = "TWILIO_AUTH_TOKEN";

/// Answers with the TwiML that connects the call to the agent.
pub(crate) async fn voice(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, ApiError> {
    let Form(parameters) = body?;
    let of = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    // The same caller meets the same release, here and when they call again.
    let agent = app.agents.resolve(&app.home, &id, &Version::Production, of("From").as_deref()).await;
    let agent = agent.map_err(|error| ApiError::of_agent(&id, error))?;
    let base = base(&app, &headers)?;
    check(&app, &agent, &base, &uri, &headers, &parameters)?;
    if app.calls.is_draining() {
        // Twilio tries the number's fallback.
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "draining", "no new calls are taken"));
    }
    let new = NewCall {
        id: id.clone(),
        agent: Arc::clone(&agent),
        channel: Channel::Phone,
        line: LINE,
        caller: Caller { phone: of("From"), language: None },
        inputs: Vec::new(),
        watched: false,
        about: About { direction: Some(Direction::Inbound), number: of("To"), ..About::default() },
    };
    let org = agent.pinned.as_ref().map_or(&app.home, |pinned| &pinned.org);
    let row = rows::NewCall { carrier_call: of("CallSid"), ..new.row(&CallId::fresh(), None) };
    let word = tickets::issue(&app, org, row).await?;
    let socket = base.replacen("http", "ws", 1);
    let xml = twiml(&format!("{socket}/carriers/twilio/{id}/{word}"), of("From"), of("To"));
    Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], xml).into_response())
}

/// `POST /carriers/twilio/calls/{call}/status`: how a call goes that we asked for. What is told is kept
/// before it is answered, and once: Twilio numbers what it tells.
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Path(id): Path<CallId>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<StatusCode, ApiError> {
    let Form(parameters) = body?;
    let of = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let book = app.calls.book().ok_or_else(ApiError::no_call)?;
    let row = {
        let mut conn = book.read().await?;
        rows::get_unscoped(&mut conn, &id).await?
    };
    let row = row.filter(|row| row.line == LINE).ok_or_else(ApiError::no_call)?;
    let agent = Roster::pinned(&*app.agents, &row).await.ok_or_else(|| ApiError::no_agent(&row.agent))?;
    check(&app, &agent, &base(&app, &headers)?, &uri, &headers, &parameters)?;
    let told = match of("AnsweredBy") {
        Some(who) => Told {
            kind: "answered_by",
            payload: json!({ "who": answered_by(who) }),
            external: Some("amd".to_owned()),
            by_whom: None,
        },
        None => {
            let status = of("CallStatus").unwrap_or_default();
            let over = matches!(status, "completed" | "busy" | "no-answer" | "failed" | "canceled");
            Told {
                kind: if over { "over" } else { "status" },
                payload: json!({ "status": status }),
                external: Some(format!("{status}:{}", of("SequenceNumber").unwrap_or_default())),
                by_whom: None,
            }
        }
    };
    let over = told.kind == "over";
    let now = app.now();
    let mut tx = book.db().begin().await?;
    if book.post(&mut tx, &row.org_id, &id, told, now).await?.is_none() {
        return Ok(StatusCode::NO_CONTENT);
    }
    if of("CallStatus") == Some("ringing") {
        rows::advance(&mut tx, &tickets::owner(&row), CallState::Ringing, now).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    let why = of("CallStatus").unwrap_or_default().to_owned();
    if !over || !book.not_connected(&row, Some(agent), &why).await? {
        // Somebody has it: they are told.
        book.hint(&id).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses what Twilio did not sign with the token of the agent's account.
fn check(
    app: &App,
    agent: &Agent,
    base: &str,
    uri: &Uri,
    headers: &HeaderMap,
    parameters: &[(String, String)],
) -> Result<(), ApiError> {
    if app.settings.insecure_carriers {
        return Ok(());
    }
    let token = agent.secrets().secret(TOKEN).ok_or_else(|| {
        ApiError::new(StatusCode::FORBIDDEN, "no_token", "calls of Twilio cannot be told from others here")
            .hint("Set TWILIO_AUTH_TOKEN in the environment, or under the profile's secrets.")
    })?;
    let signature = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok());
    let url = format!("{base}{}", path(uri));
    if is_signed(token.expose_secret(), &url, parameters, signature.unwrap_or_default()) {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "bad_signature", "this request is not signed by Twilio")
        .hint("Behind a proxy, name the address that Twilio calls with `--public-url`."))
}

/// Source: Twilio's page "Answering Machine Detection", values of `AnsweredBy`.
fn answered_by(who: &str) -> &'static str {
    match who {
        "human" => "human",
        // The greeting is over, or its beep was heard: it listens now.
        "machine_end_beep" | "machine_end_silence" | "machine_end_other" => "voicemail",
        _ => "unknown",
    }
}

/// The address that the carrier called, without its path.
fn base(app: &App, headers: &HeaderMap) -> Result<String, ApiError> {
    if let Some(url) = &app.settings.public_url {
        return Ok(url.as_str().trim_end_matches('/').to_owned());
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.ok_or_else(|| {
        let told = "the request does not say which host it is for";
        ApiError::new(StatusCode::BAD_REQUEST, "unknown_host", told)
    })?;
    Ok(format!("http://{host}"))
}

fn path(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

/// The answer to the webhook. What the carrier told is handed on, since the stream does not tell it.
fn twiml(socket: &str, from: Option<String>, to: Option<String>) -> String {
    let mut xml = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="{}">"#,
        escaped(socket)
    );
    for (name, value) in [("from", from), ("to", to)] {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(xml, r#"<Parameter name="{name}" value="{}"/>"#, escaped(&value));
        }
    }
    xml.push_str("</Stream></Connect></Response>");
    xml
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_calls_themselves_stays_text() {
        let xml = twiml("wss://h/x", Some("\"/><Hangup/>&".to_owned()), None);
        assert_eq!(
            xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Connect><Stream url=\"wss://h/x\">\
             <Parameter name=\"from\" value=\"&quot;/&gt;&lt;Hangup/&gt;&amp;\"/></Stream></Connect></Response>"
        );
    }
}
