//! Documents of agents, their passages, and which release searches which of them.

mod search;
mod sources;
#[cfg(test)]
mod tests;

pub use search::{CANDIDATES, Candidate, Scope, candidates};
pub use sources::{Source, of_release, put_source, swap, sweep_unscoped};

use sqlx::FromRow;

use crate::{Conn, DocumentId, OrgId, StoreError};

/// A document that was cut.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// The SHA-256 of its content.
    pub sha256: String,
    /// `pdf`, `docx`, `html`, `markdown`, `csv`, `text`.
    pub format: String,
    /// The language that its words were read in.
    pub language: String,
    /// Which version of the cutting.
    pub cutter: i64,
    /// How many passages it has.
    pub passages: i64,
    /// Words of all of them.
    pub words: i64,
    /// When it was cut.
    pub created_at: i64,
}

/// A passage of a document.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Passage {
    /// Its number in the document, from 1.
    pub number: i64,
    /// Where it stands.
    pub place: String,
    /// Its words.
    pub text: String,
    /// The words that it is found by, with spaces between them.
    pub terms: String,
}

/// The document with this content, when it was cut before in the same way.
pub async fn find(
    conn: &mut Conn,
    org: &OrgId,
    sha256: &str,
    (format, language, cutter): (&str, &str, i64),
) -> Result<Option<Document>, StoreError> {
    let found = sqlx::query_as(
        "SELECT id, sha256, format, language, cutter, passages, words, created_at FROM documents
         WHERE org_id = $1 AND sha256 = $2 AND format = $3 AND language = $4 AND cutter = $5",
    )
    .bind(org.as_str())
    .bind(sha256)
    .bind(format)
    .bind(language)
    .bind(cutter)
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// Keeps a document with its passages. One that is there already stays, and is the answer.
pub async fn keep(
    conn: &mut Conn,
    org: &OrgId,
    document: &Document,
    passages: &[Passage],
) -> Result<Document, StoreError> {
    let how = (document.format.as_str(), document.language.as_str(), document.cutter);
    if let Some(known) = find(conn, org, &document.sha256, how).await? {
        return Ok(known);
    }
    sqlx::query(
        "INSERT INTO documents (id, org_id, sha256, format, language, cutter, passages, words, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(document.id.as_str())
    .bind(org.as_str())
    .bind(&document.sha256)
    .bind(&document.format)
    .bind(&document.language)
    .bind(document.cutter)
    .bind(document.passages)
    .bind(document.words)
    .bind(document.created_at)
    .execute(&mut *conn)
    .await?;
    let scope = search::scope_word(&document.id);
    for passage in passages {
        sqlx::query(
            "INSERT INTO passages (org_id, document_id, number, place, text, terms)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(org.as_str())
        .bind(document.id.as_str())
        .bind(passage.number)
        .bind(&passage.place)
        .bind(&passage.text)
        .bind(format!("{scope} {}", passage.terms))
        .execute(&mut *conn)
        .await?;
    }
    Ok(document.clone())
}

/// The passages of a document in their order, from a number on.
pub async fn passages(
    conn: &mut Conn,
    org: &OrgId,
    document: &DocumentId,
    from: i64,
    most: i64,
) -> Result<Vec<Passage>, StoreError> {
    let all = sqlx::query_as(
        "SELECT number, place, text, terms FROM passages
         WHERE org_id = $1 AND document_id = $2 AND number >= $3 ORDER BY number LIMIT $4",
    )
    .bind(org.as_str())
    .bind(document.as_str())
    .bind(from)
    .bind(most)
    .fetch_all(conn)
    .await?;
    Ok(all)
}
