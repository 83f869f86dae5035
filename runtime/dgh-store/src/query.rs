//! Queries whose text depends on what is asked for: filters, pages, lists of ids.
//!
//! Values never become text of the query: they are bound, and numbered as both databases take them.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, Arguments as _, AssertSqlSafe, Encode, FromRow, Type};

use crate::db::Conn;
use crate::error::StoreError;

/// A query that is being put together.
///
/// ```
/// # use dgh_store::Query;
/// let mut query = Query::new("SELECT id FROM call WHERE org_id = ");
/// query.bind("o1").push(" AND agent IN (").bind_all(["a", "b"]).push(")");
/// assert_eq!(query.text(), "SELECT id FROM call WHERE org_id = $1 AND agent IN ($2, $3)");
/// ```
#[derive(Default)]
pub struct Query {
    text: String,
    values: AnyArguments,
    failed: Option<sqlx::Error>,
}

impl Query {
    /// Begins with a text.
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// More text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// A value.
    pub fn bind<'v>(&mut self, value: impl Encode<'v, Any> + Type<Any>) -> &mut Self {
        if let Err(error) = self.values.add(value) {
            self.failed = Some(sqlx::Error::Encode(error));
        }
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Values with commas between them; `NULL` for none, which is in no list.
    pub fn bind_all<'v, T: Encode<'v, Any> + Type<Any>>(
        &mut self,
        values: impl IntoIterator<Item = T>,
    ) -> &mut Self {
        let mut first = true;
        for value in values {
            if !std::mem::replace(&mut first, false) {
                self.text.push_str(", ");
            }
            self.bind(value);
        }
        if first {
            self.text.push_str("NULL");
        }
        self
    }

    /// Its text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All rows.
    pub async fn all<T>(self, conn: &mut Conn) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        let (text, values) = self.finish()?;
        Ok(sqlx::query_as_with(AssertSqlSafe(text), values).fetch_all(conn).await?)
    }

    /// The one row, if there is one.
    pub async fn optional<T>(self, conn: &mut Conn) -> Result<Option<T>, StoreError>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        let (text, values) = self.finish()?;
        Ok(sqlx::query_as_with(AssertSqlSafe(text), values).fetch_optional(conn).await?)
    }

    /// Runs it; answers how many rows it changed.
    pub async fn run(self, conn: &mut Conn) -> Result<u64, StoreError> {
        let (text, values) = self.finish()?;
        Ok(sqlx::query_with(AssertSqlSafe(text), values).execute(conn).await?.rows_affected())
    }

    fn finish(self) -> Result<(String, AnyArguments), StoreError> {
        match self.failed {
            Some(error) => Err(error.into()),
            None => Ok((self.text, self.values)),
        }
    }
}
