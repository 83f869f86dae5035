//! What others build on: inputs, outcomes, channels, webhooks; and the agent around them.

use super::shapes::{Of, body_surprises, lost};
use super::{Both, Changes, Part, Side, What, both, dialogue, paired, words};
use crate::program::{Agent, Channel, DialogueId, Settings, Slot, SlotKind, Webhook};
use crate::wire::v1;

type AgentOf<'a, 's> = (&'s Side<'s>, Both<'a, Agent, v1::Agent>);

/// Compares an agent.
pub(super) fn agent(before: AgentOf<'_, '_>, after: AgentOf<'_, '_>, changes: &mut Changes) {
    let ((_, old), (_, new)) = (before, after);
    let name = new.wire.name.as_str();
    if old.wire.name != new.wire.name {
        changes
            .push(What::Renamed, Part::Agent, None, name)
            .from(old.wire.name.clone())
            .to(new.wire.name.clone());
    }
    inputs(before, after, changes);
    outcomes(before, after, changes);
    channels(before, after, changes);
    webhooks(before, after, changes);
    persona(before, after, changes);
    groups(before, after, changes);
    after_and_before_the_call(before, after, changes);
    let id = |side: &Side<'_>, agent: &Agent| side.program.agent(&agent.name).map(DialogueId::Agent);
    let Some((old_id, new_id)) = id(before.0, old.ir).zip(id(after.0, new.ir)) else { return };
    dialogue::compare(
        &dialogue::Of { side: before.0, id: old_id, name, ir: &old.ir.dialogue, wire: &old.wire.dialogue },
        &dialogue::Of { side: after.0, id: new_id, name, ir: &new.ir.dialogue, wire: &new.wire.dialogue },
        &new.ir.moved,
        changes,
    );
}

fn inputs(before: AgentOf<'_, '_>, after: AgentOf<'_, '_>, changes: &mut Changes) {
    let ((from, old), (to, new)) = (before, after);
    let within = Some(new.wire.name.as_str());
    let all = |agent: Both<'_, Agent, v1::Agent>| -> Vec<_> {
        let slots = agent.ir.dialogue.slots.iter().map(|(_, slot)| slot.clone());
        slots.filter(|slot| slot.kind == SlotKind::Input).collect::<Vec<Slot>>()
    };
    let needed = |slot: &Slot| slot.default.is_none() && !slot.ty.optional;
    let (was, is) = (all(old), all(new));
    for pair in paired(&was.iter().collect::<Vec<_>>(), &is.iter().collect::<Vec<_>>(), |slot| &slot.name) {
        match pair {
            (None, Some(slot)) => {
                let breaks = needed(slot).then(|| "calls that do not give it are refused".to_owned());
                let ty = to.program.type_name(&slot.ty);
                changes.push(What::Added, Part::Input, within, &slot.name).to(ty).breaks_if(breaks);
            }
            (Some(slot), None) => {
                changes
                    .push(What::Removed, Part::Input, within, &slot.name)
                    .from(from.program.type_name(&slot.ty))
                    .breaks("calls that give it are refused".to_owned());
            }
            (Some(a), Some(b)) => {
                let what = (Part::Input, within, b.name.as_str());
                let (was, is) = (from.program.type_name(&a.ty), to.program.type_name(&b.ty));
                let breaks =
                    lost(Of { program: from.program, ty: &a.ty }, Of { program: to.program, ty: &b.ty }, "");
                if was != is || breaks.is_some() {
                    let breaks = breaks.map(|why| format!("values of callers may not fit: {why}"));
                    let found = changes.push(What::Changed, what.0, what.1, what.2).aspect("type");
                    found.from(was).to(is).breaks_if(breaks);
                }
                let default = |side: &Side<'_>, agent: &Agent, slot: &Slot| {
                    slot.default.as_ref().map(|value| side.program.expr_text(&agent.dialogue, value))
                };
                let defaults = (default(from, old.ir, a), default(to, new.ir, b));
                let breaks = (!needed(a) && needed(b) && !a.ty.optional)
                    .then(|| "calls that do not give it are refused".to_owned());
                changes
                    .aspect(what, "default", (&defaults.0, &defaults.1), |d, _| d.clone().unwrap_or_default())
                    .breaks_if(breaks);
                changes.aspect(what, "about", (&a.about, &b.about), |d, _| d.clone().unwrap_or_default());
            }
            (None, None) => {}
        }
    }
}

fn outcomes(before: AgentOf<'_, '_>, after: AgentOf<'_, '_>, changes: &mut Changes) {
    let within = Some(after.1.wire.name.as_str());
    let names = |agent: &'_ v1::Agent| agent.outcomes.clone();
    let (was, is) = (names(before.1.wire), names(after.1.wire));
    for outcome in is.iter().filter(|name| !was.contains(name)) {
        changes.push(What::Added, Part::Outcome, within, outcome);
    }
    for outcome in was.iter().filter(|name| !is.contains(name)) {
        changes
            .push(What::Removed, Part::Outcome, within, outcome)
            .breaks("no call ends with it any more".to_owned());
    }
}

fn channels(before: AgentOf<'_, '_>, after: AgentOf<'_, '_>, changes: &mut Changes) {
    let within = Some(after.1.wire.name.as_str());
    // An agent that names none can be reached on all.
    let all = |agent: &v1::Agent| -> Vec<Channel> {
        if agent.channels.is_empty() { Channel::ALL.to_vec() } else { agent.channels.clone() }
    };
    let (was, is) = (all(before.1.wire), all(after.1.wire));
    for channel in is.iter().filter(|channel| !was.contains(channel)) {
        changes.push(What::Added, Part::Channel, within, channel.name());
    }
    for channel in was.iter().filter(|channel| !is.contains(channel)) {
        changes
            .push(What::Removed, Part::Channel, within, channel.name())
            .breaks("it cannot be reached there any more".to_owned());
    }
}

fn webhooks(before: AgentOf<'_, '_>, after: AgentOf<'_, '_>, changes: &mut Changes) {
    let ((from, old), (to, new)) = (before, after);
    let within = Some(new.wire.name.as_str());
    let (was, is) = (both(&old.ir.webhooks, &old.wire.webhooks), both(&new.ir.webhooks, &new.wire.webhooks));
    for pair in paired(&was, &is, |hook| &hook.wire.name) {
        match pair {
            (None, Some(hook)) => drop(changes.push(What::Added, Part::Webhook, within, &hook.wire.name)),
            (Some(hook), None) => {
                changes
                    .push(What::Removed, Part::Webhook, within, &hook.wire.name)
                    .breaks("its receiver hears nothing any more".to_owned());
            }
            (Some(a), Some(b)) => webhook((from, old.ir, a), (to, new.ir, b), changes),
            (None, None) => {}
        }
    }
}

type HookOf<'a, 's> = (&'s Side<'s>, &'a Agent, Both<'a, Webhook, v1::Webhook>);

fn webhook(before: HookOf<'_, '_>, after: HookOf<'_, '_>, changes: &mut Changes) {
    let ((from, old_agent, old), (to, new_agent, new)) = (before, after);
    let what = (Part::Webhook, Some(new_agent.name.as_str()), new.wire.name.as_str());
    let (a, b) = (&old.wire.request, &new.wire.request);
    let side = |newer: bool| {
        if newer {
            (to.program, &new_agent.dialogue, new.ir)
        } else {
            (from.program, &old_agent.dialogue, old.ir)
        }
    };
    let gone: Vec<_> = old.wire.events.iter().filter(|event| !new.wire.events.contains(event)).collect();
    let gone: Vec<_> = gone.into_iter().map(|event| event.name()).collect();
    let breaks = (!gone.is_empty()).then(|| format!("it is no longer sent on {}", gone.join(", ")));
    changes
        .aspect(what, "events", (&old.wire.events, &new.wire.events), |events, _| {
            events.iter().map(|event| event.name()).collect::<Vec<_>>().join(", ")
        })
        .breaks_if(breaks);
    changes.aspect(what, "condition", (&old.wire.guard, &new.wire.guard), |_, newer| {
        let (program, dialogue, hook) = side(newer);
        hook.guard.as_ref().map(|guard| program.expr_text(dialogue, guard)).unwrap_or_default()
    });
    let breaks = (a.method != b.method).then(|| "its receiver is asked with another method".to_owned());
    changes
        .aspect(what, "address", (&(&a.method, &a.url), &(&b.method, &b.url)), |_, newer| {
            let (program, dialogue, hook) = side(newer);
            let url = words::text(program, dialogue, &hook.request.url);
            format!("{} {url}", hook.request.method)
        })
        .breaks_if(breaks);
    let breaks = match (&old.ir.request.body, &new.ir.request.body) {
        (Some(x), Some(y)) => body_surprises((from.program, x), (to.program, y), ""),
        (None, None) => None,
        _ => Some("what is sent has another shape".to_owned()),
    };
    changes
        .aspect(what, "body", (&a.body, &b.body), |_, newer| {
            let (program, dialogue, hook) = side(newer);
            hook.request.body.as_ref().map(|body| program.expr_text(dialogue, body)).unwrap_or_default()
        })
        .breaks_if(breaks);
    changes.aspect(what, "headers", (&a.headers, &b.headers), |headers, _| {
        headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    });
    let breaks = |what: &str| Some(format!("its receiver checks {what} that is another one now"));
    changes
        .aspect(what, "credentials", (&a.auth, &b.auth), |auth, _| {
            auth.as_ref().map(|auth| auth.kind.clone()).unwrap_or_default()
        })
        .breaks_if(breaks("credentials"));
    changes
        .aspect(what, "signature", (&old.wire.sign, &new.wire.sign), |_, newer| {
            let (program, dialogue, hook) = side(newer);
            hook.sign.as_ref().map(|sign| program.expr_text(dialogue, sign)).unwrap_or_default()
        })
        .breaks_if(breaks("a signature"));
}

fn persona(before: AgentOf<'_, '_>, after: AgentOf<'_, '_>, changes: &mut Changes) {
    let ((from, old), (to, new)) = (before, after);
    let (a, b) = (old.wire, new.wire);
    let within = Some(b.name.as_str());
    changes.aspect((Part::Prompt, within, "prompt"), "words", (&a.prompt, &b.prompt), |_, newer| {
        let (side, agent) = if newer { (to, new.ir) } else { (from, old.ir) };
        let prompt = agent.prompt.as_ref();
        prompt.map(|prompt| words::text(side.program, &agent.dialogue, prompt)).unwrap_or_default()
    });
    let lists = |list: &Vec<String>, _| list.join(", ");
    changes.aspect((Part::Language, within, "languages"), "list", (&a.languages, &b.languages), lists);
    let zone = |zone: &String, _| zone.clone();
    changes.aspect((Part::Setting, within, "time_zone"), "value", (&a.time_zone, &b.time_zone), zone);
    changes.aspect((Part::Setting, within, "words"), "list", (&a.words, &b.words), lists);
    changes.aspect((Part::Setting, within, "tags"), "list", (&a.tags, &b.tags), lists);
    dialogue::models(
        (Part::Model, within),
        (from, &old.ir.models, &a.models),
        (to, &new.ir.models, &b.models),
        changes,
    );
}

fn groups(before: AgentOf<'_, '_>, after: AgentOf<'_, '_>, changes: &mut Changes) {
    let ((from, old), (to, new)) = (before, after);
    let within = Some(new.wire.name.as_str());
    let nothing = Settings::new();
    let none = v1::Settings::default();
    let mut names: Vec<&String> = new.wire.groups.keys().collect();
    names.extend(old.wire.groups.keys().filter(|name| !new.wire.groups.contains_key(*name)));
    for group in names {
        let has = (old.wire.groups.contains_key(group), new.wire.groups.contains_key(group));
        if group == "outbound" && has.0 != has.1 {
            let breaks = if has.1 {
                "it makes calls now, and takes none"
            } else {
                "it takes calls now, and makes none"
            };
            let what = if has.1 { What::Added } else { What::Removed };
            changes.push(what, Part::Setting, within, group).breaks(breaks.to_owned());
        }
        let (a, b) =
            (old.wire.groups.get(group).unwrap_or(&none), new.wire.groups.get(group).unwrap_or(&none));
        let mut settings: Vec<&String> = b.keys().collect();
        settings.extend(a.keys().filter(|name| !b.contains_key(*name)));
        for setting in settings {
            let name = format!("{group}.{setting}");
            changes.aspect(
                (Part::Setting, within, &name),
                "value",
                (&a.get(setting), &b.get(setting)),
                |_, newer| {
                    let (side, agent) = if newer { (to, new.ir) } else { (from, old.ir) };
                    let value = agent.groups.get(group).unwrap_or(&nothing).get(setting);
                    value.map(|value| side.program.expr_text(&agent.dialogue, value)).unwrap_or_default()
                },
            );
        }
    }
}

fn after_and_before_the_call(before: AgentOf<'_, '_>, after: AgentOf<'_, '_>, changes: &mut Changes) {
    let ((from, old), (to, new)) = (before, after);
    let within = Some(new.wire.name.as_str());
    let (a, b) = (old.wire, new.wire);
    let side = |newer: bool| if newer { (to.program, new.ir) } else { (from.program, old.ir) };
    changes.aspect(
        (Part::BeforeCall, within, "before call"),
        "steps",
        (&a.before_call, &b.before_call),
        |_, newer| {
            let (program, agent) = side(newer);
            let block = |block: &crate::program::HookBlock| {
                let guard = block.guard.as_ref();
                let guard = guard.map(|guard| format!("if {}: ", program.expr_text(&agent.dialogue, guard)));
                guard.unwrap_or_default() + &words::steps(program, &agent.dialogue, &block.steps)
            };
            agent.before_call.iter().map(block).collect::<Vec<_>>().join("\n")
        },
    );
    let (was, is) = (a.reviews.iter().collect::<Vec<_>>(), b.reviews.iter().collect::<Vec<_>>());
    for pair in paired(&was, &is, |review| &review.name) {
        match pair {
            (None, Some(review)) => drop(changes.push(What::Added, Part::Review, within, &review.name)),
            (Some(review), None) => drop(changes.push(What::Removed, Part::Review, within, &review.name)),
            (Some(x), Some(y)) => {
                let what = (Part::Review, within, y.name.as_str());
                changes.aspect(what, "settings", (&x.settings, &y.settings), |settings, _| {
                    settings.keys().cloned().collect::<Vec<_>>().join(", ")
                });
                changes.aspect(what, "scores", (&x.scores, &y.scores), |scores, _| {
                    scores.iter().map(|score| score.name.as_str()).collect::<Vec<_>>().join(", ")
                });
            }
            (None, None) => {}
        }
    }
    let shown = |newer: bool, policy: usize| {
        let (program, agent) = side(newer);
        agent.policies.get(policy).map(|policy| words::promise(program, agent, policy)).unwrap_or_default()
    };
    for (index, promise) in b.policies.iter().enumerate().filter(|(_, promise)| !a.policies.contains(promise))
    {
        let _ = promise;
        changes.push(What::Added, Part::Promise, within, &shown(true, index));
    }
    for (index, promise) in a.policies.iter().enumerate().filter(|(_, promise)| !b.policies.contains(promise))
    {
        let _ = promise;
        changes.push(What::Removed, Part::Promise, within, &shown(false, index));
    }
}
