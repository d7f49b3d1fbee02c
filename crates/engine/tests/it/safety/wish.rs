//! Whether what was applied is there: on the server as wished, and in the store as on the server.
//!
//! Invariant: the server is asked, not the answer of the connector.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_engine::EngineError;
use metsuke_engine::access::{GrantFilter, grants};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::plan::{Plan, State, Step};
use metsuke_model::{Grant, ResourceType};

use super::checker::{Broken, Deed, Look};
use super::scene::Scene;

fn found(step: &Step, scene: &Scene) -> (Option<String>, Option<Vec<String>>) {
    let (email, name) = (&*step.person.email, &*step.resource.name);
    scene
        .simulator
        .edit(|world| match step.resource.resource_type {
            ResourceType::Team => {
                let invited =
                    world.invitations_of(name).into_iter().find(|(to, _)| to.eq_ignore_ascii_case(email));
                let invited = invited.and_then(|(_, role)| role).map(|role| format!("invited {role}"));
                // Who only works on apps of the team is invited all the same.
                let role = world.role_in(name, email);
                let of_apps = role.as_deref() == Some("collaborator");
                (if of_apps { invited.or(role) } else { role.or(invited) }, None)
            }
            _ => (None, world.permissions_on(name, email)),
        })
        .unwrap()
}

/// Whether the server holds what was wished, and the store what the server holds.
pub(super) async fn fulfilled(scene: &Scene, deed: &Deed, plan: &Plan, after: &Look) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut say = |rule, told: String| broken.push(Broken { rule, told: format!("{}: {told}", deed.told) });
    for step in &plan.steps {
        let there = found(step, scene);
        let right = match (&step.wished, &there) {
            // An invitation beside a row is a thing of its own, and nobody asked for it to go.
            (State::Absent, (Some(role), None)) => {
                role == "collaborator"
                    || role.starts_with("invited") && !matches!(step.expected, State::Invited { .. })
            }
            (State::Invited { role }, (Some(found), _)) => *found == format!("invited {role}"),
            (State::Member { role }, (Some(found), _)) => **role == **found,
            (State::Absent, (None, None)) | (State::Collaborator { permissions: None }, (_, Some(_))) => true,
            (State::Collaborator { permissions: Some(wished) }, (_, Some(found))) => {
                wished.iter().map(|slug| &**slug).collect::<BTreeSet<&str>>()
                    == found.iter().map(String::as_str).collect()
            }
            _ => false,
        };
        if !right {
            say(
                "wish",
                format!(
                    "{} was wished on {} and {there:?} is there",
                    step.wished.words(),
                    step.resource.name
                ),
            );
        }
    }
    let Some(step) = plan.steps.first() else { return broken };
    let email = step.person.email.to_lowercase();
    let id = scene.simulator.edit(|world| world.person_id(&email)).flatten().map(|id| id.to_string());
    let (mut held, mut invited, mut teams) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    let Some(lines) = stored(scene, &email).await else { return broken };
    for grant in lines {
        let resource = (grant.resource.resource_type.as_str().to_owned(), grant.resource.id.to_string());
        if grant.resource.resource_type == ResourceType::Team {
            teams.insert(resource.1.clone(), grant.resource.name.to_string());
        }
        if grant.principal.kind == PrincipalKind::User {
            held.insert((
                resource.0,
                resource.1,
                grant.entitlement.to_string(),
                grant.principal.id.to_string(),
            ));
        } else {
            invited.insert((resource.1, grant.entitlement.to_string()));
        }
    }
    let stale = scene.stale.contains(&email);
    let touched: BTreeSet<String> = plan.steps.iter().map(|step| step.resource.id.to_string()).collect();
    let meant = |resource: &String| !stale || touched.contains(resource);
    let mut truth = id.as_ref().map(|id| after.of(id)).unwrap_or_default();
    // A row that names no user is told from the address alone, as the operation was: whoever bears it now holds it.
    // Whom the server has no account of goes by the id that an invitation gave them.
    let id = id.or_else(|| held.first().map(|line| line.3.clone()));
    for (team, name) in teams {
        let rows = scene.simulator.edit(|world| world.members_of(&name)).unwrap_or_default();
        for (_, role) in rows.into_iter().filter(|(row, _)| row.eq_ignore_ascii_case(&email)) {
            truth.extend(role.zip(id.clone()).map(|(role, id)| ("team".to_owned(), team.clone(), role, id)));
        }
    }
    let truth: BTreeSet<_> = truth.into_iter().filter(|line| meant(&line.1)).collect();
    let held: BTreeSet<_> = held.into_iter().filter(|line| meant(&line.1)).collect();
    if held != truth {
        say(
            "store",
            format!(
                "only the store has {:?}, only the server {:?}",
                held.difference(&truth).collect::<Vec<_>>(),
                truth.difference(&held).collect::<Vec<_>>()
            ),
        );
    }
    let pending: BTreeSet<(String, String)> = after
        .invitations
        .iter()
        .filter(|row| !stale && row.email.eq_ignore_ascii_case(&email))
        .map(|row| (row.team_id.clone(), row.role.clone()))
        .collect();
    // What others did with an invitation is not read unless the operation is about one.
    let invited: BTreeSet<_> = invited.into_iter().filter(|_| !stale).collect();
    if invited != pending {
        say("store", format!("invitations {invited:?} are stored and {pending:?} pending"));
    }
    broken
}

/// The direct and pending grants of one person, as the store has them.
async fn stored(scene: &Scene, email: &str) -> Option<Vec<Grant>> {
    let mut snapshot = scene.store.snapshot(None).await.unwrap().unwrap();
    let filter = GrantFilter { user: Some(email.to_owned()), ..GrantFilter::default() };
    let mut lines = Vec::new();
    let mut take = |grant: &Grant| {
        lines.push(grant.clone());
        Ok(())
    };
    match grants(&mut snapshot, &filter, &mut take).await {
        Ok(told) => told.unwrap(),
        Err(EngineError::NotFound { .. }) => {}
        Err(EngineError::Ambiguous { .. }) => return None,
        Err(error) => panic!("{error:?}"),
    }
    Some(lines)
}
