//! `dgh test`: runs the tests that stand in the files, side by side, in virtual time.

mod coverage;
mod junit;
mod live;
pub mod report;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use dgh_compile::Compiled;
use dgh_diag::LineIndex;
use dgh_engine::Prepared;
use dgh_engine::testing::{self, TestOptions, TestOutcome};
use dgh_ir::Origin;
use dgh_ir::test::{TestCase, TestStepKind};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use self::live::LiveModel;
use super::check::report_errors;
use crate::Outcome;
use crate::args::Test;
use dgh_platform::Knowledge;
use dgh_platform::project::{self, Project};

pub fn run(args: &Test) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let mut suites = Vec::new();
    let mut broken = false;
    for project in Project::find_all(&args.paths)? {
        for project in with_tests(project)? {
            let compiled = project.compile();
            if report_errors(&project, &compiled)? {
                suites.push(Suite::new(project, compiled, args));
            } else {
                broken = true;
            }
        }
    }
    // Files that do not compile have no tests to count.
    if broken && suites.is_empty() {
        return Ok(Outcome::Findings);
    }
    let total: usize = suites.iter().map(|suite| suite.tests.len()).sum();
    if let (0, Some(words)) = (total, &args.filter) {
        bail!("no test has `{words}` in its name");
    }
    let bar = progress(total);
    for suite in &mut suites {
        suite.run(args, &bar)?;
    }
    bar.finish_and_clear();
    for suite in &suites {
        report::suite(suite, args.verbose)?;
    }
    if args.coverage {
        coverage::report(&suites)?;
    }
    if let Some(path) = &args.junit {
        fs::write(path, junit::report(&suites)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let failed = report::summary(&suites, started.elapsed())?;
    Ok(Outcome::of(broken || failed))
}

/// The tests of one file, and how they went.
pub struct Suite {
    project: Project,
    compiled: Compiled,
    tests: Vec<TestCase>,
    results: Vec<Tested>,
}

/// How one test went.
pub struct Tested {
    outcome: TestOutcome,
    took: Duration,
}

impl Suite {
    fn new(project: Project, mut compiled: Compiled, args: &Test) -> Self {
        let wanted =
            |test: &TestCase| args.filter.as_ref().is_none_or(|words| test.name.contains(words.as_str()));
        let tests = std::mem::take(&mut compiled.tests).into_iter().filter(wanted).collect();
        Self { project, compiled, tests, results: Vec::new() }
    }

    fn run(&mut self, args: &Test, bar: &ProgressBar) -> anyhow::Result<()> {
        let profile = self.compiled.manifest.as_ref().and_then(|m| m.profile(args.profile.as_deref()));
        let env = profile.map(|(_, profile)| profile.env.clone()).unwrap_or_default();
        let prepared = Prepared::new(Arc::new(self.compiled.program.clone()));
        // What a test mocks is not searched, whatever the files hold.
        let knowledge = Knowledge::of_files(&self.project, &self.compiled.program, |_| false)?;
        let options = TestOptions { env, knowledge: Some(Arc::new(knowledge)), compare: args.live };
        let timed = |run: &mut dyn FnMut() -> TestOutcome| {
            let started = Instant::now();
            let outcome = run();
            bar.inc(1);
            Tested { outcome, took: started.elapsed() }
        };
        let one = |test: &TestCase| timed(&mut || testing::run(&prepared, test, &options));
        // `--llm` alone gives `caller` and `judge` their model; scripts are compared with it only
        // when that was asked for.
        let with_model = |test: &TestCase, model: &mut LiveModel| {
            let asked = if needs_model(test) { model.plays_people() } else { args.live };
            timed(&mut || {
                if asked {
                    testing::run_live(&prepared, test, &options, model)
                } else {
                    testing::run(&prepared, test, &options)
                }
            })
        };
        // One after the other with a model: providers count requests.
        let wanted = self.tests.iter().any(|test| args.live || needs_model(test));
        let model = if wanted { LiveModel::new(&self.project, &self.compiled, args)? } else { None };
        self.results = match model {
            None => self.tests.par_iter().map(one).collect(),
            Some(mut model) => self.tests.iter().map(|test| with_model(test, &mut model)).collect(),
        };
        Ok(())
    }

    fn line(&self, origin: Origin) -> Option<(u32, &str)> {
        place(&self.compiled, origin)
    }

    fn shown(&self) -> String {
        self.project.shown()
    }

    fn tested(&self) -> impl Iterator<Item = (&TestCase, &Tested)> {
        self.tests.iter().zip(&self.results)
    }
}

/// Line (from 1) and text of a place in a program.
pub fn place(compiled: &Compiled, origin: Origin) -> Option<(u32, &str)> {
    let source = compiled.source_map.get(origin)?;
    let (_, text) = compiled.sources.get(source.file as usize)?;
    let line = LineIndex::new(text).line(source.start);
    Some((line + 1, text.lines().nth(line as usize).unwrap_or("").trim()))
}

fn needs_model(test: &TestCase) -> bool {
    test.steps.iter().any(|step| matches!(step.kind, TestStepKind::Caller(_) | TestStepKind::Judge(..)))
}

impl Tested {
    fn failed(&self) -> bool {
        self.outcome.failure.is_some()
    }
}

/// The project, and a project for each further file of its bundle that has tests.
fn with_tests(project: Project) -> anyhow::Result<Vec<Project>> {
    let mut files: Vec<PathBuf> = Vec::new();
    if !project.named {
        project::files_below(&project.root, &mut files)?;
    }
    let mut all = vec![project];
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        if !text.lines().any(|line| line.starts_with("test ")) {
            continue;
        }
        for other in Project::find(&file)? {
            if !all.iter().any(|known| known.path(&known.entry) == other.path(&other.entry)) {
                all.push(other);
            }
        }
    }
    Ok(all)
}

fn progress(total: usize) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:30.green} {pos}/{len} tests").map(|s| s.progress_chars("━╸─"));
    // Drawn on standard error, and only where that is a terminal.
    let bar = ProgressBar::new(total as u64);
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
