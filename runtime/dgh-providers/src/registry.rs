//! From the description of a model to the model.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dgh_engine::reply::Model;
use dgh_net::{Client, Secrets};

use crate::anthropic::Anthropic;
use crate::google::Google;
use crate::llm::{Llm, LlmError};
use crate::offline::Offline;
use crate::openai::OpenAi;
use crate::settings::Settings;

/// Hands out models.
pub trait Models: Send + Sync {
    /// The model that this describes. The same description gives the same model.
    fn llm(&self, model: &Model) -> Result<Arc<dyn Llm>, LlmError>;
}

/// The models of this crate. Kept for the life of the process, so that connections stay open from
/// turn to turn and from call to call.
pub struct Registry {
    client: Client,
    secrets: Arc<dyn Secrets>,
    made: Mutex<HashMap<String, Arc<dyn Llm>>>,
}

/// Descriptions that are remembered; beyond, models are made anew each time.
const MAX_REMEMBERED: usize = 1_000;

impl Registry {
    /// A registry that asks through this client, with keys from here.
    pub fn new(client: Client, secrets: Arc<dyn Secrets>) -> Self {
        Self { client, secrets, made: Mutex::default() }
    }

    fn make(&self, model: &Model) -> Result<Arc<dyn Llm>, LlmError> {
        let (client, secrets) = (self.client.clone(), self.secrets.as_ref());
        Ok(match model.protocol.as_str() {
            "openai_chat" => Arc::new(OpenAi::new(model, client, secrets)?),
            "anthropic" => Arc::new(Anthropic::new(model, client, secrets)?),
            "google" => Arc::new(Google::new(model, client, secrets)?),
            "offline" => Arc::new(Offline),
            other => {
                return Err(
                    Settings::of(model).setup(format!("this runtime does not speak the protocol `{other}`"))
                );
            }
        })
    }
}

impl Models for Registry {
    fn llm(&self, model: &Model) -> Result<Arc<dyn Llm>, LlmError> {
        let key = serde_json::to_string(model).unwrap_or_default();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(llm) = made.get(&key) {
            return Ok(Arc::clone(llm));
        }
        let llm = self.make(model)?;
        if made.len() < MAX_REMEMBERED {
            made.insert(key, Arc::clone(&llm));
        }
        Ok(llm)
    }
}

#[cfg(test)]
mod tests;
