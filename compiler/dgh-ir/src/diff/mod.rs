//! What one program does differently from another, in words, and whom that breaks.
//!
//! Things are compared by their names in the wire form, so neither white space nor the order of
//! files counts. "Breaks" is said of what stands outside: who starts calls over the API, who
//! reads their outcome, who receives webhooks. What an agent says may change freely.

mod contract;
mod dialogue;
mod shapes;
mod surroundings;
mod words;

use serde::Serialize;

use crate::arena::{Arena, Id};
use crate::program::{Agent, Program};
use crate::wire::{to_wire, v1};

/// All differences, in the order of the newer program.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Diff {
    /// One thing each.
    pub changes: Vec<Change>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What became of it.
    pub what: What,
    /// What kind of thing it is.
    pub part: Part,
    /// The agent or flow in which it stands.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Its name.
    pub name: String,
    /// What of it is different, where that is not all: `prompt`, `type`, `steps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect: Option<&'static str>,
    /// How it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// How it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Whom it breaks, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaks: Option<String>,
}

/// What became of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is different.
    Changed,
    /// It has another name.
    Renamed,
}

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words of the language")]
pub enum Part {
    Agent,
    Input,
    Variable,
    Outcome,
    Webhook,
    Channel,
    Language,
    Prompt,
    Model,
    Setting,
    BeforeCall,
    Node,
    Route,
    Handler,
    Promise,
    Review,
    Flow,
    Type,
    Tool,
    McpServer,
    Phrase,
    Knowledge,
    Library,
}

/// What `after` does differently from `before`.
pub fn diff(before: &Program, after: &Program) -> Diff {
    let (before, after) = (Side::of(before), Side::of(after));
    let mut changes = Changes::default();
    for pair in agents(&before, &after) {
        match pair {
            (Some(old), Some(new)) => contract::agent((&before, old), (&after, new), &mut changes),
            (None, Some(new)) => drop(changes.push(What::Added, Part::Agent, None, &new.wire.name)),
            (Some(old), None) => {
                changes
                    .push(What::Removed, Part::Agent, None, &old.wire.name)
                    .breaks("calls to this agent are refused".to_owned());
            }
            (None, None) => {}
        }
    }
    surroundings::compare(&before, &after, &mut changes);
    Diff { changes: changes.all }
}

impl Diff {
    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether it breaks somebody outside.
    pub fn breaks(&self) -> bool {
        self.changes.iter().any(|change| change.breaks.is_some())
    }
}

/// A program with its wire form, which has the same things in the same order.
struct Side<'a> {
    program: &'a Program,
    wire: v1::Program,
}

impl<'a> Side<'a> {
    fn of(program: &'a Program) -> Self {
        Self { program, wire: to_wire(program) }
    }
}

/// A thing and its wire form.
struct Both<'a, I, W> {
    ir: &'a I,
    wire: &'a W,
}

impl<I, W> Clone for Both<'_, I, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I, W> Copy for Both<'_, I, W> {}

type Pair<T> = (Option<T>, Option<T>);

/// The things of an arena with their wire forms, which stand in the same order.
fn both<'a, N: Id, I, W>(arena: &'a Arena<N, I>, wire: &'a [W]) -> Vec<Both<'a, I, W>> {
    arena.iter().zip(wire).map(|((_, ir), wire)| Both { ir, wire }).collect()
}

/// Agents by name. One agent alone on both sides is the same one, whatever it is called.
fn agents<'a>(before: &'a Side<'_>, after: &'a Side<'_>) -> Vec<Pair<Both<'a, Agent, v1::Agent>>> {
    let all = |side: &'a Side<'_>| both(&side.program.agents, &side.wire.agents);
    match (all(before).as_slice(), all(after).as_slice()) {
        ([old], [new]) => vec![(Some(*old), Some(*new))],
        (old, new) => paired(old, new, |agent| agent.wire.key.as_ref().unwrap_or(&agent.wire.name)),
    }
}

/// Things of both sides by name: those of `after` in their order, then what is gone.
fn paired<T: Copy>(before: &[T], after: &[T], name: impl Fn(&T) -> &str) -> Vec<Pair<T>> {
    let find = |list: &[T], wanted: &str| list.iter().find(|item| name(item) == wanted).copied();
    let kept = after.iter().map(|new| (find(before, name(new)), Some(*new)));
    let gone = before.iter().filter(|old| find(after, name(old)).is_none()).map(|old| (Some(*old), None));
    kept.chain(gone).collect()
}

/// What was found so far.
#[derive(Default)]
struct Changes {
    all: Vec<Change>,
}

impl Changes {
    fn push(&mut self, what: What, part: Part, within: Option<&str>, name: &str) -> Found<'_> {
        let at = self.all.len();
        self.all.push(Change {
            what,
            part,
            within: within.map(str::to_owned),
            name: name.to_owned(),
            aspect: None,
            before: None,
            after: None,
            breaks: None,
        });
        Found { change: self.all.get_mut(at) }
    }

    /// Pushes a change of one aspect, if there is one.
    fn aspect<T: PartialEq>(
        &mut self,
        (part, within, name): (Part, Option<&str>, &str),
        aspect: &'static str,
        (before, after): (&T, &T),
        shown: impl Fn(&T, bool) -> String,
    ) -> Found<'_> {
        if before == after {
            return Found { change: None };
        }
        let (old, new) = (shown(before, false), shown(after, true));
        self.push(What::Changed, part, within, name).aspect(aspect).from(old).to(new)
    }
}

/// A change that is being described; nothing where there is none.
struct Found<'a> {
    change: Option<&'a mut Change>,
}

impl Found<'_> {
    fn with(mut self, set: impl FnOnce(&mut Change)) -> Self {
        if let Some(change) = self.change.as_deref_mut() {
            set(change);
        }
        self
    }

    fn aspect(self, aspect: &'static str) -> Self {
        self.with(|change| change.aspect = Some(aspect))
    }

    fn from(self, text: String) -> Self {
        self.with(|change| change.before = Some(text).filter(|text| !text.is_empty()))
    }

    fn to(self, text: String) -> Self {
        self.with(|change| change.after = Some(text).filter(|text| !text.is_empty()))
    }

    fn breaks(self, how: String) -> Self {
        self.with(|change| change.breaks = Some(how))
    }

    fn breaks_if(self, how: Option<String>) -> Self {
        self.with(|change| change.breaks = how)
    }
}
