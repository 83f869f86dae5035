//! What agents share: types, tools, servers, flows, phrases, knowledge, the standard library.

use super::{Both, Changes, Part, Side, What, both, dialogue, paired, words};
use crate::arena::Id as _;
use crate::program::{Dialogue, DialogueId, FieldDef, FlowId, Param, Slot, SlotKind, Tool, ToolAction};
use crate::wire::v1;

/// Compares them.
pub(super) fn compare(before: &Side<'_>, after: &Side<'_>, changes: &mut Changes) {
    types(before, after, changes);
    let (was, is) =
        (both(&before.program.tools, &before.wire.tools), both(&after.program.tools, &after.wire.tools));
    for pair in paired(&was, &is, |tool| tool.wire.key.as_ref().unwrap_or(&tool.wire.name)) {
        match pair {
            (None, Some(tool)) => drop(changes.push(What::Added, Part::Tool, None, &tool.wire.name)),
            (Some(tool), None) => drop(changes.push(What::Removed, Part::Tool, None, &tool.wire.name)),
            (Some(old), Some(new)) => compare_tool((before, old), (after, new), changes),
            (None, None) => {}
        }
    }
    flows(before, after, changes);
    others(before, after, changes);
}

fn types(before: &Side<'_>, after: &Side<'_>, changes: &mut Changes) {
    // The outcomes of an agent are an enum as well, and are told as outcomes.
    let enums = |side: &Side<'_>| -> Vec<(String, String)> {
        let all = side.wire.enums.iter().filter(|def| !def.name.contains('.'));
        all.map(|def| (def.key.clone().unwrap_or(def.name.clone()), def.cases.join(", "))).collect()
    };
    let records = |side: &Side<'_>| -> Vec<(String, String)> {
        let all = side.program.records.iter().zip(&side.wire.records);
        all.map(|((_, def), wire)| {
            let field = |field: &FieldDef| format!("{}: {}", field.name, side.program.type_name(&field.ty));
            let fields: Vec<_> = def.fields.iter().map(field).collect();
            (wire.key.clone().unwrap_or(def.name.clone()), fields.join(", "))
        })
        .collect()
    };
    for (was, is) in [(enums(before), enums(after)), (records(before), records(after))] {
        let (was, is): (Vec<_>, Vec<_>) = (was.iter().collect(), is.iter().collect());
        for pair in paired(&was, &is, |(name, _)| name) {
            match pair {
                (None, Some((name, shown))) => {
                    changes.push(What::Added, Part::Type, None, name).to(shown.clone());
                }
                (Some((name, shown)), None) => {
                    changes.push(What::Removed, Part::Type, None, name).from(shown.clone());
                }
                (Some((name, a)), Some((_, b))) => {
                    changes
                        .aspect((Part::Type, None, name), "cases and fields", (a, b), |text, _| text.clone());
                }
                (None, None) => {}
            }
        }
    }
}

type ToolOf<'a, 's> = (&'s Side<'s>, Both<'a, Tool, v1::Tool>);

fn compare_tool((from, old): ToolOf<'_, '_>, (to, new): ToolOf<'_, '_>, changes: &mut Changes) {
    let what = (Part::Tool, None, new.wire.name.as_str());
    let (a, b) = (old.wire, new.wire);
    let side = |newer: bool| if newer { (to.program, new.ir) } else { (from.program, old.ir) };
    changes.aspect(what, "about", (&a.about, &b.about), |about, _| about.clone());
    changes.aspect(what, "parameters", (&a.params, &b.params), |_, newer| {
        let (program, tool) = side(newer);
        let params = tool.params.iter();
        let all = params.map(|param| format!("{}: {}", param.name, program.type_name(&param.ty)));
        all.collect::<Vec<_>>().join(", ")
    });
    changes.aspect(what, "answer", (&a.result, &b.result), |_, newer| {
        let (program, tool) = side(newer);
        tool.result.as_ref().map(|ty| program.type_name(ty)).unwrap_or_default()
    });
    changes.aspect(what, "request", (&a.action, &b.action), |_, newer| {
        let (program, tool) = side(newer);
        // Its texts read the parameters, which stand where the slots of a dialogue do.
        let parameters = parameters(tool);
        match &tool.action {
            ToolAction::Http(request) => {
                let url = words::text(program, &parameters, &request.url);
                let body = request.body.as_ref().map(|body| program.expr_text(&parameters, body));
                [Some(format!("{} {url}", request.method)), body]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join("\n")
            }
            ToolAction::Builtin(name) => format!("builtin {name}"),
            ToolAction::Hole => String::new(),
        }
    });
    let limits = |tool: &v1::Tool| (tool.timeout_ms, tool.retries, tool.idempotent);
    changes.aspect(what, "limits", (&limits(a), &limits(b)), |(timeout, retries, idempotent), _| {
        format!("timeout {timeout} ms, retries {retries}{}", if *idempotent { ", idempotent" } else { "" })
    });
}

fn parameters(tool: &Tool) -> Dialogue {
    let slot = |param: &Param| Slot {
        name: param.name.clone(),
        ty: param.ty.clone(),
        kind: SlotKind::Input,
        about: None,
        default: None,
        origin: param.origin,
    };
    Dialogue { slots: tool.params.iter().map(slot).collect(), ..Dialogue::default() }
}

fn flows(before: &Side<'_>, after: &Side<'_>, changes: &mut Changes) {
    let all = |side: &'_ Side<'_>| -> Vec<(FlowId, String)> {
        let both = side.program.flows.ids().zip(&side.wire.flows);
        both.map(|(id, wire)| (id, wire.key.clone().unwrap_or(wire.name.clone()))).collect()
    };
    let (was, is) = (all(before), all(after));
    let (was, is): (Vec<_>, Vec<_>) = (was.iter().collect(), is.iter().collect());
    for pair in paired(&was, &is, |(_, name)| name) {
        match pair {
            (None, Some((_, name))) => drop(changes.push(What::Added, Part::Flow, None, name)),
            (Some((_, name)), None) => drop(changes.push(What::Removed, Part::Flow, None, name)),
            (Some((old, _)), Some((new, name))) => flow((before, *old), (after, *new), name, changes),
            (None, None) => {}
        }
    }
}

fn flow((from, old): (&Side<'_>, FlowId), (to, new): (&Side<'_>, FlowId), name: &str, changes: &mut Changes) {
    let find = |side: &'_ Side<'_>, id: FlowId| side.wire.flows.get(id.index()).cloned();
    let (Some(a), Some(b)) = (find(from, old), find(to, new)) else { return };
    let (Some(x), Some(y)) = (from.program.flows.get(old), to.program.flows.get(new)) else { return };
    changes.aspect((Part::Flow, None, name), "result", (&a.result, &b.result), |_, newer| {
        if newer { to.program.type_name(&y.result) } else { from.program.type_name(&x.result) }
    });
    let inputs = |dialogue: &v1::Dialogue| -> Vec<v1::Slot> {
        dialogue.slots.iter().filter(|slot| slot.kind == SlotKind::Input).cloned().collect()
    };
    changes.aspect(
        (Part::Flow, None, name),
        "parameters",
        (&inputs(&a.dialogue), &inputs(&b.dialogue)),
        |slots, _| slots.iter().map(|slot| slot.name.as_str()).collect::<Vec<_>>().join(", "),
    );
    dialogue::compare(
        &dialogue::Of { side: from, id: DialogueId::Flow(old), name, ir: &x.dialogue, wire: &a.dialogue },
        &dialogue::Of { side: to, id: DialogueId::Flow(new), name, ir: &y.dialogue, wire: &b.dialogue },
        &[],
        changes,
    );
}

fn others(before: &Side<'_>, after: &Side<'_>, changes: &mut Changes) {
    let (a, b) = (&before.wire, &after.wire);
    whole(Part::McpServer, (&a.mcps, &b.mcps), |server| server.key.as_ref().unwrap_or(&server.name), changes);
    whole(
        Part::Phrase,
        (&a.phrases, &b.phrases),
        |phrase| phrase.key.as_ref().unwrap_or(&phrase.name),
        changes,
    );
    let name = |knowledge: &v1::Knowledge| knowledge.key.clone().unwrap_or(knowledge.name.clone());
    let (was, is): (Vec<_>, Vec<_>) = (
        a.knowledge.iter().map(|k| (name(k), k)).collect(),
        b.knowledge.iter().map(|k| (name(k), k)).collect(),
    );
    let (was, is): (Vec<_>, Vec<_>) = (was.iter().collect(), is.iter().collect());
    for pair in paired(&was, &is, |(name, _)| name) {
        match pair {
            (None, Some((name, _))) => drop(changes.push(What::Added, Part::Knowledge, None, name)),
            (Some((name, _)), None) => drop(changes.push(What::Removed, Part::Knowledge, None, name)),
            (Some((name, x)), Some((_, y))) => {
                let shown = |knowledge: &&v1::Knowledge, _| {
                    let urls = knowledge.urls.len();
                    format!(
                        "{}; {urls} addresses{}",
                        knowledge.files.join(", "),
                        if knowledge.full { "; full" } else { "" }
                    )
                };
                changes.aspect((Part::Knowledge, None, name), "sources", (x, y), shown);
            }
            (None, None) => {}
        }
    }
    if a.last != b.last {
        changes.push(What::Changed, Part::Library, None, "last handlers");
    }
    // A provider that is used now and was not before is told where it is used.
    for new in &b.providers {
        let old = a.providers.iter().find(|old| old.kind == new.kind && old.name == new.name);
        if old.is_some_and(|old| old.settings != new.settings || old.params != new.params) {
            changes.push(What::Changed, Part::Library, None, &new.name);
        }
    }
}

/// Things that are compared as a whole.
fn whole<T: PartialEq>(
    part: Part,
    (was, is): (&[T], &[T]),
    name: impl Fn(&T) -> &str,
    changes: &mut Changes,
) {
    let (was, is): (Vec<&T>, Vec<&T>) = (was.iter().collect(), is.iter().collect());
    for pair in paired(&was, &is, |item| name(item)) {
        match pair {
            (None, Some(item)) => drop(changes.push(What::Added, part, None, name(item))),
            (Some(item), None) => drop(changes.push(What::Removed, part, None, name(item))),
            (Some(a), Some(b)) if a != b => drop(changes.push(What::Changed, part, None, name(b))),
            _ => {}
        }
    }
}
