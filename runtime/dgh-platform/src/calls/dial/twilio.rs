//! Calls through Twilio: `POST /2010-04-01/Accounts/{sid}/Calls.json`.
//!
//! Source: Twilio's pages "Call resource", "TwiML Voice: `<Stream>`", "Answering Machine Detection".

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dgh_net::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use dgh_net::{Client, Method, Request, Secrets};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use super::{Dial, DialError, Dialed, Dialer, RING_SECONDS};

/// The account, and the secret of its API.
const ACCOUNT: &str = "TWILIO_ACCOUNT_SID";
const TOKEN: &str = "TWILIO_AUTH_TOKEN";
/// Another address of the API, for a region or a test.
const API: &str = "TWILIO_API_URL";
const USUAL_API: &str = "https://api.twilio.com";
/// How long it may take to answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Longest answer.
const MAX_ANSWER: usize = 64 << 10;

/// Twilio.
pub(super) struct Twilio;

#[derive(Deserialize)]
struct Made {
    sid: String,
}

#[derive(Deserialize)]
struct Wrong {
    code: Option<i64>,
    message: String,
}

impl Dialer for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn missing(&self, secrets: &dyn Secrets) -> Option<&'static str> {
        [ACCOUNT, TOKEN].into_iter().find(|name| secrets.secret(name).is_none())
    }

    fn dial<'a>(
        &'a self,
        client: &'a Client,
        secrets: &'a dyn Secrets,
        dial: &'a Dial,
    ) -> BoxFuture<'a, Result<Dialed, DialError>> {
        async move {
            let answer = client.send(request(secrets, dial)?).await;
            let answer = answer.map_err(|error| DialError::Away(error.to_string()))?;
            if answer.status != 201 {
                let wrong = serde_json::from_slice::<Wrong>(&answer.body);
                let why = match wrong {
                    Ok(Wrong { code: Some(code), message }) => format!("Twilio says {code}: {message}"),
                    Ok(Wrong { code: None, message }) => format!("Twilio says: {message}"),
                    Err(_) => format!("Twilio answers with status {}", answer.status),
                };
                return Err(DialError::Refused(why));
            }
            let made: Made = serde_json::from_slice(&answer.body)
                .map_err(|_| DialError::Refused("Twilio answers with no call".to_owned()))?;
            Ok(Dialed { carrier_call: made.sid })
        }
        .boxed()
    }
}

fn request(secrets: &dyn Secrets, dial: &Dial) -> Result<Request, DialError> {
    let missing = |name: &str| DialError::Refused(format!("the secret {name} is missing"));
    let account = secrets.secret(ACCOUNT).ok_or_else(|| missing(ACCOUNT))?;
    let token = secrets.secret(TOKEN).ok_or_else(|| missing(TOKEN))?;
    let api = secrets.secret(API);
    let api = api.as_ref().map_or(USUAL_API, |api| api.expose_secret()).trim_end_matches('/');
    let account = account.expose_secret();
    let url = Url::parse(&format!("{api}/2010-04-01/Accounts/{account}/Calls.json"))
        .map_err(|error| DialError::Refused(format!("the address of Twilio is none: {error}")))?;
    let login = STANDARD.encode(format!("{account}:{}", token.expose_secret()));
    let mut login = HeaderValue::from_str(&format!("Basic {login}"))
        .map_err(|_| DialError::Refused("the account of Twilio is no login".to_owned()))?;
    login.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, login);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    Ok(Request {
        method: Method::POST,
        url,
        headers,
        body: Some(form(dial).into()),
        timeout: TIMEOUT,
        max_bytes: MAX_ANSWER,
    })
}

fn form(dial: &Dial) -> String {
    let twiml = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="{}"/></Connect></Response>"#,
        // Ours: letters, digits, and what addresses are made of.
        dial.socket.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
    );
    let mut form = Serializer::new(String::new());
    form.append_pair("To", &dial.to)
        .append_pair("From", &dial.from)
        .append_pair("Twiml", &twiml)
        .append_pair("Timeout", &RING_SECONDS.to_string())
        .append_pair("StatusCallback", &dial.status)
        .append_pair("StatusCallbackMethod", "POST");
    for event in ["initiated", "ringing", "answered", "completed"] {
        form.append_pair("StatusCallbackEvent", event);
    }
    if dial.detects_machines {
        form.append_pair("MachineDetection", "DetectMessageEnd")
            .append_pair("AsyncAmd", "true")
            .append_pair("AsyncAmdStatusCallback", &dial.status)
            .append_pair("AsyncAmdStatusCallbackMethod", "POST");
    }
    form.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn dial(detects_machines: bool) -> Dial {
        Dial {
            to: "+14155550100".into(),
            from: "+14155550199".into(),
            socket: "wss://calls.example.org/carriers/twilio/desk/a&b".into(),
            status: "https://calls.example.org/carriers/twilio/status/1".into(),
            detects_machines,
        }
    }

    #[test]
    fn a_call_is_asked_for_in_the_words_of_twilio() {
        let form = form(&dial(true));
        let all: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let of = |name: &str| -> Vec<&str> {
            all.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(of("To"), ["+14155550100"]);
        assert_eq!(of("StatusCallbackEvent"), ["initiated", "ringing", "answered", "completed"]);
        assert_eq!(of("AsyncAmd"), ["true"]);
        let twiml = of("Twiml").pop().unwrap().to_owned();
        assert!(
            twiml.contains(r#"<Stream url="wss://calls.example.org/carriers/twilio/desk/a&amp;b"/>"#),
            "{twiml}"
        );
        assert!(!self::form(&dial(false)).contains("Machine"));
    }
}
