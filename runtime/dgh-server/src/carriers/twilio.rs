//! `POST /carriers/twilio/{agent}/voice`: a number of Twilio's is called, and is told where to send
//! the sound.
//!
//! Source: Twilio's pages "TwiML Voice: `<Stream>`" and "Webhooks Security".

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use dgh_platform::keys;
use secrecy::ExposeSecret as _;

use super::signature::is_signed;
use super::tickets::Ticket;
use crate::app::App;
use crate::error::ApiError;

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
    let current = app.deployments.current();
    let agent = current.get(&id).ok_or_else(|| ApiError::no_agent(&id))?;
    let base = base(&app, &headers).ok_or_else(|| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "unknown_host",
            "the request does not say which host it is for",
        )
    })?;
    if !app.settings.insecure_carriers {
        let token = agent.secrets().secret(TOKEN).ok_or_else(|| {
            ApiError::new(
                StatusCode::FORBIDDEN,
                "no_token",
                "calls of Twilio cannot be told from others here",
            )
            .hint("Set TWILIO_AUTH_TOKEN in the environment, or under the profile's secrets.")
        })?;
        let signature = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok());
        let url = format!("{base}{}", path(&uri));
        if !is_signed(token.expose_secret(), &url, &parameters, signature.unwrap_or_default()) {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "bad_signature",
                "this request is not signed by Twilio",
            )
            .hint("Behind a proxy, name the address that Twilio calls with `--public-url`."));
        }
    }
    if app.calls.is_draining() {
        // Twilio tries the number's fallback.
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "draining", "no new calls are taken"));
    }
    let of = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let ticket = Ticket { carrier: "twilio".to_owned(), agent: id.clone(), from: of("From") };
    let name = keys::secret_name().ok().and_then(|name| app.tickets.issue(ticket, name, Instant::now()));
    let name = name.ok_or_else(|| {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "full", "too many calls are on their way")
    })?;
    let socket = base.replacen("http", "ws", 1);
    let xml = twiml(&format!("{socket}/carriers/twilio/{id}/{name}"), of("From"), of("To"));
    Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], xml).into_response())
}

/// The address that the carrier called, without its path.
fn base(app: &App, headers: &HeaderMap) -> Option<String> {
    if let Some(url) = &app.settings.public_url {
        return Some(url.as_str().trim_end_matches('/').to_owned());
    }
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(format!("http://{host}"))
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
