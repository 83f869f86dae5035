//! What the compiler and the engine cost, and what a judge buys: `cargo bench -p dgh-tests`, or with
//! words to filter.
//!
//! Every figure is the median of several runs on this machine, printed beside its goal. Growth is a
//! ratio within one run, so it holds on any machine.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    missing_docs
)]

mod judge;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dgh_compile::{Memory, compile};
use dgh_engine::Prepared;
use dgh_engine::testing::{self, TestOptions};
use dgh_tests::generate;

/// The allocator of the `dgh` command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let filter: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| filter.is_empty() || filter.iter().any(|f| name.contains(f.as_str()));
    println!("{:<44} {:>14} {:>14}", "what", "figure", "goal");
    let benches: [(&str, fn()); 7] = [
        ("parse", parse),
        ("check", check),
        ("fmt", format),
        ("tests", scripted_tests),
        ("step", engine_step),
        ("process", process),
        ("judge", judge::judge),
    ];
    for (name, bench) in benches {
        if wanted(name) {
            bench();
        }
    }
}

fn parse() {
    let text = generate::agent(1_000);
    let took = median(21, || black_box(dgh_syntax::parse(&text)));
    let speed = text.len() as f64 / 1e6 / took.as_secs_f64();
    line(&format!("parse, {} KB", text.len() / 1000), &format!("{speed:.1} MB/s"), "9 MB/s");
    let large = generate::agent(10_000);
    let ten = median(5, || black_box(dgh_syntax::parse(&large)));
    growth("parse, ten times the text", took, ten);
    let nested = format!("dgh 1\n{}", "agent a { ".repeat(1_000_000 / 10));
    let half = format!("dgh 1\n{}", "agent a { ".repeat(500_000 / 10));
    let (one, two) = (
        median(5, || black_box(dgh_syntax::parse(&half))),
        median(5, || black_box(dgh_syntax::parse(&nested))),
    );
    line("parse, twice the open braces", &format!("{:.1}x", ratio(two, one)), "about 2x");
}

fn check() {
    let took = |nodes: usize, runs: usize| {
        let bundle = Memory::new([("agent.dgh", generate::agent(nodes))]);
        median(runs, || black_box(compile(&bundle, "agent.dgh")))
    };
    let (one, ten) = (took(1_000, 15), took(10_000, 3));
    line("check, 1,000 nodes", &millis(one), "60 ms");
    growth("check, 10,000 nodes", one, ten);
}

fn format() {
    let text = generate::agent(1_000);
    let took = median(15, || black_box(dgh_fmt::format(&text)));
    line("fmt, 1,000 nodes", &millis(took), "60 ms");
}

fn scripted_tests() {
    let (program, tests) = clinic();
    let prepared = Prepared::new(program);
    let options = TestOptions::default();
    let rounds = 50;
    let took = median(7, || {
        for _ in 0..rounds {
            for test in &tests {
                black_box(testing::run(&prepared, test, &options));
            }
        }
    });
    let a_second = (rounds * tests.len()) as f64 / took.as_secs_f64();
    line("scripted tests of the clinic, one core", &format!("{a_second:.0} /s"), "500 /s");
}

fn engine_step() {
    let (program, tests) = clinic();
    let prepared = Prepared::new(program);
    let options = TestOptions::default();
    let mut steps = 0;
    let took = median(7, || {
        steps = 0;
        for _ in 0..50 {
            for test in &tests {
                steps += testing::run(&prepared, test, &options).events;
            }
        }
    });
    let micros = took.as_secs_f64() * 1e6 / steps as f64;
    line("one step of the engine", &format!("{micros:.1} us"), "20 us");
}

fn process() {
    let dgh = release_binary();
    let lead = root().join("examples/lead/agent.dgh");
    let run = |path: &Path| {
        let status = Command::new(&dgh).arg("check").arg(path).output().unwrap().status;
        assert!(status.success(), "{} checks clean", path.display());
    };
    let took = median(21, || run(&lead));
    line("dgh check examples/lead, a process", &millis(took), "15 ms");
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("agent.dgh");
    std::fs::write(&large, generate::agent(10_000)).unwrap();
    let peak = peak_memory(&dgh, &large);
    line("memory of dgh check, 10,000 nodes", &format!("{} MB", peak / 1000), "300 MB");
}

/// The program and tests of the example that has everything.
fn clinic() -> (Arc<dgh_ir::Program>, Vec<dgh_ir::test::TestCase>) {
    let text = std::fs::read_to_string(root().join("examples/clinic/agent.dgh")).unwrap();
    let compiled = compile(&Memory::new([("agent.dgh", text)]), "agent.dgh");
    assert!(!compiled.has_errors());
    (Arc::new(compiled.program), compiled.tests)
}

fn release_binary() -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(cargo).args(["build", "-q", "--release"]).current_dir(root()).status().unwrap();
    assert!(status.success());
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("release/dgh")
}

/// Kilobytes at the most, as the kernel counted them (`VmHWM`, proc(5)) while the process ran.
fn peak_memory(dgh: &Path, file: &Path) -> u64 {
    let mut child =
        Command::new(dgh).arg("check").arg(file).stdout(std::process::Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default();
        let now = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
        peak = peak.max(now);
    }
    peak
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The median time of so many runs, after one that does not count.
fn median<T>(runs: usize, mut work: impl FnMut() -> T) -> Duration {
    work();
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[runs / 2]
}

fn growth(what: &str, one: Duration, ten: Duration) {
    line(what, &format!("{:.1}x", ratio(ten, one)), "about 10x");
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn line(what: &str, figure: &str, goal: &str) {
    println!("{what:<44} {figure:>14} {goal:>14}");
}
