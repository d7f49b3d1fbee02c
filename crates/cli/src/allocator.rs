//! The allocator, and how soon it gives memory back.
//!
//! Why this one, and what it was measured against, stands in [decision 17](../../../docs/adr/0017-allocator.md).
//!
//! Invariant: this is the only file of the house with code that the compiler does not check for memory safety.

use std::ffi::c_long;

use libmimalloc_sys::{mi_option_set, mi_option_t};
use mimalloc::MiMalloc;

/// Memory that a job had is given back when the job is over; the system's allocator keeps most of it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How many milliseconds pages that are free are kept, `mi_option_purge_delay` of mimalloc 2
/// ([its header](https://github.com/microsoft/mimalloc/blob/v2.3.2/include/mimalloc.h)), for which the binding has no name.
const PURGE_DELAY: mi_option_t = 15;
const AT_ONCE: c_long = 0;

/// From now on pages go back to the system as soon as they are free. Called by what runs for long and rests between its
/// jobs; what ends soon is quicker without.
pub(crate) fn gives_back_at_once() {
    #[expect(unsafe_code, reason = "mimalloc has no other way to be told but its environment")]
    // SAFETY: the function writes one number of a table of its own, and leaves numbers that are no option alone.
    unsafe {
        mi_option_set(PURGE_DELAY, AT_ONCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(unsafe_code, reason = "as above")]
    fn delay() -> c_long {
        // SAFETY: the function reads one number of the same table.
        unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) }
    }

    /// No option beside it has its default of 10 milliseconds: another number would be another option.
    #[test]
    fn pages_are_given_back_at_once_when_it_is_said() {
        let before = delay();
        gives_back_at_once();
        assert_eq!((before, delay()), (10, AT_ONCE));
    }
}
