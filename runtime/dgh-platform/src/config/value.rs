//! How values are written.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

/// How a setting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One text or number.
    One,
    /// Several of them.
    Many,
    /// True or false; a flag without a value.
    Switch,
    /// One that is shown nowhere.
    Secret,
}

/// A type of settings.
pub(super) trait Value: Sized {
    const KIND: Kind;

    /// Reads the texts that were given; the default when there are none.
    fn read(given: &[String]) -> Result<Self, String>;
}

/// How the log of a server is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object on a line
    Json,
}

/// A value that is one text.
trait One: Sized {
    fn one(text: &str) -> Result<Self, String>;
}

macro_rules! one {
    ($($type:ty: $wanted:literal),*) => {$(
        impl One for $type {
            fn one(text: &str) -> Result<Self, String> {
                <$type>::from_str(text).map_err(|_| format!("write {}", $wanted))
            }
        }

        impl Value for $type {
            const KIND: Kind = Kind::One;

            fn read(given: &[String]) -> Result<Self, String> {
                let [text] = given else { return Err("one value, and no list".to_owned()) };
                Self::one(text)
            }
        }
    )*};
}

one! {
    IpAddr: "an address such as 127.0.0.1",
    u16: "a number from 0 to 65535",
    u32: "a whole number",
    usize: "a whole number",
    String: "a text"
}

macro_rules! only_optional {
    ($($type:ty: $read:expr),*) => {$(
        impl One for $type {
            fn one(text: &str) -> Result<Self, String> {
                ($read)(text)
            }
        }
    )*};
}

only_optional! {
    Url: |text: &str| Url::parse(text).map_err(|_| "write an address such as https://calls.example.org".to_owned()),
    PathBuf: |text: &str| Ok(PathBuf::from(text)),
    Duration: time,
    IpNet: network
}

impl Value for Duration {
    const KIND: Kind = Kind::One;

    fn read(given: &[String]) -> Result<Self, String> {
        let [text] = given else { return Err("one value, and no list".to_owned()) };
        time(text)
    }
}

impl Value for LogFormat {
    const KIND: Kind = Kind::One;

    fn read(given: &[String]) -> Result<Self, String> {
        match given {
            [text] if text == "text" => Ok(Self::Text),
            [text] if text == "json" => Ok(Self::Json),
            _ => Err("write text or json".to_owned()),
        }
    }
}

impl Value for bool {
    const KIND: Kind = Kind::Switch;

    fn read(given: &[String]) -> Result<Self, String> {
        match given {
            [text] if matches!(text.as_str(), "true" | "1" | "yes" | "on") => Ok(true),
            [text] if matches!(text.as_str(), "false" | "0" | "no" | "off") => Ok(false),
            _ => Err("write true or false".to_owned()),
        }
    }
}

impl<T: One> Value for Option<T> {
    const KIND: Kind = Kind::One;

    fn read(given: &[String]) -> Result<Self, String> {
        match given {
            [] => Ok(None),
            [text] => T::one(text).map(Some),
            _ => Err("one value, and no list".to_owned()),
        }
    }
}

impl Value for Option<SecretString> {
    const KIND: Kind = Kind::Secret;

    fn read(given: &[String]) -> Result<Self, String> {
        Ok(given.first().map(|text| text.as_str().into()))
    }
}

impl<T: One> Value for Vec<T> {
    const KIND: Kind = Kind::Many;

    fn read(given: &[String]) -> Result<Self, String> {
        given.iter().map(|text| T::one(text)).collect()
    }
}

/// `500ms`, `60s`, `5m`, `1h`; without a unit seconds.
fn time(text: &str) -> Result<Duration, String> {
    let wanted = || "write a time as 500ms, 60s, 5m or 1h".to_owned();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(wanted()),
    };
    let number: f64 = number.trim().parse().map_err(|_| wanted())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wanted())
}

/// `10.0.0.0/8`, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let alone = || text.parse().map(|address: IpAddr| IpNet::from(address));
    text.parse().or_else(|_| alone()).map_err(|_| "write a network such as 10.0.0.0/8".to_owned())
}
