//! The second factor: codes that change every half minute, and codes for whoever has lost what makes them.
//!
//! When one is asked for, and that none is taken twice, is decided by whoever signs somebody in.
//!
//! Invariant: a code is good for its own half minute and one before and after it, and only where it is newer than the last one
//! that was taken.
//!
//! Source: RFC 6238, RFC 4226; the address is what authenticator apps read.

use metsuke_model::Moment;
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::chance::{hash, random};
use crate::EngineError;

/// How long a code is, in microseconds.
const STEP: i64 = 30_000_000;
/// Steps before and after the present one whose codes are taken too.
const SLACK: i64 = 1;
const DIGITS: usize = 6;
/// Bytes of a secret: as many as the hash has.
const SECRET: usize = 20;
/// How many recovery codes somebody gets.
const RECOVERY_CODES: usize = 10;
/// Letters of RFC 4648's base 32.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A secret that an authenticator app makes codes of, in base 32.
#[derive(Clone, Debug)]
pub(super) struct Secret(SecretString);

impl Secret {
    /// A new one.
    pub(super) fn new() -> Result<Self, EngineError> {
        let bytes: Zeroizing<[u8; SECRET]> = Zeroizing::new(random()?);
        Ok(Self(base32(&*bytes).into()))
    }

    /// One that was kept.
    pub(super) const fn kept(text: SecretString) -> Self {
        Self(text)
    }

    /// It, for the app and for keeping.
    pub(super) const fn text(&self) -> &SecretString {
        &self.0
    }

    /// The address that apps read, often from a picture.
    pub(super) fn address(&self, email: &str) -> SecretString {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let quote =
            |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        let email: String = email.bytes().map(quote).collect();
        format!("otpauth://totp/Metsuke:{email}?secret={}&issuer=Metsuke", self.0.expose_secret()).into()
    }

    /// The step whose code this is, where it may be taken now and is newer than the last one that was.
    pub(super) fn step_of(&self, code: &str, now: Moment, last: i64) -> Option<i64> {
        let key = Zeroizing::new(from_base32(self.0.expose_secret()));
        let present = now.0.div_euclid(STEP);
        let mut found = None;
        // All of them are looked at, whichever it is.
        for step in present - SLACK..=present + SLACK {
            let right = bool::from(code_of(&key, step).as_bytes().ct_eq(code.as_bytes()));
            if right && step > last {
                found = Some(step);
            }
        }
        found
    }

    /// The code of a moment.
    #[cfg(test)]
    pub(super) fn code(&self, now: Moment) -> String {
        code_of(&from_base32(self.0.expose_secret()), now.0.div_euclid(STEP))
    }
}

/// What somebody typed as the second factor.
#[derive(Clone, Debug)]
pub(super) enum Typed {
    /// Nothing.
    Nothing,
    /// A code of an app.
    Code(Zeroizing<String>),
    /// A recovery code, as its hash.
    Recovery(Vec<u8>),
}

impl Typed {
    /// Reads it; blanks and hyphens do not matter.
    pub(super) fn read(text: &SecretString) -> Self {
        let mut plain = Zeroizing::new(text.expose_secret().to_ascii_uppercase());
        plain.retain(|letter| !letter.is_whitespace() && letter != '-');
        match plain.len() {
            0 => Self::Nothing,
            DIGITS => Self::Code(plain),
            _ => Self::Recovery(hash(&plain)),
        }
    }
}

/// New recovery codes, and what is kept of them.
pub(super) fn recovery_codes() -> Result<Vec<(SecretString, Vec<u8>)>, EngineError> {
    let one = || {
        let bytes: Zeroizing<[u8; 10]> = Zeroizing::new(random()?);
        let plain = Zeroizing::new(base32(&*bytes));
        let (first, rest) = plain.split_at(4);
        let (second, rest) = rest.split_at(4);
        let (third, fourth) = rest.split_at(4);
        Ok((format!("{first}-{second}-{third}-{fourth}").into(), hash(&plain)))
    };
    (0..RECOVERY_CODES).map(|_| one()).collect()
}

/// The code of a step.
fn code_of(key: &[u8], step: i64) -> String {
    let tag = sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), &step.to_be_bytes());
    let tag = tag.as_ref();
    let start = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
    let four = tag.get(start..start + 4).unwrap_or_default();
    let number = four.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        (held, bits) = (held << 8 | u32::from(*byte), bits + 8);
        while bits >= 5 {
            bits -= 5;
            let letter = LETTERS.get((held >> bits & 31) as usize).copied().unwrap_or_default();
            text.push(char::from(letter));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        let letter = LETTERS.get((held << (5 - bits) & 31) as usize).copied().unwrap_or_default();
        text.push(char::from(letter));
    }
    text
}

/// The bytes of a text in base 32; letters that are none of it are passed over.
fn from_base32(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for value in text.bytes().filter_map(|letter| LETTERS.iter().position(|one| *one == letter)) {
        (held, bits) = (held << 5 | u32::try_from(value).unwrap_or_default(), bits + 5);
        if bits >= 8 {
            bits -= 8;
            bytes.extend(u8::try_from(held >> bits & 0xff));
            held &= (1 << bits) - 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, for SHA-1; the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let key = b"12345678901234567890";
        let told = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (second, code) in told {
            assert_eq!(code_of(key, second / 30), code, "{second}");
        }
        assert_eq!(base32(key), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), key);
    }

    #[test]
    fn a_code_is_good_for_a_minute_and_a_half_and_only_once() {
        let secret = Secret::new().unwrap();
        let at = |second: i64| Moment(second * 1_000_000);
        let (code, step) = (secret.code(at(3_000)), 100);
        for (second, good) in [(2_969, false), (2_970, true), (3_000, true), (3_059, true), (3_060, false)] {
            assert_eq!(secret.step_of(&code, at(second), 0), good.then_some(step), "{second}");
        }
        assert_eq!(secret.step_of(&code, at(3_000), step), None, "it was taken before");
        assert_eq!(secret.step_of("", at(3_000), 0), None);
    }

    #[test]
    fn base_32_reads_back_whatever_the_length() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(37)).collect();
            assert_eq!(from_base32(&base32(&bytes)), bytes);
        }
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let codes = recovery_codes().unwrap();
        assert_eq!(codes.len(), RECOVERY_CODES);
        let (code, kept) = &codes[0];
        let typed = format!(" {} ", code.expose_secret().to_lowercase().replace('-', " "));
        assert!(matches!(Typed::read(&typed.into()), Typed::Recovery(hash) if hash == *kept));
        assert!(matches!(Typed::read(&"123 456".into()), Typed::Code(code) if *code == "123456"));
        assert!(matches!(Typed::read(&" - ".into()), Typed::Nothing));
    }

    #[test]
    fn the_address_is_what_apps_read() {
        let secret = Secret::kept("GEZDGNBVGY3TQOJQ".into());
        let address = secret.address("ann+ops@example.com");
        let told = "otpauth://totp/Metsuke:ann%2Bops%40example.com?secret=GEZDGNBVGY3TQOJQ&issuer=Metsuke";
        assert_eq!(address.expose_secret(), told);
    }
}
