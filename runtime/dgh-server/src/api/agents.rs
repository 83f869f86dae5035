//! `GET /api/agents`: who can be called.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;

/// The agents that are served, and how a browser finds its way to them.
pub(crate) async fn list(State(app): State<Arc<App>>) -> Json<Value> {
    let current = app.deployments.current();
    let agents: Vec<Value> = current
        .iter()
        .map(|(id, agent)| {
            json!({
                "id": id,
                "name": agent.name,
                "file": agent.project.entry,
                "languages": agent.languages,
                "outbound": agent.outbound,
                "inputs": agent.inputs,
                "uses": agent.chosen.uses,
            })
        })
        .collect();
    Json(json!({
        "agents": agents,
        "broken": current.broken,
        "ice_servers": app.settings.ice.servers(SystemTime::now()),
        "draining": app.calls.is_draining(),
    }))
}
