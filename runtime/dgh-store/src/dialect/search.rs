//! Searching for words: FTS5 of SQLite, `tsvector` of Postgres. Both get words that were made alike
//! elsewhere, so that neither cuts or folds anything, and both find the same.

use super::Dialect;
use crate::query::Query;

impl Dialect {
    /// Joins the index to passages `p`.
    pub(crate) fn search_join(self) -> &'static str {
        match self {
            Self::Sqlite => "JOIN passage_terms t ON t.rowid = p.n",
            Self::Postgres => "",
        }
    }

    /// What stands before and behind the text of a search.
    pub(crate) fn search_match(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => (" AND passage_terms MATCH ", ""),
            Self::Postgres => (
                " AND array_to_tsvector(string_to_array(p.terms, ' ')) @@ CAST(CAST(",
                " AS TEXT) AS tsquery)",
            ),
        }
    }

    /// The text of a search: one of the first, and one of the second.
    pub(crate) fn search_text(self, first: &[String], second: &[&str]) -> String {
        let and = match self {
            Self::Sqlite => " AND ",
            Self::Postgres => " & ",
        };
        let first: Vec<&str> = first.iter().map(String::as_str).collect();
        format!("{}{and}{}", self.search_any(&first), self.search_any(second))
    }

    /// The text of a search for any of these words, which are letters and digits.
    fn search_any(self, words: &[&str]) -> String {
        let (quote, or) = match self {
            Self::Sqlite => ('"', " OR "),
            Self::Postgres => ('\'', " | "),
        };
        let quoted: Vec<String> = words.iter().map(|word| format!("{quote}{word}{quote}")).collect();
        format!("({})", quoted.join(or))
    }

    /// Orders what is found, so that a limit keeps the best by the ranking of the database; those that are
    /// kept are ranked by who asked.
    pub(crate) fn search_order(self, query: &mut Query, words: &[&str]) {
        match self {
            Self::Sqlite => {
                query.push(" ORDER BY t.rank");
            }
            Self::Postgres => {
                query.push(" ORDER BY ts_rank(array_to_tsvector(string_to_array(p.terms, ' ')), CAST(CAST(");
                query.bind(self.search_any(words)).push(" AS TEXT) AS tsquery)) DESC");
            }
        }
        query.push(", s.position, p.number");
    }
}
