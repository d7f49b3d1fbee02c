//! The configuration file: TOML, read by the table of settings.
//!
//! Invariant: a message names the file and the line, and never shows a value.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::nearest;
use super::{Found, Kind, SETTINGS, Setting, Value};
use crate::failure::Failure;

/// The most that is read: far more than any configuration has.
const BYTES: u64 = 1024 * 1024;
/// A wrong value that is longer than this may be a secret, and is not shown.
const PLAIN: usize = 12;
/// Behind the name of a setting that may be a secret: its value lies in the file that is named.
const BY_FILE: &str = "_file";

/// Reads a file that somebody named.
///
/// # Errors
///
/// [`Failure`] with every mistake in it.
pub(super) fn read(path: &Path) -> Result<BTreeMap<&'static str, Found>, Failure> {
    let unread = |error: &std::io::Error| {
        Failure::usage(format!("the configuration file `{}` cannot be read: {error}", path.display()))
            .hint("`metsuke config example` prints one")
    };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| unread(&error))?;
    file.take(BYTES).read_to_string(&mut text).map_err(|error| unread(&error))?;
    parse(&text, path)
}

/// Reads a file that was found in the working directory, which nobody else may have put or changed there: it says where
/// tokens are sent.
///
/// # Errors
///
/// [`Failure`] as [`read`], and for a file that is not this user's own.
pub(super) fn read_found(path: &Path) -> Result<BTreeMap<&'static str, Found>, Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let user = std::fs::metadata("/proc/self/stat").map(|process| process.uid()).unwrap_or_default();
        let own = std::fs::metadata(path)
            .is_ok_and(|file| (file.uid() == user || file.uid() == 0) && file.mode() & 0o022 == 0);
        if !own {
            return Err(Failure::usage(format!(
                "the configuration file `{}` in this folder is somebody else's, or others may write it",
                path.display()
            ))
            .hint(
                "take their right to write it (`chmod go-w`), or name the file that is meant with --config",
            ));
        }
    }
    read(path)
}

/// What a file sets.
pub(super) fn parse(text: &str, path: &Path) -> Result<BTreeMap<&'static str, Found>, Failure> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, path, found: BTreeMap::new(), mistakes: Vec::new() };
    for error in &errors {
        // The driver's sentences name what it expected; what stands there they do not show.
        reader.mistake(error.span().map_or(0, |span| span.start), error.message());
    }
    if errors.is_empty() {
        reader.table("", document.get_ref());
    }
    if reader.mistakes.is_empty() {
        return Ok(reader.found);
    }
    Err(Failure::usage(reader.mistakes.join("; "))
        .hint("`metsuke config example` prints every setting with what it takes"))
}

struct Reader<'t> {
    text: &'t str,
    path: &'t Path,
    found: BTreeMap<&'static str, Found>,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn table(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = match section {
                "" => key.get_ref().to_string(),
                section => format!("{section}.{}", key.get_ref()),
            };
            match value.get_ref() {
                DeValue::Table(inner) if section.is_empty() => self.table(&name, inner),
                _ => self.setting(&name, key.span().start, value),
            }
        }
    }

    fn setting(&mut self, name: &str, place: usize, value: &Spanned<DeValue<'_>>) {
        let by_file = name.strip_suffix(BY_FILE).and_then(secret);
        if let Some(setting) = by_file {
            let DeValue::String(path) = value.get_ref() else {
                return self.mistake(place, &format!("`{name}` takes the name of a file"));
            };
            let value = Value::File(path.as_ref().into());
            return self.take(setting, place, value);
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            let told = match nearest(name) {
                Some(other) => format!("there is no setting `{name}`; `{other}` is one"),
                None => format!("there is no setting `{name}`"),
            };
            return self.mistake(place, &told);
        };
        match text_of(setting.kind, value.get_ref()) {
            Ok(text) => self.take(setting, place, Value::Text(text.into())),
            Err(takes) => self.mistake(place, &format!("`{name}` takes {takes}")),
        }
    }

    fn take(&mut self, setting: &Setting, place: usize, value: Value) {
        let from = format!("{}:{}", self.path.display(), self.line(place));
        if self.found.insert(setting.name, Found { from, value }).is_some() {
            let told = format!("`{name}` and `{name}{BY_FILE}` are both set", name = setting.name);
            self.mistake(place, &told);
        }
    }

    fn mistake(&mut self, place: usize, told: &str) {
        let line = self.line(place);
        self.mistakes.push(format!("{}:{line}: {}", self.path.display(), told.replace('\n', " ")));
    }

    fn line(&self, place: usize) -> usize {
        let before = self.text.get(..place).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }
}

fn secret(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name && setting.kind.may_be_secret())
}

/// A value as text, or what its kind takes.
fn text_of(kind: Kind, value: &DeValue<'_>) -> Result<String, String> {
    let text = match (kind, value) {
        (Kind::Text | Kind::Address | Kind::Word(_), DeValue::String(text)) => Some(text.to_string()),
        (Kind::Switch | Kind::Consent, DeValue::Boolean(on)) => Some(on.to_string()),
        (Kind::Count | Kind::Days, DeValue::Integer(number)) if number.radix() == 10 => {
            number.as_str().parse::<u32>().ok().map(|number| number.to_string())
        }
        _ => None,
    };
    match text {
        Some(text) if kind.refuses(&text).is_none() => Ok(text),
        _ if kind == Kind::Secret => Err(kind.takes()),
        _ => Err(format!("{}, and not {}", kind.takes(), shown(value))),
    }
}

/// A wrong value, in words where it might be a secret that stands in the wrong place.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) if number.as_str().len() <= PLAIN => number.as_str().to_owned(),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::String(text)
            if text.len() <= PLAIN && text.bytes().all(|byte| byte.is_ascii_lowercase()) =>
        {
            format!("\"{text}\"")
        }
        DeValue::Integer(_) | DeValue::Float(_) => "that number".into(),
        DeValue::String(_) => "that text".into(),
        DeValue::Datetime(_) => "a time".into(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        parse(text, Path::new("m.toml")).unwrap_err().to_string()
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_without_its_value() {
        let said = said(
            "[heroku]\ntoken = \"HRKU-1\"\n[retention]\nruns_days = \"HRKU-2\"\nrun_days = 4\njobs_days = -1\n[log]\nlevel = \"HRKU-3\"\nformat = \"yaml\"\n",
        );
        for part in [
            "m.toml:2: `heroku.token` takes no secret in this file",
            "m.toml:4: `retention.runs_days` takes a whole number of days",
            "m.toml:5: there is no setting `retention.run_days`; `retention.runs_days` is one",
            "m.toml:6: `retention.jobs_days` takes a whole number of days, 0 or more, and not -1",
            "m.toml:8: `log.level` takes one of \"off\"",
            "m.toml:9: `log.format` takes one of \"text\", \"json\", and not \"yaml\"",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("HRKU"), "{said}");
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let said = said("[heroku]\nurl = https://HRKU\n");
        assert!(said.contains("m.toml:2: "), "{said}");
        assert!(!said.contains("HRKU"), "{said}");
    }

    #[test]
    fn a_setting_is_set_once() {
        let said = said("[database]\nurl = \"sqlite:a.db\"\nurl_file = \"b\"\n");
        assert!(said.contains("are both set"), "{said}");
    }

    #[test]
    fn a_setting_tells_where_it_came_from() {
        let found = parse("\n[log]\nlevel = \"info\"\n", Path::new("m.toml")).unwrap();
        assert_eq!(found["log.level"].from, "m.toml:3");
    }
}
