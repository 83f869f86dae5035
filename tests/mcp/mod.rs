//! Our MCP client against a server of the official SDK, over both transports.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dgh_ir::{
    Auth, Builtin, Expr, ExprKind, Kind, Locale, McpServer, Origin, Program, Scope, SlotId, Type, Value,
};
use dgh_net::{Call, Client, NetError, NetErrorKind, Policy, Tools, What};
use serde_json::{Value as Json, json};

use crate::support::root;

const TOKEN: &str = "open-sesame";

/// The Python with the SDK. Without it these tests fail: a part that is missing is no success.
fn python() -> String {
    std::env::var("DGH_TEST_PYTHON").expect(
        "DGH_TEST_PYTHON is not set: the path of a Python with the package `mcp` (2.3.0); tests/run sets both up",
    )
}

fn script() -> String {
    root().join("tests/mcp/server.py").display().to_string()
}

/// A server that listens. It ends with the test.
struct Listening(Child, u16);

impl Listening {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(python());
        command.arg(script()).arg("http").args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the Python of DGH_TEST_PYTHON starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the server prints its port; is the package `mcp` installed?");
        Self(child, port)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.1)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Facts;

impl Scope for Facts {
    fn slot(&self, _: SlotId) -> Option<&Value> {
        None
    }
    fn slot_name(&self, _: SlotId) -> &'static str {
        "?"
    }
    fn builtin(&self, _: Builtin) -> Value {
        Value::None
    }
    fn env(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
    fn language(&self) -> &'static str {
        "en"
    }
}

fn expr(kind: ExprKind) -> Expr {
    Expr { kind, ty: Type::of(Kind::Text), origin: Origin::NONE }
}

fn server() -> McpServer {
    McpServer {
        name: "calendar".into(),
        url: None,
        command: None,
        auth: None,
        allow: None,
        timeout_ms: 10_000,
        tools: None,
        origin: Origin::NONE,
    }
}

fn over_http(listening: &Listening) -> McpServer {
    McpServer { url: Some(expr(ExprKind::Const(Value::Text(listening.url())))), ..server() }
}

fn over_stdio() -> McpServer {
    let command = format!("'{}' '{}' stdio", python(), script());
    McpServer { command: Some(expr(ExprKind::Const(Value::Text(command)))), ..server() }
}

fn tools() -> Tools {
    let secrets = HashMap::from([("CAL_KEY".to_owned(), TOKEN.to_owned().into())]);
    Tools::new(Client::new(Policy::with_private().allow_commands()).unwrap(), Arc::new(secrets))
}

async fn call(tools: &Tools, server: &McpServer, tool: &str, arguments: Json) -> Result<Json, NetError> {
    let program = Program::default();
    let call = Call {
        program: &program,
        what: What::Mcp(server, tool),
        arguments: &arguments,
        facts: &Facts,
        locale: Locale::default(),
        now: chrono::DateTime::UNIX_EPOCH,
        idempotency_key: None,
        timeout: None,
    };
    tools.start(call).await
}

async fn exercise(server: McpServer) {
    let tools = tools();
    let listed = tools.list(&Program::default(), &server, &Facts).await.unwrap();
    let names: Vec<_> = listed.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(
        names,
        ["fail", "flood", "greet", "list_holidays", "quit", "sleep"],
        "in the order of their names"
    );
    let holidays = &listed[3];
    assert_eq!((holidays.about.as_str(), holidays.read_only), ("Public holidays of a country.", true));
    assert_eq!(holidays.input_schema["required"], json!(["country"]));
    assert!(holidays.output_schema.is_some());
    assert_eq!(
        (listed[5].about.as_str(), listed[5].read_only),
        ("sleep", false),
        "its name, when it does not say"
    );

    let structured = call(&tools, &server, "list_holidays", json!({ "country": "Austria" })).await;
    assert_eq!(
        structured,
        Ok(json!({ "result": [{ "name": "New Year in Austria", "date": "2026-01-01" }] }))
    );
    assert_eq!(
        call(&tools, &server, "greet", json!({ "name": "Ann" })).await,
        Ok(json!("Grüß Gott, Ann 👋"))
    );

    let both = tokio::join!(
        call(&tools, &server, "greet", json!({ "name": "A" })),
        call(&tools, &server, "greet", json!({ "name": "B" })),
    );
    assert_eq!(both, (Ok(json!("Grüß Gott, A 👋")), Ok(json!("Grüß Gott, B 👋"))));

    for (tool, arguments, kind, message) in [
        ("fail", json!({}), NetErrorKind::Status, "`fail` of `calendar` failed: "),
        (
            "list_holidays",
            json!({ "country": 7 }),
            NetErrorKind::Status,
            "`list_holidays` of `calendar` failed: ",
        ),
        ("no_such_tool", json!({}), NetErrorKind::Status, "`"),
        ("flood", json!({ "size": 2_000_000 }), NetErrorKind::TooLarge, "the answer of `flood`"),
        ("greet", json!([1]), NetErrorKind::Refused, "the arguments of `greet` are not an object"),
    ] {
        let error = call(&tools, &server, tool, arguments).await.unwrap_err();
        assert_eq!(error.kind, kind, "{tool}: {error}");
        assert!(error.message.starts_with(message), "{tool}: {error}");
    }

    let hasty = McpServer { timeout_ms: 50, ..server.clone() };
    let error = call(&tools, &hasty, "sleep", json!({ "seconds": 30 })).await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (NetErrorKind::Timeout, "`sleep` of `calendar` did not answer within 50 ms")
    );

    let strict = McpServer { allow: Some(vec!["greet".into()]), ..server.clone() };
    let error = call(&tools, &strict, "fail", json!({})).await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (NetErrorKind::Refused, "`calendar` does not allow `fail`")
    );
    assert!(call(&tools, &strict, "greet", json!({ "name": "Ann" })).await.is_ok());
    tools.close().await;
}

#[tokio::test]
async fn tools_are_listed_and_called_over_http() {
    let listening = Listening::start(&[]);
    exercise(over_http(&listening)).await;
}

#[tokio::test]
async fn tools_are_listed_and_called_over_standard_streams() {
    exercise(over_stdio()).await;
}

#[tokio::test]
async fn a_server_that_dies_is_a_network_error_and_the_next_call_starts_it_again() {
    let (tools, server) = (tools(), over_stdio());
    let error = call(&tools, &server, "quit", json!({})).await.unwrap_err();
    assert_eq!(error.kind, NetErrorKind::Network, "{error}");
    let again = tokio::time::timeout(
        Duration::from_secs(30),
        call(&tools, &server, "greet", json!({ "name": "Ann" })),
    );
    assert_eq!(again.await.unwrap(), Ok(json!("Grüß Gott, Ann 👋")));
    tools.close().await;
}

#[tokio::test]
async fn credentials_are_sent_and_their_lack_is_told() {
    let listening = Listening::start(&[TOKEN]);
    let auth = Auth {
        kind: "bearer".into(),
        args: vec![("token".into(), expr(ExprKind::Secret("CAL_KEY".into())))],
        origin: Origin::NONE,
    };
    let with = McpServer { auth: Some(auth), ..over_http(&listening) };
    let tools = tools();
    assert!(call(&tools, &with, "greet", json!({ "name": "Ann" })).await.is_ok());
    let error = call(&tools, &over_http(&listening), "greet", json!({ "name": "Ann" })).await.unwrap_err();
    assert_eq!((error.kind, error.status), (NetErrorKind::Status, Some(401)), "{error}");
    assert!(!error.message.contains(TOKEN));
    tools.close().await;
}

#[tokio::test]
async fn an_address_inside_and_a_command_are_refused_unless_allowed() {
    let listening = Listening::start(&[]);
    let guarded = Tools::new(Client::new(Policy::public()).unwrap(), Arc::new(HashMap::new()));
    for server in [over_http(&listening), over_stdio()] {
        let error = call(&guarded, &server, "greet", json!({ "name": "Ann" })).await.unwrap_err();
        assert_eq!(error.kind, NetErrorKind::Refused, "{error}");
    }
}
