//! Passages that hold words of a question.

use sqlx::FromRow;

use crate::{Conn, Dialect, DocumentId, OrgId, Query, ReleaseId, StoreError};

/// Passages that are looked at; the best of more by the database's own ranking.
pub const CANDIDATES: i64 = 400;
/// Words of a question that are looked for.
const WORDS: usize = 64;

/// What a search goes through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Passages of all documents.
    pub passages: i64,
    /// Words of all passages.
    pub words: i64,
    /// The language that they were read in.
    pub language: String,
    documents: Vec<DocumentId>,
}

/// A passage that holds words of the question.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Candidate {
    /// The path or address of its document.
    pub source: String,
    /// The SHA-256 of its document.
    pub sha256: String,
    /// Its number there.
    pub number: i64,
    /// Where it stands.
    pub place: String,
    /// Its words.
    pub text: String,
    /// The words that it is found by; the first names the document.
    pub terms: String,
}

impl Scope {
    /// The documents of one knowledge of a release.
    pub async fn of(
        conn: &mut Conn,
        org: &OrgId,
        release: &ReleaseId,
        knowledge: &str,
    ) -> Result<Self, StoreError> {
        let rows: Vec<(String, i64, i64, String)> = sqlx::query_as(
            "SELECT DISTINCT d.id, d.passages, d.words, d.language FROM knowledge_sources s
             JOIN documents d ON d.id = s.document_id AND d.org_id = s.org_id
             WHERE s.org_id = $1 AND s.release_id = $2 AND s.knowledge = $3",
        )
        .bind(org.as_str())
        .bind(release.as_str())
        .bind(knowledge)
        .fetch_all(conn)
        .await?;
        let mut scope = Self::default();
        for (id, passages, words, language) in rows {
            scope.documents.extend(DocumentId::parse(&id));
            scope.passages += passages;
            scope.words += words;
            scope.language = language;
        }
        Ok(scope)
    }
}

/// The passages of a release's knowledge that hold any of these words.
pub async fn candidates(
    conn: &mut Conn,
    org: &OrgId,
    (release, knowledge): (&ReleaseId, &str),
    scope: &Scope,
    words: &[String],
) -> Result<Vec<Candidate>, StoreError> {
    let mut words: Vec<&str> = words.iter().map(String::as_str).filter(|word| is_word(word)).collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(WORDS);
    if words.is_empty() || scope.documents.is_empty() {
        return Ok(Vec::new());
    }
    let documents: Vec<String> = scope.documents.iter().map(scope_word).collect();
    let dialect = Dialect::of(conn);
    let mut query = Query::new(
        "SELECT s.source, d.sha256, p.number, p.place, p.text, p.terms FROM knowledge_sources s
         JOIN documents d ON d.id = s.document_id AND d.org_id = s.org_id
         JOIN passages p ON p.document_id = d.id AND p.org_id = s.org_id ",
    );
    query.push(dialect.search_join());
    query.push(" WHERE s.org_id = ").bind(org.as_str());
    query.push(" AND s.release_id = ").bind(release.as_str());
    query.push(" AND s.knowledge = ").bind(knowledge);
    let (before, after) = dialect.search_match();
    query.push(before).bind(dialect.search_text(&documents, &words)).push(after);
    dialect.search_order(&mut query, &words);
    query.push(" LIMIT ").bind(CANDIDATES);
    query.all(conn).await
}

/// The word that names a document among the words of its passages. No text has a `_` in its words.
pub(super) fn scope_word(document: &DocumentId) -> String {
    format!("_{}", document.as_str().replace('-', ""))
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(char::is_alphanumeric)
}
