//! `dgh fmt`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::Outcome;
use crate::args::Fmt;
use crate::ui;
use dgh_platform::project;

pub fn run(args: &Fmt) -> anyhow::Result<Outcome> {
    if args.paths.iter().any(|p| p.as_os_str() == "-") {
        return standard_input(args.check);
    }
    let mut files = Vec::new();
    let here = [PathBuf::from(".")];
    for path in if args.paths.is_empty() { &here[..] } else { &args.paths } {
        fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        project::files_below(path, &mut files)?;
    }
    let (mut changed, mut broken) = (0, 0);
    for file in &files {
        match one(file, args.check)? {
            Formatted::Same => {}
            Formatted::Changed => changed += 1,
            Formatted::Broken => broken += 1,
        }
    }
    let what = if args.check { "would change" } else { "changed" };
    let unread =
        if broken == 0 { String::new() } else { format!(", {broken} with syntax errors left alone") };
    ui::note(format!("{}, {changed} {what}{unread}", ui::count(files.len(), "file")));
    Ok(Outcome::of(broken > 0 || (args.check && changed > 0)))
}

enum Formatted {
    Same,
    Changed,
    Broken,
}

fn one(path: &Path, check: bool) -> anyhow::Result<Formatted> {
    let reading = || format!("cannot read {}", path.display());
    let bytes = fs::read(path).with_context(reading)?;
    let Ok(text) = String::from_utf8(bytes) else {
        ui::note(format!("{}: not UTF-8; left alone (dgh check says where)", path.display()));
        return Ok(Formatted::Broken);
    };
    let formatted = dgh_fmt::format(&text);
    if !formatted.errors.is_empty() {
        ui::note(format!("{}: syntax errors; left alone (dgh check says where)", path.display()));
        return Ok(Formatted::Broken);
    }
    if !formatted.changed {
        return Ok(Formatted::Same);
    }
    if check {
        ui::line(format!("{} would change", path.display()))?;
    } else {
        fs::write(path, formatted.text).with_context(|| format!("cannot write {}", path.display()))?;
        ui::line(format!("{}", path.display()))?;
    }
    Ok(Formatted::Changed)
}

fn standard_input(check: bool) -> anyhow::Result<Outcome> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    let formatted = dgh_fmt::format(&text);
    if check {
        return Ok(Outcome::of(formatted.changed || !formatted.errors.is_empty()));
    }
    // A program that pipes its text through must get it back whole, whatever is wrong with it.
    ui::print(if formatted.errors.is_empty() { &formatted.text } else { &text })?;
    Ok(Outcome::of(!formatted.errors.is_empty()))
}
