#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::fixture::*;
use crate::{Origin, Type};

type Piece<'a> = Result<&'a str, (Expr, Option<Format>)>;

fn post(url: Vec<Piece<'_>>) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url: template(url),
        headers: Vec::new(),
        body: None,
        auth: None,
        result: None,
    }
}

fn texted(id: u32) -> Expr {
    slot(id, Type::of(Kind::Text))
}

fn maybe(id: u32) -> Expr {
    expr(ExprKind::Maybe(Box::new(texted(id))), Type::of(Kind::Text).optional())
}

fn secret(name: &str) -> Expr {
    expr(ExprKind::Secret(name.into()), Type::of(Kind::Secret))
}

fn address(url: Vec<Piece<'_>>, slots: &[(&'static str, Option<Value>)]) -> Result<String, RequestError> {
    envelope(&types(), &post(url), &World::new(slots)).map(|envelope| envelope.url)
}

#[test]
fn a_value_stays_in_the_place_where_it_stands() {
    let world = [("x", Some(text("a/b?c=d&e#f")))];
    let url = vec![Ok("https://example.com/"), Err((texted(0), None)), Ok("?q="), Err((texted(0), None))];
    let encoded = "a%2Fb%3Fc%3Dd%26e%23f";
    assert_eq!(address(url, &world).unwrap(), format!("https://example.com/{encoded}?q={encoded}"));
    let host = vec![Ok("https://"), Err((texted(0), None)), Ok(".example.com/")];
    assert!(matches!(address(host, &world), Err(RequestError::Unfit(why)) if why.contains("host")));
    for dots in [".", "..", "%2e%2E"] {
        let url = vec![Ok("https://example.com/a/"), Err((texted(0), None)), Ok("/b")];
        let climbs = address(url, &[("x", Some(text(dots)))]);
        // A value's own percent sign is encoded, so that the last one is no way up.
        assert_eq!(climbs.is_err(), dots != "%2e%2E", "{dots}: {climbs:?}");
    }
    let empty = vec![Ok("https://example.com/"), Err((texted(0), None))];
    assert!(address(empty, &[("x", Some(text("")))]).is_err());
}

#[test]
fn a_missing_value_takes_its_parameter_of_the_query_with_it() {
    let url = || vec![Ok("https://example.com/?a="), Err((maybe(0), None)), Ok("&b=1")];
    assert_eq!(address(url(), &[("x", None)]).unwrap(), "https://example.com/?b=1");
    assert_eq!(address(url(), &[("x", Some(text("7")))]).unwrap(), "https://example.com/?a=7&b=1");
    let path = vec![Ok("https://example.com/"), Err((maybe(0), None))];
    assert_eq!(address(path, &[("x", None)]), Err(RequestError::Missing("a value in an address")));
}

#[test]
fn configuration_may_hold_more_than_one_segment() {
    let env = expr(ExprKind::Env("API".into()), Type::of(Kind::Text));
    let url = vec![Err((env, None)), Ok("/calls")];
    assert_eq!(address(url, &[]).unwrap(), "https://api.example.com/calls");
}

#[test]
fn secrets_stay_names_until_they_are_filled_in() {
    let mut request = post(vec![Ok("https://example.com/")]);
    let bearer = template(vec![Ok("Bearer "), Err((secret("TOKEN"), None)), Ok(" "), Err((texted(0), None))]);
    let bearer = expr(ExprKind::Template(bearer), Type::of(Kind::Text));
    request.headers = vec![("A".into(), bearer), ("B".into(), maybe(1))];
    request.auth = Some(Auth {
        kind: "basic".into(),
        args: vec![("user".into(), texted(0)), ("password".into(), secret("WORD"))],
        origin: Origin::NONE,
    });
    let envelope =
        envelope(&types(), &request, &World::new(&[("x", Some(text("ann"))), ("y", None)])).unwrap();
    assert_eq!(envelope.headers.len(), 1, "what is missing is left out");
    let words = &envelope.headers[0].1;
    assert_eq!(
        words.0,
        [Word::Text("Bearer ".into()), Word::Secret("TOKEN".into()), Word::Text(" ann".into())]
    );
    assert_eq!(words.filled(|name| Some(format!("<{name}>"))), Ok("Bearer <TOKEN> ann".to_owned()));
    assert_eq!(words.filled(|_| None), Err("TOKEN"));
    assert_eq!(envelope.secrets().collect::<Vec<_>>(), ["TOKEN", "WORD"]);
    let json = serde_json::to_string(&envelope).unwrap();
    assert_eq!(serde_json::from_str::<Envelope>(&json).unwrap(), envelope);
}

#[test]
fn a_record_shows_an_address_without_its_private_values() {
    let private = || reveal(slot(0, Type { private: true, ..Type::of(Kind::Text) }));
    let url = vec![Ok("https://example.com/"), Err((private(), None)), Ok("?b="), Err((texted(1), None))];
    let world = World::new(&[("account", Some(text("A-77"))), ("b", Some(text("1")))]);
    let envelope = envelope(&types(), &post(url), &world).unwrap();
    assert_eq!(envelope.url, "https://example.com/A-77?b=1");
    assert_eq!(envelope.masked_url, "https://example.com/[account]?b=1");
}
