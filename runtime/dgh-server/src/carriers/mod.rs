//! Carriers: the webhook that says where to send the sound, and the socket that takes it.

pub(crate) mod signature;
pub(crate) mod socket;
pub(crate) mod tickets;
pub(crate) mod twilio;
