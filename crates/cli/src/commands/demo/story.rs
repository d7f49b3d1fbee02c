//! What happens to the made-up company in its last weeks, so that there is something to look back on.
//!
//! Invariant: a chapter changes the simulated Heroku alone; what of it is seen is up to the sync.

use metsuke_engine::lists;
use metsuke_simulator::World;
use metsuke_store::Snapshot;

/// One moment of the story.
pub(super) struct Chapter {
    /// How long ago it was.
    pub(super) hours_ago: u32,
    /// What happens.
    pub(super) happens: fn(&mut World, &Cast),
    /// What the demonstration's admin does then.
    pub(super) deeds: Deeds,
}

/// What is done through Metsuke after a chapter was read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deeds {
    /// Nothing.
    Nothing,
    /// What everybody does first.
    First,
    /// What is long done.
    Before,
    /// What still waits.
    Lately,
}

/// Who and what there is, by name.
#[derive(Debug)]
pub(super) struct Cast {
    people: Vec<String>,
    teams: Vec<String>,
    apps: Vec<String>,
    accounts: Vec<String>,
}

impl Cast {
    /// Everybody and everything of a version.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub(super) async fn of(snapshot: &mut Snapshot) -> anyhow::Result<Self> {
        let text = |text: Option<Box<str>>| text.map(String::from);
        let people = lists::users(snapshot).await?.into_iter().filter(|user| !user.own_account);
        let people = people.filter_map(|user| text(user.email)).collect();
        let teams = lists::teams(snapshot).await?.into_iter().filter_map(|team| text(team.name)).collect();
        let apps = lists::apps(snapshot).await?.into_iter();
        let apps = apps.filter(|app| app.team.is_some()).filter_map(|app| text(app.name)).collect();
        let accounts = lists::enterprise_accounts(snapshot).await?;
        let accounts = accounts.into_iter().filter_map(|account| text(account.name)).collect();
        Ok(Self { people, teams, apps, accounts })
    }

    pub(super) fn person(&self, place: usize) -> &str {
        nth(&self.people, place)
    }

    pub(super) fn team(&self, place: usize) -> &str {
        nth(&self.teams, place)
    }

    fn app(&self, place: usize) -> &str {
        nth(&self.apps, place)
    }
}

fn nth(names: &[String], place: usize) -> &str {
    names.get(place % names.len().max(1)).map_or("", String::as_str)
}

/// The story.
pub(super) const CHAPTERS: &[Chapter] = &[
    Chapter { hours_ago: 30 * 24, happens: |_, _| (), deeds: Deeds::First },
    Chapter { hours_ago: 23 * 24, happens: contractors_come, deeds: Deeds::Nothing },
    Chapter { hours_ago: 12 * 24, happens: somebody_leaves, deeds: Deeds::Nothing },
    Chapter { hours_ago: 4 * 24, happens: a_team_grows, deeds: Deeds::Before },
    Chapter { hours_ago: 26, happens: an_app_moves, deeds: Deeds::Nothing },
    Chapter { hours_ago: 1, happens: somebody_becomes_admin, deeds: Deeds::Lately },
];

fn contractors_come(world: &mut World, cast: &Cast) {
    world.set_collaborator(cast.app(17), "sam.lee@contractor.example", &["view", "deploy", "operate"]);
    world.set_collaborator(cast.app(18), "sam.lee@contractor.example", &["view", "deploy"]);
    world.set_collaborator(cast.app(230), "kim.reyes@agency.example", &["view", "deploy"]);
    world.set_member(cast.team(6), cast.person(41), Some("admin"));
    world.invite(cast.team(9), "new.colleague@example.com", "member");
}

fn somebody_leaves(world: &mut World, cast: &Cast) {
    world.remove_person(cast.person(120));
    world.remove_person(cast.person(377));
    world.lock_app(cast.app(64), true);
    world.rename_app(cast.app(99), "billing-gateway");
    world.set_two_factor(cast.person(63), false);
}

fn a_team_grows(world: &mut World, cast: &Cast) {
    for place in [200, 215, 230, 245] {
        world.set_member(cast.team(11), cast.person(place), Some("member"));
    }
    world.add_app(Some(cast.team(11)), "pricing-experiments");
    world.add_addon("pricing-experiments", "heroku-postgresql", "postgresql-curved-81726");
    if let Some(account) = cast.accounts.first() {
        world.set_enterprise_member(account, cast.person(300), &["view", "manage"]);
    }
}

fn an_app_moves(world: &mut World, cast: &Cast) {
    world.move_app(cast.app(310), cast.team(3));
    world.remove_collaborator(cast.app(18), "sam.lee@contractor.example");
    world.lock_app(cast.app(64), false);
}

fn somebody_becomes_admin(world: &mut World, cast: &Cast) {
    world.set_member(cast.team(2), cast.person(150), Some("admin"));
    world.set_collaborator(cast.app(40), cast.person(512), &["view", "deploy", "operate", "manage"]);
}
