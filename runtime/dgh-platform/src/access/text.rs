//! Texts that people type in: addresses, names, passwords.

use super::AccessError;

/// Longest address of mail (RFC 5321, section 4.5.3.1.3, and its erratum 1690).
pub const LONGEST_EMAIL: usize = 254;
/// Longest name of a person, an organisation, a key.
pub const LONGEST_NAME: usize = 100;
/// Shortest password (NIST SP 800-63B-4, section 3.1.1.2, where it is the only secret).
pub const SHORTEST_PASSWORD: usize = 12;
/// Longest password: hashing has to take a bounded time.
pub const LONGEST_PASSWORD: usize = 256;

/// An address as it is kept: trimmed, in lower case.
pub(super) fn email(text: &str) -> Result<String, AccessError> {
    let text = text.trim().to_lowercase();
    let parts = text.split_once('@');
    let good = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if good && plain && text.len() <= LONGEST_EMAIL {
        Ok(text)
    } else {
        Err(AccessError::Invalid { field: "email", why: "this is no address of mail".to_owned() })
    }
}

/// A name without spaces around it.
pub(super) fn name(text: &str) -> Result<String, AccessError> {
    let text = text.trim();
    let why = if text.is_empty() {
        "a name has a letter at least".to_owned()
    } else if text.chars().count() > LONGEST_NAME {
        format!("a name has {LONGEST_NAME} letters at most")
    } else if text.chars().any(char::is_control) {
        "a name has no control characters".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(AccessError::Invalid { field: "name", why })
}

/// A password that may be set. Any characters: what makes it good is its length (NIST SP 800-63B-4,
/// section 3.1.1.2); the address itself and one letter again and again are the first guesses.
pub(super) fn password(text: &str, email: &str) -> Result<(), AccessError> {
    let length = text.chars().count();
    let mut letters = text.chars();
    let first = letters.next();
    let name = email.split('@').next().unwrap_or_default();
    let lower = text.to_lowercase();
    let why = if length < SHORTEST_PASSWORD {
        format!("a password has {SHORTEST_PASSWORD} characters at least")
    } else if length > LONGEST_PASSWORD {
        format!("a password has {LONGEST_PASSWORD} characters at most")
    } else if letters.all(|letter| Some(letter) == first) {
        "one character again and again is no password".to_owned()
    } else if lower == email || (!name.is_empty() && lower.replace(name, "").chars().count() < 6) {
        "the address is no password".to_owned()
    } else {
        return Ok(());
    };
    Err(AccessError::Invalid { field: "password", why })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_kept_in_one_spelling() {
        assert_eq!(email(" Kim@Example.ORG ").unwrap(), "kim@example.org");
        assert_eq!(email("owner@localhost").unwrap(), "owner@localhost");
        for wrong in
            ["", "kim", "@x", "kim@", "a@b@c", "a b@c", "a\u{7}@c", &format!("{}@x", "a".repeat(260))]
        {
            assert!(email(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn passwords_that_are_guessed_first_are_refused() {
        for wrong in ["short", "aaaaaaaaaaaaaaaa", "kim.example@example.org", "kim.example1234"] {
            assert!(password(wrong, "kim.example@example.org").is_err(), "{wrong}");
        }
        assert!(password(&"ab".repeat(129), "x@y").is_err());
        for good in ["correct horse battery", "пароль-длинный", "x7-x7-x7-x7-x8"] {
            assert!(password(good, "kim.example@example.org").is_ok(), "{good}");
        }
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(name("  Kim  ").unwrap(), "Kim");
        for wrong in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }
}
