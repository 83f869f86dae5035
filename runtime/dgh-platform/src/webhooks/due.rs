//! Webhooks that a call has asked for, as they are kept until they are sent.

use std::collections::HashMap;

use dgh_engine::Effect;
use dgh_ir::Envelope;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A webhook that is due: rendered once, and never again.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Its name in the program.
    pub webhook: String,
    /// The event: `call.ended`.
    pub event: String,
    /// How many of the same webhook and event came before it in the call.
    pub number: u32,
    /// What is sent.
    pub request: Frozen,
    /// The body, as a record may show it.
    pub shown: Option<Json>,
}

/// What is sent, but for its secrets, which are names. Sealed where it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Address, headers, credentials.
    pub envelope: Envelope,
    /// The secret that signs it; none: those of the organisation do.
    pub sign: Option<String>,
    /// The body, byte for byte.
    pub body: Option<String>,
}

/// The webhooks of one call, in their order. Fed with the effects of the call from its first on, by
/// whoever runs it or reads its log: the same log gives the same list.
#[derive(Debug, Clone, Default)]
pub struct DueList {
    all: Vec<Due>,
    seen: HashMap<(String, String), u32>,
}

impl DueList {
    /// Looks at an effect; true if it was a webhook.
    pub fn see(&mut self, effect: &Effect) -> bool {
        let Effect::Webhook { name, event, envelope, sign, body, masked } = effect else { return false };
        let event = event.name().to_owned();
        let count = self.seen.entry((name.clone(), event.clone())).or_default();
        let number = *count;
        *count += 1;
        self.all.push(Due {
            webhook: name.clone(),
            event,
            number,
            request: Frozen {
                envelope: (**envelope).clone(),
                sign: sign.clone(),
                body: body.as_ref().map(Json::to_string),
            },
            shown: masked.clone(),
        });
        true
    }

    /// All so far.
    pub fn all(&self) -> &[Due] {
        &self.all
    }
}
