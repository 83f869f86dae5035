//! Roles and scopes in the document.

use dgh_platform::access::{Role, Scope};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

/// A role.
pub(super) fn role() -> Schema {
    let words = Role::ALL.map(Role::word);
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .description(Some("What they may do; a later one may do what an earlier one may."))
        .build()
        .into()
}

/// Scopes; at least one.
pub(super) fn scopes() -> Schema {
    let words = Scope::ALL.map(Scope::word);
    let scope = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build();
    ArrayBuilder::new()
        .items(scope)
        .min_items(Some(1))
        .description(Some("The parts of the product it is for."))
        .build()
        .into()
}
