//! Says whether what the program claims of its plans is what the simulated Heroku did and holds.
//!
//! Heroku's side is taken from the simulator's journal and state alone; the database is only asked what it claims.
//!
//! Invariant: the database that is judged after a kill is a copy, so the next process meets what the kill left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use metsuke_engine::access::{GrantFilter, grants};
use metsuke_model::audit::{Expected, FindingKind};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::plan::{PlanStatus, State, Step, StepStatus};
use metsuke_model::record::Invitation;
use metsuke_model::{Grant, ResourceType};
use metsuke_simulator::{Fate, Simulator, World};
use metsuke_store::{OpenMode, PlanRow, Select, Store};
use metsuke_testkit::sqlite;
use tempfile::TempDir;

/// What must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// One step took effect twice.
    Doubled(String),
    /// An effect that the database does not know of, or one that it claims and that is not there.
    Lost(String),
    /// Anything else.
    Other(String),
}

/// When the judge is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// After everything open was settled by reading.
    Reconciled,
    /// After the plan, or the same wish again, was carried out undisturbed.
    Applied,
}

/// A database file, or a copy of it, opened.
pub(super) struct Ledger {
    store: Store,
    file: PathBuf,
    _folder: Option<TempDir>,
}

impl Ledger {
    /// Opens a copy, as the next process would find the database.
    pub(super) async fn copied(file: &Path) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let copy = folder.path().join("copy.db");
        for ending in ["", "-wal", "-journal"] {
            let from = format!("{}{ending}", file.display());
            if Path::new(&from).exists() {
                std::fs::copy(&from, format!("{}{ending}", copy.display())).map_err(|e| e.to_string())?;
            }
        }
        let store = Store::open(&format!("sqlite:{}", copy.display()), OpenMode::Existing).await;
        let store = store.map_err(|error| format!("it does not open: {error}"))?;
        Ok(Self { store, file: copy, _folder: Some(folder) })
    }

    /// The plans that are not among those known.
    pub(super) async fn plans(&self, known: &BTreeSet<String>) -> Result<Vec<PlanRow>, String> {
        let mut plans = self.store.plans(6).await.map_err(|error| error.to_string())?;
        plans.retain(|plan| !known.contains(&plan.id));
        Ok(plans)
    }

    /// Whether the file is whole, and its audit trail as it was recorded.
    pub(super) async fn sound(&self) -> Result<(), String> {
        let sound = sqlite(&self.file, "PRAGMA integrity_check; PRAGMA foreign_key_check").await?;
        if sound != ["ok"] {
            return Err(format!("the database is not sound: {sound:?}"));
        }
        let mut log = self.store.audit_log().await.map_err(|error| error.to_string())?;
        let mut verdict = log.verify(Expected::default()).await.map_err(|error| error.to_string())?;
        // Nothing is signed here: no checkpoint was let out.
        verdict.findings.retain(|finding| finding.kind != FindingKind::NoKey);
        if verdict.is_clean() { Ok(()) } else { Err(format!("the audit trail: {:?}", verdict.findings)) }
    }

    /// How the newest version differs from what Heroku holds; `None` where it does not.
    pub(super) async fn apart(&self, heroku: &Simulator) -> Result<Option<String>, String> {
        let truth = heroku.truth();
        let there: BTreeSet<[String; 4]> = truth
            .grants()
            .map(|row| [row.resource_type.to_owned(), row.resource_id, row.entitlement, row.principal_id])
            .collect();
        let snapshot = self.store.snapshot(None).await.map_err(|error| error.to_string())?;
        let mut snapshot = snapshot.ok_or("there is no version")?;
        let mut here = BTreeSet::new();
        let mut take = |grant: &Grant| {
            if grant.principal.kind == PrincipalKind::User {
                let (resource, person) = (&grant.resource, &grant.principal.id);
                let kind = resource.resource_type.as_str().to_owned();
                here.insert([
                    kind,
                    resource.id.to_string(),
                    grant.entitlement.to_string(),
                    person.to_string(),
                ]);
            }
            Ok(())
        };
        let streamed = grants(&mut snapshot, &GrantFilter::default(), &mut take).await;
        streamed.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let invitations = snapshot.objects::<Invitation>(&Select::All).await.map_err(|e| e.to_string())?;
        let invited: BTreeSet<String> =
            invitations.iter().map(|stored| stored.record.id.to_string()).collect();
        let inviting: BTreeSet<String> = truth.invitations().map(|row| row.invitation_id).collect();
        if here == there && invited == inviting {
            return Ok(None);
        }
        let missing: Vec<_> = there.difference(&here).take(4).collect();
        let extra: Vec<_> = here.difference(&there).take(4).collect();
        let unknown: Vec<_> = inviting.difference(&invited).take(4).collect();
        let gone: Vec<_> = invited.difference(&inviting).take(4).collect();
        Ok(Some(format!("missing {missing:?} {unknown:?}, extra {extra:?} {gone:?}")))
    }
}

/// How the person of a step stands to its resource, in Heroku's own state.
fn standing(world: &World, step: &Step) -> State {
    let (resource, email) = (step.resource.id.to_string(), &*step.person.email);
    if step.resource.resource_type == ResourceType::App {
        let permissions = world.permissions_on(&resource, email);
        return permissions.map_or(State::Absent, |held| State::Collaborator {
            permissions: Some(held.into_iter().map(Into::into).collect()),
        });
    }
    let invited = world.invitations_of(&resource).into_iter().find(|(to, _)| to.eq_ignore_ascii_case(email));
    // The row of somebody who works on apps of the team is another matter than an invitation to it.
    let about_invitation =
        invited.is_some() || matches!((&step.expected, &step.wished), (State::Invited { .. }, State::Absent));
    let row = world.role_in(&resource, email);
    if let Some(role) = row.filter(|role| role != "collaborator" || !about_invitation) {
        return State::Member { role: role.into() };
    }
    let role = invited.map(|(_, role)| role.unwrap_or_default());
    role.map_or(State::Absent, |role| State::Invited { role: role.into() })
}

/// What is wrong with the plans of a round, in a Heroku that has settled since.
pub(super) fn judge(heroku: &Simulator, plans: &[PlanRow], when: When) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut applied: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for write in heroku.journal().writes {
        let changed = usize::from(write.changed());
        if matches!(write.fate, Fate::Waiting { .. }) {
            wrong.push(Wrong::Other(format!("{} {} still waits", write.method, write.path)));
        }
        if matches!(write.fate, Fate::Applied { .. }) {
            let counted = applied.entry((write.method, write.path)).or_default();
            *counted = (counted.0 + 1, counted.1 + changed);
        }
    }
    for ((method, path), (times, changed)) in &applied {
        if *times > 1 {
            let told =
                format!("{method} {path} was applied {times} times, and changed something {changed} times");
            wrong.push(Wrong::Doubled(told));
        }
        let meant = |step: &Step| *step.call.method == **method && *step.call.path == **path;
        if !plans.iter().flat_map(|plan| &plan.plan.steps).any(meant) {
            wrong.push(Wrong::Lost(format!("{method} {path} was applied, and no plan has it")));
        }
    }
    let heroku = |step: &Step| heroku.edit(|world| standing(world, step)).unwrap_or(State::Absent);
    for plan in plans {
        for step in &plan.plan.steps {
            let stored = plan.steps.iter().find(|stored| stored.ordinal == step.ordinal);
            let Some(status) = stored.map(|stored| stored.status) else {
                wrong.push(Wrong::Lost(format!("plan {} has lost step {}", plan.id, step.ordinal)));
                continue;
            };
            let call = (step.call.method.to_string(), step.call.path.to_string());
            let changed = applied.get(&call).is_some_and(|(_, changed)| *changed > 0);
            let found = heroku(step);
            let told = format!("plan {}, step {}, {} {}", plan.id, step.ordinal, call.0, call.1);
            let there = step.wished.fulfilled_by(&found);
            match status {
                StepStatus::Verified if !there => {
                    wrong.push(Wrong::Lost(format!("{told}: called done, and there is {}", found.words())));
                }
                StepStatus::Verified => {}
                StepStatus::Intent | StepStatus::Sent | StepStatus::Confirmed | StepStatus::Unknown => {
                    wrong.push(Wrong::Other(format!("{told}: still {}", status.as_str())));
                }
                // Another plan for the same wish may have finished it.
                _ if changed && there && plans.len() == 1 => {
                    wrong.push(Wrong::Lost(format!("{told}: it is there, and called {}", status.as_str())));
                }
                _ => {}
            }
        }
        let done = plan.steps.iter().all(|step| step.status == StepStatus::Verified);
        if plan.status == PlanStatus::Applied && !done {
            wrong.push(Wrong::Lost(format!("plan {} is called applied, and its steps are not", plan.id)));
        }
    }
    let finished = |plan: &PlanRow| plan.status == PlanStatus::Applied;
    if when == When::Applied && !plans.is_empty() && !plans.iter().any(finished) {
        let told: Vec<_> =
            plans.iter().map(|plan| (&plan.id, plan.status, &plan.told, &plan.plan.title)).collect();
        wrong.push(Wrong::Other(format!("nothing is applied: {told:?}")));
    }
    wrong
}
