//! What can be typed behind `dgh`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use url::Url;

use crate::settings::Flags;

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
    /// Look whether everything is there that a server needs, and say what to do
    Doctor(Doctor),
    /// Migrate, copy or restore the database of a server
    Db(Database),
    /// Make this folder the draft of an agent on a server
    Push(Push),
    /// Bring the draft of an agent on a server here
    Pull(Pull),
    /// Show what one agent does differently from another, and whom that breaks
    Diff(Diff),
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
#[command(after_help = OTHER_WAYS)]
pub struct Serve {
    /// The agent, or a folder of agents [default: this folder when it is an agent's, else those that
    /// were pushed]
    pub path: Option<PathBuf>,
    /// How it is set up
    #[command(flatten)]
    pub flags: Flags,
}

const OTHER_WAYS: &str = "Every flag may also be a variable, --max-calls as DGH_MAX_CALLS, or stand in \
    [server] of dgh.toml as max_calls. Variables alone: DATABASE_URL for --database, DGH_ENCRYPTION_KEY, \
    DGH_OWNER_PASSWORD, DGH_TURN_SECRET, DGH_TURN_CREDENTIAL, and RUST_LOG, which says what is logged.";

/// `dgh doctor`
#[derive(Debug, ClapArgs)]
#[command(after_help = OTHER_WAYS)]
pub struct Doctor {
    /// What would be served [default: as for `dgh serve`]
    pub path: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
    /// How it would be set up
    #[command(flatten)]
    pub flags: Flags,
}

/// `dgh db`
#[derive(Debug, ClapArgs)]
pub struct Database {
    /// What to do
    #[command(subcommand)]
    pub command: DatabaseCommand,
}

/// What can be done with a database.
#[derive(Debug, Subcommand)]
pub enum DatabaseCommand {
    /// Bring its tables up to this version; `dgh serve` does so by itself
    Migrate {
        /// Which
        #[command(flatten)]
        place: DatabasePlace,
    },
    /// Write a copy to a file, also while a server uses it
    Backup {
        /// The file, which must not be there yet
        file: PathBuf,
        /// Which
        #[command(flatten)]
        place: DatabasePlace,
    },
    /// Put a copy in its place, while no server uses it
    Restore {
        /// The copy
        file: PathBuf,
        /// Replace everything that is in a Postgres
        #[arg(long)]
        replace: bool,
        /// Which
        #[command(flatten)]
        place: DatabasePlace,
    },
    /// Give a user a new password, for whoever lost theirs; all their sessions end
    ResetPassword {
        /// The address that they sign in with
        email: String,
        /// Which
        #[command(flatten)]
        place: DatabasePlace,
    },
    /// Make a new key, and seal all secrets again with it
    RotateKeys {
        /// Which
        #[command(flatten)]
        place: DatabasePlace,
    },
}

/// Which database is meant.
#[derive(Debug, ClapArgs)]
pub struct DatabasePlace {
    /// The agents whose server it is [default: as for `dgh serve`]
    #[arg(long, value_name = "PATH")]
    pub of: Option<PathBuf>,
    /// The data folder [default: that of the server]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Its address [default: DATABASE_URL, or the file in the data folder]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

/// Which server, and as whom.
#[derive(Debug, ClapArgs)]
pub struct Remote {
    /// The server
    #[arg(long, value_name = "URL", env = "DGH_SERVER", default_value = "http://127.0.0.1:8080")]
    pub server: Url,
    /// A key of its API that may write agents
    #[arg(long, value_name = "KEY", env = "DGH_API_KEY", hide_env_values = true)]
    pub key: String,
}

/// Whether a draft is published, and how.
#[derive(Debug, ClapArgs)]
pub struct Publishing {
    /// Publish it
    #[arg(long)]
    pub publish: bool,
    /// Profile that it is published to
    #[arg(long, value_name = "NAME", requires = "publish")]
    pub profile: Option<String>,
    /// Percent of the calls that get it
    #[arg(long, value_name = "PERCENT", requires = "publish")]
    pub percent: Option<u8>,
    /// What is new in it
    #[arg(long, value_name = "TEXT", requires = "publish")]
    pub note: Option<String>,
}

/// `dgh push`
#[derive(Debug, ClapArgs)]
pub struct Push {
    /// The agent
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Its name on the server [default: that of the last time, else the folder's]
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Overwrite what somebody changed on the server
    #[arg(long)]
    pub force: bool,
    /// What becomes of the draft
    #[command(flatten)]
    pub publishing: Publishing,
    /// Where to
    #[command(flatten)]
    pub remote: Remote,
}

/// `dgh pull`
#[derive(Debug, ClapArgs)]
pub struct Pull {
    /// The folder
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Its name on the server [default: that of the last time]
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Overwrite what was changed here
    #[arg(long)]
    pub force: bool,
    /// Where from
    #[command(flatten)]
    pub remote: Remote,
}

/// `dgh diff`
#[derive(Debug, ClapArgs)]
pub struct Diff {
    /// The agent as it was
    pub before: PathBuf,
    /// The agent as it is
    pub after: PathBuf,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
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
