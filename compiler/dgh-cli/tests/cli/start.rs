//! How `dgh serve` starts, for the first time and later, and what it says when it cannot: one line,
//! with a code and what to do, and nothing that is half begun.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use dgh_store::Db;
use dgh_store::testing::postgres_url;
use tempfile::TempDir;

use crate::serve::{Server, serve};
use crate::support::{CLEAN, bundle, code, command, dgh, text, write};

const SERVE: &[&str] = &["serve", "--port", "0", "--stt", "none", "--tts", "none"];

/// It ended at once, with one line of this code and these words.
#[track_caller]
fn one_line(out: &Output, code_of: &str, words: &[&str]) {
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(code(out), 2, "{}", text(out));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(out.stdout.is_empty(), "it said where it listens");
    assert!(said.contains(&format!("[{code_of}]")), "{said}");
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

fn with(folder: &TempDir, variables: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = command(folder.path(), &[SERVE, args].concat());
    command.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

/// In a world of its own, where the mounts of `script` are, as root has no folder that is read-only.
fn in_namespace(folder: &TempDir, script: &str) -> Output {
    let run = format!("{script} && exec \"$0\" \"$@\"");
    let dgh = command(folder.path(), SERVE);
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", &run])
        .arg(dgh.get_program())
        .args(dgh.get_args());
    command.current_dir(folder.path()).env("XDG_DATA_HOME", folder.path().join("data"));
    command.stdin(Stdio::null()).output().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_start_tells_owner_and_key_once_and_later_ones_where_things_are() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let server = serve(&folder);
    assert!(server.hears("owner ").contains("owner@localhost"));
    let password = server.hears("password").split_whitespace().last().unwrap().to_owned();
    let key = server.hears("API key").split_whitespace().last().unwrap().to_owned();
    assert!(password.len() >= 12 && key.starts_with("dgh_"), "{password} {key}");
    server.hears("the database is");
    drop(server);
    let data = folder.path().join(".dgh");
    assert_eq!((mode(&data), mode(&data.join("keys")), mode(&data.join("dgh.db"))), (0o700, 0o600, 0o600));
    for file in ["dgh.db", "keys"] {
        let bytes = fs::read(data.join(file)).unwrap();
        let holds = |secret: &str| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!holds(&password) && !holds(&key), "{file}");
    }
    let server = serve(&folder);
    let place = server.hears("the database is");
    assert!(place.contains(".dgh/dgh.db"), "{place}");
}

#[test]
fn what_a_later_start_says_has_no_secrets() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    drop(serve(&folder));
    let server = serve(&folder);
    let all = server.until("Ctrl-C stops");
    assert!(!all.contains("password") && !all.contains("API key"), "{all}");
}

#[test]
fn a_setting_that_is_wrong_is_told_with_its_place() {
    let folder = bundle(&[("agent.dgh", CLEAN), ("dgh.toml", "[server]\nmax_call = 5\n")]);
    one_line(&with(&folder, &[], &[]), "unknown_setting", &["max_call in [server]", "`max_calls`"]);
    write(&folder, "dgh.toml", "[server]\nmax_calls = \"many\"\n");
    one_line(&with(&folder, &[], &[]), "bad_setting", &["max_calls in [server]", "many"]);
    write(&folder, "dgh.toml", "");
    one_line(&with(&folder, &[("DGH_MAX_CALS", "5")], &[]), "unknown_setting", &["`DGH_MAX_CALLS`"]);
    one_line(&with(&folder, &[("DGH_DRAIN", "soon")], &[]), "bad_setting", &["DGH_DRAIN", "60s"]);
    one_line(&with(&folder, &[("DGH_ENCRYPTION_KEY", "hush")], &[]), "bad_keys", &["DGH_ENCRYPTION_KEY"]);
    assert!(!folder.path().join(".dgh/keys").exists());
}

#[test]
fn a_port_that_is_in_use_makes_nothing() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let port = address.port().to_string();
    let out = command(folder.path(), &["serve", "--port", &port]).stdin(Stdio::null()).output().unwrap();
    one_line(&out, "port_in_use", &[&address.to_string(), "--port 0"]);
    assert!(!folder.path().join(".dgh").exists(), "an owner was made whom nobody was told of");
}

#[test]
fn one_data_folder_is_for_one_server() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let _server = serve(&folder);
    one_line(&with(&folder, &[], &[]), "in_use", &["--data"]);
}

#[test]
fn a_database_that_cannot_be_used_is_told_without_its_password() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    for (url, code) in [
        ("mysql://root:hunter2@127.0.0.1/x", "bad_database_url"),
        ("hunter2", "bad_database_url"),
        ("postgres://kim:hunter2@127.0.0.1:1/x", "database_away"),
        ("postgres://kim:hunter2@nowhere.invalid/x", "database_away"),
    ] {
        let out = with(&folder, &[("DATABASE_URL", url)], &[]);
        one_line(&out, code, &["DATABASE_URL"]);
        assert!(!text(&out).contains("hunter2"), "{}", text(&out));
    }
    write(&folder, ".dgh/dgh.db", "this is text, and no database at all");
    one_line(&with(&folder, &[], &[]), "database_refuses", &["dgh.db"]);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let data = folder.path().join(".dgh");
    fs::create_dir(&data).unwrap();
    for url in [format!("sqlite:{}", data.join("dgh.db").display()), postgres_url().await] {
        let db = Db::open(&url).await.unwrap();
        db.migrate().await.unwrap();
        dgh_store::testing::pretend_newer(&db).await;
        db.close().await;
        one_line(&with(&folder, &[("DATABASE_URL", &url)], &[]), "database_newer", &["9999"]);
    }
}

#[test]
fn keys_that_are_lost_open_or_others_are_told() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    drop(serve(&folder));
    let keys = folder.path().join(".dgh/keys");
    let text = fs::read(&keys).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).unwrap();
    one_line(&with(&folder, &[], &[]), "keys_open", &["chmod 600"]);
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&keys, "garbage").unwrap();
    one_line(&with(&folder, &[], &[]), "bad_keys", &[".dgh/keys"]);
    fs::remove_file(&keys).unwrap();
    one_line(&with(&folder, &[], &[]), "wrong_keys", &["DGH_ENCRYPTION_KEY"]);
    fs::create_dir(&keys).unwrap();
    one_line(&with(&folder, &[], &[]), "bad_file", &[".dgh/keys"]);
    fs::remove_dir(&keys).unwrap();
    fs::write(&keys, text).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
    serve(&folder);
}

#[test]
fn a_folder_that_can_only_be_read_is_told() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    one_line(
        &in_namespace(&folder, "mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\""),
        "read_only",
        &["--data"],
    );
}

#[test]
fn a_disk_that_is_full_is_told_and_leaves_no_owner_behind() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    fs::create_dir(folder.path().join(".dgh")).unwrap();
    for size in ["4k", "16k", "100k", "300k"] {
        let out = in_namespace(&folder, &format!("mount -t tmpfs -o size={size} tmpfs .dgh"));
        one_line(&out, "disk_full", &["room"]);
    }
}

#[test]
fn a_database_is_copied_while_it_is_used_and_put_back_while_it_is_not() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let out = dgh(&folder, &["db", "backup", "copy.db"]);
    assert!(text(&out).contains("[no_database]"), "{}", text(&out));
    let server = serve(&folder);
    let out = dgh(&folder, &["db", "backup", "copy.db"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert_eq!(mode(&folder.path().join("copy.db")), 0o600);
    assert_ne!(code(&dgh(&folder, &["db", "backup", "copy.db"])), 0, "it was overwritten");
    let out = dgh(&folder, &["db", "restore", "copy.db"]);
    assert!(text(&out).contains("[in_use]"), "{}", text(&out));
    drop(server);
    write(&folder, "text", "no backup");
    assert_eq!(code(&dgh(&folder, &["db", "restore", "text"])), 2);
    let out = dgh(&folder, &["db", "restore", "copy.db"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(text(&out).contains("dgh.db.before-1"), "{}", text(&out));
    let out = dgh(&folder, &["db", "migrate"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    let server = serve(&folder);
    let said = server.until("Ctrl-C stops");
    assert!(!said.contains("API key"), "another owner was made");
}

#[test]
fn a_new_key_is_made_while_the_server_runs() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let server = serve(&folder);
    let lines = || {
        let keys = fs::read_to_string(folder.path().join(".dgh/keys")).unwrap();
        keys.lines().filter(|line| !line.starts_with('#')).count()
    };
    assert_eq!(lines(), 1);
    let out = dgh(&folder, &["db", "rotate-keys"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert_eq!(lines(), 2);
    drop(server);
    serve(&folder);
}

#[test]
fn whoever_lost_their_password_gets_another_from_whoever_holds_the_machine() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let _server = serve(&folder);
    let out = dgh(&folder, &["db", "reset-password", "Owner@localhost"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert_eq!(String::from_utf8_lossy(&out.stdout).trim().len(), 24, "{}", text(&out));
    let out = dgh(&folder, &["db", "reset-password", "nobody@localhost"]);
    assert!(code(&out) == 2 && text(&out).contains("[no_account]"), "{}", text(&out));
}

#[test]
fn it_says_whether_it_lives_and_whether_it_is_ready() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let server: Server = serve(&folder);
    for path in ["/livez", "/readyz"] {
        assert!(server.get(path).starts_with("HTTP/1.1 200"), "{path}");
    }
}

#[test]
fn the_doctor_says_what_is_there_and_what_to_do() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let out = dgh(&folder, &["doctor", "--port", "0"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    for words in ["will be made at the first start", "desk of agent.dgh", "GB free"] {
        assert!(text(&out).contains(words), "{words}: {}", text(&out));
    }
    assert!(!folder.path().join(".dgh").exists(), "it made something");
    let server = serve(&folder);
    let port = server.address.rsplit_once(':').unwrap().1;
    let out = dgh(&folder, &["doctor", "--port", port, "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let health = |part: &str| {
        let all = found["findings"].as_array().unwrap();
        let one = all.iter().find(|finding| finding["part"] == part).unwrap();
        one["health"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (health("port"), health("keys"), health("database")),
        ("fair".into(), "good".into(), "good".into())
    );
    drop(server);
    fs::write(folder.path().join(".dgh/keys"), "garbage").unwrap();
    let turn = ["--turn", "turn:127.0.0.1:9", "--database", "postgres://x@127.0.0.1:1/x"];
    write(&folder, "agent.dgh", "agent desk {");
    let out = dgh(&folder, &[&["doctor", "--port", "0"], &turn[..]].concat());
    assert_eq!(code(&out), 1, "{}", text(&out));
    for words in ["is no list of keys", "DGH_TURN_SECRET", "is not reachable", "dgh check"] {
        assert!(text(&out).contains(words), "{words}: {}", text(&out));
    }
}
