//! How files from elsewhere are read: how much of them, and where they are unpacked.
//!
//! Invariant: what was unpacked is gone when the command ends, however it ends.

use metsuke_baton::c1z::ReadOptions;
use tempfile::TempDir;

use crate::args::size;
use crate::failure::Failure;

/// What is allowed of a file.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(in crate::commands) struct ReadArgs {
    /// The longest database that may come of a file, such as 500MB or 20GiB; by default 10GiB
    ///
    /// Where this is not given, a file that swells to more than 200 times its length is refused, too.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_decoded_size: Option<u64>,
}

impl ReadArgs {
    /// As the reader takes it, which unpacks into the system's folder for such files.
    pub(in crate::commands) fn options(self) -> ReadOptions {
        let usual = ReadOptions::default();
        match self.max_decoded_size {
            None => usual,
            Some(most) => ReadOptions { max_decoded_bytes: most, max_ratio: u64::MAX, ..usual },
        }
    }

    /// The same, unpacking into a folder of its own.
    pub(in crate::commands) fn options_in(self, scratch: &Scratch) -> ReadOptions {
        ReadOptions { temp_dir: Some(scratch.0.path().to_owned()), ..self.options() }
    }
}

/// A private folder, which goes with the command.
#[derive(Debug)]
pub(in crate::commands) struct Scratch(TempDir);

impl Scratch {
    /// Makes it.
    ///
    /// # Errors
    ///
    /// When the system's folder for such files cannot be written to.
    pub(in crate::commands) fn new() -> Result<Self, Failure> {
        let made = tempfile::Builder::new().prefix("metsuke-c1z-").tempdir();
        made.map(Self).map_err(|error| {
            Failure::new(format!("no temporary folder can be made: {error}"))
                .hint("TMPDIR names a folder that can be written to")
        })
    }
}
