//! 02xx: types and units.

use dgh_diag::Code::*;

use super::program::{At, table};

#[test]
fn values_go_where_they_fit() {
    table(
        &[
            (
                WrongType,
                At::Step,
                "set total = «\"three\"»",
                "`total` takes a whole number, and this is a text",
            ),
            (WrongType, At::Step, "set total = «\"3\"»", "Write it without quotes: `3`."),
            (WrongType, At::Step, "set size = «\"small\"»", "Write it without quotes: `small`."),
            (WrongType, At::Step, "set day = «\"2026-03-02\"»", "Write it without quotes: `2026-03-02`."),
            (WrongType, At::Step, "set day = «now»", "Take the date of it"),
            (WrongType, At::Step, "set opens = «now»", "Take the time of it"),
            (WrongType, At::Step, "set total = «rate»", "It may have a fraction"),
            (WrongType, At::Step, "set comment = «total»", "Put it into a text"),
            (WrongType, At::Step, "set total = «consent»", "a yes or no"),
            (WrongType, At::Step, "transfer «who»", "`transfer` takes a phone number, and this is a text"),
            (WrongType, At::Step, "transfer «\"5550100\"»", "Write it with a plus and the country"),
            (WrongType, At::Step, "say «total»", "`say` takes a text, and this is a whole number"),
            (WrongType, At::Step, "say «find»", "`find` is a tool, not a value"),
            (WrongType, At::Step, "set code = «\"12\"»", "takes 4 digits"),
            (WrongType, At::Step, "call find(«\"today\"») as more", "`day` of `find` takes a date"),
            (WrongType, At::Step, "call tell_them(«total»)", "`message` of `tell_them` takes a text"),
            (WrongType, At::Step, "set comment = «Size»", "`Size` is an enum, not a value"),
            (
                WrongType,
                At::Step,
                "set total = match size { small -> 1, large -> «\"two\"», none -> 3 }",
                "this arm takes a whole number",
            ),
            (WrongType, At::Collect, "collect choice from «who»", "`from` takes a list"),
            (
                WrongType,
                At::Collect,
                "collect day from «slots»",
                "`day` is a date, and an entry of this list is a `Slot`",
            ),
            (WrongType, At::Step, "call tell_them(\"x\") as «sent»", "answers nothing"),
            (
                WrongType,
                At::Step,
                "call checked(\"x\") as «day»",
                "answers a yes or no (bool), and `day` is a date",
            ),
            (WrongType, At::If, "or [1, «\"a\"»].empty", "an earlier entry a whole number"),
            (WrongType, At::If, "or total «+» who == 3", "`+` does not go with a whole number and a text"),
            (WrongType, At::Item, "const BAD: int = «\"x\"»", "`BAD` takes a whole number"),
        ],
        &[
            (At::Step, "set total = 10_000"),
            (At::Step, "set total = -2"),
            (At::Step, "set rate = 1"),
            (At::Step, "set rate = total"),
            (At::Step, "set rate = 25%"),
            (At::Step, "set total = score"),
            (At::Step, "set size = large"),
            (At::Step, "set size = none"),
            (At::Step, "set comment = none"),
            (At::Step, "set comment = who"),
            (At::Step, "set comment = target"),
            (At::Step, "set comment = \"{{ total }} of {{ LIMIT }}\""),
            (At::Step, "set day = now.date"),
            (At::Step, "set opens = now.time"),
            (At::Step, "set code = \"0042\""),
            (At::Step, "set total = match size { small -> 1, large -> 2, none -> 3 }"),
            (At::Step, "set total = match size { small -> 1, else -> 2 }"),
            (At::Step, "call find(day: day, limit: 2) as more"),
            (At::Step, "call maybe(who) as found"),
            (At::Step, "say hello_text"),
            (At::Item, "const PHONE: phone = \"+1 (415) 555-0100\""),
            (At::Item, "const TWICE = LIMIT * 2"),
            (At::Collect, "collect choice from slots"),
        ],
    );
}

#[test]
fn units_are_kept_apart() {
    table(
        &[
            (MixedUnits, At::If, "or paid «>=» 100", "Write the number with its currency"),
            (MixedUnits, At::If, "or fee «<» 10 EUR", "two currencies"),
            (MixedUnits, At::If, "or wait_for «>» 3", "Write the number with its unit"),
            (
                MixedUnits,
                At::Step,
                "set total = «paid»",
                "takes a whole number, and this is an amount of money",
            ),
            (MixedUnits, At::Step, "set wait_for = «4»", "Write the number with its unit"),
            (
                MixedUnits,
                At::If,
                "or fee «+» 3 > 1 USD",
                "`+` does not go with an amount in USD and a whole number",
            ),
            (MixedUnits, At::If, "or fee «+» 3 EUR > 1 USD", "two currencies"),
            (MixedUnits, At::Tool, "timeout: «3»", "`timeout` takes a length of time"),
            (MixedUnits, At::Member, "limits { cost: «2» }", "`cost` takes an amount of money"),
            (NotComparable, At::If, "or day «==» now", "Compare the day of the date with a time"),
            (NotComparable, At::If, "or size «==» \"small\"", "without quotes"),
            (NotComparable, At::If, "or consent «==» \"yes\"", "`true` or `false`"),
            (NotComparable, At::If, "or who «==» 3", "do not compare"),
            (NotComparable, At::If, "or who «<» \"b\"", "has none"),
            (NotComparable, At::If, "or size «>» small", "has none"),
            (NotComparable, At::If, "or day «in» 9:00..18:00", "do not compare"),
            (NotComparable, At::If, "or total in «who»", "behind `in` stands a list or a range"),
        ],
        &[
            (At::If, "or paid >= 100 USD"),
            (At::If, "or fee * 2 > 10 USD"),
            (At::If, "or fee / 2 USD > 3"),
            (At::If, "or wait_for > 3s"),
            (At::If, "or wait_for * 2 > 1min"),
            (At::If, "or day == now.date"),
            (At::If, "or day + 1d > now.date"),
            (At::If, "or now - started > 2h"),
            (At::If, "or day in 2026-03-01..2026-03-31"),
            (At::If, "or now.time in 9:00..18:00 or now.time in 22:00..6:00"),
            (At::If, "or total in 1..5 or total in [1, 2, 3]"),
            (At::If, "or size in [small, large]"),
            (At::If, "or score / 2 > 1.5"),
            (At::If, "or small == size"),
            (At::If, "or fee in 1 USD..5 USD"),
            (At::If, "or call.duration > 3min"),
        ],
    );
}

#[test]
fn what_may_be_missing_is_not_what_is_there() {
    table(
        &[
            (NeverMissing, At::If, "or «who»", "always there"),
            (NeverMissing, At::If, "or «who» == none", "never equals `none`"),
            (NeverMissing, At::Say, "{{ «who» ?? \"you\" }}", "`??` never applies"),
            (NotCondition, At::If, "or «slots»", "Ask `x.empty`"),
            (NotCondition, At::If, "or «3»", "not a condition"),
            (NotCondition, At::If, "or «\"yes\"»", "not a condition"),
            (NotCondition, At::If, "or «agreed»", "a yes or a no that may be missing"),
            (MaybeMissing, At::Say, "{{ «comment?» }}", "a text has no words for that"),
            (WrongType, At::If, "or (age «??» true) == 3", "of the same type"),
        ],
        &[
            (At::If, "or age"),
            (At::If, "or not age"),
            (At::If, "or (age and age > 3)"),
            (At::If, "or age == none"),
            (At::If, "or age == 3"),
            (At::If, "or (age ?? 0) > 3"),
            (At::If, "or agreed == true or agreed != none"),
            (At::If, "or consent and not consent"),
            (At::If, "or choice"),
            (At::If, "or slots.empty"),
            (At::If, "or slots.first == none"),
            (At::Say, "{{ comment ?? \"nothing\" }} {{ age ?? \"no age\" }}"),
            (At::Step, "set total = age ?? 0"),
            (At::Step, "set comment = comment ?? who"),
            (At::Step, "call find(day, size?) as more"),
        ],
    );
}

#[test]
fn operands_that_may_be_missing() {
    table(
        &[
            (MaybeMissing, At::Step, "set total = «age?»", "`total` needs a value, and this may be missing"),
            (MaybeMissing, At::Step, "set total = «none»", "`none` is a missing one"),
            (MaybeMissing, At::If, "or «age?» > 3", "`>` needs a value"),
            (MaybeMissing, At::If, "or «age?» + 1 == 3", "`+` needs a value"),
        ],
        &[(At::If, "or (age ?? 1) + 1 == 3")],
    );
}

#[test]
fn texts_hold_what_has_words() {
    table(
        &[
            (NotText, At::Say, "{{ «slots» }}", "cannot be read out in a text"),
            (NotText, At::Say, "{{ «choice» }}", "Name one of its fields"),
            (NotText, At::Say, "{{ «none» }}", "`none` has no words"),
            (BadFormat, At::Say, "{{ who as «date» }}", "a text cannot be written `as date`"),
            (BadFormat, At::Say, "{{ day as «time» }}", "`as spoken`, `as date` or `as iso`"),
            (BadFormat, At::Say, "{{ day as «spokn» }}", "Did you mean `spoken`?"),
            (BadFormat, At::Say, "{{ size as «digits» }}", "cannot be written"),
            (NotCallable, At::Say, "{{ «maybe»(who) }}", "A tool is called by a step"),
            (NotCallable, At::Say, "{{ «visited»(talk) }}", "Only an `expect` of a test"),
            (NotCallable, At::Step, "call «1»", "calls a tool by its name"),
            (NotCallable, At::Step, "call «calendar»()", "not one of its tools"),
        ],
        &[
            (
                At::Say,
                "{{ day as spoken }} {{ now as date }} {{ now as time }} {{ opens as time }} {{ day as iso }}",
            ),
            (At::Say, "{{ total as digits }} {{ target as digits }} {{ paid as spoken }} {{ paid as iso }}"),
            (
                At::Say,
                "{{ size }} {{ size as spoken }} {{ consent }} {{ code as digits }} {{ wait_for as spoken }}",
            ),
            (
                At::Route,
                "when more: \"They want more\" -> end done { say \"{{ call.duration as spoken }}\" }",
            ),
        ],
    );
}

#[test]
fn values_stay_in_their_range() {
    table(
        &[
            (OutOfRange, At::Step, "set score = «6»", "`score` is a whole number from 1 to 5, and this is 6"),
            (OutOfRange, At::If, "or score «==» 7", "The answer is always the same"),
            (OutOfRange, At::If, "or total in 5«..»1", "nothing lies in this range"),
            (OutOfRange, At::If, "or total / «0» > 1", "divided by zero"),
            (OutOfRange, At::Tool, "retries: «20», idempotent: true", "a number from 0 to 10"),
            (OutOfRange, At::Tool, "timeout: «0s»", "more than nothing"),
            (OutOfRange, At::Collect, "collect day { tries: «0» }", "a number from 1 to 100"),
            (OutOfRange, At::Route, "on silence(«0s») { say \"Hm\" }", "longer than nothing"),
            (OutOfRange, At::Route, "on silence(5s, times: «0») { say \"Hm\" }", "from 1 to 1000"),
            (OutOfRange, At::Member, "var bad: «5..1» \"x\"", "Write the smaller end first"),
            (BadLiteral, At::If, "or fee > 3 «USB»", "Did you mean `USD`?"),
            (BadLiteral, At::Member, "var bad: money(«DOLLARS») \"x\"", "Did you mean `USD`?"),
            (BadLiteral, At::Member, "var bad: digits(«0») \"x\"", "from 1 to 64"),
        ],
        &[
            (At::Step, "set score = 5"),
            (At::If, "or score == 5"),
            (At::Member, "var good: money(USD)? \"x\" var better: digits(12)? \"y\""),
        ],
    );
}

#[test]
fn a_match_knows_all_cases() {
    table(
        &[
            (
                MissingElse,
                At::Step,
                "set total = match «size» { small -> 1, large -> 2 }",
                "no arm for `none`",
            ),
            (MissingElse, At::Step, "set total = match «total» { 1 -> 2 }", "what holds otherwise"),
            (
                UnknownCase,
                At::Step,
                "set total = match size { «smal» -> 1, else -> 2 }",
                "Did you mean `small`?",
            ),
            (
                NotComparable,
                At::Step,
                "set total = match size { «3» -> 1, else -> 2 }",
                "what the `match` looks at",
            ),
        ],
        &[
            (At::Step, "set total = match consent { true -> 1, false -> 2 }"),
            (At::Step, "set total = match size ?? small { small -> 1, else -> 2 }"),
            (At::Step, "transfer match size { small -> \"+14155550100\", else -> env.DESK }"),
        ],
    );
}

#[test]
fn nothing_contains_itself() {
    table(
        &[
            (
                RecursiveType,
                At::Item,
                "type A { next: B? }  type B { «back»: list<A> }",
                "through `back`, a `A` contains a `A`",
            ),
            (RecursiveType, At::Item, "type A { «self»: A? }", "contains a `A`"),
            (RecursiveType, At::Item, "const «A» = B + 1  const B = A + 1", "needs itself"),
        ],
        &[(At::Item, "type A { b: B, c: list<B> }  type B { x: text }")],
    );
}
