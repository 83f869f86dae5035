//! Which addresses may be asked. Public ones, and what the operator names; the rest is the inside
//! of somebody's network, where an address that a caller or a model supplies must not reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::error::{NetError, NetErrorKind};

/// Which addresses may be asked, beside public ones, and whether commands may be started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    allowed: Vec<Allowed>,
    commands: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    Private,
    Host(String),
    Net(IpNet),
}

/// Why an address is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This machine.
    Loopback,
    /// A network that is not routed on the internet: RFC 1918, RFC 6598, RFC 4193.
    Private,
    /// The same wire; cloud providers serve the keys of a machine here.
    LinkLocal,
    /// Many receivers.
    Multicast,
    /// Unspecified, documentation, benchmark, reserved.
    Reserved,
}

impl Policy {
    /// Public addresses only.
    pub fn public() -> Self {
        Self::default()
    }

    /// Public addresses, this machine and private networks; link-local addresses are still refused.
    pub fn with_private() -> Self {
        Self { allowed: vec![Allowed::Private], commands: false }
    }

    /// Public addresses and what a profile names: `private`, an address, a network in CIDR form, or
    /// a host name. Naming a host allows whatever it resolves to.
    ///
    /// ```
    /// let policy = dgh_net::Policy::parse(["10.1.0.0/16", "crm.internal"])?;
    /// # Ok::<(), dgh_net::NetError>(())
    /// ```
    pub fn parse<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Result<Self, NetError> {
        let allowed = entries.into_iter().map(|e| Allowed::parse(e.as_ref().trim()));
        Ok(Self { allowed: allowed.collect::<Result<_, _>>()?, commands: false })
    }

    /// Also lets MCP servers be started as processes. For whoever runs programs of their own, never
    /// for a server that runs those of others.
    pub fn allow_commands(mut self) -> Self {
        self.commands = true;
        self
    }

    /// Checks whether a process may be started for a server.
    pub(crate) fn check_commands(&self, server: &str) -> Result<(), NetError> {
        if self.commands {
            return Ok(());
        }
        Err(NetError::new(
            NetErrorKind::Refused,
            format!("`{server}` is a command, and commands are not started here"),
        ))
    }

    /// Checks the address that a host name stands for.
    pub fn check(&self, host: &str, address: IpAddr) -> Result<(), NetError> {
        let Some(reach) = reach(address) else { return Ok(()) };
        if self.allowed.iter().any(|a| a.covers(host, address, reach)) {
            return Ok(());
        }
        let what = match reach {
            Reach::Loopback => "this machine",
            Reach::Private => "a private network",
            Reach::LinkLocal => "the local link",
            Reach::Multicast => "a multicast group",
            Reach::Reserved => "a reserved address",
        };
        Err(NetError::new(
            NetErrorKind::Refused,
            format!("`{host}` is {what}, and the profile does not allow it (`allow_private`)"),
        ))
    }
}

impl Allowed {
    fn parse(entry: &str) -> Result<Self, NetError> {
        if entry == "private" {
            return Ok(Self::Private);
        }
        if let Ok(net) = entry.parse::<IpNet>() {
            return Ok(Self::Net(net));
        }
        let bare = entry.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Net(address.into()));
        }
        match url::Host::parse(entry) {
            Ok(url::Host::Domain(name)) if !name.contains('*') => Ok(Self::Host(canonical_host(&name))),
            _ => Err(NetError::new(
                NetErrorKind::Setup,
                format!("`{entry}` is not a host name, an address, a network like 10.0.0.0/8, or `private`"),
            )),
        }
    }

    fn covers(&self, host: &str, address: IpAddr, reach: Reach) -> bool {
        match self {
            Self::Private => matches!(reach, Reach::Loopback | Reach::Private),
            Self::Host(name) => *name == canonical_host(host),
            Self::Net(net) => {
                net.contains(&address) || embedded_v4(address).is_some_and(|v4| net.contains(&IpAddr::V4(v4)))
            }
        }
    }
}

fn canonical_host(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Why an address is not public; none: it is. An IPv6 address that carries an IPv4 address is
/// judged by both.
pub fn reach(address: IpAddr) -> Option<Reach> {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(address) {
            // A mapped address is an IPv4 address in another spelling.
            Some(v4) if v6.to_ipv4_mapped().is_some() => reach_v4(v4),
            Some(v4) => reach_v4(v4).or_else(|| reach_v6(v6)),
            None => reach_v6(v6),
        },
    }
}

/// The registry of special addresses: RFC 6890 and its successors.
fn reach_v4(v4: Ipv4Addr) -> Option<Reach> {
    let [a, b, c, _] = v4.octets();
    Some(match (a, b, c) {
        (127, ..) => Reach::Loopback,
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Reach::Private,
        (169, 254, _) => Reach::LinkLocal,
        (224..=239, ..) => Reach::Multicast,
        (0 | 240..=255, ..) => Reach::Reserved,
        // IETF assignments, documentation, 6to4 relays, benchmarks.
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99) | (198, 18 | 19, _) => {
            Reach::Reserved
        }
        _ => return None,
    })
}

fn reach_v6(v6: Ipv6Addr) -> Option<Reach> {
    let [s0, s1, s2, ..] = v6.segments();
    Some(match s0 {
        _ if v6.is_loopback() => Reach::Loopback,
        _ if v6.is_unspecified() => Reach::Reserved,
        0xfc00..=0xfdff => Reach::Private,
        // fec0::/10 was site-local.
        0xfec0..=0xfeff => Reach::Private,
        0xfe80..=0xfebf => Reach::LinkLocal,
        0xff00..=0xffff => Reach::Multicast,
        // Local-use translation 64:ff9b:1::/48, discard 100::/64, documentation, ORCHID, and
        // everything outside of global unicast 2000::/3 but the translation prefix 64:ff9b::/96.
        0x0064 if s1 == 0xff9b && s2 == 0 => return None,
        0x2001 if matches!(s1, 0x0db8 | 0x0000 | 0x0010..=0x002f) => Reach::Reserved,
        0x3fff if s1 < 0x1000 => Reach::Reserved,
        0x2000..=0x3fff => return None,
        _ => Reach::Reserved,
    })
}

/// The IPv4 address inside of an IPv6 address that a gateway would unwrap: mapped and compatible
/// (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056), ISATAP (RFC 5214).
fn embedded_v4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let segments = v6.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] if !(v6.is_loopback() || v6.is_unspecified()) => {
            Some(join(high, low))
        }
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(join(high, low)),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        [.., 0x0000 | 0x0200, 0x5efe, high, low] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn refused(policy: &Policy, host: &str, address: &str) -> bool {
        policy.check(host, address.parse().unwrap()).is_err()
    }

    #[test]
    fn the_inside_of_a_network_is_refused_in_every_form_of_address() {
        let inside = [
            "127.0.0.1",
            "127.8.9.10",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.254",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "198.18.0.1",
            "192.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "100::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001:0:4136:e378::1",
            "fe80::5efe:127.0.0.1",
            "2600::5efe:10.0.0.1",
            "fd00:ec2::254",
            "5f00::1",
        ];
        for address in inside {
            assert!(refused(&Policy::public(), "host", address), "{address} was let through");
        }
        for address in [
            "93.184.216.34",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!refused(&Policy::public(), "host", address), "{address} was refused");
        }
    }

    #[test]
    fn a_profile_allows_hosts_networks_and_addresses_and_nothing_beside() {
        let policy = Policy::parse(["10.1.0.0/16", "crm.internal", "::1", "127.0.0.9"]).unwrap();
        assert!(!refused(&policy, "x", "10.1.2.3"));
        assert!(!refused(&policy, "x", "::ffff:10.1.2.3"));
        assert!(refused(&policy, "x", "10.2.2.3"));
        assert!(!refused(&policy, "CRM.internal.", "192.168.0.7"));
        assert!(refused(&policy, "notcrm.internal", "192.168.0.7"));
        assert!(!refused(&policy, "localhost", "::1"));
        assert!(refused(&policy, "localhost", "127.0.0.1"));
        assert!(!refused(&policy, "localhost", "127.0.0.9"));
    }

    #[test]
    fn private_means_private_and_not_the_metadata_of_a_cloud() {
        let policy = Policy::parse(["private"]).unwrap();
        assert_eq!(policy, Policy::with_private());
        assert!(!refused(&policy, "x", "127.0.0.1"));
        assert!(!refused(&policy, "x", "fd00::1"));
        assert!(refused(&policy, "x", "169.254.169.254"));
        assert!(refused(&policy, "x", "0.0.0.0"));
        assert!(refused(&policy, "x", "::ffff:169.254.169.254"));
        assert!(!refused(&Policy::parse(["169.254.169.254"]).unwrap(), "x", "169.254.169.254"));
    }

    #[test]
    fn nonsense_in_a_profile_is_an_error() {
        for entry in ["", "10.0.0.0/33", "*.internal", "http://x/", "a b"] {
            let error = Policy::parse([entry]).unwrap_err();
            assert_eq!(error.kind, NetErrorKind::Setup, "{entry}");
        }
    }
}
