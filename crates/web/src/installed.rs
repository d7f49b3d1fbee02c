//! What an installation is and how it was set up, for those who look after it.
//!
//! The program gathers it when it starts; nothing of it can be changed through the server.
//!
//! Invariant: no secret is in it, and no address with a password: of a secret it tells that there is one, and where it came from.

use serde::Serialize;

/// What an installation is and how it was set up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Installed {
    /// The version of the program.
    pub version: String,
    /// The database's engine: `SQLite` or `PostgreSQL`.
    pub engine: String,
    /// The database's address, without its password.
    pub database: String,
    /// The file of the key that seals tokens.
    pub sealing_key: String,
    /// The file of the key that signs audit trails; none where there is none.
    pub audit_key: Option<String>,
    /// The configuration file that was read.
    pub file: Option<String>,
    /// Every setting of the server.
    pub settings: Vec<InstalledSetting>,
}

/// One setting as it holds.
#[derive(Clone, Debug, Serialize)]
pub struct InstalledSetting {
    /// Its name in the file, `section.key`.
    pub name: String,
    /// Its value; none where it has none, or where nobody is to see it.
    pub value: Option<String>,
    /// Whether it has a value that nobody is to see.
    pub secret: bool,
    /// The flag, variable or file that it came from; none for the default.
    pub from: Option<String>,
    /// What it does, in one sentence.
    pub help: String,
}
