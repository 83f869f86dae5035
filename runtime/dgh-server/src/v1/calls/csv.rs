//! Calls as a table for spreadsheets, written while it is read.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use chrono::{SecondsFormat, TimeZone as _, Utc};
use dgh_platform::access::{Role, Scope};
use dgh_platform::calls::book::Book;
use dgh_store::calls::{self, CallRow, Filter, Sort};
use dgh_store::{CallId, OrgId, StoreError};
use futures::stream;

use super::book;
use super::list::Which;
use crate::app::App;
use crate::v1::problem::Problem;
use crate::v1::take::Query;
use crate::v1::who::Who;

/// Calls that are read at a time.
const AT_A_TIME: i64 = 500;

const HEAD: [&str; 18] = [
    "id",
    "agent",
    "release",
    "created",
    "live",
    "ended",
    "seconds",
    "direction",
    "channel",
    "line",
    "test",
    "caller",
    "called",
    "outcome",
    "ended_by",
    "turns",
    "cost_usd",
    "values",
];

/// Exports calls as CSV, the oldest first. A cell that a spreadsheet would take for a formula begins
/// with an apostrophe.
#[utoipa::path(
    get, path = "/calls.csv", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(Which),
    responses((status = 200, content_type = "text/csv", body = String)),
)]
pub(crate) async fn export(
    State(app): State<Arc<App>>,
    who: Who,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let mut table = Table {
        book: Arc::clone(book(&app)?),
        org: who.org,
        filter: which.filter()?,
        after: None,
        begun: false,
        done: false,
    };
    // The first rows now: an error is an answer, and not a table that breaks off.
    let first = table.next().await?.unwrap_or_default();
    let rest = stream::try_unfold(table, async |mut table| {
        let more = table.next().await?;
        Ok::<_, StoreError>(more.map(|text| (text, table)))
    });
    let all = futures::StreamExt::chain(stream::iter([Ok(first)]), rest);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"calls.csv\""),
    ];
    Ok((headers, Body::from_stream(all)).into_response())
}

/// A table that is being read.
struct Table {
    book: Arc<Book>,
    org: OrgId,
    filter: Filter,
    after: Option<(i64, CallId)>,
    begun: bool,
    done: bool,
}

impl Table {
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.done {
            return Ok(None);
        }
        let mut text = String::new();
        if !std::mem::replace(&mut self.begun, true) {
            line(&mut text, HEAD);
        }
        let mut conn = self.book.read().await?;
        let after = self.after.as_ref().map(|(at, id)| (*at, id));
        let rows = calls::list(&mut conn, &self.org, &self.filter, Sort::Oldest, after, AT_A_TIME).await?;
        for row in &rows {
            let values = calls::values_of(&mut conn, &self.org, &row.id).await?;
            cells(&mut text, row, &values);
        }
        self.done = rows.len() < usize::try_from(AT_A_TIME).unwrap_or(0);
        self.after = rows.into_iter().last().map(|row| (row.created_at, row.id));
        Ok(Some(text.into()))
    }
}

fn cells(text: &mut String, row: &CallRow, values: &[(String, String)]) {
    let values: Vec<String> = values.iter().map(|(name, shown)| format!("{name}={shown}")).collect();
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    let whole = [
        row.id.to_string(),
        row.agent.clone(),
        of(&row.release),
        time(Some(row.created_at)),
        time(row.live_at),
        time(row.ended_at),
        row.duration_ms.map(|ms| format!("{}.{:03}", ms / 1_000, ms % 1_000)).unwrap_or_default(),
        row.direction.clone(),
        row.channel.clone(),
        row.line.clone(),
        if row.test == 1 { "yes" } else { "no" }.to_owned(),
        of(&row.caller),
        of(&row.called),
        of(&row.outcome),
        of(&row.ended_by),
        row.turns.to_string(),
        row.micro_usd
            .map(|micro| format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000))
            .unwrap_or_default(),
        values.join("; "),
    ];
    line(text, whole.iter().map(String::as_str));
}

fn line<'a>(text: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (number, one) in cells.into_iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        cell(text, one);
    }
    text.push_str("\r\n");
}

/// A cell (RFC 4180). One that begins like a formula is a text (OWASP, "CSV Injection").
fn cell(out: &mut String, text: &str) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !formula && !text.contains(['"', ',', '\r', '\n']) {
        return out.push_str(text);
    }
    out.push('"');
    if formula {
        out.push('\'');
    }
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

fn time(at: Option<i64>) -> String {
    let at = at.and_then(|at| Utc.timestamp_millis_opt(at).single());
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_text_and_never_a_formula() {
        let of = |text: &str| {
            let mut out = String::new();
            cell(&mut out, text);
            out
        };
        assert_eq!(of("desk"), "desk");
        assert_eq!(of("a,b"), "\"a,b\"");
        assert_eq!(of("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(of("+14155550100"), "\"'+14155550100\"");
        assert_eq!(of("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"");
        for formula in ["@SUM(A1)", "-1+1", "\t=1", "\r=1"] {
            assert!(of(formula).starts_with("\"'"), "{formula:?}");
        }
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(time(Some(1_767_225_600_123)), "2026-01-01T00:00:00.123Z");
        assert_eq!(time(None), "");
    }
}
