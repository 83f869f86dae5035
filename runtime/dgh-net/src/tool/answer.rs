//! What a tool answers: picked out of the response, checked against the declared type.

use dgh_ir::{Kind, Locale, Program, Type, from_json, to_json};
use serde_json::Value as Json;
use serde_json_path::JsonPath;

use crate::error::{NetError, NetErrorKind};

/// Bytes of an answer that are read; the limit of the client.
pub const MAX_RESULT_BYTES: usize = crate::client::MAX_ANSWER_BYTES;

/// Reads the answers of one tool.
pub(crate) struct Reader {
    ty: Option<Type>,
    path: Option<(JsonPath, bool, String)>,
    /// The types that the result is made of.
    program: Program,
    locale: Locale,
}

impl Reader {
    pub(crate) fn new(
        program: &Program,
        ty: Option<&Type>,
        path: Option<&str>,
        locale: Locale,
    ) -> Result<Self, NetError> {
        let path = path.map(|text| match JsonPath::parse(text) {
            Ok(path) => Ok((path, is_singular(text), text.to_owned())),
            Err(_) => Err(NetError::new(NetErrorKind::Refused, format!("`{text}` is not a JSONPath"))),
        });
        // Only enums and records are looked at; they are small.
        let types =
            Program { enums: program.enums.clone(), records: program.records.clone(), ..Program::default() };
        Ok(Self { ty: ty.cloned(), path: path.transpose()?, program: types, locale })
    }

    /// The result in a response.
    pub(crate) fn read(&self, body: &[u8]) -> Result<Json, NetError> {
        let Some(ty) = &self.ty else { return Ok(Json::Null) };
        if body.iter().all(u8::is_ascii_whitespace) {
            return check(&self.program, Some(ty), &Json::Null, self.locale);
        }
        let json: Json =
            serde_json::from_slice(body).map_err(|_| bad("the answer is not JSON".to_owned()))?;
        let Some((path, singular, text)) = &self.path else {
            return check(&self.program, Some(ty), &json, self.locale);
        };
        let found = path.query(&json).all();
        let picked = match (found.as_slice(), *singular) {
            // A path with a wildcard or a filter picks many: a list, whatever it finds.
            (found, false) if matches!(ty.kind, Kind::List(_)) => {
                Json::Array(found.iter().map(|v| (*v).clone()).collect())
            }
            ([one], _) => (*one).clone(),
            ([], _) if ty.optional => Json::Null,
            ([], _) => return Err(bad(format!("the answer has nothing at `{text}`"))),
            (many, _) => {
                return Err(bad(format!(
                    "the answer has {} values at `{text}`, and one was expected",
                    many.len()
                )));
            }
        };
        check(&self.program, Some(ty), &picked, self.locale)
    }
}

/// An answer in the form of its type; null for none.
pub(crate) fn check(
    program: &Program,
    ty: Option<&Type>,
    json: &Json,
    locale: Locale,
) -> Result<Json, NetError> {
    let Some(ty) = ty else { return Ok(Json::Null) };
    if matches!(ty.kind, Kind::Json | Kind::Hole) {
        return Ok(json.clone());
    }
    match from_json(program, ty, json, locale) {
        Ok(value) => Ok(to_json(&value)),
        Err(error) => Err(bad(format!("the answer does not fit: {error}"))),
    }
}

fn bad(message: String) -> NetError {
    NetError::new(NetErrorKind::BadAnswer, message)
}

/// Whether a path picks one place (RFC 9535, singular query): names and indices alone.
fn is_singular(path: &str) -> bool {
    let mut quote = None;
    let mut before = ' ';
    for c in path.chars() {
        match (quote, c) {
            (Some(q), c) if c == q && before != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '*' | '?' | ':' | ',') => return false,
            (None, '.') if before == '.' => return false,
            _ => {}
        }
        before = c;
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn list(kind: Kind) -> Type {
        Type::of(Kind::List(Box::new(Type::of(kind))))
    }

    fn read(ty: Type, path: Option<&str>, body: &Json) -> Result<Json, String> {
        let reader = Reader::new(&Program::default(), Some(&ty), path, Locale::default()).unwrap();
        reader.read(body.to_string().as_bytes()).map_err(|e| e.message)
    }

    #[test]
    fn a_path_picks_the_result() {
        let body =
            json!({ "slots": ["2026-03-01"], "n": 3, "items": [{ "name": "a" }], "q'": { "x.y": true } });
        assert_eq!(read(list(Kind::Date), Some("$.slots"), &body), Ok(json!(["2026-03-01"])));
        assert_eq!(read(Type::of(Kind::Int), Some("$['n']"), &body), Ok(json!(3)));
        assert_eq!(
            read(list(Kind::Text), Some("$.items[*].name"), &body),
            Ok(json!(["a"])),
            "one match of many is a list"
        );
        assert_eq!(read(list(Kind::Text), Some("$.items[?@.name == 'z'].name"), &body), Ok(json!([])));
        assert_eq!(read(Type::of(Kind::Text), Some("$.items[?@.name == 'a'].name"), &body), Ok(json!("a")));
        assert_eq!(read(Type::of(Kind::Bool), Some(r#"$["q'"]["x.y"]"#), &body), Ok(json!(true)));
        assert_eq!(read(Type::of(Kind::Text).optional(), Some("$.none"), &body), Ok(Json::Null));
        assert_eq!(
            read(Type::of(Kind::Text), Some("$.none"), &body),
            Err("the answer has nothing at `$.none`".into())
        );
    }

    #[test]
    fn an_answer_of_the_wrong_type_says_where() {
        let error = read(list(Kind::Date), None, &json!(["2026-03-01", "soon"])).unwrap_err();
        assert_eq!(
            error,
            "the answer does not fit: [1]: expected a date, like 2026-03-01, found the text \"soon\""
        );
        let many = read(Type::of(Kind::Int), Some("$[*]"), &json!([1, 2])).unwrap_err();
        assert_eq!(many, "the answer has 2 values at `$[*]`, and one was expected");
    }

    #[test]
    fn a_wrong_path_is_refused() {
        assert!(Reader::new(&Program::default(), None, Some("slots["), Locale::default()).is_err());
    }

    #[test]
    fn without_a_type_nothing_is_read_and_an_empty_answer_is_missing() {
        let reader = Reader::new(&Program::default(), None, None, Locale::default()).unwrap();
        assert_eq!(reader.read(b"<html>"), Ok(Json::Null));
        let optional = Type::of(Kind::Text).optional();
        let reader = Reader::new(&Program::default(), Some(&optional), None, Locale::default()).unwrap();
        assert_eq!(reader.read(b" \n"), Ok(Json::Null));
        assert_eq!(reader.read(b"{").unwrap_err().message, "the answer is not JSON");
    }
}
