//! How the server is set up.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dgh_platform::Fault;
use dgh_platform::config::Config;
use dgh_transport::webrtc::{self, IceServer};
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// How the server is set up.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where the world reaches it, when that is not where it listens: behind a proxy or a tunnel.
    pub public_url: Option<Url>,
    /// How WebRTC finds its way.
    pub ice: IceSettings,
    /// How `/api/v1` is asked.
    pub api: ApiSettings,
    /// How webhooks are delivered.
    pub webhooks: dgh_platform::webhooks::Settings,
    /// Take carriers that show no token and no signature. Only on loopback, for tests.
    pub insecure_carriers: bool,
}

/// How `/api/v1` is asked.
#[derive(Debug, Clone, Default)]
pub struct ApiSettings {
    /// Requests a second of one key or user; 0: as many as they like; none: 100.
    pub rate: Option<u32>,
    /// Origins whose pages may ask with a key; `*`: all.
    pub cors: Vec<HeaderValue>,
    /// Proxies that are believed when they name the address of a client. With a public address those on
    /// this machine are, too.
    pub trusted_proxies: Vec<IpNet>,
}

/// How WebRTC finds its way.
#[derive(Debug, Clone, Default)]
pub struct IceSettings {
    /// `stun:host:port`
    pub stun: Vec<String>,
    /// `turn:host:port?transport=udp`, `turns:…`
    pub turn: Vec<String>,
    /// The secret that is shared with the TURN server: callers get names that expire.
    pub turn_secret: Option<SecretString>,
    /// A name and a password of the TURN server, where it shares no secret. Every caller sees them.
    pub turn_login: Option<(String, SecretString)>,
    /// The address that the world sees, behind a one-to-one NAT.
    pub public_ip: Option<IpAddr>,
}

/// How long a name for the TURN server is good: a call may be long, and restart its connection.
const TURN_HOURS: u64 = 6;
/// How long an answer waits for our own candidates. Those of this machine are there at once.
const GATHER: Duration = Duration::from_millis(300);

impl Settings {
    /// Whether a proxy at this address is believed.
    pub(crate) fn trusts(&self, proxy: &IpAddr) -> bool {
        (self.public_url.is_some() && proxy.is_loopback())
            || self.api.trusted_proxies.iter().any(|net| net.contains(proxy))
    }

    /// Where it is reached, with a slash at the end.
    pub(crate) fn own_url(&self, listens: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => format!("{}/", url.as_str().trim_end_matches('/')),
            None if listens.ip().is_unspecified() => format!("http://localhost:{}/", listens.port()),
            None => format!("http://{listens}/"),
        }
    }
}

impl ApiSettings {
    /// What was set.
    pub fn of(config: &Config) -> Result<Self, Fault> {
        let origin = |text: &String| {
            let bad = |_| {
                Fault::new("bad_setting", format!("cors is `{text}`"), "Write https://app.example.org, or *.")
            };
            HeaderValue::from_str(text).map_err(bad)
        };
        Ok(Self {
            rate: Some(config.api_rate),
            cors: config.cors.iter().map(origin).collect::<Result<_, _>>()?,
            trusted_proxies: config.trusted_proxies.clone(),
        })
    }
}

impl IceSettings {
    /// What was set.
    pub fn of(config: &Config) -> Self {
        Self {
            stun: config.stun.clone(),
            turn: config.turn.clone(),
            turn_secret: config.turn_secret.clone(),
            turn_login: config.turn_username.clone().zip(config.turn_credential.clone()),
            public_ip: config.public_ip,
        }
    }

    /// The servers, for both sides.
    pub(crate) fn servers(&self, now: SystemTime) -> Vec<IceServer> {
        let mut all = Vec::new();
        if !self.stun.is_empty() {
            all.push(IceServer {
                urls: self.stun.clone(),
                username: String::new(),
                credential: String::new(),
            });
        }
        if let (false, Some((username, credential))) = (self.turn.is_empty(), self.turn_name(now)) {
            all.push(IceServer { urls: self.turn.clone(), username, credential });
        }
        all
    }

    /// How our side of a connection is set up, for a server that listens here.
    pub(crate) fn config(&self, listens: SocketAddr, now: SystemTime) -> webrtc::Config {
        webrtc::Config {
            ice_servers: self.servers(now),
            public_ip: self.public_ip,
            loopback: listens.ip().is_loopback() || listens.ip().is_unspecified(),
            gather: GATHER,
            ..webrtc::Config::default()
        }
    }

    /// A name for the TURN server and its password.
    fn turn_name(&self, now: SystemTime) -> Option<(String, String)> {
        let Some(secret) = &self.turn_secret else {
            let (name, password) = self.turn_login.as_ref()?;
            return Some((name.clone(), password.expose_secret().to_owned()));
        };
        // "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest-00), as coturn's
        // `use-auth-secret` takes it: the name is when it expires, the password its HMAC-SHA1.
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let name = (now + TURN_HOURS * 3_600).to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose_secret().as_bytes());
        let password = STANDARD.encode(hmac::sign(&key, name.as_bytes()));
        Some((name, password))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn callers_get_a_turn_name_that_expires_and_never_the_secret() {
        let ice = IceSettings {
            stun: vec!["stun:stun.example.org:3478".to_owned()],
            turn: vec!["turn:turn.example.org:3478".to_owned()],
            turn_secret: Some("north".into()),
            ..IceSettings::default()
        };
        let servers = ice.servers(UNIX_EPOCH + Duration::from_secs(1_433_895_918 - TURN_HOURS * 3_600));
        assert_eq!(servers.len(), 2);
        assert_eq!(servers[1].username, "1433895918");
        // echo -n 1433895918 | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(servers[1].credential, "3dkl8uIBelQlraT8v9eCSJTyt+U=");
    }

    #[test]
    fn a_turn_server_without_a_login_is_left_out() {
        let ice = IceSettings { turn: vec!["turn:t".to_owned()], ..IceSettings::default() };
        assert!(ice.servers(UNIX_EPOCH).is_empty());
    }
}
