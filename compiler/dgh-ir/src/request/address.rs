//! An address that is being written: a value cannot leave its place in it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::RequestError;

/// What stands for itself in an address (RFC 3986, 2.3); everything else of a value is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address that is being written.
#[derive(Default)]
pub(super) struct Address {
    text: String,
    /// A parameter of the query is left out, up to the next one.
    skips: bool,
}

#[derive(PartialEq)]
enum Place {
    Origin,
    Path,
    Query,
    Fragment,
}

impl Address {
    /// Words of the author.
    pub(super) fn text(&mut self, text: &str) {
        if !self.skips {
            self.text.push_str(text);
            return;
        }
        let Some(end) = text.find(['&', '#']) else { return };
        self.skips = false;
        let rest = text.get(end..).unwrap_or_default();
        // The first parameter was left out: the next one follows the question mark.
        let rest = if self.text.ends_with('?') { rest.strip_prefix('&').unwrap_or(rest) } else { rest };
        self.text.push_str(rest);
    }

    /// A value. A `trusted` one comes from the author or the profile; a `whole` one is an address.
    pub(super) fn value(&mut self, value: &str, trusted: bool, whole: bool) -> Result<(), RequestError> {
        if self.skips {
            return Ok(());
        }
        match self.place() {
            Place::Origin if trusted || (whole && self.text.is_empty()) => self.text.push_str(value),
            Place::Origin => {
                let fits = !value.is_empty()
                    && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
                if !fits {
                    return Err(RequestError::Unfit(
                        "a value in the host of an address may hold letters, digits, `-` and `.` alone",
                    ));
                }
                self.text.push_str(value);
            }
            Place::Path if trusted => self.text.push_str(value),
            Place::Path if value.is_empty() => {
                return Err(RequestError::Unfit("a value in the path of an address is empty"));
            }
            Place::Path | Place::Query | Place::Fragment => {
                self.text.extend(utf8_percent_encode(value, ENCODED));
            }
        }
        Ok(())
    }

    /// A value as a record shows it: `plain` where nothing of it is hidden.
    pub(super) fn shown(
        &mut self,
        value: &str,
        plain: bool,
        trusted: bool,
        whole: bool,
    ) -> Result<(), RequestError> {
        if plain {
            return self.value(value, trusted, whole);
        }
        if !self.skips {
            self.text.push_str(value);
        }
        Ok(())
    }

    /// A value that is missing: its parameter of the query is left out.
    pub(super) fn missing(&mut self) -> Result<(), RequestError> {
        match self.place() {
            Place::Query => {
                let start = self.text.rfind(['?', '&']).unwrap_or(self.text.len());
                let first = self.text.get(start..).is_some_and(|t| t.starts_with('?'));
                self.text.truncate(if first { start + 1 } else { start });
                self.skips = true;
                Ok(())
            }
            Place::Fragment => Ok(()),
            Place::Origin | Place::Path => Err(RequestError::Missing("a value in an address")),
        }
    }

    fn place(&self) -> Place {
        let Some((_, rest)) = self.text.split_once("://") else { return Place::Origin };
        match (rest.contains('#'), rest.contains('?'), rest.contains('/')) {
            (true, ..) => Place::Fragment,
            (_, true, _) => Place::Query,
            (_, _, true) => Place::Path,
            _ => Place::Origin,
        }
    }

    /// The address.
    pub(super) fn finish(self) -> Result<String, RequestError> {
        let text = self.text.trim_end_matches('?');
        let path =
            text.split_once("://").map_or("", |(_, rest)| rest).split(['?', '#']).next().unwrap_or_default();
        // Encoded or not, these would climb out of the folder that the author wrote.
        let climbs = path
            .split('/')
            .skip(1)
            .any(|s| matches!(&*percent_decode_str(s).decode_utf8_lossy(), "." | ".."));
        if climbs {
            return Err(RequestError::Unfit("the path of an address has a segment `.` or `..`"));
        }
        Ok(text.to_owned())
    }
}
