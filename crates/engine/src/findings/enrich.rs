//! Adds to what is news what changed, for whom, and by what path they hold it.
//!
//! Invariant: what cannot be told is left out; nothing fails for want of it.

use std::collections::HashSet;

use metsuke_model::record::App;
use metsuke_model::{AsOf, HerokuId, Version};
use metsuke_store::{FindingRow, Select, Snapshot, Store};

use super::evidence::Evidence;
use super::touch;
use crate::EngineError;
use crate::access::{Held, user_access_on};

/// The most findings of one evaluation whose paths are looked up.
pub(super) const MOST_PATHS: usize = 100;
/// The most people of one finding who are named, and by whom it is found.
const MOST_PEOPLE: usize = 10;
const MOST_FOUND_BY: usize = 1_000;
/// The most people of one finding whose paths are told.
const MOST_TOLD: usize = 3;
/// The most lines of one finding.
const MOST_LINES: usize = 10;
/// The most texts of one finding that are looked up as apps.
const MOST_NAMES: usize = 200;

/// Completes findings that are news, and says whom each is about; `paths_left`: of how many more the paths are looked up.
pub(super) async fn enrich(
    store: &Store,
    version: Version,
    news: Vec<(&mut FindingRow, Option<&touch::Log>)>,
    paths_left: &mut usize,
) -> Result<Vec<(String, String)>, EngineError> {
    let (mut snapshot, mut about_whom) = (None, Vec::new());
    for (finding, log) in news {
        let mut evidence = Evidence::read(&finding.document);
        let texts = touch::texts(&evidence.rows);
        let people = people(&texts);
        let found_by = people.iter().take(MOST_FOUND_BY);
        about_whom.extend(found_by.map(|email| (finding.fingerprint.clone(), email.clone())));
        evidence.who = people.into_iter().take(MOST_PEOPLE).collect();
        let about = log.map(|log| log.about(&texts)).unwrap_or_default();
        evidence.changes = touch::differences(&about);
        evidence.changes.truncate(MOST_LINES);
        if *paths_left > 0 && !evidence.who.is_empty() {
            *paths_left -= 1;
            if snapshot.is_none() {
                snapshot = store.snapshot(Some(AsOf::Version(version))).await?;
            }
            if let Some(snapshot) = &mut snapshot {
                evidence.path = paths(snapshot, &evidence.who, &texts).await?;
            }
        }
        finding.document = evidence.to_document();
    }
    Ok(about_whom)
}

/// The addresses among the texts, which are in small letters.
fn people(texts: &HashSet<String>) -> Vec<String> {
    let address = |text: &&String| {
        text.split_once('@').is_some_and(|(user, domain)| !user.is_empty() && domain.contains('.'))
            && !text.contains(char::is_whitespace)
    };
    let mut people: Vec<String> = texts.iter().filter(address).cloned().collect();
    people.sort();
    people
}

/// How these people hold what they hold on what the texts name.
async fn paths(
    snapshot: &mut Snapshot,
    who: &[String],
    texts: &HashSet<String>,
) -> Result<Vec<String>, EngineError> {
    let named =
        |id: &str, name: &str| texts.contains(&id.to_lowercase()) || texts.contains(&name.to_lowercase());
    let apps = apps(snapshot, texts).await?;
    let mut lines = Vec::new();
    for email in who.iter().take(MOST_TOLD) {
        let (roles, apps) = match user_access_on(snapshot, email, apps.clone()).await {
            Ok(access) => access,
            Err(EngineError::Store(error)) => return Err(error.into()),
            // Nobody of that name, or several: there is no path to tell.
            Err(_) => continue,
        };
        for grant in &roles {
            let on = &grant.resource;
            if named(&on.id.to_string(), &on.name) {
                lines.push(format!(
                    "{email}: {} on {} {}, by Heroku's own row",
                    grant.entitlement,
                    on.resource_type.as_str(),
                    on.name
                ));
            }
        }
        for app in &apps {
            lines.extend(app.held.iter().map(|held| format!("{email}: {}", line(&app.app.name, held))));
        }
    }
    lines.truncate(MOST_LINES);
    Ok(lines)
}

/// The apps that the texts name, by dense id. Heroku's names of apps and ids have small letters, digits and hyphens.
async fn apps(snapshot: &mut Snapshot, texts: &HashSet<String>) -> Result<Vec<i64>, EngineError> {
    let name = |text: &&String| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let mut names: Vec<&String> = texts.iter().filter(name).collect();
    names.sort();
    let mut found = Vec::new();
    for name in names.into_iter().take(MOST_NAMES) {
        for select in [Select::Id(HerokuId::new(name)), Select::Named(name.clone())] {
            found.extend(snapshot.objects::<App>(&select).await?.into_iter().map(|app| app.dense));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn line(app: &str, held: &Held) -> String {
    let entitlement = &held.entitlement;
    if held.direct || held.path.is_empty() {
        return format!("{entitlement} on app {app}, by Heroku's own row");
    }
    let step = |step: &metsuke_model::PathStep| {
        format!("{} on {} {}", step.entitlement, step.resource.resource_type.as_str(), step.resource.name)
    };
    let steps: Vec<String> = held.path.iter().map(step).collect();
    format!("{entitlement} on app {app}, by {}", steps.join(" → "))
}
