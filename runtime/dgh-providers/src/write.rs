//! A text that a model is asked for beside any call: an agent written from a sentence, what a
//! simulated caller says next, a judgement. It goes out without a node card, whose rules are for
//! words that are spoken, and is waited for longer than a caller would.

use std::sync::Arc;
use std::time::Duration;

use dgh_engine::event::ReplyId;
use dgh_engine::reply::{Card, Message, Model, Purpose, ReplyRequest};
use dgh_net::retry::{self, Pause};
use futures::StreamExt;

use crate::ask::{Commit, Heard, Patience, ask};
use crate::llm::{Delta, LlmError, LlmErrorKind};
use crate::registry::Models;

/// What somebody at a desk bears: models think before they write a page.
const AT_A_DESK: Patience =
    Patience { first: Duration::from_mins(2), next: Duration::from_mins(1), whole: Duration::from_mins(10) };
/// Tokens of a text, where the API wants a number and the model has none: a page needs more than a
/// spoken sentence.
const MAX_TOKENS: u32 = 8_192;

/// Asks for a text. `history` ends with what is to be answered; the text comes whole, as written.
pub async fn write(
    model: &Model,
    models: Arc<dyn Models>,
    system: String,
    history: Vec<Message>,
) -> Result<String, LlmError> {
    write_with(model, models, system, history, retry::sleep()).await
}

async fn write_with(
    model: &Model,
    models: Arc<dyn Models>,
    system: String,
    history: Vec<Message>,
    pause: Pause,
) -> Result<String, LlmError> {
    let mut model = model.clone();
    if model.protocol == "anthropic" {
        model.settings.entry("max_tokens").or_insert_with(|| MAX_TOKENS.into());
    }
    let request = Arc::new(request(system, history));
    let mut heard = ask(request, vec![model], models, Commit::default(), pause, AT_A_DESK);
    let mut text = String::new();
    while let Some(heard) = heard.next().await {
        match heard {
            Heard::Delta(Delta::Text(more)) => text.push_str(&more),
            Heard::Delta(Delta::Call { .. } | Delta::Usage(_)) => {}
            Heard::Restart => text.clear(),
            Heard::Failed(error) => return Err(error),
        }
    }
    if text.trim().is_empty() {
        return Err(LlmError::new(LlmErrorKind::BadAnswer, "the model answered with no words"));
    }
    Ok(text)
}

/// A request that is all persona and history.
fn request(system: String, history: Vec<Message>) -> ReplyRequest {
    ReplyRequest {
        id: ReplyId(0),
        purpose: Purpose::Tell,
        persona: system,
        history,
        card: Card {
            node: String::new(),
            prompt: None,
            instruction: None,
            known: Vec::new(),
            wanted: Vec::new(),
            labels: Vec::new(),
            read_back: None,
            tools: Vec::new(),
            may_unclear: false,
            remarks: Vec::new(),
            now: chrono::NaiveDateTime::default(),
            language: "en".to_owned(),
        },
        functions: Arc::new([]),
        may_call: false,
        models: Vec::new(),
        judge: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use futures::FutureExt;

    use super::*;
    use crate::double::{Script, Step, model};
    use crate::prompt::{Prompt, Turn};

    async fn written(script: Script) -> Result<String, LlmError> {
        let asked = vec![Message::Caller("Write.".into())];
        let no_pause: Pause = Arc::new(|_| std::future::ready(()).boxed());
        write_with(&model("m"), Arc::new(script), "You write.".into(), asked, no_pause).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_text_comes_whole_after_a_long_thought() {
        let long = Step::Wait(Duration::from_secs(50));
        let script = Script::default()
            .answer("m", [long.clone(), Step::Text("dgh 1\n\n"), long, Step::Text("agent a {}\n")]);
        assert_eq!(written(script).await.unwrap(), "dgh 1\n\nagent a {}\n");
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_text_is_forgotten_when_the_model_begins_anew() {
        let script = Script::default()
            .answer("m", [Step::Text("half"), Step::Fail(LlmErrorKind::Network)])
            .answer("m", [Step::Text("whole")]);
        assert_eq!(written(script.clone()).await.unwrap(), "whole");
        assert_eq!(script.order(), ["m", "m"]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_after_a_while_and_no_words_are_an_error() {
        let stalled = written(Script::default().answer("m", [Step::Text("half"), Step::Stall])).await;
        assert_eq!(stalled.unwrap_err().message, "m: stopped in the middle of its answer");
        let empty = written(Script::default().answer("m", [Step::Usage(1, 1)])).await;
        assert_eq!(empty.unwrap_err().kind, LlmErrorKind::BadAnswer);
    }

    #[test]
    fn the_model_reads_what_was_asked_and_no_card() {
        let prompt = Prompt::of(&request("You write.".into(), vec![Message::Caller("Write.".into())]));
        assert_eq!(prompt.turns, [Turn::User(vec!["Write.".into()])]);
        assert_eq!(prompt.system, "You write.");
        let empty = Prompt::of(&request("You write.".into(), Vec::new()));
        assert_eq!(empty.turns.len(), 1, "no API takes a conversation without a turn");
    }
}
