//! What is around the server: ports, addresses, the clock, the limits of the system.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dgh_platform::config::Config;
use dgh_transport::webrtc::{IceServer, probe};

use super::Finding;
use crate::settings::IceSettings;

/// How long a server of the ways through firewalls may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// No clock that is right shows an earlier time: this version was made later.
const MADE: u64 = 1_790_000_000;
/// A call is up to six sockets and files.
const FILES_OF_A_CALL: u64 = 6;

pub(super) fn port(config: &Config) -> Finding {
    let listen = SocketAddr::new(config.host, config.port);
    match TcpListener::bind(listen) {
        Ok(_) => Finding::good("port", format!("{listen} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::fair(
            "port",
            format!("{listen} is in use"),
            "If it is not this server that uses it, choose another with --port.",
        ),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Finding::bad(
            "port",
            format!("this user may not listen on {listen}"),
            "Choose a port above 1023, and put a proxy in front.",
        ),
        Err(error) => {
            Finding::bad("port", format!("{listen}: {error}"), "Name an address of this machine with --host.")
        }
    }
}

pub(super) fn clock() -> Finding {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if now < MADE {
        return Finding::bad(
            "clock",
            "the clock is behind the time at which this version was made",
            "Set it, and let it be kept: systemd-timesyncd or chrony. Signatures and links depend on it.",
        );
    }
    Finding::good("clock", "it shows a time that can be")
}

/// Whether callers on other networks reach this machine.
pub(super) async fn ice(config: &Config) -> Vec<Finding> {
    let ice = IceSettings::of(config);
    let mut found = Vec::new();
    if ice.turn.is_empty() && !config.host.is_loopback() {
        found.push(Finding::fair(
            "turn",
            "there is no TURN server: callers behind strict firewalls hear nothing",
            "Run coturn, and name it with --turn and DGH_TURN_SECRET.",
        ));
    }
    let login = ice.turn_secret.is_some() || ice.turn_login.is_some();
    if !ice.turn.is_empty() && !login {
        found.push(Finding::bad(
            "turn",
            "the TURN server is not used, as there is no login for it",
            "Set DGH_TURN_SECRET, or DGH_TURN_USERNAME and DGH_TURN_CREDENTIAL.",
        ));
    }
    for server in ice.servers(SystemTime::now()) {
        // Each address by itself: of a list a browser needs one, and a person wants to know which.
        for url in &server.urls {
            let part = if url.starts_with("turn") { "turn" } else { "stun" };
            let one = IceServer { urls: vec![url.clone()], ..server.clone() };
            found.push(match probe(one, PATIENCE).await {
                Ok(address) => Finding::good(part, format!("{url} gives {address}")),
                Err(_) => Finding::bad(
                    part,
                    format!("{url} gives no address"),
                    "Does it run, does the firewall let UDP through, and is the secret the same on both sides?",
                ),
            });
        }
    }
    found
}

/// Whether the system lets a process have the files that its calls need.
pub(super) fn files() -> Finding {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let calls = limit.maximum.map_or(u64::MAX, |most| most / FILES_OF_A_CALL);
    if calls < 500 {
        return Finding::fair(
            "files",
            format!("the system lets a process have files for about {calls} calls"),
            "Raise the limit: LimitNOFILE= of systemd, --ulimit nofile= of Docker.",
        );
    }
    Finding::good("files", "a process may have as many as its calls need")
}
