//! What a call comes to, gathered while its log grows: by the owner of the call line by line, by
//! whoever ends it for a dead one from what was flushed. Everything here is masked.

use std::collections::BTreeMap;

use dgh_engine::effect::{Effect, Record};
use dgh_engine::event::{AnsweredBy, Event, ReplyId};
use dgh_engine::log::{Entry, Log, Voice, What};
use dgh_engine::reply::Model;
use dgh_store::calls::{End, Usage};
use serde_json::json;

use super::prices;
use crate::latency::percentile;

/// Turns whose times are kept: beyond that the median does not move.
const MAX_TIMES: usize = 1_000;
/// Names whose values are kept. An agent has a handful.
const MAX_VALUES: usize = 500;

/// What a call comes to.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    agent: String,
    started: i64,
    last: i64,
    outcome: Option<String>,
    ended_by: Option<String>,
    answered_by: Option<&'static str>,
    language: Option<String>,
    at_node: Option<String>,
    turns: i64,
    troubles: i64,
    values: BTreeMap<String, String>,
    usage: BTreeMap<(&'static str, String, String), Usage>,
    /// Who was asked for the replies that are being made.
    asked: BTreeMap<ReplyId, (String, String)>,
    /// Who speaks and who hears.
    voice: String,
    ear: Option<String>,
    /// From the caller's last sound to the agent's first one, and our own share, in microseconds.
    times: Vec<(u64, u64)>,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new(agent: &str, started: i64) -> Self {
        Self {
            agent: agent.to_owned(),
            started,
            last: started,
            outcome: None,
            ended_by: None,
            answered_by: None,
            language: None,
            at_node: None,
            turns: 0,
            troubles: 0,
            values: BTreeMap::new(),
            usage: BTreeMap::new(),
            asked: BTreeMap::new(),
            voice: "offline".to_owned(),
            ear: None,
            times: Vec::new(),
        }
    }

    /// That of a whole log.
    pub(crate) fn of(log: &Log) -> Self {
        let mut tally = Self::new(&log.agent, log.start.now.0);
        for entry in &log.entries {
            tally.take(entry);
        }
        tally
    }

    /// Takes a line in.
    pub(crate) fn take(&mut self, entry: &Entry) {
        self.last = entry.at.0.max(self.last);
        match &entry.what {
            What::Effect(Effect::Emit(record)) => self.record(record),
            What::Effect(Effect::StartReply(request)) => {
                if let Some(model) = request.models.first() {
                    self.asked.insert(request.id, (model.provider.clone(), name_of(model)));
                }
            }
            What::Effect(Effect::Speak { text, language, .. }) => {
                self.language = Some(language.clone());
                let characters = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
                let usage = self.used("tts", self.voice.clone(), String::new());
                usage.requests += 1;
                usage.characters += characters;
            }
            What::Event(Event::ReplyClosed { reply, usage, .. }) => {
                let (provider, model) =
                    self.asked.remove(reply).unwrap_or_else(|| ("unknown".into(), String::new()));
                let used = self.used("llm", provider, model);
                used.requests += 1;
                used.input_tokens += i64::from(usage.input_tokens);
                used.cached_tokens += i64::from(usage.cached_tokens);
                used.output_tokens += i64::from(usage.output_tokens);
                if usage.micro_usd > 0 {
                    let cost = i64::try_from(usage.micro_usd).unwrap_or(i64::MAX);
                    used.micro_usd = Some(used.micro_usd.unwrap_or(0).saturating_add(cost));
                }
            }
            What::Event(Event::AnsweredBy { who }) => self.answered_by = Some(answered_by(*who)),
            What::Voice(Voice::Provider { part, provider, .. }) => match part.as_str() {
                "tts" => self.voice.clone_from(provider),
                "stt" => self.ear = Some(provider.clone()),
                _ => {}
            },
            What::Voice(Voice::Trouble { .. }) => self.troubles += 1,
            What::Voice(Voice::Timing(timing)) => {
                if let (Some(all), Some(own)) = (timing.voice_to_voice(), timing.own())
                    && self.times.len() < MAX_TIMES
                {
                    self.times.push((all, own));
                }
            }
            What::Event(_) | What::Effect(_) | What::Voice(_) => {}
        }
    }

    /// Whether the call said how it ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended_by.is_some()
    }

    /// Where the call is, and how many turns the caller had.
    pub(crate) fn progress(&self) -> (Option<&str>, i64) {
        (self.at_node.as_deref(), self.turns)
    }

    /// Time of the last line.
    pub(crate) fn last(&self) -> i64 {
        self.last
    }

    /// What is written down of the end.
    pub(crate) fn end(mut self, at: i64, ended_by: Option<&str>, why: Option<String>) -> End {
        if let Some(ear) = self.ear.clone() {
            let millis = self.last.saturating_sub(self.started);
            self.used("stt", ear, String::new()).millis = millis;
        }
        let mut usage: Vec<Usage> = self.usage.into_values().collect();
        usage.iter_mut().for_each(prices::price);
        let known: Vec<i64> = usage.iter().filter_map(|usage| usage.micro_usd).collect();
        let times = (!self.times.is_empty()).then(|| {
            let all = percentile(self.times.iter().map(|(all, _)| *all), 50);
            let slow = percentile(self.times.iter().map(|(all, _)| *all), 95);
            let own = percentile(self.times.iter().map(|(_, own)| *own), 50);
            json!({ "turns": self.times.len(), "median_us": all, "p95_us": slow, "own_median_us": own })
                .to_string()
        });
        End {
            at,
            outcome: self.outcome,
            ended_by: self.ended_by.unwrap_or_else(|| ended_by.unwrap_or("lost").to_owned()),
            why,
            answered_by: self.answered_by.map(str::to_owned),
            language: self.language,
            at_node: self.at_node,
            turns: self.turns,
            micro_usd: (!known.is_empty()).then(|| known.iter().sum()),
            timings: times,
            troubles: self.troubles,
            values: self.values.into_iter().collect(),
            usage,
        }
    }

    fn record(&mut self, record: &Record) {
        match record {
            Record::Entered { node, .. } => self.at_node = Some(node.clone()),
            Record::Caller { .. } => self.turns += 1,
            Record::Value { dialogue, name, shown } => {
                // The variables of a flow are its own.
                let name = if *dialogue == self.agent { name.clone() } else { format!("{dialogue}.{name}") };
                match shown {
                    Some(shown) if self.values.len() < MAX_VALUES => {
                        self.values.insert(name, shown.clone());
                    }
                    Some(_) => {}
                    None => {
                        self.values.remove(&name);
                    }
                }
            }
            Record::Ended { outcome, ended_by } => {
                self.outcome.clone_from(outcome);
                self.ended_by = Some(ended_by.clone());
            }
            _ => {}
        }
    }

    fn used(&mut self, part: &'static str, provider: String, model: String) -> &mut Usage {
        let key = (part, provider, model);
        let fresh =
            Usage { part: part.into(), provider: key.1.clone(), model: key.2.clone(), ..Usage::default() };
        self.usage.entry(key).or_insert(fresh)
    }
}

fn name_of(model: &Model) -> String {
    model.settings.get("model").and_then(|name| name.as_str()).unwrap_or_default().to_owned()
}

fn answered_by(who: AnsweredBy) -> &'static str {
    match who {
        AnsweredBy::Human => "human",
        AnsweredBy::Voicemail => "voicemail",
        AnsweredBy::Screening => "screening",
        AnsweredBy::Unknown => "unknown",
    }
}
