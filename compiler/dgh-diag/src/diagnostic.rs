//! One thing the compiler has to say about a program.

use crate::{Code, FileId, Severity, Span};

/// A place in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The bytes in it.
    pub span: Span,
}

/// Another place that explains the first: a declaration, the other half of a conflict, or one
/// step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What is there, a short phrase in lower case without a full stop.
    pub message: String,
}

/// A replacement of the bytes of one place by a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an empty span inserts.
    pub place: Place,
    /// By what.
    pub text: String,
}

/// A way to mend the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an imperative: "Add `else -> …`".
    pub title: String,
    /// The edits, not overlapping.
    pub edits: Vec<Edit>,
    /// Whether it surely keeps what the author meant, so that `dgh check --fix` may apply it.
    pub safe: bool,
}

/// One finding. Built with [`Diagnostic::new`] and the `with_…` functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of finding; decides the severity.
    pub code: Code,
    /// One sentence for a conversation designer, naming the thing: no full stop.
    pub message: String,
    /// The place to look at.
    pub place: Place,
    /// What stands at that place, a few words; may be empty.
    pub label: String,
    /// Places that explain it.
    pub related: Vec<Related>,
    /// The shortest path that shows the fault, in the order in which a call would take it.
    pub steps: Vec<Related>,
    /// What to do, one or two sentences.
    pub hint: Option<String>,
    /// Ways to mend it.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// A finding with its place and message.
    pub fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place,
            label: String::new(),
            related: Vec::new(),
            steps: Vec::new(),
            hint: None,
            fixes: Vec::new(),
        }
    }

    /// Severity of its code.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Sets the words at the place.
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a place that explains it.
    pub fn with_related(mut self, place: Place, message: impl Into<String>) -> Self {
        self.related.push(Related { place, message: message.into() });
        self
    }

    /// Adds a step of the shortest path that shows it.
    pub fn with_step(mut self, place: Place, message: impl Into<String>) -> Self {
        self.steps.push(Related { place, message: message.into() });
        self
    }

    /// Sets the hint.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a fix.
    pub fn with_fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }
}
