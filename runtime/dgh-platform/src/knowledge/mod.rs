//! `knowledge` of agents: which documents it is made of, and what a question finds in them.
//!
//! Documents are read when an agent is published, or loaded from a folder; never in a call. A release
//! searches its passages in the database; a folder and a draft, in memory, with the same words and the
//! same ranking.

mod publish;
mod sources;
mod stored;

use std::collections::HashMap;
use std::sync::Arc;

use dgh_compile::World;
use dgh_engine::event::ToolFailure;
use dgh_engine::testing::Searches;
use dgh_ir::Program;
use dgh_knowledge::{BEST, Corpus, Found, Shelf, bm25, passage_id, terms};
use dgh_store::knowledge::{Scope, candidates};
use dgh_store::{Db, OrgId, ReleaseId, StoreError};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

pub use publish::{Gathered, Gathering, fetched, gather, keep, keep_document};
pub use sources::{Kind, Source, check_budget, language_of, read_file, sources};
pub(crate) use stored::published;
pub use stored::{Files, files_of};

/// Letters of a question that are looked at.
const QUESTION: usize = 2_000;

/// The knowledge of a program, as its calls search it.
#[derive(Debug, Default)]
pub struct Knowledge {
    shelves: HashMap<String, Shelf>,
    /// Pages of the web that are not here: why what is asked for is not found.
    unread: HashMap<String, String>,
    stored: Option<Stored>,
    whole: IndexMap<String, Arc<str>>,
}

#[derive(Debug)]
struct Stored {
    db: Db,
    org: OrgId,
    release: ReleaseId,
}

impl Knowledge {
    /// Reads the files that a program names. Blocks. What is mocked is not read; pages of the web are
    /// read only when an agent is published.
    pub fn of_files(
        world: &dyn World,
        program: &Program,
        mocked: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Self> {
        let language = language_of(program);
        let mut knowledge = Self::default();
        for source in sources(program, &IndexMap::new()) {
            if mocked(name_of(&source.knowledge)) {
                continue;
            }
            match source.kind {
                Kind::File => {
                    let content = world.read(&source.source);
                    let content =
                        content.map_err(|why| anyhow::anyhow!("{} cannot be read: {why}", source.source))?;
                    let document = read_file(&source.source, content, &language)?;
                    knowledge.shelves.entry(source.knowledge).or_default().add(source.source, document);
                }
                Kind::Url => {
                    let why = "pages of the web are read when the agent is published";
                    knowledge.unread.insert(source.knowledge, why.to_owned());
                }
            }
        }
        knowledge.fill_whole(program)?;
        Ok(knowledge)
    }

    /// What a release was published with.
    pub(crate) fn of_release(
        (db, org, release): (Db, OrgId, ReleaseId),
        whole: IndexMap<String, Arc<str>>,
    ) -> Self {
        Self { stored: Some(Stored { db, org, release }), whole, ..Self::default() }
    }

    /// The texts of knowledge that models get as a whole, by key.
    pub fn whole(&self) -> &IndexMap<String, Arc<str>> {
        &self.whole
    }

    /// What a question finds.
    pub fn search(
        self: &Arc<Self>,
        key: &str,
        question: &str,
    ) -> BoxFuture<'static, Result<Json, ToolFailure>> {
        let (this, key) = (Arc::clone(self), key.to_owned());
        let question: String = question.chars().take(QUESTION).collect();
        async move {
            match &this.stored {
                Some(stored) => match stored.search(&key, &question).await {
                    Ok(found) => Ok(answer(&key, &found)),
                    Err(error) => Err(ToolFailure { kind: "network".to_owned(), message: error.to_string() }),
                },
                None => this.search_here(&key, &question),
            }
        }
        .boxed()
    }

    /// The passages that fit a question best.
    pub async fn passages(&self, key: &str, question: &str) -> Result<Vec<Found>, StoreError> {
        match &self.stored {
            Some(stored) => stored.search(key, question).await,
            None => Ok(self.shelves.get(key).map(|shelf| shelf.search(question, BEST)).unwrap_or_default()),
        }
    }

    fn search_here(&self, key: &str, question: &str) -> Result<Json, ToolFailure> {
        match (self.shelves.get(key), self.unread.get(key)) {
            (Some(shelf), _) => Ok(answer(key, &shelf.search(question, BEST))),
            (None, Some(why)) => {
                let message =
                    format!("`{}` cannot be searched here: {why}; mock it in dgh.toml", name_of(key));
                Err(ToolFailure { kind: "refused".to_owned(), message })
            }
            (None, None) => {
                let message = format!("`{}` has no documents here; mock it in dgh.toml", name_of(key));
                Err(ToolFailure { kind: "refused".to_owned(), message })
            }
        }
    }

    fn fill_whole(&mut self, program: &Program) -> anyhow::Result<()> {
        for (id, knowledge) in program.knowledge.iter().filter(|(_, knowledge)| knowledge.full) {
            let Some(key) = program.knowledge_key(id) else { continue };
            let Some(shelf) = self.shelves.get(&key).filter(|_| knowledge.urls.is_empty()) else { continue };
            self.whole.insert(key, shelf.whole().into());
        }
        check_budget(program, &self.whole).map_err(anyhow::Error::msg)
    }
}

impl Searches for Knowledge {
    fn search(&self, key: &str, question: &str) -> Option<Json> {
        self.shelves.contains_key(key).then(|| self.search_here(key, question).unwrap_or_default())
    }

    fn whole(&self) -> &IndexMap<String, Arc<str>> {
        &self.whole
    }
}

impl Stored {
    async fn search(&self, key: &str, question: &str) -> Result<Vec<Found>, StoreError> {
        let mut conn = self.db.read().acquire().await.map_err(StoreError::from)?;
        let scope = Scope::of(&mut conn, &self.org, &self.release, key).await?;
        let words = terms(question, &scope.language);
        let found = candidates(&mut conn, &self.org, (&self.release, key), &scope, &words).await?;
        // The first word names the document.
        let passages: Vec<Vec<&str>> =
            found.iter().map(|one| one.terms.split(' ').skip(1).collect()).collect();
        let count = |number: i64| usize::try_from(number).unwrap_or_default();
        let corpus = Corpus { passages: count(scope.passages), words: count(scope.words) };
        let ranked = bm25(&words, &passages, corpus);
        let best = ranked.into_iter().take(BEST).filter_map(|index| found.get(index));
        Ok(best
            .map(|one| Found {
                document: one.source.clone(),
                place: one.place.clone(),
                id: passage_id(&one.sha256, one.number),
                text: one.text.clone(),
            })
            .collect())
    }
}

/// The name of knowledge as people wrote it.
pub fn name_of(key: &str) -> &str {
    key.split('~').next().unwrap_or(key)
}

/// What a model and the log of the call get: each passage with its document, place and id.
fn answer(key: &str, found: &[Found]) -> Json {
    if found.is_empty() {
        let note = format!("Nothing in `{}` fits. Say that you do not know.", name_of(key));
        return json!({ "passages": [], "note": note });
    }
    json!({ "passages": found })
}

#[cfg(test)]
mod tests;
