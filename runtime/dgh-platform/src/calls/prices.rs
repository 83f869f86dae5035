//! What providers ask for their work: the table of the standard library.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dgh_store::calls::Usage;
use serde::Deserialize;

/// Fills in what a use of a provider cost; it stays unknown where no price is known.
pub fn price(usage: &mut Usage) {
    if usage.micro_usd.is_none() {
        usage.micro_usd = cost(usage);
    }
}

/// Prices in US dollars.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    /// Per million tokens.
    input: Option<f64>,
    cached: Option<f64>,
    output: Option<f64>,
    /// Per million characters.
    characters: Option<f64>,
    /// Per minute.
    minute: Option<f64>,
}

/// By part, provider, and the beginning of a model's name.
type Table = BTreeMap<String, BTreeMap<String, BTreeMap<String, Price>>>;

// A test reads the table; one that cannot be read has no prices.
static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(dgh_stdlib::PRICES).unwrap_or_default());

fn cost(usage: &Usage) -> Option<i64> {
    let models = TABLE.get(&usage.part)?.get(&usage.provider)?;
    let fitting = models.iter().filter(|(name, _)| usage.model.starts_with(name.as_str()));
    let (_, price) = fitting.max_by_key(|(name, _)| name.len())?;
    let fresh = usage.input_tokens - usage.cached_tokens;
    // Dollars for a million of something are millionths of a dollar for one.
    let counted = [
        (fresh, price.input),
        (usage.cached_tokens, price.cached.or(price.input)),
        (usage.output_tokens, price.output),
        (usage.characters, price.characters),
    ];
    let tokens: f64 = counted.into_iter().map(|(count, each)| number(count) * each.unwrap_or(0.0)).sum();
    let minutes = number(usage.millis) / 60_000.0 * price.minute.unwrap_or(0.0) * 1e6;
    Some((tokens + minutes).round() as i64)
}

#[allow(clippy::cast_precision_loss, reason = "counts of one call")]
fn number(count: i64) -> f64 {
    count.max(0) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(part: &str, provider: &str, model: &str) -> Usage {
        Usage { part: part.into(), provider: provider.into(), model: model.into(), ..Usage::default() }
    }

    #[test]
    fn the_table_can_be_read() {
        let table: Table = toml::from_str(dgh_stdlib::PRICES).unwrap();
        assert!(table["llm"]["openai"].len() > 5);
    }

    #[test]
    fn the_longest_name_that_fits_counts() {
        let usage = |model| Usage { input_tokens: 1_000_000, ..of("llm", "openai", model) };
        assert_eq!(cost(&usage("gpt-4.1-mini-2025-04-14")), Some(400_000));
        assert_eq!(cost(&usage("gpt-4.1-2025-04-14")), Some(2_000_000));
        assert_eq!(cost(&usage("o3")), None);
    }

    #[test]
    fn cached_tokens_are_cheaper_and_a_minute_is_a_minute() {
        let mixed = Usage {
            input_tokens: 1_000,
            cached_tokens: 400,
            output_tokens: 100,
            ..of("llm", "openai", "gpt-4.1-mini")
        };
        // 600 × 0.4 + 400 × 0.1 + 100 × 1.6
        assert_eq!(cost(&mixed), Some(440));
        assert_eq!(cost(&Usage { millis: 120_000, ..of("stt", "deepgram", "nova-3") }), Some(15_400));
        assert_eq!(cost(&Usage { characters: 1_000, ..of("tts", "openai", "tts-1") }), Some(15_000));
    }

    #[test]
    fn what_is_known_already_stays() {
        let mut usage = Usage { micro_usd: Some(7), ..of("llm", "openai", "gpt-4.1-mini") };
        price(&mut usage);
        assert_eq!(usage.micro_usd, Some(7));
    }
}
