//! A configuration file with every setting in it, each as it is where nobody sets it, and commented out.

use super::{Kind, SETTINGS, Setting};

/// The file's text.
pub(crate) fn example() -> String {
    let mut lines = vec![
        "# Settings of metsuke. A flag beats a variable of the environment, and that beats this file.".to_owned(),
        "# Secrets do not stand here: name the file that holds one. Each variable of a secret can be given by a".into(),
        "# file as well, with _FILE behind its name.".into(),
    ];
    let mut section = "";
    for setting in SETTINGS {
        let (own, key) = setting.name.split_once('.').unwrap_or(("", setting.name));
        if own != section {
            section = own;
            lines.extend([String::new(), format!("[{section}]")]);
        }
        lines.extend([format!("# {}", setting.help), format!("# {}", otherwise(setting))]);
        lines.push(format!("#{key}{} = {}", ending(setting.kind), literal(setting)));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn otherwise(setting: &Setting) -> String {
    let flag = setting.flag.map(|flag| format!("; flag {flag}")).unwrap_or_default();
    format!("Variable {}{flag}", setting.variables.join(", else "))
}

const fn ending(kind: Kind) -> &'static str {
    match kind {
        Kind::Secret => "_file",
        _ => "",
    }
}

fn literal(setting: &Setting) -> String {
    match setting.kind {
        Kind::Switch | Kind::Consent | Kind::Count | Kind::Days => setting.example.to_owned(),
        Kind::Text | Kind::Address | Kind::Secret | Kind::Word(_) => {
            format!("\"{}\"", setting.example.replace('\\', "\\\\").replace('"', "\\\""))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file::parse;
    use super::*;

    #[test]
    fn the_example_can_be_read_and_sets_nothing() {
        assert_eq!(parse(&example(), Path::new("m.toml")).unwrap().len(), 0);
    }

    #[test]
    fn the_example_without_its_comment_signs_sets_everything() {
        let uncommented: String = example()
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        assert_eq!(parse(&uncommented, Path::new("m.toml")).unwrap().len(), SETTINGS.len());
    }
}
