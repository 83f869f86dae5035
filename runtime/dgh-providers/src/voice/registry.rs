//! From the description of a recogniser, a voice or a speech-to-speech model to the thing itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dgh_engine::reply::Model;
use dgh_net::{Client, Secrets};

use crate::llm::LlmErrorKind;
use crate::offline_voice::{OfflineStt, OfflineTts};
use crate::realtime::Realtime;
use crate::realtime::gemini::GeminiLive;
use crate::realtime::openai::OpenAiRealtime;
use crate::stt::{self, Stt};
use crate::tts::Tts;
use crate::tts::azure::Azure;
use crate::tts::cartesia::Cartesia;
use crate::tts::deepgram::Deepgram;
use crate::tts::elevenlabs::ElevenLabs;
use crate::tts::openai::OpenAiSpeech;
use crate::tts::rime::Rime;
use crate::voice::{VoiceError, Voices};

/// The recognisers, voices and speech-to-speech models of this crate. Kept for the life of the
/// process, so that what they know of their servers serves every call.
pub struct VoiceRegistry {
    client: Client,
    secrets: Arc<dyn Secrets>,
    recognisers: Made<dyn Stt>,
    voices: Made<dyn Tts>,
    speakers: Made<dyn Realtime>,
}

/// What was made, by its description.
type Made<T> = Mutex<HashMap<String, Arc<T>>>;

/// Descriptions of a kind that are remembered; beyond, things are made anew each time.
const MAX_REMEMBERED: usize = 1_000;

impl VoiceRegistry {
    /// A registry that asks through this client, with keys from here.
    pub fn new(client: Client, secrets: Arc<dyn Secrets>) -> Self {
        Self {
            client,
            secrets,
            recognisers: Mutex::default(),
            voices: Mutex::default(),
            speakers: Mutex::default(),
        }
    }

    fn make_stt(&self, model: &Model) -> Result<Arc<dyn Stt>, VoiceError> {
        let (client, secrets) = (self.client.clone(), self.secrets.as_ref());
        Ok(match model.protocol.as_str() {
            "deepgram_listen" => stt::deepgram::new(model, client, secrets)?,
            "openai_transcribe" => stt::openai::new(model, client, secrets)?,
            "assemblyai_stream" => Arc::new(stt::assemblyai::AssemblyAi::new(model, client, secrets)?),
            "azure_recognition" => Arc::new(stt::azure::Azure::new(model, client, secrets)?),
            "offline_stt" => Arc::new(OfflineStt::new(model)?),
            "speechmatics_realtime" => {
                Arc::new(stt::speechmatics::Speechmatics::new(model, client, secrets)?)
            }
            _ => return Err(unknown(model)),
        })
    }

    fn make_tts(&self, model: &Model) -> Result<Arc<dyn Tts>, VoiceError> {
        let (client, secrets) = (self.client.clone(), self.secrets.as_ref());
        Ok(match model.protocol.as_str() {
            "azure_speech" => Arc::new(Azure::new(model, client, secrets)?),
            "cartesia_stream" => Arc::new(Cartesia::new(model, client, secrets)?),
            "deepgram_speak" => Arc::new(Deepgram::new(model, client, secrets)?),
            "elevenlabs_stream" => Arc::new(ElevenLabs::new(model, client, secrets)?),
            "openai_speech" => Arc::new(OpenAiSpeech::new(model, client, secrets)?),
            "rime_stream" => Arc::new(Rime::new(model, client, secrets)?),
            "offline_tts" => Arc::new(OfflineTts::new(model)?),
            _ => return Err(unknown(model)),
        })
    }

    fn make_realtime(&self, model: &Model) -> Result<Arc<dyn Realtime>, VoiceError> {
        let (client, secrets) = (self.client.clone(), self.secrets.as_ref());
        Ok(match model.protocol.as_str() {
            "openai_realtime" => Arc::new(OpenAiRealtime::new(model, client, secrets)?),
            "gemini_live" => Arc::new(GeminiLive::new(model, client, secrets)?),
            "azure_realtime" => Arc::new(OpenAiRealtime::azure(model, client, secrets)?),
            _ => return Err(unknown(model)),
        })
    }
}

impl Voices for VoiceRegistry {
    fn stt(&self, model: &Model) -> Result<Arc<dyn Stt>, VoiceError> {
        remembered(&self.recognisers, model, || self.make_stt(model))
    }

    fn tts(&self, model: &Model) -> Result<Arc<dyn Tts>, VoiceError> {
        remembered(&self.voices, model, || self.make_tts(model))
    }

    fn realtime(&self, model: &Model) -> Result<Arc<dyn Realtime>, VoiceError> {
        remembered(&self.speakers, model, || self.make_realtime(model))
    }
}

fn remembered<T: ?Sized>(
    made: &Made<T>,
    model: &Model,
    make: impl FnOnce() -> Result<Arc<T>, VoiceError>,
) -> Result<Arc<T>, VoiceError> {
    let key = serde_json::to_string(model).unwrap_or_default();
    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = made.get(&key) {
        return Ok(Arc::clone(known));
    }
    let new = make()?;
    if made.len() < MAX_REMEMBERED {
        made.insert(key, Arc::clone(&new));
    }
    Ok(new)
}

fn unknown(model: &Model) -> VoiceError {
    VoiceError {
        provider: model.provider.clone(),
        kind: LlmErrorKind::Setup,
        message: format!("this runtime does not speak the protocol `{}`", model.protocol),
    }
}
