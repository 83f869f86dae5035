//! The HTTP server: the call page, signalling, carrier sockets, health, metrics.
