//! The OpenAPI document. Routes say what is theirs in `#[utoipa::path]`; what holds for all of them is
//! added here, so that no route can forget it: who may ask, how errors look, the key of a create.

use std::collections::{HashMap, HashSet};

use axum::http::Method;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::problem::{Fault, PROBLEM_JSON, Told};

/// What is not a route's.
#[derive(OpenApi)]
#[openapi(components(schemas(Told, Fault)))]
struct Shared;

/// Where a document lists its operations.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

const ABOUT: &str = "\
Agents, calls and whatever belongs to them. Programs send a key: `Authorization: Bearer dgh_…` or \
`X-API-Key: dgh_…`; browsers have a session. What an operation needs stands in its `security`: a role \
(`viewer`, `editor`, `owner`; a later one may do what an earlier one may) and a scope.

**Errors** are problems of RFC 9457: compare `code`, show `detail` and `hint`. What belongs to another \
organisation is not found. **Lists** come in pages: pass `next` on as `after`. **Creates** take an \
`Idempotency-Key`: the same request with the same key is answered as before, for a day. Times are \
milliseconds since 1970, UTC. Who asks too often gets 429 and `Retry-After`.";

/// A document with nothing but what is shared.
pub(super) fn shared() -> utoipa::openapi::OpenApi {
    Shared::openapi()
}

/// The whole document, of the routes'.
pub(super) fn finish(routes: &utoipa::openapi::OpenApi) -> Value {
    let mut document = serde_json::to_value(routes).unwrap_or_default();
    let Some(root) = document.as_object_mut() else { return document };
    root.insert("openapi".to_owned(), json!("3.1.0"));
    let info = json!({
        "title": "dgh",
        "description": ABOUT,
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "BSD-2-Clause", "identifier": "BSD-2-Clause" },
    });
    root.insert("info".to_owned(), info);
    root.insert("servers".to_owned(), json!([{ "url": "/" }]));
    let ways = json!({
        "key": { "type": "http", "scheme": "bearer", "bearerFormat": "dgh_…", "description": "An API key." },
        "session": {
            "type": "apiKey", "in": "cookie", "name": "dgh_session",
            "description": "The cookie of whoever is signed in; over TLS it is called `__Host-dgh_session`.",
        },
    });
    if let Some(components) = root.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), ways);
    }
    let mut names = HashSet::new();
    for (path, method, operation) in operations_mut(&mut document) {
        name(operation, &path, &mut names);
        complete(&method, operation);
    }
    document
}

/// The parameters behind the `?` that each operation knows, by method and path.
pub(super) fn parameters(document: &Value) -> HashMap<(Method, String), HashSet<String>> {
    let mut all = HashMap::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
            let known = operation["parameters"].as_array().into_iter().flatten();
            let names =
                known.filter(|known| known["in"] == "query").filter_map(|known| known["name"].as_str());
            all.insert((method, path.clone()), names.map(str::to_owned).collect());
        }
    }
    all
}

fn operations_mut(document: &mut Value) -> impl Iterator<Item = (String, String, &mut Map<String, Value>)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let operations = item.as_object_mut().into_iter().flatten();
        operations.filter(|(method, _)| METHODS.contains(&method.as_str())).filter_map(
            |(method, operation)| Some((path.clone(), method.clone(), operation.as_object_mut()?)),
        )
    })
}

fn complete(method: &str, operation: &mut Map<String, Value>) {
    let needs = security(operation);
    let problem = |description: &str| {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        json!({ "description": description, "content": { PROBLEM_JSON: { "schema": schema } } })
    };
    let Some(responses) = operation.entry("responses").or_insert_with(|| json!({})).as_object_mut() else {
        return;
    };
    let creates = method == "post" && responses.contains_key("201");
    for (status, response) in responses.iter_mut() {
        let described = response["description"].as_str().is_some_and(|text| !text.is_empty());
        if !described && response.get("$ref").is_none() {
            // OpenAPI 3.1 wants one.
            let text = if status == "204" { "Done." } else { "What was asked for." };
            if let Some(response) = response.as_object_mut() {
                response.insert("description".to_owned(), json!(text));
            }
        }
    }
    let mut add = |status: &str, description| {
        responses.entry(status).or_insert_with(|| problem(description));
    };
    if needs {
        add("401", "Nobody known asks.");
        add("403", "Who asks may not.");
    }
    add("429", "Too many requests; `Retry-After` says when to come back.");
    add("default", "What is wrong.");
    if let Some(body) = operation.get_mut("requestBody").and_then(Value::as_object_mut)
        && body.get("content").is_some_and(|content| content.get("application/octet-stream").is_some())
    {
        // No bytes are bytes too.
        body.insert("required".to_owned(), Value::Bool(false));
    }
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let schema = match parameter.get("name").and_then(Value::as_str) {
            Some("If-Match") => json!({ "type": "string", "pattern": "^(\\*|\"[!#-~]+\")$" }),
            _ => continue,
        };
        if let Some(parameter) = parameter.as_object_mut() {
            parameter.insert("schema".to_owned(), schema);
        }
    }
    if creates {
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        if let Some(parameters) = parameters.as_array_mut() {
            parameters.push(json!({
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "Makes it safe to repeat the request: a new word for each thing that is made.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$" },
            }));
        }
    }
}

/// Names are of the whole document; those of functions are of their modules, and several modules may
/// have one tag. Then the last word of the path tells them apart.
fn name(operation: &mut Map<String, Value>, path: &str, names: &mut HashSet<String>) {
    let tag = operation.get("tags").and_then(|tags| tags[0].as_str()).unwrap_or_default();
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
    let mut whole = format!("{}_{id}", tag.replace([' ', '-', '/'], "_"));
    let mut words = path.rsplit('/').filter(|part| !part.starts_with('{'));
    while !names.insert(whole.clone()) {
        let word = words.next().unwrap_or("again");
        whole = format!("{whole}_{}", word.replace(['-', '.'], "_"));
    }
    operation.insert("operationId".to_owned(), Value::String(whole));
}

/// Who may ask: with a key, or with a session instead. Answers whether anybody has to be known.
fn security(operation: &mut Map<String, Value>) -> bool {
    let stated = operation.get("security").and_then(Value::as_array).cloned().unwrap_or_default();
    let needs = stated.iter().find_map(|one| one.get("key").or(one.get("session")).cloned());
    let Some(needs) = needs else { return false };
    let mut ways = Vec::new();
    if stated.iter().any(|one| one.get("key").is_some()) {
        ways.push(json!({ "key": needs }));
    }
    ways.push(json!({ "session": needs }));
    operation.insert("security".to_owned(), Value::Array(ways));
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_who_may_ask() {
        let mut document = crate::v1::the_document();
        let mut names = HashSet::new();
        for (path, method, operation) in operations_mut(&mut document) {
            let place = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(id.clone()), "{place} has the name of another: {id}");
            assert!(operation["security"].is_array(), "{place} does not say who may ask");
            assert!(operation["summary"].is_string(), "{place} does not say what it does");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let text = response["description"].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{place} does not say what {status} means");
            }
        }
        assert!(names.len() > 50, "{} operations", names.len());
        assert_eq!(document["openapi"], "3.1.0");
    }
}
