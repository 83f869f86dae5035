//! What the caller is expected to say, for recognisers that take a grammar.

use dgh_engine::Call;
use dgh_engine::reply::Shape;
use dgh_providers::stt::Expected;

/// What fits where the call is.
pub(super) fn of(call: &Call) -> Expected {
    let here = call.expects();
    let mut expected = Expected { language: call.language().to_owned(), ..Expected::default() };
    for label in here.labels {
        // Without examples, nobody knows in which words it is asked for.
        expected.open |= label.like.is_empty();
        expected.phrases.extend(label.like);
        expected.topics.push(label.sentence);
    }
    if here.read_back {
        yes_or_no(&mut expected);
    }
    for wanted in here.wanted {
        add(&mut expected, &wanted.shape);
    }
    expected
}

fn add(expected: &mut Expected, shape: &Shape) {
    match shape {
        Shape::Bool => yes_or_no(expected),
        Shape::Enum { cases } => {
            expected.phrases.extend(cases.iter().map(|case| case.replace('_', " ")));
        }
        Shape::Choice { options } => {
            expected.phrases.extend(options.iter().cloned());
            expected.numbers = true;
        }
        Shape::Int { .. }
        | Shape::Number
        | Shape::Money { .. }
        | Shape::Date
        | Shape::Time
        | Shape::DateTime
        | Shape::Duration
        | Shape::Phone
        | Shape::Digits { .. } => expected.numbers = true,
        Shape::Text | Shape::Email | Shape::Url => expected.open = true,
        Shape::List { of } => add(expected, of),
        Shape::Record { fields } => fields.iter().for_each(|(_, shape, _)| add(expected, shape)),
    }
}

fn yes_or_no(expected: &mut Expected) {
    // The words of the language are the recogniser's: `yes` and `no` stand for them.
    expected.phrases.extend(["yes".to_owned(), "no".to_owned()]);
}
