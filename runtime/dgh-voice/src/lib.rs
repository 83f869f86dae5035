//! The voice loop: audio, turn taking, playout, recording, the drivers of a call.
