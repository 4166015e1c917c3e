//! Every dashboard is in order, and every question of it is answered by the real engine.

mod alerts;
mod answers;
mod day;
mod lint;
mod macros;
mod question;
mod types;
