//! What the server shows of its settings to those who look after it.
//!
//! Invariant: as of what it fills: no secret, and no address with a password.

use metsuke_store::Store;
use metsuke_web::{Installed, InstalledSetting};

use super::Config;
use crate::settings::{Kind, SETTINGS, Setting};

/// Sections that matter to commands alone.
const OF_COMMANDS: [&str; 2] = ["client.", "people."];

impl Config {
    /// What the installation is and how it was set up.
    pub(crate) fn installed(
        &self,
        store: &Store,
        sealing_key: String,
        audit_key: Option<String>,
    ) -> Installed {
        let of_server =
            |setting: &&Setting| !OF_COMMANDS.iter().any(|section| setting.name.starts_with(section));
        let engine = if store.file().is_some() || store.url().starts_with("sqlite:") {
            "SQLite"
        } else {
            "PostgreSQL"
        };
        Installed {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: engine.to_owned(),
            database: Store::shown(store.url()),
            sealing_key,
            audit_key,
            file: self.settings().file().map(|file| file.display().to_string()),
            settings: SETTINGS.iter().filter(of_server).map(|setting| self.installed_one(setting)).collect(),
        }
    }

    fn installed_one(&self, setting: &Setting) -> InstalledSetting {
        let found = self.text(setting.name).filter(|_| setting.kind != Kind::Secret);
        let from = self.settings().from(setting.name).map(ToOwned::to_owned);
        let value = match (setting.kind, found) {
            (Kind::Secret, _) => None,
            (Kind::Address, Some(found)) => Some(Store::shown(&found.value)),
            (_, Some(found)) => Some(found.value),
            (_, None) => setting.default.map(ToOwned::to_owned),
        };
        InstalledSetting {
            name: setting.name.to_owned(),
            value,
            secret: setting.kind == Kind::Secret && from.is_some(),
            from,
            help: setting.help.to_owned(),
        }
    }
}
