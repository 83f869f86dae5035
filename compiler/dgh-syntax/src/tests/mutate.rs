//! Random damage to programs, the same for the same seed.

use crate::token::tokens;

/// splitmix64: enough to choose places, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Bits of text that are likely to hurt.
const SPLINTERS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"\"\"",
    "{{",
    "}}",
    "->",
    "-",
    "=",
    "==",
    "=>",
    ":",
    ",",
    ".",
    "..",
    "?",
    "??",
    "//",
    "///",
    "/*",
    "*/",
    "#",
    "'",
    "!",
    "&&",
    "||",
    ";",
    "\\",
    "\\{{",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\0",
    "\u{FEFF}",
    "é",
    "日本",
    "😀",
    "“hi”",
    "\u{A0}",
    "1",
    "1.",
    "1..5",
    "2026-03-01",
    "2026-3-1",
    "9:00",
    "9:5",
    "3s",
    "3sec",
    "5USD",
    "20 USD",
    "25%",
    "match",
    "not",
    "and",
    "or",
    "in",
    "if",
    "else",
    "elif",
    "node x {",
    "node",
    "agent",
    "next -> a",
    "on error ->",
    "end",
    "say",
    "when",
    "list<",
    "private",
    "as",
    "null",
    "var",
    "test \"t\" {",
    "dgh 1",
    "anywhere {",
    "-> end",
    "{ a: 1 }",
    "match x { a -> 1 }",
    "import {",
    "1_0",
    "\u{2028}",
];

/// Between one and four mutations of a text.
pub(crate) fn mutate(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(4) {
        text = match random.below(12) {
            0..=3 => bytes(&text, random),
            4..=7 => by_token(&text, random),
            8..=10 => lines(&text, random),
            _ => splinter(&text, random),
        };
    }
    text
}

fn bytes(text: &str, random: &mut Random) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.is_empty() {
        return "{".to_owned();
    }
    let at = random.below(bytes.len());
    let to = (at + 1 + random.below(12)).min(bytes.len());
    match random.below(6) {
        0 => {
            bytes.remove(at);
        }
        1 => bytes.insert(at, (random.next() & 0x7F) as u8),
        2 => bytes[at] = (random.next() & 0xFF) as u8,
        3 => {
            let other = random.below(bytes.len());
            bytes.swap(at, other);
        }
        4 => {
            let piece = bytes[at..to].to_vec();
            bytes.splice(at..at, piece);
        }
        _ => {
            // Truncating often would leave little to hurt.
            if random.below(4) == 0 { bytes.truncate(at) } else { drop(bytes.drain(at..to)) }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn by_token(text: &str, random: &mut Random) -> String {
    let list = tokens(text);
    if list.list.is_empty() {
        return "node".to_owned();
    }
    let mut pieces: Vec<&str> = (0..list.list.len()).map(|i| list.text(text, i)).collect();
    let at = random.below(pieces.len());
    let other = random.below(pieces.len());
    match random.below(5) {
        0 => {
            pieces.remove(at);
        }
        1 => pieces.insert(at, pieces[other]),
        2 => pieces.swap(at, other),
        3 => pieces.insert(at, pieces[at]),
        _ => pieces[at] = pieces[other],
    }
    pieces.concat()
}

fn lines(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return "\n".to_owned();
    }
    let at = random.below(lines.len());
    let other = random.below(lines.len());
    match random.below(5) {
        0 => {
            lines.remove(at);
        }
        1 => lines.insert(at, lines[other]),
        2 => lines.swap(at, other),
        3 => lines.insert(at, lines[at]),
        _ => {
            let joined = lines[at].trim_end_matches(['\r', '\n']);
            lines[at] = joined;
        }
    }
    lines.concat()
}

fn splinter(text: &str, random: &mut Random) -> String {
    let mut at = random.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let (before, after) = text.split_at(at);
    format!("{before}{}{after}", random.pick(SPLINTERS))
}
