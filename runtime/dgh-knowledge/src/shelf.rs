//! Documents that are searched where they are, in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::cut::{Passage, cut};
use crate::rank::{Corpus, bm25};
use crate::read::{Format, ReadError, read, sha256};
use crate::terms::terms;

/// Passages of an answer.
pub const BEST: usize = 4;

/// A passage that was found, as a model and the log of a call see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The path or address of its document.
    pub document: String,
    /// Where it stands there; empty: in the document itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// Names it as long as the content of its document stays the same.
    pub id: String,
    /// Its words.
    pub text: String,
}

/// A document that was cut.
#[derive(Debug)]
pub struct Document {
    /// The SHA-256 of its content.
    pub sha256: String,
    /// What kind it is.
    pub format: Format,
    /// The language that its words were read in.
    pub language: String,
    /// Its passages.
    pub passages: Vec<Passage>,
    /// The words that each passage is found by.
    pub terms: Vec<Vec<String>>,
}

impl Document {
    /// The name of one of its passages, in logs and answers.
    pub fn passage_id(&self, number: i64) -> String {
        passage_id(&self.sha256, number)
    }

    /// All of its words, for a model that gets them at once.
    pub fn whole(&self) -> String {
        let mut out = String::new();
        let mut place = "";
        for passage in &self.passages {
            if passage.place != place {
                place = &passage.place;
                out.push_str("## ");
                out.push_str(place);
                out.push('\n');
            }
            out.push_str(&passage.text);
            out.push_str("\n\n");
        }
        out.truncate(out.trim_end().len());
        out
    }
}

/// The name of a passage: enough of the document's hash to tell it, and the number.
pub fn passage_id(sha256: &str, number: i64) -> String {
    format!("{}.{number}", sha256.get(..12).unwrap_or(sha256))
}

/// Documents that are kept cut, so that an unchanged file is cut once.
const KEPT: usize = 64;
/// Bytes of text that are kept so at most.
const KEPT_BYTES: usize = 16 << 20;

static CUT: Mutex<VecDeque<Arc<Document>>> = Mutex::new(VecDeque::new());

/// Reads and cuts a document. Blocks.
pub fn open(format: Format, bytes: Vec<u8>, language: &str) -> Result<Arc<Document>, ReadError> {
    let sha256 = sha256(&bytes);
    if let Some(known) = kept(&sha256, format, language) {
        return Ok(known);
    }
    let passages = cut(&read(format, bytes)?);
    let words = |passage: &Passage| terms(&format!("{} {}", passage.place, passage.text), language);
    let terms = passages.iter().map(words).collect();
    let document = Arc::new(Document { sha256, format, language: language.to_owned(), passages, terms });
    keep(&document);
    Ok(document)
}

fn kept(sha256: &str, format: Format, language: &str) -> Option<Arc<Document>> {
    let mut cut = CUT.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |d: &Arc<Document>| d.sha256 == sha256 && d.format == format && d.language == language;
    let place = cut.iter().position(fits)?;
    let known = cut.remove(place)?;
    cut.push_back(Arc::clone(&known));
    Some(known)
}

fn keep(document: &Arc<Document>) {
    let mut cut = CUT.lock().unwrap_or_else(PoisonError::into_inner);
    cut.push_back(Arc::clone(document));
    let size = |d: &Arc<Document>| d.passages.iter().map(|passage| passage.text.len()).sum::<usize>();
    let mut bytes: usize = cut.iter().map(size).sum();
    while cut.len() > KEPT || bytes > KEPT_BYTES {
        let Some(oldest) = cut.pop_front() else { break };
        bytes -= size(&oldest);
    }
}

/// What one `knowledge` is made of.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    documents: Vec<(String, Arc<Document>)>,
}

impl Shelf {
    /// Adds a document under its path or address.
    pub fn add(&mut self, name: impl Into<String>, document: Arc<Document>) {
        self.documents.push((name.into(), document));
    }

    /// The documents and their names.
    pub fn documents(&self) -> &[(String, Arc<Document>)] {
        &self.documents
    }

    /// The passages that fit a question best, at most `most`.
    pub fn search(&self, question: &str, most: usize) -> Vec<Found> {
        let mut places: Vec<(&str, &Document, &Passage)> = Vec::new();
        let mut passages: Vec<Vec<&str>> = Vec::new();
        for (name, document) in &self.documents {
            for (passage, terms) in document.passages.iter().zip(&document.terms) {
                places.push((name, document, passage));
                passages.push(terms.iter().map(String::as_str).collect());
            }
        }
        let language = self.documents.first().map_or("", |(_, document)| document.language.as_str());
        let words = passages.iter().map(Vec::len).sum();
        let corpus = Corpus { passages: passages.len(), words };
        let ranked = bm25(&terms(question, language), &passages, corpus);
        let found = ranked.into_iter().take(most).filter_map(|index| places.get(index));
        found
            .map(|(name, document, passage)| Found {
                document: (*name).to_owned(),
                place: passage.place.clone(),
                id: document.passage_id(passage.number),
                text: passage.text.clone(),
            })
            .collect()
    }

    /// All that stands in it, for a model that gets it at once.
    pub fn whole(&self) -> String {
        let one = |(name, document): &(String, Arc<Document>)| format!("# {name}\n{}", document.whole());
        self.documents.iter().map(one).collect::<Vec<_>>().join("\n\n")
    }
}
