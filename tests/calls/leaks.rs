//! Nothing stays behind when calls are over.

use crate::calls::phone::Phone;
use crate::calls::serve::Setup;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_calls_in_a_row_leave_no_files_open_and_no_memory_taken() {
    let served = Setup::example("clinic").start().await;
    let call = async || {
        let phone = Phone::call(&served.address, "clinic").await;
        phone.is_spoken_to().await;
        phone.hang_up();
        served.is_idle().await;
    };
    // Threads, caches and shared tables are made by the first ones.
    for _ in 0..20 {
        call().await;
    }
    let (files, memory) = served.holds();
    for _ in 0..40 {
        call().await;
    }
    let (files_after, memory_after) = served.holds();
    assert!(files_after <= files + 1, "{files} open files, then {files_after}");
    assert!(memory_after <= memory + 3_000, "{memory} KiB, then {memory_after} KiB: 75 for a call is a leak");
    assert_eq!(served.figure("dgh_calls_live").await, Some(0.0));
    let label = "dgh_calls_total{agent=\"clinic\",line=\"twilio\",outcome=\"none\",ended_by=\"caller\"}";
    assert_eq!(served.figure(label).await, Some(60.0));
    assert_eq!(served.logs(60).await.len(), 60);
}
