//! Trees to a program: names, types, meaning. What does not resolve becomes a hole.
//!
//! First all names of all files are declared ([`crate::names`]), then types, then what stands in
//! items, then dialogues, then tests; so nothing depends on the order of the text.

#![allow(clippy::indexing_slicing, reason = "arenas are indexed by the ids that they made")]
#![allow(clippy::single_match_else, reason = "what resolves and what does not read best side by side")]

mod agent;
mod args;
mod auth;
mod body;
mod check;
mod collect;
mod consts;
mod convert;
mod data;
mod env;
mod event;
mod expr;
mod flow;
mod literal;
mod member;
mod models;
mod node;
mod operator;
mod path;
mod policy;
mod probe;
mod request;
mod route;
mod settings;
mod step;
mod target;
mod template;
mod test;
mod tool;
mod types;
mod webhook;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use dgh_diag::{Code, Diagnostic, Edit, FileId, Fix, Place, Related, Span};
use dgh_ir::program::{AgentId, DialogueId, EnumDef, EnumId};
use dgh_ir::test::TestCase;
use dgh_ir::{Expr, Origin, Program, ProviderKind};
use dgh_syntax::SyntaxKind;
use dgh_syntax::ast::{self, AstNode};

use crate::input::{FileOrigin, Input};
use crate::names::library::Library;
use crate::names::{self, FileScope, Named};
use crate::report::{self, Context, Report};

pub(crate) use body::{Cx, Names};

/// What lowering made.
#[derive(Debug)]
pub struct Lowered {
    /// The program, with holes where something did not resolve.
    pub program: Program,
    /// What is known beside the program.
    pub context: Context,
    /// Findings, the parser's first, and where things stand.
    pub report: Report,
    /// Names that stand where something went wrong: what seems left over was probably meant there.
    pub mentioned: HashSet<String>,
}

/// Lowers all files that the entry reaches.
pub(crate) fn run(input: &Input<'_>) -> Lowered {
    let mut lower = Lower::new(input);
    lower.parser_findings();
    names::declare(&mut lower);
    lower.all_types();
    names::library::read(&mut lower);
    lower.all_signatures();
    lower.all_data();
    lower.all_dialogues();
    lower.last_handlers();
    let tests = lower.all_tests();
    lower.finish(tests)
}

/// The state of a lowering.
pub(crate) struct Lower<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) program: Program,
    pub(crate) report: Report,
    /// The files in the order of their reading; the entry is the first.
    pub(crate) files: Vec<FileScope>,
    pub(crate) file_index: HashMap<FileId, usize>,
    /// Items with their file and what they became.
    pub(crate) items: Vec<(usize, ast::Item, Named)>,
    /// Items that only the standard library has.
    pub(crate) library_items: Vec<(usize, ast::Item)>,
    pub(crate) library: Library,
    pub(crate) consts: consts::Consts,
    /// Knowledge of agents, and whether anything uses it.
    pub(crate) local_items: Vec<report::Item>,
    pub(crate) call_enums: CallEnums,
    /// Items whose parameters or inputs the parser could not read.
    pub(crate) damaged: HashSet<Named>,
    /// The names of all dialogues.
    pub(crate) bodies: HashMap<DialogueId, body::Body>,
    /// Agents of which was said that they declare no outcomes.
    without_outcomes: HashSet<AgentId>,
    /// Agents that the call of the test at hand may be handed to.
    test_agents: Vec<AgentId>,
    env: env::Env,
    /// Suggestions that may still be looked for: each costs a look at all candidates.
    suggestions: Cell<u32>,
    /// Names that were probably meant somewhere, so that they are no leftovers.
    mentioned: RefCell<HashSet<String>>,
    /// How deep the expression that is being lowered nests.
    depth: usize,
    /// Whether that was already too deep.
    too_deep: bool,
}

/// The enums of built-in names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallEnums {
    pub(crate) ended_by: EnumId,
    pub(crate) answered_by: EnumId,
}

const ENDED_BY: &[&str] =
    &["agent", "caller", "transfer", "limit", "error", "not_connected", "operator", "lost"];
const ANSWERED_BY: &[&str] = &["human", "voicemail", "screening", "unknown"];

impl<'a> Lower<'a> {
    fn new(input: &'a Input<'a>) -> Self {
        let mut program = Program { edition: 1, ..Program::default() };
        let mut pseudo = |name: &str, cases: &[&str]| {
            program.enums.push(EnumDef {
                name: name.to_owned(),
                cases: cases.iter().map(|c| (*c).to_owned()).collect(),
                origin: Origin::NONE,
            })
        };
        let call_enums = CallEnums {
            ended_by: pseudo("call.ended_by", ENDED_BY),
            answered_by: pseudo("call.answered_by", ANSWERED_BY),
        };
        Self {
            input,
            program,
            report: Report::new(),
            files: Vec::new(),
            file_index: HashMap::new(),
            items: Vec::new(),
            library_items: Vec::new(),
            library: Library::default(),
            consts: consts::Consts::default(),
            local_items: Vec::new(),
            call_enums,
            damaged: HashSet::new(),
            bodies: HashMap::new(),
            without_outcomes: HashSet::new(),
            test_agents: Vec::new(),
            env: env::Env::default(),
            suggestions: Cell::new(200),
            mentioned: RefCell::new(HashSet::new()),
            depth: 0,
            too_deep: false,
        }
    }

    fn parser_findings(&mut self) {
        let files = &self.input.files;
        let findings: Vec<Diagnostic> = files.iter().flat_map(|f| f.parse.diagnostics(f.id)).collect();
        for finding in findings {
            self.report.push(finding);
        }
    }

    fn finish(mut self, tests: Vec<TestCase>) -> Lowered {
        self.env.report_unchecked(self.input, &mut self.report);
        merge_missing(&mut self.report.diagnostics);
        let items = self.report_items();
        let count = self.input.files.iter().map(|f| f.id.0 as usize + 1).max().unwrap_or(0);
        let mut files = vec![report::File { path: String::new(), text: "".into(), standard: false }; count];
        for file in &self.input.files {
            if let Some(slot) = files.get_mut(file.id.0 as usize) {
                *slot = report::File {
                    path: file.path.to_owned(),
                    text: file.text.clone(),
                    standard: file.origin != FileOrigin::Bundle,
                };
            }
        }
        let own = self.own_agents();
        self.program.own_agents = own;
        let context = Context {
            files,
            entry: self.input.entry,
            items,
            tests,
            defaults: self.default_kinds(),
            last_release: self.last_release(),
        };
        let mut mentioned = self.mentioned.into_inner();
        mentioned.extend(self.files.into_iter().flat_map(|f| f.lost));
        Lowered { program: self.program, context, report: self.report, mentioned }
    }

    /// Names of the nodes that the last release had, by agent.
    fn last_release(&self) -> BTreeMap<String, Vec<String>> {
        let agents = self.input.config.last_release.into_iter().flat_map(|p| p.agents.iter());
        agents
            .map(|(_, a)| (a.name.clone(), a.dialogue.nodes.iter().map(|(_, n)| n.name.clone()).collect()))
            .collect()
    }

    fn own_agents(&self) -> u32 {
        let own = self.items.iter().filter(|(file, _, named)| *file == 0 && matches!(named, Named::Agent(_)));
        u32::try_from(own.count()).unwrap_or(u32::MAX)
    }

    fn default_kinds(&self) -> BTreeSet<ProviderKind> {
        let defaults = &self.input.config.defaults;
        let kinds = [
            (ProviderKind::Llm, &defaults.llm),
            (ProviderKind::Stt, &defaults.stt),
            (ProviderKind::Tts, &defaults.tts),
            (ProviderKind::Realtime, &defaults.realtime),
        ];
        kinds.into_iter().filter(|(_, models)| !models.is_empty()).map(|(kind, _)| kind).collect()
    }

    fn report_items(&mut self) -> Vec<report::Item> {
        let mut items = std::mem::take(&mut self.local_items);
        for scope in self.files.iter().filter(|s| s.origin == FileOrigin::Bundle) {
            for (name, entry) in scope.order.iter().filter_map(|n| Some((n, scope.names.get(n)?))) {
                let kind = if entry.imported {
                    // What an import failed to bring was reported.
                    (entry.named != Named::Hole).then_some(report::ItemKind::Import)
                } else {
                    entry.named.item_kind()
                };
                let Some(kind) = kind else { continue };
                items.push(report::Item {
                    kind,
                    name: name.clone(),
                    place: entry.place,
                    whole: entry.whole,
                    used: entry.used.get(),
                });
            }
        }
        items.sort_by_key(|i| i.place);
        items
    }

    /// The scope of a file.
    pub(crate) fn scope(&self, file: usize) -> Option<&FileScope> {
        self.files.get(file)
    }

    /// The place of a view in a file.
    pub(crate) fn place(&self, file: usize, span: Span) -> Place {
        let id = self.files.get(file).map_or(FileId(0), |f| f.id);
        Place { file: id, span }
    }

    /// Records where something stands.
    pub(crate) fn origin(&mut self, file: usize, span: Span) -> Origin {
        let place = self.place(file, span);
        self.report.origin(place)
    }

    /// Records where something stands and all of its text.
    pub(crate) fn origin_of(&mut self, file: usize, span: Span, whole: &impl AstNode) -> Origin {
        let place = self.place(file, span);
        let whole = self.place(file, names::whole_span(whole.syntax()));
        self.report.origin_of(place, whole)
    }

    /// Reports.
    pub(crate) fn error(&mut self, code: Code, place: Place, message: impl Into<String>) {
        self.report.push(Diagnostic::new(code, place, message));
    }

    /// Reports with a hint.
    pub(crate) fn error_hint(
        &mut self,
        code: Code,
        place: Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.report.push(Diagnostic::new(code, place, message).with_hint(hint));
    }

    /// A finding about a name that is not among `known`: with the name that was meant, if one is
    /// near, else with what there is.
    pub(crate) fn unknown(
        &self,
        code: Code,
        place: Place,
        message: String,
        name: &str,
        known: &[&str],
    ) -> Diagnostic {
        let finding = Diagnostic::new(code, place, message);
        let left = self.suggestions.get();
        self.suggestions.set(left.saturating_sub(1));
        let near = if left == 0 { None } else { dgh_diag::suggest::closest(name, known.iter().copied()) };
        let Some(near) = near else {
            return match known {
                [] => finding,
                few if few.len() <= 8 => finding.with_hint(format!(
                    "There is {}.",
                    dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(few))
                )),
                _ => finding,
            };
        };
        self.mentioned.borrow_mut().insert(near.to_owned());
        let slip = |other: &&&str| strsim::damerau_levenshtein(name, other) <= 1;
        let safe = slip(&&near) && known.iter().filter(slip).count() == 1;
        finding.with_hint(format!("Did you mean `{near}`?")).with_fix(Fix {
            title: format!("Change to `{near}`"),
            edits: vec![Edit { place, text: near.to_owned() }],
            safe,
        })
    }

    /// Lowers a value whose place is not known, without reporting: what is wrong with it depends on
    /// where it goes. What it names is not left over.
    pub(crate) fn lost_value(&mut self, cx: &Cx<'_>, value: &ast::Expr) -> Expr {
        let count = self.report.diagnostics.len();
        let env = self.env.clone();
        let found = self.expr(cx, value, None);
        self.report.diagnostics.truncate(count);
        self.env = env;
        let tokens =
            value.syntax().descendants_with_tokens().filter_map(dgh_syntax::SyntaxElement::into_token);
        let words = tokens.filter(|t| t.kind() == SyntaxKind::Ident).map(|t| t.text().to_owned());
        self.mentioned.borrow_mut().extend(words);
        found
    }

    /// Whether a name may have been declared in text of the file that the parser could not read.
    pub(crate) fn is_lost(&self, file: usize, name: &str) -> bool {
        self.files.get(file).is_some_and(|f| f.lost.contains(name))
    }
}

/// What is missing altogether is one mistake, however often it is named: one finding at the first
/// place, with the others beside it. A name that is near another is more likely a slip each time.
fn merge_missing(findings: &mut Vec<Diagnostic>) {
    const SHOWN: usize = 4;
    let is_missing = |d: &Diagnostic| (101..=113).contains(&(d.code as u16)) && d.fixes.is_empty();
    let mut first: HashMap<(Code, FileId, String), usize> = HashMap::new();
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(findings.len());
    for finding in findings.drain(..) {
        if !is_missing(&finding) {
            kept.push(finding);
            continue;
        }
        let key = (finding.code, finding.place.file, finding.message.clone());
        match first.get(&key).and_then(|at| kept.get_mut(*at)) {
            Some(earlier) => {
                if earlier.related.len() < SHOWN {
                    let place = finding.place.max(earlier.place);
                    earlier.place = finding.place.min(earlier.place);
                    earlier.related.push(Related { place, message: "and here".to_owned() });
                }
            }
            None => {
                first.insert(key, kept.len());
                kept.push(finding);
            }
        }
    }
    *findings = kept;
}

/// The plain text of a string without interpolations.
pub(crate) fn plain(literal: Option<ast::StringLit>) -> Option<String> {
    literal?.plain_text()
}

#[cfg(test)]
mod tests;
