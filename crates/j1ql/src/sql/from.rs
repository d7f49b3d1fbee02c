//! The tables of a branch and how they hang together.

use metsuke_model::access::Entitlement;
use metsuke_model::derive;
use metsuke_model::graph::{End, RelationSource, Table};

use super::branch::{Branch, Hop, Way};
use super::term::OTHER;

/// The tables and conditions of a branch.
#[derive(Debug, Default)]
pub(super) struct From {
    /// Tables with their aliases.
    pub(super) tables: Vec<String>,
    /// Conditions, all of which must hold.
    pub(super) conditions: Vec<String>,
}

/// The tables of a branch's own nodes and hops; `start`: the node from which the tables of access are best read.
pub(super) fn from(branch: &Branch<'_>, start: usize, include_deleted: bool) -> From {
    let mut from = From::default();
    for (number, node) in branch.nodes.iter().enumerate().skip(branch.own.0) {
        from.tables.push(format!("{} n{number}", node.entity_type.table.name()));
        if let Table::Objects(_) = node.entity_type.table {
            from.conditions.push(if include_deleted {
                format!("(n{number}.gone IS NULL OR n{number}.gone > 0)")
            } else {
                format!("n{number}.gone IS NULL")
            });
        }
    }
    for (number, hop) in branch.hops.iter().enumerate().skip(branch.own.1) {
        join(&mut from, (number, *hop), start);
    }
    from
}

/// The node that is known first when a walk begins at `start`; paths are lines, so numbers tell.
fn known_first(hop: Hop, start: usize) -> usize {
    let (low, high) = (hop.from.min(hop.to), hop.from.max(hop.to));
    if start >= high { high } else { low }
}

fn join(from: &mut From, (number, hop): (usize, Hop), start: usize) {
    let (source, target) = (format!("n{}", hop.from), format!("n{}", hop.to));
    match hop.relationship.source {
        RelationSource::Refers { holder, column } => {
            let (holder, other) = match holder {
                End::From => (source, target),
                End::To => (target, source),
            };
            from.conditions.push(format!("{holder}.{column} = {other}.id"));
        }
        RelationSource::Access { at, .. } => {
            let resource = hop.end(at);
            let user = if resource == hop.from { hop.to } else { hop.from };
            access(from, number, &format!("n{resource}.id"), user, known_first(hop, start) == user);
        }
        RelationSource::Junction { kind, from: one, to: other } => {
            from.tables.push(format!("{} e{number}", kind.table()));
            from.conditions.push(format!("e{number}.gone IS NULL"));
            from.conditions.push(format!("e{number}.{one} = {source}.id"));
            from.conditions.push(format!("e{number}.{other} = {target}.id"));
        }
        RelationSource::Matched => {
            from.tables.push(format!("employee_match e{number}"));
            from.conditions.push(format!("e{number}.user_id = {source}.id"));
            from.conditions.push(format!("e{number}.employee_id = {target}.id"));
        }
        RelationSource::Effective => effective(from, (number, hop), start),
    }
}

/// A row of access: from the table that is ordered by what is known first.
fn access(from: &mut From, number: usize, resource: &str, user: usize, user_first: bool) {
    let table = if user_first { "held" } else { "access" };
    from.tables.push(format!("{table} e{number}"));
    from.conditions.push(format!("e{number}.resource_id = {resource}"));
    from.conditions.push(format!("e{number}.principal_id = n{user}.id"));
}

fn effective(from: &mut From, (number, hop): (usize, Hop), start: usize) {
    let user_first = known_first(hop, start) == hop.from;
    let (user, app) = (hop.from, hop.to);
    match hop.way {
        Way::Row => {}
        Way::Direct => {
            access(from, number, &format!("n{app}.id"), user, user_first);
        }
        Way::Admin | Way::Member | Way::Viewer => {
            let role = match hop.way {
                Way::Admin => Entitlement::ADMIN,
                Way::Member => Entitlement::MEMBER,
                _ => Entitlement::VIEWER,
            };
            from.tables.push(format!("team t{number}"));
            from.conditions.push(format!("t{number}.gone IS NULL"));
            from.conditions.push(format!("n{app}.team = t{number}.id"));
            access(from, number, &format!("t{number}.id"), user, user_first);
            from.conditions.push(format!("(e{number}.mask & {}) <> 0", role.mask().0));
            if hop.way != Way::Admin {
                from.conditions.push(format!("COALESCE(n{app}.locked, 0) = 0"));
            }
        }
        Way::Owner => {
            from.conditions.push(format!("n{app}.owner = n{user}.id"));
            from.conditions.push(format!(
                "NOT EXISTS (SELECT 1 FROM team t WHERE t.id = n{app}.team AND t.gone IS NULL)"
            ));
        }
    }
}

/// Whether a team, by its alias, is one of a Heroku Enterprise account.
fn is_enterprise(team: &str) -> String {
    format!("({team}.listed = 1 AND ({team}.type = 'enterprise' OR {team}.enterprise_account IS NOT NULL))")
}

/// The permissions that a way of effective access gives, as bits.
///
/// Source: [`metsuke_model::derive`], whose rules this writes in SQL.
pub(super) fn effective_bits(number: usize, hop: Hop) -> String {
    let (view, all) = (Entitlement::VIEW.mask().0, derive::ALL.0);
    let work = view | Entitlement::DEPLOY.mask().0 | Entitlement::OPERATE.mask().0;
    match hop.way {
        Way::Row => "0".to_owned(),
        Way::Admin | Way::Owner => all.to_string(),
        Way::Member => {
            format!("CASE WHEN {} THEN {view} ELSE {work} END", is_enterprise(&format!("t{number}")))
        }
        Way::Viewer => view.to_string(),
        Way::Direct => {
            let bits = format!("e{number}.mask");
            let collaborator = Entitlement::COLLABORATOR.mask().0;
            let beyond = (all & !view) | OTHER;
            let named = all | OTHER;
            // A collaborator works on apps of standard teams and of persons; of a team that no list names, the row tells.
            let standard = format!(
                "COALESCE((SELECT CASE WHEN t.listed = 1 THEN \
                 CASE WHEN {} THEN 0 ELSE 1 END \
                 ELSE CASE WHEN ({bits} & {named}) = 0 THEN 1 ELSE 0 END END \
                 FROM team t WHERE t.id = n{}.team AND t.gone IS NULL), 1)",
                is_enterprise("t"),
                hop.to
            );
            format!(
                "({bits} | CASE WHEN ({bits} & {beyond}) <> 0 THEN {view} ELSE 0 END \
                 | CASE WHEN ({bits} & {collaborator}) <> 0 AND {standard} = 1 THEN {work} ELSE 0 END)"
            )
        }
    }
}

/// The version that a relationship came with; `None` where nothing tells.
pub(super) fn since(branch: &Branch<'_>, (number, hop): (usize, Hop)) -> Option<String> {
    let own = |end| match branch.nodes.get(hop.end(end))?.entity_type.table {
        Table::Objects(_) => Some(format!("n{}.since", hop.end(end))),
        Table::Employees => None,
    };
    match (hop.relationship.source, hop.way) {
        (RelationSource::Refers { holder, .. }, _) => own(holder),
        (RelationSource::Effective, Way::Owner) => own(End::To),
        (RelationSource::Access { .. } | RelationSource::Effective, _) => Some(format!(
            "(SELECT x.since FROM access x WHERE x.resource_id = e{number}.resource_id \
             AND x.principal_id = e{number}.principal_id)"
        )),
        (RelationSource::Junction { .. } | RelationSource::Matched, _) => Some(format!("e{number}.since")),
    }
}
