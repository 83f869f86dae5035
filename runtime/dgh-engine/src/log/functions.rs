//! The functions of a reply are the same list for the whole call. A log that repeated them would
//! hold little else.

use std::sync::Arc;

use crate::effect::Effect;
use crate::reply::Function;

/// The list that was written last.
#[derive(Clone, Default)]
pub(super) struct Functions(Option<Arc<[Function]>>);

impl Functions {
    /// The effect as it is logged: with its functions if they are not those that were written
    /// last.
    pub(super) fn once(&mut self, mut effect: Effect) -> Effect {
        if let Effect::StartReply(request) = &mut effect {
            let known = self
                .0
                .as_ref()
                .is_some_and(|known| Arc::ptr_eq(known, &request.functions) || *known == request.functions);
            if known {
                request.functions = Arc::default();
            } else {
                self.0 = Some(Arc::clone(&request.functions));
            }
        }
        effect
    }
}
