//! What can be typed behind `dgh`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Voice agents as programs: write, check, talk to and test them.
#[derive(Debug, Parser)]
#[command(
    name = "dgh",
    version,
    styles = STYLES,
    after_help = "A PATH is a .dgh file, or a folder with a dgh.toml or an agent.dgh.\n\
        Exit codes: 0 clean, 1 findings, 2 wrong usage or a file that cannot be read."
)]
pub struct Args {
    /// When to use colours
    #[command(flatten)]
    pub color: colorchoice_clap::Color,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new agent from a template, or from a sentence
    New(New),
    /// Prove what can be proven before anyone calls
    Check(Check),
    /// Format files
    Fmt(Fmt),
    /// Talk to an agent in the terminal
    Run(Run),
    /// Run the tests that stand in the files
    Test(Test),
    /// Explain a code such as E0301
    Explain(Explain),
    /// Draw an agent as a graph
    Graph(Graph),
    /// Write the compiled program as JSON
    Compile(Compile),
    /// Pin the tools of MCP servers in dgh.lock
    Lock(Lock),
    /// Run the log of a call again and compare
    Replay(Replay),
}

/// `dgh new`
#[derive(Debug, ClapArgs)]
pub struct New {
    /// Folder to make
    pub path: PathBuf,
    /// Template to start from
    #[arg(long, value_enum, default_value_t, conflicts_with = "from")]
    pub template: Template,
    /// Let a model write the agent from this sentence; needs --llm
    #[arg(long, value_name = "SENTENCE", requires = "llm")]
    pub from: Option<String>,
    /// Model for --from, such as openai/gpt-4.1
    #[arg(long, value_name = "PROVIDER/MODEL")]
    pub llm: Option<String>,
    /// Address of the model's server, if it is not the provider's own
    #[arg(long, value_name = "URL", requires = "llm")]
    pub llm_url: Option<String>,
    /// Longest wait for the model's first word
    #[arg(long, value_name = "SECONDS", requires = "llm", value_parser = seconds)]
    pub llm_timeout: Option<Duration>,
}

/// Templates of `dgh new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Template {
    /// Answers the phone, takes a message, transfers
    #[default]
    Receptionist,
    /// Calls a lead, qualifies it, books a demo
    Outbound,
    /// Asks a few questions and ends
    Survey,
}

/// `dgh check`
#[derive(Debug, ClapArgs)]
pub struct Check {
    /// What to check [default: this folder]
    pub paths: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Mend what can be mended safely
    #[arg(long)]
    pub fix: bool,
    /// Show hints about the shape of the conversation, too
    #[arg(long)]
    pub pedantic: bool,
    /// Treat warnings as errors
    #[arg(long)]
    pub deny_warnings: bool,
    /// Compare with the last release: the JSON that `dgh compile` wrote for it
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// `dgh fmt`
#[derive(Debug, ClapArgs)]
pub struct Fmt {
    /// Files or folders; - reads standard input [default: this folder]
    pub paths: Vec<PathBuf>,
    /// Change nothing; exit with 1 if something would change
    #[arg(long)]
    pub check: bool,
}

/// `dgh run`
#[derive(Debug, ClapArgs)]
pub struct Run {
    /// The agent
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Which agent, when the file has several
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Profile of dgh.toml [default: dev, or the first]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Model to talk with, such as openai/gpt-4.1-mini, ollama/qwen3, or agent for those that the
    /// file names
    #[arg(long, value_name = "PROVIDER/MODEL", default_value = "offline")]
    pub llm: String,
    /// Address of the model's server, if it is not the provider's own
    #[arg(long, value_name = "URL")]
    pub llm_url: Option<String>,
    /// Longest wait for the model's first word [default: 8]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub llm_timeout: Option<Duration>,
    /// Give a value to an input: --input lead_id=L1
    #[arg(long = "input", value_name = "NAME=VALUE")]
    pub inputs: Vec<String>,
    /// Say this and go on; may be given several times. Without a terminal the call ends after the
    /// last one
    #[arg(long, value_name = "WORDS")]
    pub say: Vec<String>,
    /// Number that calls, or is called
    #[arg(long, value_name = "NUMBER")]
    pub caller: Option<String>,
    /// Write the sealed log of the call here, for `dgh replay`
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Pretend that the call starts at this time: 2026-03-02T10:00
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Use the real tools instead of the mocks of the profile
    #[arg(long)]
    pub no_mocks: bool,
    /// Only the words, without nodes and routes
    #[arg(long, short)]
    pub quiet: bool,
}

/// `dgh test`
#[derive(Debug, ClapArgs)]
pub struct Test {
    /// What to test [default: this folder]
    pub paths: Vec<PathBuf>,
    /// Only tests whose name holds this
    #[arg(long, value_name = "WORDS")]
    pub filter: Option<String>,
    /// Write a JUnit report here
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Show the dialogue of every test
    #[arg(long, short)]
    pub verbose: bool,
    /// Show which nodes and routes no test visits
    #[arg(long)]
    pub coverage: bool,
    /// Let the configured model decide, and report where it differs from `means`
    #[arg(long)]
    pub live: bool,
    /// Model for --live, `caller` and `judge`: openai/gpt-4.1-mini
    #[arg(long, value_name = "PROVIDER/MODEL")]
    pub llm: Option<String>,
    /// Address of the model's server, if it is not the provider's own
    #[arg(long, value_name = "URL", requires = "llm")]
    pub llm_url: Option<String>,
    /// Longest wait for the model's first word
    #[arg(long, value_name = "SECONDS", requires = "llm", value_parser = seconds)]
    pub llm_timeout: Option<Duration>,
    /// Profile of dgh.toml [default: dev, or the first]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

/// `dgh explain`
#[derive(Debug, ClapArgs)]
pub struct Explain {
    /// The code; without one, all codes are listed
    pub code: Option<String>,
}

/// `dgh graph`
#[derive(Debug, ClapArgs)]
pub struct Graph {
    /// The agent
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Which agent, when the file has several
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub format: GraphFormat,
}

/// What `dgh graph` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum GraphFormat {
    /// Mermaid, as GitHub and many wikis show it
    #[default]
    Mermaid,
    /// DOT, for Graphviz
    Dot,
    /// JSON with positions, ready to be drawn
    Json,
}

/// `dgh compile`
#[derive(Debug, ClapArgs)]
pub struct Compile {
    /// The agent
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Where to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print the content hash alone
    #[arg(long)]
    pub hash: bool,
    /// Print the JSON Schema of the compiled form
    #[arg(long)]
    pub schema: bool,
}

/// `dgh lock`
#[derive(Debug, ClapArgs)]
pub struct Lock {
    /// The agent
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Change nothing; exit with 1 if a server's tools are not those of dgh.lock
    #[arg(long)]
    pub check: bool,
    /// Profile of dgh.toml [default: dev, or the first]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

/// `dgh replay`
#[derive(Debug, ClapArgs)]
pub struct Replay {
    /// The log that `dgh run --log` wrote
    pub log: PathBuf,
    /// Replay it with this agent instead of the one in the log's own path
    #[arg(long, value_name = "PATH")]
    pub with: Option<PathBuf>,
}

/// The longest that anybody waits for a word.
const LONGEST_WAIT: f64 = 600.0;

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|s| (0.001..=LONGEST_WAIT).contains(s));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| format!("a number of seconds, {LONGEST_WAIT} at most"))
}
