//! The agents that a first start finds, so that there is somebody to talk to: the examples of the
//! repository, in the binary.

use std::collections::BTreeMap;

use dgh_store::audit::Actor;
use dgh_store::{OrgId, StoreError};
use rust_embed::RustEmbed;

use super::agents::Agents;
use super::drafts::{self, Content, NewAgent};
use super::error::BundleError;
use super::files::{SETTINGS, check_path};
use super::profiles::DEV;
use super::publish::{Wish, publish};

#[derive(RustEmbed)]
#[folder = "../../examples/"]
struct Files;

/// The examples: their names, and their files by path.
pub fn all() -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let mut all: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for path in Files::iter() {
        let Some((name, inside)) = path.split_once('/') else { continue };
        if let (Ok(()), Some(file)) = (check_path(inside), Files::get(&path)) {
            all.entry(name.to_owned()).or_default().insert(inside.to_owned(), file.data.into_owned());
        }
    }
    all.retain(|_, files| files.contains_key(SETTINGS));
    all
}

/// Makes them agents of an organisation, in the profile whose tools are mocked. One whose name is
/// taken is left out. Answers their names in addresses.
pub async fn import(agents: &Agents, org: &OrgId) -> Result<Vec<String>, BundleError> {
    let (platform, by) = (agents.platform(), Actor::server());
    let mut made = Vec::new();
    for (name, files) in all() {
        let now = platform.now();
        let mut tx = platform.db.begin().await?;
        let new = NewAgent {
            slug: name.clone(),
            name: None,
            entry: None,
            part: None,
            profile: DEV.to_owned(),
            source: "example",
        };
        let row = match drafts::create(&mut tx, org, new, &by, now).await {
            Err(BundleError::Taken(_)) => continue,
            row => row?,
        };
        let sent = files.into_iter().map(|(path, bytes)| (path, Content::Bytes(bytes))).collect();
        let put = drafts::put(&mut tx, org, &row, &row.draft, sent, &by, now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        let wish = Wish {
            draft: Some(put.hash),
            note: "An example.".to_owned(),
            profile: Some(DEV.to_owned()),
            percent: 100,
            trusted: true,
        };
        publish(&platform.db, org, &name, wish, &by, now).await?;
        made.push(name);
    }
    Ok(made)
}
