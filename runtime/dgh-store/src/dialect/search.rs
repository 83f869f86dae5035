//! Searching for words: FTS5 of SQLite, `tsvector` of Postgres. Both get words that were made alike
//! elsewhere, so that neither cuts or folds anything, and both find the same.

use super::Dialect;

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
            Self::Postgres => {
                (" AND array_to_tsvector(string_to_array(p.terms, ' ')) @@ CAST(CAST(", " AS TEXT) AS tsquery)")
            }
        }
    }

    /// The text of a search: one of the first, and one of the second.
    pub(crate) fn search_text(self, first: &[String], second: &[&str]) -> String {
        let (quote, or, and) = match self {
            Self::Sqlite => ('"', " OR ", " AND "),
            Self::Postgres => ('\'', " | ", " & "),
        };
        let quoted = |word: &str| format!("{quote}{word}{quote}");
        let any = |words: Vec<String>| format!("({})", words.join(or));
        let first = any(first.iter().map(|word| quoted(word)).collect());
        let second = any(second.iter().map(|word| quoted(word)).collect());
        format!("{first}{and}{second}")
    }

    /// The order of what is found, before the limit: how often the words stand there. Those that are
    /// kept are ranked by who asked.
    pub(crate) fn search_order(self) -> &'static str {
        match self {
            Self::Sqlite => " ORDER BY t.rank, s.position, p.number LIMIT ",
            Self::Postgres => " ORDER BY s.position, p.number LIMIT ",
        }
    }
}
