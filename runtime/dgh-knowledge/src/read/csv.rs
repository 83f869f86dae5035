//! Tables: each row is a sentence with the names of its columns.

use super::{MAX_TEXT, ReadError, Section, too_much_text};

/// Separators that spreadsheets write.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// The rows of a table, the first of which names the columns.
pub(super) fn read(text: &str) -> Result<Vec<Section>, ReadError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let broken = |error: csv::Error| ReadError::Broken(format!("is no table: {error}"));
    let names = reader.headers().map_err(broken)?.clone();
    let (mut sections, mut size) = (Vec::new(), 0);
    for (index, row) in reader.records().enumerate() {
        let row = row.map_err(broken)?;
        let mut cells = Vec::new();
        for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            match names.get(column).filter(|name| !name.is_empty()) {
                Some(name) => cells.push(format!("{name}: {cell}")),
                None => cells.push(cell.to_owned()),
            }
        }
        let text = cells.join("; ");
        size += text.len();
        if size > MAX_TEXT {
            return Err(too_much_text());
        }
        // Counted as a spreadsheet does: the names are row 1.
        sections.push(Section { place: format!("row {}", index + 2), text });
    }
    Ok(sections)
}

/// The separator that stands most often in the first line.
fn separator(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |separator: &u8| first.bytes().filter(|byte| byte == separator).count();
    // Of equals the first: `max_by_key` would take the last.
    SEPARATORS.into_iter().rev().max_by_key(count).unwrap_or(b',')
}
