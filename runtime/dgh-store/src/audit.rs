//! Who changed what. A row is written in the transaction of the change, so that there is none without
//! the other, and is never changed.

use serde_json::Value;
use sqlx::FromRow;

use crate::{ApiKeyId, AuditId, Conn, OrgId, StoreError, UserId};

/// Who does something. Neither user nor key: the server itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct Actor {
    /// A person.
    #[sqlx(rename = "user_id")]
    pub user: Option<UserId>,
    /// A program.
    #[sqlx(rename = "key_id")]
    pub key: Option<ApiKeyId>,
    /// From where.
    pub address: Option<String>,
}

/// A change.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Entry {
    /// Its id; later ones are greater.
    pub id: AuditId,
    /// When.
    pub at: i64,
    /// Who.
    #[sqlx(flatten)]
    pub by: Actor,
    /// What was done: `agent.publish`.
    pub action: String,
    /// The id of what was changed.
    pub subject: String,
    /// More about it; never a secret.
    #[sqlx(try_from = "String")]
    pub detail: Detail,
}

/// More about a change: an object of JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail(pub Value);

impl TryFrom<String> for Detail {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&text).map(Self)
    }
}

/// Which entries. What is none is not asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// By this user.
    pub user: Option<String>,
    /// By this key.
    pub key: Option<String>,
    /// `agent.publish`, or all that begin so: `agent.`
    pub action: Option<String>,
    /// Of this thing.
    pub subject: Option<String>,
    /// Not before.
    pub from: Option<i64>,
    /// Before.
    pub to: Option<i64>,
}

impl Actor {
    /// The server itself.
    pub fn server() -> Self {
        Self::default()
    }
}

/// Writes down a change. Goes into the transaction that makes it.
pub async fn write(
    conn: &mut Conn,
    org: &OrgId,
    by: &Actor,
    action: &str,
    subject: &str,
    detail: &Value,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (id, org_id, at, user_id, key_id, address, action, subject, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(AuditId::fresh().as_str())
    .bind(org.as_str())
    .bind(now)
    .bind(by.user.as_ref().map(UserId::as_str))
    .bind(by.key.as_ref().map(ApiKeyId::as_str))
    .bind(by.address.as_deref())
    .bind(action)
    .bind(subject)
    .bind(detail.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// A page of entries, the newest first.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    // One text for all filters: those that are not asked for hold for every row. An action is compared
    // by its first letters when it ends with a dot.
    let action = filter.action.as_deref().unwrap_or_default();
    let beginning = if action.ends_with('.') { action } else { "" };
    let whole = if beginning.is_empty() { action } else { "" };
    let all = sqlx::query_as(
        "SELECT id, at, user_id, key_id, address, action, subject, detail FROM audit
         WHERE org_id = $1 AND ($2 = '' OR id < $2)
           AND ($3 = '' OR user_id = $3) AND ($4 = '' OR key_id = $4)
           AND ($5 = '' OR action = $5) AND ($6 = '' OR SUBSTR(action, 1, LENGTH($6)) = $6)
           AND ($7 = '' OR subject = $7) AND at >= $8 AND at < $9
         ORDER BY id DESC LIMIT $10",
    )
    .bind(org.as_str())
    .bind(after.unwrap_or_default())
    .bind(filter.user.as_deref().unwrap_or_default())
    .bind(filter.key.as_deref().unwrap_or_default())
    .bind(whole)
    .bind(beginning)
    .bind(filter.subject.as_deref().unwrap_or_default())
    .bind(filter.from.unwrap_or(i64::MIN))
    .bind(filter.to.unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(all)
}
