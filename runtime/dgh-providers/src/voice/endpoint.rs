//! What all voice clients share: how a socket is opened with a key, and what its ends mean.

use dgh_engine::reply::Model;
use dgh_net::header::{HeaderMap, HeaderName, HeaderValue};
use dgh_net::socket::{Message, ProtocolError, SocketError};
use dgh_net::{Client, NetError, NetErrorKind, Secrets, Socket, SocketRequest};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::llm::{LlmError, LlmErrorKind};
use crate::settings::Settings;
use crate::voice::{Patience, VoiceError};
use crate::wire::kind_of_status;

/// Letters of a provider's message that are kept.
const MAX_ERROR_LETTERS: usize = 300;

/// A provider as one model describes it: who is asked, with which key, and how long.
pub(crate) struct Endpoint {
    /// Name of the provider, as the program names it.
    pub(crate) provider: String,
    /// The guarded client.
    pub(crate) client: Client,
    /// Where: with the scheme of the description, `http(s)` or `ws(s)`.
    pub(crate) url: Url,
    /// How long its parts may take.
    pub(crate) patience: Patience,
    key: Option<SecretString>,
}

impl Endpoint {
    /// Reads `url` and the key.
    pub(crate) fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let settings = Settings::of(model);
        let url = settings.url(&[]).map_err(|e| setup(model, &e))?;
        let key = settings.key(secrets).map_err(|e| setup(model, &e))?;
        Ok(Self { provider: model.provider.clone(), client, url, patience: Patience::default(), key })
    }

    /// The same for a recogniser: its `timeout` is the time to the final words.
    pub(crate) fn for_words(
        model: &Model,
        client: Client,
        secrets: &dyn Secrets,
    ) -> Result<Self, VoiceError> {
        let mut endpoint = Self::new(model, client, secrets)?;
        if let Some(first) = Settings::of(model).duration("timeout").map_err(|e| setup(model, &e))? {
            endpoint.patience.first = first;
        }
        Ok(endpoint)
    }

    /// The address with segments behind it, for requests: `http(s)`.
    pub(crate) fn http(&self, segments: &[&str]) -> Url {
        self.address(segments, ["http", "https"])
    }

    /// The address with segments behind it, for sockets: `ws(s)`.
    pub(crate) fn ws(&self, segments: &[&str]) -> Url {
        self.address(segments, ["ws", "wss"])
    }

    /// The key; empty: this provider needs none.
    pub(crate) fn key(&self) -> &str {
        self.key.as_ref().map(|key| key.expose_secret().trim()).unwrap_or_default()
    }

    /// Headers with the key in one of them, if there is a key: `before` and the key, as `"Bearer "`.
    pub(crate) fn key_header(&self, name: HeaderName, before: &str) -> Result<HeaderMap, VoiceError> {
        let mut headers = HeaderMap::new();
        if self.key.is_some() {
            let value = HeaderValue::from_str(&format!("{before}{}", self.key()));
            let mut value = value
                .map_err(|_| self.error(LlmErrorKind::Setup, "the key has characters that no key has"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    /// Opens a socket within the patience to connect.
    pub(crate) async fn socket(&self, url: Url, headers: HeaderMap) -> Result<Socket, VoiceError> {
        let request = SocketRequest { url, headers, timeout: self.patience.connect };
        self.client.socket(request).await.map_err(|e| self.network(&e))
    }

    /// What a request or a handshake failed with.
    pub(crate) fn network(&self, error: &NetError) -> VoiceError {
        let kind = match error.kind {
            NetErrorKind::Timeout => LlmErrorKind::Timeout,
            NetErrorKind::Network => LlmErrorKind::Network,
            NetErrorKind::TooLarge => LlmErrorKind::TooLarge,
            NetErrorKind::BadAnswer => LlmErrorKind::BadAnswer,
            NetErrorKind::Status => error.status.map_or(LlmErrorKind::Unavailable, kind_of_status),
            NetErrorKind::Refused | NetErrorKind::Setup => LlmErrorKind::Setup,
        };
        self.error(kind, &error.message)
    }

    /// What an open socket broke with.
    pub(crate) fn broken(&self, error: &SocketError) -> VoiceError {
        match error {
            SocketError::Capacity(_) => self.error(LlmErrorKind::TooLarge, "a message is too long"),
            SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                self.error(LlmErrorKind::Network, "the socket was cut")
            }
            SocketError::Protocol(_) | SocketError::Utf8(_) => {
                self.error(LlmErrorKind::BadAnswer, &format!("the socket broke the protocol: {error}"))
            }
            _ => self.error(LlmErrorKind::Network, &format!("the socket was cut: {error}")),
        }
    }

    /// What the end of a socket means: the reason that came with it, if one came.
    pub(crate) fn closed(&self, last: Option<&Message>) -> VoiceError {
        let Some(Message::Close(Some(frame))) = last else {
            return self.error(LlmErrorKind::Network, "the socket was cut");
        };
        let code = u16::from(frame.code);
        let kind = match code {
            1000 | 1001 | 1005 | 1006 | 1015 => LlmErrorKind::Network,
            1002 | 1003 | 1007 | 1010 => LlmErrorKind::Rejected,
            // Beyond the standard: AssemblyAI and Speechmatics.
            1008 | 4001 => LlmErrorKind::Auth,
            3009 | 4005 => LlmErrorKind::RateLimited,
            1009 => LlmErrorKind::TooLarge,
            _ => LlmErrorKind::Unavailable,
        };
        let reason = frame.reason.trim();
        let colon = if reason.is_empty() { "" } else { ": " };
        self.error(kind, &format!("closed the socket ({code}){colon}{reason}"))
    }

    /// An error from which the key is struck, if the provider repeated it.
    pub(crate) fn error(&self, kind: LlmErrorKind, message: &str) -> VoiceError {
        let mut message = message.to_owned();
        if !self.key().is_empty() {
            message = message.replace(self.key(), "[key]");
        }
        let message = message.chars().filter(|c| !c.is_control()).take(MAX_ERROR_LETTERS).collect();
        VoiceError { provider: self.provider.clone(), kind, message }
    }

    fn address(&self, segments: &[&str], [plain, secure]: [&str; 2]) -> Url {
        let mut url = self.url.clone();
        let scheme = if matches!(url.scheme(), "https" | "wss") { secure } else { plain };
        // Both cannot fail: `Endpoint::new` has seen a host, and all four schemes are of one kind.
        let _ = url.set_scheme(scheme);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// An error of the settings of a model.
pub(crate) fn setup(model: &Model, error: &LlmError) -> VoiceError {
    let before = format!("{}: ", model.provider);
    let message = error.message.strip_prefix(&before).unwrap_or(&error.message).to_owned();
    VoiceError { provider: model.provider.clone(), kind: error.kind, message }
}
