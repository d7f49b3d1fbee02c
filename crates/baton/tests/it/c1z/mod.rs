//! Files: what is written is read back, by us and by SQLite; what is not right is refused and changes nothing.

mod appending;
mod comparing;
mod estate;
mod foreign;
mod hostile;
mod interrupted;
mod lookup;
mod unfit;
mod written;
