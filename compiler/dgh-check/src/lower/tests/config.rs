//! dgh.toml, dgh.lock, and files of the bundle.

use std::collections::BTreeSet;

use dgh_diag::{Code, FileId, Place, Span};
use dgh_ir::McpTool;
use indexmap::IndexMap;
use serde_json::json;

use super::program::{At, program};
use crate::testing::Bundle;
use crate::{Config, DefaultModel, Profile, check};

fn findings(config: Config<'_>, at: At, snippet: &str) -> Vec<String> {
    let text = program(at, snippet);
    let bundle = Bundle::new(&[("agent.dgh", &text)]);
    bundle.with(config, |input| {
        let checked = check(input);
        let wanted =
            checked.diagnostics.iter().filter(|d| (d.code as u16) / 100 == 1 || d.code == Code::OutOfRange);
        wanted.map(|d| bundle.line(d)).collect()
    })
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn profiles(all: &[(&str, &[&str], &[&str])]) -> Config<'static> {
    let profile = |(name, env, secrets): &(&str, &[&str], &[&str])| {
        ((*name).to_owned(), Profile { env: names(env), secrets: names(secrets) })
    };
    Config {
        profiles: Some(all.iter().map(profile).collect()),
        recordings: names(&["welcome"]),
        ..Config::default()
    }
}

#[test]
fn values_of_the_profiles() {
    let two = || profiles(&[("dev", &["API", "DESK"], &["KEY"]), ("prod", &["API"], &[])]);
    let none: [String; 0] = [];
    assert_eq!(findings(two(), At::Say, "{{ env.API }}"), none);
    assert_eq!(
        findings(two(), At::Say, "{{ env.DESK }} {{ env.DESK }}"),
        [
            "E0121 `DESK` The profile `prod` has no `env.DESK` | Add `DESK` to `[profiles.prod.env]` in dgh.toml."
        ]
    );
    let found = findings(two(), At::Say, "{{ env.APY }}");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].contains("The profiles `dev` and `prod` have no `env.APY` | Did you mean `API`?"),
        "{found:#?}"
    );
    assert_eq!(
        findings(two(), At::Tool, "auth: bearer(secret.KEY)"),
        [
            "E0122 `KEY` The profile `prod` has no `secret.KEY` | Add `KEY` to `[profiles.prod.secrets]` in dgh.toml."
        ]
    );
    assert_eq!(findings(two(), At::Step, "play recording.welcome"), none);
    let found = findings(two(), At::Step, "play recording.welcom");
    assert!(
        found[0]
            .contains("E0131 `welcom` There is no recording `welcom` in dgh.toml | Did you mean `welcome`?"),
        "{found:#?}"
    );
}

#[test]
fn which_of_two_files_has_the_slip_is_for_a_person_to_say() {
    let text = program(At::Tool, "auth: bearer(secret.API_KEY)");
    let bundle = Bundle::new(&[("agent.dgh", &text)]);
    let fixes: Vec<bool> = bundle.with(profiles(&[("dev", &[], &["API_KEI"])]), |input| {
        let checked = check(input);
        let secret = checked.diagnostics.iter().filter(|d| d.code == Code::UnknownSecret);
        secret.flat_map(|d| &d.fixes).map(|fix| fix.safe).collect()
    });
    assert_eq!(fixes, [false]);
}

#[test]
fn without_a_file_one_word_is_said() {
    let found = findings(Config::default(), At::Say, "{{ env.A }} {{ env.B }}");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("I0127 `A`"), "{found:#?}");
}

#[test]
fn tools_of_the_lock() {
    let tool = |name: &str| McpTool {
        name: name.to_owned(),
        about: String::new(),
        input_schema: json!({ "type": "object", "properties": { "day": { "type": "string" }, "n": { "type": "integer" } }, "required": ["day"] }),
        output_schema: None,
        read_only: true,
    };
    let lock = || Config {
        lock: Some(IndexMap::from([("calendar".to_owned(), vec![tool("list_holidays"), tool("book")])])),
        ..Config::default()
    };
    let node = |uses: &str| format!("node n {{ prompt \"x\" use {uses} when a: \"A\" -> act }}");
    let none: [String; 0] = [];
    assert_eq!(findings(lock(), At::Member, &node("calendar.list_holidays")), none);
    assert_eq!(findings(lock(), At::Member, &node("calendar")), none);
    let found = findings(lock(), At::Member, &node("calendar.list_holiday"));
    assert!(
        found[0].contains(
            "E0125 `list_holiday` `calendar` has no tool `list_holiday` | Did you mean `list_holidays`?"
        ),
        "{found:#?}"
    );
    let call = |args: &str| format!("call calendar.book({args}) as booked");
    assert_eq!(findings(lock(), At::Step, &call("day: \"x\", n: 3")), none);
    assert_eq!(findings(lock(), At::Step, &call("day, 3")), none);
    let found = findings(lock(), At::Step, &call("dya: \"x\""));
    assert!(
        found.iter().any(|l| l.contains("E0111 `dya`") && l.contains("Did you mean `day`?")),
        "{found:#?}"
    );
    let found = findings(Config::default(), At::Member, &node("calendar.anything"));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("I0126 `anything`"), "{found:#?}");
}

#[test]
fn files_of_the_bundle() {
    let exists = |path: &str| path == "faq.pdf";
    let config = || Config { file_exists: Some(&exists), ..Config::default() };
    let none: [String; 0] = [];
    assert_eq!(findings(config(), At::Member, "knowledge k { files: [\"faq.pdf\"] }"), none);
    let found = findings(config(), At::Member, "knowledge k { files: [\"faq.pdf\", \"fag.pdf\"] }");
    assert_eq!(
        found,
        ["E0137 `\"fag.pdf\"` There is no file `fag.pdf` | Paths start at the folder of dgh.toml."]
    );
}

#[test]
fn defaults_fill_in_what_agents_leave_out() {
    let place = Place { file: FileId(0), span: Span::at(0) };
    let model = |provider: &str, args: &[(&str, serde_json::Value)]| DefaultModel {
        provider: provider.to_owned(),
        args: args.iter().map(|(n, v)| ((*n).to_owned(), v.clone(), place)).collect(),
        place,
    };
    let text = program(At::Item, "");
    let bundle = Bundle::new(&[("agent.dgh", &text)]);
    let mut config = Config::default();
    config.defaults.llm = vec![model("openai", &[("model", json!("gpt-4.1")), ("temperature", json!(0.3))])];
    config.defaults.language = Some("de".to_owned());
    config.defaults.time_zone = Some("Europe/Berlin".to_owned());
    bundle.with(config.clone(), |input| {
        let lowered = crate::lower(input);
        let main = &lowered.program.agents[lowered.program.agent("main").unwrap()];
        assert_eq!(main.models.llm.len(), 1);
        assert_eq!(main.languages, ["en"], "what it says itself");
        assert_eq!(main.time_zone, "Europe/Berlin");
        let other = &lowered.program.agents[lowered.program.agent("other").unwrap()];
        assert_eq!(other.languages, ["de"]);
        assert!(other.models.stt.is_empty());
    });
    config.defaults.llm = vec![
        model("openay", &[]),
        model("openai", &[("modl", json!("x"))]),
        model("openai", &[("model", json!(3))]),
        model("openai", &[("model", json!("gpt-4.1")), ("temperature", json!(30))]),
    ];
    let found = findings(config, At::Item, "");
    let codes: Vec<&str> = found.iter().map(|l| &l[..5]).collect();
    assert_eq!(codes, ["E0111", "E0112", "E0115", "E0124", "E0208"], "{found:#?}");
}
