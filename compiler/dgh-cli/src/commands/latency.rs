//! `dgh latency`: how long each answer of a call took, and who it was waited for.

use std::fs;

use anyhow::Context as _;
use dgh_engine::log::open;
use dgh_platform::keys::log_key;
use dgh_platform::latency::{Turn, percentile, turns};
use serde_json::{Map, Value as Json, json};

use crate::Outcome;
use crate::args::Latency;
use crate::ui;

pub fn run(args: &Latency) -> anyhow::Result<Outcome> {
    let reading = || format!("cannot read {}", args.log.display());
    let bytes = fs::read(&args.log).with_context(reading)?;
    let log = open(&bytes, &log_key()?).with_context(reading)?;
    let turns = turns(&log);
    if args.json {
        ui::line(serde_json::to_string_pretty(&json!({ "turns": turns, "totals": totals(&turns) }))?)?;
        return Ok(Outcome::Clean);
    }
    if turns.is_empty() {
        ui::line("no turn of this call was spoken and answered")?;
        return Ok(Outcome::Clean);
    }
    ui::print(&table(&turns))?;
    Ok(Outcome::Clean)
}

/// A column: its heading, and what stands in it, in microseconds.
type Column = (&'static str, fn(&Turn) -> Option<i64>);

/// When things happened, from the caller's last sound.
const MOMENTS: &[Column] = &[
    ("transcript", |t| t.transcript),
    ("turn over", |t| t.turn_over),
    ("asked", |t| t.asked),
    ("token", |t| t.first_token),
    ("sentence", |t| t.first_sentence),
    ("route", |t| t.route),
    ("voice", |t| t.voice_asked),
    ("sound", |t| t.first_sound),
    ("frame", |t| t.first_frame),
];

/// Who it was waited for.
const SHARES: &[Column] = &[
    ("recogniser", |t| share(t.recogniser)),
    ("end of turn", |t| share(Some(t.endpointing))),
    ("model", |t| share(t.model)),
    ("voice", |t| share(t.voice)),
    ("runtime", |t| share(t.own)),
];

fn share(micros: Option<u64>) -> Option<i64> {
    micros.and_then(|micros| i64::try_from(micros).ok())
}

fn table(turns: &[Turn]) -> String {
    let heads = [
        ("when it happened, in ms from the caller's last sound", MOMENTS),
        ("who it was waited for, in ms; what is left is the runtime's", SHARES),
    ];
    let tables = heads.map(|(title, columns)| {
        let mut lines = vec![ui::paint(ui::DIM, title)];
        lines.push(row("turn", columns.iter().map(|(name, _)| (*name).to_owned())));
        for turn in turns {
            let number = format!("{:>4}", turn.turn);
            lines.push(row(&number, columns.iter().map(|(_, of)| ms(of(turn)))));
        }
        for percent in [50, 95] {
            let all = |of: fn(&Turn) -> Option<i64>| percentile(turns.iter().filter_map(of), percent);
            let total = row(&format!("p{percent:<3}"), columns.iter().map(|(_, of)| ms(all(*of))));
            lines.push(ui::paint(ui::GOOD, total));
        }
        lines.join("\n")
    });
    tables.join("\n\n") + "\n"
}

fn row(first: &str, cells: impl Iterator<Item = String>) -> String {
    cells.fold(first.to_owned(), |row, cell| row + &format!("{cell:>13}"))
}

/// Milliseconds; with a tenth where that is what is looked for.
fn ms(micros: Option<i64>) -> String {
    let Some(micros) = micros else { return "-".to_owned() };
    if micros.abs() < 10_000 {
        let (sign, micros) = (if micros < 0 { "-" } else { "" }, micros.abs() + 50);
        format!("{sign}{}.{}", micros / 1_000, micros % 1_000 / 100)
    } else {
        ((micros + 500) / 1_000).to_string()
    }
}

/// The middle and the tail of every column.
fn totals(turns: &[Turn]) -> Json {
    let spread = |columns: &[Column]| {
        let of = |(name, of): &Column| {
            let at = |percent| percentile(turns.iter().filter_map(of), percent);
            ((*name).replace(' ', "_"), json!({ "p50": at(50), "p95": at(95) }))
        };
        columns.iter().map(of).collect::<Map<String, Json>>()
    };
    json!({ "moments": spread(MOMENTS), "shares": spread(SHARES) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dgh_engine::log::Timing;

    use super::*;

    fn turn(number: u32, own: u64) -> Turn {
        Turn::from(&Timing {
            turn: number,
            speech_ended: Some(1_000_000),
            transcript: Some(1_150_000),
            asked: Some(1_150_000 + own),
            first_token: Some(1_450_000),
            first_sentence: Some(1_500_000),
            voice_asked: Some(1_500_000),
            first_sound: Some(1_620_000),
            first_frame: Some(1_620_000),
            ..Timing::default()
        })
    }

    #[test]
    fn every_turn_has_its_line_and_every_column_its_middle() {
        let text = anstream::adapter::strip_str(&table(&[turn(1, 1_000), turn(2, 2_440)])).to_string();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[2], ["1", "150", "-", "151", "450", "500", "-", "500", "620", "620"]);
        assert_eq!(lines[3], ["2", "150", "-", "152", "450", "500", "-", "500", "620", "620"]);
        assert_eq!(lines[4], ["p50", "150", "-", "151", "450", "500", "-", "500", "620", "620"]);
        assert_eq!(lines.last().unwrap()[..], ["p95", "150", "0.0", "349", "120", "2.4"]);
    }

    #[test]
    fn totals_are_in_microseconds() {
        let totals = totals(&[turn(1, 1_000), turn(2, 3_000)]);
        assert_eq!(totals["shares"]["runtime"], json!({ "p50": 1_000, "p95": 3_000 }));
        assert_eq!(totals["moments"]["turn_over"], json!({ "p50": null, "p95": null }));
    }
}
