//! Server-sent events, read piece by piece: the form in which all three APIs stream.
//!
//! Works on bytes and decodes whole lines only, so a character that is split between two pieces
//! arrives whole. <https://html.spec.whatwg.org/multipage/server-sent-events.html>

/// Bytes of one event that are kept. A provider's events are some hundred bytes long.
pub(crate) const MAX_FRAME_BYTES: usize = 1 << 20;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// `event:`; empty when it has none.
    pub(crate) event: String,
    /// The lines of `data:`.
    pub(crate) data: String,
}

/// An event, or a line of it, is longer than [`MAX_FRAME_BYTES`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FrameTooLong;

/// Turns pieces of a stream into events. An event that its end cuts off is not one.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    line: Vec<u8>,
    frame: Option<Frame>,
    after_cr: bool,
    started: bool,
}

impl Decoder {
    /// Takes the next piece and gives the events that it completes.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Vec<Frame>, FrameTooLong> {
        let mut frames = Vec::new();
        for &byte in piece {
            let line_feed_of_crlf = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            match byte {
                _ if line_feed_of_crlf => {}
                b'\n' | b'\r' => frames.extend(self.end_line()?),
                _ if self.line.len() >= MAX_FRAME_BYTES => return Err(FrameTooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(frames)
    }

    fn end_line(&mut self) -> Result<Option<Frame>, FrameTooLong> {
        let line = std::mem::take(&mut self.line);
        let bom: &[u8] = if self.started { b"" } else { b"\xef\xbb\xbf" };
        self.started = true;
        let line = String::from_utf8_lossy(line.strip_prefix(bom).unwrap_or(&line));
        if line.is_empty() {
            return Ok(self.frame.take());
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => match &mut self.frame {
                Some(frame) if frame.data.len() + value.len() >= MAX_FRAME_BYTES => return Err(FrameTooLong),
                Some(frame) if frame.data.is_empty() => value.clone_into(&mut frame.data),
                Some(frame) => {
                    frame.data.push('\n');
                    frame.data.push_str(value);
                }
                None => self.frame = Some(Frame { event: String::new(), data: value.to_owned() }),
            },
            "event" => {
                let frame =
                    self.frame.get_or_insert_with(|| Frame { event: String::new(), data: String::new() });
                value.clone_into(&mut frame.event);
            }
            // Comments have an empty field name; `id` and `retry` mean nothing here.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn frame(event: &str, data: &str) -> Frame {
        Frame { event: event.to_owned(), data: data.to_owned() }
    }

    const STREAM: &str = "\u{feff}: hello\n\ndata: {\"a\":\"Grüße, 世界 👋\"}\n\nevent: ping\r\ndata:x\r\ndata:  y\r\n\r\nid: 7\rdata\r\rdata: [DONE]\n\ndata: cut";

    fn expected() -> Vec<Frame> {
        vec![
            frame("", "{\"a\":\"Grüße, 世界 👋\"}"),
            frame("ping", "x\n y"),
            frame("", ""),
            frame("", "[DONE]"),
        ]
    }

    #[test]
    fn events_are_the_same_wherever_the_stream_is_cut() {
        let bytes = STREAM.as_bytes();
        for first in 0..bytes.len() {
            for second in [first, first + 1, first + 2, bytes.len()] {
                let second = second.min(bytes.len());
                let mut decoder = Decoder::default();
                let mut frames = decoder.push(&bytes[..first]).unwrap();
                frames.extend(decoder.push(&bytes[first..second]).unwrap());
                frames.extend(decoder.push(&bytes[second..]).unwrap());
                assert_eq!(frames, expected(), "cut at {first} and {second}");
            }
        }
        let mut decoder = Decoder::default();
        let frames: Vec<_> = bytes.iter().flat_map(|b| decoder.push(&[*b]).unwrap()).collect();
        assert_eq!(frames, expected(), "byte by byte");
    }

    #[test]
    fn an_endless_line_or_event_is_an_error() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(&vec![b'x'; MAX_FRAME_BYTES + 1]), Err(FrameTooLong));
        let mut decoder = Decoder::default();
        let line = format!("data: {}\n", "x".repeat(1000));
        assert!((0..2_000).any(|_| decoder.push(line.as_bytes()) == Err(FrameTooLong)));
    }

    #[test]
    fn bytes_that_are_no_text_do_not_stop_the_stream() {
        let mut decoder = Decoder::default();
        let frames = decoder.push(b"data: a\xff\xfeb\n\n").unwrap();
        assert_eq!(frames, [frame("", "a\u{fffd}\u{fffd}b")]);
    }
}
