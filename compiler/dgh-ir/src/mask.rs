//! The one masking of private values. Every record, log line, card and event is written through
//! it: a private value is `[name]`.

use serde_json::{Map, Value as Json};

use crate::convert::to_json;
use crate::expr::{Expr, ExprKind};
use crate::program::Program;
use crate::render::{Purpose, value_text};
use crate::types::{Kind, Type};
use crate::value::Value;

/// What stands for a private value.
pub fn placeholder(name: &str) -> String {
    format!("[{name}]")
}

/// A JSON value of a type, as a record may show it: what is private is `"[name]"`, by the name of
/// the field where it has one. What the type does not declare is left out.
pub fn mask_json(program: &Program, ty: &Type, name: &str, json: &Json) -> Json {
    if ty.private && !json.is_null() {
        return Json::String(placeholder(name));
    }
    match (&ty.kind, json) {
        (Kind::List(item), Json::Array(items)) => {
            items.iter().map(|json| mask_json(program, item, name, json)).collect()
        }
        (Kind::Record(id), Json::Object(object)) => {
            let fields = program.records.get(*id).map_or(&[][..], |def| &def.fields);
            let mut masked = Map::new();
            for field in fields {
                if let Some(json) = object.get(&field.name) {
                    let json = mask_json(program, &field.ty, &field.name, json);
                    masked.insert(field.name.clone(), json);
                }
            }
            Json::Object(masked)
        }
        _ => json.clone(),
    }
}

/// A value of a slot, as a record and the card of a node show it.
pub fn shown(program: &Program, ty: &Type, name: &str, value: &Value) -> String {
    if ty.is_private() {
        return placeholder(name);
    }
    if *value == Value::None {
        return "none".into();
    }
    value_text(value, &ty.kind, Purpose::Prompt, "en", None)
        .unwrap_or_else(|_| mask_json(program, ty, name, &to_json(value)).to_string())
}

/// Whether an expression holds a private value that is not inside a `reveal`.
pub fn is_private(expr: &Expr) -> bool {
    let mut stack = vec![expr];
    while let Some(expr) = stack.pop() {
        if matches!(expr.kind, ExprKind::Reveal(_)) {
            continue;
        }
        if expr.ty.is_private() {
            return true;
        }
        expr.each_child(&mut |child| stack.push(child));
    }
    false
}

/// Whether an expression holds a `reveal`.
pub fn is_revealed(expr: &Expr) -> bool {
    expr.any(|part| matches!(part.kind, ExprKind::Reveal(_)))
}
