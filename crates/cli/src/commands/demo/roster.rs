//! The made-up company's own list of who works there, as its people department would hand it over.
//!
//! Most accounts are a colleague's; some are nobody's, some belong to people who have left, and some colleagues have no account.
//!
//! Invariant: of the same people it is the same list, and it is complete: who left stays in it.

use std::collections::HashSet;

use metsuke_engine::lists::{self, UserLine};
use metsuke_model::{AsOf, Version};
use metsuke_store::Store;

/// Its name in Metsuke.
pub(super) const NAME: &str = "northwind";
/// Where colleagues have their mail; other addresses are of people from outside.
const DOMAIN: &str = "northwind.example";
/// Of so many accounts one is of nobody whom the list knows: a machine, or a mistake.
const UNKNOWN: usize = 83;
/// Of so many colleagues one has an account under a second address.
const ELSEWHERE: usize = 71;
/// Of so many colleagues one has left, and the account was forgotten.
const FORGOTTEN: usize = 131;
/// Of so many colleagues one gives the name for somebody who has no account.
const WITHOUT: usize = 17;
/// Departments, and what people in them are.
const DEPARTMENTS: [(&str, &str); 6] = [
    ("Platform", "Platform engineer"),
    ("Commerce", "Software engineer"),
    ("Data", "Data engineer"),
    ("Logistics", "Software engineer"),
    ("Finance", "Financial analyst"),
    ("Security", "Security engineer"),
];

/// The list as CSV, from the people of the estate's first version: who is no longer there has left.
///
/// # Errors
///
/// What the database said.
pub(super) async fn csv(store: &Store) -> anyhow::Result<Vec<u8>> {
    let none = metsuke_engine::EngineError::NoVersion;
    let mut first = store.snapshot(Some(AsOf::Version(Version(1)))).await?.ok_or(none)?;
    let people = lists::users(&mut first).await?;
    let none = metsuke_engine::EngineError::NoVersion;
    let mut last = store.snapshot(None).await?.ok_or(none)?;
    let there = lists::users(&mut last).await?.into_iter().filter_map(|user| user.email);
    // What was forgotten is found out with time, so the first list has none of it.
    let later = last.sync().version > Version(1);
    written(&people, &there.collect(), later)
}

fn written(people: &[UserLine], there: &HashSet<Box<str>>, later: bool) -> anyhow::Result<Vec<u8>> {
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record([
        "employee_id",
        "name",
        "email",
        "emails",
        "title",
        "department",
        "manager_email",
        "employee_type",
        "status",
    ])?;
    let addresses: HashSet<&str> = people.iter().filter_map(|person| person.email.as_deref()).collect();
    let colleagues: Vec<(&str, String)> = people
        .iter()
        .filter_map(|person| person.email.as_deref())
        .filter_map(|email| Some((email, name(email.strip_suffix(DOMAIN)?.strip_suffix('@')?))))
        .collect();
    for (place, (email, name)) in colleagues.iter().enumerate() {
        if place % UNKNOWN == UNKNOWN - 1 {
            continue;
        }
        let left = !there.contains(*email) || (later && place % FORGOTTEN == FORGOTTEN - 1);
        let second = format!("{}@mail.{DOMAIN}", email.split('@').next().unwrap_or_default());
        let own = if place % ELSEWHERE == ELSEWHERE - 1 { (second.as_str(), *email) } else { (*email, "") };
        rows.write_record(record(place, name, own, &colleagues, left))?;
        if place % WITHOUT == 0 {
            // A first name and the next one's last name: somebody else, where there is no such address.
            let other = colleagues.get(place + 1).and_then(|(_, next)| next.split(' ').next_back());
            let first = name.split(' ').next().unwrap_or_default();
            let other = format!("{first} {}", other.unwrap_or("Lind"));
            let email = format!("{}@{DOMAIN}", other.to_lowercase().replace(' ', "."));
            if !addresses.contains(email.as_str()) {
                let place = colleagues.len() + place;
                rows.write_record(record(place, &other, (&email, ""), &colleagues, false))?;
            }
        }
    }
    Ok(rows.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

/// The row of one person, of a main and perhaps a second address.
fn record(
    place: usize,
    name: &str,
    (email, other): (&str, &str),
    colleagues: &[(&str, String)],
    left: bool,
) -> [String; 9] {
    let at = place % DEPARTMENTS.len();
    let (department, title) = DEPARTMENTS.get(at).copied().unwrap_or_default();
    // The first of a department leads it.
    let lead = colleagues.get(at).map_or("", |(email, _)| *email);
    let (title, manager) =
        if lead == email { (format!("Head of {department}"), "") } else { (title.to_owned(), lead) };
    [
        format!("NW-{:04}", place + 1),
        name.to_owned(),
        email.to_owned(),
        other.to_owned(),
        title,
        department.to_owned(),
        manager.to_owned(),
        if place % 29 == 28 { "temporary" } else { "permanent" }.to_owned(),
        if left { "left" } else { "active" }.to_owned(),
    ]
}

/// The name in the first part of an address: `ada.brandt.668` is Ada Brandt.
fn name(address: &str) -> String {
    let parts = address.split('.').filter(|part| !part.chars().all(|c| c.is_ascii_digit()));
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    parts.filter_map(capital).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_an_address_without_its_number() {
        assert_eq!(name("ada.brandt.668"), "Ada Brandt");
        assert_eq!(name("deploy-bot"), "Deploy-bot");
        assert_eq!(name(""), "");
    }
}
