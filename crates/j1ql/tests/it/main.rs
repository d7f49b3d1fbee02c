//! The language from outside: what is read, what is refused and how, and what is written back.
//!
//! Queries of other people are read from beside the repository where they are; none is copied into it.

#[cfg(test)]
mod examples;
#[cfg(test)]
mod grammar;
#[cfg(test)]
mod indexes;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod placeless;
#[cfg(test)]
mod random;
#[cfg(test)]
mod random_values;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod templates;
