//! From the bytes of a file to its text, with the places that people would name: a page, a heading,
//! rows of a table.
//!
//! Files come from anywhere, and libraries that read them were written for files that mean well. So
//! a file is read on a thread of its own, with a stack for deep nesting, a limit of time, and a
//! panic that is an error.

mod csv;
mod docx;
mod html;
mod markdown;
mod pdf;
mod text;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

/// Bytes of a document.
pub const MAX_BYTES: usize = 16 << 20;
/// Bytes of its text.
pub const MAX_TEXT: usize = 4 << 20;
/// Pages of a PDF.
pub const MAX_PAGES: usize = 1_000;
/// How long reading one may take.
pub const READ_TIME: Duration = Duration::from_secs(30);

/// A stack for what nests deeply. Pages of it that nobody touches cost nothing.
const STACK: usize = 256 << 20;
/// Documents that are read at a time. One that takes too long goes on until its library is done.
const AT_ONCE: usize = 8;

/// What kind of document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Pages.
    Pdf,
    /// A document of a word processor (Office Open XML).
    Docx,
    /// A page of the web.
    Html,
    /// Text with headings.
    Markdown,
    /// A table.
    Csv,
    /// Plain text.
    Text,
}

/// A part of a document, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// As people name it: `page 3`, `Opening hours > Holidays`, `row 4`; empty: the document itself.
    pub place: String,
    /// Its text.
    pub text: String,
}

/// Why a document cannot be read; it goes after its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The name does not say what it is.
    #[error("is none of .pdf, .docx, .html, .md, .csv, .txt")]
    Unknown,
    /// It is too large.
    #[error("has more than {0}")]
    TooLarge(String),
    /// It is broken, or something else than its name says.
    #[error("{0}")]
    Broken(String),
    /// A password is needed.
    #[error("is protected with a password")]
    Protected,
    /// There are no words in it.
    #[error("has no text; if it holds pictures of pages, save it with its text")]
    Empty,
    /// It takes too long.
    #[error("takes longer than {} seconds to read", READ_TIME.as_secs())]
    TooSlow,
    /// Too many are read at a time.
    #[error("cannot be read now: too many documents are read at a time")]
    Busy,
}

impl Format {
    /// What a file is, by its name.
    pub fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (_, ending) = name.rsplit_once('.')?;
        Some(match ending.to_ascii_lowercase().as_str() {
            "pdf" => Self::Pdf,
            "docx" => Self::Docx,
            "html" | "htm" | "xhtml" => Self::Html,
            "md" | "markdown" => Self::Markdown,
            "csv" | "tsv" => Self::Csv,
            "txt" | "text" => Self::Text,
            _ => return None,
        })
    }

    /// What an answer of a server is: by its `Content-Type`, else by the path of its address.
    pub fn of_answer(content_type: Option<&str>, path: &str) -> Option<Self> {
        let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        Some(match kind.to_ascii_lowercase().as_str() {
            "application/pdf" => Self::Pdf,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Self::Docx,
            "text/html" | "application/xhtml+xml" => Self::Html,
            "text/markdown" => Self::Markdown,
            "text/csv" | "text/tab-separated-values" => Self::Csv,
            "text/plain" => Self::of_path(path).unwrap_or(Self::Text),
            _ => return Self::of_path(path),
        })
    }

    /// Its name, as it is kept.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::Text => "text",
        }
    }
}

/// Reads a document. Blocks, at most [`READ_TIME`].
pub fn read(format: Format, bytes: Vec<u8>) -> Result<Vec<Section>, ReadError> {
    within(READ_TIME, move || read_here(format, &bytes))
}

/// The SHA-256 of a content, in hexadecimal.
pub(crate) fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Counts a reader while it runs, also one that nobody waits for any more.
struct Running;

impl Running {
    fn begin() -> Option<Self> {
        let began = RUNNING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |running| {
            (running < AT_ONCE).then_some(running + 1)
        });
        began.ok().map(|_| Self)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, ReadError> {
    let running = Running::begin().ok_or(ReadError::Busy)?;
    let (send, receive) = channel();
    let reader = thread::Builder::new().name("document".to_owned()).stack_size(STACK);
    let spawned = reader.spawn(move || {
        let _running = running;
        // Whoever waited too long has gone.
        let _ = send.send(work());
    });
    spawned.map_err(|_| ReadError::Busy)?;
    match receive.recv_timeout(limit) {
        Ok(read) => read,
        Err(RecvTimeoutError::Timeout) => Err(ReadError::TooSlow),
        // It panicked, and the sender went with it.
        Err(RecvTimeoutError::Disconnected) => Err(ReadError::Broken("is broken".to_owned())),
    }
}

fn read_here(format: Format, bytes: &[u8]) -> Result<Vec<Section>, ReadError> {
    if bytes.len() > MAX_BYTES {
        return Err(ReadError::TooLarge(format!("{} MB", MAX_BYTES >> 20)));
    }
    let sections = match format {
        Format::Pdf => pdf::read(bytes)?,
        Format::Docx => docx::read(bytes)?,
        Format::Html => html::read(bytes)?,
        Format::Markdown => markdown::read(&text::decode(bytes)?),
        Format::Csv => csv::read(&text::decode(bytes)?)?,
        Format::Text => vec![Section { place: String::new(), text: text::decode(bytes)? }],
    };
    let mut size = 0;
    let mut kept = Vec::new();
    for Section { place, text } in sections {
        let text = text::tidy(&text);
        size += text.len();
        if size > MAX_TEXT {
            return Err(too_much_text());
        }
        if text.chars().any(char::is_alphanumeric) {
            kept.push(Section { place: text::line(&place), text });
        }
    }
    if kept.is_empty() { Err(ReadError::Empty) } else { Ok(kept) }
}

fn too_much_text() -> ReadError {
    ReadError::TooLarge(format!("{} MB of text", MAX_TEXT >> 20))
}

#[cfg(test)]
mod tests;
