//! The standard library and the clients agree.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::json;

use crate::llm::LlmErrorKind;
use crate::stt::testing::{model, registry};
use crate::voice::Voices;

const PROVIDERS: &str = include_str!("../../../../stdlib/providers.dgh");

/// The recognisers that the library declares: protocol, names of the parameters, and whether there
/// is a key.
fn declared() -> Vec<(String, Vec<String>, bool)> {
    let blocks = PROVIDERS.split("\nprovider stt ").skip(1);
    let block = |block: &str| {
        let (head, rest) = block.split_once("\n) {\n").unwrap();
        let parameters =
            head.lines().skip(1).map(|line| line.trim().split_once(':').unwrap().0.to_owned()).collect();
        let protocol = rest.lines().find_map(|line| line.trim().strip_prefix("protocol: ")).unwrap();
        let key = rest.lines().take_while(|line| *line != "}").any(|line| line.trim().starts_with("key: "));
        (protocol.to_owned(), parameters, key)
    };
    blocks.map(block).collect()
}

#[test]
fn every_recogniser_of_the_library_is_spoken_and_every_setting_is_read() {
    let declared = declared();
    assert!(declared.len() >= 5, "{declared:?}");
    for (protocol, parameters, key) in declared {
        let with = |name: &str, more| {
            let mut more = json!({ "model": name, "x": more });
            let value = more.as_object_mut().unwrap().remove("x").unwrap();
            more.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
            registry().stt(&model("it", &protocol, "wss://127.0.0.1/", more))
        };
        for name in ["any", "flux-any"] {
            assert!(with(name, json!({})).is_ok(), "{protocol}");
            for parameter in parameters.iter().filter(|parameter| *parameter != "key") {
                // No setting has this value: who reads it says so.
                let error = with(name, json!({ parameter.clone(): {} })).err();
                let error = error.unwrap_or_else(|| panic!("{protocol} does not read `{parameter}`"));
                assert_eq!(error.kind, LlmErrorKind::Setup);
                assert!(error.message.contains(&format!("`{parameter}`")), "{parameter}: {error}");
            }
        }
        let mut keyless = model("it", &protocol, "wss://127.0.0.1/", json!({}));
        keyless.key = Some("NOT_THERE".into());
        if !key {
            continue;
        }
        assert!(registry().stt(&keyless).err().unwrap().message.starts_with("no key: set NOT_THERE"));
    }
}

#[test]
fn the_same_description_is_the_same_recogniser_and_an_unknown_protocol_says_so() {
    let registry = registry();
    let one = model("it", "deepgram_listen", "wss://127.0.0.1/", json!({}));
    let two = model("it", "deepgram_listen", "wss://127.0.0.1/", json!({ "language": "de" }));
    let of = |model| registry.stt(model).ok().unwrap();
    assert!(std::sync::Arc::ptr_eq(&of(&one), &of(&one)));
    assert!(!std::sync::Arc::ptr_eq(&of(&one), &of(&two)));
    let error = registry.stt(&model("it", "telepathy", "wss://127.0.0.1/", json!({}))).err().unwrap();
    assert_eq!(error.to_string(), "it: this runtime does not speak the protocol `telepathy`");
}
