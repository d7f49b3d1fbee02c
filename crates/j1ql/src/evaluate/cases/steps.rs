//! Rules 18 to 27 and 37: from one entity to the next.

use super::Expected::{Keys, Refused, Rows};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case(
        18,
        "a step goes along the arrow",
        "FIND heroku_application THAT HAS heroku_addon",
        Keys(&["api", "web"]),
    ),
    case(
        18,
        "and against it",
        "FIND heroku_addon THAT HAS heroku_application",
        Keys(&["db", "cache", "logs"]),
    ),
    case(19, "an arrow wants its direction", "FIND heroku_addon THAT HAS >> heroku_application", Keys(&[])),
    case(
        19,
        "or the other one",
        "FIND heroku_addon THAT HAS << heroku_application",
        Keys(&["db", "cache", "logs"]),
    ),
    case(
        20,
        "RELATES TO is any verb",
        "FIND heroku_addon THAT RELATES TO heroku_application WITH name='web'",
        Keys(&["db", "cache"]),
    ),
    case(
        20,
        "TO behind another verb says nothing",
        "FIND User THAT assigned TO heroku_application",
        Keys(&["bob", "cat", "dan"]),
    ),
    case(
        21,
        "one of several verbs will do",
        "FIND (heroku_team|User|heroku_space) THAT (OWNS | HOSTS) heroku_application",
        Keys(&["core", "side", "bob", "eu"]),
    ),
    case(
        22,
        "a negated step keeps who has no such neighbour",
        "FIND heroku_application THAT !HAS heroku_addon",
        Keys(&["shop", "blog"]),
    ),
    case(
        22,
        "honouring the neighbour's condition",
        "FIND User THAT !ASSIGNED heroku_application WITH name='api'",
        Keys(&["ann", "dan"]),
    ),
    case(22, "and the direction", "FIND heroku_team THAT !HAS << heroku_account", Keys(&["side"])),
    case(
        22,
        "with several verbs",
        "FIND heroku_application THAT !(HAS|USES) heroku_addon WITH service='papertrail'",
        Keys(&["web", "shop", "blog"]),
    ),
    case(22, "with any verb", "FIND employee THAT !RELATES TO *", Keys(&["employee:3"])),
    case(
        22,
        "what comes behind belongs to what must not be",
        "FIND heroku_team THAT !OWNS heroku_application THAT HAS heroku_addon WITH service='heroku-redis'",
        Keys(&["side"]),
    ),
    case(
        22,
        "names in it are unknown outside",
        "FIND heroku_application THAT !HAS heroku_addon AS d RETURN d.name",
        Refused,
    ),
    case(
        23,
        "each step goes on from the last",
        "FIND heroku_account THAT HAS heroku_team THAT OWNS heroku_application THAT HAS heroku_addon AS a RETURN a.service",
        Rows(&["a.service"], &["heroku-postgresql", "heroku-redis", "papertrail"]),
    ),
    case(
        24,
        "entities and relationships are named with AS",
        "FIND User WITH mfaEnabled=true AS u THAT HAS AS h heroku_team AS t RETURN u.username, h.role, t.name",
        Rows(
            &["u.username", "h.role", "t.name"],
            &["ann@acme.com | admin | core", "ann@acme.com | collaborator | side"],
        ),
    ),
    case(
        25,
        "classes and types are names, too",
        "FIND User THAT IS employee RETURN User.username, employee.title",
        Rows(&["User.username", "employee.title"], &["ann@acme.com | CTO", "bob@acme.com | -"]),
    ),
    case(
        25,
        "and so are verbs",
        "FIND heroku_team THAT HAS User WHERE HAS.role='admin' RETURN heroku_team.name, User.username",
        Rows(&["heroku_team.name", "User.username"], &["core | ann@acme.com", "side | Cat@Else.org"]),
    ),
    case(25, "other names are errors", "FIND User RETURN Person.email", Refused),
    case(
        26,
        "WHERE compares what was named",
        "FIND heroku_application AS a THAT HAS heroku_addon AS d WHERE d.applicationName = a.name AND d.priceCents > a.slugSizeBytes",
        Keys(&["api", "web"]),
    ),
    case(
        26,
        "with relationships, too",
        "FIND heroku_team AS t THAT HAS AS h User AS u WHERE h.role='admin' AND u.mfaEnabled=true",
        Keys(&["core"]),
    ),
    case(
        26,
        "a text equals a list that holds it",
        "FIND User AS u THAT IS employee AS e WHERE u.email = e.emails",
        Keys(&["ann", "bob"]),
    ),
    case(
        26,
        "what is absent differs from every property",
        "FIND User AS u THAT ASSIGNED heroku_application AS a WHERE u.email != a.owner AND a.name=('web' OR 'blog')",
        Keys(&["cat", "dan"]),
    ),
    case(
        27,
        "without RETURN each starting entity comes once",
        "FIND heroku_team THAT OWNS heroku_application",
        Keys(&["core", "side"]),
    ),
    case(
        37,
        "an optional part at the end is left out where there is none",
        "FIND heroku_team AS t (THAT HAS heroku_team_invitation AS i)? RETURN t.name, i.email",
        Rows(&["t.name", "i.email"], &["core | eve@acme.com", "side | -"]),
    ),
    case(
        37,
        "what was left out is undefined",
        "FIND heroku_team AS t (THAT HAS heroku_team_invitation AS i)? WHERE i.email=undefined",
        Keys(&["side"]),
    ),
    case(
        37,
        "a step behind it starts from both ends",
        "FIND heroku_team WITH name='core' (THAT HAS heroku_space AS s)? THAT (OWNS|HOSTS) heroku_application AS a RETURN s.name, a.name",
        Rows(&["s.name", "a.name"], &["eu | api", "- | api", "- | web"]),
    ),
    case(
        37,
        "its alias is where the path stands",
        "FIND heroku_team WITH name='core' (THAT HAS heroku_space)? AS place THAT (OWNS|HOSTS) heroku_application AS a RETURN place.name, a.name",
        Rows(&["place.name", "a.name"], &["eu | api", "core | api", "core | web"]),
    ),
    case(
        37,
        "optional parts nest",
        "FIND heroku_application AS a (THAT HAS heroku_addon AS d (THAT USES << heroku_application AS b)?)? RETURN a.name, d._key, b.name",
        Rows(
            &["a.name", "d._key", "b.name"],
            &[
                "api | db | api",
                "api | db | web",
                "api | logs | -",
                "web | cache | web",
                "shop | - | -",
                "blog | - | -",
            ],
        ),
    ),
    case(
        37,
        "a condition in it decides whether it can be taken",
        "FIND heroku_application AS a (THAT HAS heroku_addon AS d WHERE d.priceCents > 2000)? RETURN a.name, d._key",
        Rows(&["a.name", "d._key"], &["api | db", "web | -", "shop | -", "blog | -"]),
    ),
    case(
        37,
        "the first of two is taken and left out",
        "FIND heroku_team WITH name='core' AS t (THAT HAS heroku_space AS s)? (THAT HOSTS heroku_application AS a)? RETURN s.name, a.name",
        Rows(&["s.name", "a.name"], &["eu | api", "- | -"]),
    ),
];
