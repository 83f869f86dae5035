//! The page of each code, as `dgh explain`, editors and the reference show it.

use crate::Code;

/// The page about a code, in Markdown: what it means, a wrong and a right example, how to fix it.
pub fn explain(code: Code) -> &'static str {
    let at = PAGES.binary_search_by_key(&(code as u16), |(number, _)| *number);
    // A test keeps the pages complete; a heading is still better than nothing.
    at.ok().and_then(|i| PAGES.get(i)).map_or(code.title(), |(_, page)| page)
}

const PAGES: &[(u16, &str)] = &[];
