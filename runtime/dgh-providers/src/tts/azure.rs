//! Voices of Azure over requests, one per sentence, as SSML.
//! <https://learn.microsoft.com/azure/ai-services/speech-service/rest-text-to-speech>

use std::sync::Arc;

use dgh_engine::reply::Model;
use dgh_net::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use dgh_net::{Client, Method, Request, Secrets};

use crate::llm::LlmError;
use crate::settings::Settings;
use crate::tts::post::{self, Recipe};
use crate::tts::{Tts, TtsSession, TtsStart, nearest};
use crate::voice::VoiceError;
use crate::voice::endpoint::{Endpoint, setup};

/// Rates of raw sound, and how their formats are called.
const FORMATS: &[(u32, &str)] = &[
    (8_000, "raw-8khz-16bit-mono-pcm"),
    (16_000, "raw-16khz-16bit-mono-pcm"),
    (24_000, "raw-24khz-16bit-mono-pcm"),
    (48_000, "raw-48khz-16bit-mono-pcm"),
];
/// The rates alone.
const RATES: &[u32] = &[8_000, 16_000, 24_000, 48_000];

/// A voice of Azure.
pub(crate) struct Azure {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    voice: String,
    style: Option<String>,
    speed: Option<f64>,
}

impl Azure {
    /// Settings: `voice`, `region` or `url`, and perhaps `style`, `speed`.
    pub(crate) fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let located = locate(model).map_err(|e| setup(model, &e))?;
        let endpoint = Endpoint::new(&located, client, secrets)?;
        let read = |settings: Settings| -> Result<Shared, LlmError> {
            Ok(Shared {
                endpoint,
                voice: settings.required("voice")?,
                style: settings.text("style")?,
                speed: settings.number("speed", 0.5, 2.0)?.and_then(|speed| speed.as_f64()),
            })
        };
        Ok(Self { shared: Arc::new(read(Settings::of(model)).map_err(|e| setup(model, &e))?) })
    }
}

impl Tts for Azure {
    fn provider(&self) -> &str {
        &self.shared.endpoint.provider
    }

    fn rates(&self) -> &[u32] {
        RATES
    }

    fn open(&self, start: TtsStart) -> TtsSession {
        post::open(Requests { shared: Arc::clone(&self.shared) }, nearest(RATES, start.rate), start.language)
    }
}

/// The model with the address of its region, unless it has one.
fn locate(model: &Model) -> Result<Model, LlmError> {
    let settings = Settings::of(model);
    let region = settings.text("region")?;
    if settings.text("url")?.is_some() {
        return Ok(model.clone());
    }
    let region =
        region.filter(|r| !r.is_empty() && r.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    let region =
        region.ok_or_else(|| settings.setup("`region` must be the name of a region, as `eastus`".into()))?;
    let mut located = model.clone();
    located.settings.insert("url".into(), format!("https://{region}.tts.speech.microsoft.com").into());
    Ok(located)
}

struct Requests {
    shared: Arc<Shared>,
}

impl Recipe for Requests {
    fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    async fn request(&self, text: &str, language: &str, rate: u32) -> Result<Request, VoiceError> {
        let endpoint = &self.shared.endpoint;
        let mut request = Request::new(Method::POST, endpoint.http(&["cognitiveservices", "v1"]));
        request.headers = endpoint.key_header(HeaderName::from_static("ocp-apim-subscription-key"), "")?;
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/ssml+xml"));
        let format = FORMATS
            .iter()
            .find(|(known, _)| *known == rate)
            .map_or("raw-16khz-16bit-mono-pcm", |(_, name)| name);
        request
            .headers
            .insert(HeaderName::from_static("x-microsoft-outputformat"), HeaderValue::from_static(format));
        request.body = Some(self.shared.ssml(text, language).into());
        Ok(request)
    }
}

impl Shared {
    fn ssml(&self, text: &str, language: &str) -> String {
        let own = locale(&self.voice);
        let mut inner = escape(text);
        // Only these voices know other languages than their own.
        if self.voice.contains("Multilingual")
            && language.contains('-')
            && !language.eq_ignore_ascii_case(&own)
        {
            inner = format!("<lang xml:lang=\"{}\">{inner}</lang>", escape(language));
        }
        if let Some(speed) = self.speed {
            inner = format!("<prosody rate=\"{speed}\">{inner}</prosody>");
        }
        if let Some(style) = &self.style {
            inner = format!("<mstts:express-as style=\"{}\">{inner}</mstts:express-as>", escape(style));
        }
        format!(
            "<speak version=\"1.0\" xmlns=\"http://www.w3.org/2001/10/synthesis\" \
             xmlns:mstts=\"https://www.w3.org/2001/mstts\" xml:lang=\"{own}\">\
             <voice name=\"{}\">{inner}</voice></speak>",
            escape(&self.voice)
        )
    }
}

/// The locale in the name of a voice: `en-US` of `en-US-AvaNeural`.
fn locale(voice: &str) -> String {
    let parts: Vec<&str> = voice.splitn(3, '-').collect();
    match parts.as_slice() {
        [language, region, _] => escape(&format!("{language}-{region}")),
        _ => "en-US".into(),
    }
}

/// Text as XML 1.0 may hold it.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{FFFE}' | '\u{FFFF}' => {}
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests;
