//! Types where they are written, enums and record types.

use std::collections::HashMap;

use dgh_diag::{Code, Diagnostic, Place};
use dgh_ir::program::{EnumId, FieldDef, RecordId};
use dgh_ir::{Kind, Type};
use dgh_syntax::ast::{self, AstNode as _, LiteralValue, TypeKind};

use super::{Lower, plain};
use crate::names::{FileScope, Named};
use crate::types::{PLAIN, currency, foreign_type};

/// Types that only the standard library names: `percent` is a number from 0 to 1, `name` and
/// `names` stand for what an event is about.
const LIBRARY: &[(&str, Kind)] =
    &[("secret", Kind::Secret), ("percent", Kind::Number), ("name", Kind::Json), ("names", Kind::Json)];

impl Lower<'_> {
    /// Fills in enums and record types.
    pub(crate) fn all_types(&mut self) {
        let items: Vec<_> = self
            .items
            .iter()
            .filter(|(.., n)| matches!(n, Named::Enum(_) | Named::Record(_)))
            .cloned()
            .collect();
        for (file, item, named) in &items {
            if let (ast::Item::Enum(item), Named::Enum(id)) = (item, *named) {
                self.cases(*file, item, id);
            }
        }
        for (file, item, named) in &items {
            if let (ast::Item::Type(item), Named::Record(id)) = (item, *named) {
                self.fields(*file, item, id);
            }
        }
        self.refuse_recursive_types();
    }

    fn cases(&mut self, file: usize, item: &ast::Enum, id: EnumId) {
        let mut seen: HashMap<String, Place> = HashMap::new();
        for case in item.cases() {
            let Some(name) = case.name() else { continue };
            let place = self.place(file, name.span());
            if let Some(first) = seen.get(&name.text()) {
                let first = *first;
                self.duplicate(place, first, &format!("the case `{}`", name.text()));
                continue;
            }
            seen.insert(name.text(), place);
            self.program.enums[id].cases.push(name.text());
        }
        if seen.is_empty() && !item.has_errors() {
            let place = self.place(file, item.name().map_or_else(|| item.span(), |n| n.span()));
            self.error_hint(
                Code::MissingPart,
                place,
                "an enum without cases has no values",
                "List its cases: `enum Size { small, large }`.",
            );
        }
    }

    fn fields(&mut self, file: usize, item: &ast::TypeDef, id: RecordId) {
        let mut fields: Vec<FieldDef> = Vec::new();
        let mut seen: HashMap<String, Place> = HashMap::new();
        for field in item.fields() {
            let Some(name) = field.name() else { continue };
            let place = self.place(file, name.span());
            if let Some(first) = seen.get(&name.text()) {
                self.duplicate(place, *first, &format!("the field `{}`", name.text()));
                continue;
            }
            seen.insert(name.text(), place);
            let ty = field.ty().map_or_else(Type::hole, |ty| self.ty(file, &ty));
            let origin = self.report.origin(place);
            fields.push(FieldDef { name: name.text(), ty, about: plain(field.about()), origin });
        }
        self.program.records[id].fields = fields;
    }

    /// Reports a second thing of one name.
    pub(crate) fn duplicate(&mut self, place: Place, first: Place, what: &str) {
        let finding = Diagnostic::new(Code::Duplicate, place, format!("{what} is declared twice"))
            .with_related(first, "the first one")
            .with_hint("Rename or remove one of the two.");
        self.report.push(finding);
    }

    /// A type where it is written.
    pub(crate) fn ty(&mut self, file: usize, ty: &ast::TypeRef) -> Type {
        let kind = match ty.kind() {
            Some(TypeKind::Named(named)) => self.named_type(file, &named),
            Some(TypeKind::List(list)) => {
                let item = list.element().map_or_else(Type::hole, |t| self.ty(file, &t));
                Kind::List(Box::new(item))
            }
            Some(TypeKind::Range(range)) => self.range_type(file, &range),
            None => Kind::Hole,
        };
        Type { kind, optional: ty.is_optional(), private: ty.is_private() }
    }

    fn named_type(&mut self, file: usize, named: &ast::NamedType) -> Kind {
        let Some(name) = named.name() else { return Kind::Hole };
        let text = name.text();
        let place = self.place(file, name.span());
        if let Some(args) = named.args() {
            return self.type_with_args(file, &text, place, &args);
        }
        if let Some((_, kind)) = PLAIN.iter().find(|(n, _)| *n == text) {
            return kind.clone();
        }
        if self.scope(file).is_some_and(FileScope::is_library) {
            if text == "time_range" {
                return Kind::Range(Box::new(Kind::Time));
            }
            if let Some((_, kind)) = LIBRARY.iter().find(|(n, _)| *n == text) {
                return kind.clone();
            }
        }
        match self.scope(file).and_then(|s| s.get(&text)) {
            Some(Named::Enum(id)) => Kind::Enum(id),
            Some(Named::Record(id)) => Kind::Record(id),
            Some(Named::Hole) => Kind::Hole,
            Some(other) => {
                self.error_hint(
                    Code::UnknownType,
                    place,
                    format!("`{text}` is {}, not a type", other.what()),
                    "A type is one of the built-in types, an `enum` or a `type` of this file, or an imported one.",
                );
                Kind::Hole
            }
            None => {
                self.unknown_type(file, &text, place);
                Kind::Hole
            }
        }
    }

    fn unknown_type(&mut self, file: usize, name: &str, place: Place) {
        if self.is_lost(file, name) {
            return;
        }
        let message = format!("there is no type `{name}`");
        let hint = match name {
            "list" => Some("Say of what: `list<text>`."),
            "digits" => Some("Say how many: `digits(4)`."),
            "private" => Some("`private` stands before a type: `private text`."),
            "any" | "object" | "json" | "dict" | "map" => {
                Some("Declare what is in it: `type Visit { day: date, doctor: text? }`.")
            }
            _ => None,
        };
        let mut finding = if let Some(meant) = foreign_type(name) {
            self.unknown(Code::UnknownType, place, message, meant, &[meant])
        } else {
            let mut known: Vec<&str> = PLAIN.iter().map(|(n, _)| *n).collect();
            if let Some(scope) = self.scope(file) {
                known.extend(scope.names_of(|n| matches!(n, Named::Enum(_) | Named::Record(_))));
            }
            self.unknown(Code::UnknownType, place, message, name, &known)
        };
        if let Some(hint) = hint {
            finding = finding.with_hint(hint);
        } else if finding.hint.is_none() {
            finding = finding.with_hint(format!(
                "Declare it with `type {name} {{ … }}` or `enum {name} {{ … }}`, or import it."
            ));
        }
        self.report.push(finding);
    }

    fn type_with_args(&mut self, file: usize, name: &str, place: Place, args: &ast::TypeArgs) -> Kind {
        let inner = args
            .name()
            .map(|n| n.span())
            .or_else(|| args.literal().map(|l| l.span()))
            .or_else(|| args.range().map(|r| r.span()));
        let args_place = self.place(file, inner.unwrap_or_else(|| args.span()));
        match name {
            "digits" => match args.literal().and_then(|l| l.value()) {
                Some(LiteralValue::Int(n)) if (1..=64).contains(&n) => {
                    Kind::Digits(u32::try_from(n).unwrap_or(64))
                }
                _ => {
                    self.error_hint(
                        Code::BadLiteral,
                        args_place,
                        "how many digits, as a number from 1 to 64",
                        "`digits(4)` is a text of exactly four digits.",
                    );
                    Kind::Hole
                }
            },
            "money" => {
                let Some(code) = args.name().map(|n| n.text()) else {
                    self.error_hint(
                        Code::BadLiteral,
                        args_place,
                        "which currency, in three capital letters",
                        "`money(USD)` is an amount in US dollars.",
                    );
                    return Kind::Hole;
                };
                match currency(&code) {
                    Some(currency) => Kind::Money(Some(currency)),
                    None => {
                        self.no_currency(&code, args_place);
                        Kind::Hole
                    }
                }
            }
            // How far a number of a provider may go; `names/limits.rs` reads it.
            "number" | "int"
                if args.range().is_some() && self.scope(file).is_some_and(FileScope::is_library) =>
            {
                if name == "int" { Kind::Int } else { Kind::Number }
            }
            _ => {
                let message = format!("`{name}` takes nothing in brackets");
                self.error_hint(Code::UnknownType, place, message, "Only `digits(4)` and `money(USD)` do.");
                Kind::Hole
            }
        }
    }

    /// Reports a currency that does not exist.
    pub(crate) fn no_currency(&mut self, code: &str, place: Place) {
        let upper = code.to_ascii_uppercase();
        let meant = match upper.as_str() {
            "DOLLAR" | "DOLLARS" | "US" | "USB" => Some("USD"),
            "EURO" | "EUROS" => Some("EUR"),
            "POUND" | "POUNDS" => Some("GBP"),
            other => currency(other).is_some().then_some(upper.as_str()),
        };
        let hint = match meant {
            Some(meant) => format!("Did you mean `{meant}`?"),
            None => "Currencies are written as three capital letters of ISO 4217: USD, EUR, GBP.".to_owned(),
        };
        self.error_hint(Code::BadLiteral, place, format!("there is no currency `{code}`"), hint);
    }

    fn range_type(&mut self, file: usize, range: &ast::RangeType) -> Kind {
        let bound = |side: Option<(bool, ast::Literal)>| match side {
            Some((negative, literal)) => match literal.value() {
                Some(LiteralValue::Int(n)) => Some(if negative { -n } else { n }),
                _ => None,
            },
            None => None,
        };
        let (low, high) = range.bounds();
        let place = self.place(file, range.span());
        match (bound(low), bound(high)) {
            (Some(low), Some(high)) if low <= high => Kind::IntRange(low, high),
            (Some(low), Some(high)) => {
                self.error_hint(
                    Code::OutOfRange,
                    place,
                    "this range holds no number",
                    format!("Write the smaller end first: `{high}..{low}`."),
                );
                Kind::Hole
            }
            _ => {
                if !range.has_errors() {
                    self.error_hint(
                        Code::BadLiteral,
                        place,
                        "the ends of a range type are whole numbers",
                        "Such as `1..5`.",
                    );
                }
                Kind::Hole
            }
        }
    }

    /// A record that holds itself, at whatever depth, has no end; the field that closes the circle
    /// is reported and made a hole, so that nothing later runs in circles.
    fn refuse_recursive_types(&mut self) {
        let mut state: HashMap<RecordId, bool> = HashMap::new();
        let ids: Vec<RecordId> = self.program.records.ids().collect();
        for id in ids {
            self.visit_record(id, &mut state);
        }
    }

    fn visit_record(&mut self, root: RecordId, state: &mut HashMap<RecordId, bool>) {
        if state.contains_key(&root) {
            return;
        }
        // Explicit stack: a chain of types is as long as the author likes.
        let mut stack: Vec<(RecordId, usize)> = vec![(root, 0)];
        state.insert(root, false);
        while let Some((id, next)) = stack.last().copied() {
            let field = self
                .program
                .records
                .get(id)
                .and_then(|r| r.fields.get(next))
                .map(|f| (f.name.clone(), f.origin, record_of(&f.ty.kind)));
            if let Some(top) = stack.last_mut() {
                top.1 += 1;
            }
            let Some((name, origin, inner)) = field else {
                state.insert(id, true);
                stack.pop();
                continue;
            };
            let Some(inner) = inner else { continue };
            match state.get(&inner) {
                None => {
                    state.insert(inner, false);
                    stack.push((inner, 0));
                }
                Some(true) => {}
                Some(false) => {
                    let record = self.program.records.get(inner).map(|r| r.name.clone()).unwrap_or_default();
                    let place = self.report.place(origin);
                    self.error_hint(
                        Code::RecursiveType,
                        place,
                        format!("through `{name}`, a `{record}` contains a `{record}`"),
                        "A value of it would never end. Keep an id in the field instead.",
                    );
                    if let Some(field) = self.program.records[id].fields.get_mut(next) {
                        field.ty.kind = Kind::Hole;
                    }
                }
            }
        }
    }
}

fn record_of(kind: &Kind) -> Option<RecordId> {
    match kind {
        Kind::Record(id) => Some(*id),
        Kind::List(item) => record_of(&item.kind),
        _ => None,
    }
}
