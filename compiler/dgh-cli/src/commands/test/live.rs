//! The model of `--live`, `caller` and `judge`.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use dgh_compile::Compiled;
use dgh_engine::effect::Record;
use dgh_engine::event::Event;
use dgh_engine::reply::{Message, Model, ReplyRequest};
use dgh_engine::testing::{Live, LiveReply};
use dgh_ir::Program;
use dgh_providers::{Models, reply};
use futures::StreamExt as _;
use serde_json::Value as Json;
use tokio::runtime::Runtime;

use crate::args::Test;
use dgh_platform::Project;
use dgh_platform::agents::profile;
use dgh_platform::models::{self, Server, Writer};

/// A model that plays all parts of a test that a script leaves open.
pub struct LiveModel {
    runtime: Runtime,
    models: Arc<dyn Models>,
    writer: Writer,
}

impl LiveModel {
    /// The model that was asked for; none when nobody asked for one.
    pub fn new(project: &Project, compiled: &Compiled, args: &Test) -> anyhow::Result<Option<Self>> {
        let llm = match (&args.llm, args.live) {
            (Some(llm), _) => llm.as_str(),
            (None, true) => "agent",
            (None, false) => return Ok(None),
        };
        let server = Server { url: args.llm_url.as_deref(), timeout: args.llm_timeout };
        let chosen = models::choose(&compiled.program, llm, server)?;
        let profile = profile(compiled, args.profile.as_deref())?;
        let client = models::client(profile, args.llm_url.as_deref())?;
        let registry = models::registry(&client, &models::secrets(project, profile), &chosen);
        let list = if chosen.list.is_empty() { own_models(&compiled.program) } else { chosen.list };
        let writer = usable(list, &registry).with_context(|| format!("cannot test {}", project.shown()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Some(Self { runtime, models: registry, writer }))
    }

    /// Whether it can be a caller or a judge.
    pub fn plays_people(&self) -> bool {
        self.writer.is_real()
    }

    fn write(&self, system: &str, history: Vec<Message>) -> Result<String, String> {
        let answer = self.runtime.block_on(self.writer.write(system.to_owned(), history));
        answer.map_err(|error| format!("the model did not answer: {error}"))
    }
}

impl Live for LiveModel {
    fn reply(&mut self, request: &ReplyRequest) -> Result<LiveReply, String> {
        let mut request = request.clone();
        // A test starts its call without a model; an agent may name none itself.
        if request.models.is_empty() {
            request.models = vec![self.writer.model().clone()];
        }
        self.runtime.block_on(async {
            let mut events = reply::run(request, Arc::clone(&self.models));
            let mut answer = LiveReply::default();
            while let Some(event) = events.next().await {
                match event {
                    Event::ReplySentence { text, .. } => answer.sentences.push(text),
                    Event::ReplyCall { name, arguments, .. } => answer.calls.push((name, arguments)),
                    Event::ReplyClosed { failure: Some(failure), .. } => {
                        return Err(format!("the model did not answer: {failure}"));
                    }
                    _ => {}
                }
            }
            Ok(answer)
        })
    }

    fn person(&mut self, who: &str, dialogue: &[Record]) -> Result<Option<String>, String> {
        let system = format!(
            "You play a person on the telephone, and never the agent. {who}\n\
             Answer with the words that this person says next, one or two sentences, as spoken. \
             When the person would hang up, answer with {HANG_UP} alone."
        );
        // The agent's words are what this model hears, so the parts are swapped.
        let history = dialogue.iter().filter_map(|record| match record {
            Record::Agent { text, .. } => Some(Message::Caller(text.clone())),
            Record::Caller { text } => Some(Message::Agent(text.clone())),
            _ => None,
        });
        let mut history: Vec<Message> = history.collect();
        if !matches!(history.last(), Some(Message::Caller(_))) {
            // Models answer somebody: a silent agent is one that says so.
            history.push(Message::Caller("[The agent says nothing.]".to_owned()));
        }
        Ok(next_words(&self.write(&system, history)?))
    }

    fn judge(&mut self, opinion: &str, dialogue: &[Record]) -> Result<(u32, String), String> {
        let lines = dialogue.iter().filter_map(|record| match record {
            Record::Agent { text, .. } => Some(format!("agent: {text}")),
            Record::Caller { text } => Some(format!("caller: {text}")),
            Record::Ended { outcome, ended_by } => {
                Some(format!("(ended by {ended_by}, outcome {})", outcome.as_deref().unwrap_or("none")))
            }
            _ => None,
        });
        let transcript = lines.collect::<Vec<_>>().join("\n");
        let system = "You judge telephone calls. Answer with one JSON object and nothing else: \
                      {\"percent\": 0 to 100, how far the statement holds, \"why\": \"one sentence\"}";
        let question = format!("The call:\n{transcript}\n\nThe statement: {opinion}");
        let mut history = vec![Message::Caller(question)];
        let answer = self.write(system, history.clone())?;
        if let Some(verdict) = read_verdict(&answer) {
            return Ok(verdict);
        }
        history.push(Message::Agent(answer));
        history.push(Message::Caller("Answer with the JSON object alone.".to_owned()));
        let answer = self.write(system, history)?;
        read_verdict(&answer).ok_or_else(|| format!("the judge did not answer with a percentage: {answer}"))
    }
}

/// What a simulated person answers when they hang up.
const HANG_UP: &str = "HANGUP";

/// The language models that the agents of a program name, in order.
fn own_models(program: &Program) -> Vec<Model> {
    let used = program.agents.iter().flat_map(|(_, agent)| &agent.models.llm);
    used.map(|used| models::resolved(program, used)).collect()
}

/// The first model that is set up: a key that is missing is told before the tests, not by each.
fn usable(list: Vec<Model>, registry: &Arc<dyn Models>) -> anyhow::Result<Writer> {
    let mut wrong = None;
    for model in list {
        match registry.llm(&model) {
            Ok(_) => return Ok(Writer::new(model, Arc::clone(registry))),
            Err(error) => wrong = wrong.or(Some(error)),
        }
    }
    match wrong {
        Some(error) => Err(error.into()),
        None => bail!("it names no language model; name one with --llm"),
    }
}

/// What a person says; none when they hang up without a word. Who says goodbye and hangs up in one
/// answer says goodbye first, and is asked again.
fn next_words(answer: &str) -> Option<String> {
    let words = answer.replace(HANG_UP, " ");
    let words = words.trim();
    let words = words.strip_prefix('"').and_then(|w| w.strip_suffix('"')).unwrap_or(words);
    words.chars().any(char::is_alphanumeric).then(|| words.to_owned())
}

fn read_verdict(answer: &str) -> Option<(u32, String)> {
    let object = answer.get(answer.find('{')?..=answer.rfind('}')?)?;
    let json: Json = serde_json::from_str(object).ok()?;
    let percent = match json.get("percent")? {
        Json::String(text) => text.trim().trim_end_matches('%').trim_end().parse().ok()?,
        number => number.as_f64()?,
    };
    let why = json.get("why").and_then(Json::as_str).unwrap_or_default();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to 100")]
    (0.0..=100.0).contains(&percent).then(|| (percent.round() as u32, why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_read_out_of_whatever_surrounds_it() {
        let answer = "Sure:\n```json\n{\"percent\": 85, \"why\": \"No price was named.\"}\n```";
        assert_eq!(read_verdict(answer), Some((85, "No price was named.".to_owned())));
        for written in ["85.2", "\"85%\"", "\" 85 %\""] {
            let verdict = read_verdict(&format!("{{\"percent\": {written}}}"));
            assert_eq!(verdict, Some((85, String::new())), "{written}");
        }
        assert_eq!(read_verdict("{\"percent\": 850}"), None);
        assert_eq!(read_verdict("I think so"), None);
    }

    #[test]
    fn a_person_says_goodbye_before_they_hang_up() {
        assert_eq!(next_words("\"Bye then.\" HANGUP"), Some("Bye then.".to_owned()));
        assert_eq!(next_words("HANGUP"), None);
        assert_eq!(next_words("**HANGUP**."), None);
        assert_eq!(next_words(" \"Hello?\"\n"), Some("Hello?".to_owned()));
    }
}
