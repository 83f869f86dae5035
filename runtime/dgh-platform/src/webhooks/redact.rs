//! What a line of the log may say of a request: which fields it has, and nothing that tells who
//! somebody is or what opens a door.

use dgh_net::header::HeaderMap;
use serde_json::{Map, Value as Json};
use url::Url;

/// Characters of a payload in a line of the log.
const LONGEST: usize = 8_000;
/// What stands for what is hidden.
const HIDDEN: &str = "[redacted]";
/// Names of fields, as words, whose values are hidden.
const WORDS: &[&[&str]] = &[
    &["authorization"],
    &["cookie"],
    &["credential"],
    &["credentials"],
    &["password"],
    &["passwd"],
    &["secret"],
    &["signature"],
    &["token"],
    &["tokens"],
    &["api", "key"],
    &["apikey"],
    &["access", "key"],
    &["private", "key"],
    &["email"],
    &["phone"],
    &["telephone"],
    &["mobile"],
    &["address"],
    &["date", "of", "birth"],
    &["dob"],
    &["ssn"],
    &["card", "number"],
    &["callback", "url"],
    &["redirect", "uri"],
];
/// The same, as the beginning of a word.
const STARTS: &[&str] = &["cvv", "cvc"];
/// Headers that are shown.
const SHOWN: [&str; 5] =
    ["content-type", "x-dgh-delivery-id", "x-dgh-call-id", "x-dgh-attempt", "webhook-timestamp"];

/// Where an address leads: scheme, host and port. No user, no path, no query.
pub(super) fn origin(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

/// Headers, their values hidden but for those that say which delivery it is.
pub(super) fn headers(headers: &HeaderMap) -> Json {
    let shown = |name: &str, value: &dgh_net::header::HeaderValue| match value.to_str() {
        Ok(value) if SHOWN.contains(&name) => value.to_owned(),
        _ => HIDDEN.to_owned(),
    };
    let all = headers.iter().map(|(name, value)| (name.to_string(), shown(name.as_str(), value).into()));
    Json::Object(all.collect())
}

/// A payload with its shape: values of fields that speak of a person or a credential are hidden, and
/// so is every address, whatever its field is called.
pub(super) fn payload(json: &Json) -> String {
    let text = value(json).to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn value(json: &Json) -> Json {
    match json {
        Json::Object(fields) => fields
            .iter()
            .map(|(name, field)| {
                let shown = if is_sensitive(name) && !field.is_null() { HIDDEN.into() } else { value(field) };
                (name.clone(), shown)
            })
            .collect::<Map<_, _>>()
            .into(),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::String(text) if is_address(text) => HIDDEN.into(),
        other => other.clone(),
    }
}

fn is_address(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

fn is_sensitive(name: &str) -> bool {
    let words = words(name);
    let holds = |wanted: &&[&str]| words.windows(wanted.len()).any(|found| found.iter().eq(wanted.iter()));
    WORDS.iter().any(holds) || words.iter().any(|word| STARTS.iter().any(|start| word.starts_with(start)))
}

/// The words of a name in any spelling: `accessToken`, `APIToken`, `customer.email`, `cvv2`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let letters: Vec<char> = name.chars().collect();
    let mut current = String::new();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            words.push(std::mem::take(&mut current));
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| letters.get(at)).is_some_and(|c| c.is_uppercase());
        let after = letters.get(at + 1).is_some_and(|c| c.is_lowercase());
        // `aB` begins a word at B; `ABc` at B, too.
        if letter.is_uppercase() && (!before || after) {
            words.push(std::mem::take(&mut current));
        }
        current.extend(letter.to_lowercase());
    }
    words.push(current);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_shown_as_its_origin() {
        for (address, shown) in [
            ("https://user:word@hooks.example.com:8443/a/b?token=1#x", "https://hooks.example.com:8443"),
            ("http://example.com/x", "http://example.com"),
        ] {
            assert_eq!(origin(&Url::parse(address).unwrap()), shown);
        }
    }

    #[test]
    fn fields_that_tell_too_much_are_hidden_in_every_spelling() {
        for name in [
            "accessToken",
            "APIToken",
            "APISecret",
            "APIAccessToken",
            "SSNNumber",
            "emailAddress",
            "phoneNumber",
            "telephone_number",
            "customer.email",
            "cvv2",
            "callback_url",
            "redirect_uri",
            "X-Api-Key",
            "dateOfBirth",
        ] {
            assert!(is_sensitive(name), "{name}: {:?}", words(name));
        }
        for name in ["topic", "keyboard", "tokenize", "addressee", "mobility", "duration", "key"] {
            assert!(!is_sensitive(name), "{name}");
        }
    }

    #[test]
    fn a_payload_keeps_its_shape() {
        let shown = payload(&json!({
            "topic": "sales",
            "caller": { "phone": "+14155550100", "name": "Ann", "email": null },
            "links": ["https://example.com/secret", "plain"],
            "recording": "HTTPS://example.com/r/1",
            "count": 3,
        }));
        let shown: Json = serde_json::from_str(&shown).unwrap();
        assert_eq!(
            shown,
            json!({
                "topic": "sales",
                "caller": { "phone": HIDDEN, "name": "Ann", "email": null },
                "links": [HIDDEN, "plain"],
                "recording": HIDDEN,
                "count": 3,
            })
        );
    }

    #[test]
    fn a_long_payload_is_cut_between_characters() {
        let shown = payload(&json!({ "text": "ü".repeat(20_000) }));
        assert!(shown.ends_with('…') && shown.chars().count() == LONGEST + 1);
    }

    #[test]
    fn headers_are_hidden_but_for_those_of_the_delivery() {
        let mut all = HeaderMap::new();
        for (name, value) in [("authorization", "Bearer hush"), ("x-dgh-delivery-id", "d1"), ("x-own", "1")] {
            all.insert(name, value.parse().unwrap());
        }
        assert_eq!(
            headers(&all),
            json!({ "authorization": HIDDEN, "x-dgh-delivery-id": "d1", "x-own": HIDDEN })
        );
    }
}
