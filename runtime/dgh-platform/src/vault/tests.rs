#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;

use super::*;

const ABOUT: &str = "org1/secret/OPENAI_API_KEY";

#[test]
fn what_is_sealed_opens_where_it_belongs_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let (vault, made) = Vault::in_folder(folder.path()).unwrap();
    assert!(made);
    let sealed = vault.seal(ABOUT, "sk-planted").unwrap();
    assert!(!sealed.contains("planted") && sealed.starts_with(&vault.mark()));
    assert_ne!(sealed, vault.seal(ABOUT, "sk-planted").unwrap(), "no two are alike");
    assert_eq!(vault.open(ABOUT, &sealed).unwrap().expose_secret(), "sk-planted");
    assert!(matches!(vault.open("org2/secret/OPENAI_API_KEY", &sealed), Err(VaultError::Damaged)));
    for bad in ["", "v1", "v1..", "sk-planted", &sealed[..sealed.len() - 4], &sealed.replace("v1", "v2")] {
        assert!(vault.open(ABOUT, bad).is_err(), "{bad}");
    }
    let again = Vault::in_folder(folder.path()).unwrap();
    assert!(!again.1);
    assert_eq!(again.0.open(ABOUT, &sealed).unwrap().expose_secret(), "sk-planted");
    let elsewhere = Vault::in_folder(tempfile::tempdir().unwrap().path()).unwrap().0;
    assert!(matches!(elsewhere.open(ABOUT, &sealed), Err(VaultError::UnknownKey(_))));
}

#[test]
fn a_new_key_seals_and_the_old_one_still_opens() {
    let folder = tempfile::tempdir().unwrap();
    let (vault, _) = Vault::in_folder(folder.path()).unwrap();
    // A process that runs while the key is made.
    let (other, _) = Vault::in_folder(folder.path()).unwrap();
    let (sealed, signed) = (vault.seal(ABOUT, "x").unwrap(), vault.sign("link", b"/a"));
    let before = vault.current();
    assert_eq!(vault.add_key().unwrap(), Some(vault.current()));
    assert_ne!(vault.current(), before);
    let again = vault.reseal(&sealed).unwrap().unwrap();
    assert!(again.starts_with(&vault.mark()));
    assert_eq!(vault.reseal(&again).unwrap(), None);
    for vault in [&vault, &other] {
        assert_eq!(vault.open(ABOUT, &sealed).unwrap().expose_secret(), "x");
        assert_eq!(vault.open(ABOUT, &again).unwrap().expose_secret(), "x");
        assert!(vault.verify("link", b"/a", &signed));
    }
    assert_eq!(other.current(), vault.current());
}

#[test]
fn a_signature_is_for_one_message_and_one_purpose() {
    let (vault, _) = Vault::in_folder(tempfile::tempdir().unwrap().path()).unwrap();
    let signed = vault.sign("link", b"/a");
    assert!(vault.verify("link", b"/a", &signed));
    for (purpose, message, signature) in
        [("link", "/b", signed.as_str()), ("session", "/a", &signed), ("link", "/a", ""), ("link", "/a", "?")]
    {
        assert!(!vault.verify(purpose, message.as_bytes(), signature), "{purpose} {message} {signature}");
    }
}

#[test]
fn keys_in_the_environment_are_read_and_never_made() {
    let folder = tempfile::tempdir().unwrap();
    let (vault, _) = Vault::in_folder(folder.path()).unwrap();
    let sealed = vault.seal(ABOUT, "x").unwrap();
    vault.add_key().unwrap();
    let file = fs::read_to_string(folder.path().join(KEY_FILE)).unwrap();
    let keys: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(keys.len(), 2);
    let environment = Vault::from_text(&keys.join(", ").into()).unwrap();
    assert_eq!(environment.current(), vault.current());
    assert_eq!(environment.open(ABOUT, &sealed).unwrap().expose_secret(), "x");
    assert_eq!(environment.add_key().unwrap(), None);
    for bad in ["", ",", "c2hvcnQ=", "not base64!", &format!("{},", keys[0])] {
        let error = Vault::from_text(&bad.into()).unwrap_err().to_string();
        assert!(error.contains("DGH_ENCRYPTION_KEY") && !error.contains(keys[0]), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn the_key_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(KEY_FILE);
    Vault::in_folder(folder.path()).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Vault::in_folder(folder.path()), Err(KeyringError::Open { .. })));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, "garbage").unwrap();
    assert!(matches!(Vault::in_folder(folder.path()), Err(KeyringError::NoKeys { .. })));
    assert_eq!(fs::read_to_string(&file).unwrap(), "garbage", "it is never overwritten");
}
