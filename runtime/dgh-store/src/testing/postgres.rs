//! A real Postgres for the tests of a process. It ends with the process, however that ends.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// The folder of the programs of Postgres.
const FOLDER: &str = "DGH_TEST_POSTGRES";
const SCRIPT: &str = include_str!("postgres.sh");
/// Somebody else may take the port that was free.
const TRIES: u32 = 3;

/// The address of a fresh, empty database.
///
/// # Panics
/// When there is no Postgres: `DGH_TEST_POSTGRES` names the folder of its programs.
pub async fn postgres_url() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let port = tokio::task::spawn_blocking(|| server().0).await.expect("Postgres starts");
    let name = format!("dgh_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let admin = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let mut admin = PgConnection::connect(&admin).await.expect("Postgres answers");
    let create = sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")));
    create.execute(&mut admin).await.expect("a database is made");
    format!("postgres://postgres@127.0.0.1:{port}/{name}")
}

/// The server of this process. The child's standard input stays open as long as the process lives.
fn server() -> &'static (u16, Child) {
    static SERVER: OnceLock<(u16, Child)> = OnceLock::new();
    SERVER.get_or_init(|| {
        let bin = std::env::var(FOLDER).unwrap_or_else(|_| {
            panic!("{FOLDER} is not set: the folder of initdb and pg_ctl, such as /usr/lib/postgresql/15/bin; tests/run sets it")
        });
        assert!(Path::new(&bin).join("initdb").exists(), "{FOLDER} names {bin}, which has no initdb");
        let started = (0..TRIES).find_map(|_| start(&bin));
        started.expect("Postgres does not start; what it says is above")
    })
}

fn start(bin: &str) -> Option<(u16, Child)> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).ok()?.port();
    let root = Command::new("id").arg("-u").output().is_ok_and(|user| user.stdout == b"0\n");
    let mut command = if root {
        // initdb refuses to run as root.
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    command.args(["-c", SCRIPT, "postgres.sh", bin, &port.to_string()]);
    // Ctrl-C goes to the tests alone, and their end is what ends it. In `/`, as the user may not
    // read this folder.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let command = command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().ok()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
    (line == "ready\n").then_some((port, child))
}
