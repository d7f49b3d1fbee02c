//! What somebody might ask for, and how the simulated Heroku might mistreat it.
//!
//! It does not know what comes of it.
//!
//! Invariant: a wish changes something, and no rule is against it.

use std::time::Duration;

use metsuke_simulator::{Delay, Fault, FaultKind, Told, World, WriteFault};
use metsuke_testkit::Chance;

/// The latest that a late write arrives.
pub(super) const LATE: Duration = Duration::from_millis(500);

/// A command that changes something, without the flags that say how.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) arguments: Vec<String>,
    /// The number that releases its plan; none where the plan has to tell it.
    pub(super) confirm: Option<usize>,
}

fn wish(arguments: &[&str], confirm: usize) -> Wish {
    let arguments = arguments.iter().map(|&word| word.to_owned()).collect();
    Wish { arguments, confirm: Some(confirm) }
}

impl Wish {
    /// Something that could be asked of this estate; `None` where chance led nowhere.
    pub(super) fn pick(world: &World, chance: &mut Chance) -> Option<Self> {
        let (enterprise, standard) = (world.enterprise_team_names(), world.standard_team_names());
        let fine = !chance.one_in(3);
        let team = chance.pick(if fine { &enterprise } else { &standard })?;
        match chance.below(12) {
            0..=2 => grant_role(world, chance, team, fine),
            3 | 4 => revoke_role(world, chance, team),
            5..=7 => grant_app(world, chance, team, fine),
            8..=10 => revoke_app(world, chance, team, fine),
            _ => {
                let person = somebody(world, chance, team, false)?;
                let arguments = vec!["remove-person".to_owned(), person];
                Some(Self { arguments, confirm: None })
            }
        }
    }
}

/// People with an account at Heroku, of whom the database has not heard.
pub(super) fn joiners() -> impl Iterator<Item = String> {
    (0..12).map(|number| format!("joiner-{number}@example.com"))
}

/// Somebody of a team, or somebody new; never the caller.
fn somebody(world: &World, chance: &mut Chance, team: &str, new: bool) -> Option<String> {
    if new && chance.one_in(2) {
        return joiners().nth(chance.below(12));
    }
    let caller = world.caller_email();
    let people: Vec<String> = world.members_of(team).into_iter().map(|(email, _)| email).collect();
    chance.pick(&people).filter(|email| **email != caller).cloned()
}

fn grant_role(world: &World, chance: &mut Chance, team: &str, fine: bool) -> Option<Wish> {
    // Somebody without an account can only be invited, and would have another id the next time.
    let person = if !fine && chance.one_in(3) {
        format!("guest-{}@example.com", chance.below(100_000))
    } else {
        somebody(world, chance, team, true)?
    };
    let roles = if fine { &["admin", "member", "viewer"][..] } else { &["admin", "member"] };
    let role = *chance.pick(roles)?;
    let invited = invited_as(world, team, &person);
    if world.role_in(team, &person).as_deref() == Some(role) || invited.as_deref() == Some(role) {
        return None;
    }
    let elevates = usize::from(role == "admin");
    Some(wish(&["grant", "--user", &person, "--team", team, "--role", role], elevates))
}

fn invited_as(world: &World, team: &str, person: &str) -> Option<String> {
    let invited = world.invitations_of(team).into_iter().find(|(email, _)| email == person);
    invited.and_then(|(_, role)| role)
}

fn revoke_role(world: &World, chance: &mut Chance, team: &str) -> Option<Wish> {
    let invitations = world.invitations_of(team);
    if let Some((person, Some(role))) = chance.pick(&invitations).filter(|_| chance.one_in(2)) {
        return Some(wish(&["revoke", "--user", person, "--team", team, "--role", role], 0));
    }
    let person = somebody(world, chance, team, false)?;
    let role = world.role_in(team, &person).filter(|role| role != "collaborator")?;
    Some(wish(&["revoke", "--user", &person, "--team", team, "--role", &role], 1))
}

fn grant_app(world: &World, chance: &mut Chance, team: &str, fine: bool) -> Option<Wish> {
    let personal = !fine && chance.one_in(2);
    let apps = world.app_names((!personal).then_some(team));
    let app = chance.pick(&apps)?;
    let person = somebody(world, chance, team, true)?;
    let held = world.permissions_on(app, &person);
    if !fine {
        let grant = ["grant", "--user", &person, "--app", app, "--collaborator"];
        return held.is_none().then(|| wish(&grant, 0));
    }
    let permission = *chance.pick(&["view", "deploy", "operate", "manage"])?;
    if held.iter().flatten().any(|slug| slug == permission) {
        return None;
    }
    let elevates = usize::from(permission == "manage");
    Some(wish(&["grant", "--user", &person, "--app", app, "--permission", permission], elevates))
}

fn revoke_app(world: &World, chance: &mut Chance, team: &str, fine: bool) -> Option<Wish> {
    let personal = !fine && chance.one_in(2);
    let apps = world.app_names((!personal).then_some(team));
    let app = chance.pick(&apps)?;
    let (caller, people) = (world.caller_email(), world.collaborators_of(app));
    let (person, held) = chance.pick(&people).filter(|(email, _)| *email != caller)?;
    let some: Vec<&String> = held.iter().filter(|slug| *slug != "view").collect();
    Some(match chance.pick(&some).filter(|_| fine && chance.one_in(2)) {
        Some(slug) => wish(&["revoke", "--user", person, "--app", app, "--permission", slug], 1),
        None => wish(&["revoke", "--user", person, "--app", app, "--collaborator"], 1),
    })
}

/// What happens to the writes of a round; nothing, some of the times.
pub(super) fn mistreat(chance: &mut Chance) -> Option<Fault> {
    let told = *chance.pick(&[
        Told::Reset,
        Told::Error500,
        Told::BadGateway502,
        Told::Unavailable503,
        Told::Hang,
    ])?;
    let late = Delay::up_to(LATE);
    let fault = match chance.below(12) {
        0..=2 => return None,
        3..=5 => WriteFault::Applied(told),
        6 => WriteFault::AppliedTruncated,
        7 => WriteFault::AppliedSlow(late),
        8 => WriteFault::Dropped(told),
        _ => WriteFault::Late(told, late),
    };
    let times = if chance.one_in(4) { 3 } else { 1 };
    Some(Fault::always(FaultKind::Write(fault)).times(times))
}
