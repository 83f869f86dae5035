//! The few words that the engine says of its own, in the languages of the standard library:
//! read-backs, what is wrong with keys, and the last words of a call for which nobody wrote any.

use crate::begin::same_language;

struct Words {
    tag: &'static str,
    one: (&'static str, &'static str),
    many: (&'static str, &'static str),
    goodbye: &'static str,
    sorry: &'static str,
    stopped: &'static str,
    wrong: Wrong,
}

/// Keys that do not fit, and which do; `{n}` is how many.
struct Wrong {
    any: &'static str,
    number: &'static str,
    yes_or_no: &'static str,
    digits: &'static str,
    date: &'static str,
}

/// Which keys fit an input.
pub(crate) enum Keys {
    /// A number from 1 to this.
    Number(usize),
    /// 1 for yes, 2 for no.
    YesOrNo,
    /// So many digits.
    Digits(u32),
    /// Eight digits.
    Date,
    /// What no short sentence says.
    Other,
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

/// Said before an end that has nothing to do with the conversation: the whole of it takes a few
/// seconds.
pub(crate) fn stopped(language: &str) -> &'static str {
    words(language).stopped
}

/// Said to keys that do not fit, before the question is asked again.
pub(crate) fn wrong_keys(language: &str, fits: Keys) -> String {
    let wrong = &words(language).wrong;
    let hint = match fits {
        Keys::Number(most) => wrong.number.replace("{n}", &most.to_string()),
        Keys::Digits(count) => wrong.digits.replace("{n}", &count.to_string()),
        Keys::YesOrNo => wrong.yes_or_no.into(),
        Keys::Date => wrong.date.into(),
        Keys::Other => return wrong.any.into(),
    };
    format!("{} {hint}", wrong.any)
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
        stopped: "I am sorry, this call has to end now. Please call again. Goodbye.",
        wrong: Wrong {
            any: "That does not fit.",
            number: "Please type a number from 1 to {n}.",
            yes_or_no: "Press 1 for yes or 2 for no.",
            digits: "It takes {n} digits.",
            date: "Please type eight digits: year, month, day.",
        },
    },
    Words {
        tag: "es",
        one: ("He anotado: ", ". ¿Es correcto?"),
        many: ("Repito: ", ". ¿Es correcto?"),
        goodbye: "Adiós.",
        sorry: "Lo siento, algo ha fallado por nuestra parte. Adiós.",
        stopped: "Lo siento, esta llamada tiene que terminar ahora. Vuelva a llamar, por favor. Adiós.",
        wrong: Wrong {
            any: "Eso no es válido.",
            number: "Marque un número del 1 al {n}.",
            yes_or_no: "Pulse 1 para sí o 2 para no.",
            digits: "Deben ser {n} dígitos.",
            date: "Marque ocho dígitos: año, mes y día.",
        },
    },
    Words {
        tag: "fr",
        one: ("J'ai noté : ", ". C'est bien ça ?"),
        many: ("Je répète. ", ". C'est bien ça ?"),
        goodbye: "Au revoir.",
        sorry: "Désolé, un problème est survenu de notre côté. Au revoir.",
        stopped: "Désolé, cet appel doit se terminer maintenant. Rappelez, s'il vous plaît. Au revoir.",
        wrong: Wrong {
            any: "Cela ne convient pas.",
            number: "Tapez un nombre de 1 à {n}.",
            yes_or_no: "Tapez 1 pour oui ou 2 pour non.",
            digits: "Il faut {n} chiffres.",
            date: "Tapez huit chiffres : année, mois, jour.",
        },
    },
    Words {
        tag: "de",
        one: ("Ich habe notiert: ", ". Stimmt das?"),
        many: ("Ich wiederhole. ", ". Stimmt das?"),
        goodbye: "Auf Wiederhören.",
        sorry: "Es tut mir leid, bei uns ist etwas schiefgegangen. Auf Wiederhören.",
        stopped: "Es tut mir leid, dieses Gespräch muss jetzt enden. Bitte rufen Sie noch einmal an. Auf Wiederhören.",
        wrong: Wrong {
            any: "Das passt leider nicht.",
            number: "Bitte geben Sie eine Zahl von 1 bis {n} ein.",
            yes_or_no: "Drücken Sie 1 für Ja oder 2 für Nein.",
            digits: "Es müssen {n} Ziffern sein.",
            date: "Bitte geben Sie acht Ziffern ein: Jahr, Monat, Tag.",
        },
    },
    Words {
        tag: "pt",
        one: ("Anotei: ", ". Está certo?"),
        many: ("Repetindo. ", ". Está certo?"),
        goodbye: "Até logo.",
        sorry: "Sinto muito, algo deu errado do nosso lado. Até logo.",
        stopped: "Sinto muito, esta chamada precisa terminar agora. Ligue novamente, por favor. Até logo.",
        wrong: Wrong {
            any: "Isso não é válido.",
            number: "Digite um número de 1 a {n}.",
            yes_or_no: "Digite 1 para sim ou 2 para não.",
            digits: "Devem ser {n} dígitos.",
            date: "Digite oito dígitos: ano, mês e dia.",
        },
    },
    Words {
        tag: "it",
        one: ("Ho annotato: ", ". È giusto?"),
        many: ("Ripeto. ", ". È giusto?"),
        goodbye: "Arrivederci.",
        sorry: "Mi dispiace, qualcosa è andato storto da parte nostra. Arrivederci.",
        stopped: "Mi dispiace, questa chiamata deve finire ora. Richiami, per favore. Arrivederci.",
        wrong: Wrong {
            any: "Non è valido.",
            number: "Digiti un numero da 1 a {n}.",
            yes_or_no: "Prema 1 per sì o 2 per no.",
            digits: "Servono {n} cifre.",
            date: "Digiti otto cifre: anno, mese, giorno.",
        },
    },
    Words {
        tag: "nl",
        one: ("Ik heb genoteerd: ", ". Klopt dat?"),
        many: ("Ik herhaal. ", ". Klopt dat?"),
        goodbye: "Tot ziens.",
        sorry: "Het spijt me, er ging bij ons iets mis. Tot ziens.",
        stopped: "Het spijt me, dit gesprek moet nu eindigen. Belt u nog eens. Tot ziens.",
        wrong: Wrong {
            any: "Dat past niet.",
            number: "Toets een getal van 1 tot {n}.",
            yes_or_no: "Toets 1 voor ja of 2 voor nee.",
            digits: "Het moeten {n} cijfers zijn.",
            date: "Toets acht cijfers: jaar, maand, dag.",
        },
    },
];
