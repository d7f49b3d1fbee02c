//! `metsuke export c1z`, `import c1z` and `c1z`: files of the Baton ecosystem, there and back.

mod foreign;
mod hostile;
mod ours;
