//! What a client is told of a draft, a release or a route that is not as it should be.

use axum::http::{HeaderValue, StatusCode, header};
use dgh_platform::bundles::{BundleError, Findings};
use serde_json::Value as Json;

use crate::v1::problem::{Fault, Problem};

/// Findings that are told.
const MOST: usize = 100;

impl From<BundleError> for Problem {
    fn from(error: BundleError) -> Self {
        let told = error.to_string();
        match error {
            BundleError::Store(error) => error.into(),
            BundleError::Stale { current } => {
                let problem =
                    Self::new(StatusCode::PRECONDITION_FAILED, "stale", "it was changed in the meantime");
                let problem = problem.hint("Read it again, and send `If-Match` with its new `ETag`.");
                match HeaderValue::from_str(&format!("\"{current}\"")) {
                    Ok(tag) => problem.header(header::ETAG, tag),
                    Err(_) => problem,
                }
            }
            BundleError::Missing(missing) => {
                let faults = missing.into_iter().map(|sha256| Fault {
                    at: sha256,
                    detail: "this content is not here yet".to_owned(),
                    code: None,
                });
                Self::unprocessable("missing_contents", told)
                    .hint("Send them with `POST /api/v1/blobs`, then this again.")
                    .faults(faults.collect())
            }
            BundleError::Invalid { field, why } => Self::invalid(field, why),
            BundleError::BadBundle(why) => Self::unprocessable("bad_bundle", why),
            BundleError::Findings(findings) => Self::unprocessable("has_errors", told)
                .hint("`POST …/check` tells all that the compiler has to say.")
                .faults(faults(&findings)),
            BundleError::Unusable(why) => Self::unprocessable("unusable", format!("{why:#}")),
            BundleError::Taken(why) => Self::conflict("conflict", why),
            BundleError::NoRelease { .. } => {
                Self::conflict("no_release", told).hint("Publish one: `POST …/releases`.")
            }
            BundleError::System(why) => Self::internal(format!("{why:#}")),
        }
    }
}

/// The errors with their places: `agent.dgh:3:7`.
fn faults(findings: &Findings) -> Vec<Fault> {
    let all = findings.report.get("diagnostics").and_then(Json::as_array).into_iter().flatten();
    let text =
        |finding: &Json, name: &str| finding.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let number = |finding: &Json, place: &str| finding.pointer(place).and_then(Json::as_u64).unwrap_or(1);
    let errors = all.filter(|finding| text(finding, "severity") == "error");
    errors
        .take(MOST)
        .map(|finding| {
            let (line, col) = (number(finding, "/start/line"), number(finding, "/start/col"));
            Fault {
                at: format!("{}:{line}:{col}", text(finding, "file")),
                detail: text(finding, "message"),
                code: Some(text(finding, "code")),
            }
        })
        .collect()
}
