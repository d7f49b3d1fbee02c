//! Signals: what runs ends soon, and leaves nothing behind.

use std::time::{Duration, Instant};

use metsuke_simulator::{Options, Size};

use crate::house::House;

async fn kill(signal: &str, pid: u32) {
    let sent = tokio::process::Command::new("kill").arg(signal).arg(pid.to_string()).status().await.unwrap();
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_stopped_ends_with_1_and_leaves_nothing() {
    for signal in ["-INT", "-TERM"] {
        let slow = Options::of(Size::COMPANY).seed(3).latency(Duration::from_millis(400));
        let house = House::new(slow).await;
        let child = house.command(&[]).stderr(std::process::Stdio::piped()).spawn().unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!house.is_tidy(), "it runs");
        let begin = Instant::now();
        kill(signal, child.id().unwrap()).await;
        let ended = child.wait_with_output().await.unwrap();
        assert_eq!(ended.status.code(), Some(1), "{signal}: {ended:?}");
        assert!(begin.elapsed() < Duration::from_secs(10));
        assert!(house.is_tidy() && !house.file("sync.c1z").exists());
        assert!(String::from_utf8_lossy(&ended.stderr).contains("error: stopped"));
    }
}
