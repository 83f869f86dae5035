//! Twilio's signature of a webhook.
//!
//! Source: Twilio's page "Webhooks Security: Validating Signatures from Twilio". The address as
//! Twilio called it, then each parameter's name and value, by name, without anything between them;
//! HMAC-SHA1 with the account's token; Base64.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Whether a request was signed by whoever has the token.
pub(crate) fn is_signed(token: &str, url: &str, parameters: &[(String, String)], signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    // Takes the same time wherever they differ.
    hmac::verify(&key, signed(url, parameters).as_bytes(), &signature).is_ok()
}

fn signed(url: &str, parameters: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = parameters.iter().collect();
    sorted.sort();
    // A parameter that comes twice with the same value counts once, as in Twilio's own libraries.
    sorted.dedup();
    let mut text = url.to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Twilio's page.
    const TOKEN: &str = "12345";
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

    fn parameters() -> Vec<(String, String)> {
        [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
            ("From", "+12349013030"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    #[test]
    fn the_example_of_the_documentation_is_signed() {
        assert!(is_signed(TOKEN, URL, &parameters(), "0/KCTR6DLpKmkAf8muzZqo1nDgQ="));
    }

    #[test]
    fn anything_changed_is_not_signed() {
        let mut changed = parameters();
        changed.push(("From".to_owned(), "+1".to_owned()));
        assert!(!is_signed(TOKEN, URL, &changed, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="));
        assert!(!is_signed("12346", URL, &parameters(), "0/KCTR6DLpKmkAf8muzZqo1nDgQ="));
        assert!(!is_signed(
            TOKEN,
            "https://mycompany.com/myapp.php",
            &parameters(),
            "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
        ));
        assert!(!is_signed(TOKEN, URL, &parameters(), ""));
        assert!(!is_signed(TOKEN, URL, &parameters(), "not base64!"));
    }
}
