//! Lists come in pages by key: `?limit=&after=` answers `{items, next}`. `after` is the `next` of the
//! page before, so a page costs the same at any depth, and what is added meanwhile shifts nothing.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
use super::take::Query;

/// Items of a page when nobody says how many.
const USUAL: u32 = 50;
/// Items of a page at most.
const MOST: u32 = 200;
/// Longest key of a page, in characters.
const LONGEST: usize = 200;

/// Which page of a list.
#[derive(Debug, Clone, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many items at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, nullable = false)]
    pub(crate) limit: u32,
    /// The `next` of the page before; the first page without it.
    #[param(max_length = 200, nullable = false)]
    pub(crate) after: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// At most as many as were asked for.
    pub(crate) items: Vec<T>,
    /// What `after` has to be for the page that follows; null on the last one.
    pub(crate) next: Option<String>,
}

impl Paging {
    /// What to ask the store for: one more than the page holds tells whether another follows.
    pub(crate) fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The page, of what `fetch` brought.
    pub(crate) fn page<T>(&self, mut fetched: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let limit = self.limit as usize;
        let more = fetched.len() > limit;
        fetched.truncate(limit);
        let next = fetched.last().filter(|_| more).map(key);
        Page { items: fetched, next }
    }
}

impl<T> Page<T> {
    /// The same page of other things.
    pub(crate) fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(make).collect(), next: self.next }
    }
}

#[derive(Deserialize)]
struct Asked {
    limit: Option<u32>,
    after: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(asked) = Query::<Asked>::from_request_parts(parts, state).await?;
        let limit = asked.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            let told = format!("a page holds 1 to {MOST} items");
            return Err(Problem::bad_request("invalid_parameter", told.clone()).fault("limit", told));
        }
        if asked.after.as_ref().is_some_and(|after| after.chars().count() > LONGEST) {
            let told = "this is no `next` of a page";
            return Err(Problem::bad_request("invalid_parameter", told).fault("after", told));
        }
        Ok(Self { limit, after: asked.after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_the_next_one_only_when_there_is_more() {
        let paging = Paging { limit: 2, after: None };
        let page = paging.page(vec![1, 2, 3], ToString::to_string);
        assert_eq!((page.items, page.next.as_deref()), (vec![1, 2], Some("2")));
        let last = paging.page(vec![4, 5], ToString::to_string);
        assert_eq!((last.items.len(), last.next), (2, None));
    }
}
