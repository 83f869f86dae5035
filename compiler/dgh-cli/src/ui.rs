//! What is printed, and how: colours only where they are wanted, a closed pipe is no error.

use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};

/// Quiet text: what surrounds the conversation.
pub const DIM: Style = Style::new().dimmed();
/// Good news.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Bad news.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Worth a look.
pub const NOTE: Style = AnsiColor::Yellow.on_default();
/// The agent.
pub const AGENT: Style = AnsiColor::Cyan.on_default().bold();
/// The caller.
pub const CALLER: Style = AnsiColor::Green.on_default().bold();

/// `text` in a style.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints to standard output; styles are dropped where they are not wanted.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints a line to standard output.
pub fn line(text: impl AsRef<str>) -> anyhow::Result<()> {
    print(&format!("{}\n", text.as_ref()))
}

/// Prints a line to standard error; what cannot be printed there cannot be reported anywhere.
pub fn note(text: impl AsRef<str>) {
    let _ = writeln!(anstream::stderr().lock(), "{}", text.as_ref());
}

/// Prints an error with its causes.
pub fn error(error: &anyhow::Error) {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    note(format!("{} {}", paint(BAD, "error:"), causes.join(": ")));
}

/// A text on lines of the terminal, all but the first behind so many spaces. Spaces that lead a
/// line stay, line ends become spaces.
pub fn wrapped(text: &str, indent: usize) -> String {
    let lead = text.len() - text.trim_start().len();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = textwrap::wrap(&words, width().saturating_sub(indent + lead).max(20));
    let between = format!("\n{:1$}", "", indent + lead);
    format!("{:lead$}{}", "", lines.join(&between))
}

/// A number of things: "1 file", "2 files".
pub fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// Whether colours go to standard output.
pub fn colours() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Whether colours go to standard error.
pub fn colours_on_stderr() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Columns of the terminal; 100 where there is none.
pub fn width() -> usize {
    let (terminal, columns) = (io::stdout().is_terminal(), std::env::var("COLUMNS").ok());
    let columns = columns.and_then(|c| c.parse().ok());
    match (columns, terminal) {
        (Some(columns), _) => columns,
        (None, true) => terminal_size::terminal_size().map_or(100, |(w, _)| usize::from(w.0)),
        (None, false) => 100,
    }
}

/// Whether an error is a reader that went away: `dgh … | head`.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|e| e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}
