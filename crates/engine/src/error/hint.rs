//! What to do about an error.

use std::io;

use super::EngineError;

impl EngineError {
    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::WrongToken { .. } => Some(
                "make one with `heroku authorizations:create --scope global` on a service account, and set METSUKE_HEROKU_TOKEN"
                    .into(),
            ),
            Self::Upstream { source } => source.hint(),
            Self::NothingRead { .. } => {
                Some("check the token's scope and its account's teams with `metsuke doctor`".into())
            }
            Self::NoVersion => Some("run `metsuke sync` first, or `metsuke demo` to see one without a token".into()),
            Self::NotFound { what, .. } => Some(format!("`metsuke list {what}s` shows what there is")),
            Self::NoPlan { .. } => Some("`metsuke plans` lists them".into()),
            Self::BadPlan { .. } => Some("ask for it again".into()),
            Self::Query { errors, .. } => {
                let first = errors.first();
                first.suggestion.clone().or_else(|| first.explanation.clone())
            }
            Self::Ambiguous { .. } => Some("use the id".into()),
            Self::NotAtHeroku { .. } => {
                Some("it may be gone, or the user of the token may not see it".into())
            }
            Self::Refused { hint, .. } => hint.clone(),
            Self::NotSecondPerson { hint, .. } => Some((*hint).into()),
            Self::OtherHash { .. } => Some("read the plan again, and approve what it says".into()),
            Self::InDoubt { .. } => Some("ask for it again: what is open is read and settled first".into()),
            Self::BadCursor { .. } => Some("begin without a cursor".into()),
            Self::AuditKey { file, .. } => Some(format!(
                "it is 32 random bytes that only their owner may read (`chmod 600 {}`); bring a lost one back from a backup",
                file.display()
            )),
            Self::SealKey { file, .. } => Some(format!(
                "it is 32 random bytes that only their owner may read (`chmod 600 {}`); METSUKE_KEY_FILE names another",
                file.display()
            )),
            Self::Sealed => Some(
                "bring the key file back from where it is kept (METSUKE_KEY_FILE names it), or set the token anew".into(),
            ),
            Self::NoConnector { .. } => Some("`metsuke connectors list` lists them".into()),
            Self::NameTaken { .. } => Some("take another name".into()),
            Self::NotGivenUp { .. } => Some("`metsuke jobs list --state dead` lists those that were given up".into()),
            Self::NoUpload { .. } => Some(
                "`metsuke connectors edit --upload-to` and `--upload-key-file` say where to and by which key".into(),
            ),
            Self::Changed { .. } => Some("read it again, and change that".into()),
            Self::AuditDamaged { .. } => Some(
                "`metsuke audit verify` names every finding; keep a copy of the database as it is".into(),
            ),
            Self::Roster { .. } | Self::BadRoster { .. } => {
                Some("nothing was imported; `metsuke people import --help` tells what a roster looks like".into())
            }
            Self::ShrunkenRoster { .. } => {
                Some("if they have all left, import it with --accept-missing; nothing was changed".into())
            }
            Self::RosterSource { .. } => Some(
                "check the address, and the token in METSUKE_ROSTER_TOKEN or --token-file; nothing was imported"
                    .into(),
            ),
            Self::NoEmployee { .. } => Some("`metsuke people list` shows everybody; names are not looked for".into()),
            Self::ExportFolder { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                Some("name another folder, or one that an earlier export made".into())
            }
            Self::JupiterOne { source } => Some(
                match source.status() {
                    Some(401 | 403) => "check the API key and the account's id; a key belongs to one account",
                    Some(404) => "check the id of the integration instance, and the address of the API",
                    Some(429) => "JupiterOne limits how often it is asked; try again in a few minutes",
                    _ => "nothing of this upload was kept there; it can be tried again",
                }
                .into(),
            ),
            Self::C1Settings { .. } => {
                Some("C1 shows both when the connector is set up, the secret once; copy them whole".into())
            }
            Self::C1Refused { .. } => Some(
                "check that id and secret belong together, that C1 has not revoked them, and this machine's clock".into(),
            ),
            Self::C1 { .. } => Some(
                "check the network, the proxy settings and BATON_C1_API_HOST; SSL_CERT_FILE names further authorities".into(),
            ),
            Self::Backup { .. } => Some("nothing was changed; `metsuke backup --help` and `metsuke restore --help` tell what they take".into()),
            Self::Provider { .. } => Some("check the issuer's address, and what the provider's own log says".into()),
            Self::Channel { .. } => Some("`metsuke channels list` shows what is set".into()),
            Self::RefusedByHeroku { .. }
            | Self::Fields { .. }
            | Self::NoRun { .. }
            | Self::NoChance
            | Self::NotSent { .. }
            | Self::ExportFolder { .. }
            | Self::Cancelled
            | Self::Unknown { .. }
            | Self::NotOwned
            | Self::NotYours { .. }
            | Self::Mistakes(_)
            | Self::OwnToken
            | Self::Scratch { .. }
            | Self::Audit { .. }
            | Self::AuditWrite { .. } => None,
            Self::Store(source) => source.hint(),
        }
    }
}
