//! The pages, as a browser without scripts sees them, on a simulated Heroku.

mod asking;
mod audit;
mod connecting;
mod drawing;
mod employing;
mod estate;
mod forms;
mod given_up;
mod hostile;
mod keeping;
mod looking;
mod matrix;
mod provisioning;
mod ready;
mod ruling;
mod settings;
mod wide;
