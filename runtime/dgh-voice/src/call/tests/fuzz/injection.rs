//! What goes wrong, and when.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use dgh_providers::stt::SttEvent;

use super::world::{World, broken};
use crate::line::LineEvent;

/// Something that happens at a moment of a call: milliseconds from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Injection {
    pub(super) kind: Kind,
    pub(super) at: u64,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal,)+) => {
        /// What happens.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind {
            $($(#[$doc])* $kind,)+
        }

        impl Kind {
            pub(super) const ALL: [Self; [$($name),+].len()] = [$(Self::$kind),+];

            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// 600 ms of speech that means nothing.
    BargeIn "barge_in",
    /// "Mm-hm."
    Backchannel "backchannel",
    /// 300 ms of a voice without words.
    Noise "noise",
    /// The caller says nothing from then on.
    Silent "silent",
    /// The caller hangs up.
    HangsUp "hangs_up",
    /// Final words come two seconds late.
    LateWords "late_words",
    /// The recogniser fails and cannot be reached any more.
    Deaf "deaf",
    /// The recogniser fails, and can be reached again.
    DeafOnce "deaf_once",
    /// Tools do not answer any more, those that run included.
    ToolsStall "tools_stall",
    /// Tools fail, those that run included.
    ToolsFail "tools_fail",
    /// Voices make no sound any more, and fail for it after a while.
    VoiceStalls "voice_stalls",
    /// Voices do nothing any more, and nobody says so.
    VoiceHangs "voice_hangs",
    /// Voices fail.
    VoiceFails "voice_fails",
    /// The connection to the voice breaks, and can be made again.
    VoiceBreaks "voice_breaks",
    /// Models do not answer any more.
    ModelStalls "model_stalls",
    /// Models fail.
    ModelFails "model_fails",
    /// The model that is asked just then fails, once.
    ModelFailsOnce "model_fails_once",
    /// The line is lost.
    LineLost "line_lost",
    /// Keys are pressed.
    Keys "keys",
    /// The network is away for ten seconds: nothing comes in.
    NetworkAway "network_away",
    /// The caller speaks and speaks.
    NeverStops "never_stops",
    /// A voice goes on and on of which no word is understood.
    Drones "drones",
    /// An operator ends the call.
    Operator "operator",
}

/// How long the network is away.
pub(super) const AWAY_MS: u64 = 10_000;
/// Words come so much later than they should.
pub(super) const LATE_MS: u64 = 2_000;

impl Kind {
    /// Calls that take many minutes are played more seldom.
    pub(super) fn rarity(self) -> u64 {
        match self {
            Self::NeverStops | Self::Drones => 16,
            _ => 1,
        }
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.at)
    }
}

impl FromStr for Injection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, at) = text.split_once('/').ok_or("a kind, a stroke and milliseconds")?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        let kind = kind.ok_or_else(|| format!("there is no {name}"))?;
        Ok(Self { kind, at: at.parse().map_err(|error| format!("{at}: {error}"))? })
    }
}

/// Waits for the moment, and does it. What providers do differently from then on is theirs to know.
pub(super) async fn happens(world: Arc<World>) {
    let Some(Injection { kind, at }) = world.injection else { return };
    tokio::time::sleep_until(world.at(at)).await;
    world.tell("!", kind.name().to_owned());
    match kind {
        Kind::BargeIn => says(&world, 600, "wait a moment").await,
        Kind::Backchannel => says(&world, 300, "Mm-hm.").await,
        Kind::Noise => world.speak(300),
        Kind::Silent => world.person_stops(),
        Kind::HangsUp => {
            world.person_stops();
            world.line(LineEvent::Closed(None));
        }
        Kind::LineLost => {
            world.person_stops();
            world.line(LineEvent::Closed(Some("the carrier sent nothing for 30 s".to_owned())));
        }
        Kind::Deaf | Kind::DeafOnce => world.hears(SttEvent::Failed(broken("ear"))),
        Kind::Keys => {
            let digit = char::from_digit(u32::try_from(at / 20 % 10).unwrap(), 10).unwrap();
            for key in [digit, '#'] {
                world.line(LineEvent::Key(key));
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
        }
        Kind::NetworkAway => {
            world.line(LineEvent::Stalled(true));
            tokio::time::sleep(Duration::from_millis(AWAY_MS)).await;
            world.line(LineEvent::Stalled(false));
        }
        Kind::NeverStops => {
            world.person_stops();
            loop {
                says(&world, 3_000, "and another thing").await;
            }
        }
        Kind::Drones => {
            world.person_stops();
            world.speak(3_600_000);
        }
        Kind::Operator => world.stops(),
        // Providers see to it.
        Kind::LateWords
        | Kind::ToolsStall
        | Kind::ToolsFail
        | Kind::VoiceStalls
        | Kind::VoiceHangs
        | Kind::VoiceFails
        | Kind::VoiceBreaks
        | Kind::ModelStalls
        | Kind::ModelFails
        | Kind::ModelFailsOnce => {}
    }
}

async fn says(world: &Arc<World>, ms: u64, words: &str) {
    world.speak(ms);
    world.will_hear(ms / 2, SttEvent::Partial { text: words.split(' ').next().unwrap_or(words).to_owned() });
    world.will_understand(ms, words);
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
