//! Private values in words that nobody rendered: the caller's, and a model's. Everything else is
//! masked where it is rendered, by `dgh_ir`.

use dgh_ir::mask::placeholder;
use dgh_ir::render::value_text;
use dgh_ir::{Kind, Purpose, Type, Value};

use crate::call::Call;
use crate::effect::Record;
use crate::state::Said;

impl Call {
    /// A text with every private value that is known, in each form in which it may be said,
    /// as `[name]`.
    pub(crate) fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (form, name) in self.private_forms() {
            masked = replace_words(&masked, &form, &placeholder(&name));
        }
        masked
    }

    /// Masks what was said before a private value was known.
    pub(crate) fn mask_the_past(&mut self) {
        let forms = self.private_forms();
        if forms.is_empty() {
            return;
        }
        let mask = |text: &mut String| {
            for (form, name) in &forms {
                if let Some(masked) = replaced(text, form, &placeholder(name)) {
                    *text = masked;
                }
            }
        };
        for said in &mut self.state.history {
            match said {
                Said::Caller(text) | Said::Agent(_, text) => mask(text),
                Said::Tools(exchanges) => {
                    for exchange in exchanges {
                        mask_json(&mut exchange.arguments, &mask);
                        mask_json(&mut exchange.result, &mask);
                    }
                }
            }
        }
        for record in self.state.held.iter_mut().flatten() {
            match record {
                Record::Caller { text }
                | Record::Late { text }
                | Record::Agent { text, .. }
                | Record::Refused { message: text } => mask(text),
                _ => {}
            }
        }
        for utterance in &mut self.state.speech {
            // Revealed parts have their place in the text already.
            if utterance.muted.is_empty() {
                mask(&mut utterance.masked);
            }
        }
    }

    /// Names of the current dialogue that are private and may be learned from speech.
    pub(crate) fn hears_private(&self) -> bool {
        let dialogue = self.dialogue();
        let slots = &self.prepared.program.dialogue(dialogue).slots;
        self.prepared.noteable(dialogue).iter().any(|noteable| {
            !noteable.keypad_only && slots.get(noteable.slot).is_some_and(|slot| slot.ty.private)
        })
    }

    /// Forms of all private values, the longest first, so that a part does not hide a whole.
    fn private_forms(&self) -> Vec<(String, String)> {
        let mut forms = Vec::new();
        for scope in &self.state.scopes {
            let slots = &self.prepared.program.dialogue(scope.dialogue).slots;
            for ((_, declared), slot) in slots.iter().zip(&scope.slots) {
                if let Some(value) = &slot.value {
                    self.forms_of(&declared.ty, &declared.name, value, &mut forms);
                }
            }
        }
        forms.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup_by(|(a, _), (b, _)| a == b);
        forms
    }

    fn forms_of(&self, ty: &Type, name: &str, value: &Value, forms: &mut Vec<(String, String)>) {
        let program = &self.prepared.program;
        match (&ty.kind, value) {
            (Kind::Record(id), Value::Record(values)) => {
                let fields = program.records.get(*id).map_or(&[][..], |def| &def.fields);
                for field in fields {
                    if let Some(value) = values.get(&field.name) {
                        let private = ty.private || field.ty.private;
                        let ty = field.ty.clone().with_private(private);
                        self.forms_of(&ty, &field.name, value, forms);
                    }
                }
            }
            (Kind::List(item), Value::List(values)) => {
                let item = (**item).clone().with_private(ty.private || item.private);
                for value in values {
                    self.forms_of(&item, name, value, forms);
                }
            }
            // Yes, no and nothing are no secrets once they stand alone.
            (_, Value::None | Value::Bool(_)) => {}
            _ if ty.private => {
                let language = &self.state.language;
                let now = Some(self.local_now());
                let purposes = [Purpose::Request, Purpose::Prompt, Purpose::Writing, Purpose::Speech];
                for purpose in purposes {
                    if let Ok(form) = value_text(value, &ty.kind, purpose, language, now) {
                        forms.push((form, name.to_owned()));
                    }
                }
                if let Value::Money(amount, _) = value {
                    forms.push((amount.normalize().to_string(), name.to_owned()));
                }
            }
            _ => {}
        }
    }
}

/// A turn that brought a private value which its words do not hold in any known form (spelled
/// out, in pieces): nothing of it is kept.
pub(crate) fn mask_whole(names: &[String]) -> String {
    names.iter().map(|name| placeholder(name)).collect::<Vec<_>>().join(" ")
}

/// Digits of a turn from which a private value was to be learned, and was not.
pub(crate) fn mask_digits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if c.is_ascii_digit() {
            if !inside {
                out.push_str("[digits]");
            }
            inside = true;
        } else {
            inside = false;
            out.push(c);
        }
    }
    out
}

/// The masked text, cut where `heard` bytes of the text end.
pub(crate) fn cut_masked(text: &str, masked: &str, muted: &[(u32, u32)], heard: usize) -> String {
    if heard >= text.len() {
        return masked.to_owned();
    }
    let heard = text.floor_char_boundary(heard);
    let (mut from, mut to) = (0, 0);
    for (start, end) in muted {
        let (start, end) = (*start as usize, *end as usize);
        if heard <= start {
            break;
        }
        // The private part is `[name]` in the masked text, right where it starts in the text.
        let open = to + (start - from);
        let close = masked.get(open..).and_then(|rest| rest.find(']')).map(|i| open + i + 1);
        let Some(close) = close else { return String::new() };
        if heard < end {
            return masked.get(..close).unwrap_or_default().to_owned();
        }
        (from, to) = (end, close);
    }
    let end = (to + (heard - from)).min(masked.len());
    masked.get(..masked.floor_char_boundary(end)).unwrap_or_default().to_owned()
}

fn mask_json(json: &mut serde_json::Value, mask: &impl Fn(&mut String)) {
    match json {
        serde_json::Value::String(text) => mask(text),
        serde_json::Value::Number(number) => {
            let before = number.to_string();
            let mut after = before.clone();
            mask(&mut after);
            if after != before {
                *json = serde_json::Value::String(after);
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| mask_json(item, mask)),
        serde_json::Value::Object(fields) => {
            fields.values_mut().for_each(|value| mask_json(value, mask));
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) => {}
    }
}

fn replace_words(text: &str, form: &str, with: &str) -> String {
    replaced(text, form, with).unwrap_or_else(|| text.to_owned())
}

/// Whole words alone: `5` is not in `15`. Capitals do not matter.
fn replaced(text: &str, form: &str, with: &str) -> Option<String> {
    let form = form.trim();
    if form.is_empty() {
        return None;
    }
    let wanted: Vec<char> = form.chars().flat_map(char::to_lowercase).collect();
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut out = String::new();
    let (mut kept, mut index) = (0, 0);
    let mut found = false;
    while index < chars.len() {
        let before = index.checked_sub(1).and_then(|i| chars.get(i)).map(|(_, c)| *c);
        let starts = before.is_none_or(|c| !c.is_alphanumeric());
        if let Some(end) = starts.then(|| matches_at(&chars, index, &wanted)).flatten() {
            let at = chars.get(index).map_or(text.len(), |(at, _)| *at);
            let after = chars.get(end).map_or(text.len(), |(at, _)| *at);
            out.push_str(text.get(kept..at).unwrap_or_default());
            out.push_str(with);
            (kept, index, found) = (after, end, true);
        } else {
            index += 1;
        }
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    found.then_some(out)
}

/// The index after the form, if it stands here as whole words.
fn matches_at(chars: &[(usize, char)], from: usize, wanted: &[char]) -> Option<usize> {
    let mut index = from;
    let mut wanted = wanted.iter();
    let mut next = wanted.next();
    while let Some(want) = next {
        let (_, c) = chars.get(index)?;
        for lower in c.to_lowercase() {
            if next != Some(&lower) {
                return None;
            }
            next = wanted.next();
        }
        let _ = want;
        index += 1;
    }
    let after = chars.get(index).map(|(_, c)| *c);
    after.is_none_or(|c| !c.is_alphanumeric()).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_replaced_as_a_whole_word_in_any_case() {
        let masked = |text: &str, form: &str| replaced(text, form, "[x]");
        assert_eq!(masked("It is 1988, yes", "1988").as_deref(), Some("It is [x], yes"));
        assert_eq!(masked("It is 11988", "1988"), None);
        assert_eq!(masked("ANN LEE here", "Ann Lee").as_deref(), Some("[x] here"));
        assert_eq!(masked("nothing", ""), None);
    }

    #[test]
    fn a_cut_inside_a_private_part_keeps_its_name_and_no_more() {
        let (text, masked) = ("You owe 420 dollars now.", "You owe [balance] now.");
        let muted = [(8, 19)];
        assert_eq!(cut_masked(text, masked, &muted, 7), "You owe");
        assert_eq!(cut_masked(text, masked, &muted, 10), "You owe [balance]");
        assert_eq!(cut_masked(text, masked, &muted, 23), "You owe [balance] now");
        assert_eq!(cut_masked(text, masked, &muted, 999), masked);
    }

    #[test]
    fn digits_of_a_failed_answer_are_not_kept() {
        assert_eq!(mask_digits("it is 19 88"), "it is [digits] [digits]");
    }
}
