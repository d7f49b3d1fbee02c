//! Talks to the simulator over real HTTP, as any client would.
//!
//! Not a test of Metsuke's own client.
//!
//! Invariant: every claim is about answers on the wire, or about the truth compared with them.

#[cfg(all(test, feature = "c1"))]
mod c1;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod collaborators;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod house;
#[cfg(test)]
mod invitations;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod jupiterone;
#[cfg(test)]
mod manners;
#[cfg(test)]
mod members;
#[cfg(test)]
mod others;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod settling;
mod trail;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod write_faults;
mod writes;
