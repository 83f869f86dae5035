//! Tools against real servers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::borrow::Cow;
use std::sync::Mutex;

use dgh_ir::{
    Auth, Expr, ExprKind, FieldDef, Format, HttpRequest, Kind, Origin, Param, Part, RecordDef, Template,
};
use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::policy::Policy;
use crate::testing::{Reply, Server};

/// The facts of a call: `env.API` is the server.
struct Facts(String);

impl Scope for Facts {
    fn slot(&self, _: SlotId) -> Option<&Value> {
        None
    }
    fn slot_name(&self, _: SlotId) -> &'static str {
        "?"
    }
    fn builtin(&self, name: Builtin) -> Value {
        match name {
            Builtin::CallId => Value::Text("call-1".into()),
            _ => Value::None,
        }
    }
    fn env(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "API" => Some(self.0.as_str().into()),
            "VERSION" => Some("v1/beta".into()),
            _ => None,
        }
    }
    fn language(&self) -> &'static str {
        "en"
    }
}

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, origin: Origin::NONE }
}

fn text() -> Type {
    Type::of(Kind::Text)
}

fn constant(value: &str) -> Expr {
    expr(ExprKind::Const(Value::Text(value.into())), text())
}

fn secret(name: &str) -> Expr {
    expr(ExprKind::Secret(name.into()), Type::of(Kind::Secret))
}

/// A template out of `"{API}/a/{0}?x={1}"`: names are `env`, numbers are parameters.
fn template(source: &str, params: &[Param]) -> Template {
    let mut parts = Vec::new();
    for (index, piece) in source.split(['{', '}']).enumerate() {
        if index % 2 == 0 {
            if !piece.is_empty() {
                parts.push(Part::Text(piece.into()));
            }
            continue;
        }
        let filled = match piece.parse::<u32>() {
            Ok(slot) => expr(ExprKind::Slot(SlotId(slot)), params[slot as usize].ty.clone()),
            Err(_) => expr(ExprKind::Env(piece.into()), text()),
        };
        parts.push(Part::Value { expr: filled, format: None::<Format> });
    }
    Template { parts }
}

fn param(name: &str, ty: Type) -> Param {
    Param { name: name.into(), ty, default: None, about: None, origin: Origin::NONE }
}

/// A tool that is easy to change.
fn tool(method: Method, url: &str, params: Vec<Param>) -> Tool {
    let http = HttpRequest {
        method,
        url: template(url, &params),
        headers: Vec::new(),
        body: None,
        auth: None,
        result: None,
    };
    Tool {
        name: "lookup".into(),
        about: String::new(),
        params,
        result: Some(Type::of(Kind::Json)),
        action: ToolAction::Http(Box::new(http)),
        timeout_ms: 5_000,
        retries: 0,
        idempotent: false,
        origin: Origin::NONE,
    }
}

fn http(tool: &mut Tool) -> &mut HttpRequest {
    match &mut tool.action {
        ToolAction::Http(http) => http,
        other => panic!("{other:?}"),
    }
}

struct World {
    server: Server,
    tools: Tools,
    pauses: Arc<Mutex<Vec<Duration>>>,
    program: Program,
}

impl World {
    async fn new(answer: impl Fn(usize, &crate::testing::Received) -> Reply + Send + Sync + 'static) -> Self {
        let secrets = [("KEY", "hush"), ("BAD", "a\nb"), ("ID_SECRET", "s:ec/ret")];
        let secrets: HashMap<String, SecretString> =
            secrets.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned().into())).collect();
        let pauses = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&pauses);
        let pause: Pause = Arc::new(move |delay| {
            noted.lock().unwrap().push(delay);
            futures::future::ready(()).boxed()
        });
        let client = Client::new(Policy::with_private()).unwrap();
        let tools = Tools::with_pause(client, Arc::new(secrets), pause);
        Self { server: Server::start(answer).await, tools, pauses, program: Program::default() }
    }

    async fn run(&self, tool: &Tool, arguments: Json) -> Result<Json, NetError> {
        self.run_with(tool, arguments, None, None).await
    }

    async fn run_with(
        &self,
        tool: &Tool,
        arguments: Json,
        key: Option<&str>,
        timeout: Option<Duration>,
    ) -> Result<Json, NetError> {
        let facts = Facts(self.server.url(""));
        let call = Call {
            program: &self.program,
            what: What::Tool(tool),
            arguments: &arguments,
            facts: &facts,
            locale: Locale::default(),
            now: DateTime::UNIX_EPOCH,
            idempotency_key: key,
            timeout,
        };
        self.tools.start(call).await
    }

    fn targets(&self) -> Vec<String> {
        self.server.received().into_iter().map(|r| r.target).collect()
    }
}

fn ok() -> Reply {
    Reply::json(&json!({ "ok": true }))
}

#[tokio::test]
async fn values_are_encoded_for_the_place_where_they_stand() {
    let world = World::new(|_, _| ok()).await;
    let params =
        vec![param("who", text()), param("q", text()), param("day", Type::of(Kind::Date).optional())];
    let tool = tool(Method::Get, "{API}/{VERSION}/people/{0}/x?q={1}&day={2}&z=1", params);
    let spiky = "a/b ?&#%é+=";
    world.run(&tool, json!({ "who": spiky, "q": spiky, "day": "2026-03-01" })).await.unwrap();
    let encoded = "a%2Fb%20%3F%26%23%25%C3%A9%2B%3D";
    assert_eq!(world.targets(), [format!("/v1/beta/people/{encoded}/x?q={encoded}&day=2026-03-01&z=1")]);
}

#[tokio::test]
async fn a_missing_value_takes_its_parameter_with_it() {
    let world = World::new(|_, _| ok()).await;
    let params = || vec![param("a", text().optional()), param("b", text().optional())];
    for (url, arguments) in [
        ("{API}/x?a={0}&b={1}", json!({})),
        ("{API}/x?a={0}&b={1}", json!({ "b": "2" })),
        ("{API}/x?a={0}&b={1}", json!({ "a": "1", "b": null })),
        ("{API}/x?k=1&a={0}-{1}&z=2", json!({ "a": "1" })),
        ("{API}/x?a={0}{1}&z=2#f", json!({ "b": "1" })),
    ] {
        world.run(&tool(Method::Get, url, params()), arguments).await.unwrap();
    }
    assert_eq!(world.targets(), ["/x", "/x?b=2", "/x?a=1", "/x?k=1&z=2", "/x?z=2"]);
    let error = world.run(&tool(Method::Get, "{API}/x/{0}", params()), json!({})).await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (NetErrorKind::Refused, "a value in an address is missing")
    );
}

#[tokio::test]
async fn a_value_cannot_leave_its_place_in_the_address() {
    let world = World::new(|_, _| ok()).await;
    let by_id = tool(Method::Get, "{API}/users/{0}/delete", vec![param("id", text())]);
    for id in ["..", ".", "%2e%2e", ""] {
        let result = world.run(&by_id, json!({ "id": id })).await;
        if id == "%2e%2e" {
            result.unwrap();
        } else {
            assert_eq!(result.unwrap_err().kind, NetErrorKind::Refused, "{id:?}");
        }
    }
    assert_eq!(world.targets(), ["/users/%252e%252e/delete"], "what is encoded stays so");
    let joined = tool(Method::Get, "{API}/a/{0}{1}/b", vec![param("x", text()), param("y", text())]);
    assert_eq!(
        world.run(&joined, json!({ "x": ".", "y": "." })).await.unwrap_err().kind,
        NetErrorKind::Refused
    );
    let by_host = tool(Method::Get, "http://{0}.example.com/", vec![param("region", text())]);
    for region in ["evil.com/", "evil.com#", "user@evil", "a:80", "", "evil.com?"] {
        assert_eq!(
            world.run(&by_host, json!({ "region": region })).await.unwrap_err().kind,
            NetErrorKind::Refused,
            "{region:?}"
        );
    }
    let anything = tool(Method::Get, "{0}", vec![param("link", Type::of(Kind::Url))]);
    let error = world.run(&anything, json!({ "link": "http://169.254.169.254/latest" })).await.unwrap_err();
    assert_eq!(error.kind, NetErrorKind::Refused);
}

#[tokio::test]
async fn a_body_is_json_without_what_is_missing() {
    let world = World::new(|_, _| ok()).await;
    for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
        let params =
            vec![param("name", text()), param("note", text().optional()), param("n", Type::of(Kind::Number))];
        let mut posting = tool(method, "{API}/x", params);
        let slot = |i: u32, ty: Type| expr(ExprKind::Slot(SlotId(i)), ty);
        let fields = vec![
            ("name".into(), slot(0, text())),
            ("note".into(), slot(1, text().optional())),
            (
                "deep".into(),
                expr(
                    ExprKind::Record(vec![("n".into(), slot(2, Type::of(Kind::Number)))]),
                    Type::of(Kind::Json),
                ),
            ),
            ("call".into(), expr(ExprKind::Builtin(Builtin::CallId), text())),
        ];
        http(&mut posting).body = Some(expr(ExprKind::Record(fields), Type::of(Kind::Json)));
        world.run_with(&posting, json!({ "name": "Ann", "n": 0.1 }), Some("key-1"), None).await.unwrap();
    }
    for (received, method) in world.server.received().iter().zip(["POST", "PUT", "PATCH", "DELETE"]) {
        assert_eq!(received.method, method);
        assert_eq!(received.text(), r#"{"name":"Ann","deep":{"n":0.1},"call":"call-1"}"#);
        assert_eq!(received.header("content-type"), Some("application/json"));
        assert_eq!(received.header("accept"), Some("application/json"));
        assert_eq!(received.header("idempotency-key"), Some("key-1"));
    }
}

#[tokio::test]
async fn a_form_is_sent_when_the_header_says_so() {
    let world = World::new(|_, _| ok()).await;
    let mut posting = tool(Method::Post, "{API}/x", vec![param("to", text())]);
    http(&mut posting).headers = vec![("Content-Type".into(), constant("application/x-www-form-urlencoded"))];
    let field = expr(ExprKind::Slot(SlotId(0)), text());
    http(&mut posting).body = Some(expr(ExprKind::Record(vec![("To".into(), field)]), Type::of(Kind::Json)));
    world.run(&posting, json!({ "to": "+1 & 2" })).await.unwrap();
    assert_eq!(world.server.received()[0].text(), "To=%2B1+%26+2");
}

#[tokio::test]
async fn a_get_has_no_idempotency_key() {
    let world = World::new(|_, _| ok()).await;
    world.run_with(&tool(Method::Get, "{API}/x", vec![]), json!({}), Some("key-1"), None).await.unwrap();
    assert_eq!(world.server.received()[0].header("idempotency-key"), None);
}

fn with_auth(kind: &str, args: Vec<(&str, Expr)>) -> Tool {
    let mut tool = tool(Method::Get, "{API}/x?a=1", vec![]);
    let args = args.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    http(&mut tool).auth = Some(Auth { kind: kind.into(), args, origin: Origin::NONE });
    tool
}

#[tokio::test]
async fn credentials_go_where_their_kind_says() {
    let world = World::new(|_, _| ok()).await;
    for tool in [
        with_auth("bearer", vec![("token", secret("KEY"))]),
        with_auth("basic", vec![("user", constant("ann")), ("password", secret("KEY"))]),
        with_auth("header", vec![("name", constant("X-Key")), ("value", secret("KEY"))]),
        with_auth("query", vec![("name", constant("api key")), ("value", secret("KEY"))]),
    ] {
        world.run(&tool, json!({})).await.unwrap();
    }
    let received = world.server.received();
    assert_eq!(received[0].header("authorization"), Some("Bearer hush"));
    assert_eq!(received[1].header("authorization"), Some("Basic YW5uOmh1c2g="));
    assert_eq!(received[2].header("x-key"), Some("hush"));
    assert_eq!(received[3].target, "/x?a=1&api+key=hush");
}

#[tokio::test]
async fn headers_are_filled_in_and_those_of_the_connection_are_refused() {
    let world = World::new(|_, _| ok()).await;
    let mut tool = tool(Method::Get, "{API}/x", vec![param("tag", text().optional())]);
    let part = |expr: Expr| Part::Value { expr, format: None };
    let token = Template { parts: vec![Part::Text("Token ".into()), part(secret("KEY"))] };
    http(&mut tool).headers = vec![
        ("X-Token".into(), expr(ExprKind::Template(token), text())),
        ("X-Tag".into(), expr(ExprKind::Slot(SlotId(0)), text().optional())),
        ("Accept".into(), constant("text/plain")),
    ];
    world.run(&tool, json!({ "tag": "grün" })).await.unwrap();
    world.run(&tool, json!({})).await.unwrap();
    let received = world.server.received();
    assert_eq!(received[0].header("x-token"), Some("Token hush"));
    assert_eq!(received[0].header("x-tag"), Some("grün"));
    assert_eq!(received[1].header("x-tag"), None);
    assert_eq!(received[0].header("accept"), Some("text/plain"));
    let injected = world.run(&tool, json!({ "tag": "a\r\nHost: evil" })).await.unwrap_err();
    assert_eq!(injected.kind, NetErrorKind::Refused);
    http(&mut tool).headers = vec![("Host".into(), constant("evil"))];
    assert_eq!(world.run(&tool, json!({})).await.unwrap_err().kind, NetErrorKind::Refused);
}

#[tokio::test]
async fn what_is_not_set_up_says_which() {
    let world = World::new(|_, _| ok()).await;
    let error =
        world.run(&with_auth("bearer", vec![("token", secret("OTHER"))]), json!({})).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (NetErrorKind::Setup, "`secret.OTHER` is not set"));
    let error = world.run(&with_auth("bearer", vec![("token", secret("BAD"))]), json!({})).await.unwrap_err();
    assert!(error.message.contains("characters") && !error.message.contains('\n'), "{error}");
    let error = world.run(&tool(Method::Get, "{NOT_THERE}/x", vec![]), json!({})).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (NetErrorKind::Setup, "`env.NOT_THERE` is not set"));
    let error = world.run(&with_auth("magic", vec![]), json!({})).await.unwrap_err();
    assert_eq!(error.message, "this runtime does not know `auth: magic`");
}

fn with_token(token_url: String) -> Tool {
    with_auth(
        "oauth2",
        vec![
            ("token_url", constant(&token_url)),
            ("client_id", constant("an id")),
            ("client_secret", secret("ID_SECRET")),
            ("scope", constant("read write")),
        ],
    )
}

#[tokio::test]
async fn a_token_is_fetched_once_and_kept() {
    let world = World::new(|_, request| match request.target.as_str() {
        "/token" => Reply::json(&json!({ "access_token": "t1", "token_type": "bearer", "expires_in": 3600 })),
        _ => ok(),
    })
    .await;
    let tool = with_token(world.server.url("/token"));
    let (first, second) = tokio::join!(world.run(&tool, json!({})), world.run(&tool, json!({})));
    first.and(second).unwrap();
    world.run(&tool, json!({})).await.unwrap();
    let received = world.server.received();
    let tokens: Vec<_> = received.iter().filter(|r| r.target == "/token").collect();
    assert_eq!((tokens.len(), received.len()), (1, 4));
    assert_eq!(tokens[0].text(), "grant_type=client_credentials&scope=read+write");
    assert_eq!(
        tokens[0].header("authorization"),
        Some("Basic YW4raWQ6cyUzQWVjJTJGcmV0"),
        "an+id:s%3Aec%2Fret"
    );
    assert!(
        received
            .iter()
            .filter(|r| r.target != "/token")
            .all(|r| r.header("authorization") == Some("Bearer t1"))
    );
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_replaced_once() {
    let world = World::new(|n, request| match request.target.as_str() {
        "/token" => Reply::json(&json!({ "access_token": format!("t{n}") })),
        _ if request.header("authorization") == Some("Bearer t2") => ok(),
        _ => Reply::new(401, "text/plain", ""),
    })
    .await;
    let tool = with_token(world.server.url("/token"));
    assert_eq!(world.run(&tool, json!({})).await, Ok(json!({ "ok": true })));
    assert_eq!(world.targets(), ["/token", "/x?a=1", "/token", "/x?a=1"]);
}

#[tokio::test]
async fn a_token_that_is_never_accepted_is_a_status_and_no_loop() {
    let world = World::new(|_, request| match request.target.as_str() {
        "/token" => Reply::json(&json!({ "access_token": "t", "expires_in": "10" })),
        _ => Reply::new(401, "text/plain", ""),
    })
    .await;
    let tool = with_token(world.server.url("/token"));
    assert_eq!(world.run(&tool, json!({})).await.unwrap_err().status, Some(401));
    assert_eq!(world.targets().len(), 4);
}

#[tokio::test]
async fn a_token_address_that_answers_nonsense_is_an_error() {
    let world = World::new(|n, _| match n {
        0 => Reply::new(200, "text/html", "<html>"),
        1 => Reply::json(&json!({ "access_token": "" })),
        2 => Reply::json(&json!({ "access_token": "t", "token_type": "mac" })),
        _ => Reply::new(400, "application/json", r#"{"error":"invalid_client"}"#),
    })
    .await;
    let tool = with_token(world.server.url("/token"));
    for kind in
        [NetErrorKind::BadAnswer, NetErrorKind::BadAnswer, NetErrorKind::BadAnswer, NetErrorKind::Status]
    {
        let error = world.run(&tool, json!({})).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.starts_with("no token: "));
    }
}

#[tokio::test]
async fn what_reads_only_is_tried_again_and_the_server_says_when() {
    let world = World::new(|n, _| match n {
        0 => Reply::default(),
        1 => Reply::head(429, &[("retry-after", "3"), ("content-length", "0")]),
        2 => Reply::new(503, "text/plain", ""),
        _ => ok(),
    })
    .await;
    let tool = Tool { retries: 3, ..tool(Method::Get, "{API}/x", vec![]) };
    assert_eq!(world.run(&tool, json!({})).await, Ok(json!({ "ok": true })));
    let pauses = world.pauses.lock().unwrap().clone();
    assert_eq!((pauses.len(), pauses[1]), (3, Duration::from_secs(3)));
    assert!(pauses[0] >= Duration::from_millis(100) && pauses[2] >= Duration::from_millis(400), "{pauses:?}");
}

#[tokio::test]
async fn tries_are_counted_and_only_what_may_pass_is_tried_again() {
    let counts = |status: u16, retry_after: &'static str, tool: Tool| async move {
        let world = World::new(move |_, _| {
            Reply::head(status, &[("retry-after", retry_after), ("content-length", "0")])
        })
        .await;
        let error = world.run(&tool, json!({})).await.unwrap_err();
        assert_eq!((error.kind, error.status), (NetErrorKind::Status, Some(status)));
        world.server.received().len()
    };
    let get = |retries: u32| Tool { retries, ..tool(Method::Get, "{API}/x", vec![]) };
    let post = |idempotent: bool| Tool { retries: 2, idempotent, ..tool(Method::Post, "{API}/x", vec![]) };
    assert_eq!(counts(500, "", get(0)).await, 1);
    assert_eq!(counts(500, "", get(2)).await, 3);
    assert_eq!(counts(404, "", get(2)).await, 1);
    assert_eq!(counts(429, "60", get(2)).await, 1, "nobody waits a minute on the telephone");
    assert_eq!(counts(503, "", post(false)).await, 1);
    assert_eq!(counts(503, "", post(true)).await, 3);
}

#[tokio::test]
async fn a_slow_server_times_out_per_attempt_and_as_a_whole() {
    let world = World::new(|_, _| Reply::default().stall()).await;
    let slow = Tool { timeout_ms: 40, retries: 1, ..tool(Method::Get, "{API}/x", vec![]) };
    assert_eq!(world.run(&slow, json!({})).await.unwrap_err().kind, NetErrorKind::Timeout);
    assert_eq!(world.server.received().len(), 2);
    let whole = Tool { timeout_ms: 60_000, ..slow };
    let error = world.run_with(&whole, json!({}), None, Some(Duration::from_millis(40))).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (NetErrorKind::Timeout, "no answer within 40 ms"));
}

#[tokio::test]
async fn the_answer_is_checked_against_the_declared_type() {
    let mut world = World::new(|n, _| match n {
        0 => Reply::json(&json!({ "data": { "name": "Ann", "day": "2026-03-01", "extra": 1 } })),
        1 => Reply::json(&json!({ "data": { "name": "Ann", "day": "someday" } })),
        2 => Reply::json(&json!({ "other": 1 })),
        3 => Reply::new(200, "text/html", "<html>Sign in</html>"),
        4 => Reply::head(200, &[("content-length", "50")]).send("{\"data\":"),
        _ => Reply::new(200, "application/json", format!("{{\"data\":\"{}\"}}", "x".repeat(2 << 20))),
    })
    .await;
    let field = |name: &str, ty: Type| FieldDef { name: name.into(), ty, about: None, origin: Origin::NONE };
    let person = world.program.records.push(RecordDef {
        name: "Person".into(),
        fields: vec![
            field("name", text()),
            field("day", Type::of(Kind::Date)),
            field("phone", Type::of(Kind::Phone).optional()),
        ],
        origin: Origin::NONE,
    });
    let mut tool = tool(Method::Get, "{API}/x", vec![]);
    tool.result = Some(Type::of(Kind::Record(person)));
    http(&mut tool).result = Some("$.data".into());
    assert_eq!(world.run(&tool, json!({})).await, Ok(json!({ "name": "Ann", "day": "2026-03-01" })));
    for (kind, message) in [
        (
            NetErrorKind::BadAnswer,
            "the answer does not fit: day: expected a date, like 2026-03-01, found the text \"someday\"",
        ),
        (NetErrorKind::BadAnswer, "the answer has nothing at `$.data`"),
        (NetErrorKind::BadAnswer, "the answer is not JSON"),
        (NetErrorKind::Network, "the answer of 127.0.0.1"),
        (NetErrorKind::TooLarge, "the answer of 127.0.0.1"),
    ] {
        let error = world.run(&tool, json!({})).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.starts_with(message), "{error}");
    }
}

#[tokio::test]
async fn arguments_are_checked_and_defaults_filled_in() {
    let world = World::new(|_, _| ok()).await;
    let mut limit = param("limit", Type::of(Kind::Int));
    limit.default = Some(expr(ExprKind::Const(Value::Int(5)), Type::of(Kind::Int)));
    let tool =
        tool(Method::Get, "{API}/x?day={0}&limit={1}", vec![param("day", Type::of(Kind::Date)), limit]);
    world.run(&tool, json!({ "day": "2026-03-01" })).await.unwrap();
    assert_eq!(world.targets(), ["/x?day=2026-03-01&limit=5"]);
    for (arguments, message) in [
        (json!({}), "`day` of `lookup` is missing"),
        (
            json!({ "day": "soon" }),
            "`day` of `lookup`: expected a date, like 2026-03-01, found the text \"soon\"",
        ),
        (json!([1]), "the arguments of `lookup` are not an object"),
    ] {
        let error = world.run(&tool, arguments).await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (NetErrorKind::Refused, message));
    }
    assert_eq!(world.server.received().len(), 1);
}

#[tokio::test]
async fn built_in_tools_need_no_server() {
    let world = World::new(|_, _| panic!("nothing is asked")).await;
    let builtin = |name: &str, param: Param, result: Type| Tool {
        action: ToolAction::Builtin(name.into()),
        result: Some(result),
        ..tool(Method::Get, "", vec![param])
    };
    let calculator = builtin("calculator", param("expression", text()), Type::of(Kind::Number));
    assert_eq!(world.run(&calculator, json!({ "expression": "0.1 + 0.2" })).await, Ok(json!(0.3)));
    let error = world.run(&calculator, json!({ "expression": "1 / 0" })).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (NetErrorKind::Refused, "this divides by zero"));
    let clock = builtin("clock", param("time_zone", text()), Type::of(Kind::Json));
    let time = world.run(&clock, json!({ "time_zone": "Asia/Tokyo" })).await.unwrap();
    assert_eq!((&time["date"], &time["time"]), (&json!("1970-01-01"), &json!("09:00:00")));
    let other = builtin("teleport", param("x", text()), text());
    assert!(world.run(&other, json!({ "x": "" })).await.unwrap_err().message.contains("teleport"));
}
