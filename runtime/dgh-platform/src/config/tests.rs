#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::fs;

use secrecy::ExposeSecret as _;

use super::*;
use crate::Fault;

fn read(
    file: &str,
    environment: &[(&str, &str)],
    flags: &[(&'static str, &[&str])],
) -> Result<Config, Fault> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dgh.toml");
    fs::write(&path, file).unwrap();
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Config::read(Sources {
        flags: flags.iter().map(|(name, values)| (*name, owned(values))).collect::<HashMap<_, _>>(),
        environment: environment
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
        file: file_near(folder.path()),
    })
}

#[track_caller]
fn refused(file: &str, environment: &[(&str, &str)], code: &str, words: &[&str]) {
    let fault = read(file, environment, &[]).unwrap_err();
    let said = fault.to_string();
    assert_eq!(fault.code, code, "{said}");
    assert!(words.iter().all(|word| said.contains(word)) && !said.contains('\n'), "{said}");
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let file = "[server]\nport = 1\nmax_calls = 2\nstun = [\"a\", \"b\"]\nno_recording = true\ndrain = \"5m\"\n[defaults]\n";
    let config = read(file, &[], &[]).unwrap();
    assert_eq!((config.port, config.max_calls, config.no_recording), (1, 2, true));
    assert_eq!(config.stun, ["a", "b"]);
    assert_eq!(config.drain, Duration::from_mins(5));
    let environment =
        [("DGH_PORT", "3"), ("DGH_STUN", "c, d"), ("DGH_TURN_SECRET", "hush"), ("DGH_MAX_CALLS", "")];
    let config = read(file, &environment, &[("port", &["4"])]).unwrap();
    assert_eq!((config.port, config.max_calls), (4, 2));
    assert_eq!(config.stun, ["c", "d"]);
    assert_eq!(config.turn_secret.unwrap().expose_secret(), "hush");
}

#[test]
fn without_settings_it_is_what_the_table_says() {
    let config = read(
        "",
        &[("PATH", "/bin"), ("DGH_TEST_X", "1"), ("DGH_PYTHON", "/venv/bin/python"), ("DGH_API_KEY", "k")],
        &[],
    )
    .unwrap();
    assert_eq!(config.host.to_string(), "127.0.0.1");
    assert_eq!((config.port, config.max_calls), (8080, crate::calls::MAX_CALLS));
    assert_eq!(config.database_connections, dgh_store::CONNECTIONS);
    assert_eq!(config.owner, crate::platform::OWNER);
    assert!(config.data.is_none() && config.stun.is_empty() && !config.no_mocks);
}

#[test]
fn a_name_that_is_no_setting_is_refused_with_the_nearest() {
    refused("[server]\nprot = 1\n", &[], "unknown_setting", &["prot in [server]", "`port`"]);
    refused("[server]\nmax-calls = 1\n", &[], "unknown_setting", &["`max_calls`"]);
    refused("", &[("DGH_PUBLIC_URI", "x")], "unknown_setting", &["DGH_PUBLIC_URI", "`DGH_PUBLIC_URL`"]);
    refused("", &[("DGH_XYZZY", "x")], "unknown_setting", &["--help"]);
    let kubernetes = [
        ("DGH_SERVICE_HOST", "10.0.0.1"),
        ("DGH_SERVICE_PORT_HTTP", "80"),
        ("DGH_PORT", "tcp://10.0.0.1:80"),
        ("DGH_PORT_80_TCP_ADDR", "10.0.0.1"),
    ];
    assert_eq!(read("", &kubernetes, &[]).unwrap().port, 8080);
}

#[test]
fn a_value_that_cannot_be_is_refused_with_its_place() {
    refused("", &[("DGH_PORT", "eighty")], "bad_setting", &["DGH_PORT", "eighty", "0 to 65535"]);
    refused("[server]\nport = 70000\n", &[], "bad_setting", &["port in [server]", "70000"]);
    refused("[server]\nport = [1]\n", &[], "bad_setting", &["port in [server]"]);
    refused("[server]\nno_mocks = \"maybe\"\n", &[], "bad_setting", &["true or false"]);
    refused("server = 1\n", &[], "bad_setting", &["no table"]);
    refused("", &[("DGH_DRAIN", "soon")], "bad_setting", &["60s"]);
    refused("", &[("DGH_LLM_URL", "http://x")], "bad_setting", &["DGH_LLM_URL"]);
    refused("", &[("DGH_HOST", "0.0.0.0"), ("DGH_INSECURE_CARRIERS", "1")], "bad_setting", &["127.0.0.1"]);
    refused("", &[("DGH_TURN_CREDENTIAL", "hush")], "bad_setting", &["DGH_TURN_CREDENTIAL"]);
    refused("", &[("DGH_TRUSTED_PROXIES", "10.0.0.0/8,proxy")], "bad_setting", &["10.0.0.0/8"]);
}

#[test]
fn what_is_secret_stands_in_no_file_and_no_list_of_processes() {
    refused("[server]\nturn_secret = \"hush\"\n", &[], "secret_in_file", &["DGH_TURN_SECRET"]);
    let without: Vec<&str> =
        SETTINGS.iter().filter(|setting| setting.flag().is_none()).map(|setting| setting.name).collect();
    assert_eq!(without, ["encryption_key", "owner_password", "turn_secret", "turn_credential"]);
    let config = read("", &[("DATABASE_URL", "postgres://kim:hunter2@db/x")], &[]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn the_page_of_settings_is_made_from_the_table() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../dgh-server/settings.md");
    if std::env::var_os("DGH_TEST_UPDATE").is_some() {
        fs::write(file, page()).unwrap();
    }
    let there = fs::read_to_string(file).unwrap_or_default();
    assert_eq!(there, page(), "run this test with DGH_TEST_UPDATE=1 to write the page again");
}
