//! The conversation: variables, nodes, their parts, and the ways between them.

use super::{Both, Changes, Part, Side, What, both, paired, words};
use crate::program::{Decider, Dialogue, DialogueId, Models, Node, ProviderUse, Route, SlotKind};
use crate::wire::v1;

/// A dialogue, and whose it is.
pub(super) struct Of<'a> {
    pub(super) side: &'a Side<'a>,
    pub(super) id: DialogueId,
    /// The agent or flow, as the newer program calls it.
    pub(super) name: &'a str,
    pub(super) ir: &'a Dialogue,
    pub(super) wire: &'a v1::Dialogue,
}

/// Compares two dialogues. `moved` says which node has another name now.
pub(super) fn compare(old: &Of<'_>, new: &Of<'_>, moved: &[(String, String)], changes: &mut Changes) {
    let within = Some(new.name);
    variables(old, new, changes);
    changes.aspect((Part::Node, within, "start"), "start", (&old.wire.start, &new.wire.start), |start, _| {
        start.clone().unwrap_or_default()
    });
    let (was, is) = (both(&old.ir.nodes, &old.wire.nodes), both(&new.ir.nodes, &new.wire.nodes));
    // What a node of the older program is called now.
    let has = |name: &str| is.iter().any(|node| node.wire.name == name);
    let now = |name: &str| -> String {
        let renamed = moved.iter().find(|(from, to)| from == name && !has(name) && has(to));
        renamed.map_or(name, |(_, to)| to).to_owned()
    };
    for node in &was {
        let now = now(&node.wire.name);
        if now != node.wire.name {
            changes
                .push(What::Renamed, Part::Node, within, &now)
                .from(node.wire.name.clone())
                .to(now.clone());
        }
    }
    for node in &is {
        match was.iter().find(|other| now(&other.wire.name) == node.wire.name) {
            Some(other) => compare_node((old, *other), (new, *node), changes),
            None => drop(changes.push(What::Added, Part::Node, within, &node.wire.name)),
        }
    }
    for node in was.iter().filter(|node| !has(&now(&node.wire.name))) {
        changes.push(What::Removed, Part::Node, within, &node.wire.name);
    }
    let own = |of: &Of<'_>, from: Option<&str>| -> Vec<usize> {
        let all = of.wire.routes.iter().enumerate();
        all.filter(|(_, route)| route.from.as_deref() == from).map(|(index, _)| index).collect()
    };
    routes((old, &own(old, None)), (new, &own(new, None)), "anywhere", changes);
    for node in &is {
        if let Some(other) = was.iter().find(|other| now(&other.wire.name) == node.wire.name) {
            let before = own(old, Some(other.wire.key.as_ref().unwrap_or(&other.wire.name)));
            let after = own(new, Some(node.wire.key.as_ref().unwrap_or(&node.wire.name)));
            routes((old, &before), (new, &after), &node.wire.name, changes);
        }
    }
}

fn variables(old: &Of<'_>, new: &Of<'_>, changes: &mut Changes) {
    let within = Some(new.name);
    let all = |of: &Of<'_>| -> Vec<(String, String, v1::Slot)> {
        let both = of.ir.slots.iter().zip(&of.wire.slots);
        let variables = both.filter(|(_, wire)| wire.kind == SlotKind::Var);
        variables
            .map(|((_, slot), wire)| {
                let default = slot.default.as_ref();
                let default = default.map(|value| of.side.program.expr_text(of.ir, value));
                let default = default.map(|value| format!(" = {value}")).unwrap_or_default();
                let shown = format!("{}{default}", of.side.program.type_name(&slot.ty));
                (slot.name.clone(), shown, wire.clone())
            })
            .collect()
    };
    let (was, is) = (all(old), all(new));
    let (was, is): (Vec<_>, Vec<_>) = (was.iter().collect(), is.iter().collect());
    for pair in paired(&was, &is, |(name, ..)| name) {
        match pair {
            (None, Some((name, shown, _))) => {
                changes.push(What::Added, Part::Variable, within, name).to(shown.clone());
            }
            (Some((name, shown, _)), None) => {
                changes.push(What::Removed, Part::Variable, within, name).from(shown.clone());
            }
            (Some((name, a, x)), Some((_, b, y))) => {
                let what = (Part::Variable, within, name.as_str());
                let same = (x.ty == y.ty && x.default == y.default, true);
                changes.aspect(
                    what,
                    "type",
                    (&same.0, &same.1),
                    |_, newer| {
                        if newer { b.clone() } else { a.clone() }
                    },
                );
                changes.aspect(what, "about", (&x.about, &y.about), |about, _| {
                    about.clone().unwrap_or_default()
                });
            }
            (None, None) => {}
        }
    }
}

type NodeOf<'a, 'd> = (&'a Of<'d>, Both<'a, Node, v1::Node>);

fn compare_node((old, was): NodeOf<'_, '_>, (new, is): NodeOf<'_, '_>, changes: &mut Changes) {
    let what = (Part::Node, Some(new.name), is.wire.name.as_str());
    let (a, b) = (was.wire, is.wire);
    let side = |newer: bool| {
        if newer { (new.side.program, new.ir, is.ir) } else { (old.side.program, old.ir, was.ir) }
    };
    changes.aspect(what, "prompt", (&(&a.prompt, a.alone), &(&b.prompt, b.alone)), |_, newer| {
        let (program, dialogue, node) = side(newer);
        let prompt = node.prompt.as_ref().map(|prompt| words::text(program, dialogue, prompt));
        format!("{}{}", if node.alone { "alone: " } else { "" }, prompt.unwrap_or_default())
    });
    changes.aspect(what, "steps", (&a.steps, &b.steps), |_, newer| {
        let (program, dialogue, node) = side(newer);
        words::steps(program, dialogue, &node.steps)
    });
    changes.aspect(what, "collect", (&a.collect, &b.collect), |_, newer| {
        let (program, dialogue, node) = side(newer);
        node.collect.as_ref().map(|collect| words::collect(program, dialogue, collect)).unwrap_or_default()
    });
    let names = |names: &Vec<String>, _| names.join(", ");
    changes.aspect(what, "note", (&a.note, &b.note), names);
    changes.aspect(what, "use", (&a.uses, &b.uses), |_, newer| {
        let (program, _, node) = side(newer);
        node.uses.iter().map(|tool| program.tool_name(tool)).collect::<Vec<_>>().join(", ")
    });
    changes.aspect(what, "models", (&a.models, &b.models), |_, newer| {
        let (program, dialogue, node) = side(newer);
        let kinds =
            [&node.models.llm, &node.models.stt, &node.models.tts, &node.models.judge, &node.models.realtime];
        kinds
            .into_iter()
            .flatten()
            .map(|used| words::provider(program, dialogue, used))
            .collect::<Vec<_>>()
            .join(", ")
    });
    changes.aspect(what, "turn", (&a.turn, &b.turn), |_, newer| {
        let (program, dialogue, node) = side(newer);
        let settings = node.turn.iter();
        let all = settings.map(|(name, value)| format!("{name}: {}", program.expr_text(dialogue, value)));
        all.collect::<Vec<_>>().join(", ")
    });
}

/// Compares the routes of a node, or of `anywhere`. Their order has a meaning.
fn routes(
    (old, before): (&Of<'_>, &[usize]),
    (new, after): (&Of<'_>, &[usize]),
    node: &str,
    changes: &mut Changes,
) {
    let (was, is) = (told_apart(old, before), told_apart(new, after));
    let name = |key: &str| format!("{node}: {key}");
    let part = |route: &Route| match route.decider {
        Decider::On(_) => Part::Handler,
        _ => Part::Route,
    };
    for (key, ir, wire) in &is {
        let shown = words::route(new.side.program, new.id, new.ir, ir);
        match was.iter().find(|(other, ..)| other == key) {
            None => {
                changes.push(What::Added, part(ir), Some(new.name), &name(key)).to(shown);
            }
            Some((_, other, same)) if !alike(same, wire) => {
                let before = words::route(old.side.program, old.id, old.ir, other);
                let found = changes.push(What::Changed, part(ir), Some(new.name), &name(key));
                found.from(before).to(shown);
            }
            Some(_) => {}
        }
    }
    for (key, ir, _) in was.iter().filter(|(key, ..)| !is.iter().any(|(other, ..)| other == key)) {
        let shown = words::route(old.side.program, old.id, old.ir, ir);
        changes.push(What::Removed, part(ir), Some(new.name), &name(key)).from(shown);
    }
    let order =
        |all: &[(String, &Route, &v1::Route)], others: &[(String, &Route, &v1::Route)]| -> Vec<String> {
            let known = |key: &String| others.iter().any(|(other, ..)| other == key);
            all.iter().map(|(key, ..)| key.clone()).filter(known).collect()
        };
    let (was, is) = (order(&was, &is), order(&is, &was));
    changes.aspect((Part::Route, Some(new.name), node), "order", (&was, &is), |keys, _| keys.join("\n"));
}

/// Whether two routes do the same. A renamed node is told once, where it is renamed.
fn alike(a: &v1::Route, b: &v1::Route) -> bool {
    a.decider == b.decider && a.block == b.block && a.target == b.target
}

/// Routes with what tells them from their siblings; of several alike, the second has a number.
fn told_apart<'a>(of: &Of<'a>, indices: &[usize]) -> Vec<(String, &'a Route, &'a v1::Route)> {
    let mut all: Vec<(String, &Route, &v1::Route)> = Vec::new();
    for index in indices {
        let Some((wire, (_, ir))) = of.wire.routes.get(*index).zip(of.ir.routes.iter().nth(*index)) else {
            continue;
        };
        let key = words::decider(of.side.program, of.ir, ir);
        let count = all.iter().filter(|(other, ..)| other.split(" #").next() == Some(&key)).count();
        all.push((if count == 0 { key } else { format!("{key} #{}", count + 1) }, ir, wire));
    }
    all
}

/// Compares the models of an agent, kind by kind.
pub(super) fn models(
    (part, within): (Part, Option<&str>),
    (from, old, a): (&Side<'_>, &Models, &v1::Models),
    (to, new, b): (&Side<'_>, &Models, &v1::Models),
    changes: &mut Changes,
) {
    let kinds = [
        ("llm", &old.llm, &new.llm, &a.llm, &b.llm),
        ("stt", &old.stt, &new.stt, &a.stt, &b.stt),
        ("tts", &old.tts, &new.tts, &a.tts, &b.tts),
        ("judge", &old.judge, &new.judge, &a.judge, &b.judge),
        ("realtime", &old.realtime, &new.realtime, &a.realtime, &b.realtime),
    ];
    let nothing = Dialogue::default();
    for (kind, old, new, a, b) in kinds {
        changes.aspect((part, within, kind), "list", (a, b), |_, newer| {
            let (side, list): (_, &[ProviderUse]) = if newer { (to, new) } else { (from, old) };
            list.iter()
                .map(|used| words::provider(side.program, &nothing, used))
                .collect::<Vec<_>>()
                .join(", ")
        });
    }
}
