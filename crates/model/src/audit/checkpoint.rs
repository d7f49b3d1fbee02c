//! A checkpoint: the size and the root of a log at one moment, signed, for keeping elsewhere.
//!
//! Which events the log has is not in it; that they are these is what [`check`](super::Checker) shows.
//!
//! Invariant: what a note says is used only after its signature was checked. There is no way to read a note
//! without a key.
//!
//! ```text
//! metsuke.example.com/audit
//! 41
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — metsuke.example.com/audit Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```
//!
//! The signature is Ed25519 over everything above the blank line, with its line ends. A note may have further
//! signature lines, of witnesses for example; they are passed over.
//!
//! Source: <https://c2sp.org/signed-note> and <https://c2sp.org/tlog-checkpoint>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::canonical::LARGEST;
use super::{AuditError, Digest, PublicKey, SigningKey};

/// The longest note that is read, in bytes.
pub const MAX_NOTE_BYTES: usize = 1 << 16;

/// How a signature line begins: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";

/// The size and the root of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// How many events the log had.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

impl Checkpoint {
    /// The signed note, which is what is stored and exported.
    ///
    /// # Errors
    ///
    /// [`AuditError::Key`] where the key cannot sign.
    pub fn sign(&self, key: &SigningKey) -> Result<String, AuditError> {
        let origin = key.public_key().origin();
        let text = format!("{origin}\n{}\n{}\n", self.size, self.root);
        let mut signed = key.public_key().id().to_vec();
        signed.extend(key.signature(&text)?);
        Ok(format!("{text}\n{SIGNATURE}{origin} {}\n", STANDARD.encode(signed)))
    }

    /// Reads a note that the key signed.
    ///
    /// # Errors
    ///
    /// [`AuditError::Note`] for a text that is no checkpoint, [`AuditError::OtherKey`] where no signature line
    /// names the key, [`AuditError::Signature`] where one does and is not valid, and [`AuditError::OtherLog`]
    /// where the key signed the checkpoint of another log.
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, AuditError> {
        let text = signed_text(note, key)?;
        let refused = |reason| AuditError::Note { reason };
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(refused("it has fewer than three lines"));
        };
        if lines.any(str::is_empty) {
            return Err(refused("it has an empty line"));
        }
        if origin != key.origin().as_str() {
            return Err(AuditError::OtherLog {
                found: origin.to_owned(),
                expected: key.origin().as_str().to_owned(),
            });
        }
        let number = size.parse::<u64>().ok().filter(|number| *number <= LARGEST);
        let number = number.filter(|number| number.to_string() == size);
        let size = number.ok_or(refused("its second line is not a number of events"))?;
        Ok(Self { size, root: root.parse().map_err(|_| refused("its third line is not a root"))? })
    }
}

/// The text of a note, after the key's signature over it was checked.
fn signed_text<'a>(note: &'a str, key: &PublicKey) -> Result<&'a str, AuditError> {
    let refused = |reason| AuditError::Note { reason };
    if note.len() > MAX_NOTE_BYTES {
        return Err(refused("it is too long"));
    }
    if note.contains(|c: char| c.is_ascii_control() && c != '\n') {
        return Err(refused("it has a control character"));
    }
    // The text ends with the line end before the last blank line.
    let blank = note.rfind("\n\n").ok_or(refused("it has no signature"))?;
    let (text, signatures) = note.split_at(blank + 1);
    let signatures = signatures.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
    let signatures = signatures.ok_or(refused("its last line has no end"))?;
    let (mut signers, mut signed) = (Vec::new(), false);
    for line in signatures.split('\n') {
        let parts = line.strip_prefix(SIGNATURE).and_then(|line| line.split_once(' '));
        let (name, signature) = parts.ok_or(refused("a line below the blank one is no signature"))?;
        let signature = STANDARD.decode(signature).map_err(|_| refused("a signature is not base64"))?;
        let (id, signature) =
            signature.split_first_chunk::<4>().ok_or(refused("a signature is too short"))?;
        if name != key.origin().as_str() || *id != key.id() {
            signers.push(format!("`{name}+{:08x}`", u32::from_be_bytes(*id)));
        } else if key.signed(text, signature) {
            signed = true;
        } else {
            return Err(AuditError::Signature { key: key.to_string() });
        }
    }
    if signed {
        Ok(text)
    } else {
        Err(AuditError::OtherKey { signers: signers.join(", "), expected: key.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Origin, leaf_hash};

    fn key(origin: &str, seed: u8) -> SigningKey {
        SigningKey::from_seed(Origin::parse(origin).unwrap(), &[seed; 32]).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { size: 41, root: leaf_hash(b"root") }
    }

    #[test]
    fn the_note_that_the_go_package_documents_is_accepted() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let signature = "\u{2014} PeterNeumann \
            x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert_eq!(signed_text(&format!("{text}\n{signature}"), &key).unwrap(), text);
        assert!(signed_text(&format!("{}\n{signature}", text.replace("don't", "do")), &key).is_err());
    }

    #[test]
    fn a_checkpoint_reads_back_from_its_note() {
        let key = key("example.com/audit", 1);
        let note = checkpoint().sign(&key).unwrap();
        assert!(note.starts_with("example.com/audit\n41\n"), "{note}");
        assert_eq!(Checkpoint::open(&note, key.public_key()).unwrap(), checkpoint());
    }

    #[test]
    fn any_changed_byte_of_a_note_is_noticed() {
        let key = key("example.com/audit", 1);
        let note = checkpoint().sign(&key).unwrap();
        for at in 0..note.len() {
            for byte in [b'a', b'1', b' ', b'\n', b'+'] {
                let mut changed = note.clone().into_bytes();
                changed[at] = byte;
                let Ok(changed) = String::from_utf8(changed) else { continue };
                let opened = Checkpoint::open(&changed, key.public_key());
                assert!(changed == note || opened.is_err(), "byte {at} as {byte}");
            }
            assert!(Checkpoint::open(note.get(..at).unwrap_or(""), key.public_key()).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn another_key_another_log_and_a_wrong_signature_are_told_apart() {
        let ours = key("example.com/audit", 1);
        let opened = |note: &str| Checkpoint::open(note, ours.public_key());
        let note = checkpoint().sign(&key("example.com/audit", 2)).unwrap();
        assert!(matches!(opened(&note), Err(AuditError::OtherKey { .. })));
        let note = checkpoint().sign(&ours).unwrap().replacen("41", "42", 1);
        assert!(matches!(opened(&note), Err(AuditError::Signature { .. })));
        let text = format!("example.com/other\n41\n{}\n", checkpoint().root);
        let signed = [&ours.public_key().id()[..], &ours.signature(&text).unwrap()].concat();
        let note = format!("{text}\n{SIGNATURE}example.com/audit {}\n", STANDARD.encode(signed));
        assert!(matches!(opened(&note), Err(AuditError::OtherLog { .. })));
    }

    #[test]
    fn signatures_of_witnesses_are_passed_over_and_do_not_stand_in_for_the_key() {
        let (ours, witness) = (key("example.com/audit", 1), key("witness.example", 9));
        let note = checkpoint().sign(&ours).unwrap();
        let (text, line) = note.split_once("\n\n").unwrap();
        let signed = [&witness.public_key().id()[..], &witness.signature(&format!("{text}\n")).unwrap()];
        let cosigned = format!("{SIGNATURE}witness.example {}\n", STANDARD.encode(signed.concat()));
        let both = format!("{text}\n\n{cosigned}{line}");
        assert_eq!(Checkpoint::open(&both, ours.public_key()).unwrap(), checkpoint());
        let alone = format!("{text}\n\n{cosigned}");
        assert!(matches!(Checkpoint::open(&alone, ours.public_key()), Err(AuditError::OtherKey { .. })));
    }

    #[test]
    fn bodies_that_are_no_checkpoint_are_refused_though_signed() {
        let ours = key("example.com/audit", 1);
        let root = checkpoint().root;
        for body in [
            "example.com/audit\n41\n".to_owned(),
            format!("example.com/audit\n041\n{root}\n"),
            format!("example.com/audit\n+41\n{root}\n"),
            format!("example.com/audit\n18446744073709551615\n{root}\n"),
            "example.com/audit\n41\nAAAA\n".to_owned(),
            format!("example.com/audit\n41\n{root}\n\nmore\n"),
        ] {
            let signed = [&ours.public_key().id()[..], &ours.signature(&body).unwrap()].concat();
            let note = format!("{body}\n{SIGNATURE}example.com/audit {}\n", STANDARD.encode(signed));
            assert!(
                matches!(Checkpoint::open(&note, ours.public_key()), Err(AuditError::Note { .. })),
                "{body}"
            );
        }
    }
}
