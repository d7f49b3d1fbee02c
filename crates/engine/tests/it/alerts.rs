//! Alerts on their way: in each form, in order, once the receiver is there again, and through crashes.

mod crash;
mod desk;
mod forms;
mod intervals;
mod served;
mod twins;
mod ways;
