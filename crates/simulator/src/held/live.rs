//! The estate together with what it was a moment ago, for reads that lag behind writes.
//!
//! Not a history: what was is forgotten as soon as nobody is shown it any more.
//!
//! Invariant: reads of one thing go from one of its states to a later one, and never back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::standing::Standing;
use super::{App, Enterprise, Outgoing, Team, World, read, write};
use crate::call::Call;
use crate::delay::Delay;
use crate::journal::Effect;
use crate::page::Answer;
use crate::refusal::Refusal;
use crate::value::Id;

/// A world that is written to and read from.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) world: World,
    /// For how long reads show what a write has changed as it was before.
    pub(crate) settling: Delay,
    recent: Vec<Recent>,
    /// Writes applied so far.
    turn: u64,
    seed: u64,
    /// Where what webhooks are to tell goes.
    pub(crate) outbox: Option<UnboundedSender<Outgoing>>,
}

/// A thing as it was before a write, and until when it is shown like that.
#[derive(Debug)]
struct Recent {
    until: Instant,
    was: Thing,
}

#[derive(Debug)]
enum Thing {
    Team(Box<Team>),
    App(Box<App>),
    Enterprise(Box<Enterprise>),
}

impl Live {
    pub(crate) const fn new(world: World, seed: u64, settling: Delay) -> Self {
        Self { world, settling, recent: Vec::new(), turn: 0, seed, outbox: None }
    }

    /// The answer to a call that asks.
    pub(crate) fn answer(&self, call: &Call) -> Result<Answer, Refusal> {
        let now = Instant::now();
        if self.recent.iter().all(|recent| recent.until <= now) {
            return read(&self.world, call);
        }
        read(&self.shown(now), call)
    }

    /// The world as reads see it.
    fn shown(&self, now: Instant) -> World {
        let mut world = self.world.clone();
        // The latest first, so that the earliest state of a thing that is still shown is the one that stays.
        for recent in self.recent.iter().rev().filter(|recent| recent.until > now) {
            match &recent.was {
                Thing::Team(was) => restore(world.teams.get_mut(&was.id), was),
                Thing::App(was) => restore(world.apps.get_mut(&was.id), was),
                Thing::Enterprise(was) => restore(world.enterprises.get_mut(&was.id), was),
            }
        }
        world
    }

    /// The answer to a call that changes something; `told` hears of it once it is done.
    pub(crate) fn write(
        &mut self,
        call: &Call,
        told: impl FnOnce(u64, Vec<Effect>),
    ) -> Result<Answer, Refusal> {
        let now = Instant::now();
        self.recent.retain(|recent| recent.until > now);
        self.world.leaving = self.leaving(now);
        let (before, standing) = (self.world.clone(), Standing::of(&self.world, call));
        // What comes through the service is the caller's doing.
        let by_hand = self.world.actor.take();
        let answer = write(&mut self.world, call);
        if answer.is_ok() {
            self.follow(&before);
        }
        self.world.actor = by_hand;
        let answer = answer?;
        let before = (self.settling.most() > Duration::ZERO).then_some(before);
        self.turn += 1;
        let effects = standing.map(|standing| standing.changes(&self.world)).unwrap_or_default();
        if let Some(before) = before {
            let until = now + self.settling.draw(self.seed, self.turn);
            let touched: BTreeSet<&str> = effects.iter().map(|effect| effect.resource.as_str()).collect();
            let touched = touched.into_iter().filter_map(Id::parse).filter_map(|id| thing(&before, id));
            self.recent.extend(touched.map(|was| Recent { until, was }));
        }
        told(self.turn, effects);
        Ok(answer)
    }

    /// Changes the estate by hand.
    pub(crate) fn edit<R>(&mut self, change: impl FnOnce(&mut World) -> R) -> R {
        let before = self.world.clone();
        let changed = change(&mut self.world);
        self.follow(&before);
        changed
    }

    /// Tells audit trails and webhooks what is different now.
    fn follow(&mut self, before: &World) {
        self.world.tell_since(before);
        let outgoing = self.world.outgoing_since(before);
        if let Some(outbox) = &self.outbox {
            for one in outgoing {
                // Nobody is left to send it when the simulator ends.
                drop(outbox.send(one));
            }
        }
    }

    /// Everybody who has been taken off an app and is still shown on it.
    fn leaving(&self, now: Instant) -> BTreeSet<(Id, Id)> {
        if self.recent.is_empty() {
            return BTreeSet::new();
        }
        let on = |world: &World| -> BTreeSet<(Id, Id)> {
            let rows = |app: &App| app.collaborators.values().map(|row| row.user).collect::<Vec<_>>();
            world.apps.values().flat_map(|app| rows(app).into_iter().map(|user| (app.id, user))).collect()
        };
        on(&self.shown(now)).difference(&on(&self.world)).copied().collect()
    }
}

fn restore<T: Clone>(now: Option<&mut T>, was: &T) {
    if let Some(now) = now {
        now.clone_from(was);
    }
}

fn thing(world: &World, id: Id) -> Option<Thing> {
    let team = world.teams.get(&id).map(|team| Thing::Team(Box::new(team.clone())));
    let app = || world.apps.get(&id).map(|app| Thing::App(Box::new(app.clone())));
    let enterprise = || world.enterprises.get(&id).map(|found| Thing::Enterprise(Box::new(found.clone())));
    team.or_else(app).or_else(enterprise)
}
