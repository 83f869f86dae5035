//! Folders that are pushed to a server and pulled from it, and agents that are compared.

use std::process::Output;

use tempfile::TempDir;

use crate::serve::{Server, serve};
use crate::support::{CLEAN, bundle, code, command, read, text, write};

/// A server without agents of its own, and its first key.
struct House {
    server: Server,
    key: String,
    _folder: TempDir,
}

fn house() -> House {
    let folder = bundle(&[]);
    let server = serve(&folder);
    let line = server.hears("API key");
    let key = line.split_whitespace().last().unwrap().to_owned();
    server.hears("Ctrl-C stops");
    House { server, key, _folder: folder }
}

impl House {
    fn dgh(&self, folder: &TempDir, args: &[&str]) -> Output {
        let server = format!("http://{}", self.server.address);
        let mut command = command(folder.path(), args);
        command.env("DGH_SERVER", server).env("DGH_API_KEY", &self.key).output().unwrap()
    }
}

fn is(out: &Output, expected: i32, words: &str) {
    assert_eq!(code(out), expected, "{}", text(out));
    assert!(text(out).contains(words), "no {words:?} in: {}", text(out));
}

#[test]
fn what_is_pushed_is_pulled_elsewhere_and_nobody_overwrites_the_other() {
    let house = house();
    let mine = bundle(&[("agent.dgh", CLEAN), ("dgh.toml", ""), ("notes/a.txt", "one")]);
    is(&house.dgh(&mine, &["push", "--agent", "desk"]), 0, "pushed desk");
    is(&house.dgh(&mine, &["push"]), 0, "has all of it");
    let theirs = bundle(&[]);
    is(&house.dgh(&theirs, &["pull"]), 2, "--agent");
    is(&house.dgh(&theirs, &["pull", "--agent", "desk"]), 0, "+ agent.dgh");
    assert_eq!(
        (read(&theirs, "agent.dgh"), read(&theirs, "notes/a.txt")),
        (CLEAN.to_owned(), "one".to_owned())
    );
    // They change one file and take another away; I changed the same one.
    write(&theirs, "agent.dgh", &CLEAN.replace("You take notes.", "You note things."));
    std::fs::remove_file(theirs.path().join("notes/a.txt")).unwrap();
    is(&house.dgh(&theirs, &["push"]), 0, "~ agent.dgh");
    write(&mine, "agent.dgh", &CLEAN.replace("You take notes.", "You scribble."));
    let refused = house.dgh(&mine, &["push"]);
    is(&refused, 1, "was changed on the server");
    assert!(
        text(&refused).contains("~ agent.dgh") && text(&refused).contains("- notes/a.txt"),
        "{}",
        text(&refused)
    );
    is(&house.dgh(&mine, &["pull"]), 1, "changed here and on the server");
    assert!(read(&mine, "agent.dgh").contains("scribble"), "nothing is lost");
    is(&house.dgh(&mine, &["pull", "--force"]), 0, "is here");
    assert!(read(&mine, "agent.dgh").contains("note things"));
    assert!(!mine.path().join("notes/a.txt").exists());
    // A folder that knows nothing of the agent does not take its place.
    let stranger = bundle(&[("agent.dgh", &CLEAN.replace("notes", "orders"))]);
    is(&house.dgh(&stranger, &["push", "--agent", "desk"]), 1, "knows nothing of");
    is(&house.dgh(&stranger, &["push", "--agent", "desk", "--force"]), 0, "pushed");
}

#[test]
fn publishing_refuses_errors_and_a_wrong_key_opens_nothing() {
    let house = house();
    let mine = bundle(&[("agent.dgh", &CLEAN.replace("-> end noted", "-> end notd"))]);
    let refused = house.dgh(&mine, &["push", "--agent", "desk", "--publish"]);
    is(&refused, 2, "notd");
    assert!(text(&refused).contains("agent.dgh:"), "the error has its place: {}", text(&refused));
    write(&mine, "agent.dgh", CLEAN);
    is(
        &house.dgh(&mine, &["push", "--publish", "--note", "The first"]),
        0,
        "published release 1 of desk in production",
    );
    let mut stranger = command(mine.path(), &["push"]);
    stranger.env("DGH_SERVER", format!("http://{}", house.server.address)).env("DGH_API_KEY", "dgh_no");
    let out = stranger.output().unwrap();
    is(&out, 2, "key");
    assert!(!text(&out).contains("dgh_no"), "a key is repeated nowhere");
}

#[test]
fn agents_are_compared_and_who_is_broken_is_told() {
    let more = CLEAN.replace("  var note", "  input id: text\n\n  var note");
    let more = more.replace("test \"a note\" {", "test \"a note\" {\n  given id = \"1\"");
    let folder = bundle(&[
        ("a.dgh", CLEAN),
        ("b.dgh", &CLEAN.replace("You take notes.", "You note things.")),
        ("c.dgh", &more),
    ]);
    let dgh = |args: &[&str]| command(folder.path(), args).output().unwrap();
    is(&dgh(&["diff", "a.dgh", "a.dgh"]), 0, "they do the same");
    let harmless = dgh(&["diff", "a.dgh", "b.dgh"]);
    is(&harmless, 0, "+ You note things.");
    assert!(text(&harmless).contains("none of which breaks"), "{}", text(&harmless));
    is(&dgh(&["diff", "a.dgh", "c.dgh"]), 1, "breaks: calls that do not give it are refused");
    let json = dgh(&["diff", "a.dgh", "c.dgh", "--json"]);
    is(&json, 1, "\"breaks\": true");
}
