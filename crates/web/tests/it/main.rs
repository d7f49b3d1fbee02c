//! The API's description: checked in as it is served.
//!
//! What the server does is tested with the real program, where the command line is.

use std::path::Path;

use metsuke_engine::identity::{Operation, Policy};
use metsuke_web::document;

/// Set to write the file anew instead of comparing it.
const UPDATE: &str = "METSUKE_UPDATE";

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own switch")]
fn the_description_that_is_checked_in_is_the_one_that_is_served() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let served = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var(UPDATE).is_ok() {
        std::fs::write(&file, &served).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == served, "docs/openapi.json is another; run the test with {UPDATE}=1");
}

#[test]
fn every_operation_is_described_once_with_its_roles() {
    let document = document();
    for operation in Operation::ALL {
        let method = operation.method().as_str().to_lowercase();
        let told = &document["paths"][operation.path()][&method];
        assert_eq!(told["operationId"], operation.id());
        let public = told["security"].as_array().is_some_and(Vec::is_empty);
        assert_eq!(public, operation.policy() == Policy::Public, "{operation}");
    }
    let described: usize =
        document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(described, Operation::ALL.len());
}
