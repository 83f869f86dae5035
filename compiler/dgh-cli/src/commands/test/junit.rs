//! The report that CI servers read.

use dgh_engine::testing::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Suite;

/// JUnit XML of all tests.
pub fn report(suites: &[Suite]) -> anyhow::Result<String> {
    let mut report = Report::new("dgh test");
    for suite in suites {
        let mut out = TestSuite::new(suite.shown());
        for (test, tested) in suite.tested() {
            let status = match &tested.outcome.verdict {
                Verdict::Passed => TestCaseStatus::success(),
                Verdict::Skipped(reason) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(reason.clone());
                    status
                }
                Verdict::Failed { origin, message } => {
                    let line = suite.line(*origin).or_else(|| suite.line(test.origin)).map_or(0, |(line, _)| line);
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(message.clone());
                    status.set_description(format!("{}:{line}", suite.shown()));
                    status
                }
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
