//! The grants on one resource as small rows, before messages are made of them.
//!
//! What a reader's own expansion would add is worked out here, by the ecosystem's rules: whoever directly holds the
//! source of an edge holds its target; a grant that is there already gets the source added, and counts as its own first
//! source; otherwise there is a new grant that nobody can take away.
//!
//! Source: grant expansion of baton-sdk, shallow edges only.
//!
//! Invariant: at most one row for an entitlement and a principal.

use metsuke_engine::connector::{At, Because, Source, View};
use metsuke_model::Entitlement;

use super::{Place, Type};

/// What kind of grant a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Heroku has a row for it.
    Direct,
    /// It tells that whoever holds one of the sources holds this.
    Edge,
    /// It follows from something that is no edge, for this person only: from this entitlement of the resource, a place in
    /// [`Rows::slugs`], or from owning the app where it is the row's own.
    Given(u32),
    /// It follows along edges.
    Derived,
}

/// One grant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Which entitlement: a place in [`Rows::slugs`].
    pub(super) slug: u32,
    /// Who.
    pub(super) principal: Place,
    pub(super) manner: Manner,
    /// Its sources: places in [`Rows::links`].
    sources: (u32, u32),
}

impl Row {
    /// Whether readers' expansion takes the row for a direct one: it names no source, or itself among its sources.
    fn is_source(&self) -> bool {
        match self.manner {
            Manner::Direct => true,
            Manner::Given(base) => base == self.slug,
            Manner::Edge | Manner::Derived => false,
        }
    }
}

/// The grants on one resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows<'v> {
    /// What the resource offers, as Heroku spells it.
    pub(super) slugs: Vec<&'v str>,
    /// What gives more than itself: a resource, and what has to be held on it.
    pub(super) sources: Vec<(Place, &'v str)>,
    pub(super) list: Vec<Row>,
    /// Places in `sources`, one run for each row that has any.
    links: Vec<u32>,
}

/// A target, who comes to it, and the source by which: places in `slugs` and `sources`.
///
/// Of an edge it is the resource on which the source is held; of a step along it, the person.
type Step = (u32, Place, u32);

impl<'v> Rows<'v> {
    /// The grants on a resource; `expanded` adds what follows along edges.
    pub(super) fn new(view: &'v View, place: Place, expanded: bool) -> Self {
        let Some(at) = place.held() else { return Self::default() };
        let mut rows = Self { slugs: view.slugs(at), ..Self::default() };
        for (user, slug) in view.direct(at) {
            rows.add(slug, Place::new(Type::User, user), Manner::Direct);
        }
        let At::App(app) = at else { return rows };
        let edges = rows.add_edges(view, app);
        for given in view.given(app) {
            let base = match given.because {
                Because::Owner => given.entitlement.slug(),
                Because::Collaborator => Entitlement::COLLABORATOR.slug(),
            };
            if let Some(base) = rows.slug(base) {
                let slug = given.entitlement.slug();
                rows.add(slug, Place::new(Type::User, given.user), Manner::Given(base));
            }
        }
        if expanded {
            rows.expand(view, &edges);
        }
        rows
    }

    /// The sources of a row: places in `sources`.
    pub(super) fn sources_of(&self, row: &Row) -> &[u32] {
        self.links.get(row.sources.0 as usize..row.sources.1 as usize).unwrap_or_default()
    }

    fn add(&mut self, slug: &str, principal: Place, manner: Manner) {
        if let Some(slug) = self.slug(slug) {
            self.list.push(Row { slug, principal, manner, sources: (0, 0) });
        }
    }

    fn slug(&self, slug: &str) -> Option<u32> {
        self.slugs.iter().position(|known| *known == slug).and_then(|at| u32::try_from(at).ok())
    }

    /// One row for each target and resource whose entitlements lead there; gives back the edges.
    fn add_edges(&mut self, view: &'v View, app: usize) -> Vec<Step> {
        let mut edges: Vec<Step> = Vec::new();
        for edge in view.edges(app) {
            let (resource, slug) = match edge.source {
                Source::Team(team, role) => (Place::new(Type::Team, team), role),
                Source::Own(slug) => (Place::new(Type::App, app), slug),
            };
            if let Some(target) = self.slug(edge.target.slug()) {
                edges.push((target, resource, self.source((resource, slug))));
            }
        }
        edges.sort_unstable();
        edges.dedup();
        for run in edges.chunk_by(|left, right| (left.0, left.1) == (right.0, right.1)) {
            let Some((slug, principal, _)) = run.first().copied() else { continue };
            let sources = self.link(run.iter().map(|edge| edge.2));
            self.list.push(Row { slug, principal, manner: Manner::Edge, sources });
        }
        edges
    }

    fn source(&mut self, source: (Place, &'v str)) -> u32 {
        let at = self.sources.iter().position(|known| *known == source).unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    fn link(&mut self, sources: impl Iterator<Item = u32>) -> (u32, u32) {
        let end = |links: &Vec<u32>| u32::try_from(links.len()).unwrap_or(u32::MAX);
        let start = end(&self.links);
        self.links.extend(sources);
        (start, end(&self.links))
    }

    /// Adds sources to the rows of users that edges explain as well, and rows for what only edges explain.
    fn expand(&mut self, view: &View, edges: &[Step]) {
        let user = |at: usize| Place::new(Type::User, at);
        let mut steps: Vec<Step> = Vec::new();
        for (target, resource, source) in edges {
            let Some(slug) = self.sources.get(*source as usize).map(|source| source.1) else { continue };
            if let Some(team @ At::Team(_)) = resource.held() {
                let held = view.direct(team).filter(|(_, held)| *held == slug);
                steps.extend(held.map(|(at, _)| (*target, user(at), *source)));
            } else if let Some(slug) = self.slug(slug) {
                let held = self.people().filter(|(_, row)| row.slug == slug && row.is_source());
                steps.extend(held.map(|(_, row)| (*target, row.principal, *source)));
            }
        }
        steps.sort_unstable();
        let mut own: Vec<_> = self.people().map(|(at, row)| (row.slug, row.principal, at)).collect();
        own.sort_unstable();
        for run in steps.chunk_by(|left, right| (left.0, left.1) == (right.0, right.1)) {
            let Some((slug, principal, _)) = run.first().copied() else { continue };
            let sources = self.link(run.iter().map(|step| step.2));
            let known = own.binary_search_by(|known| (known.0, known.1).cmp(&(slug, principal))).ok();
            match known.and_then(|known| own.get(known)).and_then(|known| self.list.get_mut(known.2)) {
                Some(row) => row.sources = sources,
                None => self.list.push(Row { slug, principal, manner: Manner::Derived, sources }),
            }
        }
    }

    /// The rows of users, with their places.
    fn people(&self) -> impl Iterator<Item = (usize, &Row)> {
        self.list.iter().enumerate().filter(|(_, row)| row.principal.kind == Type::User)
    }
}
