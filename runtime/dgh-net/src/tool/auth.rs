//! Credentials of a request. Tokens by client credentials (RFC 6749, 4.4) are kept until they
//! expire; who needs the same one at the same time waits for the one request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::{self, Serializer};

use crate::client::{Client, Request};
use crate::error::{NetError, NetErrorKind};
use crate::tool::refused;

/// Credentials, with their secrets filled in.
pub(crate) enum Credentials {
    /// A header.
    Header(HeaderName, SecretString),
    /// A parameter of the address.
    Query(String, SecretString),
    /// A token to be fetched.
    Grant(Grant),
}

/// What a token is asked for with.
#[derive(Clone)]
pub(crate) struct Grant {
    url: Url,
    client_id: String,
    client_secret: SecretString,
    scope: Option<String>,
}

/// How long before its end a token is no longer used.
const LEEWAY: Duration = Duration::from_secs(30);
/// How long a token is kept whose server does not say.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(5);
/// How long a token is kept at most.
const MAX_LIFETIME: Duration = Duration::from_hours(24);
/// Bytes of a token's answer that are read.
const MAX_TOKEN_BYTES: usize = 64 << 10;

impl Credentials {
    /// By kind and arguments, as the standard library declares them.
    pub(crate) fn new(kind: &str, mut args: HashMap<String, SecretString>) -> Result<Self, NetError> {
        let mut take =
            |name: &str| args.remove(name).ok_or_else(|| refused(format!("`auth: {kind}` needs `{name}`")));
        Ok(match kind {
            "bearer" => {
                let token = take("token")?;
                Self::Header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()).into())
            }
            "basic" => Self::Header(AUTHORIZATION, basic(take("user")?.expose_secret(), &take("password")?)),
            "header" => {
                let name = take("name")?;
                let name = HeaderName::from_bytes(name.expose_secret().as_bytes());
                Self::Header(
                    name.map_err(|_| refused("`auth: header` needs the name of a header".to_owned()))?,
                    take("value")?,
                )
            }
            "query" => Self::Query(take("name")?.expose_secret().to_owned(), take("value")?),
            "oauth2" => {
                let url = take("token_url")?;
                let url = url
                    .expose_secret()
                    .parse()
                    .map_err(|_| refused("`token_url` is not an address".to_owned()))?;
                let (client_id, client_secret) =
                    (take("client_id")?.expose_secret().to_owned(), take("client_secret")?);
                let scope = take("scope").ok().map(|s| s.expose_secret().to_owned());
                Self::Grant(Grant { url, client_id, client_secret, scope })
            }
            _ => return Err(refused(format!("this runtime does not know `auth: {kind}`"))),
        })
    }
}

/// A header value that is never shown.
pub(crate) fn sensitive(value: &SecretString) -> Result<HeaderValue, NetError> {
    let mut value = HeaderValue::from_bytes(value.expose_secret().as_bytes())
        .map_err(|_| refused("the credentials have characters that a header cannot hold".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn basic(user: &str, password: &SecretString) -> SecretString {
    format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose_secret()))).into()
}

/// Tokens that are kept.
#[derive(Default)]
pub(crate) struct Tokens {
    kept: Mutex<HashMap<String, Arc<Mutex<Option<Token>>>>>,
}

struct Token {
    value: SecretString,
    good_until: Instant,
}

impl Tokens {
    /// A token that is still good; asks for one if there is none.
    pub(crate) async fn get(
        &self,
        client: &Client,
        grant: &Grant,
        timeout: Duration,
    ) -> Result<SecretString, NetError> {
        let place = self.place(grant).await;
        let mut kept = place.lock().await;
        if let Some(token) = kept.as_ref().filter(|t| t.good_until > Instant::now()) {
            return Ok(token.value.clone());
        }
        let token = fetch(client, grant, timeout).await?;
        let value = token.value.clone();
        *kept = Some(token);
        Ok(value)
    }

    /// A token was not accepted. A newer one, which another request has fetched meanwhile, stays.
    pub(crate) async fn forget(&self, grant: &Grant, token: &SecretString) {
        let place = self.place(grant).await;
        let mut kept = place.lock().await;
        if kept.as_ref().is_some_and(|t| t.value.expose_secret() == token.expose_secret()) {
            *kept = None;
        }
    }

    async fn place(&self, grant: &Grant) -> Arc<Mutex<Option<Token>>> {
        // The secret is part of the key: whoever has another one may not use this token.
        let parts = [
            grant.url.as_str(),
            &grant.client_id,
            grant.client_secret.expose_secret(),
            grant.scope.as_deref().unwrap_or(""),
        ];
        Arc::clone(self.kept.lock().await.entry(parts.join("\n")).or_default())
    }
}

async fn fetch(client: &Client, grant: &Grant, timeout: Duration) -> Result<Token, NetError> {
    let mut request = Request::new(reqwest::Method::POST, grant.url.clone());
    // RFC 6749, 2.3.1: both parts are form-encoded before they become HTTP Basic.
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let secret = encode(grant.client_secret.expose_secret()).into();
    request.headers.insert(AUTHORIZATION, sensitive(&basic(&encode(&grant.client_id), &secret))?);
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let scope = grant.scope.as_deref().map(|scope| ("scope", scope));
    let form = [("grant_type", "client_credentials")].into_iter().chain(scope);
    request.body = Some(Serializer::new(String::new()).extend_pairs(form).finish().into());
    request.timeout = timeout;
    request.max_bytes = MAX_TOKEN_BYTES;
    let asked = Instant::now();
    let answer = client
        .send(request)
        .await?
        .success()
        .map_err(|e| NetError { message: format!("no token: {}", e.message), ..e })?;
    let wrong =
        || NetError::new(NetErrorKind::BadAnswer, "no token: the answer of the token address holds none");
    let json: Json = serde_json::from_slice(&answer.body).map_err(|_| wrong())?;
    let value =
        json.get("access_token").and_then(Json::as_str).filter(|t| !t.is_empty()).ok_or_else(wrong)?;
    if json.get("token_type").and_then(Json::as_str).is_some_and(|t| !t.eq_ignore_ascii_case("bearer")) {
        return Err(NetError::new(NetErrorKind::BadAnswer, "no token: it is of another type than Bearer"));
    }
    let seconds = json.get("expires_in").and_then(|s| s.as_u64().or_else(|| s.as_str()?.parse().ok()));
    let lifetime = seconds.map_or(DEFAULT_LIFETIME, Duration::from_secs).min(MAX_LIFETIME);
    Ok(Token { value: value.into(), good_until: asked + lifetime.saturating_sub(LEEWAY) })
}
