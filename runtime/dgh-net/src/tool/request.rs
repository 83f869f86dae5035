//! A request with everything filled in: values in their places, secrets resolved, missing fields
//! left out.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use dgh_ir::request::{self, Credentials as Named, Words};
use dgh_ir::{Envelope, EvalError, HttpRequest, Method, Program, RequestError, Scope, eval, to_json};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::client::{self, Request};
use crate::error::{NetError, NetErrorKind};
use crate::secrets::Secrets;
use crate::tool::auth::{Credentials, Grant, sensitive};
use crate::tool::refused;

/// Headers that belong to the connection.
const RESERVED: [&str; 7] =
    ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const FORM: &str = "application/x-www-form-urlencoded";

/// A request with everything filled in. It can be sent again as it is.
pub struct Prepared {
    /// Method.
    pub method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    /// A token has to be fetched first.
    pub(crate) grant: Option<Grant>,
}

impl Prepared {
    /// Fills a request of a program in.
    pub fn new(
        program: &Program,
        http: &HttpRequest,
        scope: &dyn Scope,
        secrets: &dyn Secrets,
    ) -> Result<Self, NetError> {
        let envelope = request::envelope(program, http, scope).map_err(cannot)?;
        let body = http.body.as_ref().map(|body| eval(program, body, scope)).transpose();
        let body = body.map_err(|error| cannot(error.into()))?.map(|value| to_json(&value).to_string());
        Self::of(&envelope, body.map(Into::into), secrets)
    }

    /// A request that was filled in before, but for its secrets, with a body of JSON.
    pub fn of(envelope: &Envelope, json: Option<Bytes>, secrets: &dyn Secrets) -> Result<Self, NetError> {
        let mut url = Url::parse(&envelope.url).map_err(|_| {
            refused("the address is not one: it begins with http:// or https:// and a host".to_owned())
        })?;
        let mut headers = headers(&envelope.headers, secrets)?;
        let mut grant = None;
        match envelope.auth.as_ref().map(|auth| credentials(auth, secrets)).transpose()? {
            None => {}
            Some(Credentials::Header(name, value)) => drop(headers.insert(name, sensitive(&value)?)),
            Some(Credentials::Query(name, value)) => {
                url.query_pairs_mut().append_pair(&name, value.expose_secret());
            }
            Some(Credentials::Grant(asked)) => grant = Some(asked),
        }
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        let body = json.map(|json| body(json, &mut headers)).transpose()?;
        Ok(Self { method: envelope.method, url, headers, body, grant })
    }

    /// Sets a header, whatever the program says about it.
    pub fn header(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }

    /// Where it goes.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as it is sent; what a signature is made of.
    pub fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// Says that a repetition is a repetition, unless the program sets a key of its own.
    pub fn idempotency_key(&mut self, key: &str) {
        if let Ok(value) = HeaderValue::from_str(key) {
            self.headers.entry(IDEMPOTENCY_KEY).or_insert(value);
        }
    }

    /// The request for the client.
    pub(crate) fn request(
        &self,
        timeout: Duration,
        token: Option<&SecretString>,
    ) -> Result<Request, NetError> {
        let method = match self.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = Request::new(method, self.url.clone());
        request.headers = self.headers.clone();
        if let Some(token) = token {
            request
                .headers
                .insert(AUTHORIZATION, sensitive(&format!("Bearer {}", token.expose_secret()).into())?);
        }
        request.body.clone_from(&self.body);
        request.timeout = timeout;
        Ok(request)
    }

    /// Host and port, for messages.
    pub(crate) fn host(&self) -> String {
        client::host_of(&self.url)
    }
}

/// A text with its secrets.
pub(crate) fn filled(words: &Words, secrets: &dyn Secrets) -> Result<SecretString, NetError> {
    let text = words.filled(|name| Some(secrets.secret(name)?.expose_secret().to_owned()));
    text.map(Into::into)
        .map_err(|name| NetError::new(NetErrorKind::Setup, format!("`secret.{name}` is not set")))
}

/// Credentials with their secrets.
pub(crate) fn credentials(auth: &Named, secrets: &dyn Secrets) -> Result<Credentials, NetError> {
    let mut args = HashMap::new();
    for (name, words) in &auth.args {
        args.insert(name.clone(), filled(words, secrets)?);
    }
    Credentials::new(&auth.kind, args)
}

fn headers(headers: &[(String, Words)], secrets: &dyn Secrets) -> Result<HeaderMap, NetError> {
    let mut out = HeaderMap::new();
    for (name, words) in headers {
        let lower = name.to_ascii_lowercase();
        if RESERVED.contains(&lower.as_str()) {
            return Err(refused(format!("the header `{name}` is set by the connection itself")));
        }
        let key = HeaderName::from_bytes(lower.as_bytes())
            .map_err(|_| refused(format!("`{name}` is not the name of a header")))?;
        let value = sensitive(&filled(words, secrets)?).map_err(|_| {
            refused(format!("the value of the header `{name}` has characters that a header cannot hold"))
        })?;
        out.insert(key, value);
    }
    Ok(out)
}

fn body(json: Bytes, headers: &mut HeaderMap) -> Result<Bytes, NetError> {
    let form = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with(FORM));
    if form {
        let json = serde_json::from_slice(&json).map_err(|_| refused("the body is not JSON".to_owned()))?;
        return form_body(&json);
    }
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    Ok(json)
}

fn form_body(json: &Json) -> Result<Bytes, NetError> {
    let Json::Object(fields) = json else {
        return Err(refused("a form is an object of fields".to_owned()));
    };
    let mut form = Serializer::new(String::new());
    for (name, value) in fields {
        match value {
            Json::String(text) => form.append_pair(name, text),
            Json::Object(_) | Json::Array(_) => {
                return Err(refused(format!("the field `{name}` of a form must be one value")));
            }
            other => form.append_pair(name, &other.to_string()),
        };
    }
    Ok(form.finish().into())
}

pub(crate) fn cannot(error: RequestError) -> NetError {
    let kind = match error {
        RequestError::Eval(EvalError::Env(_) | EvalError::BadEnv { .. }) => NetErrorKind::Setup,
        _ => NetErrorKind::Refused,
    };
    NetError::new(kind, error.to_string())
}
