//! Nothing stays behind when calls are over.

use crate::calls::phone::Phone;
use crate::calls::serve::Setup;

/// A call that is kept, with its sound and its tables, is several times this.
const KIB_OF_A_CALL: u64 = 75;
const ROUND: u32 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_in_a_row_leave_no_files_open_and_no_memory_taken() {
    let served = Setup::example("clinic").start().await;
    let mut calls = 0;
    let mut round = async || {
        for _ in 0..ROUND {
            let phone = Phone::call(&served.address, "clinic").await;
            phone.is_spoken_to().await;
            phone.hang_up();
            served.is_idle().await;
        }
        calls += ROUND;
        served.holds()
    };
    // Threads, caches and shared tables are made by the first calls, and an allocator takes memory in steps
    // when it meets a busy moment; what leaks is taken in every round.
    let mut seen = vec![round().await];
    let flat = loop {
        let (files, memory) = *seen.last().unwrap();
        let (files_after, memory_after) = round().await;
        seen.push((files_after, memory_after));
        if files_after <= files + 4 && memory_after <= memory + KIB_OF_A_CALL * u64::from(ROUND) {
            break true;
        }
        if seen.len() == 5 {
            break false;
        }
    };
    assert!(flat, "open files and KiB after each {ROUND} calls: {seen:?}");
    assert_eq!(served.figure("dgh_calls_live").await, Some(0.0));
    let label = "dgh_calls_total{agent=\"clinic\",line=\"twilio\",outcome=\"none\",ended_by=\"caller\"}";
    assert_eq!(served.figure(label).await, Some(f64::from(calls)));
    assert_eq!(served.logs(calls as usize).await.len(), calls as usize);
}
