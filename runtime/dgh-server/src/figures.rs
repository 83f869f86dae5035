//! `/metrics`, as Prometheus reads it.

use std::sync::OnceLock;
use std::time::Duration;

use dgh_platform::calls::{CALL_SECONDS, DESCRIPTIONS, Kind, SECONDS};
use dgh_platform::webhooks;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Histograms collect what was measured; without a look at `/metrics` somebody must tidy up.
const UPKEEP: Duration = Duration::from_secs(5);

/// The figures of this process: there is one set of them, whoever asks first.
pub(crate) fn figures() -> anyhow::Result<PrometheusHandle> {
    static FIGURES: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    FIGURES.get_or_init(|| install().map_err(|error| error.to_string())).clone().map_err(anyhow::Error::msg)
}

fn install() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets(SECONDS)?
        .set_buckets_for_metric(Matcher::Full("dgh_call_seconds".to_owned()), CALL_SECONDS)?
        .install_recorder()?;
    for (kind, name, about) in DESCRIPTIONS.iter().chain(webhooks::DESCRIPTIONS) {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *about),
            Kind::Gauge => metrics::describe_gauge!(*name, *about),
            Kind::Histogram => metrics::describe_histogram!(*name, *about),
        }
    }
    metrics::gauge!("dgh_calls_live").set(0.0);
    Ok(handle)
}

/// Tidies up now and then, as long as it is polled.
pub(crate) async fn keep_up(figures: PrometheusHandle) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tick.tick().await;
        figures.run_upkeep();
    }
}
