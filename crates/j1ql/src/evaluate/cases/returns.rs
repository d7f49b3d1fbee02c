//! Rules 28 to 39: what comes back, in which order, how much of it.

use super::Expected::{Keys, Ordered, OrderedRows, Refused, Rows, Tree};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case(
        28,
        "one row a path, however alike",
        "FIND heroku_team AS t THAT OWNS heroku_application RETURN t.name",
        Rows(&["t.name"], &["core", "core", "side"]),
    ),
    case(
        28,
        "AS names a column",
        "FIND heroku_application WITH name='shop' AS a RETURN a.name AS \"The app\", a.locked AS lock",
        Rows(&["The app", "lock"], &["shop | -"]),
    ),
    case(
        28,
        "a constant is a column",
        "FIND heroku_account RETURN 'x', 1.5",
        Rows(&["'x'", "1.5"], &["x | 1.5"]),
    ),
    case(
        29,
        "whole entities can be returned",
        "FIND heroku_team AS t THAT OWNS heroku_application AS a RETURN t, a",
        Rows(&["t", "a"], &["(core) | (api)", "(core) | (web)", "(side) | (shop)"]),
    ),
    case(
        29,
        "or all their properties",
        "FIND heroku_team AS t RETURN t.*",
        Rows(&["t.*"], &["(core)", "(side)"]),
    ),
    case(
        30,
        "a tree is all that the paths pass, once",
        "FIND heroku_space THAT HOSTS heroku_application THAT HAS heroku_addon RETURN TREE",
        Tree(&["eu", "api", "db", "logs"], 3),
    ),
    case(
        31,
        "UNIQUE leaves each row once",
        "FIND UNIQUE heroku_team AS t THAT OWNS heroku_application RETURN t.name",
        Rows(&["t.name"], &["core", "side"]),
    ),
    case(31, "UNIQUE without RETURN says nothing", "FIND UNIQUE heroku_team", Keys(&["core", "side"])),
    case(
        32,
        "aggregates over everything are one row",
        "FIND heroku_application AS a RETURN count(a), sum(a.repoSizeBytes) AS s, avg(a.slugSizeBytes) AS v, min(a.repoSizeBytes) AS least, max(a.repoSizeBytes) AS most",
        Rows(&["count(a)", "s", "v", "least", "most"], &["4 | 4500 | 250 | 500 | 3000"]),
    ),
    case(
        32,
        "other columns group",
        "FIND heroku_team AS t THAT OWNS heroku_application AS a RETURN t.name, count(a) AS apps",
        Rows(&["t.name", "apps"], &["core | 2", "side | 1"]),
    ),
    case(
        32,
        "count counts distinct entities, and count(*) paths",
        "FIND heroku_application AS a THAT HAS heroku_addon RETURN count(a), count(*) AS paths",
        Rows(&["count(a)", "paths"], &["2 | 3"]),
    ),
    case(
        32,
        "count of a property counts its distinct values",
        "FIND heroku_application AS a RETURN count(a.teamName)",
        Rows(&["count(a.teamName)"], &["2"]),
    ),
    case(
        32,
        "over nothing there is one row",
        "FIND Nothing AS n RETURN count(n), sum(n.x), avg(n.x)",
        Rows(&["count(n)", "sum(n.x)", "avg(n.x)"], &["0 | 0 | -"]),
    ),
    case(32, "but no group", "FIND Nothing AS n RETURN n.name, count(n)", Rows(&["n.name", "count(n)"], &[])),
    case(
        32,
        "names of functions have any case",
        "FIND heroku_team AS t RETURN COUNT(t)",
        Rows(&["COUNT(t)"], &["2"]),
    ),
    case(
        33,
        "groups are those of all other columns together",
        "FIND heroku_account AS c THAT HAS heroku_team AS t THAT OWNS heroku_application AS a RETURN c.name, t.name, count(a)",
        Rows(&["c.name", "t.name", "count(a)"], &["Acme | core | 2"]),
    ),
    case(
        35,
        "numbers can be counted with",
        "FIND heroku_application WITH name='api' AS a RETURN a.repoSizeBytes + a.slugSizeBytes * 2 AS x, (a.repoSizeBytes - 200) / 4 AS y, 2 ^ 3 AS z",
        Rows(&["x", "y", "z"], &["1600 | 200 | 8"]),
    ),
    case(
        35,
        "what cannot be counted is absent",
        "FIND heroku_application WITH name='api' AS a RETURN a.repoSizeBytes / 0 AS x, a.name + 1 AS y",
        Rows(&["x", "y"], &["- | -"]),
    ),
    case(
        35,
        "aggregates can be counted with",
        "FIND heroku_application AS a RETURN sum(a.repoSizeBytes) * 0.5 AS half",
        Rows(&["half"], &["2250"]),
    ),
    case(
        35,
        "times are milliseconds",
        "FIND heroku_application WITH name='api' AS a RETURN (a.releasedOn - a.createdOn) / 86400000 AS days",
        Rows(&["days"], &["10"]),
    ),
    case(
        36,
        "numbers are rounded away from zero, or as asked",
        "FIND heroku_account RETURN abs(2 - 5) AS a, sqrt(9) AS b, ceil(1.2) AS c, floor(1.8) AS d, round(2.5) AS e, round(-2.5) AS f",
        Rows(&["a", "b", "c", "d", "e", "f"], &["3 | 3 | 2 | 1 | 3 | -3"]),
    ),
    case(
        36,
        "the first that is there, all as text, all in a list",
        "FIND heroku_application WITH name='shop' AS a RETURN coalesce(a.webLink, a.region, 'none') AS x, concat(a.name, '/', 3, true, a.webLink) AS y, merge(a.name, a.webLink, a.region) AS z",
        Rows(&["x", "y", "z"], &["eu | shop/3true | [\"shop\",\"eu\"]"]),
    ),
    case(
        36,
        "functions stand in RETURN alone",
        "FIND heroku_application AS a WHERE abs(a.repoSizeBytes)=500",
        Refused,
    ),
    case(
        38,
        "what is absent comes last",
        "FIND heroku_application AS a RETURN a.name ORDER BY a.repoSizeBytes",
        OrderedRows(&["a.name"], &["blog", "api", "web", "shop"]),
    ),
    case(
        38,
        "descending, too",
        "FIND heroku_application AS a RETURN a.name ORDER BY a.repoSizeBytes DESC",
        OrderedRows(&["a.name"], &["web", "api", "blog", "shop"]),
    ),
    case(
        38,
        "several keys, the first one first",
        "FIND heroku_application AS a RETURN a.teamName, a.name ORDER BY a.teamName DESC, a.name",
        OrderedRows(&["a.teamName", "a.name"], &["side | shop", "core | api", "core | web", "- | blog"]),
    ),
    case(
        38,
        "a column's alias sorts",
        "FIND heroku_team AS t THAT OWNS heroku_application AS a RETURN t.name, count(a) AS apps ORDER BY apps",
        OrderedRows(&["t.name", "apps"], &["side | 1", "core | 2"]),
    ),
    case(
        38,
        "without RETURN the starting entities are sorted",
        "FIND heroku_application AS a ORDER BY a.name DESC",
        Ordered(&["web", "shop", "blog", "api"]),
    ),
    case(
        38,
        "rows that stand for several paths are sorted by their columns",
        "FIND UNIQUE heroku_application AS a RETURN a.teamName ORDER BY a.name",
        Refused,
    ),
    case(
        39,
        "SKIP and LIMIT cut the sorted rows",
        "FIND heroku_application AS a RETURN a.name ORDER BY a.name SKIP 1 LIMIT 2",
        OrderedRows(&["a.name"], &["blog", "shop"]),
    ),
    case(
        39,
        "and starting entities",
        "FIND heroku_application AS a ORDER BY a.name SKIP 3 LIMIT 2",
        Ordered(&["web"]),
    ),
];
