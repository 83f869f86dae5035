#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use AnsweredBy::{Human, Screening, Unknown, Voicemail};

/// What is said from when to when: the recogniser tells partial words 300 ms after they were said,
/// and final ones 300 ms after the end. A pause of 800 ms ends a turn.
fn told(said: &[(Millis, Millis, &str)], facts: &[(Millis, Fact)]) -> (AnsweredBy, Millis) {
    let mut all: Vec<(Millis, Fact)> = facts.to_vec();
    for (index, (from, to, text)) in said.iter().enumerate() {
        all.push((*from, Fact::Voice(true)));
        all.push((*to, Fact::Voice(false)));
        let words: Vec<_> = text.split_whitespace().collect();
        for count in 1..words.len() {
            let at = from + (to - from) * count as Millis / words.len() as Millis;
            all.push((at + 300, Fact::Partial(words[..count].join(" "))));
        }
        if !text.is_empty() {
            all.push((to + 300, Fact::Words((*text).to_owned())));
        }
        if said.get(index + 1).is_none_or(|(next, ..)| next - to >= 800) {
            all.push((to + 800, Fact::TurnOver));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    let mut classifier = Classifier::new(0);
    let mut verdicts = Vec::new();
    let mut facts = all.into_iter().peekable();
    loop {
        let due = classifier.deadline();
        let fact = facts.next_if(|(at, _)| due.is_none_or(|due| *at <= due));
        let (at, fact) = match (fact, due) {
            (Some(fact), _) => fact,
            (None, Some(due)) => (due, Fact::Tick),
            (None, None) => break,
        };
        classifier.hears(fact, at);
        assert!(classifier.deadline().is_none_or(|due| due > at), "a deadline that does not move on");
        if let Some(verdict) = classifier.verdict() {
            assert!(classifier.is_done());
            verdicts.push((verdict, at));
        }
    }
    assert_eq!(verdicts.len(), 1, "decided once");
    verdicts[0]
}

/// Who it is, told within a time.
fn is(said: &[(Millis, Millis, &str)], who: AnsweredBy, earliest: Millis, latest: Millis) {
    let (verdict, at) = told(said, &[]);
    assert_eq!(verdict, who, "{said:?} at {at}");
    assert!((earliest..=latest).contains(&at), "{said:?}: {at} is not in {earliest}..={latest}");
}

#[test]
fn people_who_say_hello_and_wait() {
    is(&[(500, 1_000, "Hello?")], Human, 1_300, 1_800);
    is(&[(800, 1_200, "Yeah.")], Human, 1_500, 2_000);
    is(&[(600, 1_700, "Hi, this is Tom.")], Human, 2_000, 3_300);
    is(&[(400, 800, "Hallo?")], Human, 1_100, 1_600);
    is(&[(400, 900, "Ja, Schmidt.")], Human, 1_200, 1_700);
    is(&[(700, 1_200, "Allô ?")], Human, 1_500, 2_000);
    is(&[(300, 800, "¿Bueno?")], Human, 1_000, 1_600);
    is(&[(300, 800, "Pronto.")], Human, 1_000, 1_600);
    is(&[(300, 900, "Alô, quem fala?")], Human, 1_100, 1_700);
    is(&[(300, 1_300, "Met Jan de Vries.")], Human, 1_600, 3_000);
    is(&[(1_500, 2_000, "Hello?"), (4_000, 5_200, "Hello, anybody there?")], Human, 2_300, 2_900);
}

#[test]
fn people_at_work_who_say_more() {
    is(&[(500, 3_500, "You have reached the Meyer household, Tom speaking.")], Human, 3_700, 4_500);
    is(
        &[(400, 3_600, "Thank you for calling Meyer and Sons, this is Ann, how may I help you?")],
        Human,
        3_800,
        4_800,
    );
    is(&[(400, 2_800, "Good morning, Bright Dental, Susan speaking.")], Human, 3_000, 4_400);
    is(&[(400, 2_900, "Praxis Doktor Meier, Schulz am Apparat, guten Tag.")], Human, 3_000, 4_500);
    is(&[(400, 3_000, "Cabinet Dupont bonjour, que puis-je faire pour vous ?")], Human, 3_000, 4_500);
    is(&[(400, 2_400, "Clínica Sol, buenos días, ¿en qué le puedo ayudar?")], Human, 2_500, 3_500);
    is(&[(300, 2_600, "Bright Dental, can I help you?")], Human, 2_700, 4_000);
}

#[test]
fn people_who_sound_a_little_like_machines() {
    is(&[(400, 1_800, "Leave me alone.")], Human, 1_900, 3_400);
    is(&[(400, 3_600, "She's not available right now, can I take a message?")], Human, 3_700, 4_500);
    is(&[(400, 3_200, "He's not in right now. Would you like to leave a message?")], Human, 3_300, 4_500);
    is(&[(400, 2_600, "Herr Meier ist nicht da, kann ich etwas ausrichten?")], Human, 2_700, 4_000);
    is(&[(400, 2_600, "I'm not interested, please stop calling me.")], Human, 2_600, 4_000);
    is(&[(400, 2_000, "May I ask the reason for your call?")], Human, 2_000, 3_500);
    is(&[(400, 1_000, "Hello?"), (1_900, 3_500, "Who is this? Is this a voicemail?")], Human, 1_300, 1_900);
    // Somebody who was called away and chats first.
    is(&[(400, 2_300, "Yeah no I told her that, hang on."), (2_500, 3_000, "Hello?")], Human, 2_500, 4_000);
}

#[test]
fn voicemails_are_told_when_their_greeting_is_over() {
    is(
        &[(
            800,
            7_500,
            "Hi, you've reached Ann. I can't come to the phone right now. Please leave a message after the tone.",
        )],
        Voicemail,
        9_000,
        9_000,
    );
    is(
        &[
            (500, 3_900, "Your call has been forwarded to an automatic voice message system."),
            (4_400, 6_500, "Four one five five five five one two three four"),
            (6_800, 7_700, "is not available."),
            (
                8_200,
                12_900,
                "At the tone, please record your message. When you have finished recording, you may hang up.",
            ),
        ],
        Voicemail,
        14_400,
        14_400,
    );
    is(&[(600, 2_100, "Hey it's Mike."), (2_800, 5_000, "Leave a message.")], Voicemail, 6_500, 6_500);
    is(
        &[(
            700,
            5_700,
            "Sorry I missed your call, leave your name and number and I will get back to you as soon as I can.",
        )],
        Voicemail,
        7_200,
        7_200,
    );
    is(
        &[(
            500,
            4_900,
            "The Google subscriber you have called is not available. Please leave a message after the tone.",
        )],
        Voicemail,
        6_400,
        6_400,
    );
    is(
        &[(
            500,
            6_000,
            "You have reached Tom speaking from the future. Please leave a message after the beep.",
        )],
        Voicemail,
        7_500,
        7_500,
    );
    is(
        &[(400, 3_500, "The mailbox is full and cannot accept any messages at this time. Goodbye.")],
        Voicemail,
        5_000,
        5_000,
    );
    is(
        &[(
            500,
            6_400,
            "Thank you for calling Bright Dental. Our office is currently closed. Office hours are nine to five.",
        )],
        Voicemail,
        7_900,
        7_900,
    );
    is(
        &[(
            400,
            5_000,
            "Hello and welcome. You've reached the Millers. Nobody is at home, so you know what to do.",
        )],
        Voicemail,
        6_500,
        6_500,
    );
}

#[test]
fn voicemails_of_other_languages() {
    for (text, ms) in [
        (
            "Guten Tag, hier ist die Mailbox von Peter Klein. Bitte hinterlassen Sie eine Nachricht nach dem Signalton.",
            5_500,
        ),
        ("Der gewünschte Gesprächspartner ist zurzeit nicht erreichbar.", 3_500),
        ("Bonjour, vous êtes bien sur la messagerie de Claire. Laissez-moi un message après le bip.", 5_000),
        ("Hola, no puedo atender tu llamada. Deja tu mensaje después de la señal.", 4_200),
        (
            "Risponde la segreteria telefonica di Marco. Lasciate un messaggio dopo il segnale acustico.",
            5_000,
        ),
        ("Sua chamada está sendo encaminhada para a caixa postal. Deixe sua mensagem após o sinal.", 5_000),
        ("Dit is de voicemail van Sanne. Spreek een bericht in na de piep.", 4_000),
        ("The person you are trying to reach is not available.", 2_800),
    ] {
        is(&[(500, 500 + ms, text)], Voicemail, 2_000 + ms, 2_000 + ms);
    }
    // A language without phrases: nobody else speaks for six seconds without a pause.
    is(
        &[(
            500,
            7_800,
            "Hej du har kommit till Anders jag kan inte svara just nu men tala in ett meddelande efter signalen",
        )],
        Voicemail,
        9_300,
        9_300,
    );
}

#[test]
fn assistants_that_screen_calls_are_told_when_they_have_asked() {
    is(
        &[(
            300,
            6_000,
            "Hi, the person you're calling is using a screening service from Google, and will get a copy of this conversation. Go ahead and say your name and why you're calling.",
        )],
        Screening,
        6_700,
        6_700,
    );
    is(
        &[(
            300,
            4_500,
            "Hi, if you record your name and reason for calling, I'll see if this person is available.",
        )],
        Screening,
        5_200,
        5_200,
    );
    is(&[(300, 3_000, "Please state your name and the reason for your call.")], Screening, 3_700, 3_700);
    is(&[(300, 3_600, "Bitte nennen Sie Ihren Namen und den Grund Ihres Anrufs.")], Screening, 4_300, 4_300);
    is(&[(300, 3_600, "Veuillez indiquer votre nom et le motif de votre appel.")], Screening, 4_300, 4_300);
    is(&[(300, 3_600, "Por favor diga su nombre y el motivo de su llamada.")], Screening, 4_300, 4_300);
}

#[test]
fn the_menu_of_a_company_is_neither() {
    is(
        &[(
            500,
            9_500,
            "Thank you for calling Acme. For sales press one. For support press two. To hear this again press nine.",
        )],
        Unknown,
        8_000,
        8_000,
    );
}

#[test]
fn silence_and_voice_without_words() {
    is(&[], Unknown, 8_000, 8_000);
    is(&[(500, 1_200, "")], Human, 3_200, 3_200);
    is(&[(500, 7_000, "")], Voicemail, 8_500, 8_500);
    is(&[(500, 3_000, ""), (5_000, 7_500, "")], Human, 8_000, 8_000);
}

#[test]
fn after_the_second_turn_it_is_decided() {
    let (who, at) = told(
        &[
            (200, 4_000, "So I said to him that this is how it has always been"),
            (5_000, 6_000, "and it will be"),
        ],
        &[],
    );
    assert_eq!((who, at), (Human, 6_800));
}

#[test]
fn a_beep_is_a_voicemail_that_listens() {
    let said = [(800, 7_500, "Hi, you've reached Ann. Please leave a message after the tone.")];
    assert_eq!(told(&said, &[(8_200, Fact::Beep)]), (Voicemail, 8_200));
    assert_eq!(told(&[], &[(3_000, Fact::Beep)]), (Voicemail, 3_000));
    // A person's phone that beeps later changes nothing.
    assert_eq!(told(&[(500, 1_000, "Hello?")], &[(5_000, Fact::Beep)]).0, Human);
}

#[test]
fn the_carrier_is_believed() {
    assert_eq!(told(&[], &[(1_200, Fact::Carrier(Human))]), (Human, 1_200));
    assert_eq!(told(&[], &[(1_200, Fact::Carrier(Unknown))]), (Unknown, 8_000));
    let said = [(500, 5_000, "Good day to you")];
    assert_eq!(told(&said, &[(2_000, Fact::Carrier(Voicemail))]), (Voicemail, 6_500));
}

#[test]
fn a_greeting_without_an_end_is_spoken_to() {
    let mut classifier = Classifier::new(0);
    classifier.hears(Fact::Voice(true), 100);
    classifier.hears(Fact::Partial("please leave a message after the".into()), 2_000);
    assert_eq!(classifier.known(), Some(Voicemail));
    assert_eq!(classifier.verdict(), None);
    assert_eq!(classifier.deadline(), Some(32_000));
    classifier.hears(Fact::Tick, 32_000);
    assert_eq!(classifier.verdict(), Some(Voicemail));
    assert_eq!(classifier.verdict(), None);
}
