//! Errors of a provider may repeat what it was asked to speak; that must not reach a log.

/// A provider's message without the words of these texts.
pub(super) fn strike<'a>(message: &str, texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut spoken: Vec<String> = texts.into_iter().flat_map(words).map(str::to_lowercase).collect();
    spoken.sort_unstable();
    spoken.dedup();
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(char::is_alphanumeric) {
        let (before, from) = rest.split_at(at);
        let (word, after) = from.split_at(from.find(|c: char| !c.is_alphanumeric()).unwrap_or(from.len()));
        out.push_str(before);
        let known = spoken.binary_search(&word.to_lowercase()).is_ok();
        out.push_str(if known { "…" } else { word });
        rest = after;
    }
    out + rest
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_sentence_are_struck_and_the_rest_stays() {
        let texts = ["Ihre Nummer ist 4711-0815, Müller!", "Bye."];
        assert_eq!(
            strike("voice `x` cannot say \"nummer IST 4711-0815, MÜLLER\" (code 12)", texts),
            "voice `x` cannot say \"… … …-…, …\" (code 12)"
        );
        assert_eq!(strike("model_not_found", texts), "model_not_found");
        assert_eq!(strike("bye", [""]), "bye");
        assert_eq!(strike("", texts), "");
    }
}
