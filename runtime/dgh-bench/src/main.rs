//! Callers that load a server.

fn main() {}
