//! E0610 and W0611: what the channels and models of an agent cannot do. A transfer whose failure
//! as `unsupported` nobody handles is told with the other failures of transfers.

use std::collections::BTreeSet;

use dgh_diag::{Code, Diagnostic};
use dgh_ir::{
    Agent, Channel, Decider, DialogueId, Event, InputMode, Node, Origin, ProviderKind, Route, Step, StepKind,
};

use crate::flow::scene::{Scene, World};
use crate::report::Report;

/// Checks an agent with the flows that it runs, by the index of its scene.
pub(crate) fn check(world: &World<'_>, index: usize, report: &mut Report) {
    let Some(DialogueId::Agent(id)) = world.scene(index).map(|s| s.id) else { return };
    let agent = &world.program.agents[id];
    let mut seen = BTreeSet::new();
    for (at, scene) in world.scenes.iter().enumerate() {
        if at == index || (matches!(scene.id, DialogueId::Flow(_)) && world.agents_of(at).contains(&index)) {
            channels(world, agent, scene, &mut seen, report);
        }
    }
    exact_words(world, index, agent, report);
}

/// What a channel may lack.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ability {
    Transfer,
    Press,
    Play,
    Keypad,
    Keys,
    Voicemail,
}

impl Ability {
    fn is_on(self, channel: Channel) -> bool {
        match self {
            Self::Transfer | Self::Press | Self::Voicemail => channel == Channel::Phone,
            Self::Play | Self::Keypad | Self::Keys => channel != Channel::Chat,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Transfer => "a call cannot be transferred",
            Self::Press => "no keys can be pressed",
            Self::Play => "no recording can be played",
            Self::Keypad => "there is no keypad to type on",
            Self::Keys => "there are no keys",
            Self::Voicemail => "no machine answers",
        }
    }

    /// Whether it is worth a warning where only some channels lack it: the rest of the dialogue
    /// goes on as if it had happened.
    fn is_missed(self) -> bool {
        self == Self::Press
    }
}

fn channels(
    world: &World<'_>,
    agent: &Agent,
    scene: &Scene<'_>,
    seen: &mut BTreeSet<(Ability, u32)>,
    report: &mut Report,
) {
    let mut needed: Vec<(Ability, Origin)> = Vec::new();
    for (_, node) in scene.nodes() {
        needed.extend(node.steps.iter().filter_map(of_step));
        needed.extend(of_collect(node));
        for id in &node.routes {
            needed.extend(scene.dialogue.routes.get(*id).into_iter().flat_map(of_route));
        }
    }
    needed.extend(scene.anywhere().flat_map(|(_, route)| of_route(route)));
    for (ability, origin) in needed {
        let lacking: Vec<&str> =
            agent.channels.iter().filter(|c| !ability.is_on(**c)).map(|c| c.name()).collect();
        let everywhere = lacking.len() == agent.channels.len() && !has_default_channels(agent);
        if lacking.is_empty()
            || !(everywhere || ability.is_missed())
            || !seen.insert((ability, origin.0))
            || world.context.is_standard(report.place(origin))
        {
            continue;
        }
        let by = dgh_diag::suggest::all_of(&lacking);
        let code = if everywhere { Code::NotSupported } else { Code::PartlySupported };
        report.push(
            Diagnostic::new(code, report.place(origin), format!("by {by} {}", ability.words()))
                .with_label("not possible there")
                .with_related(report.place(agent.origin), format!("{} can be reached by {by}", agent.name))
                .with_hint("Leave it out, or say with `channels:` where this agent can be reached."),
        );
    }
}

/// Who names no channel, nor numbers, gets web and chat; that is no declaration to be held to.
fn has_default_channels(agent: &Agent) -> bool {
    agent.channels == [Channel::Web, Channel::Chat]
        && !agent.groups.contains_key("inbound")
        && !agent.groups.contains_key("outbound")
}

fn of_step(step: &Step) -> Option<(Ability, Origin)> {
    let ability = match step.kind {
        StepKind::Transfer { .. } => Ability::Transfer,
        StepKind::Press(_) => Ability::Press,
        StepKind::Play { .. } => Ability::Play,
        _ => return None,
    };
    Some((ability, step.origin))
}

fn of_collect(node: &Node) -> Option<(Ability, Origin)> {
    let collect = node.collect.as_ref()?;
    (collect.by == InputMode::Keypad).then_some((Ability::Keypad, collect.origin))
}

fn of_route(route: &Route) -> Vec<(Ability, Origin)> {
    let event = match route.decider {
        Decider::On(Event::Key(_)) => Some(Ability::Keys),
        Decider::On(Event::Voicemail | Event::Screening) => Some(Ability::Voicemail),
        _ => None,
    };
    let event = event.map(|ability| (ability, route.origin));
    event.into_iter().chain(route.block.iter().filter_map(of_step)).collect()
}

/// A speech-to-speech session says what it wants; exact words need a voice of the agent's own.
fn exact_words(world: &World<'_>, index: usize, agent: &Agent, report: &mut Report) {
    let Some(model) = agent.models.realtime.first() else { return };
    if !agent.models.tts.is_empty() || world.context.defaults.contains(&ProviderKind::Tts) {
        return;
    }
    let mut places: Vec<(Origin, &str)> = Vec::new();
    for (at, scene) in world.scenes.iter().enumerate() {
        if at != index && !(matches!(scene.id, DialogueId::Flow(_)) && world.agents_of(at).contains(&index)) {
            continue;
        }
        for (_, node) in scene.nodes() {
            places.extend(node.steps.iter().filter_map(exact));
            places.extend(node.collect.iter().filter_map(|c| c.ask.as_ref().map(|e| (e.origin, "ask"))));
            for id in &node.routes {
                let route = scene.dialogue.routes.get(*id);
                places.extend(route.into_iter().flat_map(|r| &r.block).filter_map(exact));
            }
        }
        places.extend(scene.anywhere().flat_map(|(_, r)| &r.block).filter_map(exact));
    }
    places.retain(|(origin, _)| !world.context.is_standard(report.place(*origin)));
    let Some(((origin, word), others)) = places.split_first() else { return };
    let mut finding = Diagnostic::new(
        Code::NotSupported,
        report.place(*origin),
        format!("`{word}` speaks exact words, and a speech-to-speech model cannot be held to them"),
    )
    .with_label("needs a voice")
    .with_related(report.place(model.origin), "speaks by itself")
    .with_hint("Set a `tts:` beside `realtime:`, or let the model find the words with `tell` and `prompt`.");
    for (origin, _) in others.iter().take(3) {
        finding = finding.with_related(report.place(*origin), "exact words too");
    }
    report.push(finding);
}

fn exact(step: &Step) -> Option<(Origin, &'static str)> {
    match step.kind {
        StepKind::Say { .. } => Some((step.origin, "say")),
        StepKind::Ask { .. } => Some((step.origin, "ask")),
        StepKind::Call { meanwhile: Some(_), .. } => Some((step.origin, "meanwhile")),
        _ => None,
    }
}
