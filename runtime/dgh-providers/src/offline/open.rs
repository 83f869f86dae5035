//! Words that no turn of the caller asks for: the first ones in a node, an instruction, the
//! report of a tool, the question after an interlude.

use dgh_engine::reply::{Message, ReplyRequest, ToolExchange};
use serde_json::Map;

use super::Move;
use super::facts::{fact, report, tool};
use super::labels::last_question;
use super::questions::{Asking, is_question};
use super::turn::{asked_before, last_turn, next_question, said_since};
use super::wording::{Worded, word};
use super::words::Words;

/// The first words in a node.
pub(super) fn opening(request: &ReplyRequest) -> Vec<Move> {
    let card = &request.card;
    let text = card.instruction.as_deref().or(card.prompt.as_deref()).unwrap_or_default();
    let worded = word(text, &request.persona);
    let words = Words::new(last_turn(&request.history).unwrap_or_default());
    let asks = is_question(&words);
    if worded.answers {
        return interlude(request, &words, worded);
    }
    if asks
        && request.may_call
        && let Some((name, args)) = tool(&words, card, &request.functions, &Map::new())
    {
        return vec![Move::UseTool { name, args }];
    }
    let said = said_since(&request.history);
    let mut moves: Vec<Move> =
        worded.statements.into_iter().filter(|text| !said.contains(text.as_str())).map(Move::Say).collect();
    let missing = card.wanted.iter().any(|wanted| wanted.missing);
    let question = if missing {
        next_question(request, &Map::new(), Asking::First)
    } else {
        worded.questions.into_iter().next()
    };
    match question {
        Some(question) if !said.ends_with(&question) => moves.push(Move::Say(question)),
        Some(_) => {}
        None => moves.extend(worded.farewell.map(Move::Say)),
    }
    if moves.is_empty() {
        moves.push(Move::Say("How can I help you?".to_owned()));
    }
    moves
}

/// One utterance by instruction.
pub(super) fn tell(request: &ReplyRequest) -> Vec<Move> {
    let instruction =
        request.card.instruction.as_deref().or(request.card.prompt.as_deref()).unwrap_or_default();
    let mut said = word(instruction, &request.persona).all();
    if said.is_empty() {
        said.push("All right.".to_owned());
        said.extend(next_question(request, &Map::new(), Asking::First));
    }
    said.into_iter().map(Move::Say).collect()
}

/// What the tools found.
pub(super) fn after_tools(request: &ReplyRequest) -> Vec<Move> {
    let exchanges: Vec<ToolExchange> = request
        .history
        .iter()
        .rev()
        .take_while(|message| !matches!(message, Message::Caller(_)))
        .find_map(|message| match message {
            Message::Tools(exchanges) => Some(exchanges.clone()),
            _ => None,
        })
        .unwrap_or_default();
    let question = last_turn(&request.history).unwrap_or_default();
    let mut said = report(&exchanges, question, &request.card);
    if said.is_empty() {
        said.push("I am sorry, I found nothing about that.".to_owned());
    }
    said.extend(next_question(request, &Map::new(), Asking::First));
    said.into_iter().map(Move::Say).collect()
}

/// The question that is still open, after an interlude or a reply without words; and why a value
/// was refused, when the author says so.
pub(super) fn resume(request: &ReplyRequest) -> Vec<Move> {
    let refused = request.card.remarks.iter().find_map(|remark| refusal(remark));
    let open = next_question(request, &Map::new(), Asking::First)
        .filter(|_| request.card.wanted.iter().any(|wanted| wanted.missing));
    let question = open
        .or_else(|| interrupted_question(&request.history))
        .or_else(|| next_question(request, &Map::new(), Asking::First))
        .unwrap_or_else(|| "How can I help you?".to_owned());
    refused.into_iter().chain([question]).map(Move::Say).collect()
}

/// Why something was not accepted: the author's sentence in "Not accepted: `amount`: They cannot promise more than they owe."
pub(super) fn refusal(remark: &str) -> Option<String> {
    let remark = remark.strip_prefix("Not accepted: `")?;
    if let Some((name, _)) = remark.split_once("` ").filter(|(_, rest)| rest.contains("cannot be changed")) {
        return Some(format!("I am sorry, I cannot change the {} any more.", super::spoken::words_of(name)));
    }
    let (_, reason) = remark.split_once("`: ")?;
    let sentence = reason.chars().next().is_some_and(char::is_uppercase) && reason.split(' ').count() > 2;
    sentence.then(|| super::spoken::sentence(&super::grammar::capital(&super::grammar::to_you(reason)), '.'))
}

/// A node that answers what the caller asked.
fn interlude(request: &ReplyRequest, words: &Words, worded: Worded) -> Vec<Move> {
    if let Some(answer) = fact(words, &request.card, &request.persona) {
        return [answer].into_iter().chain(worded.questions).map(Move::Say).collect();
    }
    if let Some((name, args)) =
        tool(words, &request.card, &request.functions, &Map::new()).filter(|_| request.may_call)
    {
        return vec![Move::UseTool { name, args }];
    }
    if !worded.facts.is_empty() {
        return worded.facts.into_iter().chain(worded.questions).map(Move::Say).collect();
    }
    if words.is_blank() {
        return vec![Move::Say("What would you like to know?".to_owned())];
    }
    ["I am sorry, I do not know that.".to_owned()]
        .into_iter()
        .chain(worded.questions)
        .map(Move::Say)
        .collect()
}

/// The agent's question that the caller answered with a question of his own.
fn interrupted_question(history: &[Message]) -> Option<String> {
    let at = history.iter().enumerate().rev().find_map(|(at, message)| match message {
        Message::Caller(text) if is_question(&Words::new(text)) => Some(at),
        _ => None,
    });
    // Only a question of the last two turns began an interlude; an older one is settled.
    let recent = history
        .iter()
        .enumerate()
        .filter(|(_, message)| matches!(message, Message::Caller(_)))
        .rev()
        .nth(1)
        .map_or(0, |(at, _)| at);
    let before = match at.filter(|at| *at >= recent) {
        Some(at) => asked_before(history.get(..=at).unwrap_or_default()),
        None => asked_before(history),
    };
    Some(last_question(&before)).filter(|question| question.ends_with('?')).map(str::to_owned)
}
