//! The tables of a branch and how they hang together.

use metsuke_model::access::Entitlement;
use metsuke_model::derive;
use metsuke_model::graph::{End, RelationSource, Table};

use super::branch::{Branch, Hop, Way};
use super::term::OTHER;
use super::truth::Truth;

/// The tables and conditions of a branch.
#[derive(Debug, Default)]
pub(super) struct From {
    /// Tables with their aliases.
    pub(super) tables: Vec<String>,
    /// Conditions, all of which must hold.
    pub(super) conditions: Vec<String>,
}

/// The tables of a branch's own nodes and hops, in the order in which a walk from its start meets them.
pub(super) fn from(branch: &Branch<'_>, include_deleted: bool) -> From {
    let mut from = From::default();
    let mut met = vec![false; branch.nodes.len()];
    met.iter_mut().take(branch.own.0).for_each(|met| *met = true);
    // An end from which nothing goes on is looked up when the rest of the path is there.
    let mut last = None;
    let mut hops: Vec<(usize, Hop)> = branch.hops.iter().copied().enumerate().skip(branch.own.1).collect();
    if let Some(place) = branch.first.and_then(|first| hops.iter().position(|(number, _)| *number == first)) {
        let (number, hop) = hops.remove(place);
        join(&mut from, (number, hop), resource(hop));
        let goes_on = |node: usize| hops.iter().any(|(_, hop)| hop.from == node || hop.to == node);
        let (next, other) = if goes_on(hop.to) { (hop.to, hop.from) } else { (hop.from, hop.to) };
        meet(&mut from, branch, (next, &mut met), include_deleted);
        if goes_on(other) || !goes_on(next) {
            meet(&mut from, branch, (other, &mut met), include_deleted);
        } else {
            last = Some(other);
        }
    } else if branch.start >= branch.own.0 {
        meet(&mut from, branch, (branch.start, &mut met), include_deleted);
    }
    while let Some(next) = hops.iter().position(|(_, hop)| known(&met, hop.from) != known(&met, hop.to)) {
        let (number, hop) = hops.remove(next);
        let (before, after) = if known(&met, hop.from) { (hop.from, hop.to) } else { (hop.to, hop.from) };
        join(&mut from, (number, hop), before);
        meet(&mut from, branch, (after, &mut met), include_deleted);
    }
    if let Some(last) = last {
        meet(&mut from, branch, (last, &mut met), include_deleted);
    }
    from
}

/// The dense id of a node, by its alias, from the row that led there, so that it is known before its own is read.
pub(super) fn known_id(branch: &Branch<'_>, alias: &str) -> String {
    let node = alias.strip_prefix('n').and_then(|number| number.parse().ok());
    node.and_then(|node| reference_to(branch, node)).unwrap_or_else(|| format!("{alias}.id"))
}

fn reference_to(branch: &Branch<'_>, node: usize) -> Option<String> {
    if node < branch.own.0 {
        return end_around(branch, node);
    }
    let leads_there = |(number, hop): &(usize, Hop)| {
        let (low, high) = (hop.from.min(hop.to), hop.from.max(hop.to));
        let first = branch.first == Some(*number) && (node == low || node == high);
        first || node == high && branch.start <= low || node == low && branch.start >= high
    };
    let mut own = branch.hops.iter().copied().enumerate().skip(branch.own.1);
    let (number, hop) = own.find(leads_there)?;
    column_for(hop, number, node)
}

/// The same for a node of the branch around this one at which a path ends: whatever lies beyond was joined by way of it.
fn end_around(branch: &Branch<'_>, node: usize) -> Option<String> {
    let around = branch.hops.iter().copied().enumerate().take(branch.own.1);
    let mut there = around.filter(|(_, hop)| hop.from == node || hop.to == node);
    let (number, hop) = there.next()?;
    if there.next().is_some() { None } else { column_for(hop, number, node) }
}

/// The column of a hop's row that holds the dense id of one of its ends.
fn column_for(hop: Hop, number: usize, node: usize) -> Option<String> {
    match hop.relationship.source {
        RelationSource::Refers { holder, column } => {
            let holder = hop.end(holder);
            (holder != node).then(|| format!("n{holder}.{column}"))
        }
        RelationSource::Junction { from, to, .. } => {
            Some(format!("e{number}.{}", if node == hop.from { from } else { to }))
        }
        RelationSource::Access { at, .. } => {
            let end = if node == hop.end(at) { "resource_id" } else { "principal_id" };
            Some(format!("e{number}.{end}"))
        }
        RelationSource::Effective | RelationSource::Matched => None,
    }
}

fn known(met: &[bool], node: usize) -> bool {
    met.get(node).copied().unwrap_or_default()
}

/// The node at the end of a row of access at which the resource stands.
const fn resource(hop: Hop) -> usize {
    match hop.relationship.source {
        RelationSource::Access { at: End::From, .. } => hop.from,
        _ => hop.to,
    }
}

/// Adds the table of a node.
fn meet(from: &mut From, branch: &Branch<'_>, (number, met): (usize, &mut [bool]), include_deleted: bool) {
    let (Some(node), Some(met)) = (branch.nodes.get(number), met.get_mut(number)) else { return };
    *met = true;
    from.tables.push(format!("{} n{number}", node.entity_type.table.name()));
    if let Table::Objects(_) = node.entity_type.table {
        from.conditions.push(if include_deleted {
            format!("(n{number}.gone IS NULL OR n{number}.gone > 0)")
        } else {
            format!("n{number}.gone IS NULL")
        });
    }
}

/// Adds what stands between two nodes, of which one was met before.
fn join(from: &mut From, (number, hop): (usize, Hop), before: usize) {
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
            access(from, number, &format!("n{resource}.id"), user, before == user);
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
        RelationSource::Effective => effective(from, (number, hop), before),
    }
}

/// A row of access: from the table that is ordered by what is known first.
fn access(from: &mut From, number: usize, resource: &str, user: usize, user_first: bool) {
    let table = if user_first { "held" } else { "access" };
    from.tables.push(format!("{table} e{number}"));
    from.conditions.push(format!("e{number}.resource_id = {resource}"));
    from.conditions.push(format!("e{number}.principal_id = n{user}.id"));
}

fn effective(from: &mut From, (number, hop): (usize, Hop), before: usize) {
    let (user, app) = (hop.from, hop.to);
    let user_first = before == user;
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
            let team = from.tables.len() + usize::from(user_first);
            access(from, number, &format!("t{number}.id"), user, user_first);
            from.tables.insert(team, format!("team t{number}"));
            from.conditions.push(format!("t{number}.gone IS NULL"));
            from.conditions.push(format!("n{app}.team = t{number}.id"));
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

/// The alias of the team that an app belongs to, where the walk to the app has read it already.
pub(super) fn team_of(branch: &Branch<'_>, app: usize) -> Option<String> {
    let reads_it = |(number, hop): &(usize, Hop)| {
        let beside = *number >= branch.own.1 || app < branch.own.0;
        beside && hop.to == app && matches!(hop.way, Way::Admin | Way::Member | Way::Viewer)
    };
    let mut hops = branch.hops.iter().copied().enumerate();
    hops.find(reads_it).map(|(number, _)| format!("t{number}"))
}

/// Whether a team, by its alias, is one of a Heroku Enterprise account.
fn is_enterprise(team: &str) -> String {
    format!("({team}.listed = 1 AND ({team}.type = 'enterprise' OR {team}.enterprise_account IS NOT NULL))")
}

/// A set of entitlements, as far as it is known while the statement is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    /// Those of a row: the expression of its mask.
    pub(super) row: Option<String>,
    /// Those that are always there.
    pub(super) always: u32,
    /// Those that are there under a condition.
    pub(super) sometimes: Vec<(u32, String)>,
}

impl Bits {
    /// The set as a number.
    pub(super) fn sql(&self) -> String {
        let mut parts: Vec<String> = self.row.iter().cloned().collect();
        if self.always != 0 || parts.is_empty() && self.sometimes.is_empty() {
            parts.push(self.always.to_string());
        }
        parts.extend(
            self.sometimes.iter().map(|(bits, when)| format!("CASE WHEN {when} THEN {bits} ELSE 0 END")),
        );
        match parts.len() {
            1 => parts.swap_remove(0),
            _ => format!("({})", parts.join(" | ")),
        }
    }

    /// Whether any of these is in it.
    pub(super) fn any(&self, wanted: u32) -> Truth {
        if self.always & wanted != 0 {
            return Truth::Yes;
        }
        let row = self.row.iter().map(|row| Truth::sql(format!("({row} & {wanted}) <> 0")));
        let sometimes = self.sometimes.iter().filter(|(bits, _)| bits & wanted != 0);
        Truth::any(row.chain(sometimes.map(|(_, when)| Truth::sql(format!("({when})")))).collect::<Vec<_>>())
    }
}

/// The permissions that a way of effective access gives.
///
/// Source: [`metsuke_model::derive`], whose rules this writes in SQL.
pub(super) fn effective_bits(number: usize, hop: Hop) -> Bits {
    let (view, all) = (Entitlement::VIEW.mask().0, derive::ALL.0);
    let work = Entitlement::DEPLOY.mask().0 | Entitlement::OPERATE.mask().0;
    match hop.way {
        Way::Row => Bits::default(),
        Way::Admin | Way::Owner => Bits { always: all, ..Bits::default() },
        Way::Viewer => Bits { always: view, ..Bits::default() },
        Way::Member => {
            let standard = format!("NOT COALESCE({}, FALSE)", is_enterprise(&format!("t{number}")));
            Bits { row: None, always: view, sometimes: vec![(work, standard)] }
        }
        Way::Direct => {
            let row = format!("e{number}.mask");
            let collaborator = Entitlement::COLLABORATOR.mask().0;
            let beyond = (all & !view) | OTHER;
            let named = all | OTHER;
            // A collaborator works on apps of standard teams and of persons; of a team that no list names, the row tells.
            let standard = format!(
                "COALESCE((SELECT CASE WHEN t.listed = 1 THEN \
                 CASE WHEN {} THEN 0 ELSE 1 END \
                 ELSE CASE WHEN ({row} & {named}) = 0 THEN 1 ELSE 0 END END \
                 FROM team t WHERE t.id = n{}.team AND t.gone IS NULL), 1) = 1",
                is_enterprise("t"),
                hop.to
            );
            let sometimes = vec![
                (view, format!("({row} & {beyond}) <> 0")),
                (view | work, format!("({row} & {collaborator}) <> 0 AND {standard}")),
            ];
            Bits { row: Some(row), always: 0, sometimes }
        }
    }
}

/// Whether a walk meets the user of a row of access before the resource; paths are lines, so numbers tell.
fn user_first(branch: &Branch<'_>, (number, hop): (usize, Hop)) -> bool {
    if branch.first == Some(number) {
        return false;
    }
    let (low, high) = (hop.from.min(hop.to), hop.from.max(hop.to));
    let before = if branch.start >= high { high } else { low };
    before != resource(hop)
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
        (RelationSource::Access { .. } | RelationSource::Effective, _)
            if !user_first(branch, (number, hop)) =>
        {
            Some(format!("e{number}.since"))
        }
        (RelationSource::Access { .. } | RelationSource::Effective, _) => Some(format!(
            "(SELECT x.since FROM access x WHERE x.resource_id = e{number}.resource_id \
             AND x.principal_id = e{number}.principal_id)"
        )),
        (RelationSource::Junction { .. } | RelationSource::Matched, _) => Some(format!("e{number}.since")),
    }
}
