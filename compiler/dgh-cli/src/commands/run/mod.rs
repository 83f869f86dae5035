//! `dgh run`: talks with an agent in the terminal.

mod input;
mod show;
pub mod start;

use std::fs;

use anyhow::Context as _;
use dgh_engine::effect::Record;
use dgh_engine::event::Event;

use self::input::{Input, Line};
use self::show::Terminal;
use crate::Outcome;
use crate::args::Run;
use crate::session::{Before, Session};
use crate::ui;

pub fn run(args: &Run) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(talk(args));
    // A thread may still wait for a line that nobody types.
    runtime.shutdown_background();
    outcome
}

async fn talk(args: &Run) -> anyhow::Result<Outcome> {
    let Some(started) = start::start(args)? else { return Ok(Outcome::Findings) };
    let mut terminal = Terminal::new(args.quiet);
    for note in started.notes.iter().filter(|_| !args.quiet) {
        show::note(note)?;
    }
    if let Some(path) = &args.log {
        // A folder that is not there is told before the call, not after it.
        fs::write(path, "").with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut session = started.session;
    let mut input = Input::new(&args.say);
    for event in started.first {
        session.tell(event, &mut terminal).await?;
    }
    session.settle(&mut terminal).await?;
    let mut turns: Vec<Before> = Vec::new();
    loop {
        if session.is_over() && input.is_terminal() {
            show::note("the call is over; :back takes the last turn back, Enter leaves")?;
        }
        let line = input.next().await?;
        if session.is_over() && !matches!(line, Line::Back | Line::Variables | Line::Log) {
            break;
        }
        if input.echoes() {
            show::caller(&line)?;
        }
        match line {
            Line::Says(text) => {
                turns.push(session.before());
                match keys(&text) {
                    Some(keys) if session.call().takes_keys(&keys) => {
                        press(&mut session, keys, &mut terminal).await?;
                    }
                    _ => {
                        let turn = Event::CallerTurn { text, confidence: None, language: None };
                        session.tell(turn, &mut terminal).await?;
                    }
                }
            }
            Line::Keys(keys) if keys.is_empty() => show::note("which keys? :keys 12#")?,
            Line::Keys(keys) if !session.call().takes_keys(&keys) => {
                show::note("no handler takes these keys here")?;
            }
            Line::Keys(keys) => {
                turns.push(session.before());
                press(&mut session, keys, &mut terminal).await?;
            }
            Line::Silence => {
                turns.push(session.before());
                session.silence(&mut terminal).await?;
            }
            Line::HangUp => session.tell(Event::Hangup, &mut terminal).await?,
            Line::Back => match turns.pop() {
                Some(before) => {
                    session.go_back(before);
                    show::note("the last turn is taken back")?;
                }
                None => show::note("there is no turn to take back")?,
            },
            Line::Variables => variables(&session)?,
            Line::Log => show::log(session.records())?,
            Line::Help => show::note(input::HELP)?,
            Line::Unknown(command) => {
                show::note(&format!("there is no `{command}`; :help shows what there is"))?;
            }
            Line::Quit => break,
        }
    }
    if let Some(path) = &args.log {
        let log = start::sealed(&session.into_log())?;
        fs::write(path, log).with_context(|| format!("cannot write {}", path.display()))?;
        show::note(&format!("the log is in {}; dgh replay runs it again", path.display()))?;
    }
    Ok(Outcome::Clean)
}

/// Presses keys. Those that wait for more do nothing yet, which would look like a hang.
async fn press(session: &mut Session, keys: String, terminal: &mut Terminal) -> anyhow::Result<()> {
    let before = session.records().len();
    session.tell(Event::Keys { keys }, terminal).await?;
    if session.records().len() == before {
        show::note("       more keys may follow; an empty line ends them")?;
    }
    Ok(())
}

/// What was typed, if it can be keys: digits, `*`, `#`, and what people write between them.
fn keys(text: &str) -> Option<String> {
    let keys: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let all = keys.chars().all(|c| matches!(c, '0'..='9' | '*' | '#'));
    (all && !keys.is_empty()).then_some(keys)
}

fn variables(session: &Session) -> anyhow::Result<()> {
    let mut known: Vec<(String, String)> = Vec::new();
    for record in session.records() {
        if let Record::Value { name, shown, .. } = record {
            known.retain(|(other, _)| other != name);
            known.extend(shown.clone().map(|value| (name.clone(), value)));
        }
    }
    if known.is_empty() {
        return show::note("nothing is known yet");
    }
    known.iter().try_for_each(|(name, value)| ui::line(format!("  {name} = {value}")))
}
