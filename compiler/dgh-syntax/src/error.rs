//! What a syntax error is, before it is known which file it is in.

use dgh_diag::{Code, Diagnostic, Edit, FileId, Fix, Place, Span};

use crate::{SyntaxKind, grammar::Rule, token::Tokens};

/// Something wrong in the text of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What kind of finding.
    pub code: Code,
    /// Where.
    pub span: Span,
    /// One sentence, without a full stop.
    pub message: String,
    /// What stands there, a few words; may be empty.
    pub label: String,
    /// What to do.
    pub hint: Option<String>,
    /// A change that surely or probably mends it.
    pub fix: Option<SyntaxFix>,
}

/// A change of the text that mends an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxFix {
    /// What it does, as an imperative.
    pub title: String,
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub text: String,
    /// Whether it surely keeps what the author meant.
    pub safe: bool,
}

impl SyntaxError {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), label: String::new(), hint: None, fix: None }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn hint_if(mut self, hint: Option<&str>) -> Self {
        if let Some(hint) = hint {
            self.hint = Some(hint.to_owned());
        }
        self
    }

    pub(crate) fn safe_fix(mut self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(SyntaxFix { title: title.into(), span, text: text.into(), safe: true });
        self
    }

    pub(crate) fn unsafe_fix(self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        let mut error = self.safe_fix(title, span, text);
        if let Some(fix) = &mut error.fix {
            fix.safe = false;
        }
        error
    }

    /// A file without `dgh 1`.
    pub(crate) fn missing_edition(text: &str) -> Self {
        let start = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() as u32 } else { 0 };
        Self::new(
            Code::MissingEdition,
            Span::at(start),
            "The file does not say which edition of the language it is written in",
        )
        .hint("Write `dgh 1` as its first line.")
        .safe_fix("Add `dgh 1`", Span::at(start), "dgh 1\n\n")
    }

    /// A part that the grammar lets an author leave out for the moment.
    pub(crate) fn missing(rule: Rule, parent: SyntaxKind, text: &str, tokens: &Tokens, at: u32) -> Self {
        let place = tokens.end_before(at);
        match rule {
            Rule::missing_edition => Self::missing_edition(text),
            Rule::missing_name if parent == SyntaxKind::EndTarget => {
                Self::new(Code::MissingTarget, place, "`end` does not say with which outcome")
                    .label("an outcome is missing here")
                    .hint("Write one of the agent's outcomes after it: `-> end message_taken`.")
            }
            Rule::missing_name => {
                Self::new(Code::MissingTarget, place, "`detour` does not say to which node")
                    .label("a node is missing here")
                    .hint("Write the name of a node after it: `-> detour answers`.")
            }
            Rule::missing_value => {
                Self::new(Code::MissingPart, place, "There is nothing between `{{` and `}}`")
                    .label("a value is missing here")
                    .hint("Write what the text should show there: `{{ first_name }}`.")
            }
            _ => Self::missing_target(parent, tokens, at, place),
        }
    }

    /// `on event if …`.
    pub(crate) fn condition_on_event(at: u32) -> Self {
        Self::new(Code::UnknownStatement, Span::new(at, at + 2), "An `on` takes no condition")
            .label("no `if` can stand here")
            .hint("Lead its arrow to a node that decides: there, write `if … -> one` and `else -> other`.")
    }

    fn missing_target(parent: SyntaxKind, tokens: &Tokens, at: u32, place: Span) -> Self {
        let (word, example) = match parent {
            SyntaxKind::When => ("when", "when agrees: \"They agree\" -> qualify"),
            SyntaxKind::On => ("on", "on error -> take_message"),
            SyntaxKind::IfRoute => ("if", "if booked -> confirm"),
            SyntaxKind::ElseRoute => ("else", "else -> take_message"),
            _ => ("next", "next -> confirm"),
        };
        if tokens.last_before(at) == Some(SyntaxKind::Arrow) {
            return Self::new(Code::MissingTarget, place, "Expected the name of a node after `->`")
                .label("a target is missing here")
                .hint("After the arrow stands a node, or `end` with an outcome, `back`, `detour`, `return` or `agent`.");
        }
        let what = if matches!(parent, SyntaxKind::When | SyntaxKind::On) {
            "neither an arrow nor steps"
        } else {
            "no arrow"
        };
        Self::new(Code::MissingTarget, place, format!("This `{word}` has {what}: it leads nowhere"))
            .label("`->` and a target are missing here")
            .hint(if parent == SyntaxKind::IfRoute {
                format!("Steps alone cannot stand under an `if`; they stand on its arrow: `{example} {{ say \"…\" }}`.")
            } else {
                format!("Say where it leads: `{example}`.")
            })
    }

    /// The finding, in a file.
    pub fn diagnostic(&self, file: FileId) -> Diagnostic {
        let place = |span| Place { file, span };
        let mut diagnostic =
            Diagnostic::new(self.code, place(self.span), self.message.clone()).with_label(self.label.clone());
        if let Some(hint) = &self.hint {
            diagnostic = diagnostic.with_hint(hint.clone());
        }
        if let Some(fix) = &self.fix {
            diagnostic = diagnostic.with_fix(Fix {
                title: fix.title.clone(),
                edits: vec![Edit { place: place(fix.span), text: fix.text.clone() }],
                safe: fix.safe,
            });
        }
        diagnostic
    }
}
