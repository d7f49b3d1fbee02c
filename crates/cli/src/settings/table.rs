//! The list of settings.
//!
//! Invariant: a name is written as in the file, `section.key`; the settings of a section stand together.

use metsuke_model::approval::Demand;

/// What a setting's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// An address in which a password may stand, and so itself or by a file of its own.
    Address,
    /// A secret, which the configuration file names by a file of its own only.
    Secret,
    /// True or false; a variable may say 1 and 0 as well.
    Switch,
    /// The same, but only the word `true` consents.
    Consent,
    /// A whole number.
    Count,
    /// A whole number of days, 0 for never.
    Days,
    /// One of these words.
    Word(&'static [&'static str]),
}

impl Kind {
    /// Whether its value may lie in a file of its own.
    pub(crate) const fn may_be_secret(self) -> bool {
        matches!(self, Self::Address | Self::Secret)
    }

    /// What it takes, where it does not take this text.
    pub(crate) fn refuses(self, text: &str) -> Option<String> {
        let takes = match self {
            Self::Text | Self::Address | Self::Secret => !text.is_empty(),
            Self::Switch | Self::Consent => ["true", "false"].contains(&text),
            Self::Count | Self::Days => text.parse::<u32>().is_ok(),
            Self::Word(words) => words.contains(&text),
        };
        (!takes).then(|| self.takes())
    }

    /// What it takes, in words.
    pub(crate) fn takes(self) -> String {
        match self {
            Self::Text | Self::Address => "a text".into(),
            Self::Secret => {
                "no secret in this file: name a file that holds it, with `_file` behind the name".into()
            }
            Self::Switch | Self::Consent => "true or false".into(),
            Self::Count => "a whole number, 0 or more".into(),
            Self::Days => "a whole number of days, 0 or more".into(),
            Self::Word(words) => format!("one of \"{}\"", words.join("\", \"")),
        }
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Its name in the file.
    pub(crate) name: &'static str,
    /// The variables that set it, best first.
    pub(crate) variables: &'static [&'static str],
    /// The flags that beat it.
    pub(crate) flag: Option<&'static str>,
    /// What it is.
    pub(crate) kind: Kind,
    /// What holds where nobody sets it.
    pub(crate) default: Option<&'static str>,
    /// A value as one would write it, where there is no default.
    pub(crate) example: &'static str,
    /// What it does, in one sentence.
    pub(crate) help: &'static str,
}

const fn setting(name: &'static str, kind: Kind, variables: &'static [&'static str]) -> Setting {
    Setting { name, variables, flag: None, kind, default: None, example: "", help: "" }
}

impl Setting {
    const fn beaten_by(self, flag: &'static str) -> Self {
        Self { flag: Some(flag), ..self }
    }

    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), example: default, ..self }
    }

    const fn like(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    const fn does(self, help: &'static str) -> Self {
        Self { help, ..self }
    }
}

/// The roles that people may have.
const ROLES: &[&str] = &["viewer", "auditor", "reviewer", "operator", "admin"];

/// Every setting.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("database.url", Kind::Address, &["METSUKE_DATABASE_URL", "DATABASE_URL"])
        .beaten_by("--database")
        .or("sqlite:metsuke.db")
        .does("The database: sqlite:FILE or postgres://USER@HOST/DATABASE."),
    setting("heroku.token", Kind::Secret, &["METSUKE_HEROKU_TOKEN", "BATON_API_TOKEN", "HEROKU_API_KEY"])
        .beaten_by("--token-file")
        .like("/run/secrets/heroku-token")
        .does("The API token that syncs and changes use."),
    setting("heroku.url", Kind::Text, &["METSUKE_HEROKU_URL"])
        .beaten_by("--heroku-url")
        .or("https://api.heroku.com")
        .does("The address of the Heroku API."),
    setting("server.listen", Kind::Text, &["METSUKE_LISTEN"])
        .beaten_by("--listen")
        .like("127.0.0.1:8080")
        .does("The address that `metsuke serve` listens on; else every address with server.port, else 127.0.0.1:8080."),
    setting("server.port", Kind::Count, &["PORT"])
        .like("8080")
        .does("The port to listen on, on every address, where server.listen is not set."),
    setting("server.public_url", Kind::Text, &["METSUKE_PUBLIC_URL"])
        .like("https://metsuke.example.com")
        .does("Where browsers reach the server; else the address that it listens on."),
    setting("server.proxies", Kind::Count, &["METSUKE_PROXIES"])
        .or("0")
        .does("How many servers of yours stand in front and add X-Forwarded-For."),
    setting("server.requests_per_minute", Kind::Count, &["METSUKE_REQUESTS_PER_MINUTE"])
        .or("6000")
        .does("How many requests a token, a person or an address without either may send in a minute; 0 for as many as come."),
    setting("server.connections", Kind::Count, &["METSUKE_CONNECTIONS"])
        .or("512")
        .does("How many connections are served at a time; further ones wait."),
    setting("server.arrival_seconds", Kind::Count, &["METSUKE_ARRIVAL_SECONDS"])
        .or("30")
        .does("How many seconds the head of a request may take to arrive, and its body as long again."),
    setting("server.taking_seconds", Kind::Count, &["METSUKE_TAKING_SECONDS"])
        .or("30")
        .does("How many seconds a client may keep the server waiting that does not take its answer; 1 KiB counts as a second."),
    setting("server.streams", Kind::Count, &["METSUKE_STREAMS"])
        .or("20")
        .does("How many streams of events a token or a person may hold open."),
    setting("traces.endpoint", Kind::Address, &["METSUKE_OTLP_ENDPOINT"])
        .like("http://127.0.0.1:4318")
        .does("The OpenTelemetry collector that traces of the server go to, by OTLP over HTTP; without one there are none."),
    setting("oidc.issuer", Kind::Text, &["METSUKE_OIDC_ISSUER"])
        .like("https://id.example.com")
        .does("The OpenID provider through which people sign in, letter by letter as it names itself."),
    setting("oidc.client_id", Kind::Text, &["METSUKE_OIDC_CLIENT_ID"])
        .like("metsuke")
        .does("What we are known by there."),
    setting("oidc.client_secret", Kind::Secret, &["METSUKE_OIDC_CLIENT_SECRET"])
        .like("/run/secrets/oidc-client-secret")
        .does("What proves it; a public client has none."),
    setting("oidc.name", Kind::Text, &["METSUKE_OIDC_NAME"])
        .or("single sign-on")
        .does("What the sign-in page calls it."),
    setting("oidc.scopes", Kind::Text, &["METSUKE_OIDC_SCOPES"])
        .or("profile email")
        .does("What it is asked for beside `openid`."),
    setting("oidc.role_claim", Kind::Text, &["METSUKE_OIDC_ROLE_CLAIM"])
        .or("groups")
        .does("The claim with groups or roles; dots lead into objects."),
    setting("oidc.roles", Kind::Text, &["METSUKE_OIDC_ROLES"])
        .like("platform=operator,security=auditor")
        .does("Which role each of them gives; of several the most trusted counts."),
    setting("oidc.default_role", Kind::Word(ROLES), &["METSUKE_OIDC_DEFAULT_ROLE"])
        .like("viewer")
        .does("The role of everybody else; without it they cannot sign in."),
    setting("oidc.link_by_email", Kind::Switch, &["METSUKE_OIDC_LINK_BY_EMAIL"])
        .or("false")
        .does("Whether an account that is there is the person's who has its verified e-mail address."),
    setting("oidc.trust_email", Kind::Switch, &["METSUKE_OIDC_TRUST_EMAIL"])
        .or("false")
        .does("Whether addresses count as verified where the provider does not say whether they are."),
    setting("sealing.key_file", Kind::Text, &["METSUKE_KEY_FILE"])
        .like("/var/lib/metsuke/metsuke.key")
        .does("The file of the key that seals tokens; else metsuke.key beside the SQLite file, or in the folder for state. It is made when first needed."),
    setting("alerts.allow_private", Kind::Text, &["METSUKE_ALLOW_PRIVATE"])
        .like("10.1.0.0/16,fd00::/8")
        .does("Nets that alerts may go to although they are not public."),
    setting("alerts.allow_plain", Kind::Switch, &["METSUKE_ALLOW_PLAIN"])
        .or("false")
        .does("Whether alerts may go over plain http, and by mail without encryption."),
    setting("provisioning.allow_writes", Kind::Consent, &["METSUKE_PROVISIONING"])
        .beaten_by("--allow-writes")
        .or("false")
        .does("Whether access on Heroku may be changed; without, plans are made and refused."),
    setting("provisioning.approval", Kind::Word(Demand::WORDS), &["METSUKE_APPROVAL"])
        .beaten_by("--approval")
        .or("none")
        .does("Which plans of a database without a connector a second person has to approve; a connector's own setting says so for its own."),
    setting("provisioning.kill_switch_file", Kind::Text, &["METSUKE_KILL_SWITCH_FILE"])
        .beaten_by("--kill-switch-file")
        .like("/run/metsuke/stop")
        .does("A file whose presence stops every change; else the database's file with .stop behind its name."),
    setting("audit.key_file", Kind::Text, &["METSUKE_AUDIT_KEY"])
        .beaten_by("--audit-key")
        .like("/var/lib/metsuke/audit-key")
        .does("The file of the key that signs the audit trail; else beside the database's file."),
    setting("people.roster_token", Kind::Secret, &["METSUKE_ROSTER_TOKEN"])
        .beaten_by("--token-file")
        .like("/run/secrets/roster-token")
        .does("The token of the server that people are imported from."),
    setting("jupiterone.api_key", Kind::Secret, &["JUPITERONE_API_KEY"])
        .beaten_by("--api-key-file")
        .like("/run/secrets/jupiterone-key")
        .does("The API key of the JupiterOne account that is uploaded to."),
    setting("jupiterone.account", Kind::Text, &["JUPITERONE_ACCOUNT"])
        .beaten_by("--account-id")
        .like("a1b2c3")
        .does("That account's id."),
    setting("jupiterone.url", Kind::Text, &["METSUKE_JUPITERONE_URL"])
        .like("https://api.us.jupiterone.io")
        .does("The address of its API."),
    setting("retention.versions_days", Kind::Days, &["METSUKE_KEEP_VERSIONS_DAYS"])
        .or("0")
        .does("For how many days earlier versions can be read; 0 keeps them all. The audit trail is always kept whole."),
    setting("retention.runs_days", Kind::Days, &["METSUKE_KEEP_RUNS_DAYS"])
        .or("90")
        .does("For how many days runs of connectors and their logs are kept; 0 keeps them all."),
    setting("retention.jobs_days", Kind::Days, &["METSUKE_KEEP_JOBS_DAYS"])
        .or("30")
        .does("For how many days jobs are kept that have ended; 0 keeps them all."),
    setting("retention.changes_days", Kind::Days, &["METSUKE_KEEP_CHANGES_DAYS"])
        .or("0")
        .does("For how many days told changes are kept; 0 keeps them all."),
    setting("retention.deliveries_days", Kind::Days, &["METSUKE_KEEP_DELIVERIES_DAYS"])
        .or("90")
        .does("For how many days delivered alerts are kept; 0 keeps them all."),
    setting("log.level", Kind::Word(&["off", "error", "warn", "info", "debug", "trace"]), &["METSUKE_LOG_LEVEL"])
        .beaten_by("--log-level")
        .or("warn")
        .does("The least important log lines that are written."),
    setting("log.format", Kind::Word(&["text", "json"]), &["METSUKE_LOG_FORMAT"])
        .beaten_by("--log-format")
        .or("text")
        .does("How log lines are written."),
    setting("client.server", Kind::Text, &["METSUKE_SERVER"])
        .beaten_by("--server")
        .like("https://metsuke.example.com")
        .does("The server that commands ask instead of a database."),
    setting("client.token", Kind::Secret, &["METSUKE_TOKEN"])
        .like("/run/secrets/metsuke-token")
        .does("The token for that server; `metsuke token create` makes one."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_setting_has_one_name_and_says_what_it_does() {
        let names: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
        for Setting { name, help, example, variables, .. } in SETTINGS {
            assert!(name.split('.').count() == 2 && help.ends_with('.') && !example.is_empty(), "{name}");
            assert!(!variables.is_empty(), "{name}");
        }
        let mut sections: Vec<_> =
            SETTINGS.iter().filter_map(|setting| setting.name.split('.').next()).collect();
        sections.dedup();
        assert_eq!(sections.len(), sections.iter().collect::<BTreeSet<_>>().len(), "{sections:?}");
    }
}
