//! Pages of the web: their words and headings, without what stands around them.

use super::{ReadError, Section, markdown, text};

/// Bytes of a page.
const MAX_PAGE: usize = 4 << 20;
/// Elements inside of each other. The tree is walked in time that grows with the square of it.
const DEPTH: usize = 500;
/// Letters on a line: paragraphs are not broken, and tables have no use for more.
const WIDTH: usize = 400;

/// What is on every page of a site and says nothing of this one.
const AROUND: &str = "nav, footer, aside, form, dialog, template, [hidden] { display: none }";

/// Elements that hold nothing.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
/// Elements whose end need not be written.
const OPEN: &[&str] = &[
    "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup", "colgroup",
    "rp", "rt", "html", "head", "body",
];

/// The sections of a page.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Section>, ReadError> {
    if bytes.len() > MAX_PAGE {
        return Err(ReadError::TooLarge(format!("{} MB for a page", MAX_PAGE >> 20)));
    }
    let page = text::decode(bytes)?;
    if depth(&page) > DEPTH {
        return Err(ReadError::Broken(format!("has more than {DEPTH} elements inside of each other")));
    }
    let broken = |error: html2text::Error| ReadError::Broken(format!("is no page that can be read: {error}"));
    let config = html2text::config::plain_no_decorate().no_table_borders().no_link_wrapping();
    let config = config.add_agent_css(AROUND).map_err(broken)?;
    let words = config.string_from_read(page.as_bytes(), WIDTH).map_err(broken)?;
    // Headings come out as those of Markdown.
    Ok(markdown::read(&words))
}

/// How deep elements stand in each other at most, as they are written.
fn depth(page: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for tag in page.split('<').skip(1) {
        let (closes, name) = match tag.strip_prefix('/') {
            Some(name) => (true, name),
            None => (false, tag),
        };
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(name.len());
        let name = name.get(..end).unwrap_or_default().to_ascii_lowercase();
        if name.is_empty() || VOID.contains(&name.as_str()) || OPEN.contains(&name.as_str()) {
            continue;
        }
        now = if closes { now.saturating_sub(1) } else { now + 1 };
        most = most.max(now);
    }
    most
}
