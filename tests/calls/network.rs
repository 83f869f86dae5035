//! Networks that stand in the way: a browser that reaches the server through a relay alone, and one
//! whose network changes during the call.

use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::calls::chromium::Browser;
use crate::calls::namespace::Namespace;
use crate::calls::serve::Setup;
use crate::calls::until;
use crate::calls::{CLINIC, deepgram, hears};

const SECRET: &str = "north";
const WORDS: &str = "I would like to book an appointment";

/// A TURN server on this machine. It ends with the test.
struct Relay {
    child: Child,
    port: u16,
    told: Arc<Mutex<String>>,
    _folder: TempDir,
}

impl Relay {
    /// coturn, which shares a secret with the server.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = UdpSocket::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let mut child = Command::new("turnserver")
            .args(["-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--realm=dgh.test"])
            .args(["--use-auth-secret", &format!("--static-auth-secret={SECRET}"), "--fingerprint"])
            .args(["--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers", "--verbose"])
            .args(["--log-file=stdout", &format!("--pidfile={}", path("pid"))])
            .args([&format!("--userdb={}", path("users")), &format!("--listening-port={port}")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver is installed (apt-get install coturn; tests/run does it)");
        let told = Arc::<Mutex<String>>::default();
        let (lines, into) = (BufReader::new(child.stdout.take().unwrap()).lines(), Arc::clone(&told));
        // It must never wait for us to read.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                into.lock().unwrap().extend([line.as_str(), "\n"]);
            }
        });
        let relay = Self { child, port, told, _folder: folder };
        let listens = until(Duration::from_secs(30), || {
            relay.told().contains("IPv4. UDP listener opened on").then_some(())
        });
        assert!(listens.await.is_some(), "{}", relay.told());
        relay
    }

    fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_behind_a_firewall_talks_through_a_relay_with_a_name_that_expires() {
    let relay = Relay::start().await;
    let stt = hears(&[WORDS]).await;
    let served = Setup::example("clinic")
        .hears(&deepgram(&stt))
        .argument("--turn")
        .argument(&format!("turn:127.0.0.1:{}?transport=udp", relay.port))
        .variable("DGH_TURN_SECRET", SECRET)
        .start()
        .await;
    let mut browser = Browser::quiet();
    let steps = vec![
        json!(["call"]),
        json!(["state", "talking"]),
        json!(["path"]),
        json!(["listens", 900]),
        browser.answer(WORDS, "request"),
        json!(["listens", 600]),
        json!(["hangup"]),
        json!(["state", "ended"]),
    ];
    browser.page(&served, "clinic", steps);
    browser.relayed();
    let seen = browser.run_one(&served).await;
    assert_eq!(seen.json["paths"][0][0]["candidateType"], "relay", "{:#}", seen.json);
    seen.is_clean();
    seen.is_greeted("Bright Dental, this is Ada, the automated assistant. This call is recorded.", CLINIC);
    seen.understood("i would like to book an appointment");
    assert!(relay.told().contains("ALLOCATE processed, success"), "{}", relay.told());
    let log = served.log_of(seen.text("page")).await;
    assert_eq!(log.ended().1, "caller", "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_when_the_network_of_the_browser_changes() {
    let namespace = Arc::new(Namespace::with_two_links().await);
    // Whoever waits for a network is silent.
    let setup = Setup::example("lead").with("silence(6s", "silence(60s").listens();
    let served = setup.within(&namespace).start().await;
    let mut browser = Browser::quiet();
    let steps = vec![
        json!(["call"]),
        json!(["state", "talking"]),
        json!(["path"]),
        json!(["listens", 600]),
        json!(["run", "ip", "address", "delete", "10.99.0.1/24", "dev", "wifi"]),
        json!(["run", "ip", "link", "set", "wifi", "down"]),
        json!(["state", "reconnecting"]),
        json!(["run", "ip", "link", "set", "mobile", "up"]),
        json!(["state", "talking"]),
        browser.answer("sure go ahead", "qualify"),
        json!(["listens", 600]),
        json!(["path"]),
        json!(["hangup"]),
        json!(["state", "ended"]),
    ];
    browser.page(&served, "lead_qualifier", steps);
    let seen = browser.run_one(&served).await;
    seen.is_clean();
    seen.understood("sure go ahead");
    let from = |path: usize| seen.json["paths"][path][0]["address"].clone();
    assert_eq!((from(0), from(1)), ("10.99.0.1".into(), "10.98.0.1".into()), "{:#}", seen.json);
    let log = served.log_of(seen.text("page")).await;
    assert_eq!(log.ended(), (Some("hung_up".into()), "caller".into()), "{}", log.story());
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("line: ")), "{}", log.story());
}
