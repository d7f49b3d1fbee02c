//! Talks to the simulator over real HTTP, as any client would.
//!
//! Not a test of Metsuke's own client.
//!
//! Invariant: every claim is about answers on the wire, or about the truth compared with them.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod manners;
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
mod writes;
