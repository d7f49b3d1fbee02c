//! The apps of a version as derived access needs them: who owns them, whether they are locked, and what their config vars give away.
//! Nothing here is about a person.
//!
//! Invariant: a layout is of one version and is never changed. Its apps stand in the order in which a person's apps are told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use metsuke_model::record::Team;
use metsuke_model::{HerokuId, ResourceRef, ResourceType, Version};
use metsuke_store::{Select, Snapshot};

use super::credentials::{AddOnFacts, Attached, facts, serving};
use super::effective::{AppFacts, TeamFacts, World, resource_ref, team_facts};
use super::{Reach, ReachedAddOn};
use crate::EngineError;

/// Estates of whose newest version the layout is kept.
const KEPT: usize = 8;
/// People who reach very much, for whom that is kept.
const REACHES: usize = 4;

/// An app.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) dense: i64,
    pub(super) id: HerokuId,
    /// Its name; its id where it has none.
    pub(super) name: Box<str>,
    /// The team that owns it, by dense id; none where that is not there.
    pub(super) team: Option<i64>,
    /// The person who owns it, by dense id.
    pub(super) owner: Option<i64>,
    pub(super) locked: Option<bool>,
}

/// An add-on whose credentials stand in an app's config vars.
#[derive(Debug)]
pub(super) struct Credential {
    name: Box<str>,
    service: Arc<str>,
    attached_as: Option<Arc<str>>,
    /// The app's place.
    app: u32,
    shared: bool,
}

/// The apps of a version, or of that part of it which one person may reach.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(super) teams: HashMap<i64, TeamFacts>,
    /// By name, then by dense id.
    apps: Vec<Place>,
    /// Places by dense id.
    places: HashMap<i64, u32>,
    of_team: HashMap<i64, Vec<u32>>,
    owned: HashMap<i64, Vec<u32>>,
    /// In the order in which they are told; none where they were not read.
    credentials: Option<Vec<Credential>>,
}

impl Layout {
    /// The layout of the newest version; none where the version is an earlier one.
    async fn whole(snapshot: &mut Snapshot) -> Result<Option<Self>, EngineError> {
        let Some(rows) = snapshot.slim_apps().await? else { return Ok(None) };
        let (Some(addons), Some(attachments)) =
            (snapshot.slim_addons().await?, snapshot.slim_attachments().await?)
        else {
            return Ok(None);
        };
        let teams = snapshot.columns::<Team>(&Select::All).await?;
        let teams: HashMap<i64, TeamFacts> =
            teams.into_iter().map(|stored| (stored.dense, team_facts(stored))).collect();
        let apps = rows.into_iter().map(|app| {
            let resource = resource_ref(ResourceType::App, &app.id, app.name);
            let team = app.team.filter(|team| teams.contains_key(team));
            Place {
                dense: app.dense,
                id: app.id,
                name: resource.name,
                team,
                owner: app.owner,
                locked: app.locked,
            }
        });
        let mut layout = Self::of(apps.collect(), teams);
        let addons: HashMap<i64, AddOnFacts<i64>> = addons
            .into_iter()
            .map(|addon| {
                (addon.dense, facts(&addon.id, (addon.name.as_deref(), addon.service.as_deref()), addon.app))
            })
            .collect();
        let attachments: Vec<Attached<i64>> = attachments
            .into_iter()
            .map(|attachment| (attachment.addon, attachment.app, attachment.name))
            .collect();
        layout.credentials = Some(layout.in_config_vars(&addons, &attachments));
        Ok(Some(layout))
    }

    /// The layout of what a world has of apps, whose credentials are not part of it; `person` is who owns what it says that they own.
    pub(super) fn of_world(world: &World, (person, id): (i64, &HerokuId)) -> Self {
        let place = |app: &AppFacts| Place {
            dense: app.dense,
            id: app.resource.id.clone(),
            name: app.resource.name.clone(),
            team: app.team,
            owner: app.owner.as_ref().filter(|owner| *owner == id).map(|_| person),
            locked: app.locked,
        };
        Self::of(world.apps.iter().map(place).collect(), world.teams.clone())
    }

    fn of(mut apps: Vec<Place>, teams: HashMap<i64, TeamFacts>) -> Self {
        apps.sort_unstable_by(|one, other| (&one.name, one.dense).cmp(&(&other.name, other.dense)));
        let mut places = HashMap::with_capacity(apps.len());
        let mut of_team: HashMap<i64, Vec<u32>> = HashMap::new();
        let mut owned: HashMap<i64, Vec<u32>> = HashMap::new();
        for (place, app) in (0_u32..).zip(&apps) {
            places.insert(app.dense, place);
            if let Some(team) = app.team {
                of_team.entry(team).or_default().push(place);
            }
            if let Some(owner) = app.owner {
                owned.entry(owner).or_default().push(place);
            }
        }
        Self { teams, apps, places, of_team, owned, credentials: None }
    }

    fn in_config_vars(
        &self,
        addons: &HashMap<i64, AddOnFacts<i64>>,
        attachments: &[Attached<i64>],
    ) -> Vec<Credential> {
        let mut words: HashMap<&str, Arc<str>> = HashMap::new();
        let mut found = Vec::with_capacity(attachments.len());
        serving(
            addons,
            attachments,
            |app| self.places.contains_key(&app),
            |app, addon, attached_as| {
                let Some(place) = self.places.get(&app) else { return };
                let mut word = |text| Arc::clone(words.entry(text).or_insert_with(|| text.into()));
                found.push(Credential {
                    name: addon.name.clone(),
                    service: word(&addon.service),
                    attached_as: attached_as.map(word),
                    app: *place,
                    shared: addon.app != Some(app),
                });
            },
        );
        found.sort_unstable_by(|one, other| self.told_by(one).cmp(&self.told_by(other)));
        found
    }

    /// What add-ons are sorted by.
    fn told_by<'c>(&'c self, one: &'c Credential) -> (&'c str, &'c str, Option<&'c str>, &'c str, bool) {
        (&one.name, &one.service, one.attached_as.as_deref(), self.name(one.app), one.shared)
    }

    fn name(&self, place: u32) -> &str {
        self.app(place).map_or("", |app| &app.name)
    }

    /// The app at a place.
    pub(super) fn app(&self, place: u32) -> Option<&Place> {
        self.apps.get(usize::try_from(place).ok()?)
    }

    /// The places of the apps on which somebody may hold something who holds something on these resources, in their order.
    pub(super) fn reachable(&self, person: i64, resources: impl Iterator<Item = i64>) -> Vec<u32> {
        let mut may = vec![false; self.apps.len()];
        let mut mark = |places: &[u32]| {
            for place in places {
                if let Some(may) = usize::try_from(*place).ok().and_then(|place| may.get_mut(place)) {
                    *may = true;
                }
            }
        };
        mark(self.owned.get(&person).map_or(&[], Vec::as_slice));
        for resource in resources {
            mark(self.of_team.get(&resource).map_or(&[], Vec::as_slice));
            mark(self.places.get(&resource).map_or(&[], std::slice::from_ref));
        }
        (0_u32..).zip(may).filter_map(|(place, may)| may.then_some(place)).collect()
    }

    /// How many add-ons' credentials stand in the config vars of the apps at these places, and the first of them; none where the
    /// layout does not know.
    pub(super) fn credentials(
        &self,
        readable: impl Iterator<Item = u32>,
        most: usize,
    ) -> Option<(usize, Vec<ReachedAddOn>)> {
        let all = self.credentials.as_ref()?;
        let mut reads = vec![false; self.apps.len()];
        for place in readable {
            if let Some(reads) = usize::try_from(place).ok().and_then(|place| reads.get_mut(place)) {
                *reads = true;
            }
        }
        let read =
            |one: &&Credential| usize::try_from(one.app).ok().and_then(|app| reads.get(app)) == Some(&true);
        let told = |one: &Credential| ReachedAddOn {
            name: one.name.clone(),
            service: (&*one.service).into(),
            attached_as: one.attached_as.as_deref().map(Into::into),
            app: self.name(one.app).into(),
            shared: one.shared,
        };
        let count = all.iter().filter(read).count();
        Some((count, all.iter().filter(read).take(most).map(told).collect()))
    }
}

impl Place {
    pub(super) fn resource(&self) -> ResourceRef {
        ResourceRef { resource_type: ResourceType::App, id: self.id.clone(), name: self.name.clone() }
    }
}

/// The layouts of the newest versions of estates, each made once, and what people who reach very much reach there. Cheap to clone; all
/// clones share what is kept.
#[derive(Clone, Debug, Default)]
pub struct Layouts {
    kept: Arc<Mutex<Vec<Kept>>>,
    reaches: Arc<Mutex<Vec<Reached>>>,
    /// Held while a layout is made, so that many who come at once make it once.
    making: Arc<tokio::sync::Mutex<()>>,
}

/// A person, by dense id, in a version of an estate.
type Whose = (String, Version, i64);
/// What somebody reaches.
type Reached = (Whose, Arc<Reach>);

#[derive(Debug)]
struct Kept {
    estate: String,
    version: Version,
    layout: Arc<Layout>,
}

impl Layouts {
    /// Makes the layout of the newest version of an estate, unless it is kept already.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn keep(&self, estate: &str, snapshot: &mut Snapshot) -> Result<(), EngineError> {
        self.of(estate, snapshot).await.map(|_| ())
    }

    /// The estates of which a layout is kept.
    pub(crate) fn estates(&self) -> Vec<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|kept| kept.estate.clone()).collect()
    }

    /// The layout of a version, if it is kept.
    pub(super) fn known(&self, estate: &str, version: Version) -> Option<Arc<Layout>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|kept| kept.estate == estate && kept.version == version)?;
        let found = kept.remove(place);
        let layout = Arc::clone(&found.layout);
        kept.push(found);
        Some(layout)
    }

    /// What somebody reaches in a version, if it is kept.
    pub(super) fn reached(&self, estate: &str, version: Version, person: i64) -> Option<Arc<Reach>> {
        let mut reaches = self.reaches.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |whose: &Whose| whose.0 == estate && whose.1 == version && whose.2 == person;
        let place = reaches.iter().position(|(whose, _)| is(whose))?;
        let found = reaches.remove(place);
        let reach = Arc::clone(&found.1);
        reaches.push(found);
        drop(reaches);
        Some(reach)
    }

    /// Keeps what somebody reaches, in the place of what was looked at least lately.
    pub(super) fn keep_reach(&self, estate: &str, version: Version, person: i64, reach: Arc<Reach>) {
        let mut reaches = self.reaches.lock().unwrap_or_else(PoisonError::into_inner);
        if reaches.len() >= REACHES {
            reaches.remove(0);
        }
        reaches.push(((estate.to_owned(), version, person), reach));
    }

    /// The layout of the newest version of an estate, which from then on is kept in the place of that of an earlier one; none where
    /// the snapshot is of an earlier one.
    pub(super) async fn of(
        &self,
        estate: &str,
        snapshot: &mut Snapshot,
    ) -> Result<Option<Arc<Layout>>, EngineError> {
        let version = snapshot.sync().version;
        if !snapshot.is_newest() {
            return Ok(None);
        }
        let _making = self.making.lock().await;
        if let Some(known) = self.known(estate, version) {
            return Ok(Some(known));
        }
        let Some(layout) = Layout::whole(snapshot).await? else { return Ok(None) };
        let layout = Arc::new(layout);
        // What was reached in an earlier version holds its layout.
        let mut reaches = self.reaches.lock().unwrap_or_else(PoisonError::into_inner);
        reaches.retain(|(whose, _)| whose.0 != estate);
        drop(reaches);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.estate != estate);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Kept { estate: estate.to_owned(), version, layout: Arc::clone(&layout) });
        Ok(Some(layout))
    }
}
