//! A server that agents are pushed to: its API, and what a folder remembers of it.

mod state;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use dgh_net::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH};
use dgh_net::{Answer, Client, Method, Policy, Request};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;
use url::Url;

use crate::args;

pub use state::State;

/// Bytes of an answer: a file, or a list of files.
const MAX_ANSWER: usize = 64 << 20;
/// The longest that an answer is waited for. Publishing compiles.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A server, seen with a key.
pub struct Remote {
    client: Client,
    base: Url,
    key: String,
    runtime: Runtime,
}

/// A draft on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The hash of all of it.
    pub hash: String,
    /// The SHA-256 of each file.
    pub files: BTreeMap<String, String>,
}

/// What became of a draft that was sent.
pub enum Sent {
    /// It is there.
    Written(Draft),
    /// Somebody has changed the one that it should replace.
    Stale,
    /// Contents that the server does not have yet.
    Missing(Vec<String>),
}

impl Remote {
    /// The server of these arguments.
    pub fn new(args: &args::Remote) -> anyhow::Result<Self> {
        if !matches!(args.server.scheme(), "http" | "https") {
            bail!("`{}` is no address of a server: it begins with https:// or http://", args.server);
        }
        // It may be on this machine, or beside it: whoever runs the command named it.
        let client = Client::new(Policy::with_private())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { client, base: args.server.clone(), key: args.key.clone(), runtime })
    }

    /// Its address.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The draft of an agent; none: there is no such agent.
    pub fn draft(&self, agent: &str) -> anyhow::Result<Option<Draft>> {
        let answer = self.ask(Method::GET, &format!("/agents/{agent}/bundle"), HeaderMap::new(), None)?;
        match answer.status {
            200 => Ok(Some(draft(&answer)?)),
            404 => Ok(None),
            _ => Err(problem(&answer)),
        }
    }

    /// Makes an agent with an empty draft.
    pub fn create(&self, agent: &str, entry: Option<&str>) -> anyhow::Result<Draft> {
        let body = json!({ "slug": agent, "entry": entry });
        let answer = self.json(Method::POST, "/agents", HeaderMap::new(), &body)?;
        if answer.status != 201 {
            return Err(problem(&answer));
        }
        self.draft(agent)?.context("the server made the agent, and does not find it")
    }

    /// Writes a draft over the one with this hash.
    pub fn put(&self, agent: &str, was: &str, files: &BTreeMap<String, String>) -> anyhow::Result<Sent> {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, HeaderValue::from_str(&format!("\"{was}\""))?);
        let named: BTreeMap<_, _> =
            files.iter().map(|(path, sha256)| (path, json!({ "sha256": sha256 }))).collect();
        let answer =
            self.json(Method::PUT, &format!("/agents/{agent}/bundle"), headers, &json!({ "files": named }))?;
        let told: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
        match answer.status {
            200 => Ok(Sent::Written(draft(&answer)?)),
            412 => Ok(Sent::Stale),
            422 if told["code"] == "missing_contents" => {
                let errors = told["errors"].as_array().into_iter().flatten();
                let missing = errors.filter_map(|error| Some(error["at"].as_str()?.to_owned())).collect();
                Ok(Sent::Missing(missing))
            }
            _ => Err(problem(&answer)),
        }
    }

    /// Sends a content.
    pub fn send(&self, content: &[u8]) -> anyhow::Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let answer = self.ask(Method::POST, "/blobs", headers, Some(content.to_vec()))?;
        if answer.status == 200 { Ok(()) } else { Err(problem(&answer)) }
    }

    /// Fetches a content, and checks that it is the one.
    pub fn fetch(&self, sha256: &str) -> anyhow::Result<Vec<u8>> {
        let answer = self.ask(Method::GET, &format!("/blobs/{sha256}"), HeaderMap::new(), None)?;
        if answer.status != 200 {
            return Err(problem(&answer));
        }
        if dgh_platform::bundles::files::sha256(&answer.body) != sha256 {
            bail!("the server sent another file than the one that was asked for");
        }
        Ok(answer.body.to_vec())
    }

    /// Publishes the draft with this hash. Answers what the server says of the release.
    pub fn publish(&self, agent: &str, draft: &str, wish: &args::Publishing) -> anyhow::Result<Json> {
        let mut body = json!({ "draft": draft, "note": wish.note.clone().unwrap_or_default() });
        if let Some(profile) = &wish.profile {
            body["profile"] = json!(profile);
        }
        if let Some(percent) = wish.percent {
            body["percent"] = json!(percent);
        }
        let answer =
            self.json(Method::POST, &format!("/agents/{agent}/releases"), HeaderMap::new(), &body)?;
        match answer.status {
            201 => serde_json::from_slice(&answer.body).context("the server answers no JSON"),
            _ => Err(problem(&answer)),
        }
    }

    fn json(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: &Json,
    ) -> anyhow::Result<Answer> {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.ask(method, path, headers, Some(serde_json::to_vec(body)?))
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<Answer> {
        let url = format!("{}/api/v1{path}", self.address());
        let mut request = Request::new(method, Url::parse(&url)?);
        let mut key = HeaderValue::from_str(&format!("Bearer {}", self.key))
            .context("the key has characters that no key has")?;
        key.set_sensitive(true);
        headers.insert(AUTHORIZATION, key);
        request.headers = headers;
        request.body = body.map(Into::into);
        request.timeout = TIMEOUT;
        request.max_bytes = MAX_ANSWER;
        let answer = self.runtime.block_on(self.client.send(request));
        answer.with_context(|| format!("{} does not answer", self.address()))
    }
}

fn draft(answer: &Answer) -> anyhow::Result<Draft> {
    let told: Json = serde_json::from_slice(&answer.body).context("the server answers no JSON")?;
    let hash = told["hash"].as_str().context("the server names no hash")?.to_owned();
    let files = told["files"].as_object().context("the server names no files")?;
    let file = |(path, about): (&String, &Json)| Some((path.clone(), about["sha256"].as_str()?.to_owned()));
    Ok(Draft { hash, files: files.iter().filter_map(file).collect() })
}

/// What the server says is wrong (RFC 9457).
fn problem(answer: &Answer) -> anyhow::Error {
    let told: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| told[name].as_str().map(str::to_owned);
    let detail = text("detail").unwrap_or_else(|| format!("the server answers {}", answer.status));
    let mut message = detail;
    for error in told["errors"].as_array().into_iter().flatten().take(20) {
        let (at, detail) =
            (error["at"].as_str().unwrap_or_default(), error["detail"].as_str().unwrap_or_default());
        message = format!("{message}\n  {at}: {detail}");
    }
    match text("hint") {
        Some(hint) => anyhow::Error::msg(format!("{message}\n{hint}")),
        None => anyhow::Error::msg(message),
    }
}
