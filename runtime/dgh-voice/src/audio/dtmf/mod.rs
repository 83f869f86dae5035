//! Keys of a telephone as sound and as events.
//!
//! A key is two tones at once, one of four low and one of four high frequencies (ITU-T Q.23). It
//! comes and goes as sound in the line ([`Detector`], [`Dialer`]), as RTP events ([`event`]), or as
//! a message of the carrier, which needs nothing here.

mod detect;
mod dial;
pub mod event;

pub use detect::Detector;
pub use dial::Dialer;

/// Low frequencies: the rows of the keypad.
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];

/// High frequencies: the columns.
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];

/// The keypad, row by row.
const KEYPAD: [char; 16] = ['1', '2', '3', 'A', '4', '5', '6', 'B', '7', '8', '9', 'C', '*', '0', '#', 'D'];

/// The two frequencies of a key.
fn frequencies(key: char) -> Option<(f32, f32)> {
    let place = KEYPAD.iter().position(|candidate| *candidate == key.to_ascii_uppercase())?;
    Some((*ROWS.get(place / 4)?, *COLUMNS.get(place % 4)?))
}
