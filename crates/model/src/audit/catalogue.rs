//! Every code that an audit event can have: a stable word for what happened.
//!
//! What an event holds beside its code is [`Event`](super::Event).
//!
//! Invariant: a code is never renamed, given another meaning or used again, for logs hold it for good.
//! What can fail has a code for the failure, so that nobody has to read details to find out.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares the codes once: the variant, its text and its meaning, which is also its documentation.
///
/// `/// A sync …` `SyncCompleted = "sync.completed"` gives the variant, and its arms in the three functions.
macro_rules! catalogue {
    ($($(#[doc = $meaning:literal])+ $name:ident = $code:literal,)+) => {
        /// What happened, as far as this version knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EventCode {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl EventCode {
            /// Every code, grouped by what it is about.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable, dotted code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// One sentence on what it means.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+).trim_ascii(),)+ }
            }
        }
    };
}

catalogue! {
    /// A sync read everything it asked for and committed a version.
    SyncCompleted = "sync.completed",
    /// A sync committed a version with named gaps.
    SyncPartial = "sync.partial",
    /// A sync ended without a version.
    SyncFailed = "sync.failed",
    /// A version was stored and not made current, because too much would have gone with it.
    SyncQuarantined = "sync.quarantined",
    /// A quarantined version was made current by a person.
    SyncAccepted = "sync.accepted",

    /// A plan was made and stored.
    PlanCreated = "plan.created",
    /// A plan was approved, by its hash: by somebody else than who asked for it, or by who applies it where nobody else has to.
    PlanApproved = "plan.approved",
    /// Somebody set about applying a plan that others had approved, or went on with it.
    PlanBegun = "plan.begun",
    /// A plan is over a cap and waits for the number to be confirmed.
    PlanFrozen = "plan.frozen",
    /// A safety rule refuses the plan.
    PlanRefused = "plan.refused",
    /// A plan was not applied within its time.
    PlanExpired = "plan.expired",
    /// What a plan was made for has changed on Heroku; a person decides.
    PlanSuperseded = "plan.superseded",
    /// Every step of a plan was verified.
    PlanApplied = "plan.applied",
    /// A plan ended at a step that did not come out as planned; later steps were not begun.
    PlanStopped = "plan.stopped",
    /// A plan was called off by a person; what was done of it before stays.
    PlanCancelled = "plan.cancelled",

    /// A change to Heroku was written down, before any call for it.
    IntentWritten = "intent.written",

    /// A request that changes something is about to leave.
    CallSent = "call.sent",
    /// Heroku answered a request with success.
    CallConfirmed = "call.confirmed",
    /// Heroku answered a request with a refusal.
    CallRefused = "call.refused",
    /// Nobody knows whether Heroku carried a request out: no answer, a broken one, or a server error.
    CallUnknown = "call.unknown",
    /// A request was written down and certainly did not leave.
    CallNotSent = "call.not_sent",

    /// Reading back after a confirmed request showed the wished state.
    EffectVerified = "effect.verified",
    /// Reading back after an unknown outcome showed the wished state.
    EffectConfirmedByRead = "effect.confirmed_by_read",
    /// An open intent was settled by what Heroku was found to have.
    EffectReconciled = "effect.reconciled",
    /// Reading back did not show the wished state.
    EffectFailed = "effect.failed",

    /// The kill switch was set: no change leaves from now on.
    KillSwitchOn = "kill_switch.on",
    /// The kill switch was lifted.
    KillSwitchOff = "kill_switch.off",

    /// A setting has another value.
    SettingsChanged = "settings.changed",
    /// A change of a setting was refused.
    SettingsRefused = "settings.refused",

    /// A principal may no longer be changed by plans.
    ProtectedPrincipalAdded = "protected_principal.added",
    /// A principal may be changed by plans again.
    ProtectedPrincipalRemoved = "protected_principal.removed",
    /// A change of the list of protected principals was refused.
    ProtectedPrincipalRefused = "protected_principal.refused",

    /// A webhook of an app was written down, before Heroku was asked for it.
    WebhookAsked = "webhook.asked",
    /// Heroku has a webhook of an app that leads here.
    WebhookAdded = "webhook.added",
    /// Heroku refused a webhook.
    WebhookRefused = "webhook.refused",
    /// A webhook is about to be taken away.
    WebhookLeaving = "webhook.leaving",
    /// A webhook is gone.
    WebhookRemoved = "webhook.removed",

    /// A roster of people was imported.
    RosterImported = "roster.imported",
    /// An account was given to a person by hand, or said to be nobody's.
    PersonMatched = "person.matched",
    /// What was said by hand of an account's person was taken back.
    PersonUnmatched = "person.unmatched",

    /// A token for the API was made.
    TokenCreated = "token.created",
    /// A token for the API was revoked.
    TokenRevoked = "token.revoked",

    /// A connector was added to the installation.
    ConnectorCreated = "connector.created",
    /// A connector's settings were changed.
    ConnectorEdited = "connector.edited",
    /// A connector got another API token.
    ConnectorTokenReplaced = "connector.token_replaced",
    /// A connector was paused: its schedule starts nothing.
    ConnectorPaused = "connector.paused",
    /// A connector's schedule starts syncs again.
    ConnectorResumed = "connector.resumed",
    /// A sync of a connector was asked for by somebody.
    ConnectorSyncAsked = "connector.sync_asked",
    /// A sync of a connector was to be ended by somebody.
    ConnectorSyncCancelled = "connector.sync_cancelled",
    /// An upload of a connector's newest version was asked for by somebody.
    ConnectorUploadAsked = "connector.upload_asked",
    /// A version was uploaded to JupiterOne because somebody asked for it.
    VersionUploaded = "version.uploaded",
    /// A connector was removed with all it had; what remains is this trail.
    ConnectorRemoved = "connector.removed",

    /// A job that had been given up was put back into the queue.
    JobRetried = "job.retried",
    /// A job that had been given up was struck from the queue.
    JobDropped = "job.dropped",

    /// A copy of the whole installation was taken, to be kept elsewhere.
    BackupMade = "backup.made",
    /// The store was restored from a backup; nothing is changed on Heroku until it was read anew.
    InstallationRestored = "installation.restored",
    /// What was restored was held against Heroku, and changes are allowed again.
    InstallationReconciled = "installation.reconciled",
    /// Removing what is older than the operator wants to keep was asked for by somebody.
    HistoryPruneAsked = "history.prune_asked",
    /// What is older than the operator wants to keep was removed; the audit trail never is.
    HistoryPruned = "history.pruned",

    /// Somebody signed in.
    LoginSucceeded = "login.succeeded",
    /// Somebody tried to sign in and was refused.
    LoginFailed = "login.failed",
    /// There were too many tries to sign in, so that further ones are not looked at for a while.
    LoginLocked = "login.locked",
    /// Somebody signed out, or a session was ended by somebody else.
    SessionEnded = "session.ended",
    /// A link was made by which the first person can be set up.
    SetupOffered = "setup.offered",
    /// The first person was set up.
    SetupDone = "setup.done",

    /// A person's account was made.
    AccountCreated = "account.created",
    /// A person's account has another name or role, or was disabled or enabled.
    AccountChanged = "account.changed",
    /// A person's account was linked with a person at a provider of identities.
    AccountLinked = "account.linked",
    /// A person's account has another password.
    PasswordChanged = "account.password_changed",
    /// A second factor is asked for from now on.
    TotpEnrolled = "account.totp_enrolled",
    /// No second factor is asked for any more.
    TotpReset = "account.totp_reset",

    /// Somebody has seen a finding.
    FindingAcknowledged = "finding.acknowledged",
    /// Somebody takes the risk of a finding, until a moment and for a reason.
    FindingAccepted = "finding.accepted",
    /// What somebody had said of a finding was taken back.
    FindingReopened = "finding.reopened",
    /// The alert of a rule was put aside.
    AlertDismissed = "alert.dismissed",
    /// A channel for alerts was made or changed.
    ChannelSaved = "channel.saved",
    /// A channel for alerts was removed.
    ChannelRemoved = "channel.removed",
    /// A rule was made or changed, or a shipped one was turned on or off.
    RuleSaved = "rule.saved",
    /// A rule was removed.
    RuleRemoved = "rule.removed",
    /// A question was kept, changed, shared with everybody or shared no more.
    QuestionSaved = "question.saved",
    /// A question that was kept was removed.
    QuestionRemoved = "question.removed",
    /// Somebody arranged the answers that stand on their own overview.
    OverviewArranged = "overview.arranged",

    /// A signed checkpoint left for a place outside the database.
    CheckpointExported = "checkpoint.exported",
    /// A signed checkpoint could not be made or written out.
    CheckpointFailed = "checkpoint.failed",
}

impl EventCode {
    /// The code with this text; `None` for one that this version does not know.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

/// What happened, known to this version or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// One of the catalogue.
    Known(EventCode),
    /// One of a newer version, verbatim.
    Other(Box<str>),
}

impl Code {
    /// The code's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(code) => code.as_str(),
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for Code {
    fn from(text: &str) -> Self {
        EventCode::parse(text).map_or_else(|| Self::Other(text.into()), Self::Known)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from(text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_reads_back_and_is_unique() {
        let texts: BTreeSet<&str> = EventCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), EventCode::ALL.len());
        for code in EventCode::ALL {
            assert_eq!(EventCode::parse(code.as_str()), Some(*code));
        }
        assert_eq!(EventCode::parse("sync.dreamt"), None);
    }

    #[test]
    fn every_code_is_dotted_and_has_a_sentence_of_its_own() {
        let mut meanings = BTreeSet::new();
        for code in EventCode::ALL {
            let (group, what) = code.as_str().split_once('.').unwrap();
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(plain(group) && plain(what), "{code:?}");
            assert!(code.meaning().ends_with('.') && !code.meaning().starts_with(' '), "{code:?}");
            assert!(meanings.insert(code.meaning()), "{code:?}");
        }
    }
}
