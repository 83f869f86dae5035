//! The settings of a model, typed. The compiler has checked names and types against the standard
//! library; what comes from elsewhere gets its error here.

use std::time::Duration;

use dgh_engine::reply::Model;
use dgh_net::Secrets;
use secrecy::SecretString;
use serde_json::Value as Json;
use url::Url;

use crate::llm::{LlmError, LlmErrorKind};

/// Reads the settings of one model.
pub(crate) struct Settings<'a> {
    model: &'a Model,
}

impl<'a> Settings<'a> {
    pub(crate) fn of(model: &'a Model) -> Self {
        Self { model }
    }

    /// A text that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<String, LlmError> {
        self.text(name)?.filter(|t| !t.is_empty()).ok_or_else(|| self.setup(format!("`{name}` is not set")))
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, LlmError> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.setup(format!("`{name}` must be a text"))),
        }
    }

    /// A list of texts; empty when it is not set.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, LlmError> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let list = value.as_array().map(|list| list.iter().map(|v| v.as_str().map(str::to_owned)));
        list.and_then(Iterator::collect::<Option<_>>)
            .ok_or_else(|| self.setup(format!("`{name}` must be a list of texts")))
    }

    /// Yes or no.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, LlmError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.setup(format!("`{name}` must be true or false")))
    }

    /// A number within bounds, in the JSON form in which it is sent.
    pub(crate) fn number(&self, name: &str, min: f64, max: f64) -> Result<Option<Json>, LlmError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        // A number may be kept as text, to keep its digits.
        let number = match value {
            Json::Number(number) => Some(number.clone()),
            Json::String(text) => text.parse().ok(),
            _ => None,
        };
        let fits = |n: &serde_json::Number| n.as_f64().is_some_and(|n| (min..=max).contains(&n));
        match number.filter(fits) {
            Some(number) => Ok(Some(Json::Number(number))),
            None => Err(self.setup(format!("`{name}` must be a number from {min} to {max}"))),
        }
    }

    /// A whole number within bounds.
    pub(crate) fn whole(&self, name: &str, min: u32, max: u32) -> Result<Option<u32>, LlmError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (min..=max).contains(n));
        number
            .map(Some)
            .ok_or_else(|| self.setup(format!("`{name}` must be a whole number from {min} to {max}")))
    }

    /// A length of time: seconds.
    pub(crate) fn duration(&self, name: &str) -> Result<Option<Duration>, LlmError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let seconds = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        match seconds.and_then(|s| Duration::try_from_secs_f64(s).ok()).filter(|d| !d.is_zero()) {
            Some(duration) => Ok(Some(duration)),
            None => Err(self.setup(format!("`{name}` must be a number of seconds"))),
        }
    }

    /// The address of the API with segments behind it.
    pub(crate) fn url(&self, segments: &[&str]) -> Result<Url, LlmError> {
        let text = self.required("url")?;
        let wrong = || self.setup("`url` must be an http or https address".to_owned());
        let mut url = Url::parse(&text).map_err(|_| wrong())?;
        url.path_segments_mut().map_err(|()| wrong())?.pop_if_empty().extend(segments);
        Ok(url)
    }

    /// The key; none: this provider needs none.
    pub(crate) fn key(&self, secrets: &dyn Secrets) -> Result<Option<SecretString>, LlmError> {
        let Some(name) = &self.model.key else { return Ok(None) };
        match secrets.secret(name) {
            Some(key) => Ok(Some(key)),
            None => {
                Err(self
                    .setup(format!("no key: set {name} in the environment, or under the profile's secrets")))
            }
        }
    }

    /// An error of the set-up of this model.
    pub(crate) fn setup(&self, message: String) -> LlmError {
        LlmError::new(LlmErrorKind::Setup, format!("{}: {message}", self.model.provider))
    }

    fn get(&self, name: &str) -> Option<&'a Json> {
        self.model.settings.get(name).filter(|v| !v.is_null())
    }
}
