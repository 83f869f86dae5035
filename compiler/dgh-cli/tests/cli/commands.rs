//! Every command on small bundles, without a model.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::support::{CLEAN, bundle, code, dgh, piped, read, text, write};

#[test]
fn a_clean_file_exits_with_0() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let out = dgh(&folder, &["check"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(text(&out).contains("ok 1 file"), "{}", text(&out));
}

#[test]
fn an_error_exits_with_1_and_shows_the_line() {
    let folder = bundle(&[("agent.dgh", &CLEAN.replace("collect note", "note note"))]);
    let out = dgh(&folder, &["check", "agent.dgh"]);
    assert_eq!(code(&out), 1, "{}", text(&out));
    assert!(text(&out).contains("agent.dgh:"), "{}", text(&out));
}

#[test]
fn what_cannot_be_read_exits_with_2() {
    let folder = bundle(&[]);
    for args in
        [&["check", "nowhere.dgh"][..], &["check"], &["explain", "E9999"], &["graph", "x"], &["frobnicate"]]
    {
        let out = dgh(&folder, args);
        assert_eq!(code(&out), 2, "{args:?}: {}", text(&out));
        assert!(!out.stderr.is_empty());
    }
}

#[test]
fn findings_are_also_json_sarif_and_annotations() {
    let folder = bundle(&[("agent.dgh", &CLEAN.replace("-> end noted", "-> end notd"))]);
    let json: Json = serde_json::from_slice(&dgh(&folder, &["check", "--json"]).stdout).unwrap();
    assert_eq!(json["diagnostics"][0]["code"], "E0109");
    assert_eq!(json["diagnostics"][0]["file"], "agent.dgh");
    assert_eq!(json["diagnostics"][0]["start"]["line"], 15);
    let sarif: Json = serde_json::from_slice(&dgh(&folder, &["check", "--format", "sarif"]).stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "E0109");
    let github = dgh(&folder, &["check", "--format", "github"]);
    assert!(text(&github).starts_with("::error file=agent.dgh,line=15"), "{}", text(&github));
}

#[test]
fn safe_fixes_mend_the_file() {
    let folder =
        bundle(&[("agent.dgh", &CLEAN.replace("noted, gave_up", "noted, gave_up // allow W0404: none"))]);
    assert_eq!(code(&dgh(&folder, &["check", "--deny-warnings"])), 1);
    let out = dgh(&folder, &["check", "--fix", "--deny-warnings"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(!read(&folder, "agent.dgh").contains("allow"));
}

#[test]
fn what_is_removed_leaves_no_blank_line() {
    let untidy = CLEAN
        .replace("    ask \"What", "    // allow W0404: none\n    ask \"What")
        .replace("note }}. Goodbye", "note}}. Goodbye");
    let folder = bundle(&[("agent.dgh", &untidy)]);
    let out = dgh(&folder, &["check", "--fix"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert_eq!(read(&folder, "agent.dgh"), CLEAN.replace("note }}. Goodbye", "note}}. Goodbye"));
}

#[test]
fn of_many_errors_the_first_are_shown_and_the_others_counted() {
    let many = CLEAN.replace("  start hello", &format!("  start hello\n{}", "  outcome noted\n".repeat(500)));
    let folder = bundle(&[("agent.dgh", &many)]);
    for args in [&["check"][..], &["test"], &["graph"], &["compile"], &["run", "--say", "hi"]] {
        let out = dgh(&folder, args);
        assert_eq!(code(&out), 1, "{args:?}");
        let text = text(&out);
        assert!(text.len() < 60_000, "{args:?}: {} bytes", text.len());
        assert!(text.contains("more; ") && text.contains("--json has them all"), "{args:?}: {text}");
        assert_eq!(text.matches("errors").count(), 1, "{args:?}: said once");
        assert!(!text.contains("0 passed"), "{text}");
    }
}

#[test]
fn several_agents_without_a_main_one_are_named() {
    let folder = bundle(&[("a.dgh", CLEAN), ("b.dgh", CLEAN)]);
    assert_eq!(code(&dgh(&folder, &["check"])), 0, "each for itself");
    let out = dgh(&folder, &["run"]);
    assert_eq!(code(&out), 2);
    assert!(text(&out).contains("several agents; name one of a.dgh, b.dgh"), "{}", text(&out));
}

#[test]
fn a_filter_that_fits_no_test_is_wrong_usage() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let out = dgh(&folder, &["test", "--filter", "zzz"]);
    assert_eq!(code(&out), 2);
    assert!(text(&out).contains("zzz"), "{}", text(&out));
}

#[test]
fn a_file_of_a_project_is_checked_with_its_settings() {
    let agent = CLEAN.replace("You take notes.", "You take notes for {{ env.TEAM }}.");
    let config = "entry = \"agents/desk.dgh\"\n[profiles.dev.env]\nTEEM = \"us\"\n";
    let folder = bundle(&[("agents/desk.dgh", &agent), ("dgh.toml", config)]);
    for args in [&["check"][..], &["check", "agents/desk.dgh"]] {
        let out = dgh(&folder, args);
        assert_eq!(code(&out), 1);
        assert!(text(&out).contains("E0121"), "{}", text(&out));
    }
}

#[test]
fn formatting_changes_files_and_check_only_says_so() {
    let folder = bundle(&[("agent.dgh", &CLEAN.replace("  ask", "ask"))]);
    assert_eq!(code(&dgh(&folder, &["fmt", "--check"])), 1);
    assert_eq!(code(&dgh(&folder, &["fmt"])), 0);
    assert_eq!(read(&folder, "agent.dgh"), CLEAN);
    assert_eq!(code(&dgh(&folder, &["fmt", "--check"])), 0);
}

#[test]
fn a_pipe_gets_its_text_back_formatted_or_whole() {
    let folder = bundle(&[]);
    let out = piped(&folder, &["fmt", "-"], &CLEAN.replace("  ask", "ask"));
    assert_eq!(String::from_utf8_lossy(&out.stdout), CLEAN);
    let broken = CLEAN.replace('}', "");
    let out = piped(&folder, &["fmt", "-"], &broken);
    assert_eq!((code(&out), String::from_utf8_lossy(&out.stdout).as_ref()), (1, broken.as_str()));
}

#[test]
fn white_space_and_comments_do_not_change_the_compiled_bytes() {
    let loose = CLEAN.replace('\n', "\n\n").replace("  start", "  // a comment\n  start");
    let folder = bundle(&[("a.dgh", CLEAN), ("b.dgh", &loose)]);
    let (a, b) = (dgh(&folder, &["compile", "a.dgh"]), dgh(&folder, &["compile", "b.dgh"]));
    assert_eq!(code(&a), 0, "{}", text(&a));
    assert_eq!(a.stdout, b.stdout);
    let wire: Json = serde_json::from_slice(&a.stdout).unwrap();
    assert_eq!(wire["format"], 1);
    let schema: Json = serde_json::from_slice(&dgh(&folder, &["compile", "--schema"]).stdout).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&wire));
    assert_eq!(dgh(&folder, &["compile", "--hash", "a.dgh"]).stdout.len(), 65);
}

#[test]
fn a_graph_is_drawn_in_three_forms() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    assert!(text(&dgh(&folder, &["graph"])).starts_with("flowchart"));
    let dot = dgh(&folder, &["graph", "--format", "dot"]);
    // Graphviz is the judge of DOT; tests/run installs it.
    let mut child = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("graphviz is missing: apt-get install graphviz");
    child.stdin.take().unwrap().write_all(&dot.stdout).unwrap();
    let svg = child.wait_with_output().unwrap();
    assert!(svg.status.success() && String::from_utf8_lossy(&svg.stdout).contains("hello"));
    let json: Json = serde_json::from_slice(&dgh(&folder, &["graph", "--format", "json"]).stdout).unwrap();
    assert!(json.is_object());
}

#[test]
fn a_conversation_runs_without_a_terminal() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let out = dgh(&folder, &["run", "--say", "buy milk and bread"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(text(&out).contains("What shall I write down?"), "{}", text(&out));
    assert!(text(&out).contains("noted"), "{}", text(&out));
    let out = piped(&folder, &["run", "--quiet"], "\n\n\n\n");
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(text(&out).contains("Are you still there?"), "{}", text(&out));
}

#[test]
fn keys_that_wait_for_more_say_so() {
    let agent = CLEAN
        .replace("  prompt", "  turn { keypad: true }\n  prompt")
        .replace("note: text \"What to write down\"", "note: int \"Code\"")
        .replace("collect note", "collect note { by: keypad, until: \"#\" }");
    let agent = agent.split("\ntest").next().unwrap();
    let folder = bundle(&[("agent.dgh", agent)]);
    let out = dgh(&folder, &["run", "--say", "123456", "--say", ""]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(text(&out).contains("an empty line ends them"), "{}", text(&out));
    assert!(text(&out).contains(": noted"), "{}", text(&out));
    let out = dgh(&folder, &["run", "--say", "123456#"]);
    assert!(!text(&out).contains("an empty line ends them"), "{}", text(&out));
}

#[test]
fn a_log_replays_the_same_and_names_what_differs() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let out = dgh(&folder, &["run", "--log", "call.log", "--say", "buy milk"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    let log = std::fs::read(folder.path().join("call.log")).unwrap();
    assert!(!String::from_utf8_lossy(&log).contains("milk"), "the log is sealed");
    let same = dgh(&folder, &["replay", "call.log"]);
    assert_eq!(code(&same), 0, "{}", text(&same));
    write(&folder, "agent.dgh", &CLEAN.replace("What shall I", "What should I"));
    let other = dgh(&folder, &["replay", "call.log"]);
    assert_eq!(code(&other), 1, "{}", text(&other));
    assert!(text(&other).contains("What should I write down?"), "{}", text(&other));
}

#[test]
fn tests_report_for_people_and_for_servers() {
    let failing = CLEAN.replace("outcome == noted and", "outcome == gave_up and");
    let folder = bundle(&[("one/agent.dgh", CLEAN), ("two/agent.dgh", &failing)]);
    let out = dgh(&folder, &["test", "--junit", "report.xml"]);
    assert_eq!(code(&out), 1);
    assert!(text(&out).contains("1 passed, 1 failed"), "{}", text(&out));
    assert!(text(&out).contains("two/agent.dgh:21"), "{}", text(&out));
    assert!(text(&out).contains("Buy milk"), "the dialogue is shown: {}", text(&out));
    let xml = read(&folder, "report.xml");
    assert!(xml.contains("tests=\"2\"") && xml.contains("failures=\"1\""), "{xml}");
    let out = dgh(&folder, &["test", "one", "--coverage", "--filter", "note"]);
    assert_eq!(code(&out), 0);
    assert!(text(&out).contains("nodes 1/1"), "{}", text(&out));
    assert!(text(&out).contains("failed(collect)"), "{}", text(&out));
}

#[test]
fn every_template_checks_clean_is_formatted_and_passes_its_tests() {
    for template in ["receptionist", "outbound", "survey"] {
        let folder = bundle(&[]);
        assert_eq!(code(&dgh(&folder, &["new", "it", "--template", template])), 0);
        for args in [&["check", "--deny-warnings", "it"][..], &["fmt", "--check", "it"], &["test", "it"]] {
            let out = dgh(&folder, args);
            assert_eq!(code(&out), 0, "{template} {args:?}: {}", text(&out));
        }
        assert_eq!(code(&dgh(&folder, &["new", "it"])), 2, "an existing folder is left alone");
    }
}

#[test]
fn pages_of_codes_are_printed() {
    let folder = bundle(&[]);
    let page = dgh(&folder, &["explain", "e0301"]);
    assert!(text(&page).contains("E0301"), "{}", text(&page));
    assert!(text(&dgh(&folder, &["explain"])).lines().count() > 80);
}

#[test]
fn pipes_get_no_colours() {
    let folder = bundle(&[("agent.dgh", &CLEAN.replace("collect note", "collect nite"))]);
    let out = dgh(&folder, &["check"]);
    assert!(!text(&out).contains('\u{1b}'));
    let out = dgh(&folder, &["check", "--color", "always"]);
    assert!(text(&out).contains('\u{1b}'));
}
