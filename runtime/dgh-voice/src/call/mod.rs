//! The driver of a call: one task that moves what the others decide.
