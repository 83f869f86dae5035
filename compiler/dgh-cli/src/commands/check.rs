//! `dgh check`.

use std::collections::HashSet;
use std::fs;

use anyhow::Context as _;
use dgh_compile::{Compiled, Options};
use dgh_diag::{Diagnostic, FileId, Severity, Style, fix, github, json, render, sarif, summary};
use dgh_ir::Program;

use crate::Outcome;
use crate::args::{Check, Format};
use crate::ui;
use dgh_platform::Project;

/// Rounds of `--fix`: a fix can make place for another one.
const ROUNDS: usize = 10;

pub fn run(args: &Check) -> anyhow::Result<Outcome> {
    let projects = Project::find_all(&args.paths)?;
    let release = args.against.as_ref().map(|path| read_release(path)).transpose()?;
    if args.fix {
        for project in &projects {
            mend(project)?;
        }
    }
    let mut all = Findings::default();
    for project in &projects {
        let compiled = project.compile_with(Options { last_release: release.as_ref() });
        all.add(project, compiled, args.pedantic);
    }
    print(args, &all)?;
    let worst = if args.deny_warnings { Severity::Warning } else { Severity::Error };
    Ok(Outcome::of(all.diagnostics.iter().any(|d| d.severity() <= worst)))
}

/// Prints what stands in the way of a command that needs a program, and says whether it can go on.
pub fn report_errors(project: &Project, compiled: &Compiled) -> anyhow::Result<bool> {
    let errors: Vec<Diagnostic> =
        compiled.diagnostics.iter().filter(|d| d.severity() == Severity::Error).cloned().collect();
    if errors.is_empty() {
        return Ok(true);
    }
    let (sources, shown) = (shown_sources(project, compiled), worst_first(&errors));
    let left = errors.len() - shown.len();
    let more =
        if left > 0 { format!("and {left} more; dgh check --json has them all\n") } else { String::new() };
    let listing = render(&shown, sources.as_slice(), style());
    ui::note(format!("{listing}\n{more}{}", summary(&errors)));
    Ok(false)
}

/// Findings of several bundles, with one numbering of their files.
#[derive(Default)]
struct Findings {
    sources: Vec<(String, String)>,
    diagnostics: Vec<Diagnostic>,
    files: HashSet<String>,
}

impl Findings {
    fn add(&mut self, project: &Project, compiled: Compiled, pedantic: bool) {
        let offset = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        for (path, text) in shown_sources(project, &compiled) {
            if dgh_stdlib::text(&path).is_none() {
                self.files.insert(path.clone());
            }
            self.sources.push((path, text));
        }
        for mut finding in compiled.diagnostics {
            if finding.severity() != Severity::Hint || pedantic {
                shift(&mut finding, offset);
                self.diagnostics.push(finding);
            }
        }
    }
}

fn print(args: &Check, all: &Findings) -> anyhow::Result<()> {
    let sources = all.sources.as_slice();
    let format = if args.json { Format::Json } else { args.format };
    match format {
        Format::Human => {
            let shown = worst_first(&all.diagnostics);
            if !shown.is_empty() {
                ui::line(render(&shown, sources, style()))?;
            }
            let left = all.diagnostics.len() - shown.len();
            if left > 0 {
                ui::line(format!("and {left} more; --json has them all\n"))?;
            }
            let files = ui::count(all.files.len(), "file");
            let failed = all.diagnostics.iter().any(|d| d.severity() == Severity::Error);
            let (word, colour) = if failed { ("failed", ui::BAD) } else { ("ok", ui::GOOD) };
            ui::line(format!("{} {files}: {}", ui::paint(colour, word), summary(&all.diagnostics)))
        }
        Format::Json => ui::line(serde_json::to_string_pretty(&json::to_json(&all.diagnostics, sources))?),
        Format::Sarif => ui::line(serde_json::to_string_pretty(&sarif::to_sarif(&all.diagnostics, sources))?),
        Format::Github => ui::print(&github::annotations(&all.diagnostics, sources)),
    }
}

/// Findings that are printed for people: more are read by nobody.
const SHOWN: usize = 60;

/// The gravest findings, as many as a person reads.
pub fn worst_first(all: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut shown = all.to_vec();
    if shown.len() > SHOWN {
        shown.sort_by_key(|d| (d.severity(), d.place));
        shown.truncate(SHOWN);
    }
    shown
}

fn style() -> Style {
    Style { color: ui::colours(), unicode: true, width: ui::width() }
}

fn mend(project: &Project) -> anyhow::Result<()> {
    let mut mended = 0;
    for _ in 0..ROUNDS {
        let mut compiled = project.compile();
        // What is left over may be what an error wanted to use: errors first.
        if compiled.has_errors() {
            compiled.diagnostics.retain(|d| d.severity() == Severity::Error);
        }
        let applied = fix::apply_safe(&compiled.diagnostics, compiled.sources.as_slice());
        if applied.files.is_empty() {
            break;
        }
        for (file, text) in &applied.files {
            let Some((path, before)) = compiled.sources.get(file.0 as usize) else { continue };
            let path = project.path(path);
            // A file that was laid out well stays so.
            let tidy = !dgh_fmt::format(before).changed;
            let text = if tidy { &dgh_fmt::format(text).text } else { text };
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        mended += applied.applied;
    }
    if mended > 0 {
        ui::note(format!("{} {mended} in {}", ui::paint(ui::GOOD, "mended"), project.shown()));
    }
    Ok(())
}

fn read_release(path: &std::path::Path) -> anyhow::Result<Program> {
    let reading = || format!("cannot read {}", path.display());
    let bytes = fs::read(path).with_context(reading)?;
    dgh_ir::wire::from_bytes(&bytes).with_context(reading)
}

fn shown_sources(project: &Project, compiled: &Compiled) -> Vec<(String, String)> {
    let shown = |path: &str| {
        if dgh_stdlib::text(path).is_some() {
            path.to_owned()
        } else {
            project.path(path).display().to_string()
        }
    };
    compiled.sources.iter().map(|(path, text)| (shown(path), text.clone())).collect()
}

fn shift(finding: &mut Diagnostic, offset: u32) {
    let move_file = |file: &mut FileId| file.0 = file.0.saturating_add(offset);
    move_file(&mut finding.place.file);
    for related in finding.related.iter_mut().chain(&mut finding.steps) {
        move_file(&mut related.place.file);
    }
    for edit in finding.fixes.iter_mut().flat_map(|f| &mut f.edits) {
        move_file(&mut edit.place.file);
    }
}
