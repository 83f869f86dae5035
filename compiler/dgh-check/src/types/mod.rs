//! The rules of types: how they are named, what goes where, what compares with what.
//!
//! They look at types alone. A literal is judged by [`literal`], which sees its text.

pub(crate) mod literal;

use dgh_ir::{Currency, Kind, Program, Type};

/// Why a value of one type does not go into a place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// It is something else.
    Kind,
    /// The same, in another unit or currency.
    Unit,
    /// It may be missing.
    Missing,
    /// A number of a wider range.
    Range,
}

/// Whether a value of type `found` goes into a place of type `wanted`. The label `private` is left
/// to the analysis of privacy, which knows the sinks.
pub(crate) fn assign(wanted: &Type, found: &Type) -> Result<(), Mismatch> {
    if found.kind == Kind::Nothing && wanted.optional {
        return Ok(());
    }
    kind_fits(&wanted.kind, &found.kind)?;
    if found.optional && !wanted.optional && !lenient(&wanted.kind) && !lenient(&found.kind) {
        return Err(Mismatch::Missing);
    }
    Ok(())
}

/// Whether values of this kind go with everything.
fn lenient(kind: &Kind) -> bool {
    matches!(kind, Kind::Hole | Kind::Json)
}

fn kind_fits(wanted: &Kind, found: &Kind) -> Result<(), Mismatch> {
    if wanted == found || lenient(wanted) || lenient(found) {
        return Ok(());
    }
    match (wanted, found) {
        (Kind::Number, Kind::Int | Kind::IntRange(..)) | (Kind::Int, Kind::IntRange(..)) => Ok(()),
        (Kind::IntRange(a, b), Kind::IntRange(c, d)) if a <= c && d <= b => Ok(()),
        (Kind::IntRange(..), Kind::Int | Kind::IntRange(..)) => Err(Mismatch::Range),
        (Kind::Text, k) if is_textual(k) => Ok(()),
        (Kind::Money(None), Kind::Money(Some(_))) => Ok(()),
        (Kind::Money(_), Kind::Money(_)) => Err(Mismatch::Unit),
        (a, b) if is_amount(a) && is_amount(b) && unit(a) != unit(b) => Err(Mismatch::Unit),
        (Kind::List(a), Kind::List(b)) => assign(a, b),
        (Kind::Range(a), Kind::Range(b)) => kind_fits(a, b),
        _ => Err(Mismatch::Kind),
    }
}

/// Texts of a known shape: they read as a text, but a text is not one of them.
pub(crate) fn is_textual(kind: &Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Phone | Kind::Email | Kind::Url | Kind::Digits(_))
}

/// Numbers without a unit.
pub(crate) fn is_number(kind: &Kind) -> bool {
    matches!(kind, Kind::Int | Kind::Number | Kind::IntRange(..))
}

fn is_amount(kind: &Kind) -> bool {
    is_number(kind) || matches!(kind, Kind::Money(_) | Kind::Duration)
}

fn unit(kind: &Kind) -> u8 {
    match kind {
        Kind::Money(_) => 1,
        Kind::Duration => 2,
        _ => 0,
    }
}

/// Why two values cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotComparable {
    /// They are of different sorts.
    Kinds,
    /// Units or currencies differ.
    Units,
    /// Their sort has no order.
    Order,
}

/// Whether `a == b` has a meaning, or with `ordered` `a < b`.
pub(crate) fn comparable(a: &Kind, b: &Kind, ordered: bool) -> Result<(), NotComparable> {
    if lenient(a) || lenient(b) {
        return Ok(());
    }
    let same = match (a, b) {
        (Kind::Money(Some(x)), Kind::Money(Some(y))) => {
            return if x == y { Ok(()) } else { Err(NotComparable::Units) };
        }
        (Kind::Money(_), Kind::Money(_)) => true,
        (x, y) if is_number(x) && is_number(y) => true,
        (x, y) if is_amount(x) && is_amount(y) => {
            return if unit(x) == unit(y) { Ok(()) } else { Err(NotComparable::Units) };
        }
        (x, y) if is_textual(x) && is_textual(y) => x == y || *x == Kind::Text || *y == Kind::Text,
        (Kind::List(x), Kind::List(y)) => return comparable(&x.kind, &y.kind, false),
        (x, y) => x == y,
    };
    if !same {
        return Err(NotComparable::Kinds);
    }
    if ordered && !has_order(a) {
        return Err(NotComparable::Order);
    }
    Ok(())
}

/// Whether the values of a kind have an order.
pub(crate) fn has_order(kind: &Kind) -> bool {
    is_amount(kind) || matches!(kind, Kind::Date | Kind::Time | Kind::DateTime | Kind::Hole | Kind::Json)
}

/// The type that holds values of both, for `match` and lists.
pub(crate) fn join(a: &Type, b: &Type) -> Option<Type> {
    let optional = a.optional || b.optional || a.kind == Kind::Nothing || b.kind == Kind::Nothing;
    let private = a.private || b.private;
    let kind = join_kinds(&a.kind, &b.kind)?;
    Some(Type { kind, optional, private })
}

fn join_kinds(a: &Kind, b: &Kind) -> Option<Kind> {
    match (a, b) {
        (Kind::Nothing | Kind::Hole, k) | (k, Kind::Nothing | Kind::Hole) => Some(k.clone()),
        (Kind::Json, _) | (_, Kind::Json) => Some(Kind::Json),
        (Kind::Money(x), Kind::Money(y)) => Some(Kind::Money(if x == y { *x } else { None })),
        (Kind::IntRange(a, b), Kind::IntRange(c, d)) => Some(Kind::IntRange(*a.min(c), *b.max(d))),
        (x, y) if is_number(x) && is_number(y) => {
            Some(if *x == Kind::Number || *y == Kind::Number { Kind::Number } else { Kind::Int })
        }
        (Kind::List(x), Kind::List(y)) => Some(Kind::List(Box::new(join(x, y)?))),
        (x, y) if x == y => Some(x.clone()),
        (x, y) if is_textual(x) && is_textual(y) => Some(Kind::Text),
        _ => None,
    }
}

/// The type as the author writes it: `private money?`, `list<Slot>`.
pub(crate) fn type_name(program: &Program, ty: &Type) -> String {
    program.type_name(ty)
}

/// The kind as the author writes it.
pub(crate) fn kind_name(program: &Program, kind: &Kind) -> String {
    program.kind_name(kind)
}

/// The kind in words, with its article: "a date", "an amount of money".
pub(crate) fn describe(program: &Program, kind: &Kind) -> String {
    match kind {
        Kind::Text => "a text".into(),
        Kind::Bool => "a yes or no (bool)".into(),
        Kind::Int => "a whole number".into(),
        Kind::Number => "a number".into(),
        Kind::Money(None) => "an amount of money".into(),
        Kind::Money(Some(currency)) => format!("an amount in {}", currency.code()),
        Kind::Date => "a date".into(),
        Kind::Time => "a time of day".into(),
        Kind::DateTime => "a date with a time".into(),
        Kind::Duration => "a length of time".into(),
        Kind::Phone => "a phone number".into(),
        Kind::Email => "an e-mail address".into(),
        Kind::Url => "a web address (url)".into(),
        Kind::Digits(n) => format!("{n} digits"),
        Kind::IntRange(a, b) => format!("a whole number from {a} to {b}"),
        Kind::Enum(id) => match program.enums.get(*id) {
            Some(e) => match e.name.strip_suffix(".outcome") {
                Some(agent) => format!("an outcome of `{agent}`"),
                None => format!("a case of `{}`", e.name),
            },
            None => "a case of an enum".into(),
        },
        Kind::Record(_) => format!("a `{}`", kind_name(program, kind)),
        Kind::List(item) => match &item.kind {
            Kind::Hole | Kind::Nothing => "a list".into(),
            _ => format!("a list of {}", type_name(program, item)),
        },
        Kind::Range(kind) => match kind.as_ref() {
            Kind::Time => "a range of times, like 9:00..17:00".into(),
            Kind::Int => "a range of whole numbers".into(),
            k => format!("a range of {}", kind_name(program, k)),
        },
        Kind::Secret => "a secret".into(),
        Kind::Json => "any value".into(),
        Kind::Nothing => "`none`".into(),
        Kind::Hole => "something unknown".into(),
    }
}

/// A word for a type that a beginner wrote from habit, and what it is called here.
pub(crate) fn foreign_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "string" | "str" | "String" | "varchar" => "text",
        "boolean" | "Boolean" | "Bool" => "bool",
        "integer" | "long" | "Int" | "Integer" => "int",
        "float" | "double" | "decimal" | "Number" => "number",
        "currency" | "amount" | "price" | "Money" => "money",
        "timestamp" | "DateTime" | "date_time" => "datetime",
        "timespan" | "interval" | "seconds" => "duration",
        "uri" | "link" | "URL" => "url",
        "mail" | "Email" => "email",
        "tel" | "telephone" | "phone_number" | "Phone" => "phone",
        "array" | "Array" | "List" => "list",
        _ => return None,
    })
}

/// The types that have a name and no arguments.
pub(crate) const PLAIN: &[(&str, Kind)] = &[
    ("text", Kind::Text),
    ("bool", Kind::Bool),
    ("int", Kind::Int),
    ("number", Kind::Number),
    ("money", Kind::Money(None)),
    ("date", Kind::Date),
    ("time", Kind::Time),
    ("datetime", Kind::DateTime),
    ("duration", Kind::Duration),
    ("phone", Kind::Phone),
    ("email", Kind::Email),
    ("url", Kind::Url),
];

/// Reads a currency that exists in ISO 4217.
pub(crate) fn currency(code: &str) -> Option<Currency> {
    literal::CURRENCIES.binary_search(&code).ok()?;
    Currency::parse(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(kind: Kind) -> Type {
        Type::of(kind)
    }

    #[test]
    fn a_phone_reads_as_a_text_but_not_the_other_way() {
        assert_eq!(assign(&t(Kind::Text), &t(Kind::Phone)), Ok(()));
        assert_eq!(assign(&t(Kind::Phone), &t(Kind::Text)), Err(Mismatch::Kind));
    }

    #[test]
    fn money_and_numbers_are_different_units() {
        let usd = Currency::parse("USD");
        let eur = Currency::parse("EUR");
        assert_eq!(assign(&t(Kind::Number), &t(Kind::Money(usd))), Err(Mismatch::Unit));
        assert_eq!(assign(&t(Kind::Money(None)), &t(Kind::Money(usd))), Ok(()));
        assert_eq!(assign(&t(Kind::Money(eur)), &t(Kind::Money(usd))), Err(Mismatch::Unit));
        assert_eq!(comparable(&Kind::Money(None), &Kind::Int, true), Err(NotComparable::Units));
        assert_eq!(comparable(&Kind::Money(None), &Kind::Money(usd), true), Ok(()));
    }

    #[test]
    fn a_missing_value_needs_a_place_that_takes_it() {
        assert_eq!(assign(&t(Kind::Text), &t(Kind::Text).optional()), Err(Mismatch::Missing));
        assert_eq!(assign(&t(Kind::Text).optional(), &t(Kind::Text)), Ok(()));
        assert_eq!(assign(&t(Kind::Text).optional(), &t(Kind::Nothing)), Ok(()));
        assert_eq!(assign(&t(Kind::Text), &t(Kind::Nothing)), Err(Mismatch::Kind));
    }

    #[test]
    fn whole_numbers_widen_and_never_narrow() {
        assert_eq!(assign(&t(Kind::Number), &t(Kind::IntRange(1, 5))), Ok(()));
        assert_eq!(assign(&t(Kind::IntRange(1, 5)), &t(Kind::IntRange(2, 3))), Ok(()));
        assert_eq!(assign(&t(Kind::IntRange(1, 5)), &t(Kind::Int)), Err(Mismatch::Range));
    }

    #[test]
    fn texts_have_no_order() {
        assert_eq!(comparable(&Kind::Text, &Kind::Text, true), Err(NotComparable::Order));
        assert_eq!(comparable(&Kind::Text, &Kind::Bool, false), Err(NotComparable::Kinds));
    }

    #[test]
    fn the_join_of_a_value_and_none_may_be_missing() {
        let joined = join(&t(Kind::Date), &t(Kind::Nothing));
        assert_eq!(joined, Some(t(Kind::Date).optional()));
        assert_eq!(join(&t(Kind::Date), &t(Kind::Text)), None);
    }
}
