//! The same estate a little later: one small thing differs.
//!
//! Invariant: what is held on what is no more, or by whom is no more, is gone with it.

use metsuke_model::access::Mask;
use metsuke_model::record::Record;
use metsuke_model::{AccessRow, Cell, HerokuId, Records, Resource, Value};
use metsuke_testkit::Chance;

use super::{Told, estates};

/// An estate in which one thing differs: an object, one of its properties, what somebody holds, or the roster.
pub(crate) fn later(chance: &mut Chance, told: &Told) -> Told {
    let mut told = told.clone();
    let other = estates::random(&mut Chance::new(chance.number()));
    let held = Held::of(&told);
    let (estate, from) = (&mut told.estate, &other.estate);
    match chance.below(17) {
        0 | 1 => one(chance, &mut estate.users, &from.users),
        2 => one(chance, &mut estate.enterprise_accounts, &from.enterprise_accounts),
        3 => one(chance, &mut estate.teams, &from.teams),
        4 | 5 => one(chance, &mut estate.apps, &from.apps),
        6 => one(chance, &mut estate.spaces, &from.spaces),
        7 => one(chance, &mut estate.addons, &from.addons),
        8 => one(chance, &mut estate.attachments, &from.attachments),
        9 => one(chance, &mut estate.pipelines, &from.pipelines),
        10 => one(chance, &mut estate.couplings, &from.couplings),
        11 => one(chance, &mut estate.invitations, &from.invitations),
        12 => one(chance, &mut estate.unresolved_members, &from.unresolved_members),
        13 => told.employees = other.employees,
        14 if chance.percent(50) => one(chance, &mut estate.authorizations, &from.authorizations),
        14 => one(chance, &mut estate.keys, &from.keys),
        _ => {
            let resource = u32::try_from(chance.below(estate.resources.len())).unwrap();
            let principal = u32::try_from(chance.below(estate.principals.len())).unwrap();
            if !estate.resources.is_empty() && !estate.principals.is_empty() {
                estate.access.retain(|row| (row.resource, row.principal) != (resource, principal));
                estate.other_access.retain(|row| (row.0, row.1) != (resource, principal));
                if chance.percent(80) {
                    estates::hold_one(chance, estate, (resource, principal));
                }
            }
            return told;
        }
    }
    told.name_holders();
    held.put_back(&mut told);
    told
}

/// Changes, removes or adds one object.
fn one<T: Record + Clone>(chance: &mut Chance, records: &mut Records<T>, from: &Records<T>) {
    let place = chance.below(records.len());
    match (records.get(place), chance.pick(from)) {
        (Some(record), Some(other)) if chance.percent(70) => {
            let changed = mixed(chance, record, other);
            records.replace(place, changed);
        }
        (Some(_), _) if chance.percent(50) => records.edit(|records| _ = records.remove(place)),
        (_, Some(other)) if records.iter().all(|record| record.id() != other.id()) => {
            records.push(other.clone());
        }
        _ => {}
    }
}

/// A record with one property of another.
fn mixed<T: Record>(chance: &mut Chance, record: &T, other: &T) -> T {
    let own = |cell: Cell<'_>| match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => Value::Int(number),
        Cell::Text(text) => Value::Text(text.into()),
        Cell::Reference(id) => Value::Reference(id.clone()),
    };
    let mut values: Vec<Value> = record.cells().into_iter().map(own).collect();
    let mut properties = record.properties().clone();
    let place = chance.below(values.len() + 1);
    match (values.get_mut(place), other.cells().get(place)) {
        (Some(value), Some(cell)) => *value = own(*cell),
        _ => properties = other.properties().clone(),
    }
    T::from_values(record.id().clone(), values, properties)
}

/// What is held, by names and not by places.
struct Held {
    access: Vec<(Resource, HerokuId, Mask)>,
    other: Vec<(Resource, HerokuId, Box<str>)>,
}

impl Held {
    fn of(told: &Told) -> Self {
        let estate = &told.estate;
        let ends = |resource: u32, principal: u32| {
            let place = |number: u32| usize::try_from(number).unwrap();
            (estate.resources[place(resource)].clone(), estate.principals[place(principal)].clone())
        };
        let access = estate.access.iter().map(|row| {
            let (resource, principal) = ends(row.resource, row.principal);
            (resource, principal, row.mask)
        });
        let other = estate.other_access.iter().map(|(resource, principal, slug)| {
            let (resource, principal) = ends(*resource, *principal);
            (resource, principal, slug.clone())
        });
        Self { access: access.collect(), other: other.collect() }
    }

    fn put_back(self, told: &mut Told) {
        let estate = &mut told.estate;
        let place = |found: Option<usize>| found.map(|place| u32::try_from(place).unwrap());
        let ends = |resource: &Resource, principal: &HerokuId| {
            let resource = place(estate.resources.iter().position(|known| known == resource))?;
            Some((resource, place(estate.principals.iter().position(|known| known == principal))?))
        };
        estate.access = self
            .access
            .iter()
            .filter_map(|(resource, principal, mask)| {
                let (resource, principal) = ends(resource, principal)?;
                Some(AccessRow { resource, principal, mask: *mask })
            })
            .collect();
        estate.other_access = self
            .other
            .iter()
            .filter_map(|(resource, principal, slug)| {
                let (resource, principal) = ends(resource, principal)?;
                Some((resource, principal, slug.clone()))
            })
            .collect();
    }
}
