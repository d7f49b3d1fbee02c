//! From the command that fixes a finding to the form that plans it.
//!
//! Invariant: a command that the form cannot say leads nowhere, and never to something like it.

use crate::site::frame::Frame;

/// Where the form stands that plans what a command does; none for a command that it cannot say.
pub(in crate::site) fn address(frame: &Frame, command: &str, connector: Option<&str>) -> Option<String> {
    let mut asked = frame.asked.only(&["connector"]);
    for (name, value) in fields(command)? {
        asked = asked.with(&name, &value);
    }
    if let (Some(connector), None) = (connector, frame.connector()) {
        asked = asked.with("connector", connector);
    }
    Some(asked.at("/provisioning/add"))
}

fn fields(command: &str) -> Option<Vec<(String, String)>> {
    let words = words(command)?;
    let mut words = words.iter().map(String::as_str);
    if words.next()? != "metsuke" {
        return None;
    }
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let action = words.next()?;
    if action == "remove-person" {
        let person = words.next()?;
        return words.next().is_none().then(|| vec![pair("action", "remove"), pair("user", person)]);
    }
    if !matches!(action, "grant" | "revoke") {
        return None;
    }
    let mut fields = vec![pair("action", action)];
    while let Some(word) = words.next() {
        match word {
            "--user" | "--role" => fields.push(pair(word.trim_start_matches('-'), words.next()?)),
            "--team" | "--app" => {
                fields.push(pair("on", word.trim_start_matches('-')));
                fields.push(pair(word.trim_start_matches('-'), words.next()?));
            }
            "--permission" => fields.push(pair(words.next()?, "yes")),
            "--collaborator" => fields.push(pair("collaborator", "yes")),
            _ => return None,
        }
    }
    Some(fields)
}

/// The words of a line as a shell reads them; none for a line that does not end its quotes.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let (mut quoted, mut letters) = (false, line.chars());
    while let Some(letter) = letters.next() {
        match (letter, quoted) {
            ('\'', _) => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ('\\', false) => word.get_or_insert_default().push(letters.next()?),
            (' ', false) => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    (!quoted).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(command: &str) -> Option<String> {
        let fields = fields(command)?;
        Some(fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_a_detection_types_into_a_shell_is_what_the_form_holds() {
        for (command, fields) in [
            ("metsuke remove-person ann@example.com", "action=remove user=ann@example.com"),
            (
                "metsuke revoke --user ann@example.com --app api --collaborator",
                "action=revoke user=ann@example.com on=app app=api collaborator=yes",
            ),
            (
                "metsuke grant --user 'o'\\''neil@example.com' --team 'the core' --role member",
                "action=grant user=o'neil@example.com on=team team=the core role=member",
            ),
            (
                "metsuke revoke --user a@b.c --app api --permission manage",
                "action=revoke user=a@b.c on=app app=api manage=yes",
            ),
        ] {
            assert_eq!(told(command).as_deref(), Some(fields), "{command}");
        }
        for other in [
            "",
            "rm -rf /",
            "metsuke sync",
            "metsuke grant --user",
            "metsuke grant --yes",
            "metsuke remove-person 'a",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
