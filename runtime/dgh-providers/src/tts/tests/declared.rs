//! What the standard library declares of voices is what these clients read.

use super::*;
use crate::LlmErrorKind;

/// The declarations, as an agent may write them.
const PROVIDERS: &str = include_str!("../../../../../stdlib/providers.dgh");

/// A voice that is declared.
struct Declared {
    name: &'static str,
    /// Name and type of each parameter.
    parameters: Vec<(&'static str, &'static str)>,
    protocol: &'static str,
    url: Option<&'static str>,
}

fn declared() -> Vec<Declared> {
    let of = |text: &'static str| {
        let (name, rest) = text.split_once('(').unwrap();
        let (parameters, rest) = rest.split_once("\n) {").unwrap();
        let (body, _) = rest.split_once("\n}").unwrap();
        let pairs = |lines: &'static str| {
            lines
                .lines()
                .filter_map(|line| line.trim().split_once(": "))
                .map(|(name, rest)| (name, rest.trim()))
        };
        let field =
            |wanted: &str| pairs(body).find(|(name, _)| *name == wanted).map(|(_, v)| v.trim_matches('"'));
        let parameters =
            pairs(parameters).map(|(name, rest)| (name, rest.split(['?', ' ', '(', ',']).next().unwrap()));
        Declared {
            name,
            parameters: parameters.collect(),
            protocol: field("protocol").unwrap(),
            url: field("url"),
        }
    };
    PROVIDERS.split("provider tts ").skip(1).map(of).collect()
}

/// A model with every parameter that must be there.
fn complete(declared: &Declared) -> Model {
    let mut settings = serde_json::Map::new();
    settings.insert("url".into(), declared.url.unwrap_or("https://voices.example/v1").into());
    for (name, value) in [("model", "m"), ("voice", "v")] {
        if declared.parameters.iter().any(|(known, _)| *known == name) {
            settings.insert(name.into(), value.into());
        }
    }
    Model {
        provider: declared.name.into(),
        protocol: declared.protocol.into(),
        settings,
        key: Some("KEY".into()),
    }
}

#[test]
fn every_protocol_that_is_declared_is_spoken() {
    let all = declared();
    let names: Vec<_> = all.iter().map(|d| d.name).collect();
    assert_eq!(
        names,
        [
            "elevenlabs",
            "cartesia",
            "deepgram",
            "rime",
            "azure",
            "openai",
            "openai_compatible",
            "kokoro",
            "offline"
        ]
    );
    for declared in all {
        let voice = registry().tts(&complete(&declared)).unwrap();
        assert_eq!(voice.provider(), declared.name);
        assert!(voice.rates().is_sorted() && voice.rates().contains(&24_000), "{}", declared.name);
    }
}

#[test]
fn every_setting_that_is_declared_is_read() {
    for declared in declared() {
        assert!(!declared.parameters.is_empty());
        for (name, kind) in &declared.parameters {
            // A key is the name of a secret, and no setting.
            if *kind == "secret" {
                let mut model = complete(&declared);
                model.key = Some("MISSING".into());
                assert!(registry().tts(&model).err().unwrap().message.contains("MISSING"));
                continue;
            }
            // Who reads it must mind what cannot be.
            let mut model = complete(&declared);
            model.settings.insert((*name).into(), json!({ "not": "this" }));
            let error = registry()
                .tts(&model)
                .err()
                .unwrap_or_else(|| panic!("{}: {name} is not read", declared.name));
            assert_eq!((error.kind, error.provider.as_str()), (LlmErrorKind::Setup, declared.name));
            assert!(error.message.contains(&format!("`{name}`")), "{error}");
        }
    }
}
