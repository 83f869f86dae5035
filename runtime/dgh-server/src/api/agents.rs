//! `GET /api/agents`: who can be called.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::ApiError;

/// The agents that are served, and how a browser finds its way to them.
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let live = app.agents.live(&app.home).await.map_err(ApiError::from)?;
    let agents: Vec<Value> = live
        .iter()
        .map(|(id, agent)| {
            json!({
                "id": id,
                "name": agent.name,
                "file": agent.entry,
                "languages": agent.languages,
                "outbound": agent.outbound,
                "inputs": agent.inputs,
                "uses": agent.chosen.uses,
            })
        })
        .collect();
    Ok(Json(json!({
        "agents": agents,
        "broken": app.agents.broken(),
        "ice_servers": app.settings.ice.servers(SystemTime::now()),
        "draining": app.calls.is_draining(),
    })))
}
