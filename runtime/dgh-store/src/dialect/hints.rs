//! Hints that there is something to do, from one node to all: NOTIFY and LISTEN of Postgres, a
//! channel in the process for SQLite. Hints get lost; a poll is the guarantee.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::AnyPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::broadcast::{Receiver, Sender, channel, error::RecvError};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use url::Url;

use super::Dialect;
use crate::error::StoreError;

/// The one channel of Postgres: whom it is for stands in front of the payload.
const CHANNEL: &str = "dgh";
/// Hints that a listener may be behind; then it is told to look at everything.
const BEHIND: usize = 1_024;
/// What NOTIFY takes is below 8,000 bytes.
const LONGEST: usize = 7_000;
/// A pause when Postgres does not let us listen.
const AGAIN: Duration = Duration::from_secs(1);

/// A hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// What it says.
    Payload(Arc<str>),
    /// Some may have been missed: look at everything.
    Missed,
}

/// Hears the hints of one channel.
pub struct Listener {
    channel: String,
    hints: Receiver<Message>,
}

impl Listener {
    /// The next hint. When the database is closed, never.
    pub async fn recv(&mut self) -> Hint {
        loop {
            match self.hints.recv().await {
                Ok(Message::Missed) | Err(RecvError::Lagged(_)) => return Hint::Missed,
                Ok(Message::Hint { channel, payload }) if *channel == *self.channel => {
                    return Hint::Payload(payload);
                }
                Ok(Message::Hint { .. }) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Message {
    Hint { channel: Arc<str>, payload: Arc<str> },
    Missed,
}

/// Gives the hints of the database to all listeners of the process.
pub(crate) struct Hub {
    dialect: Dialect,
    url: Url,
    hints: Sender<Message>,
    /// The task that listens to Postgres, from the first listener on.
    ear: Mutex<Option<JoinHandle<()>>>,
}

impl Hub {
    pub(crate) fn new(dialect: Dialect, url: Url) -> Self {
        Self { dialect, url, hints: channel(BEHIND).0, ear: Mutex::default() }
    }

    pub(crate) async fn notify(
        &self,
        writers: &AnyPool,
        channel: &str,
        payload: &str,
    ) -> Result<(), StoreError> {
        match self.dialect {
            Dialect::Sqlite => {
                // Nobody listens: nobody is told.
                let _ = self.hints.send(Message::Hint { channel: channel.into(), payload: payload.into() });
            }
            Dialect::Postgres => {
                let text = format!("{channel} {payload}");
                if text.len() > LONGEST {
                    return Err(StoreError::Value("a hint is an id, and no text".to_owned()));
                }
                let tell = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(text);
                tell.execute(writers).await?;
            }
        }
        Ok(())
    }

    pub(crate) fn listen(&self, channel: &str) -> Listener {
        let hints = self.hints.subscribe();
        if self.dialect == Dialect::Postgres {
            let mut ear = self.ear.lock().unwrap_or_else(PoisonError::into_inner);
            ear.get_or_insert_with(|| tokio::spawn(hear(self.url.clone(), self.hints.clone())));
        }
        Listener { channel: channel.to_owned(), hints }
    }

    pub(crate) fn close(&self) {
        let ear = self.ear.lock().unwrap_or_else(PoisonError::into_inner).take();
        ear.inspect(JoinHandle::abort);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.close();
    }
}

/// Listens to Postgres as long as it is polled.
async fn hear(url: Url, hints: Sender<Message>) {
    loop {
        if let Err(error) = hear_once(&url, &hints).await {
            tracing::debug!(%error, "the database does not let us listen; trying again");
        }
        let _ = hints.send(Message::Missed);
        sleep(AGAIN).await;
    }
}

async fn hear_once(url: &Url, hints: &Sender<Message>) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let mut ear = PgListener::connect_with(&pool.connect(url.as_str()).await?).await?;
    ear.listen(CHANNEL).await?;
    // What was said before we listened.
    let _ = hints.send(Message::Missed);
    while let Some(said) = ear.try_recv().await? {
        let (channel, payload) = said.payload().split_once(' ').unwrap_or((said.payload(), ""));
        let _ = hints.send(Message::Hint { channel: channel.into(), payload: payload.into() });
    }
    Ok(())
}
