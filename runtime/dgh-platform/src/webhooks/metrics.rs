//! Figures of deliveries.

use std::time::Duration;

use crate::calls::Kind;

/// How long an attempt takes.
pub const DELIVERY_SECONDS: &str = "dgh_webhook_attempt_seconds";
const ATTEMPTS: &str = "dgh_webhook_attempts_total";
const KEPT: &str = "dgh_webhook_deliveries_total";
const DEAD: &str = "dgh_webhook_dead_letters_total";
const TRIPS: &str = "dgh_webhook_breaker_trips_total";
const WAITING: &str = "dgh_webhook_waiting";
const PARKED: &str = "dgh_webhook_parked";
const OVERDUE: &str = "dgh_webhook_oldest_overdue_seconds";

/// What each figure is, for those who read them.
pub const DESCRIPTIONS: &[(Kind, &str, &str)] = &[
    (Kind::Histogram, DELIVERY_SECONDS, "How long an attempt to deliver a webhook takes"),
    (Kind::Counter, ATTEMPTS, "Attempts to deliver webhooks, by how they went"),
    (Kind::Counter, KEPT, "Webhook deliveries that were queued"),
    (Kind::Counter, DEAD, "Webhook deliveries that were given up"),
    (Kind::Counter, TRIPS, "How often an endpoint was left alone because it kept failing"),
    (Kind::Gauge, WAITING, "Webhook deliveries that wait to be sent, of all nodes"),
    (Kind::Gauge, PARKED, "Webhook deliveries that wait for somebody to set something up, of all nodes"),
    (Kind::Gauge, OVERDUE, "For how long the oldest webhook delivery has been due"),
];

pub(super) fn kept(count: usize) {
    metrics::counter!(KEPT).increment(count as u64);
}

/// `delivered`, `failed`, `refused`, `parked`.
pub(super) fn attempt(result: &'static str, took: Duration) {
    metrics::counter!(ATTEMPTS, "result" => result).increment(1);
    metrics::histogram!(DELIVERY_SECONDS).record(took.as_secs_f64());
}

pub(super) fn dead() {
    metrics::counter!(DEAD).increment(1);
}

pub(super) fn tripped() {
    metrics::counter!(TRIPS).increment(1);
}

#[allow(clippy::cast_precision_loss, reason = "a figure")]
pub(super) fn waiting(pending: i64, parked: i64, overdue: Duration) {
    metrics::gauge!(WAITING).set(pending as f64);
    metrics::gauge!(PARKED).set(parked as f64);
    metrics::gauge!(OVERDUE).set(overdue.as_secs_f64());
}
