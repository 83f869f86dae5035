//! What is declared of speech-to-speech models is what their clients read.

use std::collections::HashMap;
use std::sync::Arc;

use dgh_engine::reply::Model;
use dgh_net::{Client, Policy};
use dgh_providers::{LlmErrorKind, VoiceRegistry, Voices as _};
use dgh_syntax::ast::{AstNode as _, Item, Provider};
use serde_json::{Map, json};

fn declared() -> Vec<Provider> {
    let file = dgh_syntax::parse(dgh_stdlib::text("std/providers").unwrap()).file();
    let providers = file.items().filter_map(|item| match item {
        Item::Provider(provider) => Some(provider),
        _ => None,
    });
    providers.filter(|provider| provider.syntax().text().to_string().contains("provider realtime ")).collect()
}

fn name_of(provider: &Provider) -> String {
    provider.name().unwrap().text().clone()
}

/// The provider as an agent names it, with what has to be there.
fn complete(provider: &Provider) -> Model {
    let text = provider.syntax().text().to_string();
    let line = |name: &str| {
        let value =
            text.lines().find_map(|line| line.trim().strip_prefix(&format!("{name}: ")).map(str::to_owned));
        value.filter(|value| !value.ends_with(',')).map(|value| value.trim_matches('"').to_owned())
    };
    let mut settings = Map::new();
    settings.insert("url".into(), line("url").unwrap_or_else(|| "https://one.example".into()).into());
    settings.insert("model".into(), "m".into());
    settings.insert("deployment".into(), "d".into());
    Model { provider: name_of(provider), protocol: line("protocol").unwrap(), settings, key: line("key") }
}

fn registry() -> VoiceRegistry {
    let secrets: HashMap<_, _> = ["OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "GOOGLE_API_KEY"]
        .into_iter()
        .map(|name| (name.to_owned(), "k".to_owned().into()))
        .collect::<HashMap<String, secrecy::SecretString>>();
    VoiceRegistry::new(Client::new(Policy::public()).unwrap(), Arc::new(secrets))
}

#[test]
fn every_protocol_that_is_declared_is_spoken() {
    let all = declared();
    assert_eq!(all.iter().map(name_of).collect::<Vec<_>>(), ["openai", "azure", "google"]);
    for provider in all {
        let made = registry().realtime(&complete(&provider));
        assert!(made.is_ok(), "{}", made.err().unwrap());
    }
}

#[test]
fn every_setting_that_is_declared_is_read() {
    for provider in declared() {
        let params: Vec<_> = provider.params().map(|p| p.name().unwrap().text().clone()).collect();
        assert!(params.len() > 5, "{params:?}");
        for name in params {
            // Who reads it must mind what cannot be.
            let mut model = complete(&provider);
            model.settings.insert(name.clone(), json!({ "not": "this" }));
            let error = registry().realtime(&model).err();
            let error = error.unwrap_or_else(|| panic!("{}: {name} is not read", model.provider));
            assert_eq!(error.kind, LlmErrorKind::Setup);
            assert!(error.message.contains(&format!("`{name}`")), "{error}");
        }
    }
}
