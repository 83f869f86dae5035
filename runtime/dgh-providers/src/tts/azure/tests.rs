//! Azure's protocol on the wire.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_net::testing::{Reply, Server};
use serde_json::json;

use super::*;
use crate::tts::tests::{listen, model, open, say, say_in, tone};

#[tokio::test]
async fn a_sentence_is_asked_for_as_the_protocol_says() {
    let sound = tone(8_000, 300);
    let server = {
        let sound = sound.clone();
        Server::start(move |_, _| Reply::new(200, "audio/basic", &sound)).await
    };
    let settings = json!({ "voice": "de-AT-IngridNeural", "style": "calm", "speed": 1.1 });
    let mut session = open(&model("azure", &server.url(""), settings), 8_000, "de-AT");
    assert_eq!(session.rate, 8_000);
    say(&session, 1, "Müller & <Söhne> sagen \"'\u{7}\".").await;
    assert!(listen(&mut session, 1).await.pcm == sound);
    let received = server.received();
    let post = received.iter().find(|request| request.method == "POST").unwrap();
    assert_eq!(post.target, "/cognitiveservices/v1");
    assert_eq!(post.header("ocp-apim-subscription-key"), Some("hush"));
    assert_eq!(post.header("x-microsoft-outputformat"), Some("raw-8khz-16bit-mono-pcm"));
    assert_eq!(post.header("content-type"), Some("application/ssml+xml"));
    assert!(post.header("user-agent").is_some_and(|agent| !agent.is_empty()));
    assert_eq!(
        post.text(),
        "<speak version=\"1.0\" xmlns=\"http://www.w3.org/2001/10/synthesis\" \
         xmlns:mstts=\"https://www.w3.org/2001/mstts\" xml:lang=\"de-AT\"><voice name=\"de-AT-IngridNeural\">\
         <mstts:express-as style=\"calm\"><prosody rate=\"1.1\">\
         Müller &amp; &lt;Söhne&gt; sagen &quot;&apos; &quot;.\
         </prosody></mstts:express-as></voice></speak>"
    );
}

#[tokio::test]
async fn voices_of_many_languages_are_told_which() {
    let server = Server::start(|_, _| Reply::new(200, "audio/basic", [0, 0])).await;
    for (voice, tagged) in [("en-US-AvaMultilingualNeural", true), ("en-US-AvaNeural", false)] {
        let mut session = open(&model("azure", &server.url(""), json!({ "voice": voice })), 16_000, "en-US");
        say_in(&session, 1, "Hola.", "es-MX").await;
        listen(&mut session, 1).await;
        let received = server.received();
        let body = received.iter().rev().find(|request| request.method == "POST").unwrap().text();
        assert_eq!(body.contains("<lang xml:lang=\"es-MX\">Hola.</lang>"), tagged, "{body}");
    }
}

#[test]
fn a_region_is_an_address() {
    let mut model = model("azure", "x", json!({ "voice": "v", "region": "eastus" }));
    model.settings.shift_remove("url");
    let url = locate(&model).unwrap().settings["url"].clone();
    assert_eq!(url, "https://eastus.tts.speech.microsoft.com");
    for region in [json!("evil.example/"), json!(""), json!(null)] {
        model.settings.insert("region".into(), region);
        assert!(locate(&model).is_err());
    }
}
