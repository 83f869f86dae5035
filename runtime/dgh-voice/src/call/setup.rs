//! What a call needs from outside: models, tools, and who watches it.

use std::path::PathBuf;
use std::sync::Arc;

use dgh_engine::effect::ToolRequest;
use dgh_engine::event::{Event, Timestamp, ToolFailure};
use dgh_engine::log::{Entry, LoggedCall};
use dgh_engine::reply::Model;
use dgh_providers::{Models, Voices};
use futures::future::BoxFuture;
use serde_json::Value as Json;
use tokio::sync::mpsc;

use crate::turn::Tuning;

/// A call that can begin, and what it needs.
pub struct Setup {
    /// The dialogue.
    pub call: LoggedCall,
    /// Facts to begin with: somebody answered.
    pub first: Vec<Event>,
    /// Language models.
    pub models: Arc<dyn Models>,
    /// Recognisers and voices.
    pub voices: Arc<dyn Voices>,
    /// Recognisers for agents that name none.
    pub stt: Vec<Model>,
    /// Voices for agents that name none.
    pub tts: Vec<Model>,
    /// What is called.
    pub tools: Box<dyn CallTools>,
    /// Who watches.
    pub watch: Box<dyn Watch>,
    /// Recordings that can be played.
    pub recordings: Arc<Recordings>,
    /// Where both sides are recorded; none: they are not.
    pub record_to: Option<PathBuf>,
    /// Facts from elsewhere: an operator ends the call.
    pub inbox: mpsc::Receiver<Event>,
    /// How turns are taken.
    pub tuning: Tuning,
    /// Whether the first words of a prepared answer are already made into sound. It saves the time of
    /// the voice, and costs its price when the caller goes on.
    pub prepare_sound: bool,
}

/// The sound of a recording, by its name and the rate of the line, or why there is none.
pub type Recordings = dyn Fn(&str, u32) -> Result<Arc<[i16]>, String> + Send + Sync;

/// Calls tools.
pub trait CallTools: Send {
    /// Calls a tool. To drop the future is to cancel it.
    fn call(
        &mut self,
        request: &ToolRequest,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Json, ToolFailure>>;
}

/// Watches a call: keeps its log, counts, shows it to people.
pub trait Watch: Send {
    /// What was added to the log. It holds values in the clear.
    fn entries(&mut self, entries: Vec<Entry>);
    /// What the caller is saying, not final; for people who look on.
    fn partial(&mut self, _text: &str) {}
    /// The caller's turn began (true) or the agent's sound did (false).
    fn speaking(&mut self, _caller: bool) {}
}

/// A watch that keeps everything, for tests and short calls.
impl Watch for mpsc::UnboundedSender<Entry> {
    fn entries(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            // Nobody looks any more: nothing is lost that anybody wants.
            let _ = self.send(entry);
        }
    }
}
