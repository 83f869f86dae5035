//! Calls over WebRTC: begun, signalled, ended.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use dgh_engine::Caller;
use dgh_ir::Channel;
use dgh_platform::calls::{About, Live, Summary};
use dgh_platform::{NewCall, Pending, Version};
use dgh_transport::webrtc::{self, Answered, Candidate, Candidates, Waiting};
use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::error::ApiError;

/// `POST /api/calls`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    agent: String,
    /// The SDP of an offer.
    offer: String,
    #[serde(default)]
    inputs: Map<String, Value>,
}

/// Begins a call: answers the offer. The agent speaks as soon as the connection stands.
pub(crate) async fn start(
    State(app): State<Arc<App>>,
    body: Result<Json<Start>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let Json(start) = body?;
    let agent = app.agents.resolve(&app.home, &start.agent, &Version::Production, None).await;
    let agent = agent.map_err(|error| ApiError::of_agent(&start.agent, error))?;
    let web = agent.channels.is_empty() || agent.channels.contains(&Channel::Web);
    let pending = app
        .calls
        .begin(NewCall {
            id: start.agent,
            agent,
            // An agent that is for telephones alone is tried out as if this were one.
            channel: if web { Channel::Web } else { Channel::Phone },
            line: "webrtc",
            caller: Caller::default(),
            inputs: start.inputs.into_iter().collect(),
            watched: true,
            about: About::default(),
        })
        .await?;
    let config = app.settings.ice.config(app.listens, SystemTime::now());
    let Answered { answer, peer, candidates, waiting } = match webrtc::answer(&start.offer, &config).await {
        Ok(answered) => answered,
        Err(error) => {
            pending.fail(error.to_string());
            return Err(error.into());
        }
    };
    let live = Arc::clone(pending.live());
    let id = live.summary().id;
    app.peers().insert(id.clone(), peer);
    let body = json!({ "id": id, "key": live.key(), "answer": answer });
    tokio::spawn(talk(app, pending, waiting, candidates));
    Ok((StatusCode::CREATED, Json(body)))
}

/// The call, from the answered offer to its end.
async fn talk(app: Arc<App>, pending: Pending, waiting: Waiting, mut candidates: Candidates) {
    let live = Arc::clone(pending.live());
    let id = live.summary().id;
    let call = async {
        match waiting.connected().await {
            // As large as its state, once, and not in every future around it.
            Ok(line) => Box::pin(pending.run(line)).await,
            Err(error) => pending.fail(error.to_string()),
        }
    };
    let told = async {
        while let Some(candidate) = candidates.next().await {
            live.tell(json!({ "type": "candidate", "candidate": candidate }));
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = call => {}
        () = told => {}
    }
    app.peers().remove(&id);
}

/// The calls that go on. Whoever may only list them hears nothing of what is said.
pub(crate) async fn list(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "calls": app.calls.live() }))
}

/// How a call goes, or went.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Summary>, ApiError> {
    Ok(Json(theirs(&app, &id, &headers)?.summary()))
}

/// Candidates of the caller: one, or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Sent {
    Many(Vec<Candidate>),
    One(Candidate),
}

/// Takes candidates of the caller.
pub(crate) async fn candidates(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Json<Sent>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    theirs(&app, &id, &headers)?;
    let Json(sent) = body?;
    let peer = app.peers().get(&id).cloned().ok_or_else(ApiError::no_call)?;
    let all = match sent {
        Sent::Many(all) => all,
        Sent::One(one) => vec![one],
    };
    for candidate in all {
        peer.add_candidate(candidate).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/calls/{id}/offer`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Offer {
    offer: String,
}

/// Answers another offer of the same caller: an ICE restart.
pub(crate) async fn offer(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Json<Offer>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    theirs(&app, &id, &headers)?;
    let Json(Offer { offer }) = body?;
    let peer = app.peers().get(&id).cloned().ok_or_else(ApiError::no_call)?;
    Ok(Json(json!({ "answer": peer.offer(&offer).await? })))
}

/// Hangs up for the caller. To hang up twice is no fault.
pub(crate) async fn hangup(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    theirs(&app, &id, &headers)?.hang_up();
    Ok(StatusCode::NO_CONTENT)
}

/// The call, if the request shows its key.
pub(super) fn theirs(app: &App, id: &str, headers: &HeaderMap) -> Result<Arc<Live>, ApiError> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = shown.and_then(|shown| shown.strip_prefix("Bearer ")).unwrap_or_default();
    app.calls.get(id).filter(|live| live.is_key(key)).ok_or_else(ApiError::no_call)
}
