//! Providers that die or are slow while people talk: the call goes on or ends with words, and its log
//! says why.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dgh_net::testing::Welcome;
use dgh_providers::double::stt::{SttFault, SttScript, SttServer};
use dgh_providers::double::tts::{Content, Delivery, Fault, TtsServer};

use crate::calls::model::{Asked, Does, Model};
use crate::calls::phone::Phone;
use crate::calls::serve::Setup;
use crate::calls::sound::spoken;
use crate::calls::{ASK, CLINIC, WELCOME, deepgram, hears};

/// What the clinic says when something fails.
const HANDED_OVER: &str = "i'll connect you with the front desk";
const BOOK: &str = "I would like to book an appointment";
const NAME: &str = "My name is Ann Lee";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recogniser_that_dies_is_told_and_the_call_ends_with_words() {
    let stt = hears(&["I would like to book an appointment"]).await;
    let served =
        Setup::example("clinic").with("silence(7s", "silence(2s").hears(&deepgram(&stt)).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.is_spoken_to().await;
    drop(stt);
    phone.has_the_floor(700).await;
    phone.say(&spoken("I would like to book an appointment"));
    let end = phone.is_hung_up(Duration::from_mins(1)).await;
    assert!(phone.heard().between(end.saturating_sub(4_000), end).is_loud(), "it ends with words");
    let log = served.log().await;
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("stt: ")), "{}", log.story());
}

/// A voice that refuses and breaks off once it is told to die.
async fn mortal_voice() -> (TtsServer, Arc<AtomicBool>) {
    let dead = Arc::<AtomicBool>::default();
    let (closed, mute) = (Arc::clone(&dead), Arc::clone(&dead));
    let welcome =
        move |_: &_| if closed.load(Ordering::Relaxed) { Welcome::Refuse(503) } else { Welcome::Open };
    let tone = Content::Tone { hz: 440.0, word_ms: 200 };
    let deliver = move |_: usize, _: &str| {
        let delivery = Delivery { content: tone.clone(), ..Delivery::at_once() };
        if mute.load(Ordering::Relaxed) { delivery.fault(Fault::Cut { after_ms: 0 }) } else { delivery }
    };
    (TtsServer::welcoming(welcome, deliver).await, dead)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voice_that_dies_is_replaced_by_the_next_one() {
    let (tts, dies) = mortal_voice().await;
    let voice = format!("[cartesia(\"sonic-2\", voice: \"stub\", url: \"{}\"), offline()]", tts.url(""));
    let served = Setup::example("clinic").speaks(&voice).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    assert!(tts.log().asked > 0);
    dies.store(true, Ordering::Relaxed);
    let before = phone.now();
    phone.press("2");
    phone.is_hung_up(Duration::from_secs(20)).await;
    let words = "i'll connect you with the front desk";
    let heard = phone.heard().between(before, phone.now());
    assert_eq!(heard.heard_as(&[words, "i'll collect you from the front desk", WELCOME]), words);
    let log = served.log().await;
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("tts: ")), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voice_that_is_slow_is_replaced_by_the_next_one() {
    let slow = |_: usize, _: &str| Delivery { first: Duration::from_mins(1), ..Delivery::at_once() };
    let tts = TtsServer::start(slow).await;
    let voice = format!("[cartesia(\"sonic-2\", voice: \"stub\", url: \"{}\"), offline()]", tts.url(""));
    let served = Setup::example("clinic").speaks(&voice).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(900).await;
    assert_eq!(phone.heard().heard_as(CLINIC), format!("{WELCOME} {ASK}"));
    phone.hang_up();
    let log = served.log().await;
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("tts: ")), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_voice_the_caller_hears_why_and_the_call_ends() {
    let (tts, dies) = mortal_voice().await;
    let voice = format!("cartesia(\"sonic-2\", voice: \"stub\", url: \"{}\")", tts.url(""));
    let setup = Setup::example("clinic").with("silence(7s", "silence(2s").speaks(&voice);
    let served = setup.start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.is_spoken_to().await;
    dies.store(true, Ordering::Relaxed);
    phone.has_the_floor(700).await;
    let end = phone.is_hung_up(Duration::from_secs(40)).await;
    let sorry =
        "we are sorry there is a technical problem and this call has to end please call again later goodbye";
    let last = phone.heard().between(end.saturating_sub(9_000), end);
    let log = served.log().await;
    assert_eq!(
        last.heard_as(&[sorry, "we are glad there is no problem goodbye", "goodbye"]),
        sorry,
        "{}",
        log.story()
    );
    assert_eq!(log.ended().1, "lost", "{}", log.story());
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("tts: ")), "{}", log.story());
    assert!(log.agent().len() <= 2, "nothing is told as heard that was not: {}", log.story());
}

/// What the judge may hear of the clinic with a model.
const MODEL: &[&str] = &[
    HANDED_OVER,
    "i'll collect you from the front desk",
    "certainly what is the full name of the patient",
    "surely that is the full name of the patent",
    "one moment",
    "thank you what day suits you",
];

/// Takes the route to a booking, and asks for the name; none: the name was told.
fn books(asked: &Asked) -> Option<Does> {
    if asked.offers("books") {
        Some(Does::Go("books"))
    } else if asked.card.contains("name is Ann") {
        None
    } else {
        Some(Does::Say("Certainly. What is the full name of the patient?"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_dies_in_the_middle_of_a_call_is_told_and_the_caller_is_handed_over_with_words() {
    let stt = hears(&[BOOK, NAME]).await;
    // Once it breaks off, then it is gone.
    let model = Model::start(|asked| {
        let dead = if asked.before % 2 == 0 { Does::Break("Thank you") } else { Does::Refuse };
        books(asked).unwrap_or(dead)
    });
    let model = model.await;
    let served = Setup::example("clinic").hears(&deepgram(&stt)).thinks(&model.named("2s")).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    phone.say(&spoken(BOOK));
    phone.is_answered().await;
    phone.has_the_floor(900).await;
    let before = phone.now();
    phone.say(&spoken(NAME));
    let end = phone.is_hung_up(Duration::from_mins(1)).await;
    let log = served.log().await;
    assert!(phone.heard().between(before, end).heard_as(MODEL).ends_with(HANDED_OVER), "{}", log.story());
    assert_eq!(log.caller(), [BOOK, NAME], "{}", log.story());
    assert_eq!(log.ended(), (Some("transferred".into()), "transfer".into()), "{}", log.story());
    assert!(!log.failures().is_empty(), "{}", log.story());
    assert!(log.raised().iter().any(|event| event.starts_with("error")), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_dies_is_replaced_by_the_next_one_in_the_same_turn() {
    let stt = hears(&[BOOK]).await;
    let dead = Model::start(|_| Does::Break("Thank")).await;
    let alive = Model::start(|asked| books(asked).unwrap_or(Does::Refuse)).await;
    let both = format!("[{}, {}]", dead.named("2s"), alive.named("2s"));
    let served = Setup::example("clinic").hears(&deepgram(&stt)).thinks(&both).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    let before = phone.now();
    phone.say(&spoken(BOOK));
    phone.is_answered().await;
    phone.has_the_floor(1_500).await;
    let heard = phone.heard().between(before, phone.now()).heard_as(MODEL);
    assert!(heard.ends_with(MODEL[2]), "{heard}");
    assert!(dead.asked() > 0 && alive.asked() > 0);
    phone.hang_up();
    let log = served.log().await;
    assert!(log.nodes().contains(&"request".into()), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_is_slow_is_bridged_with_words_and_heard_when_it_is_there() {
    let stt = hears(&[BOOK]).await;
    let slow = |asked: &Asked| match books(asked) {
        Some(Does::Say(words)) => Does::Late(Duration::from_secs(4), words),
        other => other.unwrap_or(Does::Refuse),
    };
    let model = Model::start(slow).await;
    let served = Setup::example("clinic").hears(&deepgram(&stt)).thinks(&model.named("30s")).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    let before = phone.now();
    phone.say(&spoken(BOOK));
    phone.is_answered().await;
    phone.has_the_floor(5_000).await;
    let heard = phone.heard().between(before, phone.now()).heard_as(MODEL);
    phone.hang_up();
    let log = served.log().await;
    assert!(heard.starts_with("one moment") && heard.ends_with(MODEL[2]), "{heard}\n{}", log.story());
    assert!(log.raised().contains(&"slow".into()), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_never_answers_is_not_waited_for_and_the_caller_is_handed_over_with_words() {
    let stt = hears(&[BOOK]).await;
    let model = Model::start(|_| Does::Stall).await;
    let served = Setup::example("clinic").hears(&deepgram(&stt)).thinks(&model.named("3s")).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    let before = phone.now();
    phone.say(&spoken(BOOK));
    let end = phone.is_hung_up(Duration::from_mins(1)).await;
    let log = served.log().await;
    let heard = phone.heard().between(before, end).heard_as(MODEL);
    assert!(heard.starts_with("one moment") && heard.ends_with(HANDED_OVER), "{heard}\n{}", log.story());
    assert!(log.failures().iter().any(|why| why.contains("in time")), "{}", log.story());
    assert_eq!(log.ended(), (Some("transferred".into()), "transfer".into()), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recogniser_that_is_slow_is_waited_for_and_no_word_is_lost() {
    let script = SttScript {
        words: vec![BOOK.to_owned()],
        shared: true,
        final_after: Duration::from_secs(3),
        ..SttScript::default()
    };
    let stt = SttServer::start(script).await;
    let served = Setup::example("clinic").hears(&deepgram(&stt)).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    phone.say(&spoken(BOOK));
    phone.is_answered().await;
    phone.has_the_floor(4_000).await;
    phone.hang_up();
    let log = served.log().await;
    // Perhaps in two turns: what is written down so far counts when the rest takes too long.
    assert_eq!(log.caller().join(" "), BOOK, "{}", log.story());
    assert!(log.nodes().contains(&"request".into()), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recogniser_that_says_nothing_is_connected_again_and_hears_what_was_said() {
    let script = SttScript {
        words: vec![BOOK.to_owned()],
        shared: true,
        faults: vec![Some(SttFault::Mute)],
        ..SttScript::default()
    };
    let stt = SttServer::start(script).await;
    let served = Setup::example("clinic").hears(&deepgram(&stt)).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    phone.say(&spoken(BOOK));
    phone.is_answered().await;
    phone.has_the_floor(1_500).await;
    phone.hang_up();
    let log = served.log().await;
    assert_eq!(log.caller(), [BOOK], "{}", log.story());
    assert!(log.nodes().contains(&"request".into()), "{}", log.story());
    assert!(log.troubles().iter().any(|trouble| trouble.starts_with("stt: ")), "{}", log.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offline_recogniser_that_is_killed_is_started_again_and_hears_what_is_said() {
    let served = Setup::example("clinic").listens().start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    let recognisers = served.children();
    assert!(!recognisers.is_empty(), "the recogniser is a process");
    for recogniser in recognisers {
        let killed = Command::new("kill").args(["-KILL", &recogniser.to_string()]).status().unwrap();
        assert!(killed.success());
    }
    phone.say(&spoken(BOOK));
    phone.is_answered().await;
    phone.hang_up();
    let log = served.log().await;
    assert_eq!(log.caller(), [BOOK.to_lowercase()], "{}", log.story());
    assert!(log.nodes().contains(&"request".into()), "{}", log.story());
}
