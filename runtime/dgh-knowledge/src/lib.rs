//! Documents of agents: read, cut into passages, and searched. No network, no database, no clock:
//! who keeps passages and who asks for vectors is decided elsewhere.

mod cut;
mod rank;
mod read;
mod shelf;
mod terms;

pub use cut::{CUTTER, Passage, cut};
pub use rank::{Corpus, bm25, cosine, fuse};
pub use read::{Format, MAX_BYTES, MAX_PAGES, MAX_TEXT, READ_TIME, ReadError, Section, read};
pub use shelf::{BEST, Document, Found, Shelf, open, passage_id};
pub use terms::terms;
