//! How the program's allocator is set, told by the allocator itself.

use crate::house::{bare, run};

/// What a server takes was measured with these; a build that lost them would take twice as much.
#[tokio::test]
async fn memory_has_one_arena_and_goes_back_to_the_system_as_soon_as_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let mut version = bare(&folder, &["--version"]);
    version.env("MALLOC_CONF", "stats_print:true");
    let told = run(version).await.stderr;
    for option in ["narenas: 1", "tcache: false", "dirty_decay_ms: 0", "muzzy_decay_ms: 0"] {
        assert!(told.contains(&format!("opt.{option}")), "{option} in {told}");
    }
}
