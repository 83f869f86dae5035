//! `dgh serve` as a process: the address it prints, what it does with broken files, and how it
//! stops. What it answers is tested in `dgh-server`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{CLEAN, bundle, code, command, dgh, text, write};

/// A server that was started, with what it says.
pub struct Server {
    child: Child,
    pub address: String,
    says: Receiver<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        // What it held is free when it is gone.
        let _ = self.child.wait();
    }
}

pub fn serve(folder: &TempDir) -> Server {
    let mut child = command(folder.path(), &["serve", "--port", "0", "--stt", "none", "--tts", "none"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (send, says) = channel();
    let stderr = child.stderr.take().unwrap();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address =
        line.trim().strip_prefix("http://").expect("an address alone").trim_end_matches('/').to_owned();
    Server { child, address, says }
}

impl Server {
    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The line that holds these words.
    pub fn hears(&self, words: &str) -> String {
        self.until(words).lines().last().unwrap_or_default().to_owned()
    }

    /// All that is said up to these words.
    pub fn until(&self, words: &str) -> String {
        let mut said = String::new();
        while let Ok(line) = self.says.recv_timeout(Duration::from_secs(20)) {
            said = said + &line + "\n";
            if line.contains(words) {
                return said;
            }
        }
        panic!("nobody said {words:?}: {said}");
    }
}

#[test]
fn one_address_is_printed_and_answers_until_the_process_is_told_to_stop() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let mut server = serve(&folder);
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(server.get("/api/agents").contains("\"id\":\"desk\""));
    let killed = Command::new("kill").arg(server.child.id().to_string()).status().unwrap();
    assert!(killed.success());
    server.hears("no new calls");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(folder.path().join(".dgh/calls").is_dir());
}

#[test]
fn a_saved_file_is_served_and_a_broken_one_is_told() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let server = serve(&folder);
    server.hears("Ctrl-C stops");
    write(&folder, "agent.dgh", &CLEAN.replace("-> end noted", "-> end notd"));
    server.hears("notd");
    server.hears("what was served before goes on");
    assert!(server.get("/api/agents").contains("\"broken\":[\"agent.dgh\"]"));
    write(&folder, "agent.dgh", &CLEAN.replace("agent desk", "agent front"));
    server.hears("serves");
    assert!(server.get("/api/agents").contains("\"id\":\"front\""));
}

#[test]
fn what_cannot_be_served_is_said_at_once() {
    let folder = bundle(&[("agent.dgh", &CLEAN.replace("-> end noted", "-> end notd"))]);
    let out = dgh(&folder, &["serve", "--port", "0"]);
    assert_eq!(code(&out), 1, "{}", text(&out));
    assert!(text(&out).contains("notd"), "{}", text(&out));
    write(&folder, "agent.dgh", CLEAN);
    for (args, words) in [
        (&["--host", "0.0.0.0", "--insecure-carriers"][..], "127.0.0.1"),
        (&["--llm", "openai"], "openai/gpt-4.1-mini"),
        (&["--drain", "1 fortnight"], "60s"),
        (&["--profile", "live"], "profile"),
    ] {
        let out = dgh(&folder, &[&["serve", "--port", "0"], args].concat());
        assert_ne!(code(&out), 0, "{args:?}");
        assert!(text(&out).contains(words), "{args:?}: {}", text(&out));
    }
}

#[test]
fn a_call_in_the_terminal_has_no_spoken_turns_to_time() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let out = dgh(&folder, &["run", "--say", "Buy milk", "--log", "call.log"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    let out = dgh(&folder, &["latency", "call.log"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(text(&out).contains("no turn of this call was spoken"), "{}", text(&out));
    let out = dgh(&folder, &["latency", "call.log", "--json"]);
    assert!(text(&out).contains("\"turns\": []"), "{}", text(&out));
    assert_eq!(code(&dgh(&folder, &["latency", "agent.dgh"])), 2);
}
