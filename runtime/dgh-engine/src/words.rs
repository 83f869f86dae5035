//! The few words that the engine says of its own, in the languages of the standard library:
//! read-backs, and the last words of a call for which nobody wrote any.

use crate::begin::same_language;

struct Words {
    tag: &'static str,
    one: (&'static str, &'static str),
    many: (&'static str, &'static str),
    goodbye: &'static str,
    sorry: &'static str,
}

/// Words that repeat values: one by itself, several with their names.
pub(crate) fn read_back(language: &str, items: &[(String, String)]) -> String {
    let words = words(language);
    if let [(_, value)] = items {
        return format!("{}{value}{}", words.one.0, words.one.1);
    }
    let items: Vec<_> = items.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{}{}{}", words.many.0, items.join("; "), words.many.1)
}

/// Said before an end that has no words of its own.
pub(crate) fn goodbye(language: &str) -> &'static str {
    words(language).goodbye
}

/// Said before an end that nobody wanted.
pub(crate) fn sorry(language: &str) -> &'static str {
    words(language).sorry
}

fn words(language: &str) -> &'static Words {
    let [english, ..] = &WORDS;
    WORDS.iter().find(|words| same_language(words.tag, language)).unwrap_or(english)
}

const WORDS: [Words; 7] = [
    Words {
        tag: "en",
        one: ("I have: ", ". Is that right?"),
        many: ("Let me repeat. ", ". Is that right?"),
        goodbye: "Goodbye.",
        sorry: "I am sorry, something went wrong on our side. Goodbye.",
    },
    Words {
        tag: "es",
        one: ("He anotado: ", ". ¿Es correcto?"),
        many: ("Repito: ", ". ¿Es correcto?"),
        goodbye: "Adiós.",
        sorry: "Lo siento, algo ha fallado por nuestra parte. Adiós.",
    },
    Words {
        tag: "fr",
        one: ("J'ai noté : ", ". C'est bien ça ?"),
        many: ("Je répète. ", ". C'est bien ça ?"),
        goodbye: "Au revoir.",
        sorry: "Désolé, un problème est survenu de notre côté. Au revoir.",
    },
    Words {
        tag: "de",
        one: ("Ich habe notiert: ", ". Stimmt das?"),
        many: ("Ich wiederhole. ", ". Stimmt das?"),
        goodbye: "Auf Wiederhören.",
        sorry: "Es tut mir leid, bei uns ist etwas schiefgegangen. Auf Wiederhören.",
    },
    Words {
        tag: "pt",
        one: ("Anotei: ", ". Está certo?"),
        many: ("Repetindo. ", ". Está certo?"),
        goodbye: "Até logo.",
        sorry: "Sinto muito, algo deu errado do nosso lado. Até logo.",
    },
    Words {
        tag: "it",
        one: ("Ho annotato: ", ". È giusto?"),
        many: ("Ripeto. ", ". È giusto?"),
        goodbye: "Arrivederci.",
        sorry: "Mi dispiace, qualcosa è andato storto da parte nostra. Arrivederci.",
    },
    Words {
        tag: "nl",
        one: ("Ik heb genoteerd: ", ". Klopt dat?"),
        many: ("Ik herhaal. ", ". Klopt dat?"),
        goodbye: "Tot ziens.",
        sorry: "Het spijt me, er ging bij ons iets mis. Tot ziens.",
    },
];
