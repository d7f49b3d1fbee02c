//! The words that a made-up company is made of.
//!
//! Not anybody real: first and last names are combined at random.
//!
//! Invariant: every app name that comes out has 3 to 30 characters of Heroku's alphabet.

use crate::value::Chance;

pub(crate) const FIRST: &[&str] = &[
    "Ada", "Amara", "Anders", "Anika", "Aisha", "Bram", "Carla", "Chidi", "Clara", "Daniel", "Daria",
    "Diego", "Elif", "Elena", "Emil", "Esther", "Farid", "Fatima", "Felix", "Fiona", "Gabriel", "Greta",
    "Hana", "Hugo", "Ines", "Ingrid", "Ivan", "Jamal", "Jana", "Joanna", "Jonas", "Kaito", "Karim", "Katya",
    "Kofi", "Lars", "Leila", "Lena", "Liam", "Lucia", "Magnus", "Maja", "Marco", "Mariam", "Mei", "Mila",
    "Nadia", "Nils", "Noor", "Olga", "Omar", "Oskar", "Paula", "Priya", "Rafael", "Rosa", "Sana", "Sofia",
    "Tariq", "Tomas", "Viktor", "Wanda", "Yara", "Yusuf",
];

pub(crate) const LAST: &[&str] = &[
    "Abbasi",
    "Adeyemi",
    "Andersson",
    "Baumann",
    "Becker",
    "Bianchi",
    "Brandt",
    "Castillo",
    "Cohen",
    "Costa",
    "Dahl",
    "Demir",
    "Dubois",
    "Eriksen",
    "Fernandes",
    "Fischer",
    "Fontaine",
    "Garcia",
    "Gruber",
    "Haddad",
    "Hansen",
    "Hoffmann",
    "Horvat",
    "Ibrahim",
    "Ito",
    "Jansen",
    "Johansson",
    "Kaplan",
    "Kaur",
    "Keller",
    "Khan",
    "Kowalski",
    "Larsen",
    "Lehmann",
    "Lindberg",
    "Lopez",
    "Marino",
    "Mensah",
    "Meyer",
    "Moreau",
    "Mueller",
    "Nakamura",
    "Nguyen",
    "Novak",
    "Okafor",
    "Olsen",
    "Park",
    "Patel",
    "Pereira",
    "Petrov",
    "Richter",
    "Rossi",
    "Santos",
    "Sato",
    "Schmidt",
    "Silva",
    "Singh",
    "Sorensen",
    "Suzuki",
    "Takahashi",
    "Vargas",
    "Weber",
    "Yilmaz",
    "Zhang",
];

/// What teams work on; also the first half of their apps' names.
pub(crate) const AREAS: &[&str] = &[
    "payments",
    "identity",
    "search",
    "checkout",
    "ledger",
    "catalog",
    "inventory",
    "shipping",
    "pricing",
    "loyalty",
    "support",
    "growth",
    "billing",
    "fraud",
    "messaging",
    "media",
    "maps",
    "analytics",
    "insights",
    "platform",
    "mobile",
    "storefront",
    "returns",
    "partners",
    "invoicing",
    "tax",
    "risk",
    "content",
    "events",
    "scheduling",
    "warehouse",
    "fleet",
    "claims",
    "onboarding",
    "compliance",
    "forecast",
    "recommend",
    "labs",
    "data",
    "internal-tools",
    "marketing",
    "careers",
    "reviews",
    "gifting",
    "orders",
    "subscriptions",
    "kiosk",
    "treasury",
];

pub(crate) const PARTS: &[&str] = &[
    "api",
    "web",
    "worker",
    "admin",
    "gateway",
    "jobs",
    "sync",
    "reports",
    "hooks",
    "cache",
    "feed",
    "mailer",
    "importer",
    "exporter",
    "dashboard",
    "auth",
    "proxy",
    "stream",
    "docs",
    "bot",
];

pub(crate) const STAGES: &[&str] = &["", "-staging", "-dev", "-qa", "-eu", "-canary"];

/// The numbered team name: areas first, then areas with a number.
pub(crate) fn team(at: usize, company: &str) -> String {
    let area = AREAS.get(at % AREAS.len()).copied().unwrap_or("team");
    match at / AREAS.len() {
        0 => format!("{company}-{area}"),
        round => format!("{company}-{area}-{}", round + 1),
    }
}

/// A name for an app of a team that works on `area`; `serial` keeps it unique where the words run out.
pub(crate) fn app(chance: &mut Chance, area: &str, serial: usize) -> String {
    let part = chance.pick(PARTS).unwrap_or("api");
    let stage = chance.pick(STAGES).unwrap_or_default();
    let short: String = area.chars().take(12).collect();
    match serial {
        0 => format!("{short}-{part}{stage}"),
        serial => format!("{short}-{part}{stage}-{serial}"),
    }
}
