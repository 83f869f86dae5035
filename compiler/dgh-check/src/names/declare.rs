//! Reads the items of all files that the entry reaches, and gives each its id.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use dgh_diag::{Code, Diagnostic, Edit, FileId, Fix, Place, Related, Span};
use dgh_ir::program::{
    Agent, Dialogue, EnumDef, EnumId, Flow, HttpRequest, Knowledge, McpServer, Method, Models, Phrase,
    RecordDef, Tool, ToolAction,
};
use dgh_ir::{Arena, Origin, Template, Type};
use dgh_syntax::ast::{self, AstNode as _};
use dgh_syntax::{SyntaxKind, SyntaxNode};
use indexmap::IndexMap;

use super::{Entry, FileScope, Named};
use crate::input::{FileOrigin, Import, SourceFile};
use crate::lower::Lower;

/// Fills in the scopes of all files, and the list of items that wait to be lowered.
pub(crate) fn declare(lower: &mut Lower<'_>) {
    let order = reach(lower);
    for (index, file) in order.iter().enumerate() {
        let tree = file.parse.file();
        let mut scope = FileScope {
            id: file.id,
            origin: file.origin,
            names: HashMap::new(),
            order: Vec::new(),
            enums: HashMap::new(),
            lost: lost_words(tree.syntax(), file.parse.is_accepted())
                .into_iter()
                .chain(swallowed(file))
                .chain(file.parse.diagnostics(file.id).flat_map(|d| mended(&d, &file.text)))
                .collect(),
        };
        for item in tree.items() {
            declare_item(lower, &mut scope, index, item);
        }
        lower.files.push(scope);
    }
    for (index, file) in order.iter().enumerate() {
        for import in file.parse.file().imports() {
            bring(lower, index, &import);
        }
    }
}

/// The files in a fixed order: the entry, what it imports, the prelude.
fn reach<'a>(lower: &mut Lower<'a>) -> Vec<&'a SourceFile<'a>> {
    let by_id: HashMap<FileId, &'a SourceFile<'a>> = lower.input.files.iter().map(|f| (f.id, f)).collect();
    let prelude = lower.input.files.iter().filter(|f| f.origin == FileOrigin::Prelude).map(|f| f.id);
    let roots: Vec<FileId> = std::iter::once(lower.input.entry).chain(prelude).collect();
    let mut walk = Walk { by_id, order: Vec::new(), state: HashMap::new(), path: Vec::new() };
    for root in roots {
        walk.visit(lower, root);
    }
    lower.file_index = walk.order.iter().enumerate().map(|(i, f)| (f.id, i)).collect();
    walk.order
}

struct Walk<'a> {
    by_id: HashMap<FileId, &'a SourceFile<'a>>,
    order: Vec<&'a SourceFile<'a>>,
    /// Whether a visit is finished.
    state: HashMap<FileId, bool>,
    path: Vec<(FileId, Place)>,
}

impl<'a> Walk<'a> {
    /// Visits a file and what it imports. The depth is bounded by the number of files, and an
    /// import of a file that is being visited is a cycle.
    fn visit(&mut self, lower: &mut Lower<'a>, id: FileId) {
        let Some(file) = self.by_id.get(&id).copied() else { return };
        if self.state.insert(id, false).is_some() {
            return;
        }
        self.order.push(file);
        for import in file.parse.file().imports() {
            let Some((path, place)) = import_path(id, &import) else { continue };
            let Import::File(next) = (lower.input.resolve)(id, &path) else { continue };
            match self.state.get(&next) {
                None => {
                    self.path.push((id, place));
                    self.visit(lower, next);
                    self.path.pop();
                }
                Some(false) => self.report_cycle(lower, id, next, place),
                Some(true) => {}
            }
        }
        self.state.insert(id, true);
    }

    fn report_cycle(&self, lower: &mut Lower<'a>, from: FileId, to: FileId, place: Place) {
        let name = |id: FileId| self.by_id.get(&id).map_or("?", |f| f.path);
        let message = if from == to {
            format!("`{}` imports itself", name(from))
        } else {
            format!("`{}` and `{}` import each other", name(to), name(from))
        };
        let mut finding = Diagnostic::new(Code::ImportCycle, place, message)
            .with_hint("Move what both need into a third file, and import it from there.");
        let start = self.path.iter().position(|(id, _)| *id == to).unwrap_or(self.path.len());
        for (id, place) in self.path.iter().skip(start) {
            finding.steps.push(Related { place: *place, message: format!("`{}` imports this", name(*id)) });
        }
        finding
            .steps
            .push(Related { place, message: format!("and `{}` imports `{}` again", name(from), name(to)) });
        lower.report.push(finding);
    }
}

fn import_path(file: FileId, import: &ast::Import) -> Option<(String, Place)> {
    let literal = import.path()?;
    Some((literal.plain_text()?, Place { file, span: literal.span() }))
}

/// What a name that was refused may be called where it is used: as it stands, or as it should be.
fn mended(finding: &Diagnostic, text: &str) -> Vec<String> {
    let Place { span: Span { start, end }, .. } = finding.place;
    let word = text.get(start as usize..end as usize);
    let Some(word) = word.filter(|_| finding.code == Code::BadName) else { return Vec::new() };
    // The hint says `Call it `x``.
    let better = finding.hint.as_deref().and_then(|hint| hint.split('`').nth(1));
    std::iter::once(word).chain(better).map(str::to_owned).collect()
}

/// The words inside of what the parser could not read.
fn lost_words(root: &SyntaxNode, clean: bool) -> HashSet<String> {
    if clean {
        return HashSet::new();
    }
    let errors = root.descendants().filter(|n| n.kind() == SyntaxKind::Error);
    let tokens =
        errors.flat_map(|n| n.descendants_with_tokens()).filter_map(dgh_syntax::SyntaxElement::into_token);
    tokens.filter(|t| t.kind() == SyntaxKind::Ident).map(|t| t.text().to_owned()).collect()
}

/// The words of a text that is never closed: part of the program may be in it.
fn swallowed(file: &SourceFile<'_>) -> Vec<String> {
    let unclosed = file.parse.errors().iter().filter(|e| e.code == Code::UnclosedString);
    let mut words = Vec::new();
    let mut tree = None;
    for error in unclosed {
        let root = tree.get_or_insert_with(|| file.parse.tree());
        let Some(first) = root.token_at_offset(error.span.start.into()).right_biased() else { continue };
        let end = first.parent().map_or(error.span.end, |text| text.text_range().end().into());
        let text = file.text.get(error.span.start as usize..end as usize).unwrap_or_default();
        let of_text = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.extend(of_text.filter(|w| !w.is_empty()).map(str::to_owned));
    }
    words
}

fn declare_item(lower: &mut Lower<'_>, scope: &mut FileScope, index: usize, item: ast::Item) {
    if matches!(
        item,
        ast::Item::Provider(_) | ast::Item::Event(_) | ast::Item::Group(_) | ast::Item::Anywhere(_)
    ) {
        if scope.is_library() {
            lower.library_items.push((index, item));
        } else {
            misplaced(lower, scope.id, &item);
        }
        return;
    }
    if matches!(item, ast::Item::Import(_) | ast::Item::Test(_)) {
        return;
    }
    let Some(name) = item.name() else { return };
    let text = name.text();
    let place = Place { file: scope.id, span: name.span() };
    let whole = Place { file: scope.id, span: whole_span(item.syntax()) };
    if let Some(first) = scope.names.get(&text) {
        let finding = Diagnostic::new(
            Code::Duplicate,
            place,
            format!("`{text}` is already the name of {}", first.named.what()),
        )
        .with_related(first.place, "the first one")
        .with_hint("All items of a file share one set of names. Rename one of the two.");
        lower.report.push(finding);
        return;
    }
    let origin = lower.report.origin_of(place, whole);
    let Some(named) = allocate(lower, &item, &text, origin) else { return };
    lower.items.push((index, item, named));
    scope.insert(text, Entry { named, place, whole, imported: false, used: Cell::new(false) });
}

fn misplaced(lower: &mut Lower<'_>, file: FileId, item: &ast::Item) {
    let what = match item {
        ast::Item::Provider(_) => "providers",
        ast::Item::Event(_) => "events",
        ast::Item::Group(_) => "groups of settings",
        _ => "handlers outside of an agent",
    };
    let span = item.name().map_or_else(|| item.span(), |n| n.span());
    let hint = match item {
        ast::Item::Provider(_) => {
            "For a server that speaks OpenAI's protocol, use `openai_compatible(\"model\", url: \"…\")`."
        }
        ast::Item::Anywhere(_) => "Put `anywhere { … }` inside of an `agent` or a `flow`.",
        _ => "What is not in the standard library cannot be added in a program.",
    };
    let finding = Diagnostic::new(
        Code::Misplaced,
        Place { file, span },
        format!("only the standard library declares {what}"),
    )
    .with_hint(hint);
    lower.report.push(finding);
}

/// Makes room for an item, to be filled in when all names are known.
fn allocate(lower: &mut Lower<'_>, item: &ast::Item, name: &str, origin: Origin) -> Option<Named> {
    let name = name.to_owned();
    let program = &mut lower.program;
    Some(match item {
        ast::Item::Enum(_) => Named::Enum(program.enums.push(EnumDef { name, cases: Vec::new(), origin })),
        ast::Item::Type(_) => {
            Named::Record(program.records.push(RecordDef { name, fields: Vec::new(), origin }))
        }
        ast::Item::Const(item) => Named::Const(lower.consts.declare(name, item.clone(), lower.files.len())),
        ast::Item::Tool(_) => Named::Tool(program.tools.push(Tool {
            name,
            about: String::new(),
            params: Vec::new(),
            result: None,
            action: ToolAction::Hole,
            timeout_ms: dgh_ir::program::TOOL_TIMEOUT_MS,
            retries: 0,
            idempotent: false,
            origin,
        })),
        ast::Item::Mcp(_) => Named::Mcp(program.mcps.push(McpServer {
            name,
            url: None,
            command: None,
            auth: None,
            allow: None,
            timeout_ms: dgh_ir::program::TOOL_TIMEOUT_MS,
            tools: None,
            origin,
        })),
        ast::Item::Phrase(_) => {
            Named::Phrase(program.phrases.push(Phrase { name, texts: IndexMap::new(), origin }))
        }
        ast::Item::Knowledge(_) => Named::Knowledge(program.knowledge.push(empty_knowledge(name, origin))),
        ast::Item::Agent(_) => Named::Agent(program.agents.push(empty_agent(name, origin))),
        ast::Item::Flow(_) => Named::Flow(program.flows.push(Flow {
            name,
            result: Type::hole(),
            dialogue: Dialogue::default(),
            origin,
        })),
        _ => return None,
    })
}

/// Knowledge without files, before its settings are read.
pub(crate) fn empty_knowledge(name: String, origin: Origin) -> Knowledge {
    Knowledge { name, files: Vec::new(), urls: Vec::new(), full: false, origin }
}

/// A request before its settings are read.
pub(crate) fn empty_request() -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url: Template::default(),
        headers: Vec::new(),
        body: None,
        auth: None,
        result: None,
    }
}

fn empty_agent(name: String, origin: Origin) -> Agent {
    Agent {
        name,
        prompt: None,
        models: Models::default(),
        languages: vec!["en".to_owned()],
        time_zone: "UTC".to_owned(),
        channels: Vec::new(),
        words: Vec::new(),
        tags: Vec::new(),
        groups: IndexMap::new(),
        outcomes: Arena::new(),
        outcome_enum: EnumId(u32::MAX),
        before_call: Vec::new(),
        dialogue: Dialogue::default(),
        webhooks: Arena::new(),
        reviews: Vec::new(),
        policies: Vec::new(),
        moved: Vec::new(),
        origin,
    }
}

/// A node with the `///` lines directly above it.
pub(crate) fn whole_span(node: &SyntaxNode) -> Span {
    let span = ast::node_span(node);
    let mut start = span.start;
    let mut before = node.prev_sibling_or_token();
    while let Some(element) = before {
        let Some(token) = element.as_token() else { break };
        match token.kind() {
            SyntaxKind::DocComment => start = ast::token_span(token).start,
            SyntaxKind::Whitespace if token.text().bytes().filter(|b| *b == b'\n').count() < 2 => {}
            _ => break,
        }
        before = token.prev_sibling_or_token();
    }
    Span::new(start, span.end)
}

/// Brings the names of an import into the scope of a file.
fn bring(lower: &mut Lower<'_>, index: usize, import: &ast::Import) {
    let Some(file) = lower.files.get(index).map(|f| f.id) else { return };
    let target =
        import_path(file, import).map(|(path, place)| ((lower.input.resolve)(file, &path), path, place));
    let from = match target {
        Some((Import::File(id), ..)) => lower.file_index.get(&id).copied(),
        Some((Import::Missing(known), path, place)) => {
            report_missing(lower, &known, &path, place);
            None
        }
        Some((Import::Unreadable, ..)) | None => None,
    };
    let names: Vec<ast::NameRef> = import.names().collect();
    for (nth, name) in names.iter().enumerate() {
        let text = name.text();
        let place = Place { file, span: name.span() };
        let whole = Place { file, span: with_comma(import, &names, nth) };
        let (named, meant) = from.map_or((Named::Hole, None), |from| exported(lower, from, &text, place));
        let Some(scope) = lower.files.get_mut(index) else { return };
        // The name that was meant is used as if it had been brought.
        if let Some((meant, named)) = meant.filter(|(meant, _)| !scope.names.contains_key(meant)) {
            let used = Cell::new(true);
            scope.insert(meant, Entry { named, place, whole, imported: true, used });
        }
        if let Some(first) = scope.names.get(&text) {
            let finding = Diagnostic::new(
                Code::Duplicate,
                place,
                if first.imported {
                    format!("`{text}` is imported twice")
                } else {
                    format!("this file already has `{text}`, {}", first.named.what())
                },
            )
            .with_related(first.place, "the first one")
            .with_hint("All items of a file share one set of names. Rename or remove one of the two.");
            lower.report.push(finding);
            continue;
        }
        scope.insert(text, Entry { named, place, whole, imported: true, used: Cell::new(false) });
    }
}

/// What an import brings under a name; with an unknown name, the one that was meant.
fn exported(
    lower: &mut Lower<'_>,
    from: usize,
    name: &str,
    place: Place,
) -> (Named, Option<(String, Named)>) {
    let Some(scope) = lower.files.get(from) else { return (Named::Hole, None) };
    if let Some(entry) = scope.names.get(name).filter(|e| !e.imported) {
        entry.used.set(true);
        return (entry.named, None);
    }
    if scope.lost.contains(name) {
        return (Named::Hole, None);
    }
    let own: Vec<&str> = scope
        .order
        .iter()
        .filter(|n| scope.names.get(*n).is_some_and(|e| !e.imported))
        .map(String::as_str)
        .collect();
    let mut finding =
        lower.unknown(Code::UnknownImport, place, format!("that file has no `{name}`"), name, &own);
    if scope.names.contains_key(name) {
        finding = finding.with_hint("That file only imports it. Import it from where it is declared.");
    }
    let meant = dgh_diag::suggest::closest(name, own.iter().copied())
        .and_then(|meant| Some((meant.to_owned(), scope.get(meant)?)));
    lower.report.push(finding);
    (meant.as_ref().map_or(Named::Hole, |(_, named)| *named), meant)
}

fn report_missing(lower: &mut Lower<'_>, known: &[String], path: &str, place: Place) {
    let candidates: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut finding = Diagnostic::new(Code::ImportNotFound, place, format!("there is no file `{path}`"));
    if let Some(near) = dgh_diag::suggest::closest(path, candidates.iter().copied()) {
        let inner = Place {
            file: place.file,
            span: Span::new(place.span.start + 1, place.span.end.saturating_sub(1)),
        };
        finding = finding.with_hint(format!("Did you mean `{near}`?")).with_fix(Fix {
            title: format!("Change to `{near}`"),
            edits: vec![Edit { place: inner, text: near.to_owned() }],
            safe: false,
        });
    } else if path.starts_with("std/") {
        let names = dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(&candidates));
        finding = finding.with_hint(format!("The standard library has {names}."));
    } else {
        finding = finding.with_hint("A path starts at the folder of this file: `./other.dgh`.");
    }
    lower.report.push(finding);
}

/// A name in the braces of an import with the comma that goes with it; the whole import when it
/// brings only that.
fn with_comma(import: &ast::Import, names: &[ast::NameRef], nth: usize) -> Span {
    let Some(name) = names.get(nth) else { return import.span() };
    if names.len() == 1 {
        return import.span();
    }
    match (names.get(nth + 1), nth.checked_sub(1).and_then(|n| names.get(n))) {
        (Some(next), _) => Span::new(name.span().start, next.span().start),
        (None, Some(before)) => Span::new(before.span().end, name.span().end),
        (None, None) => name.span(),
    }
}
