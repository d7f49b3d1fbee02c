//! The checksum of a zstd frame: XXH64 with the seed zero.
//!
//! It guards against accidents and not against people.
//!
//! Source: <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>

const PRIMES: [u64; 5] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
];
/// Bytes that are taken in at a time.
const STRIPE: usize = 32;

/// A checksum of what was handed over so far.
#[derive(Clone)]
pub(super) struct Xxh64 {
    lanes: [u64; 4],
    /// What does not fill a stripe yet.
    rest: Vec<u8>,
    length: u64,
}

impl Xxh64 {
    pub(super) fn new() -> Self {
        let [first, second, ..] = PRIMES;
        let lanes = [first.wrapping_add(second), second, 0, 0_u64.wrapping_sub(first)];
        Self { lanes, rest: Vec::with_capacity(STRIPE), length: 0 }
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if !self.rest.is_empty() {
            let (head, tail) = bytes.split_at(bytes.len().min(STRIPE - self.rest.len()));
            self.rest.extend_from_slice(head);
            bytes = tail;
            if self.rest.len() < STRIPE {
                return;
            }
            stripes(&mut self.lanes, &self.rest);
            self.rest.clear();
        }
        let rest = stripes(&mut self.lanes, bytes);
        self.rest.extend_from_slice(rest);
    }

    pub(super) fn finish(&self) -> u64 {
        let [one, two, three, four, five] = PRIMES;
        let mut sum = if self.length < STRIPE as u64 {
            five
        } else {
            let turned = self.lanes.iter().zip([1, 7, 12, 18]).map(|(lane, by)| lane.rotate_left(by));
            let sum = turned.fold(0_u64, u64::wrapping_add);
            self.lanes
                .iter()
                .fold(sum, |sum, lane| (sum ^ round(0, *lane)).wrapping_mul(one).wrapping_add(four))
        };
        sum = sum.wrapping_add(self.length);
        let (words, rest) = self.rest.as_chunks::<8>();
        for word in words {
            sum ^= round(0, u64::from_le_bytes(*word));
            sum = sum.rotate_left(27).wrapping_mul(one).wrapping_add(four);
        }
        let (words, rest) = rest.as_chunks::<4>();
        for word in words {
            sum ^= u64::from(u32::from_le_bytes(*word)).wrapping_mul(one);
            sum = sum.rotate_left(23).wrapping_mul(two).wrapping_add(three);
        }
        for byte in rest {
            sum ^= u64::from(*byte).wrapping_mul(five);
            sum = sum.rotate_left(11).wrapping_mul(one);
        }
        sum = (sum ^ (sum >> 33)).wrapping_mul(two);
        sum = (sum ^ (sum >> 29)).wrapping_mul(three);
        sum ^ (sum >> 32)
    }
}

const fn round(lane: u64, input: u64) -> u64 {
    lane.wrapping_add(input.wrapping_mul(PRIMES[1])).rotate_left(31).wrapping_mul(PRIMES[0])
}

/// Takes in whole stripes; the answer is what is left.
fn stripes<'a>(lanes: &mut [u64; 4], bytes: &'a [u8]) -> &'a [u8] {
    let (stripes, rest) = bytes.as_chunks::<STRIPE>();
    for stripe in stripes {
        let (words, _) = stripe.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = round(*lane, u64::from_le_bytes(*word));
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> u64 {
        let mut sum = Xxh64::new();
        sum.update(bytes);
        sum.finish()
    }

    #[test]
    fn known_sums_come_out() {
        assert_eq!(of(b""), 0xef46_db37_51d8_e999);
        assert_eq!(of(b"abc"), 0x44bc_2cf5_ad77_0999);
    }

    #[test]
    fn sums_are_those_of_zstd_however_the_bytes_come() {
        let bytes: Vec<u8> = (0..5_000_u32).map(|number| (number * number % 251) as u8).collect();
        for length in (0..200).chain([1_000, 4_999, 5_000]) {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            encoder.include_checksum(true).unwrap();
            std::io::Write::write_all(&mut encoder, &bytes[..length]).unwrap();
            let frame = encoder.finish().unwrap();
            let expected = frame.last_chunk::<4>().unwrap();
            for step in [1, 7, 31, 32, 33, 5_000] {
                let mut sum = Xxh64::new();
                bytes[..length].chunks(step).for_each(|chunk| sum.update(chunk));
                assert_eq!(sum.finish().to_le_bytes().first_chunk(), Some(expected), "{length} by {step}");
            }
        }
    }
}
