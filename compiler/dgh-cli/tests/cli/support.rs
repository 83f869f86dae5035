//! A folder, the command in it, and what came of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// An agent without a fault.
pub const CLEAN: &str = r#"dgh 1

agent desk {
  prompt "You take notes."
  outcome noted, gave_up

  var note: text "What to write down"

  start hello

  node hello {
    ask "What shall I write down?"
    collect note
    on failed(collect) -> end gave_up { say "Goodbye." }
    next -> end noted { say "I wrote: {{ note }}. Goodbye." }
  }
}

test "a note" {
  says "Buy milk" means { note: "buy milk" }
  expect outcome == noted and said("buy milk")
}
"#;

pub fn bundle(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(&folder, path, text);
    }
    folder
}

pub fn write(folder: &TempDir, path: &str, text: &str) {
    let path: PathBuf = folder.path().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

pub fn read(folder: &TempDir, path: &str) -> String {
    std::fs::read_to_string(folder.path().join(path)).unwrap()
}

pub fn dgh(folder: &TempDir, args: &[&str]) -> Output {
    command(folder.path(), args).stdin(Stdio::null()).output().unwrap()
}

pub fn piped(folder: &TempDir, args: &[&str], input: &str) -> Output {
    let mut child = command(folder.path(), args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dgh"));
    command.args(args).current_dir(folder).env("XDG_DATA_HOME", folder.join("data")).env_remove("NO_COLOR");
    command
}

pub fn code(out: &Output) -> i32 {
    out.status.code().unwrap()
}

pub fn text(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}
