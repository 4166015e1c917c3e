//! Every dashboard is in order, and every question of it is answered by the real engine.

mod lint;
mod macros;
