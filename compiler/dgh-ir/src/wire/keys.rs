//! Names as references: unique within their kind, stable, readable.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;

use super::WireError;
use crate::arena::Id;

/// What each thing of a kind is referred to by.
#[derive(Debug, Clone)]
pub(super) struct Keys<I> {
    by_id: Vec<String>,
    names: Vec<String>,
    id: PhantomData<I>,
}

impl<I: Id> Keys<I> {
    /// A name is its own key; a taken one gets `#2`, `#3`, which no name has.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<String> = names.map(str::to_owned).collect();
        let mut taken: HashSet<String> = HashSet::new();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut keys = Vec::with_capacity(names.len());
        for name in &names {
            let count = counts.entry(name).or_insert(0);
            *count += 1;
            let mut key = if *count == 1 { name.clone() } else { format!("{name}#{count}") };
            while !taken.insert(key.clone()) {
                *count += 1;
                key = format!("{name}#{count}");
            }
            keys.push(key);
        }
        Self { by_id: keys, names, id: PhantomData }
    }

    /// The reference to a thing; what does not exist is `#`, and no reader finds it.
    pub(super) fn get(&self, id: I) -> String {
        self.by_id.get(id.index()).cloned().unwrap_or_else(|| "#".into())
    }

    /// The key, where it is not the name.
    pub(super) fn key(&self, id: I) -> Option<String> {
        let (key, name) = (self.by_id.get(id.index())?, self.names.get(id.index())?);
        (key != name).then(|| key.clone())
    }
}

/// Things of a kind by what they are referred to by.
#[derive(Debug, Clone)]
pub(super) struct Index<I> {
    what: &'static str,
    by_key: HashMap<String, I>,
}

impl<I: Id> Index<I> {
    pub(super) fn of<'a>(
        what: &'static str,
        items: impl Iterator<Item = (&'a str, &'a Option<String>)>,
    ) -> Result<Self, WireError> {
        let mut by_key = HashMap::new();
        for (at, (name, key)) in items.enumerate() {
            let key = key.as_deref().unwrap_or(name);
            if by_key.insert(key.to_owned(), I::from_index(at)).is_some() {
                return Err(WireError::Twice { what, name: key.into() });
            }
        }
        Ok(Self { what, by_key })
    }

    pub(super) fn get(&self, key: &str, place: &str) -> Result<I, WireError> {
        self.by_key.get(key).copied().ok_or_else(|| WireError::Unknown {
            what: self.what,
            name: key.into(),
            place: place.into(),
        })
    }
}

impl<I> Default for Index<I> {
    fn default() -> Self {
        Self { what: "name", by_key: HashMap::new() }
    }
}
