//! How much an evaluation may do: steps, bytes and texts within texts.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Steps of one evaluation.
const STEPS: usize = 2_000_000;
/// Bytes that one evaluation may make.
const BYTES: usize = 8 << 20;
/// How deep templates may name templates.
const NESTED: usize = 4;

/// What is left to do with; one for all expressions of a rule's evaluation.
#[derive(Debug)]
pub struct Budget {
    steps: AtomicUsize,
    bytes: AtomicUsize,
    nested: AtomicUsize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: AtomicUsize::new(STEPS),
            bytes: AtomicUsize::new(BYTES),
            nested: AtomicUsize::new(NESTED),
        }
    }
}

impl Budget {
    /// Takes one step.
    pub(super) fn step(&self) -> Result<(), String> {
        take(&self.steps, 1).ok_or_else(|| "the evaluation takes too many steps".to_owned())
    }

    /// Makes so many bytes.
    pub(super) fn made(&self, bytes: usize) -> Result<(), String> {
        take(&self.bytes, bytes).ok_or_else(|| "the evaluation makes too large a value".to_owned())
    }

    /// Goes into a template within a template and out again.
    pub(super) fn within<T>(&self, inside: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
        take(&self.nested, 1).ok_or_else(|| "the templates name one another too deeply".to_owned())?;
        let made = inside();
        self.nested.fetch_add(1, Ordering::Relaxed);
        made
    }
}

/// Nobody else takes from it at the same time; it is atomic so that a rule's evaluation can move between threads.
fn take(from: &AtomicUsize, amount: usize) -> Option<()> {
    let left = from.load(Ordering::Relaxed).checked_sub(amount)?;
    from.store(left, Ordering::Relaxed);
    Some(())
}
