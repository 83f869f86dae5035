#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::fixture::*;
use crate::{Builtin, CmpOp, MathOp, SlotId};

fn run(expr: &Expr) -> Result<Value, EvalError> {
    eval(&types(), expr, &World::new(&[]))
}

fn time(text: &str) -> Expr {
    lit(Value::Time(crate::shape::time(text).unwrap()))
}

fn day(text: &str) -> Expr {
    lit(Value::Date(crate::shape::date(text).unwrap()))
}

fn int(x: i64) -> Expr {
    lit(Value::Int(x))
}

fn bool_expr(kind: ExprKind) -> Expr {
    expr(kind, Type::of(Kind::Bool))
}

#[test]
fn arithmetic_of_whole_numbers_is_checked() {
    assert_eq!(run(&math(MathOp::Add, int(2), int(3))), Ok(Value::Int(5)));
    assert_eq!(run(&math(MathOp::Mul, int(i64::MAX), int(2))), Err(EvalError::Overflow));
    assert_eq!(run(&math(MathOp::Div, int(1), int(0))), Err(EvalError::DivisionByZero));
    assert_eq!(run(&math(MathOp::Div, int(7), int(2))), Ok(Value::Number(dec("3.5"))));
    assert_eq!(run(&expr(ExprKind::Neg(Box::new(int(i64::MIN))), Type::hole())), Err(EvalError::Overflow));
}

#[test]
fn a_number_has_no_rounding_error() {
    let sum = math(MathOp::Add, lit(Value::Number(dec("0.1"))), lit(Value::Number(dec("0.2"))));
    assert_eq!(run(&sum), Ok(Value::Number(dec("0.3"))));
    assert_eq!(run(&cmp(CmpOp::Eq, sum, lit(Value::Number(dec("0.3"))))), Ok(Value::Bool(true)));
}

#[test]
fn money_keeps_its_currency_and_mixes_with_no_other() {
    let both = |op, a, b| run(&math(op, lit(a), lit(b)));
    assert_eq!(both(MathOp::Add, usd("1.50"), usd("2")), Ok(usd("3.5")));
    assert_eq!(both(MathOp::Mul, usd("1.50"), Value::Int(3)), Ok(usd("4.5")));
    assert_eq!(both(MathOp::Mul, Value::Int(3), usd("1.50")), Ok(usd("4.5")));
    assert_eq!(both(MathOp::Div, usd("9"), usd("3")), Ok(Value::Number(dec("3"))));
    let error = EvalError::Currencies(crate::Currency(*b"USD"), crate::Currency(*b"EUR"));
    assert_eq!(both(MathOp::Sub, usd("1"), eur("1")), Err(error.clone()));
    assert_eq!(run(&cmp(CmpOp::Lt, lit(usd("1")), lit(eur("1")))), Err(error.clone()));
    assert_eq!(run(&cmp(CmpOp::Eq, lit(usd("1")), lit(eur("1")))), Err(error.clone()));
    assert_eq!(error.to_string(), "an amount in USD and one in EUR do not go together");
    let error = both(MathOp::Add, usd("1"), Value::Int(1)).unwrap_err();
    assert_eq!(error.to_string(), "`+` does not go with an amount of money and a whole number");
}

#[test]
fn dates_move_by_durations() {
    let hours = |n: i64| lit(Value::Duration(n * 3_600_000));
    assert_eq!(run(&math(MathOp::Add, day("2026-02-28"), hours(24))), run(&day("2026-03-01")));
    assert_eq!(run(&math(MathOp::Add, day("2026-02-28"), hours(5))), Err(EvalError::PartOfDay));
    assert_eq!(run(&math(MathOp::Sub, time("1:00"), hours(3))), run(&time("22:00")));
    assert_eq!(run(&math(MathOp::Sub, day("2026-03-02"), day("2026-03-01"))), run(&hours(24)));
    let far = math(MathOp::Add, lit(Value::DateTime(at("2026-03-01T09:00"))), lit(Value::Duration(i64::MAX)));
    assert_eq!(run(&far), Err(EvalError::Overflow));
    let least =
        math(MathOp::Sub, lit(Value::DateTime(at("2026-03-01T09:00"))), lit(Value::Duration(i64::MIN)));
    assert_eq!(run(&least), Err(EvalError::Overflow));
}

#[test]
fn a_time_range_ends_before_its_end_and_may_cross_midnight() {
    for (at, from, to, inside) in [
        ("9:00", "9:00", "18:00", true),
        ("17:59", "9:00", "18:00", true),
        ("18:00", "9:00", "18:00", false),
        ("23:30", "22:00", "6:00", true),
        ("5:59", "22:00", "6:00", true),
        ("6:00", "22:00", "6:00", false),
        ("12:00", "22:00", "6:00", false),
        ("23:59", "9:00", "0:00", true),
        ("3:00", "0:00", "0:00", true),
    ] {
        assert_eq!(
            run(&within(time(at), time(from), time(to))),
            Ok(Value::Bool(inside)),
            "{at} in {from}..{to}"
        );
    }
}

#[test]
fn other_ranges_hold_both_ends() {
    for (x, inside) in [(0, false), (1, true), (5, true), (6, false)] {
        assert_eq!(run(&within(int(x), int(1), int(5))), Ok(Value::Bool(inside)), "{x}");
    }
    let last = within(day("2026-03-05"), day("2026-03-01"), day("2026-03-05"));
    assert_eq!(run(&last), Ok(Value::Bool(true)));
    assert!(run(&within(int(1), day("2026-03-01"), day("2026-03-05"))).is_err());
}

#[test]
fn a_list_knows_its_members_count_and_first() {
    let list = || lit(Value::List(vec![text("a"), text("b")]));
    let of = |name: &str| run(&field(list(), name, Type::of(Kind::Text).optional()));
    assert_eq!(of("count"), Ok(Value::Int(2)));
    assert_eq!(of("empty"), Ok(Value::Bool(false)));
    assert_eq!(of("first"), Ok(text("a")));
    let none = field(lit(Value::List(vec![])), "first", Type::of(Kind::Text).optional());
    assert_eq!(run(&none), Ok(Value::None));
    let member = bool_expr(ExprKind::In(Box::new(lit(text("b"))), Box::new(list())));
    assert_eq!(run(&member), Ok(Value::Bool(true)));
}

#[test]
fn a_missing_value_is_an_error_but_for_what_expects_it() {
    let program = types();
    let world = World::new(&[("budget", None), ("slot", Some(record(&[("id", text("s1"))])))]);
    let budget = || slot(0, Type::of(Kind::Int));
    let error = eval(&program, &budget(), &world).unwrap_err();
    assert_eq!(error.to_string(), "`budget` has no value");
    let maybe = expr(ExprKind::Maybe(Box::new(budget())), Type::of(Kind::Int).optional());
    assert_eq!(eval(&program, &maybe, &world), Ok(Value::None));
    let or = expr(ExprKind::Coalesce(Box::new(budget()), Box::new(int(7))), Type::of(Kind::Int));
    assert_eq!(eval(&program, &or, &world), Ok(Value::Int(7)));
    let set = bool_expr(ExprKind::IsSet(Box::new(budget())));
    assert_eq!(eval(&program, &set, &world), Ok(Value::Bool(false)));

    let room = |optional| {
        let ty = Type { optional, ..Type::of(Kind::Int) };
        field(slot(1, Type::of(Kind::Record(crate::RecordId(0)))), "room", ty)
    };
    assert_eq!(eval(&program, &room(true), &world), Ok(Value::None));
    let error = eval(&program, &room(false), &world).unwrap_err();
    assert_eq!(error, EvalError::Missing("slot.room".into()));
    let deep = field(room(true), "floor", Type::of(Kind::Int));
    let maybe = expr(ExprKind::Maybe(Box::new(deep)), Type::of(Kind::Int).optional());
    assert_eq!(eval(&program, &maybe, &world), Ok(Value::None));
}

#[test]
fn a_comparison_with_a_whole_number_takes_decimals() {
    assert_eq!(run(&cmp(CmpOp::Ge, int(3), lit(Value::Number(dec("2.9"))))), Ok(Value::Bool(true)));
    assert_eq!(run(&cmp(CmpOp::Eq, int(3), lit(Value::Number(dec("3.0"))))), Ok(Value::Bool(true)));
    assert_eq!(run(&cmp(CmpOp::Ne, lit(Value::Case("a".into())), lit(text("a")))), Ok(Value::Bool(false)));
}

#[test]
fn and_or_stop_as_soon_as_they_know() {
    let fails = || bool_expr(ExprKind::Hole);
    let yes = || lit(Value::Bool(true));
    let no = || lit(Value::Bool(false));
    let and = bool_expr(ExprKind::And(Box::new(no()), Box::new(fails())));
    assert_eq!(run(&and), Ok(Value::Bool(false)));
    let or = bool_expr(ExprKind::Or(Box::new(yes()), Box::new(fails())));
    assert_eq!(run(&or), Ok(Value::Bool(true)));
    assert_eq!(run(&fails()), Err(EvalError::Hole));
}

#[test]
fn match_takes_the_first_arm_that_fits() {
    let choose = |case: &str, otherwise: Option<Expr>| {
        let arms = vec![MatchArm { pattern: lit(Value::Case("sales".into())), value: int(1) }];
        let subject = Box::new(lit(Value::Case(case.into())));
        run(&expr(ExprKind::Match { subject, arms, otherwise: otherwise.map(Box::new) }, Type::of(Kind::Int)))
    };
    assert_eq!(choose("sales", None), Ok(Value::Int(1)));
    assert_eq!(choose("service", Some(int(2))), Ok(Value::Int(2)));
    assert_eq!(choose("service", None), Err(EvalError::NoArm));
}

#[test]
fn env_has_the_type_of_its_place_and_secrets_have_no_value() {
    let limit = expr(ExprKind::Env("LIMIT".into()), Type::of(Kind::Int));
    assert_eq!(run(&limit), Ok(Value::Int(25)));
    let wrong = expr(ExprKind::Env("API".into()), Type::of(Kind::Int));
    assert_eq!(run(&wrong).unwrap_err().to_string(), "`env.API` does not hold a whole number");
    let unset = expr(ExprKind::Env("NOPE".into()), Type::of(Kind::Text));
    assert_eq!(run(&unset), Err(EvalError::Env("NOPE".into())));
    let secret = expr(ExprKind::Secret("KEY".into()), Type::of(Kind::Secret));
    assert_eq!(run(&secret), Err(EvalError::Secret("KEY".into())));
}

#[test]
fn now_has_a_date_and_a_time() {
    let now = || expr(ExprKind::Builtin(Builtin::Now), Type::of(Kind::DateTime));
    assert_eq!(run(&field(now(), "date", Type::of(Kind::Date))), run(&day("2026-03-02")));
    assert_eq!(run(&field(now(), "time", Type::of(Kind::Time))), run(&time("10:00")));
    let phone = expr(ExprKind::Builtin(Builtin::CallerPhone), Type::of(Kind::Phone).optional());
    assert_eq!(run(&phone), Ok(Value::None));
}

#[test]
fn a_record_leaves_out_what_is_missing() {
    let world = World::new(&[("name", None)]);
    let fields = vec![("a".to_owned(), int(1)), ("b".to_owned(), slot(0, Type::of(Kind::Text).optional()))];
    let body = expr(ExprKind::Record(fields), Type::of(Kind::Json));
    assert_eq!(eval(&types(), &body, &world), Ok(record(&[("a", Value::Int(1))])));
}

#[test]
fn a_deep_expression_is_an_error_and_not_the_end_of_the_stack() {
    let mut deep = lit(Value::Bool(true));
    for _ in 1..MAX_EXPR_DEPTH {
        deep = bool_expr(ExprKind::Not(Box::new(deep)));
    }
    assert_eq!(deep.depth(), MAX_EXPR_DEPTH);
    assert!(run(&deep).is_ok());
    for _ in 0..1_000 {
        deep = bool_expr(ExprKind::Not(Box::new(deep)));
    }
    assert_eq!(run(&deep), Err(EvalError::TooDeep));
    let mut count = 0;
    deep.walk(&mut |_| count += 1);
    assert_eq!(count, 1_000 + MAX_EXPR_DEPTH);
}

#[test]
fn walking_goes_in_reading_order_into_texts() {
    let inner = template(vec![Ok("x"), Err((slot(2, Type::of(Kind::Text)), None))]);
    let sum = math(
        MathOp::Add,
        slot(0, Type::of(Kind::Int)),
        expr(ExprKind::Template(inner), Type::of(Kind::Text)),
    );
    let both = cmp(CmpOp::Eq, sum, slot(0, Type::of(Kind::Int)));
    assert_eq!(both.reads(), vec![SlotId(0), SlotId(2)]);
}
