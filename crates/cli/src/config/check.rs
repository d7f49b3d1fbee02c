//! What `config check` looks at beyond the form of the file: whether values are what they should be.
//!
//! It asks nobody outside: an address at which nothing answers is fine here.
//!
//! Invariant: every mistake is told at once, with where it came from, and without what may be a secret.

use secrecy::ExposeSecret as _;

use super::secrets::check;
use super::{Config, Sourced};
use crate::failure::Failure;
use crate::settings::{Kind, SETTINGS, Setting};

impl Config {
    /// Looks at every value that is set.
    ///
    /// # Errors
    ///
    /// [`Failure`] with every one that cannot be used.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let mut wrong: Vec<String> = Vec::new();
        for setting in SETTINGS {
            wrong.extend(self.check_one(setting).err().map(|failure| failure.to_string()));
        }
        // These tell what the table cannot know; what it told already is not told again.
        if wrong.is_empty() {
            let place = || self.sign_in().place(self.listen(None)?);
            let of_their_own = [
                self.heroku_url(None).map(drop),
                self.jupiterone_url(None).map(drop),
                self.listen(None).map(drop),
                self.outside().map(drop),
                place().and_then(|place| self.sign_in().provider(&place)).map(drop),
            ];
            wrong.extend(of_their_own.into_iter().filter_map(|one| Some(one.err()?.to_string())));
            wrong.dedup();
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(wrong.join("; ")).hint("`metsuke config example` tells what each setting takes"))
    }

    fn check_one(&self, setting: &Setting) -> Result<(), Failure> {
        let Some(found) = self.environment.values.secret(setting.name)? else { return Ok(()) };
        let text = found.value.expose_secret();
        if setting.kind == Kind::Secret {
            return check(&Sourced { value: text.trim().into(), from: found.from.clone() });
        }
        match setting.kind.refuses(text) {
            Some(takes) => {
                Err(Failure::usage(format!("`{}` from {} takes {takes}", setting.name, found.from)))
            }
            None => Ok(()),
        }
    }
}
