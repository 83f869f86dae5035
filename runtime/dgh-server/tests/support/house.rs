//! A server with an owner, and ways to ask it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dgh_platform::access::{self, FirstOwner, Identity, NewKey, Role, Scopes};
use dgh_platform::calls::book::{Book, BookSettings};
use dgh_platform::calls::{Calls, Settings as CallSettings};
use dgh_platform::platform::Settings as PlatformSettings;
use dgh_platform::{Agents, FirstStart, Options, Platform, Wanted};
use dgh_server::{ApiSettings, Running, Settings, start};
use dgh_store::OrgId;
use dgh_store::accounts::orgs::{self, Org};
use dgh_store::audit::Actor;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::made;
use crate::operations::{self, Operation};

pub(crate) struct House {
    folder: TempDir,
    running: Running,
    client: Client,
    pub(crate) platform: Arc<Platform>,
    pub(crate) owner: FirstOwner,
    /// The owner's.
    pub(crate) key: String,
    /// What the parameters of paths name.
    pub(crate) made: BTreeMap<String, String>,
    person: OnceCell<(String, Json)>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap_or_default() }
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or(Json::Null)
    }

    /// Status and code of an error.
    pub(crate) fn code(&self) -> (u16, &str) {
        // Codes are words: the text holds them as they are.
        let code = self.text.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next());
        (self.status.as_u16(), code.unwrap_or_default())
    }
}

impl House {
    /// As the world sees it: with a public address. Things are there that paths can name.
    pub(crate) async fn closed() -> Self {
        let api = ApiSettings {
            rate: Some(0),
            // Every request comes from another address, so that strangers are not too many.
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            ..ApiSettings::default()
        };
        let public_url = Some("http://calls.example.org".parse().unwrap());
        let mut house = Self::with(Settings { api, public_url, ..Settings::default() }).await;
        house.made = made::all(&house).await;
        house
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let folder = TempDir::new().unwrap();
        let (platform, first) = Platform::open(PlatformSettings::in_folder(folder.path())).await.unwrap();
        let FirstStart::Made(owner) = first else { panic!("it is new") };
        let platform = Arc::new(platform);
        let wanted = Wanted { stt: Some("none".into()), tts: Some("none".into()), ..Wanted::default() };
        let agents = Agents::new(Arc::clone(&platform), Options { wanted, ..Options::default() });
        let home = agents.home().await.unwrap();
        let book = Book::open(Arc::clone(&platform), home, [7; 32], BookSettings::default()).await.unwrap();
        let calls = Calls::new(CallSettings { book: Some(book), ..CallSettings::default() }).unwrap();
        let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let running = start(listen, agents, calls, settings).await.unwrap();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (key, made, person) = (owner.key.clone(), BTreeMap::new(), OnceCell::new());
        Self { folder, running, client, platform, owner, key, made, person }
    }

    /// What the API can do.
    pub(crate) async fn operations(&self) -> Vec<Operation> {
        let document = self.ask(Method::GET, "/api/v1/openapi.json", Some(&self.key), None).await;
        operations::of(document.json())
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.running.address))
    }

    /// Asks, from an address of its own.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Json>,
    ) -> Answer {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let [_, b, c, d] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut request = self.request(method.clone(), path);
        if self.is_closed() {
            request = request.header("x-forwarded-for", format!("203.{b}.{c}.{d}"));
        }
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if method == Method::PUT {
            request = request.header("if-match", "*");
        }
        if path.ends_with("/socket") {
            request = request
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    fn is_closed(&self) -> bool {
        !self.made.is_empty()
    }

    /// Makes a key.
    pub(crate) async fn key(&self, new: &Json) -> String {
        let made = self.ask(Method::POST, "/api/v1/api-keys", Some(&self.key), Some(new)).await;
        made.json()["key"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned()
    }

    /// The owner of another organisation, of a new one each time: their key.
    pub(crate) async fn other_owner(&self) -> String {
        let now = self.platform.now();
        let org = Org { id: OrgId::fresh(), name: "Other".to_owned(), created_at: now };
        let (role, scopes) = (Role::Owner, Scopes::ALL);
        let owner = Identity { org: org.id.clone(), user: None, key: None, session: None, role, scopes };
        let new = NewKey { name: "theirs".to_owned(), role, scopes, expires_at: None };
        let mut tx = self.platform.db.begin().await.unwrap();
        orgs::insert(&mut tx, &org).await.unwrap();
        let made = access::make_key(&mut tx, &owner, new, &Actor::server(), now).await.unwrap();
        tx.commit().await.unwrap();
        made.secret
    }

    /// The cookie of the owner, and what signing in answered.
    pub(crate) async fn owner_session(&self) -> (String, Json) {
        let sign_in = async || {
            let body = json!({ "email": self.owner.email, "password": self.owner.password });
            let answer = self.ask(Method::POST, "/api/v1/session", None, Some(&body)).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            let cookie = answer.headers["set-cookie"].to_str().unwrap();
            (cookie.split(';').next().unwrap().to_owned(), answer.json())
        };
        self.person.get_or_init(sign_in).await.clone()
    }

    /// As the owner in a browser; after [`Self::owner_session`].
    pub(crate) fn of_person(&self, request: RequestBuilder) -> RequestBuilder {
        let (cookie, _) = self.person.get().unwrap();
        request.header("cookie", cookie).header("sec-fetch-site", "same-origin")
    }

    pub(crate) async fn as_person(&self, method: Method, path: &str, body: Option<&Json>) -> Answer {
        self.owner_session().await;
        let mut request = self.of_person(self.request(method, path));
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// What the owner can read, by path. What changes by itself is left out.
    pub(crate) async fn everything(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for operation in self.operations().await {
            let reads = operation.method == Method::GET && !operation.needs.is_empty();
            if !reads || operation.is_endless() || operation.is_personal() {
                continue;
            }
            let path = operation.path(|name| self.made[name].clone());
            let answer = self.ask(Method::GET, &path, Some(&self.key), None).await;
            // Looking at it changes when a key was used, and until when a link is good.
            let moves = |part: &str| part.contains("\"used_at\"") || part.contains("signature=");
            let text = answer.text.split(',').filter(|part| !moves(part)).collect::<Vec<_>>();
            all.insert(path, format!("{} {}", answer.status, text.join(",")));
        }
        all
    }

    /// The bytes of the database.
    pub(crate) fn database(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for name in ["dgh.db", "dgh.db-wal"] {
            bytes.extend(std::fs::read(self.folder.path().join(name)).unwrap_or_default());
        }
        assert!(bytes.len() > 10_000);
        bytes
    }
}
