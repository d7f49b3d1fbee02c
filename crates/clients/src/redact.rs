//! Takes secrets out of text that leaves the house, in whichever spelling they stand there.
//!
//! It is the second line of defence: no error and no log line holds a secret in the first place.
//!
//! Invariant: what comes out holds none of the secrets, neither as they are nor in base64 or in hexadecimal.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroize as _;

/// What stands where a secret stood.
const REMOVED: &str = "[secret]";
/// A shorter text is none: taking it out would garble what is no secret.
const SHORTEST: usize = 8;

/// Knows secrets, and takes them out of text.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Every spelling, the longest first.
    spellings: Vec<SecretString>,
}

impl Redactor {
    /// One that knows these secrets; texts of fewer than eight bytes are left out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut redactor = Self::default();
        for secret in secrets {
            let secret = secret.expose_secret().trim();
            redactor.add(secret.as_bytes());
            // A secret of several parts is not to show by one of them, either.
            for part in secret.split(':').filter(|part| part.len() >= 32) {
                redactor.add(part.as_bytes());
            }
        }
        redactor.sorted()
    }

    /// Makes it know these bytes as well.
    #[must_use]
    pub(crate) fn with(mut self, bytes: &[u8]) -> Self {
        self.add(bytes);
        self.sorted()
    }

    /// The text without secrets.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for spelling in &self.spellings {
            if clean.contains(spelling.expose_secret()) {
                clean = clean.replace(spelling.expose_secret(), REMOVED);
            }
        }
        clean
    }

    fn add(&mut self, bytes: &[u8]) {
        if bytes.len() < SHORTEST {
            return;
        }
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
        let hex: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect();
        let mut spellings = vec![hex.to_uppercase(), hex];
        spellings.extend(std::str::from_utf8(bytes).map(str::to_owned));
        // Inside a longer text, base64 cuts bytes at one of three places; what is whole of them is looked for.
        for skipped in 0..3_usize {
            let inner = bytes.get(skipped..).unwrap_or_default();
            let inner = inner.get(..inner.len() / 3 * 3).unwrap_or_default();
            spellings.push(STANDARD_NO_PAD.encode(inner));
            spellings.push(URL_SAFE_NO_PAD.encode(inner));
        }
        self.spellings.extend(spellings.into_iter().map(SecretString::from));
    }

    fn sorted(mut self) -> Self {
        let mut plain: Vec<String> =
            self.spellings.iter().map(|spelling| spelling.expose_secret().to_owned()).collect();
        plain.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        plain.dedup();
        self.spellings = plain.iter().map(|text| SecretString::from(text.as_str())).collect();
        plain.zeroize();
        self
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("spellings", &self.spellings.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    const SECRET: &str = "canary/0123456789+secret";

    fn redactor() -> Redactor {
        Redactor::new([&SecretString::from(SECRET)])
    }

    #[test]
    fn no_spelling_of_a_secret_passes() {
        let hex = SECRET.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let spellings = [SECRET.to_owned(), hex.to_uppercase(), hex, STANDARD.encode(SECRET)];
        for spelling in spellings {
            let clean = redactor().clean(&format!("before {spelling} after"));
            assert!(clean.starts_with("before ") && clean.ends_with(" after"), "{clean}");
            assert!(clean.contains(REMOVED) && !clean.contains(&spelling), "{clean}");
        }
    }

    #[test]
    fn base64_around_a_secret_does_not_hide_it() {
        for before in ["", "a", "ab", "abc"] {
            for encoded in [
                STANDARD.encode(format!("{before}{SECRET}-and-more")),
                URL_SAFE_NO_PAD.encode(format!("{before}{SECRET}-and-more")),
            ] {
                assert!(redactor().clean(&encoded).contains(REMOVED), "{before:?}");
            }
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        assert_eq!(redactor().clean("nothing to see"), "nothing to see");
        assert_eq!(Redactor::new([&SecretString::from("short")]).clean("short"), "short");
    }

    #[test]
    fn what_it_knows_does_not_show() {
        assert!(!format!("{:?}", redactor()).contains("canary"));
    }
}
