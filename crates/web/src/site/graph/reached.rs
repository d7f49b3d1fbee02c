//! The picture of what one person reaches.
//!
//! Invariant: apps that are joined alike are one node from the start where nobody looks at them one by one, and the picture is the
//! same as if each of them had been gathered: who reaches very much is drawn as quickly as anybody.

use std::collections::HashMap;
use std::sync::Arc;

use metsuke_engine::access::{Clause, Reach, Reason};
use metsuke_engine::desk::Single;
use metsuke_model::Grant;

use super::hand::Hand;
use super::read::{Found, role};
use super::scene::{ALIKE, Kind, Scene};
use crate::site::words::count;

/// Where lines to an app begin, and what they say: each once and in order.
type Lines = Vec<(usize, String)>;

/// What surrounds a person. With `folded` apps stand together that nobody wants to see by themselves.
pub(super) fn person(single: &Single<Arc<Reach>>, folded: Option<&Hand>) -> Found {
    let found = &single.found;
    let mut scene = Scene::default();
    let title = found.principal.email.as_deref().unwrap_or("no address").to_owned();
    let middle = scene.node(Kind::Person, &found.principal.id.to_string(), &title);
    for grant in &found.roles {
        let place = role(&mut scene, grant);
        scene.join(middle, place, &grant.entitlement);
    }
    let by_team: HashMap<&str, &Grant> =
        found.roles.iter().rev().map(|grant| (&*grant.resource.name, grant)).collect();
    let mut groups: Vec<(Lines, usize)> = Vec::with_capacity(found.groups.len());
    for group in &found.groups {
        let line = |clause: &Clause| {
            let words: Vec<&str> = clause.entitlements.iter().map(|one| &**one).collect();
            let from = match &clause.reason {
                Reason::Role { team, .. } => by_team.get(&**team).map(|grant| role(&mut scene, grant)),
                _ => None,
            };
            (from.unwrap_or(middle), words.join(", "))
        };
        let mut lines: Lines = group.clauses.iter().map(line).collect();
        lines.sort_unstable();
        lines.dedup();
        groups.push((lines, group.apps));
    }
    let apps = found.apps().map(|app| (app.id, app.name, app.group));
    put(&mut scene, &groups, apps, folded);
    let told = vec![format!("Reaches {}.", count(found.count(), "app", "apps"))];
    Found { scene, middle: Some(middle), title, told, readings: vec![single.reading.clone()] }
}

/// Puts apps into the scene, each with its id, its name and its group, and joins them as the group's lines say.
fn put<'a, I: ToString + 'a>(
    scene: &mut Scene,
    groups: &[(Lines, usize)],
    apps: impl Iterator<Item = (&'a I, &'a str, usize)>,
    folded: Option<&Hand>,
) {
    let mut bundles = folded.map(|hand| Bundles::of(scene, groups, hand)).unwrap_or_default();
    let keeps = folded.filter(|hand| hand.kept() > 0);
    for (id, name, group) in apps {
        let bundle = bundles.of_group.get(group).copied().flatten();
        let stands = |hand: &Hand| hand.keeps(&Scene::key(Kind::App, &id.to_string()));
        if bundle.is_some() && !keeps.is_some_and(stands) {
            continue;
        }
        if let Some(bundle) = bundle.and_then(|bundle| bundles.all.get_mut(bundle)) {
            bundle.apps -= 1;
        }
        let place = scene.node(Kind::App, &id.to_string(), name);
        join(scene, groups.get(group), place);
    }
    for Bundle { key, apps, group } in bundles.all.into_iter().filter(|bundle| bundle.apps > 0) {
        let place = scene.bundle(Kind::App, key, apps);
        join(scene, groups.get(group), place);
    }
}

fn join(scene: &mut Scene, group: Option<&(Lines, usize)>, place: usize) {
    for (from, words) in group.map(|(lines, _)| lines).into_iter().flatten() {
        scene.join(*from, place, words);
    }
}

/// Apps that are joined alike, of which none is to be seen by itself.
struct Bundle {
    key: String,
    apps: usize,
    /// The first of the groups that it is made of.
    group: usize,
}

/// What stands together.
#[derive(Default)]
struct Bundles {
    all: Vec<Bundle>,
    /// The bundle of each group.
    of_group: Vec<Option<usize>>,
}

impl Bundles {
    fn of(scene: &Scene, groups: &[(Lines, usize)], hand: &Hand) -> Self {
        let mut alike: HashMap<&Lines, usize> = HashMap::new();
        for (lines, apps) in groups {
            *alike.entry(lines).or_default() += apps;
        }
        let mut bundles = Self::default();
        let mut known: HashMap<&Lines, Option<usize>> = HashMap::new();
        for (group, (lines, _)) in groups.iter().enumerate() {
            let apps = alike.get(lines).copied().unwrap_or_default();
            let bundle = *known.entry(lines).or_insert_with(|| {
                let key =
                    scene.key_of_alike(Kind::App, lines.iter().map(|(from, words)| (*from, words.as_str())));
                // A pinned app leaves its group, so that the rest of it may be too few to stand together.
                let folds = apps >= ALIKE + hand.kept() && hand.folds(&key);
                folds.then(|| {
                    bundles.all.push(Bundle { key, apps, group });
                    bundles.all.len() - 1
                })
            });
            bundles.of_group.push(bundle);
        }
        bundles
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What is drawn, in no order: nodes by key with what they stand for, and edges by the keys of their ends.
    type Drawn = (BTreeSet<(String, String, usize)>, BTreeSet<(String, String, String)>);

    fn drawn(groups: &[(Lines, usize)], hand: &Hand, folded: bool) -> (usize, Drawn) {
        let mut scene = Scene::default();
        let middle = scene.node(Kind::Person, "ann", "ann");
        for team in ["t0", "t1", "t2"] {
            let place = scene.node(Kind::Team, team, team);
            scene.join(middle, place, "admin");
        }
        let mut apps = Vec::new();
        for (place, (_, size)) in groups.iter().enumerate() {
            apps.extend((0..*size).map(|number| (format!("{place}-{number}"), place)));
        }
        let apps = apps.iter().map(|(id, group)| (id, id.as_str(), *group));
        put(&mut scene, groups, apps, folded.then_some(hand));
        let gathered = scene.nodes.len();
        let (shown, _) = hand.drawn(&Found {
            scene,
            middle: Some(middle),
            title: String::new(),
            told: Vec::new(),
            readings: Vec::new(),
        });
        let key = |place: usize| shown.nodes.get(place).map(|node| node.key.clone()).unwrap_or_default();
        let nodes = shown.nodes.iter().map(|node| (node.key.clone(), node.name.clone(), node.stands_for));
        let edges = shown.edges.iter().map(|edge| (key(edge.from), key(edge.to), edge.label.clone()));
        (gathered, (nodes.collect(), edges.collect()))
    }

    #[test]
    fn what_is_folded_from_the_start_is_drawn_as_if_each_app_had_been_gathered() {
        let mut spared = 0;
        for seed in 0..200_usize {
            let mut random = seed.wrapping_mul(31) + 7;
            let mut next = |below: usize| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) % below
            };
            let words = ["deploy", "view", "deploy, view"];
            let groups: Vec<(Lines, usize)> = (0..=next(9))
                .map(|_| {
                    let mut lines: Lines =
                        (0..next(4)).map(|_| (next(4), words[next(3)].to_owned())).collect();
                    lines.sort_unstable();
                    lines.dedup();
                    (lines, [1, 3, 4, 5, 7, 150, 400][next(7)])
                })
                .collect();
            let pinned = (0..next(4)).map(|_| format!("app~{}-{}", next(3), next(6))).collect();
            let opened = (0..next(3)).map(|_| format!("app*team~t{}*{}", next(3), words[next(3)])).collect();
            let hand = Hand::having(opened, pinned);
            let ((all, each), (some, folded)) = (drawn(&groups, &hand, false), drawn(&groups, &hand, true));
            assert_eq!(each, folded, "seed {seed}");
            spared += all - some;
        }
        assert!(spared > 10_000, "{spared} nodes");
    }
}
