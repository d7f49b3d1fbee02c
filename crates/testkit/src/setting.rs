//! How long or from where a test runs, told from outside.
//!
//! The product reads its settings elsewhere.
//!
//! Invariant: a setting that cannot be read ends the test, so that a typing mistake is never taken for the default.

use std::any::type_name;
use std::str::FromStr;

/// What the environment variable of this name says, or the default where there is none.
///
/// # Panics
///
/// When the variable is set and cannot be read as a `T`.
#[expect(clippy::disallowed_methods, reason = "a test is told from outside how long it runs")]
pub fn setting<T: FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => read(name, &text),
        Err(std::env::VarError::NotPresent) => default,
        Err(error) => panic!("{name}: {error}"),
    }
}

fn read<T: FromStr>(name: &str, text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{name}=`{text}` is not a {}", type_name::<T>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_its_default() {
        assert_eq!(setting("METSUKE_TEST_SETTING_THAT_NOBODY_SETS", 7_u64), 7);
    }

    #[test]
    #[should_panic(expected = "METSUKE_KILLS=`many` is not a usize")]
    fn a_setting_that_cannot_be_read_ends_the_test() {
        read::<usize>("METSUKE_KILLS", "many");
    }
}
