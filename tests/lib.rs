//! Nothing but a place for the tests to hang from.
