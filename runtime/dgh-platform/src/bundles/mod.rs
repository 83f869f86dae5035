//! Agents as they are kept: drafts made of files, releases made of drafts, and which of them answers
//! whom.
//!
//! A draft is written by one `put`, which names what it replaces. Publishing compiles it, keeps the
//! program, and lets it answer, in one transaction; a draft alone answers nobody but who asks for it.

mod agents;
mod diff;
mod documents;
mod drafts;
mod error;
pub mod examples;
pub mod files;
pub mod folder;
mod load;
pub mod profiles;
mod publish;
mod routes;
mod source;
mod sync;
mod traffic;

pub use agents::{Agents, Live, Version};
pub use diff::{Side, compare};
pub use documents::{DraftDocument, draft_documents, read_again, release_documents};
pub use drafts::{About, Content, NewAgent, Put, archive, create, describe, put, put_blob};
pub use error::{BundleError, Findings};
pub use publish::{Checked, Compilation, Published, Wish, check, compile_draft, hint, publish};
pub use routes::{NewRoute, RouteKind, add_route, remove_route};
pub use sync::{Folder, Told};
pub use traffic::{Shares, serve, set_shares};

#[cfg(test)]
mod tests;
