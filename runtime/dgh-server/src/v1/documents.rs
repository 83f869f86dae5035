//! Documents of the knowledge of agents: what was read, what a question finds, a page read again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use dgh_platform::access::{Role, Scope};
use dgh_platform::bundles::{self, DraftDocument, Version};
use dgh_platform::knowledge::{Kind, name_of};
use dgh_store::knowledge::Source;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Problem;
use super::take::{Body, Path, Query};
use super::who::Who;
use crate::app::App;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(search)).routes(routes!(read_again))
}

/// Letters of a question.
const QUESTION: usize = 2_000;

/// A document of an agent's knowledge.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Document {
    /// The name of the knowledge in the program.
    knowledge: String,
    /// `file` or `url`.
    kind: &'static str,
    /// Its path in the bundle, or its address.
    source: String,
    /// `indexed`; `failed`, then `why` tells it; `waiting`: a page that is read when the draft is published.
    state: &'static str,
    /// Why it cannot be read.
    why: Option<String>,
    /// How many passages it was cut into.
    passages: Option<i64>,
    /// When it was read, for a release.
    indexed_at: Option<i64>,
}

/// All documents of an agent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Documents {
    items: Vec<Document>,
}

/// Of which state of the agent.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// The number of a release; without it the draft.
    #[param(nullable = false, minimum = 1)]
    release: Option<i64>,
}

/// Lists the documents of the draft or of a release, and whether they can be searched.
#[utoipa::path(
    get, path = "/agents/{agent}/documents", tag = "documents",
    security(("key" = ["viewer", "agents:read"])),
    params(("agent" = String, Path, description = "Its name in addresses."), Which),
    responses((status = 200, body = Documents)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    Path(agent): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Documents>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let items = match which.release {
        Some(number) => {
            let all = bundles::release_documents(app.db(), &who.org, &agent, number).await?;
            all.into_iter().map(Document::from).collect()
        }
        None => {
            let all = bundles::draft_documents(app.db(), &who.org, &agent).await?;
            all.into_iter().map(Document::from).collect()
        }
    };
    Ok(Json(Documents { items }))
}

/// A question to try out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "one of them is the question")]
pub(crate) struct Question {
    /// The name of the knowledge in the program.
    #[schema(min_length = 1, max_length = 200)]
    knowledge: String,
    /// What to look for.
    #[schema(min_length = 1, max_length = 2000)]
    question: String,
    /// The number of a release; without it the draft, in which only files are searched.
    #[serde(default)]
    #[schema(minimum = 1, nullable = false)]
    release: Option<i64>,
}

/// A passage that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Passage {
    /// The path or address of its document.
    document: String,
    /// Where it stands there: a page, headings, rows of a table; empty: in the document itself.
    place: String,
    /// Its id, as the log of a call names it.
    id: String,
    /// Its words.
    text: String,
}

/// What a question finds, the best first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Passages {
    passages: Vec<Passage>,
}

/// Looks something up as a call would, and changes nothing.
#[utoipa::path(
    post, path = "/agents/{agent}/documents/search", tag = "documents",
    security(("key" = ["viewer", "agents:read"])),
    params(("agent" = String, Path, description = "Its name in addresses.")),
    request_body = Question,
    responses((status = 200, body = Passages)),
)]
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    who: Who,
    Path(agent): Path<String>,
    Body(asked): Body<Question>,
) -> Result<Json<Passages>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let letters = asked.question.chars().count();
    if asked.question.trim().is_empty() || letters > QUESTION {
        return Err(Problem::invalid("question", format!("a question has 1 to {QUESTION} characters")));
    }
    let version = asked.release.map_or(Version::Draft, Version::Release);
    let found = app.agents.resolve(&who.org, &agent, &version, None).await?;
    let program = found.prepared().program();
    let known = program.knowledge.iter().filter_map(|(id, _)| program.knowledge_key(id));
    if !known.into_iter().any(|key| key == asked.knowledge) {
        return Err(Problem::invalid("knowledge", "the agent has no such knowledge"));
    }
    let passages = found.knowledge().passages(&asked.knowledge, &asked.question).await?;
    let shown = passages.into_iter().map(|one| Passage {
        document: one.document,
        place: one.place,
        id: one.id,
        text: one.text,
    });
    Ok(Json(Passages { passages: shown.collect() }))
}

/// A page to read again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Again {
    /// Its address, as the list of documents has it.
    #[schema(min_length = 1, max_length = 8192)]
    url: String,
}

/// Reads a page of the web again that a release searches: from the next question on, what it holds now
/// is found. Files of a release stay what they were.
#[utoipa::path(
    post, path = "/agents/{agent}/releases/{number}/documents/refresh", tag = "documents",
    security(("key" = ["editor", "agents:write"])),
    params(
        ("agent" = String, Path, description = "Its name in addresses."),
        ("number" = i64, Path, description = "The number of the release.", minimum = 1),
    ),
    request_body = Again,
    responses((status = 200, body = Documents)),
)]
pub(crate) async fn read_again(
    State(app): State<Arc<App>>,
    who: Who,
    Path((agent, number)): Path<(String, i64)>,
    Body(again): Body<Again>,
) -> Result<Json<Documents>, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let page = (agent.as_str(), number, again.url.as_str());
    let options = app.agents.options();
    let all = bundles::read_again(app.db(), &who.org, page, options, &who.actor(), app.now()).await?;
    Ok(Json(Documents { items: all.into_iter().map(Document::from).collect() }))
}

impl From<Source> for Document {
    fn from(source: Source) -> Self {
        Self {
            knowledge: source.knowledge,
            kind: if source.kind == "url" { "url" } else { "file" },
            source: source.source,
            state: "indexed",
            why: None,
            passages: Some(source.passages),
            indexed_at: Some(source.indexed_at),
        }
    }
}

impl From<DraftDocument> for Document {
    fn from(document: DraftDocument) -> Self {
        let (state, why, passages) = match document.read {
            None => ("waiting", None, None),
            Some(Ok(passages)) => ("indexed", None, i64::try_from(passages).ok()),
            Some(Err(why)) => ("failed", Some(why), None),
        };
        Self {
            knowledge: name_of(&document.knowledge).to_owned(),
            kind: if document.kind == Kind::Url { "url" } else { "file" },
            source: document.source,
            state,
            why,
            passages,
            indexed_at: None,
        }
    }
}
