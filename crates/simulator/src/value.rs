//! The three values every row is made of: an id, a point in time, and seeded chance.
//!
//! Not a UUID or calendar library: only what the rows need, written so that a thousand rows cost little.
//!
//! Invariant: everything here is a pure function of its arguments, but for the machine's time where it is asked for.

use std::fmt;

use serde::{Serialize, Serializer};

/// A UUID as a number, so that the order of ids is the order of numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id(pub u128);

const HEX: &[u8; 16] = b"0123456789abcdef";

impl Id {
    /// Reads the hyphenated form; anything else is not an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return None;
        }
        let mut value: u128 = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if *byte != b'-' {
                    return None;
                }
                continue;
            }
            let digit = char::from(*byte).to_digit(16)?;
            value = (value << 4) | u128::from(digit);
        }
        Some(Self(value))
    }

    /// Forces the version (4) and variant bits, leaving the top 48 bits alone.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        let without = bits & !(0xf_u128 << 76) & !(0x3_u128 << 62);
        Self(without | (0x4_u128 << 76) | (0x2_u128 << 62))
    }

    fn text(self) -> [u8; 36] {
        let mut out = [b'-'; 36];
        let mut shift = 128_u32;
        for (at, slot) in out.iter_mut().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                continue;
            }
            shift -= 4;
            let nibble = usize::try_from((self.0 >> shift) & 0xf).unwrap_or(0);
            *slot = HEX.get(nibble).copied().unwrap_or(b'0');
        }
        out
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// Seconds since 1970 in UTC, written as Heroku writes it: `2026-11-21T09:00:00Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Stamp(pub u64);

/// The moment at which every estate begins: 2026-11-01T00:00:00Z.
pub(crate) const EPOCH: Stamp = Stamp(1_793_491_200);

impl Stamp {
    /// The machine's time.
    pub(crate) fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self(since.map_or(0, |since| since.as_secs()))
    }

    /// Year, month and day by the civil calendar, after Howard Hinnant's public algorithm.
    const fn date(self) -> (u64, u64, u64) {
        let days = self.0 / 86_400 + 719_468;
        let era = days / 146_097;
        let of_era = days % 146_097;
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        (year_of_era + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
    }

    /// This moment as an HTTP date: `Tue, 21 Apr 2020 15:06:45 GMT`.
    #[must_use]
    pub fn http_date(self) -> String {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (year, month, day) = self.date();
        let weekday = usize::try_from(self.0 / 86_400 % 7).ok().and_then(|at| DAYS.get(at)).unwrap_or(&"Thu");
        let month = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).unwrap_or(&"Jan");
        let (hour, minute, second) = self.clock();
        format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
    }

    const fn clock(self) -> (u64, u64, u64) {
        (self.0 / 3_600 % 24, self.0 / 60 % 60, self.0 % 60)
    }

    fn text(self) -> [u8; 20] {
        let mut out = *b"0000-00-00T00:00:00Z";
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.clock();
        put(&mut out, 0, 4, year);
        put(&mut out, 5, 2, month);
        put(&mut out, 8, 2, day);
        put(&mut out, 11, 2, hour);
        put(&mut out, 14, 2, minute);
        put(&mut out, 17, 2, second);
        out
    }
}

fn put(out: &mut [u8; 20], at: usize, width: usize, mut value: u64) {
    for slot in out.iter_mut().skip(at).take(width).rev() {
        *slot = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// One well-mixed number from two, the root of all chance here (the finaliser of `SplitMix64`).
#[must_use]
pub(crate) const fn mix(a: u64, b: u64) -> u64 {
    let mut z = a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A 128-bit fingerprint of bytes, for an `ETag`; not a cryptographic hash.
#[must_use]
pub(crate) fn fingerprint(bytes: &[u8]) -> u128 {
    let mut low = 0x243f_6a88_85a3_08d3_u64 ^ bytes.len() as u64;
    let mut high = 0x1319_8a2e_0370_7344_u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
        low = (low ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
        high = (high.rotate_left(23) ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
    }
    for byte in chunks.remainder() {
        low = (low ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        high = (high ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (u128::from(mix(low, high)) << 64) | u128::from(mix(high, low))
}

/// A seeded stream of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.seed, self.drawn)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        if bound == 0 { 0 } else { usize::try_from(self.next() % bound).unwrap_or(0) }
    }

    pub(crate) const fn percent(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> Option<&'a T> {
        let at = self.below(of.len());
        of.get(at).copied()
    }

    pub(crate) fn id(&mut self) -> Id {
        let high = u128::from(self.next());
        Id::from_bits((high << 64) | u128::from(self.next()))
    }

    /// A moment between about ten years before [`EPOCH`] and [`EPOCH`].
    pub(crate) const fn past(&mut self) -> Stamp {
        Stamp(EPOCH.0 - self.next() % 315_000_000)
    }
}
