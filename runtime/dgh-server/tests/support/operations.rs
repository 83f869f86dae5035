//! What the API can do, as its document says.

use reqwest::Method;
use serde_json::{Map, Value as Json, json};

/// An operation of the document.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// With its parameters: `/api/v1/agents/{agent}`.
    pub(crate) path: String,
    pub(crate) id: String,
    /// The role and the scope; empty: nobody has to be known.
    pub(crate) needs: Vec<String>,
    personal: bool,
    pub(crate) creates: bool,
    streams: bool,
    /// Parameters behind the `?` that must be there.
    query: Vec<(String, Json)>,
    schema: Json,
    schemas: Json,
}

/// All of them.
pub(crate) fn of(document: Json) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let ways = operation["security"].as_array().cloned().unwrap_or_default();
            let needs = ways.iter().find_map(|way| way.get("session").or(way.get("key")));
            let words = needs.and_then(Json::as_array).into_iter().flatten();
            let kinds = operation["responses"]["200"]["content"].as_object().cloned().unwrap_or_default();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let must = parameters.iter().filter(|known| known["in"] == "query" && known["required"] == true);
            let query = must.map(|known| {
                (known["name"].as_str().unwrap_or_default().to_owned(), known["schema"].clone())
            });
            all.push(Operation {
                query: query.collect(),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
                needs: words.map(|word| word.as_str().unwrap_or_default().to_owned()).collect(),
                personal: needs.is_some() && ways.iter().all(|way| way.get("key").is_none()),
                creates: operation["responses"].get("201").is_some() && method == "post",
                streams: kinds.contains_key("text/event-stream")
                    || operation["responses"].get("101").is_some(),
                schema: operation["requestBody"]["content"]["application/json"]["schema"].clone(),
                schemas: document["components"]["schemas"].clone(),
            });
        }
    }
    assert!(all.len() > 20, "{} operations", all.len());
    all
}

impl Operation {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Its path, with something in the places of the parameters, and the parameters that it must have.
    pub(crate) fn path(&self, fill: impl Fn(&str) -> String) -> String {
        let parts =
            self.path.split('/').map(|part| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
                Some(name) => fill(name),
                None => part.to_owned(),
            });
        let path = parts.collect::<Vec<_>>().join("/");
        let values = self.query.iter().map(|(name, schema)| {
            let value = self.sample(schema);
            format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        });
        let query = values.collect::<Vec<_>>().join("&");
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// Whether it is for people with a session alone.
    pub(crate) fn is_personal(&self) -> bool {
        self.personal
    }

    /// Whether its answer goes on and on.
    pub(crate) fn is_endless(&self) -> bool {
        self.streams
    }

    /// A body that it should take.
    pub(crate) fn body(&self) -> Option<Json> {
        if self.schema.is_null() {
            return None;
        }
        let mut body = self.sample(&self.schema);
        // What a pattern wants is not made up.
        for (id, name, value) in BODIES {
            if *id == self.id {
                body[*name] = serde_json::from_str(value).expect("JSON");
            }
        }
        Some(body)
    }

    fn sample(&self, schema: &Json) -> Json {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return self.sample(&self.schemas[name]);
        }
        if let Some(first) = schema["enum"].as_array().and_then(|words| words.first()) {
            return first.clone();
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let whole =
                parts.iter().flat_map(|part| self.sample(part).as_object().cloned().unwrap_or_default());
            return Json::Object(whole.collect());
        }
        if let Some(first) =
            schema["oneOf"].as_array().or(schema["anyOf"].as_array()).and_then(|ways| ways.first())
        {
            return self.sample(first);
        }
        let kind = schema["type"].as_str().or(schema["type"][0].as_str()).unwrap_or("object");
        match kind {
            "string" if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains('@')) => {
                json!("a@b.example")
            }
            "string" if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("\\+")) => {
                json!("+14155550100")
            }
            "string" => {
                let least = schema["minLength"].as_u64().unwrap_or(1).max(1);
                json!("a".repeat(usize::try_from(least).expect("short")))
            }
            "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
            "boolean" => json!(true),
            "array" => json!([self.sample(&schema["items"])]),
            _ => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
                let fields = required.map(|name| (name.to_owned(), self.sample(&schema["properties"][name])));
                Json::Object(fields.collect::<Map<_, _>>())
            }
        }
    }
}

/// Fields that no schema describes well enough to make one up.
const BODIES: &[(&str, &str, &str)] = &[("user_password", "new", "\"correct horse battery\"")];
