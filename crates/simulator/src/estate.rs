//! The estate behind the routes: held in memory, or made on request.
//!
//! Not the manners, which are the same for both.
//!
//! Invariant: a held estate changes only under its lock, so an answer never mixes two states.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc::UnboundedSender;

use crate::SimulatorError;
use crate::call::Call;
use crate::delay::Delay;
use crate::held::{self, Credentials, Live, Outgoing, World, seed::Plan};
use crate::journal::Effect;
use crate::options::{Options, Size};
use crate::page::Answer;
use crate::refusal::Refusal;
use crate::routes::Route;
use crate::scale::Scale;
use crate::truth::{Source, Truth};

/// One of the two worlds.
#[derive(Debug)]
pub(crate) enum Estate {
    Held(Box<RwLock<Live>>),
    Scale(Arc<Scale>, AtomicU64),
}

impl Estate {
    pub(crate) fn new(options: &Options) -> Result<Self, SimulatorError> {
        if let Size::Scale { teams, apps, people, grants } = options.size {
            let scale = Scale::new(options.seed, teams, apps, people, grants)?;
            return Ok(Self::Scale(Arc::new(scale), AtomicU64::new(0)));
        }
        let plan = Plan::of(options.size).unwrap_or_default();
        let mut world = held::seed::world(&plan, options.seed, options.manners);
        world.live_clock = options.live_clock;
        Ok(Self::Held(Box::new(RwLock::new(Live::new(world, options.seed, options.settling)))))
    }

    /// The answer to a call that asks, and that the manners have let through.
    pub(crate) fn read(&self, call: &Call) -> Result<Answer, Refusal> {
        if matches!(call.route, Route::Authorizations | Route::Keys) {
            return self.credentials(call);
        }
        match self {
            Self::Held(live) => live.read().unwrap_or_else(PoisonError::into_inner).answer(call),
            Self::Scale(scale, generation) => scale.read(generation.load(Ordering::SeqCst), call),
        }
    }

    /// The answer to a call that changes something; `told` hears of it before anybody can see the change.
    pub(crate) fn write(&self, call: &Call, told: impl FnOnce(u64, Vec<Effect>)) -> Result<Answer, Refusal> {
        match self {
            Self::Held(live) => live.write().unwrap_or_else(PoisonError::into_inner).write(call, told),
            Self::Scale(..) => Err(Refusal::forbidden("This simulated estate is too large to be changed.")),
        }
    }

    /// Changes a held estate past all manners; `None` for scale.
    pub(crate) fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> Option<R> {
        match self {
            Self::Held(live) => Some(live.write().unwrap_or_else(PoisonError::into_inner).edit(change)),
            Self::Scale(..) => None,
        }
    }

    /// Says where what webhooks are to tell goes.
    pub(crate) fn set_outbox(&self, outbox: UnboundedSender<Outgoing>) {
        if let Self::Held(live) = self {
            live.write().unwrap_or_else(PoisonError::into_inner).outbox = Some(outbox);
        }
    }

    /// Sets how long reads lag behind the writes to come.
    pub(crate) fn set_settling(&self, settling: Delay) {
        if let Self::Held(live) = self {
            live.write().unwrap_or_else(PoisonError::into_inner).settling = settling;
        }
    }

    /// The authorizations or the keys of the caller, which no role in the estate bears on.
    fn credentials(&self, call: &Call) -> Result<Answer, Refusal> {
        match self {
            Self::Held(live) => {
                let world = &live.read().unwrap_or_else(PoisonError::into_inner).world;
                let own = world.people.get(&world.caller);
                let email = own.map(|own| own.email.as_str()).unwrap_or_default();
                world.credentials.answer(call, (world.caller, email))
            }
            Self::Scale(scale, _) => {
                let (id, email) = scale.caller();
                Credentials::default().answer(call, (id, &email))
            }
        }
    }

    pub(crate) fn truth(&self) -> Truth {
        Truth(match self {
            Self::Held(live) => {
                let live = live.read().unwrap_or_else(PoisonError::into_inner);
                Source::Held(Arc::new(held::truth(&live.world)))
            }
            Self::Scale(scale, generation) => {
                Source::Scale(Arc::clone(scale), generation.load(Ordering::SeqCst))
            }
        })
    }
}
