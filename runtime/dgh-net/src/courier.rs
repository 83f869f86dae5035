//! Sends webhooks: requests of which only the status counts.

use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use futures::{FutureExt as _, TryFutureExt as _};
use reqwest::header::RETRY_AFTER;
use secrecy::SecretString;

use crate::client::{Client, Incoming};
use crate::error::{NetError, NetErrorKind};
use crate::retry;
use crate::tool::Prepared;
use crate::tool::auth::Tokens;

/// Bytes of an answer that are read, so that its connection can be used again; one that says more
/// costs its connection.
const MAX_READ: usize = 64 << 10;
/// Characters of an answer that are kept to tell what went wrong.
const MAX_EXCERPT: usize = 200;

/// Sends webhooks. Keeps connections and tokens from one to the next.
pub struct Courier {
    client: Client,
    tokens: Tokens,
}

/// What a receiver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Status.
    pub status: u16,
    /// How long it wants to be left alone.
    pub retry_after: Option<Duration>,
    /// How its answer begins.
    pub excerpt: String,
}

impl Courier {
    /// Sends through this client.
    pub fn new(client: Client) -> Self {
        Self { client, tokens: Tokens::default() }
    }

    /// Sends once; with a token that is no longer good, twice. A redirect is an error with its
    /// status, every other status is a receipt. `timeout` is for all of it.
    pub fn send(&self, prepared: Prepared, timeout: Duration) -> BoxFuture<'_, Result<Receipt, NetError>> {
        async move {
            let late = || {
                let message = format!("{} did not answer within {} ms", prepared.host(), timeout.as_millis());
                NetError::new(NetErrorKind::Timeout, message)
            };
            tokio::time::timeout(timeout, self.sent(&prepared, timeout)).await.map_err(|_| late())?
        }
        .boxed()
    }

    async fn sent(&self, prepared: &Prepared, timeout: Duration) -> Result<Receipt, NetError> {
        let Some(grant) = &prepared.grant else {
            return self.once(prepared, timeout, None).await;
        };
        let token = self.tokens.get(&self.client, grant, timeout).await?;
        let receipt = self.once(prepared, timeout, Some(&token)).await?;
        if receipt.status != 401 {
            return Ok(receipt);
        }
        self.tokens.forget(grant, &token).await;
        let token = self.tokens.get(&self.client, grant, timeout).await?;
        self.once(prepared, timeout, Some(&token)).await
    }

    async fn once(
        &self,
        prepared: &Prepared,
        timeout: Duration,
        token: Option<&SecretString>,
    ) -> Result<Receipt, NetError> {
        let mut request = prepared.request(timeout, token)?;
        request.max_bytes = usize::MAX;
        self.client.open(request).and_then(|incoming| async { Ok(receipt(incoming).await) }).await
    }
}

/// The status is what counts: an answer that breaks off after it has still been given.
async fn receipt(mut incoming: Incoming) -> Receipt {
    let retry_after = incoming.headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok());
    let retry_after = retry_after.and_then(|v| retry::parse_retry_after(v, SystemTime::now()));
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = incoming.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_READ {
            break;
        }
    }
    let text = String::from_utf8_lossy(&body);
    let excerpt = text.chars().filter(|c| !c.is_control()).take(MAX_EXCERPT).collect();
    Receipt { status: incoming.status, retry_after, excerpt }
}
