//! Which add-ons' credentials stand in the config vars of apps.
//!
//! Invariant: an add-on is told of each app that it is attached to, and of the app that it was made for even where no attachment was
//! read; of one app alone this depends on nothing but that app's add-ons and attachments.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use metsuke_model::HerokuId;
use metsuke_model::record::{AddOn, App, Attachment};
use metsuke_store::{Select, Snapshot};

use super::ReachedAddOn;
use crate::EngineError;

/// What is told of an add-on; `K` is what apps and add-ons are known by.
pub(super) struct AddOnFacts<K> {
    pub(super) name: Box<str>,
    pub(super) service: Box<str>,
    /// The app that it was made for.
    pub(super) app: Option<K>,
}

/// The add-on, the app and the name of an attachment.
pub(super) type Attached<K> = (Option<K>, Option<K>, Option<Box<str>>);

/// Hands over each of these apps with each add-on that serves it and the name under which it is attached.
pub(super) fn serving<'a, K: Eq + Hash + Copy>(
    addons: &'a HashMap<K, AddOnFacts<K>>,
    attachments: &'a [Attached<K>],
    is_meant: impl Fn(K) -> bool,
    mut each: impl FnMut(K, &'a AddOnFacts<K>, Option<&'a str>),
) {
    let mut attached = HashSet::with_capacity(attachments.len());
    for (addon, app, name) in attachments {
        let (Some(addon), Some(app)) = (addon, app.filter(|app| is_meant(*app))) else { continue };
        let Some(facts) = addons.get(addon) else { continue };
        attached.insert((*addon, app));
        each(app, facts, name.as_deref());
    }
    // An add-on serves the app that it was made for even where no attachment was read.
    for (id, facts) in addons {
        if let Some(app) = facts.app.filter(|app| is_meant(*app) && !attached.contains(&(*id, *app))) {
            each(app, facts, None);
        }
    }
}

/// The add-ons whose credentials stand in the config vars of these apps.
pub(super) async fn credentials(
    snapshot: &mut Snapshot,
    apps: &[(i64, App)],
) -> Result<Vec<ReachedAddOn>, EngineError> {
    let dense: Vec<i64> = apps.iter().map(|(dense, _)| *dense).collect();
    let names: BTreeMap<&HerokuId, &str> =
        apps.iter().map(|(_, app)| (&app.id, app.name.as_deref().unwrap_or_default())).collect();
    let mut addons: BTreeMap<HerokuId, AddOn> = BTreeMap::new();
    for stored in snapshot.columns::<AddOn>(&Select::Within(dense.clone())).await? {
        addons.insert(stored.record.id.clone(), stored.record);
    }
    let attachments = snapshot.columns::<Attachment>(&Select::Within(dense)).await?;
    let elsewhere: BTreeSet<&HerokuId> = attachments
        .iter()
        .filter_map(|stored| stored.record.addon.as_ref())
        .filter(|addon| !addons.contains_key(addon))
        .collect();
    let mut shared = Vec::new();
    for addon in elsewhere {
        shared.extend(snapshot.columns::<AddOn>(&Select::Id(addon.clone())).await?);
    }
    addons.extend(shared.into_iter().map(|stored| (stored.record.id.clone(), stored.record)));
    let facts: HashMap<&HerokuId, AddOnFacts<&HerokuId>> = addons
        .values()
        .map(|addon| {
            (
                &addon.id,
                facts(&addon.id, (addon.name.as_deref(), addon.service.as_deref()), addon.app.as_ref()),
            )
        })
        .collect();
    let attachments: Vec<Attached<&HerokuId>> = attachments
        .iter()
        .map(|stored| &stored.record)
        .map(|attachment| (attachment.addon.as_ref(), attachment.app.as_ref(), attachment.name.clone()))
        .collect();
    let mut reached = Vec::new();
    serving(
        &facts,
        &attachments,
        |app| names.contains_key(app),
        |app, addon, attached_as| {
            reached.push(ReachedAddOn {
                name: addon.name.clone(),
                service: addon.service.clone(),
                attached_as: attached_as.map(Into::into),
                app: names.get(app).copied().unwrap_or_default().into(),
                shared: addon.app != Some(app),
            });
        },
    );
    reached.sort();
    Ok(reached)
}

/// What is told of an add-on; one without a name goes by its id.
pub(super) fn facts<K>(
    id: &HerokuId,
    (name, service): (Option<&str>, Option<&str>),
    app: Option<K>,
) -> AddOnFacts<K> {
    AddOnFacts {
        name: name.map_or_else(|| id.to_string().into(), Into::into),
        service: service.unwrap_or_default().into(),
        app,
    }
}
