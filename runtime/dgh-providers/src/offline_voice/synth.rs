//! One sentence spoken by one process.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::llm::LlmErrorKind;
use crate::offline_voice::is_english;
use crate::offline_voice::{program, shape};
use crate::tts::language_of;
use crate::tts::resample::Resampler;
use crate::voice::VoiceError;

/// Longest text; far more than a sentence.
const MAX_TEXT: usize = 4_000;
/// Longest sound: two minutes at 22 kHz.
const MAX_SOUND: u64 = 6 << 20;
/// Bytes of what a program says of an error.
const MAX_SAID: u64 = 2_000;
/// Words a minute of `espeak-ng` at speed 1.
const WORDS_PER_MINUTE: f64 = 165.0;

/// The voices of `flite`; all others are of `espeak-ng`.
const FLITE_VOICES: &[&str] = &["rms", "slt", "awb", "kal", "kal16"];
/// The one that recognisers, and people on the telephone, understand best.
const FLITE_VOICE: &str = "rms";

/// How to get a voice.
const INSTALL: &str =
    "no offline voice is installed: apt-get install flite (or espeak-ng, for languages other than English)";
/// How to get the others.
const INSTALL_ESPEAK: &str = "flite speaks English alone: apt-get install espeak-ng";

/// What is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) flite: Option<PathBuf>,
    pub(super) espeak: Option<PathBuf>,
    /// Longest time that a sentence may take.
    pub(super) patience: Duration,
}

impl Programs {
    pub(super) fn find() -> Self {
        Self {
            flite: program::find("flite"),
            espeak: program::find("espeak-ng"),
            patience: Duration::from_secs(10),
        }
    }

    /// Who speaks English; else how to get somebody.
    pub(super) fn voice(&self) -> Result<String, String> {
        match self {
            Self { flite: Some(_), .. } => Ok("flite".to_owned()),
            Self { espeak: Some(_), .. } => Ok("espeak-ng".to_owned()),
            _ => Err(INSTALL.to_owned()),
        }
    }
}

/// How sentences are spoken.
pub(super) struct Synth {
    /// Name of the provider.
    pub(super) provider: String,
    pub(super) programs: Programs,
    pub(super) voice: Option<String>,
    pub(super) speed: f64,
}

impl Synth {
    /// The sound of a text at a rate. To drop this ends the process.
    pub(super) async fn speak(&self, text: &str, language: &str, rate: u32) -> Result<Bytes, VoiceError> {
        if text.len() > MAX_TEXT {
            return Err(self.error(LlmErrorKind::TooLarge, "the text is too long for the offline voice"));
        }
        // Each process keeps a core busy: more at once would only make all of them late.
        let permit = processes().acquire_owned().await;
        let spoken = match self.flite(language)? {
            Some((program, voice)) => self.run_flite(program, voice, text).await?,
            None => self.run_espeak(text, language).await?,
        };
        drop(permit);
        let shaped = tokio::task::spawn_blocking(move || finish(spoken()?, rate)).await;
        match shaped {
            Ok(Ok(sound)) => Ok(sound),
            Ok(Err(message)) => Err(self.error(LlmErrorKind::BadAnswer, &message)),
            Err(_) => Err(self.error(LlmErrorKind::BadAnswer, "its sound cannot be read")),
        }
    }

    /// `flite` and its voice, if it is to speak this language.
    fn flite(&self, language: &str) -> Result<Option<(&Path, &str)>, VoiceError> {
        let own = self.voice.as_deref().is_none_or(|voice| FLITE_VOICES.contains(&voice));
        match &self.programs {
            Programs { flite: Some(flite), .. } if own && is_english(language) => {
                Ok(Some((flite, self.voice.as_deref().unwrap_or(FLITE_VOICE))))
            }
            Programs { espeak: Some(_), .. } => Ok(None),
            Programs { flite: Some(_), .. } => Err(self.error(LlmErrorKind::Rejected, INSTALL_ESPEAK)),
            _ => Err(self.error(LlmErrorKind::Setup, INSTALL)),
        }
    }

    async fn run_flite(&self, program: &Path, voice: &str, text: &str) -> Result<Spoken, VoiceError> {
        // It goes back in what it writes, so that it needs a file. One without a name is gone with
        // the process, and nobody else can open it.
        let unusable =
            |e: std::io::Error| self.error(LlmErrorKind::Setup, &format!("no file for the sound: {e}"));
        let file = unnamed().map_err(unusable)?;
        let mut command = program::command(program);
        command.args(["-voice", voice, "-f", "/dev/stdin", "-o", "/dev/stdout"]);
        command.args(["--setf", &format!("duration_stretch={:.3}", 1.0 / self.speed)]);
        command.stdout(Stdio::from(file.try_clone().map_err(unusable)?));
        // It knows the letters of English.
        self.run(command, &deunicode::deunicode_with_tofu(text, " ")).await?;
        Ok(Box::new(move || {
            let (mut file, mut sound) = (file, Vec::new());
            let read = file.rewind().and_then(|()| file.take(MAX_SOUND).read_to_end(&mut sound));
            read.map(|_| sound).map_err(|e| format!("its sound cannot be read: {e}"))
        }))
    }

    async fn run_espeak(&self, text: &str, language: &str) -> Result<Spoken, VoiceError> {
        let Some(program) = &self.programs.espeak else {
            return Err(self.error(LlmErrorKind::Setup, INSTALL_ESPEAK));
        };
        let own = self
            .voice
            .as_deref()
            .filter(|voice| !FLITE_VOICES.contains(voice) && language_of(voice) == language_of(language));
        let voice = own.unwrap_or(if language.is_empty() { "en-us" } else { language });
        let speed = (WORDS_PER_MINUTE * self.speed).round().to_string();
        let mut command = program::command(program);
        command.args(["-v", &voice.to_lowercase(), "-s", &speed, "-b", "1", "--stdin", "--stdout"]);
        // Two brackets would be read as names of sounds.
        let sound = self.run(command, &text.replace("[[", "[ [")).await?;
        Ok(Box::new(move || Ok(sound)))
    }

    /// Runs a program to its end: what it wrote.
    async fn run(&self, mut command: Command, text: &str) -> Result<Vec<u8>, VoiceError> {
        let name = command.as_std().get_program().to_owned();
        let name = Path::new(&name).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut child = command
            .spawn()
            .map_err(|e| self.error(LlmErrorKind::Setup, &format!("{name} cannot be started: {e}")))?;
        let Ok(done) = timeout(self.programs.patience, talk(&mut child, text)).await else {
            // Waits until it is gone, so that none is left behind.
            let _ = child.kill().await;
            let message =
                format!("{name} took longer than {} s for a sentence", self.programs.patience.as_secs_f32());
            return Err(self.error(LlmErrorKind::Timeout, &message));
        };
        let (sound, said, status) =
            done.map_err(|e| self.error(LlmErrorKind::BadAnswer, &format!("{name} broke off: {e}")))?;
        if status.success() {
            return Ok(sound);
        }
        if said.contains("voice does not exist") {
            let message = format!("{name} has no voice for this language, or of this name");
            return Err(self.error(LlmErrorKind::Rejected, &message));
        }
        // What it says may repeat the text.
        Err(self.error(LlmErrorKind::BadAnswer, &format!("{name} ended with {status}")))
    }

    fn error(&self, kind: LlmErrorKind, message: &str) -> VoiceError {
        VoiceError { provider: self.provider.clone(), kind, message: message.to_owned() }
    }
}

/// How to get the file that a program wrote; it may take a moment.
type Spoken = Box<dyn FnOnce() -> Result<Vec<u8>, String> + Send>;

async fn talk(child: &mut Child, text: &str) -> std::io::Result<(Vec<u8>, String, std::process::ExitStatus)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let tell = async move {
        if let Some(mut stdin) = stdin {
            // One that ends before it has read all says why by its status.
            let _ = stdin.write_all(text.as_bytes()).await;
            let _ = stdin.write_all(b"\n").await;
        }
    };
    let hear = async move {
        let mut sound = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(MAX_SOUND).read_to_end(&mut sound).await?;
        }
        Ok::<_, std::io::Error>(sound)
    };
    let complaints = async move {
        let mut said = Vec::new();
        if let Some(stderr) = stderr {
            let _ = stderr.take(MAX_SAID).read_to_end(&mut said).await;
        }
        String::from_utf8_lossy(&said).into_owned()
    };
    let ((), sound, said) = tokio::join!(tell, hear, complaints);
    Ok((sound?, said, child.wait().await?))
}

/// How many processes may run at once on this machine.
fn processes() -> Arc<Semaphore> {
    static PROCESSES: OnceLock<Arc<Semaphore>> = OnceLock::new();
    let made = PROCESSES.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Arc::new(Semaphore::new((2 * cores).clamp(2, 64)))
    });
    Arc::clone(made)
}

/// A file without a name, in memory where the system has that.
fn unnamed() -> std::io::Result<File> {
    tempfile::tempfile_in("/dev/shm").or_else(|_| tempfile::tempfile())
}

/// The sound in a WAV file, as a call wants it.
fn finish(spoken: Vec<u8>, rate: u32) -> Result<Bytes, String> {
    let (sound, own) = crate::tts::wav::whole(&spoken)?;
    let (pairs, _) = sound.as_chunks::<2>();
    let mut samples: Vec<i16> = pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    shape::shape(&mut samples, own);
    let shaped: Bytes = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    if own == rate {
        return Ok(shaped);
    }
    let mut resampler = Resampler::new(own, rate);
    let mut out = resampler.push(shaped).to_vec();
    out.extend_from_slice(&resampler.finish());
    Ok(out.into())
}
