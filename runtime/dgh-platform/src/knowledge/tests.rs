#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::large_futures)]

use std::collections::BTreeMap;

use dgh_compile::{Memory, compile};
use dgh_net::testing::{Reply, Server};
use dgh_store::agents as agent_rows;
use dgh_store::audit::{self, Actor, Filter};
use dgh_store::testing::postgres_url;
use tempfile::TempDir;

use super::*;
use crate::bundles::{self, BundleError, Content, NewAgent, Version, Wish};
use crate::platform::Settings;
use crate::{Agents, Options, Platform, Wanted};

const CLINIC: &[u8] = include_bytes!("../../../dgh-knowledge/fixtures/clinic.pdf");
const FAQ: &[u8] = include_bytes!("../../../dgh-knowledge/fixtures/faq.md");

fn agent(files: &str, mode: &str) -> String {
    format!(
        "dgh 1\n\nagent desk {{\n  language: \"en-US\"\n  outcome done\n  knowledge faq {{ files: [{files}], mode: {mode} }}\n  \
         start hello\n  node hello {{\n    ask \"Hello?\"\n    use faq\n    when bye: \"They say goodbye\" -> end done\n  }}\n}}\n"
    )
}

fn here(files: &str, mode: &str, all: Vec<(&str, Vec<u8>)>) -> anyhow::Result<Arc<Knowledge>> {
    let text = agent(files, mode);
    let compiled = compile(&Memory::new([("agent.dgh", text.as_str())]), "agent.dgh");
    let files = Files(all.into_iter().map(|(path, content)| (path.to_owned(), content)).collect());
    Knowledge::of_files(&files, &compiled.program, |_| false).map(Arc::new)
}

fn both() -> Vec<(&'static str, Vec<u8>)> {
    vec![("clinic.pdf", CLINIC.to_vec()), ("docs/faq.md", FAQ.to_vec())]
}

const NAMES: &str = "\"clinic.pdf\", \"docs/faq.md\"";

#[tokio::test]
async fn what_is_found_is_named_by_its_document_and_place() {
    let knowledge = here(NAMES, "search", both()).unwrap();
    let found = knowledge.search("faq", "When do you open on Saturdays?").await.unwrap();
    assert_eq!(
        (&found["passages"][0]["document"], &found["passages"][0]["place"]),
        (&json!("clinic.pdf"), &json!("page 1"))
    );
    assert!(found["passages"][0]["text"].as_str().unwrap().contains("9:00 to 12:00"));
    let id = found["passages"][0]["id"].as_str().unwrap();
    assert!(id.len() == 14 && id.ends_with(".1"), "{id}");
    let abroad = knowledge.search("faq", "parcels outside the country").await.unwrap();
    assert_eq!(abroad["passages"][0]["place"], "Questions > Deliveries > Abroad");
    let nothing = knowledge.search("faq", "zebra").await.unwrap();
    assert_eq!(nothing["passages"], json!([]));
    assert!(nothing["note"].as_str().unwrap().contains("do not know"));
    assert_eq!(knowledge.search("other", "x").await.unwrap_err().kind, "refused");
}

#[test]
fn a_document_that_cannot_be_read_is_named() {
    let told = |files: &str, all| format!("{:#}", here(files, "search", all).unwrap_err());
    assert_eq!(told("\"a.pdf\"", vec![("a.pdf", b"hello".to_vec())]), "a.pdf is no PDF");
    assert_eq!(told("\"gone.md\"", vec![]), "gone.md is not in the bundle");
    assert!(told("\"a.png\"", vec![("a.png", b"x".to_vec())]).starts_with("a.png is none of .pdf"));
}

#[test]
fn what_is_given_as_a_whole_has_to_be_followed_by_the_model() {
    let knowledge = here(NAMES, "full", both()).unwrap();
    let whole = &knowledge.whole()["faq"];
    assert!(whole.starts_with("# clinic.pdf\n## page 1\n") && whole.contains("thirty days"), "{whole}");
    assert!(here(NAMES, "search", both()).unwrap().whole().is_empty());
    let long = vec![("long.txt", "The garden opens at nine. ".repeat(2_000).into_bytes())];
    let told = format!("{:#}", here("\"long.txt\"", "full", long).unwrap_err());
    assert!(told.contains("`faq` has about 130") && told.contains("mode: search"), "{told}");
}

/// A platform on each kind of database, with an agent `desk`.
async fn on_both(test: impl AsyncFn(&Arc<Agents>, &OrgId)) {
    for url in [None, Some(postgres_url().await)] {
        let data = TempDir::new().unwrap();
        let settings = Settings { database: url, ..Settings::in_folder(data.path()) };
        let (platform, _) = Platform::open(settings).await.unwrap();
        let wanted = Wanted { stt: Some("none".into()), tts: Some("none".into()), ..Wanted::default() };
        let allow_private = vec!["127.0.0.1".to_owned()];
        let agents = Agents::new(Arc::new(platform), Options { wanted, allow_private, ..Options::default() });
        let org = agents.home().await.unwrap();
        let mut tx = agents.platform().db.begin().await.unwrap();
        let new = NewAgent {
            slug: "desk".to_owned(),
            name: None,
            entry: None,
            part: None,
            profile: bundles::profiles::PRODUCTION.to_owned(),
            source: "api",
        };
        bundles::create(&mut tx, &org, new, &Actor::server(), 1).await.unwrap();
        tx.commit().await.unwrap();
        Box::pin(test(&agents, &org)).await;
        agents.platform().db.close().await;
    }
}

async fn publish(
    agents: &Agents,
    org: &OrgId,
    text: &str,
    all: Vec<(&str, Vec<u8>)>,
) -> Result<i64, BundleError> {
    let db = &agents.platform().db;
    let mut tx = db.begin().await?;
    let row = agent_rows::find(&mut tx, org, "desk").await?;
    let mut files: BTreeMap<String, Content> =
        all.into_iter().map(|(path, content)| (path.to_owned(), Content::Bytes(content))).collect();
    files.insert("agent.dgh".to_owned(), Content::Bytes(text.as_bytes().to_vec()));
    bundles::put(&mut tx, org, &row, &row.draft, files, &Actor::server(), 2).await?;
    tx.commit().await.map_err(StoreError::from)?;
    // Settings of a folder on this machine may allow it to ask this machine.
    let trusted = text.contains("urls");
    let wish = Wish { draft: None, note: String::new(), profile: None, percent: 100, trusted };
    Ok(Box::pin(bundles::publish(db, org, "desk", wish, &Actor::server(), 3)).await?.release.number)
}

#[tokio::test]
async fn a_release_finds_what_memory_finds_and_goes_on_with_what_it_was_published_with() {
    on_both(async |agents, org| {
        let first = publish(agents, org, &agent(NAMES, "search"), both()).await.unwrap();
        let mut changed = both();
        changed[1].1 = b"# Questions\n\nA delivery takes one hour.\n".to_vec();
        let second = publish(agents, org, &agent(NAMES, "search"), changed).await.unwrap();
        let of = async |version| agents.resolve(org, "desk", &version, None).await.unwrap();
        let old = of(Version::Release(first)).await;
        let memory = here(NAMES, "search", both()).unwrap();
        for question in
            ["When do you open on Saturdays?", "how long does a delivery take", "cost of cleaning", "zebra"]
        {
            let (stored, here) =
                (old.knowledge().search("faq", question).await, memory.search("faq", question).await);
            assert_eq!(stored.unwrap(), here.unwrap(), "{question}");
        }
        let question = "how long does a delivery take";
        for version in [Version::Release(second), Version::Draft] {
            let found = of(version).await.knowledge().search("faq", question).await.unwrap();
            assert!(found["passages"][0]["text"].as_str().unwrap().contains("one hour"), "{found}");
        }
        let all = bundles::release_documents(&agents.platform().db, org, "desk", first).await.unwrap();
        let later = bundles::release_documents(&agents.platform().db, org, "desk", second).await.unwrap();
        assert_eq!(all[0].document, later[0].document, "the file that did not change was cut once");
        assert_ne!(all[1].document, later[1].document);
    })
    .await;
}

#[tokio::test]
async fn a_broken_file_stands_in_the_way_of_publishing() {
    on_both(async |agents, org| {
        let broken = vec![("clinic.pdf", b"%PDF-1.4".to_vec()), ("docs/faq.md", FAQ.to_vec())];
        let refused = publish(agents, org, &agent(NAMES, "search"), broken).await.unwrap_err();
        assert!(refused.to_string().starts_with("clinic.pdf is broken"), "{refused}");
        let all = bundles::draft_documents(&agents.platform().db, org, "desk").await.unwrap();
        assert!(matches!(&all[0].read, Some(Err(why)) if why.contains("broken")), "{all:?}");
        assert_eq!(all[1].read, Some(Ok(4)));
    })
    .await;
}

#[tokio::test]
async fn what_models_get_as_a_whole_is_in_the_start_of_a_call() {
    on_both(async |agents, org| {
        let number = publish(agents, org, &agent(NAMES, "full"), both()).await.unwrap();
        let agent = agents.resolve(org, "desk", &Version::Release(number), None).await.unwrap();
        let whole = &agent.knowledge().whole()["faq"];
        assert!(whole.starts_with("# clinic.pdf\n## page 1\n") && whole.contains("thirty days"), "{whole}");
    })
    .await;
}

#[tokio::test]
async fn a_page_of_the_web_stays_what_it_was_until_it_is_read_again() {
    let page = |times: usize| match times % 3 {
        0 => Reply::new(200, "text/html", "<h1>Hours</h1><p>We open at nine.</p><nav>Home</nav>"),
        1 => Reply::new(200, "text/html", "<h1>Hours</h1><p>We open at ten.</p>"),
        _ => Reply::new(503, "text/html", "<p>later</p>"),
    };
    let server = Server::start(move |times, _| page(times)).await;
    let url = server.url("/hours");
    on_both(async |agents, org| {
        let text = agent("", "search").replace("files: []", "urls: [\"{{ env.SITE }}/hours\"]");
        let site = url.trim_end_matches("/hours");
        let settings = format!(
            "[profiles.production]\nallow_private = [\"127.0.0.1\"]\n\n[profiles.production.env]\nSITE = \"{site}\"\n"
        );
        let all = vec![("dgh.toml", settings.into_bytes())];
        let number = publish(agents, org, &text, all).await.unwrap();
        let desk = agents.resolve(org, "desk", &Version::Release(number), None).await.unwrap();
        let found = async || desk.knowledge().search("faq", "when do you open").await.unwrap()["passages"][0].clone();
        let first = found().await;
        assert_eq!((&first["document"], &first["place"], &first["text"]), (&json!(url), &json!("Hours"), &json!("We open at nine.")));
        let db = &agents.platform().db;
        let again = async |url: &str| {
            bundles::read_again(db, org, ("desk", number, url), agents.options(), &Actor::server(), 9).await
        };
        let sources = again(&url).await.unwrap();
        assert_eq!((sources.len(), sources[0].kind.as_str(), sources[0].indexed_at), (1, "url", 9));
        assert_eq!(found().await["text"], "We open at ten.");
        let failed = again(&url).await.unwrap_err().to_string();
        assert!(failed.ends_with("its server answers 503"), "{failed}");
        assert_eq!(found().await["text"], "We open at ten.", "what was read stays");
        assert!(matches!(again("https://example.com/").await, Err(BundleError::Invalid { .. })));
        let mut conn = db.read().acquire().await.unwrap();
        let told = audit::list(&mut conn, org, &Filter::default(), None, 20).await.unwrap();
        assert_eq!(told.iter().filter(|entry| entry.action == "agent.document").count(), 1);
    })
    .await;
}
