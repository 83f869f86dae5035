//! Names of requests on a wire that keeps requests apart. A name is never used again, so that what
//! comes late for a cancelled request is not taken for the same request asked again.

/// The requests that are under way.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    open: Vec<(u32, String)>,
    made: u32,
}

impl Contexts {
    /// A new name for a request.
    pub(super) fn open(&mut self, id: u32) -> &str {
        self.made += 1;
        self.open.retain(|(known, _)| *known != id);
        self.open.push((id, format!("{id}-{}", self.made)));
        self.open.last().map(|(_, name)| name.as_str()).unwrap_or_default()
    }

    /// The request with this name.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.open.iter().find(|(_, known)| known == name).map(|(id, _)| *id)
    }

    /// Forgets a request. Answers its name.
    pub(super) fn close(&mut self, id: u32) -> Option<String> {
        let place = self.open.iter().position(|(known, _)| *known == id)?;
        Some(self.open.swap_remove(place).1)
    }

    /// A new connection knows none.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The only request under way, for a server that does not repeat the name.
    pub(super) fn only(&self) -> Option<u32> {
        match self.open.as_slice() {
            [(id, _)] => Some(*id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_is_asked_again_has_another_name() {
        let mut contexts = Contexts::default();
        let first = contexts.open(7).to_owned();
        assert_eq!((contexts.find(&first), contexts.only()), (Some(7), Some(7)));
        assert_eq!(contexts.close(7), Some(first.clone()));
        assert!(contexts.is_empty());
        let again = contexts.open(7).to_owned();
        assert_eq!((contexts.find(&first), contexts.find(&again)), (None, Some(7)));
        contexts.open(8);
        assert_eq!(contexts.only(), None);
    }
}
