//! Diagnostics for people: the source with labels, the path that shows the fault, what to do.
//!
//! miette draws the source; what it draws is an [`Excerpt`], never the file, so that a file of one
//! line of ten megabytes, a terminal escape in a string or a place that does not exist cannot
//! spoil the screen.

mod excerpt;
mod line;

use std::fmt::{self, Write};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeStyles};
use owo_colors::{OwoColorize, Style as Paint};
use unicode_width::UnicodeWidthStr;

use crate::render::excerpt::Excerpt;
use crate::render::line::{clean, cut};
use crate::source::{Files, sorted};
use crate::{Diagnostic, Related, Severity, Sources};

/// How a terminal wants its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are understood.
    pub color: bool,
    /// Whether box-drawing characters are; else ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Style {
    /// 100 columns without colour, as for a file or a pipe.
    fn default() -> Self {
        Self { color: false, unicode: true, width: 100 }
    }
}

/// Steps of a path that are shown, and how many of them from its beginning.
const STEPS: usize = 14;
const HEAD_STEPS: usize = 9;

/// All diagnostics by file and place, and where to read more. Empty for none; the counts are [`summary`].
pub fn render<S: Sources + ?Sized>(diagnostics: &[Diagnostic], sources: &S, style: Style) -> String {
    let mut out = String::new();
    if diagnostics.is_empty() {
        return out;
    }
    let files = Files::of(diagnostics, sources);
    let screen = Screen::new(style);
    let found = sorted(diagnostics);
    for d in &found {
        screen.diagnostic(&mut out, d, &files);
        out.push('\n');
    }
    let mut codes: Vec<String> = found.iter().map(|d| d.code.to_string()).collect();
    codes.sort_unstable();
    codes.dedup();
    if let [first, others @ ..] = codes.as_slice() {
        let mut more = format!("More about it: dgh explain {first}");
        if !others.is_empty() {
            let shown: Vec<&str> = others.iter().take(5).map(String::as_str).collect();
            let dots = if others.len() > 5 { ", …" } else { "" };
            let _ = write!(more, " (or {}{dots})", shown.join(", "));
        }
        let more = if style.unicode { more } else { more.replace('…', "...") };
        let _ = writeln!(out, "{}", screen.paint(&more, Paint::new().dimmed()));
    }
    out
}

/// "2 errors, 1 warning"; "no problems" for none.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let mut parts = Vec::new();
    for (severity, plural) in [
        (Severity::Error, "errors"),
        (Severity::Warning, "warnings"),
        (Severity::Info, "notes"),
        (Severity::Hint, "hints"),
    ] {
        let count = diagnostics.iter().filter(|d| d.severity() == severity).count();
        let word = if count == 1 { plural.strip_suffix('s').unwrap_or(plural) } else { plural };
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    if parts.is_empty() { "no problems".to_owned() } else { parts.join(", ") }
}

/// A style worked out: widths that are safe, the drawing handler of each severity.
struct Screen {
    style: Style,
    theme: GraphicalTheme,
}

impl Screen {
    fn new(style: Style) -> Self {
        let style = Style { width: style.width.clamp(40, 400), ..style };
        let mut theme =
            if style.unicode { GraphicalTheme::unicode_nocolor() } else { GraphicalTheme::none() };
        if style.color {
            theme.styles = ThemeStyles {
                link: Paint::new().cyan(),
                linum: Paint::new().dimmed(),
                ..ThemeStyles::ansi()
            };
        }
        Self { style, theme }
    }

    fn paint(&self, text: &str, paint: Paint) -> String {
        if self.style.color { text.style(paint).to_string() } else { text.to_owned() }
    }

    fn diagnostic(&self, out: &mut String, d: &Diagnostic, files: &Files<'_>) {
        let tone = self.tone(d.severity());
        let excerpt = Excerpt::of(d, files, self.style);
        let mut theme = self.theme.clone();
        if self.style.color {
            let other = Paint::new().blue().bold();
            theme.styles.highlights =
                excerpt.labels().map(|l| if l.primary() { tone } else { other }).collect();
        }
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(self.style.width)
            .without_syntax_highlighting();
        let title = format!(
            "{} {}",
            self.paint(&d.code.to_string(), tone),
            self.paint(&clean(&d.message), Paint::new().bold())
        );
        let report = Report { title, severity: d.severity(), excerpt };
        if handler.render_report(out, &report).is_err() {
            // miette only fails where a source refuses to be read, and an excerpt never does.
            out.push_str(&report.title);
            out.push('\n');
        }
        self.steps(out, &d.steps, files);
        if let Some(hint) = &d.hint {
            self.paragraph(out, "help: ", hint);
        }
        for fix in &d.fixes {
            let how = if fix.safe { " (dgh check --fix does it)" } else { "" };
            self.paragraph(out, " fix: ", &format!("{}{how}", fix.title));
        }
    }

    /// The shortest path: what happens, where, and the line that says so.
    fn steps(&self, out: &mut String, steps: &[Related], files: &Files<'_>) {
        if steps.is_empty() {
            return;
        }
        let dim = Paint::new().dimmed();
        let _ = writeln!(out, "  {}", self.paint("how a call gets there:", Paint::new().cyan()));
        let number_width = steps.len().to_string().len();
        // Of a long path the beginning and the end tell the story.
        let left_out =
            if steps.len() > STEPS { HEAD_STEPS..steps.len() - (STEPS - HEAD_STEPS) } else { 0..0 };
        let numbered = steps.iter().enumerate().filter(|(i, _)| !left_out.contains(i));
        let rows: Vec<(String, String, String)> = numbered
            .clone()
            .map(|(_, step)| {
                let file = files.get(step.place.file);
                let at = file.position(file.clamp(step.place.span).start);
                let line = file.line_span(at.line - 1).unwrap_or_default();
                let head = file.slice(crate::Span::new(line.start, line.end.min(line.start + 4096)));
                let head = if head.is_empty() { file.slice(line) } else { head };
                let location = format!("{}:{}", clean(file.path), at.line);
                (clean(&step.message), location, clean(head).trim().to_owned())
            })
            .collect();
        let widest =
            |f: fn(&(String, String, String)) -> &str| rows.iter().map(|r| f(r).width()).max().unwrap_or(0);
        let (messages, locations) = (widest(|r| &r.0), widest(|r| &r.1));
        // One row for a step where the three columns leave room for a piece of source, else two.
        let table = number_width + 6 + messages + 2 + locations + 2 + 36 <= self.style.width;
        for ((i, _), (message, location, source)) in numbered.zip(&rows) {
            if i == left_out.end && !left_out.is_empty() {
                let _ = writeln!(out, "    {}", self.paint(&format!("… {} more steps", left_out.len()), dim));
            }
            let number = self.paint(&format!("{:>number_width$}.", i + 1), dim);
            let _ = write!(out, "    {number} ");
            let indent = number_width + 6;
            let used = if table {
                let _ = write!(out, "{}", pad(message, messages + 2));
                indent + messages + 2
            } else {
                let wrapped = textwrap::wrap(message, self.style.width.saturating_sub(indent).max(20));
                let text = wrapped.join(&format!("\n{:indent$}", ""));
                let _ = write!(out, "{text}\n{:indent$}", "");
                indent
            };
            let location = if table { pad(location, locations + 2) } else { format!("{location}  ") };
            let room = self.style.width.saturating_sub(used + location.width()).max(16);
            let _ = writeln!(
                out,
                "{}{}",
                self.paint(&location, Paint::new().cyan()),
                self.paint(&cut(source, room, self.style.unicode), dim)
            );
        }
    }

    fn paragraph(&self, out: &mut String, head: &str, text: &str) {
        let initial = format!("  {}", self.paint(head, Paint::new().cyan()));
        let options =
            textwrap::Options::new(self.style.width).initial_indent(&initial).subsequent_indent("        ");
        let _ = writeln!(out, "{}", textwrap::fill(&clean(text), options));
    }

    fn tone(&self, severity: Severity) -> Paint {
        if !self.style.color {
            return Paint::new();
        }
        match severity {
            Severity::Error => Paint::new().red().bold(),
            Severity::Warning => Paint::new().yellow().bold(),
            Severity::Info | Severity::Hint => Paint::new().cyan().bold(),
        }
    }
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{:gap$}", "", gap = width.saturating_sub(text.width()))
}

/// What miette draws.
#[derive(Debug)]
struct Report {
    title: String,
    severity: Severity,
    excerpt: Excerpt,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Info | Severity::Hint => miette::Severity::Advice,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.labels().cloned()))
    }
}

#[cfg(test)]
mod tests;
