//! W0410 to W0422: what nothing uses, missing translations, and nodes that vanished since the last
//! release.

use std::collections::{BTreeMap, BTreeSet};

use dgh_diag::{Code, Diagnostic, Edit, Fix, Place, Span, suggest};
use dgh_ir::test::TestStepKind;
use dgh_ir::{Agent, DialogueId, Expr, ExprKind, Fact, PhraseId, PolicyKind, SlotId, SlotKind, Template};

use crate::flow::scene::{Scene, World};
use crate::report::{Item, ItemKind, Report};

/// Checks the whole program.
pub(crate) fn check(world: &World<'_>, report: &mut Report) {
    // What did not parse may use anything.
    if report.errors(|code| (code as u16) < (Code::UnknownName as u16)).is_empty() {
        items(world, report);
        for scene in &world.scenes {
            variables(world, scene, report);
        }
    }
    translations(world, report);
    for (_, agent) in world.program.agents.iter() {
        renamed(world, agent, report);
    }
}

fn items(world: &World<'_>, report: &mut Report) {
    // A file of flows and tools without an agent is there to be imported, and what an imported
    // file declares may be there for others.
    let is_program = world.program.own_agents > 0;
    let counts = |item: &&Item| {
        !item.used
            && (item.kind == ItemKind::Import || (is_program && item.place.file == world.context.entry))
    };
    for item in world.context.items.iter().filter(counts) {
        let (code, what) = match item.kind {
            ItemKind::Import => (Code::UnusedImport, "nothing uses the import"),
            ItemKind::Type => (Code::UnusedType, "nothing uses the type"),
            ItemKind::Const => (Code::UnusedConst, "nothing reads the constant"),
            ItemKind::Tool => (Code::UnusedTool, "nothing calls the tool"),
            ItemKind::Mcp => (Code::UnusedMcp, "nothing uses the MCP server"),
            ItemKind::Phrase => (Code::UnusedPhrase, "nothing says the phrase"),
            ItemKind::Knowledge => (Code::UnusedKnowledge, "nothing uses the knowledge"),
            ItemKind::Flow => (Code::UnusedFlow, "nothing runs the flow"),
        };
        let hint = match item.kind {
            ItemKind::Tool => format!(
                "Call it with `call {0}(…)`, let the model use it with `use {0}`, or remove it.",
                item.name
            ),
            ItemKind::Flow => format!("Run it with `run {}(…)`, or remove it.", item.name),
            _ => "Remove it, or use it.".to_string(),
        };
        report.push(
            Diagnostic::new(code, item.place, format!("{what} `{}`", item.name))
                .with_label("unused")
                .with_hint(hint)
                .with_fix(Fix {
                    title: format!("Remove `{}`", item.name),
                    edits: vec![Edit { place: item.whole, text: String::new() }],
                    safe: item.kind == ItemKind::Import,
                }),
        );
    }
}

/// A variable that is neither read, nor learned: what is learned is part of what is known of the
/// call, so the model and the call's record read it.
fn variables(world: &World<'_>, scene: &Scene<'_>, report: &mut Report) {
    let used = used_slots(world, scene);
    for (id, slot) in scene.dialogue.slots.iter() {
        if slot.kind != SlotKind::Var || used.contains(&id) {
            continue;
        }
        let place = report.place(slot.origin);
        let mut finding = Diagnostic::new(
            Code::UnusedVariable,
            place,
            format!("nothing uses the variable `{}`", slot.name),
        )
        .with_label("unused")
        .with_hint(format!("Learn it with `collect {0}` or `note {0}`, read it, or remove it.", slot.name));
        let written = scene.dialogue.nodes.iter().flat_map(|(_, n)| &n.steps);
        let written = written.chain(scene.dialogue.routes.iter().flat_map(|(_, r)| &r.block));
        let mut is_written = false;
        for step in written.filter(|s| s.writes() == Some(id) || s.clears().contains(&id)) {
            is_written = true;
            finding = finding.with_related(report.place(step.origin), "written here, and never read");
        }
        if let Some(whole) = report.whole(slot.origin).filter(|_| !is_written) {
            finding = finding.with_fix(Fix {
                title: format!("Remove `{}`", slot.name),
                edits: vec![Edit { place: whole, text: String::new() }],
                safe: false,
            });
        }
        report.push(finding);
    }
}

fn used_slots(world: &World<'_>, scene: &Scene<'_>) -> BTreeSet<SlotId> {
    let mut used = BTreeSet::new();
    let mut read = |e: &Expr| used.extend(e.reads());
    scene.dialogue.nodes.iter().for_each(|(_, node)| node.each_expr(&mut read));
    scene.dialogue.routes.iter().for_each(|(_, route)| route.each_expr(&mut read));
    scene.dialogue.slots.iter().flat_map(|(_, s)| &s.default).for_each(&mut read);
    if let DialogueId::Agent(id) = scene.id {
        let agent = &world.program.agents[id];
        agent.prompt.iter().flat_map(Template::exprs).for_each(&mut read);
        for block in &agent.before_call {
            block.guard.iter().for_each(&mut read);
            block.steps.iter().for_each(|step| step.each_expr(&mut read));
        }
        for (_, webhook) in agent.webhooks.iter() {
            webhook.guard.iter().for_each(&mut read);
            webhook.request.each_expr(&mut read);
        }
        agent.groups.values().flat_map(|g| g.values()).for_each(&mut read);
        for policy in &agent.policies {
            match &policy.kind {
                PolicyKind::Ensure { fact: Fact::Holds(e), .. } => read(e),
                PolicyKind::Always { condition, .. } => read(condition),
                PolicyKind::Ensure { .. } | PolicyKind::Never { .. } => {}
            }
        }
        for test in world.context.tests.iter().filter(|t| t.agent == id) {
            for step in &test.steps {
                match &step.kind {
                    TestStepKind::Expect(e) => read(e),
                    TestStepKind::Caller(text) => text.exprs().for_each(&mut read),
                    _ => {}
                }
            }
        }
        for policy in &agent.policies {
            if let PolicyKind::Never { slot, .. } = policy.kind {
                used.insert(slot);
            }
        }
    }
    for (_, node) in scene.dialogue.nodes.iter() {
        used.extend(node.collect.iter().flat_map(|c| &c.slots).chain(&node.note).copied());
    }
    let meant: BTreeSet<&str> = world
        .context
        .tests
        .iter()
        .flat_map(|t| &t.steps)
        .filter_map(|s| match &s.kind {
            TestStepKind::Says(_, Some(meaning)) => Some(meaning),
            _ => None,
        })
        .flat_map(|meaning| meaning.notes.iter().map(|n| n.name.as_str()))
        .collect();
    let named = scene.dialogue.slots.iter().filter(|(_, s)| meant.contains(s.name.as_str()));
    used.extend(named.map(|(id, _)| id));
    used
}

/// Phrases that an agent says, in languages that they do not have.
fn translations(world: &World<'_>, report: &mut Report) {
    let mut missing: BTreeMap<PhraseId, BTreeSet<&str>> = BTreeMap::new();
    for (at, scene) in world.scenes.iter().enumerate() {
        let phrases = phrases_in(world, scene);
        if phrases.is_empty() {
            continue;
        }
        for agent in world.agents_of(at) {
            let Some(DialogueId::Agent(agent)) = world.scene(agent).map(|s| s.id) else { continue };
            for language in &world.program.agents[agent].languages {
                for id in &phrases {
                    let Some(phrase) = world.program.phrases.get(*id) else { continue };
                    if !phrase.texts.keys().any(|tag| same_language(tag, language)) {
                        missing.entry(*id).or_default().insert(language);
                    }
                }
            }
        }
    }
    for (id, languages) in missing {
        let Some(phrase) = world.program.phrases.get(id) else { continue };
        let languages: Vec<&str> = languages.into_iter().collect();
        let list = suggest::all_of(&suggest::quoted(&languages));
        let instead = phrase.texts.keys().next().map_or("", String::as_str);
        report.push(
            Diagnostic::new(
                Code::MissingTranslation,
                report.place(phrase.origin),
                format!("the phrase `{}` has no text for {list}", phrase.name),
            )
            .with_label("a text is missing")
            .with_hint(format!("Until it has one, callers of that language hear `{instead}`.")),
        );
    }
}

fn same_language(a: &str, b: &str) -> bool {
    let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
    primary(a) == primary(b)
}

fn phrases_in(world: &World<'_>, scene: &Scene<'_>) -> BTreeSet<PhraseId> {
    let mut found = BTreeSet::new();
    let mut read = |e: &Expr| {
        e.walk(&mut |e| {
            if let ExprKind::Phrase(id) = e.kind {
                found.insert(id);
            }
        });
    };
    scene.dialogue.nodes.iter().for_each(|(_, node)| node.each_expr(&mut read));
    scene.dialogue.routes.iter().for_each(|(_, route)| route.each_expr(&mut read));
    if let DialogueId::Agent(id) = scene.id {
        world.program.agents[id].prompt.iter().flat_map(Template::exprs).for_each(read);
    }
    found
}

/// Calls in progress keep their release, but positions, statistics and tests go by node names.
fn renamed(world: &World<'_>, agent: &Agent, report: &mut Report) {
    let Some(released) = world.context.last_release.get(&agent.name) else { return };
    let names: BTreeSet<&str> = agent.dialogue.nodes.iter().map(|(_, n)| n.name.as_str()).collect();
    let known: BTreeSet<&str> = released.iter().map(String::as_str).collect();
    let moved = |name: &str| agent.moved.iter().any(|(old, _)| old == name);
    let new: Vec<&str> = names.iter().copied().filter(|n| !known.contains(n)).collect();
    let gone: Vec<&str> =
        released.iter().map(String::as_str).filter(|n| !names.contains(n) && !moved(n)).collect();
    for name in &gone {
        let guess = match (new.as_slice(), gone.as_slice()) {
            ([one], [_]) => Some(*one),
            _ => suggest::closest(name, new.iter().copied()),
        };
        let mut finding = Diagnostic::new(
            Code::RenamedWithoutMoved,
            report.place(agent.origin),
            format!("the last release had a node `{name}`, and nothing says where it went"),
        );
        finding = match guess {
            Some(guess) => {
                finding.with_hint(format!("If it is `{guess}` now, add `moved {name} -> {guess}`."))
            }
            None => finding.with_hint(format!("If it has a new name, add `moved {name} -> …`.")),
        };
        if let (Some(guess), Some(whole)) = (guess, report.whole(agent.origin)) {
            let text = world.context.text(whole).trim_end();
            if text.ends_with('}') {
                let at = whole.span.start + text.len() as u32 - 1;
                let place = Place { file: whole.file, span: Span::at(at) };
                finding = finding.with_fix(Fix {
                    title: format!("Add `moved {name} -> {guess}`"),
                    edits: vec![Edit { place, text: format!("  moved {name} -> {guess}\n") }],
                    safe: false,
                });
            }
        }
        report.push(finding);
    }
}
