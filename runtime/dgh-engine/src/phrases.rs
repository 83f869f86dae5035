//! What machines, assistants and people say when they answer. All languages at once: a greeting may
//! be in another language than the agent's. Phrases are in lower case, without punctuation, parted
//! by `|`.
//!
//! The one table of it: the engine looks at the first turns of an outbound call, and who hears the
//! line weighs the same words with their timing.

/// A machine says one of the certain phrases, or more than one of the others.
const CERTAIN: u32 = 3;
/// One phrase that only a person says outweighs one certain phrase: `would you like to leave a
/// message?`, but not two.
const PERSON: u32 = 4;
/// What speaking for seconds without a pause counts.
const LONG: u32 = 2;

/// What words tell about who says them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    machine: u32,
    screening: bool,
    /// Only a person says this.
    pub human: bool,
    /// The menu of a company: `press one`.
    pub menu: bool,
}

impl Weight {
    /// Whether it is a voicemail; `long`: it spoke for seconds without a pause.
    pub fn machine(self, long: bool) -> bool {
        let long = long && self.machine > 0 && !self.menu;
        let machine = self.machine + if long { LONG } else { 0 };
        machine >= CERTAIN + if self.human { PERSON } else { 0 }
    }

    /// Whether it is an assistant that screens calls.
    pub fn screens(self) -> bool {
        self.screening && !self.human
    }

    /// Whether something of it sounds like a machine.
    pub fn reminds_of_a_machine(self) -> bool {
        self.machine > 0
    }
}

/// What these plain words tell.
pub fn weigh(words: &[String]) -> Weight {
    let text = format!(" {} ", words.join(" "));
    let count = |list: &str| {
        let mut rest = text.clone();
        let mut found = 0;
        for phrase in list.split('|') {
            let phrase = format!(" {phrase} ");
            if rest.contains(&phrase) {
                found += 1;
                // What is part of a longer phrase does not count again.
                rest = rest.replace(&phrase, " … ");
            }
        }
        found
    };
    let speaking = words.last().is_some_and(|word| word == "speaking" || word == "apparat");
    Weight {
        machine: count(VOICEMAIL) * CERTAIN + count(MAYBE_VOICEMAIL),
        screening: count(SCREENING) > 0,
        human: speaking || count(HUMAN) > 0,
        menu: count(MENU) > 0,
    }
}

/// The words in lower case, without punctuation; `4:30` and `don't` are one word.
pub fn plain(text: &str) -> Vec<String> {
    let inner = |c: char| matches!(c, '\'' | '’' | ':' | '.' | '@');
    text.split(|c: char| !c.is_alphanumeric() && !inner(c))
        .map(|word| word.trim_matches(inner).replace('’', "'").to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

const SCREENING: &str = "state your name|say your name|record your name and reason|record your name and the reason|\
    your name and why|your name and reason|your name and the reason|reason for calling|reason for your call|\
    why you're calling|why you are calling|screening service|call screening|call assist|\
    see if this person is available|see if they're available|see if they are available|\
    before i try to connect you|i'll try to connect you|google assistant|\
    the person you're calling is using|the person you are calling is using|announce yourself|\
    diga su nombre y el motivo|su nombre y el motivo|motivo de su llamada|motivo de la llamada|filtro de llamadas|\
    nennen sie ihren namen|namen und den grund|namen und grund|grund ihres anrufs|grund für ihren anruf|\
    indiquez votre nom|votre nom et la raison|votre nom et le motif|raison de votre appel|motif de votre appel|\
    il suo nome e il motivo|motivo della chiamata|seu nome e o motivo|motivo da ligação|motivo da chamada|\
    uw naam en de reden|reden van uw gesprek|reden van je gesprek";

const VOICEMAIL: &str = "after the tone|after the beep|at the tone|at the beep|following the tone|wait for the beep|\
    voicemail|voice mail|voice message system|voice mailbox|voice messaging|mailbox|answering machine|\
    leave a message|leave me a message|leave us a message|leave your message|leave a brief message|\
    leave a short message|leave a detailed message|leave me a voicemail|leave your name|leave a name|\
    record your message|record a message|please record|not available to take your call|\
    can't take your call|cannot take your call|can not take your call|unable to take your call|\
    can't come to the phone|cannot come to the phone|unable to come to the phone|can't get to the phone|\
    can't answer the phone|unable to answer|can't answer your call|sorry i missed your call|\
    sorry we missed your call|we missed your call|i missed your call|get back to you as soon|call you back as soon|\
    return your call|away from my phone|away from the phone|away from my desk|\
    has been forwarded|the person you are trying to reach|the person you're trying to reach|\
    the number you have dialed|the number you dialed|not in service|google voice subscriber|google subscriber|\
    buzón de voz|buzón|deje su mensaje|deje un mensaje|deja tu mensaje|deja un mensaje|dejar un mensaje|\
    después del tono|después de la señal|al oír la señal|contestador|grabe su mensaje|no puedo atender|\
    no podemos atender|no puede atender|le devolveré la llamada|\
    boîte vocale|messagerie|répondeur|laissez un message|laissez moi un message|laisser un message|\
    laissez votre message|laissez nous un message|après le bip|après le signal|après le signal sonore|\
    je ne suis pas disponible|ne peut pas vous répondre|je vous rappellerai|\
    mailbox von|nach dem ton|nach dem signalton|nach dem piep|nach dem pieps|hinterlassen sie|hinterlasst|\
    hinterlass mir|hinterlasse|anrufbeantworter|sprachbox|mobilbox|rufe zurück|rufen sie zurück|rufe ich zurück|\
    zurzeit nicht erreichbar|zur zeit nicht erreichbar|momentan nicht erreichbar|nicht persönlich erreichbar|\
    vorübergehend nicht erreichbar|\
    segreteria telefonica|segreteria|lasciate un messaggio|lascia un messaggio|lasciare un messaggio|\
    dopo il segnale|dopo il segnale acustico|dopo il bip|non è raggiungibile|non sono raggiungibile|\
    caixa postal|caixa de mensagens|correio de voz|deixe sua mensagem|deixe a sua mensagem|deixe um recado|\
    deixe seu recado|deixe uma mensagem|após o sinal|após o bip|depois do sinal|não posso atender|\
    não está disponível no momento|\
    voicemailbox|na de toon|na de piep|na de pieptoon|spreek een bericht in|laat een bericht achter|\
    laat je bericht achter|uw bericht achter|antwoordapparaat|ik bel je terug|bel ik u terug|bel ik je terug";

const MAYBE_VOICEMAIL: &str = "you have reached|you've reached|not available|unavailable|not here right now|\
    not in right now|not at home|our office is|office hours|\
    business hours|currently closed|as soon as possible|\
    at the moment|no one is available|nobody is available|\
    ha llamado a|se ha comunicado con|no está disponible|no disponible|en este momento|horario de atención|\
    vous êtes bien chez|vous êtes bien sur|vous êtes sur|n'est pas disponible|pas disponible|absent|en ce moment|\
    sie sind verbunden mit|sie haben die nummer|nicht erreichbar|nicht da|im moment|öffnungszeiten|zur zeit|zurzeit|\
    avete chiamato|risponde|non disponibile|non è disponibile|in questo momento|\
    você ligou para|não está disponível|indisponível|no momento|\
    u bent verbonden met|niet bereikbaar|niet aanwezig|op dit moment|openingstijden";

const HUMAN: &str = "how can i help|how may i help|what can i do for you|can i help you|who is this|who's this|\
    who is calling|who's calling|who am i speaking|who's there|may i ask|can i ask|could i ask|can you tell me|\
    could you tell me|can i take a message|may i take a message|shall i take a message|take a message for|\
    would you like to leave|do you want to leave|did you want to leave|want me to take|leave me alone|\
    not interested|stop calling|take me off|wrong number|can you hear me|are you there|what do you want|\
    what's this about|what is this about|is this a scam|are you a robot|are you real|speaking who's this|\
    speaking how|hang on|one moment please|i'll get him|i'll get her|he's right here|she's right here|\
    let me get|hold on a|just a moment|just a second|i'm driving|i'm in a meeting|call me later|call back later|\
    quién es|quién habla|de parte de quién|dígame|en qué le puedo ayudar|\
    en qué puedo ayudarle|quiere dejar|le tomo el recado|no me interesa|déjeme en paz|se ha equivocado|\
    wer ist da|wer spricht|mit wem spreche|was kann ich für sie tun|wie kann ich ihnen helfen|\
    kann ich etwas ausrichten|soll ich etwas ausrichten|möchten sie eine nachricht|kein interesse|falsch verbunden|\
    lassen sie mich in ruhe|worum geht es|am apparat|grüß gott|\
    qui est à l'appareil|c'est qui|qui êtes vous|je vous écoute|que puis je faire|puis je vous aider|\
    voulez vous laisser|souhaitez vous laisser|à l'appareil|pas intéressé|c'est de la part de qui|\
    chi parla|chi è|come posso aiutarla|vuole lasciare|mi dica|non mi interessa|\
    quem fala|quem é|quem está falando|em que posso ajudar|como posso ajudar|quer deixar|não tenho interesse|\
    met wie spreek ik|wie is dit|waarmee kan ik|wat kan ik voor u|kan ik een boodschap|wilt u een bericht|geen interesse|\
    daar spreekt u mee|spreekt u mee";

const MENU: &str = "press one|press 1|press two|press 2|press zero|press 0|press any key|para español|marque uno|marque 1|\
    oprima|pulse uno|pulse 1|drücken sie|wählen sie die|tapez un|tapez 1|appuyez sur|digite um|digite 1|premere|\
    prema|toets een|toets 1|kies een|main menu|our menu|menu options|the following options|say or press|\
    please listen carefully|your call is important|please hold|next available";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_phrase_can_be_heard_and_stands_once() {
        for list in [SCREENING, VOICEMAIL, MAYBE_VOICEMAIL, HUMAN, MENU] {
            let mut seen = BTreeSet::new();
            for phrase in list.split('|') {
                assert_eq!(plain(phrase).join(" "), phrase);
                assert!(seen.insert(phrase), "`{phrase}` stands twice");
            }
        }
    }

    #[test]
    fn a_phrase_within_a_longer_one_counts_once() {
        let weight = weigh(&plain("please leave a message at the voice mailbox"));
        assert_eq!(weight.machine, 2 * CERTAIN);
    }
}
