//! The pages, as a browser without scripts sees them, on a simulated Heroku.

mod estate;
mod forms;
mod hostile;
mod looking;
