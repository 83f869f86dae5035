//! Edits put into a text, and the choice of those that need no question.

use std::collections::BTreeMap;

use crate::source::sorted;
use crate::{Diagnostic, Edit, FileId, Sources, Span};

/// Why edits cannot be put into a text. The text is then left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Two of them change the same bytes.
    Overlap,
    /// One lies outside the text or inside a character: the text is not the one it was made for.
    Stale,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Overlap => "two edits change the same text",
            Self::Stale => "the edit was made for another version of the text",
        })
    }
}

impl std::error::Error for Refused {}

/// `text` with all `edits` in it, which must be edits of this one file. Their order does not
/// matter, but insertions at one place stay in the order in which they are given.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, Refused> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|e| (e.place.span.start, e.place.span.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        let (start, end) = (edit.place.span.start as usize, edit.place.span.end as usize);
        if text.get(start..end).is_none() {
            return Err(Refused::Stale);
        }
        let before = text.get(done..start).ok_or(Refused::Overlap)?;
        out.push_str(before);
        out.push_str(&edit.text);
        done = end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Ok(out)
}

/// What [`apply_safe`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// New text of each file that changed.
    pub files: BTreeMap<FileId, String>,
    /// Diagnostics mended.
    pub applied: usize,
    /// Diagnostics with a safe fix that met another fix; checking again offers them again.
    pub postponed: usize,
}

/// Puts the first safe fix of each diagnostic into its files. Of fixes that touch one another the
/// first in the file wins, and the others wait for the next round: two fixes that are right alone
/// need not be right together.
pub fn apply_safe<S: Sources + ?Sized>(diagnostics: &[Diagnostic], sources: &S) -> Applied {
    let mut chosen: BTreeMap<FileId, Vec<Edit>> = BTreeMap::new();
    let mut result = Applied::default();
    for d in sorted(diagnostics) {
        let Some(fix) = d.fixes.iter().find(|f| f.safe && !f.edits.is_empty()) else { continue };
        let known = |e: &Edit| chosen.get(&e.place.file).is_some_and(|all| all.contains(e));
        if fix.edits.iter().all(known) {
            result.applied += 1;
            continue;
        }
        let meets =
            |e: &Edit| chosen.get(&e.place.file).is_some_and(|all| all.iter().any(|other| touch(e, other)));
        if fix.edits.iter().any(meets) || !sound(&fix.edits, sources) {
            result.postponed += 1;
            continue;
        }
        for edit in &fix.edits {
            chosen.entry(edit.place.file).or_default().push(edit.clone());
        }
        result.applied += 1;
    }
    for (file, edits) in chosen {
        let Some(text) = sources.text(file) else { continue };
        let tidy: Vec<Edit> = edits.iter().map(|edit| whole_line(text, edit)).collect();
        if let Ok(text) = apply(text, &tidy).or_else(|_| apply(text, &edits)) {
            result.files.insert(file, text);
        }
    }
    result
}

/// What removes all that stands on a line removes the line: no blank one is left behind.
fn whole_line(text: &str, edit: &Edit) -> Edit {
    let mut edit = edit.clone();
    let Span { start, end } = edit.place.span;
    let (start, end) = (start as usize, end as usize);
    let (Some(before), Some(after), Some(gone)) = (text.get(..start), text.get(end..), text.get(start..end))
    else {
        return edit;
    };
    let blank = |text: Option<&str>| text.is_some_and(|text| text.trim().is_empty());
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let rest = line_length(after);
    let removes = edit.text.is_empty() && !gone.is_empty() && !gone.ends_with('\n');
    if removes && blank(before.get(line..)) && blank(after.get(..rest)) {
        // Of two blank lines that meet now, one goes, too.
        let above = before.get(..line).and_then(|above| above.lines().next_back());
        let below = after.get(rest..).unwrap_or_default();
        let meet = blank(above) && blank(below.lines().next());
        let rest = if meet { rest + line_length(below) } else { rest };
        // Offsets within a file fit: the span's own do.
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        edit.place.span = Span::new(offset(line), offset(end + rest));
    }
    edit
}

fn line_length(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |at| at + 1)
}

fn touch(a: &Edit, b: &Edit) -> bool {
    let (a, b) = (a.place.span, b.place.span);
    a.start <= b.end && b.start <= a.end
}

/// Whether the edits of one fix can be put into their files by themselves.
fn sound<S: Sources + ?Sized>(edits: &[Edit], sources: &S) -> bool {
    let mut by_file: BTreeMap<FileId, Vec<Edit>> = BTreeMap::new();
    for edit in edits {
        by_file.entry(edit.place.file).or_default().push(edit.clone());
    }
    by_file.iter().all(|(file, edits)| sources.text(*file).is_some_and(|text| apply(text, edits).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Fix, Place};

    fn edit(start: u32, end: u32, text: &str) -> Edit {
        edit_in(0, start, end, text)
    }

    fn edit_in(file: u32, start: u32, end: u32, text: &str) -> Edit {
        Edit { place: Place { file: FileId(file), span: Span::new(start, end) }, text: text.into() }
    }

    fn fixable(edits: Vec<Edit>, safe: bool) -> Diagnostic {
        let place = edits.first().expect("a fix has an edit").place;
        let fix = Fix { title: "Mend".into(), edits, safe };
        Diagnostic::new(Code::ForeignSyntax, place, "wrong").with_fix(fix)
    }

    #[test]
    fn edits_are_applied_in_the_order_of_their_places() {
        let edits = [edit(4, 5, "E"), edit(0, 0, "<"), edit(5, 5, "!"), edit(5, 5, "?"), edit(1, 3, "")];
        assert_eq!(apply("abcde", &edits), Ok("<adE!?".to_owned()));
        assert_eq!(apply("abc", &[]), Ok("abc".to_owned()));
    }

    #[test]
    fn overlapping_and_stale_edits_are_refused() {
        assert_eq!(apply("abcde", &[edit(0, 3, "x"), edit(2, 4, "y")]), Err(Refused::Overlap));
        assert_eq!(apply("abc", &[edit(2, 9, "x")]), Err(Refused::Stale));
        assert_eq!(apply("é", &[edit(1, 2, "x")]), Err(Refused::Stale));
    }

    #[test]
    fn only_safe_fixes_are_applied_and_the_same_fix_counts_twice_but_acts_once() {
        let sources = [("a", "a = 1"), ("b", "b = 2")];
        let colon = || fixable(vec![edit(1, 3, ":")], true);
        let done = apply_safe(
            &[
                colon(),
                colon(),
                fixable(vec![edit(4, 5, "9")], false),
                fixable(vec![edit_in(1, 1, 3, ":"), edit_in(1, 5, 5, "0")], true),
            ],
            sources.as_slice(),
        );
        assert_eq!(done.applied, 3);
        assert_eq!(done.postponed, 0);
        let texts: Vec<&str> = done.files.values().map(String::as_str).collect();
        assert_eq!(texts, ["a: 1", "b: 20"]);
    }

    #[test]
    fn a_line_that_is_removed_leaves_no_blank_one() {
        let removed = |text: &str, gone: &[&str]| {
            let span = |part: &str| {
                let at = text.find(part).and_then(|at| u32::try_from(at).ok()).expect("the text has it");
                edit(at, at + u32::try_from(part.len()).expect("it is short"), "")
            };
            let fixes: Vec<Diagnostic> = gone.iter().map(|part| fixable(vec![span(part)], true)).collect();
            let done = apply_safe(&fixes, [("a", text)].as_slice());
            done.files.into_values().next().expect("it changed")
        };
        assert_eq!(removed("a\n  // x\n  b\n", &["// x"]), "a\n  b\n");
        assert_eq!(removed("a // x\nb\n", &["// x"]), "a \nb\n");
        assert_eq!(removed("a\r\n// x\r\nb", &["// x"]), "a\r\nb");
        assert_eq!(removed("a\n\nx\n\nb\n", &["x"]), "a\n\nb\n");
        assert_eq!(removed("a\nx\n\nb\n", &["x\n"]), "a\n\nb\n");
        assert_eq!(removed("a\n// x\n// y\nb", &["// x", "// y"]), "a\nb");
        assert_eq!(removed("a\nx, y\nb", &["x, "]), "a\ny\nb");
    }

    #[test]
    fn fixes_that_meet_wait_and_a_fix_is_applied_whole_or_not_at_all() {
        let sources = [("a", "abcdef")];
        let done = apply_safe(
            &[
                fixable(vec![edit(1, 3, "X")], true),
                fixable(vec![edit(2, 2, "!"), edit(5, 6, "Y")], true),
                fixable(vec![edit(3, 4, "Z")], true),
                fixable(vec![edit(5, 90, "stale")], true),
            ],
            sources.as_slice(),
        );
        assert_eq!((done.applied, done.postponed), (1, 3));
        assert_eq!(done.files.get(&FileId(0)).map(String::as_str), Some("aXdef"));
    }
}
