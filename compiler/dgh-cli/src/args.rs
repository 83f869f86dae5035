//! What can be typed behind `dgh`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use dgh_platform::calls::MAX_CALLS;
use url::Url;

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
    /// Take calls: a page to call from in the browser, and sockets for carriers
    Serve(Serve),
    /// Show how long each answer of a call took, and who it was waited for
    Latency(Latency),
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
    /// The log of a call, of `dgh serve` or `dgh run --log`
    pub log: PathBuf,
    /// Replay it with this agent instead of the one in the log's own path
    #[arg(long, value_name = "PATH")]
    pub with: Option<PathBuf>,
    /// Print what happened, with private values masked, instead of running it again
    #[arg(long)]
    pub show: bool,
}

/// `dgh serve`
#[derive(Debug, ClapArgs)]
pub struct Serve {
    /// The agent, or a folder of agents
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Address to listen on; 0.0.0.0 is every one of this machine
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port to listen on; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// Where the world reaches it, behind a proxy or a tunnel: https://calls.example.org
    #[arg(long, value_name = "URL")]
    pub public_url: Option<Url>,
    /// Profile of dgh.toml [default: dev, or the first]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Model to talk with: agent, offline, or openai/gpt-4.1-mini [default: the agent's own when its
    /// key is set, else offline]
    #[arg(long, value_name = "PROVIDER/MODEL")]
    pub llm: Option<String>,
    /// Address of the model's server, if it is not the provider's own
    #[arg(long, value_name = "URL", requires = "llm")]
    pub llm_url: Option<String>,
    /// Longest wait for the model's first word
    #[arg(long, value_name = "SECONDS", requires = "llm", value_parser = seconds)]
    pub llm_timeout: Option<Duration>,
    /// Recogniser: agent, offline, none, or deepgram/nova-3 [default: like --llm]
    #[arg(long, value_name = "PROVIDER/MODEL")]
    pub stt: Option<String>,
    /// Voice: agent, offline, none, or elevenlabs/flash-2.5 [default: like --llm]
    #[arg(long, value_name = "PROVIDER/MODEL")]
    pub tts: Option<String>,
    /// Use the real tools instead of the mocks of the profile
    #[arg(long)]
    pub no_mocks: bool,
    /// Calls at a time
    #[arg(long, value_name = "NUMBER", default_value_t = MAX_CALLS)]
    pub max_calls: usize,
    /// Where logs and recordings of calls go [default: .dgh beside the agents]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Do not record the sound of calls
    #[arg(long)]
    pub no_recording: bool,
    /// How long calls may go on after the server was told to stop: 60s, 5m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    pub drain: Duration,
    /// STUN server for calls from other networks: stun:stun.example.org:3478
    #[arg(long, value_name = "URL")]
    pub stun: Vec<String>,
    /// TURN server: turn:turn.example.org:3478; its secret is DGH_TURN_SECRET in the environment, or
    /// its login DGH_TURN_USERNAME and DGH_TURN_CREDENTIAL
    #[arg(long, value_name = "URL")]
    pub turn: Vec<String>,
    /// Address that the world sees, behind a one-to-one NAT
    #[arg(long, value_name = "ADDRESS")]
    pub public_ip: Option<IpAddr>,
    /// Let carriers in that show neither signature nor ticket; for tests on 127.0.0.1
    #[arg(long)]
    pub insecure_carriers: bool,
    /// How the log of the server is written to standard error; RUST_LOG says what of it
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// How the log of a server is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object on a line
    Json,
}

/// `dgh latency`
#[derive(Debug, ClapArgs)]
pub struct Latency {
    /// The log of a call: .dgh/calls/….log
    pub log: PathBuf,
    /// One JSON object, times in microseconds
    #[arg(long)]
    pub json: bool,
}

/// The longest that anybody waits for a word.
const LONGEST_WAIT: f64 = 600.0;

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|s| (0.001..=LONGEST_WAIT).contains(s));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| format!("a number of seconds, {LONGEST_WAIT} at most"))
}

fn time(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(format!("`{unit}` is no unit of time; write 60s, 5m or 1h")),
    };
    let number: f64 = number.trim().parse().map_err(|_| "write a time as 60s, 5m or 1h".to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| "this is no time to wait".to_owned())
}
