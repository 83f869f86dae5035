//! Where a conversation takes place: the zone of its times, the country of its phone numbers.

use chrono_tz::Tz;

use crate::program::Agent;

/// Time zone and country of an agent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Locale {
    /// Zone into which times with an offset are moved.
    pub zone: Tz,
    /// How national numbers are dialled; none: a phone number needs its country code.
    pub dialling: Option<Dialling>,
}

/// How a national number becomes an international one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialling {
    /// Country calling code, ITU-T E.164.
    pub code: &'static str,
    /// Prefix of calls inside the country that is not part of the number; empty: none.
    pub trunk: &'static str,
}

impl Locale {
    /// By IANA name of the zone (unknown: UTC) and language tag. A tag without a region has the
    /// likely one of CLDR: `en` is `en-US`.
    pub fn new(zone: &str, language: &str) -> Self {
        let mut parts = language.split(['-', '_']);
        let primary = parts.next().unwrap_or_default();
        let written = parts.find(|part| part.len() == 2).map(str::to_ascii_uppercase);
        let region = written.as_deref().or_else(|| likely_region(primary));
        Self { zone: zone.parse().unwrap_or(Tz::UTC), dialling: region.and_then(dialling) }
    }
}

impl Default for Locale {
    fn default() -> Self {
        Tz::UTC.into()
    }
}

impl From<Tz> for Locale {
    fn from(zone: Tz) -> Self {
        Self { zone, dialling: None }
    }
}

impl Agent {
    /// Its time zone and the country of its first language.
    pub fn locale(&self) -> Locale {
        Locale::new(&self.time_zone, self.languages.first().map_or("", String::as_str))
    }
}

/// Of CLDR's `likelySubtags`.
fn likely_region(primary: &str) -> Option<&'static str> {
    Some(match primary.to_ascii_lowercase().as_str() {
        "ar" => "EG",
        "bg" => "BG",
        "ca" | "es" | "eu" | "gl" => "ES",
        "cs" => "CZ",
        "da" => "DK",
        "de" => "DE",
        "el" => "GR",
        "en" => "US",
        "et" => "EE",
        "fi" => "FI",
        "fr" => "FR",
        "he" => "IL",
        "hi" => "IN",
        "hr" => "HR",
        "hu" => "HU",
        "id" => "ID",
        "it" => "IT",
        "ja" => "JP",
        "ko" => "KR",
        "lt" => "LT",
        "lv" => "LV",
        "nb" | "nn" | "no" => "NO",
        "nl" => "NL",
        "pl" => "PL",
        "pt" => "BR",
        "ro" => "RO",
        "ru" => "RU",
        "sk" => "SK",
        "sl" => "SI",
        "sv" => "SE",
        "th" => "TH",
        "tr" => "TR",
        "uk" => "UA",
        "vi" => "VN",
        "zh" => "CN",
        _ => return None,
    })
}

/// Calling codes and trunk prefixes, ITU-T E.164 and E.129.
fn dialling(region: &str) -> Option<Dialling> {
    let (code, trunk) = match region {
        "US" | "CA" | "PR" | "JM" | "DO" => ("1", "1"),
        "RU" | "KZ" => ("7", "8"),
        "EG" => ("20", "0"),
        "ZA" => ("27", "0"),
        "GR" => ("30", ""),
        "NL" => ("31", "0"),
        "BE" => ("32", "0"),
        "FR" => ("33", "0"),
        "ES" => ("34", ""),
        "HU" => ("36", "06"),
        "IT" => ("39", ""),
        "RO" => ("40", "0"),
        "CH" => ("41", "0"),
        "AT" => ("43", "0"),
        "GB" => ("44", "0"),
        "DK" => ("45", ""),
        "SE" => ("46", "0"),
        "NO" => ("47", ""),
        "PL" => ("48", ""),
        "DE" => ("49", "0"),
        "PE" => ("51", "0"),
        "MX" => ("52", ""),
        "AR" => ("54", "0"),
        "BR" => ("55", "0"),
        "CL" => ("56", ""),
        "CO" => ("57", ""),
        "MY" => ("60", "0"),
        "AU" => ("61", "0"),
        "ID" => ("62", "0"),
        "PH" => ("63", "0"),
        "NZ" => ("64", "0"),
        "SG" => ("65", ""),
        "TH" => ("66", "0"),
        "JP" => ("81", "0"),
        "KR" => ("82", "0"),
        "VN" => ("84", "0"),
        "CN" => ("86", "0"),
        "TR" => ("90", "0"),
        "IN" => ("91", "0"),
        "PK" => ("92", "0"),
        "NG" => ("234", "0"),
        "KE" => ("254", "0"),
        "PT" => ("351", ""),
        "LU" => ("352", ""),
        "IE" => ("353", "0"),
        "FI" => ("358", "0"),
        "BG" => ("359", "0"),
        "LT" => ("370", "0"),
        "LV" => ("371", ""),
        "EE" => ("372", ""),
        "UA" => ("380", "0"),
        "HR" => ("385", "0"),
        "SI" => ("386", "0"),
        "CZ" => ("420", ""),
        "SK" => ("421", "0"),
        "HK" => ("852", ""),
        "TW" => ("886", "0"),
        "SA" => ("966", "0"),
        "AE" => ("971", "0"),
        "IL" => ("972", "0"),
        _ => return None,
    };
    Some(Dialling { code, trunk })
}
