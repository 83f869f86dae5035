//! What time it is elsewhere.

use chrono::{DateTime, Utc};
use chrono_tz::TZ_VARIANTS;
use serde_json::{Value as Json, json};

/// Date, time, day of the week and distance from UTC in a zone of the IANA database.
pub fn clock(zone: &str, now: DateTime<Utc>) -> Result<Json, String> {
    let name = zone.trim();
    let wanted = name.replace(' ', "_");
    let zone = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&wanted));
    let zone = zone.ok_or_else(|| format!("`{name}` is not a time zone; use a name like Europe/Berlin"))?;
    let there = now.with_timezone(zone);
    Ok(json!({
        "date": there.format("%Y-%m-%d").to_string(),
        "time": there.format("%H:%M:%S").to_string(),
        "weekday": there.format("%A").to_string(),
        "offset": there.format("%:z").to_string(),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn at(zone: &str, utc: &str) -> Json {
        clock(zone, utc.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_clock_knows_zones_and_their_summer_time() {
        let winter = at("Europe/Berlin", "2026-03-29T00:59:00Z");
        assert_eq!(
            winter,
            json!({ "date": "2026-03-29", "time": "01:59:00", "weekday": "Sunday", "offset": "+01:00" })
        );
        assert_eq!(at("europe/berlin", "2026-03-29T01:00:00Z")["time"], "03:00:00");
        assert_eq!(at("America/New York", "2026-01-01T03:30:00Z")["date"], "2025-12-31");
        assert_eq!(at("Asia/Kathmandu", "2026-01-01T00:00:00Z")["offset"], "+05:45");
        assert_eq!(at("UTC", "2026-01-01T00:00:00Z")["offset"], "+00:00");
    }

    #[test]
    fn a_zone_that_is_none_is_an_error() {
        for zone in ["", "Berlin", "Mars/Olympus", "+02:00"] {
            assert!(clock(zone, DateTime::UNIX_EPOCH).unwrap_err().contains("time zone"), "{zone}");
        }
    }
}
