//! The list of people.

use metsuke_engine::desk::Placed;
use metsuke_engine::lists::PersonLine;

use super::cell::{Badge, Cell, Tone};
use super::frame::Frame;
use super::list::{Column, Spec, answer};
use super::words::{Name, When, count};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::table::Columns;

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    answer(call, &LIST).await
}

static LIST: Spec<PersonLine> = Spec {
    path: "/people",
    title: "People",
    lead: "Everybody who holds something on Heroku, once each. Open a person to see what they can reach and by which path.",
    seek: "Find by e-mail address or name",
    beside: Some(("Employees", "/people/employees")),
    columns: &[
        Column { key: "email", label: "Person", number: false, usual: true, cell: person },
        Column { key: "teams", label: "Teams", number: true, usual: true, cell: teams },
        Column { key: "admin_of", label: "Admin of", number: true, usual: true, cell: admin_of },
        Column {
            key: "enterprise_accounts",
            label: "Enterprise accounts",
            number: true,
            usual: false,
            cell: accounts,
        },
        Column { key: "two_factor", label: "Signs in with", number: false, usual: true, cell: signs_in },
        Column { key: "last_login", label: "Last sign-in", number: false, usual: true, cell: last_login },
    ],
    facets: &[
        ("", "All"),
        ("admins", "Privileged"),
        ("no-second-factor", "No second factor"),
        ("not-federated", "Not federated"),
        ("in-no-team", "In no team"),
    ],
    csv: COLUMNS,
    empty: "Nobody was read. People appear here once a connector has synced.",
};

const COLUMNS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("email", "/email"),
    ("name", "/name"),
    ("teams", "/teams"),
    ("admin_of", "/admin_of"),
    ("enterprise_accounts", "/enterprise_accounts"),
    ("manages", "/manages"),
    ("two_factor", "/two_factor"),
    ("federated", "/federated"),
    ("last_login", "/last_login"),
    ("own_account", "/own_account"),
];

fn person(row: &Placed<PersonLine>, frame: &Frame) -> Cell {
    let user = &row.row.user;
    let href = frame.object("people", &user.id, row.connector.as_deref());
    Cell::Link(Name::or(user.email.as_deref(), "no address"), href, user.name.as_deref().map(Name::new))
}

fn teams(row: &Placed<PersonLine>, _: &Frame) -> Cell {
    Cell::number(row.row.teams)
}

fn admin_of(row: &Placed<PersonLine>, _: &Frame) -> Cell {
    match (row.row.admin_of, row.row.manages) {
        (0, 0) => Cell::Nothing,
        (0, _) => Cell::Badge(Badge::new(Tone::Warn, "manages an account")),
        (teams, _) => {
            let told = count(usize::try_from(teams).unwrap_or(usize::MAX), "team", "teams");
            Cell::Badge(Badge::new(Tone::Warn, told))
        }
    }
}

fn accounts(row: &Placed<PersonLine>, _: &Frame) -> Cell {
    Cell::number(row.row.enterprise_accounts)
}

fn signs_in(row: &Placed<PersonLine>, _: &Frame) -> Cell {
    let (tone, word) = match (row.row.user.federated, row.row.user.two_factor) {
        (Some(true), _) => (Tone::Good, "identity provider"),
        (_, Some(true)) => (Tone::Good, "second factor"),
        (_, Some(false)) => (Tone::Bad, "password alone"),
        (_, None) => return Cell::Word("not shown".into()),
    };
    Cell::Badge(Badge::new(tone, word))
}

fn last_login(row: &Placed<PersonLine>, frame: &Frame) -> Cell {
    row.row.user.last_login.map_or(Cell::Nothing, |at| Cell::When(When::day(at, frame.now)))
}
