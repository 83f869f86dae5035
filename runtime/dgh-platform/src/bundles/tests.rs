#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::large_futures)]

use std::collections::BTreeMap;
use std::sync::Arc;

use dgh_store::agents::{self as rows, traffic};
use dgh_store::audit::{self, Actor, Filter};
use dgh_store::testing::postgres_url;
use dgh_store::{OrgId, StoreError};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::profiles::{PRODUCTION, Settings as ProfileSettings};
use super::*;
use crate::platform::Settings;
use crate::{Agent, Options, Platform, Wanted, secrets};

struct House {
    _data: TempDir,
    platform: Arc<Platform>,
    agents: Arc<Agents>,
    org: OrgId,
}

/// A house on each kind of database.
async fn on_both(test: impl AsyncFn(&House)) {
    for url in [None, Some(postgres_url().await)] {
        let data = TempDir::new().unwrap();
        let settings = Settings { database: url, ..Settings::in_folder(data.path()) };
        let (platform, _) = Platform::open(settings).await.unwrap();
        let platform = Arc::new(platform);
        let wanted = Wanted { stt: Some("none".into()), tts: Some("none".into()), ..Wanted::default() };
        let agents = Agents::new(Arc::clone(&platform), Options { wanted, ..Options::default() });
        let org = agents.home().await.unwrap();
        let house = House { _data: data, platform, agents, org };
        test(&house).await;
        house.platform.db.close().await;
    }
}

fn text(words: &str) -> String {
    format!(
        "dgh 1\n\nagent desk {{\n  outcome done\n  start hello\n  node hello {{\n    ask \"{words}\"\n    \
         when bye: \"They say goodbye\" -> end done\n  }}\n}}\n"
    )
}

fn files(all: &[(&str, &str)]) -> BTreeMap<String, Content> {
    all.iter().map(|(path, text)| ((*path).to_owned(), Content::Bytes(text.as_bytes().to_vec()))).collect()
}

fn wish() -> Wish {
    Wish { draft: None, note: "why".to_owned(), profile: None, percent: 100, trusted: false }
}

impl House {
    async fn create(&self, slug: &str) -> rows::Agent {
        let mut tx = self.platform.db.begin().await.unwrap();
        let new = NewAgent {
            slug: slug.to_owned(),
            name: None,
            entry: None,
            part: None,
            profile: PRODUCTION.to_owned(),
            source: "api",
        };
        let made = create(&mut tx, &self.org, new, &Actor::server(), 1).await.unwrap();
        tx.commit().await.unwrap();
        made
    }

    async fn put(
        &self,
        slug: &str,
        was: Option<&str>,
        sent: BTreeMap<String, Content>,
    ) -> Result<Put, BundleError> {
        let mut tx = self.platform.db.begin().await?;
        let row = rows::find(&mut tx, &self.org, slug).await?;
        let was = was.unwrap_or(&row.draft).to_owned();
        let put = put(&mut tx, &self.org, &row, &was, sent, &Actor::server(), 2).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(put)
    }

    async fn publish(&self, slug: &str, wish: Wish) -> Result<Published, BundleError> {
        publish(&self.platform.db, &self.org, slug, wish, &Actor::server(), 3).await
    }

    /// An agent with a release that says these words.
    async fn with_release(&self, words: &str) -> Published {
        self.put("desk", None, files(&[("agent.dgh", &text(words))])).await.unwrap();
        self.publish("desk", wish()).await.unwrap()
    }

    async fn resolve(&self, version: Version, key: Option<&str>) -> Result<Arc<Agent>, BundleError> {
        self.agents.resolve(&self.org, "desk", &version, key).await
    }

    async fn set_secret(&self, profile: &str, name: &str, value: &str) {
        let mut tx = self.platform.db.begin().await.unwrap();
        let to = (profile, name);
        secrets::set(
            &mut tx,
            &self.platform.vault,
            &self.org,
            to,
            &value.to_owned().into(),
            &Actor::server(),
            5,
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    async fn actions(&self) -> Vec<String> {
        let mut conn = self.platform.db.read().acquire().await.unwrap();
        let all = audit::list(&mut conn, &self.org, &Filter::default(), None, 200).await.unwrap();
        all.into_iter().map(|entry| entry.action).rev().collect()
    }
}

fn number(agent: &Arc<Agent>) -> Option<i64> {
    agent.pinned.as_ref().unwrap().release.as_ref().map(|(_, number)| *number)
}

#[tokio::test]
async fn a_draft_is_written_over_what_was_read_and_answers_nobody() {
    on_both(async |house| {
        let made = house.create("desk").await;
        let first =
            house.put("desk", Some(&made.draft), files(&[("agent.dgh", &text("One?"))])).await.unwrap();
        assert!(first.changed);
        let late = house.put("desk", Some(&made.draft), files(&[("agent.dgh", &text("Two?"))])).await;
        let Err(BundleError::Stale { current }) = late else { panic!("{late:?}") };
        assert_eq!(current, first.hash);
        let same =
            house.put("desk", Some(&first.hash), files(&[("agent.dgh", &text("One?"))])).await.unwrap();
        assert!(!same.changed && same.hash == first.hash);
        let none = house.resolve(Version::Production, None).await;
        assert!(matches!(none, Err(BundleError::NoRelease { .. })));
        let draft = house.resolve(Version::Draft, None).await.unwrap();
        assert_eq!((number(&draft), draft.pinned.as_ref().unwrap().profile.as_str()), (None, "dev"));
        // The empty draft cannot be tried, and says why.
        house.put("desk", None, BTreeMap::new()).await.unwrap();
        let Err(empty) = house.resolve(Version::Draft, None).await else { panic!() };
        assert!(empty.to_string().contains("agent.dgh"), "{empty}");
    })
    .await;
}

#[tokio::test]
async fn contents_that_are_here_are_named_and_others_are_missing() {
    on_both(async |house| {
        house.create("desk").await;
        let words = text("One?");
        let put =
            house.put("desk", None, files(&[("agent.dgh", &words), ("README.md", "# Desk")])).await.unwrap();
        let sha256 = put.listing["agent.dgh"].0.clone();
        let known = Content::Known(sha256.clone());
        let again = BTreeMap::from([("agent.dgh".to_owned(), known.clone()), ("b.dgh".to_owned(), known)]);
        let put = house.put("desk", None, again).await.unwrap();
        assert_eq!(put.listing["b.dgh"], (sha256, i64::try_from(words.len()).unwrap()));
        let unknown = files::sha256(b"nobody sent this");
        let sent = BTreeMap::from([("a.txt".to_owned(), Content::Known(unknown.clone()))]);
        let missing = house.put("desk", None, sent).await;
        assert!(matches!(&missing, Err(BundleError::Missing(all)) if *all == [unknown]), "{missing:?}");
        for path in ["../x", ".env", "/etc/passwd"] {
            let bad = house.put("desk", None, files(&[(path, "x")])).await;
            assert!(matches!(bad, Err(BundleError::BadBundle(_))), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn publishing_refuses_errors_and_moves_what_answers() {
    on_both(async |house| {
        house.create("desk").await;
        let first = house.with_release("One?").await;
        assert_eq!((first.release.number, first.traffic.len(), first.traffic[0].percent), (1, 1, 100));
        let before = house.resolve(Version::Production, None).await.unwrap();
        // A draft with errors changes nothing.
        house.put("desk", None, files(&[("agent.dgh", "dgh 1\nagent desk {\n")])).await.unwrap();
        let refused = house.publish("desk", wish()).await;
        let Err(BundleError::Findings(findings)) = refused else { panic!("it has errors") };
        assert!(findings.errors > 0 && findings.report["diagnostics"][0]["file"] == "agent.dgh");
        let after = house.resolve(Version::Production, None).await.unwrap();
        assert!(Arc::ptr_eq(&before, &after), "what is prepared is kept");
        let checked = check(&house.platform.db, &house.org, "desk").await.unwrap();
        assert_eq!(checked.errors, findings.errors);
        // Another draft than the one that was looked at is not published.
        let stale = house.publish("desk", Wish { draft: Some(first.release.bundle), ..wish() }).await;
        assert!(matches!(stale, Err(BundleError::Stale { .. })));
        assert_eq!(house.with_release("Two?").await.release.number, 2);
        let now = house.resolve(Version::Production, None).await.unwrap();
        assert_eq!((number(&now), number(&before)), (Some(2), Some(1)), "a call keeps the one it began with");
        assert_ne!(now.hash(), before.hash());
        let old = house.resolve(Version::Release(1), None).await.unwrap();
        assert!(Arc::ptr_eq(&old, &before));
        let actions = house.actions().await;
        for action in ["agent.create", "agent.draft", "agent.publish", "agent.traffic"] {
            assert!(actions.iter().any(|one| one == action), "{action} in {actions:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn traffic_is_split_sticks_to_callers_and_goes_back() {
    on_both(async |house| {
        house.create("desk").await;
        house.with_release("One?").await;
        house.put("desk", None, files(&[("agent.dgh", &text("Two?"))])).await.unwrap();
        let canary = house.publish("desk", Wish { percent: 20, ..wish() }).await.unwrap();
        assert_eq!(
            canary.traffic.iter().map(|s| (s.number, s.percent)).collect::<Vec<_>>(),
            [(2, 20), (1, 80)]
        );
        let mut newest = 0;
        for caller in 0..60 {
            let key = format!("+1415555{caller:04}");
            let one = house.resolve(Version::Production, Some(&key)).await.unwrap();
            let same = house.resolve(Version::Production, Some(&key)).await.unwrap();
            assert_eq!(number(&one), number(&same));
            newest += usize::from(number(&one) == Some(2));
        }
        assert!((2..30).contains(&newest), "{newest} of 60");
        let mut tx = house.platform.db.begin().await.unwrap();
        let by = Actor::server();
        let back = serve(&mut tx, &house.org, "desk", 1, (PRODUCTION, 100), &by, 4).await.unwrap();
        assert_eq!(back.iter().map(|s| (s.number, s.percent)).collect::<Vec<_>>(), [(1, 100)]);
        let unknown = set_shares(&mut tx, &house.org, "desk", PRODUCTION, &[(9, 100)], &by, 4).await;
        assert!(matches!(unknown, Err(BundleError::Store(StoreError::NotFound { .. }))));
        tx.commit().await.unwrap();
        assert_eq!(number(&house.resolve(Version::Production, None).await.unwrap()), Some(1));
        // A release that answers nobody is kept all the same.
        house.publish("desk", Wish { percent: 0, ..wish() }).await.unwrap();
        assert_eq!(number(&house.resolve(Version::Production, None).await.unwrap()), Some(1));
        assert_eq!(number(&house.resolve(Version::Release(3), None).await.unwrap()), Some(3));
    })
    .await;
}

#[tokio::test]
async fn a_profile_gives_values_and_a_draft_never_touches_production() {
    on_both(async |house| {
        house.create("desk").await;
        let words = text("One?").replace(
            "  outcome done",
            "  outcome done\n  webhook told on call.ended {\n    post: \"https://{{ env.HOST }}/x\"\n    \
             auth: bearer(secret.TOKEN)\n    body: { outcome: call.outcome? }\n  }\n",
        );
        house.put("desk", None, files(&[("agent.dgh", &words)])).await.unwrap();
        let lacking = house.publish("desk", wish()).await;
        let Err(BundleError::Invalid { field, why }) = lacking else { panic!("{:?}", lacking.err()) };
        assert!(field == "profile" && why.contains("env.HOST"), "{why}");
        let settings = ProfileSettings {
            env: [("HOST".to_owned(), "example.org".to_owned())].into_iter().collect(),
            ..ProfileSettings::default()
        };
        let by = Actor::server();
        let mut tx = house.platform.db.begin().await.unwrap();
        let put = profiles::put(&mut tx, &house.org, PRODUCTION, Some(1), &settings, &by, 4).await.unwrap();
        assert_eq!(put.revision, 2);
        let late =
            profiles::put(&mut tx, &house.org, PRODUCTION, Some(1), &ProfileSettings::default(), &by, 4)
                .await;
        assert!(matches!(late, Err(BundleError::Stale { current }) if current == "2"));
        tx.commit().await.unwrap();
        let published = house.publish("desk", wish()).await.unwrap();
        assert_eq!(published.missing_secrets, ["TOKEN"]);
        let live = house.resolve(Version::Production, None).await.unwrap();
        assert_eq!(live.pinned.as_ref().unwrap().profile_revision, 2);
        assert!(live.secrets().secret("TOKEN").is_none() && live.secrets().secret("PATH").is_none());
        // A draft is tried in `dev`, with the secrets of `dev`.
        house.set_secret("dev", "TOKEN", "of dev").await;
        let draft = house.resolve(Version::Draft, None).await.unwrap();
        assert_eq!(draft.secrets().secret("TOKEN").unwrap().expose_secret(), "of dev");
        assert!(live.secrets().secret("TOKEN").is_none());
        house.put("desk", None, files(&[("agent.dgh", "dgh 1\n")])).await.unwrap();
        let again = house.resolve(Version::Production, None).await.unwrap();
        assert!(Arc::ptr_eq(&live, &again));
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_sealed_rotated_and_never_told() {
    on_both(async |house| {
        house.create("desk").await;
        house.with_release("One?").await;
        house.set_secret(PRODUCTION, "TOKEN", "planted-one").await;
        let live = house.resolve(Version::Production, None).await.unwrap();
        assert_eq!(live.secrets().secret("TOKEN").unwrap().expose_secret(), "planted-one");
        house.set_secret(PRODUCTION, "TOKEN", "planted-two").await;
        house.resolve(Version::Production, None).await.unwrap();
        assert_eq!(live.secrets().secret("TOKEN").unwrap().expose_secret(), "planted-two");
        // The key of the installation changes: what was sealed with the old one opens still.
        assert!(house.platform.rotate().await.unwrap() >= 1);
        assert_eq!(live.secrets().secret("TOKEN").unwrap().expose_secret(), "planted-two");
        let profile = house.agents.secrets(&house.org, PRODUCTION).await.unwrap();
        assert_eq!(profile.secret("TOKEN").unwrap().expose_secret(), "planted-two");
        let mut conn = house.platform.db.read().acquire().await.unwrap();
        let row = rows::profiles::find(&mut conn, &house.org, PRODUCTION).await.unwrap();
        let kept = rows::secrets::sealed(&mut conn, &house.org, &row.id).await.unwrap();
        assert!(kept.iter().all(|secret| !secret.sealed.contains("planted")));
        assert!(kept[0].sealed.starts_with(&house.platform.vault.mark()));
        let all = audit::list(&mut conn, &house.org, &Filter::default(), None, 200).await.unwrap();
        assert!(all.iter().any(|entry| entry.action == "secret.set"));
        assert!(all.iter().all(|entry| !entry.detail.0.to_string().contains("planted")));
        drop(conn);
        let mut tx = house.platform.db.begin().await.unwrap();
        for (name, value) in [("", "x"), ("1A", "x"), ("A-B", "x"), ("A", "")] {
            let (value, by) = (value.to_owned().into(), Actor::server());
            let set =
                secrets::set(&mut tx, &house.platform.vault, &house.org, (PRODUCTION, name), &value, &by, 6);
            assert!(set.await.is_err(), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn routes_lead_to_what_answers_or_to_one_release() {
    on_both(async |house| {
        house.create("desk").await;
        house.with_release("One?").await;
        house.with_release("Two?").await;
        let by = Actor::server();
        let new = |kind, address: &str, release| NewRoute {
            kind,
            address: address.to_owned(),
            agent: "desk".to_owned(),
            profile: None,
            release,
        };
        let mut tx = house.platform.db.begin().await.unwrap();
        let number_route = new(RouteKind::Number, "+14155550100", Some(1));
        let made = add_route(&mut tx, &house.org, number_route.clone(), &by, 4).await.unwrap();
        add_route(&mut tx, &house.org, new(RouteKind::Trigger, "orders", None), &by, 4).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = house.platform.db.begin().await.unwrap();
        let twice = add_route(&mut tx, &house.org, number_route, &by, 4).await;
        assert!(matches!(twice, Err(BundleError::Taken(_))));
        drop(tx);
        let to = async |kind, address: &str| {
            house.agents.resolve_route(&house.org, kind, address, None).await.map(|agent| number(&agent))
        };
        assert_eq!(to(RouteKind::Number, "+14155550100").await.unwrap(), Some(1));
        assert_eq!(to(RouteKind::Trigger, "orders").await.unwrap(), Some(2));
        let mut tx = house.platform.db.begin().await.unwrap();
        remove_route(&mut tx, &house.org, &made.id, &by, 5).await.unwrap();
        tx.commit().await.unwrap();
        assert!(to(RouteKind::Number, "+14155550100").await.is_err());
        // Put away, nothing leads to it; a call that is pinned to its release still finds it.
        let pinned = house.resolve(Version::Production, None).await.unwrap();
        let (release, _) = pinned.pinned.as_ref().unwrap().release.clone().unwrap();
        let mut tx = house.platform.db.begin().await.unwrap();
        archive(&mut tx, &house.org, "desk", &by, 6).await.unwrap();
        tx.commit().await.unwrap();
        assert!(house.resolve(Version::Production, None).await.is_err());
        assert!(to(RouteKind::Trigger, "orders").await.is_err());
        let found = house.agents.pinned(&house.org, &release, PRODUCTION).await.unwrap();
        assert_eq!(number(&found), Some(2));
        // Made again it is the same agent, whose releases go on.
        house.create("desk").await;
        assert_eq!(house.with_release("Three?").await.release.number, 3);
    })
    .await;
}

#[tokio::test]
async fn an_agent_of_somebody_else_starts_no_commands_and_asks_no_private_hosts() {
    on_both(async |house| {
        house.create("desk").await;
        let words =
            text("One?").replace("agent desk {", "mcp shell { command: \"sh -c true\" }\n\nagent desk {");
        let toml = "[profiles.production]\nallow_private = [\"private\", \"127.0.0.1\"]\n";
        house.put("desk", None, files(&[("agent.dgh", &words), ("dgh.toml", toml)])).await.unwrap();
        house.publish("desk", wish()).await.unwrap();
        let agent = house.resolve(Version::Production, None).await.unwrap();
        let refused = agent.toolbox().list_mcp("shell").await.unwrap_err();
        assert!(refused.to_string().contains("commands are not started here"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn releases_are_compared() {
    on_both(async |house| {
        house.create("desk").await;
        house.with_release("One?").await;
        house.with_release("Two?").await;
        let db = &house.platform.db;
        let found = compare(db, &house.org, "desk", Side::Release(1), Side::Release(2)).await.unwrap();
        assert_eq!(found.changes.len(), 1, "{found:?}");
        assert_eq!((found.changes[0].aspect, found.breaks()), (Some("steps"), false));
        let same = compare(db, &house.org, "desk", Side::Release(2), Side::Draft).await.unwrap();
        assert!(same.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_examples_are_there_at_a_first_start() {
    on_both(async |house| {
        let made = examples::import(&house.agents, &house.org).await.unwrap();
        assert!(made.contains(&"clinic".to_owned()) && made.len() >= 4, "{made:?}");
        let live = house.agents.live(&house.org).await.unwrap();
        assert_eq!(live.iter().map(|(slug, _)| slug.clone()).collect::<Vec<_>>(), made);
        assert!(live.iter().all(|(_, agent)| agent.chosen.uses.llm == "offline model"));
        assert!(examples::import(&house.agents, &house.org).await.unwrap().is_empty());
        let mut conn = house.platform.db.read().acquire().await.unwrap();
        let row = rows::find(&mut conn, &house.org, "clinic").await.unwrap();
        assert_eq!(traffic::all(&mut conn, &house.org, &row.id).await.unwrap()[0].profile, "dev");
    })
    .await;
}
