//! The words of each language: what is said to show that one listens, and what asks for more. A
//! new language is one more table. Phrases are in lower case, without punctuation, parted by `|`.

/// The words of a language.
pub(super) struct Table {
    pub(super) language: &'static str,
    /// Signs of listening.
    pub(super) backchannels: &'static str,
    /// Answers that are whole without a full stop.
    pub(super) answers: &'static str,
    /// More is to come after these, full stop or not: recognisers put one at every pause.
    pub(super) joining: &'static str,
    /// More is to come after these, unless there is a full stop.
    pub(super) leading: &'static str,
    /// A number is dictated after these.
    pub(super) dictating: &'static str,
    pub(super) digits: &'static str,
}

/// The table of a language tag.
pub(super) fn table(language: &str) -> Option<&'static Table> {
    let language = language.split(['-', '_']).next().unwrap_or_default();
    TABLES.iter().find(|table| table.language.eq_ignore_ascii_case(language))
}

/// The phrases of a list.
pub(super) fn phrases(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split('|')
}

const TABLES: &[Table] = &[
    Table {
        language: "en",
        backchannels: "\
            yeah|yep|yup|yes|ok|okay|right|i see|sure|got it|alright|all right|aha|ah|oh|oh okay|\
            oh really|really|cool|great|good|nice|perfect|exactly|of course|makes sense|\
            that makes sense|i understand|understood|go on|go ahead|wow|true|fine|sounds good|\
            interesting|gotcha",
        answers: "\
            yes|yeah|yep|no|nope|sure|okay|ok|correct|right|yes please|no thanks|no thank you|\
            that's right|that's correct|of course|absolutely|exactly|thank you|thanks|goodbye|bye|hello|\
            hi",
        joining: "\
            and|but|or|because|cause|if|when|the|a|an|my|your|our|their|um|uh|er|like|well|then|i'm|i'd|\
            i'll|we're|it's|is it|also|plus|i mean|you know|let me see|let me think|hold on|one second|\
            one moment|wait|hang on|actually",
        leading: "\
            to|for|with|of|in|on|at|from|by|about|so|than|that|which|who|number is|name is|address is|\
            email is|code is|date is|birth is|birthday is|i want|i need|i would like|i'd like|\
            i was wondering|can you|could you|i have|we have|there is|this is|not|very|maybe|dot|dash|\
            underscore|double|triple|plus|area code|i think|it was|i was|he|she|they|we|i",
        dictating: "number is|number's|code is|id is|pin is|zip is|account is|reference is",
        digits: "zero|oh|one|two|three|four|five|six|seven|eight|nine",
    },
    Table {
        language: "es",
        backchannels: "\
            sí|si|ya|vale|ok|okay|claro|ajá|aja|bien|muy bien|entiendo|ya veo|de acuerdo|perfecto|\
            exacto|eso|bueno|ah|oh|así es|por supuesto|correcto|órale|dale",
        answers: "\
            sí|si|no|vale|claro|correcto|sí por favor|no gracias|gracias|de acuerdo|exacto|hola|adiós|\
            por supuesto",
        joining: "\
            y|e|o|pero|porque|que|si es que|cuando|el|la|los|las|un|una|mi|mis|su|este|eh|pues|o sea|\
            entonces|como|espere|espera|un momento|a ver|déjeme ver",
        leading: "\
            a|de|en|con|por|para|del|al|número es|nombre es|llamo|me llamo|dirección es|correo es|\
            código es|fecha es|quiero|necesito|quisiera|me gustaría|tengo|puede|podría|muy|punto|guion|\
            arroba|doble|creo que|es",
        dictating: "número es|teléfono es|código es|es el",
        digits: "cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve",
    },
    Table {
        language: "de",
        backchannels: "\
            ja|jaja|ja ja|ok|okay|gut|genau|aha|ah|ach so|ach|achso|verstehe|ich verstehe|alles klar|\
            klar|richtig|stimmt|in ordnung|na gut|jo|jawohl|sehr gut|super|schön|natürlich|verstanden|\
            passt|eben|oh|so|na klar",
        answers: "\
            ja|nein|nee|ne|doch|genau|richtig|stimmt|ja bitte|nein danke|danke|gerne|klar|natürlich|\
            hallo|tschüss|auf wiederhören|passt",
        joining: "\
            und|oder|aber|weil|dass|wenn|ob|der|die|das|den|dem|ein|eine|einen|einem|einer|mein|meine|\
            meinen|meiner|ihr|ihre|äh|ähm|also|denn|sondern|moment|einen moment|warten sie|mal sehen|\
            sozusagen",
        leading: "\
            zu|zum|zur|für|mit|von|vom|in|im|am|an|auf|bei|aus|nach|um|nummer ist|nummer lautet|\
            name ist|heiße|ich heiße|adresse ist|lautet|ist|ich möchte|ich hätte gern|ich hätte gerne|\
            ich brauche|ich will|ich würde gerne|können sie|könnten sie|ich habe|wir haben|ich bin|\
            nicht|sehr|punkt|strich|minus|doppel|vorwahl|ich|wir",
        dictating: "nummer ist|nummer lautet|code ist|lautet|postleitzahl ist|das ist die",
        digits: "null|eins|zwei|zwo|drei|vier|fünf|sechs|sieben|acht|neun",
    },
    Table {
        language: "fr",
        backchannels: "\
            oui|ouais|d'accord|ok|okay|bien|très bien|ah|oh|ah bon|ah oui|je vois|je comprends|\
            exactement|tout à fait|voilà|bien sûr|parfait|entendu|c'est ça|super|compris|ça marche|\
            effectivement",
        answers: "\
            oui|ouais|non|si|d'accord|exactement|tout à fait|oui merci|non merci|merci|bien sûr|\
            c'est ça|bonjour|allô|au revoir|parfait|voilà",
        joining: "\
            et|ou|mais|parce que|car|que|qui|quand|le|la|les|un|une|des|mon|ma|mes|votre|euh|ben|bah|\
            alors|donc|enfin|attendez|un instant|une seconde|c'est à dire|du coup|puis",
        leading: "\
            à|de|du|en|dans|avec|pour|par|sur|chez|au|aux|numéro est|nom est|adresse est|numéro c'est|\
            m'appelle|je m'appelle|je voudrais|j'aimerais|je veux|j'ai besoin|j'ai|je suis|pouvez vous|\
            est ce que|c'est le|c'est|est|très|point|tiret|arobase|double|je crois que|je|nous",
        dictating: "numéro est|numéro c'est|code est|c'est le",
        digits: "zéro|un|deux|trois|quatre|cinq|six|sept|huit|neuf",
    },
    Table {
        language: "it",
        backchannels: "\
            sì|si|ok|okay|va bene|bene|certo|esatto|giusto|capisco|ho capito|capito|ah|oh|d'accordo|\
            perfetto|ecco|già|eh|chiaro|ottimo|certamente",
        answers: "\
            sì|si|no|certo|esatto|giusto|va bene|sì grazie|no grazie|grazie|d'accordo|pronto|ciao|\
            arrivederci|perfetto|corretto",
        joining: "\
            e|ed|o|oppure|ma|però|perché|che|quando|se|il|lo|la|i|gli|le|un|uno|una|mio|mia|allora|\
            quindi|cioè|ehm|aspetti|un attimo|un momento|poi",
        leading: "\
            a|di|da|in|con|per|su|del|della|al|alla|nel|numero è|nome è|indirizzo è|mi chiamo|chiamo|\
            vorrei|voglio|ho bisogno di|ho|sono|può|potrebbe|molto|punto|trattino|chiocciola|doppio|\
            credo che|è|io",
        dictating: "numero è|codice è|è il",
        digits: "zero|uno|due|tre|quattro|cinque|sei|sette|otto|nove",
    },
    Table {
        language: "pt",
        backchannels: "\
            sim|ok|okay|tá|tá bom|tá bem|está bem|certo|claro|entendi|entendo|isso|é|ah|oh|pois|pois é|\
            exato|perfeito|beleza|bom|muito bem|aham|com certeza|ah tá|sei",
        answers: "\
            sim|não|claro|certo|isso|exato|sim por favor|não obrigado|não obrigada|obrigado|obrigada|\
            tá bom|pode ser|alô|oi|tchau|correto",
        joining: "\
            e|ou|mas|porque|que|quando|se|o|os|as|um|uma|meu|minha|seu|sua|então|tipo|é que|espere|\
            espera|um momento|só um minuto|deixa eu ver|aí",
        leading: "\
            a|de|do|da|em|no|na|com|por|para|pra|pelo|número é|nome é|endereço é|meu nome é|me chamo|\
            queria|quero|preciso|gostaria de|eu gostaria|tenho|estou|pode|poderia|muito|ponto|traço|\
            arroba|acho que|eu",
        dictating: "número é|telefone é|código é|é o",
        digits: "zero|um|dois|três|quatro|cinco|seis|meia|sete|oito|nove",
    },
    Table {
        language: "nl",
        backchannels: "\
            ja|jaja|ja ja|ok|oké|okay|goed|prima|precies|klopt|juist|ik snap het|snap ik|begrepen|\
            ik begrijp het|aha|ah|oh|o ja|zeker|natuurlijk|mooi|is goed|top|helder|duidelijk",
        answers: "\
            ja|nee|jawel|klopt|precies|juist|ja graag|nee dank je|nee bedankt|nee dank u|bedankt|dank u|\
            prima|goed|natuurlijk|hallo|dag|tot ziens",
        joining: "\
            en|of|maar|omdat|want|dat|als|toen|de|het|een|mijn|uw|je|eh|ehm|dus|nou|even kijken|\
            momentje|een moment|wacht|wacht even|eigenlijk|dan",
        leading: "\
            te|naar|voor|met|van|in|op|aan|bij|uit|om|over|nummer is|naam is|adres is|ik heet|is|ik wil|\
            ik wil graag|ik zou graag|ik heb|ik ben|we hebben|kunt u|kan ik|niet|heel|erg|punt|streepje|\
            dubbel|ik denk|ik|wij",
        dictating: "nummer is|code is|postcode is",
        digits: "nul|een|één|twee|drie|vier|vijf|zes|zeven|acht|negen",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::turn::plain;

    #[test]
    fn every_phrase_can_be_heard_and_stands_once() {
        for table in TABLES {
            let lists = [
                table.backchannels,
                table.answers,
                table.joining,
                table.leading,
                table.dictating,
                table.digits,
            ];
            for list in lists {
                let mut seen = BTreeSet::new();
                for phrase in phrases(list) {
                    assert_eq!(plain(phrase).join(" "), phrase, "{}", table.language);
                    assert!(seen.insert(phrase), "{}: `{phrase}` stands twice", table.language);
                }
            }
        }
    }

    #[test]
    fn a_refusal_never_begins_a_backchannel() {
        for table in TABLES {
            for no in ["no", "nein", "non", "não", "nee", "stop", "wait", "halt"] {
                let begins = phrases(table.backchannels).any(|phrase| phrase.split(' ').next() == Some(no));
                assert!(!begins, "{}: {no}", table.language);
            }
        }
    }
}
