//! Markdown: sections by their headings.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::Section;

/// The sections of a text. Each holds its own words, and is named by the headings above it.
pub(super) fn read(text: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut headings: Vec<(usize, String)> = Vec::new();
    // Where the words of the current section begin.
    let mut from = 0;
    let mut heading: Option<(usize, String)> = None;
    let options = Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::MetadataBlock(_)) => from = range.end,
            Event::Start(Tag::Heading { level, .. }) => {
                push(&mut sections, &headings, text.get(from..range.start));
                from = range.end;
                heading = Some((level as usize, String::new()));
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((level, words)) = heading.take() {
                    headings.retain(|(above, _)| *above < level);
                    headings.push((level, words));
                }
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some((_, heading)) = &mut heading {
                    heading.push_str(&words);
                }
            }
            _ => {}
        }
    }
    push(&mut sections, &headings, text.get(from..));
    sections
}

fn push(sections: &mut Vec<Section>, headings: &[(usize, String)], text: Option<&str>) {
    let text = text.unwrap_or_default();
    let named: Vec<&str> = headings.iter().map(|(_, words)| words.trim()).collect();
    let place = named.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" > ");
    // A heading without words of its own is part of the names of those below it.
    if !text.trim().is_empty() {
        sections.push(Section { place, text: text.to_owned() });
    }
}
