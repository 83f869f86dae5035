//! JSON from expressions: bodies of requests, arguments of tools.

use serde_json::{Map, Value as Json};

use super::{Purpose, Renderer, renderer};
use crate::convert::to_json;
use crate::expr::{Expr, ExprKind};
use crate::mask;
use crate::program::Program;
use crate::scope::{EvalError, Scope};
use crate::value::Value;
use crate::walk::MAX_EXPR_DEPTH;

/// A JSON value and what a record may show of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedJson {
    /// As it is sent.
    pub json: Json,
    /// With each private part as `"[name]"`.
    pub masked: Json,
}

/// An expression as JSON; none where it is missing. Fields that are missing are left out.
pub fn render_json(
    program: &Program,
    expr: &Expr,
    scope: &dyn Scope,
) -> Result<Option<RenderedJson>, EvalError> {
    renderer(program, scope, Purpose::Request).json(expr, 0)
}

impl<'a> Renderer<'a> {
    fn json(self, expr: &'a Expr, depth: usize) -> Result<Option<RenderedJson>, EvalError> {
        if depth >= MAX_EXPR_DEPTH {
            return Err(EvalError::TooDeep);
        }
        match &expr.kind {
            ExprKind::Record(fields) => {
                let (mut json, mut masked) = (Map::new(), Map::new());
                for (name, value) in fields {
                    if let Some(field) = self.json(value, depth + 1)? {
                        json.insert(name.clone(), field.json);
                        masked.insert(name.clone(), field.masked);
                    }
                }
                Ok(Some(RenderedJson { json: json.into(), masked: masked.into() }))
            }
            ExprKind::List(items) => {
                let (mut json, mut masked) = (Vec::new(), Vec::new());
                for item in items {
                    let item = self.json(item, depth + 1)?;
                    json.push(item.as_ref().map_or(Json::Null, |item| item.json.clone()));
                    masked.push(item.map_or(Json::Null, |item| item.masked));
                }
                Ok(Some(RenderedJson { json: json.into(), masked: masked.into() }))
            }
            ExprKind::Template(template) => {
                let mut out = super::Rendered::default();
                self.template(template, &mut out, depth + 1)?;
                Ok(Some(RenderedJson { json: out.text.into(), masked: out.masked.into() }))
            }
            _ => self.leaf(expr, depth + 1),
        }
    }

    fn leaf(self, expr: &'a Expr, depth: usize) -> Result<Option<RenderedJson>, EvalError> {
        let value = self.evaluator.eval(expr, depth)?;
        if *value == Value::None {
            return Ok(None);
        }
        let json = to_json(&value);
        let name = self.mask_name(expr);
        let masked = if mask::is_private(expr) || mask::is_revealed(expr) {
            Json::String(mask::placeholder(&name))
        } else {
            mask::mask_json(self.evaluator.program, &expr.ty, &name, &json)
        };
        Ok(Some(RenderedJson { json, masked }))
    }
}
