//! What a call leaves behind: the recording, the log, and what can be read out of it.

use crate::calls::phone::Phone;
use crate::calls::serve::Setup;
use crate::calls::sound::{read_wav, spoken};
use crate::calls::{ASK, CLINIC, WELCOME, deepgram, hears};

/// How far a recording may be from what was sent and heard.
const NEAR_MS: u64 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_are_recorded_where_they_sounded_and_the_log_tells_the_call_again() {
    let words = "I would like to book an appointment";
    let stt = hears(&[words]).await;
    let served = Setup::example("clinic").hears(&deepgram(&stt)).start().await;
    let phone = Phone::call(&served.address, "clinic").await;
    phone.has_the_floor(700).await;
    let greeting = phone.heard();
    phone.say(&spoken(words));
    phone.is_answered().await;
    phone.has_the_floor(500).await;
    let said = phone.look(|ear| ear.said[0]);
    phone.hang_up();
    let log = served.log().await;

    let sides = read_wav(&log.recording());
    assert_eq!((sides.len(), sides[0].rate), (2, 8_000));
    let (caller, agent) = (&sides[0], &sides[1]);
    let (at, fit) = caller.find(&spoken(words).at(8_000), said, 500);
    assert!(fit > 0.9 && at.abs_diff(said) <= NEAR_MS, "said at {said} ms, recorded at {at} ms ({fit:.2})");
    let first = greeting.samples.iter().position(|sample| sample.unsigned_abs() > 500).unwrap() as u64 / 8;
    let (at, fit) = agent.find(&greeting.between(first, first + 2_000), first, 500);
    assert!(
        fit > 0.9 && at.abs_diff(first) <= NEAR_MS,
        "heard at {first} ms, recorded at {at} ms ({fit:.2})"
    );
    // Each side holds its own words, and nothing of the other.
    assert!(
        !caller.between(0, said.saturating_sub(200)).is_loud(),
        "the caller's side is silent before the words"
    );
    assert!(
        !agent.between(said, said + spoken(words).ms()).is_loud(),
        "the agent's side is silent during them"
    );
    let known: Vec<&str> = CLINIC
        .iter()
        .copied()
        .chain(["i would like to book an appointment", "i would like to cook an ointment"])
        .collect();
    assert_eq!(caller.heard_as(&known), words.to_lowercase());
    assert_eq!(agent.between(0, said).heard_as(&known), format!("{WELCOME} {ASK}"));

    let replayed = served.dgh(&["replay"], &log.path);
    let told = String::from_utf8_lossy(&replayed.stdout).into_owned();
    assert!(
        replayed.status.success() && told.starts_with("the same") && told.contains("the same program"),
        "{told}{}",
        String::from_utf8_lossy(&replayed.stderr)
    );

    let table = served.dgh(&["latency"], &log.path);
    let told = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.status.success(), "{}", String::from_utf8_lossy(&table.stderr));
    assert!(
        told.contains("runtime") && told.lines().any(|line| line.trim_start().starts_with("1 ")),
        "{told}"
    );
    let json = served.dgh(&["latency", "--json"], &log.path);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let turn = &json["turns"][0];
    let own = turn["own"].as_u64().unwrap();
    assert!(own < 200_000, "waits are booked as the runtime's own: {turn:#}");
}
