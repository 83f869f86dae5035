//! Open models write their thinking into the text, between `<think>` and `</think>`, when the
//! server does not take it out. It must not be spoken.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Takes the thinking at the start of an answer out of its text.
#[derive(Debug, Default)]
pub(crate) struct Thoughts {
    held: String,
    state: State,
}

#[derive(Debug, Default, PartialEq)]
enum State {
    #[default]
    Start,
    Thinking,
    Speaking,
}

impl Thoughts {
    /// The part of a piece that is to be spoken.
    pub(crate) fn push(&mut self, text: &str) -> Option<String> {
        if self.state == State::Speaking {
            return Some(text.to_owned());
        }
        self.held.push_str(text);
        if self.state == State::Start {
            let begun = self.held.trim_start();
            if begun.starts_with(OPEN) {
                self.state = State::Thinking;
            } else if OPEN.starts_with(begun) {
                return None;
            } else {
                self.state = State::Speaking;
                return Some(std::mem::take(&mut self.held));
            }
        }
        let Some(at) = self.held.find(CLOSE) else {
            // Only a closing tag that has begun is worth keeping.
            let keep = (1..CLOSE.len())
                .rev()
                .find(|n| CLOSE.get(..*n).is_some_and(|c| self.held.ends_with(c)))
                .unwrap_or(0);
            self.held.drain(..self.held.len() - keep);
            return None;
        };
        self.state = State::Speaking;
        let rest = self.held.split_off(at + CLOSE.len());
        self.held.clear();
        Some(rest.trim_start().to_owned()).filter(|r| !r.is_empty())
    }

    /// The text is over: what was held back because it looked like the start of a tag.
    pub(crate) fn finish(&mut self) -> Option<String> {
        let held = std::mem::take(&mut self.held);
        (self.state == State::Start && !held.is_empty()).then_some(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(pieces: &[&str]) -> String {
        let mut thoughts = Thoughts::default();
        let mut out: Vec<_> = pieces.iter().filter_map(|p| thoughts.push(p)).collect();
        out.extend(thoughts.finish());
        out.concat()
    }

    #[test]
    fn thinking_is_not_spoken() {
        assert_eq!(spoken(&["<think>Hm, < maybe </b></think>\n\nHello."]), "Hello.");
        assert_eq!(
            spoken(&["\n<th", "ink>a", "</thi", "nk", ">", "Hello <think> there"]),
            "Hello <think> there"
        );
        assert_eq!(spoken(&["<think>never closed"]), "");
    }

    #[test]
    fn everything_else_is() {
        assert_eq!(spoken(&["Hello", " there"]), "Hello there");
        assert_eq!(spoken(&["<", "b>x"]), "<b>x");
        assert_eq!(spoken(&["<thi"]), "<thi");
        assert_eq!(spoken(&[" ", "a"]), " a");
    }
}
