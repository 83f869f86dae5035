//! The report that CI servers read.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Suite;

/// JUnit XML of all tests.
pub fn report(suites: &[Suite]) -> anyhow::Result<String> {
    let mut report = Report::new("dgh test");
    for suite in suites {
        let mut out = TestSuite::new(suite.shown());
        for (test, tested) in suite.tested() {
            let status = match (&tested.outcome.failure, &tested.outcome.skipped) {
                (Some(failure), _) => {
                    let line = suite
                        .line(failure.origin)
                        .or_else(|| suite.line(test.origin))
                        .map_or(0, |(line, _)| line);
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(failure.message.clone());
                    status.set_description(format!("{}:{line}", suite.shown()));
                    status
                }
                (None, Some(reason)) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(reason.clone());
                    status
                }
                (None, None) if !tested.outcome.differences.is_empty() => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    let lines = tested.outcome.differences.iter().map(|difference| {
                        let line = suite.line(difference.origin).map_or(0, |(line, _)| line);
                        let (wanted, got) = (&difference.expected, &difference.got);
                        format!("{}:{line}: the test means {wanted}, the model did {got}", suite.shown())
                    });
                    status.set_message("the model differs from the script");
                    status.set_description(lines.collect::<Vec<_>>().join("\n"));
                    status
                }
                (None, None) => TestCaseStatus::success(),
            };
            let mut case = TestCase::new(test.name.clone(), status);
            case.set_time(tested.took);
            case.set_classname(suite.shown());
            out.add_test_case(case);
        }
        report.add_test_suite(out);
    }
    Ok(report.to_string()?)
}
