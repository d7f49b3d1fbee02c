//! Moments as the messages carry them.
//!
//! Invariant: a moment that was written and read again is the same.

use metsuke_model::Moment;
use prost_types::Timestamp;

/// A moment as a message carries it.
#[must_use]
pub fn timestamp(moment: Moment) -> Timestamp {
    let nanos = i32::try_from(moment.0.rem_euclid(1_000_000)).unwrap_or(0) * 1_000;
    Timestamp { seconds: moment.0.div_euclid(1_000_000), nanos }
}

/// The moment that a message carries, to the microsecond; the farthest one where it is out of reach.
#[must_use]
pub fn moment(timestamp: &Timestamp) -> Moment {
    Moment(timestamp.seconds.saturating_mul(1_000_000).saturating_add(i64::from(timestamp.nanos) / 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_as_it_was_written() {
        for micros in [0, 1, 1_999_999, 1_700_000_000_123_456, -1, -1_000_001] {
            let written = timestamp(Moment(micros));
            assert!((0..1_000_000_000).contains(&written.nanos), "{written:?}");
            assert_eq!(moment(&written), Moment(micros));
        }
        assert_eq!(moment(&Timestamp { seconds: i64::MAX, nanos: 0 }), Moment(i64::MAX));
    }
}
