//! Documents of word processors: paragraphs, headings and tables of Office Open XML.

use std::collections::HashMap;
use std::io::{Cursor, Read as _};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::{ReadError, Section, markdown};

/// Bytes of a part when it is unpacked: a few of them may become any number.
const MAX_PART: u64 = 64 << 20;
/// Headings of Markdown.
const LEVELS: usize = 6;

/// The sections of a document.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Section>, ReadError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|_| ReadError::Broken("is no .docx that can be read".to_owned()))?;
    let styles = part(&mut archive, "word/styles.xml")?.map(|xml| headings(&xml)).transpose()?;
    let Some(document) = part(&mut archive, "word/document.xml")? else {
        return Err(ReadError::Broken("has no text: it is no .docx".to_owned()));
    };
    Ok(markdown::read(&as_markdown(&document, &styles.unwrap_or_default())?))
}

fn part(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Option<String>, ReadError> {
    let Ok(file) = archive.by_name(name) else { return Ok(None) };
    let mut xml = Vec::new();
    file.take(MAX_PART + 1).read_to_end(&mut xml).map_err(|_| broken())?;
    if xml.len() as u64 > MAX_PART {
        return Err(ReadError::TooLarge(format!("{} MB of text", MAX_PART >> 20)));
    }
    String::from_utf8(xml).map(Some).map_err(|_| broken())
}

/// Which styles are headings, and of which level. In other languages they have other ids, and the
/// same names.
fn headings(xml: &str) -> Result<HashMap<String, usize>, ReadError> {
    let (mut found, mut style) = (HashMap::new(), None);
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().map_err(|_| broken())? {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                b"style" => style = value(&tag, b"styleId"),
                b"name" => {
                    let name = value(&tag, b"val").unwrap_or_default().to_lowercase();
                    let level = match name.strip_prefix("heading ") {
                        Some(level) => level.parse::<usize>().ok(),
                        None => (name == "title").then_some(0),
                    };
                    if let (Some(level), Some(style)) = (level, style.take()) {
                        // The title stands above the headings.
                        found.insert(style, (level + 1).min(LEVELS));
                    }
                }
                _ => {}
            },
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// A paragraph that is being read.
#[derive(Default)]
struct Paragraph {
    text: String,
    level: Option<usize>,
    is_entry: bool,
}

fn as_markdown(xml: &str, headings: &HashMap<String, usize>) -> Result<String, ReadError> {
    let mut out = String::new();
    let mut paragraph = Paragraph::default();
    let mut cells: Vec<String> = Vec::new();
    let (mut tables, mut in_text) = (0_usize, false);
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().map_err(|_| broken())? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                b"tbl" => tables += 1,
                b"tr" if tables == 1 => cells.clear(),
                b"tc" if tables == 1 => cells.push(String::new()),
                b"t" => in_text = true,
                b"p" => paragraph = Paragraph::default(),
                _ => style(&tag, &mut paragraph, headings),
            },
            Event::Empty(tag) => match tag.local_name().as_ref() {
                b"tab" => paragraph.text.push(' '),
                b"br" | b"cr" => paragraph.text.push('\n'),
                _ => style(&tag, &mut paragraph, headings),
            },
            Event::Text(words) if in_text => {
                paragraph.text.push_str(&words.decode().map_err(|_| broken())?);
            }
            Event::GeneralRef(entity) if in_text => {
                let character = entity.resolve_char_ref().map_err(|_| broken())?;
                let named = || quick_xml::escape::resolve_predefined_entity(&entity.decode().ok()?);
                match character {
                    Some(character) => paragraph.text.push(character),
                    None => paragraph.text.push_str(named().unwrap_or_default()),
                }
            }
            Event::End(tag) => match tag.local_name().as_ref() {
                b"t" => in_text = false,
                b"p" => end_paragraph(&mut out, std::mem::take(&mut paragraph), cells.last_mut(), tables),
                b"tr" if tables == 1 => {
                    let row: Vec<&str> = cells.iter().map(|c| c.trim()).filter(|c| !c.is_empty()).collect();
                    out.push_str(&escaped(&row.join(" | ")));
                    out.push('\n');
                }
                b"tbl" => {
                    tables = tables.saturating_sub(1);
                    cells.clear();
                    out.push('\n');
                }
                _ => {}
            },
            Event::Eof => return Ok(out),
            _ => {}
        }
    }
}

fn style(tag: &BytesStart<'_>, paragraph: &mut Paragraph, headings: &HashMap<String, usize>) {
    match tag.local_name().as_ref() {
        b"pStyle" => paragraph.level = value(tag, b"val").and_then(|style| headings.get(&style).copied()),
        b"numPr" => paragraph.is_entry = true,
        _ => {}
    }
}

fn end_paragraph(out: &mut String, paragraph: Paragraph, cell: Option<&mut String>, tables: usize) {
    let text = paragraph.text.trim();
    if text.is_empty() {
        return;
    }
    if let Some(cell) = cell.filter(|_| tables > 0) {
        cell.push_str(text);
        cell.push(' ');
        return;
    }
    match paragraph.level {
        Some(level) => {
            out.push_str(&"#".repeat(level));
            out.push(' ');
            out.push_str(&text.replace('\n', " "));
        }
        None if paragraph.is_entry => {
            out.push_str("- ");
            out.push_str(text);
        }
        None => out.push_str(&escaped(text)),
    }
    out.push_str(if paragraph.is_entry { "\n" } else { "\n\n" });
}

/// Words that Markdown would take for a heading.
fn escaped(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let heading = line.trim_start().starts_with(['#', '=', '-']);
        if heading { format!("\u{200b}{line}") } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn value(tag: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    let mut all = tag.attributes().flatten();
    let found = all.find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(String::from_utf8_lossy(&found.value).into_owned())
}

fn broken() -> ReadError {
    ReadError::Broken("is broken: it is no .docx that can be read".to_owned())
}
