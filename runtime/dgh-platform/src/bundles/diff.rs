//! What one release does differently from another.

use dgh_ir::diff::{Diff, diff};
use dgh_ir::wire;
use dgh_store::agents::{self, releases};
use dgh_store::{Db, OrgId, StoreError};

use super::error::{BundleError, Findings};
use super::publish::{blocking, compile, texts};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A release.
    Release(i64),
    /// The draft.
    Draft,
}

/// Compares two states of an agent.
pub async fn compare(db: &Db, org: &OrgId, slug: &str, a: Side, b: Side) -> Result<Diff, BundleError> {
    let (a, b) = (program(db, org, slug, a).await?, program(db, org, slug, b).await?);
    blocking(move || diff(&a, &b)).await
}

async fn program(db: &Db, org: &OrgId, slug: &str, side: Side) -> Result<dgh_ir::Program, BundleError> {
    let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
    let agent = agents::find(&mut conn, org, slug).await?;
    match side {
        Side::Release(number) => {
            let release = releases::find(&mut conn, org, &agent.id, number).await?;
            let bytes = releases::program(&mut conn, org, &release.id).await?;
            drop(conn);
            blocking(move || wire::from_bytes(&bytes)).await?.map_err(BundleError::system)
        }
        Side::Draft => {
            let files = texts(&mut conn, org, &agent.draft).await?;
            drop(conn);
            let (_, compiled) = compile(files, agent.entry, None).await?;
            if compiled.has_errors() {
                return Err(BundleError::Findings(Box::new(Findings::of(&compiled))));
            }
            Ok(compiled.program)
        }
    }
}
