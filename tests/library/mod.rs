//! The standard library: its files are clean, its flows work, and what it declares is what the
//! runtime has.

mod realtime;

use std::collections::HashMap;
use std::sync::Arc;

use dgh_engine::event::Timestamp;
use dgh_engine::testing::ScriptedCall;
use dgh_engine::{CallStart, Prepared};
use dgh_ir::{Channel, Decider};
use dgh_net::{Client, Policy};
use dgh_providers::{Models as _, Registry};
use dgh_syntax::ast::{AstNode as _, Item};

use crate::support::{compile_text, complaints, failed_tests, root};

#[test]
fn every_file_parses_and_is_imported_cleanly() {
    for (path, text) in dgh_stdlib::FILES {
        let parse = dgh_syntax::parse(text);
        assert!(parse.errors().is_empty(), "{path}: {:?}", parse.errors());
        assert_eq!(dgh_fmt::format(text).text, *text, "{path} is formatted");
    }
}

#[test]
fn the_flows_and_the_last_handlers_do_what_they_say() {
    let mut tests = 0;
    for entry in std::fs::read_dir(root().join("tests/library")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "dgh") {
            let compiled = compile_text(&std::fs::read_to_string(&path).unwrap());
            assert_eq!(complaints(&compiled), "", "{}", path.display());
            tests += compiled.tests.len();
            assert_eq!(failed_tests(&compiled), "", "{}", path.display());
        }
    }
    assert!(tests >= 18, "only {tests} tests were found");
}

#[test]
fn every_event_of_the_library_is_one_that_the_runtime_raises() {
    let file = dgh_syntax::parse(dgh_stdlib::text("std/events").unwrap()).file();
    let declared = file.items().filter_map(|item| match item {
        Item::Event(event) => Some(event.name()?.text()),
        _ => None,
    });
    let mut events = 0;
    for name in declared {
        let arguments = match name.as_str() {
            "silence" => "(6s)",
            "stalled" => "(turns: 8)",
            "corrected" => "(x)",
            "failed" => "(collect)",
            "limit" => "(duration)",
            _ => "",
        };
        let compiled = compile_text(&format!(
            "dgh 1\nagent a {{\n  outcome done\n  var x: text\n  start n\n  node n {{\n    ask \"Hi\"\n    note x\n    \
             on {name}{arguments} -> end done\n    when bye: \"Bye\" -> end done\n  }}\n}}\n"
        ));
        let (_, agent) = compiled.program.agents.iter().next().unwrap();
        let raised = agent.dialogue.routes.iter().find_map(|(_, route)| match &route.decider {
            Decider::On(event) => Some(event.keyword()),
            _ => None,
        });
        assert_eq!(raised, Some(name.as_str()), "{}", complaints(&compiled));
        events += 1;
    }
    assert_eq!(events, 16);
}

#[test]
fn every_language_model_of_the_library_has_a_client() {
    let keys =
        ["OPENAI", "ANTHROPIC", "GOOGLE", "GROQ", "OPENROUTER"].map(|k| (format!("{k}_API_KEY"), "k".into()));
    let secrets: HashMap<String, secrecy::SecretString> = keys.into_iter().collect();
    let registry = Registry::new(Client::new(Policy::with_private()).unwrap(), Arc::new(secrets));
    let models = [
        "openai(\"m\")",
        "anthropic(\"m\")",
        "google(\"m\")",
        "groq(\"m\")",
        "openrouter(\"m\")",
        "ollama(\"m\")",
        "openai_compatible(\"m\", url: \"https://example.com/v1\", timeout: 4s)",
        "offline()",
    ];
    for text in models {
        let compiled = compile_text(&format!(
            "dgh 1\nagent a {{\n  llm: {text}\n  outcome done\n  start n\n  node n {{\n    ask \"Hi\"\n    note x\n    \
             when bye: \"Bye\" -> end done\n  }}\n  var x: text\n}}\n"
        ));
        // The models that a reply asks for are the ones of the program, resolved by the engine.
        let prepared = Prepared::new(Arc::new(compiled.program));
        let start = CallStart::new("c", Channel::Chat, Timestamp(0));
        let agent = prepared.program().agent("a").unwrap();
        let mut call = ScriptedCall::new(prepared, agent, start).unwrap();
        while !call.call().caller_has_floor() && (call.play_one() || call.pass_to_deadline()) {}
        call.says("Hello");
        let request = call.replies.pop_front().unwrap();
        assert_eq!(request.models.len(), 1, "{text}");
        let client = registry.llm(&request.models[0]);
        assert!(client.is_ok(), "{text}: {}", client.err().unwrap());
    }
    let file = dgh_syntax::parse(dgh_stdlib::text("std/providers").unwrap()).file();
    let is_llm = |item: &Item| matches!(item, Item::Provider(p) if p.syntax().text().to_string().contains("provider llm"));
    assert_eq!(
        file.items().filter(is_llm).count(),
        models.len(),
        "every declared language model is tried here"
    );
}
