//! JSON Schema of a type: what a model or an API is told about a parameter.

use serde_json::{Map, Value as Json, json};

use crate::program::{Program, RecordId};
use crate::types::{Kind, Type};

/// Properties that are spelled out; what is behind them is just an object. Records that hold
/// several records, which hold several records, would grow without bounds.
const MAX_PROPERTIES: usize = 1_000;

/// JSON Schema of a type. `T?` is left to the place: a parameter or field that is not `required`.
pub fn schema(program: &Program, ty: &Type) -> Json {
    Writer { program, open: Vec::new(), left: MAX_PROPERTIES }.of_type(ty)
}

/// JSON Schema of an object with these fields: name, type, what it is.
pub fn object_schema<'a>(
    program: &Program,
    fields: impl IntoIterator<Item = (&'a str, &'a Type, Option<&'a str>)>,
) -> Json {
    Writer { program, open: Vec::new(), left: MAX_PROPERTIES }.object(fields)
}

struct Writer<'p> {
    program: &'p Program,
    /// Records around the place; one inside itself is just an object.
    open: Vec<RecordId>,
    left: usize,
}

impl Writer<'_> {
    fn object<'a>(&mut self, fields: impl IntoIterator<Item = (&'a str, &'a Type, Option<&'a str>)>) -> Json {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, ty, about) in fields {
            self.left = self.left.saturating_sub(1);
            let mut schema = self.of_type(ty);
            if let (Some(about), Json::Object(schema)) = (about, &mut schema) {
                let about = match schema.get("description").and_then(Json::as_str) {
                    Some(form) => format!("{about} ({form})"),
                    None => about.into(),
                };
                schema.insert("description".into(), about.into());
            }
            properties.insert(name.into(), schema);
            if !ty.optional {
                required.push(name);
            }
        }
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    fn record(&mut self, id: RecordId) -> Json {
        let program = self.program;
        let Some(def) = program.records.get(id) else { return json!({ "type": "object" }) };
        if self.open.contains(&id) || self.left < def.fields.len() {
            return json!({ "type": "object" });
        }
        self.open.push(id);
        let object = self.object(def.fields.iter().map(|f| (f.name.as_str(), &f.ty, f.about.as_deref())));
        self.open.pop();
        object
    }

    fn of_type(&mut self, ty: &Type) -> Json {
        let text = |about: &str| json!({ "type": "string", "description": about });
        match &ty.kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Int => json!({ "type": "integer" }),
            Kind::Number => json!({ "type": "number" }),
            Kind::IntRange(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
            Kind::Money(None) => text("amount and ISO 4217 currency, like \"20 USD\""),
            Kind::Money(Some(currency)) => {
                json!({ "type": "number", "description": format!("amount in {}", currency.code()) })
            }
            Kind::Date => json!({ "type": "string", "format": "date", "description": "2026-03-01" }),
            Kind::Time => text("time of day, 24 hours, like \"09:30\""),
            Kind::DateTime => text("local date and time, like \"2026-03-01T09:30\""),
            Kind::Duration => text("length of time, like \"90s\", \"5min\", \"2h\""),
            Kind::Phone => text("phone number in E.164, like \"+14155550100\""),
            Kind::Email => json!({ "type": "string", "format": "email" }),
            Kind::Url => json!({ "type": "string", "format": "uri" }),
            Kind::Digits(count) => {
                json!({ "type": "string", "pattern": format!("^[0-9]{{{count}}}$") })
            }
            Kind::Enum(id) => {
                let cases = self.program.enums.get(*id).map(|def| def.cases.clone()).unwrap_or_default();
                json!({ "type": "string", "enum": cases })
            }
            Kind::Record(id) => self.record(*id),
            Kind::List(item) => {
                json!({ "type": "array", "items": self.of_type(item) })
            }
            Kind::Nothing => json!({ "type": "null" }),
            Kind::Json | Kind::Hole | Kind::Range(_) | Kind::Secret => json!({}),
        }
    }
}
