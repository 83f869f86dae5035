//! The model of `--live`, `caller` and `judge`.

use std::sync::Arc;

use anyhow::bail;
use dgh_compile::Compiled;
use dgh_engine::effect::Record;
use dgh_engine::event::Event;
use dgh_engine::reply::{Message, ReplyRequest};
use dgh_engine::testing::{Live, LiveReply};
use dgh_ir::Program;
use dgh_providers::{Models, reply};
use futures::StreamExt as _;
use serde_json::Value as Json;
use tokio::runtime::Runtime;

use crate::args::Test;
use crate::commands::run::start::profile;
use crate::models::{self, Writer};
use crate::project::Project;

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
        let chosen = models::choose(&compiled.program, llm, args.llm_url.as_deref())?;
        let profile = profile(compiled, args.profile.as_deref())?;
        let client = models::client(profile, args.llm_url.as_deref())?;
        let registry = models::registry(&client, &models::secrets(project, profile), &chosen);
        let Some(first) = chosen.list.first().cloned().or_else(|| own_model(&compiled.program)) else {
            bail!("{} names no language model; name one with --llm", project.shown());
        };
        let writer = Writer::new(first, Arc::clone(&registry));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Some(Self { runtime, models: registry, writer }))
    }

    /// Whether it can be a caller or a judge: the offline model follows agents and nothing else.
    pub fn plays_people(&self) -> bool {
        self.writer.model().protocol != "offline"
    }

    fn write(&self, system: String, history: Vec<Message>, instruction: &str) -> Result<String, String> {
        let answer = self.runtime.block_on(self.writer.write(system, history, instruction));
        answer.map_err(|error| format!("the model did not answer: {error}"))
    }
}

impl Live for LiveModel {
    fn reply(&mut self, request: &ReplyRequest) -> Result<LiveReply, String> {
        self.runtime.block_on(async {
            let mut events = reply::run(request.clone(), Arc::clone(&self.models));
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
             When the person would hang up, answer with HANGUP alone."
        );
        // The agent's words are what this model hears, so the parts are swapped.
        let history = dialogue.iter().filter_map(|record| match record {
            Record::Agent { text, .. } => Some(Message::Caller(text.clone())),
            Record::Caller { text } => Some(Message::Agent(text.clone())),
            _ => None,
        });
        let words = self.write(system, history.collect(), "What does this person say next?")?;
        let words = words.trim();
        Ok((!words.is_empty() && !words.contains("HANGUP")).then(|| words.to_owned()))
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
                      {\"percent\": 0 to 100, how far the statement holds, \"why\": \"one sentence\"}"
            .to_owned();
        let question = format!("The call:\n{transcript}\n\nThe statement: {opinion}");
        let answer =
            self.write(system, vec![Message::Caller(question)], "How far does the statement hold?")?;
        read_verdict(&answer).ok_or_else(|| format!("the judge did not answer with a percentage: {answer}"))
    }
}

/// The first language model that an agent of the program names, as a text-writing model.
fn own_model(program: &Program) -> Option<dgh_engine::reply::Model> {
    let used = program.agents.iter().find_map(|(_, agent)| agent.models.llm.first())?;
    Some(models::resolved(program, used))
}

fn read_verdict(answer: &str) -> Option<(u32, String)> {
    let object = answer.get(answer.find('{')?..=answer.rfind('}')?)?;
    let json: Json = serde_json::from_str(object).ok()?;
    let percent = json.get("percent")?.as_u64().filter(|percent| *percent <= 100)?;
    let why = json.get("why").and_then(Json::as_str).unwrap_or_default();
    Some((u32::try_from(percent).ok()?, why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_read_out_of_whatever_surrounds_it() {
        let answer = "Sure:\n```json\n{\"percent\": 85, \"why\": \"No price was named.\"}\n```";
        assert_eq!(read_verdict(answer), Some((85, "No price was named.".to_owned())));
        assert_eq!(read_verdict("{\"percent\": 850}"), None);
        assert_eq!(read_verdict("I think so"), None);
    }
}
